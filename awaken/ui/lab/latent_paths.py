"""Latent paths (Fig. 2): every frame of both videos, and of a real clip, as a point on a map."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import gradio as gr
import numpy as np

from awaken import analysis
from awaken.sampling import Outcome
from awaken.types import AwakenError
from awaken.ui import texts
from awaken.ui.jobs.events import QUIET
from awaken.ui.lab import grid, panels, series
from awaken.ui.lab.panels import Panel, Place
from awaken.ui.run import requests
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.texts.lab_en import say
from awaken.ui.viewer.parts import figure

log = logging.getLogger(__name__)

MAPS = ("start", "pca", "tsne")
CLIPS = [".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".gif"]


def build(holder: EngineHolder, place: Place, reattach: Mapping[str, gr.State]) -> Panel:
    """Draw the panel inside the current Blocks and wire it."""
    gr.Markdown(f"{say('paths_about')}\n\n*{say('paths_honest')}*")
    clip = gr.File(
        label=say("clip"), file_types=CLIPS, type="filepath", height=150, elem_id="aw-clip"
    )
    go = panels.go_button("paths")
    method = gr.Radio(
        [(say(f"map_{key}"), key) for key in MAPS],
        value=MAPS[0],
        label=say("map"),
        elem_id="aw-map",
    )
    display = figure(
        "paths",
        '<div class="aw-paths" data-testid="paths">'
        '<div class="aw-bar" aria-hidden="true"><i></i></div>'
        '<p class="aw-grid-line"></p><p class="aw-spoken" role="status"></p>'
        '<svg viewBox="0 0 640 400" role="img" aria-label="" hidden></svg>'
        '<p class="aw-about-map"></p><table hidden><thead></thead><tbody></tbody></table>'
        '<p class="aw-about-numbers"></p></div>',
        grid.idle(),
        {word: say(word) for word in ("path_column", "straightness", "order", "numbers_about")},
    )
    points = gr.State({})
    panel = Panel(
        "paths",
        reattach["paths"],
        go,
        place,
        display,
        runs=1,
        points=points,
        choices=[clip, method],
    )
    panels.wire(holder, panel, partial(follow, holder))
    method.change(
        lambda points, method: drawn(points, method) if points else gr.skip(),
        [points, method],
        display,
        **QUIET,
    )
    return panel


def follow(
    holder: EngineHolder, values: Mapping[str, Any], clip: str | None, method: str
) -> Iterator[dict[str, Any]]:
    """Make (or take from the memo) both videos, and encode every frame of them and of the clip.

    Yields what the display shows; the last moment has ``points``, name -> (frames, dimensions).
    """
    holder.busy += 1
    try:
        yield from _follow(holder, values, clip, method)
    except AwakenError as error:
        yield grid.failed(error.message)
    except Exception:
        log.exception("the latent paths failed")
        yield grid.failed(texts.say("internal"))
    finally:
        holder.busy -= 1


def _follow(
    holder: EngineHolder, values: Mapping[str, Any], clip: str | None, method: str
) -> Iterator[dict[str, Any]]:
    yield grid.waiting()
    request = requests.make_request(**values)
    yield from series.warmed(holder)
    run = Outcome(series.run_one(holder, request, say("path_awakened"), 0, 1))
    for moment in run:
        yield moment | {"share": moment["share"] * 0.8}
    result, _ = run.value
    settings = result.settings
    videos = {"baseline": result.baseline, "awakened": result.awakened}
    if clip:
        from awaken.video import read_clip

        shape = (settings[name] for name in ("frames", "fps", "width", "height"))
        videos["clip"] = read_clip(clip, *shape)
    latents, count = [], sum(map(len, videos.values()))
    for name, video in videos.items():
        done = sum(map(len, latents))
        engine = holder.engine()
        encoding = Outcome(engine.frame_latents(settings["backend"], video, settings["seed"]))
        for moment in encoding:
            yield _encoding(name, done, count, moment)
        latents.append(encoding.value)
    points = analysis.compact(np.concatenate(latents))  # keeps every distance
    ends = np.cumsum([len(z) for z in latents])[:-1]
    found = dict(zip(videos, np.split(points, ends), strict=True))
    line = say("paths_done", count=count, saved=series.saving(result))
    yield drawn(found, method) | {"line": line, "points": found}


def _encoding(name: str, done: int, count: int, moment: Any) -> dict[str, Any]:
    """What the display says while the engine waits or encodes; ``done`` of ``count`` before."""
    if not isinstance(moment, tuple):
        line = say("waited", seconds=moment.seconds)
        return {"state": "running", "line": line, "share": 0.8}
    frame, frames = moment
    line = say("encoding", name=say(f"path_{name}"), frame=frame, frames=frames)
    return {"state": "running", "line": line, "share": 0.8 + 0.2 * (done + frame) / count}


def drawn(found: Mapping[str, np.ndarray], method: str) -> dict[str, Any]:
    """The display of paths, name -> (frames, dimensions), on one of ``MAPS``.

    The map "start" shows how the paths run, "pca" and "tsne" also how far apart the videos are.
    """
    points = np.concatenate([z - z[0] if method == "start" else z for z in found.values()])
    if method == "tsne":
        seen = analysis.tsne(points)
        about = say("map_tsne_line", perplexity=min(30, len(points) / 3))
    else:
        seen, shares = analysis.pca(points)
        about = say(f"map_{method}_line", first=shares[0], second=shares[1])
    ends = np.cumsum([len(path) for path in found.values()])[:-1]
    paths = [
        {
            "kind": name,
            "name": say(f"path_{name}"),
            "points": np.round(places, 5).tolist(),
            "straightness": _number(analysis.straightness(path)),
            "order": _number(analysis.order(path)),
        }
        for (name, path), places in zip(found.items(), np.split(seen, ends), strict=True)
    ]
    numbers = "; ".join(
        f"{p['name']}: {say('straightness')} {p['straightness']}, {say('order')} {p['order']}"
        for p in paths
    )
    return {
        "state": "done",
        "paths": paths,
        "about": about,
        "alt": say("paths_alt", count=len(points), numbers=numbers),
    }


def _number(value: float) -> str:
    return say("none") if math.isnan(value) else f"{value:.2f}"
