"""Whether somebody reads what an event says: Gradio begins events whose stream nobody opens.

A work that costs something begins only once its stream is open (``Streams.opened``), and waits for
that no longer than for a viewer who has left.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs

import anyio
from gradio.context import LocalContext
from starlette.types import ASGIApp, Receive, Scope, Send

from awaken.ui.jobs.client import Client, address_of, has_room, levels

_LOOK = 0.02, 0.5  # s between two looks, at first and at last
_CALL = re.compile(r"/gradio_api/call/(?:v2/)?[^/]+/([^/]+)")
_PAGE = "/gradio_api/queue/data"


class Streams:
    """The streams that are open at this moment, by the session or the event that they belong to."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()
        self._unread: Counter[Client] = Counter()

    def watched(self, app: ASGIApp) -> ASGIApp:
        """The app, with an eye on its streams."""

        async def watching(scope: Scope, receive: Receive, send: Send) -> None:
            key = _key(scope) if scope["type"] == "http" and scope["method"] == "GET" else None
            if key is None:
                return await app(scope, receive, send)
            self._open[key] += 1
            try:
                await app(scope, receive, send)
            finally:
                self._open[key] -= 1
                if not self._open[key]:
                    del self._open[key]

        return watching

    async def opened(self, seconds: float) -> bool:
        """Wait for the stream of the event that is being handled, at most so long."""
        request = LocalContext.request.get(None)
        if request is None:  # not an event of Gradio's: whoever called reads the answer
            return True
        keys = {request.session_hash, _event()} - {None}
        client, pause = current_client(), _LOOK[0]
        end = time.monotonic() + (seconds if has_room(client, self._unread) else 0.0)
        with self._counted(client):
            while not keys & self._open.keys():
                if time.monotonic() >= end:
                    return False
                await anyio.sleep(pause)
                pause = min(1.5 * pause, _LOOK[1])
        return True

    @contextmanager
    def _counted(self, client: Client) -> Iterator[None]:
        self._unread.update(levels(client))
        try:
            yield
        finally:
            self._unread.subtract(levels(client))
            self._unread += Counter()  # forgets the zeros


def current_client() -> Client:
    """Who sent the event that is being handled; () outside of one."""
    request = LocalContext.request.get(None)
    if request is None:
        return ()
    session = (request.session_hash,) if request.session_hash else ("", str(_event()))
    return (*address_of(request.request.scope), *session)


def _event() -> str | None:
    return LocalContext.event_id.get(None)


def _key(scope: Scope) -> str | None:
    path = scope["path"]
    if path.endswith(_PAGE):
        told = parse_qs(scope["query_string"].decode("latin-1")).get("session_hash")
        return told[0] if told else None
    found = _CALL.search(path)
    return found[1] if found else None
