"""The download links of a run: /bundle/RUN.zip, and /bundle/RUN/FILE for one file of it.

RUN is the unguessable name of a run's folder below Gradio's cache, or ``example-ID``; FILE is one of
``MEMBERS``. ``awaken.ui.server.bundles`` answers them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from awaken.ui.texts import say

# Single files in the order of the placard -> their types; all else is in the zip.
MEMBERS = {
    "awakened.mp4": "video/mp4",
    "baseline.mp4": "video/mp4",
    "side_by_side.mp4": "video/mp4",
    "loop.gif": "image/gif",
    "proxy.png": "image/png",
    "settings.json": "application/json",
}
RUN = re.compile(r"[\w-]{32}", re.ASCII)


def bundle_links(
    files: Mapping[str, Path], settings: Mapping[str, Any], picture: str = ""
) -> list[dict[str, Any]]:
    """Download links for the placard; ``bare`` is the same file without settings, if there is one.

    files: of a run (``save_result``) or an example; picture: id of the bundled painting, if it is one.
    """
    folder = Path(files["stacked"]).parent.name
    run = RUN.fullmatch(folder)
    name = folder if run else f"example-{folder}"
    stem = first_part(picture if run else folder)
    asked = f"picture={picture}" if picture and run else ""

    def one(path: str, file: str, remember: bool) -> dict[str, Any]:
        query = "&".join(filter(None, ("" if remember else "settings=0", asked)))
        seed = settings["seed"] if remember and run else None
        return {
            "name": filename(stem, seed, file),
            "file": {"url": f"bundle/{path}" + (f"?{query}" if query else "")},
        }

    listed = [(f"{name}/{member}", member) for member in MEMBERS] + [(f"{name}.zip", "bundle.zip")]
    return [
        {"label": say(f"file_{Path(file).stem}")}
        | one(path, file, True)
        | {"bare": None if file == "settings.json" else one(path, file, False)}
        for path, file in listed
    ]


def first_part(picture: str) -> str:
    """What the names of a picture's files begin with; ``picture``: its id, "" for a visitor's own."""
    return picture or "painting"


def filename(head: str, seed: int | None, file: str) -> str:
    """What the file is called on the visitor's disk: hay-wain-seed42-side-by-side.mp4."""
    stem, suffix = Path(file).stem, Path(file).suffix
    parts = (head, None if seed is None else f"seed{seed}", None if stem == "bundle" else stem)
    return "-".join(part.replace("_", "-") for part in parts if part) + suffix
