"""What a page shows when it opens: its own run again, a link's settings, or what became of a run.

A tab says who it is, whether it was reloaded, and which runs it remembers
(``awaken.ui.jobs.tab_session``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from awaken.recipe import recover
from awaken.ui.controls import restore
from awaken.ui.controls.gallery import Bundled
from awaken.ui.jobs.events import QUIET, Updates, go_and_stop
from awaken.ui.jobs.job import Job
from awaken.ui.jobs.tab_session import SESSION_JS, TabSession
from awaken.ui.page import passage
from awaken.ui.page.layout import Page
from awaken.ui.run import links, status
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.run.requests import PICTURES
from awaken.ui.run.submission import PLACE, RunSubmission
from awaken.ui.viewer import brush


def wire(
    demo: gr.Blocks, holder: EngineHolder, page: Page, bundled: Sequence[Bundled]
) -> gr.events.Dependency:
    """Fill in the page when it opens.

    Returns the event that has done so; ``page.reattach`` says whether a job is to be watched.
    """
    rail, jobs = page.rail, holder.jobs
    by_id = {b.id: b for b in bundled}

    def on_load(session: str, request: gr.Request) -> Updates:
        return opening(page) | opened(TabSession.read(session), request)

    def opened(tab: TabSession, request: gr.Request) -> Updates:
        link = restore.from_link(request)
        run = jobs.find(tab.owner, PLACE)
        lost = tab.lost(jobs)
        if PLACE in lost and not tab.luggage:
            news = {page.strip: status.lost(lost[PLACE]).value()}
            news |= remembered(page, tab.runs[PLACE], by_id)
            return news | {page.running: False, page.reattach: False}
        live = run is not None and run.live
        if tab.luggage:
            own = _own(page, run) if live else {}
            return own | passage.unpack(page, tab.luggage, by_id) | {page.reattach: live}
        if run is not None and (live or tab.again or not restore.says_something(link)):
            return _own(page, run)
        updates, remarks = restore.onto_rail(rail, link)
        if restore.says_something(link):
            updates |= {page.strip: status.restored(remarks).value()}
        return updates | {page.reattach: False}

    session = gr.Textbox(visible=False)
    return demo.load(
        on_load,
        session,
        [page.strip, page.stage, page.placard, rail["painting"], page.picture, rail.gallery, rail.chips,
         rail["mask"], page.shown, page.go, page.stop, page.running, page.reattach, *restore.outputs(rail)],
        js=SESSION_JS,
        **QUIET,
    )  # fmt: skip


def opening(page: Page) -> Updates:
    """What the page remembers of the picture that it was drawn with."""
    if page.first is None:
        return {}
    shown = {} if page.stage is None else {page.shown: page.first.scene()}
    return shown | {page.picture: page.first.picture()}


def remembered(page: Page, run: Mapping[str, Any], bundled: Mapping[str, Bundled]) -> Updates:
    """What the tab remembers of a run that this server does not know."""
    found = links.decode(str(run.get("link", ""))[: links.MAX_QUERY])
    updates, _ = restore.onto_rail(page.rail, found)
    return updates | passage.painting_of(page, run, bundled.get(str(run.get("picture"))))


def dials_of(page: Page, asked: RunSubmission) -> Updates:
    """What the tab asked for, on the rail: settings, painting and mask."""
    rail = page.rail
    settings = {n: value for n, value in asked.values.items() if n not in PICTURES}
    updates, _ = restore.onto_rail(rail, recover(settings))
    updates |= {
        rail.lock: asked.lock,
        rail.gallery: gr.update(selected=asked.picture.get("id", "")),
        page.picture: dict(asked.picture),
    }
    painting, mask = asked.values.get("painting"), asked.values.get("mask")
    if painting and Path(painting).is_file():
        updates |= {rail["painting"]: painting}
        if mask and Path(mask).is_file():
            updates |= {rail["mask"]: brush.value_of(painting, mask)}
    return updates


def _own(page: Page, run: Job) -> Updates:
    """The tab's own run, live or lately ended: it is watched again."""
    return (
        dials_of(page, run.note)
        | go_and_stop(page.go, page.stop, not run.live)
        | {page.shown: run.note.shown, page.running: run.live, page.reattach: True}
    )
