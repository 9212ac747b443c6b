"""The motion brush: the visitor paints on the painting what may move.

It is a button in the rail, which opens a dialog over the whole page. Its value is a small grey PNG, uploaded like any picture, together with the path of the painting it
was made on: a mask for another painting is never used (``mask_for``). Whatever the browser sends is
opened by ``awaken.painting.open_mask``, which says what is wrong with it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData, GradioModel

from awaken.backends import BACKENDS
from awaken.ui import ASSETS
from awaken.ui.texts import say
from awaken.ui.texts.messages import translate

SCRIPT = ("pixels", "mask", "view", "hand", "value")  # assets/js/brush, in this order
WORDS = (
    "title", "hint", "keys", "open", "free", "everything", "share", "cursor", "empty",
    "brush", "eraser", "size", "undo", "clear", "fill", "invert", "cancel", "done", "canvas", "tools",
    "lost", "wait",
)  # fmt: skip


class BrushValue(GradioModel):
    """``mask`` was painted on the picture that the page had from the path ``painting``."""

    painting: str = ""
    mask: FileData | None = None


class MotionBrush(gr.HTML):
    """Button and dialog; the value that reaches a handler is ``{"painting": path, "mask": path}``."""

    data_model = BrushValue

    def __init__(self, reason: str = "", **kwargs: Any):
        """``reason``: why the chosen model cannot use a mask; "" where it can."""
        words = {name: say(f"brush_{name}") for name in WORDS}
        script = "\n".join(
            (ASSETS / "js" / "brush" / f"{name}.js").read_text("utf-8") for name in SCRIPT
        )
        self.reason = reason  # Gradio reads it back; HTML would answer with an event
        super().__init__(
            None,
            html_template=(ASSETS / "html" / "brush.html").read_text("utf-8"),
            js_on_load=f"const words = {json.dumps(words)};\n{script}",
            apply_default_css=False,
            elem_id="aw-brush",
            elem_classes=["aw-part"],
            reason=reason,
            **kwargs,
        )

    def preprocess(self, payload: BrushValue | None) -> dict[str, str] | None:
        if payload is None or payload.mask is None:
            return None
        return {"painting": payload.painting, "mask": payload.mask.path}

    def postprocess(self, value: Mapping[str, str] | None) -> BrushValue:
        if not value:
            return BrushValue()
        return BrushValue(painting=value["painting"], mask=FileData(path=value["mask"]))


def reason(backend: str) -> str:
    """Why this model has no use for a mask, or ""."""
    spec = BACKENDS[backend]
    return "" if spec.has_mask else say("brush_without", model=translate(spec.title))


def for_backend(backend: str) -> dict[str, Any]:
    """An update of the brush: usable while the chosen model takes a mask."""
    return gr.update(reason=reason(backend))


def mask_for(painting: str | None, value: Mapping[str, str] | None) -> str | None:
    """The file of the mask, if it was painted on this painting."""
    if not painting or not value or "\0" in value["painting"]:
        return None
    same = os.path.realpath(value["painting"]) == os.path.realpath(painting)
    return value["mask"] if same else None


def value_of(painting: str | Path, mask: str | Path) -> dict[str, str]:
    """A value for the component: this mask on this painting."""
    return {"painting": str(painting), "mask": str(mask)}
