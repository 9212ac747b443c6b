"""The laboratory: sweeps, Table 1, latent paths (Fig. 2), curves of alpha and lambda (Fig. 6).

It reads the rail and writes into it only when a visitor takes a tile's setting over. Nothing of a
visitor outlives the session: pictures lie in the run's own folder, points in a ``gr.State``.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np

from awaken import analysis
from awaken.backends import BACKENDS
from awaken.proxies import PROXIES
from awaken.types import ALPHA_KINDS, VARIANTS, AwakenError
from awaken.ui import comparison, models, runs, texts, trials
from awaken.ui.controls import Controls
from awaken.ui.jobs import Job, Sight, as_event, event_limits, is_token
from awaken.ui.laboratory_texts import say
from awaken.ui.languages import together
from awaken.ui.models import QUIET
from awaken.ui.running import OWNER
from awaken.ui.runs import Workshop
from awaken.ui.trials import ASSETS, Trial
from awaken.ui.widgets import said
from awaken.vsds import alpha_schedule, distilled_steps

log = logging.getLogger(__name__)

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
MAPS = ("start", "pca", "tsne")
CLIPS = [".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".gif"]
# What a tile may put on the rail, by name of ``Request``.
USES: dict[str, tuple[Any, ...]] = {
    "p": SHARES,
    "alpha": ALPHA_KINDS,
    "variant": tuple(VARIANTS),
    "backend": tuple(BACKENDS),
    "proxy": tuple(PROXIES),
}


def build(workshop: Workshop, rail: Controls, owner: gr.Textbox) -> None:
    """Draw laboratory and comparison inside the current Blocks and wire them to the rail.

    ``owner``: unseen; the tab puts its name in.
    """
    with gr.Column(elem_id="aw-laboratory"):
        gr.Markdown(f"## {say('title')}\n\n{say('intro')}", elem_id="aw-laboratory-head")
        with gr.Tabs():
            with gr.Tab(say("sweep")):
                gr.Markdown(together(say("sweep_about"), say("note_motion_about")))
                what = gr.Radio(
                    [(say("sweep_p"), "p"), (say("sweep_alpha"), "alpha")], value="p",
                    label=say("sweep_what"), elem_id="aw-sweep-what",
                )  # fmt: skip
                series_bench(workshop, rail, owner, "sweep", sweep, what)
            with gr.Tab(say("variants")):
                gr.Markdown(together(say("variants_about"), say("note_motion_about")))
                series_bench(workshop, rail, owner, "variants", table)
            with gr.Tab(say("paths")):
                _paths(workshop, rail, owner)
            with gr.Tab(say("curves")) as tab:
                _curves(workshop, rail, tab)
            with gr.Tab(say("backends")):
                gr.Markdown(say("backends_about"))
                chosen = comparison.choice("backends", BACKENDS)
                series_bench(workshop, rail, owner, "backends", comparison.backends, chosen)
            with gr.Tab(say("proxies")):
                gr.Markdown(say("proxies_about"))
                chosen = comparison.choice("proxies", PROXIES)
                series_bench(workshop, rail, owner, "proxies", comparison.proxies, chosen)


def sweep(workshop: Workshop, values: Mapping[str, Any], what: str) -> Iterator[dict[str, Any]]:
    """All values of p, or all curves of alpha; Grid values."""
    if what == "p":
        todo = [Trial(say("tile_p", p=p), {"p": p}, f"p:{p}") for p in SHARES]
    else:
        todo = [Trial(texts.say(f"alpha_{k}"), {"alpha": k}, f"alpha:{k}") for k in ALPHA_KINDS]
    return trials.series(workshop, values, todo)


def table(workshop: Workshop, values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of Table 1; the first of them is the baseline. Grid values."""
    todo = [Trial(texts.say(f"variant_{k}"), {"variant": k}, f"variant:{k}") for k in VARIANTS]
    return trials.series(workshop, values, todo, baseline="none")


def given(keywords: Mapping[str, Any]) -> dict[str, Any]:
    """The rail's values as ``runs.make_request`` takes them, with the seed that stands there."""
    return models.chosen(keywords)


def series_bench(
    workshop: Workshop,
    rail: Controls,
    owner: gr.Textbox,
    name: str,
    run: Callable[..., Iterator[dict[str, Any]]],
    *more: gr.components.Component,
) -> trials.Grid:
    """Go, Stop and the grid of one series; ``run(workshop, values, *more)`` yields Grid values."""
    go, stop = _buttons(name)
    grid = trials.Grid(elem_id=f"aw-grid-{name}")

    def work(*extra: Any, **keywords: Any) -> Iterator[Any]:
        return run(workshop, given(keywords), *extra)

    bench = Bench(name, go, stop, grid, [grid], runs=5, merge=trials.merged)
    _wire(workshop, bench, work, owner, list(more), rail)
    taken = [rail[field] for field in USES]
    grid.select(_use, None, taken, **QUIET)
    return grid


def _buttons(name: str) -> tuple[gr.Button, gr.Button]:
    with gr.Row(elem_classes=["aw-bench"]):
        go = gr.Button(
            say(f"go_{name}"), variant="primary", elem_id=f"aw-go-{name}", scale=0, min_width=220
        )
        stop = gr.Button(
            say("stop"), variant="stop", interactive=False, elem_id=f"aw-stop-{name}", scale=0,
            min_width=96,
        )  # fmt: skip
    return go, stop


@dataclass(frozen=True)
class Bench:
    """One place of the laboratory: its buttons, where it shows things, what its jobs are like.

    outputs: what the work's moments fill in, ``wall`` first. runs: about how many a job makes.
    merge: see ``JobManager.submit``.
    """

    name: str
    go: gr.Button
    stop: gr.Button
    wall: gr.components.Component
    outputs: list[gr.components.Component]
    runs: int
    merge: Callable[[Any, Any], Any] | None = None


def _wire(
    workshop: Workshop, bench: Bench, work: Callable[..., Iterator[Any]], owner: gr.Textbox,
    inputs: list[gr.components.Component], rail: Controls,
) -> None:  # fmt: skip
    """Go makes ``work`` a job in everybody's queue, Stop ends it within a step."""
    jobs, go, stop, wall = workshop.jobs, bench.go, bench.stop, bench.wall
    free = [gr.update(interactive=True), gr.update(interactive=False), False]
    held = [gr.update(interactive=False), gr.update(interactive=True), True]
    going = gr.State(False)
    keys = [go, stop, going]

    def filled(value: Any) -> Any:
        """For the outputs, when only the wall has something to say."""
        return [value, *[gr.skip()] * (len(bench.outputs) - 1)] if len(bench.outputs) > 1 else value

    def ask(owner: str, *inputs: Any, **keywords: Any) -> Job | Any:
        if not is_token(owner):
            return filled(trials.failed(texts.say("no_owner")))
        seconds = workshop.seconds(given(keywords))
        try:
            return jobs.submit(
                owner, bench.name, lambda: work(*inputs, **keywords), merge=bench.merge,
                seconds=seconds and bench.runs * seconds,
            )  # fmt: skip
        except AwakenError as error:
            return filled(trials.failed(str(error)))

    def show(job: Job, sight: Sight) -> Any:
        if sight.state in ("stopped", "left"):
            return filled(trials.stopped())
        if sight.state == "failed":
            return filled(trials.failed(texts.say("internal")))
        if sight.moment is not None:
            return sight.moment if sight.news else filled(gr.skip())
        return filled(trials.queued(sight.ahead, sight.wait))

    def refuse(going: bool) -> list[Any]:
        """Turned away before it began; a stopped series may end as a failure too and is told."""
        return [trials.failed(say("turned_away")), *free] if going else [gr.skip()] * 4

    def halt(owner: str) -> list[Any]:
        jobs.stop(owner, bench.name)
        return [trials.stopped(), *free]

    pressed = go.click(lambda: [trials.waiting(), *held], None, [wall, *keys], **QUIET)
    running = pressed.then(
        as_event(jobs, ask, show), [owner, *inputs], bench.outputs, inputs_kwargs=dict(rail.inputs),
        show_progress="hidden", api_visibility="private", js=OWNER, **event_limits(jobs),
    )  # fmt: skip
    running.success(lambda: free, None, keys, **QUIET)
    running.failure(refuse, going, [wall, *keys], **QUIET)
    stop.click(halt, owner, [wall, *keys], cancels=[running], js=OWNER, **QUIET)


def _use(event: gr.EventData) -> list[Any]:
    """A tile's setting for the rail; what comes from a browser is only compared, never taken."""
    name, _, value = said(event, "use").partition(":")
    return [
        next((v for v in values if name == field and str(v) == value), gr.skip())
        for field, values in USES.items()
    ]


# -- latent paths (Fig. 2) -----------------------------------------------------------------------


def part(name: str, template: str, value: Mapping[str, Any], words: tuple[str, ...]) -> gr.HTML:
    """A display with a constant template; data and words reach the script, never the template."""
    script = (ASSETS / "js" / "laboratory" / f"{name}.js").read_text("utf-8")
    return gr.HTML(
        dict(value),
        html_template=template,
        js_on_load=f"const words = {json.dumps({w: say(w) for w in words})};\n{script}",
        apply_default_css=False,
        elem_id=f"aw-{name}",
        elem_classes=["aw-part"],
    )


def _paths(workshop: Workshop, rail: Controls, owner: gr.Textbox) -> None:
    gr.Markdown(f"{say('paths_about')}\n\n*{say('paths_honest')}*")
    clip = gr.File(
        label=say("clip"), file_types=CLIPS, type="filepath", height=110, elem_id="aw-clip"
    )
    go, stop = _buttons("paths")
    method = gr.Radio(
        [(say(f"map_{key}"), key) for key in MAPS], value=MAPS[0], label=say("map"),
        elem_id="aw-map",
    )  # fmt: skip
    wall = part(
        "paths",
        '<div class="aw-paths" data-testid="paths">'
        '<div class="aw-bar" aria-hidden="true"><i></i></div>'
        '<p class="aw-grid-line"></p><p class="aw-spoken" role="status"></p>'
        '<svg viewBox="0 0 640 400" role="img" aria-label="" hidden></svg>'
        '<p class="aw-about-map"></p><table hidden><thead></thead><tbody></tbody></table>'
        '<p class="aw-about-numbers"></p></div>',
        trials.idle(),
        ("path_column", "straightness", "order", "numbers_about"),
    )
    found = gr.State({})

    def work(clip: str | None, method: str, **keywords: Any) -> Iterator[list[Any]]:
        for value, points in latent_paths(workshop, given(keywords), clip, method):
            yield [value, gr.skip() if points is None else points]

    bench = Bench("paths", go, stop, wall, [wall, found], runs=1)
    _wire(workshop, bench, work, owner, [clip, method], rail)
    method.change(
        lambda found, method: picture(found, method) if found else gr.skip(), [found, method], wall,
        **QUIET,
    )  # fmt: skip


def latent_paths(
    workshop: Workshop, values: Mapping[str, Any], clip: str | None, method: str
) -> Iterator[tuple[dict[str, Any], dict[str, np.ndarray] | None]]:
    """Make (or take from the memo) both videos, and encode every frame of them and of the clip.

    Yields (value of the display, None), at the end with the points, name -> (frames, dimensions).
    """
    workshop.busy += 1
    try:
        yield trials.waiting(), None
        request = runs.make_request(**values)
        for moment in trials.warmed(workshop):
            yield moment, None
        running = trials.run_one(workshop, request, say("path_awakened"), 0, 1)
        with closing(running):
            while True:
                try:
                    moment = next(running)
                except StopIteration as end:
                    result, _ = end.value
                    break
                yield moment | {"share": moment["share"] * 0.8}, None
        videos = {"baseline": result.baseline, "awakened": result.awakened}
        told = result.settings
        if clip:
            from awaken.video import read_clip

            videos["clip"] = read_clip(
                clip, told["frames"], told["fps"], told["width"], told["height"]
            )
        latents, done, count = [], 0, sum(map(len, videos.values()))
        for name, video in videos.items():
            encoding = workshop.engine().frame_latents(told["backend"], video, told["seed"])
            with closing(encoding):
                while True:
                    try:
                        moment = next(encoding)
                    except StopIteration as end:
                        latents.append(end.value)
                        break
                    if not isinstance(moment, tuple):
                        line = say("waited", seconds=moment.seconds)
                        yield {"state": "running", "line": line, "share": 0.8}, None
                        continue
                    done += 1
                    line = say(
                        "encoding", name=say(f"path_{name}"), frame=moment[0], frames=moment[1]
                    )
                    share = 0.8 + 0.2 * done / count
                    yield {"state": "running", "line": line, "share": share}, None
        points = analysis.compact(np.concatenate(latents))  # keeps every distance
        ends = np.cumsum([len(z) for z in latents])[:-1]
        found = dict(zip(videos, np.split(points, ends), strict=True))
        line = say("paths_done", count=count, saved=trials.saving(result))
        yield picture(found, method) | {"line": line}, found
    except AwakenError as error:
        yield trials.failed(str(error)), None
    except Exception:
        log.exception("the latent paths failed")
        yield trials.failed(texts.say("internal")), None
    finally:
        workshop.busy -= 1


def picture(found: Mapping[str, np.ndarray], method: str) -> dict[str, Any]:
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


# -- alpha and lambda (Fig. 6) -------------------------------------------------------------------


def _curves(workshop: Workshop, rail: Controls, tab: gr.Tab) -> None:
    gr.Markdown(say("curves_about"))

    def draw(backend: str, steps: int, p: float, peak: float, alpha: str) -> dict[str, Any]:
        return curves(workshop, backend, int(steps), p, peak, alpha)

    shape = [rail[name] for name in ("backend", "steps", "p", "peak", "alpha")]
    first = [part.value for part in shape]
    wall = part(
        "curves",
        '<div class="aw-curves" data-testid="curves"></div>',
        draw(*first),
        ("curve_limit_1", "curve_limit_2"),
    )
    gr.on(
        [tab.select, *(part.change for part in shape)], draw, shape, wall,
        trigger_mode="always_last", **QUIET,
    )  # fmt: skip


def curves(
    workshop: Workshop, backend: str, steps: int, p: float, peak: float, chosen: str
) -> dict[str, Any]:
    """All curves of Fig. 6 with lambda per step, and in words what that does."""
    tau = distilled_steps(steps, p)
    engine = workshop.ready()
    drawn = []
    for kind in ALPHA_KINDS:
        alphas = alpha_schedule(kind, tau, peak)
        rates = engine.update_rates(backend, steps, alphas) if engine and alphas else None
        state, verdict = judge(rates, tau)
        name = texts.say(f"alpha_{kind}")
        alt = say(
            "curve_alt", name=name, first=alphas[0], last=alphas[-1], verdict=verdict
        ) if alphas else verdict  # fmt: skip
        drawn.append(
            {"name": name, "alphas": alphas, "rates": rates or [], "state": state,
             "verdict": verdict, "alt": alt, "chosen": kind == chosen}
        )  # fmt: skip
    return {"curves": drawn, "steps": steps}


def judge(rates: list[float] | None, tau: int) -> tuple[str, str]:
    """("calm" | "overshoots" | "diverges" | "unknown", a sentence) for the lambdas of tau steps."""
    if not tau:
        return "unknown", say("curve_none")
    if rates is None:
        return "unknown", say("curve_unknown")
    worst = max(rates)
    for state, limit in (("diverges", 2), ("overshoots", 1)):
        if worst > limit:
            count = sum(rate > limit for rate in rates)
            return state, say(f"curve_{state}", worst=worst, count=count, tau=tau)
    return "calm", say("curve_calm", worst=worst)
