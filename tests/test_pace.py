"""Estimates that hold, on a machine whose clock is simulated."""

import random
from dataclasses import replace

import numpy as np
import pytest

from awaken.pace import PHASES, Countdown, Pace, Work

SIZES = (512, 96, 256, 512, 96, 384, 768, 96, 512, 256)


def work(size: int = 512, evaluations: int = 82, **changes) -> Work:
    area = size * size / 512**2
    return replace(Work("miniature", "miniature", area, area, evaluations), **changes)


def truth(w: Work, noise: random.Random | None = None) -> dict[str, float]:
    """What the phases of a run really take: overhead and slope, unlike the guesses, and some noise."""
    e = w.evaluations
    spent = {
        "load": 8.0 if w.loads else 0.4,
        "proxy": 1.2 + 2.5 * w.area if w.paints else 0.0,
        "sample": 0.8 + 0.03 * e + 0.07 * e * w.units if e else 0.0,
        "decode": w.decodes * (0.1 + 1.1 * w.units),
        "save": 0.5 + 0.8 * w.units,
    }
    shake = noise.uniform if noise else lambda low, high: 1.0
    return {phase: seconds * shake(0.9, 1.1) for phase, seconds in spent.items()}


def learnt(runs: list[Work], device: str = "cpu", seed: int = 0) -> Pace:
    pace, noise = Pace(device), random.Random(seed)
    for run in runs:
        spent = truth(run, noise)
        pace.learn(run, spent)
        pace.learn_saving(run.units, spent["save"])
    return pace


def mixed(seed: int) -> list[Work]:
    draw = random.Random(seed)
    sizes = draw.sample(SIZES, len(SIZES))
    return [work(size, draw.choice((4, 25, 57, 82))) for size in sizes]


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("seed", range(5))
def test_after_ten_runs_of_mixed_sizes_the_stated_time_is_true(device, seed):
    pace = learnt(mixed(seed), device, seed)
    runs = [work(size, e) for size in (96, 256, 512, 768) for e in (25, 82)]
    runs += [work(evaluations=25, paints=False), work(evaluations=0, paints=False, decodes=0)]
    for run in runs:
        assert pace.seconds(run) == pytest.approx(sum(truth(run).values()), rel=1 / 3)


@pytest.mark.parametrize("odd", [0.001, 1000.0])
@pytest.mark.parametrize("run", [work(96, 4), work(), work(768, 4)])
def test_one_run_moves_no_estimate_more_than_twofold(run, odd):
    pace = learnt(mixed(1))
    seen = [work(size, e) for size in (96, 512, 1024) for e in (4, 82)]
    before = [pace.seconds(each) for each in seen]
    pace.learn(run, {phase: odd * seconds for phase, seconds in truth(run).items()})
    ratios = np.array([pace.seconds(each) for each in seen]) / before
    assert (ratios <= 2).all() and (ratios >= 0.5).all()


def test_one_odd_run_among_ordinary_ones_counts_little():
    pace = learnt(mixed(1) + mixed(2))
    busy = {phase: 20 * seconds for phase, seconds in truth(work()).items()}
    pace.learn(work(), busy)
    assert pace.seconds(work()) == pytest.approx(sum(truth(work()).values()), rel=1 / 3)


def test_many_small_calls_do_not_price_the_large_runs():
    pace = learnt(mixed(1) + [work(96, 4)] * 30)
    assert pace.seconds(work()) == pytest.approx(sum(truth(work()).values()), rel=1 / 3)


def test_a_cold_start_is_priced_apart():
    pace = learnt([work(loads=True), *mixed(1)])
    cold, warm = pace.seconds(work(loads=True)), pace.seconds(work())
    assert cold - warm > 1.5


@pytest.mark.parametrize("speed", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("run", [work(), work(evaluations=25, paints=False), work(96, 4)])
def test_the_time_left_neither_leaps_nor_ends_early(run, speed):
    """``speed``: how much longer than ever before the run takes on a machine that is now busy."""
    now, stated = 0.0, []
    spent = {phase: speed * seconds for phase, seconds in truth(run).items()}
    countdown = Countdown(learnt(mixed(1)).phases(run), clock=lambda: now)
    for phase in PHASES[:3]:
        countdown.begin(phase)
        parts = run.evaluations if phase == "sample" else 5
        for part in range(1, parts + 1):
            now += spent[phase] / parts
            stated.append((now, countdown.left(part / parts)))
    end = sum(spent.values())
    lefts = [left for _, left in stated]
    assert all(after <= 1.25 * before for before, after in zip(lefts, lefts[1:], strict=False))
    assert min(lefts) > 0
    if speed == 1:
        for at, left in stated[len(stated) // 4 :]:
            assert left == pytest.approx(end - at, rel=1 / 3, abs=0.3)
