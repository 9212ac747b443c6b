"""What baseline and awakened differ in, in words: from what was measured on their pixels.

The numbers are those of ``awaken.analysis.compared``, which travel with a result's settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awaken.ui.texts import say
from awaken.ui.texts.languages import join_sentences

STILL = 0.3  # grey levels per frame: what moves less stands still to the eye
HARDLY = 1.0  # and what moves less than this, hardly moves
ALIKE = 0.05  # share of the pixels: where fewer differ, the two look alike
EQUAL = (0.9, 1.1)  # times as much: nobody sees the difference


def in_words(settings: Mapping[str, Any]) -> str:
    """One or two sentences; "" where nothing was measured."""
    found = settings.get("difference")
    if not found:
        return ""
    baseline, awakened = found["baseline"], found["awakened"]
    if found["differ"] < ALIKE and _equal(baseline["inside"], awakened["inside"]):
        return join_sentences(say("told_alike", differ=_percent(found["differ"])), _why(settings))
    where = say("where_brushed" if found["brushed"] else "where_moving",
                region=_percent(found["region"]))  # fmt: skip
    inside = baseline["inside"], awakened["inside"]
    return join_sentences(
        _inside(*inside, where),
        _outside(baseline["outside"], awakened["outside"]) if found["region"] < 0.99 else "",
        _why(settings) if _equal(*inside) else "",
        say("told_differ", differ=_percent(found["differ"])),
    )


def curves(settings: Mapping[str, Any]) -> list[list[float]]:
    """Motion from frame to frame of baseline and awakened, in grey levels; [] where not measured."""
    found = settings.get("difference")
    return [found[name]["curve"] for name in ("baseline", "awakened")] if found else []


def plainness(settings: Mapping[str, Any]) -> float:
    """How plain the difference is: how much more of the whole picture moves, in grey levels."""
    before, after = (sum(curve) / len(curve) for curve in curves(settings) or [[0.0], [0.0]])
    return after - before


def _inside(before: float, after: float, where: str) -> str:
    if before < STILL <= after:
        return say("told_wakes", where=where, amount=after)
    if _equal(before, after):
        return say("told_as_much", where=where)
    return say("told_times", where=where, ratio=after / max(before, 1e-3))


def _outside(before: float, after: float) -> str:
    if max(before, after) < HARDLY:
        return say("outside_still")
    if _equal(before, after):
        return say("outside_as_much")
    if before < STILL:
        return say("outside_wakes", amount=after)
    return say("outside_times", ratio=after / max(before, 1e-3))


def _why(settings: Mapping[str, Any]) -> str:
    """Why the two look alike."""
    if settings.get("variant") == "baseline":
        return say("alike_variant")
    if settings.get("p") == 0:
        return say("alike_p")
    if settings["difference"]["baseline"]["inside"] >= 1:
        return say("alike_moves")
    return say("alike_still")


def _equal(before: float, after: float) -> bool:
    if max(before, after) < STILL:
        return True
    return EQUAL[0] <= after / max(before, 1e-3) <= EQUAL[1]


def _percent(share: float) -> str:
    return say("percent", share=max(1, round(100 * share)) if share else 0)
