"""How long a run's phases took, how long is left, and when the next preview is due."""

from __future__ import annotations

import time

PREVIEW_SHARE = 0.15  # previews may take this share of the time between them


class Clock:
    """Seconds by phase: each lap goes to the phase that just ended."""

    def __init__(self):
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, phase: str) -> None:
        now = time.perf_counter()
        self.seconds[phase] = self.seconds.get(phase, 0.0) + now - self._last
        self._last = now


class Estimate:
    """Time left, from measured steps, and when the next preview is due."""

    def __init__(self, needed: int, seconds_per_decode: float):
        self._needed, self._decode = needed, seconds_per_decode
        self._spent = self._evaluations = 0.0
        self._last = time.perf_counter()
        self._preview_cost, self._preview_last = 0.0, 0.0
        self.done, self.seconds_left = 0.0, float("nan")

    def lap(self) -> float:
        """Seconds since the last lap."""
        now = time.perf_counter()
        seconds, self._last = now - self._last, now
        return seconds

    def step(self, evaluations: int) -> float:
        """Note that so many evaluations of the run are done; returns this step's seconds."""
        seconds = self.lap()
        if evaluations > self._evaluations:
            self._spent += seconds
            self._evaluations = evaluations
            self.done = evaluations / max(1, self._needed)
            rest = self._needed - evaluations
            self.seconds_left = self._spent / evaluations * rest + 2 * self._decode
        return seconds

    def preview_is_due(self, last: bool) -> bool:
        quiet = time.perf_counter() - self._preview_last
        return last or quiet >= max(0.3, self._preview_cost / PREVIEW_SHARE)

    def previewed(self, seconds: float) -> None:
        self._preview_cost, self._preview_last = seconds, time.perf_counter()
