"""What the paths and the videos of one request read of its pictures, made on first use, once."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch

from awaken.backends import Backend, Condition, VideoSettings
from awaken.memo import Memo, content_key
from awaken.sampling import Schedule
from awaken.types import Request


class Scene:
    """Latents, static videos, noise and conditions of the pictures "painting" and "proxy"."""

    def __init__(self, backend: Backend, request: Request, painting: np.ndarray, memo: Memo):
        self.backend, self.request, self.memo = backend, request, memo
        self.pictures, self.settings = {"painting": painting}, VideoSettings.of(request)
        self.shape = (request.frames, *painting.shape[:2])
        self._stills: dict[str, torch.Tensor] = {}
        self._latents: dict[str, torch.Tensor] = {}
        self._conditions: dict[str, Condition] = {}

    def schedule(self) -> Schedule:
        """A fresh one: its scheduler is stateful."""
        return self.backend.schedule_for(self.request.steps, self.shape)

    def latents(self, name: str) -> torch.Tensor:
        """(1, c, 1, h, w)."""
        if name not in self._latents:
            backend, picture, seed = self.backend, self.pictures[name], self.request.seed
            key = content_key("latents", backend.weights_id, str(backend.dtype), picture, seed)
            z = self.memo.get(key)
            z = self.memo.put(key, backend.encode(picture, seed)) if z is None else z
            self._latents[name] = z
        return self._latents[name]

    def still(self, name: str) -> torch.Tensor:
        """The static video, as the state that is diffused."""
        if name not in self._stills:
            backend, picture, frames = self.backend, self.pictures[name], self.request.frames
            key = content_key("still", backend.weights_id, str(backend.dtype), picture, frames)
            z = self.memo.get(key) if backend.encodes_stills else None
            if z is None:
                z = backend.static_video(self.latents(name), frames, picture)
                z = self.memo.put(key, z) if backend.encodes_stills else z
            self._stills[name] = z
        return self._stills[name]

    def video(self, name: str) -> torch.Tensor:
        """The static video, in the space in which videos are fused."""
        return self.backend.to_video(self.still(name), self.latents(name))

    def whole(self, z: torch.Tensor, pictures: list[str]) -> torch.Tensor:
        """All frames of the videos ``z`` that began with these pictures."""
        latents = torch.cat([self.latents(name) for name in pictures])
        return self.backend.as_asked(self.backend.whole_video(z, latents), self.settings.prompt)

    def condition(self, name: str) -> Condition:
        if name not in self._conditions:
            self._conditions[name] = self.backend.condition(
                self.pictures[name], self.latents(name), self.settings
            )
        return self._conditions[name]

    @cached_property
    def noise(self) -> dict[str, torch.Tensor]:
        """Of both paths and of the final run: always the same three draws, in this order, so that a
        seed means the same in every arm and on every device."""
        draw, like = torch.Generator().manual_seed(self.request.seed), self.still("painting")
        return {
            name: self.backend.draw_noise(draw, like, final=name == "final")
            for name in ("painting", "proxy", "final")
        }
