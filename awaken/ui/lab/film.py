"""All videos of a series in one film, and the small moving preview before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gradio.data_classes import FileData

from awaken.painting import to_size
from awaken.preview import atlas
from awaken.ui.run import files

TILE = 1280  # px of a tile's longer side in the film: the size that the models work at
PREVIEW = 128  # the same while the series runs


def small(video: np.ndarray, side: int) -> np.ndarray:
    """(f, h, w, 3) uint8 at most ``side`` pixels long, with even sides."""
    _, h, w, _ = video.shape
    shrink = min(1.0, side / max(h, w))
    height, width = (max(2, round(length * shrink / 2) * 2) for length in (h, w))
    return np.stack([to_size(frame, width, height) for frame in video])


def _alike(videos: Sequence[np.ndarray]) -> list[np.ndarray]:
    """All at the first one's size, as long as the longest; shorter ones hold their last frame."""
    frames = max(len(v) for v in videos)
    _, h, w, _ = videos[0].shape
    return [
        np.concatenate([fitted, np.repeat(fitted[-1:], frames - len(fitted), 0)])
        for v in videos
        for fitted in [v if v.shape[1:3] == (h, w) else np.stack([to_size(x, w, h) for x in v])]
    ]


def preview(videos: Sequence[np.ndarray]) -> dict[str, Any]:
    tiny = _alike([small(video, PREVIEW) for video in videos])
    height, width = videos[0].shape[1:3]
    sheet = atlas({str(i): video for i, video in enumerate(tiny)})
    return {"preview": sheet, "frames": sheet["frames"], "width": width, "height": height}


def write_film(videos: Sequence[np.ndarray], columns: int, fps: int) -> dict[str, Any]:
    """All videos in one mp4 below Gradio's cache, and what the grid must know to cut it up."""
    from awaken.video import CRF_INTRA, mosaic, write_mp4

    alike = _alike(videos)
    path = files.new_folder() / "grid.mp4"
    write_mp4(mosaic(alike, columns), path, fps, keyframe_every=1, crf=CRF_INTRA)
    frames, height, width, _ = alike[0].shape
    return {
        "film": FileData(path=str(path)).model_dump(), "frames": frames, "fps": fps,
        "width": width, "height": height, "columns": columns,
    }  # fmt: skip
