"""What runs in a replica: the engine, behind Ray Serve, which starts, watches and replaces it.

Serve does all that is not the method: it brings requests to replicas, one at a time each
(``max_ongoing_requests``), holds those for which none is free, streams what they answer, asks after
their health, starts another where one is gone, and more of them while runs wait.

``application`` is what a manifest names: ``awaken.replicas.deployment:application``.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray import serve

import awaken
from awaken.animator import Animator
from awaken.types import Event, Request

if TYPE_CHECKING:
    import numpy as np

    from awaken.sampling import Schedule

APP, NAME = "awaken", "Engine"
KNOWN = 64  # paintings whose replica the router remembers; its memo holds some as many
HEALTH_PERIOD = 2.0  # s between two questions whether a replica is well


@cache
def code_version() -> str:
    """Of the code that crosses between page and replicas: everything but the page's."""
    root = Path(awaken.__file__).parent
    sources = sorted(path for path in root.rglob("*.py") if "ui" not in path.parts)
    digest = hashlib.sha256()
    for path in sources:
        digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return f"{awaken.__version__}+{digest.hexdigest()[:8]}"


def make_engine() -> Animator:
    """The engine of this process, its default models loaded."""
    from awaken.engine import Engine

    engine = Engine()
    engine.load()
    return engine


class Replica:
    """One engine in a process of its own. All its work is done in one thread, so that the replica
    answers Serve meanwhile; a step is never cut, and a call that is cancelled ends after it."""

    def __init__(self, make: Callable[[], Any] = make_engine, scale: str = ""):
        """scale: what the page that deployed it asked for; "" where a manifest did."""
        self._engine, self._scale = make(), scale
        self._thread = ThreadPoolExecutor(1, "engine")

    def about(self) -> dict[str, str]:
        """What a page has to know before it sends requests."""
        device = self._engine.device.type
        return {"version": code_version(), "scale": self._scale, "device": device}

    def schedule(self, backend: str, steps: int) -> Schedule | None:
        """``Animator.schedule`` of this replica."""
        return self._engine.schedule(backend, steps)

    async def animate(self, request: Request) -> AsyncIterator[Event]:
        """``Animator.animate``. The caller's ``multiplexed_model_id`` names the painting."""
        await self.remember(serve.get_multiplexed_model_id())
        async for event in self._stream(self._engine.animate(request)):
            yield event

    async def frame_latents(self, backend: str, video: np.ndarray, seed: int) -> AsyncIterator[Any]:
        """``Animator.frame_latents``; what that returns comes last."""
        async for moment in self._stream(
            _with_value(self._engine.frame_latents(backend, video, seed))
        ):
            yield moment

    @serve.multiplexed(max_num_models_per_replica=KNOWN)
    async def remember(self, painting: str) -> str:
        """Tell the router that this replica's memo knows the painting of that key."""
        return painting

    async def check_health(self) -> None:
        """Raises where the device no longer answers: only a new process helps then."""
        await asyncio.to_thread(self._engine.probe)

    async def _stream(self, moments: Iterator[Any]) -> AsyncIterator[Any]:
        def in_thread(call: Callable, *args: Any) -> asyncio.Future:
            return asyncio.get_running_loop().run_in_executor(self._thread, call, *args)

        try:
            while (moment := await in_thread(next, moments, None)) is not None:
                yield moment
        finally:
            await in_thread(moments.close)  # behind the step under way


def _with_value(moments: Iterator[Any]) -> Iterator[Any]:
    yield (yield from moments)


def deployment(**options: Any) -> serve.Deployment:
    """The deployment of ``Replica``; options are Serve's, over ours."""
    ours = {
        "name": NAME, "max_ongoing_requests": 1, "health_check_period_s": HEALTH_PERIOD,
        "logging_config": {"enable_access_log": False, "log_level": "WARNING"},
    }  # fmt: skip
    return serve.deployment(Replica).options(**ours | options)


application = deployment().bind()
