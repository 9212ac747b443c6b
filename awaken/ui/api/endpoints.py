"""The public endpoint ``/animate``: the page's run for programs, with files as its answer."""

from __future__ import annotations

from dataclasses import fields
from inspect import Parameter, Signature
from typing import Any

import gradio as gr
from gradio.data_classes import ImageData

from awaken.types import SETTINGS, AwakenError, Request
from awaken.ui.api import catalogue
from awaken.ui.api.calls import called, finished
from awaken.ui.jobs.events import as_event, event_limits
from awaken.ui.jobs.job import Job, JobUpdate
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.run.file_guard import picture_file
from awaken.ui.texts import say


class PictureFile(gr.Image):
    """A picture as the file it came in: ``awaken.painting`` opens it, or says why not."""

    is_template = True
    data_model = None  # Gradio's would refuse a data URI before anybody could say a word

    def preprocess(self, payload: Any) -> str | None:
        try:
            return picture_file(payload) if payload not in (None, "") else None
        except AwakenError as error:
            raise gr.Error(error.message, print_exception=False) from None

    def api_info(self) -> dict[str, Any]:
        return ImageData.model_json_schema()


class Words(gr.Textbox):
    """A text as it was sent: ``Request`` says what is none."""

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        return payload

    def example_payload(self) -> str:
        return say("prompt_hint")


class Plain(gr.Number):
    """A number as it was sent: ``Request`` checks it and answers with a sentence of its own."""

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        return int(payload) if isinstance(payload, float) and payload.is_integer() else payload


_DEFAULTS: dict[str, Any] = {  # of the endpoint's parameters, in their order; ... has none
    f.name: SETTINGS[f.name].default if f.name in SETTINGS else None
    for f in fields(Request)
    if f.name not in ("mask", "sequential")
} | {"painting": ..., "prompt": ..., "mask": None}


def add(holder: EngineHolder) -> None:
    """Add the public endpoints to the current Blocks; their components are never drawn."""

    def animate(**values: Any) -> list[str]:
        """Animate a painting with the method of Every Painting Awakened, and without it.

        Returns the files: awakened video, baseline video, both side by side (mp4), the proxy image
        (png) and the settings (json), which also say what the model did not understand ("notices").
        The mask is a grey picture of the painting's shape, light where motion is allowed, for the
        models that take one. An empty number takes the chosen model's own default. A bad picture or
        setting is answered with a sentence that says what to change.
        """
        return called(holder, values)

    animate.__signature__ = Signature(
        Parameter(name, Parameter.KEYWORD_ONLY, default=Parameter.empty if value is ... else value)
        for name, value in _DEFAULTS.items()
    )

    def answer(job: Job, update: JobUpdate) -> dict[gr.File, str]:
        made = finished(update)
        if made is None:
            return gr.skip()
        return {part: str(made.files[name]) for name, part in outputs.items()}

    inputs = {name: _input(name, None if v is ... else v) for name, v in _DEFAULTS.items()}
    outputs = {name: gr.File(label=say(f"file_{name}"), visible=False) for name in _ANSWERS}
    gr.Button(visible=False).click(
        as_event(holder.jobs, animate, answer), None, list(outputs.values()), inputs_kwargs=inputs,
        api_name="animate", **event_limits(holder.jobs),
    )  # fmt: skip
    catalogue.add(holder, _input)


_ANSWERS = ("awakened", "baseline", "side_by_side", "proxy", "settings")


def _input(name: str, value: Any) -> gr.components.Component:
    """The unseen component that a parameter arrives through."""
    unseen = {"label": say(name), "visible": False}
    kind = SETTINGS[name].kind if name in SETTINGS else "picture"
    if kind == "picture":
        return PictureFile(type="filepath", sources=["upload"], **unseen)
    if kind == "options":
        return gr.JSON(**unseen)
    if kind == "switch":
        return gr.Checkbox(value, **unseen)
    return Plain(value, **unseen) if kind in ("number", "whole") else Words(value, **unseen)
