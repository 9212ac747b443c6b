"""AnimateAnything: how pictures, masks and the noise schedule reach `AnimateAnythingUNet`.

Behaviour of github.com/alibaba/animate-anything at dca2412 (`train.py --eval`) and of the paper's
own evaluation script. Sizes in pixels are (width, height), as in Pillow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from awaken.backends import BACKENDS, Condition, VideoSettings
from awaken.backends.latent_diffusion import LatentDiffusionBackend
from awaken.backends.releases import ANIMATE_ANYTHING
from awaken.sampling import Schedule

if TYPE_CHECKING:
    from diffusers import DPMSolverMultistepScheduler


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

    def schedule(self, steps: int) -> Schedule:
        return Schedule.from_scheduler(scheduler(self.scheduler_config), steps)

    def encode(self, picture: np.ndarray, seed: int) -> torch.Tensor:
        """The mode of the VAE's posterior, (1, 4, 1, h / 8, w / 8); no randomness."""
        posterior = self.vae.encode(self.pixels(picture).to(self.vae.dtype)).latent_dist
        return (posterior.mode().float() * self.vae.config.scaling_factor)[:, :, None]

    def condition(
        self, picture: np.ndarray, latents: torch.Tensor, settings: VideoSettings
    ) -> Condition:
        k = len(settings.texts)
        grid = latent_mask(settings.mask, latents.shape[-2:]).to(self.device, self.dtype)
        return Condition(
            {
                "encoder_hidden_states": self.embed(settings.texts),
                "condition_latent": latents.to(self.dtype).repeat(k, 1, 1, 1, 1),
                "mask": grid.repeat(k, 1, 1, 1, 1),
                "motion": torch.full((k,), float(settings.motion), device=self.device),
            },
            k,
            draft=settings.draft,
        )

    def network(self, z: torch.Tensor, t: float, condition: Condition) -> torch.Tensor:
        k = condition.branches
        sample = z.to(self.dtype).repeat(k, 1, 1, 1, 1)
        (noise,) = self.run(sample, t, **condition.tensors, return_dict=False)
        return noise.float().unflatten(0, (k, -1))
