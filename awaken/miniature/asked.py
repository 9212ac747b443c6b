"""Latents as a sentence asks for them, where the network did not hear it: which way, how fast."""

from __future__ import annotations

import math

import torch

from awaken.miniature.imaging import smooth_step
from awaken.miniature.latents import (
    AIR,
    DRIFT,
    FLOW,
    LIGHT,
    OBJECT,
    REGION,
    SHIFT,
    latents_of,
    values_of,
)
from awaken.miniature.reading import Reading

_STRAIGHT = 0.4  # net way over whole way: what swings to and fro has no direction to turn
_SWINGS = (0.3, 0.6)  # the same, of one cell, from swinging to going on
_ALONG = 0.15  # cosine to the asked way from which the network is taken to have obeyed
_UPRIGHT = 0.6  # how far things go up or down that were to go sideways
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
    values = values_of(z)
    for share, motion in _MOTIONS:
        moved = values[:, motion]
        if asked.direction is not None:
            turns = _turns(moved, values[:, share].sum(1).mean(1).clamp(min=0), asked.direction)
            moved = torch.einsum("bij,bjfhw->bifhw", turns.to(z), moved)
        values[:, motion] = _paced(moved, asked.speed)
    return torch.cat([z[:, : REGION.start], latents_of(values)[:, REGION.start :]], 1)


def _paced(moved: torch.Tensor, speed: float) -> torch.Tensor:
    """Displacements (b, 2, f, h, w) that go less far, or farther and sooner.

    A region has only so much room to move in: what is to be fast gets there earlier too. Then it goes
    on as it went at the end, or swings back if it swings. Slow motion goes less far in the same time.
    """
    if speed <= 1:
        return moved * speed
    hurry = speed**0.4
    last = moved.shape[2] - 1
    time = torch.arange(last + 1, device=moved.device) * hurry
    goes_on = _between(moved, time)
    swings = _between(moved, torch.where(time > last, 2 * last - time, time))
    straight = moved[:, :, -1:].norm(dim=1, keepdim=True) / _way(moved)[:, None, None]
    weight = smooth_step(straight, *_SWINGS)
    return torch.lerp(swings, goes_on, weight) * (speed / hurry)


def _between(moved: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
    """Displacements at times (f,) in frames, straight on after the last."""
    before = time.floor().long().clamp(max=moved.shape[2] - 2)
    share = (time - before)[None, None, :, None, None]
    return moved[:, :, before] + share * moved.diff(dim=2)[:, :, before]


def _way(moved: torch.Tensor) -> torch.Tensor:
    """Length of the way that displacements (b, 2, f, h, w) go, (b, h, w)."""
    return moved.diff(dim=2).norm(dim=1).sum(1).clamp(min=1e-6)


def _turns(moved: torch.Tensor, share: torch.Tensor, way: tuple[int, int]) -> torch.Tensor:
    """(b, 2, 2) matrices that turn displacements (b, 2, f, h, w), weighted by share (b, h, w)."""
    weight = share / share.sum((1, 2), keepdim=True).clamp(min=1e-6)
    net = torch.einsum("bchw,bhw->bc", moved[:, :, -1], weight)
    path = (_way(moved) * weight).sum((1, 2))
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
    # What rises or falls keeps doing so and is only blown aside. Else the way is taken wholly, and less
    # far: a sky has more room sideways.
    turn = math.remainder(math.atan2(*unit[::-1]) - math.atan2(*net[::-1]), 2 * math.pi)
    turn, far = (turn, _UPRIGHT) if way[1] else (turn / 2, 1)
    c, s = far * math.cos(turn), far * math.sin(turn)
    return torch.tensor([[c, -s], [s, c]])
