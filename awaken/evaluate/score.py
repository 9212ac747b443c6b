"""Scores of every video, kept beside them for exactly the bytes that were measured."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from awaken.evaluate import films
from awaken.evaluate.generate import picture
from awaken.evaluate.protocol import write_text
from awaken.types import ModelError

if TYPE_CHECKING:
    from awaken.engine import Engine

log = logging.getLogger(__name__)

Values = dict[str, Any]


@dataclass(frozen=True)
class Scorer:
    """One way of looking at a video.

    kind: folder under ``scores``; about: model and hash, or the library that measures;
    score: (frames, pair's facts, condition image, region or None) -> name -> value.
    """

    kind: str
    about: str
    score: Callable[[np.ndarray, Mapping[str, Any], np.ndarray, np.ndarray | None], Values]


def score(
    out: Path,
    scorers: Sequence[Scorer],
    progress: Callable[[int, str], None] = lambda made, what: None,
) -> list[str]:
    """Measure what is not measured yet; returns a sentence for every file that is torn."""
    torn: list[str] = []
    for scorer in scorers:
        folder = out / "scores" / scorer.kind
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / "about.json", json.dumps({"about": scorer.about}) + "\n")
        pairs = {pair["id"]: pair for pair in read_pairs(out)}
        for slug in slugs(out):
            rows = list(_lines(folder / f"{slug}.jsonl"))
            done = {(r["id"], r["file"]) for r in rows if r["by"] == scorer.about}
            for name, pair in pairs.items():
                path = films.path_of(out, slug, name)
                if not path.is_file():
                    continue
                digest = films.content(path)
                if (name, digest) in done:
                    continue
                progress(0, f"{scorer.kind} {slug} {name}")
                try:
                    frames, _ = films.read(path)
                except films.TornError as error:
                    path.unlink()
                    torn.append(f"{error}; it is gone: make it again with `run`.")
                    continue
                painting = picture(out, "conditions", name)
                region = picture(out, "regions", name)
                if painting is None:
                    torn.append(f"{name}: its condition image is gone: make it again with `run`.")
                    continue
                values = scorer.score(
                    frames, pair, painting, region > 127 if region is not None else None
                )
                row = {"id": name, "file": digest, "by": scorer.about} | values
                _append(folder / f"{slug}.jsonl", row)
                progress(1, "")
    return torn


def to_score(out: Path, scorers: Sequence[Scorer]) -> int:
    """How many videos have something left to measure, times the ways of measuring."""
    count = 0
    for scorer in scorers:
        for slug in slugs(out):
            rows = _lines(out / "scores" / scorer.kind / f"{slug}.jsonl")
            done = {r["id"] for r in rows if r["by"] == scorer.about}
            files = {pair["id"] for pair in read_pairs(out)}
            count += sum(films.path_of(out, slug, name).is_file() for name in files - done)
    return count


def read_pairs(out: Path) -> list[dict[str, Any]]:
    """The pairs of ``run``, in the manifest's order."""
    return list(_lines(out / "pairs.jsonl"))


def slugs(out: Path) -> list[str]:
    """The arms that have videos, the real one among them."""
    folder = out / "videos"
    return sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []


def read_scores(out: Path, kind: str) -> dict[str, dict[str, Values]]:
    """slug -> id -> the last values, by the model that ``score`` was last called with."""
    about = kinds(out).get(kind)
    found: dict[str, dict[str, Values]] = {}
    for slug in slugs(out):
        rows = _lines(out / "scores" / kind / f"{slug}.jsonl")
        current = {row["id"]: row for row in rows if row["by"] == about}
        if current:
            found[slug] = current
    return found


def kinds(out: Path) -> dict[str, str]:
    """kind -> what measured it."""
    notes = sorted((out / "scores").glob("*/about.json"))
    return {p.parent.name: json.loads(p.read_text("utf-8"))["about"] for p in notes}


def motion_scorer() -> Scorer:
    """Flow, agreement, detail and the like. Raises ModelError where OpenCV is missing."""
    try:
        import cv2
    except ImportError:
        raise ModelError(
            "The measures of motion need OpenCV: pip install -r awaken/evaluate/requirements.txt."
        ) from None
    from awaken.evaluate.measures import measure

    about = f"OpenCV {cv2.__version__}, DIS flow at 256 px"
    return Scorer("motion", about, lambda f, _, painting, region: measure(f, painting, region))


def path_scorer(engine: Engine, backend: str) -> Scorer:
    """Straightness and order of the frames' latents, each frame encoded by itself (Fig. 2)."""
    from awaken.analysis import order, pca, straightness

    def look(frames: np.ndarray, *_: Any) -> Values:
        path = latent_path(engine, backend, frames)
        share = float(pca(path, 1)[1][0])
        return {
            "straightness": _or_none(straightness(path)), "order": _or_none(order(path)),
            "pc1": share,
        }  # fmt: skip

    return Scorer("path", f"frames encoded by {backend}", look)


def latent_path(engine: Engine, backend: str, frames: np.ndarray) -> np.ndarray:
    """(f, h, w, 3) uint8 -> (f, d) float32. Raises ModelError."""
    steps = engine.frame_latents(backend, frames)
    try:
        while True:
            next(steps)
    except StopIteration as end:
        return end.value


def clip_scorer(name: str, device: str) -> Scorer:
    """CLIPSIM. Raises ModelError with what to fetch."""
    from awaken.evaluate.clipsim import ClipSim

    clip = ClipSim(name, device)
    return Scorer(
        "clip", clip.about, lambda f, pair, *_: {"clipsim": clip.score(f, pair["prompt"])}
    )


def i3d_scorer(path: Path | None, device: str) -> Scorer:
    """I3D's logits of every video, for FVD. Raises ModelError with what to fetch."""
    import torch

    from awaken.evaluate.i3d import LEAST_FRAMES
    from awaken.evaluate.weights import find_i3d, load_i3d

    network, about = load_i3d(find_i3d(path), device)

    def look(frames: np.ndarray, *_: Any) -> Values:
        if len(frames) < LEAST_FRAMES:
            raise ModelError(f"I3D needs {LEAST_FRAMES} frames; these videos have {len(frames)}.")
        with torch.inference_mode():
            x = torch.from_numpy(frames.copy()).to(device).permute(3, 0, 1, 2)[None].float()
            return {"logits": network(x)[0].float().cpu().tolist()}

    return Scorer("i3d", about, look)


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else value


def _lines(path: Path) -> Iterator[Values]:
    """The rows of a file; a last line that was cut off by a stop is ignored."""
    if not path.is_file():
        return
    for line in path.read_text("utf-8").splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            log.warning("%s has a broken line; that video is measured again", path)


def _append(path: Path, row: Values) -> None:
    """Add a line; one that a stop left unfinished is closed first."""
    with path.open("a+b") as file:
        if file.tell():
            file.seek(-1, 2)
            if file.read(1) != b"\n":
                file.write(b"\n")
        file.write(json.dumps(row).encode() + b"\n")
