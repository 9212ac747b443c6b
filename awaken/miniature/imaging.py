"""Decoding's tools on pixels: moving pictures, and filling holes. No latents here."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F


_NEAR = 0.3  # of the short side: as far as flow fetches


def sample(image: torch.Tensor, moved: torch.Tensor) -> torch.Tensor:
    """What ``image`` (1, c, h, w) shows at every pixel displaced by ``moved`` (1, 2, h, w) pixels.

    The result at x is the image at x - moved(x); beyond its edge its mirror image continues.
    Bicubic: the mean of two neighbours would blur the brushwork, by as much as it moves half a pixel.
    """
    _, _, h, w = moved.shape
    x = torch.arange(w, device=moved.device) + 0.5 - moved[:, 0]
    y = torch.arange(h, device=moved.device)[:, None] + 0.5 - moved[:, 1]
    grid = torch.stack([x * (2 / w) - 1, y * (2 / h) - 1], -1)
    return F.grid_sample(image, grid, "bicubic", "reflection", align_corners=False)


def within(moved: torch.Tensor) -> torch.Tensor:
    """Where ``sample`` fetches from inside the picture: (1, 2, h, w) pixels -> (1, 1, h, w)."""
    _, _, h, w = moved.shape
    x = torch.arange(w, device=moved.device) + 0.5 - moved[:, :1]
    y = torch.arange(h, device=moved.device)[:, None] + 0.5 - moved[:, 1:]
    return ((x >= 0) & (x <= w) & (y >= 0) & (y <= h)).to(moved)


def held(moved: torch.Tensor) -> torch.Tensor:
    """A displacement (1, 2, h, w), in pixels, that fetches nothing from beyond the picture's edges.

    Before the edge it comes from it dies away, so that what lies there is stretched, by two at most:
    frames and signatures stay put, and no mirror image comes in. From three times the displacement
    inwards it is hardly changed.
    """
    _, _, h, w = moved.shape
    x = torch.arange(w, device=moved.device) + 0.5
    y = (torch.arange(h, device=moved.device) + 0.5)[:, None]
    dx, dy = moved[:, 0], moved[:, 1]
    room_x = torch.where(dx > 0, x, w - x) / 2
    room_y = torch.where(dy > 0, y, h - y) / 2
    room = torch.stack([room_x.expand_as(dx), room_y.expand_as(dy)], 1)
    return moved * (1 + (moved / room).square().square().square()).rsqrt().sqrt().sqrt()


def box(x: torch.Tensor, radius: int) -> torch.Tensor:
    """Mean over squares of 2 radius + 1 pixels, (n, c, h, w); rows, then columns, for speed."""
    for window, pad in (((2 * radius + 1, 1), (radius, 0)), ((1, 2 * radius + 1), (0, radius))):
        x = F.avg_pool2d(x, window, 1, pad, count_include_pad=False)
    return x


def length(vectors: torch.Tensor) -> torch.Tensor:
    """(1, 2, h, w) -> (1, 1, h, w)."""
    return torch.hypot(vectors[:, :1], vectors[:, 1:])


def nearest_kept(keep: torch.Tensor) -> torch.Tensor:
    """(h, w) bool -> (2, h, w): x and y of the nearest kept pixel (jump flooding: Rong, Tan 2006).

    Where nothing is kept every pixel is its own nearest.
    """
    h, w = keep.shape
    y, x = torch.meshgrid(
        torch.arange(h, device=keep.device), torch.arange(w, device=keep.device), indexing="ij"
    )
    here = torch.stack([x, y]).float()
    if not keep.any():
        return here
    far = 4.0 * (h + w)
    seed = torch.where(keep, here, torch.full_like(here, -far))
    step = 2 ** math.ceil(math.log2(max(h, w)))
    while step >= 1:
        for dy in (-step, 0, step):
            for dx in (-step, 0, step):
                other = torch.full_like(seed, -far)
                a, b = slice(max(0, -dy), h - max(0, dy)), slice(max(0, dy), h - max(0, -dy))
                c, d = slice(max(0, -dx), w - max(0, dx)), slice(max(0, dx), w - max(0, -dx))
                if a.start >= a.stop or c.start >= c.stop:
                    continue
                other[:, a, c] = seed[:, b, d]
                closer = (other - here).square().sum(0) < (seed - here).square().sum(0)
                seed = torch.where(closer, other, seed)
        step //= 2
    return seed


def push_pull(picture: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
    """Smooth colours for what is not kept, from a pyramid of weighted means (Gortler et al. 1996).

    picture (1, 3, h, w), keep (1, 1, h, w) of 0..1; at least one pixel should be kept.
    """
    if min(picture.shape[-2:]) < 2:
        return picture
    weight = F.avg_pool2d(keep, 2, ceil_mode=True)
    mean = F.avg_pool2d(picture * keep, 2, ceil_mode=True) / weight.clamp(min=1e-6)
    coarse = push_pull(mean, (weight * 4).clamp(max=1))
    coarse = F.interpolate(coarse, picture.shape[-2:], mode="bilinear", align_corners=False)
    return picture * keep + coarse * (1 - keep)


def filled(picture: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
    """Fill what is not kept: (1, 3, H, W) and (1, 1, H, W) share kept -> (1, 3, H, W).

    A missing pixel has the smooth colour of the nearest border, far from all borders the one that
    they suggest together (a sky does not darken towards the sea below it), and the fine texture of the
    mirror image at the nearest border, so that the brushwork goes on and no seam shows where two
    borders' mirror images meet. Where the mirror image is missing too, a stretched one takes its
    place, and where that is missing there is no texture. Large pictures are searched at half their
    size.
    """
    height, width = picture.shape[-2:]
    scale = 2 if height * width > 100_000 else 1
    sure = (F.avg_pool2d(keep, scale) > 0.95).float()
    small = sure[0, 0] > 0
    source = nearest_kept(small)
    # From here on at full size; nearest, because between two sources lies no third one.
    source = F.interpolate(source[None], (height, width), mode="nearest")[0] * scale
    source = source + (scale - 1) / 2
    here = torch.stack(torch.meshgrid(torch.arange(width), torch.arange(height), indexing="xy")).to(
        source
    )
    mirror, found = source, torch.zeros_like(small[:1, :1]).expand(height, width)
    for depth in (1.0, 0.5, 0.25):
        x, y = there = source + depth * (source - here)
        inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
        column, row = x.clamp(0, width - 1).round().long(), y.clamp(0, height - 1).round().long()
        usable = inside & (keep[0, 0][row, column] > 0.9) & ~found
        mirror, found = torch.where(usable, there, mirror), found | usable
    smooth = push_pull(F.avg_pool2d(picture, scale), sure)
    smooth = F.interpolate(box(smooth, 1), (height, width), mode="bilinear", align_corners=False)
    weight = keep + 1e-4
    radius = 3 * scale
    mean = box(picture * weight, radius) / box(weight, radius)
    far = (here - source).square().sum(0).sqrt() / (_NEAR * min(height, width))
    border = box(sample(mean, (here - source)[None]), 2 * radius)
    smooth = torch.lerp(border, smooth, smooth_step(far, 0.5, 1.0))
    texture = (picture - mean) * keep
    patch = smooth + sample(texture, (here - mirror)[None]) * found
    hole = F.interpolate(1 - sure, (height, width), mode="bilinear", align_corners=False)
    hole = torch.maximum(hole, 1 - keep).clamp(0, 1)
    return picture * (1 - hole) + patch * hole


def smooth_step(matte: torch.Tensor, low: float, high: float) -> torch.Tensor:
    """Matte values below low to 0, above high to 1, a smooth step between."""
    x = ((matte - low) / (high - low)).clamp(0, 1)
    return x * x * (3 - 2 * x)
