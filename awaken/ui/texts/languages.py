"""The languages of the page: each is a page of its own on one server, over one queue.

``say`` (``awaken.ui.texts``) answers in the language that is being spoken. While a page is built
that is the page's; afterwards every handler of a page runs in its language
(``awaken.ui.page.language_switch.keep_language``), on whatever thread Gradio runs it. A thread of
one's own starts with ``contextvars.copy_context().run``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

PATHS: dict[str, str] = {"en": "", "zh": "zh"}  # language -> where its page is, below the root
LABORATORIES: dict[str, str] = {"en": "lab", "zh": "zh-lab"}  # the same for the laboratory
TAGS: dict[str, str] = {"en": "en", "zh": "zh-CN"}  # language -> what <html lang> says
NAMES: dict[str, str] = {"en": "English", "zh": "中文"}  # each in its own words
_spoken: ContextVar[str] = ContextVar("spoken", default="en")


def current_language() -> str:
    """The language being spoken: a key of ``PATHS``."""
    return _spoken.get()


def language_of(path: str) -> str | None:
    """The language of the page below this path; None for what is no page of ours."""
    for pages in (PATHS, LABORATORIES):
        for language, where in pages.items():
            if where == path:
                return language
    return None


@contextmanager
def use_language(language: str) -> Iterator[None]:
    """Speak ``language`` inside the block."""
    before = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(before)


def join_sentences(*sentences: str) -> str:
    """Sentences one after the other, as the spoken language sets them."""
    return ("" if current_language() == "zh" else " ").join(filter(None, sentences))
