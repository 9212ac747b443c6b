"""Finding, checking and downloading model weights.

A release is looked for in this order: the folder of models (``--models DIR`` or ``AWAKEN_MODELS``,
one folder or tar per release), our own download folder, the Hugging Face cache. Nothing is downloaded
unless somebody asks for it. Files are checked by their headers before any memory is spent on them,
and pickles are only ever read by torch's ``weights_only`` loader.
"""

from __future__ import annotations

import json
import logging
import os
import shlex
import shutil
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from awaken.types import ModelError

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

_SAFETENSORS_HEADER_LIMIT = 100_000_000


@dataclass(frozen=True)
class Release:
    """Where the weights of one model come from, and which files must be there.

    Attributes:
        name: our name for it; also the name of its folder under ``AWAKEN_MODELS``.
        size: announced download size in bytes.
        files: what must be there; each entry is a tuple of accepted alternatives.
        repo, revision, patterns: Hugging Face id, and which of its files to fetch.
        archive: URL of a public tar instead.
        gated: the hub asks for an account that accepted the licence.
    """

    name: str
    size: int
    files: tuple[tuple[str, ...], ...]
    repo: str | None = None
    revision: str | None = None
    patterns: tuple[str, ...] = ()
    archive: str | None = None
    gated: bool = False

    @property
    def address(self) -> str:
        """Where a person finds it."""
        return self.archive or f"https://huggingface.co/{self.repo}"


def weights(folder: str, name: str = "diffusion_pytorch_model") -> tuple[str, ...]:
    """The names a weights file may have in ``folder``: safetensors first, then the pickle."""
    return tuple(f"{folder}/{name}.{suffix}" for suffix in ("safetensors", "bin"))


def models_folder() -> Path | None:
    """The folder of models that the person named, or None."""
    named = os.environ.get("AWAKEN_MODELS")
    return Path(named).expanduser() if named else None


def download_folder() -> Path:
    """Where downloads that are not the hub's own go."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "awaken"


def find(release: Release) -> Path | None:
    """The folder that holds a release, or None. A tar in the folder of models is unpacked once."""
    for place in filter(None, (models_folder(), download_folder())):
        if (place / release.name).is_dir():
            return _root(place / release.name)
        packed = place / f"{release.name}.tar"
        if packed.is_file():
            return unpack(packed, download_folder() / release.name)
    return _in_hub_cache(release)


def missing(release: Release) -> str | None:
    """None when the release is here and complete, else a sentence saying what to do."""
    try:
        folder = find(release)
        if folder is not None:
            check_files(release, folder)
            return None
    except ModelError as error:
        return str(error)
    account = ", with an account that accepted its licence" if release.gated else ""
    return (
        f"its weights are not on this machine. Download {gigabytes(release.size)} from "
        f"{release.address}{account}, or put them into a folder {release.name!r} in the folder that "
        "--models names. The miniature needs no download and can be chosen instead."
    )


def command(release: Release) -> str:
    """The command that fetches a release to where ``find`` looks for it."""
    if release.archive:
        place = download_folder() / f"{release.name}.tar"
        words = ["curl", "--location", "--create-dirs", "--output", str(place), release.archive]
    else:
        words = ["hf", "download", release.repo]
        if release.revision:
            words += ["--revision", release.revision]
        for pattern in release.patterns:
            words += ["--include", pattern]
    return shlex.join(words)


def commands(*releases: Release | None) -> tuple[str, ...]:
    """One command for each of these releases that is not here."""
    return tuple(command(r) for r in releases if r is not None and missing(r))


def require(release: Release) -> Path:
    """The folder of a release. Raises ModelError when it is missing or incomplete."""
    folder = find(release)
    if folder is None:
        raise ModelError(f"{release.name}: {missing(release)}")
    check_files(release, folder)
    return folder


def gigabytes(size: int) -> str:
    """Bytes for people: 1.4 GB, 135 MB."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{max(1, round(size / 1e6))} MB"


def pick(folder: Path, names: tuple[str, ...]) -> Path:
    """The first of several accepted files that exists. Raises ModelError naming what is missing."""
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise ModelError(
        f"{folder / names[0]} is missing: the download is incomplete. Fetch that file again."
    )


def check_files(release: Release, folder: Path) -> None:
    """Every file of a release is there and whole as far as its header tells.

    Raises ModelError naming the file and what is wrong with it.
    """
    for names in release.files:
        path = pick(folder, names)
        if path.name.endswith(".index.json"):
            for shard in sorted(set(read_json(path).get("weight_map", {}).values())):
                read_header(pick(path.parent, (shard,)))
        elif path.suffix == ".json":
            read_json(path)
        elif path.suffix == ".safetensors":
            read_header(path)
        elif path.suffix in (".bin", ".pt", ".pth") and not zipfile.is_zipfile(path):
            raise ModelError(
                f"{path} is cut short or not a PyTorch file: fetch it again ({release.address})."
            )


def read_json(path: Path) -> dict[str, Any]:
    """A configuration file. Raises ModelError when it is missing or not a JSON object."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise ModelError(f"{path} cannot be read as JSON ({error}): fetch it again.") from error
    if not isinstance(value, dict):
        raise ModelError(f"{path} should hold a JSON object: fetch it again.")
    return value


def read_header(path: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes in a safetensors file, from its header alone.

    Raises ModelError when the file is cut short or no safetensors file.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(size - 8, _SAFETENSORS_HEADER_LIMIT):
            raise ModelError(f"{path} is not a safetensors file or is cut short: fetch it again.")
        try:
            header = json.loads(file.read(length))
            header.pop("__metadata__", None)
            end = max((entry["data_offsets"][1] for entry in header.values()), default=0)
            shapes = {name: tuple(entry["shape"]) for name, entry in header.items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{path} has a damaged header: fetch it again.") from error
    if 8 + length + end != size:
        raise ModelError(
            f"{path} should have {8 + length + end} bytes but has {size}: the download was cut "
            "short. Fetch it again."
        )
    return shapes


def read_state(path: Path, device: str | torch.device = "cpu") -> Mapping[str, torch.Tensor]:
    """All tensors of a safetensors file or of a pickle (``weights_only``; wrappers are opened).

    ``device`` "meta" reads names and shapes without the data. Raises ModelError.
    """
    import torch

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
            f"{path} is damaged, or holds more than plain weights, which we refuse to load "
            f"({type(error).__name__}). Fetch it again from its official source."
        ) from error
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
    for problem, names in (("lacks", absent), ("has unknown", strange)):
        if names:
            raise ModelError(
                f"{path} {problem} {len(names)} entries ({', '.join(names[:3])}, …): it belongs to "
                "another model or version."
            )
    if wrong:
        name = sorted(wrong)[0]
        raise ModelError(
            f"{path}: {name} has shape {found[name]} where {expected[name]} is expected: it belongs "
            "to another model or version, or its config.json does."
        )
    state = {
        name: t.to(dtype) if dtype and t.is_floating_point() else t
        for name, t in read_state(path).items()
        if name in expected
    }
    module.load_state_dict(state, strict=not optional, assign=True)


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack a tar of weights safely, once. Returns the folder that holds ``model_index.json``.

    Only plain files and folders with names inside the archive are accepted; an interrupted
    unpacking leaves nothing behind that would pass for a whole one. Raises ModelError.
    """
    if folder.is_dir():
        return _root(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        with tarfile.open(archive) as tar:
            members = tar.getmembers()
            for member in members:
                path = PurePosixPath(member.name)
                if path.is_absolute() or ".." in path.parts or not (member.isreg() or member.isdir()):
                    raise ModelError(
                        f"{archive} holds {member.name!r}, which is not a plain file inside it: "
                        "it was not unpacked. Fetch it from its official source."
                    )
            tar.extractall(partial, members, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise ModelError(f"{archive} cannot be unpacked ({error}): fetch it again.") from error
    except ModelError:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    partial.rename(folder)
    return _root(folder)


def download(release: Release) -> Iterator[tuple[int, int]]:
    """Fetch a release, on somebody's explicit wish. Yields (bytes so far, announced bytes).

    Closing the generator stops the transfer of an archive; hub files resume where they stopped.
    Raises ModelError with a sentence when the network or the disk fails.
    """
    folder = download_folder()
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    needed = int(release.size * (2.1 if release.archive else 1.05))  # a tar lies beside its content
    if free < needed:
        raise ModelError(
            f"{release.name} needs {gigabytes(needed)} of disk to be fetched"
            f"{' and unpacked' if release.archive else ''}; {gigabytes(free)} are free."
        )
    if release.archive:
        yield from _download_archive(release, folder)
    else:
        yield from _download_from_hub(release)


def _download_archive(release: Release, folder: Path) -> Iterator[tuple[int, int]]:
    import httpx

    part = folder / f"{release.name}.tar.part"
    try:
        with httpx.stream("GET", release.archive, follow_redirects=True, timeout=30) as answer:
            answer.raise_for_status()
            total = int(answer.headers.get("content-length", release.size))
            done = 0
            with part.open("wb") as file:
                for block in answer.iter_bytes(1 << 20):
                    file.write(block)
                    done += len(block)
                    yield done, total
        if done != total:
            raise ModelError(f"{release.archive} ended after {done} of {total} bytes: try again.")
        unpack(part, folder / release.name)
    except (httpx.HTTPError, OSError) as error:
        raise ModelError(
            f"{release.archive} could not be fetched ({error}). Check the network and try again, or "
            f"fetch it on another machine and put it into the --models folder as {release.name}.tar."
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _download_from_hub(release: Release) -> Iterator[tuple[int, int]]:
    from huggingface_hub import constants, snapshot_download

    outcome: list[BaseException | str] = []

    def fetch() -> None:
        try:
            outcome.append(
                snapshot_download(
                    release.repo, revision=release.revision, allow_patterns=list(release.patterns)
                )
            )
        except Exception as error:  # the hub's own classes vary with the transport
            outcome.append(error)

    cache = Path(constants.HF_HUB_CACHE) / f"models--{release.repo.replace('/', '--')}" / "blobs"

    def fetched() -> int:
        return sum(f.stat().st_size for f in cache.glob("*")) if cache.is_dir() else 0

    thread = threading.Thread(target=fetch, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.5)
        yield min(fetched(), release.size), release.size
    if isinstance(outcome[0], BaseException):
        raise ModelError(
            f"{release.address} could not be fetched ({type(outcome[0]).__name__}). Check the "
            f"network{' and your account' if release.gated else ''} and try again, or copy the "
            f"files into a folder {release.name!r} in the --models folder."
        ) from outcome[0]


def _root(folder: Path) -> Path:
    """The folder itself, or its only subfolder that holds a ``model_index.json`` (tars nest)."""
    if (folder / "model_index.json").is_file():
        return folder
    nested = sorted(folder.glob("*/model_index.json"))
    return nested[0].parent if len(nested) == 1 else folder


def _in_hub_cache(release: Release) -> Path | None:
    if release.repo is None:
        return None
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    if not Path(constants.HF_HUB_CACHE).is_dir():
        return None
    try:
        found = snapshot_download(
            release.repo, revision=release.revision, allow_patterns=list(release.patterns),
            local_files_only=True,
        )  # fmt: skip
    except (LocalEntryNotFoundError, OSError, ValueError):
        return None
    return Path(found)
