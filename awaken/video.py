"""Frames to mp4 files that play everywhere, and a run's result to a folder.

H.264 in yuv420p with even sides and the index in front (faststart), BT.709 throughout, written with
moviepy through the ffmpeg that imageio-ffmpeg brings along; nothing is looked for on the PATH. The
settings of the run travel in the file's ``comment`` as JSON and can be read back.
"""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from awaken.types import RequestError, Result

CRF = 17  # x264's scale of quality: brush strokes survive, 18 is called visually lossless
CRF_INTRA = 14  # keyframes alone need a finer scale for the same quality as CRF
GAP = 8  # dark pixels between the two videos of side_by_side

# RGB to BT.709 in limited range, with exact rounding, and tags that say so to every player.
_COLOUR = (
    "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int,format=yuv420p,"
    "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
)


def write_mp4(
    frames: np.ndarray,
    path: str | Path,
    fps: int,
    settings: Mapping[str, Any] | None = None,
    *,
    keyframe_every: int = 250,
    crf: int = CRF,
    preset: str = "veryfast",
    lossless: bool = False,
) -> None:
    """Write (frames, h, w, 3) uint8 as an mp4; an odd side is padded by repeating its last line.

    Padding keeps every pixel of the picture where it was; cropping or scaling would not.
    ``keyframe_every=1`` makes every frame independent, for quick and exact stepping. ``crf`` and
    ``preset`` are x264's; slower presets make smaller files at hardly better quality.
    ``lossless`` keeps every pixel (RGB, no padding): for measuring, browsers do not play it.
    The file appears at ``path`` complete or not at all.

    Raises:
        ValueError: not a video array.
        OSError: the file could not be written.
    """
    from moviepy.video.io.ffmpeg_writer import FFMPEG_VideoWriter

    if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8 or not len(frames):
        raise ValueError(f"frames must be (f, h, w, 3) uint8, not {frames.shape} {frames.dtype}")
    path = Path(path).resolve()
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial.mp4")
    options = ["-movflags", "+faststart", "-g", str(keyframe_every), "-bf", "0"]
    if lossless:
        options += ["-qp", "0"]
    else:
        pads = [(0, 0), (0, frames.shape[1] % 2), (0, frames.shape[2] % 2), (0, 0)]
        frames = np.pad(frames, pads, mode="edge")
        options += ["-crf", str(crf), "-vf", _COLOUR]
    if settings is not None:
        options += ["-metadata", "comment=" + json.dumps(settings, allow_nan=False)]
    size = frames.shape[2], frames.shape[1]
    codec = "libx264rgb" if lossless else "libx264"
    try:
        with FFMPEG_VideoWriter(
            str(partial), size, fps, codec, preset=preset, ffmpeg_params=options
        ) as writer:
            process = writer.proc
            for frame in frames:
                writer.write_frame(frame)
        if process.returncode:
            raise OSError(f"The video could not be written to {path}: is the disk full?")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read_settings(path: str | Path) -> dict[str, Any]:
    """The settings that ``write_mp4`` put into a file.

    Raises:
        RequestError: the file is not an mp4 of ours.
    """
    from moviepy.config import FFMPEG_BINARY

    # The demuxer is named and the path absolute, so that no playlist or URL can lead elsewhere.
    command = [FFMPEG_BINARY, "-loglevel", "error", "-f", "mov", "-i", str(Path(path).resolve())]
    command += ["-f", "ffmetadata", "-"]
    found = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    for line in found.stdout.decode("utf-8", "replace").splitlines():
        if line.startswith("comment="):
            try:
                settings = json.loads(_unescape(line.removeprefix("comment=")))
            except ValueError:
                break
            if isinstance(settings, dict):
                return settings
    raise RequestError("This file holds no settings of Awaken: choose a video that it has made.")


def _unescape(text: str) -> str:
    """Undo ffmetadata's backslash before = ; # and backslash."""
    characters = iter(text)
    return "".join(next(characters, "") if c == "\\" else c for c in characters)


def stacked(baseline: np.ndarray, awakened: np.ndarray) -> np.ndarray:
    """Baseline over awakened, (f, 2h, w, 3): one file and one decoder keep the two in step."""
    return np.concatenate([baseline, awakened], axis=1)


def mosaic(videos: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Small multiples in one film, row by row: one decoder keeps any number of videos in step.

    videos: (f, h, w, 3) uint8, all of one shape; empty places are black.
    Returns (f, rows h, columns w, 3).
    """
    f, h, w, _ = videos[0].shape
    rows = -(-len(videos) // columns)
    film = np.zeros((f, rows * h, columns * w, 3), np.uint8)
    for i, video in enumerate(videos):
        y, x = i // columns * h, i % columns * w
        film[:, y : y + h, x : x + w] = video
    return film


# Beginnings of the files that ``read_clip`` opens -> ffmpeg's name of the one demuxer for them.
_CONTAINERS = (
    (re.compile(rb"....ftyp", re.DOTALL), "mov"),
    (re.compile(rb"\x1aE\xdf\xa3"), "matroska"),
    (re.compile(rb"RIFF....AVI ", re.DOTALL), "avi"),
    (re.compile(rb"GIF8"), "gif"),
)


def read_clip(path: str | Path, frames: int, fps: float, width: int, height: int) -> np.ndarray:
    """The beginning of somebody's clip, cut to fill a size: (at most frames, h, w, 3) uint8.

    Opens MP4, MOV, WebM, Matroska, AVI and GIF, each by its own demuxer and from this file alone,
    so that no playlist or reference can lead elsewhere; gives up after half a minute.

    Raises:
        RequestError: not such a file, damaged, or shorter than three frames.
    """
    from moviepy.config import FFMPEG_BINARY

    path = Path(path).resolve()
    with path.open("rb") as file:
        start = file.read(16)
    demuxer = next((name for magic, name in _CONTAINERS if magic.match(start)), None)
    if demuxer is None:
        raise RequestError("This is not a clip we can open: bring an MP4, MOV, WebM, AVI or GIF.")
    fill = f"scale={width}:{height}:force_original_aspect_ratio=increase:flags=area"
    command = [FFMPEG_BINARY, "-loglevel", "error", "-protocol_whitelist", "file,pipe"]
    command += ["-f", demuxer, "-i", str(path), "-an", "-sn", "-frames:v", str(frames)]
    command += ["-vf", f"fps={fps:g},{fill},crop={width}:{height}"]
    command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    try:
        found = subprocess.run(
            command, capture_output=True, stdin=subprocess.DEVNULL, timeout=30, check=False
        )
    except subprocess.TimeoutExpired:
        raise RequestError("This clip takes too long to open: bring a shorter one.") from None
    size = width * height * 3
    video = np.frombuffer(found.stdout[: len(found.stdout) // size * size], np.uint8)
    if len(video) < 3 * size:
        raise RequestError("This clip is damaged or shorter than three frames: bring another.")
    return video.reshape(-1, height, width, 3)


def side_by_side(baseline: np.ndarray, awakened: np.ndarray) -> np.ndarray:
    """Baseline left, awakened right, a narrow dark gap between: (f, h, 2w + 8, 3)."""
    f, h, _, _ = baseline.shape
    gap = np.full((f, h, GAP, 3), 17, np.uint8)
    return np.concatenate([baseline, gap, awakened], axis=2)


def result_settings(result: Result) -> dict[str, Any]:
    """A result's settings and measurements, ready for JSON; an infinite PSNR becomes None."""
    return dict(result.settings) | {
        "psnr": result.psnr if math.isfinite(result.psnr) else None,
        "luma_correlation": result.luma_correlation,
        "evaluations": result.evaluations,
        "evaluations_from_scratch": result.evaluations_from_scratch,
        "drafted": result.drafted,
        "timings": dict(result.timings),
        "notices": [notice.text for notice in result.notices],
        "difference": dict(result.difference),
    }


def save_result(
    result: Result, folder: str | Path, remember_settings: bool = True
) -> dict[str, Path]:
    """Write a result's pictures, videos and settings into ``folder`` (made where missing).

    All files are finished in a hidden folder beside their place before the first one is moved, so
    that a failure leaves an earlier result whole. Returns name -> path: painting, proxy, baseline,
    awakened, side_by_side, stacked, settings, and mask where the run had one; without
    ``remember_settings`` the videos carry none and settings.json is left out.

    Raises:
        OSError: the folder cannot be written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    settings = result_settings(result) if remember_settings else None
    fps = int(result.settings["fps"])
    both = result.baseline, result.awakened
    videos = {
        "baseline": result.baseline,
        "awakened": result.awakened,
        "side_by_side": side_by_side(*both),
        "stacked": stacked(*both),
    }
    pictures = {"painting": result.painting, "proxy": result.proxy}
    if result.mask is not None:
        pictures["mask"] = result.mask
    workshop = Path(tempfile.mkdtemp(prefix=".saving-", dir=folder))
    try:
        with ThreadPoolExecutor(max_workers=2) as pool:
            jobs = [
                pool.submit(
                    write_mp4, frames, workshop / f"{name}.mp4", fps, settings,
                    **({"keyframe_every": 1, "crf": CRF_INTRA} if name == "stacked" else {}),
                )
                for name, frames in videos.items()
            ]  # fmt: skip
            for name, picture in pictures.items():
                Image.fromarray(picture).save(workshop / f"{name}.png", compress_level=3)
            for job in jobs:
                job.result()
        names = [f"{name}.png" for name in pictures] + [f"{name}.mp4" for name in videos]
        if settings is not None:
            text = json.dumps(settings, indent=2, ensure_ascii=False, allow_nan=False)
            (workshop / "settings.json").write_text(text + "\n", encoding="utf-8")
            names.append("settings.json")
        return {Path(name).stem: (workshop / name).replace(folder / name) for name in names}
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
