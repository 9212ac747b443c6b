"""What is evaluated: pairs of a condition image and a prompt, some with a real clip or a region."""

from __future__ import annotations

import csv
import hashlib
import json
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from awaken.types import RequestError

DRAWN = 1000  # pairs, as in Sec. 4.1
DRAW_SEED = 42
COLUMNS = ("id", "image", "clip", "prompt", "region", "seed")
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

Region = Path | tuple[tuple[tuple[float, float], ...], ...]


@dataclass(frozen=True)
class Pair:
    """One condition image and its prompt.

    Attributes:
        id: names the files; letters, digits, dot, dash and underscore.
        prompt: what should move.
        image: the condition image; None is frame 0 of ``clip``.
        clip: the real video, for FVD and Fig. 2; None where there is none.
        region: where motion is meant, a grey picture or polygons in percent of width and height.
        seed: of the run; None is the protocol's.
        scene: pairs of one scene (other seeds, other prompts) are resampled together.
    """

    id: str
    prompt: str
    image: Path | None = None
    clip: Path | None = None
    region: Region | None = None
    seed: int | None = None
    scene: str = ""

    def facts(self) -> dict[str, Any]:
        """What the later commands read of it, ready for JSON; paths only by their names."""
        return {
            "id": self.id, "prompt": self.prompt, "seed": self.seed, "scene": self.scene or self.id,
            "image": self.image and self.image.name, "clip": self.clip and self.clip.name,
            "region": self.region.name if isinstance(self.region, Path) else self.region,
        }  # fmt: skip


def read(
    data: Path, limit: int | None = None, seeds: int = 1, captions: Path | None = None
) -> list[Pair]:
    """The pairs of a manifest (CSV or JSON lines) or of a folder in MSR-VTT's own layout.

    limit: of MSR-VTT so many are drawn (``DRAWN`` if None), of a manifest the first so many taken.
    seeds: each pair so many times, with seeds 42, 43, ...
    captions: of MSR-VTT only the videos with a sentence of this list (one a line), with it.

    Raises:
        RequestError: nothing there, or not as it should be; the sentence names file and line.
    """
    if data.is_dir() or data.name.endswith("MSR_VTT.json") or data.name == "MSRVTT_data.json":
        pairs = _msrvtt(data, captions, DRAWN if limit is None else limit)
    elif data.suffix in (".csv", ".jsonl") and data.is_file():
        rows = _csv_rows(data) if data.suffix == ".csv" else _json_rows(data)
        pairs = [_pair(row, data, line) for line, row in rows][:limit]
    else:
        raise RequestError(
            f"There is no manifest at {str(data)!r}: name a .csv or .jsonl file with the columns "
            f"{', '.join(COLUMNS)}, or the folder of MSR-VTT."
        )
    if not pairs:
        raise RequestError(f"{data.name} holds no pair.")
    seen: set[str] = set()
    for pair in pairs:
        if pair.id.lower() in seen:
            raise RequestError(f"{data.name}: the id {pair.id!r} stands there twice.")
        seen.add(pair.id.lower())
    if seeds == 1:
        return pairs
    first = DRAW_SEED
    return [
        replace(p, id=f"{p.id}.s{seed}", seed=seed, scene=p.scene or p.id)
        for seed in range(first, first + seeds)
        for p in pairs
    ]


def fingerprint(pairs: Iterable[Pair]) -> str:
    """A hash of ids, prompts, seeds, regions and file names: another list is another protocol."""
    text = json.dumps([pair.facts() for pair in pairs], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _csv_rows(path: Path) -> Iterable[tuple[int, Mapping[str, Any]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        unknown = set(reader.fieldnames or ()) - {*COLUMNS, "scene"}
        if unknown or "prompt" not in (reader.fieldnames or ()):
            raise RequestError(
                f"{path.name}: its first line must name columns of {', '.join(COLUMNS)}"
                + (f"; {sorted(unknown)[0]!r} is none." if unknown else ", prompt among them.")
            )
        for row in reader:
            yield reader.line_num, {k: v for k, v in row.items() if v}


def _json_rows(path: Path) -> Iterable[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise RequestError(f"{path.name}, line {number}: this is not a JSON object.")
        yield number, row


def _pair(row: Mapping[str, Any], manifest: Path, line: int) -> Pair:
    where = f"{manifest.name}, line {line}"
    name, prompt = str(row.get("id") or f"{line:06d}"), row.get("prompt")
    if not _SAFE.fullmatch(name):
        raise RequestError(
            f"{where}: the id {name!r} cannot name a file; use letters, digits, '.', '-' and '_'."
        )
    if not isinstance(prompt, str) or not prompt.strip():
        raise RequestError(f"{where}: the prompt is missing.")
    paths = {}
    for column in ("image", "clip"):
        paths[column] = manifest.parent / row[column] if row.get(column) else None
        if paths[column] is not None and not paths[column].is_file():
            raise RequestError(f"{where}: there is no file {str(paths[column])!r}.")
    if not any(paths.values()):
        raise RequestError(f"{where}: it names neither an image nor a clip.")
    try:
        seed = None if row.get("seed") is None else int(row["seed"])
        region = _region(row.get("region"), manifest.parent)
    except (TypeError, ValueError) as error:
        raise RequestError(f"{where}: {error}.") from None
    return Pair(name, prompt.strip(), **paths, region=region, seed=seed, scene=row.get("scene", ""))


def _region(value: Any, folder: Path) -> Region | None:
    """A path, or polygons, also as JSON text. Raises ValueError."""
    if not value:
        return None
    if isinstance(value, str):
        if not value.lstrip().startswith("["):
            if not (folder / value).is_file():
                raise ValueError(f"there is no region picture {str(folder / value)!r}")
            return folder / value
        value = json.loads(value)
    polygons = tuple(tuple((float(x), float(y)) for x, y in polygon) for polygon in value)
    if not all(len(polygon) > 2 for polygon in polygons):
        raise ValueError("a polygon of the region has fewer than three corners")
    return polygons


def _msrvtt(data: Path, captions: Path | None, count: int) -> list[Pair]:
    """MSR-VTT as it is distributed: MSR_VTT.json (or CLIP4Clip's MSRVTT_data.json), and videos.

    The ids are sorted as text and ``count`` drawn by ``random.Random(42).sample``; the caption is
    the first in the file, or the one that stands in ``captions``.
    """
    notes, videos = data, data.parent
    if data.is_dir():
        found = [p for n in ("MSR_VTT.json", "MSRVTT_data.json") for p in sorted(data.rglob(n))]
        if not found:
            raise RequestError(
                f"There is no MSR_VTT.json in {str(data)!r}: unpack MSRVTT.zip there, with its "
                "folders annotation and videos."
            )
        notes, videos = found[0], data
    elif notes.parent.name == "annotation":
        videos = notes.parent.parent
    try:
        sentences = _sentences(json.loads(notes.read_text("utf-8")))
    except (ValueError, KeyError, TypeError):
        raise RequestError(
            f"{notes.name} is not as MSR-VTT is distributed: it has no list 'annotations' of "
            "image_id and caption, nor 'sentences' of video_id and caption."
        ) from None
    if captions is not None:
        wanted = {line.strip().lower() for line in captions.read_text("utf-8").splitlines()}
        sentences = {
            name: kept
            for name, said in sentences.items()
            if (kept := [s for s in said if s.strip().lower() in wanted])
        }
    files = {p.stem: p for p in sorted(videos.rglob("*.mp4"))}
    there = sorted(sentences.keys() & files.keys())
    if len(there) < count:
        raise RequestError(
            f"{len(there)} captioned videos of MSR-VTT lie in {str(videos)!r}, fewer than the "
            f"{count} that are to be drawn: complete the folder, or draw fewer with --limit."
        )
    drawn = random.Random(DRAW_SEED).sample(there, count)
    return [Pair(name, sentences[name][0].strip(), clip=files[name]) for name in drawn]


def _sentences(notes: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[str]]:
    """Video id -> its captions in the file's order."""
    rows = notes["annotations"] if "annotations" in notes else notes["sentences"]
    key = "image_id" if "annotations" in notes else "video_id"
    out: dict[str, list[str]] = {}
    for row in rows:
        out.setdefault(str(row[key]), []).append(str(row["caption"]))
    return out
