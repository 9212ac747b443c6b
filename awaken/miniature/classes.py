"""What can move in a picture; the order is the order of the mask channels everywhere."""

from __future__ import annotations

import re

# A region stays where it is and its inside moves; an object moves as a whole and uncovers what is
# behind it.
REGIONS: tuple[str, ...] = ("sky", "water", "falling water", "grass", "smoke", "fire")
OBJECTS: tuple[str, ...] = ("trees", "boats", "birds", "flags")
CLASSES: tuple[str, ...] = REGIONS + OBJECTS
# The words for each, and a sentence that moves it.
_WORDS: dict[str, tuple[str, str]] = {
    "sky": ("sky|skies|clouds?|heavens?", "the clouds drift"),
    "water": (
        "water|seas?|oceans?|lakes?|rivers?|streams?|brooks?|ponds?|canals?|waves?|surf|swell|ripples|"
        "tide|reflections?", "the water ripples",
    ),
    "falling water": ("waterfalls?|cascades?|fountains?", ""),
    "grass": (
        "grass(?:es)?|wheat|rye|corn|fields?|meadows?|crops?|reeds?|flowers?|lilies", "the grass sways",
    ),
    "smoke": ("smoke|steam", ""),
    "fire": ("fires?|flames?|candles?|torch(?:es)?", ""),
    "trees": (
        "trees?|leaves|foliage|branch(?:es)?|forests?|woods?|bush(?:es)?|willows?|poplars?|palms?|"
        "cypress(?:es)?", "the trees sway",
    ),
    "boats": ("boats?|ships?|vessels?|barges?|sail(?:ing )?boats?|sails?|yachts?", "the boats rock"),
    "birds": ("birds?|gulls?|seagulls?|crows?", ""),
    "flags": ("flags?|banners?|pennants?", ""),
}  # fmt: skip


def classes_of(things: str) -> set[str]:
    """The classes that a text names, in plain words."""
    return {
        name for name, (words, _) in _WORDS.items()
        if re.search(rf"\b(?:{words})\b", things, re.IGNORECASE)
    }  # fmt: skip


def all_but(classes: set[str]) -> str:
    """A sentence that moves what pictures show oftenest, and none of these classes."""
    moving = [says for name, (_, says) in _WORDS.items() if says and name not in classes]
    return " and ".join(moving)
