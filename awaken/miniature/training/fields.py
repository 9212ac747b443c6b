"""How things move: random displacement fields for every kind of motion, in batches, on any device.

A field is (b, 2, t, h, w), in cells, x to the right and y down: at time u the place x shows what
was at x - d(x, u) when u was 0, so d(x, 0) = 0 everywhere. Time is in units of 16 frames (2 s at
8 fps); a longer clip goes on rather than slowing down. ``strength`` is (b,), 1 is lively;
``direction`` is (b,), -1 left or 1 right. Fields know nothing of masks: they are smooth over the
whole grid, and whoever uses them says where they apply.

Chance is kept narrow on purpose. A small network's first steps predict the mean of what may
happen, and the mean of waves in every phase is a calm sea: where phases, rates and lengths vary
little about a usual value, that mean is itself a wave, and noise decides the rest. A wavelength
that varies by a tenth is a phase that varies by a whole wave at the far side of the picture: what
multiplies a coordinate varies by a fiftieth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from awaken.miniature.imaging import box


@dataclass(frozen=True, eq=False)
class SpaceTime:
    """The space and the time of a batch of fields.

    batch, rows, columns: sizes; times: (b, t), from 0 to the clip's duration; generator: on the
    same device as everything else, so that a seed means the same fields again on that device.
    """

    batch: int
    rows: int
    columns: int
    times: torch.Tensor
    generator: torch.Generator

    @property
    def device(self) -> torch.device:
        return self.times.device

    def uniform(self, low: float, high: float) -> torch.Tensor:
        """(b, 1, 1) random numbers."""
        u = torch.rand(self.batch, 1, 1, generator=self.generator, device=self.device)
        return low + (high - low) * u

    def sign(self) -> torch.Tensor:
        """(b,) of -1 and 1."""
        return (self.uniform(-1, 1) > 0).float()[:, 0, 0] * 2 - 1

    def noise(self, beta: float = 2.0, stretch: float = 1.0) -> torch.Tensor:
        """(b, h, w) smooth random fields of unit variance; power falls as frequency^-beta.

        ``stretch`` above 1 makes streaks that lie horizontally. Made on a larger torus and cropped,
        so that opposite borders are independent.
        """
        h, w = self.rows + 8, self.columns + 8
        fy = torch.fft.fftfreq(h, device=self.device)[:, None]
        fx = torch.fft.rfftfreq(w, device=self.device)[None]
        radius = (fy**2 + (fx * stretch) ** 2).sqrt() + 1 / max(h, w)
        white = torch.randn(self.batch, h, w, generator=self.generator, device=self.device)
        field = torch.fft.irfft2(torch.fft.rfft2(white) * radius**-beta, s=(h, w))
        field = field[:, : self.rows, : self.columns]
        field = field - field.mean((1, 2), keepdim=True)
        return field / (field.std((1, 2), keepdim=True) + 1e-6)

    def height(self) -> torch.Tensor:
        """(1, h, 1), 0 at the top and 1 at the bottom."""
        rows = torch.arange(self.rows, device=self.device, dtype=torch.float32)
        return ((rows + 0.5) / self.rows)[None, :, None]

    def down(self) -> torch.Tensor:
        """(1, h, 1), y of the cells' centres, in cells."""
        return self.height() * self.rows

    def across(self) -> torch.Tensor:
        """(1, 1, w), x of the cells' centres, in cells."""
        return torch.arange(self.columns, device=self.device, dtype=torch.float32)[None, None] + 0.5


def _field(dx: torch.Tensor, dy: torch.Tensor) -> torch.Tensor:
    """(b, t, h, w) twice -> (b, 2, t, h, w)."""
    return torch.stack(torch.broadcast_tensors(dx, dy), 1)


def _over_time(space: SpaceTime) -> torch.Tensor:
    return space.times[:, :, None, None]


def drift(space: SpaceTime, strength: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
    """Clouds: a steady wind, slower towards the horizon, pulling shapes slightly apart."""
    u, strength = _over_time(space), strength[:, None, None]
    speed = space.uniform(2.7, 3.9) * strength
    speed = speed * (1.15 - 0.4 * space.height()) * (1 + 0.12 * space.noise(2.2))
    fall = space.uniform(-0.15, 0.1)
    loose = space.uniform(0.1, 0.3) * strength
    dx = direction[:, None, None] * speed + loose * space.noise(2.4)
    return _field(u * dx[:, None], u * (fall * speed + loose * space.noise(2.4))[:, None])


def billow(space: SpaceTime, strength: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
    """Surging clouds: a slowly growing divergence-free swirl, carried by a light wind."""
    u, strength = _over_time(space), strength[:, None, None]
    stream = (0.4 * space.across() + space.uniform(-0.5, 0.5)).sin()
    stream = stream * (0.45 * space.down() + space.uniform(-0.5, 0.5)).cos() + 0.3 * space.noise(
        2.8
    )
    curl_x = torch.gradient(stream, dim=1)[0]
    curl_y = -torch.gradient(stream, dim=2)[0]
    spread = (curl_x**2 + curl_y**2).mean((1, 2), keepdim=True).sqrt() + 1e-6
    turn = space.uniform(1.2, 1.6) * strength / spread
    wind = direction[:, None, None] * space.uniform(1.9, 2.7) * strength
    up = space.uniform(-0.5, 0.1) * strength
    return _field(u * (turn * curl_x + wind)[:, None], u * (turn * curl_y + up)[:, None])


def waves(
    space: SpaceTime, strength: torch.Tensor, direction: torch.Tensor, horizon: torch.Tensor
) -> torch.Tensor:
    """Sea and lake: travelling waves on orbits, larger and longer towards the viewer.

    horizon: (b,), height of the far edge of the water, 0 (top) to 1.
    """
    strength = strength[:, None, None]
    near = (space.height() - horizon[:, None, None]).clamp(min=0)
    near = (near / (1 - horizon[:, None, None]).clamp(min=0.1)).clamp(max=1.2)
    size = 0.35 + 0.75 * near  # perspective
    # Long waves: height times steepness stays well below one, or the water would fold over.
    step = space.uniform(0.59, 0.61) / (0.35 + 0.75 * space.height())
    phase = torch.cumsum(step.expand(-1, space.rows, -1), 1)
    phase = phase + space.noise(2.2, 2.0) * space.uniform(0.3, 0.6) + space.uniform(-0.5, 0.5)
    phase = phase + space.across() * space.uniform(0.065, 0.095)
    omega = space.uniform(1.05, 1.2)[..., None] * 2 * math.pi
    u = _over_time(space)
    moving = phase[:, None] - omega * u
    reach = (space.uniform(0.6, 0.85) * strength * size)[:, None]
    flow = direction[:, None, None] * space.uniform(0.6, 1.1) * strength * size
    sway, beat = space.noise(2.0) * 0.6, space.uniform(0.8, 1.0)[..., None]
    side = (space.uniform(0.0, 0.12) * strength)[:, None]
    dx = 0.8 * reach * (moving.cos() - phase[:, None].cos()) + flow[:, None] * u
    dx = dx + side * ((sway[:, None] + omega * beat * u).sin() - sway[:, None].sin())
    dy = reach * (moving.sin() - phase[:, None].sin())
    return _field(dx, dy)


def river(
    space: SpaceTime, strength: torch.Tensor, direction: torch.Tensor, horizon: torch.Tensor
) -> torch.Tensor:
    """Running water: along the direction and towards the viewer, faster when near, with ripples."""
    near = (space.height() - horizon[:, None, None]).clamp(min=0)
    near = 0.4 + 0.8 * (near / (1 - horizon[:, None, None]).clamp(min=0.1)).clamp(max=1.2)
    speed = strength[:, None, None] * near * (1 + 0.15 * space.noise(2.0, 2.0))
    dx = direction[:, None, None] * space.uniform(2.1, 3.1) * speed
    dy = space.uniform(0.8, 1.5) * speed
    u = _over_time(space)
    return _field(u * dx[:, None], u * dy[:, None]) + waves(
        space, 0.35 * strength, direction, horizon
    )


def fall(space: SpaceTime, strength: torch.Tensor) -> torch.Tensor:
    """Falling water: down, in strands of different speed."""
    u = _over_time(space)
    strands = space.noise(1.5)[:, :1].expand(-1, space.rows, -1)
    dy = space.uniform(1.8, 2.4) * strength[:, None, None] * (1 + 0.15 * strands)
    dx = 0.12 * strength[:, None, None] * space.noise(2.0)
    return _field(u * dx[:, None], u * dy[:, None])


def sway(
    space: SpaceTime, strength: torch.Tensor, lean: torch.Tensor, gusts: float = 1.0
) -> torch.Tensor:
    """Trees and grass: swinging around the resting place, with gusts that travel across.

    lean: (b, h, w) or (b, h, 1), how far a place is from its root, 0 to 1; gusts: how much the
    phase differs from place to place (a tree swings as one, a field in waves).
    """
    phase = gusts * (
        space.noise(2.5) * space.uniform(0.2, 0.5) - space.across() * space.uniform(0.11, 0.125)
    ) + space.uniform(-0.4, 0.4)
    omega = space.uniform(1.05, 1.2)[..., None] * 2 * math.pi
    reach = (space.uniform(0.9, 1.4) * strength[:, None, None] * lean)[:, None]
    u, second = _over_time(space), space.noise(2.4)[:, None] * 0.6
    dx = reach * ((omega * u + phase[:, None]).sin() - phase[:, None].sin())
    dy = 0.25 * reach * ((1.3 * omega * u + second).sin() - second.sin())
    return _field(dx, dy)


def rise(space: SpaceTime, strength: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
    """Smoke and steam: up, aslant with the wind, and swirling apart as it climbs."""
    u, strength = _over_time(space), strength[:, None, None]
    climb = space.uniform(2.4, 3.4) * strength * (1.15 - 0.3 * space.height())
    high = 1.2 - space.height()
    dy = -climb * (1 + 0.15 * space.noise(2.2))
    dx = direction[:, None, None] * space.uniform(0.2, 0.5) * climb
    dx = dx + 0.4 * strength * high * space.noise(2.4)
    return _field(u * dx[:, None], u * dy[:, None])


def flames(space: SpaceTime, strength: torch.Tensor) -> torch.Tensor:
    """Fire: licking upwards around a fixed seat, in waves that travel up."""
    u, strength = _over_time(space), strength[:, None, None]
    phase = space.down() * space.uniform(1.0, 1.05) + 0.6 * space.noise(1.8)
    omega = space.uniform(1.9, 2.3)[..., None] * 2 * math.pi
    reach = (space.uniform(0.35, 0.5) * strength)[:, None]
    moving = phase[:, None] + omega * u
    dx = 0.5 * reach * (moving.sin() - phase[:, None].sin())
    dy = reach * (moving.cos() - phase[:, None].cos())
    return _field(dx, dy)


def rigid(
    space: SpaceTime,
    strength: torch.Tensor,
    direction: torch.Tensor,
    fast: float = 1.0,
    bob: float = 0.12,
) -> torch.Tensor:
    """Boats and birds: one displacement for the whole grid: a steady course, rising and sinking."""
    u = _over_time(space)
    speed = direction[:, None, None] * space.uniform(2.3, 3.3) * fast * strength[:, None, None]
    beat = 2 * math.pi * space.uniform(0.8, 1.0)[..., None] * u
    dy = bob * strength[:, None, None, None] * space.uniform(0.6, 1.4)[..., None] * beat.sin()
    whole = torch.zeros(1, 1, space.rows, space.columns, device=space.device)
    return _field(speed[:, None] * u + whole, dy + whole)


def flutter(space: SpaceTime, strength: torch.Tensor, lean: torch.Tensor) -> torch.Tensor:
    """Flags: waves that run along the cloth and grow away from the pole. lean as in ``sway``."""
    u = _over_time(space)
    phase = space.across() * space.uniform(1.08, 1.12) + 0.3 * space.noise(2.0)
    omega = space.uniform(1.6, 1.9)[..., None] * 2 * math.pi
    reach = (space.uniform(0.4, 0.6) * strength[:, None, None] * lean)[:, None]
    moving = phase[:, None] - omega * u
    dy = reach * (moving.sin() - phase[:, None].sin())
    return _field(0.35 * reach * (moving.cos() - phase[:, None].cos()), dy)


def falling(
    space: SpaceTime,
    strength: torch.Tensor,
    direction: torch.Tensor,
    down: tuple[float, float],
    aside: float,
) -> torch.Tensor:
    """What is in the air: a steady drift of ``down`` (low, high), ``aside`` cells per 16 frames."""
    u = _over_time(space)
    speed = space.uniform(*down) * (0.4 + 0.6 * strength[:, None, None])
    wind = direction[:, None, None] * space.uniform(0.4, 0.9) * aside
    whole = torch.zeros(1, 1, space.rows, space.columns, device=space.device)
    return _field(wind[:, None] * u + whole, speed[:, None] * u + whole)


def flicker(space: SpaceTime, fast: float = 1.0) -> torch.Tensor:
    """(b, t): irregular brightening around zero that starts at zero, within about -1 to 1."""
    out = torch.zeros_like(space.times)
    for k in (1.0, 1.7, 2.9):
        phase = space.uniform(-0.6, 0.6)[:, 0]
        angle = 2 * math.pi * k * fast * space.times + phase
        out = out + (angle.sin() - phase.sin()) / (1.6 * k**0.5)
    return out


def spread(mask: torch.Tensor, reach: int = 5) -> torch.Tensor:
    """Soften (b, n, h, w) masks by three box blurs of ``reach`` cells: weights to join fields."""
    for _ in range(3):
        mask = box(mask, reach)
    return mask


def brightness(picture: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
    """(b, h, w): 0.4 to 1, how bright a cell is within its picture."""
    luma = F.interpolate(picture.mean(1, keepdim=True), grid, mode="area")[:, 0]
    low, high = luma.amin((1, 2), keepdim=True), luma.amax((1, 2), keepdim=True)
    return 0.4 + 0.6 * (luma - low) / (high - low + 1e-3)


def top(mask: torch.Tensor) -> torch.Tensor:
    """(b,): the height of the upper edge of (b, h, w) masks, 0 to 1; 0.4 where there is none."""
    rows = mask.amax(2) > 0.5
    first = rows.float().argmax(1) / mask.shape[1]
    return torch.where(rows.any(1), first, torch.full_like(first, 0.4)).clamp(max=0.85)


def above_root(mask: torch.Tensor) -> torch.Tensor:
    """(b, h, w): 0 at the lowest cell of a column's mask, 1 from ten cells above it (trees)."""
    below = torch.flip(torch.cumsum(torch.flip(mask, (1,)), 1), (1,))
    return spread((below / 10).clamp(0, 1)[:, None], 2)[:, 0]
