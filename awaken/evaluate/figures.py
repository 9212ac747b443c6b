"""Fig. 2, 6, 7 and 8 as PNG, for whatever was measured. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np

from awaken.analysis import pca
from awaken.evaluate import films
from awaken.evaluate.arms import METHOD
from awaken.evaluate.films import REAL
from awaken.evaluate.score import read_pairs
from awaken.evaluate.summary import MEASURES
from awaken.evaluate.table import missing
from awaken.types import ALPHA_KINDS, ModelError

# The paper's two measures; where one is not there, those that need no weights.
_SHOWN = ("clipsim", "fvd", "agreement", "inside", "outside", "flow", "detail")
_PANELS = 3
_PATH_WORDS = {"straightness": "straightness", "order": "order", "pc1": "on one axis"}
_COLOURS = ("#1b6ca8", "#b3442e", "#3d7f4f", "#8a5a9e", "#b98a1d", "#4a4a4a")


def draw(summary: Mapping[str, Any], out: Path) -> list[Path]:
    """Fig. 6 to 8, those whose arms were made. Raises ModelError where matplotlib is missing."""
    arms = summary["arms"]
    plots: list[tuple[str, str, list[tuple[str, str]]]] = []
    curves = [(k, _arm(arms, "alpha", k, summary)) for k in ALPHA_KINDS]
    curves = [(k.replace("-", "\n"), name) for k, name in curves if name]
    if len(curves) > 1:
        plots.append(("fig6", "Fig. 6: the weight curve alpha", curves))
    shares = sorted({value for name in arms if (value := _value(name, "p")) is not None}
                    | {float(_setting(summary, "p", 0.6))})  # fmt: skip
    shares = [(f"{p:g}", _arm(arms, "p", p, summary)) for p in shares]
    if len(shares) > 1:
        plots.append(("fig7", "Fig. 7: the share p of steps that distil", [
            (label, name) for label, name in shares if name
        ]))  # fmt: skip
    proxies = [name for name in arms if name.startswith("proxy=")]
    if proxies:
        own = summary["protocol"]["proxy"]
        named = [(name.removeprefix("proxy="), name) for name in proxies]
        rows = [("baseline", "baseline"), (own, METHOD), *named]
        rows = [(label.replace("_", "\n"), name) for label, name in rows if name in arms]
        plots.append(("fig8", "Fig. 8: the proxy image", rows))
    return [_plot(name, title, rows, summary, out) for name, title, rows in plots]


def chosen(summary: Mapping[str, Any], out: Path, count: int = 5) -> list[str]:
    """The first pairs, one a scene, that have baseline, method and real clip (if any has)."""
    arms = summary["arms"]
    names = [name for name in (REAL, "baseline", METHOD) if name in arms]
    ids: dict[str, str] = {}
    for pair in read_pairs(out):
        files = (films.path_of(out, arms[name]["slug"], pair["id"]) for name in names)
        if METHOD in names and all(map(films.whole, files)):
            ids.setdefault(pair["scene"], pair["id"])
    return list(ids.values())[:count]


def latent_paths(
    summary: Mapping[str, Any], out: Path, ids: Sequence[str],
    encode: Callable[[np.ndarray], np.ndarray],
) -> Path:  # fmt: skip
    """Fig. 2: the frames of some pairs' real, baseline and awakened clips in latent space.

    A row per arm, a column per pair; the three clips of a pair share its two principal axes.
    encode: (f, h, w, 3) uint8 -> (f, d), every frame by itself, the same for all three.
    """
    plt = _pyplot()
    arms = summary["arms"]
    names = [name for name in (REAL, "baseline", METHOD) if name in arms]
    figure, axes = plt.subplots(
        len(names), len(ids), figsize=(2.2 * len(ids) + 1.2, 2.1 * len(names) + 0.8), squeeze=False,
        sharex="col", sharey="col",
    )  # fmt: skip
    for column, name in enumerate(ids):
        paths = [
            encode(films.read(films.path_of(out, arms[arm]["slug"], name))[0]) for arm in names
        ]
        points = pca(np.concatenate(paths))[0]
        places = np.split(points, np.cumsum([len(path) for path in paths])[:-1])
        for row, xy in enumerate(places):
            axis = axes[row][column]
            axis.plot(*xy.T, color=_COLOURS[row], linewidth=0.8, alpha=0.6)
            axis.scatter(*xy.T, color=_COLOURS[row], s=12, alpha=np.linspace(0.25, 1, len(xy)),
                         linewidths=0)  # fmt: skip
            axis.set_xticks([])
            axis.set_yticks([])
        axes[0][column].set_title(name, fontsize=7)
    for row, arm in enumerate(names):
        values = arms[arm]["measures"]
        lines = [f"{w} {values[m]['mean']:.2f}" for m, w in _PATH_WORDS.items() if m in values]
        axes[row][0].set_ylabel("\n".join([arm, *lines]), fontsize=7)
    note = "Numbers: means over all pairs. A slerp between two pictures makes a line by itself."
    title = "Fig. 2: latent paths, a point a frame, later ones darker"
    return _save(plt, figure, title, [note], summary, out, "fig2")


def _plot(
    name: str, title: str, rows: Sequence[tuple[str, str]], summary: Mapping[str, Any], out: Path
) -> Path:
    plt = _pyplot()
    arms = summary["arms"]
    shown = [m for m in _SHOWN if all(_point(arms[arm], m) for _, arm in rows)][:_PANELS]
    figure, axes = plt.subplots(1, len(shown), figsize=(4 * len(shown), 3.6), squeeze=False)
    places = np.arange(len(rows))
    for axis, measure in zip(axes[0], shown, strict=True):
        points = [_point(arms[arm], measure) for _, arm in rows]
        middle = np.array([p[0] for p in points])
        reach = np.abs(np.array([p[1:] for p in points]).T - middle)
        axis.errorbar(
            places, middle, reach, color=_COLOURS[0], marker="o", capsize=3, linewidth=1.2,
            linestyle="-" if name == "fig7" else "none",
        )  # fmt: skip
        base = _point(arms.get("baseline", {}), measure)
        if base and name != "fig8":
            axis.axhline(base[0], color=_COLOURS[1], linestyle="--", linewidth=1)
            axis.annotate("baseline", (places[-1], base[0]), color=_COLOURS[1], fontsize=7,
                          ha="right", va="bottom")  # fmt: skip
        label, arrow = ("FVD", " ↓") if measure == "fvd" else (
            MEASURES[measure].label, MEASURES[measure].arrow)  # fmt: skip
        axis.set_title(label + arrow, fontsize=9)
        axis.set_xticks(places, [label for label, _ in rows], fontsize=7)
        axis.tick_params(axis="y", labelsize=7)
        axis.spines[["top", "right"]].set_visible(False)
    notes = ["Bars: 95 % intervals by bootstrap over scenes.", *missing(summary)]
    return _save(plt, figure, title, notes, summary, out, name)


def _save(plt, figure, title, notes, summary, out: Path, name: str) -> Path:
    """Write the figure with the protocol and the notes under it."""
    letters = int(22 * figure.get_figwidth())
    lines = [line for note in (summary["sentence"] + ".", *notes) for line in wrap(note, letters)]
    figure.suptitle(title, fontsize=10)
    height = (0.12 * len(lines) + 0.1) / figure.get_figheight()
    figure.text(0.01, 0.01, "\n".join(lines), fontsize=6, va="bottom", color="#444")
    figure.tight_layout(rect=(0, height, 1, 1))
    path = out / f"{name}.png"
    figure.savefig(path, dpi=120, metadata={"Software": None})
    plt.close(figure)
    return path


def _pyplot():
    try:
        import matplotlib
    except ImportError:
        raise ModelError(
            "The figures need matplotlib: pip install -r awaken/evaluate/requirements.txt."
        ) from None
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt


def _point(arm: Mapping[str, Any], measure: str) -> tuple[float, float, float] | None:
    """(value, low, high)."""
    if measure == "fvd":
        found = arm.get("fvd", {})
        if "value" not in found:
            return None
        return found["value"], found["value"] - found["half"], found["value"] + found["half"]
    found = arm.get("measures", {}).get(measure)
    return (found["mean"], found["low"], found["high"]) if found else None


def _setting(summary: Mapping[str, Any], name: str, default: Any) -> Any:
    return summary["protocol"]["settings"].get(name, default)


def _value(arm: str, setting: str) -> float | None:
    """The number in an arm's name "p=0.4"."""
    name, _, value = arm.partition("=")
    return float(value) if name == setting and " " not in value else None


def _arm(
    arms: Mapping[str, Any], setting: str, value: Any, summary: Mapping[str, Any]
) -> str | None:
    """The arm with that setting: the method itself where it is the protocol's own."""
    own = _setting(summary, setting, {"p": 0.6, "alpha": ALPHA_KINDS[0]}[setting])
    name = (
        METHOD if value == own else f"{setting}={value:g}" if setting == "p" else f"alpha={value}"
    )
    return name if name in arms else None
