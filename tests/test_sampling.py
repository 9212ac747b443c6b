"""Schedules, guidance and the denoising loop."""

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler

from awaken.backends import Condition
from awaken.sampling import PUBLISHED_START_SNR, Schedule, denoise, guided_prediction
from tests.test_vsds import drain
from tests.tiny import TinyBackend


def test_levels_are_the_schedulers_own():
    schedule = TinyBackend().schedule(25)
    z0, noise = torch.randn(2, 1, 4, 2, 3, 3)
    for i in (0, 9, 24):
        t = torch.tensor([schedule.timesteps[i]])
        theirs = schedule.scheduler.add_noise(z0, noise, t)
        torch.testing.assert_close(schedule.add_noise(z0, noise, i), theirs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
def test_an_oracle_is_denoised_to_its_target(prediction):
    """A network that always names the same clean video must lead there, whatever it predicts."""
    backend = TinyBackend(prediction=prediction)
    schedule, target = backend.schedule(10), torch.randn(1, 4, 2, 3, 3)
    levels = dict(zip(schedule.timesteps, zip(schedule.a, schedule.s, strict=True), strict=True))

    class Oracle:
        def predict(self, z, t, condition):
            a, s = levels[t]
            eps = (z - a * target) / s
            return {"epsilon": eps, "v_prediction": a * eps - s * target, "sample": target}[
                prediction
            ][None]

    z = schedule.add_noise(torch.randn_like(target), torch.randn_like(target), 0)
    seen, z0 = drain(denoise(Oracle(), z, schedule, Condition({}, 1), ()))
    torch.testing.assert_close(z0, target, atol=2e-3, rtol=0)
    assert [index for index, _, _ in seen] == list(range(1, 11))


def test_zero_terminal_snr_is_denoised_too():
    backend = TinyBackend(prediction="v_prediction", zero_snr=True)
    schedule, target = backend.schedule(10), torch.randn(1, 4, 2, 3, 3)
    levels = dict(zip(schedule.timesteps, zip(schedule.a, schedule.s, strict=True), strict=True))

    class Oracle:
        def predict(self, z, t, condition):
            a, s = levels[t]
            return ((a * z - target) / s)[None]

    z = schedule.add_noise(target, torch.randn_like(target), 0)
    _, z0 = drain(denoise(Oracle(), z, schedule, Condition({}, 1), ()))
    torch.testing.assert_close(z0, target, atol=2e-3, rtol=0)


def test_flow_schedules_start_at_the_published_signal_to_noise_ratio():
    schedule = Schedule.from_scheduler(FlowMatchEulerDiscreteScheduler(shift=5.0), 50)
    assert schedule.prediction == "flow" and schedule.s[0] == pytest.approx(1.0)
    start = schedule.start_index(1.0)
    ratio = schedule.a[start] / schedule.s[start]
    assert ratio >= PUBLISHED_START_SNR and start > 0
    assert schedule.a[start - 1] / schedule.s[start - 1] < PUBLISHED_START_SNR


def test_zero_terminal_snr_starts_late_and_ordinary_schedules_at_the_first_step():
    assert TinyBackend(prediction="v_prediction", zero_snr=True).schedule(50).start_index(1.0) > 0
    assert TinyBackend().schedule(25).start_index(1.0) == 0
    assert TinyBackend().schedule(25).start_index(0.8) == 5
    assert TinyBackend().schedule(25).start_index(0.01) == 24


def test_guidance_adds_each_branch_over_the_weaker_one():
    class Fixed:
        def predict(self, z, t, condition):
            return torch.stack([z, z + 1, z + 3])

    z = torch.zeros(1, 1, 1, 1, 1)
    assert guided_prediction(Fixed(), z, 0, None, (2.0, 5.0)).item() == 2 * 1 + 5 * 2


def test_a_later_start_runs_fewer_steps():
    backend = TinyBackend()
    schedule = backend.schedule(10)
    condition = Condition({"image": torch.zeros(1, 4, 1, 3, 3), "text": torch.zeros(1, 1)}, 1)
    drain(denoise(backend, torch.randn(1, 4, 2, 3, 3), schedule, condition, (), start=4))
    assert backend.evaluations == 6
