"""How long a run's phases took, and when the next preview is due."""

from __future__ import annotations

import time

PREVIEW_SHARE = 0.15  # previews may take this share of the time between them


class Clock:
    """Seconds by phase: each lap goes to the phase that just ended."""

    def __init__(self):
        self.seconds: dict[str, float] = {}
        self._last = self._step = time.perf_counter()

    def lap(self, phase: str) -> None:
        now = time.perf_counter()
        self.seconds[phase] = self.seconds.get(phase, 0.0) + now - self._last
        self._last = now

    def step(self) -> float:
        """Seconds since the last step."""
        now = time.perf_counter()
        seconds, self._step = now - self._step, now
        return seconds


class PreviewTimer:
    """Says when a preview is due: no oftener than its share of time."""

    def __init__(self):
        self._cost, self._last = 0.0, 0.0

    def is_due(self, last: bool) -> bool:
        quiet = time.perf_counter() - self._last
        return last or quiet >= max(0.3, self._cost / PREVIEW_SHARE)

    def made(self, seconds: float) -> None:
        self._cost, self._last = seconds, time.perf_counter()
