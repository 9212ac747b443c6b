"""What the page does when a file is dropped, or a run of the history is taken back.

A painting begins something new; a bundle, a film or a settings.json brings a run back: its settings,
and whatever else it holds. Handlers return ``{component: value}``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from awaken.backends import BACKENDS
from awaken.types import AwakenError, RequestError
from awaken.ui.controls import restore
from awaken.ui.controls.gallery import Bundled
from awaken.ui.jobs.events import QUIET, Updates
from awaken.ui.page.layout import Page
from awaken.ui.run import file_guard, files, results, status
from awaken.ui.texts import say, suggestions
from awaken.ui.texts.languages import use_language
from awaken.ui.texts.messages import translate
from awaken.ui.viewer import stage
from awaken.ui.viewer.parts import event_data

MAX_FILE_SIZE = "20 MB"


def wire(page: Page, bundled: Sequence[Bundled]) -> None:
    """Wire the drop zone of the painting and the history."""
    rail = page.rail
    shown = [part for part in (page.stage, page.placard, page.shown, page.strip) if part]
    chosen = [rail["painting"], page.picture, rail.gallery, rail.chips, rail["mask"]]
    outputs = [*shown, *chosen, *restore.outputs(rail)]
    _drops(page, {b.id: b for b in bundled}, outputs)
    _history(page, outputs)


def _drops(page: Page, by_id: dict[str, Bundled], outputs: list[Any]) -> None:
    rail = page.rail

    def dropped(
        path: str | None,
        picture: dict,
        scene: dict,
        running: bool,
        backend: str,
        motion: float,
        prompt: str,
        event: gr.EventData,
    ) -> Updates:
        has_settings = path is not None and restore.is_settings_file(path)
        there = taken_before(event)
        unchanged = {rail["painting"]: there}
        try:
            if has_settings:
                return unchanged | run_from(path, there, running)
            if path is None or event_data(event, "problem"):
                raise RequestError(_not_arrived(event_data(event, "problem")))
            before = by_id.get(picture.get("id", ""))
            title = Path(event_data(event, "name")).stem
            brought = painting_from(path, title, scene, prompt, before, running)
            return brought | own_motion(before, backend, motion)
        except AwakenError as error:
            kind = "file" if has_settings else "picture"
            return unchanged | _refused(page, error, kind, running)

    def taken_before(event: gr.EventData) -> str | None:
        """The painting that the drop zone showed when the file came."""
        before = event_data(event, "before")
        return before if before and Path(file_guard.own_file(before)).is_file() else None

    def painting_from(
        path: str, title: str, scene: dict, prompt: str, before: Bundled | None, running: bool
    ) -> Updates:
        """Another painting, called as its file; a sentence that was said of the bundled one before goes with it."""
        kept = str(files.keep_upload(path))
        foreign = before is not None and prompt in before.suggestions
        updates = _chosen(page, kept, title) | ({rail["prompt"]: ""} if foreign else {})
        if running or page.stage is None:  # the stage belongs to the run
            return updates
        ask = foreign or not prompt.strip()
        return updates | {
            page.stage: stage.chosen(scene, kept),
            page.strip: status.chosen(ask).value(),
        }

    def own_motion(before: Bundled | None, backend: str, motion: float) -> Updates:
        """What only suited the bundled picture before is undone for a visitor's own, which begins
        moderately: nobody has seen how the model takes it."""
        spec = BACKENDS.get(backend)  # None only in a call written by hand
        untouched = before is not None and before.inputs().get("motion") == motion
        if spec and spec.motion is not None and untouched:
            return {rail["motion"]: spec.upload_motion or spec.motion}
        return {}

    def run_from(path: str, painting: str | None, running: bool) -> Updates:
        """Settings, and what else the file holds: painting, mask and, of both videos, the result."""
        found = restore.from_file(path)
        brought = {}
        result = restore.result_from(path)
        own = restore.painting_from(path, painting) if result is None else None
        if result is not None:
            brought = _result(page, result, running)
            if "mask" in result.files:
                found = replace(found, masked=False)
        elif own is not None:
            brought = {} if own == painting else _chosen(page, own)
        else:
            mask = restore.mask_from(path, painting)
            if mask is not None:
                found = replace(found, masked=False)
                brought = {rail["mask"]: mask}
                if mask["painting"] != painting:
                    brought |= _chosen(page, mask["painting"])
        return brought | _restored(page, found, running, complete=bool(result or own))

    rail["painting"].upload(
        dropped,
        [rail["painting"], page.picture, page.shown, page.running, rail["backend"], rail["motion"],
         rail["prompt"]],
        outputs,
        **QUIET,
    )  # fmt: skip


def _history(page: Page, outputs: list[Any]) -> None:
    def again(running: bool, event: gr.EventData) -> Updates:
        """The settings of a run from the browser's own history, with its painting and its mask."""
        try:
            found = restore.from_text(event_data(event, "settings"))
            own, mask = restore.pictures_from(*(event_data(event, n) for n in ("painting", "mask")))
            if own is None:
                return _restored(page, found, running)
            brought = _chosen(page, own, event_data(event, "title"), event_data(event, "byline"))
            if mask is not None:
                brought |= {page.rail["mask"]: mask}
                found = replace(found, masked=False)
            return brought | _restored(page, found, running, complete=True)
        except RequestError as error:
            return _refused(page, error, "file", running) or gr.skip()

    page.history.select(again, page.running, outputs, **QUIET)


def _result(page: Page, result: restore.RestoredRun, running: bool) -> Updates:
    """The run of a file: its painting on the rail, and its videos on the stage unless a run goes on."""
    painting = str(result.files["painting"])
    updates = _chosen(page, painting)
    if "mask" in result.files:
        updates |= {page.rail["mask"]: restore.mask_value(painting, result.files["mask"])}
    if running or page.stage is None:
        return updates
    scene = results.film(result.settings, result.files)
    label = results.placard(result.settings, result.files, {})
    return updates | {page.stage: scene, page.placard: label, page.shown: scene}


def _not_arrived(problem: str) -> str:
    """Why a file did not arrive; what a browser tells is only compared, never shown."""
    with use_language("en"):  # the route that takes files speaks no other
        said = {key: say(key) for key in ("disk_full", "disk_read_only", "uploads_many")}
    known = next((key for key, words in said.items() if words in problem), None)
    return say(known) if known else say("upload_failed", limit=MAX_FILE_SIZE)


def _chosen(page: Page, painting: str, title: str = "", byline: str = "") -> Updates:
    """The visitor's own painting, which no picture of the gallery is."""
    rail = page.rail
    return {
        rail["painting"]: painting,
        page.picture: {"path": painting, "title": title[:200], "byline": byline[:200]},
        rail.gallery: gr.update(selected=""),
        rail.chips: suggestions(),
    }


def _restored(
    page: Page, found: restore.Recovered, running: bool, complete: bool = False
) -> Updates:
    """Settings from a file on the dials; during a run the strip belongs to the run."""
    updates, remarks = restore.onto_rail(page.rail, found)
    news = {} if running else {page.strip: status.restored(remarks, complete).value()}
    return updates | news


def _refused(page: Page, error: AwakenError, kind: str, running: bool) -> Updates:
    """A file that cannot be used, with its sentence; during a run the strip belongs to the run."""
    if running:
        gr.Warning(translate(error.message))
        return {}
    return {page.strip: status.refused(error.message, kind).value()}
