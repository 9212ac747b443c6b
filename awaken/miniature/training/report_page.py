"""What the report's rows amount to: medians, wins, a table, a plot (SVG) and a contact sheet."""

from __future__ import annotations

import json
import logging
import statistics
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np

from awaken.types import VARIANTS

log = logging.getLogger(__name__)

ARMS: tuple[str, ...] = tuple(VARIANTS)
# measure -> (label, the target, whether more is better)
MEASURES: dict[str, tuple[str, float | None, bool]] = {
    "share": ("share of flow energy inside the region", 0.75, True),
    "inside": ("motion inside, % of the short side per frame", 0.4, True),
    "outside": ("motion outside, % of the short side per frame", 0.1, False),
    "psnr": ("frame 0 against the painting, dB", 35.0, True),
    "detail": ("gradient energy against the painting's", 0.9, True),
    "flicker": ("flicker outside, grey levels", None, False),
}


def read_rows(path: Path) -> list[dict]:
    """The rows measured so far; a last line that was cut off by a stop is ignored."""
    rows = []
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            log.warning("%s ends in a broken line; that video is measured again", path)
    return rows


def summarise(rows: Sequence[Mapping]) -> dict[str, dict[str, dict[str, float]]]:
    """arm -> measure -> median and quartiles over pairs of the mean over seeds, and ``seeds``:
    the median over pairs of the standard deviation over seeds."""
    out: dict[str, dict[str, dict[str, float]]] = {}
    for arm in ARMS:
        mine = [r for r in rows if r["arm"] == arm]
        if not mine:
            continue
        out[arm] = {}
        for name in MEASURES:
            by_pair: dict[int, list[float]] = {}
            for r in mine:
                by_pair.setdefault(r["pair"], []).append(r[name])
            means = [statistics.fmean(v) for v in by_pair.values()]
            low, middle, high = (float(q) for q in np.quantile(means, (0.25, 0.5, 0.75)))
            spread = statistics.median(statistics.pstdev(v) for v in by_pair.values())
            out[arm][name] = {"median": middle, "low": low, "high": high, "seeds": spread}
    return out


def better_pairs(rows: Sequence[Mapping], arm: str, other: str = "baseline") -> dict[str, float]:
    """Share of pairs in which ``arm`` has more motion inside, a higher share inside, or either.

    Compared are means over the seeds that both arms have.
    """
    values: dict[tuple[int, str], dict[int, Mapping]] = {}
    for r in rows:
        values.setdefault((r["pair"], r["arm"]), {})[r["seed"]] = r
    wins = {"inside": 0, "share": 0, "either": 0}
    count = 0
    for pair in {p for p, a in values if a == arm}:
        mine, theirs = values[pair, arm], values.get((pair, other), {})
        seeds = mine.keys() & theirs.keys()
        if not seeds:
            continue
        count += 1
        more = {
            name: sum(mine[s][name] for s in seeds) > sum(theirs[s][name] for s in seeds)
            for name in ("inside", "share")
        }
        wins["inside"] += more["inside"]
        wins["share"] += more["share"]
        wins["either"] += more["inside"] or more["share"]
    return {name: n / count for name, n in wins.items()} if count else {}


def write_up(out: Path, pairs: Sequence[Mapping], notes: Mapping[str, object]) -> str:
    """report.md, report.svg and sheet.jpg from the rows; returns the text."""
    rows = read_rows(out / "rows.jsonl")
    summary = summarise(rows)
    seeds = len({r["seed"] for r in rows})
    lines = ["# What the miniature moves", ""]
    lines += [f"{len({r['pair'] for r in rows})} pairs of painting and prompt, {seeds} seeds. "
              + ", ".join(f"{k} {v}" for k, v in notes.items()) + ".", ""]  # fmt: skip
    lines += ["Medians over pairs (quartiles; ± median standard deviation over seeds).", ""]
    lines += [
        "| measure | target | " + " | ".join(summary) + " |",
        "|---" * (len(summary) + 2) + "|",
    ]
    for name, (label, target, more) in MEASURES.items():
        goal = "" if target is None else f"{'≥' if more else '≤'} {target:g}"
        cells = [
            "{median:.3g} ({low:.2g} to {high:.2g}; ± {seeds:.2g})".format(**summary[arm][name])
            for arm in summary
        ]
        lines.append(f"| {label} | {goal} | " + " | ".join(cells) + " |")
    lines += ["", "Share of pairs in which an arm beats the baseline:", ""]
    lines += ["| arm | motion inside | share inside | either |", "|---|---|---|---|"]
    for arm in summary:
        wins = better_pairs(rows, arm) if arm != "baseline" else {}
        if wins:
            lines.append(
                f"| {arm} | {wins['inside']:.0%} | {wins['share']:.0%} | {wins['either']:.0%} |"
            )
    lines += ["", "| pair | " + " | ".join(f"{arm} inside / share" for arm in summary) + " |"]
    lines += ["|---" * (len(summary) + 1) + "|"]
    for index in sorted({r["pair"] for r in rows}):
        pair = pairs[index]
        cells = []
        for arm in summary:
            mine = [r for r in rows if r["pair"] == index and r["arm"] == arm]
            cells.append(
                f"{statistics.fmean(r['inside'] for r in mine):.2f} / "
                f"{statistics.fmean(r['share'] for r in mine):.2f}" if mine else ""
            )  # fmt: skip
        lines.append(f"| {pair['painting']}: {pair['prompt']} | " + " | ".join(cells) + " |")
    text = "\n".join(lines) + "\n"
    (out / "report.md").write_text(text)
    (out / "report.svg").write_text(plot(rows))
    _sheet(out)
    return text


def plot(rows: Sequence[Mapping]) -> str:
    """An SVG: a panel per measure, a column of dots (pairs, mean over seeds) per arm, medians."""
    summary = summarise(rows)
    panel, height, margin = 250, 190, 34
    parts = []
    for i, (name, (label, target, _)) in enumerate(MEASURES.items()):
        left, top = (i % 3) * panel, (i // 3) * (height + 40)
        points = {
            arm: [
                statistics.fmean(r[name] for r in rows if r["arm"] == arm and r["pair"] == pair)
                for pair in sorted({r["pair"] for r in rows if r["arm"] == arm})
            ]
            for arm in summary
        }
        flat = [v for values in points.values() for v in values] + ([target] if target else [])
        low, high = min([0.0, *flat]) if name != "psnr" else min(flat), max(flat) or 1.0
        span = (high - low) or 1.0

        def y(value: float, low=low, span=span, top=top) -> float:
            return top + margin + (height - margin - 20) * (1 - (value - low) / span)

        parts.append(f'<text x="{left + 4}" y="{top + 16}" font-size="11">{escape(label)}</text>')
        for value in (low, high):
            parts.append(
                f'<text x="{left + 2}" y="{y(value) + 3:.1f}" font-size="9">{value:.2g}</text>'
            )
        if target is not None:
            parts.append(
                f'<line x1="{left + 30}" x2="{left + panel - 8}" y1="{y(target):.1f}" '
                f'y2="{y(target):.1f}" stroke="#a33" stroke-dasharray="4 3"/>'
            )
        step = (panel - 46) / max(1, len(points))
        for k, (arm, values) in enumerate(points.items()):
            x = left + 38 + step * (k + 0.5)
            for n, value in enumerate(values):
                shift = (n % 5 - 2) * step / 14
                parts.append(
                    f'<circle cx="{x + shift:.1f}" cy="{y(value):.1f}" r="2.4" fill="#357" '
                    'fill-opacity=".45"/>'
                )
            middle = y(statistics.median(values))
            parts.append(
                f'<line x1="{x - step / 3:.1f}" x2="{x + step / 3:.1f}" y1="{middle:.1f}" '
                f'y2="{middle:.1f}" stroke="#000" stroke-width="2"/>'
            )
            parts.append(
                f'<text x="{x:.1f}" y="{top + height + 4}" font-size="9" text-anchor="middle">'
                f"{escape(arm)}</text>"
            )
    total = (len(MEASURES) + 2) // 3 * (height + 40)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {3 * panel} {total}" '
        'font-family="sans-serif"><rect width="100%" height="100%" fill="#fff"/>'
        + "".join(parts)
        + "</svg>\n"
    )


def _sheet(out: Path) -> None:
    """sheet.jpg: per pair the baseline's frames over the method's."""
    from PIL import Image

    strips = [Image.open(p) for p in sorted((out / "strips").glob("*.jpg"))]
    if not strips:
        return
    width = max(s.width for s in strips)
    sheet = Image.new("RGB", (width, sum(s.height + 3 for s in strips)))
    top = 0
    for strip in strips:
        sheet.paste(strip, (0, top))
        top += strip.height + 3
    sheet.save(out / "sheet.jpg", quality=80)
