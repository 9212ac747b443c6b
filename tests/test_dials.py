"""The dials are heard: turning one changes what is measured on decoded frames, in the right direction.

tests/data/wheat-field.jpg is Van Gogh's Wheat Field with Cypresses (1889), which no training saw. The
shipped weights run at 25 steps; motion is optical flow in the sky, in % of the short side per frame.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from awaken.engine import Engine, result_of
from awaken.evaluate.measures import measure
from awaken.types import Request, Result

PAINTING = np.asarray(Image.open(Path(__file__).parent / "data" / "wheat-field.jpg"))
SEEDS = (42, 43)


@pytest.fixture(scope="module")
def run():
    """Settings -> the Result of a run on the painting."""
    engine = Engine(device="cpu", dtype="float32")

    def made(prompt="the clouds drift across the sky", **settings) -> Result:
        request = Request(PAINTING, prompt, **{"size": 192, **settings})
        return result_of(engine.animate(request))

    return made


@pytest.fixture(scope="module")
def moved(run):
    """Settings -> mean motion in the sky of the baseline and of the awakened video."""

    @cache
    def measured(**settings) -> tuple[float, float]:
        found = []
        for seed in SEEDS:
            result = run(seed=seed, **settings)
            sky = np.zeros(result.baseline.shape[1:3], bool)
            sky[: sky.shape[0] * 2 // 5] = True
            videos = result.baseline, result.awakened
            found.append([measure(v, result.painting, sky)["inside"] for v in videos])
        return tuple(np.mean(found, 0))

    return measured


def test_the_method_moves_the_sky_more_than_the_baseline(moved):
    baseline, awakened = moved()
    assert awakened > 1.3 * baseline


def test_more_of_p_moves_more(moved):
    none, published, all_steps = (moved(p=p)[1] for p in (0.0, 0.6, 1.0))
    assert published > 1.3 * none
    assert all_steps > 0.9 * published


def test_a_higher_peak_and_a_curve_of_larger_steps_move_more(moved):
    assert moved(peak=20.0)[1] > moved()[1] > moved(peak=2.0)[1]
    assert moved()[1] > moved(alpha="constant")[1]


def test_the_light_of_later_frames_follows_the_proxy(run):
    brighter = np.clip(PAINTING.astype(int) + 40, 0, 255).astype(np.uint8)
    change = []
    for proxy in (PAINTING, brighter):
        video = run(proxy="upload", proxy_image=proxy).awakened
        change.append(float(video[-1].mean()) - float(video[0].mean()))
    assert change[1] > change[0] + 5


def test_pure_noise_is_as_still_a_start_as_the_still_painting(moved):
    """Latents of what does not move are zero, so that neither start tells of motion."""
    noise, published = moved(start="noise"), moved()
    assert noise[1] == published[1], "the method does not start there"
    assert noise[0] != published[0] and noise[0] < noise[1]


def test_more_of_the_motion_dial_moves_more(moved):
    assert moved(motion=2.0)[1] > 1.3 * moved(motion=0.5)[1]


def test_a_proxy_in_which_the_sky_is_rougher_moves_it_more(moved):
    assert moved()[1] > 1.05 * moved(proxy="identity")[1]
