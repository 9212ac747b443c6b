"""The curves of Fig. 6 for the rail's settings: alpha, and the lambda that the model makes of it."""

from __future__ import annotations

from typing import Any

import gradio as gr

from awaken.types import ALPHA_KINDS
from awaken.ui import texts
from awaken.ui.controls.rail import Controls
from awaken.ui.jobs.events import QUIET, UNSEEN
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.texts.lab_en import say
from awaken.ui.viewer.parts import figure
from awaken.vsds import alpha_schedule, distilled_steps


def build(holder: EngineHolder, rail: Controls, tab: gr.Tab, running: gr.State) -> None:
    """Draw the curves inside ``tab``; ``running``: whether a run, which may load a model, goes on."""
    gr.Markdown(say("curves_about"))

    def draw(backend: str, steps: int, p: float, peak: float, alpha: str) -> dict[str, Any]:
        return curves(holder, backend, int(steps), p, peak, alpha)

    shape = [rail[name] for name in ("backend", "steps", "p", "peak", "alpha")]
    display = figure(
        "curves",
        '<div class="aw-curves" data-testid="curves"></div>',
        draw(*(part.value for part in shape)),
        {word: say(word) for word in ("curve_limit_1", "curve_limit_2")},
    )
    gr.on(
        [tab.select, running.change, *(part.change for part in shape)], draw, shape, display,
        trigger_mode="always_last", **QUIET,
    )  # fmt: skip
    # whoever looks while the models start is not left with what could be said then
    tab.select(
        holder.started, None, None, concurrency_limit=None, **UNSEEN,
    ).then(draw, shape, display, **QUIET)  # fmt: skip


def curves(
    holder: EngineHolder, backend: str, steps: int, p: float, peak: float, chosen: str
) -> dict[str, Any]:
    """All curves of Fig. 6 with lambda per step, and in words what that does."""
    tau = distilled_steps(steps, p)
    engine = holder.ready()
    drawn = []
    for kind in ALPHA_KINDS:
        alphas = alpha_schedule(kind, tau, peak)
        rates = engine.update_rates(backend, steps, alphas) if engine and alphas else None
        state, verdict = judge(rates, tau, holder.starting)
        name = texts.say(f"alpha_{kind}")
        alt = say(
            "curve_alt", name=name, first=alphas[0], last=alphas[-1], verdict=verdict
        ) if alphas else verdict  # fmt: skip
        drawn.append(
            {"name": name, "alphas": alphas, "rates": rates or [], "state": state,
             "verdict": verdict, "alt": alt, "chosen": kind == chosen}
        )  # fmt: skip
    return {"curves": drawn, "steps": steps}


def judge(rates: list[float] | None, tau: int, starting: bool = False) -> tuple[str, str]:
    """("calm" | "overshoots" | "diverges" | "unknown", a sentence) for the lambdas of tau steps.

    rates: None while the model is not there; ``starting`` says that it may be on its way.
    """
    if not tau:
        return "unknown", say("curve_none")
    if rates is None:
        return "unknown", say("curve_starting" if starting else "curve_unknown")
    worst = max(rates)
    for state, limit in (("diverges", 2), ("overshoots", 1)):
        if worst > limit:
            count = sum(rate > limit for rate in rates)
            return state, say(f"curve_{state}", worst=worst, count=count, tau=tau)
    return "calm", say("curve_calm", worst=worst)
