"""How much may be asked for: a share for each client, and no more files than the folder holds."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from awaken.ui.jobs.client import Client, address_of, levels
from awaken.ui.run.files import disk_words
from awaken.ui.server.file_cleanup import Room
from awaken.ui.texts import say

FILES = ("/gradio_api/upload", "/gradio_api/mcp")  # where files arrive
EVENTS = re.compile(r".*/gradio_api/(?:queue/join|call/.*)")  # what Gradio keeps until it is read
SHARE = 8  # a client may send this part of the folder's bound at once, and again every ...
MINUTES = 10
BURST, BURST_SECONDS = 256, 30.0  # events of one client at once, and the time for as many again
PROXY = 4  # shares of all clients behind one address together
REMEMBERED = 4096  # clients that are counted


class Share:
    """What clients took: each has ``most`` at once, and again every ``seconds``."""

    def __init__(self, most: float, seconds: float, clock: Callable[[], float]):
        self._most, self._seconds, self._clock = most, seconds, clock
        self._taken: OrderedDict[Client, tuple[float, float]] = OrderedDict()  # amount, when

    def late(self, client: Client) -> float:
        """Seconds until the client may take more, 0 for now. Whoever may, may take any amount."""
        over = (self._held(at, client) / self._of(at, client) - 1 for at in levels(client))
        return max(0.0, *over) * self._seconds

    def take(self, client: Client, amount: float) -> None:
        """The client takes so much."""
        for at in levels(client):
            self._taken[at] = self._held(at, client) + amount, self._clock()
            self._taken.move_to_end(at)
        while len(self._taken) > REMEMBERED:
            self._taken.popitem(last=False)

    def _of(self, at: Client, client: Client) -> float:
        return self._most * (1 if at == client else PROXY)

    def _held(self, at: Client, client: Client) -> float:
        """What was taken and not yet made up for."""
        amount, when = self._taken.get(at, (0.0, 0.0))
        made_up = self._of(at, client) * (self._clock() - when) / self._seconds
        return max(0.0, amount - made_up)


class Shares:
    """ASGI layer before the routes that take files, and those that begin events."""

    def __init__(self, app: ASGIApp, room: Room, clock: Callable[[], float] = time.monotonic):
        self._app = app
        self._room = room
        self._bytes = Share(room.most / SHARE, 60 * MINUTES, clock)
        self._events = Share(BURST, BURST_SECONDS, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].rstrip("/") if scope["type"] == "http" else ""
        if scope.get("method") == "POST" and path.endswith(FILES):
            await self._file(scope, receive, send)
        elif scope.get("method") == "POST" and EVENTS.fullmatch(path):
            await (self._event(address_of(scope)) or self._app)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _file(self, scope: Scope, receive: Receive, send: Send) -> None:
        client, size = address_of(scope), int(Headers(scope=scope).get("content-length", "-1"))
        if size < 0:  # no browser and no library sends a file without saying its size
            refusal = PlainTextResponse("Say how large it is (Content-Length).\n", 411)
        elif late := self._bytes.late(client):
            refusal = _later("uploads_many", 429, late)
        elif not await self._room.has(size):
            refusal = _later("disk_full", 507, 60.0)
        else:
            self._bytes.take(client, size)
            try:
                return await self._app(scope, receive, send)
            finally:
                self._room.here(size)
        await refusal(scope, receive, send)

    def _event(self, client: Client) -> PlainTextResponse | None:
        if late := self._events.late(client):
            return _later("events_many", 503, late)
        self._events.take(client, 1)
        return None


def _later(key: str, status: int, seconds: float) -> PlainTextResponse:
    return PlainTextResponse(say(key), status, {"Retry-After": str(max(1, round(seconds)))})


async def disk_refuses(request: Request, error: Exception) -> PlainTextResponse:
    """The answer where a file could not be written; other errors are the server's own."""
    words = disk_words(error)
    if words is None:
        raise error
    return PlainTextResponse(words, 507)
