"""The folder for visitors' files, and what keeps it bounded.

Uploads, runs and zips lie in folders below it. Gradio removes its own copies after a day; it does
not know what we write. The oldest folders go when they are a day old, or when all of them together
are larger than ``AWAKEN_CACHE_MB`` (default 4096). What is being written is not removed; where that
alone fills the bound, ``awaken.ui.server.shares`` takes no more. Whatever an open page asks for is
young again (``touch``), so that its painting stays.
"""

from __future__ import annotations

import asyncio
import getpass
import logging
import os
import re
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from anyio.to_thread import run_sync

from awaken.types import RequestError

log = logging.getLogger(__name__)

EVERY = 30.0  # s between two sweeps
OLD = 86_400.0  # s after which a folder is removed
FRESH = 60.0  # s in which nothing is removed, however full: somebody is still writing
MEGABYTES = 4096  # of all folders together


def visitors_folder() -> Path:
    """Give Gradio a folder that no other program's Gradio uses, unless the environment names one.

    One that cannot be written is replaced by a fresh one, with a line in the log. Raises
    RequestError where nothing can be written at all.
    """
    try:
        named = os.environ.get("GRADIO_TEMP_DIR")
        place = Path(named) if named else Path(tempfile.gettempdir()) / f"awaken-{_user()}"
        if not _is_ours(place, shared=bool(named)):
            place = Path(tempfile.mkdtemp(prefix="awaken-"))
            if named:
                log.warning("%s cannot be written: visitors' files go to %s", named, place)
    except OSError as error:
        raise RequestError(
            "No folder for visitors' files can be written ({problem}): name one in GRADIO_TEMP_DIR.",
            problem=error.strerror or str(error),
        ) from None
    os.environ["GRADIO_TEMP_DIR"] = str(place)
    return place


def _user() -> str:
    """A user id may be without a name, as in many containers."""
    return str(os.getuid()) if hasattr(os, "getuid") else getpass.getuser()


def _is_ours(place: Path, shared: bool) -> bool:
    """Whether we may write there and, unless it was named to us, nobody else made it."""
    try:
        place.mkdir(mode=0o700, parents=shared, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return shared or not hasattr(os, "getuid") or place.lstat().st_uid == os.getuid()
    except OSError:
        return False


def limit() -> int:
    """Bytes that the folder may hold. Raises RequestError for an unusable AWAKEN_CACHE_MB."""
    told = os.environ.get("AWAKEN_CACHE_MB", str(MEGABYTES))
    if not re.fullmatch("[1-9][0-9]{0,9}", told, re.ASCII):
        raise RequestError("AWAKEN_CACHE_MB must be a whole number of megabytes, such as 4096.")
    return int(told) << 20


def touch(path: Path) -> None:
    """Somebody uses this file: its folder is young again."""
    with suppress(OSError):
        os.utime(path)


def sweep(place: Path, most: int, now: float) -> int:
    """Remove old folders, and the oldest beyond ``most`` bytes; returns the bytes that are left.

    now: seconds since the epoch, as files have them. A date ahead of it is set back, and protects
    nothing. Files of other sweepers may vanish meanwhile.
    """
    for folder in place.iterdir():
        if age_and_size(folder)[0] > now + FRESH:
            _set_back(folder, now - FRESH)
    folders = sorted((age_and_size(folder), folder) for folder in place.iterdir())
    kept = []
    for (changed, size), folder in folders:
        if now - changed > OLD:
            _remove(folder)
        else:
            kept.append((changed, size, folder))
    left = sum(size for _, size, _ in kept)
    for changed, size, folder in kept:
        if left <= most or now - changed < FRESH:
            break
        _remove(folder)
        left -= size
    return left


class Room:
    """How full the folder is, from the last sweep, what came since, and what is on its way."""

    def __init__(self) -> None:
        self.most = limit()
        self._place = visitors_folder()
        self._held = self._coming = 0
        self._sweeping = asyncio.Lock()

    async def has(self, size: int) -> bool:
        """Whether so many bytes more fit; if so they count from now on, until they are ``here``."""
        if self._held + self._coming + size > self.most and not self._sweeping.locked():
            await self.sweep()
        fits = self._held + self._coming + size <= self.most
        self._coming += size if fits else 0
        return fits

    def here(self, size: int) -> None:
        """So many bytes have been written."""
        self._coming -= size
        self._held += size

    async def sweep(self) -> None:
        """Remove what is old or too much."""
        async with self._sweeping:
            try:
                if self._place.is_dir():
                    self._held = await run_sync(sweep, self._place, self.most, time.time())
            except OSError:
                log.exception("the folder for visitors' files could not be swept")


@asynccontextmanager
async def running(room: Room) -> AsyncIterator[None]:
    """Sweep the folder every ``EVERY`` seconds while a server runs."""

    async def rounds() -> None:
        while True:
            await room.sweep()
            await asyncio.sleep(EVERY)

    task = asyncio.create_task(rounds())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def age_and_size(folder: Path) -> tuple[float, int]:
    """When something in it was last written, and its bytes; what vanishes meanwhile is passed over."""
    inside = () if folder.is_symlink() else os.walk(folder)  # unlike rglob, it outlives a sweep
    paths = [os.path.join(at, name) for at, below, files in inside for name in (*below, *files)]
    changed, size = 0.0, 0
    for path in (folder, *paths):
        with suppress(FileNotFoundError):
            about = os.lstat(path)
            changed = max(changed, about.st_mtime)
            size += about.st_size
    return changed, size


def _set_back(folder: Path, date: float) -> None:
    inside = () if folder.is_symlink() else os.walk(folder)
    paths = [os.path.join(at, name) for at, below, files in inside for name in (*below, *files)]
    for path in (folder, *paths):
        with suppress(OSError):
            if os.lstat(path).st_mtime > date:
                os.utime(path, (date, date), follow_symlinks=False)


def _remove(folder: Path) -> None:
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)
    else:
        folder.unlink(missing_ok=True)
