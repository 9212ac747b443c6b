"""What models of today ask of the protocol: their own levels, starts, still videos and conditions."""

from dataclasses import replace

import pytest
import torch
from diffusers import (
    CogVideoXDDIMScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    UniPCMultistepScheduler,
)

from awaken.backends import Condition
from awaken.memo import Memo
from awaken.method import awaken
from awaken.plan import Plan
from awaken.sampling import Outcome, Schedule, denoise, guided_prediction, published_level
from awaken.settings import resolve
from awaken.types import Request
from awaken.vsds import alpha_schedule, distil, update_rates
from tests.test_vsds import drain
from tests.tiny import TINY, TINY_PROXY, TinyBackend, TinyProxy, painting


def wan(steps, shift=5.0, **more):
    scheduler = UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift
    )
    return Schedule.from_scheduler(scheduler, steps, **more)


def test_levels_of_ones_own_and_shifts_reach_the_scheduler():
    scheduler = FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True)
    weak = Schedule.from_scheduler(scheduler, 4, mu=0.5)
    strong = Schedule.from_scheduler(scheduler, 4, mu=2.0)
    assert strong.s[1] > weak.s[1]
    own = Schedule.from_scheduler(FlowMatchEulerDiscreteScheduler(), 9, sigmas=[1.0, 0.75, 0.5])
    assert own.s == (1.0, 0.75, 0.5) and len(own) == 3


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_latents_of_growing_size_are_divided_for_the_network_and_denoised(prediction):
    """z = z0 + sigma eps: a network that knows the clean video must lead there."""
    scheduler = EulerDiscreteScheduler(prediction_type=prediction, use_karras_sigmas=True)
    schedule = Schedule.from_scheduler(scheduler, 12)
    target, noise = torch.randn(2, 1, 4, 2, 3, 3)
    start = schedule.pure_noise(noise)
    assert start.std() > 10 * noise.std() and set(schedule.a) == {1.0}
    theirs = EulerDiscreteScheduler.from_config(scheduler.config)
    theirs.set_timesteps(12)
    scaled = theirs.scale_model_input(start, theirs.timesteps[0])
    assert torch.equal(schedule.network_input(start, 0), scaled)
    levels = dict(zip(schedule.timesteps, schedule.s, strict=True))

    class Oracle:
        def predict(self, z, t, condition):
            s = levels[t]
            a, s = 1 / (s * s + 1) ** 0.5, s / (s * s + 1) ** 0.5  # z comes divided
            eps = (z - a * target) / s
            return {"epsilon": eps, "v_prediction": a * eps - s * target}[prediction][None]

    seen, z0 = drain(denoise(Oracle(), start, schedule, Condition({}, 1), ()))
    torch.testing.assert_close(z0, target, atol=2e-3, rtol=0)
    torch.testing.assert_close(seen[0][2], target, atol=2e-2, rtol=0)
    _, moved = drain(
        distil(
            Oracle(), torch.zeros_like(target), noise, schedule, Condition({}, 1), (), [0.5], [7]
        )
    )
    (rate,) = update_rates(schedule, [0.5], [7])
    torch.testing.assert_close(moved, rate * target, atol=1e-4, rtol=1e-4)


def test_the_published_noise_levels():
    assert published_level(0.0) == pytest.approx(0.936, abs=5e-4)
    assert published_level(0.6) == pytest.approx(0.538, abs=5e-4)


def cogvideox(steps):
    scheduler = CogVideoXDDIMScheduler(
        prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing",
        snr_shift_scale=1.0, set_alpha_to_one=True,
    )  # fmt: skip
    return Schedule.from_scheduler(scheduler, steps, by_level=True)


@pytest.mark.parametrize(
    ("schedule", "tau"),
    [(wan(50, by_level=True), 28), (wan(40, 3.0, by_level=True), 22), (cogvideox(50), 25)],
)
def test_where_a_schedule_asks_for_it_the_published_levels_distil(schedule, tau):
    window = schedule.window(0.6)
    q = [schedule.s[i] / (schedule.a[i] + schedule.s[i]) for i in window]
    assert len(window) == tau and 0.538 <= q[-1] and q[0] <= 0.937
    rates = update_rates(schedule, alpha_schedule("stepwise-decreasing", tau), window)
    assert 0.6 < rates[0] < 0.95 and 0.45 < rates[-1] < 0.55 and max(rates) < 1
    assert schedule.window(0) == ()
    assert schedule.window(1.0)[-1] > window[-1]


def test_other_schedules_distil_their_first_steps_and_short_ones_at_least_one():
    assert TinyBackend().schedule(25).window(0.6) == tuple(range(16))
    assert wan(50).window(0.6) == tuple(range(31))
    for steps in (1, 2, 3):
        schedule = wan(steps, by_level=True)
        assert len(schedule.window(0.1)) >= 1 and schedule.start_index(1.0) < steps


def test_distillation_visits_the_windows_steps():
    schedule, visited = wan(10, by_level=True), []

    class Network:
        def predict(self, z, t, condition):
            visited.append(t)
            return torch.zeros_like(z)[None]

    z0 = torch.randn(1, 4, 2, 3, 3)
    drain(distil(Network(), z0, z0, schedule, Condition({}, 1), (), [1.0, 1.0], (4, 6)))
    assert visited == [schedule.timesteps[4], schedule.timesteps[6]]


def test_guidance_may_differ_from_frame_to_frame():
    class Fixed:
        def predict(self, z, t, condition):
            return torch.stack([z, z + 1])

    ramp = torch.tensor([1.0, 2.0, 3.0]).view(1, 1, 3, 1, 1)
    guided = guided_prediction(Fixed(), torch.zeros(1, 1, 3, 1, 1), 0, None, (ramp,))
    assert guided.flatten().tolist() == [1, 2, 3]


def test_opaque_conditions_are_stacked_in_the_order_of_their_videos():
    one, two = Condition({}, 2, ("a",)), Condition({}, 2, ("b",))
    both = Condition.stack([one, two, one])
    assert both.calls == ("a", "b", "a") and both.branches == 2


def test_a_negative_prompt_of_the_models_own_fills_an_empty_one():
    spec = replace(TINY, negative_prompt="static")
    given = Request(painting=painting(), prompt="the sea", proxy_strength=0.5)
    assert resolve(given, spec, TINY_PROXY).negative_prompt == "static"
    assert resolve(replace(given, negative_prompt="fog"), spec, TINY_PROXY).negative_prompt == "fog"
    assert resolve(replace(given, negative_prompt=" "), spec, TINY_PROXY).negative_prompt == " "


class Modern(TinyBackend):
    """Encodes pixels for its still video, begins with pure noise, asks for its size."""

    starts_from_noise = True

    def static_video(self, latents, frames, picture=None):
        return super().static_video(latents, frames) + picture.mean() / 255

    def schedule_for(self, steps, shape):
        self.shape = shape
        return super().schedule(steps)


def run(backend, **changes):
    settings = dict(painting=painting(), prompt="the sea", variant="+S", steps=4, guidance=3.0,
                    frames=4, proxy_strength=0.5)  # fmt: skip
    request = Request(**settings | changes)
    plan = Plan.of(request, request.painting, backend, TINY_PROXY, "tiny")
    loop = awaken(backend, TinyProxy, request, request.painting, plan, Memo(1 << 24))
    with torch.inference_mode():
        return Outcome(loop).finish()


def test_a_models_own_start_is_the_baselines_and_its_still_video_the_methods():
    modern, plain = Modern(), TinyBackend()
    baseline, fused = run(modern)
    assert modern.shape == (4, 64, 64)
    noised_still, other = run(plain)
    assert not torch.equal(baseline, noised_still) and not torch.equal(fused, other)
    draw = torch.Generator().manual_seed(42)
    latents = modern.encode(painting(), 42)
    still = modern.static_video(latents, 4, painting())
    *_, final = (modern.draw_noise(draw, still, False) for _ in range(3))
    condition = modern.condition(painting(), latents, settings_of(modern))
    _, expected = drain(denoise(modern, final, modern.schedule(4), condition, (3.0,)))
    assert torch.equal(baseline, expected)


def settings_of(backend):
    from awaken.backends import VideoSettings

    return VideoSettings("the sea", 4, 3.0)
