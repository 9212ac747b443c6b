"""The page's small own parts: drop zone, status strip, placard, wall, chips, alpha curve.

Each is a ``gr.HTML`` with a constant template and a script of its own (assets/js). Data reach the
script as ``props.value`` and the page as textContent: Gradio evaluates what a template contains, so
a template never holds a blank to fill in (a test looks for them).
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData
from PIL import Image

from awaken.ui.languages import NAMES, PATHS, TAGS, spoken
from awaken.ui.texts import say
from awaken.vsds import alpha_schedule, distilled_steps

ASSETS = Path(__file__).resolve().parents[2] / "assets"
EXAMPLES = ASSETS.parent / "examples"
THUMBNAIL = 148  # pixels of the longer side; drawn at half of it on ordinary screens


def _part(name: str, template: str, value: Any, **props: Any) -> gr.HTML:
    return gr.HTML(
        value,
        html_template=template,
        js_on_load=(ASSETS / "js" / f"{name}.js").read_text(encoding="utf-8"),
        elem_classes=["aw-part"],
        apply_default_css=False,
        **{"elem_id": f"aw-{name}"} | props,
    )


class PictureDrop(gr.HTML):
    """A drop zone whose value is the path of an uploaded file, handed on as it came.

    Unlike ``gr.Image`` it decodes nothing (``awaken.painting`` does, with a sentence for every bad
    file) and takes the next picture without being cleared first. ``upload`` fires for a new file;
    its data hold ``problem``, which is empty when the file has arrived.
    """

    data_model = FileData

    def __init__(self, name: str, value: str | None = None, pastes: bool = False, **kwargs: Any):
        """``name``: "painting" or "proxy_image", keys of its texts.

        ``pastes``: takes Ctrl-V, whatever is dropped anywhere on the page, and files with settings.
        """
        kinds = "image/*,.zip,.mp4,.json" if pastes else "image/*"
        super().__init__(
            value,
            html_template='<p class="aw-drop-label"></p>'
            f'<input type="file" accept="{kinds}" tabindex="-1" class="aw-spoken">'
            '<button type="button" class="aw-drop"><img hidden><span class="aw-drop-hint"></span>'
            '<span class="aw-drop-again"></span></button>',
            js_on_load=(ASSETS / "js" / "drop.js").read_text(encoding="utf-8"),
            apply_default_css=False,
            elem_id=f"aw-{name.replace('_', '-')}",
            elem_classes=["aw-part"],
            pastes=pastes,
            words={
                "label": say(name),
                "hint": say(f"{name}_drop"),
                "again": say("drop_again"),
                "alt": say(f"{name}_alt"),
            },
            **kwargs,
        )

    def preprocess(self, payload: FileData | None) -> str | None:
        return payload.path if payload is not None else None

    def postprocess(self, value: str | None) -> FileData | None:
        return FileData(path=value) if value else None


def status_strip(value: Mapping[str, Any]) -> gr.HTML:
    """Phase ladder, progress, time left and cards; value as ``awaken.ui.status`` builds it.

    Its ``select`` event carries the ``action`` of a pressed card button.
    """
    return _part(
        "status",
        '<ol class="aw-phases" aria-label="' + say("phases") + '"></ol>'
        '<div class="aw-bar" role="progressbar" aria-label="' + say("progress") + '" '
        'aria-valuemin="0" aria-valuemax="100"><i></i></div>'
        '<div class="aw-says"><p class="aw-line" role="status"></p><p class="aw-detail"></p></div>'
        '<div class="aw-cards" aria-live="polite"></div>',
        dict(value),
        words={"lost": say("connection_lost")},
    )


def languages() -> gr.HTML:
    """The way to this page in the other languages, with the settings of its own address."""
    here = spoken()
    return _part(
        "languages",
        '<nav class="aw-languages"></nav>',
        [
            {"path": path or "./", "tag": TAGS[name], "name": NAMES[name], "here": name == here}
            for name, path in PATHS.items()
        ],
        words={"label": say("languages"), "offer": say("language_offer"), "title": say("title")},
    )


def placard(value: Mapping[str, Any] | None) -> gr.HTML:
    """The museum label under the stage: title, facts of the run, downloads."""
    return _part(
        "placard",
        '<div class="aw-placard"><div class="aw-placard-head"><p class="aw-tag"></p><h2></h2>'
        '<p class="aw-byline"></p>'
        '<p class="aw-said"></p><p class="aw-remark"></p></div>'
        '<dl class="aw-facts"></dl><div class="aw-files"></div>'
        '<label class="aw-keep"><input type="checkbox" checked><span></span></label></div>',
        dict(value) if value else None,
        words={
            "downloads": say("downloads"),
            "source": say("credit_source"),
            "keep": say("keep_settings"),
            "keep_info": say("keep_settings_info"),
        },
    )


def wall(paintings: Sequence[Mapping[str, str]], selected: str) -> gr.HTML:
    """Thumbnails of the bundled pictures; ``select`` carries the ``id``.

    paintings: {"id", "alt", "thumb" (data URI)}; ``selected`` is the id that is marked.
    """
    return _part(
        "wall",
        '<div class="aw-wall" role="group" aria-label="' + say("wall") + '"></div>',
        list(paintings),
        selected=selected,
    )


def chips(texts: Sequence[str], name: str, label: str, visible: bool = True) -> gr.HTML:
    """Short texts to press; ``select`` carries the ``text``."""
    return _part(
        "chips",
        f'<div class="aw-chips" role="group" aria-label="{label}"></div>',
        list(texts),
        elem_id=f"aw-{name}",
        visible=visible,
    )


def said(event: gr.EventData, name: str) -> str:
    """One word of what a part's event carries, or ""; it comes from the browser."""
    data = event._data
    return str(data.get(name, "")) if isinstance(data, dict) else ""


def curve(value: Mapping[str, Any]) -> gr.HTML:
    """The alpha curve as an inline SVG; value from ``curve_value``."""
    return _part(
        "curve",
        '<figure class="aw-curve"><svg viewBox="0 0 300 84" role="img" aria-label=""></svg>'
        "<figcaption></figcaption></figure>",
        dict(value),
    )


def curve_value(kind: str, peak: float, p: float, steps: int) -> dict[str, Any]:
    """What the curve shows: one alpha per distilled step out of ``steps``, and a sentence."""
    tau = distilled_steps(int(steps), p)
    alphas = alpha_schedule(kind, tau, peak)
    if alphas:
        summary = say(
            "curve_summary",
            tau=tau,
            steps=int(steps),
            first=f"{alphas[0]:g}",
            last=f"{alphas[-1]:g}",
        )
    else:
        summary = say("curve_none")
    return {
        "alphas": alphas,
        "steps": int(steps),
        "summary": summary,
        "alt": say("curve_alt", summary=summary),
    }


def thumbnail(path: Path) -> str:
    """A small JPEG of a bundled picture as a data URI (a few kilobytes, no request of its own)."""
    with Image.open(path) as picture:
        picture.draft("RGB", (2 * THUMBNAIL, 2 * THUMBNAIL))
        small = picture.convert("RGB")
    small.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def figure(name: str, template: str, value: Mapping[str, Any], words: Mapping[str, str]) -> gr.HTML:
    """A display of the laboratory: data and words reach its script, never the constant template."""
    script = (ASSETS / "js" / "laboratory" / f"{name}.js").read_text("utf-8")
    return gr.HTML(
        dict(value),
        html_template=template,
        js_on_load=f"const words = {json.dumps(words)};\n{script}",
        apply_default_css=False,
        elem_id=f"aw-{name}",
        elem_classes=["aw-part"],
    )
