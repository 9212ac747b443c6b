"""Latent paths and their numbers: closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from awaken import analysis


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def line(rng, frames: int = 16, d: int = 40) -> np.ndarray:
    return np.linspace(0, 1, frames)[:, None] * rng.standard_normal(d) + rng.standard_normal(d)


def test_a_line_is_straight_and_in_order(rng):
    path = line(rng)
    assert analysis.straightness(path) == pytest.approx(1)
    assert analysis.order(path) == pytest.approx(1)
    assert analysis.order(path[::-1]) == pytest.approx(1)


def test_uneven_steps_along_a_line_change_neither(rng):
    path = np.sort(rng.random(16))[:, None] * rng.standard_normal(12)
    assert analysis.straightness(path) == pytest.approx(1)
    assert analysis.order(path) == pytest.approx(1)


def test_shuffled_frames_lose_both(rng):
    shuffled = line(rng, 32)[rng.permutation(32)]
    assert analysis.straightness(shuffled) < 0.2
    assert analysis.order(shuffled) < 0.4


def test_a_half_circle_and_a_square():
    angle = np.linspace(0, np.pi, 400)
    half = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    assert analysis.straightness(half) == pytest.approx(2 / np.pi, abs=1e-4)
    assert analysis.order(half) == pytest.approx(1)  # bends, yet in order
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], float)
    assert analysis.straightness(square) == pytest.approx(0, abs=1e-12)


def test_there_and_back_has_no_order():
    there = np.array([0, 1, 2, 3, 2, 1, 0], float)[:, None]
    assert analysis.straightness(there) == pytest.approx(0)
    assert analysis.order(there) == pytest.approx(0, abs=1e-12)


def test_a_still_video_has_neither_number():
    still = np.ones((8, 5))
    assert np.isnan(analysis.straightness(still)) and np.isnan(analysis.order(still))
    with pytest.raises(ValueError, match="two frames"):
        analysis.straightness(still[:1])


def test_numbers_ignore_shift_turn_and_scale(rng):
    path = rng.standard_normal((16, 6)).cumsum(0)
    turn, _ = np.linalg.qr(rng.standard_normal((6, 6)))
    moved = 3 * path @ turn + 5
    assert analysis.straightness(moved) == pytest.approx(analysis.straightness(path))
    assert analysis.order(moved) == pytest.approx(analysis.order(path))


def test_pca_finds_the_plane_and_its_shares(rng):
    flat = rng.standard_normal((20, 2)) * [3, 1]
    axes, _ = np.linalg.qr(rng.standard_normal((30, 30)))
    scores, shares = analysis.pca(flat @ axes[:2] + 4, 3)
    assert shares[:2].sum() == pytest.approx(1) and shares[0] > shares[1] and shares[2] < 1e-12
    centred = flat - flat.mean(0)
    assert np.linalg.norm(scores, axis=1) == pytest.approx(np.linalg.norm(centred, axis=1))
    assert (scores.max(0)[:2] >= -scores.min(0)[:2]).all()  # the sign is settled


def test_compact_keeps_every_distance(rng):
    points = rng.standard_normal((12, 900))
    small = analysis.compact(points)
    assert small.shape == (12, 12)

    def distances(x):
        return np.linalg.norm(x[:, None] - x[None], axis=-1)

    assert distances(small) == pytest.approx(distances(points))


def test_tsne_keeps_clusters_apart_and_is_deterministic(rng):
    centres = np.repeat(20 * rng.standard_normal((3, 50)), 16, axis=0)
    points = centres + rng.standard_normal((48, 50))
    seen = analysis.tsne(points)
    assert seen.shape == (48, 2) and np.isfinite(seen).all()
    assert np.array_equal(seen, analysis.tsne(points))
    label = np.repeat(range(3), 16)
    apart = np.linalg.norm(seen[:, None] - seen[None], axis=-1) + 1e9 * np.eye(48)
    assert (label[apart.argmin(1)] == label).all()
    same = label[:, None] == label[None]
    assert apart[same & (apart < 1e8)].max() < apart[~same].min()


def test_tsne_keeps_a_line_in_order(rng):
    seen = analysis.tsne(line(rng, 48))
    assert analysis.order(seen) > 0.95


def test_motion_in_grey_levels():
    video = np.zeros((4, 6, 6, 3), np.uint8)
    video[1::2] = 30
    assert analysis.motion(video) == pytest.approx(30)
    assert analysis.motion(video[:1]) == 0


def test_what_ever_moves_is_counted_once_and_a_flicker_below_the_eye_s_threshold_is_not():
    video = np.full((5, 20, 30, 3), 100, np.uint8)
    video[2, :2, :3] = 250  # moves there and back
    video[3, :2, 3:6, 1] = 0  # darker, in one channel
    video[4, 10:] = 108
    found = analysis.compared(video[:1].repeat(5, 0), video)
    assert found["awakened"]["awake"] == pytest.approx(12 / 600)
    assert found["baseline"]["awake"] == 0


def test_two_videos_are_compared_inside_a_region_and_outside():
    baseline = np.full((3, 20, 30, 3), 100, np.uint8)
    baseline[1, :, :10] = 120  # a third of the picture, 20 levels there and back
    awakened = baseline.copy()
    awakened[1, :, :10] = 160
    awakened[2, 0, 20] = 200  # one pixel elsewhere
    found = analysis.compared(baseline, awakened)
    assert found["region"] == pytest.approx(1 / 3 + 1 / 600, abs=1e-4), "whatever either moves"
    assert found["differ"] == found["region"] and not found["brushed"]
    assert found["baseline"]["inside"] == pytest.approx(20 * 200 / 201, rel=1e-3)
    assert found["baseline"]["outside"] == found["awakened"]["outside"] == 0
    assert found["baseline"]["curve"] == [pytest.approx(20 / 3, abs=1e-3)] * 2

    mask = np.zeros((40, 60), np.uint8)  # of another size
    mask[:, :30] = 255
    found = analysis.compared(baseline, awakened, mask)
    assert found["region"] == 0.5 and found["brushed"]
    assert found["awakened"]["inside"] == pytest.approx(60 * 2 / 3)
    assert found["awakened"]["outside"] == pytest.approx(100 / 300 / 2, rel=1e-2)


def test_edges_that_are_lost_are_counted_and_motion_in_place_is_not():
    rng = np.random.default_rng(0)
    still = np.full((96, 128, 3), 128, np.uint8)
    still[30:60, 20:60] = 230
    assert analysis.lost_edges(np.stack([still, still])) == 0
    swayed = np.roll(still, 6, axis=1)
    assert analysis.lost_edges(np.stack([still, swayed])) < 0.0025
    large = rng.integers(0, 255, (8, 8, 3), np.uint8).repeat(16, 0).repeat(16, 1)
    assert analysis.lost_edges(np.stack([large[10:106], large[16:112]])) < 0.0025
    torn = np.full_like(still, 128)
    torn[30:60, 84:104], torn[30:60, 20:40] = 230, 230
    assert analysis.lost_edges(np.stack([still, torn])) > 0.01
    blurred = (still.astype(int) * 0.1 + 0.9 * still.mean((0, 1))).astype(np.uint8)
    assert analysis.lost_edges(np.stack([still, blurred])) > 0.02
