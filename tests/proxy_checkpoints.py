"""Tiny random image pipelines of the true classes, in the true on-disk layout of each release."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLFlux2,
    AutoencoderKLQwenImage,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinPipeline,
    Flux2Transformer2DModel,
    PNDMScheduler,
    QwenImageEditPlusPipeline,
    QwenImageTransformer2DModel,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLImg2ImgPipeline,
    UNet2DConditionModel,
    ZImageImg2ImgPipeline,
    ZImageTransformer2DModel,
)
from tokenizers.pre_tokenizers import ByteLevel
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2Tokenizer,
    Qwen3Config,
    Qwen3ForCausalLM,
    Qwen3Model,
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
    state = {
        f"module.{name}": value.half() for name, value in NoisePredictor().state_dict().items()
    }
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


def qwen_tokenizer() -> Qwen2Tokenizer:
    """Bytes and Qwen's special tokens, no merges, and a chat template like theirs."""
    special = [
        "endoftext",
        "im_start",
        "im_end",
        "vision_start",
        "vision_end",
        "image_pad",
        "video_pad",
    ]
    tokens = [*sorted(ByteLevel.alphabet()), *(f"<|{name}|>" for name in special)]
    tokenizer = Qwen2Tokenizer(
        vocab={token: i for i, token in enumerate(tokens)}, merges=[],
        extra_special_tokens=tokens[256:],
    )  # fmt: skip
    tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        "<|im_start|>assistant\n"
    )
    return tokenizer


def qwen_text(tokenizer, layers: int) -> dict:
    return dict(
        vocab_size=len(tokenizer), hidden_size=WIDTH, intermediate_size=32, num_hidden_layers=layers,
        num_attention_heads=2, num_key_value_heads=1, head_dim=8, max_position_embeddings=2048,
    )  # fmt: skip


def z_image_turbo(models: Path) -> Path:
    folder, tokenizer = models / "z_image_turbo", qwen_tokenizer()
    torch.manual_seed(4)
    ZImageImg2ImgPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0), vae=vae(shift_factor=0.1),
        text_encoder=Qwen3Model(Qwen3Config(**qwen_text(tokenizer, 2))), tokenizer=tokenizer,
        transformer=ZImageTransformer2DModel(
            in_channels=4, dim=32, n_layers=1, n_refiner_layers=1, n_heads=2, n_kv_heads=2,
            cap_feat_dim=WIDTH, axes_dims=[4, 6, 6], axes_lens=[1024, 64, 64],
        ),
    ).save_pretrained(folder)  # fmt: skip
    return folder


def flux2_klein(models: Path) -> Path:
    """The text tower has 28 layers: the pipeline listens to the 9th, 18th and 27th."""
    folder, tokenizer = models / "flux2_klein_4b", qwen_tokenizer()
    torch.manual_seed(4)
    Flux2KleinPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift=3.0),
        vae=AutoencoderKLFlux2(
            block_out_channels=(8, 8, 8, 8), layers_per_block=1, latent_channels=4,
            norm_num_groups=4, sample_size=64,
        ),
        text_encoder=Qwen3ForCausalLM(Qwen3Config(**qwen_text(tokenizer, 28))),
        tokenizer=tokenizer,
        transformer=Flux2Transformer2DModel(
            in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=16,
            num_attention_heads=2, joint_attention_dim=3 * WIDTH, timestep_guidance_channels=32,
            axes_dims_rope=(4, 4, 4, 4), guidance_embeds=False,
        ),
        is_distilled=True,
    ).save_pretrained(folder)  # fmt: skip
    return folder


def qwen_image_edit(models: Path) -> Path:
    """The processor's folder is written by hand: saving one needs torchvision."""
    folder, tokenizer = models / "qwen_image_edit_2511", qwen_tokenizer()
    torch.manual_seed(4)
    text = qwen_text(tokenizer, 2) | {
        "rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 1e4}
    }
    text.pop("head_dim")
    ids = {f"{kind}_token_id": tokenizer.convert_tokens_to_ids(f"<|{token}|>") for kind, token in (
        ("vision_start", "vision_start"), ("vision_end", "vision_end"), ("image", "image_pad"),
        ("video", "video_pad"))}  # fmt: skip
    vision = dict(
        depth=1, hidden_size=16, intermediate_size=32, num_heads=2, out_hidden_size=WIDTH,
        fullatt_block_indexes=[0], window_size=56,
    )  # fmt: skip
    QwenImageEditPlusPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(
            use_dynamic_shifting=True, shift=1.0, shift_terminal=0.02, max_shift=0.9,
            max_image_seq_len=8192,
        ),
        vae=AutoencoderKLQwenImage(base_dim=8, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1),
        text_encoder=Qwen2_5_VLForConditionalGeneration(
            Qwen2_5_VLConfig(text_config=text, vision_config=vision, **ids)
        ),
        tokenizer=tokenizer, processor=None,
        transformer=QwenImageTransformer2DModel(
            in_channels=64, out_channels=16, num_layers=1, attention_head_dim=16,
            num_attention_heads=2, joint_attention_dim=WIDTH, axes_dims_rope=(4, 6, 6),
        ),
    ).save_pretrained(folder)  # fmt: skip
    (folder / "processor").mkdir()
    (folder / "processor" / "preprocessor_config.json").write_text(
        json.dumps(
            {"image_processor_type": "Qwen2VLImageProcessor", "patch_size": 14, "merge_size": 2}
        )
    )
    return folder


WRITERS = {
    "sdxl_refiner": sdxl_refiner,
    "invsr": invsr,
    "masactrl": masactrl,
    "sd_turbo": sd_turbo,
    "instruct_pix2pix": instruct_pix2pix,
    "z_image_turbo": z_image_turbo,
    "flux2_klein": flux2_klein,
    "qwen_image_edit": qwen_image_edit,
}
