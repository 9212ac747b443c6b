"""Proxies that need no model: the visitor's own picture, and the painting itself."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from awaken.painting import to_size
from awaken.proxies import PROXIES, Proxy
from awaken.types import RequestError


class UploadProxy(Proxy):
    """The visitor brings the proxy image."""

    spec = PROXIES["upload"]
    weights_id = "none"

    def make(
        self,
        painting: np.ndarray,
        prompt: str,
        *,
        strength: float | None,
        seed: int,
        image: np.ndarray | None,
    ) -> Iterator[tuple[int, int]]:
        """Resize the visitor's picture to the painting. Raises RequestError when there is none."""
        if image is None:
            raise RequestError("Drop your own picture into the proxy field, or choose another proxy.")
        yield 1, 1
        height, width = painting.shape[:2]
        return to_size(image, width, height)


class IdentityProxy(Proxy):
    """The painting is its own proxy: what the method does when the image model adds nothing."""

    spec = PROXIES["identity"]
    weights_id = "none"

    def make(
        self,
        painting: np.ndarray,
        prompt: str,
        *,
        strength: float | None,
        seed: int,
        image: np.ndarray | None,
    ) -> Iterator[tuple[int, int]]:
        """Return a copy of the painting."""
        yield 1, 1
        return painting.copy()
