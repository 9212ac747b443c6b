"""The bundled paintings and photographs, and the command that makes their ready results.

    python -m awaken.examples            makes every ready result anew, through the engine
    python -m awaken.examples hay-wain   makes this one

examples/index.json is the list; examples/results/<id>/ holds what the page shows before anybody
has pressed a button: stacked.mp4 (baseline over awakened), proxy.jpg and settings.json.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from awaken.engine import Engine, result_of
from awaken.painting import open_painting
from awaken.types import AwakenError, Request, Result
from awaken.video import result_settings, stacked, write_mp4

log = logging.getLogger(__name__)

FOLDER = Path(__file__).resolve().parent.parent / "examples"
MAX_VIDEO_BYTES = 520_000  # sixteen of them stay under 8.5 MB in the repository
_CRFS = (20, 22, 24, 26, 28, 30, 32)  # tried in turn until the video is small enough


@dataclass(frozen=True)
class Example:
    """One entry of examples/index.json.

    Attributes:
        id: short name, also of its folder under examples/results.
        file: path of the painting or photograph, from the folder examples.
        kind: "painting" or "photograph".
        title, artist, year, source, licence: the credit; ``source`` is where the file came from.
        prompt: what moves in the ready result; suggestions: other prompts that suit this picture.
        settings: fields of ``awaken.types.Request`` that differ from their defaults.
        failure: None, or a sentence that says what fails here and why (Sec. 5.3). Such an entry is
            a lesson, not a gallery picture, and shares its file with one.
    """

    id: str
    file: str
    kind: str
    title: str
    artist: str
    year: str
    source: str
    licence: str
    prompt: str
    suggestions: tuple[str, ...] = ()
    settings: Mapping[str, Any] | None = None
    failure: str | None = None

    @property
    def path(self) -> Path:
        """Where the painting lies."""
        return FOLDER / self.file

    @property
    def results(self) -> dict[str, Path]:
        """The ready result: stacked, proxy and settings; empty where it has not been made."""
        folder = FOLDER / "results" / self.id
        paths = {
            "stacked": folder / "stacked.mp4",
            "proxy": folder / "proxy.jpg",
            "settings": folder / "settings.json",
        }
        return paths if all(path.is_file() for path in paths.values()) else {}

    def request(self) -> Request:
        """The run behind the ready result."""
        return Request(open_painting(self.path), self.prompt, **(self.settings or {}))


def load_index() -> list[Example]:
    """All entries of examples/index.json, in gallery order; those with ``failure`` come last.

    A broken entry is left out, a broken list is an empty one, each with a line in the log.
    """
    try:
        entries = json.loads((FOLDER / "index.json").read_text("utf-8"))
        return [example for entry in entries if (example := _example(entry))]
    except (OSError, ValueError, TypeError) as error:
        log.error("The examples are left out: %s", error)
        return []


def _example(entry: Any) -> Example | None:
    try:
        return Example(**entry | {"suggestions": tuple(entry["suggestions"])})
    except (TypeError, KeyError) as error:
        log.error("An example is left out: %s", error)
        return None


def run(engine: Engine, example: Example) -> Result:
    """Run an example's request. Raises AwakenError where the engine answers with Failed."""
    return result_of(engine.animate(example.request()))


def write_ready_result(result: Result, example: Example) -> Path:
    """Write the small files of a ready result; returns their folder."""
    folder = FOLDER / "results" / example.id
    folder.mkdir(parents=True, exist_ok=True)
    settings = result_settings(result)
    frames = stacked(result.baseline, result.awakened)
    video = folder / "stacked.mp4"
    for crf in _CRFS:
        write_mp4(frames, video, settings["fps"], settings, crf=crf, preset="slower")
        if video.stat().st_size <= MAX_VIDEO_BYTES:
            break
    Image.fromarray(result.proxy).save(folder / "proxy.jpg", quality=85, optimize=True)
    text = json.dumps(settings, indent=2, ensure_ascii=False) + "\n"
    (folder / "settings.json").write_text(text, encoding="utf-8")
    return folder


def main(argv: list[str] | None = None) -> int:
    """The command; returns its exit status."""
    examples = {example.id: example for example in load_index()}
    parser = argparse.ArgumentParser(
        prog="python -m awaken.examples", description="Make the ready results of the examples."
    )
    parser.add_argument("ids", nargs="*", choices=[*examples, []], metavar="ID")
    wanted = parser.parse_args(argv).ids or list(examples)
    from awaken.engine import Engine

    # float32 on the CPU, so that every machine makes the same pictures.
    engine = Engine(device="cpu", dtype="float32")
    for name in wanted:
        try:
            result = run(engine, examples[name])
        except AwakenError as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 2
        folder = write_ready_result(result, examples[name])
        size = sum(path.stat().st_size for path in folder.iterdir()) // 1000
        print(f"{name}: {result.timings['total']:.0f} s, {size} kB in {folder}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
