"""A series of runs of one engine, shown as a grid of videos that move together.

Laboratory and comparison are lists of ``Trial``; ``series`` runs them one after another through
``Engine.animate``, whose memo keeps what they share, and counts what that saved. It yields values
of ``Grid``. Everything of a visitor lives in the generator's locals and in the run's own folder.
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import gradio as gr
import numpy as np
from gradio.data_classes import FileData, GradioModel

from awaken import types
from awaken.analysis import motion
from awaken.painting import to_size
from awaken.preview import atlas
from awaken.types import AwakenError, Request
from awaken.ui import results, runs, stage, status, texts
from awaken.ui.below import tell
from awaken.ui.laboratory_texts import say
from awaken.ui.languages import together

if TYPE_CHECKING:
    from awaken.ui.runs import Workshop

log = logging.getLogger(__name__)

ASSETS = Path(__file__).resolve().parents[2] / "assets"
TILE = 512  # px of a tile's longer side in the film
PREVIEW = 128  # the same while the series runs
WORDS = ("play", "pause", "previous", "next", "scrub", "frame", "grid", "still", "trouble", "use",
         "download")  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """One run: the fields of ``Request`` that differ from the rail's, and what to call it.

    use: "<name of Request>:<value>" that the rail takes over when the visitor wants this one.
    """

    label: str
    changes: Mapping[str, Any]
    use: str = ""


class Tile(GradioModel):
    """One video of the grid; ``still`` is a picture (data URL) that belongs to it."""

    name: str
    note: str = ""
    still: str = ""
    use: str = ""


class GridValue(GradioModel):
    """What crosses to the browser. ``tiles`` of None leaves the videos that are shown; ``run`` is
    what the tab remembers of a series under way."""

    state: Literal["idle", "running", "done", "failed", "stopped"] = "idle"
    line: str = ""
    share: float = 0.0
    run: dict[str, Any] | None = None
    problems: list[str] | None = None
    tiles: list[Tile] | None = None
    columns: int = 3
    preview: stage.Preview | None = None
    film: FileData | None = None
    frames: int = 0
    fps: float = 8
    width: int = 0
    height: int = 0


class Grid(gr.HTML):
    """Small multiples with one clock: all tiles are drawn from one decoded picture.

    Output only. ``select`` carries ``use``, a tile's settings, when its button is pressed.
    """

    data_model = GridValue

    def __init__(self, place: str, **kwargs: Any):
        """``place``: the name of its bench."""
        words = {name: say(name) for name in WORDS}
        script = "\n".join(
            (ASSETS / "js" / path).read_text("utf-8")
            for path in ("stage/decode.js", "laboratory/grid.js")
        )
        super().__init__(
            value=idle(),
            html_template=(ASSETS / "html" / "grid.html").read_text("utf-8"),
            js_on_load=f"const words = {json.dumps(words)}, place = {json.dumps(place)};\n{script}",
            apply_default_css=False,
            elem_id=f"aw-grid-{place}",
            elem_classes=["aw-part"],
            **kwargs,
        )

    def preprocess(self, payload: GridValue | None) -> None:
        """Nothing is ever taken from a browser."""

    def postprocess(self, value: Mapping[str, Any] | None) -> GridValue:
        return GridValue(**(value or idle()))


def idle() -> dict[str, Any]:
    """Before the first series."""
    return {"state": "idle", "line": say("idle")}


def waiting() -> dict[str, Any]:
    """At once after the click; the last videos stay."""
    return {"state": "running", "line": say("waiting")}


def queued(ahead: int, wait: float | None) -> dict[str, Any]:
    """In the queue behind ``ahead`` others; see ``awaken.ui.status.queued``."""
    now = status.queued(ahead, wait)
    return {"state": "running", "line": " · ".join(filter(None, (now.line, now.detail)))}


def merged(before: Mapping[str, Any], moment: Mapping[str, Any]) -> dict[str, Any]:
    """What a grid shows after both: a moment without pictures leaves the earlier ones."""
    return {k: v for k, v in before.items() if k not in ("line", "state")} | dict(moment)


def stopped() -> dict[str, Any]:
    """After Stop; what was finished stays."""
    return {"state": "stopped", "line": say("stopped")}


def lost(restarted: bool) -> dict[str, Any]:
    """The tab remembers a series that this server does not know; see ``status.lost``."""
    return {"state": "failed", "line": say("lost_restarted" if restarted else "lost_forgotten")}


def failed(message: str) -> dict[str, Any]:
    """The series could not begin, or broke off."""
    return {"state": "failed", "line": tell(message)}


@dataclass
class _Reuse:
    """What a series needed and what it would have needed run by run from scratch."""

    evaluations: int = 0
    scratch: int = 0
    runs: int = 0
    stages: Counter = field(default_factory=Counter)

    def add(self, result: types.Result, stages: Sequence[str], baseline: bool) -> None:
        self.evaluations += result.evaluations
        self.scratch += result.evaluations_from_scratch
        self.runs += 1
        self.stages.update({*stages} - {"decode"})
        if baseline and "denoise" not in stages:
            self.stages["baseline"] += 1

    def sentence(self) -> str:
        if self.evaluations == self.scratch:
            return say("saved_none", evaluations=self.evaluations)
        if not self.evaluations:
            return say("saved_all")
        names = ("baseline", "proxy", "distil", "denoise")
        reused = [say(f"reused_{n}", count=self.stages[n]) for n in names if self.stages[n]]
        return say(
            "saved", evaluations=self.evaluations, scratch=self.scratch,
            reused=say("and").join(reused) or say("reused_other"),
            share=1 - self.evaluations / self.scratch,
        )  # fmt: skip


def series(
    workshop: Workshop,
    values: Mapping[str, Any],
    trials: Sequence[Trial],
    *,
    baseline: Literal["once", "each", "none"] = "once",
    stills: bool = False,
    columns: int = 3,
) -> Iterator[dict[str, Any]]:
    """Run all trials; yields Grid values, the last of them a film of all videos.

    values: as ``runs.make_request`` takes them. baseline: one tile for all, one per trial, or none.
    stills: each tile shows its proxy image and how near it is to the painting.
    A trial that cannot run is told about and left out. Closing the generator stops the work within
    one step.
    """
    workshop.busy += 1
    try:
        yield waiting()
        began = time.perf_counter()
        request = runs.make_request(**values)
        yield from warmed(workshop)
        yield from _series(workshop, request, trials, baseline, stills, columns, began)
    except AwakenError as error:
        yield failed(str(error))
    except Exception:
        log.exception("a series failed")
        yield failed(texts.say("internal"))
    finally:
        workshop.busy -= 1


def saving(result: types.Result) -> str:
    """What one run needed, and what the memo saved it."""
    reuse = _Reuse()
    reuse.add(result, (), False)
    return reuse.sentence()


def warmed(workshop: Workshop) -> Iterator[dict[str, Any]]:
    """Wait for the engine, telling so."""
    began = time.perf_counter()
    while not workshop.wait(0.5):
        yield {"state": "running", "line": say("warming", seconds=time.perf_counter() - began)}


def run_one(
    workshop: Workshop, request: Request, label: str, index: int, count: int
) -> Iterator[dict[str, Any]]:
    """One run of ``count``, as moments of a grid without pictures; returns (result, reused stages).

    Raises AwakenError with the engine's sentence when it fails.
    """
    reused: list[str] = []
    told = {"index": index + 1, "count": count, "label": label}
    share = index / count
    with closing(workshop.engine().animate(request)) as events:
        for event in events:
            line = ""
            if isinstance(event, types.Failed):
                error = AwakenError(event.message)
                error.kind = event.kind
                raise error
            if isinstance(event, types.Result):
                return event, reused
            if isinstance(event, types.Waiting):
                line = say("waited", seconds=event.seconds)
            elif isinstance(event, types.Stage):
                if event.reused:
                    reused.append(event.name)
                line = say("running", stage=say(f"stage_{event.name}"), **told)
            elif isinstance(event, types.Step):
                share = (index + event.done) / count
                line = say(
                    "running_step", stage=say(f"stage_{event.stage}"), step=event.index,
                    steps=event.count, **told,
                )  # fmt: skip
            if line:
                yield {"state": "running", "line": line, "share": share}
    raise RuntimeError("the engine ended without a result")


def _series(
    workshop: Workshop, request: Request, trials: Sequence[Trial], baseline: str, stills: bool,
    columns: int, began: float,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    reuse, tiles, videos, problems, messages = _Reuse(), [], [], [], []
    last: np.ndarray | None = None
    fps, value = 8, {}
    for i, trial in enumerate(trials):
        try:
            wish = replace(request, **trial.changes)
            running = run_one(workshop, wish, trial.label, i, len(trials))
            result, reused = yield from _with(value, running)
        except AwakenError as error:
            messages.append(tell(str(error)))
            problems.append(say("problem", label=trial.label, message=tell(str(error))))
            value["problems"] = list(problems)
            continue
        reuse.add(result, reused, result.baseline is last)  # the memo hands out the same array
        fps, last = result.settings["fps"], result.baseline
        shown = {"awakened": trial.label}
        if baseline == "each":
            shown = {
                name: say("tile_of", title=trial.label, video=texts.say(f"names_{name}"))
                for name in ("baseline", "awakened")
            }
        elif baseline == "once" and not tiles:
            shown = {"baseline": say("tile_baseline"), **shown}
        for which, name in shown.items():
            video = getattr(result, which)
            picture = stills and which == "awakened"
            notes = [say("note_motion", motion=motion(video))]
            if picture:
                notes.insert(0, results.proxy_in_words(result.psnr, result.luma_correlation))
            tiles.append(
                {
                    "name": name,
                    "note": " · ".join(notes),
                    "still": stage.picture(small(result.proxy[None], TILE)[0]) if picture else "",
                    "use": trial.use if which == "awakened" else "",
                }
            )
            videos.append(small(video, TILE))
        value = {"tiles": list(tiles), "problems": list(problems), "columns": columns, "fps": fps}
        value |= _preview(videos)
    if not videos:
        yield failed(together(*dict.fromkeys(messages)))
        return
    yield value | {"state": "running", "line": say("writing"), "share": 1.0}
    film = write_film(videos, columns, fps)
    line = say(
        "done" if reuse.runs > 1 else "done_one",
        count=reuse.runs,
        seconds=time.perf_counter() - began,
        saved=reuse.sentence(),
    )
    yield value | film | {"state": "done", "line": line, "share": 1.0}


def _with(value: Mapping[str, Any], moments: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Moments of a run beside the first look at what is finished; returns what they return."""
    fresh = dict(value)
    with closing(moments):
        while True:
            try:
                moment = next(moments)
            except StopIteration as end:
                return end.value
            yield fresh | moment
            fresh = {}  # the pictures are sent once


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


def _preview(videos: Sequence[np.ndarray]) -> dict[str, Any]:
    tiny = _alike([small(video, PREVIEW) for video in videos])
    height, width = videos[0].shape[1:3]
    sheet = atlas({str(i): video for i, video in enumerate(tiny)})
    return {"preview": sheet, "frames": sheet["frames"], "width": width, "height": height}


def write_film(videos: Sequence[np.ndarray], columns: int, fps: int) -> dict[str, Any]:
    """All videos in one mp4 below Gradio's cache, and what the grid must know to cut it up."""
    from awaken.video import CRF_INTRA, mosaic, write_mp4

    alike = _alike(videos)
    path = runs.new_folder() / "grid.mp4"
    write_mp4(mosaic(alike, columns), path, fps, keyframe_every=1, crf=CRF_INTRA)
    frames, height, width, _ = alike[0].shape
    return {
        "film": FileData(path=str(path)).model_dump(), "frames": frames, "fps": fps,
        "width": width, "height": height, "columns": columns,
    }  # fmt: skip
