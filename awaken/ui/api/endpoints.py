"""The public endpoint ``/animate``: the page's run for programs, with files as its answer."""

from __future__ import annotations

from typing import Any

import gradio as gr

from awaken.ui.api import catalogue
from awaken.ui.api.calls import called, finished
from awaken.ui.jobs.events import as_event, event_limits
from awaken.ui.jobs.job import Job, JobUpdate
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.run.requests import BACKEND, DEFAULTS, PROXY
from awaken.ui.texts import say


class PictureFile(gr.Image):
    """An uploaded picture as the file it came in: ``awaken.painting`` opens it, or says why not."""

    is_template = True

    def preprocess(self, payload: Any) -> str | None:
        return payload.path if payload is not None else None


class Plain(gr.Number):
    """A number as it was sent: ``Request`` checks it and answers with a sentence of its own."""

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        return int(payload) if isinstance(payload, float) and payload.is_integer() else payload


def add(holder: EngineHolder) -> None:
    """Add the public endpoints to the current Blocks; their components are never drawn."""

    def animate(
        painting: str,
        prompt: str,
        negative_prompt: str = "",
        backend: str = BACKEND,
        proxy: str = PROXY,
        proxy_strength: float | None = None,
        proxy_image: str | None = None,
        proxy_template: str | None = None,
        proxy_options: dict | None = None,
        variant: str = DEFAULTS["variant"],
        p: float = DEFAULTS["p"],
        alpha: str = DEFAULTS["alpha"],
        peak: float = DEFAULTS["peak"],
        steps: int | None = None,
        guidance: float | None = None,
        motion: float | None = None,
        frames: int | None = None,
        fps: int | None = None,
        size: int | None = None,
        re_noise: float = DEFAULTS["re_noise"],
        start: str = DEFAULTS["start"],
        seed: int = DEFAULTS["seed"],
        options: dict | None = None,
        mask: str | None = None,
    ) -> list[str]:
        """Animate a painting with the method of Every Painting Awakened, and without it.

        Returns the files: awakened video, baseline video, both side by side (mp4), the proxy image
        (png) and the settings (json). ``mask`` is a grey picture of the painting's shape, light where
        motion is allowed, for the models that take one. An empty number takes the chosen model's own default. A bad
        picture or setting is answered with a sentence that says what to change.
        """
        values = {name: value for name, value in locals().items() if name != "holder"}
        return called(holder, values)

    def answer(job: Job, update: JobUpdate) -> dict[gr.File, str]:
        made = finished(update)
        if made is None:
            return gr.skip()
        return {part: str(made.files[name]) for name, part in outputs.items()}

    inputs = {
        "painting": _picture(say("painting")),
        "prompt": _text(say("prompt")),
        "negative_prompt": _text(say("negative_prompt")),
        "backend": _text(say("backend"), BACKEND),
        "proxy": _text(say("proxy"), PROXY),
        "proxy_strength": _number(say("proxy_strength")),
        "proxy_image": _picture(say("proxy_image")),
        "proxy_template": _text(say("proxy_template"), None),
        "proxy_options": gr.JSON(label=say("proxy_options"), visible=False),
        "variant": _text(say("variant"), DEFAULTS["variant"]),
        "p": _number(say("p"), DEFAULTS["p"]),
        "alpha": _text(say("alpha"), DEFAULTS["alpha"]),
        "peak": _number(say("peak"), DEFAULTS["peak"]),
        "steps": _number(say("steps")),
        "guidance": _number(say("guidance")),
        "motion": _number(say("motion")),
        "frames": _number(say("frames")),
        "fps": _number(say("fps")),
        "size": _number(say("size")),
        "re_noise": _number(say("re_noise"), DEFAULTS["re_noise"]),
        "start": _text(say("start"), DEFAULTS["start"]),
        "seed": _number(say("seed"), DEFAULTS["seed"]),
        "options": gr.JSON(label=say("options"), visible=False),
        "mask": _picture(say("mask")),
    }
    outputs = {name: gr.File(label=say(f"file_{name}"), visible=False) for name in _ANSWERS}
    gr.Button(visible=False).click(
        as_event(holder.jobs, animate, answer), None, list(outputs.values()), inputs_kwargs=inputs,
        api_name="animate", **event_limits(holder.jobs),
    )  # fmt: skip
    catalogue.add(holder, _picture(say("painting")), Plain)


_ANSWERS = ("awakened", "baseline", "side_by_side", "proxy", "settings")


def _picture(label: str) -> PictureFile:
    return PictureFile(type="filepath", sources=["upload"], label=label, visible=False)


def _text(label: str, value: str | None = "") -> gr.Textbox:
    return gr.Textbox(value, label=label, visible=False)


def _number(label: str, value: float | None = None) -> Plain:
    return Plain(value, label=label, visible=False)
