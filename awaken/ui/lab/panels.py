"""The panels of the laboratory: a Go and a Stop whose work is a job, and the way back to it.

A press makes a job in the queue of all visitors (``awaken.ui.jobs``) and watches it; so does a page that was
loaded anew, once ``rejoin`` has found out which of the tab's series there are, and which are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
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
from awaken.ui.run import files, results
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.run.submission import RunSubmission, memory
from awaken.ui.texts.lab_en import say
from awaken.ui.viewer import history

NAMES = ("sweep", "variants", "paths", "backends", "proxies")  # the places of their jobs


@dataclass(frozen=True)
class LabSubmission(RunSubmission):
    """What a panel was asked for: the rail's settings, and the values of its own widgets."""

    choices: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Place:
    """What all panels of a laboratory share.

    Attributes:
        rail: the controls, whose settings a series begins with.
        owner: unseen; the tab puts its token in. picture: title and artist of the painting.
        stop: ends whatever is under way. tray: the history, which keeps what is made.
    """

    rail: Controls
    owner: gr.Textbox
    picture: gr.State
    stop: gr.Button
    tray: gr.HTML


@dataclass(frozen=True)
class Panel:
    """One series of the laboratory: its button, where it shows things, what its jobs are like.

    Attributes:
        name: one of ``NAMES``. go: its button. place: what it shares with the others.
        display: shows the moments of the work; ``points``: a state for what they have under that
            name, which stays on the server.
        runs: about how many a job makes. choices: widgets of its own that the work reads.
        merge: see ``JobManager.submit``. going: whether a job is under way.
        reattach: whether this page has just opened on a job of the panel; outside of the tabs, for
            in one that is not open every update of a state counts as a change.
    """

    name: str
    reattach: gr.State
    go: gr.Button
    place: Place
    display: gr.components.Component
    runs: int
    points: gr.State | None = None
    choices: list[gr.components.Component] = field(default_factory=list)
    merge: Callable[[Any, Any], Any] | None = None
    going: gr.State = field(default_factory=lambda: gr.State(False))

    def shown(self, moment: Mapping[str, Any]) -> Updates:
        """The updates that show a moment of the work; the buttons follow its state."""
        value = dict(moment)
        points, kept = value.pop("points", None), value.pop("kept", None)
        updates = {self.display: value} | self.pressed(value["state"] == "running")
        if kept:
            updates[self.place.tray] = {"runs": kept}
        return updates | ({self.points: points} if points is not None else {})

    def pressed(self, going: bool) -> Updates:
        """The buttons while a job is ``going``: exactly one of them can be pressed."""
        return go_and_stop(self.go, self.place.stop, not going) | {self.going: going}

    @property
    def outputs(self) -> list[gr.components.Component]:
        """What ``shown`` and ``pressed`` may update."""
        states = [self.going] if self.points is None else [self.going, self.points]
        return [self.display, self.go, self.place.stop, self.place.tray, *states]


def go_button(name: str) -> gr.Button:
    """What begins the series of the panel ``name``."""
    return gr.Button(say(f"go_{name}"), variant="primary", elem_id=f"aw-go-{name}", min_width=220)


def wire(
    holder: EngineHolder,
    panel: Panel,
    work: Callable[..., Iterator[Mapping[str, Any]]],
) -> None:
    """Go makes ``work(values, *choices)`` a job, Stop ends it within a step.

    work may have moments with ``keep``: (result, stage's note) that the visitor's history is to have.
    """
    jobs, place = holder.jobs, panel.place

    def submit(owner: str, picture: dict, *choices: Any, **keywords: Any) -> Job | Updates:
        if not is_token(owner):
            return panel.shown(grid.failed(texts.say("no_owner")))
        values = values_of(keywords)
        seconds = holder.seconds(values)
        try:
            return jobs.submit(
                owner,
                panel.name,
                lambda: kept(work(values, *choices), picture or {}),
                merge=panel.merge,
                seconds=seconds and panel.runs * seconds,
                note=LabSubmission(values, picture or {}, {}, keywords["lock"], choices),
            )
        except AwakenError as error:
            return panel.shown(grid.failed(error.message))

    def reattach(owner: str) -> Job | Updates:
        return jobs.returned(owner, panel.name) or gr.skip()

    def show(job: Job, update: JobUpdate) -> Updates:
        if update.state in ("stopped", "left"):
            end = grid.stopped()
            missed = update.news and panel.merge
            return panel.shown(panel.merge(update.moment, end) if missed else end)
        if update.state == "failed":
            return panel.shown(grid.failed(texts.say("internal")))
        if update.moment is None:
            return panel.shown(remembered(grid.queued(update.ahead, update.wait), job))
        return panel.shown(remembered(update.moment, job)) if update.news else gr.skip()

    def remembered(moment: Mapping[str, Any], job: Job) -> Mapping[str, Any]:
        """With what the tab keeps while the series runs, in case this server is gone."""
        if moment["state"] != "running":
            return moment
        return {**moment, "run": memory(holder, job.note)}

    def refuse(going: bool) -> Updates:
        """Gradio turned it away before it began. A stopped series may end as a failure too."""
        if not going:
            return gr.skip()
        return panel.shown(grid.failed(say("turned_away")))

    def halt(owner: str) -> Updates:
        return panel.shown(grid.stopped()) if jobs.stop(owner, panel.name) else gr.skip()

    hidden = UNSEEN | event_limits(jobs)
    pressed = panel.go.click(lambda: panel.shown(grid.waiting()), None, panel.outputs, **QUIET)
    submitted = pressed.then(
        as_event(jobs, submit, show),
        [place.owner, place.picture, *panel.choices],
        panel.outputs,
        inputs_kwargs=place.rail.keywords(),
        js=OWNER_JS,
        **hidden,
    )
    reattached = panel.reattach.change(
        as_event(jobs, reattach, show), place.owner, panel.outputs, js=OWNER_JS, **hidden
    )
    watching = [submitted, reattached]
    place.stop.click(halt, place.owner, panel.outputs, cancels=watching, js=OWNER_JS, **QUIET)
    for event in watching:
        event.failure(refuse, panel.going, panel.outputs, **QUIET)


def kept(
    moments: Iterator[Mapping[str, Any]], picture: Mapping[str, str]
) -> Iterator[Mapping[str, Any]]:
    """The moments of a series; a finished run in one is written down for the visitor's history."""
    records: list[dict[str, Any]] = []
    with closing(moments):
        for moment in moments:
            result = moment.get("keep")
            if result is not None:
                records.append(
                    history.history_record(*results.kept(result, files.new_folder(), picture))
                )
                moment = {k: v for k, v in moment.items() if k != "keep"} | {"kept": list(records)}
            yield moment


def rejoin(
    holder: EngineHolder, panels: Sequence[Panel], tabs: gr.Tabs, loaded: gr.events.Dependency
) -> None:
    """Once the page is ``loaded``: the tab's own series, live or lately ended, where they were.

    Opens the one under way, else the last, else one that is lost. The ids of ``tabs`` are the names
    of the panels.
    """
    jobs = holder.jobs

    def look(session: str) -> Updates:
        tab = TabSession.read(session)
        found = {panel.name: jobs.find(tab.owner, panel.name) for panel in panels}
        live = [name for name, job in found.items() if job is not None and job.live]
        last = jobs.last(tab.owner, NAMES)
        lost = {place: gone for place, gone in tab.lost(jobs).items() if place in NAMES}
        names = [*live[:1], *([last.place] if last else []), *[*lost][-1:]]
        updates: Updates = {tabs: gr.update(selected=names[0])} if names else {}
        for panel in panels:
            if panel.name in lost:
                updates |= panel.shown(grid.lost(lost[panel.name]))
            updates |= _returned(panel, found[panel.name])
        return updates

    session = gr.Textbox(visible=False)
    outputs = [part for b in panels for part in (*b.outputs, b.reattach, *b.choices)]
    # queued: only there Gradio tells a page which states have changed
    loaded.then(look, session, [tabs, *outputs], js=SESSION_JS, concurrency_limit=None, **UNSEEN)


def _returned(panel: Panel, job: Job | None) -> Updates:
    """The panel as the tab left it: its buttons and its own widgets."""
    if job is None:
        return {panel.going: False, panel.reattach: False}
    choices = {
        part: value
        for part, value in zip(panel.choices, job.note.choices, strict=True)
        if not isinstance(part, gr.File)  # a reload empties a drop
    }
    return panel.pressed(job.live) | {panel.reattach: True} | choices
