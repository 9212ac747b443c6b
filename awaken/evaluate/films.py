"""The videos of an evaluation: one lossless file per arm and id, whole or not there."""

from __future__ import annotations

import hashlib
import re
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from awaken.types import RequestError
from awaken.video import read_settings, write_mp4

REAL = "real"  # the arm that was filmed


class TornError(Exception):
    """A file that cannot be read to its end; ``run`` makes it again."""


def path_of(out: Path, slug: str, name: str) -> Path:
    """Where the video of an arm and an id lies."""
    return out / "videos" / slug / f"{name}.mp4"


def write(out: Path, slug: str, name: str, frames: np.ndarray, settings: Mapping[str, Any]) -> None:
    """Keep (f, h, w, 3) uint8 without loss, settings inside; what a killed run left goes."""
    path = path_of(out, slug, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    left = re.compile(rf"\.{re.escape(name)}\.\d+\.partial\.mp4")
    for rest in [p for p in path.parent.glob(f".{name}.*") if left.fullmatch(p.name)]:
        rest.unlink()
    write_mp4(frames, path, int(settings["fps"]), settings, lossless=True)


def whole(path: Path) -> bool:
    """Whether an mp4 is there to its last byte: its boxes fill it exactly. Nothing is decoded."""
    if not path.is_file():
        return False
    end, at, kinds = path.stat().st_size, 0, set()
    with path.open("rb") as file:
        while at + 8 <= end:
            file.seek(at)
            size, kind = struct.unpack(">I4s", file.read(8))
            if size == 1:
                size = int.from_bytes(file.read(8), "big")
            if size < 8:
                return False
            kinds.add(kind)
            at += size
    return at == end and {b"moov", b"mdat"} <= kinds


def read(path: Path) -> tuple[np.ndarray, dict[str, Any]]:
    """(frames (f, h, w, 3) uint8, settings). Raises TornError."""
    from moviepy.config import FFMPEG_BINARY

    if not whole(path):
        raise TornError(f"{path} is torn")
    try:
        settings = read_settings(path)
        shape = (settings["frames"], settings["height"], settings["width"], 3)
    except (RequestError, KeyError):
        raise TornError(f"{path} has lost its settings") from None
    command = [FFMPEG_BINARY, "-loglevel", "error", "-xerror", "-err_detect", "explode"]
    command += ["-f", "mov", "-i", str(path.resolve())]
    command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    found = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    if found.returncode or len(found.stdout) != int(np.prod(shape)):
        raise TornError(f"{path} is damaged")
    return np.frombuffer(found.stdout, np.uint8).reshape(shape), settings


def content(path: Path) -> str:
    """A hash of the file: scores are kept for exactly these bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
