"""Who holds which conversation with the MCP server: a bound for each client, and room for the next.

A conversation is idle while no message of it is being answered; one that only listens (GET) is too.
Where there is no room for a new one, the oldest idle one of its client is ended, or else of whoever
holds the most: that client is told so (404) and may begin again, as the protocol has it.
"""

from __future__ import annotations

from collections import Counter, OrderedDict

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from awaken.ui.jobs.client import Client, address_of, greediest

SESSION = "mcp-session-id"
MAX_SESSIONS = 200
PER_CLIENT = 20  # of them
_AGAIN = 60  # s


class Sessions:
    """ASGI layer before the protocol's own: keeps count, and ends what has to go.

    The app underneath names a new session in its answer and ends one that is sent a DELETE.
    """

    def __init__(self, app: ASGIApp, most: int = MAX_SESSIONS, each: int = PER_CLIENT):
        self._app = app
        self._most, self._each = most, each
        self._clients: OrderedDict[str, Client] = OrderedDict()  # the last that spoke is last
        self._speaking: Counter[str] = Counter()
        self._opening: Counter[Client] = Counter()  # sessions that are being opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        session, method = Headers(scope=scope).get(SESSION), scope["method"]
        if session is not None and method == "POST" and session in self._clients:
            await self._spoken(session, scope, receive, send)
        elif session is None and method == "POST":
            await self._opened(scope, receive, send)
        else:
            if method == "DELETE":
                self._clients.pop(session or "", None)
            await self._app(scope, receive, send)

    async def _spoken(self, session: str, scope: Scope, receive: Receive, send: Send) -> None:
        async def noticed(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 404:
                self._clients.pop(session, None)  # it has expired
            await send(message)

        self._clients.move_to_end(session)
        self._speaking[session] += 1
        try:
            await self._app(scope, receive, noticed)
        finally:
            self._speaking[session] -= 1
            if not self._speaking[session]:
                del self._speaking[session]

    async def _opened(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = address_of(scope)
        if not await self._room_for(client):
            refusal = PlainTextResponse(
                f"Too many conversations are open: try again in {_AGAIN} s.\n", 503,
                {"Retry-After": str(_AGAIN)},
            )  # fmt: skip
            return await refusal(scope, receive, send)

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:
                session = Headers(raw=message["headers"]).get(SESSION)
                if session:
                    self._clients[session] = client
            await send(message)

        self._opening[client] += 1
        try:
            await self._app(scope, receive, named)
        finally:
            self._opening[client] -= 1

    async def _room_for(self, client: Client) -> bool:
        own = {s: other for s, other in self._clients.items() if other == client}
        if len(own) + self._opening[client] >= self._each:
            idle = {s: client for s in own if s not in self._speaking}
            if not idle:
                return False
            await self._end(greediest(idle))
        if len(self._clients) >= self._most:
            idle = {s: other for s, other in self._clients.items() if s not in self._speaking}
            await self._end(greediest(idle or self._clients))
        return True

    async def _end(self, session: str) -> None:
        del self._clients[session]
        headers = [(SESSION.encode(), session.encode("latin-1"))]
        scope = {"type": "http", "method": "DELETE", "path": "/", "query_string": b"",
                 "headers": headers}  # fmt: skip

        async def nothing() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def unheard(message: Message) -> None:
            pass

        await self._app(scope, nothing, unheard)
