"""The motion brush below the page: what is opened, how far motion goes, what travels in files."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from pathlib import Path

import cv2
import gradio as gr
import numpy as np
import pytest
import torch
from gradio.data_classes import FileData
from gradio_client import handle_file
from PIL import Image

from awaken.backends import BACKENDS
from awaken.bundle.reader import read_mask_from, read_settings_from
from awaken.bundle.writer import reproduce, write_bundle
from awaken.engine import Engine
from awaken.evaluate.measures import measure
from awaken.examples import load_index
from awaken.miniature.stencil import REACH, resting, stencil, touched
from awaken.painting import open_mask, open_painting
from awaken.types import Request, RequestError, Result
from awaken.ui.controls import restore
from awaken.ui.run import file_guard, requests, results
from awaken.ui.run.links import decode, encode
from awaken.ui.viewer import brush, stage
from awaken.video import result_settings, save_result
from tests.page import program, served_page

SKY = next(example for example in load_index() if example.id == "wheat-field-with-cypresses")


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """(96, 144, 3): sky over water."""
    y, x = np.mgrid[0:96, 0:144]
    return np.stack([200 - y, 150 + 0 * x, 90 + x], -1).astype(np.uint8)


@pytest.fixture(scope="module")
def mask() -> np.ndarray:
    """(48, 72): the upper left quarter."""
    mask = np.zeros((48, 72), np.uint8)
    mask[:24, :36] = 255
    return mask


@pytest.fixture
def result(picture, mask) -> Result:
    """A small finished run with a mask."""
    video = np.repeat(picture[None], 4, 0)
    request = Request(
        picture, "the clouds drift", mask=mask, steps=4, frames=4, fps=4, guidance=5.0
    )
    settings = request.settings() | {"width": 144, "height": 96}
    return Result(
        picture, picture, video, video, settings, {"total": 1.0}, 4, 4, 30.0, 0.9, mask=mask
    )


def png(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


# Motion


def test_motion_of_both_videos_stays_where_it_was_painted():
    """Optical flow on decoded frames: half of a sky is brushed, the other half may not stir."""
    painting = open_painting(SKY.path)
    height, width = painting.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    mask[: round(0.42 * height), : width // 2] = 255
    request = Request(painting, "clouds drift across the sky", mask=mask, size=256, steps=6)
    result = list(Engine(device="cpu").animate(request))[-1]
    assert isinstance(result, Result)
    height, width = result.painting.shape[:2]
    region = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST) > 127
    for video, least in ((result.baseline, 0.05), (result.awakened, 0.3)):
        told = measure(video, result.painting, region)
        assert told["inside"] > least, told  # % of the short side per frame
        assert told["outside"] < 0.02, told  # measured: 0.002
        assert told["share"] > 0.95, told
        changed = np.abs(video.astype(int) - result.painting).max((0, 3))
        beside = cv2.dilate(region.astype(np.uint8), np.ones((5, 5))) == 0
        assert changed[beside].max() <= 1  # grey levels, in any frame
    assert (result.mask == mask).all()
    assert result.settings["mask_share"] == pytest.approx((mask > 0).mean(), abs=1e-4)


def test_flow_comes_to_rest_before_the_edge():
    cells = torch.zeros(1, 1, 12, 16)
    cells[..., :8] = 1  # up to the picture's left, upper and lower border: those are no edges
    kept = resting(cells)
    row = [1.0] * (8 - REACH) + [(REACH - i) / REACH for i in range(REACH)] + [0.0] * 8
    assert kept[0, 0].allclose(torch.tensor(row).expand(12, 16))
    thin = torch.zeros(1, 1, 12, 16)
    thin[..., 5, :] = 1
    assert resting(thin).equal(thin)
    assert resting(torch.ones(1, 1, 12, 16)).min() == 1


def test_edges_are_soft_on_the_inside_only():
    mask = torch.zeros(1, 1, 200, 300)
    mask[..., :150] = 1
    shown = stencil(mask, (400, 600))[0, 0]
    assert shown[:, 300:].max() == 0
    assert shown[:, :285].min() == 1
    assert (shown[:, 1:] - shown[:, :-1]).abs().max() < 0.25
    assert stencil(torch.ones(1, 1, 20, 30), (400, 600)).min() == 1
    assert touched(mask, (8, 12)).equal(mask[:, :, :8, :12] * 0 + (torch.arange(12) < 6).float())


# At the border


def test_masks_are_opened_like_pictures_and_made_black_and_white(picture):
    grey = np.tile(np.linspace(0, 255, 1800).astype(np.uint8), (1200, 1))
    found = open_mask(grey, picture)
    assert (found.shape, found.dtype, set(np.unique(found))) == ((341, 512), np.uint8, {0, 255})
    assert (found[:, 257:] == 255).all() and not found[:, :255].any()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<script>", "not a picture"),
        (png(np.zeros((96, 96), np.uint8)), "another shape than the painting"),
        (png(np.zeros((4, 6), np.uint8)), "only 6 x 4 pixels"),
    ],
)
def test_a_bad_mask_gets_a_sentence(picture, data, words):
    with pytest.raises(RequestError, match=words) as caught:
        open_mask(data, picture)
    assert "mask" in str(caught.value)


def test_an_empty_mask_gets_a_sentence(picture, tmp_path):
    paths = tmp_path / "painting.png", tmp_path / "mask.png"
    for path, array in zip(paths, (picture, np.zeros((96, 144), np.uint8)), strict=True):
        path.write_bytes(png(array))
    with pytest.raises(RequestError, match="paint the region that should move"):
        requests.make_request(painting=str(paths[0]), mask=str(paths[1]), prompt="clouds drift")


def test_a_mask_is_used_on_its_own_painting_only(tmp_path):
    here, there = str(tmp_path / "a.png"), str(tmp_path / "b.png")
    value = {"painting": here, "mask": "mask.png"}
    assert brush.mask_for(here, value) == "mask.png"
    for painting, given in ((there, value), (None, value), (here, None), ("", value),
                            (here, {"painting": "\0", "mask": "mask.png"})):  # fmt: skip
        assert brush.mask_for(painting, given) is None


@pytest.mark.parametrize("path", ["/etc/passwd", str(Path(__file__)), "examples/../app.py"])
def test_the_brush_takes_only_uploads(path):
    sent = brush.BrushValue(painting="x", mask=FileData(path=path)).model_dump()
    with pytest.raises(gr.Error, match="never fetches"):
        file_guard.check([sent])


def test_the_brush_is_offered_where_the_model_takes_a_mask():
    assert {key for key in BACKENDS if not brush.reason(key)} == {"miniature", "animate_anything"}
    assert "ConsistI2V" in brush.reason("consisti2v")


def test_programs_may_send_a_mask(picture, mask, tmp_path):
    client = program(served_page().url)
    for name, array in (("p", picture), ("m", mask), ("square", mask[:, :48])):
        (tmp_path / f"{name}.png").write_bytes(png(array))

    def ask(name: str):
        return client.predict(
            painting=handle_file(str(tmp_path / "p.png")), prompt="the clouds drift", steps=2,
            size=96, mask=handle_file(str(tmp_path / f"{name}.png")), api_name="/animate",
        )  # fmt: skip

    told = json.loads(Path(ask("m")[-1]).read_text("utf-8"))
    assert (told["masked"], told["mask_share"]) == (True, 0.25)
    assert (served_page().engine.last.mask == mask).all()
    with pytest.raises(Exception, match="another shape than the painting"):
        ask("square")


# What travels


def test_a_bundle_carries_its_mask_and_brings_it_back(result, mask, picture, tmp_path):
    files = save_result(result, tmp_path / "run")
    assert (np.asarray(Image.open(files["mask"])) == mask).all()
    path = write_bundle(files, tmp_path / "bundle.zip")
    found = read_mask_from(path)
    assert found is not None and (open_mask(found[0], picture) == mask).all()
    assert "not here" not in reproduce(result.settings, with_mask=True)
    assert "--mask=mask.png" in reproduce(result.settings, with_mask=True)

    other, same = tmp_path / "other.png", tmp_path / "same.png"
    Image.fromarray(255 - picture).save(other)
    Image.fromarray(picture).resize((288, 192)).save(same)
    assert restore.mask_from(path, str(same))["painting"] == str(same)
    brought = restore.mask_from(path, str(other))
    assert brought["painting"] != str(other)
    assert (open_painting(brought["painting"]) == picture).all()
    assert (open_mask(brought["mask"], picture) == mask).all()

    bare = write_bundle(files, tmp_path / "bare.zip", remember_settings=False)
    unhung = write_bundle(files, tmp_path / "unhung.zip", include_painting=False)
    for file in (bare, unhung, files["settings"]):
        assert read_mask_from(file) is None
    assert "motion mask" in read_settings_from(unhung).remarks[0]


def test_a_link_says_that_the_mask_is_not_in_it(result):
    told = decode(encode(result.settings))
    assert told.masked and "motion mask" in told.remarks[0]
    assert told.settings["prompt"] == "the clouds drift" and not told.unknown
    assert not decode(encode(result.settings | {"masked": False})).masked


# What is shown


def test_the_stage_outlines_the_region_and_shades_the_rest(mask):
    data = stage.outlined(mask).removeprefix("data:image/png;base64,")
    layer = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA")
    assert layer.size == (720, 480) and len(data) < 60_000
    alpha = np.asarray(layer)[..., 3]
    assert alpha[:220, :340].max() < 8
    assert np.median(alpha[260:]) == pytest.approx(255 * stage.SHADE, abs=8)
    line = np.asarray(layer)[100, 350:372]
    assert line[line[:, 3].argmax(), :3].min() > 200 and line[:, 3].max() > 200
    assert stage.outlined(None) == ""


def test_the_placard_says_how_much_was_brushed(result):
    facts = dict(results.facts(result_settings(result)))
    assert facts["Motion brush"] == "25 % of the painting"
    unmasked = replace(result, settings=result.settings | {"masked": False})
    assert "Motion brush" not in dict(results.facts(result_settings(unmasked)))
