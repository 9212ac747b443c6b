"""Decoding's tools on pixels: moving pictures, drawing mattes, filling holes. No latents here."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F


def sample(image: torch.Tensor, moved: torch.Tensor) -> torch.Tensor:
    """What ``image`` (1, c, h, w) shows at every pixel displaced by ``moved`` (1, 2, h, w) pixels.

    The result at x is the image at x - moved(x); beyond its edge its mirror image continues.
    """
    _, _, h, w = moved.shape
    x = torch.arange(w, device=moved.device) + 0.5 - moved[:, 0]
    y = torch.arange(h, device=moved.device)[:, None] + 0.5 - moved[:, 1]
    grid = torch.stack([x * (2 / w) - 1, y * (2 / h) - 1], -1)
    return F.grid_sample(image, grid, "bilinear", "reflection", align_corners=False)


def box(x: torch.Tensor, radius: int) -> torch.Tensor:
    """Mean over squares of 2 radius + 1 pixels, (n, c, h, w); rows, then columns, for speed."""
    for window, pad in (((2 * radius + 1, 1), (radius, 0)), ((1, 2 * radius + 1), (0, radius))):
        x = F.avg_pool2d(x, window, 1, pad, count_include_pad=False)
    return x


def length(vectors: torch.Tensor) -> torch.Tensor:
    """(1, 2, h, w) -> (1, 1, h, w)."""
    return torch.hypot(vectors[:, :1], vectors[:, 1:])


def guided_matte(
    share: torch.Tensor, picture: torch.Tensor, radius: int = 8, eps: float = 2e-3
) -> torch.Tensor:
    """Coarse shares (1, n, h, w) -> mattes (1, n, H, W) that follow the edges of a picture.

    The guided filter (He, Sun and Tang, PAMI 2013) with the picture's colours as guide.

    picture: (1, 3, H, W) in 0..1, about 256 pixels a side. Each small window explains the share as
    a linear function of the picture's colours; eps is the colour variance below which it stays
    flat.
    """
    share = F.interpolate(share, picture.shape[-2:], mode="bilinear", align_corners=False)
    n = share.shape[1]
    average, colour = box(share, radius), box(picture, radius)
    products = (picture[:, :, None] * picture[:, None]).flatten(1, 2)
    spread = box(products, radius).unflatten(1, (3, 3)) - colour[:, :, None] * colour[:, None]
    joint = (picture[:, :, None] * share[:, None]).flatten(1, 2)
    joint = box(joint, radius).unflatten(1, (3, n))
    joint = joint - colour[:, :, None] * average[:, None]
    spread = spread.permute(0, 3, 4, 1, 2) + eps * torch.eye(3, device=share.device)
    slope = torch.linalg.solve(spread, joint.permute(0, 3, 4, 1, 2))  # (1, H, W, 3, n)
    slope = slope.permute(0, 3, 4, 1, 2)
    offset = average - (slope * colour[:, :, None]).sum(1)
    slope = box(slope.flatten(1, 2), radius).unflatten(1, (3, n))
    return (slope * picture[:, :, None]).sum(1) + box(offset, radius)


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

    A missing pixel has the smooth colour that its surroundings suggest, and the fine texture of the
    mirror image at the nearest border, so that the brushwork goes on and no seam shows where two
    borders' mirror images meet. Large pictures are searched at half their size.
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
    mirror = 2 * source - here
    mirror[0].clamp_(0, width - 1)
    mirror[1].clamp_(0, height - 1)
    usable = keep[0, 0][mirror[1].round().long(), mirror[0].round().long()] > 0.9
    mirror = torch.where(usable, mirror, source)
    smooth = push_pull(F.avg_pool2d(picture, scale), sure)
    smooth = F.interpolate(box(smooth, 1), (height, width), mode="bilinear", align_corners=False)
    weight = keep + 1e-4
    radius = 3 * scale
    texture = (picture - box(picture * weight, radius) / box(weight, radius)) * keep
    patch = smooth + sample(texture, (here - mirror)[None])
    hole = F.interpolate(1 - sure, (height, width), mode="bilinear", align_corners=False)
    hole = torch.maximum(hole, 1 - keep).clamp(0, 1)
    return picture * (1 - hole) + patch * hole


def smooth_step(matte: torch.Tensor, low: float, high: float) -> torch.Tensor:
    """Matte values below low to 0, above high to 1, a smooth step between."""
    x = ((matte - low) / (high - low)).clamp(0, 1)
    return x * x * (3 - 2 * x)
