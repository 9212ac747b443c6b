"""Outlines of what moves: from coarse shares to mattes that follow a picture's edges."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from scipy import ndimage

from awaken.miniature.canvas import luma
from awaken.miniature.imaging import box, dilate, guided_filter

_BINS = (12, 18, 18)  # of the colour histogram: luma and both colour differences
_EDGE = 0.45  # a pixel belongs to a matte from this value on
_ROUNDS = 3  # of colour models and trimming, which depend on each other
# Share of a connected part that trimming may take: all is believed up to the first, nothing from
# the second on.
_LOSS = (0.1, 0.16)
_NEAR = 12  # px from the border within which a matte is trimmed by colour
_UNLIKE = 0.15  # RGB distance of both sides of a border from which on it may be moved
# Thin structures: half their width in px; contrast to their surroundings in 0..1, and in multiples
# of the median contrast.
_THIN, _CONTRAST, _UNUSUAL = 4, 0.07, 3.0
# px around an object: the ring that models the background; one step of growth; what is always kept.
_RING, _REACH, _CLOSE = 24, 12, 7
_STEPS, _MOST = 8, 6.0  # of growth at most, and the largest growth as a multiple of the object
# px from an object within which masts and ropes are looked for, and from the picture's edge, where
# painted frames are, within which they are not.
_ROPE, _RIM = 40, 7
# Probability that a colour is the object's: to grow, and to stay (averaged, or of a single pixel).
_MAYBE, _SURELY = 0.75, (0.85, 0.95)
_LEAST = 0.05  # share of the coarse matte that the object must fill


def guided_matte(
    share: torch.Tensor, picture: torch.Tensor, radius: int = 8, eps: float = 2e-3
) -> torch.Tensor:
    """Coarse shares (1, n, h, w) -> mattes (1, n, H, W) that follow the edges of a picture.

    picture: (1, 3, H, W) in 0..1, about 256 pixels a side; the guide of ``guided_filter``.
    """
    share = F.interpolate(share, picture.shape[-2:], mode="bilinear", align_corners=False)
    return guided_filter(share, picture, radius, eps)


def outlined(mattes: torch.Tensor, picture: torch.Tensor) -> torch.Tensor:
    """Mattes of region and object, (1, 2, h, w) of 0..1, refined to the edges of a picture.

    picture: (1, 3, h, w) in 0..1. See ``trimmed`` and ``fitted``. Where the picture has no edge the
    object's matte has none either and fades out.
    """
    thing = guided_matte(fitted(mattes[:, 1:], picture), picture, radius=6, eps=4e-4)
    return torch.cat([trimmed(mattes[:, :1], picture), thing.clamp(0, 1)], 1)


def trimmed(matte: torch.Tensor, picture: torch.Tensor) -> torch.Tensor:
    """A region's matte without what belongs to its surroundings: trees, masts and spires in a sky.

    matte: (1, 1, h, w) of 0..1; picture: (1, 3, h, w) in 0..1. Three things are removed, where they
    are connected to the outside: pixels near the border whose colour is more common outside than
    inside (colour models and matte in turns, as in GrabCut: Rother et al. 2004), pixels that are
    closer to the colour just beyond the border (``_beside``), and thin structures (``_thin``) of
    any length. A sea has the colours of its rocks and ships: a part that would lose much keeps all.
    """
    whole = matte >= _EDGE
    if not whole.any():
        return matte
    code, outer = _colour_codes(picture), (~whole).float()
    shore, near = dilate(outer), dilate(outer, _NEAR)
    kept = matte
    for _ in range(_ROUNDS):
        inside, outside = _counts(code, kept), _counts(code, 1 - kept)
        likely = (inside / (inside + outside + 1e-6))[code].view_as(matte)
        lost = _flooded(shore, whole & (box(likely, 2) < 0.5))
        twigs = dilate(lost, 2) * (whole & (likely < 0.5))
        lost = torch.maximum(lost, twigs)
        kept = matte * (1 - lost)
    part, (least, most) = parts(whole), _LOSS
    loss = _total(matte - kept, part) / _total(matte, part).clamp(min=1)
    trust = ((most - loss) / (most - least)).clamp(0, 1)
    lost = torch.maximum(near * lost * trust, _flooded(shore, _beside(picture, whole, near)))
    standing = _flooded(shore, whole & (dilate(_thin(picture, whole).float()) > 0))
    return matte * (1 - box(torch.maximum(lost, standing), 1))


def _beside(picture: torch.Tensor, whole: torch.Tensor, near: torch.Tensor) -> torch.Tensor:
    """Pixels of a matte ``whole`` that are closer to the colour beyond it, (1, 1, h, w) bool.

    near: (1, 1, h, w) of 0 and 1, within ``_NEAR`` of the border. Colours are compared locally (a
    rock may have a colour that is common in the sky, but not in the sky around it), and only where
    both sides differ.
    """
    sides = []
    for sure in (1 - near, 1 - dilate(whole.float(), _NEAR // 2)):
        weight = box(sure, 2 * _NEAR)
        colour = box(picture * sure, 2 * _NEAR) / weight.clamp(min=1e-3)
        sides.append(torch.where(weight > 1e-3, colour, math.nan))
    far = (sides[0] - sides[1]).norm(dim=1, keepdim=True) > _UNLIKE
    away = [(picture - side).norm(dim=1, keepdim=True) for side in sides]
    return whole & far & (near > 0) & (box(away[0] - away[1], 1) > 0)


def _thin(picture: torch.Tensor, whole: torch.Tensor) -> torch.Tensor:
    """Thin upright structures within a matte ``whole``, both (1, 1, h, w) bool.

    A top-hat transform with a horizontal window (Serra 1982), since crests of waves lie flat; the
    contrast must exceed that of usual brush strokes.
    """
    window, pad = (1, 2 * _THIN + 1), (0, _THIN)

    def opened(x: torch.Tensor) -> torch.Tensor:
        return F.max_pool2d(-F.max_pool2d(-x, window, 1, pad), window, 1, pad)

    dark, light = -opened(-picture) - picture, picture - opened(picture)
    hat = torch.maximum(dark, light).amax(1, keepdim=True)
    return hat > (_UNUSUAL * hat[whole].median()).clamp(min=_CONTRAST)


def fitted(matte: torch.Tensor, picture: torch.Tensor) -> torch.Tensor:
    """The matte of an object (a boat, a tree), fitted to it.

    matte: (1, 1, h, w) of 0..1, coarse: it holds background and misses a mast; picture: (1, 3, h,
    w) in 0..1. A colour is the object's if it is rarer in a ring around the matte. Other pixels are
    removed from the border inwards; then the object grows into connected pixels of its colours, and
    keeps those that are surely its own. A hull may be as dark as its water: pixels close to the
    object stay. If almost nothing would be left, the coarse matte is returned.
    """
    whole = matte >= _EDGE
    if not whole.any():
        return matte
    code, shore = _colour_codes(picture), dilate((~whole).float())
    around = dilate(whole.float(), _RING) * ~whole
    kept = matte * whole
    for _ in range(_ROUNDS):
        inside = _counts(code, kept)
        outside = _counts(code, around + matte * whole - kept)
        own = _owned(inside, outside)[code].view_as(matte)
        kept = matte * whole * (1 - _flooded(shore, whole & (box(own, 1) < 0.6)))
    if float(kept.sum()) < _LEAST * float((matte * whole).sum()):
        return matte
    core = added = (kept > 0.5).float()
    near, rest = dilate(core, _REACH), around
    for n in range(_STEPS):  # the upper half of a sail, once the lower half has modelled it
        grown = _flooded(dilate(added), (near > 0) & (own > _MAYBE) & ~whole)
        grown = torch.maximum(added, grown)
        if n and (grown.sum() > _MOST * core.sum() or grown.sum() == added.sum()):
            break  # it leaks into something that only looks alike, or it is finished
        added, near = grown, dilate(grown, _REACH)
        rest = torch.maximum(rest, near) * (1 - grown) * ~whole
        inside, outside = _counts(code, grown), _counts(code, rest + matte * whole * (1 - core))
        own = _owned(inside, outside)[code].view_as(matte)
    # Averaging rejects a cloud beside a sail; a rope is too thin for it and is judged by the pixel.
    blurred, sharp = _SURELY
    sure = (added > 0) & ((box(own, 2) > blurred) | (own > sharp))
    added = torch.maximum(core, _flooded(dilate(core), sure))
    added = _rigged(added, picture)
    close = dilate(added, _CLOSE)
    return box(torch.maximum(matte * close, dilate(added * ~whole)), 1)


def _rigged(thing: torch.Tensor, picture: torch.Tensor) -> torch.Tensor:
    """An object (1, 1, h, w) of 0 and 1 with the masts and ropes above it; picture (1, 3, h, w).

    Thin upright structures that are connected to a part and higher than its middle (waves are
    lower), unless they would be more than twice the part, or lie at the picture's edge.
    """
    around = dilate(thing, _ROPE) > 0
    around &= F.pad(torch.ones_like(around[..., _RIM:-_RIM, _RIM:-_RIM]), [_RIM] * 4)
    ropes = _thin(picture, around & (thing == 0)) & around
    rig = _flooded(dilate(thing), dilate(ropes.float()) > 0)
    part = parts(torch.maximum(dilate(thing), rig) > 0)
    row = torch.arange(thing.shape[2], device=thing.device, dtype=thing.dtype)[:, None]
    middle = _total(thing * row, part) / _total(thing, part).clamp(min=1)
    rig = _flooded(dilate(thing), (rig > 0) & (row < middle))
    much = _total(rig, part) >= 2 * _total(thing, part)
    return torch.maximum(thing, rig * ropes * ~much)


def _colour_codes(picture: torch.Tensor) -> torch.Tensor:
    """(1, 3, h, w) -> (h w,), a number for every pixel's colour."""
    grey = luma(picture)[:, 0]
    blue, red = (picture[:, 2] - grey) * 0.6 + 0.5, (picture[:, 0] - grey) * 0.7 + 0.5
    code = torch.zeros_like(grey, dtype=torch.long)
    for value, bins in zip((grey, blue, red), _BINS, strict=True):
        code = code * bins + (value.clamp(0, 1) * bins).long().clamp(max=bins - 1)
    return code.flatten()


def _counts(code: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """The colour histogram, smoothed over neighbouring bins."""
    counts = torch.zeros(_BINS[0] * _BINS[1] * _BINS[2], device=code.device)
    counts.index_add_(0, code, weight.flatten())
    return F.avg_pool3d(counts.view(1, 1, *_BINS), 3, 1, 1).flatten()


def _owned(inside: torch.Tensor, outside: torch.Tensor) -> torch.Tensor:
    """Probability that a colour is the object's, from the histograms inside and outside."""
    inside, outside = (n / n.sum().clamp(min=1) for n in (inside, outside))
    return inside / (inside + outside + 1e-7)


def parts(ways: torch.Tensor) -> torch.Tensor:
    """A number for every connected part of ``ways`` (1, 1, h, w) bool, 0 elsewhere."""
    numbers, _ = ndimage.label(ways[0, 0].cpu().numpy())
    return torch.from_numpy(numbers).long().to(ways.device)[None, None]


def _total(x: torch.Tensor, part: torch.Tensor) -> torch.Tensor:
    """The sum of ``x`` over the part that a pixel belongs to, see ``parts``; (1, 1, h, w) all."""
    sums = x.new_zeros(part.numel() + 1).index_add_(0, part.flatten(), x.flatten())
    return sums[part]


def _flooded(values: torch.Tensor, ways: torch.Tensor) -> torch.Tensor:
    """The greatest of ``values`` in every connected part of ``ways``, 0 elsewhere.

    (1, 1, h, w) both, values from 0 on.
    """
    part = parts(ways)
    greatest = values.new_zeros(int(part.max()) + 1)
    greatest.scatter_reduce_(0, part.flatten(), (values * ways).flatten(), "amax")
    return greatest[part] * ways
