"""SDXL Refiner 1.0 (Podell et al. 2023) image to image: the paper's proxy model (Sec. 3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from PIL import Image

from awaken.proxies import PROXIES
from awaken.proxies.pipelines import PipelineProxy, check_steps
from awaken.proxies.releases import SDXL_REFINER


class SDXLRefinerProxy(PipelineProxy):
    """Noise the painting by ``strength``, refine it by the very prompt of the animation.

    Size micro-conditioning is the pipeline's own: the model is told the size it works at, also
    where a smaller painting was enlarged.
    """

    spec = PROXIES["sdxl_refiner"]
    release = SDXL_REFINER
    pipeline = "StableDiffusionXLImg2ImgPipeline"
    components = {"add_watermarker": False}
    half = torch.float16  # the pipeline decodes in float32 then: this VAE overflows in half
    multiple = 64

    def arguments(
        self,
        picture: np.ndarray,
        strength: float | None,
        generator: torch.Generator,
        options: Mapping[str, float],
    ) -> dict[str, Any]:
        check_steps(strength, options["steps"])
        return {
            "image": Image.fromarray(picture),
            "strength": strength,
            "num_inference_steps": int(options["steps"]),
            "guidance_scale": float(options["guidance"]),
        }
