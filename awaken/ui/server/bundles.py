"""What a visitor takes home: the answers to the links of ``awaken.ui.run.bundle_links``.

No path of a request ever reaches the disk. A zip is made when somebody first asks for it. With
``?settings=0`` no setting is in any file, nor in its name.
"""

from __future__ import annotations

import json
import tempfile
import threading
from functools import cache
from pathlib import Path

from gradio.utils import get_upload_folder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from awaken.bundle.reader import Bundle
from awaken.bundle.writer import write_bundle
from awaken.examples import Example, load_index
from awaken.types import RequestError
from awaken.ui.run.bundle_links import MEMBERS, RUN, filename, first_part
from awaken.ui.texts import say

_NAMES = (
    "painting",
    "proxy",
    "baseline",
    "awakened",
    "side_by_side",
    "stacked",
    "settings",
    "mask",
)
_one_at_a_time = threading.Lock()  # encoding is heavy, and a second click finds the first's file


def mount(app: Starlette) -> None:
    """Serve /bundle beside an app's own pages."""
    app.router.routes[:0] = [
        Route("/bundle/{name}.zip", answer),
        Route("/bundle/{name}/{member}", answer),
    ]


def answer(request: Request) -> Response:
    """The zip or one of its files, made if it is not there yet; 404 for whatever is no finished run."""
    name, remember = request.path_params["name"], request.query_params.get("settings") != "0"
    member = request.path_params.get("member", "bundle.zip")
    examples = {example.id: example for example in load_index()}
    suffix = "" if remember else "-bare"
    if name.startswith("example-") and name.removeprefix("example-") in examples:
        example = examples[name.removeprefix("example-")]
        files = example.results
        if files:
            files = files | {"painting": example.path}
        target = _shelf() / f"{example.id}{suffix}.zip"
    elif RUN.fullmatch(name):
        folder = Path(get_upload_folder()) / name
        example = examples.get(request.query_params.get("picture", ""))
        files = {path.stem: path for path in folder.glob("*.*") if path.stem in _NAMES}
        target = folder / f"{example.id if example else 'painting'}{suffix}.zip"
    else:
        files = {}
    known = member == "bundle.zip" or (
        member in MEMBERS and (remember or member != "settings.json")
    )
    if not known or not {"stacked", "settings"} <= files.keys():
        return PlainTextResponse(say("no_bundle"), 404)
    seed = _seed(files["settings"]) if remember and not name.startswith("example-") else None
    headers = {
        "X-Content-Type-Options": "nosniff",
        # a browser believes this name before the link's own
        "Content-Disposition": "attachment; filename="
        f'"{filename(first_part(example.id if example else ""), seed, member)}"',
    }
    saved = files.get(Path(member).stem)
    if remember and saved is not None and saved.name == member:
        return FileResponse(saved, media_type=MEMBERS[member], headers=headers)
    try:
        with _one_at_a_time:
            if not target.is_file():
                about = _about(example) if example else None
                write_bundle(files, target, picture=about, remember_settings=remember)
        if member == "bundle.zip":
            return FileResponse(target, media_type="application/zip", headers=headers)
        with Bundle(target) as bundle:
            return Response(bundle.read(member), media_type=MEMBERS[member], headers=headers)
    except (RequestError, OSError) as error:
        return PlainTextResponse(str(error), 503)


@cache
def _shelf() -> Path:
    """Where this process keeps the examples' bundles; an earlier one's may be of another make."""
    return Path(tempfile.mkdtemp(prefix="bundles-", dir=get_upload_folder()))


def _seed(settings: Path) -> int | None:
    seed = json.loads(settings.read_text("utf-8")).get("seed")
    return seed if isinstance(seed, int) else None


def _about(example: Example) -> dict[str, str]:
    return {
        "title": example.title,
        "byline": ", ".join(part for part in (example.artist, example.year) if part),
        "credit": example.source,
        "licence": example.licence,
    }
