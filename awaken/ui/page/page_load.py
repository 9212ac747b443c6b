"""What a page shows when it opens: its own run again, a link's settings, or what became of a run.

A tab says who it is, whether it was reloaded, and which runs it remembers (``awaken.ui.jobs.tab_session``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from awaken.recipe import Recovered, recover
from awaken.ui.controls import restore
from awaken.ui.controls.gallery import Bundled
from awaken.ui.controls.rail import Controls
from awaken.ui.jobs.events import QUIET, pressable
from awaken.ui.jobs.job import Job
from awaken.ui.jobs.tab_session import SESSION_JS, TabSession
from awaken.ui.lab import benches
from awaken.ui.page.run_events import Parts
from awaken.ui.run import links, status
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.run.file_guard import own_file
from awaken.ui.run.submission import PLACE, RunSubmission
from awaken.ui.viewer import brush


def wire(
    demo: gr.Blocks, holder: EngineHolder, rail: Controls, parts: Parts, bundled: Sequence[Bundled],
    dials: list[str],
) -> gr.events.Dependency:  # fmt: skip
    """Fill in the page when it opens. ``dials``: names of the rail's inputs that are no pictures.

    Returns the event that has done so; ``parts.returns`` says whether a job is to be watched.
    """
    by_id = {b.id: b for b in bundled}
    session = gr.Textbox(visible=False)

    def on_load(session: str, request: gr.Request) -> list[Any]:
        tab = TabSession.read(session)
        linked = restore.from_link(request)
        job = holder.jobs.find(tab.owner, PLACE)
        asked = holder.jobs.last(tab.owner, (PLACE, *benches.NAMES))
        lost = tab.lost(holder.jobs)
        if PLACE in lost or (lost and asked is None):
            run = tab.runs[PLACE if PLACE in lost else [*lost][-1]]
            strip = status.lost(lost[PLACE]).value() if PLACE in lost else gr.skip()
            settings = links.decode(str(run.get("link", ""))[: links.MAX_QUERY])
            picture = by_id.get(str(run.get("picture")))
            return [strip, *_lost(run, picture), *dialled(settings, dials)[0]]
        live = any(one is not None and one.live for one in (job, asked))
        if asked is not None and (live or tab.again or not _speaks(linked)):
            values, _ = dialled(recover(_plain(asked.note)), dials)
            return [*_mine(asked.note, job), values[0], asked.note.lock, *values[2:]]
        values, remarks = dialled(linked, dials)
        strip = status.restored(remarks).value() if _speaks(linked) else gr.skip()
        return [strip, *[gr.skip()] * 8, False, *values]

    return demo.load(
        on_load,
        session,
        [parts.strip, rail["painting"], parts.picture, rail.wall, rail["mask"], parts.shown,
         parts.go, parts.stop, parts.running, parts.returns, rail.restored, rail.lock, *(rail[name] for name in dials)],
        js=SESSION_JS,
        **QUIET,
    )  # fmt: skip


def dialled(found: Recovered, dials: list[str]) -> tuple[list[Any], list[str]]:
    """([restored, lock, *dials], sentences about what was left out) for recovered settings."""
    if not _speaks(found):
        return [gr.skip()] * (2 + len(dials)), []
    values, remarks = restore.onto_dials(found, dials)
    return [values, *(values.get(name, gr.skip()) for name in ("lock", *dials))], remarks


def _speaks(found: Recovered) -> bool:
    return bool(found.settings or found.remarks)


def _plain(submission: RunSubmission) -> dict[str, Any]:
    """A submission's settings, without its pictures."""
    return {n: value for n, value in submission.values.items() if n not in restore.PICTURES}


def _mine(submission: RunSubmission, job: Job | None) -> list[Any]:
    """[strip, painting, picture, wall, mask, shown, go, stop, running, returns] of the tab's own.

    submission: what it asked for last, a run or a series. job: its run, for the stage.
    """
    painting, mask = submission.values.get("painting"), submission.values.get("mask")
    here = bool(painting) and Path(painting).is_file()
    brushed = here and bool(mask) and Path(mask).is_file()
    staged = [gr.skip(), gr.skip(), gr.skip(), False, False]
    if job is not None:
        staged = [job.note.shown, *pressable(not job.live), job.live, True]
    return [
        gr.skip(),
        painting if here else gr.skip(),
        dict(submission.picture),
        gr.update(selected=submission.picture.get("id", "")),
        brush.value_of(painting, mask) if brushed else gr.skip(),
        *staged,
    ]


def _lost(run: Mapping[str, Any], picture: Bundled | None) -> list[Any]:
    """The same but the strip when the run is gone: the painting is still the visitor's."""
    quiet = gr.skip()
    painting, remembered = quiet, quiet
    if picture is not None:
        painting, remembered = str(picture.example.path), picture.picture()
    else:
        try:
            own = own_file(str(run.get("painting") or ""))
        except gr.Error:
            own = None
        if own and Path(own).is_file():
            painting, remembered = own, {"path": own}
    mark = gr.update(selected=picture.id if picture else "") if painting is not quiet else quiet
    return [painting, remembered, mark, quiet, quiet, quiet, quiet, False, False]
