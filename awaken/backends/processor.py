"""Networks on a processor: the same sums by the quicker of torch's two libraries.

torch multiplies matrices with MKL, which uses half the width of the registers on processors that are
not its makers'; oneDNN, which does the convolutions, uses all of it. A convolution over time alone is
one in two dimensions, for which there are quicker kernels. Results differ by rounding.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class _Linear(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, "none", [], "")


class _OverTime(nn.Conv3d):
    def forward(self, x: Tensor) -> Tensor:
        """(b, c, f, h, w); the kernel is (k, 1, 1)."""
        flat, weight = x.flatten(3), self.weight.flatten(3)
        return F.conv2d(flat, weight, self.bias, padding=(self.padding[0], 0)).unflatten(
            3, x.shape[3:]
        )


def suits() -> bool:
    """Whether this processor has wide registers, and torch the library that uses them."""
    return (
        torch.backends.cpu.get_cpu_capability() == "AVX512"
        and torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    )


def suit(network: nn.Module, on: bool = True) -> None:
    """Let the layers of a float32 network use the quicker kernels; ``on=False`` takes that back."""
    plain, quick = (nn.Linear, nn.Conv3d), (_Linear, _OverTime)
    for now, then in zip(plain, quick) if on else zip(quick, plain):
        for layer in network.modules():
            if type(layer) is now and (now is not nn.Conv3d or _over_time(layer)):
                layer.__class__ = then


def _over_time(layer: nn.Conv3d) -> bool:
    return (
        layer.kernel_size[1:] == (1, 1) and layer.padding == (layer.kernel_size[0] // 2, 0, 0)
        and layer.stride == layer.dilation == (1, 1, 1) and layer.groups == 1
        and layer.padding_mode == "zeros"
    )  # fmt: skip
