"""The way to another page of ours, in another language or to the laboratory, with nothing left behind.

Settings, painting, mask and result go along in what the tab remembers (``assets/js/tab.js``): what a
link's own address cannot say. A page that opens looks there first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from awaken.ui import EXAMPLES
from awaken.ui.controls import restore
from awaken.ui.controls.gallery import Bundled
from awaken.ui.controls.rail import values_of
from awaken.ui.jobs.events import QUIET, Updates
from awaken.ui.page.layout import Page
from awaken.ui.run import links, results, status
from awaken.ui.run.file_guard import own_file
from awaken.ui.viewer import brush
from awaken.ui.viewer.parts import event_data


def wire(page: Page) -> None:
    """Let the links to other pages take everything along."""
    luggage = gr.Textbox(visible=False)

    def pack(picture: dict, shown: dict, event: gr.EventData, **keywords: Any) -> str:
        values = values_of(keywords)
        result = (shown or {}).get("result")
        packed = {
            "to": event_data(event, "to"),
            "link": links.encode(values),
            "lock": bool(keywords["lock"]),
            "painting": values.get("painting"),
            "mask": values.get("mask"),
            "picture": (picture or {}).get("id", ""),
            "result": str(Path(result["stacked"]["path"]).parent) if result else "",
        }
        return json.dumps(packed)

    for way in page.ways:
        way.select(
            pack, [page.picture, page.shown], luggage, inputs_kwargs=page.rail.keywords(), **QUIET
        ).then(None, luggage, None, js="(packed) => awakenTab.leave(packed)", **QUIET)


def unpack(page: Page, packed: Mapping[str, Any], bundled: Mapping[str, Bundled]) -> Updates:
    """What a page shows of what was packed; everything in it comes from a browser."""
    found = links.decode(str(packed.get("link", ""))[: links.MAX_QUERY])
    updates, _ = restore.onto_rail(page.rail, found)
    if updates:
        updates[page.rail.lock] = packed.get("lock") is not False
    updates |= painting_of(page, packed, bundled.get(str(packed.get("picture"))))
    mask = _own(packed.get("mask"))
    painting = updates.get(page.rail["painting"])
    if mask and painting:
        updates[page.rail["mask"]] = brush.value_of(painting, mask)
    return updates | _result(page, packed, bundled)


def painting_of(page: Page, packed: Mapping[str, Any], picture: Bundled | None) -> Updates:
    """The painting of a run, which is still the visitor's or a bundled one."""
    rail = page.rail
    if picture is not None:
        return {
            rail["painting"]: str(picture.example.path),
            page.picture: picture.picture(),
            rail.gallery: gr.update(selected=picture.id),
            rail.chips: picture.suggestions,
        }
    own = _own(packed.get("painting"))
    if own is None:
        return {}
    return {
        rail["painting"]: own,
        page.picture: {"path": own},
        rail.gallery: gr.update(selected=""),
    }


def _result(page: Page, packed: Mapping[str, Any], bundled: Mapping[str, Bundled]) -> Updates:
    stacked = _own(str(packed.get("result", "")) + "/stacked.mp4")
    if stacked is None or page.stage is None:
        return {}
    folder = Path(stacked).parent
    if folder.is_relative_to(EXAMPLES):
        example = bundled.get(folder.name)
        both = (example.scene(), example.placard()) if example and example.ready else None
        strip = status.idle(example=True)
    else:
        picture = bundled.get(str(packed.get("picture")))
        both = results.of_folder(folder, picture.picture() if picture else {})
        strip = status.idle(example=False)
    if both is None:
        return {}
    scene, placard = both
    return {
        page.stage: scene, page.shown: scene, page.placard: placard, page.strip: strip.value()
    }  # fmt: skip


def _own(path: Any) -> str | None:
    """A path of a visitor's file or a bundled one that is still there."""
    try:
        own = own_file(path) if isinstance(path, str) and path else None
    except gr.Error:
        return None
    return own if own and Path(own).is_file() else None
