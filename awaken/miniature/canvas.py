"""Between uint8 pictures and tensors."""

from __future__ import annotations

import numpy as np
import torch

from awaken.painting import LUMA


def to_tensor(picture: np.ndarray, device: torch.device) -> torch.Tensor:
    """(h, w, 3) uint8 -> (1, 3, h, w) float32 in [0, 1]."""
    return torch.tensor(picture, device=device).permute(2, 0, 1)[None].float() / 255


def to_array(pictures: torch.Tensor) -> np.ndarray:
    """(n, 3, h, w) in [0, 1] -> (n, h, w, 3) uint8."""
    return (pictures.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def luma(pictures: torch.Tensor) -> torch.Tensor:
    """(n, 3, h, w) -> brightness, (n, 1, h, w)."""
    return (pictures * pictures.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)


def relit(picture: torch.Tensor, change: torch.Tensor) -> torch.Tensor:
    """A picture of 0 to 1 in another light: its own pixels plus a change of -1 to 1, of the same shape.

    The less room there is to white or black the less it changes, so that nothing burns out or drowns:
    texture stays (Reinhard et al. 2002 compress highlights by the same curve).
    """
    room = torch.where(change > 0, 1 - picture, picture).clamp(min=0)
    return picture + change * room / (room + change.abs()).clamp(min=1e-6)
