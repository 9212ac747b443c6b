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
from awaken.proxies import PROXIES, ProxySpec
from awaken.types import ALPHA_KINDS, BOUNDS, MAX_PROMPT, VARIANTS, Request
from awaken.ui import runs, widgets
from awaken.ui.texts import SUGGESTIONS, say

DEFAULTS = {f: Request.__dataclass_fields__[f].default for f in ("p", "alpha", "peak", "variant", "seed")}
BACKEND, PROXY = next(iter(BACKENDS)), next(iter(PROXIES))
QUIET = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


@dataclass
class Controls:
    """The widgets whose values make a request, by the names of ``Request``, and their helpers."""

    inputs: dict[str, gr.components.Component] = field(default_factory=dict)
    options: dict[tuple[str, str], gr.Slider] = field(default_factory=dict)
    lock: gr.Checkbox | None = None
    wall: gr.HTML | None = None
    chips: gr.HTML | None = None

    def __getitem__(self, name: str) -> gr.components.Component:
        return self.inputs[name]

    def keywords(self) -> dict[str, gr.components.Component]:
        """Everything a run reads, by keyword; a backend's own options as ``option:backend:name``."""
        options = {f"option:{b}:{name}": slider for (b, name), slider in self.options.items()}
        return self.inputs | options | {"lock": self.lock}


def values(keywords: Mapping[str, Any]) -> dict[str, Any]:
    """What arrives under ``Controls.keywords`` as keyword arguments for ``runs.make_request``."""
    plain = {name: value for name, value in keywords.items() if ":" not in name}
    if not plain.pop("lock"):
        plain["seed"] = runs.new_seed()
    prefix = f"option:{plain['backend']}:"
    plain["options"] = {
        name.removeprefix(prefix): value
        for name, value in keywords.items()
        if name.startswith(prefix)
    }
    return plain


def build(paintings: Sequence[Mapping[str, str]], first: Mapping[str, Any]) -> Controls:
    """Draw the rail inside the current Blocks.

    paintings: thumbnails for the wall; first: values to begin with, by name of ``Request``, and
    ``id``, the picture that is marked on the wall.
    """
    rail = Controls()
    draw = rail.inputs
    start = DEFAULTS | {"prompt": "", "painting": None} | dict(first)
    spec, proxy = BACKENDS[BACKEND], PROXIES[PROXY]

    draw["painting"] = widgets.PictureDrop("painting", start["painting"], pastes=True)
    rail.wall = widgets.wall(paintings, str(start.get("id", "")))
    draw["prompt"] = gr.Textbox(
        value=start["prompt"], label=say("prompt"), placeholder=say("prompt_hint"), lines=2,
        max_lines=5, max_length=MAX_PROMPT, elem_id="aw-prompt",
    )  # fmt: skip
    rail.chips = widgets.chips(start.get("suggestions", SUGGESTIONS))

    draw["p"] = gr.Slider(
        *BOUNDS["p"], value=start["p"], step=0.05, label=say("p"), info=say("p_info"),
        elem_id="aw-p", elem_classes=["aw-dial"],
    )  # fmt: skip
    with gr.Column(elem_classes=["aw-group"]):
        draw["alpha"] = gr.Radio(
            [(say(f"alpha_{kind}"), kind) for kind in ALPHA_KINDS], value=start["alpha"],
            label=say("alpha"), info=say("alpha_info"), elem_id="aw-alpha",
        )  # fmt: skip
        draw["peak"] = gr.Slider(
            *BOUNDS["peak"], value=start["peak"], step=0.5, label=say("peak"), elem_id="aw-peak",
        )  # fmt: skip
        curve = widgets.curve(
            widgets.curve_value(start["alpha"], start["peak"], start["p"], spec.steps)
        )
    draw["motion"] = gr.Slider(
        **_motion(spec), label=say("motion"), info=say("motion_info"), elem_id="aw-motion",
        elem_classes=["aw-dial"],
    )  # fmt: skip

    draw["backend"] = gr.Radio(
        [(_choice(s), key) for key, s in BACKENDS.items()], value=BACKEND, label=say("backend"),
        elem_id="aw-backend", elem_classes=["aw-models"],
    )  # fmt: skip
    about_backend = gr.Markdown(_about(spec), elem_classes=["aw-about"])
    draw["proxy"] = gr.Radio(
        [(_choice(s), key) for key, s in PROXIES.items()], value=PROXY, label=say("proxy"),
        elem_id="aw-proxy", elem_classes=["aw-models"],
    )  # fmt: skip
    about_proxy = gr.Markdown(_about(proxy), elem_classes=["aw-about"])
    draw["proxy_strength"] = gr.Slider(
        *BOUNDS["proxy_strength"], value=proxy.strength, step=0.05, label=say("proxy_strength"),
        info=say("proxy_strength_info"), visible=proxy.strength is not None,
    )  # fmt: skip
    draw["proxy_image"] = widgets.PictureDrop("proxy_image", visible=proxy.needs_image)

    draw["variant"] = gr.Radio(
        [(say(f"variant_{key}"), key) for key in VARIANTS], value=start["variant"],
        label=say("variant"), info=say("variant_info"), elem_id="aw-variant",
        elem_classes=["aw-models"],
    )  # fmt: skip

    with gr.Accordion(say("advanced"), open=False, elem_id="aw-advanced"):
        with gr.Row(elem_classes=["aw-seed"]):
            draw["seed"] = gr.Number(
                start["seed"], label=say("seed"), precision=0, minimum=BOUNDS["seed"][0],
                maximum=BOUNDS["seed"][1], elem_id="aw-seed",
            )  # fmt: skip
            dice = gr.Button(say("dice"), size="sm", elem_id="aw-dice")
        rail.lock = gr.Checkbox(True, label=say("seed_lock"), info=say("seed_lock_info"))
        draw["steps"] = gr.Slider(
            *BOUNDS["steps"], value=spec.steps, step=1, label=say("steps"), elem_id="aw-steps"
        )
        draw["guidance"] = gr.Slider(
            *BOUNDS["guidance"], value=spec.guidance, step=0.5, label=say("guidance")
        )
        draw["size"] = gr.Radio(**_sizes(spec), label=say("size"), info=say("size_info"), elem_id="aw-size")
        draw["frames"] = gr.Radio(**_frames(spec), label=say("frames"))
        draw["fps"] = gr.Slider(*BOUNDS["fps"], value=spec.fps, step=1, label=say("fps"))
        draw["re_noise"] = gr.Slider(
            *BOUNDS["re_noise"], value=1.0, step=0.05, label=say("re_noise"),
            info=say("re_noise_info"),
        )  # fmt: skip
        draw["negative_prompt"] = gr.Textbox(
            "", label=say("negative_prompt"), max_lines=3, max_length=MAX_PROMPT
        )
        for key, backend in BACKENDS.items():
            for name, option in backend.options.items():
                rail.options[key, name] = gr.Slider(
                    option.low, option.high, value=option.default, step=option.step,
                    label=option.label, info=option.help or None, visible=key == BACKEND,
                )  # fmt: skip

    rail.chips.select(_chosen_text, None, draw["prompt"], **QUIET)
    dice.click(runs.new_seed, None, draw["seed"], **QUIET)
    shape = [draw["alpha"], draw["peak"], draw["p"], draw["steps"]]
    gr.on(
        [part.change for part in shape], widgets.curve_value, shape, curve,
        trigger_mode="always_last", **QUIET,
    )  # fmt: skip
    draw["backend"].change(
        lambda key: _for_backend(key, rail),
        draw["backend"],
        [about_backend, *(draw[n] for n in _PER_BACKEND), *rail.options.values()],
        **QUIET,
    )
    draw["proxy"].change(
        _for_proxy,
        draw["proxy"],
        [about_proxy, draw["proxy_strength"], draw["proxy_image"]],
        **QUIET,
    )
    return rail


_PER_BACKEND = ("motion", "steps", "guidance", "size", "frames", "fps")


def _for_backend(key: str, rail: Controls) -> list[Any]:
    """A model brings its own defaults and ranges."""
    spec = BACKENDS[key]
    return [
        _about(spec),
        gr.update(**_motion(spec)),
        spec.steps,
        spec.guidance,
        gr.update(**_sizes(spec)),
        gr.update(**_frames(spec)),
        spec.fps,
        *(gr.update(visible=backend == key) for backend, _ in rail.options),
    ]


def _for_proxy(key: str) -> list[Any]:
    spec = PROXIES[key]
    strength = gr.update(visible=spec.strength is not None, value=spec.strength or 0.5)
    return [_about(spec), strength, gr.update(visible=spec.needs_image)]


def _motion(spec: BackendSpec) -> dict[str, Any]:
    low, high, step = spec.motion_range or (0, 1, 0.05)
    visible = spec.motion_range is not None
    return {"minimum": low, "maximum": high, "step": step, "value": spec.motion or low, "visible": visible}


def _sizes(spec: BackendSpec) -> dict[str, Any]:
    return {"choices": [(str(s), s) for s in spec.sizes], "value": spec.size}


def _frames(spec: BackendSpec) -> dict[str, Any]:
    choices = [(str(n), n) for n in spec.frame_choices]
    return {"choices": choices, "value": spec.frames, "visible": len(choices) > 1}


def _choice(spec: BackendSpec | ProxySpec) -> str:
    """Title, and on a line of its own what the model needs and whether it can run here."""
    missing = spec.available()
    here = say("runs_not", why=missing) if missing else say("runs_here")
    return f"{spec.title}\n{spec.needs} {here}".replace("\n ", "\n")


def _about(spec: BackendSpec | ProxySpec) -> str:
    words = [spec.summary]
    if spec.code_licence or spec.weight_licence:
        words.append(say("licences", code=spec.code_licence, weights=spec.weight_licence))
    if spec.non_commercial:
        words.append(say("non_commercial"))
    return " ".join(words)


def _chosen_text(event: gr.EventData) -> str:
    text = event._data.get("text") if isinstance(event._data, dict) else None
    return text[:MAX_PROMPT] if isinstance(text, str) else gr.skip()
