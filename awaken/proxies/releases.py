"""Where the proxy models are released, and what a whole download holds. Plain data.

Sizes are estimates, mostly from parameter counts in half precision; the hub says exactly.
"""

from __future__ import annotations

from awaken.backends.releases import (
    BASE,
    STABLE_DIFFUSION,
    STABLE_DIFFUSION_FILES,
    Files,
    encoder,
    half,
    network,
    tokenizer,
)
from awaken.hub import Release

__all__ = [
    "FLUX2_KLEIN", "INSTRUCT_PIX2PIX", "INVSR", "QWEN_IMAGE_EDIT", "SDXL_REFINER", "SD_TURBO",
    "STABLE_DIFFUSION", "Z_IMAGE_TURBO",
]  # fmt: skip

_FLOW: Files = (
    *BASE, *network("transformer"), *network("vae"), *encoder("text_encoder"),
    *tokenizer("tokenizer"),
)  # fmt: skip


SDXL_REFINER = Release(
    name="sdxl_refiner",
    repo="stabilityai/stable-diffusion-xl-refiner-1.0",
    size=6_100_000_000,
    files=(
        *BASE, *network("unet"), *network("vae"), *encoder("text_encoder_2"),
        *tokenizer("tokenizer_2"),
    ),
    patterns=half("unet", "vae", "text_encoder_2", others=("tokenizer_2/*",)),
)  # fmt: skip
SD_TURBO = Release(
    name="sd_turbo",
    repo="stabilityai/sd-turbo",
    size=2_600_000_000,
    files=STABLE_DIFFUSION_FILES,
    patterns=half("unet", "vae", "text_encoder", others=("tokenizer/*",)),
)
INVSR = Release(
    name="invsr",
    repo="OAOA/InvSR",
    size=135_000_000,
    files=(("noise_predictor_sd_turbo_v5.pth",),),
    patterns=("noise_predictor_sd_turbo_v5.pth",),
)
INSTRUCT_PIX2PIX = Release(
    name="instruct_pix2pix",
    repo="timbrooks/instruct-pix2pix",
    size=2_200_000_000,
    files=STABLE_DIFFUSION_FILES,
    patterns=half("unet", "vae", "text_encoder", others=("tokenizer/*",)),
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
