"""Where things lie on this server is nobody's business: sentences name files, not the folders above."""

from __future__ import annotations

import os
import re
from pathlib import Path

from awaken import hub

# An absolute path with a folder in it; an address of the web has a colon or slash before.
_PATH = re.compile(
    r"(?<![\w.:/\\~])(?:[A-Za-z]:\\|/)(?:[^\s'\",;:()/\\]+[/\\])+([^\s'\",;:()/\\]*)"
)


def without_places(text: str) -> str:
    """The text with paths from the folders of weights on, and only the name of any other file."""
    for home in (hub.models_folder(), hub.download_folder()):
        if home is not None:
            text = text.replace(f"{Path(os.path.abspath(home))}{os.sep}", "")
            text = text.replace(f"{home}{os.sep}", "")
    return _PATH.sub(lambda found: found[1] or "…", text)
