"""What a run would cost, shown before the click: seconds here, or of the visitor's GPU quota."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from awaken.types import SETTINGS, RequestError
from awaken.ui.controls.rail import Controls
from awaken.ui.jobs.events import QUIET
from awaken.ui.run.engine_holder import EngineHolder

READ = ("backend", "proxy", "variant", "p", "re_noise", "steps", "size", "frames", "draft")
PATIENCE = 30.0  # s that a page waits for the engine to be made before it says nothing


def line() -> gr.Markdown:
    """Draw the line; empty until anybody knows."""
    return gr.Markdown("", elem_id="aw-cost")


def wire(
    demo: gr.Blocks,
    holder: EngineHolder,
    rail: Controls,
    line: gr.Markdown,
    running: gr.State,
    runs: int = 1,
) -> None:
    """Show it when the page opens, when a dial moves and when a run has measured anew; with ``runs``
    that of a series of so many, too."""
    dials = [rail[name] for name in READ]

    # Not preprocessed: while a newly chosen model's choices are still on their way, a dial holds a
    # value of the last model's, and Gradio would answer with an error.
    raw = QUIET | {"preprocess": False}

    def cost(*values: Any) -> str:
        settings = dict(zip(READ, values, strict=True))
        return holder.cost(settings, runs) if plausible(settings) else ""

    async def on_load(*values: Any) -> str:
        await holder.started(PATIENCE)
        return cost(*values)

    demo.load(on_load, dials, line, **raw)
    gr.on(
        [running.change, *(dial.change for dial in dials)], cost, dials, line,
        trigger_mode="always_last", **raw,
    )  # fmt: skip


def plausible(settings: Mapping[str, Any]) -> bool:
    """Whether values that come straight from a browser are what their settings may be."""
    try:
        for name, value in settings.items():
            SETTINGS[name].check(name, value)
    except RequestError:
        return False
    return True
