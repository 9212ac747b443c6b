"""Runs that outlive a dropped connection: one queue of jobs, each of them its owner's alone.

Turns go round between clients (``awaken.ui.jobs.turns``), so that whoever sends many jobs mostly
waits for himself.

A job is a generator that a worker consumes, and an owner's secret token. The page only *watches*
it, with asynchronous generators that hold no thread; whoever brings the token may watch again,
after a reload for instance, or stop it. A job that nobody has watched for its grace period is
stopped, and its generator closed, which frees the engine. There is no way to list jobs: ``find``
answers whoever names owner and place.

On ZeroGPU the GPU belongs to the call that asked for it, and no work can outlive that call: there
(``inline``) ``drive`` consumes the generator inside the visitor's own event, behind Gradio's queue.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import math
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import closing, suppress
from contextvars import Context
from dataclasses import replace
from itertools import takewhile
from typing import Any

from awaken.types import AwakenError
from awaken.ui.jobs.client import Client, greediest
from awaken.ui.jobs.job import ARRIVAL, GRACE, Job, JobUpdate, QueueFull, is_token
from awaken.ui.jobs.streams import Streams, current_client
from awaken.ui.jobs.turns import Turns, fits
from awaken.ui.texts import say

log = logging.getLogger(__name__)

MAX_WAITING = 192  # jobs in the queue; one more is refused with a sentence
KEPT, KEPT_SECONDS = 256, 1800.0  # ended jobs that their owners may still find, and for how long
PULSE = 5.0  # s after which a viewer speaks even without news: only then a dead one is noticed


class JobManager:
    """The queue and its workers.

    workers: how many jobs run at once (one per device). inline: no workers; see ``drive``.
    The rest bounds what is kept; ``clock`` gives seconds, for tests.
    """

    def __init__(
        self,
        workers: int = 1,
        *,
        inline: bool = False,
        max_waiting: int = MAX_WAITING,
        grace: float = GRACE,
        kept: int = KEPT,
        kept_seconds: float = KEPT_SECONDS,
        pulse: float = PULSE,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.inline = inline
        self.grace = grace
        self.id = secrets.token_urlsafe(8)  # of this server; a page tells by it that it restarted
        self.workers = workers
        self._max_waiting = max_waiting
        self._kept, self._kept_seconds = kept, kept_seconds
        self._pulse = pulse
        self._clock = clock
        self._lock = threading.RLock()
        self.streams = Streams()
        self._turns = Turns()
        self._queue: list[Job] = []  # always in the order in which they begin
        self._running: list[Job] = []
        self._jobs: OrderedDict[tuple[str, str], Job] = OrderedDict()
        self._threads = 0

    def submit(
        self,
        owner: str,
        place: str,
        work: Callable[[], Iterator[Any]],
        *,
        seconds: float | None = None,
        note: Any = None,
        client: Client | None = None,
        size: int = 0,
        grace: float | None = None,
        merge: Callable[[Any, Any], Any] | None = None,
    ) -> Job:
        """Put a job into the queue; the owner's earlier one at that place is stopped.

        client: who sent it; by default the sender of the event that is being handled. size: bytes of
        pictures that the work holds meanwhile.
        merge: folds a new moment into all before it, for a viewer who missed some; by default
        every moment is whole by itself. Raises QueueFull, and ValueError for a malformed token.
        """
        if not is_token(owner):
            raise ValueError("The owner of a job has an unguessable token.")
        client = current_client() if client is None else client
        with self._lock:
            self._prune()
            self.stop(owner, place)
            if len(self._queue) >= self._max_waiting or not fits(self._queue, client, size):
                raise QueueFull(self._crowded())
            now = self._clock()
            job = Job(
                owner, place, work, seconds, note, client, size,
                self.grace if grace is None else grace, merge, changed=now, alone_since=now + ARRIVAL,
            )  # fmt: skip
            self._jobs[owner, place] = job
            self._jobs.move_to_end((owner, place))
            self._queue = self._turns.order([*self._queue, job])
            if not self.inline and self._threads < self.workers:
                self._threads += 1
                threading.Thread(target=self._serve, name="jobs", daemon=True).start()
            self._wake()
        return job

    def find(self, owner: str, place: str) -> Job | None:
        """The owner's last job at that place, live or lately ended."""
        with self._lock:
            self._prune()
            return self._jobs.get((owner, place)) if is_token(owner) else None

    def returned(self, owner: str, place: str) -> Job | None:
        """``find`` for a page that was loaded anew; inline, the GPU went with the old connection."""
        if self.inline:
            self.stop(owner, place)
        return self.find(owner, place)

    def last(self, owner: str, places: Collection[str]) -> Job | None:
        """The one that ``find`` finds at these places and that was submitted last."""
        with self._lock:
            mine = {id(job) for job in (self.find(owner, place) for place in places) if job}
            return next((job for job in reversed(self._jobs.values()) if id(job) in mine), None)

    def stop(self, owner: str, place: str) -> bool:
        """End the owner's job there, at once while it waits, else within one of its moments."""
        with self._lock:
            job = self._jobs.get((owner, place))
            if job is None or not job.live:
                return False
            self._end(job, "stopped")
            return True

    async def watch(self, job: Job) -> AsyncIterator[JobUpdate]:
        """What happens to a job until it has ended, newest first: a slow viewer misses moments.

        Speaks at least every ``pulse`` seconds. Leaving it leaves the job alone, for its grace.
        """
        loop, woken = asyncio.get_running_loop(), asyncio.Event()
        key, seen = object(), 0

        def wake() -> None:
            with suppress(RuntimeError):  # the loop has closed: so has the viewer
                loop.call_soon_threadsafe(woken.set)

        with self._lock:
            job.viewers[key] = wake
            job.alone_since = math.inf
        try:
            while True:
                woken.clear()
                with self._lock:
                    self._prune()
                    update = self._update(job, seen)
                    seen = job.version
                yield update
                if not update.live:
                    return
                with suppress(TimeoutError):
                    await asyncio.wait_for(woken.wait(), self._pulse)
        finally:
            with self._lock:
                del job.viewers[key]
                if not job.viewers:
                    job.alone_since = self._clock()
                    self._prune()

    def drive(self, job: Job) -> Iterator[JobUpdate]:
        """Do the work of a job here and now; the ``inline`` way. Closing it stops the work."""
        seen = 0
        with self._lock:
            if job.state == "waiting":
                job.alone_since = math.inf
                self._begin(job)
        if job not in self._running:  # stopped before its turn
            yield self._update(job, seen)
            return
        try:
            for _ in self._work(job):
                yield self._update(job, seen)
                seen = job.version
        finally:
            with self._lock:
                if job.live:
                    self._end(job, "left")
                self._running.remove(job)
        yield self._update(job, seen)

    @property
    def waiting(self) -> int:
        """How many jobs wait."""
        return len(self._queue)

    # -- the worker's side ---------------------------------------------------------------------

    def _serve(self) -> None:
        while True:
            with self._lock:
                self._prune()
                if not self._queue:
                    self._threads -= 1
                    return
                self._begin(self._queue[0])
                job = self._running[-1]
            try:
                for _ in self._work(job):
                    pass
            finally:
                with self._lock:
                    self._running.remove(job)
                    self._wake()

    def _begin(self, job: Job) -> None:
        self._turns.take(job)
        self._queue = self._turns.order(other for other in self._queue if other is not job)
        job.state, job.changed = "running", self._clock()
        self._running.append(job)
        self._wake()

    def _work(self, job: Job) -> Iterator[None]:
        """Consume the job's generator; yields after every moment, and closes it at a stop."""
        work = job.work
        if work is None:  # ended between its turn and now
            return
        try:
            with closing(_in_context(job.context, work())) as moments:
                for moment in moments:
                    if not self._post(job, moment):
                        return
                    yield
            self._finish(job, "done")
        except Exception as error:
            if not isinstance(error, AwakenError):
                log.exception("a job failed")
            self._finish(job, "failed", error)

    def _post(self, job: Job, moment: Any) -> bool:
        """Show a moment to the job's viewers; False when the job is to end."""
        with self._lock:
            self._prune()
            if not job.live:
                return False
            first = job.whole is None or job.merge is None
            job.whole = moment if first else job.merge(job.whole, moment)
            job.latest, job.posted = moment, self._clock()
            job.version += 1
            self._wake(job)
            return True

    def _finish(self, job: Job, state: str, error: Exception | None = None) -> None:
        with self._lock:
            if not job.live:
                return
            job.error = error
            self._end(job, state)

    # -- under the lock ------------------------------------------------------------------------

    def _end(self, job: Job, state: str) -> None:
        if job in self._queue:
            self._queue.remove(job)
        job.state, job.changed, job.work = state, self._clock(), None
        self._wake()

    def _wake(self, job: Job | None = None) -> None:
        """Tell a job's viewers, or everybody's when the queue has moved."""
        for one in (job,) if job else self._jobs.values():
            for wake in one.viewers.values():
                wake()

    def _prune(self) -> None:
        """End what nobody watches, forget what nobody came back for."""
        now = self._clock()
        for job in (*self._queue, *self._running):
            if job.live and now - job.alone_since >= job.grace:
                self._end(job, "left")
        ended = {k: job for k, job in self._jobs.items() if not job.live and not job.viewers}
        for key in [k for k, job in ended.items() if now - job.changed > self._kept_seconds]:
            del self._jobs[key], ended[key]
        while len(ended) > self._kept:
            key = greediest({k: job.client for k, job in ended.items()})
            del self._jobs[key], ended[key]

    def _update(self, job: Job, seen: int) -> JobUpdate:
        missed = job.version > seen + 1
        moment = job.whole if missed else job.latest
        update = JobUpdate(job.state, moment, job.version > seen, error=job.error)
        if job.state != "waiting":
            return update
        ahead = [*self._running, *takewhile(lambda other: other is not job, self._queue)]
        return replace(update, ahead=len(ahead), wait=self._wait(ahead))

    def _wait(self, ahead: list[Job]) -> float | None:
        """Seconds until those jobs leave a worker free; None where nobody can say.

        A job under way whose moment ``waits`` has no device yet: it is one more in the queue.
        """
        idle = [job for job in self._running if getattr(job.latest, "waits", False)]
        ahead = sorted(ahead, key=lambda job: job.state == "waiting" or job in idle)
        left = [job.seconds if job in idle else self._left(job) for job in ahead]
        free = [0.0] * (self.workers - len(idle))
        if not free or None in left:
            return None
        for seconds in left:
            heapq.heapreplace(free, free[0] + seconds)
        return free[0]

    def _left(self, job: Job) -> float | None:
        now = self._clock()
        left = getattr(job.latest, "left", None)
        if job.state == "running" and left is not None and math.isfinite(left):
            return max(0.0, left - (now - job.posted))
        if job.seconds is None or job.state == "waiting":
            return job.seconds
        return max(0.0, job.seconds - (now - job.changed)) if job.state == "running" else 0.0

    def _crowded(self) -> str:
        left = self._left(self._running[0]) if self._running else 0.0
        minutes = max(1, math.ceil((left or 60.0) / 60))
        return say("crowded", count=len(self._queue), minutes=minutes)


def _in_context(context: Context, moments: Iterator[Any]) -> Iterator[Any]:
    """The moments of a generator that runs in ``context``, whichever thread takes them."""
    end = object()
    try:
        while (moment := context.run(next, moments, end)) is not end:
            yield moment
    finally:
        context.run(moments.close)
