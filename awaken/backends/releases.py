"""Where the paper's three models are released, and what a whole download holds. Plain data."""

from __future__ import annotations

from awaken.hub import Release, weights

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
