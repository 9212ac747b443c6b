"""Awaken and Stop: how a press becomes a job, what a job shows, and how a page finds its own again.

The event of a press only watches (``awaken.ui.jobs``): the run itself goes on without it.
Handlers return ``{component: value}``; what they do not name stays as it is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gradio as gr

from awaken.types import AwakenError, RequestError
from awaken.ui.controls import gallery
from awaken.ui.controls.gallery import Bundled
from awaken.ui.controls.rail import new_values
from awaken.ui.jobs.events import QUIET, UNSEEN, Updates, as_event, event_limits, go_and_stop
from awaken.ui.jobs.job import Job, JobUpdate, is_token
from awaken.ui.jobs.tab_session import OWNER_JS
from awaken.ui.page.layout import Page
from awaken.ui.run import animation, requests, status
from awaken.ui.run.animation import RunView
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.run.status import Status
from awaken.ui.run.submission import PLACE, RunSubmission, memory
from awaken.ui.texts import say
from awaken.ui.viewer import history, stage
from awaken.ui.viewer.parts import event_data

log = logging.getLogger(__name__)

TO_THE_TOP = "(...values) => { scrollTo({ top: 0 }); return values; }"


def wire(
    holder: EngineHolder, page: Page, loaded: gr.events.Dependency, bundled: Sequence[Bundled]
) -> None:
    """Wire the two buttons and the cards, and watch the tab's own job once the page is ``loaded``."""
    jobs = holder.jobs

    def begin() -> Updates:
        now = status.waiting(behind=holder.busy >= jobs.workers)
        return {page.strip: now.value(), page.running: True} | buttons(ready=False)

    def submit_new(owner: str, shown: dict, picture: dict, **keywords: Any) -> Job | Updates:
        values = new_values(keywords)
        picture = gallery.picture_of(bundled, values.get("painting"), picture)
        return submit(owner, RunSubmission(values, picture, shown, keywords["lock"]))

    def repeat(owner: str, shown: dict, event: gr.EventData) -> Job | Updates:
        """The owner's last run once more: the same seed and settings, another working size, or less
        motion."""
        action, _, size = event_data(event, "action").partition(":")
        if action not in ("resume", "smaller", "calmer"):
            return gr.skip()
        last = jobs.find(owner, PLACE)
        if last is None:
            return view(animation.failed("request", say("nothing_to_repeat"), shown))
        values = dict(last.note.values) | ({"size": int(size)} if size.isdecimal() else {})
        values |= requests.calmer(values) if action == "calmer" else {}
        return submit(owner, RunSubmission(values, last.note.picture, shown, last.note.lock))

    def submit(owner: str, submission: RunSubmission) -> Job | Updates:
        """A job for the submission, or the updates that say why there is none."""
        try:
            return _submit(holder, owner, submission)
        except AwakenError as error:
            asked = animation.asked(submission.values)
            return view(animation.failed(error.kind, error.message, submission.shown, asked))
        except Exception:
            log.exception("a run could not be submitted")
            return view(animation.failed("internal", say("internal"), submission.shown))

    def reattach(owner: str, wanted: bool) -> Job | Updates:
        return (jobs.returned(owner, PLACE) if wanted else None) or gr.skip()

    def show(job: Job, update: JobUpdate) -> Updates:
        """What the page shows of a job at one moment."""
        submission, now = job.note, update.moment
        if update.state == "stopped":
            return view(_ended(job, status.stopped, submission.shown))
        if update.state == "left":
            return view(_ended(job, status.left, submission.shown))
        if update.state == "failed":
            return view(animation.failed("internal", say("internal"), submission.shown))
        if now is None:
            scene = stage.running(submission.shown, painting=submission.values.get("painting"))
            now = RunView(status.queued(update.ahead, update.wait), scene)
        elif not update.news:
            return gr.skip()
        return view(now, None if now.ended else memory(holder, submission))

    def view(now: RunView, run: Mapping[str, Any] | None = None) -> Updates:
        """One moment of a run; ``run``: what the tab keeps of it meanwhile."""
        updates = {
            page.stage: now.stage,
            page.strip: now.status.value() | ({"run": run} if run else {}),
            page.running: not now.ended,
        } | buttons(ready=now.ended)
        if now.placard is not None:
            updates[page.placard] = now.placard
            if now.ended:
                updates[page.shown] = now.stage
                updates[page.history] = history.history_record(now.stage, now.placard)
        return updates

    def halt(owner: str, shown: dict) -> Updates:
        jobs.stop(owner, PLACE)
        return view(_ended(jobs.find(owner, PLACE), status.stopped, shown))

    def refuse(shown: dict, running: bool) -> Updates:
        """Gradio turned the run away before it began: a full queue, a value off its dial."""
        if not running:  # a stopped run may end as a failure too; Stop has said the last word
            return gr.skip()
        now = status.failed("request", say("turned_away"), kept=shown["result"] is not None)
        return view(RunView(now, stage.settled(shown), ended=True))

    def buttons(ready: bool) -> Updates:
        return go_and_stop(page.go, page.stop, ready)

    waiting = [page.strip, page.go, page.stop, page.running]
    outputs = [*waiting, page.stage, page.placard, page.shown, page.history]
    hidden = UNSEEN | event_limits(jobs)
    pressed = page.go.click(begin, None, waiting, js=TO_THE_TOP, **QUIET)
    submitted = pressed.then(
        as_event(jobs, submit_new, show),
        [page.owner, page.shown, page.picture],
        outputs,
        inputs_kwargs=page.rail.keywords(),
        js=OWNER_JS,
        **hidden,
    )
    repeated = page.strip.select(
        as_event(jobs, repeat, show), [page.owner, page.shown], outputs, js=OWNER_JS, **hidden
    )
    reattached = loaded.then(
        as_event(jobs, reattach, show), [page.owner, page.reattach], outputs, js=OWNER_JS, **hidden
    )
    watching = [submitted, repeated, reattached]
    ended = [*waiting, page.stage]
    page.stop.click(halt, [page.owner, page.shown], ended, cancels=watching, js=OWNER_JS, **QUIET)
    for event in watching:
        event.failure(refuse, [page.shown, page.running], ended, **QUIET)


def _submit(holder: EngineHolder, owner: str, submission: RunSubmission) -> Job:
    """Put the run into the queue. Raises AwakenError for what cannot be run, before it waits."""
    if not is_token(owner):
        raise RequestError(say("no_owner"))
    request = requests.make_request(**submission.values)
    requests.check_models(request)
    return holder.jobs.submit(
        owner,
        PLACE,
        lambda: animation.animate(holder, submission, request),
        seconds=holder.expected(request),
        size=requests.size(request),
        note=submission,
    )


def _ended(job: Job | None, end: Callable[..., Status], shown: Mapping[str, Any]) -> RunView:
    before: Status | None = getattr(job.latest, "status", None) if job else None
    kept = shown["result"] is not None
    return RunView(end(kept, before), stage.settled(shown), ended=True)
