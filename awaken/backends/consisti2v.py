"""ConsistI2V around its network: preprocessing, noise, the scheduler and FrameInit.

Source of the behaviour: TIGER-AI-Lab/ConsistI2V at 152102b (MIT); FrameInit and the frequency
filters follow FreeInit (Wu et al. 2023). Pure functions, with the tensors on any device.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler
from torch import Tensor

from awaken.backends import BACKENDS, Condition
from awaken.backends.latent_diffusion import LatentDiffusionBackend, posterior_generator
from awaken.backends.releases import CONSISTI2V
from awaken.sampling import Schedule

# configs/inference/inference.yaml. Linear betas, and no noise left after the last step.
SCHEDULER = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "linear",
    "set_alpha_to_one": True,
    "steps_offset": 1,
    "clip_sample": False,
    "rescale_betas_zero_snr": False,
    "timestep_spacing": "leading",
    "prediction_type": "epsilon",
}


def scheduler(config: Mapping[str, Any] = SCHEDULER) -> DDIMScheduler:
    """The released DDIM scheduler (eta 0), or what the checkpoint's file says; 50 steps are 981 .. 1."""
    return DDIMScheduler.from_config(dict(config))


def preprocess(picture: np.ndarray, height: int, width: int, crop: bool = True) -> Tensor:
    """A picture as the VAE takes it.

    Args:
        picture: (h, w, 3) uint8.
        height, width: the size wanted, in pixels.
        crop: True makes the shorter side ``height`` long and cuts out the centre (black where the
            picture is too small), as scripts/animate.py; False stretches, as app.py does.

    Returns:
        (3, height, width) float32 in -1..1. Resizing is bilinear without antialiasing.

    Raises:
        ValueError: when the picture is no (h, w, 3) uint8 array.
    """
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise ValueError(
            f"a picture is an (h, w, 3) uint8 array, not {picture.shape} {picture.dtype}"
        )
    x = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float() / 255
    h, w = x.shape[-2:]
    if crop:
        size = (height, int(height * w / h)) if h <= w else (int(height * h / w), height)
    else:
        size = (height, width)
    x = F.interpolate(x, size, mode="bilinear", align_corners=False)[0]
    return _centre(x, height, width) * 2 - 1


def _centre(x: Tensor, height: int, width: int) -> Tensor:
    """Cut (or pad with zeros, the odd pixel below and to the right) to the size wanted."""
    missing_h, missing_w = max(height - x.shape[-2], 0), max(width - x.shape[-1], 0)
    x = F.pad(
        x, (missing_w // 2, missing_w - missing_w // 2, missing_h // 2, missing_h - missing_h // 2)
    )
    top, left = round((x.shape[-2] - height) / 2), round((x.shape[-1] - width) / 2)
    return x[..., top : top + height, left : left + width]


def draw_noise(
    shape: tuple[int, int, int, int, int],
    generator: torch.Generator,
    method: str = "pyoco_mixed",
    alpha: float = 1.0,
) -> Tensor:
    """Noise whose frames are related (Ge et al. 2023, "Preserve Your Own Correlation").

    Args:
        shape: (b, c, frames, h, w), the given frame included.
        generator: a CPU generator; the shared part is drawn before the frames' own.
        method: "pyoco_mixed" (shared part plus own part), "pyoco_progressive" (each frame from the
            one before) or "vanilla" (independent frames).
        alpha: how much is shared: alpha^2 of 1 + alpha^2 parts of the variance.

    Returns:
        ``shape``, float32 on the CPU; every element has variance 1.

    Raises:
        ValueError: for an unknown method.
    """
    shared, own = math.sqrt(alpha**2 / (1 + alpha**2)), math.sqrt(1 / (1 + alpha**2))
    if method == "vanilla":
        return torch.randn(shape, generator=generator)
    if method == "pyoco_mixed":
        b, c, _, h, w = shape
        base = torch.randn((b, c, 1, h, w), generator=generator)
        return shared * base + own * torch.randn(shape, generator=generator)
    if method == "pyoco_progressive":
        noise = torch.randn(shape, generator=generator)
        change = own * torch.randn(shape, generator=generator)
        for i in range(1, shape[2]):
            noise[:, :, i] = shared * noise[:, :, i - 1] + change[:, :, i]
        return noise
    raise ValueError(
        f"unknown noise {method!r}: choose pyoco_mixed, pyoco_progressive or vanilla"
    )


def low_pass_filter(
    frames: int,
    height: int,
    width: int,
    kind: str = "gaussian",
    d_s: float = 0.25,
    d_t: float = 0.25,
    order: int = 4,
) -> Tensor:
    """Share of the low frequencies to keep, zero frequency in the middle (as after fftshift).

    Args:
        frames, height, width: size of the video in latents, the given frame included.
        kind: "gaussian", "butterworth", "ideal" or "box".
        d_s, d_t: where to stop, in space and in time, as a part (0 to 1) of the highest frequency.
        order: steepness of "butterworth".

    Returns:
        (frames, height, width) float32 in 0..1, all zero when d_s or d_t is zero. Official
        behaviour: coordinates are 2k/N - 1, half a step off for odd N, and "ideal" compares the
        squared distance with 2 d_s.

    Raises:
        ValueError: for an unknown kind.
    """
    if kind not in ("gaussian", "butterworth", "ideal", "box"):
        raise ValueError(f"unknown filter {kind!r}: choose gaussian, butterworth, ideal or box")
    if d_s == 0 or d_t == 0:
        return torch.zeros(frames, height, width)
    if kind == "box":
        mask = torch.zeros(frames, height, width)
        reach = (round(frames // 2 * d_t), *[round(height // 2 * d_s)] * 2)
        middle = (frames // 2, height // 2, width // 2)
        mask[tuple(slice(m - r, m + r) for m, r in zip(middle, reach, strict=True))] = 1
        return mask
    t, h, w = (2 * torch.arange(n).double() / n - 1 for n in (frames, height, width))
    distance = (d_s / d_t * t[:, None, None]) ** 2 + h[:, None] ** 2 + w**2
    if kind == "gaussian":
        return torch.exp(-1 / (2 * d_s**2) * distance).float()
    if kind == "butterworth":
        return (1 / (1 + (distance / d_s**2) ** order)).float()
    return (distance <= 2 * d_s).float()


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

    def condition(
        self,
        picture: np.ndarray,
        latents: Tensor,
        prompt: str,
        negative_prompt: str,
        *,
        frames: int,
        guidance: float,
        motion: float | None,
        mask: np.ndarray | None,
        options: Mapping[str, float],
    ) -> Condition:
        """Branches: no text, text; between them, with image guidance, no text but a clean picture.

        The weakest branch of image guidance sees the noised first frame, which only the final
        run's start knows (``initial_latents``); until then it sees the clean one, and image
        guidance does nothing, as in the baseline's text-only guidance.
        """
        texts = [negative_prompt, prompt] if guidance > 1 else [prompt]
        if _image_guidance(options) > 1:
            texts = [negative_prompt, *([negative_prompt, prompt] if guidance > 1 else [prompt])]
        k = len(texts)
        return Condition(
            {
                "text": self.embed(texts),
                "first": latents.to(self.dtype).repeat(k, 1, 1, 1, 1),
                "stride": torch.full((k,), int(options["frame_stride"]), device=self.device),
            },
            k,
        )

    def guidance_scales(self, guidance: float, options: Mapping[str, float]) -> tuple[float, ...]:
        image = _image_guidance(options)
        return (image, guidance) if image > 1 else (guidance,)

    def network(self, z: Tensor, t: float, condition: Condition) -> Tensor:
        k, given = condition.branches, condition.tensors
        sample = z.to(self.dtype).repeat(k, 1, 1, 1, 1)
        stride = given["stride"][:1]  # one for the whole batch: the network takes no more
        (noise,) = self.unet(sample, int(t), given["text"], given["first"], stride, return_dict=False)
        return noise.float().unflatten(0, (k, -1))

    def static_video(self, latents: Tensor, frames: int) -> Tensor:
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
        video: Tensor,
        noise: Tensor,
        schedule: Schedule,
        start: int,
        latents: Tensor,
        condition: Condition,
        options: Mapping[str, float],
    ) -> tuple[Tensor, Condition]:
        """FrameInit from the given frame and the video; plain noise from a later start."""
        if start:
            return schedule.add_noise(video, noise[:, :, 1:], start), condition
        level = float(schedule.scheduler.alphas_cumprod[int(options["frame_init"])])
        low_pass = low_pass_filter(noise.shape[2], *noise.shape[3:]).to(noise.device)
        noisy_first, z = frame_init(torch.cat([latents, video], 2), noise, low_pass, level)
        if _image_guidance(options) > 1:
            first = condition.tensors["first"].unflatten(0, (condition.branches, -1)).clone()
            first[0] = noisy_first.to(first)
            tensors = {**condition.tensors, "first": first.flatten(0, 1)}
            condition = Condition(tensors, condition.branches)
        return z, condition


def _image_guidance(options: Mapping[str, float]) -> float:
    return float(options["image_guidance"])
