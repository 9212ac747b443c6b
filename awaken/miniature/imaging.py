"""Decoding's tools on pixels: moving pictures, and filling holes. No latents here."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from scipy import ndimage

_UPRIGHT = 2.5  # factor on vertical distances when a hole is filled: horizons lie flat
_SOFT = 10  # px of the core: coarser structure counts as colour, finer as brushwork
_SHIFTS = 6  # at most, of places that brushwork is copied from


def sample(
    image: torch.Tensor, moved: torch.Tensor, corner: tuple[int, int] = (0, 0)
) -> torch.Tensor:
    """Warp ``image`` (1, c, H, W) by ``moved`` (1, 2, h, w) pixels: out(x) = image(x - moved(x)).

    ``moved`` is for a window of the image whose first row and column are ``corner``; beyond its
    edge the image is mirrored. Bicubic, since bilinear sampling blurs brushwork at half a pixel.
    """
    height, width = image.shape[-2:]
    x, y = _sources(moved, corner)
    grid = torch.stack([x * (2 / width) - 1, y * (2 / height) - 1], -1)
    return F.grid_sample(image, grid, "bicubic", "reflection", align_corners=False)


def within(
    moved: torch.Tensor, size: tuple[int, int], corner: tuple[int, int] = (0, 0)
) -> torch.Tensor:
    """Where ``sample`` fetches from inside an image of (H, W): (1, 2, h, w) -> (1, 1, h, w)."""
    x, y = _sources(moved, corner)
    return ((x >= 0) & (x <= size[1]) & (y >= 0) & (y <= size[0])).to(moved)[:, None]


def _sources(moved: torch.Tensor, corner: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    h, w = moved.shape[-2:]
    x = torch.arange(w, device=moved.device) + (0.5 + corner[1])
    y = torch.arange(h, device=moved.device)[:, None] + (0.5 + corner[0])
    return x - moved[:, 0], y - moved[:, 1]


def extent(mask: torch.Tensor, margin: int = 0) -> tuple[slice, slice]:
    """Rows and columns of the smallest window that holds all of (1, 1, H, W) above zero.

    It is ``margin`` wider on every side, as far as the picture goes; without any it is empty.
    """
    spans = []
    for axis in (1, 0):
        place = (mask[0, 0] > 0).any(axis).nonzero()
        if not len(place):
            return slice(0, 0), slice(0, 0)
        spans.append(slice(max(0, int(place[0]) - margin), int(place[-1]) + 1 + margin))
    return spans[0], spans[1]


def held(moved: torch.Tensor) -> torch.Tensor:
    """A displacement (1, 2, h, w), in pixels, that fetches nothing from beyond the picture's edges.

    Before the edge it comes from it dies away, so that what lies there is stretched, by two at
    most: frames and signatures stay put, and no mirror image comes in. From three times the
    displacement inwards it is hardly changed.
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


def guided_filter(
    x: torch.Tensor,
    guide: torch.Tensor,
    radius: int,
    eps: float,
    fine: torch.Tensor | None = None,
) -> torch.Tensor:
    """Fit ``x`` to the edges of a picture (He, Sun and Tang, PAMI 2013; fast: He and Sun 2015).

    Each small window explains ``x`` as a linear function of the guide.

    Args:
        x: (1, n, h, w), for example coarse shares or a change of colour.
        guide: (1, c, h, w), the picture's colours or its luma.
        radius: of the windows, in pixels.
        eps: the guide's variance below which a window counts as flat and ``x`` is only blurred.
        fine: (1, c, H, W), the guide at the wanted size; None is ``guide``.

    Returns (1, n, H, W).
    """
    n, c = x.shape[1], guide.shape[1]
    mean_x, mean = box(x, radius), box(guide, radius)

    def covariance(y: torch.Tensor, mean_y: torch.Tensor) -> torch.Tensor:
        """(1, c, k, h, w), of the guide with ``y`` (1, k, h, w)."""
        products = box((guide[:, :, None] * y[:, None]).flatten(1, 2), radius)
        return products.unflatten(1, (c, -1)) - mean[:, :, None] * mean_y[:, None]

    spread, joint = covariance(guide, mean), covariance(x, mean_x)
    if c == 1:
        slope = joint / (spread + eps)
    else:
        spread = spread.permute(0, 3, 4, 1, 2) + eps * torch.eye(c, device=x.device)
        slope = torch.linalg.solve(spread, joint.permute(0, 3, 4, 1, 2)).permute(0, 3, 4, 1, 2)
    offset = box(mean_x - (slope * mean[:, :, None]).sum(1), radius)
    slope = box(slope.flatten(1, 2), radius)
    if fine is None:
        fine = guide
    else:
        size = fine.shape[-2:]
        slope, offset = (F.interpolate(m, size, mode="bilinear") for m in (slope, offset))
    return (slope.unflatten(1, (c, n)) * fine[:, :, None]).sum(1) + offset


def length(vectors: torch.Tensor) -> torch.Tensor:
    """(1, 2, h, w) -> (1, 1, h, w)."""
    return torch.hypot(vectors[:, :1], vectors[:, 1:])


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


def inpaint(picture: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
    """Fill what is not kept: (1, 3, H, W) and (1, 1, H, W) share kept -> (1, 3, H, W).

    A missing pixel has the smooth colour that its row and its column suggest together, the row
    above all (horizons and seas lie flat), and the brushwork of a place beside the hole.
    """
    reach = max(2, round(min(picture.shape[-2:]) / 90))
    hole = keep <= 0.95
    # Smoothed and a little larger than the object, whose ragged outline would show.
    hole = hole | (box(box(hole.float(), reach), reach) > 0.12)
    if not hole.any() or hole.all():
        return picture
    kept = (~hole).float()
    weight = box(kept, 2 * reach)
    mean = torch.where(weight > 1e-4, box(picture * kept, 2 * reach) / (weight + 1e-6), picture)
    detail = picture - mean
    usual = (detail.abs() * kept).mean() / kept.mean()  # clipped: no mast is copied
    detail = borrowed(detail.clamp(-2 * usual, 2 * usual), hole)
    patch = box(interpolated(mean, ~hole[0, 0]), reach) + detail
    return torch.lerp(picture, patch, torch.maximum(box(hole.float(), 1), 1 - keep).clamp(0, 1))


def mirrored(picture: torch.Tensor, core: torch.Tensor) -> torch.Tensor:
    """The picture with what lies outside ``core`` replaced by the core's mirror image.

    picture (1, 3, H, W); core (1, 1, h, w) bool, of the same or a coarser size. A pixel outside
    takes its colour from the point reflected at the nearest pixel of the core, or from nearer to it
    where the core is too narrow. Brushwork is mirrored too.
    """
    if not core.any() or core.all():
        return picture
    h, w = core.shape[-2:]
    rows, columns = nearest(core[0, 0])
    own_rows = torch.arange(h, device=core.device)[:, None].expand(h, w)
    own_columns = torch.arange(w, device=core.device).expand(h, w)
    down, right = rows - own_rows, columns - own_columns
    reach = torch.ones_like(down, dtype=picture.dtype)
    for far in (0.25, 0.5, 1.0):
        across_row = (rows + (far * down).long()).clamp(0, h - 1)
        across_column = (columns + (far * right).long()).clamp(0, w - 1)
        reach = torch.where(core[0, 0][across_row, across_column], 1 + far, reach)
    size = picture.shape[-2:]
    scale = picture.new_tensor([size[1] / w, size[0] / h])[None, :, None, None]
    away = -torch.stack([right * reach, down * reach])[None].to(picture) * scale
    away = F.interpolate(away, size, mode="bilinear", align_corners=False)
    # Mirror images of two sides do not fit where they meet. In brushwork that does not show, at the
    # edge of a cloud it does: so the coarse colours are blurred once more.
    radius = max(2, size[1] * _SOFT // w)
    inside = F.interpolate(core.to(picture), size, mode="bilinear", align_corners=False)
    soft = box(picture * inside, radius) / box(inside, radius).clamp(min=1e-3)
    detail = sample((picture - soft) * inside, away)
    wide = box(box(sample(soft, away), radius), radius)
    return torch.lerp(wide + detail, picture, inside)


def nearest(core: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Row and column of the nearest pixel of ``core`` (h, w) bool, each (h, w) int64, Euclidean.

    Exact, on the CPU (SciPy): 2 ms where the same in torch took 70. ``core`` must not be empty.
    """
    place = ndimage.distance_transform_edt(
        ~core.cpu().numpy(), return_distances=False, return_indices=True
    )
    rows, columns = torch.from_numpy(place).long().to(core.device)
    return rows, columns


def distance(there: torch.Tensor) -> torch.Tensor:
    """To the nearest pixel of ``there`` (1, 1, h, w) bool, (1, 1, h, w), infinite without any."""
    if not there.any():
        return torch.full(there.shape, math.inf, device=there.device)
    far = ndimage.distance_transform_edt(~there[0, 0].cpu().numpy())
    return torch.from_numpy(far).float().to(there.device)[None, None]


def interpolated(picture: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
    """Smooth colours from the nearest kept pixels to the left, right, top and bottom.

    picture (1, 3, h, w), keep (h, w) bool. They weigh by the inverse square of their distance,
    those above and below as if they were farther. A pixel with no kept one in its row and its
    column has the colour of a pyramid of means.
    """
    total = picture.new_full((1, 1, *keep.shape), 1e-9)
    mixed = 1e-9 * push_pull(picture, keep[None, None].to(picture))
    for axis, far in ((1, 1.0), (0, _UPRIGHT)):
        n = keep.shape[axis]
        shape = (1, n) if axis else (n, 1)
        here = torch.arange(n, device=keep.device).view(shape).expand(keep.shape)
        before = torch.where(keep, here, -n).cummax(axis).values
        after = torch.where(keep, here, 2 * n).flip(axis).cummin(axis).values.flip(axis)
        for source in (before, after):
            weight = ((source >= 0) & (source < n)) / ((here - source).abs() * far + 1).square()
            place = source.clamp(0, n - 1).expand_as(picture)
            mixed = mixed + weight * picture.gather(axis + 2, place)
            total = total + weight
    return mixed / total


def borrowed(detail: torch.Tensor, hole: torch.Tensor) -> torch.Tensor:
    """Detail (1, 3, h, w) for a hole (1, 1, h, w bool), copied from beside it; zero elsewhere.

    The whole hole takes it from one and the same distance, so that it stays coherent, and what lies
    in a hole there too from the next best distance (shift maps: Pritch et al., ICCV 2009). Nothing
    is taken from the rim of the picture, where frames are.
    """
    h, w = hole.shape[-2:]
    cell = max(1, min(h, w) // 32)  # shifts are whole cells
    left = F.max_pool2d(hole.float(), cell, ceil_mode=True)
    good = F.pad(1 - left[..., 1:-1, 1:-1], (1, 1, 1, 1))
    rows, columns = left.shape[-2:]
    shifts = [(y, x) for y in (0, -1, 1) for x in range(-columns // 2, columns // 2)]
    shifts += [(y, 0) for y in range(-rows // 2, rows // 2)]
    # Sea to sea and sky to sky: sideways rather than up or down.
    liking = left.new_tensor(
        [(1 - 0.5 * abs(x) / columns) / (1 + 40 * abs(y) / rows) for y, x in shifts]
    )
    out = torch.zeros_like(detail)
    missing = hole
    for _ in range(_SHIFTS):
        hits = torch.stack([(left * torch.roll(good, s, (2, 3))).sum() for s in shifts])
        if not hits.any():
            break
        best = shifts[int((hits * liking).argmax())]
        there = torch.roll(good, best, (2, 3))
        left = left * (1 - there)
        there = F.interpolate(there, scale_factor=cell, mode="nearest")[..., :h, :w] > 0
        moved = torch.roll(detail, (best[0] * cell, best[1] * cell), (2, 3))
        out = torch.where(missing & there, moved, out)
        missing = missing & ~there
    return out


def dilate(x: torch.Tensor, by: int = 1) -> torch.Tensor:
    """The greatest value within ``by`` pixels, (b, n, h, w); the sides of a square in turn."""
    for size, pad in (((2 * by + 1, 1), (by, 0)), ((1, 2 * by + 1), (0, by))):
        x = F.max_pool2d(x, size, 1, pad)
    return x


def smooth_step(matte: torch.Tensor, low: float, high: float) -> torch.Tensor:
    """Matte values below low to 0, above high to 1, a smooth step between."""
    x = ((matte - low) / (high - low)).clamp(0, 1)
    return x * x * (3 - 2 * x)
