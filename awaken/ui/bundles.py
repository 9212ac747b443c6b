"""Bundles over the page's server: /bundle/RUN.zip is made when somebody asks for it, once.

RUN is the unguessable name of a run's folder below Gradio's cache, or ``example-ID``. Nothing else
can be named: no path of a request ever reaches the disk.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from awaken.bundle import write_bundle
from awaken.examples import Example, load_index
from awaken.types import RequestError
from awaken.ui.texts import say

_RUN = re.compile(r"[\w-]{32}", re.ASCII)
_NAMES = ("painting", "proxy", "baseline", "awakened", "side_by_side", "stacked", "settings")
_one_at_a_time = threading.Lock()  # encoding is heavy, and a second click finds the first's file


def links(files: Mapping[str, Path], stem: str, picture: str = "") -> list[dict[str, Any]]:
    """Download links for the placard, with and without settings.

    files: of a run (``save_result``) or an example; picture: id of the bundled painting, if it is one.
    """
    folder = Path(files["stacked"]).parent.name
    name = folder if _RUN.fullmatch(folder) else f"example-{folder}"
    asked = f"picture={picture}" if picture and name == folder else ""
    return [
        {
            "label": say(f"file_{kind}"),
            "name": f"{stem}{suffix}.zip",
            "file": {"url": f"bundle/{name}.zip?{'&'.join(filter(None, (switch, asked)))}"},
        }
        for kind, suffix, switch in (("bundle", "", ""), ("bare", "-bare", "settings=0"))
    ]


def mount(app: Starlette) -> None:
    """Serve /bundle beside an app's own pages."""
    app.router.routes.insert(0, Route("/bundle/{name}.zip", answer))


def answer(request: Request) -> Response:
    """The zip, made if it is not there yet; 404 for whatever is no finished run."""
    name, remember = request.path_params["name"], request.query_params.get("settings") != "0"
    examples = {example.id: example for example in load_index()}
    suffix = "" if remember else "-bare"
    cache = Path(get_upload_folder())
    if name.startswith("example-") and name.removeprefix("example-") in examples:
        example = examples[name.removeprefix("example-")]
        files, target = example.results, cache / "bundles" / f"{example.id}{suffix}.zip"
    elif _RUN.fullmatch(name):
        folder, example = cache / name, examples.get(request.query_params.get("picture", ""))
        found = {path.stem: path for path in folder.glob("*.*") if path.stem in _NAMES}
        files, target = found, folder / f"{example.id if example else 'painting'}{suffix}.zip"
    else:
        files = {}
    if not {"stacked", "settings"} <= files.keys():
        return PlainTextResponse(say("no_bundle"), 404)
    try:
        with _one_at_a_time:
            if not target.is_file():
                about = _about(example) if example else None
                write_bundle(files, target, picture=about, remember_settings=remember)
    except (RequestError, OSError) as error:
        return PlainTextResponse(str(error), 503)
    return FileResponse(
        target, media_type="application/zip", filename=target.name,
        headers={"X-Content-Type-Options": "nosniff"},
    )  # fmt: skip


def _about(example: Example) -> dict[str, str]:
    return {
        "title": example.title,
        "byline": ", ".join(part for part in (example.artist, example.year) if part),
        "credit": example.source,
        "licence": example.licence,
    }
