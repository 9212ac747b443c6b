"""The miniature's image-to-image model: a painting's light, repainted as a sentence asks.

It repaints the picture of about 32 x 32 cells; the change, and only the change, is carried to the
painting's true size along its edges, so that the drawing stays.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from awaken.backends.miniature import noise_schedule
from awaken.miniature.canvas import luma, relit, to_array, to_tensor
from awaken.miniature.imaging import guided_filter
from awaken.miniature.latents import CELL, grid_for, light_of, rgb_of
from awaken.miniature.loading import ASSETS, shared, trained, weights_id
from awaken.miniature.meaning import what_is_where
from awaken.miniature.proxy_network import SPREAD, ProxyNetwork
from awaken.miniature.reading import read
from awaken.miniature.segmentation_network import SegmentationNetwork
from awaken.miniature.text import text_encoder
from awaken.proxies import PROXIES, Proxy, ProxySettings

STEPS = 25
GUIDANCE = 3.0


class MiniatureProxy(Proxy):
    """Painting + prompt -> the painting with the named thing clearer, in the light it asks for.

    The same picture for the same seed. folder: as in ``MiniatureBackend``.
    """

    spec = PROXIES["miniature"]

    def __init__(
        self, device: torch.device, dtype: torch.dtype, folder: Path | None = None
    ) -> None:
        folder = folder or ASSETS
        self.device, self.dtype = device, dtype
        form = {"device": device, "dtype": dtype, "memory_format": torch.channels_last}
        self.network = trained(ProxyNetwork, "proxy", folder).to(**form)
        self.segmentation = shared(SegmentationNetwork, "segmentation", folder, **form)
        self.text = text_encoder()
        self.weights_id = weights_id(folder, "proxy", "segmentation")

    def make(
        self, painting: np.ndarray, settings: ProxySettings
    ) -> Generator[tuple[int, int], None, np.ndarray]:
        """Noise the painting's light by ``strength`` (0 to 1) and denoise it by the prompt.

        Strength 0 gives the painting itself. Takes int(25 strength) steps.
        """
        schedule = noise_schedule(STEPS, "v_prediction")
        start = STEPS - int(STEPS * settings.strength)
        if start == STEPS:
            yield 1, 1
            return painting.copy()
        picture = to_tensor(painting, self.device)
        grid = grid_for(painting.shape[1], painting.shape[0])
        light = light_of(picture, grid) / SPREAD
        there = what_is_where(self.segmentation, picture, grid).sigmoid()
        words, present = zip(*map(self.text.words, ("", read(settings.prompt).words)), strict=True)
        words = torch.cat(words).to(self.device, self.dtype)
        present = torch.cat(present).to(self.device)
        light2, there = light.expand(2, -1, -1, -1), there.expand(2, -1, -1, -1)
        noise = torch.randn(light.shape, generator=torch.Generator().manual_seed(settings.seed))
        z = schedule.add_noise(light, noise.to(self.device), start)
        schedule.scheduler.set_begin_index(start)
        timesteps = schedule.scheduler.timesteps
        for i in range(start, STEPS):
            level = torch.full((2,), schedule.a[i] / schedule.s[i], device=self.device).log()
            noisy = z.to(self.dtype).expand(2, -1, -1, -1)
            free, guided = (
                self.network(noisy, level, light2, there, words, present).float().chunk(2)
            )
            v = free + GUIDANCE * (guided - free)
            z = schedule.scheduler.step(v, timesteps[i], z, return_dict=False)[0]
            yield i - start + 1, STEPS - start
        small = (grid[0] * CELL, grid[1] * CELL)
        change = F.interpolate(rgb_of(SPREAD * (z - light)) - rgb_of(0 * z), small, mode="bicubic")
        guide = luma(F.interpolate(picture, small, mode="area"))
        change = guided_filter(change, guide, radius=12, eps=0.0005, fine=luma(picture))
        return to_array(relit(picture, change))[0]
