"""Wrong passwords cost time: after a few of them each next answer comes late, and few may be waited for.

While an address waits for as many as it may, not even the right password is looked at, or whoever
tries many at once would soon meet it. A browser that has been let in before carries a proof of it
and is never turned away, whoever guesses from the same address.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from http.cookies import CookieError, SimpleCookie

import anyio

from awaken.ui.jobs.client import Client, levels

FREE = 10  # wrong passwords of one client that cost nothing
FREE_OF_PROXY = 60  # of all clients behind one address
LATE = 0.5  # s that the answer to a further one takes
AT_ONCE = 4  # late answers of one address at a time
FORGIVEN = 30.0  # s after which one wrong password is forgotten
REMEMBERED = 4096  # clients whose guesses are counted
COOKIE = "awaken-known"


class Guesses:
    """What was guessed, by client. ``clock`` and ``sleep`` are for tests."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ):
        self._clock, self._sleep = clock, sleep
        self._wrong: OrderedDict[Client, tuple[float, float]] = OrderedDict()  # guesses, when
        self._late: Counter[Client] = Counter()
        self._proof = secrets.token_urlsafe(24)

    def too_many(self, client: Client, cookies: str) -> bool:
        """Whether this client's password is not looked at now. cookies: of the request."""
        known = self._proof in _values(cookies)
        return not known and any(self._late[at] >= AT_ONCE for at in levels(client))

    async def wrong(self, client: Client) -> None:
        """The client has guessed wrong; comes back when it may be told so."""
        costly = [at for at in levels(client) if self._count(at) >= _free(at, client)]
        for at in levels(client):
            self._wrong[at] = self._count(at) + 1, self._clock()
            self._wrong.move_to_end(at)
        while len(self._wrong) > REMEMBERED:
            self._wrong.popitem(last=False)
        if costly:
            self._late.update(costly)
            try:
                await self._sleep(LATE)
            finally:
                self._late.subtract(costly)
                self._late += Counter()  # forgets the zeros

    def proof(self, cookies: str) -> str | None:
        """The cookie for a client that was right, None where it has it."""
        if self._proof in _values(cookies):
            return None
        return f"{COOKIE}={self._proof}; Path=/; HttpOnly; SameSite=Lax"

    def _count(self, client: Client) -> float:
        count, when = self._wrong.get(client, (0.0, 0.0))
        return max(0.0, count - (self._clock() - when) / FORGIVEN)


def _free(at: Client, client: Client) -> int:
    return FREE if at == client else FREE_OF_PROXY


def _values(cookies: str) -> list[str]:
    try:
        return [part.value for name, part in SimpleCookie(cookies).items() if name == COOKIE]
    except CookieError:
        return []
