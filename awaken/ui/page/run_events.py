"""Awaken and Stop: how a press becomes a job, what a job shows, and how a page finds its own again.

The event of a press only watches (``awaken.ui.jobs``): the run itself goes on without it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from awaken.types import AwakenError, RequestError
from awaken.ui.controls.rail import Controls, values
from awaken.ui.jobs.events import QUIET, UNSEEN, as_event, event_limits, pressable
from awaken.ui.jobs.job import Job, JobUpdate, is_token
from awaken.ui.jobs.tab_session import OWNER_JS
from awaken.ui.run import animation, requests, status
from awaken.ui.run.animation import RunView
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.run.status import Status
from awaken.ui.run.submission import PLACE, RunSubmission, memory
from awaken.ui.texts import say
from awaken.ui.viewer import history, stage
from awaken.ui.viewer.parts import said

log = logging.getLogger(__name__)
NOTHING = [gr.skip()] * 8  # for ``Parts.outputs``: an event that shows nothing at all empties them
TO_THE_TOP = "(...values) => { scrollTo({ top: 0 }); return values; }"


@dataclass(frozen=True)
class Parts:
    """Where a run is shown, and what the page remembers.

    owner: unseen; the tab puts its name in. shown: the last good stage value. running: whether a
    run is under way. kept: the history tray. picture: title and artist of the painting. returns: whether this page has
    just opened on a job of its own.
    """

    owner: gr.Textbox
    wall: stage.Stage
    strip: gr.HTML
    label: gr.HTML
    go: gr.Button
    stop: gr.Button
    shown: gr.State
    running: gr.State
    kept: gr.HTML
    picture: gr.State
    returns: gr.State

    @property
    def outputs(self) -> list[gr.components.Component]:
        """What ``outputs`` below fills in."""
        return [
            self.wall, self.strip, self.label, self.go, self.stop, self.shown, self.running, self.kept
        ]  # fmt: skip


def wire(
    holder: EngineHolder, rail: Controls, parts: Parts, arrived: gr.events.Dependency
) -> None:
    """Wire the two buttons and the cards, and watch the tab's own job once it has ``arrived``."""
    jobs = holder.jobs
    owner, shown, strip = parts.owner, parts.shown, parts.strip
    freed = [parts.wall, strip, parts.go, parts.stop, parts.running]

    def begin() -> list[Any]:
        now = status.waiting(behind=holder.busy > 0)
        return [now.value(), *pressable(False), True]

    def ask(owner: str, shown: dict, picture: dict, **keywords: Any) -> Job | list[Any]:
        submission = RunSubmission(values(keywords), picture or {}, shown, keywords["lock"])
        return submit(holder, owner, submission)

    def again(owner: str, shown: dict, event: gr.EventData) -> Job | list[Any]:
        action, _, size = said(event, "action").partition(":")
        if action not in ("resume", "smaller"):
            return NOTHING
        return repeat(holder, owner, shown, int(size) if size.isdecimal() else None)

    def show(job: Job, update: JobUpdate) -> list[Any]:
        return outputs(holder, job, update)

    def halt(owner: str, shown: dict) -> list[Any]:
        jobs.stop(owner, PLACE)
        view = _ended(jobs.find(owner, PLACE), status.stopped, shown)
        return [view.stage, view.status.value(), *pressable(True), False]

    def refuse(shown: dict, running: bool) -> list[Any]:
        """Gradio turned the run away before it began: a full queue, a value off its dial."""
        if not running:  # a stopped run may end as a failure too; Stop has said the last word
            return [gr.skip()] * 5
        now = status.failed("request", say("turned_away"), kept=shown["result"] is not None)
        return [stage.settled(shown), now.value(), *pressable(True), False]

    def back(owner: str, returns: bool) -> Job | list[Any]:
        return (jobs.returned(owner, PLACE) if returns else None) or NOTHING

    hidden = UNSEEN | event_limits(jobs)
    pressed = parts.go.click(
        begin, None, [strip, parts.go, parts.stop, parts.running], js=TO_THE_TOP, **QUIET
    )
    asked = pressed.then(
        as_event(jobs, ask, show), [owner, shown, parts.picture], parts.outputs,
        inputs_kwargs=rail.keywords(), js=OWNER_JS, **hidden,
    )  # fmt: skip
    repeated = strip.select(
        as_event(jobs, again, show), [owner, shown], parts.outputs, js=OWNER_JS, **hidden
    )
    watched = arrived.then(
        as_event(jobs, back, show), [owner, parts.returns], parts.outputs, js=OWNER_JS, **hidden
    )
    watching = [asked, repeated, watched]
    parts.stop.click(halt, [owner, shown], freed, cancels=watching, js=OWNER_JS, **QUIET)
    for event in watching:
        event.failure(refuse, [shown, parts.running], freed, **QUIET)


def submit(holder: EngineHolder, owner: str, submission: RunSubmission) -> Job | list[Any]:
    """A job for what was asked, or the outputs that say why there is none."""
    jobs = holder.jobs
    try:
        if not is_token(owner):
            raise RequestError(say("no_owner"))
        settings = requests.make_request(**submission.values).settings()  # a bad one need not wait to be told
        return jobs.submit(
            owner,
            PLACE,
            lambda: animation.animate(holder, submission.shown, submission.picture, submission.values),
            seconds=holder.seconds(settings),
            note=submission,
        )
    except AwakenError as error:
        return _filled(animation.failed(error.kind, str(error), submission.shown))
    except Exception:
        log.exception("a run could not be asked for")
        return _filled(animation.failed("internal", say("internal"), submission.shown))


def repeat(
    holder: EngineHolder, owner: str, shown: Mapping[str, Any], size: int | None
) -> Job | list[Any]:
    """The owner's last run once more: the same seed and settings, or another working size."""
    last = holder.jobs.find(owner, PLACE)
    if last is None:
        return _filled(animation.failed("request", say("nothing_to_repeat"), shown))
    values = dict(last.note.values) | ({} if size is None else {"size": size})
    return submit(holder, owner, RunSubmission(values, last.note.picture, shown, last.note.lock))


def outputs(holder: EngineHolder, job: Job, update: JobUpdate) -> list[Any]:
    """What ``Parts.outputs`` show of a job at one moment."""
    submission, view = job.note, update.moment
    if update.state in ("stopped", "left"):
        end = status.stopped if update.state == "stopped" else status.left
        return _filled(_ended(job, end, submission.shown))
    if update.state == "failed":
        return _filled(animation.failed("internal", say("internal"), submission.shown))
    if view is not None and not update.news:
        return NOTHING
    if view is None:
        now = status.queued(update.ahead, update.wait)
        view = RunView(now, stage.running(submission.shown, painting=submission.values.get("painting")))
    return _filled(view, None if view.ended else memory(holder, submission))


def _ended(job: Job | None, end: Any, shown: Mapping[str, Any]) -> RunView:
    before: Status | None = getattr(job.latest, "status", None) if job else None
    kept = shown["result"] is not None
    return RunView(end(kept, before), stage.settled(shown), ended=True)


def _filled(view: RunView, run: Mapping[str, Any] | None = None) -> list[Any]:
    """One moment of a run for [stage, strip, placard, awaken, stop, shown, running, kept]."""
    finished = view.ended and view.placard is not None
    return [
        view.stage,
        view.status.value() | ({"run": run} if run else {}),
        view.placard or gr.skip(),
        *pressable(view.ended),
        view.stage if finished else gr.skip(),
        not view.ended,
        history.history_record(view.stage, view.placard) if finished else gr.skip(),
    ]
