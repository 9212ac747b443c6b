"""Photograph-like scenes with exact masks, drawn procedurally in batches on any device.

A scene is composed from back to front: sky and clouds, hills, water or land, a fall over a cliff,
trees, houses, boats, birds, flags, a fire, smoke, haze; then a lens and a sensor: vignette, blur,
grain. Colours are those of daylight, overcast, sunset and night photographs, not of pigments: the
premise network is to have seen natural-looking footage only.

Everything is drawn for the whole batch and weighted by whether a scene has it, so that the work is
a fixed number of kernel launches.
"""

from __future__ import annotations

import argparse
import logging
import math
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F

from awaken.miniature.classes import CLASSES
from awaken.miniature.training.fields import SpaceTime
from awaken.miniature.training.labels import Labelled, save_pack

log = logging.getLogger(__name__)

# zenith, horizon, light on clouds, shade of clouds; RGB in 0..1; the last two are dusk and night
_SKIES = torch.tensor(
    [
        [[0.22, 0.42, 0.72], [0.72, 0.83, 0.92], [0.98, 0.98, 0.98], [0.70, 0.74, 0.80]],
        [[0.35, 0.55, 0.80], [0.80, 0.87, 0.92], [1.00, 0.99, 0.96], [0.62, 0.67, 0.75]],
        [[0.48, 0.54, 0.60], [0.72, 0.75, 0.78], [0.84, 0.85, 0.86], [0.50, 0.53, 0.57]],
        [[0.30, 0.33, 0.38], [0.62, 0.64, 0.66], [0.70, 0.70, 0.70], [0.30, 0.32, 0.36]],
        [[0.32, 0.38, 0.58], [0.98, 0.68, 0.42], [1.00, 0.80, 0.58], [0.55, 0.40, 0.45]],
        [[0.28, 0.24, 0.42], [0.95, 0.48, 0.30], [0.98, 0.62, 0.42], [0.38, 0.28, 0.38]],
        [[0.02, 0.03, 0.09], [0.10, 0.13, 0.25], [0.20, 0.22, 0.32], [0.05, 0.06, 0.12]],
    ]
)
_NIGHT, _SUNSET = 6, (4, 5)
_WATERS = torch.tensor(
    [[0.10, 0.28, 0.38], [0.16, 0.32, 0.34], [0.22, 0.27, 0.26], [0.08, 0.18, 0.30]]
)
_GREENS = torch.tensor(
    [
        [0.22, 0.34, 0.12],
        [0.32, 0.42, 0.16],
        [0.45, 0.46, 0.20],
        [0.62, 0.54, 0.26],
        [0.16, 0.26, 0.12],
    ]
)
_LEAVES = torch.tensor(
    [
        [0.12, 0.22, 0.08],
        [0.18, 0.30, 0.10],
        [0.10, 0.17, 0.10],
        [0.45, 0.30, 0.08],
        [0.25, 0.33, 0.14],
    ]
)
_ROCKS = torch.tensor(
    [[0.36, 0.34, 0.32], [0.45, 0.40, 0.34], [0.28, 0.28, 0.30], [0.55, 0.50, 0.44]]
)
_CLOTHS = torch.tensor(
    [
        [0.75, 0.12, 0.12],
        [0.92, 0.92, 0.90],
        [0.12, 0.22, 0.55],
        [0.90, 0.75, 0.15],
        [0.15, 0.45, 0.25],
    ]
)


class Canvas:
    """A batch of pictures in the making, (b, 3, h, w), and the masks of what lies on top."""

    def __init__(self, batch: int, height: int, width: int, generator: torch.Generator) -> None:
        device = generator.device
        still = torch.zeros(batch, 1, device=device)
        self.stage = SpaceTime(batch, height, width, still, generator)
        self.picture = torch.zeros(batch, 3, height, width, device=device)
        self.masks = torch.zeros(batch, len(CLASSES), height, width, device=device)
        self.y = (torch.arange(height, device=device) + 0.5)[None, :, None] / height
        # x in the same unit as y: heights of the picture
        self.x = (torch.arange(width, device=device) + 0.5)[None, None] / height
        self.aspect = width / height

    def draw(self, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
        """(b, 1, 1) random numbers."""
        return self.stage.uniform(low, high)

    def chance(self, p: float) -> torch.Tensor:
        """(b, 1, 1) of 0 and 1."""
        return (self.draw() < p).float()

    def noise(self, beta: float = 1.5, stretch: float = 1.0) -> torch.Tensor:
        return self.stage.noise(beta, stretch)

    def pick(self, palette: torch.Tensor, spread: float = 0.06) -> torch.Tensor:
        """(b, 3, 1, 1): a colour of the palette, varied a little."""
        index = (self.draw()[:, 0, 0] * len(palette)).long()
        colours = palette.to(self.picture.device)[index]
        vary = torch.randn(colours.shape, generator=self.stage.generator, device=colours.device)
        return (colours + spread * vary)[..., None, None].clamp(0, 1)

    def lay(self, colour: torch.Tensor, alpha: torch.Tensor, name: str | None = None) -> None:
        """Put a layer on top: colour (b, 3, h, w), alpha (b, h, w); it hides the masks beneath."""
        alpha = alpha.clamp(0, 1)
        self.picture = self.picture * (1 - alpha[:, None]) + colour * alpha[:, None]
        self.masks = self.masks * (1 - alpha[:, None])
        if name:
            index = CLASSES.index(name)
            self.masks[:, index] = torch.maximum(self.masks[:, index], alpha)


def _step(x: torch.Tensor, sharp: float = 200.0) -> torch.Tensor:
    return torch.sigmoid(x * sharp)


def _ridge(c: Canvas, rough: float = 2.2) -> torch.Tensor:
    """(b, 1, w): a random line of unit spread."""
    line = c.noise(rough)[:, :1]
    return (line - line.mean(2, keepdim=True)) / (line.std(2, keepdim=True) + 1e-6)


def _polygon(c: Canvas, points: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> torch.Tensor:
    """(b, h, w) alpha of a convex polygon, corners (x, y) of (b, 1, 1), clockwise on the screen."""
    alpha = torch.ones_like(c.picture[:, 0])
    for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
        side = (x1 - x0) * (c.y - y0) - (y1 - y0) * (c.x - x0)
        alpha = alpha * _step(side / (torch.hypot(x1 - x0, y1 - y0) + 1e-6), 500)
    return alpha


def _sky(c: Canvas, horizon: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw the sky; returns (b, 3, 1, 1) the colour of haze and (b, 1, 1) whether it is night."""
    kind = (c.draw()[:, 0, 0] * len(_SKIES)).long()
    colours = _SKIES.to(c.picture.device)[kind][..., None, None]
    zenith, low, lit, shade = colours.unbind(1)
    night = (kind == _NIGHT).float()[:, None, None]
    height = (c.y / horizon).clamp(0, 1)[:, None] ** 1.3
    picture = zenith * (1 - height) + low * height
    flat = 1 + 2.5 * c.draw()
    cover, mass = c.draw(-0.7, 1.4), 0.8 * c.noise(2.0, 2.2) + 0.2 * c.noise(1.6)
    mass = mass / (1 + 0.25 * (flat - 1))
    cloud = torch.sigmoid((mass - cover) * c.draw(2.5, 6)) * c.draw(0.5, 1) * (1 - 0.6 * night)
    light = torch.sigmoid(3 * (mass - torch.roll(mass, (5, 3), (1, 2))))[:, None]
    picture = picture * (1 - cloud[:, None]) + (lit * light + shade * (1 - light)) * cloud[:, None]
    sunny = sum((kind == k).float() for k in _SUNSET)[:, None, None] * c.chance(0.6)
    moon = night * c.chance(0.7)
    x, y = c.draw(0.1, 0.9) * c.aspect, c.draw(0.15, 0.9) * horizon
    distance = torch.hypot(c.x - x, c.y - y)
    disc = _step(c.draw(0.012, 0.035) - distance, 400) * torch.maximum(sunny, moon)
    glow = torch.exp(-distance / 0.12) * (0.5 * sunny + 0.25 * moon)
    picture = picture + (low * 0.8 + 0.2) * glow[:, None]
    picture = picture * (1 - disc[:, None]) + disc[:, None]
    stars = (c.noise(0.0) > 3.2).float() * night * (1 - cloud)
    picture = picture + F.max_pool2d(stars[:, None], 2, 1, 1)[..., :-1, :-1] * 0.8
    c.lay(picture, torch.ones_like(c.picture[:, 0]), "sky")
    return low, night


def _lit(c: Canvas, colour: torch.Tensor, amount: float, beta: float = 0.9, stretch: float = 1.0):
    """A textured surface of one colour, (b, 3, h, w)."""
    grain = c.noise(beta, stretch)[:, None]
    patch = c.noise(1.8)[:, None]
    return colour * (1 + amount * grain + 0.5 * amount * patch)


def _hills(c: Canvas, horizon: torch.Tensor, haze: torch.Tensor) -> None:
    for depth in (0.75, 0.5, 0.25):
        shown = c.chance(0.55)
        tall = c.draw(0.02, 0.16) * (1.2 - depth)
        top = horizon - tall * (0.6 + 0.35 * _ridge(c).clamp(-1.5, 2))
        colour = _lit(c, c.pick(torch.cat([_GREENS, _ROCKS])), 0.15, 1.0)
        c.lay(colour * (1 - depth) + haze * depth, _step(c.y - top, 300) * shown)


def _water(c: Canvas, horizon: torch.Tensor, shown: torch.Tensor) -> None:
    near = ((c.y - horizon) / (1 - horizon)).clamp(1e-3, 1.2)
    rows = (2 * horizon - c.y).clamp(0, 1)  # the height that a flat mirror shows
    place = torch.stack(
        [
            (c.x / c.aspect * 2 - 1).expand(*rows.shape[:2], -1),
            (rows * 2 - 1).expand(-1, -1, c.x.shape[2]),
        ],
        -1,
    )
    wobble = 0.02 * near * c.noise(0.8, 3.0)
    place = place + torch.stack([wobble, wobble], -1)
    mirror = F.grid_sample(c.picture, place, padding_mode="border", align_corners=False)
    calm = c.draw(0.15, 0.85)[:, None] * (1 - 0.6 * near[:, None])
    picture = c.pick(_WATERS) * (1 - calm) + mirror * calm
    phase = c.draw(25, 60) * torch.log(near * 6 + 0.3) + c.noise(1.4, 2.5) * c.draw(0.6, 2.5)
    swell = phase.sin() * c.draw(0.01, 0.08) + c.noise(0.8, 3.0) * c.draw(0.01, 0.05)
    picture = picture + (swell * (0.3 + 0.7 * near))[:, None]
    foam = torch.sigmoid(6 * (phase.sin() + 0.7 * c.noise(0.9, 2.5) - c.draw(1.1, 2.5)))
    picture = picture + 0.5 * foam[:, None] * (picture.mean((2, 3), keepdim=True) + 0.3)
    c.lay(picture, _step(c.y - horizon, 400) * shown, "water")


def _land(c: Canvas, horizon: torch.Tensor, shown: torch.Tensor) -> None:
    """Meadow, field, snow or sand; a river or a lake may show through."""
    near = ((c.y - horizon) / (1 - horizon)).clamp(0, 1.2)
    top = horizon + c.draw(0.0, 0.04) + 0.012 * _ridge(c)
    alpha = _step(c.y - top, 300)
    middle = c.draw(0.1, 0.9) * c.aspect + 0.12 * near * c.noise(1.9)[:, :, :1]
    half = c.draw(0.05, 0.5) * near**1.2 + 0.004
    river = _step(half - (c.x - middle).abs() + 0.01 * c.noise(1.2), 120) * c.chance(0.35)
    alpha = alpha * (1 - river) * shown
    streaks = c.noise(0.5, 0.35) * near + 0.6 * c.noise(0.9, 2.0) * (1 - near)
    green = c.pick(_GREENS) * (1 + 0.28 * streaks[:, None] + 0.12 * c.noise(1.8)[:, None])
    flowers = _step(c.noise(0.35) - c.draw(2.0, 3.5), 8) * near * c.chance(0.3)
    green = green * (1 - flowers[:, None]) + c.pick(_CLOTHS) * flowers[:, None]
    bare = c.chance(0.35)
    sand = torch.tensor([[0.72, 0.64, 0.50], [0.88, 0.90, 0.93], [0.50, 0.42, 0.32]])
    c.lay(green, alpha * (1 - bare), "grass")
    c.lay(_lit(c, c.pick(sand), 0.08, 1.0, 2.0), alpha * bare)
    rocks = _step(c.noise(1.5) + 3 * (c.y - 1) - c.draw(0.5, 1.6), 20) * c.chance(0.25)
    c.lay(_lit(c, c.pick(_ROCKS), 0.3, 0.8), rocks * alpha)


def _fall(c: Canvas, horizon: torch.Tensor, shown: torch.Tensor) -> None:
    """A cliff with a waterfall on one side."""
    side = c.stage.sign()[:, None, None]
    edge = (0.5 + side * c.draw(-0.1, 0.2)) * c.aspect + 0.05 * c.noise(1.5)[:, :, :1]
    cliff = _step((c.x - edge) * side, 120) * _step(c.y - horizon * c.draw(0.2, 0.7), 120)
    cliff = cliff * _step(0.95 - c.y + 0.05 * _ridge(c), 60) * shown
    c.lay(_lit(c, c.pick(_ROCKS), 0.35, 0.9, 0.6), cliff)
    middle = edge + side * c.draw(0.12, 0.3)
    width = c.draw(0.025, 0.08) * (0.8 + 0.5 * c.y)
    strand = _step(width - (c.x - middle).abs() + 0.012 * c.noise(1.2), 150)
    foam = 0.8 + 0.18 * c.noise(0.6, 0.05)
    white = foam[:, None] * torch.ones(1, 3, 1, 1, device=foam.device)
    c.lay(white, strand * cliff, "falling water")


def _trees(c: Canvas, horizon: torch.Tensor, shown: torch.Tensor) -> None:
    alpha = torch.zeros_like(c.picture[:, 0])
    trunk = torch.zeros_like(alpha)
    slender = c.chance(0.3)
    for _ in range(5):
        here = c.chance(0.6) * shown
        root = horizon + c.draw(-0.01, 0.1) + 0.35 * c.chance(0.25)
        tall = c.draw(0.06, 0.22) + (root - horizon) * 1.2
        x, wide = c.draw(-0.05, 1.05) * c.aspect, tall * (0.16 + (1 - slender) * c.draw(0.15, 0.4))
        crown = ((c.x - x) / wide) ** 2 + ((c.y - root + 0.58 * tall) / (0.46 * tall)) ** 2
        leafy = 1 - crown + 0.5 * c.noise(1.0)
        alpha = torch.maximum(alpha, _step(leafy, 7) * here)
        stem = _step(0.03 * tall - (c.x - x).abs(), 500) * _step(root - c.y, 300)
        trunk = torch.maximum(trunk, stem * _step(c.y - root + 0.5 * tall, 100) * here)
    light = torch.sigmoid(2 * c.noise(1.2))[:, None]
    leaf = c.pick(_LEAVES)
    c.lay(_lit(c, torch.full_like(leaf, 0.16), 0.3), trunk * (1 - alpha))
    c.lay(_lit(c, leaf, 0.35, 0.6) * (0.6 + 0.9 * light), alpha, "trees")


def _houses(c: Canvas, horizon: torch.Tensor, shown: torch.Tensor):
    """Houses; returns where a chimney ends, (b, 1, 1) x and y."""
    chimney = (c.draw() * c.aspect, horizon)
    walls = torch.tensor(
        [[0.80, 0.76, 0.68], [0.60, 0.42, 0.34], [0.90, 0.89, 0.86], [0.45, 0.42, 0.40]]
    )
    roofs = torch.tensor([[0.45, 0.20, 0.14], [0.30, 0.28, 0.28], [0.40, 0.33, 0.24]])
    for _ in range(2):
        here = c.chance(0.7) * shown
        s = c.draw(0.05, 0.16)
        x, y = c.draw(0.05, 0.95) * c.aspect, horizon + s * c.draw(0.2, 0.9)
        body = _polygon(c, [(x - s, y - s), (x + s, y - s), (x + s, y), (x - s, y)])
        roof = _polygon(
            c,
            [
                (x - 0.6 * s, y - 1.7 * s),
                (x + 0.6 * s, y - 1.7 * s),
                (x + 1.2 * s, y - s),
                (x - 1.2 * s, y - s),
            ],
        )
        stack = _polygon(
            c, [(x - 0.1 * s, y - 2.2 * s), (x + 0.15 * s, y - 2.2 * s),
                (x + 0.15 * s, y - 1.5 * s), (x - 0.1 * s, y - 1.5 * s)],
        )  # fmt: skip
        c.lay(_lit(c, c.pick(walls), 0.06), body * here)
        windows = (((c.x - x) / s * 2.2) % 1 - 0.5).abs() < 0.16
        windows = windows & ((((c.y - y) / s * 2.0) % 1 - 0.5).abs() < 0.25)
        c.lay(torch.full_like(c.picture, 0.12), body * windows.float() * here)
        c.lay(_lit(c, c.pick(roofs), 0.1), torch.maximum(roof, stack) * here)
        chimney = tuple(
            p * (1 - here) + q * here for p, q in zip(chimney, (x, y - 2.2 * s), strict=True)
        )
    return chimney


def _boats(c: Canvas, horizon: torch.Tensor, shown: torch.Tensor) -> None:
    sails = torch.tensor(
        [[0.95, 0.94, 0.90], [0.85, 0.78, 0.62], [0.60, 0.28, 0.18], [0.80, 0.80, 0.82]]
    )
    hulls = torch.tensor(
        [[0.20, 0.14, 0.10], [0.85, 0.84, 0.80], [0.12, 0.18, 0.30], [0.50, 0.14, 0.10]]
    )
    for _ in range(3):
        here = c.chance(0.55) * shown
        depth = c.draw(0.02, 0.6)
        y = horizon + depth * (1 - horizon)
        s = (0.02 + 0.2 * depth) * c.draw(0.6, 1.3)
        x, way, tall = (
            c.draw(0.08, 0.92) * c.aspect,
            c.stage.sign()[:, None, None],
            c.draw(1.2, 2.6),
        )
        hull = _polygon(
            c, [(x - s, y - 0.28 * s), (x + s, y - 0.28 * s), (x + 0.75 * s, y), (x - 0.75 * s, y)]
        )
        c.lay(_lit(c, c.pick(hulls), 0.1), hull * here, "boats")
        sailing = here * c.chance(0.75)
        foot, head = y - 0.4 * s, y - 0.35 * s - tall * s
        for lean, share in ((1.0, 1.0), (-0.8, 0.85)):
            a, b = x + 0.06 * lean * s * way, x + 0.85 * lean * s * way
            top = foot + (head - foot) * share
            left, right = torch.minimum(a, b), torch.maximum(a, b)
            mast_left = (a <= b).float()
            peak = left * mast_left + right * (1 - mast_left)
            sail = _polygon(c, [(peak, top), (right, foot), (left, foot)])
            shade = 1 - 0.25 * torch.sigmoid((c.x - x) / s * 4)[:, None]
            c.lay(_lit(c, c.pick(sails), 0.05) * shade, sail * sailing, "boats")
        mast = (
            _step(0.02 * s - (c.x - x).abs(), 900) * _step(c.y - head, 500) * _step(foot - c.y, 500)
        )
        c.lay(torch.full_like(c.picture, 0.2), mast * sailing, "boats")
        shadow = _step(s - (c.x - x).abs(), 80) * torch.exp(-((c.y - y) / (0.5 * s)).clamp(min=0))
        dark = shadow * _step(c.y - y, 300) * here * 0.4
        c.picture = c.picture * (1 - dark[:, None])


def _birds(c: Canvas, horizon: torch.Tensor, shown: torch.Tensor) -> None:
    alpha = torch.zeros_like(c.picture[:, 0])
    for _ in range(6):
        here = c.chance(0.6) * shown
        x, y, s = c.draw(0.05, 0.95) * c.aspect, c.draw(0.08, 0.85) * horizon, c.draw(0.012, 0.05)
        across = ((c.x - x) / s).abs()
        arch = (c.y - y) / s + 0.6 * (across.clamp(max=1) * 2.6).sin() * c.draw(0.5, 1)
        wing = _step(0.16 * (1.1 - across) - arch.abs(), 12) * _step(1 - across, 20)
        body = _step(0.22 - torch.hypot((c.x - x) / s * 0.6, (c.y - y) / s), 20)
        alpha = torch.maximum(alpha, torch.maximum(wing, body) * here)
    tone = torch.tensor([[0.10, 0.10, 0.11], [0.95, 0.95, 0.94], [0.25, 0.22, 0.2]])
    c.lay(c.pick(tone).expand_as(c.picture), alpha, "birds")


def _flags(c: Canvas, horizon: torch.Tensor, shown: torch.Tensor) -> None:
    for _ in range(2):
        here = c.chance(0.8) * shown
        s, way = c.draw(0.05, 0.16), c.stage.sign()[:, None, None]
        x, root = c.draw(0.15, 0.85) * c.aspect, horizon + c.draw(0.0, 0.25)
        top = (root - c.draw(0.3, 0.6)).clamp(min=0.05)
        pole = _step(0.004 - (c.x - x).abs(), 600) * _step(c.y - top, 400) * _step(root - c.y, 400)
        c.lay(torch.full_like(c.picture, 0.35), pole * here)
        along = (c.x - x) * way / s
        fold = 0.12 * s * (along * c.draw(3, 6) + 6 * c.draw()).sin() * along
        down = (c.y - top - fold) / (0.62 * s)
        cloth = _step(along, 60) * _step(1 - along, 60) * _step(down, 40) * _step(1 - down, 40)
        shade = 1 + 0.2 * (along * c.draw(3, 6)).cos()
        first, second = c.pick(_CLOTHS), c.pick(_CLOTHS)
        stripe = ((down * 3).floor() % 2)[:, None]
        colour = (first * stripe + second * (1 - stripe)) * shade[:, None]
        c.lay(colour, cloth * here, "flags")


def _fire(
    c: Canvas, horizon: torch.Tensor, shown: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """A flame and its glow; returns where it ends, (b, 1, 1) x and y."""
    s = c.draw(0.03, 0.16)
    x, y = c.draw(0.15, 0.85) * c.aspect, (horizon + c.draw(0.1, 0.4)).clamp(max=0.95)
    up = (y - c.y) / (2.2 * s)
    waist = (
        s * (up.clamp(0, 1) * math.pi).sin().clamp(min=0) ** 0.6 * (1 - 0.75 * up.clamp(0, 1))
        + 0.15 * s
    )
    side = (c.x - x + 0.3 * s * up * c.noise(1.6)) / waist
    flame = _step(1 - side.abs(), 8) * _step(up + 0.05, 30) * _step(1 - up, 15) * shown
    heart = (1 - side**2).clamp(0, 1) * (1 - up.clamp(0, 1))
    colour = torch.stack([0.95 + 0.05 * heart, 0.38 + 0.58 * heart, 0.05 + 0.6 * heart**2], 1)
    glow = torch.exp(-((torch.hypot(c.x - x, c.y - y + s) / (3.5 * s)) ** 2)) * shown
    c.picture = c.picture * (1 - 0.55 * shown[:, None])  # fires are seen in the dark
    warm = torch.tensor([1.0, 0.5, 0.18], device=glow.device)[None, :, None, None]
    c.picture = c.picture + warm * glow[:, None] * 0.5
    c.lay(colour, flame, "fire")
    return x, y - 2.2 * s


def _smoke(c: Canvas, x: torch.Tensor, y: torch.Tensor, shown: torch.Tensor) -> None:
    tall, lean = c.draw(0.2, 0.5), c.draw(-0.6, 0.6)
    up = (y - c.y).clamp(min=0)
    middle = x + lean * up + 0.05 * c.noise(1.8)[:, :, :1] * (up / tall).clamp(0, 1)
    wide = 0.012 + up * c.draw(0.12, 0.35)
    plume = torch.exp(-(((c.x - middle) / wide) ** 2)) * _step(y - c.y, 150)
    plume = plume * _step(tall - up + 0.08 * c.noise(1.4), 30)
    plume = (
        plume * torch.sigmoid(3 * (c.noise(1.3) + c.draw(0.5, 1.3))) * c.draw(0.55, 0.95) * shown
    )
    tone = torch.tensor([[0.90, 0.90, 0.90], [0.55, 0.55, 0.56], [0.25, 0.24, 0.24]])
    c.lay(_lit(c, c.pick(tone), 0.08, 1.3), plume, "smoke")


def render(
    batch: int, height: int, width: int, seed: int, device: torch.device | str = "cpu"
) -> tuple[torch.Tensor, torch.Tensor]:
    """Scenes (b, 3, h, w) in 0..1 and their masks (b, classes, h, w) in 0..1, from one seed."""
    generator = torch.Generator(device).manual_seed(seed)
    c = Canvas(batch, height, width, generator)
    horizon = c.draw(0.25, 0.7)
    haze, night = _sky(c, horizon)
    _hills(c, horizon, haze)
    wet = c.chance(0.6)
    _water(c, horizon, torch.ones_like(wet))  # under the land too: rivers show it
    _land(c, horizon, 1 - wet)
    shore = _step(c.y - c.draw(0.75, 1.05) + 0.03 * _ridge(c), 200) * wet * c.chance(0.5)
    c.lay(_lit(c, c.pick(torch.cat([_ROCKS, _GREENS])), 0.2, 1.0, 2.0), shore)
    _fall(c, horizon, c.chance(0.16))
    x, y = _houses(c, horizon, c.chance(0.3))
    _trees(c, horizon, c.chance(0.5))
    _boats(c, horizon, wet * c.chance(0.65))
    _birds(c, horizon, c.chance(0.2))
    _flags(c, horizon, c.chance(0.12))
    burning = c.chance(0.12)
    fx, fy = _fire(c, horizon, burning)
    x, y = x * (1 - burning) + fx * burning, y * (1 - burning) + fy * burning
    _smoke(c, x, y, c.chance(0.2))
    near = ((c.y - horizon) / (1 - horizon)).clamp(0, 1)[:, None]
    veil = c.draw(0, 0.7)[:, None] * c.chance(0.3)[:, None] * (1 - near)
    c.picture = c.picture * (1 - veil) + haze * veil
    return _photographed(c, night), c.masks


def _photographed(c: Canvas, night: torch.Tensor) -> torch.Tensor:
    """Exposure, vignette, a soft lens and grain."""
    radius = torch.hypot(c.x / c.aspect - 0.5, c.y - 0.5)
    picture = c.picture * (1 - c.draw(0, 0.5) * radius**2)[:, None]
    picture = picture.clamp(0, 1.2) ** c.draw(0.8, 1.3)[:, None] * (1 - 0.25 * night[:, None])
    soft = F.avg_pool2d(picture, 3, 1, 1, count_include_pad=False)
    blur = c.draw(0, 0.8)[:, None]
    picture = picture * (1 - blur) + soft * blur
    grain = torch.randn(picture.shape, generator=c.stage.generator, device=picture.device)
    return (picture + c.draw(0, 0.025)[:, None] * grain).clamp(0, 1)


# Shapes of scenes: squares, landscapes, portraits; long side as in labels.read_labelled.
_SHAPES = ((312, 416), (416, 416), (272, 416), (416, 312), (234, 416))


def scenes(
    count: int, seed: int, device: torch.device | str = "cpu", batch: int = 8
) -> list[Labelled]:
    """``count`` scenes of several shapes, as labelled pictures."""
    out: list[Labelled] = []
    while len(out) < count:
        height, width = _SHAPES[(len(out) // batch) % len(_SHAPES)]
        pictures, masks = render(batch, height, width, seed * 100_003 + len(out), device)
        pictures = (pictures * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        masks = ((masks > 0.5) * 255).byte().cpu().numpy()
        for picture, mask in zip(pictures, masks, strict=True):
            out.append(Labelled(picture, mask, f"scene {seed}-{len(out)}"))
    return out[:count]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Draw photograph-like scenes for training.")
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    save_pack(scenes(args.count, args.seed), args.out)
    log.info("%d scenes, %.1f MB", args.count, args.out.stat().st_size / 1e6)


if __name__ == "__main__":
    main()
