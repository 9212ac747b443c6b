"""What the paper's three models have in common: CLIP text, a Stable Diffusion VAE, a UNet on disk.

A subclass names its release, its network and its VAE, and says how pictures and noise reach the
network; loading, text, decoding in batches that fit and previews are here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from awaken import hub
from awaken.backends import Backend, Condition, VideoSettings, processor
from awaken.backends.deep_cache import DeepCache
from awaken.backends.latent_preview import fit_to_rgb, preview, small_frames
from awaken.backends.pipeline_loading import fingerprint, posterior_generator
from awaken.backends.placement import resident
from awaken.backends.releases import TAESD
from awaken.backends.speed import Quick, Tuning
from awaken.message import Message
from awaken.types import ModelError

__all__ = [
    "LatentDiffusionBackend", "fingerprint", "from_folder", "posterior_generator", "resident",
]  # fmt: skip

log = logging.getLogger(__name__)

_DECODES = 64  # frames at once on a GPU; halved when its memory runs out


class LatentDiffusionBackend(Backend):
    """A text- and image-conditioned latent video diffusion model in the diffusers folder layout."""

    release: hub.Release
    network_class: Callable[[], type]
    optional_weights: tuple[str, ...] = ()
    vae_folder = "vae"

    def __init__(self, device: torch.device, dtype: torch.dtype):
        """Load from ``hub.require``. Raises ModelError naming the file that does not fit."""
        self.device, self.dtype = device, dtype
        self.folder = folder = hub.require(self.release)
        self.unet = self._load_unet(folder)
        self.vae = self._load_vae(folder)
        self.tokenizer, self.text_encoder = self._load_text(folder)
        self.scheduler_config = hub.read_json(folder / "scheduler" / "scheduler_config.json")
        self.weights_id = fingerprint(hub.pick(folder, hub.weights("unet")))
        self._begin()

    def _begin(self) -> None:
        """Put the networks, which are there, to their places."""
        self.offloaded = self._place()
        self.tiny_vae = None if self.device.type == "cpu" else tiny_vae(self.device, self.dtype)
        self._decodes = _DECODES if self.device.type == "cuda" else 1
        self.deep_cache = DeepCache()
        self.tune(Tuning.of(self.device))

    def _load_unet(self, folder: Path) -> torch.nn.Module:
        from accelerate import init_empty_weights

        config = hub.read_json(folder / "unet" / "config.json")
        config.pop("_class_name", None)
        try:
            with init_empty_weights(include_buffers=False):
                unet = type(self).network_class().from_config(config)
        except (TypeError, ValueError, KeyError) as error:
            raise ModelError(
                "{path} does not fit: {error}", path=folder / "unet" / "config.json", error=error
            ) from error
        weights = hub.pick(folder, hub.weights("unet"))
        hub.load_weights(unet, weights, self.optional_weights, self.dtype)
        return unet

    def _load_vae(self, folder: Path) -> torch.nn.Module:
        from diffusers import AutoencoderKL

        return from_folder(AutoencoderKL, folder / self.vae_folder, self.dtype)

    def _load_text(self, folder: Path):
        from transformers import CLIPTextModel, CLIPTokenizer

        tokenizer = from_folder(CLIPTokenizer, folder / "tokenizer", None)
        return tokenizer, from_folder(CLIPTextModel, folder / "text_encoder", self.dtype)

    def _place(self) -> bool:
        """Put the modules on the device, or let accelerate bring each there when it is called."""
        modules = (self.text_encoder, self.unet, self.vae)
        for module in modules:
            module.eval().requires_grad_(False)
            if self.device.type == "cuda":  # the layout that tensor cores read
                channels_last(module)
        if self.device.type == "cpu" and self.dtype == torch.float32 and processor.suits():
            processor.suit(self.unet)
        needed = sum(t.nbytes for m in modules for t in m.state_dict().values())
        if self.device.type == "cuda" and not resident(
            needed, torch.cuda.mem_get_info(self.device)[0]
        ):
            from accelerate import cpu_offload_with_hook

            hook = None
            for module in modules:
                _, hook = cpu_offload_with_hook(module, self.device, prev_module_hook=hook)
            return True
        for module in modules:
            module.to(self.device)
        return False

    def notices(self, prompt: str) -> list[str]:
        told = []
        if self.offloaded:
            told.append(
                Message(
                    "{title} does not fit into this GPU's memory as a whole: its parts take turns there, "
                    "which is slower.",
                    title=self.spec.title,
                )
            )
        tokens = self.tokenizer(prompt)["input_ids"]
        if len(tokens) > self.tokenizer.model_max_length:
            told.append(
                Message(
                    "{title} reads the first {count} words or word parts of a prompt; the rest of yours "
                    "was cut off.",
                    title=self.spec.title,
                    count=self.tokenizer.model_max_length - 2,
                )
            )
        return told

    def embed(self, texts: Sequence[str]) -> torch.Tensor:
        """CLIP's last hidden states, (len(texts), 77, width)."""
        tokens = self.tokenizer(
            list(texts), padding="max_length", truncation=True,
            max_length=self.tokenizer.model_max_length, return_tensors="pt",
        )  # fmt: skip
        return self.text_encoder(tokens.input_ids.to(self.device))[0].to(self.dtype)

    def pixels(self, picture: np.ndarray) -> torch.Tensor:
        """(h, w, 3) uint8 -> (1, 3, h, w) in [-1, 1]."""
        x = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None]  # arrays may be read-only
        return x.to(self.device, torch.float32) / 127.5 - 1

    def predict(self, z: torch.Tensor, t: float, condition: Condition) -> torch.Tensor:
        self.deep_cache.begin(t, condition)
        self.drafted += z.shape[0] * self.deep_cache.shallow
        if self.device.type != "cpu":
            return super().predict(z, t, condition)
        videos = []  # one after the other: what more than one reads and writes fits no cache
        for self.deep_cache.video, (x, given) in enumerate(zip(z.split(1), condition.split())):
            videos.append(super().predict(x, t, given))
        return torch.cat(videos, 1)

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Call the network, the quickest way that is ready."""
        if not self.deep_cache.on:
            return self.quick(*args, **kwargs)
        with self.quick.attention():
            return self.deep_cache.run(self.quick.network(*args, **kwargs), *args, **kwargs)

    def tune(self, tuning: Tuning) -> None:
        """How the network is to be run from now on."""
        plain = (
            Tuning() if self.offloaded else tuning
        )  # weights that travel are what takes time there
        self.quick = Quick(self.unet, plain, self.device)
        if plain.compile == "ahead":
            with torch.inference_mode():
                self._press()
            self.quick.compile()

    def settle(self) -> None:
        self.quick.settle()

    def _press(self) -> None:
        """One evaluation of two videos at the model's own size, as in a run."""
        spec, frames = self.spec, self.spec.frames
        options = {name: option.default for name, option in spec.options.items()}
        picture = np.zeros((spec.size // spec.multiple * spec.multiple,) * 2 + (3,), np.uint8)
        latents = self.encode(picture, 0)
        settings = VideoSettings("", frames, spec.guidance, motion=spec.motion, options=options)
        given = self.condition(picture, latents, settings)
        still = self.static_video(latents, frames, picture)
        t = self.schedule(spec.steps).timesteps[0]
        self.network(torch.cat([still, still]), t, Condition.stack([given, given]))

    def decode_frames(self, latents: torch.Tensor) -> torch.Tensor:
        """Scaled latents (f, c, h', w') of single frames -> (f, 3, h, w) in [-1, 1]."""
        return self.vae.decode((latents / self.vae.config.scaling_factor).to(self.vae.dtype)).sample

    def decode(
        self, z: torch.Tensor, picture: np.ndarray, mask: np.ndarray | None = None
    ) -> np.ndarray:
        frames = z[0].transpose(0, 1)  # f c h w
        while True:
            try:
                parts = [
                    _to_bytes(self.decode_frames(part)) for part in frames.split(self._decodes)
                ]
                return torch.cat(parts).cpu().numpy()
            except torch.OutOfMemoryError:
                if self._decodes == 1:
                    raise
                self._decodes = min(self._decodes, len(frames)) // 2
                log.info("decoding so many frames does not fit; now %d at once", self._decodes)
                torch.cuda.empty_cache()

    def preview(
        self, z: torch.Tensor, picture: np.ndarray, mask: np.ndarray | None = None
    ) -> np.ndarray:
        """By the tiny decoder; else through a linear map to RGB, fitted once to the loaded VAE."""
        if self.tiny_vae is None:
            return preview(z, self.to_rgb)
        frames = z[0].transpose(0, 1).to(self.tiny_vae.dtype)
        return small_frames(self.tiny_vae.decode(frames).sample.float())

    @property
    def to_rgb(self) -> torch.Tensor:
        """(channels + 1, 3), see ``latent_preview``."""
        if not hasattr(self, "_to_rgb"):
            scaling = self.vae.config.scaling_factor
            self._to_rgb = fit_to_rgb(
                lambda x: self.vae.encode(x.to(self.vae.dtype)).latent_dist.mode() * scaling,
                2 ** (len(self.vae.config.block_out_channels) - 1), self.device,
            )  # fmt: skip
        return self._to_rgb


def from_folder(cls, folder: Path, dtype: torch.dtype | None):
    """``from_pretrained`` from this folder only, with its errors turned into sentences."""
    kwargs = {} if dtype is None else {"dtype": dtype}
    if hasattr(cls, "load_config"):  # diffusers
        kwargs = {"torch_dtype": dtype, "low_cpu_mem_usage": True}
    if half := hub.variant(folder):
        kwargs["variant"] = half
    try:
        return cls.from_pretrained(folder, local_files_only=True, **kwargs)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise ModelError(
            "{folder} could not be loaded as {name}: {reason}. Fetch that folder again.",
            folder=folder,
            name=cls.__name__,
            reason=str(error).splitlines()[0][:300],
        ) from error


def tiny_vae(device: torch.device, dtype: torch.dtype) -> torch.nn.Module | None:
    """TAESD, whose pictures are good enough for previews, where its weights are."""
    from diffusers import AutoencoderTiny

    if hub.missing(TAESD):
        return None
    vae = from_folder(AutoencoderTiny, hub.require(TAESD), dtype).eval().requires_grad_(False)
    channels_last(vae)
    return vae.to(device)


def channels_last(module: torch.nn.Module, on: bool = True) -> None:
    """Whole video UNets refuse one memory format: 2D and 3D convolutions each get their own.

    ``on=False`` brings torch's usual one back.
    """
    formats = {torch.nn.Conv2d: torch.channels_last, torch.nn.Conv3d: torch.channels_last_3d}
    for part in module.modules():
        for kind, form in formats.items():
            if isinstance(part, kind):
                part.to(memory_format=form if on else torch.contiguous_format)


def _to_bytes(frames: torch.Tensor) -> torch.Tensor:
    """(f, 3, h, w) in [-1, 1] -> (f, h, w, 3) uint8, cut off and not rounded, as upstream."""
    x = (frames.float() / 2 + 0.5).clamp(0, 1) * 255
    return x.to(torch.uint8).permute(0, 2, 3, 1)
