"""One page in every language: the way from one to the other, and handlers that keep to theirs."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, closing
from typing import Any

import gradio as gr

from awaken.ui.texts import say
from awaken.ui.texts.languages import NAMES, TAGS, current_language, language_of, use_language
from awaken.ui.viewer.parts import part


def language_switch(pages: Mapping[str, str], other: str, to: str) -> gr.HTML:
    """The ways to this page in the other languages, and to one other page of ours.

    pages: language -> where this page is; other: the name of the other page; to: where that is.
    """
    here = current_language()
    return part(
        "languages",
        '<nav class="aw-languages"></nav>',
        [
            {"path": path or "./", "tag": TAGS[name], "name": NAMES[name], "here": name == here}
            for name, path in pages.items()
        ],
        other={"path": to or "./", "name": other},
        words={"label": say("pages"), "offer": say("language_offer"), "title": say("title")},
    )


def keep_language(demo: gr.Blocks) -> None:
    """Let every handler of a built page speak the language of the page it belongs to."""
    for event in demo.fns.values():
        language = language_of(event.page) or "en"
        if event.fn is not None and language != "en":
            event.fn = in_language(language, event.fn)


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
