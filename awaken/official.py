"""The released code's loop and ours on one network with random weights: python -m awaken.bench --official

The released loop goes path after path and video after video, plain and eager, waits for the device at
every step and decodes frame by frame. Ours is the engine's press: batches, memo, memory format and
kernels that suit the device, previews. Presses alternate in one process, so that other work on the
machine meets both alike. Weights do not matter for time: they are random, at any ``--scale`` of the
released width.
"""

from __future__ import annotations

import resource
import sys
import time
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from statistics import median
from typing import Any

import numpy as np
import torch

from awaken import models
from awaken.backends import BACKENDS, Backend, Condition, VideoSettings, processor
from awaken.backends.latent_diffusion import LatentDiffusionBackend, channels_last
from awaken.backends.speed import Tuning
from awaken.engine import Engine, until_result
from awaken.fusion import FUSIONS
from awaken.painting import similarity
from awaken.proxies import PROXIES
from awaken.residence import pick_device, working_dtype
from awaken.sampling import Outcome, guided_prediction
from awaken.settings import resolve
from awaken.types import Request, Result, Step
from awaken.vsds import alpha_schedule

# What a visitor may change after the first press; the memo repeats only what lies behind it.
TWEAKS: dict[str, Mapping[str, Any]] = {
    "fusion": {"variant": "+V&U"}, "proxy": {}, "p": {"p": 0.4}, "alpha": {"alpha": "constant"},
    "draft": {"draft": True}, "draft_fewer_steps": {"draft": True, "steps": None},
}  # fmt: skip
_CLASSES = {
    "animate_anything": ("AnimateAnythingBackend", "AnimateAnythingUNet"),
    "consisti2v": ("ConsistI2VBackend", "ConsistI2VUNet"), "cinemo": ("CinemoBackend", "CinemoUNet"),
}  # fmt: skip
_LETTERS = 256


@dataclass(frozen=True)
class Press:
    """One press: seconds by the wall and of all processors, and to the first moving preview."""

    seconds: float
    processor: float
    preview: float = float("inf")
    result: Result | None = None
    videos: Sequence[np.ndarray] = ()  # awakened, baseline


def reports(arguments: Namespace) -> Iterator[dict[str, Any]]:
    """``report`` of every model that the command line of ``awaken.bench`` names, on the best device."""
    a, device = arguments, pick_device()
    for name in a.official or ["animate_anything"]:
        dtype = working_dtype(device, half_on_cpu=False)
        yield report(name, a.scale, a.size, a.steps, a.rounds, device, dtype)


def report(
    name: str, scale: float, size: int, steps: int, rounds: int,
    device: torch.device, dtype: torch.dtype,
) -> dict[str, Any]:  # fmt: skip
    """Medians of ``rounds`` alternating presses, ready for JSON.

    scale: of the released width, 1 is full. size: side of the square video in pixels.
    """
    backend = random_backend(name, scale, device, dtype)
    spec = replace(BACKENDS[name], steps=steps, load=lambda *_: backend, available=lambda: None)
    BACKENDS[name] = backend.spec = spec
    engine = Engine(device.type, str(dtype).removeprefix("torch."))
    draw = np.random.default_rng(0)
    painting, *proxies = (draw.integers(0, 256, (size, size, 3), np.uint8) for _ in range(3))
    asked = Request(
        painting, "the clouds drift", backend=name, proxy="upload", proxy_image=proxies[0],
        steps=steps, size=size,
    )  # fmt: skip

    def again(seed: int, change: str = "") -> Press:
        other = {"proxy_image": proxies[1]} if change == "proxy" else TWEAKS.get(change, {})
        return press(engine, replace(asked, seed=seed, **other))

    flops = _flops(backend, asked)
    again(10**6)  # warm; what is compiled is compiled for its shapes
    began = time.perf_counter()
    backend.quick.compile()
    compiling = time.perf_counter() - began
    rows: dict[str, list[Press]] = {}
    for seed in range(rounds):
        with as_released(backend), torch.inference_mode():
            rows.setdefault("official", []).append(released(backend, replace(asked, seed=seed)))
        for change in ("exact", *TWEAKS):
            rows.setdefault(change, []).append(again(seed, change))
    told = {row: _told(row, presses, rows, flops) for row, presses in rows.items()}
    return {
        "model": name, "scale": scale, "size": size, "steps": steps, "device": engine.device_name,
        "dtype": str(dtype).removeprefix("torch."), "rounds": rounds, "gflop": flops / 1e9,
        "compile_seconds": compiling, "peak_gb": _peak(device), "rows": told,
    }  # fmt: skip


def _told(
    row: str, presses: list[Press], rows: Mapping[str, list[Press]], flops: int
) -> dict[str, Any]:
    """One row: medians, ratios to the released loop, and a tweak's cost against its share."""
    official, exact = (
        [median(getattr(p, kind) for p in rows[name]) for kind in ("seconds", "processor")]
        for name in ("official", "exact")
    )
    seconds, cpu = (median(getattr(p, kind) for p in presses) for kind in ("seconds", "processor"))
    told = {
        "seconds": seconds, "cpu_seconds": cpu, "ratio": official[0] / seconds,
        "cpu_ratio": official[1] / cpu,
    }  # fmt: skip
    result, first = presses[-1].result, rows["exact"][-1].result
    if result is None:
        return told | {"evaluations": first.evaluations,
                       "tflops_per_s": flops * first.evaluations / seconds / 1e12}  # fmt: skip
    share = result.evaluations / first.evaluations
    told |= {
        "evaluations": result.evaluations, "drafted": result.drafted, "share": share,
        "of_first_press": cpu / exact[1], "first_preview": median(p.preview for p in presses),
        "tflops_per_s": flops * (result.evaluations - result.drafted) / seconds / 1e12,
    }  # fmt: skip
    if result.drafted:
        told["psnr_to_exact"] = similarity(first.awakened, result.awakened)[0]
    return told


def press(engine: Engine, request: Request) -> Press:
    """One press of the engine. Raises AwakenError on Failed."""
    began, used, preview = time.perf_counter(), time.process_time(), float("inf")
    events = Outcome(until_result(engine.animate(request)))
    for event in events:
        if isinstance(event, Step) and event.previews:
            preview = min(preview, time.perf_counter() - began)
    return Press(time.perf_counter() - began, time.process_time() - used, preview, events.value)


def released(backend: LatentDiffusionBackend, request: Request) -> Press:
    """The same press in the order and the manner of the released code."""
    began, used = time.perf_counter(), time.process_time()
    r = resolve(request, backend.spec, PROXIES[request.proxy])
    settings, frames = VideoSettings.of(r), r.frames
    scales, schedule = backend.guidance_scales(settings), backend.schedule(r.steps)
    scheduler, draw = schedule.scheduler, torch.Generator().manual_seed(r.seed)
    noise = backend.static_video(backend.encode(r.painting, r.seed), frames, r.painting)
    noises = [backend.draw_noise(draw, noise, final=n == 2) for n in range(3)]
    window = schedule.window(r.p)
    alphas = alpha_schedule(r.alpha, len(window), r.peak)

    def predicted(z: torch.Tensor, t: torch.Tensor, condition: Condition) -> torch.Tensor:
        return guided_prediction(backend, z, float(t), condition, scales)  # waits for the device

    def path(picture: np.ndarray, noise: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        latents = backend.encode(picture, r.seed)
        condition = backend.condition(picture, latents, settings)
        z = backend.static_video(latents, frames, picture)
        for i, alpha in zip(window, alphas, strict=True):
            t = scheduler.timesteps[i].to(z.device)
            noisy = scheduler.add_noise(z, noise, t[None])
            weight = 1 - scheduler.alphas_cumprod.to(z.device)[int(t)]
            z = z - alpha * weight * (predicted(noisy, t, condition) - noise)
        return backend.to_video(z, latents), latents

    def video(start: torch.Tensor) -> np.ndarray:
        latents = backend.encode(r.painting, r.seed)
        condition = backend.condition(r.painting, latents, settings)
        levels = backend.schedule(r.steps)
        z, condition = backend.initial_latents(
            start, noises[2], levels, 0, latents, condition, settings
        )
        for t in levels.scheduler.timesteps.to(z.device):
            given = predicted(z, t, condition)
            z = levels.scheduler.step(given, t, z, return_dict=False)[0]
        whole = backend.whole_video(z, latents)[0].transpose(0, 1)
        frames = [backend.decode_frames(frame[None]) for frame in whole]
        return np.concatenate(
            [(f.float() / 2 + 0.5).clamp(0, 1).mul(255).byte().cpu() for f in frames]
        )

    paths = [path(*of) for of in zip((r.painting, r.proxy_image), noises, strict=False)]
    still = backend.to_video(backend.static_video(paths[0][1], frames, r.painting), paths[0][1])
    awakened = FUSIONS["slerp"](*(z for z, _ in paths), backend.fractions(frames))
    videos = video(awakened), video(still)
    return Press(time.perf_counter() - began, time.process_time() - used, videos=videos)


@contextmanager
def as_released(backend: LatentDiffusionBackend) -> Iterator[None]:
    """Meanwhile the networks are plain: eager, torch's usual memory format and kernels."""
    quick, suited = backend.quick, backend.device.type == "cpu" and processor.suits()

    def change(plain: bool) -> None:
        for network in backend.modules() if backend.device.type == "cuda" else ():
            channels_last(network, not plain)
        if suited:
            processor.suit(backend.unet, not plain)

    change(True)
    backend.tune(Tuning())
    predict = backend.predict
    backend.predict = lambda z, t, condition: Backend.predict(backend, z, t, condition)
    try:
        yield
    finally:
        backend.predict, backend.quick = predict, quick
        change(False)


def random_backend(
    name: str, scale: float, device: torch.device, dtype: torch.dtype
) -> LatentDiffusionBackend:
    """A backend whose networks are those of the release at ``scale`` of their width, random."""
    from transformers import BatchEncoding, CLIPTextConfig, CLIPTextModel

    ours, network = _CLASSES[name]
    cls = getattr(import_module(f"awaken.backends.{name}"), ours)
    widths = tuple(max(64, round(scale * w / 64) * 64) for w in (320, 640, 1280, 1280))
    words = max(64, round(scale * (768 if name == "cinemo" else 1024) / 64) * 64)
    sizes: dict[str, Any] = {"block_out_channels": widths, "cross_attention_dim": words}
    if name == "animate_anything":
        sizes |= {"motion_mask": True, "motion_strength": True}
    elif name == "consisti2v":
        sizes |= {"attention_head_dim": tuple(w // 64 for w in widths)}
    elif scale < 1:
        sizes |= {"attention_head_dim": tuple(max(1, w // 64) for w in widths)}
    config = CLIPTextConfig(
        vocab_size=_LETTERS, hidden_size=words, intermediate_size=words, num_hidden_layers=1,
        num_attention_heads=words // 64, bos_token_id=0, eos_token_id=1,
    )  # fmt: skip

    class Letters:
        """In the place of a tokenizer."""

        model_max_length = 77

        def __call__(self, texts: str | list[str], **_: Any) -> BatchEncoding:
            if isinstance(texts, str):
                return BatchEncoding({"input_ids": [ord(c) % _LETTERS for c in texts][:77]})
            rows = [[ord(c) % _LETTERS for c in text.ljust(77)[:77]] for text in texts]
            return BatchEncoding({"input_ids": torch.tensor(rows)})

    class Random(cls):
        weights_id = f"random-{scale}"

        def __init__(self) -> None:
            self.device, self.dtype = device, dtype
            torch.manual_seed(0)
            with device:
                self.unet = getattr(models, network)(**sizes)
                self.vae, self.text_encoder = self._random_vae(), CLIPTextModel(config)
            for module in self.modules():
                torch.nn.Module.to(module, dtype)  # diffusers' own warns of every cast
            self.tokenizer = Letters()
            self.scheduler_config = dict(
                beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1
            )
            self._begin()

        def modules(self) -> list[torch.nn.Module]:
            return [self.unet, self.vae, self.text_encoder]

        def _random_vae(self) -> torch.nn.Module:
            from diffusers import AutoencoderKL, AutoencoderKLTemporalDecoder

            channels = tuple(max(32, round(scale * w / 32) * 32) for w in (128, 256, 512, 512))
            shape = dict(
                block_out_channels=channels, layers_per_block=2, latent_channels=4,
                down_block_types=("DownEncoderBlock2D",) * 4,
            )  # fmt: skip
            if name == "cinemo":
                return AutoencoderKLTemporalDecoder(**shape)
            return AutoencoderKL(**shape, up_block_types=("UpDecoderBlock2D",) * 4)

    return Random()


def _flops(backend: LatentDiffusionBackend, request: Request) -> int:
    """Of one evaluation, counted by torch on the plain network: multiply and add are two."""
    from torch.utils.flop_counter import FlopCounterMode

    settings = VideoSettings.of(resolve(request, backend.spec, PROXIES[request.proxy]))
    with as_released(backend), torch.inference_mode():
        latents = backend.encode(request.painting, 0)
        given = backend.condition(request.painting, latents, settings)
        still = backend.static_video(latents, settings.frames, request.painting)
        t = backend.schedule(request.steps).timesteps[0]
        with FlopCounterMode(display=False) as counter:
            backend.network(still, t, given)
    return counter.get_total_flops()


def _peak(device: torch.device) -> float:
    """GB: of the GPU, or of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e9
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9
