"""Table 1 in the paper's layout, and what it does not show, as markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from awaken.backends import BACKENDS
from awaken.evaluate.arms import METHOD
from awaken.evaluate.films import REAL
from awaken.evaluate.paper import SILENT, TABLE_1
from awaken.evaluate.summary import MEASURES
from awaken.types import VARIANTS

_NONE = "–"
_GAPS = (
    "Differences from the baseline, pair by pair (95 % intervals; share of pairs in which the arm "
    "is better, or higher)"
)


def render(summaries: Sequence[Mapping[str, Any]]) -> str:
    """One model per summary: Table 1, then every measure and its difference from the baseline."""
    parts = ["# Every Painting Awakened, measured", "", *_table_1(summaries)]
    for summary in summaries:
        parts += ["", f"## {_title(summary)}", "", *_protocol(summary)]
        arms = summary["arms"]
        shown = {n: a for n, a in arms.items() if n in VARIANTS or n == REAL}
        others = {n: a for n, a in arms.items() if n in ("baseline", METHOD) or n not in shown}
        for title, part in (("Table 1's arms", shown), ("Other settings of the method", others)):
            if part.keys() <= {"baseline", METHOD} and part is others:
                continue
            parts += [
                "",
                f"### {title}",
                "",
                "Means (95 % bootstrap intervals over scenes; medians):",
            ]
            parts += ["", *_means(part)]
            gaps = _differences(part)
            if gaps:
                parts += ["", f"{_GAPS}:", "", *gaps]
            parts += _ratios(part)
    return "\n".join(parts) + "\n"


def missing(summary: Mapping[str, Any]) -> list[str]:
    """Sentences on what was not measured, and why a distance is not shown."""
    about = summary["about"]
    told = []
    if "clip" not in about:
        told.append("CLIPSIM was not measured (`score --clip`).")
    if "i3d" not in about:
        told.append("FVD was not measured (`score --i3d`).")
    remarks = {
        arm.get("fvd", {}).get("refused") or arm.get("fvd", {}).get("remark")
        for arm in summary["arms"].values()
    }
    return told + sorted(filter(None, remarks))


def _table_1(summaries: Sequence[Mapping[str, Any]]) -> list[str]:
    ours = [f"{_title(s)}, {m}" for s in summaries for m in ("CLIPSIM ↑", "FVD ↓")]
    papers = [f"paper: {BACKENDS[b].title}, {m}" for b in TABLE_1 for m in ("CLIPSIM", "FVD")]
    lines = ["| arm | " + " | ".join(ours + papers) + " |"]
    lines.append("|---" * (1 + len(ours) + len(papers)) + "|")
    for name in VARIANTS:
        cells = []
        for summary in summaries:
            arm = summary["arms"].get(name, {})
            cells += [_cell(arm.get("measures", {}).get("clipsim"), 2), distance(arm.get("fvd"))]
        for rows in TABLE_1.values():
            cells += [f"{rows[name][0]:.2f}", f"{rows[name][1]}"]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return [*lines, "", SILENT]


def distance(found: Mapping[str, Any] | None) -> str:
    """An FVD with its interval, or why there is none."""
    if not found:
        return _NONE
    if "refused" in found:
        return f"– ({found['videos']} videos)"
    return f"{found['value']:.0f} ± {found['half']:.0f}"


def _protocol(summary: Mapping[str, Any]) -> list[str]:
    about = [f"{kind}: {text}" for kind, text in sorted(summary["about"].items())]
    software = ", ".join(f"{k} {v}" for k, v in summary["protocol"]["software"].items())
    rules = [f"- {rule}" for rule in summary["protocol"]["rules"]]
    return [f"Protocol: {summary['sentence']}. Measured with {'; '.join(about)}. {software}.",
            "", *rules, *(f"- {told}" for told in missing(summary))]  # fmt: skip


def _means(arms: Mapping[str, Any]) -> list[str]:
    there = [m for m in MEASURES if any(m in arm["measures"] for arm in arms.values())]
    lines = ["| measure | " + " | ".join(arms) + " |", "|---" * (len(arms) + 1) + "|"]
    for name in there:
        m = MEASURES[name]
        found = [arm["measures"].get(name) for arm in arms.values()]
        cells = [_cell(f, m.digits) + (f"; {f['median']:.{m.digits}f}" if f else "") for f in found]
        lines.append(f"| {m.label}{m.arrow} | " + " | ".join(cells) + " |")
    if any("fvd" in arm for arm in arms.values()):
        cells = [distance(arm.get("fvd")) for arm in arms.values()]
        lines.append("| FVD ↓ | " + " | ".join(cells) + " |")
    videos = [max((v["videos"] for v in a["measures"].values()), default=0) for a in arms.values()]
    return [*lines, "| videos | " + " | ".join(map(str, videos)) + " |"]


def _differences(arms: Mapping[str, Any]) -> list[str]:
    arms = {n: a for n, a in arms.items() if n not in ("baseline", REAL)}
    there = [m for m in MEASURES if any(m in arm["against_baseline"] for arm in arms.values())]
    if not there:
        return []
    lines = ["| measure | " + " | ".join(arms) + " |", "|---" * (len(arms) + 1) + "|"]
    for name in there:
        m = MEASURES[name]
        cells = []
        for arm in arms.values():
            gap = arm["against_baseline"].get(name)
            cells.append(f"{_cell(gap, m.digits, '+')}; {gap['better']:.0%}" if gap else _NONE)
        lines.append(f"| {m.label}{m.arrow} | " + " | ".join(cells) + " |")
    return lines


def _ratios(arms: Mapping[str, Any]) -> list[str]:
    """How much more the region moves than in the baseline, in sentences."""
    return [
        line
        for name, arm in arms.items()
        if (found := arm.get("motion_ratio"))
        for line in (
            "",
            f"{name}: the region moves {found['median']:.2f} times as much as in the baseline "
            f"(median over pairs), at least 10 % more in {found['more']:.0%} of the pairs, 10 % "
            f"less in {found['less']:.0%}.",
        )
    ]


def _title(summary: Mapping[str, Any]) -> str:
    return BACKENDS[summary["protocol"]["backend"]].title


def _cell(found: Mapping[str, float] | None, digits: int, sign: str = "") -> str:
    if not found:
        return _NONE
    mean, low, high = (f"{found[k]:{sign}.{digits}f}" for k in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"
