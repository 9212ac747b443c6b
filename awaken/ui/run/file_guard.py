"""What a request may name: uploads and bundled pictures, and nothing else of this machine or the web.

Gradio looks into what calls itself a file, whatever component it is sent to, and fetches addresses.
``FileGuardBlocks`` looks first: every event of every component passes it, the page's, the API's, and calls
written by hand.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import gradio as gr
from gradio.utils import get_upload_folder

from awaken.pictures.base64_text import picture_bytes
from awaken.ui import EXAMPLES
from awaken.ui.run.files import new_folder
from awaken.ui.texts import say

_DEEPEST = 16  # levels of nesting; no value of the page has as many


class FileGuardBlocks(gr.Blocks):
    """The page's Blocks, with a look at every file that a request names."""

    async def preprocess_data(
        self, block_fn: Any, inputs: list[Any], state: Any, explicit_call: bool = False
    ) -> Any:
        """As Gradio's, once everything named is known to be allowed. Raises gr.Error."""
        if len(inputs) < len(block_fn.inputs):  # Gradio would write all of them into the log
            words = say("too_few", wanted=len(block_fn.inputs), given=len(inputs))
            raise gr.Error(words, print_exception=False)
        check(inputs)
        return await super().preprocess_data(block_fn, inputs, state, explicit_call)


def check(value: Any, depth: int = 0) -> None:
    """Raise gr.Error when a file anywhere in ``value`` (plain JSON) may not be named."""
    if depth > _DEEPEST:
        raise gr.Error(say("no_url"), print_exception=False)
    if isinstance(value, dict):
        if "path" in value:
            own_file(value["path"])
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            check(part, depth + 1)


def picture_file(named: Any) -> str:
    """The file of a picture that a program names: a data URI, base64, or an upload to this server.

    A picture that comes as text is kept as it is, transparency included, in a file of its own.
    Raises RequestError, gr.Error.
    """
    if isinstance(named, dict):  # Gradio's way to name a file
        address = named.get("url")
        inline = isinstance(address, str) and address[:5].lower() == "data:"
        named = address if inline else named.get("path")
    if isinstance(named, str):
        data = picture_bytes(named)
        if data is not None:
            kept = new_folder() / "picture"
            kept.write_bytes(data)
            return str(kept)
        if urlsplit(named).scheme in ("http", "https"):  # of an upload only the path is read
            named = unquote(urlsplit(named).path.partition("/gradio_api/file=")[2])
    return own_file(named)


def own_file(path: Any) -> str:
    """The path of an upload or of a bundled picture. Raises gr.Error for whatever else it may be."""
    try:
        place = Path(path).resolve()
        homes = [Path(home).resolve() for home in (get_upload_folder(), EXAMPLES)]
    except (OSError, RuntimeError, TypeError, ValueError):  # no path at all; NUL; too long
        place, homes = Path(), []
    if not any(place.is_relative_to(home) for home in homes):
        raise gr.Error(say("no_url"), print_exception=False)
    return str(place)
