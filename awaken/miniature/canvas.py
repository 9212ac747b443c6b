"""Between uint8 pictures and tensors, and from a coarse picture to a fine one along its edges."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F


def to_tensor(picture: np.ndarray, device: torch.device) -> torch.Tensor:
    """(h, w, 3) uint8 -> (1, 3, h, w) float32 in [0, 1]."""
    return torch.tensor(picture, device=device).permute(2, 0, 1)[None].float() / 255


def to_array(pictures: torch.Tensor) -> np.ndarray:
    """(n, 3, h, w) in [0, 1] -> (n, h, w, 3) uint8."""
    return (pictures.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def resize(x: torch.Tensor, size: tuple[int, int], mode: str = "bilinear") -> torch.Tensor:
    """Resize (n, c, h, w) to (height, width); smooths before it shrinks."""
    shrinks = x.shape[-2] > size[0] or x.shape[-1] > size[1]
    return F.interpolate(x, size, mode=mode, antialias=shrinks, align_corners=False)


def luma(pictures: torch.Tensor) -> torch.Tensor:
    """(n, 3, h, w) -> brightness, (n, 1, h, w)."""
    red, green, blue = pictures.split(1, 1)
    return 0.299 * red + 0.587 * green + 0.114 * blue


def blur(x: torch.Tensor, radius: int) -> torch.Tensor:
    """Mean over squares of 2 radius + 1 pixels; mirrored at the rim."""
    side = 2 * radius + 1
    x = F.pad(x, (radius,) * 4, mode="reflect")
    return F.avg_pool2d(F.avg_pool2d(x, (side, 1), stride=1), (1, side), stride=1)


def follow_edges(
    x: torch.Tensor, guide: torch.Tensor, fine: torch.Tensor, radius: int, smoothness: float
) -> torch.Tensor:
    """Fit ``x`` to the edges of a picture: the fast guided filter (He and Sun 2015).

    Args:
        x: (n, c, h, w), for example flow or a change of colour.
        guide: luma of the picture at the same size, (1, 1, h, w).
        fine: the same guide at the wanted size, (1, 1, H, W).
        radius: of the windows in which ``x`` is taken as linear in the guide.
        smoothness: variance of luma below which a window counts as flat and ``x`` is only blurred.

    Returns (n, c, H, W).
    """
    mean, mean_x = blur(guide, radius), blur(x, radius)
    variance = blur(guide * guide, radius) - mean * mean
    slope = (blur(guide * x, radius) - mean * mean_x) / (variance + smoothness)
    offset = blur(mean_x - slope * mean, radius)
    size = fine.shape[-2:]
    return resize(blur(slope, radius), size) * fine + resize(offset, size)
