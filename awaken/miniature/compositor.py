"""From latents and a painting to frames: layers, mattes, mist and particles. No network in here.

The pixels of the painting are moved, never re-synthesised: detail is kept, borders of still things
do not wobble, and frame 0 is the painting. Layers from the back to the front:

1. the painting without the objects that travel (the uncovered pixels are inpainted);
2. the moving regions inside their still outlines (beyond its outline a region is mirrored);
3. the change of light;
4. the travelling objects.

Objects that only sway, bob or flutter warp the result together with their surroundings, so that
nothing is cut out and nothing uncovered. Mist and particles come last.

Mattes come from the coarse shares by guided filtering, or from a matting network
(``decoder_network``) and the picture's colours (``mattes.outlined``).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from awaken.miniature.air import Air
from awaken.miniature.canvas import relit
from awaken.miniature.imaging import (
    box,
    dilate,
    distance,
    extent,
    held,
    inpaint,
    length,
    mirrored,
    nearest,
    sample,
    smooth_step,
    within,
)
from awaken.miniature.latents import CELL, FLOW, LIGHT, SHIFT, rgb_of, values_of, whole_shares
from awaken.miniature.mattes import guided_matte, parts

_MARGIN = 4  # px (of 8 per cell) that the border of a region may be off by
# A border is visible where the colours of both sides, averaged within _BLUR px, differ by more than
# _UNSEEN (RGB distance) somewhere within _HEM px of it.
_BLUR, _HEM, _UNSEEN = 3, 8, 0.2
_MAST = 10  # px, half the width of masts and spires with their margins: regions move behind them
# A thing that goes straighter than this (see ``_straight``) leaves its place, and is cut out. What
# sways, bobs or flutters takes its surroundings along: they bend, and nothing is uncovered.
_LEAVES = 0.5
# Of the border of what is cut out, the share that must be seen.
_OUTLINED = 0.6
# A displacement may change by so much of a pixel from one pixel to the next before still borders.
_STEEPEST = 0.9


class Compositor:
    """Everything of one video and one painting that does not change from frame to frame.

    z: latents (1, 18, f, h, w); painting: (1, 3, H, W) in 0..1; mattes: (1, 2, H', W') of region
    and object, or None for the quick ones of guided filtering.
    """

    def __init__(
        self, z: torch.Tensor, painting: torch.Tensor, mattes: torch.Tensor | None = None
    ) -> None:
        self.values = values_of(z)
        self.z, self.painting = z.float(), painting
        self.height, self.width = painting.shape[-2:]
        rows, columns = z.shape[-2:]
        # Pixels per cell: the grid has the painting's aspect up to rounding.
        self.cell = torch.tensor([self.width / columns, self.height / rows], device=z.device)[
            None, :, None, None
        ]
        shares = whole_shares(self.values)
        look = self._look(painting)
        if mattes is None:
            mattes = guided_matte(shares, look)
        self.has_region = bool((shares[:, 0] > 0.4).any())
        # Low mattes are noise of the network, not motion.
        self.object = smooth_step(self._up(mattes[:, 1:]), 0.3, 0.75)
        self.region = smooth_step(self._up(mattes[:, :1]), 0.3, 0.75)
        solid = smooth_step(shares[:, 1:], 0.2, 0.8)
        solid = solid * F.adaptive_max_pool2d(self.object, (rows, columns))
        going = _travelling(solid, self.values[:, SHIFT])
        going = _whole(going, self._look(self.object) > 0.5, look)
        remains, leaves = solid * ~going, solid * going
        self.bends = bool((remains > 0.3).any())
        self.travels = bool((leaves > 0.3).any())
        if self.bends:
            bend = _coherent(self.values[:, SHIFT], remains)
            self.bend = _unfolded(bend * _around(remains))
            self.bent = extent(self._up(dilate(self.bend.abs().amax((1, 2))[:, None], 2)))
        self.back = painting
        if self.travels:
            staying = dilate((remains > 0.3).float()) * (1 - dilate(going.float()))
            self.object = self.object * (1 - self._up(staying).clamp(0, 1))
            grown = dilate(self.object, 4)
            self.back = inpaint(painting, 1 - smooth_step(grown, 0.02, 0.3))
            self.shift = _coherent(self.values[:, SHIFT], leaves)
            farthest = (self.shift.abs() * self.cell[:, :, None]).amax()
            self.path = extent(self.object, math.ceil(float(farthest)) + 1)
            self.cut_out = torch.cat([painting, self.object], 1)
        self.inside = self.back
        if self.has_region:
            self.flow = _unfolded(self.values[:, FLOW])
            # Waves and grass fade to rest before a border with something still; streams and clouds
            # pass along it at full speed, except where no border is visible.
            core = _core(self._look(self.region))
            border, unseen = _border(-dilate(-dilate(core.float(), _MAST), _MAST) > 0, look)
            stays = self._look(1 - smooth_step(_straight(self.flow), 0.6, 0.85)).clamp(0, 1)
            reach = box(length(self.flow[0].transpose(0, 1)).amax(0)[None], 1)
            reach = box(self._look(reach), CELL // 2) * CELL
            rest = torch.minimum(_slack(border, reach, stays), _slack(unseen, reach))
            self.rest = self._up(rest).clamp(0, 1)
            self.inside = mirrored(self.back, core)
            self.place = extent(self.region)
        self.air = Air(self.values, painting)

    def _look(self, x: torch.Tensor) -> torch.Tensor:
        """Resampled to 8 pixels per cell, the resolution of the networks."""
        size = self.z.shape[-2] * CELL, self.z.shape[-1] * CELL
        return F.interpolate(x, size, mode="area")

    def _up(self, x: torch.Tensor) -> torch.Tensor:
        size = (self.height, self.width)
        return x if x.shape[-2:] == size else F.interpolate(x, size, mode="bicubic")

    def frame(self, n: int) -> torch.Tensor:
        """(1, 3, H, W) in 0..1."""
        picture = self.painting
        if self.travels:
            shift = self._up(self.shift[:, :, n] * self.cell)
            # Below one pixel of motion it fades back to the painting, whose edges are its own.
            going = (length(shift) * self.object).amax().clamp(max=1)
            picture = self.painting * (1 - going) + self.back * going
        if self.has_region:
            rows, columns = self.place
            flow = held(self._up(self.flow[:, :, n] * self.cell) * self.rest)[..., rows, columns]
            weight = self.region[..., rows, columns] * length(flow).clamp(max=1)
            moved = sample(self.inside, flow, (rows.start, columns.start))
            picture = _blended(picture, moved, weight, self.place)
        change = self.z[:, LIGHT, n] - self.z[:, LIGHT, 0]
        if float(change.abs().amax()) > 0.07:
            change = rgb_of(change) - rgb_of(torch.zeros_like(change))
            picture = relit(picture, self._up(change))
        if self.travels:
            rows, columns = self.path
            shift, corner = shift[..., rows, columns], (rows.start, columns.start)
            layer = sample(self.cut_out, shift, corner)
            # ``sample`` mirrors beyond the picture's edge: no mirror image of an object may enter.
            inside = within(shift, (self.height, self.width), corner)
            matte = layer[:, 3:].clamp(0, 1) * going * inside
            picture = _blended(picture, layer[:, :3], matte, self.path)
        if self.bends:
            rows, columns = self.bent
            bend = held(self._up(self.bend[:, :, n] * self.cell))[..., rows, columns]
            moved = sample(picture, bend, (rows.start, columns.start))
            picture = _blended(picture, moved, 1.0, self.bent)
        return self.air.over(picture, n).clamp(0, 1)


def _blended(
    picture: torch.Tensor,
    layer: torch.Tensor,
    matte: torch.Tensor | float,
    window: tuple[slice, slice],
) -> torch.Tensor:
    """A layer blended over a window of the picture."""
    picture = picture.clone()
    picture[..., window[0], window[1]] = torch.lerp(
        picture[..., window[0], window[1]], layer, matte
    )
    return picture


def _core(matte: torch.Tensor) -> torch.Tensor:
    """A region's matte without its border, (1, 1, h, w) bool, at 8 pixels per cell.

    Leaf tips and rigging at the border are still and must not drift along. A strip that is too thin
    to lose its border keeps it.
    """
    whole = matte > 0.6
    sure = -dilate(-matte, _MARGIN) > 0.6
    return sure | (whole & (dilate(sure.float(), _MARGIN + 2) == 0))


def _unfolded(flow: torch.Tensor, steepest: float = 0.55) -> torch.Tensor:
    """Flow (1, 2, f, h, w), in cells, smoothed where its gradient would fold the picture over.

    A displacement folds the picture where it changes by one cell from a cell to the next, as strong
    guidance makes it. Where the gradient is below ``steepest`` nothing changes.
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


def _border(core: torch.Tensor, look: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """How far in pixels of ``core`` (1, 1, h, w) bool its border is, and the border that is not seen.

    look: (1, 3, h, w) in 0..1. Both (1, 1, h, w), infinite where there is none. A border is not seen
    where it divides alike colours: a region found in part. The picture's rim is no border.
    """
    if not core.any():
        return distance(~core), distance(core)
    return distance(~core), distance(_hem(core) & (_unlike(core, look) < _UNSEEN))


def _hem(core: torch.Tensor) -> torch.Tensor:
    """The pixels just beyond the border of ``core`` (1, 1, h, w) bool."""
    return ~core & (dilate(core.float(), _MARGIN) > 0)


def _unlike(core: torch.Tensor, look: torch.Tensor) -> torch.Tensor:
    """How far colours close by, beyond the border of ``core``, are from those inside it; (1, 1, h, w)."""
    inside, (rows, columns) = core.to(look), nearest(core[0, 0])
    across = (box(look * inside, _BLUR) / box(inside, _BLUR).clamp(min=1e-3))[..., rows, columns]
    unlike = (box(look, _BLUR) - across).norm(dim=1, keepdim=True) * (1 - inside)
    return dilate(unlike, _HEM)


def _whole(going: torch.Tensor, matte: torch.Tensor, look: torch.Tensor) -> torch.Tensor:
    """Those of the cells ``going`` (1, 1, rows, columns) bool that surely belong to a whole object.

    matte: (1, 1, h, w) bool, its outline; look: (1, 3, h, w) in 0..1. A border that is mostly not seen
    runs through an object, not round it: cut out there, it would be torn.
    """
    if not going.any():
        return going
    part, out = parts(going), torch.zeros_like(going)
    for number in part[going].unique():
        thing = part == number
        core = matte & (F.interpolate(thing.float(), look.shape[-2:]) > 0)
        hem = _hem(core)
        seen = (_unlike(core, look)[hem] >= _UNSEEN).float().mean() if core.any() else 0
        out |= thing & bool(seen > _OUTLINED)
    return out


def _slack(
    depth: torch.Tensor, reach: torch.Tensor, resting: torch.Tensor | float = 1.0
) -> torch.Tensor:
    """Factor, 0 to 1, of a displacement of ``reach`` pixels at ``depth`` pixels from a border.

    All (1, 1, h, w); resting: 0 to 1, the part of the displacement that must be 0 at the border.
    """
    ramp = (reach * resting / _STEEPEST).clamp(min=_MARGIN)
    return 1 - resting * (1 - depth / ramp).clamp(min=0)


def _travelling(solid: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
    """Cells, (1, 1, h, w) bool, of the objects that travel instead of coming back.

    solid: (1, 1, h, w) of 0..1; shift: (1, 2, f, h, w) in cells. A connected part is one object. The
    path of a sailing boat or a bird is nearly straight; a tree, a flag or a boat at anchor returns.
    """
    things = solid > 0.3
    part = parts(things)
    straight = _straight(shift)
    out = torch.zeros_like(things)
    for number in part[things].unique():
        thing = part == number
        out |= thing & (straight[thing].mean() > _LEAVES)
    return out


def _straight(moved: torch.Tensor) -> torch.Tensor:
    """Straightness of displacements: distance of first and last place over the length of the path.

    (1, 2, f, h, w) -> (1, 1, h, w): 1 on a straight line, 0 for what swings, circles or hardly moves.
    """
    away = (moved[:, :, -1] - moved[:, :, 0]).norm(dim=1, keepdim=True)
    return away / moved.diff(dim=2).norm(dim=1).sum(1, keepdim=True).clamp(min=0.05)


def _around(solid: torch.Tensor) -> torch.Tensor:
    """1 on and beside the cells of ``solid`` (1, 1, h, w), falling to 0 within five cells."""
    near = dilate(solid)
    for _ in range(2):
        near = box(near, 2)
    return near


def _coherent(shift: torch.Tensor, solid: torch.Tensor) -> torch.Tensor:
    """Shifts (1, 2, f, h, w) averaged over the cells of ``solid`` (1, 1, h, w), within about 3 cells.

    Smaller objects move as one piece, larger ones (trees) bend smoothly, and the shift continues
    beyond the outline, where the warped matte is sampled from.
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
