"""Sec. 3.2: painting + prompt -> proxy image. One file and one ``ProxySpec`` entry per way of making it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import torch


@dataclass(frozen=True)
class ProxySpec:
    """What the page and the checks need to know of a proxy model before it is loaded.

    Attributes:
        title, summary: words for the page.
        load: (device, dtype) -> Proxy.
        available: () -> None when it can run here, else a sentence with what is missing.
        strength: default of the strength dial, 0 to 1; None hides the dial.
        needs_image: the visitor supplies the proxy image (``upload``).
        half_on_cpu: runs in bfloat16 on processors that multiply it in hardware.
    """

    title: str
    summary: str
    load: Callable[[torch.device, torch.dtype], Proxy]
    available: Callable[[], str | None] = lambda: None
    strength: float | None = None
    needs_image: bool = False
    half_on_cpu: bool = False
    needs: str = ""
    code_licence: str = ""
    weight_licence: str = ""
    non_commercial: bool = False
    source: str = ""


class Proxy(ABC):
    """An image-to-image model."""

    spec: ProxySpec
    weights_id: str

    @abstractmethod
    def make(
        self,
        painting: np.ndarray,
        prompt: str,
        *,
        strength: float | None,
        seed: int,
        image: np.ndarray | None,
    ) -> Iterator[tuple[int, int]]:
        """Generate the proxy of a painting, (h, w, 3) uint8, at the same size.

        A generator: yields (step, count) after each step and returns the (h, w, 3) uint8 picture.
        ``image`` is the visitor's own picture of any size, for proxies with ``needs_image``.
        """


def _load_miniature(device: torch.device, dtype: torch.dtype) -> Proxy:
    from awaken.proxies.miniature import MiniatureProxy

    return MiniatureProxy(device, dtype)


def _load_identity(device: torch.device, dtype: torch.dtype) -> Proxy:
    from awaken.proxies.given import IdentityProxy

    return IdentityProxy()


def _load_upload(device: torch.device, dtype: torch.dtype) -> Proxy:
    from awaken.proxies.given import UploadProxy

    return UploadProxy()


PROXIES: dict[str, ProxySpec] = {
    "miniature": ProxySpec(
        title="Miniature",
        summary="A small image-to-image model trained by us: repaints the coarse picture from the "
        "prompt and keeps the painting's fine detail.",
        load=_load_miniature,
        strength=0.5,
        half_on_cpu=True,
        needs="Ships with the demo.",
        code_licence="Apache-2.0",
        weight_licence="Apache-2.0",
        source="assets/miniature",
    ),
    "upload": ProxySpec(
        title="Your own picture",
        summary="Bring the proxy image yourself, for example from your favourite image editor.",
        load=_load_upload,
        needs_image=True,
        needs="Nothing but your picture.",
    ),
    "identity": ProxySpec(
        title="The painting itself",
        summary="No proxy model: the painting stands in for its own proxy.",
        load=_load_identity,
        needs="Nothing.",
    ),
}
