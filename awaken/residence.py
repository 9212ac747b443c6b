"""Which device there is, and who is on it: video and proxy model together, or in turns.

The two never work at the same time. On a device that is too small for both, the one that works is
there and the other waits in main memory, which costs a copy instead of a reload.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

WEIGHTS_SHARE = 0.6  # of the device that weights may fill; the rest is for activations


def pick_device(name: str | None = None) -> torch.device:
    """CUDA, else MPS, else the CPU; or the one that is named."""
    import torch

    if name is None:
        mps = torch.backends.mps.is_available()
        name = "cuda" if torch.cuda.is_available() else "mps" if mps else "cpu"
    return torch.device(name)


def fast_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 in hardware."""
    import torch

    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return device.type == "cpu" and any(
        getattr(torch.cpu, check, lambda: False)() for check in checks
    )


def working_dtype(device: torch.device, half_on_cpu: bool) -> torch.dtype:
    """What a model's networks run in: 16 bits on CUDA, on a processor only where it is welcome.

    bfloat16 where the device multiplies it in hardware, float16 on older CUDA devices, else
    float32.
    """
    import torch

    if device.type == "cuda":
        return torch.bfloat16 if fast_bfloat16(device) else torch.float16
    return torch.bfloat16 if half_on_cpu and fast_bfloat16(device) else torch.float32


class Residence:
    """One model per role ("backend", "proxy"), loaded on first use.

    capacity: bytes of the device; None where main memory and the device are one (CPU, MPS), so
        that moving models would gain nothing.
    """

    def __init__(self, device: torch.device, capacity: int | None):
        self.device = device
        self.capacity = capacity
        self.weights_ids: dict[tuple[str, str], str] = {}
        self._models: dict[str, tuple[str, Any]] = {}
        self._parked: set[str] = set()

    def get(self, role: str, name: str, load: Callable[[], Any]) -> Any:
        """The role's model, loaded if it is not there; the role's previous one is let go first."""
        if role in self._models and self._models[role][0] == name:
            return self._models[role][1]
        if self._models.pop(role, None):
            self._parked.discard(role)
            release(self.device)
        if self.capacity is not None:
            self._park_all_but(role)
        began = time.perf_counter()
        model = load()
        log.info("loaded %s %s in %.1f s", role, name, time.perf_counter() - began)
        self._models[role] = (name, model)
        self.weights_ids[role, name] = model.weights_id
        return model

    def loaded(self, role: str, name: str) -> Any | None:
        """The role's model if it is that one and loaded already."""
        held, model = self._models.get(role, ("", None))
        return model if held == name else None

    def activate(self, role: str) -> None:
        """The role's model works next: bring it to the device, others away if not all fit."""
        if self.capacity is None or role not in self._models:
            return
        held = [model for _, model in self._models.values()]
        weights = sum(map(_size, held))
        if weights > WEIGHTS_SHARE * self.capacity or any(map(_moves_itself, held)):
            self._park_all_but(role)
            bring = {role} & self._parked
        else:
            bring = set(self._parked)
        for name in bring:
            for module in modules(self._models[name][1]):
                if not hasattr(module, "_hf_hook"):  # accelerate brings its own parts when called
                    module.to(self.device)
            self._parked.discard(name)

    def _park_all_but(self, role: str) -> None:
        leaving = self._models.keys() - {role} - self._parked
        staying = modules(self._models[role][1]) if role in self._models else []
        for name in leaving:
            model = self._models[name][1]
            if hasattr(model, "rest"):  # where diffusers moves the parts
                model.rest()
            for module in modules(model):
                if not any(module is other for other in staying):  # which both may use
                    module.to("cpu")
            self._parked.add(name)
        if leaving:
            release(self.device)


def modules(model: Any) -> list[torch.nn.Module]:
    """The networks of a backend (its attributes) or of a proxy (perhaps inside a pipeline)."""
    import torch

    if hasattr(model, "modules"):
        return model.modules()
    return [value for value in vars(model).values() if isinstance(value, torch.nn.Module)]


def release(device: torch.device) -> None:
    """Give freed memory back to the device and to the system."""
    import torch

    gc.collect()
    tidy()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def tidy() -> None:
    """Give main memory that was freed back to the system, where the C library would keep it.

    glibc keeps what lies between blocks that are still in use, and the memo's lie everywhere: a
    server grew by 20 MB a run and stopped nowhere. Some hundredths of a second.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)


def capacity(device: torch.device) -> int | None:
    """Bytes of a device that has memory of its own."""
    import torch

    return torch.cuda.mem_get_info(device)[1] if device.type == "cuda" else None


def _moves_itself(model: Any) -> bool:
    """Whether diffusers brings its parts to the device: it was too large to stay there whole."""
    return hasattr(model, "rest") and not modules(model)


def _size(model: Any) -> int:
    return sum(t.nbytes for module in modules(model) for t in module.state_dict().values())
