"""What the page does when a file is dropped, a bundled picture chosen, or a card's button pressed.

Handlers return ``{component: value}``; what they do not name stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import gradio as gr

from awaken.backends import BACKENDS
from awaken.types import AwakenError, RequestError
from awaken.ui.controls import alpha, cost, gallery, model_downloads, restore
from awaken.ui.controls.gallery import Bundled
from awaken.ui.jobs.events import QUIET, Updates
from awaken.ui.page import page_load, run_events
from awaken.ui.page.layout import Page
from awaken.ui.run import files, status
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.run.requests import BACKEND, PROXY
from awaken.ui.texts import say, suggestions
from awaken.ui.texts.messages import translate
from awaken.ui.viewer.parts import event_data

MAX_FILE_SIZE = "20 MB"


def wire(demo: gr.Blocks, holder: EngineHolder, page: Page, bundled: Sequence[Bundled]) -> None:
    """Wire every event of the page."""
    _remedies(page)  # before the run that the same press may begin: Gradio keeps this order
    loaded = page_load.wire(demo, holder, page, bundled)
    run_events.wire(holder, page, loaded)
    page.rejoin(loaded)
    cost.wire(demo, holder, page.rail, page.cost, page.running)
    alpha.wire(demo, holder, page.rail.inputs, page.running)
    _files(page, bundled)
    _history(page)
    _gallery(page, bundled)
    for offer in page.rail.offers:
        model_downloads.wire(holder, offer, page.rail[offer.role])


def _remedies(page: Page) -> None:
    rail = page.rail

    def remedy(backend: str, event: gr.EventData) -> Updates:
        """The settings that a card's button changes; the run that may follow is not begun here."""
        action, _, size = event_data(event, "action").partition(":")
        sizes = {str(offered): offered for offered in BACKENDS[backend].sizes}
        if action == "smaller" and size in sizes:
            return {rail["size"]: sizes[size]}
        if action == "miniature":
            return {rail["backend"]: BACKEND, rail["proxy"]: PROXY}
        if action == "calm":
            return {rail["peak"]: status.CALMER_PEAK}
        return gr.skip()

    changed = [rail[name] for name in ("size", "backend", "proxy", "peak")]
    page.strip.select(remedy, rail["backend"], changed, **QUIET)


def _files(page: Page, bundled: Sequence[Bundled]) -> None:
    """A dropped file: a painting, or settings in a bundle, a video or a settings.json."""
    rail = page.rail
    by_id = {b.id: b for b in bundled}

    def dropped(
        path: str | None,
        picture: dict,
        running: bool,
        backend: str,
        motion: float,
        event: gr.EventData,
    ) -> Updates:
        has_settings = path is not None and restore.is_settings_file(path)
        unchanged = {rail["painting"]: picture.get("path")}
        try:
            if has_settings:
                return unchanged | settings_from(path, picture.get("path"), running)
            if path is None or event_data(event, "problem"):
                raise RequestError(say("upload_failed", limit=MAX_FILE_SIZE))
            before = by_id.get(picture.get("id", ""))
            return painting_from(path, running) | own_motion(before, backend, motion)
        except AwakenError as error:
            kind = "file" if has_settings else "picture"
            return unchanged | _refused(page, error, kind, running)

    def painting_from(path: str, running: bool) -> Updates:
        kept = str(files.keep_upload(path))
        idle = {} if running else {page.strip: status.idle(example=False).value()}
        return _chosen(page, kept) | idle

    def own_motion(before: Bundled | None, backend: str, motion: float) -> Updates:
        """What only suited the bundled picture before is undone for a visitor's own."""
        spec = BACKENDS.get(backend)  # None only in a call written by hand
        untouched = before is not None and before.inputs().get("motion") == motion
        if spec and spec.motion is not None and untouched:
            return {rail["motion"]: spec.motion}
        return {}

    def settings_from(path: str, painting: str | None, running: bool) -> Updates:
        found = restore.from_file(path)
        mask = restore.mask_from(path, painting)
        brought = {}
        if mask is not None:
            found = replace(found, masked=False)
            brought = {rail["mask"]: mask}
            if mask["painting"] != painting:
                brought |= _chosen(page, mask["painting"])
        return brought | _restored(page, found, running)

    rail["painting"].upload(
        dropped,
        [rail["painting"], page.picture, page.running, rail["backend"], rail["motion"]],
        [rail["painting"], page.picture, rail.gallery, rail.chips, page.strip, rail["mask"],
         *restore.outputs(rail)],
        **QUIET,
    )  # fmt: skip


def _history(page: Page) -> None:
    def again(running: bool, event: gr.EventData) -> Updates:
        """The settings of a run from the browser's own history."""
        try:
            return _restored(page, restore.from_text(event_data(event, "settings")), running)
        except RequestError as error:
            return _refused(page, error, "file", running) or gr.skip()

    page.history.select(again, page.running, [page.strip, *restore.outputs(page.rail)], **QUIET)


def _gallery(page: Page, bundled: Sequence[Bundled]) -> None:
    """A bundled picture fills in painting, prompt and settings and shows its ready result."""
    rail = page.rail
    by_id = {b.id: b for b in bundled}
    failure = next((b for b in bundled if b.ready and b.failure), None)

    def result_of(chosen: Bundled, running: bool) -> Updates:
        if running or not chosen.ready:  # the stage belongs to the run
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

    result = [page.stage, page.strip, page.placard, page.shown]
    rail.gallery.select(
        choose,
        page.running,
        [page.picture, rail.gallery, rail.chips, *result, *(rail[n] for n in gallery.INPUTS)],
        **QUIET,
    )
    if failure is not None:
        page.failure.click(
            lambda running: result_of(failure, running) or gr.skip(),
            page.running,
            result,
            js=run_events.TO_THE_TOP,
            **QUIET,
        )


def _chosen(page: Page, painting: str) -> Updates:
    """The visitor's own painting, which no picture of the gallery is."""
    rail = page.rail
    return {
        rail["painting"]: painting,
        page.picture: {"path": painting},
        rail.gallery: gr.update(selected=""),
        rail.chips: suggestions(),
    }


def _restored(page: Page, found: restore.Recovered, running: bool) -> Updates:
    """Settings from a file on the dials; during a run the strip belongs to the run."""
    updates, remarks = restore.onto_rail(page.rail, found)
    news = {} if running else {page.strip: status.restored(remarks).value()}
    return updates | news


def _refused(page: Page, error: AwakenError, kind: str, running: bool) -> Updates:
    """A file that cannot be used, with its sentence; during a run the strip belongs to the run."""
    if running:
        gr.Warning(translate(error.message))
        return {}
    return {page.strip: status.refused(error.message, kind).value()}
