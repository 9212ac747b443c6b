"""What a run would cost, told before the click: seconds here, or of the visitor's GPU quota."""

from __future__ import annotations

import asyncio
from typing import Any

import gradio as gr

from awaken.ui.controls import Controls
from awaken.ui.models import QUIET
from awaken.ui.runs import Workshop

READ = ("backend", "proxy", "variant", "p", "re_noise", "steps", "size", "frames")
PATIENCE = 60  # half seconds that a page waits for the engine to be made before it says nothing


def line() -> gr.Markdown:
    """Draw the line; empty until anybody knows."""
    return gr.Markdown("", elem_id="aw-cost")


def wire(
    demo: gr.Blocks, workshop: Workshop, rail: Controls, told: gr.Markdown, running: gr.State
) -> None:
    """Tell it when the page opens, when a dial moves and when a run has measured anew."""
    dials = [rail[name] for name in READ]

    def tell(*values: Any) -> str:
        return workshop.cost(dict(zip(READ, values, strict=True)))

    async def arrive(*values: Any) -> str:
        for _ in range(PATIENCE):
            if workshop.ready():
                break
            await asyncio.sleep(0.5)
        return tell(*values)

    demo.load(arrive, dials, told, **QUIET)
    gr.on(
        [running.change, *(dial.change for dial in dials)], tell, dials, told,
        trigger_mode="always_last", **QUIET,
    )  # fmt: skip
