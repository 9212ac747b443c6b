"""Where the video models are released, and what a whole download holds. Plain data.

Sizes of the pipelines are partly estimates from parameter counts; the hub says exactly.
"""

from __future__ import annotations

from awaken.hub import Release, missing, require, weights
from awaken.message import Message

Files = tuple[tuple[str, ...], ...]


def network(folder: str) -> Files:
    """Configuration and weights."""
    return (f"{folder}/config.json",), weights(folder)


def encoder(folder: str) -> Files:
    """A transformers model, whose pickles have a name of their own."""
    names = (*weights(folder, "model"), *weights(folder, "pytorch_model"))
    return (f"{folder}/config.json",), names


def tokenizer(folder: str) -> Files:
    return ((f"{folder}/vocab.json", f"{folder}/tokenizer.json"),)


def half(*folders: str, others: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Patterns that fetch the half-precision safetensors and no second copy of the weights."""
    kinds = ("json", "fp16.safetensors")
    networks = (f"{folder}/*.{kind}" for folder in folders for kind in kinds)
    return ("model_index.json", "scheduler/*", *networks, *others)


# Decodes latents of Stable Diffusion's kind for previews; used where it is, and never asked for.
TAESD = Release(
    name="taesd",
    repo="madebyollin/taesd",
    size=10_000_000,
    files=(("config.json",), tuple(name.removeprefix("./") for name in weights("."))),
)
BASE: Files = (("model_index.json",), ("scheduler/scheduler_config.json",))
STABLE_DIFFUSION_FILES: Files = (
    *BASE, *network("unet"), *network("vae"), *encoder("text_encoder"),
    *tokenizer("tokenizer"),
)  # fmt: skip
STABLE_DIFFUSION = Release(
    name="stable_diffusion_v1_5",
    repo="stable-diffusion-v1-5/stable-diffusion-v1-5",
    size=2_200_000_000,
    files=STABLE_DIFFUSION_FILES,
    patterns=half("unet", "vae", "text_encoder", others=("tokenizer/*",)),
)

_PIPELINE = (
    ("model_index.json",),
    ("scheduler/scheduler_config.json",),
    ("unet/config.json",),
    weights("unet"),
    ("text_encoder/config.json",),
    (*weights("text_encoder", "model"), *weights("text_encoder", "pytorch_model")),
    ("tokenizer/vocab.json", "tokenizer/tokenizer.json"),
)
_PATTERNS = (
    "model_index.json", "scheduler/*", "unet/*", "text_encoder/*", "tokenizer/*",
)  # fmt: skip

ANIMATE_ANYTHING = Release(
    name="animate_anything",
    archive="https://cloudbook-public-production.oss-cn-shanghai.aliyuncs.com/animation/"
    "animate_anything_512_v1.02.tar",
    size=3_700_000_000,  # our estimate, its parameters in half precision; the server says exactly
    files=(*_PIPELINE, ("vae/config.json",), weights("vae")),
)
CONSISTI2V = Release(
    name="consisti2v",
    repo="TIGER-Lab/ConsistI2V",
    size=6_700_000_000,
    files=(*_PIPELINE, ("vae/config.json",), weights("vae")),
    patterns=(*_PATTERNS, "vae/*"),
)
CINEMO = Release(
    name="cinemo",
    repo="maxin-cn/Cinemo",
    size=4_600_000_000,
    files=(*_PIPELINE, ("vae_temporal_decoder/config.json",), weights("vae_temporal_decoder")),
    patterns=(*_PATTERNS, "vae_temporal_decoder/*"),  # the 3.6 GB cinemo.pt holds the UNet again
)


def _pipeline(
    name: str,
    repo: str,
    gigabytes: float,
    networks: tuple[str, ...] = ("transformer", "vae"),
    encoders: tuple[str, ...] = ("text_encoder",),
    others: tuple[str, ...] = ("tokenizer",),
    in_half: bool = False,
    gated: bool = False,
) -> Release:
    """A pipeline of diffusers: these folders of its repository, and none of its single files.

    others: folders without weights. in_half: of the weights the half-precision safetensors alone.
    """
    folders = (*networks, *encoders)
    files = (*map(network, networks), *map(encoder, encoders))
    texts = tuple(
        tuple(f"{folder}/{file}" for file in ("tokenizer.json", "spiece.model", "vocab.json",
                                              "tokenizer.model", "tokenizer_config.json"))
        for folder in others if folder.startswith("tokenizer")
    )  # fmt: skip
    small = tuple(f"{folder}/*" for folder in others)
    whole = ("model_index.json", "scheduler/*", *(f"{folder}/*" for folder in folders), *small)
    return Release(
        name=name,
        repo=repo,
        size=int(gigabytes * 1e9),
        files=(*BASE, *(names for pair in files for names in pair), *texts),
        patterns=half(*folders, others=small) if in_half else whole,
        gated=gated,
    )


_CLIP = ("tokenizer", "image_processor")
WAN22_TI2V_5B = _pipeline("wan22_ti2v_5b", "Wan-AI/Wan2.2-TI2V-5B-Diffusers", 34)
WAN22_I2V_A14B = _pipeline(
    "wan22_i2v_a14b", "Wan-AI/Wan2.2-I2V-A14B-Diffusers", 126,
    networks=("transformer", "transformer_2", "vae"),
)  # fmt: skip
WAN21_I2V_14B = _pipeline(
    "wan21_i2v_14b", "Wan-AI/Wan2.1-I2V-14B-480P-Diffusers", 85,
    encoders=("text_encoder", "image_encoder"), others=_CLIP,
)  # fmt: skip
SKYREELS_V2 = _pipeline(
    "skyreels_v2", "Skywork/SkyReels-V2-I2V-1.3B-540P-Diffusers", 25,
    encoders=("text_encoder", "image_encoder"), others=_CLIP,
)  # fmt: skip
LTX_VIDEO = _pipeline("ltx_video", "Lightricks/LTX-Video", 28)
LTX_VIDEO_095 = _pipeline("ltx_video_095", "Lightricks/LTX-Video-0.9.5", 28)
COGVIDEOX15 = _pipeline("cogvideox15", "zai-org/CogVideoX1.5-5B-I2V", 31)
HUNYUAN15 = _pipeline(
    "hunyuan15", "hunyuanvideo-community/HunyuanVideo-1.5-Diffusers-480p_i2v", 54,
    encoders=("text_encoder", "text_encoder_2", "image_encoder"),
    others=("tokenizer", "tokenizer_2", "feature_extractor", "guider"),
)  # fmt: skip
SANA_VIDEO = _pipeline(
    "sana_video", "Efficient-Large-Model/SANA-Video_2B_480p_diffusers", 15
)  # fmt: skip
LTX2 = _pipeline(
    "ltx2", "Lightricks/LTX-2", 65,
    networks=("transformer", "vae", "audio_vae", "connectors", "vocoder"),
)  # fmt: skip
I2VGEN_XL = _pipeline(
    "i2vgen_xl", "ali-vilab/i2vgen-xl", 5, networks=("unet", "vae"),
    encoders=("text_encoder", "image_encoder"), others=("tokenizer", "feature_extractor"),
    in_half=True,
)  # fmt: skip
SVD_XT = _pipeline(
    "svd_xt", "stabilityai/stable-video-diffusion-img2vid-xt", 4.5, networks=("unet", "vae"),
    encoders=("image_encoder",), others=("feature_extractor",), in_half=True, gated=True,
)  # fmt: skip


def _part(name: str, repo: str, gigabytes: float, within: str) -> Release:
    """One network that works on another release; or a whole pipeline, where it is ``within``."""
    names = tuple(name.removeprefix("/") for name in weights(""))
    return Release(
        name=name,
        repo=repo,
        size=int(gigabytes * 1e9),
        files=(("config.json", "model_index.json"), (*names, *weights(within))),
        patterns=("config.json", "diffusion_pytorch_model*.safetensors"),
    )


MOTION_ADAPTER = _part(
    "animatediff_motion_adapter", "guoyww/animatediff-motion-adapter-v1-5-3", 0.9, "motion_adapter"
)
SPARSECTRL = _part("sparsectrl", "guoyww/animatediff-sparsectrl-rgb", 1.0, "controlnet")
PIA = _part("pia", "openmmlab/PIA-condition-adapter", 0.9, "motion_adapter")


def needs(release: Release, *bases: Release) -> str | None:
    """None when the release and what it works on are here, or it is whole in itself."""
    lacking = missing(release)
    if lacking or not bases:
        return lacking
    if (require(release) / "model_index.json").is_file():
        return None
    told = ((base, missing(base)) for base in bases)
    return next(
        (
            Message("it works on {base}: {why}", base=base.repo, why=text)
            for base, text in told
            if text
        ),
        None,
    )
