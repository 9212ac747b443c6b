"""The page: which widgets stand where. What their events do is in ``handlers``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import gradio as gr

from awaken.ui.controls import cost, rail
from awaken.ui.controls.gallery import Bundled
from awaken.ui.controls.rail import Controls
from awaken.ui.page.language_switch import language_switch
from awaken.ui.run import difference, status
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.texts import say, translated_prompt
from awaken.ui.texts.languages import LABORATORIES, PATHS, current_language
from awaken.ui.viewer import history, stage
from awaken.ui.viewer.parts import placard, status_strip


@dataclass(frozen=True)
class Page:
    """The components of the page in one language, and what it remembers of its visitor.

    The laboratory is such a page, too: without *Awaken*, stage and placard.

    Attributes:
        rail: the controls. go, stop: *Awaken* and *Stop*; cost: what a run would cost.
        stage, strip, placard: where a run is shown. history: the browser's own runs.
        failure: the button that shows the bundled failure, None where there is none.
        owner: unseen; the tab puts its token in. picture: title and artist of the painting.
        shown: the last good stage value. first: what the page opens with. running: whether a run is under way.
        reattach: whether the page has just opened on a run of its own.
        ways: the links to other pages of ours; ``select`` carries ``to``.
    """

    rail: Controls
    go: gr.Button | None
    stop: gr.Button
    cost: gr.Markdown
    stage: stage.Stage | None
    strip: gr.HTML
    placard: gr.HTML | None
    history: gr.HTML
    failure: gr.Button | None
    owner: gr.Textbox
    picture: gr.State
    shown: gr.State
    first: Bundled | None
    running: gr.State
    reattach: gr.State
    ways: list[gr.HTML]


def draw(holder: EngineHolder, bundled: Sequence[Bundled]) -> Page:
    """Draw the page inside the current Blocks; on the stage is the example that shows most."""
    first = plainest(bundled)
    scene = first.scene() if first else stage.empty()
    shown = gr.State(stage.empty())
    picture = gr.State({})  # neutral, as ``shown``: Gradio forgets a session when too many come
    running = gr.State(False)
    owner = gr.Textbox(visible=False)

    with gr.Row(elem_id="aw-hall"):
        with gr.Column(elem_id="aw-left"):
            language = current_language()
            ways = [head(PATHS, say("laboratory"), LABORATORIES[language])]
            controls = left_rail(bundled, first)
            with gr.Column(elem_id="aw-dock"):
                strip = status_strip(status.idle(first is not None).value())
                with gr.Row(elem_id="aw-actions"):
                    go = gr.Button(say("awaken"), variant="primary", elem_id="aw-awaken", scale=3)
                    stop = stop_button()
                price = cost.line()
        with gr.Column(elem_id="aw-room"):
            viewer = stage.Stage(scene, elem_id="aw-stage")
            label = placard(first.placard() if first else None)
    tray = history.tray()
    failure = _explanation(next((b for b in bundled if b.ready and b.failure), None))
    _foot()
    return Page(
        rail=controls,
        go=go,
        stop=stop,
        cost=price,
        stage=viewer,
        strip=strip,
        placard=label,
        history=tray,
        failure=failure,
        owner=owner,
        picture=picture,
        shown=shown,
        first=first,
        running=running,
        reattach=gr.State(False),
        ways=ways,
    )


def plainest(bundled: Sequence[Bundled]) -> Bundled | None:
    """The example that shows most; None where no result is ready."""
    ready = [b for b in bundled if b.ready and not b.failure]
    return max(ready, key=lambda b: difference.plainness(b.settings), default=None)


def head(pages: Mapping[str, str], other: str, to: str) -> gr.HTML:
    """Title, and the ways to other pages of ours; see ``language_switch``. Returns the ways."""
    with gr.Row(elem_id="aw-head"):
        gr.Markdown(f"# {say('title')}\n\n{say('subtitle')}", elem_id="aw-title")
        return language_switch(pages, other, to)


def left_rail(bundled: Sequence[Bundled], first: Bundled | None) -> Controls:
    """The controls, on the picture that is chosen ``first``."""
    with gr.Column(elem_id="aw-rail"):
        return rail.build(
            [b.thumbnail() for b in bundled if not b.failure],
            first.inputs() | {"suggestions": first.suggestions} if first else {},
        )


def stop_button() -> gr.Button:
    """*Stop*, which can be pressed while something is under way."""
    return gr.Button(
        say("stop"), variant="stop", interactive=False, elem_id="aw-stop", scale=1, min_width=80
    )


def _explanation(failure: Bundled | None) -> gr.Button | None:
    """How the method works, and the button that shows where it fails."""
    with gr.Accordion(say("how_title"), open=False, elem_id="aw-how"):
        gr.Markdown(say("how"), elem_classes=["aw-prose"])
        if failure is None:
            return None
        words = say(
            "how_failure", prompt=translated_prompt(failure.example.prompt), title=failure.title
        )
        return gr.Button(words, size="sm", elem_id="aw-failure")


def _foot() -> None:
    with gr.Column(elem_id="aw-foot"):
        gr.Markdown(say("foot"))
        with gr.Accordion(say("citation_title"), open=False):
            gr.Markdown(f"```bibtex\n{say('citation')}\n```")
