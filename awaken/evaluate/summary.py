"""What the scores of one folder amount to: means with intervals, differences, distances."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from awaken.evaluate import fvd, protocol, score
from awaken.evaluate.films import REAL
from awaken.evaluate.protocol import write_text

RESAMPLES = 2000
FVD_RESAMPLES = 100
_NORMAL_95 = 1.96


@dataclass(frozen=True)
class Measure:
    """A column: where it lies, what it is called, its digits, and whether more is better."""

    kind: str
    label: str
    digits: int = 2
    more: bool | None = None

    @property
    def arrow(self) -> str:
        return {True: " ↑", False: " ↓", None: ""}[self.more]


MEASURES: dict[str, Measure] = {
    "clipsim": Measure("clip", "CLIPSIM", 2, True),
    "agreement": Measure("motion", "agreement of motion with the text", 3, True),
    "share": Measure("motion", "share of flow energy in the region", 3, True),
    "inside": Measure("motion", "flow inside, % of the short side per frame", 3),
    "outside": Measure("motion", "flow outside, %", 3, False),
    "flow": Measure("motion", "flow everywhere, %", 3),
    "top": Measure("motion", "flow, its largest 5 %", 2),
    "change": Measure("motion", "change energy, grey levels²", 2),
    "psnr": Measure("motion", "frame 0 against the painting, dB", 1, True),
    "detail": Measure("motion", "gradient energy against the painting's", 3),
    "flicker": Measure("motion", "flicker, grey levels", 3, False),
    "straightness": Measure("path", "straightness of the latent path", 3),
    "order": Measure("path", "order of the frames along it", 3),
    "pc1": Measure("path", "share of its variance on one axis", 3),
}


def summarise(out: Path) -> dict[str, Any]:
    """Everything ready for JSON: per arm counts, measures, differences from the baseline, FVD."""
    pairs = {pair["id"]: pair["scene"] for pair in score.read_pairs(out)}
    names = read_arms(out)
    tables = {kind: score.read_scores(out, kind) for kind in score.kinds(out)}
    present = sorted({slug for table in tables.values() for slug in table})
    known = [slug for slug in names if slug in present]
    arms: dict[str, Any] = {}
    for slug in [*known, *([REAL] if REAL in present else [])]:
        arms[names.get(slug, REAL)] = {
            "slug": slug,
            "measures": {
                name: interval(values, pairs)
                for name in MEASURES
                if (values := _values(tables, slug, name))
            },
            "against_baseline": {
                name: difference(values, base, pairs, MEASURES[name].more)
                for name in MEASURES
                if slug not in ("baseline", REAL)
                and (values := _values(tables, slug, name))
                and (base := _values(tables, "baseline", name))
            },
        }
        if slug not in ("baseline", REAL):
            ratio = ratios(*(_values(tables, s, "inside") for s in (slug, "baseline")))
            arms[names[slug]] |= {"motion_ratio": ratio} if ratio else {}
        distance = slug != REAL and _distance(tables.get("i3d", {}), slug, pairs)
        if distance:
            arms[names[slug]]["fvd"] = distance
    kept = protocol.load(out)
    return {
        "protocol": asdict(kept), "sentence": kept.sentence(), "about": score.kinds(out),
        "arms": arms,
    }  # fmt: skip


def write(summary: Mapping[str, Any], out: Path) -> None:
    """``results.json``."""
    write_text(out / "results.json", json.dumps(summary, indent=1, ensure_ascii=False) + "\n")


def interval(values: Mapping[str, float], scenes: Mapping[str, str]) -> dict[str, float]:
    """Mean and 95 % bootstrap interval of id -> value, whole scenes resampled."""
    sums, counts = _by_scene(values, scenes)
    means = np.array([s.sum() / c.sum() for s, c in _resampled(sums, counts)])
    low, high = np.quantile(means, (0.025, 0.975))
    mean, median = sum(values.values()) / len(values), float(np.median(list(values.values())))
    return {"mean": mean, "low": float(low), "high": float(high), "median": median,
            "videos": len(values)}  # fmt: skip


def difference(
    values: Mapping[str, float], base: Mapping[str, float], scenes: Mapping[str, str],
    more: bool | None,
) -> dict[str, float]:  # fmt: skip
    """The paired difference of the ids that both have, and the share of pairs that got better
    (for a measure without a better side: higher)."""
    gaps = {name: values[name] - base[name] for name in values.keys() & base.keys()}
    if not gaps:
        return {}
    sign = -1 if more is False else 1
    better = sum(sign * gap > 0 for gap in gaps.values()) / len(gaps)
    return interval(dict(sorted(gaps.items())), scenes) | {"better": better}


def ratios(values: Mapping[str, float], base: Mapping[str, float]) -> dict[str, float]:
    """How many times the baseline's flow inside the region: the median, and the shares of pairs
    with at least a tenth more or less. A pair's value is the mean of its seeds (ids of ``pairs.read``);
    a ten-thousandth is added to both, against still ones."""
    seeds: dict[str, list[str]] = {}
    for name in sorted(values.keys() & base.keys()):
        seeds.setdefault(re.sub(r"\.s\d+$", "", name), []).append(name)
    if not seeds:
        return {}

    def of(video: Mapping[str, float], names: list[str]) -> float:
        return float(np.mean([video[name] for name in names])) + 1e-4

    quotients = np.array([of(values, names) / of(base, names) for names in seeds.values()])
    more, less = float((quotients >= 1.1).mean()), float((quotients <= 0.9).mean())
    return {"median": float(np.median(quotients)), "more": more, "less": less}


def keep_arms(arms: Mapping[str, str], out: Path) -> None:
    """Add slug -> name to ``arms.json``."""
    write_text(out / "arms.json", json.dumps(read_arms(out) | arms, ensure_ascii=False) + "\n")


def read_arms(out: Path) -> dict[str, str]:
    """slug -> name of every arm that ``run`` was asked for."""
    path = out / "arms.json"
    return json.loads(path.read_text("utf-8")) if path.is_file() else {}


def _values(tables: Mapping[str, Any], slug: str, name: str) -> dict[str, float]:
    rows = tables.get(MEASURES[name].kind, {}).get(slug, {})
    return {i: row[name] for i, row in sorted(rows.items()) if row.get(name) is not None}


def _distance(
    logits: Mapping[str, Mapping[str, Any]], slug: str, scenes: Mapping[str, str]
) -> dict[str, Any]:
    """FVD against the real clips of the same ids: equal counts on both sides."""
    if slug not in logits:
        return {}
    common = sorted(logits[slug].keys() & logits.get(REAL, {}).keys())
    remark = fvd.remark(len(common))
    if len(common) < fvd.LEAST:
        return {"videos": len(common), "refused": remark}
    made, real = (np.array([logits[s][i]["logits"] for i in common]) for s in (slug, REAL))
    groups: dict[str, list[int]] = {}
    for row, name in enumerate(common):
        groups.setdefault(scenes[name], []).append(row)
    members = list(groups.values())
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(FVD_RESAMPLES):
        rows = [r for g in rng.integers(0, len(members), len(members)) for r in members[g]]
        drawn.append(fvd.frechet(made[rows], real[rows]))
    # Doubled rows make a resample's distance too high; its spread is what can be used.
    return {
        "value": fvd.frechet(made, real), "half": float(_NORMAL_95 * np.std(drawn)),
        "videos": len(common), "remark": remark,
    }  # fmt: skip


def _by_scene(
    values: Mapping[str, float], scenes: Mapping[str, str]
) -> tuple[np.ndarray, np.ndarray]:
    groups: dict[str, list[float]] = {}
    for name, value in values.items():
        groups.setdefault(scenes[name], []).append(value)
    sums = np.array([sum(v) for v in groups.values()])
    return sums, np.array([len(v) for v in groups.values()])


def _resampled(sums: np.ndarray, counts: np.ndarray) -> Sequence[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(sums), (RESAMPLES, len(sums)))
    return [(sums[d], counts[d]) for d in draws]
