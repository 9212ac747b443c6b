"""The languages of the page: each is a page of its own on one server, over one queue.

``say`` (``awaken.ui.texts``) answers in the language that is being spoken. While a page is built
that is the page's; afterwards every handler of a page runs in its language (``keep``), on whatever
thread Gradio runs it. A thread of one's own starts with ``contextvars.copy_context().run``.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from contextvars import ContextVar
from typing import Any

import gradio as gr

PATHS: dict[str, str] = {"en": "", "zh": "zh"}  # language -> where its page is, below the root
TAGS: dict[str, str] = {"en": "en", "zh": "zh-Hans"}  # language -> what <html lang> says
NAMES: dict[str, str] = {"en": "English", "zh": "中文"}  # each in its own words
_spoken: ContextVar[str] = ContextVar("spoken", default="en")


def spoken() -> str:
    """The language being spoken: a key of ``PATHS``."""
    return _spoken.get()


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak ``language`` inside the block."""
    before = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(before)


def keep(demo: gr.Blocks) -> None:
    """Let every handler of a built page speak the language of the page it belongs to."""
    language = {path: name for name, path in PATHS.items()}
    for event in demo.fns.values():
        if event.fn is not None and language[event.page] != "en":
            event.fn = in_language(language[event.page], event.fn)


def in_language(language: str, fn: Callable[..., Any]) -> Callable[..., Any]:
    """``fn`` in that language; a generator speaks it at every step, whichever thread takes it."""

    @functools.wraps(fn)
    def answer(*args: Any, **keywords: Any) -> Any:
        with speaking(language):
            return fn(*args, **keywords)

    @functools.wraps(fn)
    def steps(*args: Any, **keywords: Any) -> Iterator[Any]:
        with closing(fn(*args, **keywords)) as moments:
            while True:
                with speaking(language):
                    try:
                        moment = next(moments)
                    except StopIteration:
                        return
                yield moment

    return steps if inspect.isgeneratorfunction(fn) else answer
