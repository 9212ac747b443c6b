"""Files of weights: whether they are there, whole and unchanged, and what is in them.

Headers are looked at before any memory is spent on a file, and pickles are only ever read by torch's
``weights_only`` loader.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from awaken.hub.release import Release
from awaken.message import Message
from awaken.types import ModelError

if TYPE_CHECKING:
    import torch

_SUMS = "SHA256SUMS"  # as sha256sum writes and checks it
MAX_JSON = 64 << 20  # bytes; an index of shards has one or two million
_PICKLES = (".bin", ".pt", ".pth")
_NETWORKS = (
    "diffusion_pytorch_model",
    "model.",
    "model-",
    "pytorch_model",
)  # names begin like this


def pick(folder: Path, names: tuple[str, ...]) -> Path:
    """The first of several accepted files that exists. Raises ModelError naming what is missing."""
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise ModelError(
        "{path} is missing: the download is incomplete. Fetch that file again.",
        path=folder / names[0],
    )


def variant(folder: Path) -> str | None:
    """What ``from_pretrained`` must be told of a network's folder: "fp16" where there is no other."""
    names = [path.name for path in folder.glob("*") if path.name.startswith(_NETWORKS)]
    return "fp16" if names and all(".fp16" in name for name in names) else None


def check_files(release: Release, folder: Path) -> None:
    """Every file of a release is there and whole as far as its header tells.

    Raises ModelError naming the file and what is wrong with it.
    """
    for names in release.files:
        if pick(folder, names).suffix == ".json":
            read_json(pick(folder, names))
    for path in weight_files(release, folder):
        if path.suffix == ".safetensors":
            read_header(path)
        elif path.suffix in _PICKLES and not zipfile.is_zipfile(path):
            raise ModelError(
                "{path} is cut short or not a PyTorch file: fetch it again ({address}).",
                path=path,
                address=release.address,
            )


def weight_files(release: Release, folder: Path) -> list[Path]:
    """The files of weights of a release, every shard of them. Raises ModelError."""
    found = []
    for names in release.files:
        path = pick(folder, names)
        found += shards(path) if ".index." in path.name else [path]
    return [path for path in found if path.suffix in (".safetensors", *_PICKLES)]


def shards(index: Path) -> list[Path]:
    """The files that an index of shards names, all in its own folder. Raises ModelError."""
    names = read_json(index).get("weight_map")
    names = set(names.values()) if isinstance(names, dict) else {None}
    if not names or not all(isinstance(name, str) and Path(name).name == name for name in names):
        raise ModelError("{path} names no files of weights: fetch it again.", path=index)
    return [pick(index.parent, (name,)) for name in sorted(names)]


def check_content(path: Path, noted: str | None = None) -> None:
    """Compare a file of weights with its checksum, before it is loaded.

    noted: its SHA-256; without it, a file in the Hugging Face cache is called by its own. Pickles
    have checksums inside. Raises ModelError for a file that has changed or holds more than weights.
    """
    if path.suffix in _PICKLES:
        try:
            with zipfile.ZipFile(path) as archive:
                changed = archive.testzip() is not None
        except (zipfile.BadZipFile, OSError, NotImplementedError):
            changed = True
        if not changed:
            read_state(path, "meta")
    else:
        noted = noted or _name_in_cache(path)
        changed = noted is not None and sha256(path) != noted
    if changed:
        raise ModelError(
            "{path} does not have its checksum, for it has changed: fetch it again.", path=path
        )


def sha256(path: Path) -> str:
    """Hexadecimal, of a whole file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_sums(folder: Path) -> None:
    """Note the checksums of the safetensors below a folder, for ``read_sums`` and ``sha256sum -c``."""
    paths = sorted(folder.rglob("*.safetensors"))
    lines = [f"{sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in paths]
    (folder / _SUMS).write_text("".join(lines), encoding="utf-8")


def read_sums(folder: Path) -> dict[str, str]:
    """Checksums by name, as ``write_sums`` or a person has noted them; none where there is no note."""
    try:
        lines = (folder / _SUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    found = [re.fullmatch(r"([0-9a-fA-F]{64}) [ *](?:\./)?(.+)", line) for line in lines]
    return {note[2]: note[1].lower() for note in found if note}


def _name_in_cache(path: Path) -> str | None:
    """The Hugging Face cache keeps a large file under its own SHA-256, with links to it."""
    blob = path.resolve()
    named = blob.parent.name == "blobs" and re.fullmatch(r"[0-9a-f]{64}", blob.name)
    return blob.name if named else None


def read_json(path: Path) -> dict[str, Any]:
    """A configuration file. Raises ModelError when it is missing or not a JSON object."""
    try:
        if path.stat().st_size > MAX_JSON:
            raise ModelError(
                "{path} is too large for a JSON file of a model: fetch it again.", path=path
            )
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            "{path} cannot be read as JSON ({error}): fetch it again.", path=path, error=error
        ) from error
    if not isinstance(value, dict):
        raise ModelError("{path} should hold a JSON object: fetch it again.", path=path)
    return value


def read_header(path: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes in a safetensors file, from its header alone.

    Raises ModelError when the file is cut short or no safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}
    except (SafetensorError, OSError) as error:
        raise ModelError(
            "{path} is not a safetensors file or is cut short: fetch it again.", path=path
        ) from error


def read_state(path: Path, device: str | torch.device = "cpu") -> Mapping[str, torch.Tensor]:
    """All tensors of a safetensors file, of a pickle (``weights_only``; wrappers are opened), or of
    the shards that an index names.

    ``device`` "meta" reads names and shapes without the data. Raises ModelError.
    """
    import torch

    if ".index." in path.name:
        parts = [read_state(shard, device) for shard in shards(path)]
        return {name: tensor for part in parts for name, tensor in part.items()}
    if path.suffix == ".safetensors":
        if str(device) == "meta":
            return {n: torch.empty(s, device="meta") for n, s in read_header(path).items()}
        from safetensors.torch import load_file

        read_header(path)
        return load_file(path, device=str(device))
    try:
        state = torch.load(path, map_location=device, weights_only=True, mmap=True)
    except Exception as error:  # torch raises whatever the unpickler met
        raise ModelError(
            "{path} is damaged, or holds more than plain weights, which we refuse to load "
            "({error}). Fetch it again from its official source.",
            path=path,
            error=type(error).__name__,
        ) from None  # torch's own words advise to switch the check off
    for wrapper in ("state_dict", "ema", "model"):
        state = state.get(wrapper, state) if isinstance(state.get(wrapper), Mapping) else state
    return state


def load_weights(
    module: torch.nn.Module,
    path: Path,
    optional: tuple[str, ...] = (),
    dtype: torch.dtype | None = None,
) -> None:
    """Fill a module (on the meta device or not) strictly from a file, checking before loading.

    dtype: what floating-point entries become; None leaves them as stored.
    optional: fnmatch patterns of entries that may be in one and not in the other.
    Raises ModelError naming the file, and the first entries that do not fit.
    """
    expected = {name: tuple(t.shape) for name, t in module.state_dict().items()}
    found = {name: tuple(t.shape) for name, t in read_state(path, "meta").items()}

    def needed(names) -> list[str]:
        return sorted(n for n in names if not any(fnmatch(n, pattern) for pattern in optional))

    absent, strange = needed(expected.keys() - found), needed(found.keys() - expected)
    wrong = [n for n in expected.keys() & found if expected[n] != found[n]]
    for problem, names in ((Message("lacks"), absent), (Message("has unknown"), strange)):
        if names:
            raise ModelError(
                "{path} {problem} {count} entries ({names}, …): it belongs to another model or "
                "version.",
                path=path,
                problem=problem,
                count=len(names),
                names=names[:3],
            )
    if wrong:
        name = sorted(wrong)[0]
        raise ModelError(
            "{path}: {name} has shape {found} where {expected} is expected: it belongs to another "
            "model or version, or its config.json does.",
            path=path,
            name=name,
            found=str(found[name]),
            expected=str(expected[name]),
        )
    state = {
        name: t.to(dtype) if dtype and t.is_floating_point() else t
        for name, t in read_state(path).items()
        if name in expected
    }
    module.load_state_dict(state, strict=not optional, assign=True)
