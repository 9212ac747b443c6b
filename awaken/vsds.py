"""Sec. 3.3: video score distillation sampling (Eq. 2, 3) and the alpha curves of Fig. 6.

The published update is z0 <- z0 - alpha w (eps_hat - eps), with w = 1 - alpha_bar and one fixed
noise. Since eps_hat - eps = (a/s)(z0 - z0_hat), it is also

    z0 <- z0 + lambda (z0_hat - z0),    lambda = alpha w a / s,

a damped pull towards the network's own guess of the clean video, which holds for epsilon, v, sample
and flow models alike and has no division by zero at zero terminal SNR.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from awaken.sampling import Loop, Schedule, distilled_steps, guided_prediction

if TYPE_CHECKING:
    import torch

    from awaken.backends import Condition
    from awaken.sampling import Network, Scale

__all__ = ["alpha_schedule", "distil", "distilled_steps", "update_rates"]


def _line(first: float, last: float, n: int) -> list[float]:
    return [first + (last - first) * i / (n - 1) for i in range(n)] if n > 1 else [first] * n


def alpha_schedule(kind: str, steps: int, peak: float = 10.0) -> list[float]:
    """The step sizes alpha of Fig. 6, one per distilled step.

    Args:
        kind: ``stepwise-decreasing`` (the paper's choice), ``linear-decreasing``, their mirror
            images ``stepwise-increasing`` and ``linear-increasing``, or ``constant`` (ones,
            I4VGen's rule).
        steps: number of distilled steps, >= 0. An odd step of a stepwise curve goes to the ones.
        peak: the largest alpha; 10 in the published code.

    Raises:
        ValueError: for an unknown kind or a negative number of steps.
    """
    if steps < 0:
        raise ValueError(f"steps must not be negative, got {steps}")
    if kind == "constant":
        return [1.0] * steps
    if steps == 1 and kind.endswith(("-decreasing", "-increasing")):
        return [float(peak)]
    if kind == "linear-decreasing":
        return _line(peak, 1.0, steps)
    if kind == "stepwise-decreasing":
        return _line(peak, 1.0, steps // 2) + [1.0] * (steps - steps // 2)
    if kind in ("linear-increasing", "stepwise-increasing"):
        return alpha_schedule(kind.replace("increasing", "decreasing"), steps, peak)[::-1]
    raise ValueError(f"unknown alpha curve {kind!r}")


def update_rates(
    schedule: Schedule, alphas: Sequence[float], window: Sequence[int] | None = None
) -> list[float]:
    """lambda of every distilled step: alpha w a / s, with w = s^2 / (a^2 + s^2).

    window: the steps that distil, one per alpha; None is the schedule's first.

    For variance-preserving schedules w is the published 1 - alpha_bar; for flow models it is the
    same weight at the same signal-to-noise ratio. 0 to 1 is a damped pull, 1 to 2 overshoots,
    above 2 diverges.
    """
    steps = range(len(schedule)) if window is None else window
    a, s = schedule.a, schedule.s
    pairs = zip(alphas, steps, strict=False)
    return [alpha * a[i] * s[i] / (a[i] * a[i] + s[i] * s[i]) for alpha, i in pairs]


def distil(
    network: Network,
    z0: torch.Tensor,
    noise: torch.Tensor,
    schedule: Schedule,
    condition: Condition,
    scales: Sequence[Scale],
    alphas: Sequence[float],
    window: Sequence[int] | None = None,
) -> Loop:
    """Give static videos motion (Eq. 3); the paths are independent items of the batch.

    Args:
        z0: static videos, (b, c, f, h, w) float32.
        noise: one fixed noise per path, same shape, used at every step.
        condition: each path conditioned on its own image.
        alphas: one step size per distilled step, noisiest first (``alpha_schedule``).
        window: these steps of the schedule (``Schedule.window``); None is its first.

    Returns the distilled videos.
    """
    rates = update_rates(schedule, alphas, window)
    steps = range(len(rates)) if window is None else window
    for n, (i, rate) in enumerate(zip(steps, rates, strict=True), 1):
        z_t = schedule.add_noise(z0, noise, i)
        given = schedule.network_input(z_t, i)
        prediction = guided_prediction(network, given, schedule.timesteps[i], condition, scales)
        z0 = z0 + rate * (schedule.clean(z_t, prediction, i) - z0)
        yield n, len(rates), z0
    return z0
