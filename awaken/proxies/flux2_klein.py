"""FLUX.2 klein 4B (Black Forest Labs 2026): edits the painting by an instruction in four steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image

from awaken.proxies import PROXIES, ProxySettings
from awaken.proxies.editing import flow_start
from awaken.proxies.pipelines import PipelineProxy
from awaken.proxies.releases import FLUX2_KLEIN


class Flux2KleinProxy(PipelineProxy):
    """The painting is the reference picture, and below strength 1 the start as well."""

    spec = PROXIES["flux2_klein"]
    release = FLUX2_KLEIN
    pipeline = "Flux2KleinPipeline"
    multiple = 16

    def arguments(
        self, picture: np.ndarray, settings: ProxySettings, generator: torch.Generator
    ) -> dict[str, Any]:
        from diffusers.pipelines.flux2.pipeline_flux2_klein import compute_empirical_mu

        height, width = picture.shape[:2]
        image, steps = Image.fromarray(picture), int(settings.options["steps"])
        pixels = self.pipe.image_processor.preprocess(image, height=height, width=width)
        vae = self.pipe.vae
        pixels = pixels.to(self.device, vae.dtype)
        z = self.pipe._encode_vae_image(pixels, generator)  # (1, 4 c, h / 16, w / 16)
        mu = compute_empirical_mu(image_seq_len=z.shape[2] * z.shape[3], num_steps=steps)
        latents, sigmas = flow_start(
            z, settings.strength, steps, self.pipe.scheduler, mu, generator
        )
        return {
            "image": image,
            "height": height,
            "width": width,
            "latents": latents,
            "sigmas": sigmas,
            "num_inference_steps": steps,
            "guidance_scale": 1.0,  # a distilled model has no guidance
        }
