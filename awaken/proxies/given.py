"""Proxies that need no image model: a picture brought along, the painting, the baseline's end."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import torch

from awaken.painting import to_size
from awaken.proxies import PROXIES, Proxy, ProxySettings
from awaken.types import RequestError


class GivenProxy(Proxy):
    """No network: nothing is loaded, and device and dtype do not matter."""

    weights_id = "none"

    def __init__(
        self, device: torch.device | None = None, dtype: torch.dtype | None = None
    ) -> None:
        pass


class UploadProxy(GivenProxy):
    """The visitor brings the proxy image."""

    spec = PROXIES["upload"]

    def make(
        self, painting: np.ndarray, settings: ProxySettings
    ) -> Generator[tuple[int, int], None, np.ndarray]:
        """Resize the visitor's picture to the painting. Raises RequestError when there is none."""
        if settings.image is None:
            raise RequestError(
                "Drop your own picture into the proxy field, or choose another proxy."
            )
        yield 1, 1
        height, width = painting.shape[:2]
        return to_size(settings.image, width, height)


class IdentityProxy(GivenProxy):
    """The painting is its own proxy: what the method does when the image model adds nothing."""

    spec = PROXIES["identity"]

    def make(
        self, painting: np.ndarray, settings: ProxySettings
    ) -> Generator[tuple[int, int], None, np.ndarray]:
        """Return a copy of the painting."""
        yield 1, 1
        return painting.copy()


class BaselineFrameProxy(UploadProxy):
    """The video model's own idea of a later moment: the last frame of the baseline.

    The method makes that frame before and hands it in as the picture.
    """

    spec = PROXIES["baseline_frame"]
