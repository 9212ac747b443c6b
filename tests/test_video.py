"""mp4 files that play everywhere, keep their colours and remember their settings."""

import base64
import io
import json
import re
import subprocess

import numpy as np
import pytest
from PIL import Image

from awaken.preview import atlas
from awaken.types import Notice, RequestError, Result
from awaken.video import read_settings, save_result, side_by_side, stacked, write_mp4


def ffmpeg(*arguments: str) -> subprocess.CompletedProcess:
    from imageio_ffmpeg import get_ffmpeg_exe

    return subprocess.run([get_ffmpeg_exe(), *arguments], capture_output=True, check=False)


def read_frames(path, height: int, width: int) -> np.ndarray:
    """Decode as a player would: by the file's own colour tags."""
    raw = ffmpeg("-loglevel", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    return np.frombuffer(raw.stdout, np.uint8).reshape(-1, height, width, 3)


def moving_paint(f: int = 6, h: int = 64, w: int = 96) -> np.ndarray:
    """Brush-like texture that moves, with patches of saturated colour."""
    rng = np.random.default_rng(3)
    strokes = Image.fromarray(rng.integers(0, 160, (h // 4, w // 4), dtype=np.uint8))
    strokes = np.asarray(strokes.resize((w, h), Image.Resampling.BICUBIC))
    texture = strokes[..., None] + np.array([70, 40, 10], np.uint8)
    frames = np.stack([np.roll(texture, 2 * i, axis=1) for i in range(f)])
    for n, colour in enumerate(PATCHES):
        frames[:, 8:24, 4 + 20 * n : 20 + 20 * n] = colour
    return frames


PATCHES = [(225, 15, 20), (20, 30, 215), (15, 180, 40), (235, 200, 20)]


def assert_colour(pixels: np.ndarray, colour: tuple[int, int, int]) -> None:
    """A BT.601 picture read as BT.709, or ranges mixed up, would be off by 15 and more."""
    off = pixels.reshape(-1, 3) - np.array(colour, float)
    assert np.abs(off.mean(0)).max() <= 4 and np.abs(off).max() <= 9


def result(baseline: np.ndarray, psnr: float = 21.5) -> Result:
    return Result(
        painting=baseline[0],
        proxy=255 - baseline[0],
        baseline=baseline,
        awakened=baseline[::-1].copy(),
        settings={"prompt": "the “stars” swirl; 60% = ünder #1\\\n星", "seed": 42, "fps": 8},
        timings={"total": 1.5},
        evaluations=82,
        evaluations_from_scratch=82,
        psnr=psnr,
        luma_correlation=0.9,
        notices=(Notice("The miniature does not know “stars”.", "prompt"),),
    )


def test_the_file_plays_everywhere(tmp_path):
    path = tmp_path / "a.mp4"
    write_mp4(moving_paint(), path, fps=8)
    probe = ffmpeg("-i", str(path)).stderr.decode()
    stream = next(line for line in probe.splitlines() if "Video:" in line)
    assert re.search(r"h264 .*yuv420p\(tv, bt709, progressive\), 96x64.* 8 fps", stream), stream
    data = path.read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def test_frames_and_saturated_colours_come_back(tmp_path):
    frames = moving_paint()
    write_mp4(frames, tmp_path / "a.mp4", fps=8)
    back = read_frames(tmp_path / "a.mp4", 64, 96)
    assert back.shape == frames.shape
    for n, colour in enumerate(PATCHES):
        assert_colour(back[:, 14:18, 10 + 20 * n : 14 + 20 * n], colour)
    error = ((back[:, None].astype(float) - frames) ** 2).mean((2, 3, 4))
    assert 10 * np.log10(255**2 / error.diagonal().max()) > 34
    assert (error.argmin(1) == range(len(frames))).all()


def test_odd_sides_are_padded_with_their_last_line(tmp_path):
    frames = moving_paint()[:, :63, :95]
    write_mp4(frames, tmp_path / "a.mp4", fps=8)
    back = read_frames(tmp_path / "a.mp4", 64, 96)
    write_mp4(np.pad(frames, [(0, 0), (0, 1), (0, 1), (0, 0)], "edge"), tmp_path / "b.mp4", fps=8)
    assert (back == read_frames(tmp_path / "b.mp4", 64, 96)).all()


def test_every_frame_can_be_a_keyframe(tmp_path):
    write_mp4(moving_paint(), tmp_path / "a.mp4", fps=8, keyframe_every=1)
    shown = ffmpeg("-i", str(tmp_path / "a.mp4"), "-vf", "showinfo", "-f", "null", "-").stderr
    kinds = re.findall(r"iskey:(\d) type:(\w)", shown.decode())
    assert kinds == [("1", "I")] * 6


def test_settings_travel_in_the_file(tmp_path):
    settings = dict(result(moving_paint()).settings) | {"options": {"fiddle": 1.5}, "mask": None}
    write_mp4(moving_paint(), tmp_path / "a.mp4", fps=8, settings=settings)
    assert read_settings(tmp_path / "a.mp4") == settings


def test_files_without_settings_say_so(tmp_path):
    write_mp4(moving_paint(), tmp_path / "a.mp4", fps=8)
    (tmp_path / "b.mp4").write_text("#EXTM3U\nhttp://127.0.0.1:9/x.ts\n")
    for path in (tmp_path / "a.mp4", tmp_path / "b.mp4", tmp_path / "missing.mp4"):
        with pytest.raises(RequestError, match="no settings of Awaken"):
            read_settings(path)


def test_what_cannot_be_written_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="frames must be"):
        write_mp4(moving_paint().astype(np.float32), tmp_path / "a.mp4", fps=8)
    with pytest.raises(OSError):
        write_mp4(moving_paint(), tmp_path / "missing" / "a.mp4", fps=8)
    assert not list(tmp_path.iterdir())


def test_saving_a_result_writes_the_whole_set(tmp_path):
    made = result(moving_paint())
    paths = save_result(made, tmp_path / "out")
    names = ["painting", "proxy", "baseline", "awakened", "side_by_side", "stacked", "settings"]
    assert list(paths) == names
    assert {p.name for p in (tmp_path / "out").iterdir()} == {p.name for p in paths.values()}
    settings = json.loads(paths["settings"].read_text("utf-8"))
    assert settings["prompt"] == made.settings["prompt"] and settings["timings"] == {"total": 1.5}
    assert settings["notices"] == [notice.text for notice in made.notices]
    assert read_settings(paths["stacked"]) == settings == read_settings(paths["awakened"])
    assert (np.asarray(Image.open(paths["proxy"])) == made.proxy).all()
    both = read_frames(paths["stacked"], 128, 96)
    for half, video in ((both[:, :64], made.baseline), (both[:, 64:], made.awakened)):
        assert_colour(half[:, 14:18, 10:14], PATCHES[0])
        assert ((half.astype(float) - video) ** 2).mean() < 30


def test_a_result_can_keep_its_settings_to_itself(tmp_path):
    paths = save_result(result(moving_paint()), tmp_path, remember_settings=False)
    assert "settings" not in paths and not (tmp_path / "settings.json").exists()
    assert b"seed" not in paths["awakened"].read_bytes()


def test_infinite_psnr_is_still_json(tmp_path):
    paths = save_result(result(moving_paint(), psnr=float("inf")), tmp_path)
    assert json.loads(paths["settings"].read_text())["psnr"] is None


def test_a_failed_save_leaves_the_earlier_result_whole(tmp_path, monkeypatch):
    save_result(result(moving_paint()), tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    monkeypatch.setattr("awaken.video.side_by_side", lambda *_: np.zeros((1, 2)))
    with pytest.raises(ValueError):
        save_result(result(255 - moving_paint()), tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_arrangements():
    a, b = np.zeros((2, 4, 6, 3), np.uint8), np.full((2, 4, 6, 3), 9, np.uint8)
    assert (stacked(a, b)[:, 4:] == 9).all() and stacked(a, b).shape == (2, 8, 6, 3)
    wide = side_by_side(a, b)
    assert wide.shape == (2, 4, 20, 3) and (wide[:, :, 14:] == 9).all()


def test_atlas_rows_are_videos_and_columns_are_frames():
    videos = {name: np.full((3, 16, 24, 3), 60 * n, np.uint8) for n, name in enumerate("ab", 1)}
    videos["b"][2] = (250, 0, 0)
    made = atlas(videos)
    assert {k: made[k] for k in ("videos", "frames", "width", "height")} == {
        "videos": ["a", "b"], "frames": 3, "width": 24, "height": 16,
    }  # fmt: skip
    prefix, data = made["src"].split(",")
    assert prefix == "data:image/jpeg;base64"
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))).astype(int)
    assert sheet.shape == (32, 72, 3)
    assert np.abs(sheet[8, 36] - 60).max() <= 3 and np.abs(sheet[24, 36] - 120).max() <= 3
    assert np.abs(sheet[24, 60] - (250, 0, 0)).max() <= 6
    with pytest.raises(ValueError):
        atlas({})
