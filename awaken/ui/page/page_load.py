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
from awaken.ui.lab import panels
from awaken.ui.page.layout import Page
from awaken.ui.run import links, status
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.run.file_guard import own_file
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
        tab = TabSession.read(session)
        link = restore.from_link(request)
        run = jobs.find(tab.owner, PLACE)
        last = jobs.last(tab.owner, (PLACE, *panels.NAMES))
        lost = tab.lost(jobs)
        if PLACE in lost or (lost and last is None):
            news = {page.strip: status.lost(lost[PLACE]).value()} if PLACE in lost else {}
            return news | _remembered(tab.runs[PLACE if PLACE in lost else [*lost][-1]])
        live = any(job is not None and job.live for job in (run, last))
        if last is not None and (live or tab.again or not restore.says_something(link)):
            return _own(page, last.note, run)
        updates, remarks = restore.onto_rail(rail, link)
        if restore.says_something(link):
            updates |= {page.strip: status.restored(remarks).value()}
        return updates | {page.reattach: False}

    def _remembered(run: Mapping[str, Any]) -> Updates:
        """What the tab remembers of a run that this server does not know."""
        found = links.decode(str(run.get("link", ""))[: links.MAX_QUERY])
        updates, _ = restore.onto_rail(rail, found)
        updates |= {page.running: False, page.reattach: False}
        return updates | _painting(page, run, by_id.get(str(run.get("picture"))))

    session = gr.Textbox(visible=False)
    return demo.load(
        on_load,
        session,
        [page.strip, rail["painting"], page.picture, rail.gallery, rail["mask"], page.shown, page.go,
         page.stop, page.running, page.reattach, *restore.outputs(rail)],
        js=SESSION_JS,
        **QUIET,
    )  # fmt: skip


def _own(page: Page, asked: RunSubmission, run: Job | None) -> Updates:
    """What the tab asked for last, a run or a series; ``run``: its job on the stage, if any."""
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
    if run is None:
        return updates | {page.running: False, page.reattach: False}
    return (
        updates
        | go_and_stop(page.go, page.stop, not run.live)
        | {page.shown: run.note.shown, page.running: run.live, page.reattach: True}
    )


def _painting(page: Page, run: Mapping[str, Any], picture: Bundled | None) -> Updates:
    """The painting of a lost run, which is still the visitor's or a bundled one."""
    rail = page.rail
    if picture is not None:
        return {
            rail["painting"]: str(picture.example.path),
            page.picture: picture.picture(),
            rail.gallery: gr.update(selected=picture.id),
        }
    try:
        own = own_file(str(run.get("painting") or ""))
    except gr.Error:
        return {}
    if not Path(own).is_file():
        return {}
    return {
        rail["painting"]: own,
        page.picture: {"path": own},
        rail.gallery: gr.update(selected=""),
    }
