"""Tiny random image-to-video pipelines of the true classes, in the true layout of each release."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import diffusers as df

from awaken.backends import BACKENDS
from tests.pipeline_ltx2 import ltx2
from tests.pipeline_transformers import (
    cogvideox15,
    hunyuan15,
    ltx,
    sana,
    skyreels_v2,
    wan21_i2v,
    wan22_a14b,
    wan_ti2v,
)
from tests.pipeline_unets import i2vgen_xl, pia, sparsectrl, svd, unet2d


def ltx_condition():
    return ltx(df.LTXConditionPipeline, shift=1.0)


BUILDERS: dict[str, Callable] = {
    "wan22_ti2v_5b": wan_ti2v, "ltx_video": ltx, "ltx_video_095": ltx_condition,
    "sparsectrl": sparsectrl, "wan22_i2v_a14b": wan22_a14b, "wan21_i2v_14b": wan21_i2v,
    "hunyuan15": hunyuan15, "cogvideox15": cogvideox15, "skyreels_v2": skyreels_v2,
    "i2vgen_xl": i2vgen_xl, "svd_xt": svd, "pia": pia, "sana_video": sana, "ltx2": ltx2,
}  # fmt: skip


def write(name: str, models: Path, **more) -> Path:
    """The pipeline as ``save_pretrained`` lays it out, in its release's folder; ``more`` for that."""
    folder = models / BACKENDS[name].release.name
    BUILDERS[name]().save_pretrained(folder, **more)
    return folder


def write_parts(name: str, models: Path) -> None:
    """AnimateDiff as it is released: a folder per adapter beside Stable Diffusion's own."""
    from awaken.backends import releases

    pipe = BUILDERS[name]()
    if name == "sparsectrl":
        pipe.controlnet.save_pretrained(models / releases.SPARSECTRL.name)
        pipe.motion_adapter.save_pretrained(models / releases.MOTION_ADAPTER.name)
    else:
        pipe.motion_adapter.save_pretrained(models / releases.PIA.name)
    df.StableDiffusionPipeline(
        vae=pipe.vae, text_encoder=pipe.text_encoder, tokenizer=pipe.tokenizer, unet=unet2d(),
        scheduler=df.PNDMScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1
        ),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    ).save_pretrained(models / releases.STABLE_DIFFUSION.name)  # fmt: skip
