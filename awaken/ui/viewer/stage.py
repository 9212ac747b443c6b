"""The stage: painting, proxy image, and baseline and awakened videos in one exact player.

Boundary. A stage value is a plain, picklable dict built by the pure functions below; ``Stage``
shows it. The page's generator yields such values; ``assets/js/stage/`` plays them in the browser.
The last good result travels in every value, so that no state of a run hides it:

    value = empty()                              # nothing to show
    value = done(painting, proxy, stacked, ...)  # a result, or a bundled example (label=...)
    value = chosen(value, painting)              # another painting, of which nothing is made yet
    value = running(value, painting=..., ...)    # a run begins; the last result stays in the strip
    value = running(value, proxy=array)          # the proxy image is ready
    value = running(value, preview=atlas)        # a moving preview (awaken.preview.atlas)
    value = done(...)                            # a result, or
    value = settled(value)                       # stopped or failed: the last one again

Events that update the stage take ``jobs.events.UNSEEN``: Gradio would dim it otherwise. Both
videos arrive as ONE mp4 (baseline over awakened) with one decoder, and every decoded picture is
kept whole, so that the two halves can never show different frames. No user text enters a template:
Gradio evaluates templates as JavaScript; texts travel in the value, written with textContent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import gradio as gr
import numpy as np
from gradio.data_classes import FileData, GradioModel
from PIL import Image, ImageChops, ImageFilter

from awaken.preview import data_uri
from awaken.ui import ASSETS
from awaken.ui.texts.languages import current_language
from awaken.ui.texts.stage_words import CHINESE, ENGLISH

SCRIPT = (
    "state",
    "decode",
    "sources",
    "value",
    "show",
    "paint",
    "heat",
    "position",
    "wipe",
    "clock",
    "controls",
)  # in this order
OUTLINE_SIDE = 720  # px of the longer side of what outlines a motion mask
SHADE = 0.32  # opacity of the shade outside it
LONGEST_INLINE = 1024  # px; pictures sent inside a value are no larger than the screen needs


class Film(GradioModel):
    """A finished run. ``stacked`` is one mp4, (2 height, width), baseline over awakened."""

    painting: FileData | str | None = None
    proxy: FileData | str | None = None
    stacked: FileData
    frames: int
    fps: float
    width: int
    height: int
    label: str = ""
    painting_note: str = ""
    proxy_note: str = ""
    names: list[str] = []
    notes: list[str] = []
    region: str = ""
    told: str = ""
    curves: list[list[float]] = []


class Preview(GradioModel):
    """A JPEG atlas: row = video, column = frame (``awaken.preview.atlas``)."""

    src: str
    videos: list[str]
    frames: int
    width: int
    height: int


class Run(GradioModel):
    """What is known so far of a run in progress; pictures are files or data URLs."""

    painting: FileData | str | None = None
    proxy: FileData | str | None = None
    painting_note: str = ""
    proxy_note: str = ""
    preview: Preview | None = None
    region: str = ""
    fps: float = 8
    width: int = 0
    height: int = 0


class StageValue(GradioModel):
    """What crosses to the browser; ``result`` is the last good one, whatever the mode."""

    mode: Literal["empty", "chosen", "running", "done"] = "empty"
    result: Film | None = None
    run: Run | None = None


Picture = str | Path | np.ndarray | None


def empty() -> dict[str, Any]:
    """Nothing to show yet, with an invitation."""
    return {"mode": "empty", "result": None, "run": None}


def done(
    painting: Picture,
    proxy: Picture,
    stacked: str | Path,
    *,
    frames: int,
    fps: float,
    width: int,
    height: int,
    label: str = "",
    painting_note: str = "",
    proxy_note: str = "",
    names: tuple[str, str] | None = None,
    notes: tuple[str, str] = ("", ""),
    region: Picture = None,
    told: str = "",
    curves: Sequence[Sequence[float]] = (),
) -> dict[str, Any]:
    """A finished run or a bundled example.

    Args:
        painting, proxy: a file that Gradio may serve (temporary folder or the app's own), or a
            (h, w, 3) uint8 array, which is sent inside the value.
        stacked: mp4 of the baseline over the awakened video, (2 height, width) pixels.
        frames, fps, width, height: of one video.
        label: shown above, for example "Example: The Ninth Wave".
        painting_note, proxy_note: a short line under each picture (artist; likeness in dB).
        names, notes: caption and short line of each video; the stage's own words by default.
        region: the motion mask, a grey picture: a file or (h, w) uint8.
        told: what the two videos differ in, in words, under them.
        curves: motion from frame to frame of both, in grey levels; empty where not measured.
    """
    film = {
        "painting": picture(painting),
        "proxy": picture(proxy),
        "stacked": _file(stacked),
        "frames": int(frames),
        "fps": float(fps),
        "width": int(width),
        "height": int(height),
        "label": label,
        "painting_note": painting_note,
        "proxy_note": proxy_note,
        "names": list(names or ()),
        "notes": list(notes),
        "region": outlined(region),
        "told": told,
        "curves": [list(curve) for curve in curves],
    }
    return {"mode": "done", "result": film, "run": None}


def running(
    value: Mapping[str, Any],
    *,
    painting: Picture = None,
    proxy: Picture = None,
    preview: Mapping[str, Any] | None = None,
    painting_note: str | None = None,
    proxy_note: str | None = None,
    fps: float | None = None,
    width: int | None = None,
    height: int | None = None,
    region: Picture = None,
) -> dict[str, Any]:
    """A run in progress: ``value`` with what is new; everything not given stays as it was.

    Called on a value that is not running, it begins a run: pictures and previews of an earlier run
    are dropped, its result is kept. ``width`` and ``height`` are those of the videos to come, so
    that the frames on the page keep their size when the result arrives. ``region`` is the motion mask.
    """
    run = dict(value["run"]) if value["mode"] == "running" else Run().model_dump()
    news = {
        "painting": picture(painting),
        "proxy": picture(proxy),
        "preview": dict(preview) if preview else None,
        "region": outlined(region) or None,
        "painting_note": painting_note,
        "proxy_note": proxy_note,
        "fps": None if fps is None else float(fps),
        "width": width,
        "height": height,
    }
    run |= {key: new for key, new in news.items() if new is not None}
    return {"mode": "running", "result": value["result"], "run": run}


def chosen(value: Mapping[str, Any], painting: Picture) -> dict[str, Any]:
    """Another painting is shown, of which nothing has been made yet; the last result stays at hand."""
    run = Run().model_dump() | {"painting": picture(painting)}
    return {"mode": "chosen", "result": value["result"], "run": run}


def settled(value: Mapping[str, Any]) -> dict[str, Any]:
    """After a stop or a failure: the last good result again, or nothing."""
    result = value["result"]
    return {"mode": "done" if result else "empty", "result": result, "run": None}


def picture(source: Picture) -> dict[str, Any] | str | None:
    """A picture as the browser can take it: a file for Gradio to serve, or a JPEG data URL."""
    if source is None:
        return None
    if not isinstance(source, np.ndarray):
        return _file(source)
    image = Image.fromarray(source)
    image.thumbnail((LONGEST_INLINE, LONGEST_INLINE), Image.Resampling.LANCZOS)
    return data_uri(image, quality=92)


def outlined(mask: Picture) -> str:
    """What lies over the pictures to show a motion mask: a line around it, and shade outside.

    mask: a file or (h, w) uint8, light where motion is allowed. Returns a PNG as a data URL, "" for
    no mask.
    """
    if mask is None:
        return ""
    image = Image.fromarray(mask) if isinstance(mask, np.ndarray) else Image.open(mask)
    with image:
        allowed = image.convert("L")
    scale = 2 * OUTLINE_SIDE / max(allowed.size)  # drawn at twice its size: lines without stairs
    large = allowed.resize([max(2, round(side * scale)) for side in allowed.size])
    large = large.filter(ImageFilter.GaussianBlur(4)).point(lambda grey: 255 if grey > 127 else 0)
    line = ImageChops.difference(large, large.filter(ImageFilter.MaxFilter(5))).reduce(2)
    shade = ImageChops.invert(large.reduce(2)).filter(ImageFilter.GaussianBlur(3))
    layer = Image.new("RGBA", line.size, (20, 18, 15, 0))
    halo = line.filter(ImageFilter.GaussianBlur(2))
    layer.putalpha(ImageChops.lighter(shade.point(lambda a: a * SHADE), halo))
    layer.paste((255, 247, 230, 255), mask=line)
    return data_uri(layer.quantize(64, Image.Quantize.FASTOCTREE), "PNG")


def _file(path: str | Path) -> dict[str, Any]:
    return FileData(path=str(path)).model_dump()


def script() -> str:
    """The stage's JavaScript: parts of one function body that share its names."""
    return "\n".join((ASSETS / "js" / "stage" / f"{name}.js").read_text("utf-8") for name in SCRIPT)


class Stage(gr.HTML):
    """The component; its value is a stage value. Output only: nothing is ever read back from it."""

    data_model = StageValue

    def __init__(
        self,
        value: Mapping[str, Any] | None = None,
        texts: Mapping[str, str] | None = None,
        **kwargs: Any,
    ):
        # Gradio reads constructor arguments back as attributes; HTML would answer with an event.
        self.texts = dict(texts or (ENGLISH if current_language() == "en" else CHINESE))
        super().__init__(
            value=value or empty(),
            html_template=(ASSETS / "html" / "stage.html").read_text("utf-8"),
            css_template=(ASSETS / "css" / "stage.css").read_text("utf-8"),
            # the words are part of the script: Gradio loses props when it mounts a component anew
            js_on_load=f"const texts = {json.dumps(self.texts)};\n" + script(),
            apply_default_css=False,
            **kwargs,
        )

    def preprocess(self, payload: StageValue | None) -> None:
        """Never trust a stage that comes back from a browser; the page keeps its own copy."""
        return None

    def postprocess(self, value: Mapping[str, Any] | None) -> StageValue:
        return StageValue(**(value or empty()))

    def api_info(self) -> dict[str, Any]:
        return StageValue.model_json_schema()

    def example_payload(self) -> Any:
        return empty()

    def example_value(self) -> Any:
        return empty()
