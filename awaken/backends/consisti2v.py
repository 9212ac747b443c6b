"""ConsistI2V around its network: preprocessing, noise, the scheduler and FrameInit.

Source of the behaviour: TIGER-AI-Lab/ConsistI2V at 152102b (MIT); FrameInit and the frequency
filters follow FreeInit (Wu et al. 2023). Pure functions, with the tensors on any device.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler
from torch import Tensor

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


def scheduler() -> DDIMScheduler:
    """The released DDIM scheduler (eta 0): 50 steps are 981, 961 .. 1."""
    return DDIMScheduler(**SCHEDULER)


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
