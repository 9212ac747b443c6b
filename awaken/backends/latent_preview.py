"""Latents as small pictures, through a linear map to RGB that is fitted to a VAE."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F

_SIDE = 128


def fit_to_rgb(
    encode: Callable[[torch.Tensor], torch.Tensor], space: int, device: torch.device, cells: int = 6
) -> torch.Tensor:
    """(channels + 1, 3): least squares from latents (and one) to colours in [-1, 1].

    encode: pixels (1, 3, h, w) in [-1, 1] -> latents (1, c, h / space, w / space); cells: colours
    per side of the picture that it is fitted to, whose square should exceed the channels.
    """
    draw = torch.Generator().manual_seed(0)
    colours = torch.rand(1, 3, cells, cells, generator=draw) * 2 - 1
    picture = F.interpolate(colours, (cells * space,) * 2, mode="bicubic").clamp(-1, 1).to(device)
    z = encode(picture)
    rows = z.flatten(2)[0].T.float().cpu()
    rows = torch.cat([rows, torch.ones(len(rows), 1)], 1)
    seen = F.adaptive_avg_pool2d(picture, z.shape[-2:]).flatten(2)[0].T.cpu()
    return torch.linalg.lstsq(rows, seen).solution.to(device)


def preview(z: torch.Tensor, to_rgb: torch.Tensor) -> np.ndarray:
    """Latents (1, c, f, h, w) -> (f, ~128, ~128, 3) uint8."""
    rgb = torch.einsum("bcfhw,cd->bfdhw", z.float(), to_rgb[:-1])[0] + to_rgb[-1][:, None, None]
    return small_frames(rgb)


def small_frames(rgb: torch.Tensor) -> np.ndarray:
    """Frames (f, 3, h, w) in [-1, 1] -> (f, ~128, ~128, 3) uint8."""
    scale = _SIDE / max(rgb.shape[-2:])
    small = rgb
    if scale != 1:
        small = F.interpolate(rgb, scale_factor=scale, mode="bilinear", antialias=scale < 1)
    return ((small / 2 + 0.5).clamp(0, 1) * 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
