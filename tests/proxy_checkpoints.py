"""Tiny random image pipelines of the true classes, in the true on-disk layout of each release."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    PNDMScheduler,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLImg2ImgPipeline,
    UNet2DConditionModel,
)
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
)

from awaken.models import NoisePredictor
from tests import checkpoints

WIDTH = 16
BETAS = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")


def clip(folder: Path, cls=CLIPTextModel):
    """Tokenizer and text tower; the vocabulary is the one of the video models' checkpoints."""
    if not (folder / "tokenizer").is_dir():
        checkpoints.write_text(folder, safe=True)
    tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer")
    config = CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=WIDTH, intermediate_size=32, num_hidden_layers=2,
        num_attention_heads=2, max_position_embeddings=77, projection_dim=WIDTH, bos_token_id=0,
        eos_token_id=1,
    )  # fmt: skip
    torch.manual_seed(1)
    return tokenizer, cls(config)


def vae(**more) -> AutoencoderKL:
    """Its random posterior has unit variance already, hence no scaling."""
    torch.manual_seed(2)
    blocks = ["DownEncoderBlock2D"] * 4, ["UpDecoderBlock2D"] * 4
    return AutoencoderKL(
        down_block_types=blocks[0], up_block_types=blocks[1], block_out_channels=(8, 8, 8, 8),
        layers_per_block=1, norm_num_groups=4, **({"latent_channels": 4, "scaling_factor": 1.0} | more),
    )  # fmt: skip


def unet(in_channels: int = 4, widths=(8, 16), layers: int = 1, **more) -> UNet2DConditionModel:
    """Attention in all blocks but the last one down and the first one up, as in Stable Diffusion."""
    torch.manual_seed(3)
    depth = len(widths) - 1
    return UNet2DConditionModel(
        in_channels=in_channels, out_channels=4, block_out_channels=widths,
        layers_per_block=layers, norm_num_groups=4, attention_head_dim=2,
        cross_attention_dim=WIDTH, sample_size=16,
        down_block_types=["CrossAttnDownBlock2D"] * depth + ["DownBlock2D"],
        up_block_types=["UpBlock2D"] + ["CrossAttnUpBlock2D"] * depth, **more,
    )  # fmt: skip


def stable_diffusion(folder: Path, cls, scheduler, **network) -> Path:
    tokenizer, text_encoder = clip(folder)
    cls(
        vae=vae(), unet=unet(**network), text_encoder=text_encoder, tokenizer=tokenizer,
        scheduler=scheduler, safety_checker=None, feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)  # fmt: skip
    return folder


def sd_turbo(models: Path) -> Path:
    scheduler = EulerDiscreteScheduler(**BETAS, timestep_spacing="trailing")
    return stable_diffusion(models / "sd_turbo", StableDiffusionImg2ImgPipeline, scheduler)


def instruct_pix2pix(models: Path) -> Path:
    scheduler = PNDMScheduler(**BETAS, skip_prk_steps=True, steps_offset=1)
    cls = StableDiffusionInstructPix2PixPipeline
    return stable_diffusion(models / "instruct_pix2pix", cls, scheduler, in_channels=8)


def masactrl(models: Path) -> Path:
    """Four levels with Stable Diffusion's sixteen transformer blocks."""
    scheduler = PNDMScheduler(**BETAS, skip_prk_steps=True, steps_offset=1)
    shape = dict(widths=(8, 8, 8, 8), layers=2)
    folder = models / "stable_diffusion_v1_5"
    return stable_diffusion(folder, StableDiffusionPipeline, scheduler, **shape)


def invsr(models: Path) -> Path:
    """The predictor at its true size, with a training wrapper's prefix; beside ``sd_turbo``."""
    torch.manual_seed(5)
    folder = models / "invsr"
    folder.mkdir()
    state = {f"module.{name}": value.half() for name, value in NoisePredictor().state_dict().items()}
    torch.save({"state_dict": state}, folder / "noise_predictor_sd_turbo_v5.pth")
    return folder


def sdxl_refiner(models: Path) -> Path:
    """In half-precision files only, as our download brings it."""
    folder = models / "sdxl_refiner"
    tokenizer, text_encoder = clip(folder / "text", CLIPTextModelWithProjection)
    times = 4
    network = unet(
        addition_embed_type="text_time", addition_time_embed_dim=times,
        projection_class_embeddings_input_dim=5 * times + WIDTH, transformer_layers_per_block=(1, 1),
    )  # fmt: skip
    StableDiffusionXLImg2ImgPipeline(
        vae=vae(force_upcast=True), unet=network, text_encoder=None,
        tokenizer=None, text_encoder_2=text_encoder, tokenizer_2=tokenizer,
        scheduler=EulerDiscreteScheduler(**BETAS, timestep_spacing="leading", steps_offset=1),
        requires_aesthetics_score=True, add_watermarker=False,
    ).to(torch.float16).save_pretrained(folder, variant="fp16")  # fmt: skip
    return folder


WRITERS = {
    "sdxl_refiner": sdxl_refiner,
    "invsr": invsr,
    "masactrl": masactrl,
    "sd_turbo": sd_turbo,
    "instruct_pix2pix": instruct_pix2pix,
}
