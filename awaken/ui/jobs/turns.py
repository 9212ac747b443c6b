"""Whose turn it is: turns go round between clients."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence

from awaken.ui.jobs.client import Client, has_room, levels
from awaken.ui.jobs.job import Job

MAX_BYTES = 1 << 30  # of the pictures that waiting jobs hold; half of it for one address
REMEMBERED = 4096  # clients whose last turn is known


class Turns:
    """The order in which waiting jobs begin.

    On each level of the clients' paths (``awaken.ui.jobs.client``) the one comes next whose last turn
    is the longest ago, and who never had one before everybody who had; among equals the first come.
    """

    def __init__(self) -> None:
        self._last: OrderedDict[Client, int] = OrderedDict()
        self._count = 0

    def order(self, waiting: Iterable[Job]) -> list[Job]:
        """The jobs as they would begin if nobody else came."""
        left, found, last, count = list(waiting), [], dict(self._last), self._count
        while left:
            job = min(left, key=lambda job: [last.get(level, 0) for level in levels(job.client)])
            left.remove(job)
            found.append(job)
            count += 1
            last |= dict.fromkeys(levels(job.client), count)
        return found

    def take(self, job: Job) -> None:
        """It is this job's turn."""
        self._count += 1
        for level in levels(job.client):
            self._last[level] = self._count
            self._last.move_to_end(level)
        while len(self._last) > REMEMBERED:
            self._last.popitem(last=False)


def fits(waiting: Sequence[Job], client: Client, size: int) -> bool:
    """Whether one more job of this client, with so many bytes of pictures, may wait beside these."""
    taken = Counter(level for job in waiting for level in levels(job.client))
    own = sum(job.size for job in waiting if job.client[:1] == client[:1])
    held = sum(job.size for job in waiting)
    few = has_room(client, taken)
    return few and held + size <= MAX_BYTES and own + size <= MAX_BYTES // 2
