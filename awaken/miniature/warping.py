"""From the working square to the painting's true size: squash, warp, and carry changes over."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from awaken.miniature.networks import SQUARE


def to_tensor(picture: np.ndarray, device: torch.device) -> torch.Tensor:
    """(h, w, 3) uint8 -> (1, 3, h, w) float32 in [0, 1]."""
    tensor = torch.tensor(picture, device=device)
    return tensor.permute(2, 0, 1)[None].float() / 255


def to_array(pictures: torch.Tensor) -> np.ndarray:
    """(n, 3, h, w) in [0, 1] -> (n, h, w, 3) uint8."""
    return (pictures.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def squash(picture: torch.Tensor) -> torch.Tensor:
    """Any (1, 3, h, w) -> the working square, (1, 3, 128, 128); the shape of the painting is lost."""
    return resize(picture, (SQUARE, SQUARE), "bilinear")


def resize(x: torch.Tensor, size: tuple[int, int], mode: str = "bicubic") -> torch.Tensor:
    """Resize (n, c, h, w) to (height, width); smooths before it shrinks."""
    shrinks = x.shape[-2] > size[0] or x.shape[-1] > size[1]
    return F.interpolate(x, size, mode=mode, antialias=shrinks, align_corners=False)


def warp(picture: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
    """Fetch every pixel of every frame from where the flow points.

    Args:
        picture: (1, 3, h, w).
        flow: backward flow in pixels of the working square, (f, 2, h, w) as x and y; the square's
            pixels are w / 128 wide and h / 128 high here.

    Returns (f, 3, h, w). Beyond the painting's edge its mirror image continues.
    """
    frames, _, h, w = flow.shape
    rows, columns = (
        (torch.arange(side, device=flow.device) + 0.5) * (2 / side) - 1 for side in (h, w)
    )
    grid = flow.permute(0, 2, 3, 1) * (2 / SQUARE)
    grid[..., 0] += columns
    grid[..., 1] += rows[:, None]
    return F.grid_sample(
        picture.expand(frames, -1, -1, -1),
        grid,
        mode="bilinear",
        padding_mode="reflection",
        align_corners=False,
    )
