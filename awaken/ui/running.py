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
from awaken.ui import controls, history, links, runs, stage, status, widgets
from awaken.ui.controls import Controls
from awaken.ui.events import QUIET, UNSEEN
from awaken.ui.hello import OWNER
from awaken.ui.jobs import Job, Sight, as_event, event_limits, is_token
from awaken.ui.runs import View, Workshop
from awaken.ui.status import Status
from awaken.ui.texts import say

log = logging.getLogger(__name__)

PLACE = "run"
NOTHING = [gr.skip()] * 8  # for ``Parts.outputs``: an event that shows nothing at all empties them
TO_THE_TOP = "(...values) => { scrollTo({ top: 0 }); return values; }"


@dataclass(frozen=True)
class Wish:
    """What a visitor asked for: enough to ask again, and to put it back on the page.

    values: as ``runs.make_request`` takes them. picture: title and artist, for the placard.
    shown: the stage value of the last good result before. lock: whether the seed is kept.
    """

    values: Mapping[str, Any]
    picture: Mapping[str, str]
    shown: Mapping[str, Any]
    lock: bool = True


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
    workshop: Workshop, rail: Controls, parts: Parts, arrived: gr.events.Dependency
) -> None:
    """Wire the two buttons and the cards, and watch the tab's own job once it has ``arrived``."""
    jobs = workshop.jobs
    owner, shown, strip = parts.owner, parts.shown, parts.strip
    freed = [parts.wall, strip, parts.go, parts.stop, parts.running]

    def begin() -> list[Any]:
        now = status.waiting(behind=workshop.busy > 0)
        return [now.value(), *pressable(False), True]

    def ask(owner: str, shown: dict, picture: dict, **keywords: Any) -> Job | list[Any]:
        wish = Wish(controls.values(keywords), picture or {}, shown, keywords["lock"])
        return submit(workshop, owner, wish)

    def again(owner: str, shown: dict, event: gr.EventData) -> Job | list[Any]:
        action, _, size = widgets.said(event, "action").partition(":")
        if action not in ("resume", "smaller"):
            return NOTHING
        return repeat(workshop, owner, shown, int(size) if size.isdecimal() else None)

    def show(job: Job, sight: Sight) -> list[Any]:
        return outputs(workshop, job, sight)

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
        inputs_kwargs=rail.keywords(), js=OWNER, **hidden,
    )  # fmt: skip
    repeated = strip.select(
        as_event(jobs, again, show), [owner, shown], parts.outputs, js=OWNER, **hidden
    )
    watched = arrived.then(
        as_event(jobs, back, show), [owner, parts.returns], parts.outputs, js=OWNER, **hidden
    )
    watching = [asked, repeated, watched]
    parts.stop.click(halt, [owner, shown], freed, cancels=watching, js=OWNER, **QUIET)
    for event in watching:
        event.failure(refuse, [shown, parts.running], freed, **QUIET)


def submit(workshop: Workshop, owner: str, wish: Wish) -> Job | list[Any]:
    """A job for what was asked, or the outputs that say why there is none."""
    jobs = workshop.jobs
    try:
        if not is_token(owner):
            raise RequestError(say("no_owner"))
        settings = runs.make_request(**wish.values).settings()  # a bad one need not wait to be told
        return jobs.submit(
            owner,
            PLACE,
            lambda: runs.animate(workshop, wish.shown, wish.picture, wish.values),
            seconds=workshop.seconds(settings),
            note=wish,
        )
    except AwakenError as error:
        return _filled(runs.failed(error.kind, str(error), wish.shown))
    except Exception:
        log.exception("a run could not be asked for")
        return _filled(runs.failed("internal", say("internal"), wish.shown))


def repeat(
    workshop: Workshop, owner: str, shown: Mapping[str, Any], size: int | None
) -> Job | list[Any]:
    """The owner's last run once more: the same seed and settings, or another working size."""
    last = workshop.jobs.find(owner, PLACE)
    if last is None:
        return _filled(runs.failed("request", say("nothing_to_repeat"), shown))
    values = dict(last.note.values) | ({} if size is None else {"size": size})
    return submit(workshop, owner, Wish(values, last.note.picture, shown, last.note.lock))


def outputs(workshop: Workshop, job: Job, sight: Sight) -> list[Any]:
    """What ``Parts.outputs`` show of a job at one moment."""
    wish, view = job.note, sight.moment
    if sight.state in ("stopped", "left"):
        end = status.stopped if sight.state == "stopped" else status.left
        return _filled(_ended(job, end, wish.shown))
    if sight.state == "failed":
        return _filled(runs.failed("internal", say("internal"), wish.shown))
    if view is not None and not sight.news:
        return NOTHING
    if view is None:
        now = status.queued(sight.ahead, sight.wait)
        view = View(now, stage.running(wish.shown, painting=wish.values.get("painting")))
    return _filled(view, None if view.ended else memory(workshop, wish))


def memory(workshop: Workshop, wish: Wish) -> dict[str, Any]:
    """What the tab keeps while the run lasts, in case this server is gone when it asks again."""
    return {
        "server": workshop.jobs.id,
        "link": links.encode(wish.values),
        "painting": wish.values.get("painting"),
        "picture": wish.picture.get("id", ""),
    }


def _ended(job: Job | None, end: Any, shown: Mapping[str, Any]) -> View:
    before: Status | None = getattr(job.latest, "status", None) if job else None
    kept = shown["result"] is not None
    return View(end(kept, before), stage.settled(shown), ended=True)


def pressable(ready: bool) -> list[dict[str, Any]]:
    """Awaken and Stop: exactly one of them can be pressed."""
    return [gr.update(interactive=ready), gr.update(interactive=not ready)]


def _filled(view: View, run: Mapping[str, Any] | None = None) -> list[Any]:
    """One moment of a run for [stage, strip, placard, awaken, stop, shown, running, kept]."""
    finished = view.ended and view.placard is not None
    return [
        view.stage,
        view.status.value() | ({"run": run} if run else {}),
        view.placard or gr.skip(),
        *pressable(view.ended),
        view.stage if finished else gr.skip(),
        not view.ended,
        history.keepsake(view.stage, view.placard) if finished else gr.skip(),
    ]
