"""The comparison: video models on one painting (Fig. 4), proxies and their videos (Fig. 8, 10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import gradio as gr

from awaken.backends import BACKENDS, ModelSpec
from awaken.proxies import PROXIES
from awaken.ui.controls import model_picker
from awaken.ui.lab import grid, series
from awaken.ui.lab.series import Trial
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.run.requests import owner_here
from awaken.ui.texts.lab_en import say
from awaken.ui.texts.messages import translate

# What a model decides for itself when the rail's values were not made for it.
OF_BACKEND: dict[str, Any] = {
    "steps": None, "guidance": None, "motion": None, "frames": None, "fps": None, "size": None,
    "draft": False, "options": {},
}  # fmt: skip
OF_PROXY: dict[str, Any] = {"proxy_strength": None, "proxy_template": None, "proxy_options": {}}


def choice(name: str, registry: Mapping[str, ModelSpec]) -> gr.CheckboxGroup:
    """What can run here, to be chosen; what cannot, with what it needs."""
    missing = {key: spec.available() for key, spec in registry.items()}
    here = [key for key, why in missing.items() if not why]
    chosen = [key for key in here if not getattr(registry[key], "needs_image", False)]
    group = gr.CheckboxGroup(
        [(translate(registry[key].title), key) for key in here], value=chosen, label=say(f"{name}_choose"),
        elem_id=f"aw-choose-{name}",
    )  # fmt: skip
    if len(here) < len(registry):
        with gr.Accordion(say("elsewhere"), open=False):
            for title, keys in model_picker.grouped(registry).items():
                absent = [key for key in keys if missing[key]]
                if absent:
                    gr.Markdown(f"#### {title}")
                for key in absent:
                    spec, why = registry[key], missing[key]
                    gr.Markdown(
                        say(
                            "elsewhere_line",
                            title=translate(spec.title),
                            needs=translate(spec.needs),
                            why=translate(why) if owner_here() else "",
                        ),  # fmt: skip
                        elem_classes=["aw-about"],
                    )
    return group


def backends(
    holder: EngineHolder, values: Mapping[str, Any], chosen: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Baseline and awakened of every chosen video model; Grid values."""
    todo = [
        Trial(
            translate(BACKENDS[key].title),
            {"backend": key} | ({} if key == values["backend"] else OF_BACKEND),
            f"backend:{key}",
        )
        for key in chosen
    ]
    return _checked(series.series(holder, values, todo, baseline="each", columns=2), todo)


def proxies(
    holder: EngineHolder, values: Mapping[str, Any], chosen: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """The awakened video of every chosen proxy, beside the baseline; Grid values."""
    todo = [
        Trial(
            translate(PROXIES[key].title),
            {"proxy": key} | ({} if key == values["proxy"] else OF_PROXY),
            f"proxy:{key}",
        )
        for key in chosen
    ]
    return _checked(series.series(holder, values, todo, stills=True), todo)


def _checked(series: Iterator[dict[str, Any]], todo: Sequence[Trial]) -> Iterator[dict[str, Any]]:
    return series if todo else iter([grid.failed(say("choose_some"))])
