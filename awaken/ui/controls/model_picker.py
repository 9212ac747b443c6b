"""The choice of models: video model and proxy, what each needs, and the settings only it has."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import gradio as gr

from awaken.backends import BACKENDS, ModelSpec
from awaken.proxies import PROXIES, ProxySpec
from awaken.types import SETTINGS
from awaken.ui.controls import model_downloads, widgets
from awaken.ui.jobs.events import QUIET, Updates
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.run.requests import BACKEND, PROXY, owner_here
from awaken.ui.texts import say
from awaken.ui.texts.languages import join_sentences
from awaken.ui.texts.messages import translate
from awaken.ui.viewer import parts

REGISTRIES: Mapping[str, Mapping[str, ModelSpec]] = {"backend": BACKENDS, "proxy": PROXIES}
OPTIONS = {"backend": "options", "proxy": "proxy_options"}  # where a model's own settings are

# Of the list of models, in its order: the most GB of a GPU's memory that one of the group wants.
GROUPS = {"group_here": 0, "group_small": 10, "group_middle": 24, "group_large": math.inf}


def build(
    draw: dict[str, gr.components.Component], restored: gr.State, fitted: gr.Textbox
) -> list[model_downloads.Offer]:
    """Draw the models' part of the rail; adds its widgets to ``draw`` by name of ``Request``.

    ``restored``: settings from a link or a file, which come before a model's own defaults;
    ``fitted``: the proxy model whose settings the dials show.

    An option of one model is called ``options:<model>:<name>`` or ``proxy_options:<model>:<name>``.
    Returns the offers to download what is not here.
    """
    proxy = PROXIES[PROXY]
    rows, heads, offers = {}, {}, []
    for name, registry, first in (("backend", BACKENDS, BACKEND), ("proxy", PROXIES, PROXY)):
        rows[name] = widgets.row(name, f"aw-sheet-{name}", row_value(name, registry[first]))

    def tells(name: str) -> tuple[gr.HTML, gr.HTML]:
        return rows[name], heads[name]

    with gr.Column(elem_id="aw-sheet-backend", elem_classes=["aw-sheet"]):
        heads["backend"] = widgets.sheet_head(say("backend"), marks(BACKENDS))
        draw["backend"] = _radio("backend", BACKENDS, BACKEND)
        about_backend = gr.Markdown(about(BACKENDS[BACKEND]), elem_classes=["aw-about"])
        offers.append(model_downloads.offer("backend", BACKENDS, BACKEND, *tells("backend")))
        _sliders("backend", BACKEND, draw)
    with gr.Column(elem_id="aw-sheet-proxy", elem_classes=["aw-sheet"]):
        heads["proxy"] = widgets.sheet_head(say("proxy"), marks(PROXIES))
        draw["proxy"] = _radio("proxy", PROXIES, PROXY)
        about_proxy = gr.Markdown(about(proxy), elem_classes=["aw-about"])
        offers.append(model_downloads.offer("proxy", PROXIES, PROXY, *tells("proxy")))
        draw["proxy_strength"] = widgets.dial(
            "proxy_strength", proxy.strength, step=0.01, visible=proxy.strength is not None
        )
        presets = widgets.chips(
            _presets(proxy), "presets", say("presets"), visible=bool(proxy.presets)
        )
        draw["proxy_image"] = widgets.PictureDrop("proxy_image", visible=proxy.needs_image)
        draw["proxy_template"] = widgets.dial(
            "proxy_template", proxy.template, max_lines=4, visible=bool(proxy.template)
        )
        _sliders("proxy", PROXY, draw)

    def of_backend(key: str) -> Updates:
        spec = BACKENDS[key]
        told = {about_backend: about(spec), rows["backend"]: row_value("backend", spec)}
        return told | _shown("backend", key, draw)

    def of_proxy(key: str, restored: Mapping[str, Any]) -> Updates:
        spec, own = PROXIES[key], own_settings("proxy", key, restored)
        chosen, template = own["proxy_strength"], own["proxy_template"]
        return {
            fitted: key,
            about_proxy: about(spec),
            rows["proxy"]: row_value("proxy", spec),
            strength: gr.update(
                visible=spec.strength is not None, value=0.5 if chosen is None else chosen
            ),
            presets: gr.update(visible=bool(spec.presets), value=_presets(spec)),
            draw["proxy_image"]: gr.update(visible=spec.needs_image),
            draw["proxy_template"]: gr.update(visible=bool(spec.template), value=template),
        } | _shown("proxy", key, draw)

    def of_preset(key: str, event: gr.EventData) -> Any:
        named = {translate(name): strength for name, strength in PROXIES[key].presets.items()}
        return named.get(parts.event_data(event, "text"), gr.skip())

    strength = draw["proxy_strength"]
    draw["backend"].change(
        of_backend, draw["backend"], [about_backend, rows["backend"], *_named("backend", draw)],
        **QUIET,
    )  # fmt: skip
    draw["proxy"].change(
        of_proxy,
        [draw["proxy"], restored],
        [fitted, about_proxy, rows["proxy"], strength, presets, draw["proxy_image"],
         draw["proxy_template"], *_named("proxy", draw)],
        **QUIET,
    )  # fmt: skip
    presets.select(of_preset, draw["proxy"], strength, **QUIET)
    return offers


def wire_download(holder: EngineHolder, offer: model_downloads.Offer, radio: gr.Radio) -> None:
    """Wire the download of a choice of models; what is here afterwards no longer says it is missing."""

    def look(key: str) -> Updates:
        return {
            offer.row: row_value(offer.role, offer.registry[key]),
            offer.head: marks(offer.registry),
            radio: gr.update(choices=_choices(offer.registry)),
        }

    fetched = model_downloads.wire(holder, offer, radio)
    fetched.then(look, radio, [offer.row, offer.head, radio], **QUIET)


def with_own_options(values: Mapping[str, Any]) -> dict[str, Any]:
    """The arriving values, with the options of the chosen models gathered, others dropped."""
    plain = {name: value for name, value in values.items() if ":" not in name}
    for kind, options in OPTIONS.items():
        prefix = f"{options}:{plain[kind]}:"
        plain[options] = {
            name.removeprefix(prefix): value
            for name, value in values.items()
            if name.startswith(prefix)
        }
    if not PROXIES[plain["proxy"]].template:
        plain["proxy_template"] = None
    return plain


def own_settings(kind: str, key: str, restored: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a model brings when it is chosen, by name; those restored for it come first.

    kind: "backend" or "proxy"; one that the model lacks is as the settings table has it.
    """
    kept = restored if restored.get(kind, SETTINGS[kind].default) == key else {}
    return {
        name: row.own(name, REGISTRIES[kind][key], kept.get(name))
        for name, row in SETTINGS.items()
        if row.model == kind
    }


def row_value(name: str, spec: ModelSpec) -> dict[str, Any]:
    """What the row of a choice of models shows: the chosen one, and what it needs here."""
    missing = spec.available() is not None
    note = join_sentences(say("not_here"), translate(spec.needs)) if missing else ""
    return {"name": say(name), "chosen": translate(spec.title), "absent": missing, "note": note}


def grouped(registry: Mapping[str, ModelSpec]) -> dict[str, list[str]]:
    """Title -> keys of its models: what can run here, then what wants a larger and larger GPU."""
    found: dict[str, list[str]] = {}
    for title, most in GROUPS.items():
        left = [key for key in registry if all(key not in keys for keys in found.values())]
        fit = [k for k in left if registry[k].gpu_gigabytes <= most]
        if title == "group_here":
            fit = [k for k in left if registry[k].available() is None]
        found[title] = fit
    return {say(title): keys for title, keys in found.items() if keys}


def marks(registry: Mapping[str, ModelSpec]) -> dict[str, Any]:
    """Keys of the models that cannot run here, and of those that begin a group, with its title."""
    here, groups = say("group_here"), grouped(registry)
    absent = [key for title, keys in groups.items() for key in keys if title != here]
    return {"absent": absent, "groups": {keys[0]: title for title, keys in groups.items()}}


def about(spec: ModelSpec) -> str:
    """What a model is, what it lacks here, and on what terms it comes."""
    words = [translate(spec.summary)]
    missing = spec.available()
    if missing and owner_here():  # it names paths of this machine
        words.append(say("runs_not", why=translate(missing)))
    if spec.code_licence or spec.weight_licence:
        words.append(
            say(
                "licences",
                code=translate(spec.code_licence),
                weights=translate(spec.weight_licence),
            )
        )
    if spec.non_commercial:
        words.append(say("non_commercial"))
    return join_sentences(*words)


def _radio(name: str, registry: Mapping[str, ModelSpec], value: str) -> gr.Radio:
    return gr.Radio(
        _choices(registry), value=value, label=say(name), elem_id=f"aw-{name}",
        elem_classes=["aw-choices"],
    )  # fmt: skip


def _choices(registry: Mapping[str, ModelSpec]) -> list[tuple[str, str]]:
    keys = [key for group in grouped(registry).values() for key in group]
    return [(_choice(registry[key]), key) for key in keys]


def _choice(spec: ModelSpec) -> str:
    """Title, and on a line of its own what the model needs and whether it can run here."""
    here = say("not_here") if spec.available() else _ready(spec)
    return f"{translate(spec.title)}\n{join_sentences(translate(spec.needs), here)}"


def _ready(spec: ModelSpec) -> str:
    return say("runs_here" if spec.needs else "runs_at_once")


def _presets(spec: ProxySpec) -> list[str]:
    return [translate(name) for name in spec.presets]


def _sliders(kind: str, first: str, draw: dict[str, gr.components.Component]) -> None:
    for key, spec in REGISTRIES[kind].items():
        for name, option in spec.options.items():
            draw[f"{OPTIONS[kind]}:{key}:{name}"] = gr.Slider(
                option.low, option.high, value=option.default, step=option.step,
                label=translate(option.label), info=translate(option.help) or None, visible=key == first,
            )  # fmt: skip


def _named(kind: str, draw: Mapping[str, gr.components.Component]) -> list[gr.components.Component]:
    return [part for name, part in draw.items() if name.startswith(f"{OPTIONS[kind]}:")]


def _shown(kind: str, key: str, draw: Mapping[str, gr.components.Component]) -> Updates:
    return {
        part: gr.update(visible=name.startswith(f"{OPTIONS[kind]}:{key}:"))
        for name, part in draw.items()
        if name.startswith(f"{OPTIONS[kind]}:")
    }
