"""The files of visitors, and the bundled pictures: the one route by which files leave this machine.

Gradio's own route of this name also fetches web addresses and serves them from here; this one knows
files only, and of those only what lies below the two folders that are meant to be seen.
"""

from __future__ import annotations

import os
from pathlib import Path

from gradio.utils import get_upload_folder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from awaken.ui import EXAMPLES
from awaken.ui.server.file_cleanup import touch

SHOWN = {  # endings that a browser may show in place; all else is saved as bytes of no type
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".mp4": "video/mp4",
}


def mount(app: Starlette) -> None:
    """Serve /gradio_api/file=PATH in place of Gradio's route."""
    app.router.routes.insert(0, Route("/gradio_api/file={path:path}", answer))


def answer(request: Request) -> Response:
    """The file; 404 for every path that is no file of the visitors' or of the examples."""
    place = served(request.path_params["path"])
    if place is None:
        return PlainTextResponse("There is no such file.\n", 404)
    if not place.is_relative_to(EXAMPLES.resolve()):
        touch(place)
    kind = SHOWN.get(place.suffix.lower())
    return FileResponse(
        place,
        media_type=kind or "application/octet-stream",
        filename=place.name,
        content_disposition_type="inline" if kind else "attachment",
    )


def served(path: str) -> Path | None:
    """The file that a path names, if it may be served. Nothing but these folders is touched."""
    for home in (Path(get_upload_folder()), EXAMPLES):
        begins = f"{os.path.abspath(home)}{os.sep}"
        parts = path.removeprefix(begins).split(os.sep)
        if not path.startswith(begins) or {"", ".", ".."} & {*parts} or "\0" in path:
            continue
        try:
            place = Path(path).resolve()  # a link may lie in the folder
            if place.is_relative_to(home.resolve()) and place.is_file():
                return place
        except (OSError, RuntimeError, ValueError):  # too long; a loop of links; half an emoji
            continue
    return None
