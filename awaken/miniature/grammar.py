"""English for stillness, direction and pace, as regular expressions; ``reading`` puts them to use."""

from __future__ import annotations

import re

# Where things go, x to the right, y down: the words for the place, and those that end in -wards.
WHERE = {
    (-1, 0): "left", (1, 0): "right", (0, -1): "up|top|above|sky|heavens", (0, 1): "down|bottom|below",
}  # fmt: skip
WARDS = {(-1, 0): "left", (1, 0): "right", (0, -1): "up", (0, 1): "down"}
CORNERS = {
    (x, y): rf"(?:{row})[ -]{column}"
    for y, row in ((-1, "upper|top"), (1, "lower|bottom"))
    for x, column in ((-1, "left"), (1, "right"))
}
TO_AND_FRO = (
    r"up and down|down and up|back and forth|to and fro|(?:from )?side to side|left and right"
)
# Things whose way up or down is their own, and not everybody's.
BY_ITSELF = (
    r"(?:smoke|steam|mist|fog|haze|sparks?|embers?|flames?|snow\w*|rain\w*|leaves|petals|blossoms?|"
    r"waterfalls?|cascades?)"
)
# What is understood and cannot be done.
UNREAD: tuple[tuple[str, str], ...] = (
    (r"(?:towards?|to|at) (?:us|me|you|the (?:viewer|camera|spectator|front))", "depth"),
    (r"closer|nearer|into the (?:distance|depth)", "depth"),
    (r"(?:north|south|east|west)(?:wards?)?(?! (?:wind|side|bank|shore|coast))", "compass"),
    (r"(?:(?:anti|counter)-?)?clockwise", "rotation"),
)

_AT = r"(?:in|at) (?:a )?"
_FAST = (
    "fast(?:er)?|quick(?:ly|er)?|swift(?:ly)?|rapid(?:ly)?|brisk(?:ly)?|speed(?:ily|y)|hurriedly|"
    rf"strongly|{_AT}(?:high|great|full|fast) (?:speed|pace)"
)
_SLOW = (
    rf"{_AT}(?:slow|low) (?:motion|speed|pace)|slow(?:ly|er)?(?:[ -]moving)?|lazily|sluggishly|"
    "leisurely|calmly"
)
_SOFT = "gently|softly|quietly|slightly"
_WILD = "violently|furiously|wildly|madly"
_VERY = "very|extremely|really|so|too"
# Factors on the motion, the first that is found counts. Short waves are measured to lose, in optical
# flow, only half as much as they are slowed: so "slowly" is well under the seven tenths it should be.
SPEEDS: tuple[tuple[str, float], ...] = (
    (rf"(?:{_VERY}) (?:{_SLOW}|{_SOFT})|barely|hardly", 0.22),
    (rf"not (?:(?:{_VERY}) )*(?:{_FAST}|{_WILD})", 0.38),
    (rf"not (?:(?:{_VERY}) )*(?:{_SLOW}|{_SOFT})", 1.9),
    (_SLOW, 0.38),
    (rf"{_SOFT}|a little|a bit", 0.45),
    (rf"(?:{_VERY}) (?:{_FAST})", 2.4),
    (_WILD, 2.1),
    (_FAST, 1.9),
)

_BE = (
    "(?:is|are|be|stays?|staying|remains?|remaining|keeps?|keeping|stands?|standing|lies?|rests?|"
    "sits?|holds?|hangs?)"
)
_STILL = (
    "(?:still|calm|motionless|unmoving|unmoved|immobile|stationary|frozen|fixed|static|unchanged|"
    "at rest|in place|put|quiet|(?:as|where) (?:it|they) (?:is|are))"
)
_HOW = "(?:(?:very|quite|completely|perfectly|absolutely|totally|all|always) )*"
MOVES = (
    "(?:(?:mov|drift|float|flow|roll|ris|sway|swirl|rippl|sail|glid|fall|fly|flies|flicker|burn|wav|"
    "blow|bend|pour|rush|run|stream|surg|heav|twinkl|shimmer|glitter|glow|smok|danc|rotat|turn|spin|"
    "rock|pitch|bob|trembl|flutter|shak|swing|crash|break|creep|gather|rac|pass|sweep|shift|chang|"
    "animat|stir|churn|walk|curl|billow|spread|shin|puls|budg)[a-z]*|comes?|coming|goe?s?|going)"
)
_NOT = (
    "(?:(?:do|does|did|is|are|should|must|may|will|can) ?(?:not|n['’]?t)|don['’]?t|won['’]?t|"
    "cannot|can['’]t|never|no longer|not)"
)
_ARTICLE = "(?:the|a|an|any|its|his|her|their)"
_CEASE = "(?:ever )?(?:stop|ceas|rest|paus|end|interrupt)[a-z]*"
UNCEASING = rf"{_NOT} (?:{_CEASE}|(?:stand|stay)[a-z]* still)|without {_CEASE}"
MOVED = (  # words of stillness that ask for motion
    rf"{_BE} still {MOVES}|{_NOT} {_HOW}{_STILL}|(?:nothing|none)(?: \w+)? {_HOW}{_STILL}"
)
ALL_STILL = (  # whole clauses that ask for it of everything
    rf"(?:nothing|none)(?: at all)? {MOVES}|(?:{_BE} )?{_HOW}(?:still|motionless|frozen|static)|"
    rf"{_NOT} {MOVES}"
)
STILLNESS = (  # clauses that ask for it, the thing in its group
    rf"{_NOT} (?:let|make|have|allow) (?P<thing>.+?) (?:to )?{MOVES}.*",
    rf"{_NOT} (?:(?:{MOVES}|touch|disturb) )?(?P<thing>{_ARTICLE}\b.+)",
    rf"(?:avoid|prevent)(?:ing)? (?:any )?{MOVES} (?P<thing>.+)",
    rf"(?P<thing>){_NOT} (?:be )?{MOVES}.*",  # of what moves otherwise: "and do not break"
    rf"(?P<thing>.+?) {_NOT}(?: (?:be )?{MOVES}.*| do)?",
    rf"(?P<thing>.+?) (?:must|should|shall|may|will|has to|have to) {_BE} {_HOW}{_STILL}.*",
    rf"(?P<thing>.+?) {_BE} {_HOW}{_STILL}(?: .*)?",
    r"(?P<thing>(?:(?! (?:is|are|at|a) ).)+?) (?:rests?|freezes?|pauses?|(?:stops?|ceases?)(?: \w+ing)?)",
    rf"(?:keep|leave|hold|freeze|fix)s? (?P<thing>.+?) {_HOW}{_STILL}(?: .*)?",
    r"leave (?P<thing>.+?) (?:alone|be)",
    r"(?:freeze|stop) (?P<thing>.+)",
    rf"(?:there (?:is|are) )?(?:no|without(?: any)?) (?P<thing>.+?)(?: {MOVES}.*)?",
    rf"(?:the |a |an )?{_STILL} (?P<thing>(?!life\b)\w+)",
    rf"(?P<thing>(?:(?!\b{MOVES}\b).)+?) {_HOW}{_STILL}",
)
NEITHER = rf"neither (.+) nor (.+?)(?: {MOVES}.*)?"
# What is said to be still and is nothing to be found in a picture, or all that is left.
NOTHING_SEEN = (
    r"(?:(?:everything|nothing|anything|all|everyone) else|the (?:rest|remainder)\b.*|"
    r"(?:the |any )?(?:wind|breeze|gale|storm|camera|light|sound|noise)s?)"
)
MOTION = "(?:any )?(?:motion|movement|thing)s?|anything|everything|all|it|they|them"

BREAKS = re.compile(
    r"\s*(?:[.;:!?()\n]+|,|\b(?:while|whereas|although|though|then|yet)\b)\s*(?:(?:and|but)\b)?\s*|"
    r"\s+(?:and|but|as)\s+(?!(?:forth|fro|down|up|right|it is|they are)\b)|"
    rf"\s+(?=without\b(?! {_CEASE}))",
    re.IGNORECASE,
)
EXCEPT = (
    "(?:except(?:ing)?(?: for)?|apart from|other than|save for|instead of|rather than|"
    "with the exception of)"
)
ALL = "(?:everything|all|the (?:whole )?(?:picture|painting|scene)|nothing|none)"
# Turns of phrase, each with what it is read as.
REWORDED: tuple[tuple[str, str], ...] = (
    (rf"{_NOT} (?:be )?({MOVES}) (?:(?:{_VERY}) )?(?:{_FAST}|{_WILD})", r"\1 slowly"),
    (rf"{_NOT} (?:be )?({MOVES}) (?:(?:{_VERY}) )?(?:{_SLOW})", r"\1 fast"),
    (rf"([^,.;]+?), (?:but )?not ({_ARTICLE} [\w ]+?), ({MOVES}[^,.;]*)", r"\1 \3 except \2"),
    (rf"({ALL}) (?:{EXCEPT}|but) ([^,.;]+?) ({MOVES}.*|{_BE} .*)", r"\1 \3 except \2"),
    (r",? but not ", " except "),
    (r"\bplease,? ", ""),
    (r"(no|without|without any) (?:motion|movement) (?:in|of|on|for) ", r"\1 "),
)
# Only the networks read these: they learnt where things go to, not where they come from.
ONWARDS = tuple(
    (rf"from (?:the )?{come}(?:[ -]hand)?(?: side)?\b(?!.*\bto\b)", f"to the {go}")
    for come, go in (("left", "right"), ("right", "left"))
)
