"""A strength dial for flow-matching editors, which have none of their own."""

from __future__ import annotations

import numpy as np
import torch

from awaken.types import RequestError


def flow_start(
    z: torch.Tensor,
    strength: float,
    steps: int,
    scheduler,
    mu: float,
    generator: torch.Generator,
) -> tuple[torch.Tensor, list[float]]:
    """Begin an editor's run on the painting itself instead of on noise (SDEdit, Meng et al. 2022).

    Args:
        z: the painting's latents, as the network sees clean ones.
        strength: noise level to begin at, over 0 to 1; at 1 the run is the editor's own.
        scheduler, mu: the pipeline's flow scheduler and the shift it will be called with.

    Returns:
        The noisy latents, and the ``sigmas`` (before the scheduler's shift) to call with.

    Raises:
        RequestError: at strength 0.
    """
    if strength <= 0:
        raise RequestError(
            "At strength 0 the editor would have nothing to do: raise the proxy strength, or "
            "choose the proxy “The painting itself”."
        )

    def ladder(start: float) -> list[float]:
        return np.linspace(start, start / steps, steps).tolist()

    def level(start: float) -> float:
        scheduler.set_timesteps(sigmas=ladder(start), mu=mu)
        return float(scheduler.sigmas[0])

    low, high = 0.0, 1.0  # the shift is monotonic: halve the interval until it is hit
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if level(middle) < strength else (low, middle)
    start = 1.0 if strength >= 1 else high
    noise = torch.randn(z.shape, generator=generator).to(z.device)
    sigma = min(strength, 1.0)
    return (1 - sigma) * z.float() + sigma * noise, ladder(start)
