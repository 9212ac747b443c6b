"""Connections that say nothing are closed, which uvicorn does not do by itself."""

from __future__ import annotations

from asyncio import Transport
from typing import Any

import uvicorn

HEADER_SECONDS = 10.0  # from the first byte of a request, or none, to the end of its headers


def close_idle(config: uvicorn.Config) -> None:
    """Let a server's further connections be impatient. ``config`` has been loaded."""
    config.http_protocol_class = _impatient(config.http_protocol_class)


def _impatient(protocol: type) -> type:
    class Impatient(protocol):
        """Closes a connection whose headers do not arrive, and keeps the address that it is from:
        further in, a proxy's word may stand in its place."""

        def connection_made(self, transport: Transport) -> None:
            super().connection_made(transport)
            self.app_state = {**self.app_state, "peer": self.client}
            self._expect_headers()

        def data_received(self, data: bytes) -> None:
            if self.cycle is None or self.cycle.response_complete:
                self._expect_headers()
            super().data_received(data)

        def _expect_headers(self) -> None:
            self.loop.call_later(HEADER_SECONDS, self._give_up, self.cycle)

        def _give_up(self, before: Any) -> None:
            if self.cycle is before and not self.transport.is_closing():
                self.transport.close()

    return Impatient
