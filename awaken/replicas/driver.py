"""The page's side: requests go to whichever replica Ray Serve finds, events come back."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from ray import serve
from ray.exceptions import RayActorError, RayError
from ray.serve.exceptions import RayServeException

from awaken.animator import Animator
from awaken.memo import content_key
from awaken.message import Message
from awaken.replicas.deployment import APP, NAME
from awaken.types import Event, Failed, Notice, Request, Result, Waiting

if TYPE_CHECKING:
    from ray.serve.handle import DeploymentHandle

    from awaken.sampling import Schedule

log = logging.getLogger(__name__)

TRIES = 3  # replicas that one run may lose; a run that kills its replica is not to kill them all
_GLANCE = 0.25  # s between two looks while nothing comes
_LOOK = 8  # glances between two looks whether any replica is there
_PATIENCE = 0.2  # s that a question beside the runs may take


class Replicas(Animator):
    """Engines elsewhere, behind a Serve handle. Runs of several threads may go on at once.

    A painting's runs go to the replica that has seen it with that video model, when it is free
    (Serve's multiplexing): its memo holds their stages.
    """

    def __init__(self, handle: DeploymentHandle, device_type: str):
        super().__init__(device_type)
        self._handle = handle
        self._schedules: dict[tuple[str, int], Schedule] = {}

    def animate(self, request: Request) -> Iterator[Event]:
        """``Animator.animate`` on a replica; a run whose replica is lost begins again on another."""
        yield from self._learning(self._persistent(request))

    def frame_latents(
        self, backend: str, video: np.ndarray, seed: int = 0
    ) -> Generator[Waiting | tuple[int, int], None, np.ndarray]:
        """``Animator.frame_latents`` on a replica."""
        for moment in self._moments("", "frame_latents", backend, video, seed):
            if isinstance(moment, np.ndarray):
                return moment
            if not isinstance(moment, Notice):
                yield moment
        raise RuntimeError("a replica's latents did not come")

    def schedule(self, backend: str, steps: int) -> Schedule | None:
        """``Animator.schedule`` of any replica that is free; what one has said stays known."""
        if (backend, steps) not in self._schedules:
            answer = self._handle.schedule.remote(backend, steps)
            try:
                found = answer.result(timeout_s=_PATIENCE)
            except (TimeoutError, RayError):
                answer.cancel()
                found = None
            if found is None:
                return None
            self._schedules[backend, steps] = found
        return self._schedules[backend, steps]

    def _persistent(self, request: Request) -> Iterator[Event]:
        key = content_key(request.backend, request.painting)[:16]
        told: list[Notice] = []
        for _ in range(TRIES):
            try:
                for event in self._moments(key, "animate", request):
                    if isinstance(event, Result) and told:
                        event = replace(event, notices=(*told, *event.notices))
                    yield event
                return
            except RayActorError:
                log.warning("a replica was lost in the middle of a run", exc_info=True)
                told = [Notice(_AGAIN)]
                yield told[0]
            except (RayError, RayServeException) as error:
                log.exception("a run could not be brought to a replica")
                yield Failed(
                    "internal",
                    Message(
                        "The engines could not be reached ({said}). Press Awaken again; the log has "
                        "the details.",
                        said=str(error).splitlines()[0],
                    ),
                )
                return
        yield Failed("internal", _GIVEN_UP)

    def _moments(self, key: str, method: str, *args: Any) -> Iterator[Any]:
        """What a replica yields; Waiting until it begins, and a Notice while there is none."""
        call = self._handle.options(stream=True, multiplexed_model_id=key)
        answer = getattr(call, method).remote(*args)
        began, waiting, noticed = time.perf_counter(), True, False
        try:
            with asyncio.Runner() as runner:
                while True:
                    coming = runner.get_loop().create_task(_next(answer))
                    glances = 0
                    while not runner.run(_within(coming, _GLANCE)):
                        glances += 1
                        if waiting:
                            yield Waiting(time.perf_counter() - began)
                        if (
                            waiting
                            and not noticed
                            and glances % _LOOK == 0
                            and not states().get("RUNNING")
                        ):
                            noticed = True
                            yield Notice(_NONE)
                    waiting = False
                    if (moment := coming.result()) is None:
                        return
                    yield moment
        finally:
            answer.cancel()


def states() -> dict[str, int]:
    """How many replicas Serve has in which state; {} where the application is not there."""
    with suppress(RayError, RayServeException, KeyError):
        return serve.status().applications[APP].deployments[NAME].replica_states
    return {}


async def _next(answer: Any) -> Any:
    return await anext(answer, None)


async def _within(coming: asyncio.Task, seconds: float) -> bool:
    done, _ = await asyncio.wait({coming}, timeout=seconds)
    return bool(done)


_AGAIN = Message("The machine that worked on this run was lost: it begins again on another.")
_NONE = Message("No engine is up at the moment. The run goes on by itself as soon as one is back.")
_GIVEN_UP = Message(
    "This run lost its machine several times. Press Awaken again later, or choose a smaller size; "
    "the log has the details."
)
