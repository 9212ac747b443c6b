"""How the page's events are wired: what they share, and how one watches a job.

Gradio would dim an event's outputs and show a bar of its own: our status strip does that. Merely
hidden, the bar still costs: for every moment of a run Gradio copies all properties of all outputs
of all events into it. An empty ``show_progress_on`` gives it nothing to do.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing
from functools import partial, wraps
from typing import Any

import anyio
import gradio as gr

from awaken.ui.jobs.job import ARRIVAL, GRACE, Job, JobUpdate
from awaken.ui.jobs.manager import JobManager

Updates = dict[gr.blocks.Block, Any]  # what a handler returns; the rest stays as it is
UNSEEN: dict[str, Any] = {
    "show_progress": "hidden",
    "show_progress_on": [],
    "api_visibility": "private",
}
QUIET = UNSEEN | {"queue": False}  # for what is answered at once


def as_event(
    jobs: JobManager, begin: Callable[..., Any], show: Callable[[Job, JobUpdate], Any]
) -> Callable[..., Any]:
    """An event handler that watches a job: ``begin`` submits or finds it, ``show`` makes outputs.

    What ``begin`` returns instead of a Job is shown as it is: ``gr.skip()`` for nothing. Its signature and docstring become the handler's. Wire it with
    ``**event_limits(jobs)``.
    """

    @wraps(begin)
    async def watching(*args: Any, **keywords: Any) -> AsyncIterator[Any]:
        if not await jobs.streams.opened(ARRIVAL + GRACE):
            return
        job = await anyio.to_thread.run_sync(partial(begin, *args, **keywords))
        if isinstance(job, Job):
            async with aclosing(jobs.watch(job)) as updates:
                async for update in updates:
                    yield show(job, update)
        else:
            yield job

    @wraps(begin)
    def driving(*args: Any, **keywords: Any) -> Iterator[Any]:
        job = begin(*args, **keywords)
        if isinstance(job, Job):
            with closing(jobs.drive(job)) as updates:
                for update in updates:
                    yield show(job, update)
        else:
            yield job

    return driving if jobs.inline else watching


def event_limits(jobs: JobManager) -> dict[str, Any]:
    """Watching costs no thread and waits for nobody; inline, Gradio's queue keeps the order."""
    if jobs.inline:
        return {"concurrency_id": "gpu", "concurrency_limit": 1}
    return {"concurrency_limit": None}


def go_and_stop(go: gr.Button, stop: gr.Button, ready: bool) -> Updates:
    """Updates of the two buttons of a place: exactly one of them can be pressed."""
    return {go: gr.update(interactive=ready), stop: gr.update(interactive=not ready)}
