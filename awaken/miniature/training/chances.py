"""Chances of what is where, as the segmentation network would give them, made of true masks."""

from __future__ import annotations

import torch

from awaken.miniature.training.fields import spread

# It is seldom sure: true cells get 0.6 to 1, others up to 0.1.
_DOUBT, _FLOOR = 0.4, 0.1
# Things that it does not see, and things of another picture that it sees.
_MISSED, _WRONG = 0.12, 0.04


def doubted(masks: torch.Tensor) -> torch.Tensor:
    """True masks (b, classes, h, w) -> chances of 0 to 1 that waver, miss and mistake as it does."""

    def each() -> torch.Tensor:
        return torch.rand(*masks.shape[:2], 1, 1, device=masks.device)

    seen = masks * (each() >= _MISSED)
    elsewhere = masks.roll(1, 0) * each() * (each() < _WRONG)
    blurred = spread(torch.maximum(seen, elsewhere), 1)
    return (blurred * (1 - _DOUBT * each()) + _FLOOR * torch.rand_like(masks)).clamp(0, 1)
