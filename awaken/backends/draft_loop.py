"""Which calls of a draft belong together: layers serve later steps of one denoising loop alone."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from awaken.backends import Condition


class DraftLoop:
    """A loop has a condition of its own, and t falls in it.

    ended: called when the condition of the loop under way is gone.

    Attributes:
        t: timestep of the last call.
    """

    def __init__(self, ended: Callable[[], None] = lambda: None):
        self.t = 0.0
        self._condition: weakref.ref[Condition] | None = None
        self._ended = ended

    def goes_on(self, t: float, condition: Condition) -> bool:
        """Whether the call at ``t`` is the next of the loop before, rather than another's first."""
        same = self._condition is not None and self._condition() is condition and t < self.t
        self._condition, self.t = weakref.ref(condition, self._gone), t
        return same

    def _gone(self, condition: weakref.ref) -> None:
        if condition is self._condition:
            self._ended()
