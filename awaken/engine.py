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
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from awaken import types
from awaken.backends import BACKENDS, BackendSpec
from awaken.painting import likeness, to_size
from awaken.proxies import PROXIES, ProxySpec
from awaken.proxies.alignment import remarks
from awaken.residence import Residence, capacity, release
from awaken.types import AwakenError, Event, ModelError, Request, RequestError

if TYPE_CHECKING:
    import torch

    from awaken.backends import Backend
    from awaken.plan import Plan
    from awaken.proxies import Proxy

log = logging.getLogger(__name__)

PREVIEW_SHARE = 0.15  # previews may take this share of the time between them


def resolve(request: Request, backend: BackendSpec, proxy: ProxySpec) -> Request:
    """Fill in the chosen models' defaults and check what depends on the model.

    Raises RequestError, ModelError with a sentence.
    """
    for spec in (backend, proxy):
        missing = spec.available()
        if missing:
            raise ModelError(f"{spec.title} cannot run here: {missing}")
    if proxy.needs_image and request.proxy_image is None:
        raise RequestError(
            f"The proxy “{proxy.title}” needs a picture: drop one into the proxy field, or choose "
            "another proxy."
        )
    filled = replace(
        request,
        prompt=" ".join(request.prompt.split()),
        proxy_strength=_or(request.proxy_strength, proxy.strength) if proxy.strength else None,
        proxy_image=request.proxy_image if proxy.needs_image else None,
        proxy_template=_or(request.proxy_template, proxy.template) if proxy.template else None,
        proxy_options=_with_defaults(proxy, request.proxy_options),
        steps=int(_or(request.steps, backend.steps)),
        guidance=float(_or(request.guidance, backend.guidance)),
        motion=_or(request.motion, backend.motion) if backend.motion_range else None,
        mask=request.mask if backend.has_mask else None,
        frames=int(_or(request.frames, backend.frames)),
        fps=int(_or(request.fps, backend.fps)),
        size=int(_or(request.size, backend.size)),
        options=_with_defaults(backend, request.options),
    )
    if filled.frames not in backend.frame_choices:
        choices = ", ".join(map(str, backend.frame_choices))
        raise RequestError(f"{backend.title} makes videos of {choices} frames.")
    if filled.size > max(backend.sizes):
        raise RequestError(f"{backend.title} works at sizes up to {max(backend.sizes)}.")
    motion = (("motion", filled.motion, *backend.motion_range[:2]),) if backend.motion_range else ()
    for spec, options, more in ((backend, filled.options, motion), (proxy, filled.proxy_options, ())):
        limits = [(n, v, spec.options[n].low, spec.options[n].high) for n, v in options.items()]
        for name, value, low, high in (*limits, *more):
            if not isinstance(value, int | float) or not low <= value <= high:
                raise RequestError(f"The setting {name!r} must be a number from {low:g} to {high:g}.")
    return filled


def _with_defaults(spec: BackendSpec | ProxySpec, given: Mapping[str, float]) -> dict[str, float]:
    for name in given.keys() - spec.options.keys():
        raise RequestError(f"{spec.title} has no setting called {name!r}.")
    return {name: option.default for name, option in spec.options.items()} | dict(given)


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value


def pick_device(name: str | None = None) -> torch.device:
    """CUDA, else MPS, else the CPU; or the one that is named."""
    import torch

    if name is None:
        mps = torch.backends.mps.is_available()
        name = "cuda" if torch.cuda.is_available() else "mps" if mps else "cpu"
    return torch.device(name)


def fast_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 in hardware."""
    import torch

    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return device.type == "cpu" and any(
        getattr(torch.cpu, check, lambda: False)() for check in checks
    )


class Engine:
    """Holds one backend and one proxy model, a memo, and the lock that makes runs take turns."""

    def __init__(self, device: str | None = None, dtype: str | None = None, memo_bytes: int = 1 << 29):
        """``device``: cuda, mps or cpu; ``dtype``: a torch dtype's name. None chooses the best."""
        from awaken.memo import Memo

        self.device = pick_device(device)
        self._dtype = dtype
        self._memo = Memo(memo_bytes)
        self._lock = threading.Lock()
        self._residence = Residence(self.device, capacity(self.device))
        self._seconds_per_decode = 0.0

    @property
    def device_name(self) -> str:
        """For people: what the engine runs on."""
        import torch

        if self.device.type == "cuda":
            return torch.cuda.get_device_name(self.device)
        if self.device.type == "mps":
            return "Apple GPU"
        half = ", bfloat16" if fast_bfloat16(self.device) else ""
        return f"CPU, {torch.get_num_threads()} threads{half}"

    def animate(self, request: Request) -> Iterator[Event]:
        """Run a request. Yields events; the last is a Result or a Failed.

        Waits its turn (yielding Waiting) when another run holds the engine. Errors that a visitor
        can act on come as Failed; the engine stays usable.
        """
        began = time.perf_counter()
        while not self._lock.acquire(timeout=0.25):
            yield types.Waiting(time.perf_counter() - began)
        try:
            yield from self._guarded(request)
        finally:
            self._lock.release()

    def save(
        self, result: types.Result, folder: Path, remember_settings: bool = True
    ) -> dict[str, Path]:
        """Write a result's pictures, videos and settings; see ``awaken.video.save_result``."""
        from awaken.video import save_result

        return save_result(result, folder, remember_settings)

    def load(self, backend: str = "miniature", proxy: str = "miniature") -> None:
        """Make models resident ahead of the first request. Raises ModelError, RequestError."""
        with self._lock:
            self._resident("backend", backend, BACKENDS)
            self._resident("proxy", proxy, PROXIES)

    def fetch(self, role: str, name: str) -> Iterator[tuple[int, int]]:
        """Download the weights of a ``backend`` or ``proxy``, because somebody asked for them.

        Yields (bytes so far, announced bytes); runs may go on meanwhile. Raises ModelError.
        """
        from awaken import hub

        spec = {"backend": BACKENDS, "proxy": PROXIES}[role].get(name)
        if spec is None or spec.release is None:
            raise ModelError(f"There is nothing to download for {name!r}.")
        yield from hub.download(spec.release)

    def cost(self, request: Request) -> int:
        """Network evaluations that this request would need now, given what is already known."""
        with self._lock:
            backend, _, request, _, plan = self._prepare(request)
            return plan.evaluations(request, backend.schedule(request.steps), self._memo)

    def _guarded(self, request: Request) -> Iterator[Event]:
        import torch

        try:
            # The decorated generator enters inference mode on every resumption, in whatever
            # thread that happens; a plain `with` would leak it to the caller between steps.
            yield from torch.inference_mode()(self._run)(request)
        except AwakenError as error:
            yield types.Failed(error.kind, str(error))
        except (torch.OutOfMemoryError, MemoryError):
            self._free()
            yield types.Failed("memory", _OUT_OF_MEMORY)
        except Exception as error:
            if "allocate memory" in str(error):
                self._free()
                yield types.Failed("memory", _OUT_OF_MEMORY)
                return
            log.exception("a run failed unexpectedly")
            yield types.Failed(
                "internal",
                f"Something unexpected went wrong ({type(error).__name__}: {error}). The engine is "
                "ready for another try; the log has the details.",
            )

    def _prepare(
        self, request: Request
    ) -> tuple[Backend, Callable[[], Proxy], Request, np.ndarray, Plan]:
        """The proxy comes as a call that loads it: one that the memo holds needs no model."""
        from awaken.plan import Plan

        for registry, name in ((BACKENDS, request.backend), (PROXIES, request.proxy)):
            if name not in registry:
                raise RequestError(
                    f"There is no model called {name!r}; choose one of {', '.join(registry)}."
                )
        filled = resolve(request, BACKENDS[request.backend], PROXIES[request.proxy])
        backend = self._resident("backend", request.backend, BACKENDS)

        def proxy() -> Proxy:
            return self._resident("proxy", request.proxy, PROXIES)

        weights = self._residence.weights_ids.get(("proxy", request.proxy)) or proxy().weights_id
        height, width = filled.painting.shape[:2]
        painting = to_size(filled.painting, *backend.working_size(width, height, filled.size))
        plan = Plan.of(filled, painting, backend, PROXIES[request.proxy], weights)
        return backend, proxy, filled, painting, plan

    def _run(self, request: Request) -> Iterator[Event]:
        from awaken.method import Phase, ProxyMade, Tick, awaken, decoded

        clock = _Clock()
        yield types.Stage("load")
        backend, proxy_model, request, painting, plan = self._prepare(request)
        schedule = backend.schedule(request.steps)
        needed = plan.evaluations(request, schedule, self._memo)
        scratch = plan.evaluations(request, schedule, None)
        notices = list(_notices(backend, request, schedule, plan))
        yield from notices

        counted, progress = backend.evaluations, _Estimate(needed, self._seconds_per_decode)
        run = awaken(backend, proxy_model, request, painting, plan, self._memo)
        proxy, psnr, correlation = None, 0.0, 0.0
        clock.lap("load")
        while True:
            try:
                moment = next(run)
            except StopIteration as end:
                latents = end.value
                break
            if isinstance(moment, Phase):
                making_proxy = moment.name == "proxy" and not moment.reused
                self._residence.turn("proxy" if making_proxy else "backend")
                yield types.Stage(moment.name, moment.reused)
            elif isinstance(moment, ProxyMade):
                proxy = moment.image
                self._residence.turn("backend")
                psnr, correlation = likeness(painting, proxy)
                clock.lap("proxy")
                yield types.ProxyReady(
                    proxy, painting, psnr, correlation, clock.seconds["proxy"]
                )
                told = [types.Notice(text, kind) for kind, text in remarks(painting, proxy)]
                yield from told
                notices += told
            elif isinstance(moment, Tick):
                seconds = progress.step(backend.evaluations - counted)
                yield types.Step(
                    moment.phase, moment.index, moment.count, progress.done, seconds,
                    progress.seconds_left, self._previews(backend, moment, painting, proxy, progress),
                )  # fmt: skip
                if moment.index == moment.count:
                    clock.lap(moment.phase)

        keys = (plan.baseline, plan.awakened)
        yield types.Stage("decode", all(f"decoded {key}" in self._memo for key in keys))
        videos = []
        for key, z in zip(keys, latents, strict=True):
            known = f"decoded {key}" in self._memo
            videos.append(decoded(backend, self._memo, key, z, painting))
            if not known:
                self._seconds_per_decode = progress.lap()
        clock.lap("decode")
        yield types.Result(
            painting, proxy, *videos,
            settings=request.settings() | _where(self, backend, painting),
            timings=clock.seconds | {"total": sum(clock.seconds.values())},
            evaluations=backend.evaluations - counted, evaluations_from_scratch=scratch,
            psnr=psnr, luma_correlation=correlation, notices=tuple(notices),
        )  # fmt: skip

    def _previews(
        self, backend: Backend, tick, painting: np.ndarray, proxy: np.ndarray | None,
        progress: _Estimate,
    ) -> Mapping[str, np.ndarray]:  # fmt: skip
        """Small moving pictures of the running estimates, no oftener than their share of time."""
        if tick.clean is None or not progress.preview_is_due(last=tick.index == tick.count):
            return {}
        began = time.perf_counter()
        seen = {"proxy": proxy}
        previews = {
            name: backend.preview(z, seen.get(name, painting))
            for name, z in zip(tick.names, tick.clean.split(1), strict=True)
        }
        progress.previewed(time.perf_counter() - began)
        return previews

    def _resident(self, role: str, name: str, registry: Mapping[str, Any]) -> Any:
        """The model of that name, loaded if need be."""
        import torch

        spec = registry[name]
        half = fast_bfloat16(self.device) and (self.device.type != "cpu" or spec.half_on_cpu)
        dtype = getattr(torch, self._dtype or ("bfloat16" if half else "float32"))
        return self._residence.get(role, name, lambda: spec.load(self.device, dtype))

    def _free(self) -> None:
        self._memo.clear()
        release(self.device)


_OUT_OF_MEMORY = (
    "The machine ran out of memory. Choose a smaller size (advanced settings) and press Awaken "
    "again; nothing else was lost."
)


def _notices(backend: Backend, request: Request, schedule, plan: Plan) -> Iterator[types.Notice]:
    from awaken.vsds import update_rates

    for sentence in backend.notices(request.prompt):
        yield types.Notice(sentence, "prompt")
    worst = max(update_rates(schedule, plan.alphas), default=0.0)
    if worst > 1:
        fate = "would diverge" if worst > 2 else "overshoots"
        yield types.Notice(
            f"The largest update moves {worst:.1f} times the way to its target: above 1 it "
            f"overshoots, above 2 it diverges. This alpha curve {fate}; a lower peak calms it.",
            "alpha",
        )


def _where(engine: Engine, backend: Backend, painting: np.ndarray) -> dict[str, Any]:
    from awaken import __version__

    height, width = painting.shape[:2]
    return {
        "width": width,
        "height": height,
        "device": engine.device_name,
        "dtype": str(backend.dtype).removeprefix("torch."),
        "weights": backend.weights_id,
        "awaken": __version__,
    }


class _Clock:
    """Seconds by phase: each lap goes to the phase that just ended."""

    def __init__(self):
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, phase: str) -> None:
        now = time.perf_counter()
        self.seconds[phase] = self.seconds.get(phase, 0.0) + now - self._last
        self._last = now


class _Estimate:
    """Time left, from measured steps, and when the next preview is due."""

    def __init__(self, needed: int, seconds_per_decode: float):
        self._needed, self._decode = needed, seconds_per_decode
        self._spent = self._evaluations = 0.0
        self._last = time.perf_counter()
        self._preview_cost, self._preview_last = 0.0, 0.0
        self.done, self.seconds_left = 0.0, float("nan")

    def lap(self) -> float:
        """Seconds since the last lap."""
        now = time.perf_counter()
        seconds, self._last = now - self._last, now
        return seconds

    def step(self, evaluations: int) -> float:
        """Note that so many evaluations of the run are done; returns this step's seconds."""
        seconds = self.lap()
        if evaluations > self._evaluations:
            self._spent += seconds
            self._evaluations = evaluations
            self.done = evaluations / max(1, self._needed)
            rest = self._needed - evaluations
            self.seconds_left = self._spent / evaluations * rest + 2 * self._decode
        return seconds

    def preview_is_due(self, last: bool) -> bool:
        quiet = time.perf_counter() - self._preview_last
        return last or quiet >= max(0.3, self._preview_cost / PREVIEW_SHARE)

    def previewed(self, seconds: float) -> None:
        self._preview_cost, self._preview_last = seconds, time.perf_counter()
