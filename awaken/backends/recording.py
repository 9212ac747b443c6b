"""A pipeline's denoiser calls: where latents lie in them, and the calls themselves."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch


@dataclass(frozen=True)
class Form:
    """What one pipeline class does its own way.

    Attributes:
        pipeline: its class in diffusers. denoiser: the component that denoises.
        locked: the first latent frame is the clean picture and no part of the state.
        sampled: picture latents are a sample of the VAE's posterior, else its mode.
        repeats: the VAE makes the same latents of every frame of a still video.
        text_first: it calls its denoiser with the prompt first, then without.
        axes: the order of (b, c, f, h, w) in the denoiser's input.
        words, sized: it takes prompts; it takes width and height.
        image, frames, guidance, motion: its names of these arguments.
        arguments: further arguments of its call.
        float32: components that stay in float32.
    """

    pipeline: str
    denoiser: str = "transformer"
    locked: bool = False
    sampled: bool = False
    repeats: bool = False
    text_first: bool = False
    axes: tuple[int, ...] = (0, 1, 2, 3, 4)
    words: bool = True
    sized: bool = True
    image: str = "image"
    frames: str = "num_frames"
    guidance: str = "guidance_scale"
    motion: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    float32: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Recorded:
    """The denoiser calls of one step of one video, and the picture's latents (1, c, 1, h, w)."""

    calls: Sequence[dict[str, Any]]
    first: torch.Tensor


class Output(tuple):
    """What a denoiser returns, whichever way the pipeline reads it."""

    sample = property(lambda self: self[0])


class Reached(Exception):
    """The pipeline has come to its first scheduler step."""


def bound(
    module: torch.nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments of a module's call by name."""
    given = inspect.signature(type(module).forward).bind(module, *args, **kwargs).arguments
    return {name: value for name, value in given.items() if name != "self"}
