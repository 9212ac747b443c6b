"""The grid of the laboratory: videos that move together, and what it says while they are made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

import gradio as gr
from gradio.data_classes import FileData, GradioModel

from awaken.ui import ASSETS
from awaken.ui.run import status
from awaken.ui.texts.lab_en import say
from awaken.ui.texts.messages import translate
from awaken.ui.viewer import stage

WORDS = ("play", "pause", "previous", "next", "scrub", "frame", "grid", "still", "trouble", "use",
         "download")  # fmt: skip


class Tile(GradioModel):
    """One video of the grid; ``still`` is a picture (data URL) that belongs to it."""

    name: str
    note: str = ""
    still: str = ""
    use: str = ""


class GridValue(GradioModel):
    """What crosses to the browser. ``tiles`` of None leaves the videos that are shown; ``run`` is
    what the tab remembers of a series under way."""

    state: Literal["idle", "running", "done", "failed", "stopped"] = "idle"
    line: str = ""
    share: float = 0.0
    run: dict[str, Any] | None = None
    problems: list[str] | None = None
    tiles: list[Tile] | None = None
    columns: int = 3
    preview: stage.Preview | None = None
    film: FileData | None = None
    frames: int = 0
    fps: float = 8
    width: int = 0
    height: int = 0


class Grid(gr.HTML):
    """Small multiples with one clock: all tiles are drawn from one decoded picture.

    Output only. ``select`` carries ``use``, a tile's settings, when its button is pressed.
    """

    data_model = GridValue

    def __init__(self, place: str, **kwargs: Any):
        """``place``: the name of its panel."""
        words = {name: say(name) for name in WORDS}
        script = "\n".join(
            (ASSETS / "js" / path).read_text("utf-8")
            for path in ("stage/decode.js", "laboratory/grid.js")
        )
        super().__init__(
            value=idle(),
            html_template=(ASSETS / "html" / "grid.html").read_text("utf-8"),
            js_on_load=f"const words = {json.dumps(words)}, place = {json.dumps(place)};\n{script}",
            apply_default_css=False,
            elem_id=f"aw-grid-{place}",
            elem_classes=["aw-part"],
            **kwargs,
        )

    def preprocess(self, payload: GridValue | None) -> None:
        """Nothing is ever taken from a browser."""

    def postprocess(self, value: Mapping[str, Any] | None) -> GridValue:
        return GridValue(**(value or idle()))


def idle() -> dict[str, Any]:
    """Before the first series."""
    return {"state": "idle", "line": say("idle")}


def waiting() -> dict[str, Any]:
    """At once after the click; the last videos stay."""
    return {"state": "running", "line": say("waiting")}


def queued(ahead: int, wait: float | None) -> dict[str, Any]:
    """In the queue behind ``ahead`` others; see ``awaken.ui.run.status.queued``."""
    now = status.queued(ahead, wait)
    return {"state": "running", "line": " · ".join(filter(None, (now.line, now.detail)))}


def merged(before: Mapping[str, Any], moment: Mapping[str, Any]) -> dict[str, Any]:
    """What a grid shows after both: a moment without pictures leaves the earlier ones."""
    return {k: v for k, v in before.items() if k not in ("line", "state")} | dict(moment)


def stopped() -> dict[str, Any]:
    """After Stop; what was finished stays."""
    return {"state": "stopped", "line": say("stopped")}


def lost(restarted: bool) -> dict[str, Any]:
    """The tab remembers a series that this server does not know; see ``status.lost``."""
    return {"state": "failed", "line": say("lost_restarted" if restarted else "lost_forgotten")}


def failed(message: str) -> dict[str, Any]:
    """The series could not begin, or broke off."""
    return {"state": "failed", "line": translate(message)}
