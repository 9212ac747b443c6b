"""Sec. 3.3: the alpha curves, and distillation in x0 form against the published epsilon form."""

import numpy as np
import pytest
import torch

from awaken.backends import Condition
from awaken.sampling import Outcome, Schedule, guided_prediction
from awaken.vsds import alpha_schedule, distil, distilled_steps, update_rates
from tests.tiny import TinyBackend


def drain(loop):
    """Run a loop to its end and return (yields, result)."""
    outcome = Outcome(loop)
    return list(outcome), outcome.value


@pytest.mark.parametrize(
    "steps, p, tau", [(25, 0.6, 16), (50, 0.6, 31), (25, 0, 0), (25, 1, 25), (1, 0.01, 1)]
)
def test_distilled_steps_follow_the_published_rule(steps, p, tau):
    assert distilled_steps(steps, p) == tau


def test_stepwise_decreasing_is_the_published_curve():
    expected = np.linspace(10, 1, 8).tolist() + [1.0] * 8
    assert alpha_schedule("stepwise-decreasing", 16) == pytest.approx(expected)


def test_an_odd_step_goes_to_the_ones():
    assert alpha_schedule("stepwise-decreasing", 5, 4.0) == pytest.approx([4, 1, 1, 1, 1])
    assert alpha_schedule("stepwise-increasing", 5, 4.0) == pytest.approx([1, 1, 1, 1, 4])


def test_linear_curves_run_between_peak_and_one_and_mirror_each_other():
    down = alpha_schedule("linear-decreasing", 7, 8.0)
    assert down == pytest.approx(np.linspace(8, 1, 7))
    assert alpha_schedule("linear-increasing", 7, 8.0) == pytest.approx(down[::-1])


@pytest.mark.parametrize("kind", ["stepwise-decreasing", "linear-decreasing",
                                  "stepwise-increasing", "linear-increasing"])  # fmt: skip
def test_curves_of_no_step_and_of_one_step(kind):
    assert alpha_schedule(kind, 0) == []
    assert alpha_schedule(kind, 1, 7.0) == [7.0]


def test_constant_is_ones_and_unknown_kinds_are_refused():
    assert alpha_schedule("constant", 3, 9.0) == [1.0, 1.0, 1.0]
    assert alpha_schedule("constant", 1, 9.0) == [1.0]
    with pytest.raises(ValueError, match="unknown alpha curve"):
        alpha_schedule("wavy", 1)


def inputs(backend, paths=1, frames=3):
    draw = torch.Generator().manual_seed(1)
    z0, noise = (torch.randn(paths, 4, frames, 6, 5, generator=draw).double() for _ in range(2))
    image = torch.randn(2, paths, 4, 1, 6, 5, generator=draw).double()
    text = torch.tensor([0.0, 0.7]).double()[:, None, None].expand(2, paths, 1)
    condition = Condition({"image": image.flatten(0, 1), "text": text.flatten(0, 1)}, 2)
    return z0, noise, condition


def test_the_x0_form_equals_the_published_epsilon_update():
    backend = TinyBackend(dtype=torch.float64)
    schedule = backend.schedule(25)
    z0, noise, condition = inputs(backend)
    alphas = alpha_schedule("stepwise-decreasing", 16)
    _, ours = drain(distil(backend, z0, noise, schedule, condition, (9.0,), alphas))

    published = z0
    abar = schedule.scheduler.alphas_cumprod.double()
    for t, alpha in zip(schedule.timesteps, alphas, strict=False):
        z_t = abar[t].sqrt() * published + (1 - abar[t]).sqrt() * noise
        eps = guided_prediction(backend, z_t, t, condition, (9.0,))
        published = published - alpha * (1 - abar[t]) * (eps - noise)
    torch.testing.assert_close(ours, published, rtol=1e-9, atol=1e-9)


def schedule_of(prediction, a, s):
    return Schedule((500.0,), (a,), (s,), prediction, None)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample", "flow"])
def test_every_parametrisation_gives_the_same_update(prediction):
    """A network that knows the clean video: all forms must pull z0 to it by lambda."""
    a, s = (0.8, 0.6) if prediction != "flow" else (0.4, 0.6)
    z0, noise, target = torch.randn(3, 1, 4, 2, 3, 3, dtype=torch.float64)

    class Oracle:
        def predict(self, z, t, condition):
            eps = (z - a * target) / s
            forms = {"epsilon": eps, "v_prediction": a * eps - s * target, "sample": target,
                     "flow": eps - target}  # fmt: skip
            return forms[prediction][None]

    schedule = schedule_of(prediction, a, s)
    _, moved = drain(distil(Oracle(), z0, noise, schedule, Condition({}, 1), (), [0.5]))
    rate = 0.5 * a * s / (a * a + s * s)
    torch.testing.assert_close(moved, z0 + rate * (target - z0))


def test_rates_follow_the_published_ladder_and_warn_of_divergence():
    schedule = TinyBackend().schedule(25)
    rates = update_rates(schedule, alpha_schedule("stepwise-decreasing", 16))
    abar = schedule.scheduler.alphas_cumprod[951].item()
    assert rates[0] == pytest.approx(10 * (abar * (1 - abar)) ** 0.5, rel=1e-6)
    assert max(rates) < 1
    assert max(update_rates(schedule, alpha_schedule("linear-increasing", 16))) > 2


def test_one_fixed_noise_and_no_distillation_without_steps():
    backend = TinyBackend(dtype=torch.float64)
    z0, noise, condition = inputs(backend)
    seen, same = drain(distil(backend, z0, noise, backend.schedule(5), condition, (2.0,), []))
    assert seen == [] and same is z0 and backend.evaluations == 0


def test_paths_in_one_batch_equal_paths_one_by_one():
    backend = TinyBackend(dtype=torch.float64)
    schedule = backend.schedule(25)
    z0, noise, condition = inputs(backend, paths=2)
    alphas = alpha_schedule("stepwise-decreasing", 16)
    _, both = drain(distil(backend, z0, noise, schedule, condition, (9.0,), alphas))
    for i in range(2):
        one = Condition({n: v.unflatten(0, (2, 2))[:, i] for n, v in condition.tensors.items()}, 2)
        _, alone = drain(
            distil(backend, z0[i : i + 1], noise[i : i + 1], schedule, one, (9.0,), alphas)
        )
        torch.testing.assert_close(both[i : i + 1], alone, rtol=1e-9, atol=1e-9)
