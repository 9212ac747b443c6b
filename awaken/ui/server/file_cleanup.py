"""The folder for visitors' files, and what keeps it bounded.

Uploads, runs and zips lie in folders below it. Gradio removes its own copies after a day; it does
not know what we write. The oldest folders go when they are a day old, or when all of them together
are larger than ``AWAKEN_CACHE_MB`` (default 4096).
"""

from __future__ import annotations

import asyncio
import getpass
import logging
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from anyio.to_thread import run_sync

log = logging.getLogger(__name__)

EVERY = 30.0  # s between two sweeps
OLD = 86_400.0  # s after which a folder is removed
FRESH = 60.0  # s in which nothing is removed, however full: somebody is still writing
MEGABYTES = 4096  # of all folders together


def visitors_folder() -> Path:
    """Give Gradio a folder that no other program's Gradio uses, unless the environment names one."""
    if "GRADIO_TEMP_DIR" not in os.environ:
        place = Path(tempfile.gettempdir()) / f"awaken-{getpass.getuser()}"
        place.mkdir(mode=0o700, exist_ok=True)
        if hasattr(os, "getuid") and place.stat().st_uid != os.getuid():  # made by somebody else
            place = Path(tempfile.mkdtemp(prefix="awaken-"))
        os.environ["GRADIO_TEMP_DIR"] = str(place)
    return Path(os.environ["GRADIO_TEMP_DIR"])


def limit() -> int:
    """Bytes that the folder may hold. Raises ValueError when AWAKEN_CACHE_MB is no whole number."""
    return int(os.environ.get("AWAKEN_CACHE_MB", MEGABYTES)) << 20


def sweep(place: Path, most: int, now: float) -> int:
    """Remove old folders, and the oldest beyond ``most`` bytes; returns the bytes that are left.

    now: seconds since the epoch, as files have them. Files of other sweepers may vanish meanwhile.
    """
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


@asynccontextmanager
async def running(app: Any) -> AsyncIterator[None]:
    """Sweep the folder every ``EVERY`` seconds while a server runs."""
    place, most = visitors_folder(), limit()

    async def rounds() -> None:
        while True:
            try:
                if place.is_dir():
                    await run_sync(sweep, place, most, time.time())
            except OSError:
                log.exception("the folder for visitors' files could not be swept")
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


def _remove(folder: Path) -> None:
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)
    else:
        folder.unlink(missing_ok=True)
