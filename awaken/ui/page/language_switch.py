"""One page in every language: the way from one to the other, and handlers that keep to theirs."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing
from typing import Any

import gradio as gr

from awaken.ui.texts import say
from awaken.ui.texts.languages import NAMES, PATHS, TAGS, current_language, use_language
from awaken.ui.viewer.parts import part


def language_switch() -> gr.HTML:
    """The way to this page in the other languages, with the settings of its own address."""
    here = current_language()
    return part(
        "languages",
        '<nav class="aw-languages"></nav>',
        [
            {"path": path or "./", "tag": TAGS[name], "name": NAMES[name], "here": name == here}
            for name, path in PATHS.items()
        ],
        words={"label": say("languages"), "offer": say("language_offer"), "title": say("title")},
    )


def keep_language(demo: gr.Blocks) -> None:
    """Let every handler of a built page speak the language of the page it belongs to."""
    language = {path: name for name, path in PATHS.items()}
    for event in demo.fns.values():
        if event.fn is not None and language[event.page] != "en":
            event.fn = in_language(language[event.page], event.fn)


def in_language(language: str, fn: Callable[..., Any]) -> Callable[..., Any]:
    """``fn`` in that language; a generator speaks it at every step, whichever thread takes it."""

    @functools.wraps(fn)
    def answer(*args: Any, **keywords: Any) -> Any:
        with use_language(language):
            return fn(*args, **keywords)

    @functools.wraps(fn)
    def steps(*args: Any, **keywords: Any) -> Iterator[Any]:
        with closing(fn(*args, **keywords)) as moments:
            while True:
                with use_language(language):
                    try:
                        moment = next(moments)
                    except StopIteration:
                        return
                yield moment

    @functools.wraps(fn)
    async def updates(*args: Any, **keywords: Any) -> AsyncIterator[Any]:
        with use_language(language):
            watching = fn(*args, **keywords)
        async with aclosing(watching):
            while True:
                with use_language(language):
                    try:
                        update = await anext(watching)
                    except StopAsyncIteration:
                        return
                yield update

    @functools.wraps(fn)
    async def awaited(*args: Any, **keywords: Any) -> Any:
        with use_language(language):
            return await fn(*args, **keywords)

    if inspect.isasyncgenfunction(fn):
        return updates
    if inspect.iscoroutinefunction(fn):
        return awaited
    return steps if inspect.isgeneratorfunction(fn) else answer
