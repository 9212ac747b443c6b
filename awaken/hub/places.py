"""Where weights are looked for, and what a person is told when they are not there."""

from __future__ import annotations

import logging
import lzma
import os
import shlex
import shutil
import tarfile
import tempfile
import zlib
from pathlib import Path, PurePosixPath

from awaken.hub.files import check_content, check_files, read_sums, weight_files, write_sums
from awaken.hub.release import Release, gigabytes
from awaken.message import Message
from awaken.types import ModelError

log = logging.getLogger(__name__)


def models_folder() -> Path | None:
    """The folder of models that the person named, or None."""
    named = os.environ.get("AWAKEN_MODELS")
    return _at_home(named) if named else None


def download_folder() -> Path:
    """Where downloads that are not the hub's own go."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return _at_home(cache) / "awaken"


def _at_home(path: str) -> Path:
    """The path, "~" in it filled in; a user without a home, as in many containers, has the folder
    for temporary files instead."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(tempfile.gettempdir()) / path.partition("/")[2]


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
        return error.message
    except Exception as error:  # a file from anywhere; whatever is wrong with it, the page starts
        log.exception("%s cannot be read", release.name)
        return Message(
            "its files cannot be read ({kind}). Fetch them again from {address}.",
            kind=type(error).__name__,
            address=release.address,
        )
    account = Message(", with an account that accepted its licence") if release.gated else ""
    return Message(
        "its weights are not on this machine. Download {size} from {address}{account}, or put them "
        "into a folder {name!r} in the folder that --models names. The miniature needs no download "
        "and can be chosen instead.",
        size=gigabytes(release.size),
        address=release.address,
        account=account,
        name=release.name,
    )


def command(release: Release) -> str:
    """The command that fetches a release to where ``find`` looks for it."""
    if release.archive:
        place = str(download_folder() / f"{release.name}.tar")
        inside = place.removeprefix(
            os.path.expanduser("~") + os.sep
        )  # the rest is nobody's business
        told = shlex.quote(inside) if inside == place else f"~/{shlex.quote(inside)}"
        return f"curl --location --create-dirs --output {told} {shlex.quote(release.archive)}"
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
    """The folder of a release, its weights compared with whatever checksums there are.

    Raises ModelError when it is missing, incomplete or changed.
    """
    folder = find(release)
    if folder is None:
        raise ModelError("{title}: {why}", title=release.name, why=missing(release))
    check_files(release, folder)
    sums = read_sums(folder)
    for path in weight_files(release, folder):
        check_content(path, sums.get(path.relative_to(folder).as_posix()))
    return folder


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack a tar of weights safely, once. Returns the folder that holds ``model_index.json``.

    Only plain files and folders with names inside the archive are accepted; an interrupted
    unpacking leaves nothing behind that would pass for a whole one. The files' checksums are noted
    beside them. Raises ModelError.
    """
    if folder.is_dir():
        return _root(folder)
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive) as tar:
            members = tar.getmembers()
            for member in members:
                path = PurePosixPath(member.name)
                if (
                    path.is_absolute()
                    or ".." in path.parts
                    or not (member.isreg() or member.isdir())
                ):
                    raise ModelError(
                        "{archive} holds {member!r}, which is not a plain file inside it: it was not "
                        "unpacked. Fetch it from its official source.",
                        archive=archive,
                        member=member.name,
                    )
            tar.extractall(partial, members, filter="data")
        write_sums(_root(partial))
    except (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise ModelError(
            "{archive} cannot be unpacked ({error}): fetch it again.", archive=archive, error=error
        ) from error
    except ModelError:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    partial.rename(folder)
    return _root(folder)


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
