"""The measures: closed forms, intervals and ratios."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from awaken.evaluate import fvd, measures, summary


def texture(height: int, width: int) -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (height // 4, width // 4, 3), np.uint8)
    return np.asarray(Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC))


def test_a_region_that_moves_two_pixels_a_frame_is_measured_so():
    wide = texture(256, 400)
    painting = wide[:, :320]
    region = np.zeros((256, 320), bool)
    region[:128] = True
    frames = np.stack([painting.copy() for _ in range(9)])
    for i in range(9):
        frames[i, :128] = wide[:128, 2 * i : 2 * i + 320]
    found = measures.measure(frames, painting, region)
    two = 100 * 2 / 256
    assert found["inside"] == pytest.approx(two, rel=0.1)
    assert found["flow"] == pytest.approx(two / 2, rel=0.1)
    assert found["top"] == pytest.approx(two, rel=0.15)
    assert found["outside"] < 0.08 and found["share"] > 0.95 and found["agreement"] > 0.97
    assert found["psnr"] == 60 and found["detail"] == pytest.approx(1, abs=0.05)
    assert found["flicker"] < 1
    wrong = measures.measure(frames, painting, ~region)
    assert wrong["share"] < 0.05 and wrong["outside"] > 0.6 and wrong["agreement"] < 0.03
    nowhere = measures.measure(frames, painting)
    assert nowhere.keys() == found.keys() - {"inside", "outside", "share", "agreement"}


def test_a_still_video_moves_nowhere_and_a_flickering_one_flickers():
    painting = texture(256, 256)
    region = np.zeros((256, 256), bool)
    region[:100] = True
    still = measures.measure(np.stack([painting] * 6), painting, region)
    assert still["share"] == still["inside"] == still["flicker"] == still["change"] == 0
    assert still["agreement"] == 0.5
    blinking = np.stack([painting // 2 + 60, painting // 2 + 70] * 3)
    found = measures.measure(blinking, painting, region)
    assert found["change"] == 100 and found["flicker"] == pytest.approx(20, abs=0.5)
    assert found["detail"] == pytest.approx(0.25, abs=0.03)
    shifted = measures.measure(np.stack([painting // 2] * 3), painting // 2 + 10)
    assert shifted["psnr"] == pytest.approx(20 * np.log10(255 / 10))


def test_agreement_is_the_chance_that_a_pixel_inside_moves_more():
    motion = np.array([[3.0, 1.0], [2.0, 2.0]])
    inside = np.array([[True, False], [True, False]])
    assert measures.agreement(motion, inside) == (1 + 1 + 1 + 0.5) / 4
    assert measures.agreement(motion, ~inside) == 0.5 / 4
    assert measures.agreement(motion, np.ones_like(inside)) == 0.5


def gaussian(n: int, mean: np.ndarray, covariance: np.ndarray, seed: int) -> np.ndarray:
    """Samples whose mean and covariance are exactly these."""
    x = np.random.default_rng(seed).standard_normal((n, len(mean)))
    x -= x.mean(0)
    x = x @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T)).T)
    return x @ np.linalg.cholesky(covariance).T + mean


def test_the_frechet_distance_has_its_closed_forms():
    eye, zero = np.eye(4), np.zeros(4)
    a = gaussian(50, zero, eye, 0)
    assert fvd.frechet(a, a) == pytest.approx(0, abs=1e-9)
    assert fvd.frechet(a, a + 3) == pytest.approx(4 * 9)
    assert fvd.frechet(a, 2 * a) == pytest.approx(4)  # (1 - 2)^2 in each of four directions
    first, second = np.diag([1.0, 4, 9, 16]), np.diag([4.0, 4, 1, 25])
    b, c = gaussian(60, zero, first, 1), gaussian(70, zero + 0.5, second, 2)
    assert fvd.frechet(b, c) == pytest.approx(4 * 0.25 + 1 + 0 + 4 + 1)
    assert fvd.frechet(c, b) == pytest.approx(fvd.frechet(b, c))


def test_the_frechet_distance_equals_the_root_of_the_product():
    """Covariances that do not commute, and fewer samples than directions."""
    rng = np.random.default_rng(3)
    for n, m in ((80, 90), (6, 5)):
        a = rng.standard_normal((n, 12)) @ rng.standard_normal((12, 12))
        b = rng.standard_normal((m, 12)) @ rng.standard_normal((12, 12)) + 1
        s, t = np.cov(a.T), np.cov(b.T)
        root = np.sqrt(np.clip(np.linalg.eigvals(s @ t).real, 0, None)).sum()
        wanted = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(s) + np.trace(t) - 2 * root
        assert fvd.frechet(a, b) == pytest.approx(wanted, rel=1e-6)


def test_small_samples_are_refused_and_middling_ones_doubted():
    """Equal distributions of 400 directions, 256 videos a side, still come near 300."""
    assert "needs 256" in fvd.remark(255) and "too high" in fvd.remark(256)
    assert fvd.remark(1000) is None
    rng = np.random.default_rng(0)
    far = fvd.frechet(rng.standard_normal((256, 400)), rng.standard_normal((256, 400)))
    assert 280 < far < 320


def test_intervals_cover_the_mean_and_resample_whole_scenes():
    rng = np.random.default_rng(0)
    values = {f"{i}": float(v) for i, v in enumerate(rng.normal(5, 2, 400))}
    apart = summary.interval(values, {i: i for i in values})
    assert apart["mean"] == pytest.approx(np.mean(list(values.values())))
    half = (apart["high"] - apart["low"]) / 2
    assert half == pytest.approx(1.96 * 2 / 20, rel=0.15)
    # Ten copies of forty scenes tell no more than the forty do.
    copies = {f"{i}.{k}": values[f"{i}"] for i in range(40) for k in range(10)}
    together = summary.interval(copies, {name: name.split(".")[0] for name in copies})
    assert (together["high"] - together["low"]) / 2 == pytest.approx(1.96 * 2 / 40**0.5, rel=0.3)


def test_differences_are_paired():
    base = {"a": 1.0, "b": 10.0, "c": 100.0}
    ours = {"a": 1.5, "b": 10.5, "c": 99.0, "d": 7.0}
    scenes = {name: name for name in ours}
    gap = summary.difference(ours, base, scenes, more=True)
    assert gap["mean"] == 0 and gap["videos"] == 3 and gap["better"] == pytest.approx(2 / 3)
    assert summary.difference(ours, base, scenes, more=False)["better"] == pytest.approx(1 / 3)
    assert summary.difference({"d": 1.0}, base, scenes, None) == {}


def test_ratios_count_pairs_that_move_a_tenth_more_or_less():
    base = {"a": 1.0, "b": 1.0, "c": 1.0, "still": 0.0}
    found = summary.ratios({"a": 2.0, "b": 1.05, "c": 0.5, "still": 0.0}, base)
    assert found == {"median": pytest.approx(1.025, abs=1e-3), "more": 0.25, "less": 0.25}
    assert summary.ratios({"x": 1.0}, base) == {}


def test_a_pairs_ratio_is_of_the_means_of_its_seeds():
    base = {"a.s42": 0.5, "a.s43": 1.5}
    assert summary.ratios({"a.s42": 3.0, "a.s43": 1.0}, base)["median"] == pytest.approx(
        2, abs=1e-3
    )
