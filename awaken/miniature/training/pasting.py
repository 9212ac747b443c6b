"""Rare things cut out of labelled pictures and pasted into others, that a few labels go a long way.

Copy-paste augmentation (Ghiasi et al., CVPR 2021): a boat on another water, gulls in another sky, a
flame in another room. What a network then knows of a boat cannot be the painter's blue around it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from awaken.miniature.classes import CLASSES
from awaken.miniature.imaging import box

# class -> how often it is pasted, what it is to stand on (None is anywhere).
_PASTED: dict[str, tuple[float, str | None]] = {
    "boats": (0.3, "water"), "birds": (0.2, "sky"), "flags": (0.2, None), "fire": (0.15, None),
    "smoke": (0.15, None),
}  # fmt: skip
_LEAST, _MOST = 60, 0.12  # pixels of a cut-out; its share of the picture it comes from
_TONE = 0.5  # how much of the tone of the new surroundings a cut-out takes on


@dataclass(frozen=True, eq=False)
class CutOut:
    """One connected thing: picture (3, h, w) in 0..1 and its soft outline (h, w) in 0..1."""

    picture: torch.Tensor
    outline: torch.Tensor


def cut_outs(
    pictures: Sequence[torch.Tensor], masks: Sequence[torch.Tensor]
) -> dict[str, list[CutOut]]:
    """What can be pasted, by class; pictures (3, h, w) uint8, masks (classes, h, w) 0 and 255.

    Connected parts that touch no border of their picture: half a boat is none.
    """
    import cv2
    import numpy as np

    found: dict[str, list[CutOut]] = {name: [] for name in _PASTED}
    for picture, mask in zip(pictures, masks, strict=True):
        h, w = picture.shape[1:]
        for name, parts in found.items():
            plane = (mask[CLASSES.index(name)] > 127).to("cpu", torch.uint8).numpy()
            count, part, stats, _ = cv2.connectedComponentsWithStats(plane)
            for i in range(1, count):
                x, y, wide, high, area = stats[i].tolist()
                whole = x > 1 and y > 1 and x + wide < w - 1 and y + high < h - 1
                if not whole or not _LEAST <= area <= _MOST * h * w:
                    continue
                window = slice(max(0, y - 2), y + high + 2), slice(max(0, x - 2), x + wide + 2)
                outline = torch.from_numpy((part[window] == i).astype(np.float32))
                outline = box(outline[None, None], 1)[0, 0].to(picture.device)
                parts.append(CutOut(picture[:, *window].float() / 255, outline))
    return {name: parts for name, parts in found.items() if parts}


def pasted(
    picture: torch.Tensor,
    mask: torch.Tensor,
    library: dict[str, list[CutOut]],
    rng: random.Random,
) -> tuple[torch.Tensor, torch.Tensor]:
    """A picture (1, 3, h, w) in 0..1 and its masks (1, classes, h, w) in 0..1 with a thing more.

    One kind of thing, one to three times; nothing where the picture has no place for it.
    """
    name = rng.choices(list(library), [_PASTED[n][0] for n in library])[0]
    place = _PASTED[name][1]
    picture, mask = picture.clone(), mask.clone()
    for _ in range(rng.choice((1, 1, 2, 3))):
        thing = rng.choice(library[name])
        h, w = picture.shape[2:]
        scale = min(rng.uniform(0.6, 1.6), 0.6 * h / thing.outline.shape[0])
        scale = min(scale, 0.6 * w / thing.outline.shape[1])
        size = [max(4, round(side * scale)) for side in thing.outline.shape]
        layer = torch.cat([thing.picture, thing.outline[None]])[None]
        layer = F.interpolate(layer, size, mode="bilinear", antialias=True)
        layer = layer.flip(-1) if rng.random() < 0.5 else layer
        # Boats stand with their foot on the water, birds are amid their sky.
        high, wide = size
        foot = high - 1 if place == "water" else high // 2
        if place:
            where = mask[0, CLASSES.index(place), foot : h - high + foot, wide // 2 : w - wide // 2]
            spots = (where > 0.5).nonzero()
            if not len(spots):
                return picture, mask
            y, x = spots[rng.randrange(len(spots))].tolist()
        else:
            y, x = rng.randrange(h - high), rng.randrange(w - wide)
        window = (..., slice(y, y + high), slice(x, x + wide))
        there, outline = picture[window], layer[:, 3:]
        tone = there.mean((2, 3), keepdim=True) - _mean(layer[:, :3], outline)
        shown = layer[:, :3] if name == "fire" else layer[:, :3] + _TONE * rng.random() * tone
        picture[window] = torch.lerp(there, shown.clamp(0, 1), outline)
        mask[window] = mask[window] * (1 - outline)
        own = (0, CLASSES.index(name), *window[1:])
        mask[own] = torch.maximum(mask[own], outline[0, 0])
    return picture, mask


def _mean(picture: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return (picture * weight).sum((2, 3), keepdim=True) / weight.sum().clamp(min=1)
