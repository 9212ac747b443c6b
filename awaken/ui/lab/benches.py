"""The benches of the laboratory: a Go and a Stop whose work is a job, and the way back to it.

A press makes a job in everybody's queue (``awaken.ui.jobs``) and watches it; so does a page that was
loaded anew, once ``rejoin`` has found out which of the tab's series there are, and which are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from awaken.types import AwakenError
from awaken.ui import texts
from awaken.ui.controls.rail import Controls, standing
from awaken.ui.jobs.events import QUIET, UNSEEN, as_event, event_limits, pressable
from awaken.ui.jobs.job import Job, JobUpdate, is_token
from awaken.ui.jobs.tab_session import OWNER_JS, SESSION_JS, TabSession
from awaken.ui.lab import grid
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.run.submission import RunSubmission, memory
from awaken.ui.texts.lab_en import say

NAMES = ("sweep", "variants", "paths", "backends", "proxies")  # the places of their jobs


@dataclass(frozen=True)
class LabSubmission(RunSubmission):
    """What a bench was asked for: besides the rail's settings what its own widgets said."""

    choices: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Bench:
    """One place of the laboratory: its buttons, where it shows things, what its jobs are like.

    name: one of ``NAMES``. outputs: what the work's moments fill in, ``wall`` first. runs: about
    how many a job makes. choices: widgets of its own that the work reads. merge: see
    ``JobManager.submit``. going: whether a job is under way. returns: whether this page has just
    opened on a job of the bench; outside of the tabs, for in one that is not open every update of a
    state counts as a change.
    """

    name: str
    returns: gr.State
    go: gr.Button
    stop: gr.Button
    wall: gr.components.Component
    outputs: list[gr.components.Component]
    runs: int
    choices: list[gr.components.Component] = field(default_factory=list)
    merge: Callable[[Any, Any], Any] | None = None
    going: gr.State = field(default_factory=lambda: gr.State(False))

    @property
    def keys(self) -> list[gr.components.Component]:
        """What ``_pressed`` fills in."""
        return [self.go, self.stop, self.going]

    def filled(self, value: Any) -> Any:
        """For ``outputs``, when only the wall has something to say."""
        return [value, *[gr.skip()] * (len(self.outputs) - 1)] if len(self.outputs) > 1 else value


def buttons(name: str) -> tuple[gr.Button, gr.Button]:
    """Go and Stop of the bench ``name``."""
    with gr.Row(elem_classes=["aw-bench"]):
        go = gr.Button(
            say(f"go_{name}"), variant="primary", elem_id=f"aw-go-{name}", scale=0, min_width=220
        )
        stop = gr.Button(
            say("stop"), variant="stop", interactive=False, elem_id=f"aw-stop-{name}", scale=0,
            min_width=96,
        )  # fmt: skip
    return go, stop


def wire(
    holder: EngineHolder, bench: Bench, work: Callable[..., Iterator[Any]], owner: gr.Textbox,
    picture: gr.State, rail: Controls,
) -> None:  # fmt: skip
    """Go makes ``work(values, *choices)`` a job, Stop ends it within a step."""
    jobs, wall, filled = holder.jobs, bench.wall, bench.filled

    def ask(owner: str, picture: dict, *choices: Any, **keywords: Any) -> Job | Any:
        if not is_token(owner):
            return filled(grid.failed(texts.say("no_owner")))
        values = standing(keywords)
        seconds = holder.seconds(values)
        try:
            return jobs.submit(
                owner, bench.name, lambda: work(values, *choices), merge=bench.merge,
                seconds=seconds and bench.runs * seconds,
                note=LabSubmission(values, picture or {}, {}, keywords["lock"], choices),
            )  # fmt: skip
        except AwakenError as error:
            return filled(grid.failed(str(error)))

    def back(owner: str) -> Job | Any:
        return jobs.returned(owner, bench.name) or filled(gr.skip())

    def show(job: Job, update: JobUpdate) -> Any:
        if update.state in ("stopped", "left"):
            end = grid.stopped()
            return filled(bench.merge(update.moment, end) if update.news and bench.merge else end)
        if update.state == "failed":
            return filled(grid.failed(texts.say("internal")))
        if update.moment is None:
            return minded(filled(grid.queued(update.ahead, update.wait)), job)
        return minded(update.moment, job) if update.news else filled(gr.skip())

    def minded(shown: Any, job: Job) -> Any:
        """With what the tab keeps while the series runs, in case this server is gone."""
        value, *others = shown if isinstance(shown, list) else [shown]
        if value["state"] == "running":
            value = value | {"run": memory(holder, job.note)}
        return [value, *others] if others else value

    def refuse(going: bool) -> list[Any]:
        """Turned away before it began; a stopped series may end as a failure too and is tab."""
        return [grid.failed(say("turned_away")), *_pressed(False)] if going else [gr.skip()] * 4

    def halt(owner: str) -> list[Any]:
        jobs.stop(owner, bench.name)
        return [grid.stopped(), *_pressed(False)]

    hidden = UNSEEN | event_limits(jobs)
    pressed = bench.go.click(
        lambda: [grid.waiting(), *_pressed(True)], None, [wall, *bench.keys], **QUIET
    )
    asked = pressed.then(
        as_event(jobs, ask, show), [owner, picture, *bench.choices], bench.outputs,
        inputs_kwargs=rail.keywords(), js=OWNER_JS, **hidden,
    )  # fmt: skip
    watched = bench.returns.change(
        as_event(jobs, back, show), owner, bench.outputs, js=OWNER_JS, **hidden
    )
    watching = [asked, watched]
    bench.stop.click(halt, owner, [wall, *bench.keys], cancels=watching, js=OWNER_JS, **QUIET)
    for event in watching:
        event.success(lambda: _pressed(False), None, bench.keys, **QUIET)
        event.failure(refuse, bench.going, [wall, *bench.keys], **QUIET)


def rejoin(
    holder: EngineHolder, benches: Sequence[Bench], tabs: gr.Tabs, arrived: gr.events.Dependency
) -> None:
    """Once the page has ``arrived``: the tab's own series, live or lately ended, where they were.

    Opens the one under way, else the last, else one that is lost. The ids of ``tabs`` are the names
    of the benches.
    """

    def look(session: str) -> list[Any]:
        tab = TabSession.read(session)
        found = [holder.jobs.find(tab.owner, bench.name) for bench in benches]
        live = (job.place for job in found if job is not None and job.live)
        last = holder.jobs.last(tab.owner, NAMES)
        lost = {place: gone for place, gone in tab.lost(holder.jobs).items() if place in NAMES}
        first = next(live, None) or (last.place if last else next(reversed(lost), None))
        values = [gr.update(selected=first) if first else gr.skip()]
        for bench, job in zip(benches, found, strict=True):
            values += [
                grid.lost(lost[bench.name]) if bench.name in lost else gr.skip(),
                *_returned(bench, job),
            ]
        return values

    session = gr.Textbox(visible=False)
    outputs = [part for b in benches for part in (b.wall, *b.keys, b.returns, *b.choices)]
    arrived.then(
        look, session, [tabs, *outputs], js=SESSION_JS, concurrency_limit=None, **UNSEEN,
    )  # queued: only there Gradio tells a page which states have changed


def _returned(bench: Bench, job: Job | None) -> list[Any]:
    if job is None:
        return [gr.skip(), gr.skip(), False, False, *[gr.skip()] * len(bench.choices)]
    said = [
        gr.skip() if isinstance(part, gr.File) else value  # a reload empties a drop
        for part, value in zip(bench.choices, job.note.choices, strict=True)
    ]
    return [*_pressed(job.live), True, *said]


def _pressed(going: bool) -> list[Any]:
    """For ``Bench.keys``: exactly one of the two can be pressed."""
    return [*pressable(not going), going]
