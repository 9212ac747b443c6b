"""Image to image (SDEdit, Meng et al. 2022): noise the painting, denoise it by the prompt.

The paper's proxy model (Sec. 3.2), SDXL Refiner 1.0 (Podell et al. 2023), and two quicker ones:
SD-Turbo (Sauer et al. 2023) and Z-Image-Turbo (Tongyi-MAI 2025).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image

from awaken.proxies import PROXIES, ProxySettings
from awaken.proxies.pipelines import NO_SAFETY_CHECKER, PipelineProxy, check_steps
from awaken.proxies.releases import SD_TURBO, SDXL_REFINER, Z_IMAGE_TURBO


class ImageToImageProxy(PipelineProxy):
    """``strength`` is the share of the steps that are taken; no guidance without the option."""

    def arguments(
        self, picture: np.ndarray, settings: ProxySettings, generator: torch.Generator
    ) -> dict[str, Any]:
        steps = settings.options["steps"]
        check_steps(settings.strength, steps)
        return {
            "image": Image.fromarray(picture),
            "strength": settings.strength,
            "num_inference_steps": int(steps),
            "guidance_scale": float(settings.options.get("guidance", 0.0)),
        }


class SDXLRefinerProxy(ImageToImageProxy):
    """Size micro-conditioning is the pipeline's own: the model is told the size it works at."""

    spec = PROXIES["sdxl_refiner"]
    release = SDXL_REFINER
    pipeline = "StableDiffusionXLImg2ImgPipeline"
    components = {"add_watermarker": False}
    half = torch.float16  # the pipeline decodes in float32 then: this VAE overflows in half
    multiple = 64


class SDTurboProxy(ImageToImageProxy):
    """Two steps, for small GPUs and patient processors."""

    spec = PROXIES["sd_turbo"]
    release = SD_TURBO
    pipeline = "StableDiffusionImg2ImgPipeline"
    components = NO_SAFETY_CHECKER
    half = torch.float16


class ZImageTurboProxy(ImageToImageProxy):
    """Its schedule is shifted towards noise: the same strength changes more than in SDXL."""

    spec = PROXIES["z_image_turbo"]
    release = Z_IMAGE_TURBO
    pipeline = "ZImageImg2ImgPipeline"
    multiple = 16
