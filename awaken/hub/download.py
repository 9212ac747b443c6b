"""Fetching weights, on somebody's explicit wish."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

from awaken.hub.places import download_folder, unpack
from awaken.hub.release import Release, gigabytes
from awaken.message import Message
from awaken.types import ModelError


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
            "{name} needs {size} of disk to be fetched{more}; {free} are free.",
            name=release.name,
            size=gigabytes(needed),
            more=Message(" and unpacked") if release.archive else "",
            free=gigabytes(free),
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
            raise ModelError(
                "{archive} ended after {done} of {total} bytes: try again.",
                archive=release.archive,
                done=done,
                total=total,
            )
        unpack(part, folder / release.name)
    except (httpx.HTTPError, OSError) as error:
        raise ModelError(
            "{archive} could not be fetched ({error}). Check the network and try again, or fetch "
            "it on another machine and put it into the --models folder as {name}.tar.",
            archive=release.archive,
            error=error,
            name=release.name,
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
            "{address} could not be fetched ({error}). Check the network{account} and try again, "
            "or copy the files into a folder {name!r} in the --models folder.",
            address=release.address,
            error=type(outcome[0]).__name__,
            account=Message(" and your account") if release.gated else "",
            name=release.name,
        ) from outcome[0]
