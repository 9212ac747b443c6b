"""The page: where everything stands, and which event does what."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from awaken.backends import BACKENDS
from awaken.recipe import Recovered
from awaken.types import AwakenError, RequestError
from awaken.ui.api import endpoints
from awaken.ui.controls import cost, gallery, model_downloads, restore
from awaken.ui.controls.gallery import Bundled
from awaken.ui.controls.rail import build as build_rail
from awaken.ui.jobs.events import QUIET
from awaken.ui.jobs.manager import MAX_WAITING
from awaken.ui.lab import laboratory
from awaken.ui.page import language_switch, page_load, run_events
from awaken.ui.run import files, status
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.run.file_guard import FileGuardBlocks
from awaken.ui.run.requests import BACKEND, PROXY
from awaken.ui.run.status import CALMER_PEAK
from awaken.ui.texts import languages, offered, say, suggestions
from awaken.ui.texts.messages import tell
from awaken.ui.texts.page_en import ENGLISH
from awaken.ui.viewer import history, stage
from awaken.ui.viewer.parts import placard, said, status_strip

MAX_FILE_SIZE = "20 MB"


def build(holder: EngineHolder, bundled: list[Bundled]) -> gr.Blocks:
    """The whole page over one engine, once in every language; ``bundled`` may be empty."""
    with FileGuardBlocks(
        title=ENGLISH["title"], analytics_enabled=False, delete_cache=(600, 86400), fill_width=True
    ) as demo:
        _page(demo, "en", holder, bundled)
        endpoints.add(holder)
    with demo.route(languages.NAMES["zh"], languages.PATHS["zh"], show_in_navbar=False):
        _page(demo, "zh", holder, bundled)
    language_switch.keep_language(demo)
    return demo.queue(max_size=MAX_WAITING, default_concurrency_limit=1, api_open=False)


def _page(demo: gr.Blocks, language: str, holder: EngineHolder, bundled: list[Bundled]) -> None:
    """The page in one language, inside the current Blocks."""
    first = next((b for b in bundled if b.ready and not b.failure), None)
    failure = next((b for b in bundled if b.ready and b.failure), None)
    by_id = {b.id: b for b in bundled}

    with languages.speaking(language):
        scene = first.scene() if first else stage.empty()
        shown = gr.State(scene, delete_callback=None)
        picture = gr.State(first.picture() if first else {})
        busy = gr.State(False)
        owner = gr.Textbox(visible=False)

        with gr.Row(elem_id="aw-hall"):
            with gr.Column(elem_id="aw-left"):
                gr.Markdown(f"# {say('title')}\n\n{say('subtitle')}", elem_id="aw-head")
                language_switch.language_switch()
                with gr.Column(elem_id="aw-rail"):
                    rail = build_rail(
                        [b.thumbnail() for b in bundled if not b.failure],
                        first.inputs() | {"suggestions": first.suggestions} if first else {},
                    )
                with gr.Row(elem_id="aw-actions"):
                    go = gr.Button(say("awaken"), variant="primary", elem_id="aw-awaken", scale=3)
                    stop = gr.Button(
                        say("stop"), variant="stop", interactive=False, elem_id="aw-stop",
                        scale=1, min_width=96,
                    )  # fmt: skip
                    price = cost.line()
            with gr.Column(elem_id="aw-room"):
                wall = stage.Stage(scene, elem_id="aw-stage")
                strip = status_strip(status.idle(first is not None).value())
                label = placard(first.placard() if first else None)
            kept = history.tray()
            rejoin = laboratory.build(holder, rail, owner, picture, busy)
        parts = run_events.Parts(
            owner, wall, strip, label, go, stop, shown, busy, kept, picture, gr.State(False)
        )
        show_failure = _explanation(failure)
        _foot()

        chosen = [rail["painting"], picture, rail.wall]
        dials = [name for name in rail.inputs if name not in restore.PICTURES]
        restored = [rail.restored, rail.lock, *(rail[name] for name in dials)]
        remedies = [rail[name] for name in ("size", "backend", "proxy", "peak")]
        # before the run that the same press may begin: Gradio takes one after the other
        strip.select(_remedy, rail["backend"], remedies, **QUIET)
        arrived = page_load.wire(demo, holder, rail, parts, bundled, dials)
        run_events.wire(holder, rail, parts, arrived)
        rejoin(arrived)
        cost.wire(demo, holder, rail, price, busy)

        def receive(
            path: str | None, picture: dict, running: bool, backend: str, motion: float,
            event: gr.EventData,
        ) -> list[Any]:  # fmt: skip
            if path is None or not restore.is_settings_file(path):
                hung, quiet = _receive(path, picture, running, event), [gr.skip()] * 3
                own = {"motion": _own_motion(by_id.get(picture.get("id", "")), backend, motion)}
                news = own if hung[0] != picture.get("path") else {}
                return [*hung, *quiet, *(news.get(name, gr.skip()) for name in dials)]
            hung, brought = [picture.get("path"), *([gr.skip()] * 3)], gr.skip()
            try:
                found = restore.from_file(path)
                mask = restore.mask_from(path, picture.get("path"))
                if mask is not None:
                    found, brought = replace(found, masked=False), mask
                    if mask["painting"] != picture.get("path"):
                        hung = [mask["painting"], {"path": mask["painting"]},
                                gr.update(selected=""), suggestions()]  # fmt: skip
                now, *values = _restored(found, dials)
            except RequestError as error:
                now, values = status.refused(str(error), "file").value(), [gr.skip()] * len(restored)
            strip = gr.skip() if running else now  # during a run it belongs to the run
            return [*hung, strip, brought, *values]

        rail["painting"].upload(
            receive, [rail["painting"], picture, busy, rail["backend"], rail["motion"]],
            [*chosen, rail.chips, strip, rail["mask"], *restored], **QUIET,
        )  # fmt: skip

        def again(running: bool, event: gr.EventData) -> list[Any]:
            """The settings of a run from the browser's own history."""
            try:
                now, *values = _restored(restore.from_text(said(event, "settings")), dials)
            except RequestError as error:
                now, values = status.refused(str(error), "file").value(), [gr.skip()] * len(restored)
            return [gr.skip() if running else now, *values]

        kept.select(again, busy, [strip, *restored], **QUIET)

        def take(running: bool, event: gr.EventData) -> list[Any]:
            return _take(by_id.get(said(event, "id")), running)

        taken = [rail[name] for name in gallery.INPUTS]
        rail.wall.select(
            take, busy, [*chosen[1:], rail.chips, wall, strip, label, shown, *taken], **QUIET
        )

        if show_failure:
            show_failure.click(
                lambda busy: _hang(failure, busy), busy, [wall, strip, label, shown],
                js=run_events.TO_THE_TOP, **QUIET,
            )  # fmt: skip
        for offer in rail.offers:
            model_downloads.wire(holder, offer, rail[offer.role])


def _explanation(failure: Bundled | None) -> gr.Button | None:
    with gr.Accordion(say("how_title"), open=False, elem_id="aw-how"):
        gr.Markdown(say("how"), elem_classes=["aw-prose"])
        if failure is None:
            return None
        words = say("how_failure", prompt=offered(failure.example.prompt), title=failure.title)
        return gr.Button(words, size="sm", elem_id="aw-failure")


def _foot() -> None:
    with gr.Column(elem_id="aw-foot"):
        gr.Markdown(say("foot"))
        with gr.Accordion(say("citation_title"), open=False):
            gr.Markdown(f"```bibtex\n{say('citation')}\n```")


def _restored(found: Recovered, dials: list[str]) -> list[Any]:
    """[strip, restored, lock, *dials] after a file brought settings."""
    values, remarks = page_load.dialled(found, dials)
    return [status.restored(remarks).value(), *values]


def _receive(path: str | None, picture: dict, running: bool, event: gr.EventData) -> list[Any]:
    """A dropped file becomes the painting; a bad one leaves all as it was, with a sentence."""
    quiet = gr.skip()
    try:
        if said(event, "problem") or path is None:
            raise RequestError(say("upload_failed", limit=MAX_FILE_SIZE))
        kept = str(files.keep_upload(path))
    except AwakenError as error:
        if running:  # the strip belongs to the run
            gr.Warning(tell(str(error)))
        strip = quiet if running else status.refused(str(error)).value()
        return [picture.get("path"), quiet, quiet, quiet, strip]
    strip = quiet if running else status.idle(example=False).value()
    return [kept, {"path": kept}, gr.update(selected=""), suggestions(), strip]


def _own_motion(before: Bundled | None, backend: str, motion: float) -> Any:
    """The dial for a picture of the visitor's own: what only suited the bundled one is undone."""
    spec = BACKENDS.get(backend)  # None only in a call written by hand
    untouched = before is not None and before.inputs().get("motion") == motion
    return spec.motion if spec and spec.motion is not None and untouched else gr.skip()


def _take(chosen: Bundled | None, running: bool) -> list[Any]:
    """A bundled picture fills in painting, prompt and settings and shows its ready result."""
    if chosen is None:
        return [gr.skip()] * (7 + len(gallery.INPUTS))
    inputs = chosen.inputs()
    return [
        chosen.picture(),
        gr.update(selected=chosen.id),
        chosen.suggestions,
        *_hang(chosen, running),
        *(inputs.get(name, gr.skip()) for name in gallery.INPUTS),
    ]


def _hang(chosen: Bundled, running: bool) -> list[Any]:
    """[stage, strip, placard, shown] with a bundled result, unless a run has the stage."""
    if running or not chosen.ready:
        return [gr.skip()] * 4
    scene = chosen.scene()
    return [scene, status.idle(example=True).value(), chosen.placard(), scene]


def _remedy(backend: str, event: gr.EventData) -> list[Any]:
    """[size, backend, proxy, peak] after a card's button."""
    action, _, size = said(event, "action").partition(":")
    sizes = {str(offered): offered for offered in BACKENDS[backend].sizes}
    quiet = gr.skip()
    return [
        sizes.get(size, quiet) if action == "smaller" else quiet,
        BACKEND if action == "miniature" else quiet,
        PROXY if action == "miniature" else quiet,
        CALMER_PEAK if action == "calm" else quiet,
    ]
