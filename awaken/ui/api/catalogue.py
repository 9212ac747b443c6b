"""What programs may ask besides a run: ``/models``, ``/settings_schema`` and ``/proxy``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from typing import Any

import gradio as gr
from PIL import Image

from awaken import types
from awaken.backends import BACKENDS, BackendSpec
from awaken.proxies import PROXIES, ProxySpec
from awaken.types import ALPHA_KINDS, BOUNDS, STARTS, VARIANTS, AwakenError, Request
from awaken.ui.api.calls import called, finished
from awaken.ui.jobs.events import as_event, event_limits
from awaken.ui.jobs.job import Job, JobUpdate
from awaken.ui.run import files
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.run.requests import BACKEND, PROXY
from awaken.ui.texts import say

_CHOICES: dict[str, tuple[str, ...]] = {
    "backend": tuple(BACKENDS),
    "proxy": tuple(PROXIES),
    "variant": VARIANTS,
    "alpha": ALPHA_KINDS,
    "start": STARTS,
}
_MEANINGS: dict[str, str] = {
    "prompt": "What should move, in one short sentence, for example: the clouds drift.",
    "negative_prompt": "What should not be seen; most models take none.",
    "backend": "The video model; the endpoint models says which run here.",
    "proxy": "The image model that makes the proxy image; models says which run here.",
    "proxy_strength": "How far the proxy image may leave the painting.",
    "proxy_template": "What an instruction editor reads, with {prompt} where the prompt goes.",
    "proxy_options": "Settings that only this proxy model has, by name.",
    "variant": "A row of the paper's Table 1; +V&S is the method. The baseline is always made too.",
    "p": "Share of the steps in which painting and proxy are distilled; the paper uses 0.6.",
    "alpha": "How the step size of distillation runs over the steps (Fig. 6).",
    "peak": "The largest step size alpha; the published code uses 10.",
    "steps": "Denoising steps of the video model.",
    "guidance": "Classifier-free guidance scale; 1 switches it off.",
    "motion": "Strength of motion in the video model's own unit; x-models gives its range.",
    "frames": "Length of the videos in frames; x-models gives what the model can make.",
    "fps": "Frames per second.",
    "size": "Square root of the videos' area in pixels: 512 is 512 x 512 in the painting's shape.",
    "re_noise": "How much of the final denoising the fused video goes through; 1 is the paper's.",
    "start": "What the baseline starts from: still, the noised still painting as the published code "
    "does, or noise alone, as in training.",
    "seed": "The same seed gives the same videos; the paper uses 42.",
    "options": "Settings that only this video model has, by name.",
    "sequential": "Run paths and videos one after another: the slow reference.",
}
_PICTURES = ("painting", "proxy_image", "mask")


def models() -> dict[str, list[dict[str, Any]]]:
    """List the video models ("backend") and the proxy models ("proxy") of this server.

    Each has its key for the other endpoints, a title, what it does, what it needs, its licences, and
    "missing": null when it runs here, else a sentence that says what to do.
    """
    return {
        "backend": [_described(key, spec) for key, spec in BACKENDS.items()],
        "proxy": [_described(key, spec) for key, spec in PROXIES.items()],
    }


def settings_schema() -> dict[str, Any]:
    """Describe every setting of a run as a JSON schema: type, range or choices, and default.

    A default of null means the chosen video model's own, which "x-models" gives.
    """
    listed = {f.name: _property(f.name, f.default) for f in fields(Request)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "awaken settings",
        "type": "object",
        "properties": {
            name: kind | {"description": _MEANINGS[name]}
            for name, kind in listed.items()
            if name not in _PICTURES
        },
        "additionalProperties": False,
        "x-models": {key: _defaults(spec) for key, spec in BACKENDS.items()},
    }


def add(holder: EngineHolder, picture: gr.Image, number: Any) -> None:
    """Add the endpoints to the current Blocks.

    picture, number: unseen components that check what arrives (see ``awaken.ui.api.endpoints``).
    """

    def proxy(painting, prompt: str, proxy: str = PROXY, proxy_strength=None, seed=42) -> str:
        """Make only the proxy image of a painting and a prompt.

        Returns a png file. A bad picture or setting is answered with a sentence that says what to
        change.
        """
        names = ("painting", "prompt", "proxy", "proxy_strength", "seed")
        given = locals()
        values = {name: given[name] for name in names} | {"backend": BACKEND}
        return called(holder, lambda request: _proxy(holder, request), values)

    def answer(job: Job, update: JobUpdate) -> Any:
        return finished(update) or gr.skip()

    inputs = [
        picture,
        gr.Textbox("", label=say("prompt"), visible=False),
        gr.Textbox(PROXY, label=say("proxy"), visible=False),
        number(None, label=say("proxy_strength"), visible=False),
        number(42, label=say("seed"), visible=False),
    ]
    gr.Button(visible=False).click(
        as_event(holder.jobs, proxy, answer), inputs,
        gr.File(label=say("file_proxy"), visible=False), api_name="proxy",
        **event_limits(holder.jobs),
    )  # fmt: skip
    gr.api(models, api_name="models")
    gr.api(settings_schema, api_name="settings_schema")


def _proxy(holder: EngineHolder, request: Request) -> Iterator[str]:
    """Nothing at every event, at last the path of the picture. Raises AwakenError."""
    while not holder.wait(0.5):
        yield ""
    with closing(holder.engine().animate(request)) as events:  # closing stops before the videos
        for event in events:
            if isinstance(event, types.Failed):
                error = AwakenError(event.message)
                error.kind = event.kind
                raise error
            if isinstance(event, types.ProxyReady):
                path = files.new_folder() / "proxy.png"
                Image.fromarray(event.image).save(path)
                yield str(path)
                return
            yield ""


def _described(key: str, spec: BackendSpec | ProxySpec) -> dict[str, Any]:
    return {
        "key": key,
        "title": spec.title,
        "summary": spec.summary,
        "needs": spec.needs,
        "code_licence": spec.code_licence,
        "weight_licence": spec.weight_licence,
        "non_commercial": spec.non_commercial,
        "missing": spec.available() or None,
    }


def _property(name: str, default: Any) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if name in _CHOICES:
        shown = {"enum": list(_CHOICES[name])}
    elif name in BOUNDS:
        low, high = BOUNDS[name]
        whole = isinstance(low, int) and isinstance(high, int)
        shown = {"type": "integer" if whole else "number", "minimum": low, "maximum": high}
    elif name in ("options", "proxy_options"):
        return {"type": "object", "additionalProperties": {"type": "number"}, "default": {}}
    else:
        plain = "boolean" if isinstance(default, bool) else "string"
        shown = {"type": "number" if name == "motion" else plain}
    simple = default is None or isinstance(default, str | int | float)
    return shown | {"default": default if simple else None}


def _defaults(spec: BackendSpec) -> dict[str, Any]:
    named = ("steps", "guidance", "motion", "frames", "fps", "size")
    return {name: getattr(spec, name) for name in named} | {
        "motion_range": list(spec.motion_range) if spec.motion_range else None,
        "frame_choices": list(spec.frame_choices),
        "sizes": list(spec.sizes),
        "options": {name: option.default for name, option in spec.options.items()},
    }
