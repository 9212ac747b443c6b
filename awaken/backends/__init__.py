"""The frozen image-to-video models behind one protocol (``base``).

Adding a backend is one new file with a ``Backend`` subclass and one entry of ``BACKENDS``; the
parametrised tests cover it. Specs are plain data, so that the page can list models without torch.
"""

from __future__ import annotations

from awaken import hub
from awaken.backends.base import (
    Backend,
    BackendSpec,
    Condition,
    ModelSpec,
    Option,
    VideoSettings,
    lazy_loader,
)
from awaken.backends.pipeline_specs import PIPELINES
from awaken.backends.releases import ANIMATE_ANYTHING, CINEMO, CONSISTI2V
from awaken.hub import needs_gpu

__all__ = [
    "BACKENDS",
    "Backend",
    "BackendSpec",
    "Condition",
    "ModelSpec",
    "Option",
    "VideoSettings",
]

BACKENDS: dict[str, BackendSpec] = {
    "miniature": BackendSpec(
        title="Miniature",
        summary="A small image-to-video model trained by us, on paintings and on painted scenes: "
        "sky, water, trees, grass, boats, sun rays; snow, rain, petals. A laptop is enough.",
        load=lazy_loader("awaken.backends.miniature", "MiniatureBackend"),
        guidance=1.25,
        motion=1.9,
        upload_motion=1.4,
        learnt_from="procedural scenes and labelled public-domain paintings; what is where in them, "
        "from photographs (ImageNet) first; no videos",
        sizes=(384, 512, 640, 768),
        frame_choices=(16, 24, 32),
        motion_range=(0.2, 2.0, 0.05),
        has_mask=True,
        half_on_cpu=True,
        needs="Ships with the demo; any processor, under 3 GB of memory.",
        code_licence="Apache-2.0",
        weight_licence="Apache-2.0",
        source="assets/miniature",
    ),
    "animate_anything": BackendSpec(
        title="AnimateAnything",
        summary="The paper's main model: 512 px, with motion strength and a motion mask.",
        load=lazy_loader("awaken.backends.animate_anything", "AnimateAnythingBackend"),
        available=lambda: hub.missing(ANIMATE_ANYTHING),
        release=ANIMATE_ANYTHING,
        sizes=(256, 384, 512),
        frame_choices=(8, 16, 24),
        steps=25,
        guidance=9.0,
        motion=8.0,
        motion_range=(1.0, 20.0, 0.5),
        has_mask=True,
        draft="deep layers",
        needs=needs_gpu(4, 8, about=True, hours=True),
        code_licence="MIT",
        weight_licence="not stated; its base, ModelScope text-to-video, is CC-BY-NC-4.0",
        non_commercial=True,
        source="https://github.com/alibaba/animate-anything",
    ),
    "consisti2v": BackendSpec(
        title="ConsistI2V",
        summary="Keeps the painting as the first frame and looks back at it in every layer.",
        load=lazy_loader("awaken.backends.consisti2v", "ConsistI2VBackend"),
        available=lambda: hub.missing(CONSISTI2V),
        release=CONSISTI2V,
        sizes=(256, 512),
        steps=50,
        guidance=7.5,
        draft="deep layers",
        options={
            "frame_stride": Option("Frame stride", 3, 1, 8, 1, "Larger is faster motion."),
            "frame_init": Option(
                "FrameInit noise level",
                850,
                1,
                999,
                1,
                "Timestep whose coarse layout the start is given; lower holds the picture closer.",
            ),
            "image_guidance": Option("Image guidance", 1.0, 1.0, 3.0, 0.1, "1 switches it off."),
        },
        needs=needs_gpu(6.7, 10, hours=True),
        code_licence="MIT",
        weight_licence="MIT (its base, Stable Diffusion 2.1: OpenRAIL++-M)",
        source="https://huggingface.co/TIGER-Lab/ConsistI2V",
    ),
    "cinemo": BackendSpec(
        title="Cinemo",
        summary="Predicts how the frames differ from the painting; works at 512 x 320 pixels.",
        load=lazy_loader("awaken.backends.cinemo", "CinemoBackend"),
        available=lambda: hub.missing(CINEMO),
        release=CINEMO,
        size=405,
        sizes=(405,),
        steps=50,
        guidance=7.5,
        motion=8.0,
        motion_range=(0.0, 99.0, 1.0),
        draft="deep layers",
        options={
            "dct_ratio": Option(
                "DCT ratio",
                0.23,
                0.0,
                1.0,
                0.01,
                "Share of the low frequencies that the start takes from the video; 0 is noise.",
            ),
            "dct_noise_level": Option(
                "DCT noise level", 975, 1, 999, 1, "Timestep at which the video is noised for it."
            ),
        },
        needs=needs_gpu(4.6, 8, hours=True),
        code_licence="Apache-2.0",
        weight_licence="Apache-2.0 (its base, Stable Diffusion 1.4: OpenRAIL-M)",
        source="https://huggingface.co/maxin-cn/Cinemo",
    ),
} | PIPELINES
