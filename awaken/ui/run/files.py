"""Where the files of visitors go: each in a folder of its own below Gradio's cache.

The folders have unguessable names: their links are secret, not private. Old ones are removed by
``awaken.ui.server.file_cleanup``.
"""

from __future__ import annotations

import errno
import functools
import logging
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from gradio.utils import get_upload_folder
from PIL import Image

from awaken.painting import open_painting
from awaken.types import AwakenError, RequestError
from awaken.ui.texts import say

_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
log = logging.getLogger(__name__)
P, T = ParamSpec("P"), TypeVar("T")


def taking_in(work: Callable[P, T]) -> Callable[P, T]:
    """For whatever takes in a visitor's file: what nobody foresaw is raised as a RequestError too,
    so that the page always answers, with a card and a drop zone that is free."""

    @functools.wraps(work)
    def guarded(*args: P.args, **keywords: P.kwargs) -> T:
        try:
            return work(*args, **keywords)
        except AwakenError:
            raise
        except Exception as error:
            log.exception("a file could not be taken in")
            raise RequestError(disk_words(error) or say("file_failed")) from error

    return guarded


def disk_words(error: Exception) -> str | None:
    """The sentence for a disk that takes nothing more, None for whatever else failed."""
    if not isinstance(error, OSError):
        return None
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return say("disk_full")
    return say("disk_read_only") if error.errno in _READ_ONLY else None


def new_folder() -> Path:
    """A fresh folder of unguessable name below Gradio's cache."""
    folder = Path(get_upload_folder()) / secrets.token_urlsafe(24)
    folder.mkdir(parents=True)
    return folder


@taking_in
def keep_upload(source: str | bytes) -> Path:
    """A dropped file, by path or content, as upright RGB in a file of its own.

    Nothing else of it is kept: no EXIF, no position of the camera.

    Raises RequestError with a sentence when it is not a usable picture.
    """
    kept = new_folder() / "painting.png"
    source = source if isinstance(source, bytes) else Path(source)
    Image.fromarray(open_painting(source)).save(kept, compress_level=1)
    return kept
