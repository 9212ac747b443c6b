"""The one resident engine: it keeps the models on the device and answers one request at a time.

The boundary: a ``Request`` of numpy arrays goes in, ``Event``s of numpy arrays come out; no tensor,
no widget and no file crosses it. ``animate`` is a generator: closing it stops the work within one
step and frees lock and memory. Nothing of a visitor outlives the run except stage results in the
memo, which are found only by whoever brings the same inputs.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from awaken import types
from awaken.analysis import compared
from awaken.animator import Animator
from awaken.backends import BACKENDS
from awaken.message import Message
from awaken.notices import about_request, about_video
from awaken.pace import Countdown, Work
from awaken.painting import to_size
from awaken.plan import Plan
from awaken.progress import Clock, PreviewTimer
from awaken.proxies import PROXIES
from awaken.proxies.alignment import remarks
from awaken.residence import Residence, capacity, pick_device, release, tidy, working_dtype
from awaken.sampling import Outcome
from awaken.settings import resolve, told
from awaken.types import AwakenError, Event, Request, RequestError

if TYPE_CHECKING:
    import torch

    from awaken.backends import Backend
    from awaken.proxies import Proxy
    from awaken.sampling import Schedule

log = logging.getLogger(__name__)


def until_result(events: Iterator[Event]) -> Generator[Event, None, types.Result]:
    """Pass a run's events on; returns its Result, which is not one of them.

    Raises AwakenError, with the failure's sentence and kind, where the run ends in Failed. Closing
    this closes the run.
    """
    with closing(events):
        for event in events:
            if isinstance(event, types.Failed):
                error = AwakenError(event.message)
                error.kind = event.kind
                raise error
            if isinstance(event, types.Result):
                return event
            yield event
    raise RuntimeError("an engine's events end in a Result or in Failed")


def result_of(events: Iterator[Event]) -> types.Result:
    """Wait for a run's Result. Raises AwakenError as ``until_result``."""
    return Outcome(until_result(events)).finish()


class Engine(Animator):
    """Holds one backend and one proxy model, a memo, and the lock that makes runs take turns."""

    def __init__(
        self, device: str | None = None, dtype: str | None = None, memo_bytes: int = 1 << 29
    ):
        """``device``: cuda, mps or cpu; ``dtype``: a torch dtype's name. None chooses the best."""
        from awaken.memo import Memo

        self.device = pick_device(device)
        super().__init__(self.device.type)
        self._dtype = dtype
        self._memo = Memo(memo_bytes)
        self._lock = threading.Lock()
        self._residence = Residence(self.device, capacity(self.device))

    @property
    def device_name(self) -> str:
        """For people: what the engine runs on."""
        import torch

        if self.device.type == "cuda":
            return torch.cuda.get_device_name(self.device)
        if self.device.type == "mps":
            return "Apple GPU"
        threads = torch.get_num_threads()
        return f"CPU, {threads} thread{'s' * (threads > 1)}"

    def animate(self, request: Request) -> Iterator[Event]:
        """Run a request, after waiting (yielding Waiting) while another run holds the engine.

        Errors that a visitor can act on come as Failed; the engine stays usable.
        """
        yield from self._wait()
        try:
            yield from self._guarded(request)
        finally:
            tidy()
            self._lock.release()

    def load(self, backend: str = "miniature", proxy: str = "miniature") -> None:
        """Make models resident ahead of the first request. Raises ModelError, RequestError."""
        with self._lock:
            self._resident("backend", backend, BACKENDS)
            self._resident("proxy", proxy, PROXIES)

    def probe(self) -> None:
        """Ask the device for a number. Raises RuntimeError where it no longer answers."""
        import torch

        torch.zeros(1, device=self.device).item()

    def cost(self, request: Request) -> int:
        """Network evaluations that this request would need now, given what is already known."""
        with self._lock:
            backend, _, request, painting, plan = self._prepare(request)
            return Work.left(request, painting, plan, backend, self._memo).evaluations

    def work(self, request: Request) -> Work:
        """What a run would have to do now, as far as can be told without waiting for the lock.
        Raises RequestError, ModelError."""
        backend = self._residence.loaded("backend", request.backend)
        weights = self._residence.weights_ids.get(("proxy", request.proxy))
        if backend is None or weights is None:
            return replace(Work.of(request.settings()), loads=backend is None)
        filled, painting, plan = self._planned(request, backend, weights)
        return Work.left(filled, painting, plan, backend, self._memo)

    def schedule(self, backend: str, steps: int) -> Schedule | None:
        """Noise levels of a resident video model; does not wait for a run."""
        model = self._residence.loaded("backend", backend)
        return replace(model.schedule(steps), scheduler=None) if model is not None else None

    def frame_latents(
        self, backend: str, video: np.ndarray, seed: int = 0
    ) -> Generator[types.Waiting | tuple[int, int], None, np.ndarray]:
        """``Animator.frame_latents``; waits its turn as a run does."""
        import torch

        yield from self._wait()
        try:
            model = self._resident("backend", backend, BACKENDS)
            self._residence.activate("backend")
            points = []
            for i, frame in enumerate(video, 1):
                with torch.inference_mode():
                    points.append(model.encode(frame, seed).flatten().float().cpu().numpy())
                yield i, len(video)
            return np.stack(points)
        finally:
            self._lock.release()

    def _wait(self) -> Iterator[types.Waiting]:
        """Take the lock, and say while another run holds it."""
        began = time.perf_counter()
        while not self._lock.acquire(timeout=0.25):
            yield types.Waiting(time.perf_counter() - began)

    def _guarded(self, request: Request) -> Iterator[Event]:
        import torch

        try:
            # The decorated generator enters inference mode on every resumption, in whatever
            # thread that happens; a plain `with` would leak it to the caller between steps.
            yield from torch.inference_mode()(self._run)(request)
        except AwakenError as error:
            yield types.Failed(error.kind, error.message)
        except Exception as error:
            full = isinstance(error, torch.OutOfMemoryError | MemoryError)
            if full or "allocate memory" in str(error):
                self._free()
                yield types.Failed("memory", _OUT_OF_MEMORY)
                return
            log.exception("a run failed unexpectedly")
            yield types.Failed(
                "internal",
                Message(
                    "Something unexpected went wrong ({kind}: {said}). The engine is ready for "
                    "another try; the log has the details.",
                    kind=type(error).__name__,
                    said=error,
                ),
            )

    def _prepare(
        self, request: Request
    ) -> tuple[Backend, Callable[[], Proxy], Request, np.ndarray, Plan]:
        """The proxy comes as a call that brings it: one that the memo holds needs no model."""
        for registry, name in ((BACKENDS, request.backend), (PROXIES, request.proxy)):
            if name not in registry:
                raise RequestError(
                    "There is no model called {name!r}; choose one of {choices}.",
                    name=name,
                    choices=registry,
                )
        resolve(request, BACKENDS[request.backend], PROXIES[request.proxy])  # before anything loads
        backend = self._resident("backend", request.backend, BACKENDS)

        def proxy() -> Proxy:
            model = self._resident("proxy", request.proxy, PROXIES)
            self._residence.activate("proxy")
            return model

        known = self._residence.weights_ids.get(("proxy", request.proxy))
        weights = known or self._resident("proxy", request.proxy, PROXIES).weights_id
        return backend, proxy, *self._planned(request, backend, weights)

    def _planned(
        self, request: Request, backend: Backend, proxy_weights: str
    ) -> tuple[Request, np.ndarray, Plan]:
        spec = PROXIES[request.proxy]
        filled = resolve(request, BACKENDS[request.backend], spec)
        height, width = filled.painting.shape[:2]
        painting = to_size(filled.painting, *backend.working_size(width, height, filled.size))
        return filled, painting, Plan.of(filled, painting, backend, spec, proxy_weights)

    def _run(self, request: Request) -> Iterator[Event]:
        from awaken.method import awaken
        from awaken.stages import decoded

        clock = Clock()
        yield types.Stage("load")
        loads = self._residence.loaded("backend", request.backend) is None
        backend, proxy_model, request, painting, plan = self._prepare(request)
        schedule = backend.schedule_for(request.steps, (request.frames, *painting.shape[:2]))
        work = Work.left(request, painting, plan, backend, self._memo)
        scratch = plan.evaluations(request, schedule, None)
        notices = list(about_request(backend, request, schedule, plan))
        yield from notices

        def preview(names: list[str], videos: torch.Tensor, last: bool) -> Mapping[str, np.ndarray]:
            """Small moving pictures of the estimates, no oftener than their share of time."""
            if not timer.is_due(last):
                return {}
            began = time.perf_counter()
            pictures = {"proxy": proxy.image if proxy else None}
            previews = {
                name: backend.preview(z, pictures.get(name, painting), request.mask)
                for name, z in zip(names, videos.split(1), strict=True)
            }
            timer.made(time.perf_counter() - began)
            return previews

        proxy: types.ProxyReady | None = None
        counted, drafted, timer = backend.evaluations, backend.drafted, PreviewTimer()
        run = Outcome(awaken(backend, proxy_model, request, painting, plan, self._memo, preview))
        clock.lap("load")
        countdown = Countdown(self.estimate.phases(work))
        countdown.begin("sample" if plan.proxy_from_baseline else "proxy")
        if plan.proxy_from_baseline:
            self._residence.activate("backend")
        for event in run:
            if isinstance(event, types.ProxyReady):
                self._residence.activate("backend")
                clock.lap("proxy")
                countdown.begin("sample")
                proxy = replace(event, seconds=clock.seconds["proxy"])
                yield proxy
                remarked = [
                    types.Notice(text, kind) for kind, text in remarks(painting, proxy.image)
                ]
                yield from remarked
                notices += remarked
            elif isinstance(event, types.Step):
                done = (backend.evaluations - counted) / max(1, work.evaluations)
                paints = event.stage == "proxy" and not plan.proxy_from_baseline
                left = countdown.left(event.index / event.count if paints else done)
                yield replace(event, done=done, seconds=clock.step(), seconds_left=left)
                if event.index == event.count:
                    clock.lap(event.stage)
            else:
                yield event

        keys = (plan.baseline, plan.awakened)
        yield types.Stage("decode", all(f"decoded {key}" in self._memo for key in keys))
        videos = []
        for key, z in zip(keys, run.value, strict=True):
            videos.append(decoded(backend, self._memo, key, z, painting, request.mask))
        difference = compared(*videos, request.mask)
        found = about_video(backend, request, difference)
        yield from found
        notices += found
        clock.lap("decode")
        backend.settle()
        yield types.Result(
            painting, proxy.image, *videos,
            settings=told(request, backend, painting) | {"device": self.device_name},
            timings=clock.seconds | {"total": sum(clock.seconds.values())},
            evaluations=backend.evaluations - counted, evaluations_from_scratch=scratch,
            psnr=proxy.psnr, luma_correlation=proxy.luma_correlation, notices=tuple(notices),
            mask=request.mask, difference=difference, drafted=backend.drafted - drafted,
            work=replace(work, loads=loads),
        )  # fmt: skip

    def _resident(self, role: str, name: str, registry: Mapping[str, Any]) -> Any:
        """The model of that name, loaded if need be."""
        import torch

        spec = registry[name]
        dtype = working_dtype(self.device, spec.half_on_cpu)
        if self._dtype:
            dtype = getattr(torch, self._dtype)
        return self._residence.get(role, name, lambda: spec.load(self.device, dtype))

    def _free(self) -> None:
        self._memo.clear()
        release(self.device)


_OUT_OF_MEMORY = Message(
    "The machine ran out of memory. Choose a smaller size (More settings) and press Awaken "
    "again; nothing else was lost."
)
