"""The motion brush at the size of the painting: a mask with soft edges, and flow that fades to 0.

A cell of the latents is 16 pixels wide, so a mask in cells alone would show as stairs, and moving
clouds would stop at a line. Therefore the flow fades over the last cells before the edge, and the
moving picture is blended into the painting on the inside of the edge. Outside, no pixel changes.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from awaken.miniature.imaging import box, smooth_step

REACH = 3  # cells over which the flow fades to 0


def touched(mask: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
    """Cells with any pixel of a mask (1, 1, h, w) of 0 and 1 -> (1, 1, rows, columns) of 0 and 1."""
    return F.adaptive_max_pool2d(mask, grid)


def resting(cells: torch.Tensor) -> torch.Tensor:
    """Factor of the flow per cell, 0 to 1: 1 from ``REACH`` cells inside the edge of a mask on.

    cells: (1, 1, rows, columns) of 0 and 1. The border of the picture counts as no edge, and a
    stroke thinner than 2 ``REACH`` keeps the factor 1 along its middle.
    """
    depth = inner = cells
    for _ in range(REACH - 1):
        inner = -F.max_pool2d(-inner, 3, 1, 1)
        depth = depth + inner
    ridge = F.max_pool2d(depth, 2 * REACH - 1, 1, REACH - 1)
    return depth / ridge.clamp(min=1)


def stencil(mask: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Opacity of the moving picture per pixel, (1, 1, H, W) of 0 to 1, falling inside the edge.

    mask: (1, 1, h, w) of 0 and 1, any size. The soft edge is half a cell wide and lies within the
    mask; a thinner stroke never reaches full opacity.
    """
    sharp = F.interpolate(mask, size, mode="area" if mask.shape[-1] > size[1] else "bilinear")
    radius = max(1, round((size[0] * size[1]) ** 0.5 / 96))
    soft = box(box(sharp, radius), radius)
    return smooth_step(soft, 0.5, 0.95)
