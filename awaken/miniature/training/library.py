"""Labelled pictures from which training crops are drawn."""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch
import torch.nn.functional as F

from awaken.miniature.latents import CELL, CELLS
from awaken.miniature.training.labels import Labelled
from awaken.miniature.training.pasting import cut_outs, pasted

_PASTED = 0.2  # of crops have a thing more, from another picture


class Library:
    """Pictures with masks, kept on the device, from which crops are drawn.

    Crops keep the aspect within 10 % (a network must not see squashed trees only), cover 40 to
    100 % of a picture's sides, and are mirrored, recoloured and slightly blurred at random; some get
    a thing of another picture (``pasting``).
    """

    def __init__(
        self,
        packs: Sequence[Sequence[Labelled]],
        device: torch.device | str = "cpu",
        shares: Sequence[float] | None = None,
    ) -> None:
        """``shares``: how often each pack is drawn from, any scale; None is by their sizes."""
        items = [item for pack in packs for item in pack]
        if not items:
            raise ValueError("a library needs at least one labelled picture")
        self.device = torch.device(device)
        self.pictures = [torch.from_numpy(i.picture).permute(2, 0, 1).to(device) for i in items]
        self.masks = [torch.from_numpy(i.masks).to(device) for i in items]
        self.names = [item.name for item in items]
        self.things = cut_outs(self.pictures, self.masks)
        # Rare classes are drawn more often: a picture weighs as its rarest class.
        count = torch.stack([(m.flatten(1).amax(1) > 0).float() for m in self.masks])
        rarity = (1 / count.sum(0).clamp(min=4)).cpu() * count.cpu()
        weights = rarity.amax(1) + 1 / len(items)
        self.weights: list[float] = []
        for pack, share in zip(packs, shares or map(len, packs), strict=True):
            part = weights[len(self.weights) : len(self.weights) + len(pack)]
            self.weights += (part / part.sum() * share).tolist()

    def crops(
        self,
        batch: int,
        grid: tuple[int, int],
        rng: random.Random,
        augment: bool = True,
        fine: bool = False,
        pasting: float = _PASTED,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(b, 3, 8 h, 8 w) pictures in 0..1 and (b, classes, h, w) masks in 0..1.

        ``fine`` gives the masks at the pictures' size; ``pasting``: share of crops that get a thing
        of another picture.
        """
        height, width = grid[0] * CELL, grid[1] * CELL
        chosen = rng.choices(range(len(self.pictures)), self.weights, k=batch)
        pictures, masks = [], []
        for i in chosen:
            full = self.pictures[i]
            h, w = full.shape[1:]
            scale = min(h / height, w / width)  # the largest crop of the grid's aspect
            small = (grid[0] * grid[1] / CELLS) ** 0.5  # a smaller grid sees a smaller part
            zoom = min(1.0, small)
            zoom *= rng.uniform(0.55, 1.0) if augment and rng.random() < 0.6 else 1.0
            ch = min(h, round(height * scale * zoom * rng.uniform(1.0, 1.1)))
            cw = min(w, round(width * scale * zoom * rng.uniform(1.0, 1.1)))
            y, x = rng.randint(0, h - ch), rng.randint(0, w - cw)
            cut = (slice(None), slice(y, y + ch), slice(x, x + cw))
            picture, mask = full[cut].float()[None] / 255, self.masks[i][cut].float()[None] / 255
            if rng.random() < 0.5 and augment:
                picture, mask = picture.flip(-1), mask.flip(-1)
            if augment and self.things and rng.random() < pasting:
                picture, mask = pasted(picture, mask, self.things, rng)
            pictures.append(
                F.interpolate(picture, (height, width), mode="bilinear", antialias=True)
            )
            if fine:
                masks.append(F.interpolate(mask, (height, width), mode="bilinear"))
            else:
                masks.append(F.interpolate(mask, grid, mode="area"))
        picture = torch.cat(pictures)
        return (recolour(picture, rng) if augment else picture), torch.cat(masks)


def recolour(picture: torch.Tensor, rng: random.Random) -> torch.Tensor:
    """Random exposure, contrast, saturation, tint and grain, per picture; (b, 3, h, w) in 0..1."""
    b = picture.shape[0]

    def draw(low: float, high: float, channels: int = 1) -> torch.Tensor:
        values = [rng.uniform(low, high) for _ in range(b * channels)]
        return torch.tensor(values, device=picture.device).view(b, channels, 1, 1)

    grey = picture.mean(1, keepdim=True)
    picture = grey + (picture - grey) * draw(0.4, 1.35)
    picture = (picture - 0.5) * draw(0.75, 1.2) + 0.5 + draw(-0.1, 0.1)
    picture = picture * draw(0.88, 1.12, 3)
    generator = torch.Generator(picture.device).manual_seed(rng.getrandbits(32))
    grain = torch.randn(picture.shape, generator=generator, device=picture.device)
    return (picture + grain * draw(0.0, 0.02)).clamp(0, 1)
