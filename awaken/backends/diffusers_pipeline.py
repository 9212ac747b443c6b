"""Today's image-to-video pipelines of diffusers as backends: record and repeat.

``condition`` runs the pipeline's own ``__call__`` up to its first scheduler step, with a stub in
place of the denoiser, and keeps the arguments of every denoiser call. ``network`` makes the same
calls again with our latents and timestep in them. So no pipeline's preparation (text, picture,
masks, packing, guidance layout) is written a second time; a ``Form`` says where in a call latents
lie.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from PIL import Image

from awaken import hub
from awaken.backends import Backend, Condition, VideoSettings
from awaken.backends.latent_preview import fit_to_rgb, preview
from awaken.backends.pipeline_loading import fingerprint, load_pipeline, posterior_generator
from awaken.backends.placement import Placement
from awaken.backends.recording import Form, Output, Reached, Recorded, bound
from awaken.backends.transformer_cache import TransformerCache
from awaken.message import Message
from awaken.sampling import Schedule
from awaken.types import ModelError

log = logging.getLogger(__name__)

# Schedulers that draw no noise of their own: the same seed must give the same video.
_DETERMINISTIC = {
    "CogVideoXDDIMScheduler", "DDIMScheduler", "DEISMultistepScheduler",
    "DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler", "EulerDiscreteScheduler",
    "FlowMatchEulerDiscreteScheduler", "LMSDiscreteScheduler", "PNDMScheduler",
    "UniPCMultistepScheduler",
}  # fmt: skip


class PipelineBackend(Backend):
    """A frozen image-to-video pipeline. A subclass names its ``spec`` and its ``form``."""

    form: Form
    starts_from_noise = True

    @property
    def encodes_stills(self) -> bool:
        return not self.form.repeats

    def __init__(self, device: torch.device, dtype: torch.dtype):
        """Load from ``hub.require``. Raises ModelError naming the file that does not fit."""
        self.device, self.dtype = device, dtype
        self.folder = hub.require(self.spec.release)
        self.weights_id = "-".join(
            fingerprint(hub.pick(self.folder, names))
            for names in self.spec.release.files
            if not names[0].endswith(".json")
        )
        self.pipe = self.load()
        config, name = self.pipe.scheduler.config, type(self.pipe.scheduler).__name__
        draws = config.get("stochastic_sampling") or "sde" in config.get("algorithm_type", "")
        if draws or name not in _DETERMINISTIC:
            raise ModelError(
                "{folder} names {name}, which this demo does not run: it draws noise of its own or "
                "works in another way. Put the scheduler_config.json of the release back.",
                folder=self.folder / "scheduler",
                name=name,
            )
        self.placement = Placement.put(self.pipe, device)
        self.cache = TransformerCache(self.denoisers(), self.spec.draft)
        self._last: torch.nn.Module | None = None
        self._to_rgb: torch.Tensor | None = None

    def load(self) -> Any:
        """The diffusers pipeline, on the CPU."""
        dtypes = {part: torch.float32 for part in self.form.float32} | {"default": self.dtype}
        return load_pipeline(self.form.pipeline, self.folder, dtypes)

    def denoisers(self) -> list[torch.nn.Module]:
        names = (self.form.denoiser, "transformer_2")
        return [m for name in names if (m := getattr(self.pipe, name, None)) is not None]

    def modules(self) -> list[torch.nn.Module]:
        """What may be moved between devices; nothing where diffusers moves it itself."""
        if self.placement.offloads:
            return []
        parts = self.pipe.components.values()
        return [part for part in parts if isinstance(part, torch.nn.Module)]

    def rest(self) -> None:
        """Leave the device, where diffusers moves the parts."""
        self.pipe.maybe_free_model_hooks()
        self._last = None

    def notices(self, prompt: str) -> list[str]:
        told, placed = [], self.placement.sentence
        if placed:
            told.append(Message("{title}: {why}", title=self.spec.title, why=placed))
        tokenizer = getattr(self.pipe, "tokenizer", None)
        longest = getattr(tokenizer, "model_max_length", None)
        if self.form.words and longest and len(tokenizer(prompt)["input_ids"]) > longest:
            told.append(
                Message(
                    "{title} reads the first {count} words or word parts of a prompt; the rest of yours "
                    "was cut off.",
                    title=self.spec.title,
                    count=longest,
                )
            )
        return told

    # ---- schedule ----------------------------------------------------------------------------

    def schedule(self, steps: int) -> Schedule:
        return self.schedule_for(steps, (self.spec.frames, self.spec.size, self.spec.size))

    def schedule_for(self, steps: int, shape: tuple[int, int, int]) -> Schedule:
        scheduler = type(self.pipe.scheduler).from_config(self.pipe.scheduler.config)
        levels = self.levels(steps, shape)
        return Schedule.from_scheduler(scheduler, steps, by_level=True, **levels)

    def levels(self, steps: int, shape: tuple[int, int, int]) -> dict[str, Any]:
        """What the pipeline hands its scheduler besides the number of steps."""
        return {}

    # ---- pictures and videos -----------------------------------------------------------------

    @property
    def stride(self) -> int:
        """Frames per latent frame after the first."""
        names = ("vae_scale_factor_temporal", "vae_temporal_compression_ratio")
        return next((n for name in names if (n := getattr(self.pipe, name, None))), 1)

    def latent_frames(self, frames: int) -> int:
        return (frames - 1) // self.stride + 1

    def pixels(self, picture: np.ndarray) -> torch.Tensor:
        """(h, w, 3) uint8 -> (1, 3, h, w) in [-1, 1], by the pipeline's own processor."""
        x = self.pipe.video_processor.preprocess(Image.fromarray(picture))
        return x.to(self.device, torch.float32)

    def encoded(self, pixels: torch.Tensor, seed: int) -> torch.Tensor:
        """Pixels (1, 3, f, h, w) in [-1, 1] -> latents as the denoiser has them."""
        posterior = self.pipe.vae.encode(pixels.to(self.pipe.vae.dtype)).latent_dist
        drawn = self.form.sampled
        z = posterior.sample(posterior_generator(seed)) if drawn else posterior.mode()
        mean, scale = self.statistics(z.device)
        return (z.float() - mean) * scale

    def statistics(self, device: torch.device) -> tuple[torch.Tensor | float, torch.Tensor | float]:
        """(mean, scale) that the VAE's latents are normalised by: (z - mean) scale."""
        config = self.pipe.vae.config
        if config.get("latents_std") is None:
            return 0.0, config.scaling_factor
        shape = (1, -1, 1, 1, 1)
        mean, std = (
            torch.tensor(config[name], dtype=torch.float32, device=device).view(shape)
            for name in ("latents_mean", "latents_std")
        )
        return mean, 1.0 / std

    def encode(self, picture: np.ndarray, seed: int) -> torch.Tensor:
        """(1, c, 1, h', w'): the picture's latents, the first of any video of it."""
        return self.encoded(self.pixels(picture)[:, :, None], seed)

    def static_video(
        self, latents: torch.Tensor, frames: int, picture: np.ndarray | None = None
    ) -> torch.Tensor:
        """A VAE that pads time with zeros makes other latents of each frame: all are encoded."""
        count = self.latent_frames(frames)
        if self.form.repeats:
            still = latents.expand(-1, -1, count, -1, -1)
        elif picture is None:
            raise ValueError("the still video of this model is encoded from its picture")
        else:
            still = self.encoded(self.pixels(picture)[:, :, None].expand(-1, -1, frames, -1, -1), 0)
        return still[:, :, int(self.form.locked) :].clone()

    def whole_video(self, z: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        return torch.cat([latents, z], 2) if self.form.locked else z

    def fractions(self, frames: int) -> Sequence[float] | None:
        """Of the last frame that a latent frame covers."""
        count = self.latent_frames(frames)
        return [i / (count - 1) for i in range(1, count)] if self.form.locked else None

    def decode(
        self, z: torch.Tensor, picture: np.ndarray, mask: np.ndarray | None = None
    ) -> np.ndarray:
        try:
            pixels = self.decoded(z)
        except torch.OutOfMemoryError:
            if not hasattr(self.pipe.vae, "enable_tiling"):
                raise
            log.info("decoding %s at once does not fit; decoding it in tiles", tuple(z.shape))
            torch.cuda.empty_cache()
            self.pipe.vae.enable_tiling()
            pixels = self.decoded(z)
        video = self.pipe.video_processor.postprocess_video(pixels, output_type="np")[0]
        self.pipe.maybe_free_model_hooks()
        return (video * 255).round().astype(np.uint8)

    def decoded(self, z: torch.Tensor) -> torch.Tensor:
        """Latents (1, c, f, h', w') -> pixels (1, 3, frames, h, w) in [-1, 1]."""
        mean, scale = self.statistics(z.device)
        return self.pipe.vae.decode((z / scale + mean).to(self.pipe.vae.dtype)).sample

    def preview(
        self, z: torch.Tensor, picture: np.ndarray, mask: np.ndarray | None = None
    ) -> np.ndarray:
        """The latents through a linear map to RGB, fitted once to the loaded VAE."""
        if self._to_rgb is None:
            space = round(picture.shape[0] / z.shape[-2])
            encode = lambda pixels: self.encoded(pixels[:, :, None], 0)[:, :, 0]  # noqa: E731
            self._to_rgb = fit_to_rgb(encode, space, self.device, cells=16)
        return preview(z, self._to_rgb)

    # ---- record and repeat -------------------------------------------------------------------

    def condition(
        self, picture: np.ndarray, latents: torch.Tensor, settings: VideoSettings
    ) -> Condition:
        calls = self.record(self.call(picture, settings), latents.shape[1], settings.seed)
        branches = sum(len(self.latents_of(call)) for call in calls)
        return Condition({}, branches, (Recorded(calls, latents),), settings.draft)

    def call(self, picture: np.ndarray, settings: VideoSettings) -> dict[str, Any]:
        """The arguments that make the pipeline prepare one video."""
        form, (height, width) = self.form, picture.shape[:2]
        given = {
            form.image: Image.fromarray(picture), form.frames: settings.frames,
            form.guidance: settings.guidance,
        }  # fmt: skip
        if form.words:
            given |= {"prompt": settings.prompt, "negative_prompt": settings.negative_prompt}
        if form.sized:
            given |= {"width": width, "height": height}
        if form.motion:
            given[form.motion] = _typed(settings.motion, self.spec.motion_range[2])
        own = {
            name: _typed(value, self.spec.options[name].step)
            for name, value in settings.options.items()
        }
        return given | form.arguments | own

    def record(self, arguments: dict[str, Any], channels: int, seed: int) -> list[dict[str, Any]]:
        """The arguments of every denoiser call of the first step, in order."""
        pipe, calls = self.pipe, []
        module = getattr(pipe, self.form.denoiser)

        def stub(*args: Any, **kwargs: Any) -> Output:
            calls.append(bound(module, args, kwargs))
            return Output(self.answer(calls[-1], channels))

        def stop(*args: Any, **kwargs: Any) -> None:
            raise Reached

        scheduler = pipe.scheduler
        pipe.scheduler = copy.deepcopy(scheduler)
        pipe.scheduler.step = stop
        devices = [self.device] if self.device.type == "cuda" else []
        try:
            # Some pipelines draw from torch's own generator while they prepare.
            with torch.random.fork_rng(devices), patch.object(module, "forward", stub):
                drawn = posterior_generator(seed)
                torch.manual_seed(drawn.initial_seed())
                # two steps: some schedules divide by zero for a single one
                pipe(**arguments, num_inference_steps=2, generator=drawn, output_type="latent")
        except Reached:
            return calls
        finally:
            pipe.scheduler = scheduler
            pipe.maybe_free_model_hooks()
        raise ModelError("{title} ended without a step of its scheduler.", title=self.spec.title)

    def answer(self, call: dict[str, Any], channels: int) -> tuple[torch.Tensor, ...]:
        """What the stub says instead of the denoiser: zeros of its output's shape."""
        given = self.latents_of(call)
        axis = self.channel_axis(given)
        return (torch.zeros_like(given.narrow(axis, 0, min(channels, given.shape[axis]))),)

    def latents_of(self, call: dict[str, Any]) -> torch.Tensor:
        return call["hidden_states" if "hidden_states" in call else "sample"]

    def channel_axis(self, x: torch.Tensor) -> int:
        """Of the denoiser's input: where conditions are appended to latents; last for tokens."""
        return self.form.axes.index(1) if x.ndim == 5 else x.ndim - 1

    def repeated(self, call: dict[str, Any], x: torch.Tensor, t: float) -> dict[str, Any]:
        """The recorded call with latents ``x`` (1, ...), in its layout, and timestep ``t``.

        Tokens of a clean first frame were recorded with timestep 0, and keep it.
        """
        old, axis = self.latents_of(call), self.channel_axis(x)
        rest = old.narrow(axis, x.shape[axis], old.shape[axis] - x.shape[axis])
        new = torch.cat([x.to(old.dtype).expand(len(old), *x.shape[1:]), rest], axis)
        time = torch.as_tensor(call["timestep"])
        name = "hidden_states" if "hidden_states" in call else "sample"
        return call | {name: new, "timestep": (time != 0).to(time.dtype) * t}

    def to_model(self, z: torch.Tensor) -> torch.Tensor:
        """(1, c, f, h, w) -> the denoiser's layout."""
        return z.permute(self.form.axes)

    def from_model(self, x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        return x.permute(tuple(np.argsort(self.form.axes)))

    def denoiser_at(self, t: float) -> torch.nn.Module:
        """The expert for this noise level, where there are two."""
        pipe = self.pipe
        boundary = pipe.config.get("boundary_ratio")
        second = boundary is not None and t < boundary * pipe.scheduler.config.num_train_timesteps
        module = pipe.transformer_2 if second else getattr(pipe, self.form.denoiser)
        if self._last not in (None, module):
            # accelerate's chain only lets the previous part go: two experts would stay
            pipe.maybe_free_model_hooks()
        self._last = module
        return module

    def network(self, z: torch.Tensor, t: float, condition: Condition) -> torch.Tensor:
        """One video after the other: models of this size would not fit side by side."""
        module = self.denoiser_at(t)
        self.cache.begin(t, condition)
        self.drafted += len(z) * self.cache.on
        videos = []
        for i, recorded in enumerate(condition.calls):
            video = self.whole_video(z[i : i + 1], recorded.first)
            x, branches = self.to_model(video), []
            for n, call in enumerate(recorded.calls):
                with self.cache.context(module, f"{i}-{n}"):
                    out = module(**self.repeated(call, x, t))[0].float()
                branches += [self.from_model(part, video) for part in out.split(1)]
            videos.append(torch.cat(branches[::-1] if self.form.text_first else branches))
        out = torch.stack(videos, 1)
        return out[:, :, :, 1:] if self.form.locked else out


def _typed(value: float, step: float) -> float | int:
    """An int where the dial has whole steps: pipelines check types."""
    return int(value) if float(step).is_integer() else float(value)
