"""Reading the miniature's weights, and saying so plainly when they are broken.

A part is a JSON with its network's configuration and safetensors shards beside it, as
``awaken.miniature.training.train`` leaves them: weights of another width need no change of code.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import torch
from torch import nn

from awaken.message import Message
from awaken.types import ModelError

ASSETS = Path(__file__).resolve().parents[2] / "assets" / "miniature"
SCALE = ".scale"  # beside a kernel kept as int8: what one step of it is worth, per output channel
SUM = "sha256"  # of a shard's content, in its header
_REMEDY = Message("Get the files again, for example with `git checkout -- assets/miniature`.")


def _home(folder: Path, part: str) -> Path:
    """The folder itself where it holds the part, else the shipped weights."""
    return folder if (folder / f"{part}.json").exists() else ASSETS


def weights_id(folder: Path, *parts: str) -> str:
    """The first twelve digits of the SHA-256 of the parts' weights; ``folder`` as in ``trained``."""
    digest = hashlib.sha256()
    for part in parts:
        for path in sorted(_home(folder, part).glob(f"{part}-*.safetensors")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def content_sum(data: bytes) -> str:
    """SHA-256 of a safetensors file without its header, which keeps it under ``SUM``."""
    return hashlib.sha256(memoryview(data)[8 + int.from_bytes(data[:8], "little") :]).hexdigest()


def load_shards(folder: Path, name: str) -> dict[str, torch.Tensor]:
    """Read what ``save_shards`` wrote, as float32.

    Raises FileNotFoundError if there is nothing, ValueError for a file that has changed since.
    """
    from safetensors.torch import load

    weights: dict[str, torch.Tensor] = {}
    for path in sorted(folder.glob(f"{name}-*.safetensors")):
        data = path.read_bytes()
        head = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        if head.get("__metadata__", {}).get(SUM, content_sum(data)) != content_sum(data):
            raise ValueError(f"{path} does not have its checksum.")
        weights |= {key: value.float() for key, value in load(data).items()}
    for key in [key for key in weights if key.endswith(SCALE)]:
        weights[key.removesuffix(SCALE)] *= weights.pop(key)[:, None, None, None]
    if not weights:
        raise FileNotFoundError(f"There are no weights called {name}-*.safetensors in {folder}.")
    return weights


def trained(network: type[nn.Module], part: str, folder: Path) -> nn.Module:
    """Build a part from its checkpoint, for inference; what ``folder`` lacks is the shipped one.

    Raises ModelError when the checkpoint is missing or holds another network.
    """
    from safetensors import SafetensorError

    folder = _home(folder, part)
    try:
        config = json.loads((folder / f"{part}.json").read_text())["config"]
        built = network(**{k: tuple(v) for k, v in config.items() if k.endswith("widths")})
        built.load_state_dict(load_shards(folder, part))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise ModelError(
            "The miniature's part {part!r} cannot be read from {folder}. {remedy}",
            part=part,
            folder=folder,
            remedy=_REMEDY,
        ) from error
    return built.requires_grad_(False).eval()


_SHARED: WeakValueDictionary[tuple[Any, ...], nn.Module] = WeakValueDictionary()


def shared(network: type[nn.Module], part: str, folder: Path, **form: Any) -> nn.Module:
    """As ``trained``, in that ``form`` of ``Module.to``; one network for all that use it at a time."""
    key = (_home(folder, part), part, *sorted(form.items(), key=lambda item: item[0]))
    built = _SHARED.get(key)
    if built is None:
        built = _SHARED[key] = trained(network, part, folder)
    return built.to(**form)
