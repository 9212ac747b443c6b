"""AnimateAnything: how pictures, masks and the noise schedule reach `AnimateAnythingUNet`.

Behaviour of github.com/alibaba/animate-anything at dca2412 (`train.py --eval`) and of the paper's
own evaluation script. Sizes in pixels are (width, height), as in Pillow.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from awaken.backends import BACKENDS, Condition
from awaken.backends.latent_diffusion import LatentDiffusionBackend
from awaken.backends.releases import ANIMATE_ANYTHING
from awaken.sampling import Schedule

if TYPE_CHECKING:
    from diffusers import DPMSolverMultistepScheduler

_SIDE_MULTIPLE = 8  # one latent pixel; odd latent sides are fine


def output_size(width: int, height: int, area: int = 512 * 512) -> tuple[int, int]:
    """Size of the video: the picture's shape at about `area` pixels, sides multiples of 8.

    Halves are rounded to even, as Python's `round` does; a side is never under 8.
    """
    scale = math.sqrt(width * height / area)
    return tuple(
        max(1, round(side / scale / _SIDE_MULTIPLE)) * _SIDE_MULTIPLE for side in (width, height)
    )


def preprocess(image: Image.Image, size: tuple[int, int]) -> torch.Tensor:
    """The picture for the VAE's encoder: Lanczos-resized to `size`, (1, 3, h, w) in [-1, 1]."""
    picture = image.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None]
    return pixels.float() / 255 * 2 - 1


def resize_proxy(proxy: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Bring the proxy image to the painting's own `size`, which comes before `preprocess`.

    Bicubic, Pillow's default for pictures, which the published run used without naming it.
    """
    return proxy.convert("RGB").resize(size, Image.Resampling.BICUBIC)


def latent_mask(mask: np.ndarray | None, latent_size: tuple[int, int]) -> torch.Tensor:
    """The motion mask on the latent grid: bilinear without antialiasing, (1, 1, 1, h, w) in [0, 1].

    Args:
        mask: (height, width) uint8, 255 where the picture may move; None is everywhere.
        latent_size: (h, w), the last two sides of the latents.
    """
    if mask is None:
        return torch.ones(1, 1, 1, *latent_size)
    grey = torch.from_numpy(np.ascontiguousarray(mask)).float()[None, None] / 255
    return torch.nn.functional.interpolate(grey, latent_size, mode="bilinear")[:, :, None]


def scheduler(config: Mapping[str, Any]) -> DPMSolverMultistepScheduler:
    """DPM-Solver++ from the checkpoint's `scheduler_config.json`, as the published run builds it.

    Keys that the json lacks take the solver's defaults. That decides `timestep_spacing`: without
    it the steps are linspaced (999, 959, ...), while a json that diffusers saved again says leading
    (951, 913, ...). The last sigma is the schedule's smallest, where diffusers 0.24 ended.
    """
    from diffusers import DPMSolverMultistepScheduler

    return DPMSolverMultistepScheduler.from_config(dict(config), final_sigmas_type="sigma_min")


def _network_class() -> type:
    from awaken.models import AnimateAnythingUNet

    return AnimateAnythingUNet


class AnimateAnythingBackend(LatentDiffusionBackend):
    """AnimateAnything 512 v1.02 (Dai et al. 2023), the paper's main model."""

    spec = BACKENDS["animate_anything"]
    release = ANIMATE_ANYTHING
    network_class = staticmethod(_network_class)

    def working_size(self, width: int, height: int, size: int) -> tuple[int, int]:
        return output_size(width, height, size * size)

    def schedule(self, steps: int) -> Schedule:
        return Schedule.from_scheduler(scheduler(self.scheduler_config), steps)

    def encode(self, picture: np.ndarray, seed: int) -> torch.Tensor:
        """The mode of the VAE's posterior, (1, 4, 1, h / 8, w / 8); no randomness."""
        posterior = self.vae.encode(self.pixels(picture).to(self.vae.dtype)).latent_dist
        return (posterior.mode().float() * self.vae.config.scaling_factor)[:, :, None]

    def condition(
        self,
        picture: np.ndarray,
        latents: torch.Tensor,
        prompt: str,
        negative_prompt: str,
        *,
        frames: int,
        guidance: float,
        motion: float | None,
        mask: np.ndarray | None,
        options: Mapping[str, float],
    ) -> Condition:
        texts = [negative_prompt, prompt] if guidance > 1 else [prompt]
        k = len(texts)
        grid = latent_mask(mask, latents.shape[-2:]).to(self.device, self.dtype)
        strength = self.spec.motion if motion is None else motion
        return Condition(
            {
                "encoder_hidden_states": self.embed(texts),
                "condition_latent": latents.to(self.dtype).repeat(k, 1, 1, 1, 1),
                "mask": grid.repeat(k, 1, 1, 1, 1),
                "motion": torch.full((k,), float(strength), device=self.device),
            },
            k,
        )

    def network(self, z: torch.Tensor, t: float, condition: Condition) -> torch.Tensor:
        k = condition.branches
        sample = z.to(self.dtype).repeat(k, 1, 1, 1, 1)
        (noise,) = self.unet(sample, t, **condition.tensors, return_dict=False)
        return noise.float().unflatten(0, (k, -1))
