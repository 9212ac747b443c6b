"""What can be wrong with the environment, said before anything heavy is imported."""

from __future__ import annotations

import socket

from awaken.types import RequestError
from awaken.ui.server import file_cleanup
from awaken.ui.server.security import Rules


def check(host: str, port: int | None) -> None:
    """Whether a page can be served there. Raises RequestError with a sentence."""
    Rules.of(host)
    file_cleanup.limit()
    file_cleanup.visitors_folder()
    try:
        listen(host, port or 0).close()
    except OSError as error:
        where = f"{host}, port {port}" if port else host
        raise RequestError(
            "Cannot listen on {where} ({problem}). Choose another with --host and --port.",
            where=where,
            problem=error.strerror or str(error),
        ) from None


def listen(host: str, port: int) -> socket.socket:
    """A socket of the server. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=64)
