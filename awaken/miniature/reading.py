"""What a sentence asks for beyond the words that the networks learnt: stillness, direction, speed.

The networks hear of the clouds in "the clouds do not move" and move them. ``read`` takes a sentence
apart by rules: what moves, what must stay still, which way, how fast, and what of it no model here can
do. Pure: texts in, a ``Reading`` out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_WHERE = {  # where things go, x to the right, y down: the words for it
    (-1, 0): "left", (1, 0): "right", (0, -1): "up|top|above|sky|heavens", (0, 1): "down|bottom|below",
}  # fmt: skip
_WARDS = {(-1, 0): "left", (1, 0): "right", (0, -1): "up", (0, 1): "down"}
_TO_AND_FRO = (
    r"up and down|down and up|back and forth|to and fro|(?:from )?side to side|left and right"
)
_FAST = "fast|faster|quickly|swiftly|rapidly|briskly|speedily|strongly"
_SLOW = "slowly|slow|slower|in slow motion|lazily|sluggishly|leisurely|calmly"
_SOFT = "gently|softly|quietly|slightly"
_WILD = "violently|furiously|wildly|madly"
_VERY = "very|extremely|really|so"
_SPEEDS: tuple[tuple[str, float], ...] = (  # the first that is found counts
    (rf"(?:{_VERY}) (?:{_SLOW}|{_SOFT})|barely|hardly", 0.35),
    (rf"(?:not|n't) (?:(?:too|{_VERY}) )?(?:{_FAST}|{_WILD})", 0.55),
    (rf"(?:not|n't) (?:(?:too|{_VERY}) )?(?:{_SLOW}|{_SOFT})", 1.5),
    (_SLOW, 0.55),
    (rf"{_SOFT}|a little|a bit", 0.6),
    (rf"(?:{_VERY}) (?:{_FAST})", 2.0),
    (_WILD, 1.7),
    (rf"{_FAST}|(?:at )?full speed", 1.5),
)
_UNREAD: tuple[tuple[str, str], ...] = (
    (r"(?:towards?|to|at) (?:us|me|you|the (?:viewer|camera|spectator|front))", "depth"),
    (r"closer|nearer|into the (?:distance|depth)|zoom\w*", "depth"),
    (r"(?:north|south|east|west)(?:wards?)?", "compass"),
    (r"(?:(?:anti|counter)-?)?clockwise", "rotation"),
)
_BE = (
    "(?:is|are|be|stays?|staying|remains?|remaining|keeps?|keeping|stands?|standing|lies?|rests?|"
    "sits?|holds?)"
)
_STILL = (
    "(?:still|calm|motionless|unmoving|immobile|frozen|fixed|static|unchanged|at rest|in place|"
    "quiet|as (?:it|they) (?:is|are))"
)
_HOW = "(?:(?:very|quite|completely|perfectly|absolutely|totally|all|always) )*"
_MOVES = (
    "(?:(?:mov|drift|float|flow|roll|ris|sway|swirl|rippl|sail|glid|fall|fly|flies|flicker|burn|wav|"
    "blow|bend|pour|rush|run|stream|surg|heav|twinkl|shimmer|glitter|glow|smok|danc|rotat|turn|spin|"
    "rock|pitch|bob|trembl|flutter|shak|swing|crash|break|creep|gather|rac|pass|sweep|shift|chang|"
    "animat|stir|churn|walk|curl|billow|spread|shin|puls)[a-z]*|comes?|coming|goe?s?|going)"
)
_NOT = (
    "(?:(?:do|does|did|is|are|should|must|may|will|can) ?(?:not|n['’]?t)|don['’]?t|won['’]?t|"
    "cannot|can['’]t|never|no longer|not)"
)
_CEASE = "(?:ever )?(?:stop|ceas|rest|paus|end|interrupt)[a-z]*"
_UNCEASING = rf"{_NOT} (?:{_CEASE}|(?:stand|stay)[a-z]* still)|without {_CEASE}"
_STILLNESS = (  # clauses that ask for it, the thing in its group
    rf"{_NOT} (?:let|make|have|allow) (?P<thing>.+?) (?:to )?{_MOVES}.*",
    rf"{_NOT} (?:{_MOVES} )?(?P<thing>(?:the|a|any|its|his|her|their)\b.+)",
    rf"(?P<thing>){_NOT} (?:be )?{_MOVES}.*",  # of what moves otherwise: "and do not break"
    rf"(?P<thing>.+?) {_NOT} (?:be )?{_MOVES}.*",
    rf"(?P<thing>.+?) (?:must|should|shall|may|will|has to|have to) {_BE} {_HOW}{_STILL}.*",
    rf"(?P<thing>.+?) {_BE} {_HOW}{_STILL}(?: .*)?",
    r"(?P<thing>(?:(?! (?:is|are|at|a) ).)+?) (?:rests?|freezes?|pauses?|(?:stops?|ceases?)(?: \w+ing)?)",
    rf"(?:keep|leave|hold|freeze|fix)s? (?P<thing>.+?) {_HOW}{_STILL}(?: .*)?",
    r"(?:freeze|stop) (?P<thing>.+)",
    rf"(?:there (?:is|are) )?(?:no|without(?: any)?) (?P<thing>.+?)(?: {_MOVES}.*)?",
    rf"(?:the |a |an )?{_STILL} (?P<thing>(?!life\b)\w+)",
)
_BREAKS = re.compile(
    r"\s*(?:[.;:!?()\n]+|,|\b(?:while|whereas|although|though|then|yet)\b)\s*(?:(?:and|but)\b)?\s*|"
    r"\s+(?:and|but|as)\s+(?!(?:forth|fro|down|up|right|it is|they are)\b)|"
    rf"\s+(?=without\b(?! {_CEASE}))",
    re.IGNORECASE,
)
_EXCEPT = "(?:except(?:ing)?(?: for)?|apart from|other than|save for)"
_ALL = "(?:everything|all|the (?:whole )?(?:picture|painting|scene)|nothing|none)"


@dataclass(frozen=True)
class Reading:
    """What a sentence asks for.

    Attributes:
        moving: the sentence without what it says of stillness; "" where nothing is to move.
        still: things that must not move, in the sentence's words.
        direction: (x to the right, y down) of where things go, None where no way is named.
        speed: factor on the motion, 1 where no pace is named.
        unread: what is understood and cannot be done: "depth", "compass", "rotation", or
            "directions" for more than one.
    """

    moving: str
    still: tuple[str, ...] = ()
    direction: tuple[int, int] | None = None
    speed: float = 1.0
    unread: tuple[str, ...] = ()


def read(prompt: str) -> Reading:
    """Take an English sentence apart; of another language nothing is found."""
    moving, still, waiting = [], [], []
    clauses = _clauses(prompt)
    for clause in clauses:
        things = _stilled(clause)
        if things is not None:
            still += [*map(_bare, waiting), *things]
        elif not _found(_MOVES, clause):
            waiting.append(clause)  # "the boat and the clouds stay still": its verb comes later
            continue
        else:
            moving += [*waiting, clause]
        waiting = []
    moving += waiting
    ways = {way for clause in moving for way in _directions(clause)}
    unread = [kind for words, kind in _UNREAD if _found(words, " ".join(moving))]
    dropped = bool(still) or len(moving) < len(clauses)
    rewritten = dropped or _found(rf"{_EXCEPT}|(?:{_ALL}) but", prompt)
    return Reading(
        moving=" and ".join(moving) if rewritten else prompt,
        still=tuple(dict.fromkeys(filter(None, still))),
        direction=ways.pop() if len(ways) == 1 else None,
        speed=next((factor for words, factor in _SPEEDS if _found(words, prompt)), 1.0),
        unread=tuple(dict.fromkeys([*unread, *["directions"] * (len(ways) > 1)])),
    )


def _clauses(prompt: str) -> list[str]:
    """Clauses, what is an exception as one of its own."""
    text = prompt.strip()
    inside = re.fullmatch(
        rf"({_ALL}) (?:{_EXCEPT}|but) (.+?) ({_MOVES}.*|{_BE} .*)", text, re.IGNORECASE
    )
    if inside:  # everything but the boat moves
        text = f"{inside[1]} {inside[3]} except {inside[2]}"
    found = []
    for part in _BREAKS.split(re.sub(",? but not ", " except ", text)):
        if not part:
            continue
        head, *exceptions = re.split(rf"\s*\b{_EXCEPT}\b\s*", part)
        still = _stilled(head) if head else None
        if exceptions and (still or re.match("(?:nothing|none)\\b", head, re.IGNORECASE)):
            found += [f"{exception} moves" for exception in exceptions]  # nothing, except the water
            continue
        found += [head] if head else []
        found += [f"not {_with_article(exception)}" for exception in exceptions]
    return found


def _stilled(clause: str) -> tuple[str, ...] | None:
    """What a clause wants still, perhaps nothing that it names; None where it asks for motion."""
    clause = re.sub(rf"\b(?:{_UNCEASING})\b", "", clause, flags=re.IGNORECASE).strip(" ,")
    both = re.fullmatch(rf"neither (.+) nor (.+?)(?: {_MOVES}.*)?", clause, re.IGNORECASE)
    if both:
        return tuple(map(_bare, both.groups()))
    if _found(
        rf"{_BE} still {_MOVES}|{_NOT} {_HOW}{_STILL}|(?:nothing|none)(?: \w+)? {_HOW}{_STILL}",
        clause,
    ):
        return None
    for pattern in _STILLNESS:
        found = re.fullmatch(pattern, clause, re.IGNORECASE)
        if found and not re.match("(?:nothing|none)\\b", found["thing"], re.IGNORECASE):
            return (_bare(found["thing"]),)
    return None


def _directions(clause: str) -> set[tuple[int, int]]:
    """Every way that a clause names: where to, or against where from."""
    clause = re.sub(rf"\b(?:{_TO_AND_FRO})\b", "", clause, flags=re.IGNORECASE)
    found = set()
    for (x, y), words in _WHERE.items():
        place = rf"(?:the )?(?:{words})\b(?! (?:bank|hand|tree|boat|house|of)\b)"
        alone = (
            rf"{_MOVES} (?:\w+ly )?{_WARDS[x, y]}(?=$| (?:across|over|past|along|through|\w+ly)\b)"
        )
        if _found(rf"{_WARDS[x, y]}wards?|(?:to|towards?) {place}|{alone}", clause):
            found.add((x, y))
        elif _found(rf"from {place}(?!.*\bto\b)", clause):
            found.add((-x, -y))
    return found


def _found(words: str, text: str) -> bool:
    return re.search(rf"\b(?:{words})(?!\w)", text, re.IGNORECASE) is not None


def _bare(thing: str) -> str:
    """A thing without what stands around it in its clause."""
    thing = re.sub(
        r"^(?:let|make|have|please|all of|both)\s+", "", thing.strip(" ,"), flags=re.IGNORECASE
    )
    thing = re.sub(r"\s+(?:that|which|who)$", "", thing, flags=re.IGNORECASE)
    return (
        "everything"
        if re.fullmatch("(?:any )?(?:motion|movement|thing)s?|anything", thing)
        else thing
    )


def _with_article(thing: str) -> str:
    return thing if _found("the|a|an|its|his|her|their", thing.split()[0]) else f"the {thing}"
