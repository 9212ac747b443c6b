"""A job: one visitor's work in the queue, and what a viewer sees of it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any

from awaken.types import AwakenError
from awaken.ui.jobs.client import Client

GRACE = 20.0  # s that a job goes on unwatched: a reload takes two
ARRIVAL = 5.0  # s that the first viewer has besides
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32,64}")


class QueueFull(AwakenError):
    """Too many jobs are waiting; the sentence says when to try again."""

    kind = "crowded"


@dataclass(eq=False)
class Job:
    """One visitor's work, waiting, under way or ended.

    Attributes:
        owner: the secret token of whom it belongs to; place: where on the page it is shown.
        work: makes the generator; its moments are what viewers see, and may have ``left``, the
            seconds until the end. None once the job has ended.
        seconds: its expected duration, None where nobody knows.
        note: whatever the submitter wants to find again. client: who sent it, for turns.
        size: bytes of pictures that it holds.
        state: waiting, running, done, stopped (by its owner), left (nobody watched), failed.
    """

    owner: str
    place: str
    work: Callable[[], Iterator[Any]] | None
    seconds: float | None = None
    note: Any = None
    client: Client = ()
    size: int = 0
    grace: float = GRACE
    merge: Callable[[Any, Any], Any] | None = None
    context: Context = field(default_factory=copy_context)  # the submitter's: its language
    state: str = "waiting"
    latest: Any = None
    whole: Any = None
    version: int = 0
    error: Exception | None = None
    changed: float = 0.0  # when it was submitted, began, ended: the last of these
    posted: float = 0.0
    alone_since: float = math.inf  # finite while nobody watches
    viewers: dict[object, Callable[[], None]] = field(default_factory=dict)

    @property
    def live(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ("waiting", "running")


@dataclass(frozen=True)
class JobUpdate:
    """What a viewer sees of a job at one moment.

    moment: the job's last one; ``news`` says that this viewer has not seen it yet.
    ahead: jobs before it; wait: seconds until it begins, None where nobody can say.
    """

    state: str
    moment: Any = None
    news: bool = False
    ahead: int = 0
    wait: float | None = None
    error: Exception | None = None

    @property
    def live(self) -> bool:
        """Whether more is to come."""
        return self.state in ("waiting", "running")


def is_token(text: Any) -> bool:
    """Whether this can be an owner's token: 32 to 64 letters, digits, - and _."""
    return isinstance(text, str) and _TOKEN.fullmatch(text) is not None
