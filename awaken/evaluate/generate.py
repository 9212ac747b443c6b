"""Making the videos: what is there is not made again, what is torn is; ids go to processes."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from typing import Protocol as Interface

import numpy as np
from PIL import Image

from awaken.backends import BACKENDS
from awaken.engine import result_of
from awaken.evaluate import films
from awaken.evaluate.arms import Arm
from awaken.evaluate.pairs import Pair
from awaken.evaluate.protocol import CLIP_FPS, Protocol, keep_models, write_text
from awaken.painting import open_mask, open_painting, to_size
from awaken.proxies import PROXIES
from awaken.settings import resolve
from awaken.types import AwakenError, Request, RequestError, Result
from awaken.video import read_clip

if TYPE_CHECKING:
    from awaken.types import Event

log = logging.getLogger(__name__)


class Animator(Interface):
    """What makes videos: an ``Engine``, or whatever else answers requests as it does."""

    def animate(self, request: Request) -> Iterator[Event]: ...


@dataclass
class Report:
    """What was done: videos made, and a sentence for each that could not be."""

    made: int = 0
    failures: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, parts: Sequence[Report]) -> Report:
        return cls(sum(p.made for p in parts), [said for p in parts for said in p.failures])


@contextmanager
def shared(pairs: Sequence[Pair], cpu: bool) -> Iterator[tuple[list[Pair], str, bool]]:
    """This process's part of the pairs, its device, and whether it is the one that speaks.

    Under ``accelerate launch`` each process gets its own ids; alone it gets all.
    """
    from accelerate import PartialState

    state = PartialState(cpu=cpu)
    try:
        with state.split_between_processes(list(pairs)) as mine:
            yield mine, str(state.device), state.is_main_process
    finally:
        state.destroy_process_group()


def check(pairs: Sequence[Pair], arms: Sequence[Arm], protocol: Protocol) -> None:
    """Raise RequestError or ModelError for what would fail later, before anything is loaded."""
    grey = np.zeros((64, 64, 3), np.uint8)
    for arm in arms:
        request = request_of(pairs[0], arm, protocol, grey)
        if request.proxy not in PROXIES or request.backend not in BACKENDS:
            raise RequestError(f"There is no model for the arm {arm.name!r}.")
        resolve(request, BACKENDS[request.backend], PROXIES[request.proxy])


def request_of(pair: Pair, arm: Arm, protocol: Protocol, painting: np.ndarray) -> Request:
    """The run of one pair and arm on (h, w, 3) uint8."""
    known = {"backend": protocol.backend, "proxy": protocol.proxy, "frames": protocol.frames}
    known["size"] = round(math.sqrt(protocol.width * protocol.height))
    known |= {"seed": protocol.seed if pair.seed is None else pair.seed, "sequential": True}
    return Request(
        painting, pair.prompt, variant=arm.variant, **known | dict(protocol.settings) | arm.changes
    )


def missing(pair: Pair, arms: Sequence[Arm], out: Path) -> list[Arm]:
    """The arms of a pair that are to be made (again)."""
    return [arm for arm in arms if not films.whole(films.path_of(out, arm.slug, pair.id))]


def wanted(pairs: Sequence[Pair], arms: Sequence[Arm], out: Path) -> int:
    """How many videos are to be made."""
    return sum(len(missing(pair, arms, out)) for pair in pairs)


def generate(
    pairs: Sequence[Pair],
    arms: Sequence[Arm],
    protocol: Protocol,
    out: Path,
    animator: Callable[[], Animator],
    progress: Callable[[int, str], None] = lambda made, what: None,
) -> Report:
    """Make what is missing of these pairs, arm after arm, so that stages are shared.

    ``animator`` is called once, when there is something to make; ``progress`` after every video
    (1) and before it (0), with words. A video that fails is told and left out.

    Raises:
        AwakenError of the kind ``model``: missing or broken, so nothing else would work either.
    """
    report, engine = Report(), None
    for pair in pairs:
        todo = missing(pair, arms, out)
        complete = _condition_is_there(pair, out)
        if not complete and not todo:
            todo = list(arms[:1])
        if not todo:
            continue
        engine = engine or animator()
        try:
            painting, real = _opened(pair, protocol)
        except RequestError as error:
            report.failures.append(f"{pair.id}: {error}")
            progress(len(todo), pair.id)
            continue
        for arm in todo:
            progress(0, f"{pair.id} {arm.name}")
            try:
                result = result_of(engine.animate(request_of(pair, arm, protocol, painting)))
                if not complete:
                    _keep_condition(pair, protocol, result, real, out)
                    complete = True
                frames = result.baseline if arm.variant == "baseline" else result.awakened
                settings = dict(result.settings) | {"id": pair.id, "arm": arm.name}
                keep_models(settings, out)
                films.write(out, arm.slug, pair.id, frames, settings)
                report.made += 1
            except AwakenError as error:
                if error.kind == "model":
                    raise
                report.failures.append(f"{pair.id}, {arm.name}: {error}")
            progress(1, "")
    return report


def _opened(pair: Pair, protocol: Protocol) -> tuple[np.ndarray, np.ndarray | None]:
    """The condition image, and the real clip where its size is known before the run."""
    if pair.image is not None:
        return open_painting(pair.image), None
    real = _real(pair, protocol.frames, protocol.width, protocol.height)
    return real[0].copy(), real


def _real(pair: Pair, frames: int, width: int, height: int) -> np.ndarray:
    """(frames, height, width, 3) uint8. Raises RequestError for a clip that is too short."""
    clip = read_clip(pair.clip, frames, CLIP_FPS, width, height)
    if len(clip) < frames:
        raise RequestError(
            f"the real clip {pair.clip.name} has {len(clip)} frames at {CLIP_FPS} a second, and "
            f"{frames} are needed."
        )
    return clip


def _keep_condition(
    pair: Pair, protocol: Protocol, result: Result, real: np.ndarray | None, out: Path
) -> None:
    """The painting as it was worked on, its region, and its real clip, all of one size."""
    height, width = result.painting.shape[:2]
    if real is None and pair.clip is not None:
        real = _real(pair, protocol.frames, width, height)
    if real is not None:
        if real.shape[1:3] != (height, width):
            raise RequestError(
                f"{protocol.backend} works at {width} x {height} pixels where the protocol says "
                f"{real.shape[2]} x {real.shape[1]}: name a size of its own with --clip-size."
            )
        facts = {"id": pair.id, "arm": films.REAL, "fps": CLIP_FPS, "frames": len(real)}
        facts |= {"width": width, "height": height}
        films.write(out, films.REAL, pair.id, real, facts)
    if pair.region is not None:
        region = region_of(pair.region, result.painting)
        _save(region.astype(np.uint8) * 255, out / "regions" / f"{pair.id}.png")
    _save(result.painting, out / "conditions" / f"{pair.id}.png")


def region_of(region: Any, painting: np.ndarray) -> np.ndarray:
    """(h, w) bool of the painting's size, from a picture's path or polygons in percent."""
    import cv2

    height, width = painting.shape[:2]
    if isinstance(region, Path):
        mask = open_mask(region, painting)
        return to_size(np.repeat(mask[..., None], 3, 2), width, height)[..., 0] > 127
    mask = np.zeros((height, width), np.uint8)
    for polygon in region:
        corners = np.asarray(polygon, np.float64) * (width / 100, height / 100)
        cv2.fillPoly(mask, [np.round(corners).astype(np.int32)], 1)
    return mask > 0


def _condition_is_there(pair: Pair, out: Path) -> bool:
    names = ["conditions"] + ["regions"] * (pair.region is not None)
    there = all(picture(out, name, pair.id) is not None for name in names)
    real = pair.clip is None or films.whole(films.path_of(out, films.REAL, pair.id))
    return there and real


def picture(out: Path, kind: str, name: str) -> np.ndarray | None:
    """A kept condition (h, w, 3) or region (h, w), uint8; None where it is torn or absent."""
    try:
        with Image.open(out / kind / f"{name}.png") as image:
            return np.asarray(image)
    except (OSError, SyntaxError):
        return None


def _save(array: np.ndarray, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    Image.fromarray(array).save(partial, format="PNG", compress_level=3)
    partial.replace(path)


def keep_pairs(pairs: Sequence[Pair], out: Path) -> None:
    """``pairs.jsonl``: what the later commands need to know of the manifest."""
    lines = [json.dumps(pair.facts(), ensure_ascii=False) for pair in pairs]
    write_text(out / "pairs.jsonl", "\n".join(lines) + "\n")
