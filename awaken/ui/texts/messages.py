"""What arises below the page, in the language that is being spoken (tables: ``below_zh``).

Rooms below speak English. The page passes whatever it shows of theirs through ``tell``; what the
table does not know stays English, for a sentence in the wrong language is better than none.
"""

from __future__ import annotations

import functools
import re

from awaken.ui.texts.languages import current_language
from awaken.ui.texts.messages_zh import SENTENCES

_BLANK = re.compile(r"\{(\w+)\}")
_LIST = ", "


def translate(sentence: str) -> str:
    """A sentence or a name from below, in the spoken language where that is known."""
    return sentence if current_language() == "en" else _in_chinese(sentence)


def _in_chinese(sentence: str) -> str:
    if sentence in SENTENCES:
        return SENTENCES[sentence]
    for pattern, chinese in _patterns():
        found = pattern.fullmatch(sentence)
        if found:
            return chinese.format(
                **{name: _filling(text) for name, text in found.groupdict().items()}
            )
    return sentence


def _filling(text: str) -> str:
    """What stood in a blank; lists are told word by word."""
    told = _in_chinese(text)
    if told == text and _LIST in text:
        parts = text.split(_LIST)
        told_parts = [SENTENCES.get(part, part) for part in parts]
        return "、".join(told_parts) if told_parts != parts else text
    return told


@functools.cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Templates with blanks as expressions, those with the most words of their own first."""
    templates = sorted(
        (english for english in SENTENCES if _BLANK.search(english)),
        key=lambda english: -len(_BLANK.sub("", english)),
    )
    return [(re.compile(_expression(t), re.DOTALL), SENTENCES[t]) for t in templates]


def _expression(template: str) -> str:
    parts = _BLANK.split(template)  # text, name, text, name, ..., text
    return "".join(
        f"(?P<{part}>.*?)" if index % 2 else re.escape(part) for index, part in enumerate(parts)
    )
