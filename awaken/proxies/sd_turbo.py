"""SD-Turbo (Sauer et al. 2023) image to image: two steps, for small GPUs and patient processors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from PIL import Image

from awaken.proxies import PROXIES
from awaken.proxies.pipelines import PipelineProxy, check_steps
from awaken.proxies.releases import SD_TURBO


class SDTurboProxy(PipelineProxy):
    """Noise the painting by ``strength``, denoise it by the animation prompt without guidance."""

    spec = PROXIES["sd_turbo"]
    release = SD_TURBO
    pipeline = "StableDiffusionImg2ImgPipeline"
    components = {
        "safety_checker": None, "feature_extractor": None, "requires_safety_checker": False,
    }  # fmt: skip
    half = torch.float16

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
