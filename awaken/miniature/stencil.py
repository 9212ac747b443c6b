"""The motion brush in pixels: a mask with soft edges, and flow that comes to rest before them.

A cell of the latents is 16 pixels wide: a mask that only the latents knew would end in stairs, and
moving clouds would stop at a line. So the flow dies away over the last cells before the edge, and
what still moves there is blended into the painting, on the inside: outside nothing changes at all.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from awaken.miniature.imaging import box, smooth_step

REACH = 3  # cells over which the flow comes to rest


def touched(mask: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
    """Cells that hold a painted pixel: (1, 1, h, w) of 0 and 1 -> (1, 1, rows, columns) of both."""
    return F.adaptive_max_pool2d(mask, grid)


def resting(cells: torch.Tensor) -> torch.Tensor:
    """How much of its flow a cell keeps, 0 to 1: all of it from ``REACH`` cells inside the edge on.

    cells: (1, 1, rows, columns) of 0 and 1. The picture's own border is no edge, and a stroke
    thinner than twice the reach keeps all flow along its middle.
    """
    depth = inner = cells
    for _ in range(REACH - 1):
        inner = -F.max_pool2d(-inner, 3, 1, 1)
        depth = depth + inner
    ridge = F.max_pool2d(depth, 2 * REACH - 1, 1, REACH - 1)
    return depth / ridge.clamp(min=1)


def stencil(mask: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """How much of the moving picture shows at a pixel, (1, 1, H, W) of 0 to 1, soft on the inside.

    mask: (1, 1, h, w) of 0 and 1, any size. The edge is as wide as half a cell; a stroke thinner
    than that shows less, never more.
    """
    sharp = F.interpolate(mask, size, mode="area" if mask.shape[-1] > size[1] else "bilinear")
    radius = max(1, round((size[0] * size[1]) ** 0.5 / 96))
    soft = box(box(sharp, radius), radius)
    return smooth_step(soft, 0.5, 0.95)
