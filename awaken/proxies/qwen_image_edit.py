"""Qwen-Image-Edit-2511 (Alibaba 2025): edits the painting by an instruction; for large GPUs."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image

from awaken.proxies import PROXIES, ProxySettings
from awaken.proxies.editing import flow_start
from awaken.proxies.pipelines import PipelineProxy
from awaken.proxies.releases import QWEN_IMAGE_EDIT
from awaken.types import ModelError

PICTURE = "<|image_pad|>"


class PictureReader:
    """Text and pictures as Qwen2.5-VL reads them.

    transformers' own processor also reads videos, and for those alone asks for torchvision.
    """

    def __init__(self, image_processor, tokenizer):
        self.image_processor, self.tokenizer = image_processor, tokenizer

    def __call__(
        self, text: list[str], images=None, padding: bool = True, return_tensors: str = "pt"
    ):
        """Token ids and mask, and where there are pictures their patches and grids."""
        from transformers import BatchFeature

        seen = {}
        if images is not None:
            seen = dict(self.image_processor(images=images, return_tensors=return_tensors))
            area = self.image_processor.merge_size**2
            counts = iter((seen["image_grid_thw"].prod(-1) // area).tolist())
            text = [self._make_room(line, counts) for line in text]
        words = self.tokenizer(text, padding=padding, return_tensors=return_tensors)
        return BatchFeature(dict(words) | seen)

    @staticmethod
    def _make_room(line: str, counts) -> str:
        """One placeholder per patch where the template has one per picture."""
        first, *others = line.split(PICTURE)
        return first + "".join(PICTURE * int(next(counts)) + part for part in others)


class QwenImageEditProxy(PipelineProxy):
    """The painting is the reference picture, and below strength 1 the start as well.

    It works at about a megapixel and is known to shift and zoom a little: the base class brings
    the answer back onto the painting.
    """

    spec = PROXIES["qwen_image_edit"]
    release = QWEN_IMAGE_EDIT
    pipeline = "QwenImageEditPlusPipeline"
    components = {"processor": None}
    multiple = 32

    def prepare(self) -> None:
        from transformers import AutoImageProcessor

        try:
            pictures = AutoImageProcessor.from_pretrained(
                self.folder / "processor", local_files_only=True, use_fast=False
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                "{folder} could not be read: fetch that folder again.",
                folder=self.folder / "processor",
            ) from error
        self.pipe.register_modules(processor=PictureReader(pictures, self.pipe.tokenizer))

    def working_size(self, width: int, height: int, size: float) -> tuple[int, int]:
        """The size at which the pipeline itself shows the painting to the network.

        It rounds to multiples again from the picture it is given, so a size that rounds to itself.
        """
        from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit_plus as edit

        wanted, size = None, (width, height)
        while size != wanted:
            wanted, size = size, edit.calculate_dimensions(edit.VAE_IMAGE_SIZE, size[0] / size[1])
        return size

    def arguments(
        self, picture: np.ndarray, settings: ProxySettings, generator: torch.Generator
    ) -> dict[str, Any]:
        from diffusers.pipelines.qwenimage.pipeline_qwenimage_edit_plus import calculate_shift

        pipe, steps = self.pipe, int(settings.options["steps"])
        height, width = picture.shape[:2]
        image = Image.fromarray(picture)
        pixels = pipe.image_processor.preprocess(image, height, width).unsqueeze(2)
        z = pipe._encode_vae_image(pixels.to(self.device, pipe.vae.dtype), generator)
        z = pipe._pack_latents(z, 1, z.shape[1], *z.shape[-2:])  # (1, h w / 4, 4 c)
        config = pipe.scheduler.config
        mu = calculate_shift(
            z.shape[1],
            config.get("base_image_seq_len", 256), config.get("max_image_seq_len", 4096),
            config.get("base_shift", 0.5), config.get("max_shift", 1.15),
        )  # fmt: skip
        latents, sigmas = flow_start(z, settings.strength, steps, pipe.scheduler, mu, generator)
        return {
            "image": [image],
            "height": height,
            "width": width,
            "latents": latents.to(pipe.transformer.dtype),
            "sigmas": sigmas,
            "num_inference_steps": steps,
            "true_cfg_scale": float(settings.options["guidance"]),
            "negative_prompt": " ",  # the vendor's empty negative, which switches guidance on
        }
