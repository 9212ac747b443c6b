"""The laboratory: sweeps, Table 1, latent paths (Fig. 2), curves of alpha and lambda (Fig. 6).

It reads the rail and writes into it only when a visitor takes a tile's setting over. Nothing of a
visitor outlives the session: pictures lie in the run's own folder, points in a ``gr.State``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from awaken.backends import BACKENDS
from awaken.proxies import PROXIES
from awaken.types import ALPHA_KINDS, VARIANTS
from awaken.ui import texts
from awaken.ui.controls.rail import Controls
from awaken.ui.jobs.events import QUIET, Updates
from awaken.ui.lab import comparison, curves, latent_paths, panels, series
from awaken.ui.lab.grid import Grid, merged
from awaken.ui.lab.panels import Panel, Place
from awaken.ui.lab.series import Trial
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.texts.lab_en import say
from awaken.ui.texts.languages import join_sentences
from awaken.ui.viewer.parts import event_data

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
RUNS = len(SHARES)  # of a sweep; Fig. 6 and Table 1 have as many
# What a tile may put on the rail, by name of ``Request``.
USES: dict[str, tuple[Any, ...]] = {
    "p": SHARES,
    "alpha": ALPHA_KINDS,
    "variant": tuple(VARIANTS),
    "backend": tuple(BACKENDS),
    "proxy": tuple(PROXIES),
}


@dataclass(frozen=True)
class Laboratory:
    """What was drawn: its panels, and the tabs that they are in."""

    holder: EngineHolder
    made: list[Panel]
    tabs: gr.Tabs

    def rejoin(self, loaded: gr.events.Dependency) -> None:
        """Look for the tab's own series after the event that has filled the page in."""
        panels.rejoin(self.holder, self.made, self.tabs, loaded)


def build(
    holder: EngineHolder,
    rail: Controls,
    owner: gr.Textbox,
    picture: gr.State,
    running: gr.State,
    stop: gr.Button,
    tray: gr.HTML,
) -> Laboratory:
    """Draw laboratory and comparison inside the current Blocks and wire them to the rail.

    owner, picture, running: see ``awaken.ui.page.layout.Page``. stop: ends whatever is under way.
    tray: the history, which keeps what is made.
    """
    with gr.Column(elem_id="aw-laboratory"):
        gr.Markdown(f"## {say('title')}\n\n{say('intro')}", elem_id="aw-laboratory-head")
        place = Place(rail, owner, picture, stop, tray)
        reattach = {name: gr.State(False) for name in panels.NAMES}
        panel = partial(series_panel, holder, place, reattach)
        with gr.Tabs() as tabs:
            with gr.Tab(say("sweep"), id="sweep"):
                gr.Markdown(join_sentences(say("sweep_about"), say("note_motion_about")))
                what = gr.Radio(
                    [(say("sweep_p"), "p"), (say("sweep_alpha"), "alpha")], value="p",
                    label=say("sweep_what"), elem_id="aw-sweep-what",
                )  # fmt: skip
                made = [panel("sweep", sweep, what)]
            with gr.Tab(say("variants"), id="variants"):
                gr.Markdown(join_sentences(say("variants_about"), say("note_motion_about")))
                made.append(panel("variants", table))
            with gr.Tab(say("paths"), id="paths"):
                made.append(latent_paths.build(holder, place, reattach))
            with gr.Tab(say("curves"), id="curves") as tab:
                curves.build(holder, rail, tab, running)
            with gr.Tab(say("backends"), id="backends"):
                gr.Markdown(say("backends_about"))
                chosen = comparison.choice("backends", BACKENDS)
                made.append(panel("backends", comparison.backends, chosen))
            with gr.Tab(say("proxies"), id="proxies"):
                gr.Markdown(say("proxies_about"))
                chosen = comparison.choice("proxies", PROXIES)
                made.append(panel("proxies", comparison.proxies, chosen))
    return Laboratory(holder, made, tabs)


def sweep(holder: EngineHolder, values: Mapping[str, Any], what: str) -> Iterator[dict[str, Any]]:
    """All values of p, or all curves of alpha; Grid values."""
    if what == "p":
        todo = [Trial(say("tile_p", p=p), {"p": p}, f"p:{p}") for p in SHARES]
    else:
        todo = [Trial(texts.say(f"alpha_{k}"), {"alpha": k}, f"alpha:{k}") for k in ALPHA_KINDS]
    return series.series(holder, values, todo)


def table(holder: EngineHolder, values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of Table 1; the first of them is the baseline. Grid values."""
    todo = [Trial(texts.say(f"variant_{k}"), {"variant": k}, f"variant:{k}") for k in VARIANTS]
    return series.series(holder, values, todo, baseline="none")


def series_panel(
    holder: EngineHolder,
    place: Place,
    reattach: Mapping[str, gr.State],
    name: str,
    run: Callable[..., Iterator[dict[str, Any]]],
    *choices: gr.components.Component,
) -> Panel:
    """The panel of one series; ``run(holder, values, *choices)`` yields Grid values."""
    go, rail = panels.go_button(name), place.rail
    display = Grid(name)
    panel = Panel(
        name, reattach[name], go, place, display, runs=RUNS, choices=list(choices), merge=merged
    )
    panels.wire(holder, panel, partial(run, holder))

    def use(event: gr.EventData) -> Updates:
        return {rail[name]: value for name, value in used(event).items()} or gr.skip()

    display.select(use, None, [rail[name] for name in USES], **QUIET)
    return panel


def used(event: gr.EventData) -> dict[str, Any]:
    """A tile's setting for the rail; what comes from a browser is only compared, never taken."""
    name, _, chosen = event_data(event, "use").partition(":")
    found = [value for value in USES.get(name, ()) if str(value) == chosen]
    return {name: found[0]} if found else {}
