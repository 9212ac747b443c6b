"""A series of runs of one engine, shown as a grid of videos that move together.

Laboratory and comparison are lists of ``Trial``; ``series`` runs them one after another through
``Engine.animate``, whose memo keeps what they share, and counts what that saved. It yields values
of ``awaken.ui.lab.grid.Grid``.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from awaken import types
from awaken.analysis import motion
from awaken.engine import until_result
from awaken.sampling import Outcome
from awaken.types import AwakenError, Request
from awaken.ui import texts
from awaken.ui.lab.film import TILE, preview, small, write_film
from awaken.ui.lab.grid import failed, waiting
from awaken.ui.run import requests, results
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.texts.lab_en import say
from awaken.ui.texts.languages import join_sentences
from awaken.ui.texts.messages import translate
from awaken.ui.viewer import stage

if TYPE_CHECKING:
    from awaken.ui.run.engine_holder import EngineHolder

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trial:
    """One run: the fields of ``Request`` that differ from the rail's, and what to call it.

    use: "<name of Request>:<value>" that the rail takes over when the visitor wants this one.
    """

    label: str
    changes: Mapping[str, Any]
    use: str = ""


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
    holder: EngineHolder,
    values: Mapping[str, Any],
    trials: Sequence[Trial],
    *,
    baseline: Literal["once", "each", "none"] = "once",
    stills: bool = False,
    columns: int = 3,
) -> Iterator[dict[str, Any]]:
    """Run all trials; yields Grid values, the last of them a film of all videos.

    values: as ``requests.make_request`` takes them. baseline: one tile for all, one per trial, or none.
    stills: each tile shows its proxy image and how near it is to the painting.
    A trial that cannot run is told about and left out. Closing the generator stops the work within
    one step.
    """
    holder.busy += 1
    try:
        yield waiting()
        began = time.perf_counter()
        request = requests.make_request(**values)
        yield from warmed(holder)
        yield from _series(holder, request, trials, baseline, stills, columns, began)
    except AwakenError as error:
        yield failed(error.message)
    except Exception:
        log.exception("a series failed")
        yield failed(texts.say("internal"))
    finally:
        holder.busy -= 1


def saving(result: types.Result) -> str:
    """What one run needed, and what the memo saved it."""
    reuse = _Reuse()
    reuse.add(result, (), False)
    return reuse.sentence()


def warmed(holder: EngineHolder) -> Iterator[dict[str, Any]]:
    """Wait for the engine, telling so."""
    began = time.perf_counter()
    while not holder.wait(0.5):
        yield {"state": "running", "line": say("warming", seconds=time.perf_counter() - began)}


def run_one(
    holder: EngineHolder, request: Request, label: str, index: int, count: int
) -> Generator[dict[str, Any], None, tuple[types.Result, list[str]]]:
    """One run of ``count``, as moments of a grid without pictures; returns (result, reused stages).

    Raises AwakenError with the engine's sentence when it fails.
    """
    reused: list[str] = []
    told = {"index": index + 1, "count": count, "label": label}
    share = index / count
    run = Outcome(until_result(holder.engine().animate(request)))
    for event in run:
        line = ""
        if isinstance(event, types.Waiting):
            line = say("waited", seconds=event.seconds)
        elif isinstance(event, types.Stage):
            if event.reused:
                reused.append(event.name)
            line = say("running", stage=say(f"stage_{event.name}"), **told)
        elif isinstance(event, types.Step):
            share = (index + event.done) / count
            stage_name = say(f"stage_{event.stage}")
            told_step = told | {"stage": stage_name, "step": event.index, "steps": event.count}
            line = say("running_step", **told_step)
        if line:
            yield {"state": "running", "line": line, "share": share}
    return run.value, reused


def _series(
    holder: EngineHolder,
    request: Request,
    trials: Sequence[Trial],
    baseline: str,
    stills: bool,
    columns: int,
    began: float,
) -> Iterator[dict[str, Any]]:
    reuse, tiles, videos, problems, messages = _Reuse(), [], [], [], []
    last: np.ndarray | None = None
    fps, value = 8, {}
    for i, trial in enumerate(trials):
        told = {"index": i + 1, "count": len(trials), "label": trial.label}
        line = say("running", stage=say("stage_load"), **told)
        yield value | {"state": "running", "line": line, "share": i / len(trials)}
        try:
            run = run_one(holder, replace(request, **trial.changes), trial.label, i, len(trials))
            result, reused = yield from run
        except AwakenError as error:
            messages.append(translate(error.message))
            problems.append(say("problem", label=trial.label, message=translate(error.message)))
            value["problems"] = list(problems)
            continue
        reuse.add(result, reused, result.baseline is last)  # the memo hands out the same array
        fps, last = result.settings["fps"], result.baseline
        for tile, video in _tiles(result, trial, baseline, first=not tiles, still=stills):
            tiles.append(tile)
            videos.append(video)
        value = {"tiles": list(tiles), "problems": list(problems), "columns": columns, "fps": fps}
        value |= preview(videos)
        yield {"state": "running", "line": line, "share": (i + 1) / len(trials), "keep": result}
    if not videos:
        yield failed(join_sentences(*dict.fromkeys(messages)))
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


def _tiles(
    result: types.Result, trial: Trial, baseline: str, first: bool, still: bool
) -> Iterator[tuple[dict[str, str], np.ndarray]]:
    """(tile, video) for every video of a trial that the grid shows; see ``series``."""
    names = {"awakened": trial.label}
    if baseline == "each":
        names = {
            name: say("tile_of", title=trial.label, video=texts.say(f"names_{name}"))
            for name in ("baseline", "awakened")
        }
    elif baseline == "once" and first:
        names = {"baseline": say("tile_baseline"), **names}
    for which, name in names.items():
        video = getattr(result, which)
        tile = {
            "name": name,
            "note": say("note_motion", motion=motion(video)),
            "still": "",
            "use": "",
        }
        if which == "awakened":
            tile["use"] = trial.use
            if still:
                proxy = results.proxy_in_words(result.psnr, result.luma_correlation)
                tile["note"] = f"{proxy} · {tile['note']}"
                tile["still"] = stage.picture(small(result.proxy[None], TILE)[0])
        yield tile, small(video, TILE)
