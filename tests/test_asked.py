"""What a sentence asks of the motion is measured: by optical flow on a painting, and on latents."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from awaken.engine import Engine, result_of
from awaken.miniature.asked import as_asked
from awaken.miniature.latents import FLOW, LIGHT, REGION, SHIFT, latents_of, values_of
from awaken.miniature.reading import read
from awaken.types import Request

PAINTING = np.asarray(Image.open(Path(__file__).parent / "data" / "wheat-field.jpg"))
SKY = [(2, 2), (98, 2), (98, 50), (93, 50), (91, 33), (88, 2), (78, 23), (76, 50), (2, 50)]
FIELD = [(2, 88), (98, 88), (98, 98), (2, 98)]


@pytest.fixture(scope="module")
def flow():
    """(sentence, polygon in percent) -> mean flow (speed, x, y) in percent of the side a frame."""
    engine, seen = Engine(device="cpu"), {}

    def of(sentence: str, polygon: list[tuple[float, float]]) -> tuple[float, float, float]:
        if sentence not in seen:
            seen[sentence] = _flow(result_of(engine.animate(_request(sentence))).awakened)
        height, width = seen[sentence].shape[1:3]
        mask = Image.new("1", (width, height))
        ImageDraw.Draw(mask).polygon([(x * width / 100, y * height / 100) for x, y in polygon], 1)
        inside = seen[sentence][:, np.asarray(mask)]
        speed = np.linalg.norm(inside, axis=-1).mean()
        return tuple(100 / width * value for value in (speed, *inside.mean((0, 1))))

    return of


def _request(sentence: str) -> Request:
    return Request(painting=PAINTING, prompt=sentence, size=256)


def _flow(video: np.ndarray) -> np.ndarray:
    """(f, h, w, 3) uint8 -> (f - 1, h, w, 2) in pixels."""
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in video]
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return np.stack([dis.calc(a, b, None) for a, b in zip(grey[:-1], grey[1:], strict=True)])


def test_what_must_stay_still_stays_still(flow):
    drift, waves = flow("the clouds drift", SKY)[0], flow("the wheat sways in the wind", FIELD)[0]
    assert drift > 0.4 and waves > 0.1
    assert flow("The clouds do not move", SKY)[0] < 0.02
    both = "the wheat sways in the wind and the clouds stay still"
    assert flow(both, SKY)[0] < 0.1 * drift
    assert flow(both, FIELD)[0] > 0.7 * waves
    assert flow("麦浪在风中起伏，云不动", SKY)[0] < 0.1 * drift
    assert flow("everything moves except the sky", SKY)[0] < 0.1 * drift


def test_slow_and_fast_are_seen(flow):
    plain = flow("the clouds drift", SKY)[0]
    assert 0.2 * plain < flow("the clouds drift slowly", SKY)[0] < 0.7 * plain
    assert flow("the clouds drift fast", SKY)[0] > 1.3 * plain


def test_the_flow_has_the_asked_sign(flow):
    for sentence in ("the clouds drift to the left", "the clouds drift from the right"):
        _, x, y = flow(sentence, SKY)
        assert x < -0.3 and abs(y) < -x
    _, x, y = flow("the clouds drift to the right", SKY)
    assert x > 0.3 and abs(y) < x
    _, x, y = flow("the clouds drift upwards", SKY)
    assert y < -0.2 and abs(x) < -y


def displaced(channels: slice, *ends: tuple[float, float], share: slice = REGION) -> torch.Tensor:
    """Latents of a video whose displacement goes in straight lines to the ``ends``, in cells."""
    values = torch.zeros(1, 18, 16, 4, 4)
    stops = torch.tensor([(0.0, 0.0), *ends]).T[None]
    way = torch.nn.functional.interpolate(stops, 16, mode="linear", align_corners=True)
    values[:, channels], values[:, share] = way[..., None, None], 1
    values[:, LIGHT] = 0.3
    return latents_of(values)


def end(z: torch.Tensor, channels: slice) -> list[float]:
    return [round(x, 2) for x in values_of(z)[0, channels, -1, 0, 0].tolist()]


@pytest.mark.parametrize(
    ("sentence", "before", "after"),
    [
        ("to the left", (3, 0), (-3, 0)),
        ("to the left", (-3, 0), (-3, 0)),
        ("to the right", (-3, 1), (3, 1)),
        ("to the upper left", (2, 2), (-2, -2)),
        ("upwards", (3, 0), (0, -1.8)),  # turned, and less far
        ("downwards", (-3, 0), (0, 1.8)),
        ("to the right", (0, -2), (1.41, -1.41)),  # what rises is blown aside
    ],
)
def test_what_goes_against_the_sentence_is_turned(sentence, before, after):
    asked = read(f"it moves {sentence}")
    assert end(as_asked(displaced(FLOW, before), asked), FLOW) == pytest.approx(after, abs=0.02)
    thing = displaced(SHIFT, before, share=slice(6, 7))
    assert end(as_asked(thing, asked), SHIFT) == pytest.approx(after, abs=0.02)


def test_what_swings_has_no_way_to_turn():
    swing = displaced(FLOW, (2, 0), (-2, 0), (0.2, 0))
    torch.testing.assert_close(as_asked(swing, read("the trees sway to the left")), swing)


def test_pace_is_a_factor_and_a_still_sentence_a_still_video():
    z = displaced(FLOW, (3, 0))
    assert torch.equal(as_asked(z, read("the clouds drift")), z)
    slow, fast = (read(f"the clouds drift {pace}") for pace in ("slowly", "fast"))
    assert end(as_asked(z, slow), FLOW) == pytest.approx((3 * slow.speed, 0), abs=0.02)
    assert end(as_asked(z, fast), FLOW) == pytest.approx((3 * fast.speed, 0), abs=0.05)
    back = values_of(as_asked(displaced(FLOW, (2, 0), (0, 0)), fast))[0, 4, :, 0, 0]
    assert back.min() > -0.3 and back.max() < 2 * fast.speed  # and comes back no farther
    still = as_asked(z, read("nothing moves"))
    assert torch.equal(still[:, LIGHT], z[:, LIGHT]) and not still[:, 3:].any()
