"""One page for all tests of it: the real page over a real engine that keeps count of its steps."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder
from gradio_client import Client

from awaken.space import Driver
from awaken.types import Event, Request, Step
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.server import serving


class CountedEngine(Driver):
    """The engine, with a count of the steps it has done and of the runs that are open.

    ``last`` is the request that came last. ``pace`` makes every step last at least so many seconds,
    for tests that must catch one; between ``hold`` and ``release`` runs stand still after a step.
    """

    steps = 0
    open_runs = 0
    pace = 0.0
    last: Request | None = None

    def __init__(self, *args: Any, **keywords: Any):
        super().__init__(*args, **keywords)
        self._gate = threading.Event()
        self._gate.set()

    def hold(self) -> None:
        """Let every run stand still once its next step is done."""
        self._gate.clear()

    def release(self) -> None:
        """Let all runs go on, and as fast as they can."""
        self.pace = 0.0
        self._gate.set()

    def animate(self, request: Request) -> Iterator[Event]:
        self.open_runs += 1
        self.last = request
        try:
            with closing(super().animate(request)) as events:
                for event in events:
                    if isinstance(event, Step):
                        self.steps += 1
                        time.sleep(self.pace)
                    yield event
                    if isinstance(event, Step):
                        self._gate.wait()
        finally:
            self.open_runs -= 1


@dataclass(frozen=True)
class Page:
    """A served page."""

    url: str
    holder: EngineHolder
    app: Any = None

    @property
    def engine(self) -> CountedEngine:
        """The engine, waited for."""
        while not self.holder.wait(60):
            pass
        return self.holder.engine()


def cached(words: bytes) -> list[Path]:
    """Files of the running page, uploads and results, that contain ``words``."""
    return [path for path in Path(get_upload_folder()).rglob("*") if words in _bytes(path)]


def _bytes(path: Path) -> bytes:
    """A file's content; of what a run under way has just renamed or removed, nothing."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def program(url: str) -> Client:
    """A program at the page's endpoints, patient on a busy machine."""
    return Client(url, verbose=False, analytics_enabled=False, httpx_kwargs={"timeout": 300})


@functools.cache
def served_page() -> Page:
    """Start the page once per test session, in this process, on a free port, its models loaded."""

    def make() -> CountedEngine:
        engine = CountedEngine()
        engine.load()
        return engine

    demo, holder = serving.make_page(EngineHolder(make))
    return Page(serving.launch(demo, holder), holder, demo.app)
