"""What makes a network quicker and changes nothing in the picture: its repeated blocks compiled, its
kernels launched together as a CUDA graph, the attention kernel that is quickest on this device.
"""

from __future__ import annotations

import copy
import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils import _pytree as pytree

log = logging.getLogger(__name__)

_KERNELS = (
    SDPBackend.CUDNN_ATTENTION, SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION
)  # fmt: skip
_TOKENS, _HEADS, _WIDTH = 4096, 8, 64  # of the largest attention there is: 512 x 512 pixels
_MOST_GRAPHS = 2  # each keeps the memory of a whole call
_VARIANTS = 64  # of one block's code: widths, sizes, over pictures and over time


@dataclass(frozen=True)
class Tuning:
    """How networks are run.

    compile: "off", "behind" (eager until the compiled blocks are ready), or "ahead" (a model that is
        loaded at start waits for them). backend: torch's compiler. graphs: CUDA graphs. kernels: the
        quickest of attention.
    """

    compile: str = "off"
    backend: str = "inductor"
    graphs: bool = False
    kernels: bool = False

    @classmethod
    def of(cls, device: torch.device) -> Tuning:
        """``AWAKEN_COMPILE`` (off, behind, ahead; on CUDA behind) and ``AWAKEN_GRAPHS`` (1 is on).

        On ZeroGPU nothing that is compiled would outlive the run.
        """
        if device.type != "cuda" or os.environ.get("SPACES_ZERO_GPU"):
            return cls()
        graphs = os.environ.get("AWAKEN_GRAPHS") == "1"
        return cls(os.environ.get("AWAKEN_COMPILE", "behind"), graphs=graphs, kernels=True)


class Quick:
    """Calls one network the quickest way that is ready for inputs of such shapes."""

    def __init__(self, network: torch.nn.Module, tuning: Tuning, device: torch.device):
        self._network, self._tuning, self._device = network, tuning, device
        self._compiled: torch.nn.Module | None = None
        self._ready: set[tuple] = set()
        self._wanted: dict[tuple, Any] = {}  # inputs of such shapes that nothing is compiled for
        self._worker: threading.Thread | None = None
        self._graphs = Graphs()
        self._kernels: list[SDPBackend] | None = None

    def network(self, *args: Any, **kwargs: Any) -> torch.nn.Module:
        """The network for such inputs: with compiled blocks once they are ready."""
        if self._tuning.compile == "off":
            return self._network
        key = signature(args, kwargs)
        if key in self._ready:
            return self._compiled
        if key not in self._wanted:
            self._wanted[key] = pytree.tree_map_only(torch.Tensor, torch.zeros_like, (args, kwargs))
        return self._network

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        network = self.network(*args, **kwargs)
        with self.attention():
            if self._tuning.graphs:
                return self._graphs(network, *args, **kwargs)
            return network(*args, **kwargs)

    def attention(self) -> AbstractContextManager:
        """The kernels that attention shall prefer here; chosen at the first call."""
        if not self._tuning.kernels:
            return nullcontext()
        if self._kernels is None:
            dtype = next(self._network.parameters()).dtype
            self._kernels = quickest_first(lambda kernel: _timed(kernel, self._device, dtype))
            log.info("attention prefers %s", ", ".join(kernel.name for kernel in self._kernels))
        return sdpa_kernel(self._kernels, set_priority=True)

    def settle(self) -> threading.Thread | None:
        """A run is over: compile in the background what it would have used."""
        if self._wanted and (self._worker is None or not self._worker.is_alive()):
            self._worker = threading.Thread(target=self.compile, name="compile", daemon=True)
            self._worker.start()
        return self._worker

    def compile(self) -> None:
        """Compile for everything that was asked for, and wait for it. Where that fails, or memory
        is short, the network stays as it is, and the log says so."""
        while self._wanted:
            key, (args, kwargs) = next(iter(self._wanted.items()))
            began = time.perf_counter()
            try:
                _spare(self._device)
                if self._compiled is None:
                    torch._dynamo.config.recompile_limit = _VARIANTS
                    twin = sharing_weights(self._network)
                    twin.compile_repeated_blocks(backend=self._tuning.backend)
                    self._compiled = twin
                with torch.inference_mode(), self.attention():
                    self._compiled(*args, **kwargs)
                self._ready.add(key)
                log.info("blocks compiled in %.0f s", time.perf_counter() - began)
            except Exception:
                log.warning("the blocks could not be compiled; they run as they are", exc_info=True)
            del self._wanted[key]


class Graphs:
    """The last calls as CUDA graphs, by shape: inputs are copied into buffers that stay, then all
    kernels are launched at once.

    capture: call -> (replay, output), where replay renews the output in its place.
    """

    def __init__(self, capture: Callable[[Callable[[], Any]], tuple[Callable, Any]] | None = None):
        self._capture = capture or _capture
        self._held: OrderedDict[tuple, tuple[list, Callable, Any]] = OrderedDict()

    def __call__(self, network: torch.nn.Module, *args: Any, **kwargs: Any) -> Any:
        """As ``network(*args, **kwargs)``; plain numbers (timesteps) become tensors on its device."""
        weight = next(network.parameters())
        key = (signature(args, kwargs), id(network), weight.data_ptr())  # weights may have moved
        given, spec = pytree.tree_flatten((args, kwargs))
        if key not in self._held:
            fixed = [_buffer(value, weight.device) for value in given]
            own, named = pytree.tree_unflatten(fixed, spec)
            self._held[key] = (fixed, *self._capture(lambda: network(*own, **named)))
        self._held.move_to_end(key)
        while len(self._held) > _MOST_GRAPHS:
            self._held.popitem(last=False)
        fixed, replay, out = self._held[key]
        for mine, new in zip(fixed, given, strict=True):
            if isinstance(new, torch.Tensor):
                mine.copy_(new)
            elif isinstance(mine, torch.Tensor):
                mine.fill_(new)
        replay()
        return pytree.tree_map_only(torch.Tensor, torch.clone, out)


def signature(args: tuple, kwargs: dict) -> tuple:
    """What a compiled call depends on: shapes and types of tensors, no values but of switches."""
    leaves, spec = pytree.tree_flatten((args, kwargs))
    return (str(spec), *map(_kind, leaves))


def _kind(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return tuple(value.shape), value.dtype
    return value if isinstance(value, bool | None) else type(value)


def _buffer(value: Any, device: torch.device) -> Any:
    if isinstance(value, torch.Tensor):
        return value.clone()
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return torch.tensor(value, device=device) if is_number else value


def _capture(call: Callable[[], Any]) -> tuple[Callable[[], None], Any]:
    """Two warm-up calls on a stream of their own, as torch asks, then the recording."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(2):
            call()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        out = call()
    return graph.replay, out


def sharing_weights(network: torch.nn.Module) -> torch.nn.Module:
    """A second network of the same weights: what is done to its modules leaves the first alone."""
    weights = {id(t): t for t in chain(network.parameters(), network.buffers())}
    return copy.deepcopy(network, weights)


def quickest_first(timed: Callable[[SDPBackend], float | None]) -> list[SDPBackend]:
    """Attention kernels in the order of their times; None is not to be had here. Plain mathematics
    comes last, for shapes that no kernel takes."""
    seconds = {kernel: timed(kernel) for kernel in _KERNELS}
    there = [kernel for kernel in _KERNELS if seconds[kernel] is not None]
    return [*sorted(there, key=seconds.__getitem__), SDPBackend.MATH]


def _timed(kernel: SDPBackend, device: torch.device, dtype: torch.dtype) -> float | None:
    """Seconds of five runs of the largest attention; None where the kernel does not take it."""
    q = torch.randn(4, _HEADS, _TOKENS, _WIDTH, device=device, dtype=dtype)
    attend = torch.nn.functional.scaled_dot_product_attention
    try:
        with sdpa_kernel(kernel):
            attend(q, q, q)
            torch.cuda.synchronize(device)
            began = time.perf_counter()
            for _ in range(5):
                attend(q, q, q)
            torch.cuda.synchronize(device)
    except RuntimeError:
        return None
    return time.perf_counter() - began


def _spare(device: torch.device) -> None:
    """Raise MemoryError where a second run beside a visitor's would not fit."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        peak = torch.cuda.max_memory_allocated(device)
        if free < peak // 2:
            raise MemoryError(f"{free / 1e9:.1f} GB are free, the last run took {peak / 1e9:.1f}")
