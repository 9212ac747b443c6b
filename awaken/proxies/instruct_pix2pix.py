"""InstructPix2Pix (Brooks et al. 2023): edits the painting by an instruction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from PIL import Image

from awaken.proxies import PROXIES
from awaken.proxies.pipelines import PipelineProxy
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
    # Nudes in paintings trip the checker, whose black picture would poison the video.
    components = {
        "safety_checker": None, "feature_extractor": None, "requires_safety_checker": False,
    }  # fmt: skip
    half = torch.float16

    def prepare(self) -> None:
        """The model card's sampler, whatever the repository's own configuration says."""
        from diffusers import EulerAncestralDiscreteScheduler

        self.pipe.scheduler = EulerAncestralDiscreteScheduler.from_config(
            self.pipe.scheduler.config
        )

    def arguments(
        self,
        picture: np.ndarray,
        strength: float | None,
        generator: torch.Generator,
        options: Mapping[str, float],
    ) -> dict[str, Any]:
        return {
            "image": Image.fromarray(picture),
            "num_inference_steps": int(options["steps"]),
            "guidance_scale": float(options["guidance"]),
            "image_guidance_scale": image_guidance(strength),
        }
