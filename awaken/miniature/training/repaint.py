"""What the proxy network learns: the same picture with the named thing clearer, in the asked light.

A pair is a painting's light and that light repainted by rule: what the caption names gains contrast
and the colours that it has in nature, and words such as "at sunset" set the light of the whole.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from awaken.miniature.classes import CLASSES
from awaken.miniature.training.fields import spread

# A light -> how a sentence asks for it.
LIGHTS: dict[str, tuple[str, ...]] = {
    "sunset": ("at sunset", "as the sun sets", "in the red evening light", "at dusk"),
    "dawn": ("at dawn", "at sunrise", "in the morning light", "in the early morning"),
    "night": ("at night", "in the moonlight", "under the moon", "in the dark"),
    "storm": ("in a storm", "under a stormy sky", "as a storm comes in", "before the thunder"),
    "gold": ("in golden light", "in warm sunlight", "as the sun breaks through", "in the sun"),
    "day": ("on a bright day", "in bright sunshine", "on a sunny day", "in clear daylight"),
    "haze": ("in the mist", "in thick fog", "in the haze", "in a misty light"),
    "winter": ("in winter", "in the cold light of winter", "on a frosty day", "in the ice"),
}


@dataclass(frozen=True)
class Grade:
    """A change of light, in values of Y, Cb and Cr (-0.5 to 0.5).

    contrast: what differences from the surroundings gain, as a share; luma, blue, red: what is added;
    colour: what colours are multiplied by.
    """

    contrast: float = 0.0
    luma: float = 0.0
    blue: float = 0.0
    red: float = 0.0
    colour: float = 1.0


# What an effect's own cells become: clearer, and more of what the word means.
_THINGS: dict[str, tuple[str, Grade]] = {
    "clouds": ("sky", Grade(1.1, -0.05, 0.016, -0.008, 1.2)),
    "billow": ("sky", Grade(1.3, -0.06, 0.008, 0.0, 1.3)),
    "stars": ("sky", Grade(0.9, -0.10, 0.035, -0.01, 1.2)),
    "rays": ("sky", Grade(0.6, 0.11, -0.035, 0.025, 1.1)),
    "waves": ("water", Grade(1.1, 0.02, 0.022, -0.022, 1.2)),
    "river": ("water", Grade(0.9, 0.05, 0.025, -0.02, 1.2)),
    "glitter": ("water", Grade(1.3, 0.07, -0.008, 0.006, 1.1)),
    "waterfall": ("falling water", Grade(1.0, 0.10, 0.01, -0.01, 0.8)),
    "grass": ("grass", Grade(0.9, 0.05, -0.028, -0.018, 1.25)),
    "trees": ("trees", Grade(0.9, 0.03, -0.02, -0.018, 1.2)),
    "boats": ("boats", Grade(0.8, 0.04, -0.008, 0.012, 1.3)),
    "toss": ("boats", Grade(0.8, 0.04, -0.008, 0.012, 1.3)),
    "birds": ("birds", Grade(1.2, 0.05, 0.0, 0.0, 1.0)),
    "flags": ("flags", Grade(0.8, 0.05, -0.01, 0.03, 1.4)),
    "smoke": ("smoke", Grade(0.9, 0.08, 0.0, 0.0, 0.7)),
    "fire": ("fire", Grade(0.8, 0.12, -0.07, 0.06, 1.3)),
}
# What the whole picture becomes: the weather, and the light.
_WHOLE: dict[str, Grade] = {
    "snow": Grade(-0.25, 0.12, 0.012, -0.008, 0.55),
    "rain": Grade(-0.1, -0.07, 0.012, -0.01, 0.6),
    "fog": Grade(-0.4, 0.09, 0.004, -0.004, 0.55),
    "petals": Grade(0.1, 0.05, 0.004, 0.016, 1.15),
    "leaves": Grade(0.15, 0.03, -0.03, 0.022, 1.2),
    "sparks": Grade(0.2, -0.07, -0.02, 0.022, 1.15),
    "sunset": Grade(0.15, -0.03, -0.05, 0.05, 1.15),
    "dawn": Grade(0.0, 0.06, -0.012, 0.03, 0.95),
    "night": Grade(-0.1, -0.14, 0.05, -0.022, 0.75),
    "storm": Grade(0.3, -0.10, 0.014, -0.012, 0.65),
    "gold": Grade(0.2, 0.07, -0.045, 0.022, 1.2),
    "day": Grade(0.3, 0.09, 0.008, -0.006, 1.25),
    "haze": Grade(-0.4, 0.09, 0.004, -0.004, 0.55),
    "winter": Grade(0.0, 0.08, 0.026, -0.018, 0.55),
}
# A caption that names no light still sees the whole a little clearer.
_CLEARER = Grade(0.2, 0.015, 0.0, 0.0, 1.08)


def repainted(
    light: torch.Tensor, masks: torch.Tensor, asked: Sequence[Sequence[str]], rng: random.Random
) -> torch.Tensor:
    """Y, Cb, Cr (b, 3, h, w) as each caption's effects and light would have them.

    masks: (b, classes, h, w), what is there; asked: effects and lights, by caption.
    """
    return torch.cat([
        _repainted(light[i : i + 1], masks[i : i + 1], asked[i], rng) for i in range(len(light))
    ])  # fmt: skip


def _repainted(
    light: torch.Tensor, masks: torch.Tensor, asked: Sequence[str], rng: random.Random
) -> torch.Tensor:
    much = rng.uniform(1.3, 1.7)
    whole = next((_WHOLE[name] for name in reversed(asked) if name in _WHOLE), _CLEARER)
    out = _graded(light, much * _falling_light(light, rng), whole)
    for name in asked:
        if name in _THINGS:
            where, grade = _THINGS[name]
            out = _graded(out, spread(masks[:, CLASSES.index(where)][:, None], 1) * much, grade)
    # What is white stays below white, softly.
    luma = out[:, :1]
    return torch.cat([0.5 * torch.tanh(luma / 0.5 * 1.1) / 0.8, out[:, 1:]], 1).clamp(-0.5, 0.5)


def _falling_light(light: torch.Tensor, rng: random.Random) -> torch.Tensor:
    """(1, 1, h, w) around 1: light comes from above, and from one side."""
    height = torch.linspace(0, 1, light.shape[2])[:, None]
    across = torch.linspace(-1, 1, light.shape[3])[None] * rng.choice((-1, 1))
    aslant = 1.25 - 0.5 * height + rng.uniform(0.1, 0.4) * across
    return aslant[None, None].clamp(0.4, 1.7)


def _graded(light: torch.Tensor, weight: torch.Tensor, grade: Grade) -> torch.Tensor:
    luma, colour = light[:, :1], light[:, 1:]
    apart = luma - spread(luma, 4)
    luma = luma + weight * (grade.contrast * apart + grade.luma)
    tint = torch.tensor([grade.blue, grade.red])[None, :, None, None]
    colour = colour * (1 + weight * (grade.colour - 1)) + weight * tint
    return torch.cat([luma, colour], 1)
