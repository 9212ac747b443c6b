"""A finished run out of a bundle or a film: everything comes back, and nothing is believed."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from awaken.bundle import unpack
from awaken.bundle.unpack import unpack_result
from awaken.bundle.writer import read_frames, write_bundle
from awaken.types import Request, RequestError, Result
from awaken.ui.controls import restore
from awaken.ui.run import results
from awaken.video import save_result

H, W, FRAMES = 48, 64, 6


def moving(hue: tuple[int, int, int]) -> np.ndarray:
    video = np.empty((FRAMES, H, W, 3), np.uint8)
    video[:] = hue
    for i, frame in enumerate(video):
        frame[16:32, 8 * i : 8 * i + 16] = 240
    return video


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A run as the engine saves it, with a mask over its left half."""
    baseline, awakened = moving((30, 60, 140)), moving((150, 50, 30))
    painting = baseline[0]
    mask = np.zeros((H, W), np.uint8)
    mask[:, : W // 2] = 255
    request = Request(
        painting, "the sea rolls", steps=12, guidance=3.0, motion=0.9, frames=FRAMES, fps=6, size=96,
        seed=7, p=0.35, mask=mask,
    )  # fmt: skip
    settings = request.settings() | {"width": W, "height": H, "device": "CPU"}
    result = Result(
        painting, painting // 2, baseline, awakened, settings, {"total": 1.0}, 3, 5, 20.0, 0.9,
        mask=mask,
    )  # fmt: skip
    return save_result(result, tmp_path_factory.mktemp("run"))


def folder(tmp_path: Path) -> Path:
    made = tmp_path / "back"
    made.mkdir()
    return made


def test_a_bundle_brings_everything_back(files, tmp_path):
    bundle = write_bundle(files, tmp_path / "wave.zip")
    settings, back = unpack_result(bundle, folder(tmp_path))
    assert {"stacked", "painting", "proxy", "mask", "settings"} == back.keys()
    assert (settings["p"], settings["seed"], settings["steps"]) == (0.35, 7, 12)
    assert settings["masked"] and settings["mask_share"] == 0.5 and settings["device"] == "CPU"
    before, after = (read_frames(f["stacked"], W, 2 * H) for f in (files, back))
    assert np.abs(before.astype(int) - after).mean() < 2, "written anew, and the same to the eye"
    for name in ("painting", "proxy"):
        assert (np.asarray(Image.open(back[name])) == np.asarray(Image.open(files[name]))).all()
    found = settings["difference"]
    assert found["brushed"] and found["region"] == 0.5 and found["differ"] > 0.5
    assert json.loads(back["settings"].read_text())["difference"] == found
    scene = results.film(settings, back)["result"]
    assert "brushed region" in scene["told"] and scene["proxy_note"]


@pytest.mark.parametrize("film", ["stacked", "side_by_side"])
def test_a_film_with_both_videos_brings_them_and_its_first_picture(files, tmp_path, film):
    settings, back = unpack_result(files[film], folder(tmp_path))
    assert {"stacked", "painting", "settings"} == back.keys() and not settings["masked"]
    before, after = (read_frames(f["stacked"], W, 2 * H) for f in (files, back))
    assert np.abs(before.astype(int) - after).mean() < 4
    painting = np.asarray(Image.open(back["painting"])).astype(int)
    assert np.abs(painting - np.asarray(Image.open(files["painting"]))).mean() < 4
    scene = results.film(settings, back)["result"]
    assert scene["proxy"] is None and scene["proxy_note"] == "" and scene["told"]


def test_a_single_video_is_no_whole_run_but_has_its_painting(files, tmp_path):
    assert unpack_result(files["awakened"], folder(tmp_path)) is None
    first = restore.painting_from(files["baseline"], None)
    painting = np.asarray(Image.open(files["painting"])).astype(int)
    assert np.abs(np.asarray(Image.open(first)) - painting).mean() < 4
    other = tmp_path / "other.png"
    Image.fromarray(255 - np.asarray(Image.open(first))).save(other)
    assert restore.painting_from(files["baseline"], first) == first, "it stays"
    assert restore.painting_from(files["baseline"], str(other)) not in (first, str(other))
    assert restore.painting_from(files["painting"], str(other)) is None


@pytest.mark.parametrize(
    "changes",
    [{"width": 10**6}, {"frames": "many"}, {"fps": True}, {"height": None}, {"seed": -4}],
)
def test_what_a_file_says_of_itself_is_checked(files, tmp_path, changes):
    told = json.loads(files["settings"].read_text()) | changes
    path = tmp_path / "odd.zip"
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.write(files["stacked"], "stacked.mp4")
        bundle.writestr("settings.json", json.dumps(told))
    assert unpack_result(path, folder(tmp_path)) is None, "its settings may still be used"


def test_more_than_the_memory_may_hold_is_not_decoded(files, tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "MAX_BYTES", 6 * W * H * FRAMES - 1)
    bundle = write_bundle(files, tmp_path / "wave.zip")
    assert unpack_result(bundle, folder(tmp_path)) is None


def test_a_film_that_is_none_is_a_sentence(files, tmp_path):
    path = tmp_path / "fake.zip"
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr("stacked.mp4", b"\0" * 1000)
        bundle.write(files["settings"], "settings.json")
    with pytest.raises(RequestError, match="could not be read"):
        unpack_result(path, folder(tmp_path))
