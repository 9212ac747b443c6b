"""The one engine behind all visitors, and the queue in which its work waits."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from awaken.space import on_zero_gpu
from awaken.types import AwakenError, ModelError
from awaken.ui.jobs.manager import JobManager
from awaken.ui.run import status
from awaken.ui.texts import say

if TYPE_CHECKING:
    from awaken.engine import Engine
    from awaken.types import Request

log = logging.getLogger(__name__)

_GLANCE = 0.25  # s between two looks whether the engine has been made


def make_engine() -> Engine:
    """Import torch, make the engine and its default models resident: seconds, not milliseconds."""
    from awaken.space import Driver

    engine = Driver()
    engine.load(os.environ.get("AWAKEN_BACKEND", "miniature"))
    return engine


class EngineHolder:
    """The one engine behind all visitors, made in the background once the page is up.

    ``jobs`` is the queue in which everything that needs the engine takes its turn.
    """

    def __init__(self, make: Callable[[], Engine] = make_engine, jobs: JobManager | None = None):
        self.jobs = jobs or JobManager(inline=on_zero_gpu())
        self._make = make
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._engine: Engine | None = None
        self._error: Exception | None = None
        self.busy = 0  # runs that have begun and not ended

    def warm_up(self) -> None:
        """Begin making the engine, unless that is done or under way; after a failure, try again."""
        with self._lock:
            if self._engine is None and (self._thread is None or not self._thread.is_alive()):
                self._error = None
                self._thread = threading.Thread(target=self._build, name="warm-up", daemon=True)
                self._thread.start()

    def _build(self) -> None:
        try:
            self._engine = self._make()
        except Exception as error:  # whatever it is, a visitor gets a sentence and the log the rest
            log.exception("the engine could not be made")
            self._error = error

    def wait(self, seconds: float) -> bool:
        """Wait at most so long; True when the engine is ready or could not be made."""
        self.warm_up()
        thread = self._thread
        if thread is not None:
            thread.join(seconds)
        return not self.starting

    @property
    def starting(self) -> bool:
        """Whether the engine is still to come: neither made nor failed."""
        return self._engine is None and self._error is None

    async def started(self, seconds: float = math.inf) -> None:
        """Look every now and then, at most so long, whether it is no longer ``starting``."""
        deadline = time.monotonic() + seconds
        while self.starting and time.monotonic() < deadline:
            await asyncio.sleep(_GLANCE)

    def ready(self) -> Engine | None:
        """The engine if it is there now; makes none and waits for none."""
        return self._engine

    def seconds(self, settings: Mapping[str, Any]) -> int | None:
        """What a run with these settings of ``Request`` should take; None before anybody knows.

        Loads nothing and waits for nothing.
        """
        return self._engine.seconds(settings) if self._engine is not None else None

    def expected(self, request: Request) -> int | None:
        """The same of a run that is asked for, less what is cached of it. Raises AwakenError."""
        return self._engine.expected(request) if self._engine is not None else None

    def cost(self, settings: Mapping[str, Any], runs: int = 1) -> str:
        """What a run would cost, and a series of ``runs`` at most, in words; "" before anybody knows."""
        engine = self._engine
        if engine is None:
            return ""
        one = engine.asks(settings) if engine.rented else engine.seconds(settings)
        key = "cost_quota" if engine.rented else "cost_own"
        told = {"time": status.duration(one), "count": runs, "all": status.duration(runs * one)}
        return say(key if runs == 1 else f"{key}_series", **told)

    def engine(self) -> Engine:
        """The engine, once ``wait`` said True.

        Raises ModelError with a sentence when it could not be made.
        """
        if self._engine is not None:
            return self._engine
        if isinstance(self._error, AwakenError):
            raise self._error
        raise ModelError(say("starting_failed", error=self._error))
