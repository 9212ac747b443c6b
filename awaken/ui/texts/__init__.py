"""The texts of the page: ``say(key, **values)`` gives one in the language being spoken.

Sentences of lower rooms (errors, notices, model summaries) go through ``texts.messages``.
"""

from __future__ import annotations

from awaken.miniature import prompts_zh
from awaken.ui.texts import refusals
from awaken.ui.texts.languages import current_language
from awaken.ui.texts.page_en import ENGLISH
from awaken.ui.texts.page_zh import CHINESE

# No more than a glance takes in.
SUGGESTIONS: tuple[str, ...] = (
    "the clouds drift across the sky",
    "the water flows",
    "the trees sway in the wind",
)

LANGUAGES: dict[str, dict[str, str]] = {
    "en": ENGLISH | refusals.ENGLISH,
    "zh": CHINESE | refusals.CHINESE,
}


def say(key: str, **values: object) -> str:
    """The text called ``key`` with its blanks filled in."""
    text = LANGUAGES[current_language()][key]
    return text.format(**values) if values else text


def translated_prompt(prompt: str) -> str:
    """A prompt that the page offers, in the language that is being spoken."""
    return (current_language() == "zh" and prompts_zh.in_chinese(prompt)) or prompt


def suggestions() -> list[str]:
    """Prompts for a picture that has none of its own."""
    return [translated_prompt(prompt) for prompt in SUGGESTIONS]
