"""Proxies that are a diffusers pipeline: loading by path, progress, sizes, seeds, black answers.

A subclass names its release and pipeline class and says what one call takes; everything that
every pipeline needs is here.
"""

from __future__ import annotations

import logging
import queue
import threading
from abc import abstractmethod
from collections.abc import Callable, Generator, Mapping
from typing import Any, TypeVar

import numpy as np
import torch

from awaken import hub
from awaken.backends.pipeline_loading import fingerprint, load_pipeline
from awaken.backends.placement import resident
from awaken.painting import to_size
from awaken.proxies import Proxy, ProxySettings
from awaken.proxies.alignment import is_black, register
from awaken.types import ModelError, RequestError

log = logging.getLogger(__name__)
T = TypeVar("T")

# Nudes in paintings trip the checker, whose black picture would poison the video.
NO_SAFETY_CHECKER: Mapping[str, Any] = {
    "safety_checker": None, "feature_extractor": None, "requires_safety_checker": False,
}  # fmt: skip


class Stopped(BaseException):
    """The visitor went away; not an Exception, so that no library swallows it."""


def stepwise(
    work: Callable[[Callable[[int, int], None]], T],
) -> Generator[tuple[int, int], None, T]:
    """Run ``work(report)`` as a generator: yields each reported (step, count), returns its result.

    A pipeline owns its loop, so it runs in a thread of its own, strictly in turns with us: it
    waits inside ``report`` until the next step is asked for. Closing the generator raises Stopped
    out of ``report``, so the work ends at that step and its memory is free when close returns.
    """
    go_on: queue.SimpleQueue[bool] = queue.SimpleQueue()
    news: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()

    def report(step: int, count: int) -> None:
        news.put(("step", (step, count)))
        if not go_on.get():
            raise Stopped

    def run() -> None:
        try:
            with torch.inference_mode():  # a flag of the thread
                news.put(("result", work(report)))
        except BaseException as error:  # handed to the caller, whatever it is
            news.put(("error", error))

    thread = threading.Thread(target=run, name="proxy", daemon=True)
    thread.start()
    try:
        while True:
            kind, value = news.get()
            if kind == "result":
                return value
            if kind == "error":
                raise value
            yield value
            go_on.put(True)
    finally:
        go_on.put(False)
        thread.join()


class ReleasedProxy(Proxy):
    """A proxy whose networks are a released diffusers pipeline, loaded by path.

    Attributes:
        release: where its files come from. pipeline: its class in diffusers.
        components: what replaces parts of the released pipeline.
        half: the type its networks were released for on GPUs; others overflow or band.
        multiple: its sides are multiples of this many pixels.
    """

    release: hub.Release
    pipeline: str
    components: Mapping[str, Any] = {}
    half = torch.bfloat16
    multiple = 8

    def __init__(self, device: torch.device, dtype: torch.dtype):
        """Load from ``hub.require``. Raises ModelError naming the file that is wrong."""
        self.folder = folder = hub.require(self.release)
        self.device = device
        self.dtype = self.half if dtype == torch.bfloat16 else dtype
        self.weights_id = "-".join(
            fingerprint(hub.pick(folder, names))
            for names in self.release.files
            if not names[0].endswith(".json")
        )
        self.pipe = load_pipeline(self.pipeline, folder, self.dtype, **self.components)
        self.prepare()
        self._place()

    def prepare(self) -> None:
        """Change the loaded pipeline before it goes to the device."""

    def _place(self) -> None:
        """On the device as a whole, or part by part in turns where the whole does not fit."""
        needed = sum(t.nbytes for m in self.modules() for t in m.state_dict().values())
        gpu = self.device.type == "cuda"
        if gpu and not resident(needed, torch.cuda.mem_get_info(self.device)[0]):
            log.info("%s does not fit as a whole: its parts take turns on the GPU", self.spec.title)
            self.pipe.enable_model_cpu_offload(device=self.device)
            self.pipe.vae.enable_tiling()
        else:
            self.pipe.to(self.device)

    def modules(self) -> list[torch.nn.Module]:
        parts = self.pipe.components.values()
        return [part for part in parts if isinstance(part, torch.nn.Module)]

    def working_size(self, width: int, height: int, size: float) -> tuple[int, int]:
        """(width, height): the painting's shape, at most size^2 pixels, whole multiples."""
        scale = size / (width * height) ** 0.5
        return tuple(
            max(self.multiple, int(side * scale / self.multiple + 1e-6) * self.multiple)
            for side in (width, height)
        )

    def embed(self, text: str) -> torch.Tensor:
        """What a Stable Diffusion pipeline's network reads, (1, 77, width)."""
        return self.pipe.encode_prompt(text, self.device, 1, False)[0]

    def finish(self, pixels: np.ndarray, painting: np.ndarray) -> np.ndarray:
        """(h, w, 3) floats in 0..1 of any size -> uint8 of the painting's. Raises ModelError."""
        height, width = painting.shape[:2]
        return to_size(to_bytes(pixels, self.spec.title, painting), width, height)


class PipelineProxy(ReleasedProxy):
    """A proxy that calls the released pipeline as it is."""

    @abstractmethod
    def arguments(
        self, picture: np.ndarray, settings: ProxySettings, generator: torch.Generator
    ) -> dict[str, Any]:
        """What the call takes besides prompt and generator, ``image`` included.

        ``picture`` is (h, w, 3) uint8 at the working size. Raises RequestError for settings that
        would leave nothing to do.
        """

    def make(
        self, painting: np.ndarray, settings: ProxySettings
    ) -> Generator[tuple[int, int], None, np.ndarray]:
        """Call the pipeline at its working size; the picture comes back at the painting's."""
        height, width = painting.shape[:2]
        picture = to_size(
            painting, *self.working_size(width, height, settings.options.get("size", 0))
        )
        draw = torch.Generator().manual_seed(settings.seed)  # of the CPU: the same on every device

        def work(report: Callable[[int, int], None]) -> np.ndarray:
            def on_step(pipe, i: int, t, tensors: dict) -> dict:
                report(i + 1, pipe.num_timesteps)
                return tensors

            answer = self.pipe(
                prompt=settings.prompt, generator=draw, output_type="np",
                callback_on_step_end=on_step, **self.arguments(picture, settings, draw),
            )  # fmt: skip
            return answer.images[0]

        try:
            pixels = yield from stepwise(work)
        finally:
            self.pipe.maybe_free_model_hooks()
        proxy = self.finish(pixels, painting)
        return register(painting, proxy) if self.spec.family == "editor" else proxy


def to_bytes(pixels: np.ndarray, title: str, painting: np.ndarray) -> np.ndarray:
    """(h, w, 3) floats in 0..1 -> uint8. Raises ModelError for a picture that shows nothing."""
    if not np.isfinite(pixels).all():
        raise ModelError(
            "{title} overflowed and gave no picture. Try another seed or a lower guidance; on a "
            "GPU that keeps failing, another proxy.",
            title=title,
        )
    picture = (np.clip(pixels, 0, 1) * 255).round().astype(np.uint8)
    if is_black(picture) and not is_black(painting):
        raise ModelError(
            "{title} answered with a black picture: its safety checker refused, or its numbers "
            "overflowed. Try another seed or prompt, or choose another proxy.",
            title=title,
        )
    return picture


def check_steps(strength: float, steps: float) -> int:
    """Steps that image-to-image really takes. Raises RequestError when it would take none."""
    count = int(strength * steps)
    if count < 1:
        least = 1 / steps + 0.005  # rounded up, to be typed in
        raise RequestError(
            "At strength {strength:g} none of the proxy's {steps:g} steps would be taken and it "
            "would stay the painting: raise the proxy strength to {least:.2f} or more, or choose "
            "the proxy “The painting itself”.",
            strength=strength,
            steps=steps,
            least=least,
        )
    return count
