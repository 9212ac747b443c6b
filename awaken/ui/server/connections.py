"""Connections that say nothing are closed, one address has no more than its share, and what uvicorn
answers by itself carries the border's headers."""

from __future__ import annotations

import ipaddress
from asyncio import Transport
from collections import Counter
from typing import Any

import uvicorn

from awaken.ui.server.security import ALWAYS, SANDBOX

HEADER_SECONDS = 10.0  # from the first byte of a request, or none, to the end of its headers
MOST = 64  # connections of one address at once: some browsers' worth
MOST_NEAR = 512  # of one near by: a proxy of this machine or its network may stand for everybody


def close_idle(config: uvicorn.Config) -> None:
    """Let a server's further connections be impatient and counted. ``config`` has been loaded."""
    config.http_protocol_class = _impatient(config.http_protocol_class)


def _impatient(protocol: type) -> type:
    taken: Counter[str] = Counter()

    class Impatient(protocol):
        """Closes a connection whose headers do not arrive, and keeps the address that it is from:
        further in, a proxy's word may stand in its place."""

        def connection_made(self, transport: Transport) -> None:
            super().connection_made(transport)
            self.app_state = {**self.app_state, "peer": self.client}
            self.address = self.client[0] if self.client else ""
            taken[self.address] += 1
            if taken[self.address] > _most(self.address):
                self._end("503 Service Unavailable", "Too many connections from your address.\n")
            else:
                self._expect_headers()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            taken[self.address] -= 1
            if not taken[self.address]:
                del taken[self.address]

        def data_received(self, data: bytes) -> None:
            if self.cycle is None or self.cycle.response_complete:
                self._expect_headers()
            super().data_received(data)

        def send_400_response(self, msg: str) -> None:
            """The answer to what is no request, in uvicorn's place."""
            self._end("400 Bad Request", "That is no request.\n")

        def _expect_headers(self) -> None:
            self.loop.call_later(HEADER_SECONDS, self._give_up, self.cycle)

        def _give_up(self, before: Any) -> None:
            if self.cycle is before and not self.transport.is_closing():
                self.transport.close()

        def _end(self, status: str, words: str) -> None:
            headers = ALWAYS | {
                "Content-Type": "text/plain; charset=utf-8",
                "Content-Length": str(len(words)),
                "Connection": "close",
                "Content-Security-Policy": f"{SANDBOX}; frame-ancestors 'self'",
            }
            lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers.items())]
            self.transport.write("\r\n".join([*lines, "", words]).encode())
            self.transport.close()

    return Impatient


def _most(address: str) -> int:
    try:
        return MOST if ipaddress.ip_address(address).is_global else MOST_NEAR
    except ValueError:  # a local socket
        return MOST_NEAR
