"""Writing a bundle: one zip with everything of a run, for showing, keeping or making again."""

from __future__ import annotations

import io
import json
import math
import shlex
import subprocess
import tempfile
import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from awaken.backends import BACKENDS
from awaken.bundle.reader import MAX_FRAMES, PICTURE, VERSION
from awaken.proxies import PROXIES
from awaken.recipe import command, recover
from awaken.types import RequestError
from awaken.video import read_settings, side_by_side, write_mp4

WIPE_LOOPS = 4  # runs of the film per sweep there and back
LINE = 3  # px of the wipe's line
_FILMS = ("baseline", "awakened", "side_by_side", "wipe", "stacked")


def write_bundle(
    files: Mapping[str, Path],
    target: str | Path,
    *,
    settings: Mapping[str, Any] | None = None,
    picture: Mapping[str, str] | None = None,
    remember_settings: bool = True,
    include_painting: bool = True,
) -> Path:
    """Write one run as a zip; the file appears at ``target`` complete or not at all.

    files: what ``awaken.video.save_result`` returned, or the ready result of an example
        (``stacked``, ``proxy`` and ``settings`` are enough; all else is made from them).
    settings: the run's settings, where ``files`` has no settings.json.
    picture: ``title``, ``byline``, ``credit`` and ``licence`` of the painting, as far as known.
    remember_settings: False leaves settings.json, reproduce.sh, the prompt and every video's
        metadata out, and the motion mask. ATTRIBUTION.txt stays: licences ask for the models'
        names.
    include_painting: False leaves the painting out; reproduce.sh then asks for it.

    Raises:
        RequestError: ``files`` holds no film, or nobody knows how it runs.
        OSError: the zip cannot be written.
    """
    facts = dict(settings or _facts_of(files))
    if "stacked" not in files or not {"width", "height", "fps"} <= facts.keys():
        raise RequestError("There is no finished run to bundle: press Awaken first.")
    kept = facts if remember_settings else None
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".bundle-", dir=target.parent) as folder:
        made = _films(files, facts, kept, Path(folder))
        written = texts(
            facts, picture, remember_settings=remember_settings,
            with_painting=include_painting and "painting" in files, with_mask="mask" in files,
        )  # fmt: skip
        partial = Path(folder) / "bundle.zip"
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as zipped:
            for path in made:  # films and pictures are compressed already
                zipped.write(path, path.name, zipfile.ZIP_STORED)
            for name, wanted in (
                ("proxy", True), ("painting", include_painting), ("mask", kept is not None),
            ):  # fmt: skip
                if wanted and name in files:
                    zipped.writestr(f"{name}.png", _png(files[name]), zipfile.ZIP_STORED)
            for name, text in written.items():
                zipped.writestr(name, text.encode("utf-8"))
        partial.replace(target)
    return target


def texts(
    facts: Mapping[str, Any],
    picture: Mapping[str, str] | None = None,
    *,
    remember_settings: bool = True,
    with_painting: bool = True,
    with_mask: bool = False,
) -> dict[str, str]:
    """The small files of a bundle by name: ATTRIBUTION.txt, bundle.json, and, unless the settings
    are to be forgotten, settings.json and reproduce.sh.

    facts: a run's settings and measurements; with_painting, with_mask: whether painting.png and
        mask.png lie beside them; the other arguments are those of ``write_bundle``.
    """
    picture = {name: str((picture or {}).get(name) or "") for name in PICTURE}
    kept = facts if remember_settings else None
    written = {
        "ATTRIBUTION.txt": _attribution(facts, picture),
        "bundle.json": _label(facts, picture, kept),
    }
    if kept is not None:
        written["settings.json"] = json.dumps(kept, indent=2, ensure_ascii=False) + "\n"
        written["reproduce.sh"] = reproduce(kept, with_painting, with_mask)
    return written


def _facts_of(files: Mapping[str, Path]) -> dict[str, Any]:
    """Settings and measurements of a saved run, from its settings.json or from its film."""
    if "settings" in files:
        return json.loads(Path(files["settings"]).read_text("utf-8"))
    return read_settings(files["stacked"]) if "stacked" in files else {}


def _films(
    files: Mapping[str, Path],
    facts: Mapping[str, Any],
    kept: Mapping[str, Any] | None,
    folder: Path,
) -> list[Path]:
    """All films and loops in ``folder``; those that are there are copied as they are, never encoded
    a second time."""
    width, height, fps = (int(facts[name]) for name in ("width", "height", "fps"))
    both = read_frames(files["stacked"], width, 2 * height)
    baseline, awakened = both[:, :height], both[:, height:]
    make = {
        "baseline": lambda: baseline,
        "awakened": lambda: awakened,
        "side_by_side": lambda: side_by_side(baseline, awakened),
        "wipe": lambda: wipe(baseline, awakened),
    }

    def film(name: str) -> Path:
        path = folder / f"{name}.mp4"
        if name in files:
            _copy(files[name], path, kept)
        else:
            write_mp4(make[name](), path, fps, kept)
        return path

    def loops() -> list[Path]:
        paths = [folder / "loop.gif", folder / "loop.webp"]
        write_loops(awakened, *paths, fps)
        return paths

    with ThreadPoolExecutor(max_workers=2) as pool:
        looped = pool.submit(loops)
        return [*pool.map(film, _FILMS), *looped.result()]


def _copy(source: Path, target: Path, kept: Mapping[str, Any] | None) -> None:
    """The same stream in a new file that carries these settings, or none; no picture is touched."""
    from moviepy.config import FFMPEG_BINARY

    comment = ["-metadata", "comment=" + json.dumps(kept)] if kept is not None else []
    words = [
        FFMPEG_BINARY, "-loglevel", "error", "-y", "-f", "mov", "-i", str(Path(source).resolve()),
        "-map", "0:v:0", "-map_metadata", "-1", *comment, "-c", "copy", "-movflags", "+faststart",
        str(target.resolve()),
    ]  # fmt: skip
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        raise OSError(
            f"{source} could not be copied: {done.stderr.decode('utf-8', 'replace').strip()}"
        )


def read_frames(path: str | Path, width: int, height: int, frames: int = MAX_FRAMES) -> np.ndarray:
    """Decode a film of ours: (frames, height, width, 3) uint8; what was padded is cut off again.

    Of a longer film only the first ``frames``; whoever takes as long as a minute is given up.

    Raises:
        RequestError: not an mp4, or smaller than that.
    """
    from moviepy.config import FFMPEG_BINARY

    colour = "scale=in_color_matrix=bt709:flags=accurate_rnd+full_chroma_int"
    words = [
        FFMPEG_BINARY, "-loglevel", "error", "-f", "mov", "-i", str(Path(path).resolve()), "-vf",
        f"crop={width}:{height}:0:0:exact=1,{colour}", "-frames:v", str(frames),
        "-f", "rawvideo", "-pix_fmt", "rgb24", "-",
    ]  # fmt: skip
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
        )
    except subprocess.TimeoutExpired:
        raise RequestError("The film takes too long to read: choose a shorter one.") from None
    if done.returncode or not done.stdout or len(done.stdout) % (width * height * 3):
        raise RequestError("The film could not be read: it is not one that Awaken has made.")
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, height, width, 3)


def wipe(baseline: np.ndarray, awakened: np.ndarray, loops: int = WIPE_LOOPS) -> np.ndarray:
    """The film ``loops`` times while a line sweeps over it and back: (loops f, h, w, 3) uint8.

    Left of the line is the baseline, right of it the awakened video; the sweep begins with all of
    the baseline, slows down at the edges, and ends where it began, so that it loops.
    """
    frames, height, width, _ = baseline.shape
    count = loops * frames
    swept = np.empty((count, height, width, 3), np.uint8)
    for i in range(count):
        x = round(width * (0.5 + 0.5 * math.cos(2 * math.pi * i / count)))
        swept[i, :, :x] = baseline[i % frames, :, :x]
        swept[i, :, x:] = awakened[i % frames, :, x:]
        if 0 < x < width:
            swept[i, :, max(0, x - LINE // 2) : x + LINE // 2 + 1] = 255
    return swept


def write_loops(video: np.ndarray, gif: Path, webp: Path, fps: int) -> None:
    """(f, h, w, 3) uint8 forwards and backwards without an end, at the size of the video.

    There and back again needs no picture that the model did not make, and has no jump.
    """
    order = [*range(len(video)), *range(len(video) - 2, 0, -1)]
    pictures = [Image.fromarray(video[i]) for i in order]
    # a gif counts in hundredths of a second: 8 pictures a second are 12 and 13 of them in turn
    ends = [round(100 * i / fps) for i in range(len(order) + 1)]
    ticks = [10 * (end - begin) for begin, end in pairwise(ends)]
    endless = {"save_all": True, "loop": 0}
    pictures[0].save(
        webp,
        append_images=pictures[1:],
        quality=80,
        method=2,
        duration=round(1000 / fps),
        **endless,
    )
    # one palette for the whole loop: palettes of their own would make still parts flicker
    sample = np.concatenate([np.asarray(p)[::3, ::3] for p in pictures[: len(video) : 4]])
    palette = Image.fromarray(sample).quantize(255, Image.Quantize.MEDIANCUT, kmeans=2)
    plain = [p.quantize(palette=palette, dither=Image.Dither.NONE) for p in pictures]
    plain[0].save(gif, append_images=plain[1:], disposal=1, duration=ticks, **endless)


def _png(path: Path) -> bytes:
    with Image.open(path) as picture:
        file = io.BytesIO()
        picture.convert("RGB").save(file, "PNG", compress_level=3)
    return file.getvalue()


def _label(
    facts: Mapping[str, Any], picture: Mapping[str, str], kept: Mapping[str, Any] | None
) -> str:
    label = {"awaken_bundle": VERSION, "picture": dict(picture)}
    label["film"] = {
        name: facts[name] for name in ("width", "height", "fps", "frames") if name in facts
    }
    if kept is not None:
        label["prompt"] = kept.get("prompt", "")
    return json.dumps(label, indent=2, ensure_ascii=False) + "\n"


def reproduce(
    settings: Mapping[str, Any], with_painting: bool = True, with_mask: bool = False
) -> str:
    """reproduce.sh: a shell script whose last line is the exact command."""
    known = recover(settings)
    painting, ask = "painting.png", ""
    if not with_painting:
        ask = "# The painting is not in this bundle: put it beside this file as painting.png.\n"
    if known.masked and not with_mask:
        ask += "# The run had a motion mask, which is not here: put it here as mask.png.\n"
    words = command(
        known.settings, painting, "again", "proxy.png", mask="mask.png" if known.masked else ""
    )
    return (
        "#!/bin/sh\n"
        "# Makes the videos of this bundle again, into the folder again beside this file.\n"
        "# Unpack it, go to the folder of Every Painting Awakened, and: sh PATH/reproduce.sh\n"
        f"{ask}"
        "set -e\n"
        'export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"\n'
        'cd "$(dirname "$0")"\n'
        f"{shlex.join(words)}\n"
    )


def _attribution(facts: Mapping[str, Any], picture: Mapping[str, str]) -> str:
    lines = ["Painting"]
    named = ", ".join(part for part in (picture["title"], picture["byline"]) if part)
    lines.append(f"  {named or 'A picture of the visitor’s own.'}")
    if picture["licence"]:
        lines.append(f"  {picture['licence']}")
    if picture["credit"]:
        lines.append(f"  From {picture['credit']}")
    for heading, registry, name in (
        ("Video model", BACKENDS, facts.get("backend")),
        ("Proxy image", PROXIES, facts.get("proxy")),
    ):
        spec = registry.get(name) if isinstance(name, str) else None
        if spec is not None:
            lines += ["", heading, f"  {spec.title}" + (f" ({spec.source})" if spec.source else "")]
            licences = (("code", spec.code_licence), ("weights", spec.weight_licence))
            lines += [f"  Licence of the {what}: {terms}" for what, terms in licences if terms]
            if spec.non_commercial:
                lines.append("  Not for commercial use.")
    lines += [
        "",
        "Method",
        "  Every Painting Awakened: A Training-free Framework for Painting-to-Animation Generation",
        "  https://painting-animation.github.io/animation/",
        "",
        "Made with an independent implementation of it, licensed under Apache-2.0. The videos were",
        "made by computer programs; say so where you show them.",
    ]
    return "\n".join(lines) + "\n"
