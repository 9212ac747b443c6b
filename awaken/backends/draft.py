"""Draft mode of the transformers that allow it: diffusers' cache hooks, off unless somebody asks.

Consecutive steps of a run are much alike, so that part of the work can be taken from the step
before: quicker, and not the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

NAMES = ("off", "Taylor series", "attention broadcast", "first block")


class Draft:
    """One choice of ``NAMES`` by its index, for the denoisers of one pipeline."""

    def __init__(self, denoisers: Sequence[torch.nn.Module]):
        self._denoisers = denoisers
        self.chosen, self._t = 0, 0.0

    def choose(self, index: int) -> None:
        """Switch to ``NAMES[index]``."""
        if index != self.chosen:
            for module in self._denoisers:
                if self.chosen:
                    module.disable_cache()
                if index:
                    module.enable_cache(self._config(index))
        self.chosen = index

    def at(self, t: float) -> None:
        """The next call is at timestep ``t``; where it rises a phase begins, with nothing kept."""
        if self.chosen and t >= self._t:
            for module in self._denoisers:
                module._reset_stateful_cache()
        self._t = t

    def context(self, module: torch.nn.Module, name: str) -> AbstractContextManager:
        """Around every call: one memory per video and guidance branch."""
        return module.cache_context(name) if self.chosen else nullcontext()

    def _config(self, index: int) -> Any:
        import diffusers

        if index == 3:
            return diffusers.FirstBlockCacheConfig(threshold=0.1)
        if index == 1:
            return diffusers.TaylorSeerCacheConfig(
                cache_interval=3, disable_cache_before_step=3, max_order=1
            )
        return diffusers.PyramidAttentionBroadcastConfig(
            spatial_attention_block_skip_range=2,
            spatial_attention_timestep_skip_range=(100, 800),
            current_timestep_callback=lambda: self._t,
        )
