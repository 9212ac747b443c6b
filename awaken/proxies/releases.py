"""Where the proxy models are released, and what a whole download holds. Plain data.

Sizes are estimates, mostly from parameter counts in half precision; the hub says exactly.
"""

from __future__ import annotations

from awaken.hub import Release, weights

Files = tuple[tuple[str, ...], ...]


def _network(folder: str) -> Files:
    """Configuration and weights."""
    return (f"{folder}/config.json",), weights(folder)


def _encoder(folder: str) -> Files:
    """A transformers model, whose pickles have a name of their own."""
    names = (*weights(folder, "model"), *weights(folder, "pytorch_model"))
    return (f"{folder}/config.json",), names


def _tokenizer(folder: str) -> Files:
    return ((f"{folder}/vocab.json", f"{folder}/tokenizer.json"),)


_BASE: Files = (("model_index.json",), ("scheduler/scheduler_config.json",))
_STABLE_DIFFUSION: Files = (
    *_BASE, *_network("unet"), *_network("vae"), *_encoder("text_encoder"),
    *_tokenizer("tokenizer"),
)  # fmt: skip
_FLOW: Files = (
    *_BASE, *_network("transformer"), *_network("vae"), *_encoder("text_encoder"),
    *_tokenizer("tokenizer"),
)  # fmt: skip


def _half(*folders: str, others: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Patterns that fetch the half-precision safetensors and no second copy of the weights."""
    kinds = ("json", "fp16.safetensors")
    networks = (f"{folder}/*.{kind}" for folder in folders for kind in kinds)
    return ("model_index.json", "scheduler/*", *networks, *others)


SDXL_REFINER = Release(
    name="sdxl_refiner",
    repo="stabilityai/stable-diffusion-xl-refiner-1.0",
    size=6_100_000_000,
    files=(
        *_BASE, *_network("unet"), *_network("vae"), *_encoder("text_encoder_2"),
        *_tokenizer("tokenizer_2"),
    ),
    patterns=_half("unet", "vae", "text_encoder_2", others=("tokenizer_2/*",)),
)  # fmt: skip
SD_TURBO = Release(
    name="sd_turbo",
    repo="stabilityai/sd-turbo",
    size=2_600_000_000,
    files=_STABLE_DIFFUSION,
    patterns=_half("unet", "vae", "text_encoder", others=("tokenizer/*",)),
)
INVSR = Release(
    name="invsr",
    repo="OAOA/InvSR",
    size=135_000_000,
    files=(("noise_predictor_sd_turbo_v5.pth",),),
    patterns=("noise_predictor_sd_turbo_v5.pth",),
)
STABLE_DIFFUSION = Release(
    name="stable_diffusion_v1_5",
    repo="stable-diffusion-v1-5/stable-diffusion-v1-5",
    size=2_200_000_000,
    files=_STABLE_DIFFUSION,
    patterns=_half("unet", "vae", "text_encoder", others=("tokenizer/*",)),
)
INSTRUCT_PIX2PIX = Release(
    name="instruct_pix2pix",
    repo="timbrooks/instruct-pix2pix",
    size=2_200_000_000,
    files=_STABLE_DIFFUSION,
    patterns=_half("unet", "vae", "text_encoder", others=("tokenizer/*",)),
)
_WHOLE = (
    "model_index.json",
    "scheduler/*",
    "transformer/*",
    "vae/*",
    "text_encoder/*",
    "tokenizer/*",
)
Z_IMAGE_TURBO = Release(
    name="z_image_turbo",
    repo="Tongyi-MAI/Z-Image-Turbo",
    size=20_500_000_000,
    files=_FLOW,
    patterns=_WHOLE,
)
FLUX2_KLEIN = Release(
    name="flux2_klein_4b",
    repo="black-forest-labs/FLUX.2-klein-4B",
    size=16_000_000_000,
    files=_FLOW,
    patterns=_WHOLE,
)
QWEN_IMAGE_EDIT = Release(
    name="qwen_image_edit_2511",
    repo="Qwen/Qwen-Image-Edit-2511",
    size=57_700_000_000,
    files=(*_FLOW, ("processor/preprocessor_config.json",)),
    patterns=(*_WHOLE, "processor/*"),
)
