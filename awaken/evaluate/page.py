"""A static page of one evaluation: tables, figures, and the videos, worst and best first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from awaken.evaluate import films, score
from awaken.evaluate.arms import METHOD
from awaken.evaluate.films import REAL
from awaken.evaluate.protocol import write_text
from awaken.evaluate.summary import MEASURES
from awaken.video import mosaic, write_mp4

SHOWN = 12
_ORDERED_BY = ("clipsim", "agreement", "flow")
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; color: #222;
  background: #fff; padding: 0 1rem }
table { border-collapse: collapse; font-size: 13px; display: block; overflow-x: auto }
td, th { border: 1px solid #ddd; padding: .25rem .5rem; text-align: left }
img, video { max-width: 100% } figure { margin: 1.5rem 0 } figcaption { font-size: 13px }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818 }
  td, th { border-color: #444 } img { background: #fff } }
"""


def write(
    summary: Mapping[str, Any], markdown: str, pictures: Sequence[Path], out: Path,
    shown: int = SHOWN,
) -> Path:  # fmt: skip
    """``index.html`` beside the figures, and playable copies of the videos that it shows."""
    arms = summary["arms"]
    columns = [name for name in (REAL, "baseline", METHOD) if name in arms]
    measure, gaps = _gaps(summary, out)
    pairs = {pair["id"]: pair for pair in score.read_pairs(out)}
    parts = [_html(markdown)]
    parts += [f'<figure><img src="{p.name}" alt="{p.stem}"></figure>' for p in pictures]
    if gaps:
        parts.append(
            f"<h2>Videos</h2><p>{escape(', '.join(columns))}, side by side; by the method's gain "
            f"over the baseline in {escape(MEASURES[measure].label)}: the worst, the best, the "
            "second worst, and so on.</p>"
        )
        for name in _extremes(gaps, shown):
            there = [c for c in columns if films.whole(films.path_of(out, arms[c]["slug"], name))]
            film = _film(out, name, [arms[c]["slug"] for c in there])
            parts.append(
                f'<figure><video src="{film.relative_to(out)}" autoplay loop muted playsinline '
                f"controls></video><figcaption>{escape(name)}: “{escape(pairs[name]['prompt'])}” "
                f"({escape(', '.join(there))}; gain {gaps[name]:+.3f})</figcaption></figure>"
            )
    path = out / "index.html"
    head = "<meta charset=utf-8><title>Every Painting Awakened, measured</title>"
    style = f"<style>{_STYLE}</style>"
    write_text(path, f'<!doctype html><html lang="en">{head}{style}{"".join(parts)}</html>\n')
    return path


def _gaps(summary: Mapping[str, Any], out: Path) -> tuple[str, dict[str, float]]:
    """The measure that orders the videos, and the method's gain in it for every id."""
    arms = summary["arms"]
    if METHOD not in arms or "baseline" not in arms:
        return "", {}
    for name in _ORDERED_BY:
        table = score.read_scores(out, MEASURES[name].kind)
        ours, base = (table.get(arms[a]["slug"], {}) for a in (METHOD, "baseline"))
        gaps = {
            i: ours[i][name] - base[i][name]
            for i in ours.keys() & base.keys()
            if ours[i].get(name) is not None and base[i].get(name) is not None
        }
        if gaps:
            return name, gaps
    return "", {}


def _extremes(gaps: Mapping[str, float], count: int) -> list[str]:
    """Ids in turns: worst, best, second worst, second best, ..."""
    order = sorted(gaps, key=lambda i: (gaps[i], i))
    turns = [order[i // 2] if i % 2 == 0 else order[-1 - i // 2] for i in range(len(order))]
    return turns[:count]


def _film(out: Path, name: str, slugs: Sequence[str]) -> Path:
    """A copy that browsers play: the arms side by side in one film, so that they stay in step."""
    path = out / "page" / f"{name}.mp4"
    path.parent.mkdir(exist_ok=True)
    found = [films.read(films.path_of(out, slug, name)) for slug in slugs]
    length = min(len(frames) for frames, _ in found)
    film = mosaic([frames[:length] for frames, _ in found], len(found))
    write_mp4(film, path, int(found[-1][1]["fps"]))
    return path


def _html(markdown: str) -> str:
    """The markdown that ``table`` writes (headings, tables, lists, paragraphs) as HTML."""
    parts: list[str] = []
    for block in re.split(r"\n{2,}", markdown.strip()):
        lines = block.splitlines()
        if lines[0].startswith("#"):
            level = len(lines[0]) - len(lines[0].lstrip("#"))
            parts.append(f"<h{level}>{escape(lines[0].lstrip('# '))}</h{level}>")
        elif lines[0].startswith("|"):
            rows = [line.strip("|").split("|") for line in lines if not line.startswith("|---")]
            cells = ["".join(f"<td>{escape(c.strip())}" for c in row) for row in rows]
            cells[0] = cells[0].replace("<td>", "<th>")
            parts.append("<table><tr>" + "<tr>".join(cells) + "</table>")
        elif lines[0].startswith("- "):
            items = "".join(f"<li>{escape(line[2:])}" for line in lines)
            parts.append(f"<ul>{items}</ul>")
        else:
            parts.append(f"<p>{escape(' '.join(lines))}</p>")
    return "\n".join(parts)
