"""The miniature's image-to-image model: SDEdit (Meng et al. 2022) on a painting's coarse picture.

It repaints the 16 x 16 appearance cells (``awaken.miniature.networks``); the change, and only the
change, is carried to the painting's true size, so that its own detail stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch

from awaken.backends.miniature import noise_schedule
from awaken.miniature.canvas import follow_edges, luma, squash, to_array, to_tensor
from awaken.miniature.loading import load_network, weights_id
from awaken.miniature.networks import ProxyDenoiser, decode_appearance, encode_appearance
from awaken.miniature.text import text_encoder
from awaken.proxies import PROXIES, Proxy

STEPS = 25
GUIDANCE = 5.0


class MiniatureProxy(Proxy):
    """Painting + prompt -> the painting repainted; always the same picture for the same seed."""

    spec = PROXIES["miniature"]

    def __init__(self, device: torch.device, dtype: torch.dtype):
        """Read the weights. Raises ModelError when they are missing or damaged."""
        self.device = device
        self.dtype = dtype
        self.network = load_network(ProxyDenoiser, "proxy", device, dtype)
        self.text = text_encoder()
        self.weights_id = weights_id("proxy")

    def make(
        self,
        painting: np.ndarray,
        prompt: str,
        *,
        strength: float | None,
        seed: int,
        image: np.ndarray | None,
        options: Mapping[str, float],
    ) -> Iterator[tuple[int, int]]:
        """Noise the painting's coarse picture by ``strength`` (0 to 1) and denoise it by the prompt.

        Strength 0 gives the painting itself. Takes int(25 strength) steps.
        """
        schedule = noise_schedule(STEPS, "v_prediction")
        start = STEPS - int(STEPS * (self.spec.strength if strength is None else strength))
        if start == STEPS:
            yield 1, 1
            return painting.copy()
        picture = to_tensor(painting, self.device)
        square = squash(picture)
        appearance = encode_appearance(square)
        words, present = zip(self.text.words(""), self.text.words(prompt), strict=True)
        text = torch.cat(words).to(self.device, self.dtype)
        text_mask = torch.cat(present).to(self.device)
        noise = torch.randn(appearance.shape, generator=torch.Generator().manual_seed(seed))
        z = schedule.add_noise(appearance, noise.to(self.device), start)
        schedule.scheduler.set_begin_index(start)
        timesteps = schedule.scheduler.timesteps
        for i in range(start, STEPS):
            times = torch.full((2,), float(timesteps[i]), device=self.device)
            pair = self.network(z.to(self.dtype).expand(2, -1, -1, -1), times, text, text_mask)
            free, guided = pair.float().chunk(2)
            v = free + GUIDANCE * (guided - free)
            z = schedule.scheduler.step(v, timesteps[i], z, return_dict=False)[0]
            yield i - start + 1, STEPS - start
        change = decode_appearance(z) - decode_appearance(appearance)
        change = follow_edges(change, luma(square), luma(picture), radius=12, smoothness=0.0005)
        return to_array(picture + change)[0]
