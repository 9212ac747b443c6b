"""Settings from a link or a file back onto the dials.

A model brings its own defaults whenever it is chosen; ``Controls.restored`` holds the settings that
came from outside, so that they outlast the change of model that they cause.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from awaken.backends import BACKENDS
from awaken.bundle.reader import (
    is_bundle,
    read_mask_from,
    read_settings_from,
    read_settings_text,
)
from awaken.bundle.unpack import first_picture, unpack_result
from awaken.painting import open_mask, open_painting, similarity, to_size
from awaken.pictures.kinds import is_film
from awaken.proxies import PROXIES
from awaken.recipe import Recovered
from awaken.ui.controls.rail import Controls
from awaken.ui.jobs.events import Updates
from awaken.ui.run import files, links
from awaken.ui.run.file_guard import own_file
from awaken.ui.run.requests import BACKEND, PICTURES, PROXY
from awaken.ui.texts import say
from awaken.ui.texts.messages import translate
from awaken.ui.viewer import brush

_unpacking = threading.Lock()


def is_settings_file(path: str | Path) -> bool:
    """Whether a dropped file looks like a bundle, a video or a settings.json, and no picture."""
    try:
        with Path(path).open("rb") as file:
            head = file.read(64)
    except OSError:
        return False
    return head.startswith(b"PK") or is_film(head) or head.lstrip()[:1] == b"{"


def from_link(request: gr.Request | None) -> Recovered:
    """The settings in the page's own address."""
    return links.decode(dict(request.query_params) if request is not None else "")


@files.taking_in
def from_file(path: str | Path) -> Recovered:
    """The settings in a dropped file. Raises RequestError with a sentence."""
    return read_settings_from(path)


@files.taking_in
def from_text(text: str) -> Recovered:
    """The settings in the text of a settings.json. Raises RequestError with a sentence."""
    return read_settings_text(text.encode("utf-8", "replace"))


@files.taking_in
def mask_from(path: str | Path, painting: str | None) -> dict[str, str] | None:
    """The motion mask in a dropped bundle, as a value of the brush, or None where it holds none.

    painting: path of the chosen picture. It stays when the mask was made for it; otherwise the
    bundle's own painting comes along, as ``painting`` of the value says. Raises RequestError.
    """
    found = read_mask_from(path)
    if found is None:
        return None
    own = open_painting(found[1])
    mask = files.new_folder() / "mask.png"
    Image.fromarray(open_mask(found[0], own)).save(mask)
    if painting is None or not _same(open_painting(Path(painting)), own):
        painting = str(files.keep_upload(found[1]))
    return brush.value_of(painting, mask)


@files.taking_in
def painting_from(path: str | Path, painting: str | None) -> str | None:
    """The painting in a film that shows one video alone, by its path; None in any other file.

    painting: path of the chosen picture, which stays when the film was made of it. Raises RequestError.
    """
    first = first_picture(path) if _is_film(path) else None
    if first is None or (painting and _same(open_painting(Path(painting)), first)):
        return painting if first is not None else None
    own = files.new_folder() / "painting.png"
    Image.fromarray(first).save(own)
    return str(own)


@dataclass(frozen=True)
class RestoredRun:
    """A finished run out of a file: all that its settings.json says, and its files by name."""

    settings: dict[str, Any]
    files: dict[str, Path]


@files.taking_in
def result_from(path: str | Path) -> RestoredRun | None:
    """The run in a bundle, or in a film that shows both videos; None where there is less.

    Raises RequestError with a sentence.
    """
    if not (is_bundle(path) or _is_film(path)):
        return None
    with _unpacking:  # frames take memory: one at a time
        found = unpack_result(path, files.new_folder())
    return RestoredRun(*found) if found else None


@files.taking_in
def pictures_from(painting: str, mask: str) -> tuple[str | None, dict[str, str] | None]:
    """Painting and mask that the browser has brought back from its history, by their paths.

    Returns the painting's new path and a value of the brush. Raises RequestError, gr.Error.
    """
    if not painting:
        return None, None
    own = str(files.keep_upload(own_file(painting)))
    if not mask:
        return own, None
    kept = files.new_folder() / "mask.png"
    Image.fromarray(open_mask(Path(own_file(mask)), open_painting(Path(own)))).save(kept)
    return own, brush.value_of(own, kept)


def mask_value(painting: str | Path, mask: str | Path) -> dict[str, str]:
    """A value of the brush: this mask on this painting."""
    return brush.value_of(painting, mask)


def _is_film(path: str | Path) -> bool:
    with Path(path).open("rb") as file:
        return is_film(file.read(64))


def _same(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two pictures are copies of one, at whatever size."""
    ratio = first.shape[1] / first.shape[0] * second.shape[0] / second.shape[1]
    small = [to_size(picture, 64, 64) for picture in (first, second)]
    return 0.97 < ratio < 1.03 and similarity(*small)[0] > 30


def says_something(found: Recovered) -> bool:
    """Whether a link or a file held anything of ours, good or bad."""
    return bool(found.settings or found.remarks)


def onto_rail(rail: Controls, found: Recovered) -> tuple[Updates, list[str]]:
    """(updates of the rail's components, sentences about what was left out)."""
    if not says_something(found):
        return {}, []
    values, remarks = _for_dials(found, rail.settings)
    lock = {rail.lock: True}  # or the dice would throw the restored seed away
    return {rail.restored: values, **lock, **{rail[n]: v for n, v in values.items()}}, remarks


def outputs(rail: Controls) -> list[gr.components.Component]:
    """What ``onto_rail`` may update."""
    return [rail.restored, rail.lock, *(rail[name] for name in rail.settings)]


def _for_dials(found: Recovered, names: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Values for the dials called ``names``, and sentences about what was left out.

    What the chosen model does not offer (a size, a length, a strength of motion) is left out too:
    the dial could not show it.
    """
    wanted = {name: value for name, value in found.settings.items() if name not in PICTURES}
    backend_key, proxy_key = wanted.get("backend", BACKEND), wanted.get("proxy", PROXY)
    backend, proxy = BACKENDS[backend_key], PROXIES[proxy_key]
    left_out = []
    for name, choices in (("size", backend.sizes), ("frames", backend.frame_choices)):
        if name in wanted and wanted[name] not in choices:
            left_out.append(name)
    low, high, _ = backend.motion_range or (0.0, 0.0, 0.0)
    if not low <= wanted.get("motion", low) <= high:
        left_out.append("motion")
    values = {name: value for name, value in wanted.items() if name not in left_out}
    for kind, key, spec in (("options", backend_key, backend), ("proxy_options", proxy_key, proxy)):
        for name, value in wanted.get(kind, {}).items():
            option = spec.options.get(name)
            if option is not None and option.low <= value <= option.high:
                values[f"{kind}:{key}:{name}"] = value
            else:
                left_out.append(name)
    remarks = [translate(remark) for remark in found.remarks]
    if left_out:
        names_left_out = ", ".join(left_out)
        remarks.append(say("restored_off", model=translate(backend.title), names=names_left_out))
    return {name: value for name, value in values.items() if name in names}, remarks
