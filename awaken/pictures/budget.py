"""How much memory pictures may take while they are decoded, over all visitors together."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from awaken.message import Message
from awaken.types import RequestError

BYTES = 1_300_000_000  # decoded at once; a picture that needs more has all of it, alone
WAITING = 8  # pictures that may wait for their share, each on a thread of the page
PATIENCE = 30.0  # seconds that each of them waits

_BUSY = Message(
    "Several large pictures are being opened at this moment: try again in half a minute."
)


class Budget:
    """A semaphore that counts bytes. Small pictures pass while a large one waits."""

    def __init__(self, size: int = BYTES, waiting: int = WAITING, patience: float = PATIENCE):
        self._size, self._free = size, size
        self._places, self._patience = waiting, patience
        self._changed = threading.Condition()

    @contextmanager
    def held(self, wanted: int) -> Iterator[None]:
        """Hold ``wanted`` bytes. Raises RequestError when too many wait, or for too long."""
        wanted = min(wanted, self._size)
        with self._changed:
            if self._free < wanted:
                self._wait_for(wanted)
            self._free -= wanted
        try:
            yield
        finally:
            with self._changed:
                self._free += wanted
                self._changed.notify_all()

    def _wait_for(self, wanted: int) -> None:
        if self._places == 0:
            raise RequestError(_BUSY)
        self._places -= 1
        try:
            if not self._changed.wait_for(lambda: self._free >= wanted, self._patience):
                raise RequestError(_BUSY)
        finally:
            self._places += 1


DECODING = Budget()
