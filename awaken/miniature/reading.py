"""What a sentence asks for beyond the words that the networks learnt: stillness, direction, pace.

The networks hear of the clouds in "the clouds do not move" and move them. ``read`` takes a sentence
apart by the rules of ``grammar``: what moves, what must stay still, which way, how fast, and what of
it cannot be done here. Chinese goes through a small dictionary first. Texts in, a ``Reading`` out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from awaken.miniature import grammar
from awaken.miniature.classes import all_but, classes_of
from awaken.miniature.prompts_zh import in_english, is_chinese


@dataclass(frozen=True)
class Reading:
    """What a sentence asks for.

    Attributes:
        moving: the sentence without what it says of stillness and pace; "" where nothing is to move.
        words: the same as the networks read it, "everything" but something spelt out.
        still: things that must not move, in the sentence's words.
        direction: (x to the right, y down) of where things go, None where no way is named.
        speed: factor on the motion, 1 where no pace is named.
        unread: what is understood and cannot be done: "depth", "compass", "rotation", or
            "directions" and "speeds" for more than one.
        english: the whole sentence; a Chinese one as far as the dictionary goes.
        strange: Chinese words that the dictionary lacks.
    """

    moving: str
    words: str = ""
    still: tuple[str, ...] = ()
    direction: tuple[int, int] | None = None
    speed: float = 1.0
    unread: tuple[str, ...] = ()
    english: str = ""
    strange: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self)


@lru_cache(maxsize=64)
def read(prompt: str) -> Reading:
    """Take a sentence apart, English or Chinese; in another language nothing is found."""
    english, strange = in_english(prompt) if is_chinese(prompt) else (prompt, [])
    english = english or prompt
    text = _reworded(english, grammar.REWORDED)
    clauses = _clauses(text)
    moving, still = _sorted(clauses)
    ways = _ways(moving)
    paces = {pace for pace in map(_pace, moving) if pace != 1}
    unread = [kind for words, kind in grammar.UNREAD if _found(words, " ".join(moving))]
    unread += [kind for kind, named in (("directions", ways), ("speeds", paces)) if len(named) > 1]
    if still or moving != clauses or _found(grammar.EXCEPT, text):
        text = " and ".join(moving)
    if len(paces) == 1:
        text = _without_pace(text)
    if len(ways) == 1:
        text = _reworded(text, grammar.ONWARDS)
    still = _seen(still, alone=not moving)
    everything = still and _is(rf"{grammar.ALL} {grammar.MOVES}", text)
    return Reading(
        moving=text,
        words=all_but(classes_of(" ".join(still))) if everything else text,
        still=still,
        direction=ways.pop() if len(ways) == 1 else None,
        speed=paces.pop() if len(paces) == 1 else 1.0,
        unread=tuple(dict.fromkeys(unread)),
        english=english,
        strange=tuple(strange),
    )


def _reworded(text: str, rules: Iterable[tuple[str, str]]) -> str:
    for words, instead in rules:
        text = re.sub(rf"(?<!\w){words}", instead, text, flags=re.IGNORECASE)
    return text


def _clauses(text: str) -> list[str]:
    """Clauses, what is an exception as one of its own."""
    found = []
    for part in grammar.BREAKS.split(text.strip()):
        if not part:
            continue
        head, *exceptions = re.split(rf"\s*\b{grammar.EXCEPT}\b\s*", part, flags=re.IGNORECASE)
        still = _stilled(head) if head else None
        if exceptions and (still is not None or _is("(?:nothing|none)\\b.*", head)):
            found += [f"{exception} moves" for exception in exceptions]  # nothing, except the water
            continue
        found += [head] if head else []
        found += [f"not {_with_article(exception)}" for exception in exceptions]
    return found


def _sorted(clauses: list[str]) -> tuple[list[str], list[str]]:
    """The clauses that ask for motion, and the things of those that ask for stillness."""
    moving, still, waiting = [], [], []
    for clause in clauses:
        things = _stilled(clause)
        if things is not None:
            still += [*map(_bare, waiting), *things]
        elif not _found(grammar.MOVES, clause):
            waiting.append(clause)  # "the boat and the clouds stay still": its verb comes later
            continue
        else:
            moving += [*waiting, clause]
        waiting = []
    return moving + waiting, still


def _stilled(clause: str) -> tuple[str, ...] | None:
    """What a clause wants still, perhaps nothing that it names; None where it asks for motion."""
    clause = re.sub(rf"\b(?:{grammar.UNCEASING})\b", "", clause, flags=re.IGNORECASE).strip(" ,")
    if both := re.fullmatch(grammar.NEITHER, clause, re.IGNORECASE):
        return tuple(map(_bare, both.groups()))
    if _found(grammar.MOVED, clause):
        return None
    if _is(grammar.ALL_STILL, clause):
        return ("everything",)
    if _is(rf"nothing else {grammar.MOVES}.*", clause):
        return ()
    for pattern in grammar.STILLNESS:
        found = re.fullmatch(pattern, clause, re.IGNORECASE)
        if found and not _is("(?:nothing|none)\\b.*", found["thing"]):
            return (_bare(found["thing"]),)
    return None


def _seen(things: list[str], alone: bool) -> tuple[str, ...]:
    """The things that can be looked for in a picture; ``alone``: nothing else is asked for."""
    named = [thing for thing in things if thing and not _is(grammar.NOTHING_SEEN, thing)]
    return tuple(dict.fromkeys(t for t in named if alone or t != "everything"))


def _ways(clauses: list[str]) -> set[tuple[int, int]]:
    """Every way that is named; what rises or falls by itself names none beside other things."""
    found = [(clause, _directions(clause)) for clause in clauses]
    if len(found) > 1:
        found = [(c, set() if _found(grammar.BY_ITSELF, c) else ways) for c, ways in found]
    named = {way for _, ways in found for way in ways}
    upright = any(not x for x, _ in named)
    if upright and not all(ways for _, ways in found):
        named.add((0, 0))  # not every thing is to go up: more than one way
    return named


def _directions(clause: str) -> set[tuple[int, int]]:
    """Every way that a clause names: where to, or against where from."""
    clause = re.sub(rf"\b(?:{grammar.TO_AND_FRO})\b", "", clause, flags=re.IGNORECASE)
    found = set()
    for (x, y), corner in grammar.CORNERS.items():
        for sign, towards in ((1, r"(?:to|towards?|into)"), (-1, "from")):
            words = rf"\b{towards} (?:the )?{corner}\b"
            if re.search(words, clause, re.IGNORECASE):
                found.add((sign * x, sign * y))
                clause = re.sub(words, "", clause, flags=re.IGNORECASE)
    for (x, y), words in grammar.WHERE.items():
        wards = grammar.WARDS[x, y]
        place = rf"(?:the )?(?:{words})\b(?! (?:bank|tree|boat|house|of)\b)"
        alone = (
            rf"{grammar.MOVES} (?:\w+ly )?{wards}"
            r"(?=$| (?:across|over|past|along|through|from|\w+ly)\b)"
        )
        if _found(rf"{wards}wards?|(?:to|towards?) {place}|{alone}", clause):
            found.add((x, y))
        elif _found(rf"from {place}(?!.*\bto\b)", clause):
            found.add((-x, -y))
    return found


def _pace(clause: str) -> float:
    return next((factor for words, factor in grammar.SPEEDS if _found(words, clause)), 1.0)


def _without_pace(text: str) -> str:
    """The words that say how fast are left to ``Reading.speed``: heard twice they would count twice."""
    words = "|".join(words for words, _ in grammar.SPEEDS)
    text = re.sub(rf"\b(?:{words})(?!\w)", "", text, flags=re.IGNORECASE)
    return re.sub(r"\s+([,.;:!?])|\s+", r" \1", text).replace(" ,", ",").strip(" ,")


def _found(words: str, text: str) -> bool:
    return re.search(rf"\b(?:{words})(?!\w)", text, re.IGNORECASE) is not None


def _is(words: str, text: str) -> bool:
    return re.fullmatch(words, text, re.IGNORECASE) is not None


def _bare(thing: str) -> str:
    """A thing without what stands around it in its clause."""
    thing = re.sub(
        r"^(?:let|make|have|please|all of|both|only)\s+", "", thing.strip(" ,"), flags=re.IGNORECASE
    )
    thing = re.sub(r"\s+(?:that|which|who)$", "", thing, flags=re.IGNORECASE)
    return "everything" if _is(grammar.MOTION, thing) else thing


def _with_article(thing: str) -> str:
    return thing if _is("(?:the|a|an|its|his|her|their)", thing.split()[0]) else f"the {thing}"
