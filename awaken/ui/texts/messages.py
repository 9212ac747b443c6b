"""What arises below the page, in the language that is being spoken.

Rooms below speak English: they raise and yield a ``Message``, which keeps its template. The page
passes whatever it shows of theirs through ``translate``, by a catalogue of gettext's (``zh.po``).
What a catalogue does not know stays English: the wrong language is better than no sentence.
"""

from __future__ import annotations

import functools
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from awaken.message import Message
from awaken.ui.texts.languages import current_language
from awaken.ui.texts.places import without_places

_SEPARATORS = {"zh": "、"}  # between values that are listed


def translate(text: str) -> str:
    """A sentence or a name from below, in the spoken language where that is known; no place on this
    server is in it."""
    language = current_language()
    if language == "en":
        return without_places(str(text))
    message = text if isinstance(text, Message) else Message(text)
    known = catalogue(language)

    def entry(template: str) -> str:
        found = known.get(template) if template else None
        return (found and found.string) or template

    return without_places(message.translated(entry, _SEPARATORS[language]))


@functools.cache
def catalogue(language: str) -> Catalog:
    """English templates and what they are in ``language``."""
    with (Path(__file__).parent / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)
