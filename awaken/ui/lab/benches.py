"""The benches of the laboratory: a Go and a Stop whose work is a job, and the way back to it.

A press makes a job in everybody's queue (``awaken.ui.jobs``) and watches it; so does a page that was
loaded anew, once ``rejoin`` has found out which of the tab's series there are, and which are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from awaken.types import AwakenError
from awaken.ui import texts
from awaken.ui.controls.rail import Controls, values_of
from awaken.ui.jobs.events import QUIET, UNSEEN, Updates, as_event, event_limits, go_and_stop
from awaken.ui.jobs.job import Job, JobUpdate, is_token
from awaken.ui.jobs.tab_session import OWNER_JS, SESSION_JS, TabSession
from awaken.ui.lab import grid
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.run.submission import RunSubmission, memory
from awaken.ui.texts.lab_en import say

NAMES = ("sweep", "variants", "paths", "backends", "proxies")  # the places of their jobs


@dataclass(frozen=True)
class LabSubmission(RunSubmission):
    """What a bench was asked for: the rail's settings, and the values of its own widgets."""

    choices: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Bench:
    """One place of the laboratory: its buttons, where it shows things, what its jobs are like.

    Attributes:
        name: one of ``NAMES``.
        display: shows the moments of the work; ``points``: a state for what they have under that
            name, which stays on the server.
        runs: about how many a job makes. choices: widgets of its own that the work reads.
        merge: see ``JobManager.submit``. going: whether a job is under way.
        reattach: whether this page has just opened on a job of the bench; outside of the tabs, for
            in one that is not open every update of a state counts as a change.
    """

    name: str
    reattach: gr.State
    go: gr.Button
    stop: gr.Button
    display: gr.components.Component
    runs: int
    points: gr.State | None = None
    choices: list[gr.components.Component] = field(default_factory=list)
    merge: Callable[[Any, Any], Any] | None = None
    going: gr.State = field(default_factory=lambda: gr.State(False))

    def shown(self, moment: Mapping[str, Any]) -> Updates:
        """The updates that show a moment of the work."""
        value = dict(moment)
        points = value.pop("points", None)
        return {self.display: value} | ({self.points: points} if points is not None else {})

    def pressed(self, going: bool) -> Updates:
        """The buttons while a job is ``going``: exactly one of them can be pressed."""
        return go_and_stop(self.go, self.stop, not going) | {self.going: going}

    @property
    def outputs(self) -> list[gr.components.Component]:
        """What ``shown`` and ``pressed`` may update."""
        states = [self.going] if self.points is None else [self.going, self.points]
        return [self.display, self.go, self.stop, *states]


def buttons(name: str) -> tuple[gr.Button, gr.Button]:
    """Go and Stop of the bench ``name``."""
    with gr.Row(elem_classes=["aw-bench"]):
        go = gr.Button(
            say(f"go_{name}"), variant="primary", elem_id=f"aw-go-{name}", scale=0, min_width=220
        )
        stop = gr.Button(
            say("stop"),
            variant="stop",
            interactive=False,
            elem_id=f"aw-stop-{name}",
            scale=0,
            min_width=96,
        )
    return go, stop


def wire(
    holder: EngineHolder,
    bench: Bench,
    work: Callable[..., Iterator[Mapping[str, Any]]],
    owner: gr.Textbox,
    picture: gr.State,
    rail: Controls,
) -> None:
    """Go makes ``work(values, *choices)`` a job, Stop ends it within a step."""
    jobs = holder.jobs

    def submit(owner: str, picture: dict, *choices: Any, **keywords: Any) -> Job | Updates:
        if not is_token(owner):
            return bench.shown(grid.failed(texts.say("no_owner")))
        values = values_of(keywords)
        seconds = holder.seconds(values)
        try:
            return jobs.submit(
                owner,
                bench.name,
                lambda: work(values, *choices),
                merge=bench.merge,
                seconds=seconds and bench.runs * seconds,
                note=LabSubmission(values, picture or {}, {}, keywords["lock"], choices),
            )
        except AwakenError as error:
            return bench.shown(grid.failed(str(error)))

    def reattach(owner: str) -> Job | Updates:
        return jobs.returned(owner, bench.name) or gr.skip()

    def show(job: Job, update: JobUpdate) -> Updates:
        if update.state in ("stopped", "left"):
            end = grid.stopped()
            missed = update.news and bench.merge
            return bench.shown(bench.merge(update.moment, end) if missed else end)
        if update.state == "failed":
            return bench.shown(grid.failed(texts.say("internal")))
        if update.moment is None:
            return bench.shown(remembered(grid.queued(update.ahead, update.wait), job))
        return bench.shown(remembered(update.moment, job)) if update.news else gr.skip()

    def remembered(moment: Mapping[str, Any], job: Job) -> Mapping[str, Any]:
        """With what the tab keeps while the series runs, in case this server is gone."""
        if moment["state"] != "running":
            return moment
        return {**moment, "run": memory(holder, job.note)}

    def refuse(going: bool) -> Updates:
        """Gradio turned it away before it began. A stopped series may end as a failure too."""
        if not going:
            return gr.skip()
        return bench.shown(grid.failed(say("turned_away"))) | bench.pressed(False)

    def halt(owner: str) -> Updates:
        jobs.stop(owner, bench.name)
        return bench.shown(grid.stopped()) | bench.pressed(False)

    def begin() -> Updates:
        return bench.shown(grid.waiting()) | bench.pressed(True)

    hidden = UNSEEN | event_limits(jobs)
    pressed = bench.go.click(begin, None, bench.outputs, **QUIET)
    submitted = pressed.then(
        as_event(jobs, submit, show),
        [owner, picture, *bench.choices],
        bench.outputs,
        inputs_kwargs=rail.keywords(),
        js=OWNER_JS,
        **hidden,
    )
    reattached = bench.reattach.change(
        as_event(jobs, reattach, show), owner, bench.outputs, js=OWNER_JS, **hidden
    )
    watching = [submitted, reattached]
    bench.stop.click(halt, owner, bench.outputs, cancels=watching, js=OWNER_JS, **QUIET)
    for event in watching:
        event.success(lambda: bench.pressed(False), None, bench.outputs, **QUIET)
        event.failure(refuse, bench.going, bench.outputs, **QUIET)


def rejoin(
    holder: EngineHolder, benches: Sequence[Bench], tabs: gr.Tabs, loaded: gr.events.Dependency
) -> None:
    """Once the page is ``loaded``: the tab's own series, live or lately ended, where they were.

    Opens the one under way, else the last, else one that is lost. The ids of ``tabs`` are the names
    of the benches.
    """
    jobs = holder.jobs

    def look(session: str) -> Updates:
        tab = TabSession.read(session)
        found = {bench.name: jobs.find(tab.owner, bench.name) for bench in benches}
        live = [name for name, job in found.items() if job is not None and job.live]
        last = jobs.last(tab.owner, NAMES)
        lost = {place: gone for place, gone in tab.lost(jobs).items() if place in NAMES}
        names = [*live[:1], *([last.place] if last else []), *[*lost][-1:]]
        updates: Updates = {tabs: gr.update(selected=names[0])} if names else {}
        for bench in benches:
            if bench.name in lost:
                updates |= bench.shown(grid.lost(lost[bench.name]))
            updates |= _returned(bench, found[bench.name])
        return updates

    session = gr.Textbox(visible=False)
    outputs = [part for b in benches for part in (*b.outputs, b.reattach, *b.choices)]
    # queued: only there Gradio tells a page which states have changed
    loaded.then(look, session, [tabs, *outputs], js=SESSION_JS, concurrency_limit=None, **UNSEEN)


def _returned(bench: Bench, job: Job | None) -> Updates:
    """The bench as the tab left it: its buttons and its own widgets."""
    if job is None:
        return {bench.going: False, bench.reattach: False}
    choices = {
        part: value
        for part, value in zip(bench.choices, job.note.choices, strict=True)
        if not isinstance(part, gr.File)  # a reload empties a drop
    }
    return bench.pressed(job.live) | {bench.reattach: True} | choices
