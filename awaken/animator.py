"""What the page asks for videos, wherever the work is done: here, on ZeroGPU, or on replicas."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from awaken.backends import BACKENDS
from awaken.pace import Pace, Work, units
from awaken.proxies import PROXIES
from awaken.types import Event, ModelError, Request, Result, Waiting

if TYPE_CHECKING:
    import numpy as np

    from awaken.sampling import Schedule


class Animator(ABC):
    """Runs requests, says how long they take, and writes their files.

    device_type: cuda, mps or cpu; speeds are guessed from it until finished runs tell.
    """

    rented = False  # whether a visitor pays for the seconds
    start_seconds = 0.0  # before a run begins

    def __init__(self, device_type: str):
        self.estimate = Pace(device_type)

    @abstractmethod
    def animate(self, request: Request) -> Iterator[Event]:
        """Run a request. Yields events; the last is a Result or a Failed. Closing it stops the run
        within one step."""

    @abstractmethod
    def frame_latents(
        self, backend: str, video: np.ndarray, seed: int = 0
    ) -> Generator[Waiting | tuple[int, int], None, np.ndarray]:
        """Encode every frame of a video by itself, as if it were a painting: the points of Fig. 2.

        video: (frames, h, w, 3) uint8, sides that the backend works at. Yields Waiting, then
        (frame, frames) after each; returns (frames, d) float32. Raises ModelError, RequestError.
        """

    @abstractmethod
    def schedule(self, backend: str, steps: int) -> Schedule | None:
        """Noise levels of a video model that is loaded, without its scheduler; else None."""

    def work(self, request: Request) -> Work:
        """What a run would have to do, as far as can be told at once. Raises AwakenError."""
        return Work.of(request.settings())

    def seconds(self, settings: Mapping[str, Any]) -> int:
        """Whole seconds that a run from scratch with these settings of ``Request`` should need."""
        return self._whole(Work.of(settings))

    def expected(self, request: Request) -> int:
        """The same of a run that is asked for, less what is known to be cached. Raises AwakenError."""
        return self._whole(self.work(request))

    def update_rates(self, backend: str, steps: int, alphas: Sequence[float]) -> list[float] | None:
        """lambda of every distilled step (``awaken.vsds.update_rates``), without waiting for a run.

        None while another model is resident: the noise schedule is the model's own.
        """
        from awaken.vsds import update_rates

        schedule = self.schedule(backend, steps)
        return update_rates(schedule, alphas) if schedule is not None else None

    def fetch(self, role: str, name: str) -> Iterator[tuple[int, int]]:
        """Download the weights of a ``backend`` or ``proxy``, because somebody asked for them.

        Yields (bytes so far, announced bytes) of all parts; runs may go on meanwhile. Raises ModelError.
        """
        from awaken import hub

        spec = {"backend": BACKENDS, "proxy": PROXIES}[role].get(name)
        if spec is None or not spec.to_fetch:
            raise ModelError("There is nothing to download for {name!r}.", name=name)
        before, left = 0, sum(part.size for part in spec.to_fetch)
        for part in spec.to_fetch:
            left -= part.size
            for done, total in hub.download(part):
                yield before + done, before + total + left
            before += part.size

    def save(self, result: Result, folder: Path, remember_settings: bool = True) -> dict[str, Path]:
        """Write a result's pictures, videos and settings; see ``awaken.video.save_result``."""
        from awaken.video import save_result

        began = time.perf_counter()
        paths = save_result(result, folder, remember_settings)
        self.estimate.learn_saving(units(result.awakened.shape), time.perf_counter() - began)
        return paths

    def _learning(self, events: Iterator[Event]) -> Iterator[Event]:
        """Pass a run's events on; what it took corrects the estimates. Closing this closes it."""
        with closing(events):
            for event in events:
                if isinstance(event, Result):
                    self.estimate.learn(event.work, event.timings)
                yield event

    def _whole(self, work: Work, margin: float = 1.0) -> int:
        return max(1, math.ceil(self.start_seconds + margin * self.estimate.seconds(work)))
