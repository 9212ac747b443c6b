"""The protocol of a proxy model (Sec. 3.2): its spec, its settings, its one call."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from awaken.backends.base import ModelSpec

if TYPE_CHECKING:
    import numpy as np
    import torch

    from awaken.types import Request


@dataclass(frozen=True)
class ProxySpec(ModelSpec):
    """What there is to know of a proxy model.

    Attributes:
        family: "img2img" noises the painting and denoises it by the animation prompt, verbatim (the
            paper's rule); "inversion" starts from the painting's own noise and takes the prompt
            verbatim too; "editor" redraws it by an instruction; "restorer" takes no text of ours;
            "given" runs no image model.
        template: the instruction an editor reads, around "{prompt}"; the visitor may edit it.
        strength: default of the strength dial, 0 to 1; None hides the dial.
        presets: name -> strength, for buttons beside the dial.
        needs_image: the visitor supplies the proxy image (``upload``).
        needs_baseline: the proxy comes out of the baseline video, which is then made first.
    """

    family: str = "given"
    template: str = ""
    strength: float | None = None
    presets: Mapping[str, float] = field(default_factory=dict)
    needs_image: bool = False
    needs_baseline: bool = False

    def reads_prompt(self, options: Mapping[str, float]) -> bool:
        """Whether other words would make another proxy."""
        return self.family not in ("given", "restorer") or options.get("words") == 2


@dataclass(frozen=True, eq=False)
class ProxySettings:
    """What a proxy image is made by, besides its painting.

    prompt: what the model reads, an editor's template filled in. seed: of all its noise.
    strength: how far it may leave the painting, 0 to 1, where the spec has a default for it.
    image: (h, w, 3) uint8 of any size for ``needs_image`` (the visitor's) and ``needs_baseline``
    (its last frame). options: every one of ``ProxySpec.options``.
    """

    prompt: str
    seed: int
    strength: float | None = None
    image: np.ndarray | None = None
    options: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, request: Request) -> ProxySettings:
        """The request's own, its defaults filled in."""
        r = request
        return cls(r.proxy_prompt, r.seed, r.proxy_strength, r.proxy_image, r.proxy_options)


class Proxy(ABC):
    """An image-to-image model. ``weights_id`` is part of every memo key, as in ``Backend``."""

    spec: ProxySpec
    weights_id: str

    def modules(self) -> list[torch.nn.Module]:
        """The networks that occupy the device; the engine may park them while another works."""
        import torch

        return [value for value in vars(self).values() if isinstance(value, torch.nn.Module)]

    @abstractmethod
    def make(
        self, painting: np.ndarray, settings: ProxySettings
    ) -> Generator[tuple[int, int], None, np.ndarray]:
        """Generate the proxy of a painting, (h, w, 3) uint8, at the same size.

        Yields (step, count) after each step and returns the (h, w, 3) uint8 picture; closing it
        stops the work within one step.
        """
