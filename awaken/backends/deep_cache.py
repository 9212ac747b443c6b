"""Draft mode of the U-Nets: what their deep layers found serves several steps.

Between neighbouring steps the deep layers hardly change (Ma et al. 2024, "DeepCache", arXiv
2312.00858). Every ``EVERY``-th step of a loop is whole; the steps between run the first convolution,
the last layer of the way up (its layers over time too) and the last convolution on what entered
that layer in the step before.
"""

from __future__ import annotations

import copy
import weakref
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from awaken.backends.draft_loop import DraftLoop

if TYPE_CHECKING:
    from awaken.backends import Condition

EVERY = 3


class DeepCache:
    """For the networks of one backend, which are built alike: ``down_blocks``, ``mid_block``,
    ``up_blocks``, and in every block its layers as equally long lists. Their weights stay theirs."""

    def __init__(self, every: int = EVERY):
        self.every = every
        self._deep: dict[int, torch.Tensor] = {}  # what enters the last layer, by video
        self.video = 0  # of the loop's, where they are called one after the other
        self._split: weakref.WeakKeyDictionary[nn.Module, tuple[dict, dict]]
        self._split = weakref.WeakKeyDictionary()
        self._loop, self._step = DraftLoop(self._deep.clear), 0
        self.on = self.shallow = False

    def begin(self, t: float, condition: Condition) -> None:
        """The next call is at timestep ``t``. Where another loop begins, nothing is kept, and a loop
        that is over leaves nothing behind."""
        self._step = self._step + 1 if self._loop.goes_on(t, condition) else 0
        self.on = condition.draft
        self.shallow = self.on and self._step % self.every > 0

    def run(self, network: nn.Module, *args: Any, **kwargs: Any) -> Any:
        """Call ``network``, whole or with its outermost layer alone."""
        if network not in self._split:
            self._split[network] = self._parts(network)
        usual = network._modules
        network._modules = usual | self._split[network][self.shallow]
        try:
            return network(*args, **kwargs)
        finally:
            network._modules = usual

    def _parts(self, network: nn.Module) -> tuple[dict, dict]:
        """Children that stand in for the network's own in a whole and in a shallow call."""
        *before, block = network.up_blocks
        last = _layers(block, slice(-1, None))
        last.register_forward_pre_hook(self._keep)
        up = nn.ModuleList([*before, _layers(block, slice(-1)), last])
        nothing = nn.ModuleList()
        shallow = {"down_blocks": nothing, "up_blocks": nn.ModuleList([last])}
        return {"up_blocks": up}, shallow | {"mid_block": _Kept(self)}

    def _keep(self, last: nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        self._deep[self.video] = given[0]


class _Kept(nn.Module):
    """In the place of everything deep: what it found last."""

    def __init__(self, cache: DeepCache):
        super().__init__()
        self._cache = weakref.ref(cache)

    def forward(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        cache = self._cache()
        return cache._deep[cache.video]


def _layers(block: nn.Module, which: slice) -> nn.Module:
    """The same block with these of its layers alone; they are shared, not copied."""
    part = copy.copy(block)
    part._forward_pre_hooks = OrderedDict()
    part._modules = {
        name: nn.ModuleList(list(child)[which]) if isinstance(child, nn.ModuleList) else child
        for name, child in block._modules.items()
    }
    return part
