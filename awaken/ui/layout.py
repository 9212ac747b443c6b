"""The page: where everything stands, and which event does what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr

from awaken.backends import BACKENDS
from awaken.recipe import Recovered
from awaken.types import AwakenError, RequestError
from awaken.ui import (
    api,
    controls,
    downloads,
    gallery,
    history,
    laboratory,
    languages,
    restore,
    runs,
    stage,
    status,
    widgets,
)
from awaken.ui.below import tell
from awaken.ui.gallery import Bundled
from awaken.ui.intake import Hall
from awaken.ui.models import BACKEND, PROXY, QUIET
from awaken.ui.runs import View, Workshop
from awaken.ui.status import CALMER_PEAK
from awaken.ui.texts import ENGLISH, offered, say, suggestions

MAX_WAITING = 24
MAX_FILE_SIZE = "20 MB"
TO_THE_TOP = "(...values) => { scrollTo({ top: 0 }); return values; }"


def build(workshop: Workshop, bundled: list[Bundled]) -> gr.Blocks:
    """The whole page over one engine, once in every language; ``bundled`` may be empty."""
    with Hall(
        title=ENGLISH["title"], analytics_enabled=False, delete_cache=(600, 86400), fill_width=True
    ) as demo:
        _page(demo, "en", workshop, bundled)
        api.add(workshop)
    with demo.route(languages.NAMES["zh"], languages.PATHS["zh"], show_in_navbar=False):
        _page(demo, "zh", workshop, bundled)
    languages.keep(demo)
    return demo.queue(max_size=MAX_WAITING, default_concurrency_limit=1, api_open=False)


def _page(demo: gr.Blocks, language: str, workshop: Workshop, bundled: list[Bundled]) -> None:
    """The page in one language, inside the current Blocks."""
    first = next((b for b in bundled if b.ready and not b.failure), None)
    failure = next((b for b in bundled if b.ready and b.failure), None)
    by_id = {b.id: b for b in bundled}

    with languages.speaking(language):
        scene = first.scene() if first else stage.empty()
        shown = gr.State(scene, delete_callback=None)
        picture = gr.State(first.picture() if first else {})
        running = gr.State(False)

        with gr.Row(elem_id="aw-hall"):
            with gr.Column(elem_id="aw-left"):
                gr.Markdown(f"# {say('title')}\n\n{say('subtitle')}", elem_id="aw-head")
                widgets.languages()
                with gr.Column(elem_id="aw-rail"):
                    rail = controls.build(
                        [b.thumbnail() for b in bundled if not b.failure],
                        first.inputs() | {"suggestions": first.suggestions} if first else {},
                    )
                with gr.Row(elem_id="aw-actions"):
                    go = gr.Button(say("awaken"), variant="primary", elem_id="aw-awaken", scale=3)
                    stop = gr.Button(
                        say("stop"), variant="stop", interactive=False, elem_id="aw-stop",
                        scale=1, min_width=96,
                    )  # fmt: skip
            with gr.Column(elem_id="aw-room"):
                wall = stage.Stage(scene, elem_id="aw-stage")
                strip = widgets.status_strip(status.idle(first is not None).value())
                label = widgets.placard(first.placard() if first else None)
            kept = history.tray()
            laboratory.build(workshop, rail)
        show_failure = _explanation(failure)
        _foot()

        buttons = [go, stop]
        outputs = [wall, strip, label, *buttons, shown, running, kept]

        def begin() -> list[Any]:
            now = status.waiting(behind=workshop.busy > 0)
            return [now.value(), *_pressable(False), True]

        def run(shown: dict, picture: dict, **keywords: Any) -> Iterator[list[Any]]:
            values = controls.values(keywords)
            for view in runs.animate(workshop, shown, picture, values):
                yield _outputs(view)

        def halt(shown: dict) -> list[Any]:
            now = status.stopped(kept=shown["result"] is not None)
            return [stage.settled(shown), now.value(), *_pressable(True), False]

        def refuse(shown: dict, running: bool) -> list[Any]:
            """Gradio turned the run away before it began: a full queue, a value off its dial."""
            if not running:  # a stopped run may end as a failure too; Stop has said the last word
                return [gr.skip()] * 5
            now = status.failed("request", say("turned_away"), kept=shown["result"] is not None)
            return [stage.settled(shown), now.value(), *_pressable(True), False]

        pressed = go.click(begin, None, [strip, *buttons, running], js=TO_THE_TOP, **QUIET)
        work = pressed.then(
            run, [shown, picture], outputs, inputs_kwargs=rail.keywords(), concurrency_id="gpu",
            concurrency_limit=1, show_progress="hidden", api_visibility="private",
        )  # fmt: skip
        freed = [wall, strip, *buttons, running]
        stop.click(halt, shown, freed, cancels=[work], **QUIET)
        work.failure(refuse, [shown, running], freed, **QUIET)

        chosen = [rail["painting"], picture, rail.wall]
        dials = [name for name in rail.inputs if name not in restore.PICTURES]
        restored = [rail.restored, rail.lock, *(rail[name] for name in dials)]

        def receive(
            path: str | None, picture: dict, running: bool, event: gr.EventData
        ) -> list[Any]:
            if path is None or not restore.is_settings_file(path):
                quiet = [gr.skip()] * (1 + len(restored))
                return [*_receive(path, picture, running, event), *quiet]
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
                now, values = status.refused(str(error)).value(), [gr.skip()] * len(restored)
            strip = gr.skip() if running else now  # during a run it belongs to the run
            return [*hung, strip, brought, *values]

        rail["painting"].upload(
            receive, [rail["painting"], picture, running],
            [*chosen, rail.chips, strip, rail["mask"], *restored], **QUIET,
        )  # fmt: skip

        def arrive(request: gr.Request) -> list[Any]:
            return _restored(restore.from_link(request), dials)

        demo.load(arrive, None, [strip, *restored], **QUIET)

        def again(running: bool, event: gr.EventData) -> list[Any]:
            """The settings of a run from the browser's own history."""
            try:
                now, *values = _restored(restore.from_text(widgets.said(event, "settings")), dials)
            except RequestError as error:
                now, values = status.refused(str(error)).value(), [gr.skip()] * len(restored)
            return [gr.skip() if running else now, *values]

        kept.select(again, running, [strip, *restored], **QUIET)

        def take(running: bool, event: gr.EventData) -> list[Any]:
            return _take(by_id.get(widgets.said(event, "id")), running)

        taken = [rail[name] for name in gallery.INPUTS]
        rail.wall.select(
            take, running, [*chosen[1:], rail.chips, wall, strip, label, shown, *taken], **QUIET
        )

        remedies = [rail[name] for name in ("size", "backend", "proxy", "peak")]
        strip.select(_remedy, [rail["size"], rail["backend"]], remedies, **QUIET)
        if show_failure:
            show_failure.click(
                lambda running: _hang(failure, running), running, [wall, strip, label, shown],
                js=TO_THE_TOP, **QUIET,
            )  # fmt: skip
        for offer in rail.offers:
            downloads.wire(workshop, offer, rail[offer.role])


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


def _pressable(ready: bool) -> list[dict[str, Any]]:
    """Awaken and Stop: exactly one of them can be pressed."""
    return [gr.update(interactive=ready), gr.update(interactive=not ready)]


def _outputs(view: View) -> list[Any]:
    """One moment of a run for [stage, strip, placard, awaken, stop, shown, running, kept]."""
    quiet = gr.skip()
    finished = view.ended and view.placard is not None
    return [
        view.stage,
        view.status.value(),
        view.placard or quiet,
        *(_pressable(True) if view.ended else (quiet, quiet)),
        view.stage if finished else quiet,
        False if view.ended else quiet,
        history.keepsake(view.stage, view.placard) if finished else quiet,
    ]


def _restored(found: Recovered, dials: list[str]) -> list[Any]:
    """[strip, restored, lock, *dials] after a link or a file brought settings."""
    if not found.settings and not found.remarks:
        return [gr.skip()] * (3 + len(dials))
    values, remarks = restore.onto_dials(found, dials)
    dialled = [values.get(name, gr.skip()) for name in ("lock", *dials)]
    return [status.restored(remarks).value(), values, *dialled]


def _receive(path: str | None, picture: dict, running: bool, event: gr.EventData) -> list[Any]:
    """A dropped file becomes the painting; a bad one leaves all as it was, with a sentence."""
    quiet = gr.skip()
    try:
        if widgets.said(event, "problem") or path is None:
            raise RequestError(say("upload_failed", limit=MAX_FILE_SIZE))
        kept = str(runs.keep_upload(path))
    except AwakenError as error:
        if running:  # the strip belongs to the run
            gr.Warning(tell(str(error)))
        strip = quiet if running else status.refused(str(error)).value()
        return [picture.get("path"), quiet, quiet, quiet, strip]
    strip = quiet if running else status.idle(example=False).value()
    return [kept, {"path": kept}, gr.update(selected=""), suggestions(), strip]


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


def _remedy(size: int, backend: str, event: gr.EventData) -> list[Any]:
    """[size, backend, proxy, peak] after a card's button."""
    action, quiet = widgets.said(event, "action"), gr.skip()
    smaller = status.smaller_size(BACKENDS[backend].sizes, size)
    return [
        smaller if action == "smaller" else quiet,
        BACKEND if action == "miniature" else quiet,
        PROXY if action == "miniature" else quiet,
        CALMER_PEAK if action == "calm" else quiet,
    ]
