"""Where the files of visitors go: each in a folder of its own below Gradio's cache.

The folders have unguessable names: their links are secret, not private. Old ones are removed by
``awaken.ui.server.file_cleanup``.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from gradio.utils import get_upload_folder
from PIL import Image

from awaken.painting import open_painting


def new_folder() -> Path:
    """A fresh folder of unguessable name below Gradio's cache."""
    folder = Path(get_upload_folder()) / secrets.token_urlsafe(24)
    folder.mkdir(parents=True)
    return folder


def keep_upload(source: str | bytes) -> Path:
    """A dropped file, by path or content, as upright RGB in a file of its own.

    Nothing else of it is kept: no EXIF, no position of the camera.

    Raises RequestError with a sentence when it is not a usable picture.
    """
    kept = new_folder() / "painting.png"
    source = source if isinstance(source, bytes) else Path(source)
    Image.fromarray(open_painting(source)).save(kept, compress_level=1)
    return kept
