"""The one denoising loop, and the little it needs to know of a noise schedule.

A schedule writes noisy latents as z_t = a z0 + s eps. Networks predict eps, v, z0 or the flow
velocity; everything here and in ``vsds`` works on their common estimate of z0
(k-diffusion's denoiser form; Lipman et al. 2023 for the flow).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    import torch

    from awaken.backends import Condition

T = TypeVar("T")

# Yields (step from 1, number of steps, running estimate of z0 (b, c, f, h, w)); returns the last z.
Loop: TypeAlias = "Generator[tuple[int, int, torch.Tensor], None, torch.Tensor]"

# Signal-to-noise ratio a/s of the published start: AnimateAnything's noisiest timestep (999).
PUBLISHED_START_SNR = 0.0684


class Outcome(Generic[T]):
    """Steps of a generator, and afterwards, as ``value``, what it returned."""

    value: T

    def __init__(self, loop: Generator[Any, None, T]) -> None:
        self._loop = loop

    def __iter__(self) -> Iterator[Any]:
        self.value = yield from self._loop

    def finish(self) -> T:
        """Run to the end; returns the value."""
        for _ in self:
            pass
        return self.value


class Network(Protocol):
    """What the loops ask of a backend."""

    def predict(self, z: torch.Tensor, t: float, condition: Condition) -> torch.Tensor: ...


@dataclass(frozen=True, eq=False)
class Schedule:
    """Noise levels as plain numbers, so that no step waits for the device, and the scheduler's step.

    timesteps, a, s: one entry per denoising step, noisiest first; z_t = a z0 + s eps.
    prediction: "epsilon", "v_prediction", "sample" or "flow".
    scheduler: a diffusers scheduler with its timesteps set; only ``step`` is called.
    """

    timesteps: tuple[float, ...]
    a: tuple[float, ...]
    s: tuple[float, ...]
    prediction: str
    scheduler: Any

    @classmethod
    def from_scheduler(cls, scheduler: Any, steps: int) -> Schedule:
        """Read the noise levels of a diffusers scheduler, after setting ``steps`` timesteps.

        Variance-preserving schedulers are read from ``alphas_cumprod`` at their integer timesteps,
        flow-matching ones from ``sigmas``.
        """
        scheduler.set_timesteps(steps)
        timesteps = tuple(scheduler.timesteps.tolist())
        prediction = scheduler.config.get("prediction_type", "epsilon")
        if hasattr(scheduler, "alphas_cumprod") and "flow" not in prediction:
            table = scheduler.alphas_cumprod[scheduler.timesteps.long().cpu()].double()
            a, s = table.sqrt().tolist(), (1 - table).sqrt().tolist()
            return cls(timesteps, tuple(a), tuple(s), prediction, scheduler)
        sigmas = scheduler.sigmas[: len(timesteps)].double().tolist()
        return cls(timesteps, tuple(1 - q for q in sigmas), tuple(sigmas), "flow", scheduler)

    def __len__(self) -> int:
        return len(self.timesteps)

    def add_noise(self, z0: torch.Tensor, noise: torch.Tensor, i: int) -> torch.Tensor:
        """z_t at step ``i``: a z0 + s eps."""
        return self.a[i] * z0 + self.s[i] * noise

    def clean(self, z: torch.Tensor, prediction: torch.Tensor, i: int) -> torch.Tensor:
        """The network's estimate of z0 from noisy latents ``z`` at step ``i``.

        Raises ZeroDivisionError for epsilon at a = 0, where z_t holds nothing of z0.
        """
        a, s = self.a[i], self.s[i]
        if self.prediction == "epsilon":
            return (z - s * prediction) / a
        if self.prediction == "v_prediction":
            return a * z - s * prediction
        if self.prediction == "sample":
            return prediction
        if self.prediction == "flow":
            return z - s * prediction
        raise ValueError(f"unknown prediction type {self.prediction!r}")

    def start_index(self, re_noise: float) -> int:
        """Where the final run begins when a share ``re_noise`` (0 to 1] of it is wanted.

        1 is the paper's: the first timestep. A zero-terminal-SNR or flow schedule would lose the
        fused latents there altogether, so it starts at the step whose a/s first reaches that of
        the published run (``PUBLISHED_START_SNR``).
        """
        wanted = len(self) - final_steps(len(self), re_noise)
        if self.a[0] / self.s[0] > PUBLISHED_START_SNR / 2:
            return wanted
        matched = next(i for i in range(len(self)) if self.a[i] >= PUBLISHED_START_SNR * self.s[i])
        return max(wanted, matched)


def final_steps(steps: int, re_noise: float) -> int:
    """Steps of the final run when a share ``re_noise`` (0 to 1] of it is wanted; at least one."""
    return max(1, round(steps * re_noise))


def guided_prediction(
    network: Network,
    z: torch.Tensor,
    t: float,
    condition: Condition,
    scales: Sequence[float],
) -> torch.Tensor:
    """Classifier-free guidance, applied here and nowhere else.

    The branches come weakest first (no text, ..., text); each scale multiplies the difference that
    one more condition makes: u + g (c - u) for text alone, Brooks et al. 2023 for image and text.
    """
    branches = network.predict(z, t, condition)
    guided = branches[0]
    for scale, lower, upper in zip(scales, branches[:-1], branches[1:], strict=False):
        guided = guided + scale * (upper - lower)
    return guided


def denoise(
    network: Network,
    z: torch.Tensor,
    schedule: Schedule,
    condition: Condition,
    scales: Sequence[float],
    start: int = 0,
) -> Loop:
    """Denoise ``z`` (noisy latents at step ``start``) to the end; returns z0."""
    if hasattr(schedule.scheduler, "set_begin_index"):  # multistep ones keep a position; DDIM not
        schedule.scheduler.set_begin_index(start)
    timesteps = schedule.scheduler.timesteps
    count = len(schedule) - start
    for n, i in enumerate(range(start, len(schedule)), 1):
        prediction = guided_prediction(network, z, schedule.timesteps[i], condition, scales)
        clean = schedule.clean(z, prediction, i)
        z = schedule.scheduler.step(prediction, timesteps[i], z, return_dict=False)[0]
        yield n, count, clean
    return z
