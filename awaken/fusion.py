"""Sec. 3.4: hybrid latent fusion, frame by frame (Eq. 4)."""

from __future__ import annotations

from collections.abc import Sequence

import torch

# Below this sine the two frames are parallel to within float64 rounding of the angle.
_PARALLEL = 1e-7


def _fractions(z: torch.Tensor, fractions: Sequence[float] | torch.Tensor | None) -> torch.Tensor:
    frames = z.shape[2]
    if fractions is None:
        fractions = torch.linspace(0, 1, frames, dtype=torch.float64)
    beta = torch.as_tensor(fractions, dtype=torch.float64).cpu()
    if beta.shape != (frames,):
        raise ValueError(f"{frames} frames need as many fractions, got {tuple(beta.shape)}")
    return beta.view(1, 1, frames, 1, 1)


def _check(z_r: torch.Tensor, z_s: torch.Tensor) -> None:
    if z_r.ndim != 5 or z_r.shape != z_s.shape:
        raise ValueError(
            "expected two videos of one shape (b, c, f, h, w), "
            f"got {tuple(z_r.shape)} and {tuple(z_s.shape)}"
        )


def _exact_ends(
    fused: torch.Tensor, z_r: torch.Tensor, z_s: torch.Tensor, beta: torch.Tensor
) -> torch.Tensor:
    fused = fused.to(z_r.device, z_r.dtype)
    fused = torch.where((beta == 0).to(z_r.device), z_r, fused)
    return torch.where((beta == 1).to(z_r.device), z_s, fused)


def slerp_frames(
    z_r: torch.Tensor,
    z_s: torch.Tensor,
    fractions: Sequence[float] | torch.Tensor | None = None,
) -> torch.Tensor:
    """Spherical interpolation from the painting's video to the proxy's, along the frames (Eq. 4).

    One angle per batch item and frame, between the unnormalised frames as vectors over all channels
    and pixels, in float64. Fractions 0 and 1 return the inputs exactly. Where the frames are
    parallel or opposite (or one is zero) the formula divides by zero, and linear interpolation,
    its limit for equal directions, takes over.

    Args:
        z_r, z_s: painting's and proxy's videos, (b, c, f, h, w).
        fractions: one per frame, 0 (painting) to 1 (proxy); None is linspace(0, 1, f).

    Returns the fused video, same shape, device and dtype as ``z_r``.

    Raises ValueError when shapes do not match.
    """
    _check(z_r, z_s)
    beta = _fractions(z_r, fractions)
    # MPS has no float64: there the fusion, a few operations on small latents, runs on the CPU.
    device = "cpu" if z_r.device.type == "mps" else z_r.device
    r, s, beta = z_r.to(device).double(), z_s.to(device).double(), beta.to(device)
    over = (1, 3, 4)
    norms = r.square().sum(over, keepdim=True).sqrt() * s.square().sum(over, keepdim=True).sqrt()
    cosine = (r * s).sum(over, keepdim=True) / norms
    theta = cosine.clamp(-1, 1).arccos()
    sine = theta.sin()
    curved = (theta * (1 - beta)).sin() / sine * r + (theta * beta).sin() / sine * s
    straight = (1 - beta) * r + beta * s
    usable = (norms > 0) & (sine > _PARALLEL)
    return _exact_ends(torch.where(usable, curved, straight), z_r, z_s, beta)


def lerp_frames(
    z_r: torch.Tensor,
    z_s: torch.Tensor,
    fractions: Sequence[float] | torch.Tensor | None = None,
) -> torch.Tensor:
    """Uniform linear interpolation along the frames: the +V&U arm of Table 1. Shapes as slerp's."""
    _check(z_r, z_s)
    beta = _fractions(z_r, fractions)
    weight = beta.to(z_r.device, torch.float32 if z_r.dtype == torch.float32 else z_r.dtype)
    return _exact_ends((1 - weight) * z_r + weight * z_s, z_r, z_s, beta)


FUSIONS = {"slerp": slerp_frames, "lerp": lerp_frames}
