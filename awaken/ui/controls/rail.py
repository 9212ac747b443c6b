"""The rail of controls: painting, prompt, dials, models, variant, advanced settings.

Only widgets and what one widget does to another; a run never writes into any of them, so settings
may be changed while one is under way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from awaken.backends import BACKENDS, BackendSpec
from awaken.types import MAX_PROMPT, SETTINGS
from awaken.ui.controls import alpha, model_downloads, model_picker, widgets
from awaken.ui.jobs.events import QUIET, Updates
from awaken.ui.run import requests
from awaken.ui.run.requests import BACKEND, DEFAULTS, PICTURES, PROXY, READERS
from awaken.ui.texts import prompt_reading, say, suggestions
from awaken.ui.viewer import brush, parts


@dataclass
class Controls:
    """The widgets whose values make a request, by the names of ``Request``, and their helpers."""

    inputs: dict[str, gr.components.Component] = field(default_factory=dict)
    lock: gr.Checkbox | None = None
    gallery: gr.HTML | None = None
    chips: gr.HTML | None = None
    offers: list[model_downloads.Offer] = field(default_factory=list)
    restored: gr.State | None = None  # settings from a link or a file, by name of ``Request``
    fitted: dict[str, gr.Textbox] = field(default_factory=dict)  # see ``values_of``

    def __getitem__(self, name: str) -> gr.components.Component:
        return self.inputs[name]

    @property
    def settings(self) -> list[str]:
        """The names of the inputs that are no pictures."""
        return [name for name in self.inputs if name not in PICTURES]

    def keywords(self) -> dict[str, gr.components.Component]:
        """Everything a run reads, by keyword."""
        unseen = {f"fitted:{kind}": text for kind, text in self.fitted.items()}
        return self.inputs | {"lock": self.lock, "restored": self.restored} | unseen


def values_of(keywords: Mapping[str, Any]) -> dict[str, Any]:
    """What arrives under ``Controls.keywords`` as keyword arguments for ``requests.make_request``.

    Whoever chooses a model and presses at once sends dials that still fit the model before, as
    ``fitted:backend`` or ``fitted:proxy`` says: the model's own defaults take their place.
    """
    values = model_picker.with_own_options(keywords)
    values["mask"] = brush.mask_for(values.get("painting"), values.get("mask"))
    del values["lock"], values["restored"]
    for kind in READERS:
        if keywords[f"fitted:{kind}"] != keywords[kind]:
            values |= model_picker.own_settings(kind, keywords[kind], keywords["restored"])
    return values


def new_values(keywords: Mapping[str, Any]) -> dict[str, Any]:
    """The same, with a new seed unless the visitor keeps the present one."""
    seed = {} if keywords["lock"] else {"seed": requests.new_seed()}
    return values_of(keywords) | seed


def build(paintings: Sequence[Mapping[str, str]], first: Mapping[str, Any]) -> Controls:
    """Draw the rail inside the current Blocks.

    paintings: thumbnails for the gallery; first: values to begin with, by name of ``Request``, and
    ``id``, the picture that is marked there, and ``suggestions`` for its prompt.
    """
    rail = Controls(restored=gr.State({}))
    draw = rail.inputs
    start = DEFAULTS | {"prompt": "", "painting": None, "motion": None} | dict(first)
    spec = BACKENDS[BACKEND]

    with gr.Column(elem_id="aw-picture"):
        draw["painting"] = widgets.PictureDrop("painting", start["painting"], pastes=True)
        draw["mask"] = brush.MotionBrush(brush.reason(BACKEND))
    rail.gallery = widgets.gallery(paintings, str(start.get("id", "")))
    draw["prompt"] = widgets.dial(
        "prompt", start["prompt"], placeholder=say("prompt_hint"), lines=2, max_lines=4,
        elem_id="aw-prompt",
    )  # fmt: skip
    read = gr.Markdown(visible=False, elem_id="aw-read")
    rail.chips = widgets.chips(start.get("suggestions", suggestions()), "chips", say("chips"))

    draw["p"] = widgets.dial("p", start["p"], step=0.05, elem_id="aw-p", elem_classes=["aw-dial"])
    with gr.Row(elem_id="aw-steepness"):
        shape = (BACKEND, spec.steps, start["p"], start["peak"])
        draw["alpha"] = alpha.dial(start["alpha"], shape)
        draw["peak"] = widgets.dial(
            "peak", start["peak"], step=0.5, elem_id="aw-peak", elem_classes=["aw-dial"]
        )
    for kind, first_model in (("backend", BACKEND), ("proxy", PROXY)):
        rail.fitted[kind] = gr.Textbox(first_model, visible=False)
    rail.offers = model_picker.build(draw, rail.restored, rail.fitted["proxy"])
    draw["motion"] = widgets.dial(
        "motion", **_motion(spec, start["motion"]), elem_id="aw-motion", elem_classes=["aw-dial"]
    )
    with gr.Accordion(say("advanced"), open=False, elem_id="aw-advanced"):
        draw["variant"] = widgets.dial(
            "variant", start["variant"], elem_id="aw-variant", elem_classes=["aw-choices"]
        )
        _advanced(rail, start)

    rail.chips.select(_suggested, None, draw["prompt"], **QUIET)
    readers = [draw[name] for name in ("prompt", *requests.READERS)]
    gr.on(
        [part.change for part in readers], _read, readers, read, trigger_mode="always_last",
        **QUIET,
    )  # fmt: skip
    draw["backend"].change(brush.for_backend, draw["backend"], draw["mask"], **QUIET)
    _follow_backend(rail)
    return rail


def _read(prompt: str, backend: str, proxy: str) -> dict[str, Any]:
    said = prompt_reading.remark(prompt, backend, proxy)
    return gr.update(value=said, visible=bool(said))


def _advanced(rail: Controls, start: Mapping[str, Any]) -> None:
    draw, spec = rail.inputs, BACKENDS[BACKEND]
    with gr.Row(elem_classes=["aw-seed"]):
        draw["seed"] = gr.Number(
            start["seed"], label=say("seed"), precision=0, minimum=SETTINGS["seed"].low,
            maximum=SETTINGS["seed"].high, elem_id="aw-seed",
        )  # fmt: skip
        dice = gr.Button(say("dice"), size="sm", elem_id="aw-dice")
    rail.lock = gr.Checkbox(True, label=say("seed_lock"), info=say("seed_lock_info"))
    draw["draft"] = widgets.dial(
        "draft", start["draft"], visible=bool(spec.draft), elem_id="aw-draft"
    )
    draw["steps"] = widgets.dial("steps", spec.steps, elem_id="aw-steps")
    draw["guidance"] = widgets.dial("guidance", spec.guidance, step=0.5)
    draw["size"] = widgets.ModelRadio(
        **_sizes(spec), label=say("size"), info=say("size_info"), elem_id="aw-size"
    )
    draw["frames"] = widgets.ModelRadio(**_frames(spec), label=say("frames"))
    draw["fps"] = widgets.dial("fps", spec.fps)
    draw["re_noise"] = widgets.dial("re_noise", start["re_noise"], step=0.05)
    draw["start"] = widgets.dial("start", start["start"])
    draw["negative_prompt"] = widgets.dial("negative_prompt", "", max_lines=3)
    dice.click(requests.new_seed, None, draw["seed"], **QUIET)
    draw["draft"].input(
        lambda key, draft: BACKENDS[key].steps_of(draft), [draw["backend"], draw["draft"]],
        draw["steps"], **QUIET,
    )  # fmt: skip


def _follow_backend(rail: Controls) -> None:
    """A model brings its own defaults and ranges; settings restored for it come before them."""

    def follow(key: str, restored: Mapping[str, Any]) -> Updates:
        spec, own = BACKENDS[key], model_picker.own_settings("backend", key, restored)
        return {rail[name]: value for name, value in own.items()} | {
            rail.fitted["backend"]: key,
            rail["motion"]: gr.update(**_motion(spec, own["motion"])),
            rail["draft"]: gr.update(visible=bool(spec.draft), value=own["draft"]),
            rail["size"]: gr.update(**_sizes(spec) | {"value": own["size"]}),
            rail["frames"]: gr.update(**_frames(spec) | {"value": own["frames"]}),
        }

    followers = [rail[name] for name, row in SETTINGS.items() if row.model == "backend"]
    outputs = [rail.fitted["backend"], *followers]
    rail["backend"].change(follow, [rail["backend"], rail.restored], outputs, **QUIET)


def _motion(spec: BackendSpec, value: float | None = None) -> dict[str, Any]:
    low, high, step = spec.motion_range or (0, 1, 0.05)
    chosen = next((v for v in (value, spec.motion) if v is not None), low)
    visible = spec.motion_range is not None
    return {"minimum": low, "maximum": high, "step": step, "value": chosen, "visible": visible}


def _sizes(spec: BackendSpec) -> dict[str, Any]:
    return {"choices": [(str(s), s) for s in spec.sizes], "value": spec.size}


def _frames(spec: BackendSpec) -> dict[str, Any]:
    choices = [(str(n), n) for n in spec.frame_choices]
    return {"choices": choices, "value": spec.frames, "visible": len(choices) > 1}


def _suggested(event: gr.EventData) -> str:
    return parts.event_data(event, "text")[:MAX_PROMPT]
