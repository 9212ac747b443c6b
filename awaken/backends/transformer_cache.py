"""Draft mode of the transformers that allow it: diffusers' cache hooks, off unless somebody asks.

Consecutive steps of a run are much alike, so that part of the work can be taken from the step
before: quicker, and not the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import torch

from awaken.backends.draft_loop import DraftLoop

if TYPE_CHECKING:
    from awaken.backends import Condition

KINDS = ("Taylor series", "attention broadcast", "first block")


class TransformerCache:
    """One of ``KINDS`` for the denoisers of one pipeline."""

    def __init__(self, denoisers: Sequence[torch.nn.Module], kind: str):
        self._denoisers, self._kind = denoisers, kind
        self.on, self._loop = False, DraftLoop()

    def begin(self, t: float, condition: Condition) -> None:
        """The next calls are at timestep ``t``. Where another loop begins, nothing is kept."""
        for module in self._denoisers if condition.draft != self.on else ():
            if condition.draft:
                module.enable_cache(self._config())
            else:
                module.disable_cache()
        self.on = condition.draft
        same = self._loop.goes_on(t, condition)
        for module in self._denoisers if self.on and not same else ():
            module._reset_stateful_cache()

    def context(self, module: torch.nn.Module, name: str) -> AbstractContextManager:
        """Around every call: one memory per video and guidance branch."""
        return module.cache_context(name) if self.on else nullcontext()

    def _config(self) -> Any:
        import diffusers

        if self._kind == "first block":
            return diffusers.FirstBlockCacheConfig(threshold=0.1)
        if self._kind == "Taylor series":
            return diffusers.TaylorSeerCacheConfig(
                cache_interval=3, disable_cache_before_step=3, max_order=1
            )
        return diffusers.PyramidAttentionBroadcastConfig(
            spatial_attention_block_skip_range=2,
            spatial_attention_timestep_skip_range=(100, 800),
            current_timestep_callback=lambda: self._loop.t,
        )
