"""Hugging Face Spaces: the engine behind ZeroGPU (``lint`` checks the folder).

One generator of events, two ways to drive it. On one's own GPU or CPU ``Driver.animate`` is the
engine's. On ZeroGPU the same generator runs inside ``spaces.GPU``, which forks a process that has
the GPU for a declared time; requests go in and events come out pickled, so both hold only numpy
arrays. The declared time is charged against the visitor's daily quota: ``Driver.seconds`` says it
from the settings, with speeds that every finished run corrects, and the page can show it before the
click.

What ZeroGPU needs, and where it is done: ``spaces`` is imported before torch, and the models go to
"cuda" in the importing thread, before the server starts (``prepare``; spaces emulates CUDA only
there). A visitor's Stop is seen between two events, so every step is one. The memo of a fork ends
with it: stages are reused only while the same worker lives.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from awaken.engine import Engine
from awaken.message import Message
from awaken.pace import Work
from awaken.types import Event, Failed, Request

log = logging.getLogger(__name__)

SHORTEST = 10  # s; forking and moving the weights alone take some
START = 5.0  # s until the fork has the weights on the GPU


def on_zero_gpu() -> bool:
    """Whether this process runs in a ZeroGPU Space (the variable that ``spaces`` itself reads)."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def prepare() -> Driver | None:
    """On ZeroGPU the driver with its models in place, else None.

    Call it in the main thread before torch is imported and before the server starts.
    """
    if not on_zero_gpu():
        return None
    if "torch" in sys.modules:
        raise RuntimeError("On ZeroGPU the package spaces has to be imported before torch.")
    import spaces

    driver = Driver(gpu=spaces.GPU)
    driver.load()
    return driver


class Driver(Engine):
    """The engine on whatever machine a Space has: the same methods, the same events.

    gpu: ``spaces.GPU`` on ZeroGPU (or its stand-in in tests); None where the device is one's own.
    Other arguments are the engine's.
    """

    def __init__(self, gpu: Callable[..., Callable] | None = None, **engine: Any):
        super().__init__(**engine)
        self._home = os.getpid()

        def work(request: Request) -> Iterator[Event]:
            if (
                os.getpid() != self._home
            ):  # in the fork: nobody there would ever release a held lock
                self._lock = threading.Lock()
            yield from Engine.animate(self, request)

        self.rented = gpu is not None
        self.start_seconds = START if gpu else 0.0
        self._work = gpu(duration=self.declared)(work) if gpu else work

    def load(self, backend: str = "miniature", proxy: str = "miniature") -> None:
        """``Engine.load``, and both on the device where they fit: a fork then finds them there."""
        super().load(backend, proxy)
        self._residence.activate("backend")

    def declared(self, request: Request) -> int:
        """Seconds of GPU that a run asks ZeroGPU for: what is expected, with a margin."""
        return self._asked(self.work(request))

    def asks(self, settings: Mapping[str, Any]) -> int:
        """The same from its settings alone, before there is a request."""
        return self._asked(Work.of(settings))

    def _asked(self, work: Work) -> int:
        return max(SHORTEST, self._whole(work, self.estimate.margin))

    def animate(self, request: Request) -> Iterator[Event]:
        """``Engine.animate`` on this machine; trouble of ZeroGPU's comes as Failed as well."""
        try:
            yield from self._learning(self._work(request))
        except Exception as error:  # noqa: BLE001 - spaces raises Gradio's errors, and others
            yield self._failed(error, request)

    def _failed(self, error: Exception, request: Request) -> Failed:
        said = _plain(str(getattr(error, "message", "") or error))
        if "quota" in said.lower():
            return Failed(
                "quota",
                Message(
                    "This run asks for {seconds} s of GPU, which is more than your quota has left. Fewer "
                    "steps, a smaller size or p = 0 need less. Hugging Face says: {said}",
                    seconds=self.declared(request),
                    said=said,
                ),
            )
        if "aborted" in said.lower():
            self.estimate.too_short()
            return Failed(
                "quota",
                Message(
                    "The GPU was taken back before the run was done. Press Awaken again: it will ask for "
                    "{seconds} s now.",
                    seconds=self.declared(request),
                ),
            )
        log.error("the run could not be driven", exc_info=error)
        return Failed(
            "internal",
            Message("The GPU could not be used ({error}).", error=said or type(error).__name__),
        )


def _plain(text: str) -> str:
    """Without markup: messages of ``spaces`` may hold links."""
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())[:300]
