"""InstructPix2Pix (Brooks et al. 2023): edits the painting by an instruction."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image

from awaken.proxies import PROXIES, ProxySettings
from awaken.proxies.pipelines import NO_SAFETY_CHECKER, PipelineProxy
from awaken.proxies.releases import INSTRUCT_PIX2PIX

CLOSEST, FARTHEST = 2.5, 1.0  # image guidance at strength 0 and 1


def image_guidance(strength: float) -> float:
    """The model's own dial: how firmly the painting is held. 0.6 is 1.6, near its authors' 1.5."""
    return CLOSEST + (FARTHEST - CLOSEST) * strength


class InstructPix2PixProxy(PipelineProxy):
    """Guided by text and by picture at once; ``strength`` lowers the picture's share."""

    spec = PROXIES["instruct_pix2pix"]
    release = INSTRUCT_PIX2PIX
    pipeline = "StableDiffusionInstructPix2PixPipeline"
    components = NO_SAFETY_CHECKER
    half = torch.float16

    def prepare(self) -> None:
        """The model card's sampler, whatever the repository's own configuration says."""
        from diffusers import EulerAncestralDiscreteScheduler

        self.pipe.scheduler = EulerAncestralDiscreteScheduler.from_config(
            self.pipe.scheduler.config
        )

    def arguments(
        self, picture: np.ndarray, settings: ProxySettings, generator: torch.Generator
    ) -> dict[str, Any]:
        return {
            "image": Image.fromarray(picture),
            "num_inference_steps": int(settings.options["steps"]),
            "guidance_scale": float(settings.options["guidance"]),
            "image_guidance_scale": image_guidance(settings.strength),
        }
