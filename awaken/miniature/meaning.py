"""How likely a sentence means each cell of a picture: what is there, times what is to move.

Two networks know something of it. The video network's own condition network says which cells a
sentence moves, whatever its words; the segmentation network says what is where, and which classes a
sentence moves in any picture. Where the second has read the sentence they are asked together.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from awaken.miniature.classes import CLASSES, OBJECTS, REGIONS
from awaken.miniature.imaging import smooth_step
from awaken.miniature.latents import CELL
from awaken.miniature.segmentation_network import SegmentationNetwork

# The mean chance over the cells of a class, as they are likely, from which on a sentence names it.
_NAMED = (0.25, 0.45)
# The chance of the likeliest cell up to which a sentence is in doubt, and from which on it is not.
_UNDERSTOOD = (0.7, 0.9)
# The same for the surest class that the segmentation network reads in a sentence.
_READ = (0.6, 0.9)
# A picture of which someone says that a fire flickers shows a fire oftener than the pictures that were
# trained on, of which a tenth did: log-odds from that share to a half, for what is not as common
# anyway. The more things a sentence names, the less it says of each.
_RARE = {
    "falling water": 2.1, "fire": 2.1, "smoke": 1.8, "flags": 1.7, "birds": 1.6, "boats": 0.7,
    "grass": 0.5,
}  # fmt: skip
# How much of the say it then has, the rest being the condition network's.
_TRUST = 0.75
_COARSEST = 32  # pixels a side of the segmentation network's coarsest cell
_FINER = 1.5  # its picture's sides against those of the condition network's


def chances(regions: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """How likely cells are meant by a sentence, (1, 2, rows, columns): regions and objects.

    regions: (1, 2, rows, columns) logits of what the sentence moves; classes: (1, classes, rows,
    columns) logits of what is there; both of the condition network. A sentence in unusual words leaves
    the first in doubt everywhere: whatever it seems to name, it names where that is.
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


def fuse_with_segmentation(
    network: SegmentationNetwork,
    picture: torch.Tensor,
    words: torch.Tensor,
    present: torch.Tensor,
    own: torch.Tensor,
) -> torch.Tensor:
    """``own`` chances, of ``chances``, together with what the segmentation network makes of them.

    picture: (1, 3, h, w) in 0..1; words (1, 20, 384), present (1, 20). What it does not read in the
    sentence, the weather or a word it never heard, is left to the condition network alone.
    """
    reads = network.read(words, present).float().sigmoid()[..., None, None]
    there = what_is_where(network, picture, own.shape[-2:])
    rare = torch.tensor([_RARE.get(name, 0.0) for name in CLASSES]).to(there)[:, None, None]
    there = (there + rare / reads.sum().clamp(min=1)).sigmoid()
    named = torch.cat([kind.amax(1, keepdim=True) for kind in _kinds(there * reads)], 1)
    logits = torch.lerp(_logits(own), _logits(named), _TRUST)
    return torch.lerp(own, logits.sigmoid(), smooth_step(reads.amax(), *_READ))


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
