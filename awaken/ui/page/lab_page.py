"""The laboratory's page: the same rail as beside the stage, and series of runs instead of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from awaken.ui.controls import cost, restore
from awaken.ui.controls.gallery import Bundled
from awaken.ui.jobs.events import QUIET, Updates
from awaken.ui.jobs.tab_session import SESSION_JS, TabSession
from awaken.ui.lab import laboratory, panels
from awaken.ui.page import handlers, layout, page_load, passage
from awaken.ui.page.layout import Page
from awaken.ui.run import status
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.texts import say
from awaken.ui.texts.languages import LABORATORIES, PATHS, current_language
from awaken.ui.viewer import history
from awaken.ui.viewer.parts import status_strip


def draw(holder: EngineHolder, bundled: Sequence[Bundled]) -> tuple[Page, laboratory.Laboratory]:
    """Draw the page inside the current Blocks."""
    first = layout.plainest(bundled)
    picture = gr.State({})
    running = gr.State(False)
    owner = gr.Textbox(visible=False)
    with gr.Row(elem_id="aw-hall", elem_classes=["aw-lab"]):
        with gr.Column(elem_id="aw-left"):
            ways = layout.head(LABORATORIES, say("to_stage"), PATHS[current_language()])
            controls = layout.left_rail(bundled, first)
            with gr.Column(elem_id="aw-dock"):
                strip = status_strip(status.laboratory().value())
                with gr.Row(elem_id="aw-actions"):
                    price = cost.line()
                    stop = layout.stop_button()
        with gr.Column(elem_id="aw-room"):
            tray = history.tray(brief=True)
            lab = laboratory.build(holder, controls, owner, picture, running, stop, tray)
    page = Page(
        rail=controls,
        go=None,
        stop=stop,
        cost=price,
        stage=None,
        strip=strip,
        placard=None,
        history=tray,
        failure=None,
        owner=owner,
        picture=picture,
        shown=gr.State({}),
        first=first,
        running=running,
        reattach=gr.State(False),
        ways=[ways],
    )
    return page, lab


def wire(
    demo: gr.Blocks,
    holder: EngineHolder,
    drawn: tuple[Page, laboratory.Laboratory],
    bundled: Sequence[Bundled],
) -> None:
    """Wire every event of the page."""
    page, lab = drawn
    jobs, rail = holder.jobs, page.rail
    by_id = {b.id: b for b in bundled}

    def on_load(session: str, request: gr.Request) -> Updates:
        return page_load.opening(page) | opened(TabSession.read(session), request)

    def opened(tab: TabSession, request: gr.Request) -> Updates:
        last = jobs.last(tab.owner, panels.NAMES)
        lost = [place for place in tab.lost(jobs) if place in panels.NAMES]
        if tab.luggage:
            return passage.unpack(page, tab.luggage, by_id)
        if last is not None:
            return page_load.dials_of(page, last.note)
        if lost:
            return page_load.remembered(page, tab.runs[lost[-1]], by_id)
        updates, remarks = restore.onto_rail(rail, restore.from_link(request))
        if remarks:
            updates |= {page.strip: status.restored(remarks).value()}
        return updates

    session = gr.Textbox(visible=False)
    outputs: list[Any] = [
        page.strip, rail["painting"], page.picture, rail.gallery, rail.chips, rail["mask"],
        *restore.outputs(rail),
    ]  # fmt: skip
    loaded = demo.load(on_load, session, outputs, js=SESSION_JS, **QUIET)
    handlers.wire_rail(demo, holder, page, bundled, laboratory.RUNS)
    lab.rejoin(loaded)
