"""Sec. 3.2: painting + prompt -> proxy image. One ``ProxySpec`` per way to make it."""

from __future__ import annotations

from awaken import hub
from awaken.backends.base import Option, lazy_loader
from awaken.hub import needs_gpu
from awaken.message import Message
from awaken.proxies import releases
from awaken.proxies.base import Proxy, ProxySettings, ProxySpec

__all__ = ["PROXIES", "Proxy", "ProxySettings", "ProxySpec"]


def _invsr_missing() -> str | None:
    base = hub.missing(releases.SD_TURBO)
    return (
        Message("it works on {base}: {why}", base="SD-Turbo", why=base)
        if base
        else hub.missing(releases.INVSR)
    )


_EDITS = (
    "Same painting a few seconds later: {prompt}. Keep composition, camera, style, brushwork and "
    "colours unchanged."
)


def _steps(default: int, low: int, high: int) -> Option:
    return Option("Proxy steps", default, low, high, 1)


def _size(default: int) -> Option:
    help = "Square root of the pixel area the proxy model works at; larger is finer and slower."
    return Option("Proxy size", default, 256, 1280, 64, help)


PROXIES: dict[str, ProxySpec] = {
    "miniature": ProxySpec(
        title="Miniature",
        summary="A small image-to-image model trained by us: makes what the prompt names clearer, in the "
        "light that it asks for, and keeps the drawing.",
        load=lazy_loader("awaken.proxies.miniature", "MiniatureProxy"),
        family="img2img",
        strength=0.8,
        presets={"gentle": 0.5, "as in the paper": 0.8, "free": 1.0},
        half_on_cpu=True,
        needs="Ships with the demo.",
        code_licence="Apache-2.0",
        weight_licence="Apache-2.0",
        source="assets/miniature",
    ),
    "upload": ProxySpec(
        title="Your own picture",
        summary="Bring the proxy image yourself, for example from your favourite image editor.",
        load=lazy_loader("awaken.proxies.given", "UploadProxy"),
        needs_image=True,
        needs="Nothing but your picture.",
    ),
    "identity": ProxySpec(
        title="The painting itself",
        summary="No proxy model: the painting stands in for its own proxy.",
        load=lazy_loader("awaken.proxies.given", "IdentityProxy"),
        needs="",
    ),
    "baseline_frame": ProxySpec(
        title="Last frame of the baseline",
        summary="No image model: what the video model itself makes of the painting by its last "
        "frame. The baseline is rendered first, and reused.",
        load=lazy_loader("awaken.proxies.given", "BaselineFrameProxy"),
        needs_baseline=True,
        needs="",
    ),
    "sdxl_refiner": ProxySpec(
        title="SDXL Refiner",
        summary="The paper's proxy model: noises the painting and refines it by the very prompt of "
        "the animation.",
        load=lazy_loader("awaken.proxies.img2img", "SDXLRefinerProxy"),
        available=lambda: hub.missing(releases.SDXL_REFINER),
        family="img2img",
        strength=0.5,
        presets={"gentle": 0.3, "as in the paper": 0.5},
        options={
            "steps": _steps(30, 10, 60),
            "guidance": Option("Proxy guidance", 5.0, 1.0, 12.0, 0.5),
            "size": _size(1024),
        },
        needs=needs_gpu(6.1, 10, less=6, way="in turns"),
        release=releases.SDXL_REFINER,
        code_licence="Apache-2.0 (diffusers)",
        weight_licence="CreativeML Open RAIL++-M",
        source="https://huggingface.co/stabilityai/stable-diffusion-xl-refiner-1.0",
    ),
    "invsr": ProxySpec(
        title="InvSR",
        summary="Makes the painting smaller and draws it again four times finer; no text of yours "
        "is needed. Compared in the paper (Sec. 5.2).",
        load=lazy_loader("awaken.proxies.invsr", "InvSRProxy"),
        available=_invsr_missing,
        family="restorer",
        strength=0.5,
        presets={"texture only": 0.0, "half size first": 0.5, "quarter size first": 1.0},
        options={
            "steps": _steps(1, 1, 5),
            "words": Option(
                "Words", 1, 0, 2, 1, "0 none, 1 the published kind of quality words, 2 your prompt."
            ),
            "colours": Option(
                "Colours", 2, 0, 2, 1, "0 the model's, 1 the painting's in the coarse, 2 its hues."
            ),
        },
        needs=Message(
            "135 MB and SD-Turbo (2.6 GB) to download, a GPU with {memory} GB.", memory=5
        ),
        release=releases.INVSR,
        bases=(releases.SD_TURBO,),
        code_licence="ours; the published code: NTU S-Lab License 1.0",
        weight_licence="NTU S-Lab License 1.0, and SD-Turbo's",
        non_commercial=True,
        source="https://github.com/zsyOAOA/InvSR",
    ),
    "masactrl": ProxySpec(
        title="MasaCtrl",
        summary="Inverts the painting to noise and repaints it by the prompt, with self-attention "
        "on the painting; compared in the paper (Sec. 5.2). The seed plays no part.",
        load=lazy_loader("awaken.proxies.masactrl", "MasaCtrlProxy"),
        available=lambda: hub.missing(releases.STABLE_DIFFUSION),
        family="inversion",
        strength=0.2,
        presets={"held": 0.1, "as published": 0.2, "freer": 0.5},
        options={
            "steps": _steps(50, 20, 60),
            "guidance": Option("Proxy guidance", 7.5, 1.0, 12.0, 0.5),
            "layer": Option(
                "First controlled layer", 10, 0, 15, 1, "Of 16 blocks; lower holds more layout."
            ),
            "union": Option("Look at both", 0, 0, 1, 1, "1 attends to painting and proxy at once."),
            "hold_source": Option(
                "Hold the painting's run", 1, 0, 1, 1, "1 keeps it on the stored inversion."
            ),
            "size": _size(512),
        },
        needs=Message(
            "2.2 GB to download (Stable Diffusion 1.5), a GPU with {memory} GB.", memory=5
        ),
        release=releases.STABLE_DIFFUSION,
        code_licence="Apache-2.0",
        weight_licence="CreativeML OpenRAIL-M",
        source="https://github.com/TencentARC/MasaCtrl",
    ),
    "sd_turbo": ProxySpec(
        title="SD-Turbo",
        summary="Two quick steps at 512 px; for small GPUs, and processors within minutes.",
        load=lazy_loader("awaken.proxies.img2img", "SDTurboProxy"),
        available=lambda: hub.missing(releases.SD_TURBO),
        family="img2img",
        strength=0.5,
        presets={"gentle": 0.25, "two steps": 0.5},
        options={"steps": _steps(4, 1, 10), "size": _size(512)},
        needs=needs_gpu(2.6, 4),
        release=releases.SD_TURBO,
        code_licence="Apache-2.0 (diffusers)",
        weight_licence="Stability AI Community License",
        non_commercial=True,
        source="https://huggingface.co/stabilityai/sd-turbo",
    ),
    "instruct_pix2pix": ProxySpec(
        title="InstructPix2Pix",
        summary="Follows an instruction while it looks at the painting; the dial lowers how "
        "strongly it holds on to it.",
        load=lazy_loader("awaken.proxies.instruct_pix2pix", "InstructPix2PixProxy"),
        available=lambda: hub.missing(releases.INSTRUCT_PIX2PIX),
        family="editor",
        template="make it look like a few moments later: {prompt}",
        strength=0.6,
        presets={"closer": 0.3, "balanced": 0.6, "freer": 0.8},
        options={
            "steps": _steps(30, 10, 100),
            "guidance": Option("Proxy guidance", 7.5, 3.0, 12.0, 0.5),
            "size": _size(512),
        },
        needs=needs_gpu(2.2, 4),
        release=releases.INSTRUCT_PIX2PIX,
        code_licence="MIT",
        weight_licence="MIT (its base, Stable Diffusion 1.5: CreativeML OpenRAIL-M)",
        source="https://huggingface.co/timbrooks/instruct-pix2pix",
    ),
    "z_image_turbo": ProxySpec(
        title="Z-Image-Turbo",
        summary="A modern 6 B model in eight steps; noises the painting and repaints it by the "
        "animation prompt. The same strength changes more than in SDXL.",
        load=lazy_loader("awaken.proxies.img2img", "ZImageTurboProxy"),
        available=lambda: hub.missing(releases.Z_IMAGE_TURBO),
        family="img2img",
        strength=0.5,
        presets={"gentle": 0.45, "free": 0.6},
        options={"steps": _steps(9, 4, 20), "size": _size(1024)},
        needs=needs_gpu(20, 16, about=True),
        release=releases.Z_IMAGE_TURBO,
        code_licence="Apache-2.0",
        weight_licence="Apache-2.0",
        source="https://huggingface.co/Tongyi-MAI/Z-Image-Turbo",
    ),
    "flux2_klein": ProxySpec(
        title="FLUX.2 klein 4B",
        summary="Edits the painting by an instruction in four steps. Below strength 1 it starts on "
        "the painting instead of on noise.",
        load=lazy_loader("awaken.proxies.flux2_klein", "Flux2KleinProxy"),
        available=lambda: hub.missing(releases.FLUX2_KLEIN),
        family="editor",
        template=_EDITS,
        strength=1.0,
        presets={"closer": 0.85, "the model's own": 1.0},
        options={"steps": _steps(4, 2, 12), "size": _size(1024)},
        needs=needs_gpu(16, 13, about=True),
        release=releases.FLUX2_KLEIN,
        code_licence="Apache-2.0",
        weight_licence="Apache-2.0",
        source="https://huggingface.co/black-forest-labs/FLUX.2-klein-4B",
    ),
    "qwen_image_edit": ProxySpec(
        title="Qwen-Image-Edit 2511",
        summary="A 20 B editor for large GPUs; works at one megapixel. Below strength 1 it starts "
        "on the painting instead of on noise.",
        load=lazy_loader("awaken.proxies.qwen_image_edit", "QwenImageEditProxy"),
        available=lambda: hub.missing(releases.QWEN_IMAGE_EDIT),
        family="editor",
        template=_EDITS,
        strength=1.0,
        presets={"closer": 0.85, "the model's own": 1.0},
        options={
            "steps": _steps(40, 4, 60),
            "guidance": Option("Proxy guidance", 4.0, 1.0, 8.0, 0.5),
        },
        needs=needs_gpu(58, 60, about=True, less=40, way="in turns"),
        release=releases.QWEN_IMAGE_EDIT,
        code_licence="Apache-2.0",
        weight_licence="Apache-2.0",
        source="https://huggingface.co/Qwen/Qwen-Image-Edit-2511",
    ),
}
