"""Sentences that name what moves, and nothing else: the words the miniature learns from.

Every *effect* below is something the video network can do. A caption is drawn from an effect's
phrases and may carry a direction, a speed and an amount word; each of these words has a meaning in
the motion that is synthesised beside it (``Wording``), so that the network can learn to obey it.
Two special effects complete the vocabulary: ``alive`` names nothing in particular (everything that
can move does so gently) and ``still`` says that nothing moves.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from awaken.miniature.training.phrases import PHRASES

EFFECTS: tuple[str, ...] = tuple(PHRASES)

# Who does what, in sentences that name nothing of the above: what moves none of it is learnt too.
_WHO = (
    "a woman", "the old man", "two children", "the knight", "a king", "an angel", "the crowd",
    "the dancers", "soldiers", "a saint", "the girl with the pearl", "his wife", "her dress",
    "a horse", "the horses", "cows", "a white dog", "the cat", "sheep", "the lion", "a dragon",
    "the house", "a castle", "the bridge", "the mountain", "a town", "the tower", "a train",
    "a car", "the machine", "the clock", "an apple", "the face", "the curtain", "the camera",
    "the painting", "a robot", "the bread on the table",
)  # fmt: skip
_DOES = (
    "smiles", "turns around", "dances", "rides away", "runs", "jumps", "sings", "reads a book",
    "walks towards us", "fights", "talks", "eats", "sleeps", "looks up", "waves goodbye",
    "plays the lute", "zooms in", "pans to the left", "opens", "collapses", "grows",
    "turns to gold", "gallops", "grazes", "laughs", "prays", "works in the kitchen", "rotates",
    "changes colour", "explodes", "blinks", "comes closer",
)  # fmt: skip

# What an effect is called when the page lists what the miniature knows.
IDEAS: dict[str, str] = {
    "clouds": "clouds drifting", "billow": "skies swirling", "waves": "waves and ripples",
    "river": "rivers flowing", "waterfall": "waterfalls", "trees": "trees swaying",
    "grass": "grass and fields swaying", "boats": "boats sailing", "toss": "boats rocking",
    "birds": "birds flying", "flags": "flags waving", "smoke": "smoke rising",
    "fog": "fog drifting", "snow": "snow falling",
    "rain": "rain falling", "petals": "petals falling", "leaves": "leaves falling",
    "fire": "fire flickering", "sparks": "sparks flying", "stars": "stars twinkling",
    "glitter": "light on water", "rays": "sun rays", "alive": "gentle motion", "still": "stillness",
}  # fmt: skip

# Found in less than a third of the held-out pictures that show them: the page says so.
HARDLY: tuple[str, ...] = ("waterfall", "birds", "fire", "smoke", "flags")

# adverb -> factor on the motion's strength
SPEEDS: dict[str, float] = {
    "slowly": 0.55,
    "gently": 0.6,
    "softly": 0.6,
    "calmly": 0.6,
    "lazily": 0.5,
    "barely": 0.35,
    "quickly": 1.5,
    "fast": 1.6,
    "swiftly": 1.5,
    "wildly": 1.7,
    "strongly": 1.4,
    "violently": 1.8,
}
# direction -> unit vector (x to the right, y down) of where things go
DIRECTIONS: dict[str, tuple[float, float]] = {
    "to the left": (-1, 0),
    "leftwards": (-1, 0),
    "towards the left": (-1, 0),
    "from right to left": (-1, 0),
    "to the right": (1, 0),
    "rightwards": (1, 0),
    "towards the right": (1, 0),
    "from left to right": (1, 0),
}
AMOUNTS: dict[str, float] = {
    "light ": 0.35,
    "a little ": 0.35,
    "thin ": 0.35,
    "heavy ": 1.0,
    "thick ": 1.0,
    "dense ": 1.0,
}
_JOIN = (" and ", ", ", " while ", " as ", " and ")
_SUFFIX = ("",) * 6 + (
    ", oil painting",
    ", painting",
    " in a landscape painting",
    ", impressionist painting",
    ", masterpiece",
    ", highly detailed",
)


@dataclass(frozen=True)
class Wording:
    """One caption and what its words ask for.

    Attributes:
        text: the sentence.
        speed: factor on the motion's strength that its adverbs ask for, 1 when it has none.
        direction: -1 left, 1 right, 0 when no direction is named.
        amount: 0 to 1 for light or heavy snow, rain, mist...; 0.65 when it is not said.
    """

    text: str
    speed: float = 1.0
    direction: int = 0
    amount: float = 0.65


def vocabulary() -> dict[str, dict]:
    """Ideas and their captions without adverbs and directions, as ``Vocabulary`` reads them."""
    ideas: dict[str, dict] = {
        IDEAS[effect]: {"captions": [phrase.format(v="", d="", n="") for phrase in phrases]}
        for effect, phrases in PHRASES.items()
    }
    for effect in HARDLY:
        ideas[IDEAS[effect]]["hardly"] = True
    return ideas


def unrelated(rng: random.Random) -> Wording:
    """A sentence about people, animals, buildings or the camera: it moves nothing that we know."""
    parts = [f"{rng.choice(_WHO)} {rng.choice(_DOES)}" for _ in range(rng.choice((1, 1, 2)))]
    return Wording(rng.choice(_JOIN).join(parts) + rng.choice(_SUFFIX))


def caption(effects: Sequence[str], rng: random.Random) -> Wording:
    """A sentence that names these effects (keys of ``PHRASES``), in this order.

    At most one direction, one speed and one amount occur, so that a sentence has one meaning.
    """
    speed, direction, amount = 1.0, 0, 0.65
    worded = {"v": False, "d": False, "n": False}
    parts = []
    for effect in effects:
        phrase = rng.choice(PHRASES[effect])
        words = {"v": "", "d": "", "n": ""}
        if "{v}" in phrase and not worded["v"] and rng.random() < 0.4:
            adverb = rng.choice(tuple(SPEEDS))
            words["v"], speed, worded["v"] = f" {adverb}", SPEEDS[adverb], True
        if "{d}" in phrase and not worded["d"] and rng.random() < 0.45:
            place = rng.choice(tuple(DIRECTIONS))
            words["d"], direction, worded["d"] = f" {place}", DIRECTIONS[place][0], True
        if "{n}" in phrase and not worded["n"] and rng.random() < 0.5:
            adjective = rng.choice(tuple(AMOUNTS))
            words["n"], amount, worded["n"] = adjective, AMOUNTS[adjective], True
        parts.append(phrase.format(**words))
    text = parts[0]
    for part in parts[1:]:
        text += rng.choice(_JOIN) + part
    text += rng.choice(_SUFFIX)
    if rng.random() < 0.4:
        text = text[0].upper() + text[1:]
    if rng.random() < 0.3:
        text += "."
    return Wording(text, speed, direction, amount)
