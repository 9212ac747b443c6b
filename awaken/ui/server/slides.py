"""The films on the stage for talks: from a folder of anybody's bundles, or the bundled examples.

What cannot be shown is left out, with a sentence. Nothing is read but plain files inside the folder:
no link leads out of it, and no pipe holds up the talk.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from awaken.bundle.reader import MAX_MEMBER, MAX_TEXT, Bundle, json_object, label_of
from awaken.examples import load_index
from awaken.types import AwakenError, RequestError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Slide:
    """One film on the stage.

    facts: ``title``, ``byline``, ``credit``, ``licence``, ``prompt``, ``width``, ``height``,
        ``fps`` and ``frames`` (of one video), as ``awaken.bundle.reader.label_of`` checks them.
    film: gives the stacked mp4 (baseline over awakened). Raises RequestError, OSError.
    """

    facts: dict[str, Any]
    film: Callable[[], bytes]


def from_examples() -> list[Slide]:
    """The ready results of the bundled paintings, in gallery order, without the failures."""
    slides = []
    for example in load_index():
        if not example.results or example.failure:
            continue
        picture = {
            "title": example.title,
            "byline": ", ".join(part for part in (example.artist, example.year) if part),
            "credit": example.source,
            "licence": example.licence,
        }
        folder = example.results["stacked"].parent
        slide, problem = _made(partial(_from_result, folder, picture=picture), folder)
        if problem:
            log.error("%s", problem)
        slides += slide
    return slides


def from_folder(folder: str | Path) -> tuple[list[Slide], list[str]]:
    """Slides from a folder's bundles (zip) and result folders, by name, and what was left out, why.

    A folder that is itself a result makes one slide.

    Raises:
        RequestError: with a sentence, when the folder is not there or holds nothing to show.
    """
    folder = Path(folder)
    try:
        if not folder.is_dir():
            raise RequestError(
                "There is no folder {name}: name one that holds bundles.", name=folder
            )
        single = (folder / "stacked.mp4").is_file()
        names = sorted(folder.iterdir(), key=lambda path: path.name.lower())
    except (OSError, ValueError) as error:
        raise RequestError(
            "The folder {name} cannot be read ({problem}).", name=folder, problem=error
        ) from None
    slides, problems = [], []
    for path in [folder] if single else names:
        slide, problem = _made(partial(_found, folder), path)
        slides += slide
        problems += [problem] if problem else []
    if not slides:
        hint = "Put bundles there: the zips that the page offers under a result."
        raise RequestError(" ".join([f"There is nothing to show in {folder}.", *problems, hint]))
    return slides, problems


def _made(make: Callable[[Path], Slide | None], path: Path) -> tuple[list[Slide], str | None]:
    """The slide of one entry, and why there is none. What is no film at all is passed over."""
    try:
        slide = make(path)
        return [slide] if slide else [], None
    except (AwakenError, OSError) as error:
        return [], f"{_written(path.name)} is left out. {error}"
    except Exception:  # from anybody, and broken in a way of its own
        log.exception("%s is left out", path.name)
        return [], f"{_written(path.name)} is left out. It is broken."


def _found(home: Path, path: Path) -> Slide | None:
    if path.suffix.lower() == ".zip":
        return _from_bundle(home, path)
    if path.is_dir() and (path / "stacked.mp4").exists():
        return _from_result(home, path, {"title": _title(path.name or path.resolve().name)})
    return None


def _from_bundle(home: Path, path: Path) -> Slide:
    def film() -> bytes:
        with Bundle(_plain(home, path)) as bundle:
            return bundle.read("stacked.mp4")

    with Bundle(_plain(home, path)) as bundle:
        facts = bundle.label()
        if "stacked.mp4" not in bundle:
            raise RequestError("It holds no film for the stage.")
    return Slide(facts | {"title": facts["title"] or _title(path.stem)}, film)


def _from_result(home: Path, folder: Path, picture: dict[str, str]) -> Slide:
    def film() -> bytes:
        return _bytes(home, folder / "stacked.mp4", MAX_MEMBER)

    facts = json_object(_bytes(home, folder / "settings.json", MAX_TEXT))
    if _plain(home, folder / "stacked.mp4").stat().st_size > MAX_MEMBER:
        raise RequestError("Its film is larger than anything that Awaken makes.")
    return Slide(label_of(picture, facts.get("prompt"), facts), film)


def _plain(home: Path, path: Path) -> Path:
    """Where a plain file inside the folder really lies. Raises RequestError for whatever else."""
    try:
        place = path.resolve()
    except (OSError, RuntimeError) as error:  # links in a circle
        raise RequestError("It is a link that leads nowhere.") from error
    if not place.is_relative_to(home.resolve()):
        raise RequestError("It is a link out of the folder.")
    if not place.is_file():
        raise RequestError("It is no plain file.")
    return place


def _bytes(home: Path, path: Path, most: int) -> bytes:
    with _plain(home, path).open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise RequestError("It is larger than anything that Awaken makes.")
    return data


def _title(name: str) -> str:
    """A file's name as words."""
    return re.sub(r"[-_]+", " ", _written(name))


def _written(name: str) -> str:
    """A file's name; bytes that no text has are replaced."""
    return name.encode("utf-8", "replace").decode("utf-8")
