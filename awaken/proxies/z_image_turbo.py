"""Z-Image-Turbo (Tongyi-MAI 2025) image to image: a modern default that fits 16 GB."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from PIL import Image

from awaken.proxies import PROXIES
from awaken.proxies.pipelines import PipelineProxy, check_steps
from awaken.proxies.releases import Z_IMAGE_TURBO


class ZImageTurboProxy(PipelineProxy):
    """Noise the painting along the flow by ``strength``, denoise it by the animation prompt.

    The schedule is shifted towards noise, so the same strength changes more than in SDXL.
    """

    spec = PROXIES["z_image_turbo"]
    release = Z_IMAGE_TURBO
    pipeline = "ZImageImg2ImgPipeline"
    multiple = 16

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
            "guidance_scale": 0.0,
        }
