"""Tiny random checkpoints of the paper's three models, in the true on-disk layout of each release."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLTemporalDecoder,
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    PNDMScheduler,
)
from transformers import CLIPTextConfig, CLIPTextModel

from awaken.models import AnimateAnythingUNet, CinemoUNet, ConsistI2VUNet

GOLDEN = Path(__file__).parent / "golden"
WIDTH = 24  # text embedding width of the golden tiny networks
LATENT_CHANNELS = 4


def unet_config(name: str) -> dict:
    return json.loads((GOLDEN / name / "tiny_unet_config.json").read_text())


def write_text(folder: Path, safe: bool) -> None:
    """A CLIP text tower and the vocabulary of its byte-pair tokenizer: letters, no merges."""
    letters = [chr(c) for c in range(ord("!"), ord("~") + 1)]
    tokens = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{x}</w>" for x in letters)]
    (folder / "tokenizer").mkdir(parents=True)
    vocabulary = {token: i for i, token in enumerate(tokens)}
    (folder / "tokenizer" / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "tokenizer" / "merges.txt").write_text("#version: 0.2\n")
    (folder / "tokenizer" / "tokenizer_config.json").write_text(
        json.dumps(
            {
                "tokenizer_class": "CLIPTokenizer", "model_max_length": 77,
                "bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>",
                "unk_token": "<|endoftext|>", "pad_token": "<|endoftext|>",
            }
        )
    )  # fmt: skip
    config = CLIPTextConfig(
        vocab_size=len(tokens), hidden_size=WIDTH, intermediate_size=32, num_hidden_layers=2,
        num_attention_heads=2, max_position_embeddings=77, bos_token_id=0, eos_token_id=1,
    )  # fmt: skip
    torch.manual_seed(1)
    model = CLIPTextModel(config)
    model.save_pretrained(folder / "text_encoder")
    if not safe:
        (folder / "text_encoder" / "model.safetensors").unlink()
        torch.save(model.state_dict(), folder / "text_encoder" / "pytorch_model.bin")


def write_vae(folder: Path, cls=AutoencoderKL) -> None:
    """Five levels instead of four: latents 16 times smaller than the picture keep the tests quick."""
    torch.manual_seed(2)
    levels = 5
    sizes = dict(latent_channels=LATENT_CHANNELS, layers_per_block=1)
    if cls is AutoencoderKL:
        sizes |= dict(up_block_types=["UpDecoderBlock2D"] * levels, norm_num_groups=4)
    width = 8 if cls is AutoencoderKL else 32  # the temporal decoder's groups are fixed at 32
    vae = cls(
        down_block_types=["DownEncoderBlock2D"] * levels,
        block_out_channels=[width] * levels,
        **sizes,
    )
    vae.save_pretrained(folder)


def write_unet(folder: Path, cls, config: dict, safe: bool = True) -> None:
    torch.manual_seed(3)
    unet = cls.from_config({k: v for k, v in config.items() if k != "_class_name"})
    unet.save_pretrained(folder)
    (folder / "config.json").write_text(json.dumps(config))
    if not safe:
        (folder / "diffusion_pytorch_model.safetensors").unlink()
        torch.save(unet.state_dict(), folder / "diffusion_pytorch_model.bin")


def write_index(folder: Path, name: str) -> None:
    index = {"_class_name": name, "_diffusers_version": "0.24.0"}
    (folder / "model_index.json").write_text(json.dumps(index))


def animate_anything(models: Path) -> Path:
    """A tar with one folder inside, as released."""
    inside = models / "build" / "animate_anything_512_v1.02"
    write_text(inside, safe=True)
    write_vae(inside / "vae")
    write_unet(inside / "unet", AnimateAnythingUNet, unet_config("animate_anything"))
    DPMSolverMultistepScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
        timestep_spacing="leading", steps_offset=1,
    ).save_pretrained(inside / "scheduler")  # fmt: skip
    write_index(inside, "TextToVideoSDPipeline")
    (inside / "config.yaml").write_text("motion_mask: true\n")
    archive = models / "animate_anything.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(inside, inside.name)
    return archive


def consisti2v(models: Path) -> Path:
    folder = models / "consisti2v"
    write_text(folder, safe=True)
    write_vae(folder / "vae")
    config = unet_config("consisti2v") | {"n_frames": 16}
    write_unet(folder / "unet", ConsistI2VUNet, config)
    DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="linear", clip_sample=False,
        steps_offset=1, timestep_spacing="leading",
    ).save_pretrained(folder / "scheduler")  # fmt: skip
    write_index(folder, "ConditionalAnimationPipeline")
    return folder


def cinemo(models: Path) -> Path:
    """Pickled UNet and text tower, a scheduler file that says PNDM, a misnamed UNet class."""
    folder = models / "cinemo"
    write_text(folder, safe=False)
    write_vae(folder / "vae_temporal_decoder", AutoencoderKLTemporalDecoder)
    write_unet(folder / "unet", CinemoUNet, unet_config("cinemo"), safe=False)
    PNDMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1,
    ).save_pretrained(folder / "scheduler")  # fmt: skip
    write_index(folder, "StableDiffusionPipeline")
    return folder


WRITERS = {"animate_anything": animate_anything, "consisti2v": consisti2v, "cinemo": cinemo}


def write_all(folder: Path, writers: Mapping[str, Callable[[Path], object]] = WRITERS) -> Path:
    """Write every release there is into a folder of models; returns that folder."""
    for write in writers.values():
        write(folder)
    return folder
