"""The networks that diffusers lacks, built of its blocks; official weights load as they are."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from awaken.models.animate_anything import AnimateAnythingUNet
    from awaken.models.cinemo import CinemoUNet
    from awaken.models.consisti2v import ConsistI2VUNet
    from awaken.models.invsr import NoisePredictor

_HOMES = {
    "AnimateAnythingUNet": "awaken.models.animate_anything",
    "CinemoUNet": "awaken.models.cinemo",
    "ConsistI2VUNet": "awaken.models.consisti2v",
    "NoisePredictor": "awaken.models.invsr",
}

__all__ = ["AnimateAnythingUNet", "CinemoUNet", "ConsistI2VUNet", "NoisePredictor"]


def __getattr__(name: str):
    """Import a network on first use: diffusers' blocks take seconds to import."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
