"""The languages of the page: each is a page of its own on one server, over one queue.

``say`` (``awaken.ui.texts``) answers in the language that is being spoken. While a page is built
that is the page's; afterwards every handler of a page runs in its language (``keep``), on whatever
thread Gradio runs it. A thread of one's own starts with ``contextvars.copy_context().run``.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing, contextmanager
from contextvars import ContextVar
from typing import Any

import gradio as gr
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATHS: dict[str, str] = {"en": "", "zh": "zh"}  # language -> where its page is, below the root
TAGS: dict[str, str] = {"en": "en", "zh": "zh-CN"}  # language -> what <html lang> says
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


def together(*sentences: str) -> str:
    """Sentences one after the other, as the spoken language sets them."""
    return ("" if spoken() == "zh" else " ").join(filter(None, sentences))


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

    @functools.wraps(fn)
    async def sights(*args: Any, **keywords: Any) -> AsyncIterator[Any]:
        with speaking(language):
            watching = fn(*args, **keywords)
        async with aclosing(watching):
            while True:
                with speaking(language):
                    try:
                        sight = await anext(watching)
                    except StopAsyncIteration:
                        return
                yield sight

    @functools.wraps(fn)
    async def awaited(*args: Any, **keywords: Any) -> Any:
        with speaking(language):
            return await fn(*args, **keywords)

    if inspect.isasyncgenfunction(fn):
        return sights
    if inspect.iscoroutinefunction(fn):
        return awaited
    return steps if inspect.isgeneratorfunction(fn) else answer


class HtmlLanguage:
    """Middleware: the HTML of each page names its language, and Gradio's own words follow it.

    Gradio serves every page as English and takes its words from the browser's language; a page in
    one language with buttons in another reads badly, and screen readers mispronounce it.
    """

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "").removeprefix(scope.get("root_path", "")).strip("/")
        language = next((name for name, where in PATHS.items() if where == path), None)
        if scope["type"] != "http" or language is None:
            return await self.app(scope, receive, send)
        start: Message = {}

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            if start:  # the page comes in one piece
                body = _named(message.get("body", b""), TAGS[language])
                headers = [(k, v) for k, v in start["headers"] if k != b"content-length"]
                if not message.get("more_body"):
                    headers.append((b"content-length", str(len(body)).encode()))
                await send(start | {"headers": headers})
                start.clear()
                message = message | {"body": body}
            await send(message)

        await self.app(scope, receive, answer)


def _named(html: bytes, tag: str) -> bytes:
    own = f'<script>Object.defineProperty(navigator, "language", {{ value: "{tag}" }});</script>'
    html = html.replace(b'lang="en"', f'lang="{tag}"'.encode(), 1)
    return html.replace(b"<head>", b"<head>" + own.encode(), 1)
