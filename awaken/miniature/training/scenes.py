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
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F

from awaken.miniature.training.labels import Labelled, save_pack
from awaken.miniature.training.scene_canvas import Canvas, lit, ridge, step
from awaken.miniature.training.scene_objects import CLOTHS, birds, boats, fire, flags, houses, smoke

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
    disc = step(c.draw(0.012, 0.035) - distance, 400) * torch.maximum(sunny, moon)
    glow = torch.exp(-distance / 0.12) * (0.5 * sunny + 0.25 * moon)
    picture = picture + (low * 0.8 + 0.2) * glow[:, None]
    picture = picture * (1 - disc[:, None]) + disc[:, None]
    stars = (c.noise(0.0) > 3.2).float() * night * (1 - cloud)
    picture = picture + F.max_pool2d(stars[:, None], 2, 1, 1)[..., :-1, :-1] * 0.8
    c.lay(picture, torch.ones_like(c.picture[:, 0]), "sky")
    return low, night


def _hills(c: Canvas, horizon: torch.Tensor, haze: torch.Tensor) -> None:
    for depth in (0.75, 0.5, 0.25):
        shown = c.chance(0.55)
        tall = c.draw(0.02, 0.16) * (1.2 - depth)
        top = horizon - tall * (0.6 + 0.35 * ridge(c).clamp(-1.5, 2))
        colour = lit(c, c.pick(torch.cat([_GREENS, _ROCKS])), 0.15, 1.0)
        c.lay(colour * (1 - depth) + haze * depth, step(c.y - top, 300) * shown)


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
    c.lay(picture, step(c.y - horizon, 400) * shown, "water")


def _land(c: Canvas, horizon: torch.Tensor, shown: torch.Tensor) -> None:
    """Meadow, field, snow or sand; a river or a lake may show through."""
    near = ((c.y - horizon) / (1 - horizon)).clamp(0, 1.2)
    top = horizon + c.draw(0.0, 0.04) + 0.012 * ridge(c)
    alpha = step(c.y - top, 300)
    middle = c.draw(0.1, 0.9) * c.aspect + 0.12 * near * c.noise(1.9)[:, :, :1]
    half = c.draw(0.05, 0.5) * near**1.2 + 0.004
    river = step(half - (c.x - middle).abs() + 0.01 * c.noise(1.2), 120) * c.chance(0.35)
    alpha = alpha * (1 - river) * shown
    streaks = c.noise(0.5, 0.35) * near + 0.6 * c.noise(0.9, 2.0) * (1 - near)
    green = c.pick(_GREENS) * (1 + 0.28 * streaks[:, None] + 0.12 * c.noise(1.8)[:, None])
    flowers = step(c.noise(0.35) - c.draw(2.0, 3.5), 8) * near * c.chance(0.3)
    green = green * (1 - flowers[:, None]) + c.pick(CLOTHS) * flowers[:, None]
    bare = c.chance(0.35)
    sand = torch.tensor([[0.72, 0.64, 0.50], [0.88, 0.90, 0.93], [0.50, 0.42, 0.32]])
    c.lay(green, alpha * (1 - bare), "grass")
    c.lay(lit(c, c.pick(sand), 0.08, 1.0, 2.0), alpha * bare)
    rocks = step(c.noise(1.5) + 3 * (c.y - 1) - c.draw(0.5, 1.6), 20) * c.chance(0.25)
    c.lay(lit(c, c.pick(_ROCKS), 0.3, 0.8), rocks * alpha)


def _fall(c: Canvas, horizon: torch.Tensor, shown: torch.Tensor) -> None:
    """A cliff with a waterfall on one side."""
    side = c.space.sign()[:, None, None]
    edge = (0.5 + side * c.draw(-0.1, 0.2)) * c.aspect + 0.05 * c.noise(1.5)[:, :, :1]
    cliff = step((c.x - edge) * side, 120) * step(c.y - horizon * c.draw(0.2, 0.7), 120)
    cliff = cliff * step(0.95 - c.y + 0.05 * ridge(c), 60) * shown
    c.lay(lit(c, c.pick(_ROCKS), 0.35, 0.9, 0.6), cliff)
    middle = edge + side * c.draw(0.12, 0.3)
    width = c.draw(0.025, 0.08) * (0.8 + 0.5 * c.y)
    strand = step(width - (c.x - middle).abs() + 0.012 * c.noise(1.2), 150)
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
        alpha = torch.maximum(alpha, step(leafy, 7) * here)
        stem = step(0.03 * tall - (c.x - x).abs(), 500) * step(root - c.y, 300)
        trunk = torch.maximum(trunk, stem * step(c.y - root + 0.5 * tall, 100) * here)
    light = torch.sigmoid(2 * c.noise(1.2))[:, None]
    leaf = c.pick(_LEAVES)
    c.lay(lit(c, torch.full_like(leaf, 0.16), 0.3), trunk * (1 - alpha))
    c.lay(lit(c, leaf, 0.35, 0.6) * (0.6 + 0.9 * light), alpha, "trees")


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
    shore = step(c.y - c.draw(0.75, 1.05) + 0.03 * ridge(c), 200) * wet * c.chance(0.5)
    c.lay(lit(c, c.pick(torch.cat([_ROCKS, _GREENS])), 0.2, 1.0, 2.0), shore)
    _fall(c, horizon, c.chance(0.16))
    x, y = houses(c, horizon, c.chance(0.3))
    _trees(c, horizon, c.chance(0.5))
    boats(c, horizon, wet * c.chance(0.65))
    birds(c, horizon, c.chance(0.2))
    flags(c, horizon, c.chance(0.12))
    burning = c.chance(0.12)
    fx, fy = fire(c, horizon, burning)
    x, y = x * (1 - burning) + fx * burning, y * (1 - burning) + fy * burning
    smoke(c, x, y, c.chance(0.2))
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
    grain = torch.randn(picture.shape, generator=c.space.generator, device=picture.device)
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
