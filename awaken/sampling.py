"""The one denoising loop, and the little it needs to know of a noise schedule.

A schedule writes noisy latents as z_t = a z0 + s eps. Networks predict eps, v, z0 or the flow
velocity; everything here and in ``vsds`` works on their common estimate of z0
(k-diffusion's denoiser form; Lipman et al. 2023 for the flow).
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    import torch

    from awaken.backends import Condition

T = TypeVar("T")

# Yields (step from 1, number of steps, running estimate of z0 (b, c, f, h, w)); returns the last z.
Loop: TypeAlias = "Generator[tuple[int, int, torch.Tensor], None, torch.Tensor]"

# A guidance scale: one number, or a tensor that broadcasts over latents.
Scale: TypeAlias = "float | torch.Tensor"

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
    """Noise levels as plain numbers (no step waits for the device), and the scheduler's step.

    timesteps, a, s: one entry per denoising step, noisiest first; z_t = a z0 + s eps.
    prediction: "epsilon", "v_prediction", "sample" or "flow".
    scheduler: a diffusers scheduler with its timesteps set; only ``step`` is called.
    scales: what z_t is divided by before a network reads it; empty where it reads z_t itself.
    by_level: distil at the published noise levels instead of at a share of the steps (``window``).
    """

    timesteps: tuple[float, ...]
    a: tuple[float, ...]
    s: tuple[float, ...]
    prediction: str
    scheduler: Any
    scales: tuple[float, ...] = ()
    by_level: bool = False

    @classmethod
    def from_scheduler(
        cls, scheduler: Any, steps: int, by_level: bool = False, **levels: Any
    ) -> Schedule:
        """Read the noise levels of a diffusers scheduler, after setting ``steps`` timesteps.

        Variance-preserving schedulers are read from ``alphas_cumprod`` at their integer timesteps,
        flow-matching ones from ``sigmas``, and so are those of the form z0 + sigma eps, which
        divide what the network reads (Karras et al. 2022).

        levels: more for ``set_timesteps``: ``mu``, or ``sigmas`` or ``timesteps`` of one's own,
        which then say the number of steps.
        """
        own = {"sigmas", "timesteps"} & levels.keys()
        scheduler.set_timesteps(**levels if own else {"num_inference_steps": steps, **levels})
        timesteps = tuple(scheduler.timesteps.tolist())
        prediction = scheduler.config.get("prediction_type", "epsilon")
        more = {"scheduler": scheduler, "by_level": by_level}
        if _divides_input(scheduler):
            sigmas = scheduler.sigmas[: len(timesteps)]
            scales = ((sigmas**2 + 1) ** 0.5).tolist()
            a, s = (1.0,) * len(timesteps), tuple(sigmas.double().tolist())
            scheduler.is_scale_input_called = True  # it is ours to divide: ``network_input``
            return cls(timesteps, a, s, prediction, scales=tuple(scales), **more)
        if hasattr(scheduler, "alphas_cumprod") and "flow" not in prediction:
            table = scheduler.alphas_cumprod[scheduler.timesteps.long().cpu()].double()
            a, s = table.sqrt().tolist(), (1 - table).sqrt().tolist()
            return cls(timesteps, tuple(a), tuple(s), prediction, **more)
        sigmas = scheduler.sigmas[: len(timesteps)].double().tolist()
        return cls(timesteps, tuple(1 - q for q in sigmas), tuple(sigmas), "flow", **more)

    def __len__(self) -> int:
        return len(self.timesteps)

    def add_noise(self, z0: torch.Tensor, noise: torch.Tensor, i: int) -> torch.Tensor:
        """z_t at step ``i``: a z0 + s eps."""
        return self.a[i] * z0 + self.s[i] * noise

    def pure_noise(self, noise: torch.Tensor) -> torch.Tensor:
        """Where a run begins that knows nothing of a video: noise of the first step's level."""
        first = float(getattr(self.scheduler, "init_noise_sigma", 1.0)) if self.scales else 1.0
        return noise * first if first != 1.0 else noise

    def network_input(self, z: torch.Tensor, i: int) -> torch.Tensor:
        """z_t as the network reads it at step ``i``."""
        return z / self.scales[i] if self.scales else z

    def clean(self, z: torch.Tensor, prediction: torch.Tensor, i: int) -> torch.Tensor:
        """The network's estimate of z0 from noisy latents ``z`` at step ``i``.

        Raises ZeroDivisionError for epsilon at a = 0, where z_t holds nothing of z0.
        """
        a, s = self.a[i], self.s[i]
        if self.prediction == "epsilon":
            return (z - s * prediction) / a
        if self.prediction == "v_prediction":
            n = a * a + s * s if self.scales else 1.0
            return (a * z - s * n**0.5 * prediction) / n if self.scales else a * z - s * prediction
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
        ratios = (a >= PUBLISHED_START_SNR * s for a, s in zip(self.a, self.s, strict=True))
        matched = next((i for i, reached in enumerate(ratios) if reached), len(self) - 1)
        return max(wanted, matched)

    def window(self, p: float) -> tuple[int, ...]:
        """The steps that distil at a share ``p`` (Sec. 3.3), noisiest first; none for p = 0.

        The paper's are the first int(n p) + 1 (``distilled_steps``). Where ``by_level`` is set it
        is those whose noise levels q = s / (a + s) lie in the published run's range at that p,
        0.936 to 0.538 at p = 0.6: a shifted schedule spends half its steps above it, where the
        update is next to nothing. At least one.
        """
        if not self.by_level or p <= 0:
            return tuple(range(distilled_steps(len(self), p)))
        start, last = self.start_index(1.0), published_level(p)
        q = [s / (a + s) for a, s in zip(self.a, self.s, strict=True)]
        return tuple(i for i in range(start, len(self)) if q[i] >= last) or (start,)


def _divides_input(scheduler: Any) -> bool:
    """Latents are z0 + sigma eps; the network wants them over sqrt(sigma^2 + 1)."""
    import diffusers

    kinds = ("EulerDiscreteScheduler", "LMSDiscreteScheduler")
    return isinstance(scheduler, tuple(getattr(diffusers, kind) for kind in kinds))


def distilled_steps(num_steps: int, p: float) -> int:
    """tau, the noisiest steps that distil: int(num_steps p) + 1, at most all, 0 for p = 0."""
    return min(num_steps, int(num_steps * p) + 1) if p > 0 else 0


def published_level(p: float) -> float:
    """Noise level q = s / (a + s) at which the published run stops distilling for a share ``p``.

    Its schedule is Stable Diffusion's (betas 0.00085 to 0.012, scaled linear), from timestep 999
    down to 999 (1 - p): q is 0.538 at p = 0.6.
    """
    last = round(999 * (1 - p))
    betas = ((0.00085**0.5 + (0.012**0.5 - 0.00085**0.5) * t / 999) ** 2 for t in range(last + 1))
    kept = math.prod(1 - beta for beta in betas)
    a, s = kept**0.5, (1 - kept) ** 0.5
    return s / (a + s)


def final_steps(steps: int, re_noise: float) -> int:
    """Steps of the final run when a share ``re_noise`` (0 to 1] of it is wanted; at least one."""
    return max(1, round(steps * re_noise))


def guided_prediction(
    network: Network,
    z: torch.Tensor,
    t: float,
    condition: Condition,
    scales: Sequence[Scale],
) -> torch.Tensor:
    """Classifier-free guidance, applied here and nowhere else.

    The branches come weakest first (no text, ..., text); each scale multiplies the difference that
    one more condition makes: u + g (c - u) for text alone, Brooks et al. 2023 for image and text.
    A scale is a number, or a tensor that broadcasts over (b, c, f, h, w), e.g. one per frame.
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
    scales: Sequence[Scale],
    start: int = 0,
) -> Loop:
    """Denoise ``z`` (noisy latents at step ``start``) to the end; returns z0."""
    if hasattr(schedule.scheduler, "set_begin_index"):  # multistep ones keep a position; DDIM not
        schedule.scheduler.set_begin_index(start)
    timesteps = schedule.scheduler.timesteps
    count = len(schedule) - start
    for n, i in enumerate(range(start, len(schedule)), 1):
        given = schedule.network_input(z, i)
        prediction = guided_prediction(network, given, schedule.timesteps[i], condition, scales)
        clean = schedule.clean(z, prediction, i)
        z = schedule.scheduler.step(prediction, timesteps[i], z, return_dict=False)[0]
        yield n, count, clean
    return z
