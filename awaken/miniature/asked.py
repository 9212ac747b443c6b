"""Latents as a sentence asks for them, where the network did not hear it: which way, how fast."""

from __future__ import annotations

import math

import torch

from awaken.miniature.latents import AIR, DRIFT, FLOW, LIGHT, OBJECT, REGION, SHIFT, values_of
from awaken.miniature.reading import Reading

_STRAIGHT = 0.4  # net way over whole way: what swings to and fro has no direction to turn
_ALONG = 0.15  # cosine to the asked way from which the network is taken to have obeyed
_MOTIONS = ((REGION, FLOW), (OBJECT, SHIFT), (AIR, DRIFT))


def as_asked(z: torch.Tensor, asked: Reading) -> torch.Tensor:
    """Whole videos (b, 18, f, h, w), their displacements turned where they go against the sentence,
    and as fast as it says; without any motion where it wants none."""
    if not asked.moving:
        still = torch.zeros_like(z)
        still[:, LIGHT] = z[:, LIGHT, :1]
        return still
    if asked.direction is None and asked.speed == 1:
        return z
    z = z.clone()
    values = values_of(z)
    for share, motion in _MOTIONS:
        if asked.direction is not None:
            moved = values[:, motion]
            turns = _turns(moved, values[:, share].sum(1).mean(1).clamp(min=0), asked.direction)
            z[:, motion] = torch.einsum("bij,bjfhw->bifhw", turns.to(z), z[:, motion])
        z[:, motion] *= asked.speed
    return z


def _turns(moved: torch.Tensor, share: torch.Tensor, way: tuple[int, int]) -> torch.Tensor:
    """(b, 2, 2) matrices that turn displacements (b, 2, f, h, w), weighted by share (b, h, w)."""
    weight = share / share.sum((1, 2), keepdim=True).clamp(min=1e-6)
    net = torch.einsum("bchw,bhw->bc", moved[:, :, -1], weight)
    path = torch.einsum("bfhw,bhw->b", moved.diff(dim=2).norm(dim=1), weight)
    return torch.stack(
        [_turn(*pair, way) for pair in zip(net.tolist(), path.tolist(), strict=True)]
    )


def _turn(net: list[float], path: float, way: tuple[int, int]) -> torch.Tensor:
    """What makes a net displacement go ``way``: nothing, a mirror, or a turn towards it."""
    length = math.hypot(*net)
    matrix = torch.eye(2)
    if length < _STRAIGHT * path or not length:
        return matrix
    unit = [side / math.hypot(*way) for side in way]
    along = sum(a * b for a, b in zip(net, unit, strict=True)) / length
    if along >= _ALONG:
        return matrix
    if along <= -_ALONG:
        axis = torch.tensor(unit)
        return matrix - 2 * axis[:, None] * axis[None]
    # What rises or falls keeps doing so and is only blown aside; else the way is taken wholly.
    turn = math.atan2(unit[1], unit[0]) - math.atan2(net[1], net[0])
    turn = math.remainder(turn, 2 * math.pi) * (1 if way[1] else 0.5)
    c, s = math.cos(turn), math.sin(turn)
    return torch.tensor([[c, -s], [s, c]])
