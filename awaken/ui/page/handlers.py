"""What the page does when a file is dropped, a bundled picture chosen, or a card's button pressed.

Handlers return ``{component: value}``; what they do not name stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr

from awaken.backends import BACKENDS
from awaken.ui.controls import alpha, cost, gallery, model_picker
from awaken.ui.controls.gallery import Bundled
from awaken.ui.jobs.events import QUIET, Updates
from awaken.ui.page import file_events, page_load, passage, run_events
from awaken.ui.page.layout import Page
from awaken.ui.run import status
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.run.requests import BACKEND, PROXY, calmer
from awaken.ui.viewer.parts import event_data

MAX_FILE_SIZE = "20 MB"


def wire(demo: gr.Blocks, holder: EngineHolder, page: Page, bundled: Sequence[Bundled]) -> None:
    """Wire every event of the page."""
    _remedies(page)  # before the run that the same press may begin: Gradio keeps this order
    loaded = page_load.wire(demo, holder, page, bundled)
    run_events.wire(holder, page, loaded, bundled)
    wire_rail(demo, holder, page, bundled)


def wire_rail(
    demo: gr.Blocks, holder: EngineHolder, page: Page, bundled: Sequence[Bundled], runs: int = 1
) -> None:
    """Wire what every page with a rail does; it starts ``runs`` runs at a press."""
    cost.wire(demo, holder, page.rail, page.cost, page.running, runs)
    alpha.wire(demo, holder, page.rail.inputs, page.running)
    file_events.wire(page, bundled)
    passage.wire(page)
    _gallery(page, bundled)
    for offer in page.rail.offers:
        model_picker.wire_download(holder, offer, page.rail[offer.role])


def _remedies(page: Page) -> None:
    rail = page.rail

    def remedy(backend: str, motion: float | None, peak: float, event: gr.EventData) -> Updates:
        """The settings that a card's button changes; the run that may follow is not begun here."""
        action, _, size = event_data(event, "action").partition(":")
        sizes = {str(offered): offered for offered in BACKENDS[backend].sizes}
        if action == "smaller" and size in sizes:
            return {rail["size"]: sizes[size]}
        if action == "miniature":
            return {rail["backend"]: BACKEND, rail["proxy"]: PROXY}
        if action == "calmer":
            now = {"backend": backend, "motion": motion, "peak": peak}
            return {rail[name]: value for name, value in calmer(now).items()}
        if action == "calm":
            return {rail["peak"]: status.CALMER_PEAK}
        return gr.skip()

    given = [rail[name] for name in ("backend", "motion", "peak")]
    changed = [rail[name] for name in ("size", "backend", "proxy", "motion", "peak")]
    page.strip.select(remedy, given, changed, **QUIET)


def _gallery(page: Page, bundled: Sequence[Bundled]) -> None:
    """A bundled picture fills in painting, prompt and settings and shows its ready result."""
    rail = page.rail
    by_id = {b.id: b for b in bundled}
    failure = next((b for b in bundled if b.ready and b.failure), None)

    def result_of(chosen: Bundled, running: bool) -> Updates:
        if running or not chosen.ready or page.stage is None:  # the stage belongs to the run
            return {}
        scene = chosen.scene()
        return {
            page.stage: scene,
            page.strip: status.idle(example=True).value(),
            page.placard: chosen.placard(),
            page.shown: scene,
        }

    def choose(running: bool, event: gr.EventData) -> Updates:
        chosen = by_id.get(event_data(event, "id"))
        if chosen is None:
            return gr.skip()
        inputs = chosen.inputs()
        return {
            page.picture: chosen.picture(),
            rail.gallery: gr.update(selected=chosen.id),
            rail.chips: chosen.suggestions,
            **{rail[name]: inputs[name] for name in gallery.INPUTS if name in inputs},
        } | result_of(chosen, running)

    result = [part for part in (page.stage, page.strip, page.placard, page.shown) if part]
    rail.gallery.select(
        choose,
        page.running,
        [page.picture, rail.gallery, rail.chips, *result, *(rail[n] for n in gallery.INPUTS)],
        **QUIET,
    )
    if failure is not None and page.failure is not None:
        page.failure.click(
            lambda running: result_of(failure, running) or gr.skip(),
            page.running,
            result,
            js=run_events.TO_THE_TOP,
            **QUIET,
        )
