"""ConsistI2V around its network: noise, the scheduler and FrameInit.

Source of the behaviour: TIGER-AI-Lab/ConsistI2V at 152102b (MIT); FrameInit follows FreeInit
(Wu et al. 2023). Pure functions, with the tensors on any device.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from diffusers import DDIMScheduler
from torch import Tensor

from awaken.backends import BACKENDS, Condition, VideoSettings
from awaken.backends.latent_diffusion import LatentDiffusionBackend, posterior_generator
from awaken.backends.releases import CONSISTI2V
from awaken.sampling import Schedule


def scheduler(config: Mapping[str, Any]) -> DDIMScheduler:
    """DDIM (eta 0) as the checkpoint's file says; 50 steps are 981 .. 1."""
    return DDIMScheduler.from_config(dict(config))


def draw_noise(
    shape: tuple[int, int, int, int, int], generator: torch.Generator, alpha: float = 1.0
) -> Tensor:
    """Noise whose frames share a part ("mixed" in Ge et al. 2023, "Preserve Your Own Correlation").

    shape: (b, c, frames, h, w), the given frame included; generator: of the CPU, the shared part is
    drawn before the frames' own; alpha^2 of 1 + alpha^2 parts of the variance are shared. Returns
    float32 on the CPU; every element has variance 1.
    """
    shared, own = math.sqrt(alpha**2 / (1 + alpha**2)), math.sqrt(1 / (1 + alpha**2))
    b, c, _, h, w = shape
    base = torch.randn((b, c, 1, h, w), generator=generator)
    return shared * base + own * torch.randn(shape, generator=generator)


def low_pass_filter(
    frames: int, height: int, width: int, d_s: float = 0.25, d_t: float = 0.25
) -> Tensor:
    """Share of the low frequencies to keep, a Gaussian, zero frequency in the middle (fftshift).

    frames, height, width: size of the video in latents, the given frame included; d_s, d_t: where
    to stop, in space and in time, as a part (0 to 1] of the highest frequency. Returns (frames,
    height, width) float32 in 0..1. Official behaviour: coordinates are 2k/N - 1, half a step off
    for odd N.
    """
    t, h, w = (2 * torch.arange(n).double() / n - 1 for n in (frames, height, width))
    distance = (d_s / d_t * t[:, None, None]) ** 2 + h[:, None] ** 2 + w**2
    return torch.exp(-1 / (2 * d_s**2) * distance).float()


def mix_frequencies(low: Tensor, high: Tensor, low_pass: Tensor) -> Tensor:
    """Low frequencies of one video with the high ones of another.

    low, high: (..., f, h, w) float32. low_pass: (f, h, w), from ``low_pass_filter``.
    The result is real(F^-1(L F(low) + (1 - L) F(high))); being linear, it takes one transform of
    the difference.
    """
    dims = (-3, -2, -1)
    share = torch.fft.ifftshift(low_pass.to(low.device), dim=dims)
    return high + torch.fft.ifftn(share * torch.fft.fftn(low - high, dim=dims), dim=dims).real


def frame_init(
    video: Tensor, noise: Tensor, low_pass: Tensor, alpha_bar: float
) -> tuple[Tensor, Tensor]:
    """FrameInit: begin from the layout of a clean video instead of from noise alone.

    Args:
        video: clean latents (b, c, f, h, w): the given frame repeated, or any video to lean on.
        noise: of the same shape. The same noise is added and mixed in.
        low_pass: (f, h, w), from ``low_pass_filter``.
        alpha_bar: of the timestep the video is noised to, 850 by default: alphas_cumprod[850].

    Returns:
        The noised first frame (b, c, 1, h, w), for guidance on the image, and the noisy latents of
        the frames to generate (b, c, f - 1, h, w).
    """
    noisy = math.sqrt(alpha_bar) * video + math.sqrt(1 - alpha_bar) * noise
    mixed = mix_frequencies(noisy, noise, low_pass)
    return mixed[:, :, :1], mixed[:, :, 1:]


def _network_class() -> type:
    from awaken.models import ConsistI2VUNet

    return ConsistI2VUNet


class ConsistI2VBackend(LatentDiffusionBackend):
    """ConsistI2V (Ren et al. 2024). The state is the frames after the first, which stays as given.

    In the method generated frame i has the fusion fraction i / (f - 1), and the fused video takes
    the place of the static one inside FrameInit.
    """

    spec = BACKENDS["consisti2v"]
    release = CONSISTI2V
    network_class = staticmethod(_network_class)

    def schedule(self, steps: int) -> Schedule:
        return Schedule.from_scheduler(scheduler(self.scheduler_config), steps)

    def encode(self, picture: np.ndarray, seed: int) -> Tensor:
        """A sample of the VAE's posterior, (1, 4, 1, h / 8, w / 8), always the same for a seed."""
        posterior = self.vae.encode(self.pixels(picture).to(self.vae.dtype)).latent_dist
        z = posterior.sample(posterior_generator(seed)).float()
        return (z * self.vae.config.scaling_factor)[:, :, None]

    def condition(self, picture: np.ndarray, latents: Tensor, settings: VideoSettings) -> Condition:
        """Branches: no text, text; between them, with image guidance, no text but a clean picture.

        The weakest branch of image guidance sees the noised first frame, which only the final
        run's start knows (``initial_latents``); until then it sees the clean one, and image
        guidance does nothing, as in the baseline's text-only guidance.
        """
        texts = settings.texts
        if settings.options["image_guidance"] > 1:
            texts = [settings.negative_prompt, *texts]
        k = len(texts)
        return Condition(
            {
                "text": self.embed(texts),
                "first": latents.to(self.dtype).repeat(k, 1, 1, 1, 1),
                "stride": torch.full(
                    (k,), int(settings.options["frame_stride"]), device=self.device
                ),
            },
            k,
            draft=settings.draft,
        )

    def guidance_scales(self, settings: VideoSettings) -> tuple[float, ...]:
        image = float(settings.options["image_guidance"])
        return (image, settings.guidance) if image > 1 else (settings.guidance,)

    def network(self, z: Tensor, t: float, condition: Condition) -> Tensor:
        k, given = condition.branches, condition.tensors
        sample = z.to(self.dtype).repeat(k, 1, 1, 1, 1)
        stride = given["stride"][:1]  # one for the whole batch: the network takes no more
        (noise,) = self.run(
            sample, int(t), given["text"], given["first"], stride, return_dict=False
        )
        return noise.float().unflatten(0, (k, -1))

    def static_video(
        self, latents: Tensor, frames: int, picture: np.ndarray | None = None
    ) -> Tensor:
        return latents.expand(-1, -1, frames - 1, -1, -1).clone()

    def draw_noise(self, generator: torch.Generator, like: Tensor, final: bool) -> Tensor:
        """The model's own noise over all frames; a path uses it without the given frame's."""
        b, c, f, h, w = like.shape
        noise = draw_noise((b, c, f + 1, h, w), generator)
        return (noise if final else noise[:, :, 1:]).to(like.device, like.dtype)

    def whole_video(self, z: Tensor, latents: Tensor) -> Tensor:
        return torch.cat([latents, z], 2)

    def fractions(self, frames: int) -> Sequence[float]:
        return [i / (frames - 1) for i in range(1, frames)]

    def initial_latents(
        self,
        video: Tensor | None,
        noise: Tensor,
        schedule: Schedule,
        start: int,
        latents: Tensor,
        condition: Condition,
        settings: VideoSettings,
    ) -> tuple[Tensor, Condition]:
        """FrameInit from the given frame and the video; plain noise from a later start."""
        if video is None:
            return schedule.pure_noise(noise[:, :, 1:]), condition
        if start:
            return schedule.add_noise(video, noise[:, :, 1:], start), condition
        level = float(schedule.scheduler.alphas_cumprod[int(settings.options["frame_init"])])
        low_pass = low_pass_filter(noise.shape[2], *noise.shape[3:]).to(noise.device)
        noisy_first, z = frame_init(torch.cat([latents, video], 2), noise, low_pass, level)
        if settings.options["image_guidance"] > 1:
            first = condition.tensors["first"].unflatten(0, (condition.branches, -1)).clone()
            first[0] = noisy_first.to(first)
            tensors = {**condition.tensors, "first": first.flatten(0, 1)}
            condition = replace(condition, tensors=tensors)
        return z, condition
