"""The history tray: every finished run of a browser, kept in that browser alone.

The server tells the tray of a run that has just ended (``history_record``); the tray's script copies film
and pictures into the browser's own IndexedDB and never asks the server for them again. Nothing of it
is stored or known here: what comes back is the text of a settings.json when somebody wants those
settings on the dials, and it is read like any other file from outside.

Tray, stage and placard talk through one event on the document, ``aw-kept``: what of the history
is shown, or nothing (assets/js/stage/value.js).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData

from awaken.backends import BACKENDS
from awaken.bundle import reader, writer
from awaken.proxies import PROXIES
from awaken.types import ALPHA_KINDS
from awaken.ui import ASSETS
from awaken.ui.texts import say
from awaken.ui.texts.messages import translate
from awaken.ui.texts.page_en import ENGLISH

FILES = ("stacked.mp4", "painting.png", "proxy.png", "mask.png")  # the last where there was a brush
MAX_RUNS = 60
MAX_BYTES = 200_000_000  # of films and pictures
SCRIPT = ("store", "zip", "show", "tray")  # in this order
# What the placard says of a run and the tray shows again.
LABEL = ("title", "byline", "credit", "licence", "prompt", "facts", "files")
# Choices that tell two runs apart, the most telling first: fact of the placard -> its settings.
DISTINGUISHING = {
    "p": ("p",),
    "alpha": ("alpha", "peak"),
    "variant": ("variant",),
    "motion": ("motion",),
    "seed": ("seed",),
    "models": ("backend", "proxy"),
    "steps": ("steps",),
    "guidance": ("guidance",),
    "size": ("width", "height"),
    "video": ("frames", "fps"),
}


def tray(brief: bool = False) -> gr.HTML:
    """The component; its value is a ``history_record``, or {"runs": several}.

    ``select`` carries ``settings``, a JSON text, and the run's pictures by path. brief: it only says how
    many it keeps, for a page without a stage.
    """
    words: dict[str, Any] = {
        key.removeprefix("history_"): say(key) for key in ENGLISH if key.startswith("history_")
    }
    words |= {name: say(name) for name in ("file_proxy", "file_settings")}
    words["telling"] = [[say(f"fact_{name}"), keys] for name, keys in DISTINGUISHING.items()]
    # a run may have been made on the page in another language: its choices are named anew
    words["choices"] = {kind: say(f"alpha_{kind}") for kind in ALPHA_KINDS} | {
        key: translate(spec.title) for key, spec in (*PROXIES.items(), *BACKENDS.items())
    }
    bounds = {"runs": MAX_RUNS, "bytes": MAX_BYTES}
    parts = [(ASSETS / "js" / "history" / f"{name}.js").read_text("utf-8") for name in SCRIPT]
    return gr.HTML(
        None,
        html_template=(ASSETS / "html" / "history.html").read_text("utf-8"),
        # the words are part of the script: Gradio loses props when it mounts a component anew
        js_on_load="\n".join(
            [f"const texts = {json.dumps(words)};", f"const bounds = {json.dumps(bounds)};", *parts]
        ),
        apply_default_css=False,
        elem_id="aw-history",
        elem_classes=["aw-part", *(["aw-history-brief"] if brief else [])],
    )


def history_record(scene: Mapping[str, Any], placard: Mapping[str, Any]) -> dict[str, Any]:
    """What the tray keeps of a finished run, from what stage and placard show of it.

    Its files are those of a bundle from which all others can be made, and the small texts of a
    bundle come along, so that an export can be taken in like one. Raises OSError when the run's
    settings.json is not beside its film.
    """
    film = scene["result"]
    folder = Path(film["stacked"]["path"]).parent
    files = {path.stem: path for path in map(folder.joinpath, FILES) if path.is_file()}
    settings = json.loads((folder / "settings.json").read_text("utf-8"))
    picture = {name: placard[name] for name in reader.PICTURE}
    return {
        "id": folder.name,
        "film": {name: value for name, value in film.items() if name not in files},
        "files": {name: FileData(path=str(path)).model_dump() for name, path in files.items()},
        "placard": {name: placard[name] for name in LABEL},
        "texts": writer.texts(settings, picture, with_mask="mask" in files),
    }
