"""Cinemo around its network: the schedule, the start and the decoding.

Method: Cinemo (Ma et al., 2024, arXiv:2407.15642); behaviour follows github.com/maxin-cn/Cinemo at
7cd7f27: `pipelines/animation.py`, `pipelines/pipeline_videogen.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from awaken.backends import BACKENDS, Condition, VideoSettings
from awaken.backends.latent_diffusion import (
    LatentDiffusionBackend,
    from_folder,
    posterior_generator,
)
from awaken.backends.releases import CINEMO
from awaken.sampling import Schedule

if TYPE_CHECKING:
    from diffusers import AutoencoderKLTemporalDecoder, DDIMScheduler

# Upstream's own noise levels (configs/sample.yaml); the checkpoint's file has Stable Diffusion
# 1.4's.
_BETAS = {"beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "linear"}

DCT_NOISE_LEVEL = 975  # timestep; upstream's script (its demo starts at 985)
DCT_RATIO = 0.23  # share of the rows and of the columns of frequencies that the picture keeps
DECODE_FRAMES = 14  # what the temporal decoder sees at once: it changes the result


def scheduler(config: Mapping[str, Any]) -> DDIMScheduler:
    """DDIM with linear betas 0.0001 to 0.02 over whatever else the checkpoint's file says.

    50 steps run from 981 to 1; the last lands on the noise level of timestep 0, not on none.
    """
    from diffusers import DDIMScheduler

    return DDIMScheduler.from_config(dict(config), **_BETAS)


def dct_matrix(size: int) -> torch.Tensor:
    """The orthonormal DCT-II as a matrix, (size, size) float64 on the CPU: row k is frequency k.

    Its transpose is its inverse (Ahmed, Natarajan and Rao 1974).
    """
    k = torch.arange(size, dtype=torch.float64)
    matrix = torch.cos(math.pi / size * torch.outer(k, k + 0.5)) * math.sqrt(2 / size)
    matrix[0] /= math.sqrt(2)
    return matrix


def low_band(video: torch.Tensor, ratio: float) -> torch.Tensor:
    """Keep only the int(h ratio) x int(w ratio) lowest DCT terms of (..., h, w); same shape."""

    def projector(size: int) -> torch.Tensor:
        kept = dct_matrix(size)[: int(size * ratio)]
        return (kept.T @ kept).to(video)

    return projector(video.shape[-2]) @ video @ projector(video.shape[-1])


def dct_initialise(
    video: torch.Tensor,
    noise: torch.Tensor,
    schedule: DDIMScheduler,
    noise_level: int = DCT_NOISE_LEVEL,
    ratio: float = DCT_RATIO,
) -> torch.Tensor:
    """DCTInit: start from noise whose coarse layout is that of the noised video.

    video: (b, 4, f, h, w) latents, or one frame (b, 4, 1, h, w) that stands still; noise:
    (b, 4, f, h, w); noise_level: timestep, 0 to 999; ratio: 0 (noise alone) to 1 (noised video
    alone). Returns the initial residual, shaped and typed like the noise. That a residual starts
    with the layout of the picture itself is upstream's doing.

    Upstream transforms noise and noised video over (f, h, w), swaps the low rows and columns at
    all temporal frequencies, and transforms back. As all temporal frequencies are treated alike,
    the transform along time cancels, and the swap projects their difference within each frame.
    """
    work = torch.float32 if noise.device.type == "mps" else torch.float64
    still, n = video.to(noise.device, work).expand(noise.shape), noise.to(work)
    level = torch.full((noise.shape[0],), noise_level, dtype=torch.long, device=noise.device)
    z = schedule.add_noise(still, n, level)
    return (n + low_band(z - n, ratio)).to(noise.dtype)


def whole_video(base: torch.Tensor, residual: torch.Tensor) -> torch.Tensor:
    """Base (b, 4, 1, h, w), residual (b, 4, f, h, w) -> latents of all frames, the base first."""
    return torch.cat((base, base + residual), dim=2)


def decode(
    vae: AutoencoderKLTemporalDecoder, video: torch.Tensor, chunk: int = DECODE_FRAMES
) -> torch.Tensor:
    """Latents (b, 4, f, h, w), scaled as the UNet has them -> frames (b, f, 3, H, W) in [0, 1].

    The temporal decoder takes ``chunk`` frames of one video at a time, so 16 are decoded as 14 and
    2, as upstream does; to get its bytes, multiply by 255 and cut off.
    """
    latents = (video / vae.config.scaling_factor).to(vae.dtype).transpose(1, 2)  # b f c h w
    frames = [
        torch.cat([vae.decode(part, num_frames=len(part)).sample for part in one.split(chunk)])
        for one in latents
    ]
    return (torch.stack(frames) / 2 + 0.5).clamp(0, 1)


def _network_class() -> type:
    from awaken.models import CinemoUNet

    return CinemoUNet


class CinemoBackend(LatentDiffusionBackend):
    """Cinemo (Ma et al. 2024). The state is the residual of the frames after the given one to it.

    A static video has no residual. Videos are fused as videos, base plus residual, since the slerp
    of two vanishing residuals has no direction.
    """

    spec = BACKENDS["cinemo"]
    release = CINEMO
    network_class = staticmethod(_network_class)
    optional_weights = ("*.rotary_emb.freqs",)
    vae_folder = "vae_temporal_decoder"

    def _load_vae(self, folder: Path) -> torch.nn.Module:
        from diffusers import AutoencoderKLTemporalDecoder

        return from_folder(AutoencoderKLTemporalDecoder, folder / self.vae_folder, self.dtype)

    def schedule(self, steps: int) -> Schedule:
        return Schedule.from_scheduler(scheduler(self.scheduler_config), steps)

    def encode(self, picture: np.ndarray, seed: int) -> torch.Tensor:
        """A sample of the VAE's posterior, (1, 4, 1, h / 8, w / 8); in float64, as upstream."""
        exact = torch.float32 if self.device.type == "mps" else torch.float64
        usual, cast = self.vae.dtype, torch.nn.Module.to  # diffusers' own warns of every cast
        cast(self.vae, exact)
        posterior = self.vae.encode(self.pixels(picture).to(exact)).latent_dist
        cast(self.vae, usual)
        z = posterior.sample(posterior_generator(seed)).float()
        return (z * self.vae.config.scaling_factor)[:, :, None]

    def condition(
        self, picture: np.ndarray, latents: torch.Tensor, settings: VideoSettings
    ) -> Condition:
        k = len(settings.texts)
        return Condition(
            {
                "text": self.embed(settings.texts),
                "base": latents.to(self.dtype).repeat(k, 1, 1, 1, 1),
                "motion": torch.full((k,), float(settings.motion), device=self.device),
            },
            k,
            draft=settings.draft,
        )

    def network(self, z: torch.Tensor, t: float, condition: Condition) -> torch.Tensor:
        k, given = condition.branches, condition.tensors
        sample = z.to(self.dtype).repeat(k, 1, 1, 1, 1)
        (noise,) = self.run(
            sample, int(t), given["text"], base_content=given["base"],
            added_motion_ids=given["motion"], return_dict=False,
        )  # fmt: skip
        return noise.float().unflatten(0, (k, -1))

    def static_video(
        self, latents: torch.Tensor, frames: int, picture: np.ndarray | None = None
    ) -> torch.Tensor:
        return torch.zeros_like(latents).expand(-1, -1, frames - 1, -1, -1).clone()

    def to_video(self, z: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        return latents + z

    def whole_video(self, z: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        return whole_video(latents, z)

    def fractions(self, frames: int) -> Sequence[float]:
        return [i / (frames - 1) for i in range(1, frames)]

    def initial_latents(
        self,
        video: torch.Tensor | None,
        noise: torch.Tensor,
        schedule: Schedule,
        start: int,
        latents: torch.Tensor,
        condition: Condition,
        settings: VideoSettings,
    ) -> tuple[torch.Tensor, Condition]:
        """DCTInit from the video; the noised residual from a later start or without DCTInit."""
        if video is None:
            return schedule.pure_noise(noise), condition
        ratio = float(settings.options["dct_ratio"])
        if start or ratio == 0:
            return schedule.add_noise(video - latents, noise, start), condition
        level = int(settings.options["dct_noise_level"])
        return dct_initialise(video, noise, schedule.scheduler, level, ratio), condition

    def decode_frames(self, latents: torch.Tensor) -> torch.Tensor:
        scaled = (latents / self.vae.config.scaling_factor).to(self.vae.dtype)
        return self.vae.decode(scaled, num_frames=len(scaled)).sample

    def decode(
        self, z: torch.Tensor, picture: np.ndarray, mask: np.ndarray | None = None
    ) -> np.ndarray:
        """Chunks of 14 frames, whatever the memory: the chunk is part of the decoder's result."""
        frames = decode(self.vae, z)[0] * 255
        return frames.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
