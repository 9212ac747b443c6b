"""What every stage of the method does besides its maths: results from the memo, steps as events."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Mapping
from dataclasses import replace
from itertools import groupby
from typing import Any, TypeAlias

import numpy as np
import torch

from awaken.backends import Backend
from awaken.memo import Memo
from awaken.sampling import Outcome
from awaken.types import NumericsError, ProxyReady, Stage, Step

Moments: TypeAlias = Generator[Stage | Step | ProxyReady, None, Any]


def kept(
    memo: Memo,
    batch: Callable[[str], Hashable],
    keys: Mapping[str, str],
    make: Callable[[list[str]], Moments],
    stage: str = "",
    length: Callable[[str], int] = lambda name: 0,
) -> Moments:
    """Results by name: from the memo, or made and put there, names with one ``batch`` together.

    keys: name -> memo key; make(names): steps that end in one result per name; stage: announced.
    length: steps of a name, where those of several batches are counted through; 0 counts each alone.
    """
    found = {name: memo.get(key) for name, key in keys.items()}
    missing = [name for name, value in found.items() if value is None]
    if stage:
        yield Stage(stage, reused=not missing)
    groups = [list(group) for _, group in groupby(missing, batch)]
    before, whole = 0, sum(length(names[0]) for names in groups)
    for names in groups:
        made = _counted(make(names), before, whole)
        before += length(names[0])
        for name, value in zip(names, (yield from made), strict=True):
            found[name] = memo.put(keys[name], value)
    return found


def _counted(moments: Moments, before: int, whole: int) -> Moments:
    """The same moments, their steps the next after ``before`` of the ``whole``; 0: as they are."""
    outcome = Outcome(moments)
    for event in outcome:
        more = {"index": before + event.index, "count": whole} if isinstance(event, Step) else {}
        yield replace(event, **more) if whole else event
    return outcome.value


def steps(
    stage: str,
    loop: Generator[tuple, None, Any],
    preview: Callable[[torch.Tensor, bool], Mapping[str, np.ndarray]] | None = None,
) -> Moments:
    """Pass a loop's (index, count, clean) on as Steps of ``stage``; returns what it returns."""
    outcome = Outcome(loop)
    for index, count, *clean in outcome:
        yield Step(stage, index, count, previews=preview(*clean, index == count) if preview else {})
    return outcome.value


def decoded(
    backend: Backend, memo: Memo, key: str, z: torch.Tensor, painting: np.ndarray,
    mask: np.ndarray | None,
) -> np.ndarray:  # fmt: skip
    """The frames of the whole video ``z`` that the memo keeps under ``key``; decoded once."""
    frames = memo.get(f"decoded {key}")
    if frames is None:
        frames = memo.put(f"decoded {key}", backend.decode(z, painting, mask))
    return frames


def finite(z: torch.Tensor, phase: str) -> torch.Tensor:
    """One look (and one wait for the device) per phase, not per step."""
    if not torch.isfinite(z).all():
        raise NumericsError(
            "The latents became infinite during {phase}. Lower the peak of alpha, p or the "
            "guidance scale, and press Awaken again.",
            phase=phase,
        )
    return z
