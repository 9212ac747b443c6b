"""From latents and a painting to frames: layers, mattes and what is in the air. No network in here.

The painting's own pixels are moved, never re-synthesised: detail stays, borders of still things
cannot wobble, and frame 0 is the painting. Order from the back: the painting without its moving
objects (what they uncover is filled in from beside it), the moving regions inside their still
outlines, light, the objects as they travel, mist and particles.

Mattes come from the coarse shares by guided filtering, or from a matting network
(``decoder_network``) and the picture's colours (``mattes.outlined``).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from awaken.miniature.air import Air
from awaken.miniature.imaging import (
    box,
    extent,
    filled,
    held,
    length,
    sample,
    smooth_step,
    wider,
    within,
)
from awaken.miniature.latents import CELL, FLOW, LIGHT, OBJECT, REGION, SHIFT, UNITS, rgb_of
from awaken.miniature.mattes import guided_matte


class Compositor:
    """Everything of one video and one painting that does not change from frame to frame.

    z: latents (1, 18, f, h, w); painting: (1, 3, H, W) in 0..1; mattes: (1, 2, H', W') of region
    and object, or None for the quick ones of guided filtering.
    """

    def __init__(
        self, z: torch.Tensor, painting: torch.Tensor, mattes: torch.Tensor | None = None
    ) -> None:
        self.values = z.float() * UNITS.to(z.device)[None, :, None, None, None]
        self.z, self.painting = z.float(), painting
        self.height, self.width = painting.shape[-2:]
        rows, columns = z.shape[-2:]
        # Pixels per cell: the grid has the painting's aspect up to rounding.
        self.cell = torch.tensor([self.width / columns, self.height / rows], device=z.device)[
            None, :, None, None
        ]
        shares = self.values[:, (REGION.start, OBJECT.start)].mean(2).clamp(0, 1)
        if mattes is None:
            look = F.interpolate(painting, (rows * CELL, columns * CELL), mode="area")
            mattes = guided_matte(shares, look)
        self.has_object = bool((shares[:, 1] > 0.4).any())
        self.has_region = bool((shares[:, 0] > 0.4).any())
        # What is nearly nowhere moving is noise, not motion.
        self.object = smooth_step(self._up(mattes[:, 1:]), 0.3, 0.75)
        self.region = smooth_step(self._up(mattes[:, :1]), 0.3, 0.75)
        self.back = painting
        if self.has_object:
            grown = wider(self.object, 4)
            self.back = filled(painting, 1 - smooth_step(grown, 0.02, 0.3))
            solid = smooth_step(self.values[:, OBJECT].mean(2), 0.2, 0.8)
            self.shift = _coherent(self.values[:, SHIFT], solid)
            farthest = (self.shift.abs() * self.cell[:, :, None]).amax()
            self.path = extent(self.object, math.ceil(float(farthest)) + 1)
            self.cut_out = torch.cat([painting, self.object], 1)
        self.inside = self.back
        if self.has_region:
            self.flow = _unfolded(self.values[:, FLOW])
            # Leaf tips and rigging at the border belong to what is still: they must not drift
            # along.
            margin = max(1, round(self.width / columns / 5))
            core = -wider(-self.region, margin)
            known = filled(self.back, smooth_step(core, 0.6, 0.95))
            # A strip too thin to fill its surroundings from moves with them as they are.
            self.inside = torch.lerp(self.back, known, _solid(self.region, self.width / columns))
            self.place = extent(self.region)
        self.air = Air(self.values, painting)

    def _up(self, x: torch.Tensor) -> torch.Tensor:
        size = (self.height, self.width)
        return x if x.shape[-2:] == size else F.interpolate(x, size, mode="bicubic")

    def frame(self, n: int) -> torch.Tensor:
        """(1, 3, H, W) in 0..1."""
        picture = self.painting
        if self.has_object:
            shift = self._up(self.shift[:, :, n] * self.cell)
            # Less than a pixel is no motion: the painting itself, with its own soft edges.
            going = (length(shift) * self.object).amax().clamp(max=1)
            picture = self.painting * (1 - going) + self.back * going
        if self.has_region:
            rows, columns = self.place
            flow = held(self._up(self.flow[:, :, n] * self.cell))[..., rows, columns]
            weight = self.region[..., rows, columns] * length(flow).clamp(max=1)
            moved = sample(self.inside, flow, (rows.start, columns.start))
            picture = _laid(picture, moved, weight, self.place)
        change = self.z[:, LIGHT, n] - self.z[:, LIGHT, 0]
        if float(change.abs().amax()) > 0.03:
            picture = picture + self._up(rgb_of(change) - rgb_of(torch.zeros_like(change)))
        if self.has_object:
            rows, columns = self.path
            shift, corner = shift[..., rows, columns], (rows.start, columns.start)
            layer = sample(self.cut_out, shift, corner)
            # No mirror image of a boat comes in.
            inside = within(shift, (self.height, self.width), corner)
            matte = layer[:, 3:].clamp(0, 1) * going * inside
            picture = _laid(picture, layer[:, :3], matte, self.path)
        return self.air.over(picture, n).clamp(0, 1)


def _laid(
    picture: torch.Tensor, layer: torch.Tensor, matte: torch.Tensor, window: tuple[slice, slice]
) -> torch.Tensor:
    """The picture with a layer over a window of it."""
    picture = picture.clone()
    picture[..., window[0], window[1]] = torch.lerp(picture[..., window[0], window[1]], layer, matte)
    return picture


def _solid(matte: torch.Tensor, cell: float) -> torch.Tensor:
    """1 within two cells of where a matte (1, 1, h, w) is one and a half cells thick, soft, else 0."""
    thin, far = round(0.75 * cell), round(2 * cell)
    solid = smooth_step(-wider(-matte, thin), 0.6, 0.95)
    return box(wider(solid, far), round(cell))


def _unfolded(flow: torch.Tensor, steepest: float = 0.55) -> torch.Tensor:
    """Flow (1, 2, f, h, w), in cells, smoothed where neighbours would overtake each other.

    A displacement that changes by one cell from a cell to the next folds the picture over: strong
    guidance turns a swirl into marbling that way. Where all is gentle nothing changes.
    """
    flow = flow[0].transpose(0, 1)
    for _ in range(8):
        padded = F.pad(flow, (1, 1, 1, 1), mode="replicate")
        dx = (padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]) / 2
        dy = (padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]) / 2
        steep = (dx.square() + dy.square()).sum(1, keepdim=True).sqrt()
        share = ((steep - steepest) / steepest).clamp(0, 1).amax(0, keepdim=True)
        if float(share.amax()) == 0:
            break
        flow = torch.lerp(flow, box(flow, 2), box(share, 1))
    return flow.transpose(0, 1)[None]


def _coherent(shift: torch.Tensor, solid: torch.Tensor) -> torch.Tensor:
    """Shifts (1, 2, f, h, w) averaged over what is solid (1, 1, h, w), within about three cells.

    Things smaller than that move as one piece, larger ones (trees) bend smoothly, and the shift
    goes on beyond their outline, where the matte will be fetched from.
    """
    weight = solid + 1e-4
    value, total = shift[0].transpose(0, 1) * weight, weight
    for _ in range(3):
        value, total = box(value, 2), box(total, 2)
    return (value / total).transpose(0, 1)[None]


def compose(
    z: torch.Tensor, painting: torch.Tensor, mattes: torch.Tensor | None = None
) -> torch.Tensor:
    """Latents (1, 18, f, h, w), painting (1, 3, H, W) in 0..1 -> frames (f, 3, H, W) in 0..1."""
    compositor = Compositor(z, painting, mattes)
    return torch.cat([compositor.frame(n) for n in range(z.shape[2])])
