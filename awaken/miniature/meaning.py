"""The probability that a sentence moves each cell of a picture, from two networks.

The video network's condition network predicts which cells a sentence moves, and the class of every
cell; the segmentation network predicts the classes better, and which classes a sentence moves in
any picture. Where it understands the sentence, both predictions are fused.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from awaken.miniature.classes import CLASSES, OBJECTS, REGIONS
from awaken.miniature.imaging import smooth_step
from awaken.miniature.latents import CELL
from awaken.miniature.segmentation_network import SegmentationNetwork

# Pairs are the limits of a smooth step from 0 to 1.
# Mean probability over the cells of a class from which on a sentence names that class.
_NAMED = (0.25, 0.45)
# Largest probability of any cell: below, the condition network has not understood the sentence.
_UNDERSTOOD = (0.7, 0.9)
# Largest probability of any class: below, the segmentation network has not understood it.
_READ = (0.6, 0.9)
# Prior log-odds of rare classes. A sentence that names a fire comes with a picture that shows one
# far oftener than the training pictures did (a tenth): from that share to a half. Divided by the
# number of things that the sentence names.
_RARE = {
    "falling water": 2.1, "fire": 2.1, "smoke": 1.8, "flags": 1.7, "birds": 1.6, "boats": 0.7,
    "grass": 0.5,
}  # fmt: skip
_TRUST = 0.75  # weight of the segmentation network's logits when both are fused
_COARSEST = 32  # px a side of the segmentation network's coarsest cell
_FINER = 1.5  # resolution of its input over that of the condition network's


def chances(regions: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """The condition network's probability that a sentence moves a cell, (1, 2, rows, columns).

    regions: (1, 2, rows, columns) logits of the region and the object that it moves; classes: (1,
    classes, rows, columns) logits of what is there. A sentence in unusual words leaves ``regions``
    low everywhere: then every cell of the class that it most likely names counts.
    """
    chance, there = regions.float().sigmoid(), classes.float().sigmoid()
    kinds = zip(chance.split(1, 1), _kinds(there), strict=True)
    out = []
    for meant, things in kinds:
        doubt = 1 - smooth_step(meant.amax(), *_UNDERSTOOD)
        named = (meant * things).sum((2, 3), keepdim=True) / things.sum((2, 3), keepdim=True)
        named = things * smooth_step(named, *_NAMED) * doubt
        out.append(torch.maximum(meant, named.amax(1, keepdim=True)))
    return torch.cat(out, 1)


def expected(there: torch.Tensor, reads: torch.Tensor) -> torch.Tensor:
    """Chances of what is where, given that the sentence names it.

    there: (1, classes, rows, columns) logits, from ``what_is_where``; reads: (1, classes) chances
    that the sentence names a class.
    """
    rare = torch.tensor([_RARE.get(name, 0.0) for name in CLASSES]).to(there)[:, None, None]
    return (there + rare / reads.sum().clamp(min=1)).sigmoid()


def fuse_with_segmentation(
    own: torch.Tensor, there: torch.Tensor, reads: torch.Tensor
) -> torch.Tensor:
    """Probabilities ``own``, from ``chances``, fused with the segmentation network's.

    there, reads: chances of what is where (``expected``) and of what the sentence names. A sentence
    that the segmentation network does not understand (weather, unknown words) leaves ``own`` as it is.
    """
    reads = reads[..., None, None]
    named = torch.cat([kind.amax(1, keepdim=True) for kind in _kinds(there * reads)], 1)
    logits = torch.lerp(_logits(own), _logits(named), _TRUST)
    return torch.lerp(own, logits.sigmoid(), smooth_step(reads.amax(), *_READ))


def where_they_are(there: torch.Tensor, classes: set[str]) -> torch.Tensor:
    """Probability that a cell shows one of these regions and one of these objects, (1, 2, rows, columns).

    there: logits, from ``what_is_where``.
    """
    wanted = torch.tensor([name in classes for name in CLASSES]).to(there)[:, None, None]
    return torch.cat([kind.amax(1, keepdim=True) for kind in _kinds(there.sigmoid() * wanted)], 1)


def what_is_where(
    network: SegmentationNetwork, picture: torch.Tensor, grid: tuple[int, int]
) -> torch.Tensor:
    """Logits of every class, (1, classes, rows, columns), of a picture (1, 3, h, w) in 0..1."""
    own = next(network.parameters())
    size = [_COARSEST * round(_FINER * CELL * side / _COARSEST) for side in grid]
    look = F.interpolate(picture, size, mode="bilinear", antialias=True).to(own)
    logits = network(look.contiguous(memory_format=torch.channels_last)).float()
    return F.interpolate(logits, grid, mode="bilinear", antialias=True)


def _kinds(things: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Classes (b, classes, h, w) -> those of regions and those of objects."""
    return things.split((len(REGIONS), len(OBJECTS)), 1)


def _logits(chance: torch.Tensor) -> torch.Tensor:
    return torch.logit(chance, eps=1e-4)
