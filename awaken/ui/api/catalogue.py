"""What programs may ask besides a run: ``/models``, ``/settings_schema`` and ``/proxy``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from awaken.backends import BACKENDS, BackendSpec, ModelSpec
from awaken.proxies import PROXIES
from awaken.types import SETTINGS
from awaken.ui.api.calls import called, finished
from awaken.ui.jobs.events import as_event, event_limits
from awaken.ui.jobs.job import Job, JobUpdate
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.run.requests import BACKEND, PROXY
from awaken.ui.texts import say
from awaken.ui.texts.messages import translate


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
    registries = {"backend": BACKENDS, "proxy": PROXIES}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "awaken settings",
        "type": "object",
        "properties": {
            name: row.schema(tuple(registries.get(name, ()))) for name, row in SETTINGS.items()
        },
        "additionalProperties": False,
        "x-models": {key: _defaults(spec) for key, spec in BACKENDS.items()},
    }


def add(holder: EngineHolder, unseen: Callable[[str, Any], gr.components.Component]) -> None:
    """Add the endpoints to the current Blocks.

    unseen: of a parameter's name and default, the component that takes what arrives as it is.
    """

    def proxy(painting, prompt: str, proxy: str = PROXY, proxy_strength=None, seed=42) -> str:
        """Make only the proxy image of a painting and a prompt.

        Returns a png file. A bad picture or setting is answered with a sentence that says what to
        change.
        """
        names = ("painting", "prompt", "proxy", "proxy_strength", "seed")
        given = locals()
        values = {name: given[name] for name in names} | {"backend": BACKEND}
        return called(holder, values, proxy_only=True)

    def answer(job: Job, update: JobUpdate) -> Any:
        made = finished(update)
        return gr.skip() if made is None else str(made.files["proxy"])

    defaults = {
        "painting": None,
        "prompt": None,
        "proxy": PROXY,
        "proxy_strength": None,
        "seed": 42,
    }
    inputs = [unseen(name, default) for name, default in defaults.items()]
    gr.Button(visible=False).click(
        as_event(holder.jobs, proxy, answer), inputs,
        gr.File(label=say("file_proxy"), visible=False), api_name="proxy",
        **event_limits(holder.jobs),
    )  # fmt: skip
    gr.api(models, api_name="models")
    gr.api(settings_schema, api_name="settings_schema")


def _described(key: str, spec: ModelSpec) -> dict[str, Any]:
    return {
        "key": key,
        "title": spec.title,
        "summary": spec.summary,
        "needs": spec.needs,
        "code_licence": spec.code_licence,
        "weight_licence": spec.weight_licence,
        "non_commercial": spec.non_commercial,
        "missing": translate(spec.available() or "") or None,
    }


def _defaults(spec: BackendSpec) -> dict[str, Any]:
    named = ("steps", "guidance", "motion", "frames", "fps", "size")
    return {name: getattr(spec, name) for name in named} | {
        "motion_range": list(spec.motion_range) if spec.motion_range else None,
        "frame_choices": list(spec.frame_choices),
        "sizes": list(spec.sizes),
        "options": {name: option.default for name, option in spec.options.items()},
    }
