"""A small crowd at the page, and the janitor behind it; ``python -m tests.load`` brings a hundred."""

from __future__ import annotations

import os
import threading
import time

import pytest

from awaken.ui.server import file_cleanup
from tests import aside, load
from tests.page import served_page


@pytest.mark.parametrize("come", [load.press, load.animate])
def test_everybody_of_a_crowd_gets_a_result_of_their_own(come):
    threads = threading.active_count()
    counts = aside.run(load.crowd(served_page().url, 4, 1, come))
    assert counts == {"good": 4}
    assert threading.active_count() < threads + 60  # Gradio's pool, and not a thread per visit


def test_a_stranger_s_result_would_be_noticed():
    """The check above can fail."""

    async def strange(*_: object) -> str:
        return "the result of somebody else"

    async def never(*_: object) -> str:
        return ""

    url = served_page().url
    assert aside.run(load.crowd(url, 2, 1, strange)) == {"wrong": 2}
    assert aside.run(load.crowd(url, 2, 1, never)) == {"lost": 2}


def _folder(place, name: str, size: int, age: float):
    path = place / name / "awakened.mp4"
    path.parent.mkdir()
    path.write_bytes(bytes(size))
    then = time.time() - age
    for part in (path, path.parent):
        os.utime(part, (then, then))
    return path


def test_the_oldest_go_when_the_room_is_full(tmp_path):
    ages = (300, 200, 100, 10)
    old, middle, young, fresh = (_folder(tmp_path, str(age), 1 << 20, age) for age in ages)
    left = file_cleanup.sweep(tmp_path, 5 << 19, time.time())
    assert [path.exists() for path in (old, middle, young, fresh)] == [False, False, True, True]
    assert left < 5 << 19
    file_cleanup.sweep(tmp_path, 0, time.time())
    assert not young.parent.exists() and fresh.exists()  # somebody may still be writing


def test_a_date_ahead_of_the_clock_saves_nothing(tmp_path):
    ahead = _folder(tmp_path, "ahead", 1 << 20, -10 * file_cleanup.OLD)
    file_cleanup.sweep(tmp_path, 2 << 20, time.time())
    assert ahead.exists() and ahead.stat().st_mtime < time.time()
    file_cleanup.sweep(tmp_path, 2 << 20, time.time() + file_cleanup.OLD)
    assert not ahead.exists()
    another = _folder(tmp_path, "another", 1 << 20, -10 * file_cleanup.OLD)
    file_cleanup.sweep(tmp_path, 0, time.time())
    assert not another.exists()


def test_what_is_young_counts_towards_the_bound(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setenv("AWAKEN_CACHE_MB", "2")
    _folder(tmp_path, "young", 1 << 20, 1)

    async def come() -> list[bool]:
        room = file_cleanup.Room()
        await room.sweep()
        return [await room.has(1 << 19) for _ in range(3)]

    assert aside.run(come()) == [True, False, False]  # a folder's own entry has some bytes too


def test_what_an_open_page_asks_for_stays(tmp_path):
    used, old = (_folder(tmp_path, name, 1 << 20, 300) for name in ("used", "old"))
    file_cleanup.touch(used)
    file_cleanup.sweep(tmp_path, 1 << 21, time.time())
    assert used.exists() and not old.exists()


def test_what_is_a_day_old_goes_and_links_are_not_followed(tmp_path):
    outside = tmp_path / "outside"
    room = tmp_path / "room"
    room.mkdir()
    outside.mkdir()
    treasure = _folder(outside, "treasure", 10, 100_000)
    (room / "link").symlink_to(outside)
    os.utime(room / "link", (0, 0), follow_symlinks=False)
    gone, kept = _folder(room, "a", 10, 90_000), _folder(room, "b", 10, 80_000)
    file_cleanup.sweep(room, 1 << 30, time.time())
    assert (gone.exists(), kept.exists(), treasure.exists()) == (False, True, True)
    assert not (room / "link").is_symlink()


def test_the_room_is_our_own(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADIO_TEMP_DIR", "")  # remembered, whether it was set or not
    monkeypatch.delenv("GRADIO_TEMP_DIR")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    place = file_cleanup.visitors_folder()
    assert place.parent == tmp_path and place.stat().st_mode & 0o777 == 0o700
    assert file_cleanup.visitors_folder() == place == type(place)(os.environ["GRADIO_TEMP_DIR"])
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "theirs"))
    assert file_cleanup.visitors_folder() == tmp_path / "theirs"
