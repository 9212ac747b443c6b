"""Where a pipeline's parts are: diffusers' own levers, the first that fits the free memory."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from awaken.message import Message

log = logging.getLogger(__name__)

_SENTENCES = {
    "whole": "",
    "turns": Message(
        "its parts take turns on the GPU, for they do not fit there together; slower."
    ),
    "turns in 8 bits": Message(
        "its parts take turns on the GPU and its largest networks are kept in 8 "
        "bits, for they do not fit otherwise; slower, and a little less exact."
    ),
    "layers": Message(
        "its layers are brought to the GPU one group after the other, for its networks do "
        "not fit there; much slower."
    ),
}


def resident(needed: int, free: int) -> bool:
    """Whether models of ``needed`` bytes may stay on a device with ``free`` bytes.

    A quarter of what is free stays for activations.
    """
    return needed <= free * 3 // 4


@dataclass(frozen=True)
class Placement:
    """``kind``: whole, turns (model offload), turns in 8 bits (and layerwise storage in float8), or
    layers (group offload)."""

    kind: str

    @property
    def offloads(self) -> bool:
        """Whether diffusers brings the parts to the device when they are called."""
        return self.kind != "whole"

    @property
    def sentence(self) -> str:
        """For the visitor, after the model's title; empty where there is nothing to say."""
        return _SENTENCES[self.kind]

    @classmethod
    def choose(
        cls, sizes: Mapping[str, int], shrinkable: Mapping[str, int], free: int
    ) -> Placement:
        """The first that fits.

        sizes: bytes of every part. shrinkable: of those parts whose layers can be kept in 8 bits,
        what they need then.
        """
        if resident(sum(sizes.values()), free):
            return cls("whole")
        if resident(max(sizes.values()), free):
            return cls("turns")
        if resident(max((sizes | shrinkable).values()), free):
            return cls("turns in 8 bits")
        return cls("layers")

    @classmethod
    def put(cls, pipe: Any, device: torch.device) -> Placement:
        """Place the parts; on a device with memory of its own as its free bytes allow."""
        parts = {n: m for n, m in pipe.components.items() if isinstance(m, torch.nn.Module)}
        for module in parts.values():
            module.eval().requires_grad_(False)
        if device.type != "cuda":
            pipe.to(device)
            return cls("whole")
        sizes = {name: _bytes(module) for name, module in parts.items()}
        halved = {
            name: sizes[name] // 2
            for name, module in parts.items()
            if hasattr(module, "enable_layerwise_casting") and name.startswith("transformer")
        }
        placement = cls.choose(sizes, halved, torch.cuda.mem_get_info(device)[0])
        placement.apply(pipe, device, halved)
        log.info("%s is placed on %s: %s", type(pipe).__name__, device, placement.kind)
        return placement

    def apply(self, pipe: Any, device: torch.device, shrinkable: Mapping[str, int]) -> None:
        """Pull the levers; ``shrinkable``: names of the parts that may be kept in 8 bits."""
        if self.kind == "whole":
            pipe.to(device)
            return
        if self.kind == "turns in 8 bits":
            for name in shrinkable:
                module = getattr(pipe, name)
                module.enable_layerwise_casting(
                    storage_dtype=torch.float8_e4m3fn, compute_dtype=module.dtype
                )
        if self.kind == "layers":
            pipe.enable_group_offload(
                onload_device=device, offload_type="leaf_level", use_stream=device.type == "cuda"
            )
        else:
            pipe.enable_model_cpu_offload(device=device)
        if hasattr(pipe.vae, "enable_tiling"):
            try:
                pipe.vae.enable_tiling()
            except NotImplementedError:  # a VAE of single frames decodes them in chunks
                log.info("%s has no tiling", type(pipe.vae).__name__)


def _bytes(module: torch.nn.Module) -> int:
    return sum(t.nbytes for t in module.state_dict().values())
