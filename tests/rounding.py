"""How our networks and schedulers are compared with recordings of the official ones."""

from __future__ import annotations

from collections.abc import Iterable

import torch


def close(ours: torch.Tensor, theirs: torch.Tensor, atol: float) -> None:
    torch.testing.assert_close(ours, theirs, rtol=0, atol=atol)


def trajectory_close(actual: torch.Tensor, expected: torch.Tensor) -> None:
    """Equal to 1e-5, and to the rounding of float32 over many steps: a relative 1e-6.

    The recorded values reach 245, where one unit in the last place of a float32 is 1.5e-5 already,
    and the powers and logarithms of the coefficients come from MKL, which takes another way on another
    processor: 1.4e-4 were seen at 245, one or two units in the last place for a single step.
    """
    torch.testing.assert_close(actual, expected, rtol=1e-6, atol=1e-5)


def block_outputs(network: torch.nn.Module, names: Iterable[str], **inputs) -> dict:
    """What the modules ``names`` of a network answer while it runs on ``inputs``."""
    seen = {}

    def keep(name: str):
        def hook(module, given, output):
            seen[name] = output[0] if isinstance(output, tuple) else output

        return hook

    hooks = [network.get_submodule(name).register_forward_hook(keep(name)) for name in names]
    network(**inputs)
    for hook in hooks:
        hook.remove()
    return seen
