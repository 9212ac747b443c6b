"""Bundles: what is inside, that it can be made again, and what hostile files can do (nothing)."""

from __future__ import annotations

import io
import json
import os
import shlex
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from awaken.__main__ import _parser, _request
from awaken.bundle.reader import MAX_TEXT, Bundle, read_settings_from
from awaken.bundle.writer import read_frames, reproduce, wipe, write_bundle, write_loops
from awaken.examples import load_index
from awaken.painting import open_painting
from awaken.recipe import recover
from awaken.types import SETTINGS, Request, RequestError, Result
from awaken.video import read_settings, save_result

ROOT = Path(__file__).parent.parent
NAUGHTY = 'the sea\'s $(touch x) `id` ${eval(1)} {{value}} <b>\n--out=/etc; "rolls" 浪'
EVERYTHING = {
    "baseline.mp4", "awakened.mp4", "side_by_side.mp4", "wipe.mp4", "stacked.mp4", "loop.gif",
    "loop.webp", "proxy.png", "painting.png", "settings.json", "reproduce.sh", "ATTRIBUTION.txt",
    "bundle.json",
}  # fmt: skip


def drifting(hue: tuple[int, int, int], frames=6, height=48, width=64) -> np.ndarray:
    video = np.empty((frames, height, width, 3), np.uint8)
    video[:] = hue
    for i, frame in enumerate(video):
        frame[8:40, 8 * i : 8 * i + 16] = 240
    return video


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A small run as the engine saves it, with settings that need care."""
    draw = np.random.default_rng(0)
    painting, proxy = draw.integers(0, 256, (2, 48, 64, 3), np.uint8)
    request = Request(
        painting, NAUGHTY, negative_prompt="-x 'y'", p=0.35, peak=7.5, steps=12, guidance=3.0,
        motion=0.9, frames=6, fps=6, size=96, seed=7, proxy_strength=0.4, proxy_template="a {prompt}",
        options={"frame_stride": 3}, proxy_options={"steps": 9, "guidance": 2.5}, sequential=True,
    )  # fmt: skip
    result = Result(
        painting, proxy, drifting((30, 60, 140)), drifting((150, 50, 30)),
        settings=request.settings() | {"width": 64, "height": 48, "device": "CPU"},
        timings={"total": 1.0}, evaluations=3, evaluations_from_scratch=5,
        psnr=float("inf"), luma_correlation=1.0,
    )  # fmt: skip
    return request, save_result(result, tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def bundle(saved, tmp_path_factory):
    picture = {"title": "The Wave", "byline": "Hokusai, 1831", "licence": "Public domain"}
    return write_bundle(saved[1], tmp_path_factory.mktemp("out") / "wave.zip", picture=picture)


def test_a_bundle_holds_everything(bundle):
    with zipfile.ZipFile(bundle) as zipped:
        assert set(zipped.namelist()) == EVERYTHING
        assert zipped.testzip() is None
        attribution = zipped.read("ATTRIBUTION.txt").decode()
        for name, size in (("loop.gif", (64, 48)), ("loop.webp", (64, 48))):
            with Image.open(io.BytesIO(zipped.read(name))) as loop:
                # 6 frames there, 4 back; not one second time a turning point
                assert (loop.n_frames, loop.size, loop.info["loop"]) == (10, size, 0)
    assert "The Wave, Hokusai, 1831" in attribution and "Public domain" in attribution
    assert "Miniature" in attribution and "Apache-2.0" in attribution
    with Bundle(bundle) as opened:
        label = opened.label()
    assert (label["title"], label["prompt"]) == ("The Wave", NAUGHTY)
    assert [label[n] for n in ("width", "height", "fps", "frames")] == [64, 48, 6, 6]


def test_settings_come_back_from_zip_video_and_json(saved, bundle, tmp_path):
    request, files = saved
    odd = tmp_path / "renamed.txt"  # the content decides, not the name
    odd.write_bytes(files["settings"].read_bytes())
    film = tmp_path / "film"
    with zipfile.ZipFile(bundle) as zipped:
        film.write_bytes(zipped.read("stacked.mp4"))
    wanted = {name: value for name, value in request.settings().items() if name in SETTINGS}
    for path in (bundle, film, odd, files["awakened"]):
        found = read_settings_from(path)
        assert found.settings == wanted and found.remarks == []


def test_the_reproduce_line_is_the_same_request(saved, bundle, tmp_path):
    """The very command line, through the shell's quoting and the command's own parser."""
    request, _ = saved
    with zipfile.ZipFile(bundle) as zipped:
        script = zipped.read("reproduce.sh").decode()
        (tmp_path / "painting.png").write_bytes(zipped.read("painting.png"))
    line = script[script.index("python -m awaken") :]
    words = shlex.split(line)
    assert words[:3] == ["python", "-m", "awaken"]
    given = _parser().parse_args([*words[3:-2], str(tmp_path / "painting.png"), words[-1]])
    again = _request(given)
    assert again.settings() == request.settings()
    assert (again.painting == request.painting).all()


def test_the_reproduce_script_makes_the_same_frames(tmp_path):
    """Really run: unpacked into a fresh folder, by the shell, with the shipped models."""
    from awaken.engine import Engine

    painting = open_painting(ROOT / "tests/data/wheat-field.jpg")
    request = Request(painting, "it's the wheat that sways", steps=2, size=384, seed=5, p=0.5)
    *_, result = Engine().animate(request)
    files = save_result(result, tmp_path / "run")
    fresh = tmp_path / "a fresh folder"
    with zipfile.ZipFile(write_bundle(files, tmp_path / "bundle.zip")) as zipped:
        zipped.extractall(fresh)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", str(fresh / "reproduce.sh")], cwd=ROOT, env=os.environ | {"PATH": path},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    size = result.settings["width"], result.settings["height"]
    for name in ("baseline.mp4", "awakened.mp4"):
        first, again = (read_frames(folder / name, *size) for folder in (fresh, fresh / "again"))
        assert np.ptp(first) > 50 and np.array_equal(first, again), name


def test_a_mask_and_an_own_proxy_are_asked_for():
    settings = Request(np.zeros((8, 8, 3), np.uint8), "x", proxy="upload").settings()
    script = reproduce(settings | {"masked": True}, with_painting=False)
    assert "--mask=mask.png" in script and "--proxy-image=proxy.png" in script
    assert "--proxy=" not in script and "put it beside this file as painting.png" in script


def test_settings_can_be_kept_out_of_the_files(saved, tmp_path):
    _, files = saved
    path = write_bundle(
        files, tmp_path / "bare.zip", remember_settings=False, include_painting=False
    )
    with zipfile.ZipFile(path) as zipped:
        names = set(zipped.namelist())
        assert names == EVERYTHING - {"settings.json", "reproduce.sh", "painting.png"}
        for name in names:
            assert b"touch x" not in zipped.read(name)
        (tmp_path / "film.mp4").write_bytes(zipped.read("stacked.mp4"))
    with pytest.raises(RequestError):
        read_settings(tmp_path / "film.mp4")
    with pytest.raises(RequestError, match="no settings"):
        read_settings_from(path)


def test_copied_films_keep_every_pixel(saved, bundle, tmp_path):
    _, files = saved
    with zipfile.ZipFile(bundle) as zipped:
        (tmp_path / "film.mp4").write_bytes(zipped.read("stacked.mp4"))
    copy, original = (read_frames(p, 64, 96) for p in (tmp_path / "film.mp4", files["stacked"]))
    assert copy.shape == (6, 96, 64, 3) and (copy == original).all()
    # and the frames are the colours that went in: baseline blue above, awakened red below
    assert np.abs(copy[0, 4, 4].astype(int) - (30, 60, 140)).max() <= 3
    assert np.abs(copy[0, 52, 4].astype(int) - (150, 50, 30)).max() <= 3


def test_an_example_becomes_a_bundle(tmp_path):
    example = next(e for e in load_index() if e.results)
    path = write_bundle(example.results, tmp_path / "example.zip", picture={"title": example.title})
    with Bundle(path) as opened:
        assert opened.label()["title"] == example.title
        assert "painting.png" not in opened and "wipe.mp4" in opened
    assert read_settings_from(path).settings["prompt"] == example.prompt


def test_the_wipe_sweeps_over_and_back():
    baseline, awakened = drifting((0, 0, 200)), drifting((200, 0, 0))
    film = wipe(baseline, awakened, loops=2)
    assert film.shape == (12, 48, 64, 3)
    assert (film[0] == baseline[0]).all() and (film[6] == awakened[0]).all()
    line = film[3, 44]  # halfway: blue, white, red
    assert [tuple(line[x]) for x in (8, 32, 56)] == [(0, 0, 200), (255,) * 3, (200, 0, 0)]


def test_a_loop_has_the_size_of_its_video(tmp_path):
    video = np.zeros((3, 24, 520, 3), np.uint8)
    write_loops(video, tmp_path / "a.gif", tmp_path / "a.webp", 5)
    for name in ("a.gif", "a.webp"):
        with Image.open(tmp_path / name) as loop:
            assert loop.size == (520, 24)


def test_a_still_loop_does_not_flicker(tmp_path):
    video = np.repeat(np.random.default_rng(1).integers(0, 256, (1, 40, 60, 3), np.uint8), 5, 0)
    write_loops(video, tmp_path / "a.gif", tmp_path / "a.webp", 5)
    with Image.open(tmp_path / "a.gif") as loop:
        first = np.asarray(loop.convert("RGB"))
        for i in range(loop.n_frames):
            loop.seek(i)
            assert (np.asarray(loop.convert("RGB")) == first).all()


def test_a_gif_keeps_the_films_time(tmp_path):
    """8 frames a second are 12.5 ticks of a gif's clock each; rounding alike would drift."""
    write_loops(drifting((30, 60, 140)), tmp_path / "a.gif", tmp_path / "a.webp", 8)
    with Image.open(tmp_path / "a.gif") as loop:
        total = 0
        for i in range(loop.n_frames):
            loop.seek(i)
            total += loop.info["duration"]
    assert abs(total - 10 * 1000 / 8) <= 10


@pytest.mark.parametrize("field", ["seed", "p", "steps", "options", "prompt", "backend", "motion"])
@pytest.mark.parametrize(
    "value", [[], {"a": "b"}, "\ud800", True, -1e300, 1e400, "x" * 700, {"__proto__": {}}]
)
def test_what_a_request_would_refuse_is_named(field, value):
    assert recover({field: value}).unusable == (field,)


def test_unknown_names_are_reported_short_and_few():
    given = {f"strange {i} \x1b[31m" + "x" * 500: 1 for i in range(40)} | {"seed": 5, "psnr": None}
    found = recover(given)
    assert found.settings == {"seed": 5}
    assert len(found.unknown) == 13 and found.unknown[-1] == "and 28 more"
    assert len(found.remarks[0]) < 800 and "\x1b" not in found.remarks[0]


def zip_of(path, members: dict[str, bytes], method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as zipped:
        for name, data in members.items():
            zipped.writestr(name, data)
    return path


def test_a_bundle_packed_again_in_a_folder_is_read(tmp_path):
    settings = json.dumps({"seed": 3, "mystery": 1}).encode()
    path = zip_of(tmp_path / "a.zip", {"wave/settings.json": settings, "wave/x.txt": b""})
    found = read_settings_from(path)
    assert found.settings == {"seed": 3} and found.unknown == ("mystery",)


def test_paths_in_a_zip_lead_nowhere(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    names = ["../settings.json", "/settings.json", "..\\settings.json", "C:/settings.json"]
    path = zip_of(inside / "a.zip", {name: b'{"seed": 1}' for name in names} | {"b": b""})
    with pytest.raises(RequestError):
        read_settings_from(path)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["a.zip"]


def bomb(path):
    return zip_of(path, {"settings.json": b" " * (64 << 20)})


def lying_size(path):
    """Ten megabytes that call themselves ten bytes."""
    zip_of(path, {"settings.json": b" " * (10 << 20)})
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<L", data, data.find(signature) + offset, 10)
    path.write_bytes(data)
    return path


def many_members(path):
    return zip_of(path, {f"{i}{'x' * 60}": b"" for i in range(2000)}, zipfile.ZIP_STORED)


def encrypted(path):
    zip_of(path, {"settings.json": b'{"seed": 1}'})
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(signature) + offset] |= 1
    path.write_bytes(data)
    return path


def cut_short(path):
    zip_of(path, {"settings.json": b'{"seed": 1}' * 1000})
    path.write_bytes(path.read_bytes()[:-30])
    return path


def broken_stream(path):
    zip_of(path, {"settings.json": json.dumps({"seed": 1, "prompt": "a b c" * 50}).encode()})
    data = bytearray(path.read_bytes())
    data[45:60] = b"\xff" * 15
    path.write_bytes(data)
    return path


def nested(path):
    path.write_text("[" * 60_000)
    return path


def a_list(path):
    path.write_text("[1, 2]")
    return path


def long_json(path):
    path.write_text(json.dumps({"seed": 1, "x": "y" * MAX_TEXT}))
    return path


def no_text(path):
    path.write_bytes(bytes(range(256)))
    return path


def not_a_video(path):
    path.write_bytes(b"\0\0\0\x20ftypisom" + b"\0" * 5000)
    return path


def nothing(path):
    path.write_bytes(b"")
    return path


def nothing_known(path):
    path.write_text('{"a": 1}')
    return path


HOSTILE = (
    bomb, lying_size, many_members, encrypted, cut_short, broken_stream, nested, a_list, long_json,
    no_text, not_a_video, nothing, nothing_known,
)  # fmt: skip


@pytest.mark.parametrize("make", HOSTILE, ids=lambda f: f.__name__)
def test_hostile_files_get_a_sentence(make, tmp_path):
    with pytest.raises(RequestError) as refused:
        read_settings_from(make(tmp_path / "file"))
    assert str(refused.value).endswith(".")


def test_a_missing_file_gets_a_sentence(tmp_path):
    with pytest.raises(RequestError):
        read_settings_from(tmp_path / "nothing")
