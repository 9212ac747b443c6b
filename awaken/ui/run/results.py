"""A finished run, fresh or bundled, in words and files: the stage's film, the placard's facts."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from awaken import types
from awaken.backends import BACKENDS
from awaken.proxies import PROXIES
from awaken.ui.run import bundle_links, difference, links
from awaken.ui.texts import say, translated_prompt
from awaken.ui.texts.messages import translate
from awaken.ui.viewer import stage
from awaken.video import CRF_INTRA, result_settings, stacked, write_mp4


def film(
    settings: Mapping[str, Any],
    files: Mapping[str, Path],
    label: str = "",
    painting_note: str = "",
) -> dict[str, Any]:
    """The stage value of a finished run whose ``files`` lie on disk (``save_result``'s names).

    settings: all that its settings.json says, measurements too.
    """
    return stage.done(
        files["painting"],
        files.get("proxy"),
        files["stacked"],
        frames=settings["frames"],
        fps=settings["fps"],
        width=settings["width"],
        height=settings["height"],
        label=label,
        painting_note=painting_note,
        proxy_note=closeness(settings["psnr"], settings["luma_correlation"]),
        names=(say("names_baseline"), say("names_awakened")),
        region=files.get("mask"),
        told=difference.in_words(settings),
        curves=difference.curves(settings),
    )


def placard(
    settings: Mapping[str, Any], files: Mapping[str, Path], picture: Mapping[str, str]
) -> dict[str, Any]:
    """The label of a visitor's own run; ``settings``: all that its settings.json says."""
    return {
        "tag": say("yours"),
        "title": picture.get("title") or say("untitled"),
        "byline": picture.get("byline", ""),
        "credit": picture.get("credit", ""),
        "licence": picture.get("licence", ""),
        "prompt": prompt_in_words(settings),
        "facts": facts(settings),
        "files": downloads(files, settings, picture.get("id") or ""),
    }


def of_folder(
    folder: Path, picture: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """(stage value, placard) of a finished run from its folder; None where it has been cleared away."""
    files = {path.stem: path for path in folder.glob("*.*")}
    if not {"stacked", "settings", "painting"} <= files.keys():
        return None
    settings = json.loads(files["settings"].read_text("utf-8"))
    return film(settings, files), placard(settings, files, picture)


def kept(
    result: types.Result, folder: Path, picture: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(stage value, placard) of a run whose files are written into ``folder``: those from which all
    others can be made."""
    settings = result_settings(result)
    files = {"stacked": folder / "stacked.mp4", "settings": folder / "settings.json"}
    both = stacked(result.baseline, result.awakened)
    write_mp4(
        both, files["stacked"], int(settings["fps"]), settings, keyframe_every=1, crf=CRF_INTRA
    )
    pictures = {"painting": result.painting, "proxy": result.proxy, "mask": result.mask}
    for name, image in pictures.items():
        if image is not None:
            files[name] = folder / f"{name}.png"
            Image.fromarray(image).save(files[name], compress_level=1)
    files["settings"].write_text(json.dumps(settings, ensure_ascii=False) + "\n", encoding="utf-8")
    return film(settings, files), placard(settings, files, picture)


def prompt_in_words(settings: Mapping[str, Any]) -> str:
    """A run's prompt in the page's or the visitor's words, and what was read where that differs."""
    prompt = settings["prompt"]
    read = (settings.get("read") or {}).get("english") or prompt
    told = translated_prompt(prompt)
    if told == read:
        return say("placard_prompt", prompt=prompt)
    return say("placard_prompt_told", prompt=told, read=read)


def link_to(settings: Mapping[str, Any]) -> dict[str, Any]:
    """A link to the page with these settings on its dials; nothing of the picture is in it."""
    file = {"url": links.address("", settings)}
    return {"label": say("file_link"), "name": "", "file": file, "bare": None}


def facts(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the result was made with, as pairs of name and value."""
    seconds = settings.get("timings", {}).get("total")
    spec = BACKENDS.get(settings["backend"])
    backend = translate(spec.title) if spec else settings["backend"]
    proxy = PROXIES.get(settings["proxy"])
    proxy = translate(proxy.title) if proxy else settings["proxy"]
    masked = settings.get("masked") and "mask_share" in settings
    listed = [
        ("seed", str(settings["seed"])),
        ("p", f"{settings['p']:g}"),
        (
            "alpha",
            say("value_alpha", kind=say(f"alpha_{settings['alpha']}"), peak=settings["peak"]),
        ),
        ("variant", settings["variant"]),
        ("motion", f"{settings['motion']:g}" if settings.get("motion") is not None else ""),
        ("mask", say("value_mask", share=100 * settings["mask_share"]) if masked else ""),
        ("steps", str(settings["steps"])),
        ("guidance", f"{settings['guidance']:g}"),
        ("video", say("value_video", frames=settings["frames"], fps=settings["fps"])),
        ("size", say("value_size", width=settings["width"], height=settings["height"])),
        ("models", say("value_models", backend=backend, proxy=proxy)),
        ("learnt_from", translate(spec.learnt_from) if spec else ""),
        ("proxy", proxy_in_words(settings["psnr"], settings["luma_correlation"])),
        ("time", say("value_time", seconds=seconds) if seconds else ""),
        ("device", ", ".join(str(settings[k]) for k in ("device", "dtype") if k in settings)),
    ]
    return [(say(f"fact_{name}"), value) for name, value in listed if value]


def closeness(psnr: float | None, luma_correlation: float | None) -> str:
    """How far the proxy is from the painting, in words; "" where there is none (no correlation).

    The words follow the luma correlation, which sees whether forms stayed where they were; PSNR
    alone would call a change of light a change of picture.
    """
    if luma_correlation is None:
        return ""
    if psnr is None or math.isinf(psnr):
        return say("value_proxy_same")
    steps = ((0.98, "close_very"), (0.92, "close_near"), (0.7, "close_free"))
    return say(next((key for least, key in steps if luma_correlation >= least), "close_far"))


def proxy_in_words(psnr: float | None, luma_correlation: float | None) -> str:
    """The same with its numbers."""
    words = closeness(psnr, luma_correlation)
    if psnr is None or math.isinf(psnr):
        return words
    return say("value_proxy", closeness=words, psnr=psnr, correlation=luma_correlation)


def downloads(
    files: Mapping[str, Path], settings: Mapping[str, Any], picture: str = ""
) -> list[dict[str, Any]]:
    """Links to everything of a run, each with and without settings, and the link to its settings.

    picture: id of the bundled painting that the run began with, if it is one.
    """
    return [*bundle_links.bundle_links(files, settings, picture), link_to(settings)]
