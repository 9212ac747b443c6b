"""The alpha dial: the curves of Fig. 6, drawn small to choose from, and what each would do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from awaken.types import ALPHA_KINDS
from awaken.ui.jobs.events import QUIET
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.texts import say
from awaken.ui.texts.languages import join_sentences
from awaken.ui.viewer.parts import part
from awaken.vsds import alpha_schedule, distilled_steps

# What the curves depend on, by name of ``Request``, in the order of ``drawn``.
SHAPE = ("backend", "steps", "p", "peak")


def dial(value: str, shape: Sequence[Any]) -> gr.HTML:
    """A group of radio buttons whose value is one of ``ALPHA_KINDS``; shape: values of ``SHAPE``."""
    return part(
        "alpha",
        '<fieldset><legend><b class="aw-alpha-title"></b><span class="aw-alpha-name"></span></legend>'
        '<div class="aw-alpha-curves"></div></fieldset>'
        '<p class="aw-alpha-said" aria-live="polite"></p>',
        value,
        drawn=drawn(None, *shape),
        words={"title": say("alpha"), "info": say("alpha_info")},
    )


def wire(
    demo: gr.Blocks, holder: EngineHolder, rail: dict[str, gr.components.Component],
    running: gr.State,
) -> None:  # fmt: skip
    """Redraw when a dial moves, and when the model is known: once it has started, or has run."""
    shape = [rail[name] for name in SHAPE]

    def redraw(*values: Any) -> dict[str, Any]:
        return gr.update(drawn=drawn(holder, *values))

    async def on_load(*values: Any) -> dict[str, Any]:
        await holder.started()
        return redraw(*values)

    demo.load(on_load, shape, rail["alpha"], **QUIET)
    gr.on(
        [running.change, *(part.change for part in shape)], redraw, shape, rail["alpha"],
        trigger_mode="always_last", **QUIET,
    )  # fmt: skip


def drawn(
    holder: EngineHolder | None, backend: str, steps: float, p: float, peak: float
) -> dict[str, Any]:
    """All curves of Fig. 6 for the script: one alpha per distilled step, and a sentence about each."""
    steps = int(steps)
    tau = distilled_steps(steps, p)
    engine = holder.ready() if holder else None
    curves = []
    for kind in ALPHA_KINDS:
        alphas = alpha_schedule(kind, tau, peak)
        rates = engine.update_rates(backend, steps, alphas) if engine and alphas else None
        state = strength(rates)
        said = [say("curve_none")]
        if alphas:
            warned = say(f"curve_{state}") if state in ("overshoots", "diverges") else ""
            said = [say("curve_summary", tau=tau, steps=steps), warned]
        curves.append(
            {"kind": kind, "name": say(f"alpha_{kind}"), "alphas": alphas, "state": state,
             "said": join_sentences(*said)}
        )  # fmt: skip
    return {"curves": curves, "steps": steps}


def strength(rates: Sequence[float] | None) -> str:
    """What updates of these rates lambda do: "calm", "overshoots" (above 1), "diverges" (above 2).

    "unknown" for None: the model that decides it is not there.
    """
    if rates is None:
        return "unknown"
    worst = max(rates, default=0.0)
    return "diverges" if worst > 2 else "overshoots" if worst > 1 else "calm"
