"""The rail's own parts: a setting's widget, drop zone, gallery of bundled pictures, chips, rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData
from PIL import Image

from awaken.preview import data_uri
from awaken.types import MAX_PROMPT, SETTINGS
from awaken.ui import ASSETS
from awaken.ui.texts import say
from awaken.ui.texts.page_en import ENGLISH
from awaken.ui.viewer.parts import part

THUMBNAIL = 148  # pixels of the longer side; drawn at half of it on ordinary screens


def dial(name: str, value: Any, **more: Any) -> gr.components.Component:
    """The widget of a setting: kind, ends or choices by the table, words by the page's texts."""
    row, info = SETTINGS[name], f"{name}_info"
    more |= {"label": say(name), "info": say(info) if info in ENGLISH else None}
    if row.choices:
        said = [say(f"{name}_{choice}").replace("：", ": ") for choice in row.choices]
        choices = [(words.replace(": ", "\n", 1), key) for words, key in zip(said, row.choices)]
        return gr.Radio(choices, value=value, **more)
    if row.kind == "switch":
        return gr.Checkbox(value, **more)
    if row.kind == "text":
        return gr.Textbox(value, max_length=MAX_PROMPT, **more)
    if row.low is None:
        return ModelSlider(value=value, **more)
    whole = {"step": 1} if row.kind == "whole" else {}
    return gr.Slider(value=value, **{"minimum": row.low, "maximum": row.high} | whole | more)


class ModelSlider(gr.Slider):
    """A slider whose ends are the chosen model's.

    While they are on their way the browser sends what suited the model before, which Gradio would
    refuse: ``rail.values_of`` and the request's own checks know better.
    """

    is_template = True  # drawn as what it derives from

    def preprocess(self, payload: Any) -> Any:
        return payload


class ModelRadio(gr.Radio):
    """The same for choices."""

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        return payload


class PictureDrop(gr.HTML):
    """A drop zone whose value is the path of an uploaded file, handed on as it came.

    Unlike ``gr.Image`` it decodes nothing (``awaken.painting`` does, with a sentence for every bad
    file) and takes the next picture without being cleared first. ``upload`` fires for a new file;
    its data hold ``problem``, which is empty when the file has arrived, and ``before``, the path of
    the picture that was there.
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


def gallery(paintings: Sequence[Mapping[str, str]], selected: str) -> gr.HTML:
    """Thumbnails of the bundled pictures; ``select`` carries the ``id``.

    paintings: {"id", "alt", "thumb" (data URI)}; ``selected`` is the id that is marked.
    """
    return part(
        "gallery",
        '<div class="aw-gallery" role="group" aria-label="' + say("gallery") + '"></div>',
        list(paintings),
        selected=selected,
    )


def chips(texts: Sequence[str], name: str, label: str, visible: bool = True) -> gr.HTML:
    """Short texts to press; ``select`` carries the ``text``."""
    return part(
        "chips",
        f'<div class="aw-chips" role="group" aria-label="{label}"></div>',
        list(texts),
        elem_id=f"aw-{name}",
        visible=visible,
    )


def row(name: str, sheet: str, value: Mapping[str, Any]) -> gr.HTML:
    """A row that opens the column called ``sheet``; ``value`` from ``model_picker.row_value``."""
    return part(
        "row",
        '<button type="button" class="aw-row"><span class="aw-row-name"></span>'
        '<span class="aw-row-chosen"></span><span class="aw-row-note"></span>'
        '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M9 5l7 7-7 7"/></svg></button>',
        dict(value),
        elem_id=f"aw-row-{name}",
        sheet=sheet,
    )


def sheet_head(title: str, marks: Mapping[str, Any]) -> gr.HTML:
    """Title and way out of a sheet; ``marks``: of its radio's values, see ``model_picker.marks``."""
    return part(
        "sheet",
        '<div class="aw-sheet-head"><h2></h2><button type="button">'
        '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M6 6l12 12M18 6L6 18"/></svg>'
        "</button></div>",
        dict(marks),
        elem_id=None,
        words={"title": title, "close": say("sheet_close")},
    )


def thumbnail(path: Path) -> str:
    """A small JPEG of a bundled picture as a data URI (a few kilobytes, no request of its own)."""
    with Image.open(path) as picture:
        picture.draft("RGB", (2 * THUMBNAIL, 2 * THUMBNAIL))
        small = picture.convert("RGB")
    small.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    return data_uri(small, quality=80)
