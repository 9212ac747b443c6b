"""Small moving previews for the page: all frames of all videos in one JPEG, no file written."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

QUALITY = 80


def atlas(videos: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """One JPEG whose rows are videos and whose columns are frames, with what is needed to play it.

    Takes name -> (frames, h, w, 3) uint8, all of one shape. Returns ``src`` (a data URI),
    ``videos`` (the names from top to bottom), ``frames``, ``width`` and ``height`` (of one frame).

    Raises:
        ValueError: no videos, or videos of different shapes.
    """
    if len({video.shape for video in videos.values()}) != 1:
        raise ValueError("a preview needs at least one video, and all of one shape")
    rows = np.stack(list(videos.values()))  # (v, f, h, w, 3)
    v, f, h, w, _ = rows.shape
    sheet = rows.transpose(0, 2, 1, 3, 4).reshape(v * h, f * w, 3)
    source = data_uri(Image.fromarray(sheet), quality=QUALITY)
    return {"src": source, "videos": list(videos), "frames": f, "width": w, "height": h}


def data_uri(picture: Image.Image, kind: str = "JPEG", **options: Any) -> str:
    """A picture as text for a page; ``kind`` and ``options`` are those of Pillow's save."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
