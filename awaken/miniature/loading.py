"""Reading the miniature's weights from assets/miniature, and saying so plainly when they are broken.

Every file is a safetensors file whose metadata names its network class and its configuration, so
that weights of another width need no change of code.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from awaken.types import ModelError

ASSETS = Path(__file__).resolve().parents[2] / "assets" / "miniature"
_REMEDY = "Get the file again, for example with `git checkout -- assets/miniature`."

_Network = TypeVar("_Network", bound=nn.Module)


@cache
def weights_id(part: str, folder: Path = ASSETS) -> str:
    """The first twelve digits of the SHA-256 of a part's weights: video, decoder or proxy."""
    return hashlib.sha256(_path(part, folder).read_bytes()).hexdigest()[:12]


def load_network(
    network: type[_Network],
    part: str,
    device: torch.device,
    dtype: torch.dtype,
    folder: Path = ASSETS,
) -> _Network:
    """Build one network from its file, ready for inference.

    Args:
        network: its class in ``awaken.miniature.networks``.
        part: name of the file without its ending: video, decoder or proxy.
        dtype: float32, or bfloat16 where the processor has it.

    Raises:
        ModelError: the file is missing, unreadable, or holds another network.
    """
    from safetensors import SafetensorError, safe_open

    path = _path(part, folder)
    try:
        with safe_open(path, "pt") as file:
            notes = file.metadata() or {}
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}
    except (SafetensorError, OSError) as error:
        raise ModelError(f"The miniature's weights {path.name} are damaged. {_REMEDY}") from error
    if notes.get("network") != network.__name__:
        raise ModelError(f"{path.name} holds no {network.__name__} of the miniature. {_REMEDY}")
    try:
        built = network(**json.loads(notes["config"]))
        built.load_state_dict(tensors)
    except (KeyError, ValueError, TypeError, RuntimeError) as error:
        raise ModelError(f"{path.name} does not fit the {network.__name__}. {_REMEDY}") from error
    if not all(tensor.isfinite().all() for tensor in tensors.values()):
        raise ModelError(f"The miniature's weights {path.name} are not finite. {_REMEDY}")
    built.requires_grad_(False).eval()
    return built.to(device=device, dtype=dtype, memory_format=torch.channels_last)


def _path(part: str, folder: Path) -> Path:
    path = folder / f"{part}.safetensors"
    if not path.is_file():
        raise ModelError(f"The miniature's weights {path} are missing. {_REMEDY}")
    return path
