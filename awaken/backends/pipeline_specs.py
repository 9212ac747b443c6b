"""What the page needs to know of the pipelines of diffusers before one is loaded. Plain data.

The default negative prompts are the makers' without the words that mean what this demo is given:
painting, picture, style, artwork.
"""

from __future__ import annotations

from typing import Any

from awaken.backends import releases
from awaken.backends.base import BackendSpec, Option, lazy_loader
from awaken.hub import Release, needs_gpu

_WAN_NEGATIVE = (
    "static, overexposed, blurred details, subtitles, overall gray, worst quality, low quality, "
    "JPEG compression residue, ugly, deformed, messy background, walking backwards"
)


def _entry(
    cls: str,
    release: Release,
    *bases: Release,
    memory: int,
    about: bool = False,
    less: int = 0,
    way: str = "",
    hours: bool = False,
    **more: Any,
) -> BackendSpec:
    """memory: GB of the GPU that it wants; the rest of what it needs as in ``needs_gpu``."""
    return BackendSpec(
        load=lazy_loader("awaken.backends.pipelines", cls),
        available=lambda: releases.needs(release, *bases),
        release=release,
        bases=bases,
        source=f"https://huggingface.co/{release.repo}",
        code_licence="Apache-2.0 (diffusers)",
        needs=needs_gpu(
            sum(part.size for part in (release, *bases)) / 1e9, memory, about=about, less=less,
            way=way, hours=hours, account=release.gated,
        ),
        **more,
    )  # fmt: skip


_LTX: dict[str, Any] = dict(
    size=581,
    sizes=(384, 512, 581),
    multiple=32,
    frames=161,
    frame_choices=(49, 97, 121, 161),
    fps=25,
    steps=50,
    guidance=3.0,
    negative_prompt="worst quality, inconsistent motion, blurry, jittery, distorted",
    draft="first block",
    memory=10,
)
PIPELINES: dict[str, BackendSpec] = {
    "wan22_ti2v_5b": _entry(
        "WanTI2V",
        releases.WAN22_TI2V_5B,
        title="Wan 2.2 TI2V-5B",
        summary="A video model of 2025 for one large GPU: 720p, the painting is its first frame.",
        size=949,
        sizes=(512, 632, 949),
        multiple=32,
        frames=121,
        frame_choices=(17, 49, 81, 121),
        fps=24,
        steps=50,
        guidance=5.0,
        negative_prompt=_WAN_NEGATIVE,
        draft="first block",
        memory=24,
        less=8,
        way="layer by layer",
        weight_licence="Apache-2.0",
    ),
    "ltx_video": _entry(
        "LTX",
        releases.LTX_VIDEO,
        title="LTX-Video 2B",
        summary="Small and quick for its length. The painting is its first frame; its latent "
        "frames are eight frames each, so the method wants a long video.",
        **_LTX,
        weight_licence="LTX-Video open weights (RAIL type, limits of use)",
    ),
    "ltx_video_095": _entry(
        "LTXCondition",
        releases.LTX_VIDEO_095,
        title="LTX-Video 2B 0.9.5",
        summary="The later LTX-Video. Few of its steps are at the noise levels that distil: take "
        "many steps.",
        **_LTX,
        weight_licence="Open RAIL-M (commercial use allowed, limits of use)",
    ),
    "sparsectrl": _entry(
        "SparseCtrl",
        releases.SPARSECTRL,
        releases.MOTION_ADAPTER,
        releases.STABLE_DIFFUSION,
        title="AnimateDiff with SparseCtrl",
        summary="Stable Diffusion 1.5 with a motion adapter; a small control network shows it the "
        "painting. Named in the paper, and the paper's own noise levels.",
        size=512,
        sizes=(256, 384, 512),
        frames=16,
        frame_choices=(8, 16, 24),
        fps=8,
        steps=25,
        guidance=7.5,
        options={
            "controlnet_conditioning_scale": Option(
                "Hold on the painting", 1.0, 0.0, 2.0, 0.05, "How much the control network says."
            )
        },
        memory=8,
        hours=True,
        weight_licence="not stated on the model pages (code Apache-2.0); its base: OpenRAIL-M",
    ),
    "wan22_i2v_a14b": _entry(
        "WanExperts",
        releases.WAN22_I2V_A14B,
        title="Wan 2.2 I2V-A14B",
        summary="Two networks of 14 billion parameters, one for the layout and one for the detail.",
        size=632,
        sizes=(512, 632, 949),
        multiple=16,
        frames=81,
        frame_choices=(17, 49, 81),
        fps=16,
        steps=40,
        guidance=3.5,
        negative_prompt=_WAN_NEGATIVE,
        draft="first block",
        memory=80,
        less=24,
        way="layer by layer",
        weight_licence="Apache-2.0",
    ),
    "wan21_i2v_14b": _entry(
        "WanI2V",
        releases.WAN21_I2V_14B,
        title="Wan 2.1 I2V-14B",
        summary="The Wan before: it sees the painting through CLIP as well.",
        size=632,
        sizes=(512, 632),
        multiple=16,
        frames=81,
        frame_choices=(17, 49, 81),
        fps=16,
        steps=50,
        guidance=5.0,
        negative_prompt=_WAN_NEGATIVE,
        draft="first block",
        memory=48,
        about=True,
        less=24,
        way="in 8 bits",
        weight_licence="Apache-2.0",
    ),
    "hunyuan15": _entry(
        "Hunyuan",
        releases.HUNYUAN15,
        title="HunyuanVideo-1.5",
        summary="8 billion parameters; it chooses the one of its own sizes whose shape is nearest.",
        size=640,
        sizes=(640,),
        multiple=16,
        frames=121,
        frame_choices=(17, 49, 81, 121),
        fps=24,
        steps=50,
        guidance=6.0,
        draft="Taylor series",
        memory=24,
        less=14,
        way="in turns",
        weight_licence="Tencent Hunyuan Community: not in the European Union, the United Kingdom "
        "and South Korea",
    ),
    "cogvideox15": _entry(
        "CogVideoX",
        releases.COGVIDEOX15,
        title="CogVideoX 1.5 5B",
        summary="5 billion parameters; its smaller side wants 768 pixels.",
        size=1022,
        sizes=(768, 1022),
        multiple=16,
        frames=81,
        frame_choices=(17, 49, 81, 161),
        fps=16,
        steps=50,
        guidance=6.0,
        draft="first block",
        memory=24,
        weight_licence="CogVideoX: free for research, commercial use by registration",
    ),
    "skyreels_v2": _entry(
        "SkyReels",
        releases.SKYREELS_V2,
        title="SkyReels-V2 1.3B",
        summary="The smallest of Wan's family that is given a picture and words.",
        size=720,
        sizes=(512, 720),
        multiple=16,
        frames=97,
        frame_choices=(17, 49, 97),
        fps=24,
        steps=50,
        guidance=5.0,
        negative_prompt=_WAN_NEGATIVE,
        draft="Taylor series",
        memory=16,
        about=True,
        weight_licence="Skywork Community (commercial use on its terms)",
    ),
    "i2vgen_xl": _entry(
        "I2VGenXL",
        releases.I2VGEN_XL,
        title="I2VGen-XL",
        summary="By VideoComposer's makers, whom the paper names. A peak of alpha of 7 keeps its "
        "first updates below the mark.",
        size=949,
        sizes=(512, 704, 949),
        frames=16,
        frame_choices=(8, 16),
        fps=8,
        steps=50,
        guidance=9.0,
        negative_prompt="Distorted, discontinuous, Ugly, blurry, low resolution, motionless, "
        "static, disfigured",
        options={
            "target_fps": Option("Frame rate it imagines", 16, 1, 32, 1, "Lower moves more."),
        },
        memory=16,
        weight_licence="MIT",
    ),
    "svd_xt": _entry(
        "SVD",
        releases.SVD_XT,
        title="Stable Video Diffusion XT",
        summary="Takes no words: the prompt acts through the proxy image alone. Few of its steps "
        "are at the noise levels that distil: 50 steps help.",
        size=768,
        sizes=(512, 768),
        multiple=64,
        frames=25,
        frame_choices=(14, 25),
        fps=7,
        steps=25,
        guidance=3.0,
        motion=127.0,
        motion_range=(1.0, 255.0, 1.0),
        options={
            "fps": Option("Frame rate it imagines", 7, 2, 30, 1),
            "noise_aug_strength": Option(
                "Noise on the painting", 0.02, 0.0, 0.5, 0.01, "More lets it move away further."
            ),
        },
        memory=16,
        weight_licence="Stable Video Diffusion Community: research and non-commercial use; "
        "commercial use on its terms",
        non_commercial=True,
    ),
    "pia": _entry(
        "PIA",
        releases.PIA,
        releases.STABLE_DIFFUSION,
        title="PIA",
        summary="A motion adapter on Stable Diffusion 1.5 that is given the painting, with a dial "
        "of motion.",
        size=512,
        sizes=(256, 384, 512),
        frames=16,
        frame_choices=(8, 16),
        fps=8,
        steps=25,
        guidance=7.5,
        motion=1.0,
        motion_range=(0.0, 8.0, 1.0),
        memory=8,
        hours=True,
        weight_licence="Apache-2.0; its base: OpenRAIL-M",
    ),
    "sana_video": _entry(
        "Sana",
        releases.SANA_VIDEO,
        title="Sana-Video 2B",
        summary="Linear attention: long videos cost little more. The painting is its first frame.",
        size=632,
        sizes=(512, 632),
        multiple=32,
        frames=81,
        frame_choices=(17, 49, 81),
        fps=16,
        steps=50,
        guidance=6.0,
        memory=12,
        about=True,
        weight_licence="NVIDIA's licence of the Sana family: research, non-commercial",
        non_commercial=True,
    ),
    "ltx2": _entry(
        "LTX2",
        releases.LTX2,
        title="LTX-2",
        summary="19 billion parameters for video and sound; here the video alone, without sound.",
        size=627,
        sizes=(512, 627),
        multiple=32,
        frames=121,
        frame_choices=(49, 97, 121),
        fps=24,
        steps=30,
        guidance=3.0,
        negative_prompt="shaky, glitchy, low quality, worst quality, deformed, distorted, motion "
        "smear, static",
        memory=48,
        about=True,
        less=24,
        way="in 8 bits",
        weight_licence="LTX-2 Community: free for those who earn less than 10 million dollars a "
        "year",
    ),
}
