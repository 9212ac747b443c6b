"""From pictures with masks to training clips: a caption, and the latents of what it asks for.

Nothing is rendered: the latents of ``awaken.miniature.latents`` say how a painting moves, so that
fields, masks and the painting's own colours make a complete clip, some hundred times cheaper than
rendering frames and encoding them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from awaken.miniature.classes import CLASSES
from awaken.miniature.latents import (
    AIR,
    AIRS,
    CHANNELS,
    DRIFT,
    FLOW,
    FRAMES,
    LIGHT,
    OBJECT,
    REGION,
    SHIFT,
    latents_of,
    light_of,
)
from awaken.miniature.training import fields
from awaken.miniature.training.captions import Wording
from awaken.miniature.training.library import Library
from awaken.miniature.training.weakening import enlivened, graded, loudness, weakened

# Grids of training batches: squares, landscapes and portraits of about 1,024 cells, seldom
# extremes.
GRIDS: tuple[tuple[int, int], ...] = (
    (28, 36), (32, 32), (28, 36), (24, 40), (36, 28), (24, 44), (40, 24), (20, 52), (52, 20),
)  # fmt: skip

# effect -> the mask it needs, the least share of the picture, and how often it is chosen
_NEEDS: dict[str, tuple[str, float, float]] = {
    "clouds": ("sky", 0.08, 1.6), "billow": ("sky", 0.08, 0.7), "stars": ("sky", 0.1, 0.3),
    "rays": ("sky", 0.1, 0.8), "waves": ("water", 0.04, 2.2), "river": ("water", 0.04, 1.0),
    "glitter": ("water", 0.04, 0.6), "waterfall": ("falling water", 0.01, 3.0),
    "grass": ("grass", 0.03, 1.8), "smoke": ("smoke", 0.006, 3.0), "fire": ("fire", 0.003, 3.0),
    "trees": ("trees", 0.02, 1.8), "boats": ("boats", 0.004, 2.2), "toss": ("boats", 0.004, 2.0),
    "birds": ("birds", 0.001, 2.0), "flags": ("flags", 0.002, 2.5),
}  # fmt: skip
_IN_AIR: dict[str, float] = {
    "snow": 0.3, "rain": 0.25, "petals": 0.2, "leaves": 0.2, "sparks": 0.15, "fog": 0.3,
}  # fmt: skip
_EXCLUSIVE = ({"clouds", "billow"}, {"waves", "river"}, {"stars", "rays"}, {"boats", "toss"})
# Effects of a caption that names nothing in particular ("alive").
_CALM = {"clouds", "waves", "trees", "grass", "smoke", "toss", "waterfall", "fire", "flags"}
# Shares of clips whose caption asks for stillness, names nothing in particular, or names what the
# picture lacks.
_STILL, _ALIVE, _ABSENT = 0.01, 0.06, 0.03
# The last share for a picture without any of the classes (a portrait): nearly all of its other
# captions name snow, rain and the like.
_ABSENT_FROM_NOTHING = 0.2
# Share of the captions with two things whose second is not in the picture.
_HALF_ABSENT = 0.05
# Share of clips in which something moves that the caption does not name.
_UNNAMED = 0.04
# The shares of clouds and boats, which are heard by their displacement too.
_DRIFTING = 0.75
# Chances of rightwards and leftwards where the caption names no direction: see ``fields``.
_USUAL = (0.97, 0.03)


def moved_by(effects: Sequence[str]) -> set[str]:
    """The classes that these effects of a caption move, in whatever picture shows them."""
    named = {e for e in effects if e in _NEEDS and e not in ("stars", "rays")}
    if "alive" in effects:
        named |= _CALM
    classes = {_NEEDS[e][0] for e in named}
    # As in ``synthesise``: a river moves its falls too, and waves move the boats on them.
    classes |= {"falling water"} if "river" in effects else set()
    return classes | ({"boats"} if "waves" in named else set())


@dataclass(frozen=True, eq=False)
class Clips:
    """A batch of training clips, on one device.

    picture: (b, 3, 8 h, 8 w) RGB in 0..1; latents: (b, 18, 16, h, w) clean, in latent units;
    valid: (b, 18, h, w), weight of a prediction in the loss (of a displacement: where something
    moves); regions: (b, 2, h, w), share of a cell in a named region and in a named object;
    masks: (b, classes, h, w), share of a cell in each class, named or not;
    loudness: (b, 2), mean square of flow and shift there before ``weakened``, over all coefficients,
    in latent units; captions: b sentences; strength: (b,), the motion dial, without the caption's
    words of speed; duration: (b,) in units of 16 frames.
    """

    picture: torch.Tensor
    latents: torch.Tensor
    valid: torch.Tensor
    regions: torch.Tensor
    masks: torch.Tensor
    loudness: torch.Tensor
    captions: list[str]
    strength: torch.Tensor
    duration: torch.Tensor


def _choose(present: dict[str, float], rng: random.Random) -> tuple[list[str], list[str]]:
    """(effects named in the caption, effects that happen) for a picture with these class shares."""
    can = {e: w for e, (c, least, w) in _NEEDS.items() if present[c] > least}
    roll = rng.random()
    if roll < _STILL:
        return ["still"], []
    if roll < _STILL + _ALIVE:
        return ["alive"], [e for e in can if e in _CALM]
    # Naming what the picture lacks moves nothing. A class with a share in between counts as neither.
    missing = [e for e, (c, _, _) in _NEEDS.items() if present[c] < 1e-4]
    absent = _ABSENT if can else _ABSENT_FROM_NOTHING
    if roll < _STILL + _ALIVE + absent and missing:
        return [rng.choice(missing)], []
    weights = can | {e: w for e, w in _IN_AIR.items()}
    chosen: list[str] = []
    for _ in range(rng.choices((1, 2), (0.65, 0.35))[0]):
        open_ = [
            e
            for e in weights
            if e not in chosen
            and not any({e, c} <= pair for c in chosen for pair in _EXCLUSIVE)
            and not (e in _IN_AIR and set(chosen) & set(_IN_AIR))
        ]
        if open_:
            chosen.append(rng.choices(open_, [weights[e] for e in open_])[0])
    if len(chosen) == 2 and missing and rng.random() < _HALF_ABSENT:
        return rng.sample([chosen[0], rng.choice(missing)], 2), chosen[:1]
    others = [e for e in can if not any({e, c} <= pair for c in chosen for pair in _EXCLUSIVE)]
    if others and rng.random() < _UNNAMED:
        return chosen, [*chosen, rng.choice(others)]
    return chosen, list(chosen)


def make_clips(
    library: Library,
    batch: int,
    grid: tuple[int, int],
    seed: int,
    caption: Callable[[Sequence[str], random.Random], Wording],
    augment: bool = True,
) -> Clips:
    """Draw a batch: the same seed on the same device gives the same clips.

    caption: makes or finds a sentence for a list of effects (``captions.caption``,
    ``Bank.caption``).
    """
    rng = random.Random(seed)
    generator = torch.Generator(library.device).manual_seed(seed)
    picture, masks = library.crops(batch, grid, rng, augment)
    shares = masks.mean((2, 3)).tolist()
    named, happens, words, calm = [], [], [], []
    for share in shares:
        names, effects = _choose(dict(zip(CLASSES, share, strict=True)), rng)
        wording = caption(names, rng)
        named.append(names)
        happens.append(effects)
        words.append(wording)
        calm.append(0.4 if names == ["alive"] else 1.0)
    device = library.device
    dial = torch.tensor([rng.uniform(0.3, 2.0) for _ in range(batch)], device=device)
    asked = torch.tensor([w.speed * c for w, c in zip(words, calm, strict=True)], device=device)
    duration = torch.tensor([rng.choice((1.0, 1.0, 1.5, 2.0)) for _ in range(batch)], device=device)
    direction = torch.tensor(
        [w.direction or rng.choices((1, -1), _USUAL)[0] for w in words],
        device=device,
        dtype=torch.float32,
    )
    times = torch.linspace(0, 1, FRAMES, device=device)[None] * duration[:, None]
    space = fields.SpaceTime(batch, *grid, times, generator)
    amount = torch.tensor([w.amount for w in words], device=device)
    z, valid, regions = synthesise(space, picture, masks, happens, dial * asked, direction, amount)
    heard = loudness(z, regions)
    z = weakened(space, graded(space, enlivened(z, picture, regions), masks))
    texts = [w.text for w in words]
    return Clips(picture, z, valid, regions, masks, heard, texts, dial, duration)


def synthesise(
    space: fields.SpaceTime,
    picture: torch.Tensor,
    masks: torch.Tensor,
    effects: Sequence[Sequence[str]],
    strength: torch.Tensor,
    direction: torch.Tensor,
    amount: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Latents of a batch in which the given effects happen; all else stays still.

    picture (b, 3, 8 h, 8 w); masks (b, classes, h, w); strength, direction, amount (b,).
    Returns latents (b, 18, t, h, w), valid (b, 18, h, w) and regions (b, 2, h, w) as in ``Clips``.
    """
    b, (h, w) = space.batch, (space.rows, space.columns)
    t = space.times.shape[1]

    def on(*names: str) -> torch.Tensor:
        hits = [float(bool(set(names) & set(e))) for e in effects]
        return torch.tensor(hits, device=space.device)[:, None, None]

    mask = {name: masks[:, i] for i, name in enumerate(CLASSES)}
    horizon = fields.top(mask["water"])

    # Regions: the flow is the mean of all kinds, weighted by their blurred masks, so that a field
    # continues beyond the border of its mask and two fields blend where they meet.
    flows: list[tuple[torch.Tensor, torch.Tensor]] = []

    heard: list[float] = []

    def region(weight: torch.Tensor, field: torch.Tensor, share: float = 1.0) -> None:
        flows.append((weight, field))
        heard.append(share)

    region(mask["sky"] * on("clouds"), fields.drift(space, strength, direction), _DRIFTING)
    region(mask["sky"] * on("billow"), fields.billow(space, strength, direction), _DRIFTING)
    still_water = on("glitter") * (1 - on("waves")) * (1 - on("river"))
    calm = strength * torch.where(still_water[:, 0, 0] > 0, 0.45, 1.0)
    wet = on("waves") * (1 - on("river")) + still_water
    region(mask["water"] * wet, fields.waves(space, calm, direction, horizon))
    region(mask["water"] * on("river"), fields.river(space, strength, direction, horizon))
    region(mask["falling water"] * on("waterfall", "river"), fields.fall(space, strength))
    lean = (space.height() - fields.top(mask["grass"])[:, None, None]).clamp(0, 1) * 0.8 + 0.35
    region(mask["grass"] * on("grass"), fields.sway(space, strength, lean, gusts=1.6))
    region(mask["smoke"] * on("smoke"), fields.rise(space, strength, direction))
    region(mask["fire"] * on("fire"), fields.flames(space, strength))
    moving = torch.stack([weight for weight, _ in flows], 1)
    soft = fields.spread(moving) + 0.02 * (moving.amax((2, 3), keepdim=True) > 0) + 1e-6
    soft = soft * (moving.amax((2, 3), keepdim=True) > 0)
    soft = soft / soft.sum(1, keepdim=True).clamp(min=1e-6)
    flow = sum(soft[:, None, None, i] * field for i, (_, field) in enumerate(flows))

    # Objects, likewise. A gull fills a tenth of its cell, so whatever travels takes every cell that it
    # touches, with some background, which the mattes cut away. Trees take their own share only: else
    # a landscape with a few trees in every cell would sway as a whole.
    shifts: list[tuple[torch.Tensor, torch.Tensor]] = []

    def touched(weight: torch.Tensor) -> torch.Tensor:
        return (3 * weight).clamp(max=1)

    lean = fields.above_root(mask["trees"])
    # A crown swings less than grass does, for its surroundings are bent with it.
    swing = fields.sway(space, 0.4 * strength, lean, gusts=0.6)
    shifts.append((mask["trees"] * on("trees"), swing))
    # A boat sails, or it rocks about its keel, or it bobs where the waves alone are named.
    rocks = on("toss")
    bobs = torch.maximum(rocks, on("waves")) * (1 - on("boats"))
    mast = fields.above_root(mask["boats"])
    rocking = 0.55 * rocks[:, None, None] * fields.sway(space, strength, mast, gusts=0.0)
    bob = fields.rigid(space, strength, direction, fast=0.0, bob=0.18)
    sail = fields.rigid(space, strength, direction)
    sail = torch.lerp(sail, (1 + rocks[:, None, None]) * bob, bobs[:, None, None]) + rocking
    shifts.append((touched(mask["boats"] * torch.maximum(on("boats"), bobs)), sail))
    fly = fields.rigid(space, strength, direction, fast=1.5, bob=0.5)
    shifts.append((touched(mask["birds"] * on("birds")), fly))
    cloth = torch.full((b, 1, 1), 0.8, device=space.device)
    shifts.append((touched(mask["flags"] * on("flags")), fields.flutter(space, strength, cloth)))
    carried = torch.stack([weight for weight, _ in shifts], 1)
    soft = fields.spread(carried, 3) + 1e-6
    soft = soft * (carried.amax((2, 3), keepdim=True) > 0)
    soft = soft / soft.sum(1, keepdim=True).clamp(min=1e-6)
    shift = sum(soft[:, None, None, i] * field for i, (_, field) in enumerate(shifts))

    z = torch.zeros(b, CHANNELS, t, h, w, device=space.device)
    region_share, object_share = moving.sum(1).clamp(max=1), carried.sum(1).clamp(max=1)
    heard_objects = (1.0, _DRIFTING, 1.0, 1.0)  # trees, boats, birds, flags
    for channel, weights, shares in ((REGION, moving, heard), (OBJECT, carried, heard_objects)):
        share = (weights * weights.new_tensor(shares)[:, None, None]).sum(1).clamp(max=1)
        z[:, channel] = share[:, None, None]
    z[:, FLOW], z[:, SHIFT] = flow, shift
    z[:, DRIFT], z[:, AIR] = _air(space, masks, effects, strength, direction, amount, picture)
    z = latents_of(z)
    z[:, LIGHT] = light_of(picture, (h, w))[:, :, None] + _light(space, mask, on, strength)

    valid = torch.ones(b, CHANNELS, h, w, device=space.device)
    some = (region_share.amax((1, 2)) > 0).float()[:, None, None]
    near = F.max_pool2d(region_share[:, None], 5, 1, 2)[:, 0]
    valid[:, FLOW] = (some * (0.3 + 0.7 * near) + (1 - some) * 0.3)[:, None]
    some = (object_share.amax((1, 2)) > 0).float()[:, None, None]
    near = F.max_pool2d(object_share[:, None], 5, 1, 2)[:, 0]
    valid[:, SHIFT] = (some * (0.5 + 0.5 * near) + (1 - some) * 0.2)[:, None]
    return z, valid, torch.stack([region_share, object_share], 1)


_AIR_MOTION: dict[str, tuple[tuple[float, float], float]] = {
    "snow": ((4.0, 7.0), 2.0), "rain": ((18.0, 26.0), 4.0), "petals": ((3.0, 5.0), 3.0),
    "leaves": ((4.0, 7.0), 3.0), "sparks": ((-6.0, -3.0), 1.0), "fog": ((-0.4, 0.1), 3.5),
}  # fmt: skip


def _air(space, masks, effects, strength, direction, amount, picture):
    """Drift (b, 2, t, h, w) in cells and amounts (b, 7, t, h, w) of what is in the air."""
    b, t = space.times.shape
    drift = torch.zeros(b, 2, t, space.rows, space.columns, device=space.device)
    amounts = torch.zeros(b, len(AIRS), t, space.rows, space.columns, device=space.device)
    for name, (down, aside) in _AIR_MOTION.items():
        hit = torch.tensor([float(name in e) for e in effects], device=space.device)
        field = fields.falling(space, strength, direction, down, aside)
        drift = drift + hit[:, None, None, None, None] * field
        here = hit * amount
        channel = AIRS.index("mist" if name == "fog" else name)
        veil = torch.ones(b, space.rows, space.columns, device=space.device)
        if name == "fog":  # denser towards the bottom, in banks
            veil = ((space.height() * 2.2 - 0.3).clamp(0, 1) + 0.25 * space.noise(2.4)).clamp(0, 1)
        amounts[:, channel] += (here[:, None, None] * veil)[:, None]
    smoke = masks[:, CLASSES.index("smoke")]
    steaming = torch.tensor([float("smoke" in e) for e in effects], device=space.device)
    plume = fields.spread(smoke[:, None], 1)[:, 0] * steaming[:, None, None] * 0.5
    amounts[:, AIRS.index("mist")] = amounts[:, AIRS.index("mist")].clamp(min=0) + plume[:, None]
    # A clip has one drift: that of smoke only where no particles and no fog are in it.
    quiet = (drift.abs().amax((1, 2, 3, 4)) == 0).float() * steaming
    drift = drift + quiet[:, None, None, None, None] * fields.falling(
        space, strength, direction, (-3.5, -2.0), 1.2
    )
    bright = fields.brightness(picture, (space.rows, space.columns))
    for name, where in (("stars", "sky"), ("glitter", "water")):
        hit = torch.tensor([float(name in e) for e in effects], device=space.device)
        share = masks[:, CLASSES.index(where)] * hit[:, None, None]
        weight = 1.0 if name == "stars" else bright
        amounts[:, AIRS.index("twinkle")] += (share * weight)[:, None]
    return drift, amounts.clamp(max=1)


def _light(space, mask, on, strength):
    """(b, 3, t, h, w) in latent units: change of light by the glow of fire and by sun rays."""
    glow = fields.spread(mask["fire"][:, None], 3)[:, 0]
    glow = (2.5 * glow + mask["fire"]).clamp(max=1) * on("fire")
    beat = fields.flicker(space, 1.6)[:, :, None, None]
    warm = 0.84 * strength.clamp(max=1.3)[:, None, None, None] * beat * glow[:, None]
    # Broad diagonal beams that move sideways. Four narrow ones, at any phase, were never learnt.
    across = space.across() / space.columns + space.uniform(0.28, 0.32) * space.height()
    beam = 2 * torch.pi * (space.uniform(1.45, 1.5) * across + 0.05 * space.noise(2.5))[:, None]
    pace = space.uniform(0.6, 0.7) * (0.4 + 0.4 * strength[:, None, None])
    turn = space.times[:, :, None, None] * pace[:, None]
    sweep = (beam - 2 * torch.pi * turn).sin() - beam.sin()
    rays = 0.48 * on("rays")[:, None] * sweep * (1.1 - 0.6 * space.height())[:, None]
    luma = warm + rays
    return torch.stack([luma, -0.3 * luma, 0.35 * luma], 1)
