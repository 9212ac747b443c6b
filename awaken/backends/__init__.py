"""The frozen image-to-video models behind one protocol.

Adding a backend is one new file with a ``Backend`` subclass and one entry of ``BACKENDS``; the
parametrised tests cover it. A backend holds no maths of the method: it encodes pictures, answers
network calls, and decodes. Specs are plain data, so that the page can list models without torch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from awaken import hub
from awaken.backends.releases import ANIMATE_ANYTHING, CINEMO, CONSISTI2V

if TYPE_CHECKING:
    import numpy as np
    import torch

    from awaken.sampling import Schedule


@dataclass(frozen=True)
class Option:
    """A setting that only some backends have: the page draws it as a slider."""

    label: str
    default: float
    low: float
    high: float
    step: float = 1.0
    help: str = ""


@dataclass(frozen=True)
class BackendSpec:
    """What the page and the checks need to know of a model before it is loaded.

    Attributes:
        title, summary: words for the page.
        load: (device, dtype) -> Backend; imports torch and reads the weights.
        available: () -> None when the model can run here, else a sentence with what is missing.
        size, multiple: default square root of the pixel area; sides are multiples of this.
        sizes: choices offered for ``size``.
        frames, frame_choices, fps, steps, guidance: the model's own defaults.
        motion, motion_range: default and (low, high, step) of the motion dial; None hides it.
        has_mask: the model takes a motion mask.
        half_on_cpu: runs in bfloat16 on processors that multiply it in hardware.
        options: further settings, shown under advanced.
        needs: what it costs to have it: download size, memory.
        learnt_from: what it has seen in training, and what not, for the label of every result.
        release: what ``Engine.fetch`` would download; None ships with the demo.
        code_licence, weight_licence, non_commercial, source: who made it and on what terms.
    """

    title: str
    summary: str
    load: Callable[[torch.device, torch.dtype], Backend]
    available: Callable[[], str | None] = lambda: None
    size: int = 512
    sizes: tuple[int, ...] = (512,)
    multiple: int = 8
    frames: int = 16
    frame_choices: tuple[int, ...] = (16,)
    fps: int = 8
    steps: int = 25
    guidance: float = 9.0
    motion: float | None = None
    motion_range: tuple[float, float, float] | None = None
    has_mask: bool = False
    half_on_cpu: bool = False
    options: Mapping[str, Option] = field(default_factory=dict)
    needs: str = ""
    learnt_from: str = ""
    release: hub.Release | None = None
    code_licence: str = ""
    weight_licence: str = ""
    non_commercial: bool = False
    source: str = ""


@dataclass(frozen=True, eq=False)
class Condition:
    """Everything a network call needs besides the noisy latents and the timestep.

    tensors: name -> (branches * videos, ...), branch-major: all videos of the weakest guidance
        branch (no text) first, then the next. One branch when guidance is off.
    branches: number of guidance branches.
    """

    tensors: Mapping[str, torch.Tensor]
    branches: int

    @staticmethod
    def stack(conditions: Sequence[Condition]) -> Condition:
        """Join the conditions of several videos into one batch, keeping the branch-major order."""
        import torch

        k = conditions[0].branches
        names = conditions[0].tensors
        joined = {
            name: torch.cat(
                [c.tensors[name].unflatten(0, (k, -1)) for c in conditions], dim=1
            ).flatten(0, 1)
            for name in names
        }
        return Condition(joined, k)


class Backend(ABC):
    """A frozen image-to-video model. Latents are (b, c, f, h, w) float32 on ``device``.

    ``evaluations`` counts network evaluations: one is one video through one guided step.
    """

    spec: BackendSpec
    device: torch.device
    dtype: torch.dtype
    weights_id: str  # content hash or revision: part of every memo key
    evaluations: int = 0

    @abstractmethod
    def schedule(self, steps: int) -> Schedule:
        """A fresh schedule of ``steps`` denoising steps (its scheduler is stateful)."""

    @abstractmethod
    def encode(self, picture: np.ndarray, seed: int) -> torch.Tensor:
        """(h, w, 3) uint8 of the working size -> image latents (1, c, 1, h', w')."""

    @abstractmethod
    def condition(
        self,
        picture: np.ndarray,
        latents: torch.Tensor,
        prompt: str,
        negative_prompt: str,
        *,
        frames: int,
        guidance: float,
        motion: float | None,
        mask: np.ndarray | None,
        options: Mapping[str, float],
    ) -> Condition:
        """Condition on a picture (uint8, working size), its latents and the prompt. Run once per run."""

    @abstractmethod
    def network(self, z: torch.Tensor, t: float, condition: Condition) -> torch.Tensor:
        """Raw predictions for b noisy videos: (branches, b, c, f, h, w), float32."""

    @abstractmethod
    def decode(
        self, z: torch.Tensor, picture: np.ndarray, mask: np.ndarray | None = None
    ) -> np.ndarray:
        """A whole video's latents (1, c, f, h', w') -> (frames, h, w, 3) uint8.

        ``mask`` is the run's motion mask, for a backend that can keep to it pixel by pixel.
        """

    @abstractmethod
    def preview(
        self, z: torch.Tensor, picture: np.ndarray, mask: np.ndarray | None = None
    ) -> np.ndarray:
        """A small and cheap picture of a whole video's latents: (frames, h, w, 3), about 128 px."""

    def notices(self, prompt: str) -> list[str]:
        """Sentences for the visitor about this prompt, e.g. words the model does not know."""
        return []

    def working_size(self, width: int, height: int, size: int) -> tuple[int, int]:
        """(width, height) to work at: the painting's shape, about size^2 pixels, whole multiples."""
        scale = (width * height / size**2) ** 0.5
        m = self.spec.multiple
        return tuple(max(m, round(side / scale / m) * m) for side in (width, height))

    def predict(self, z: torch.Tensor, t: float, condition: Condition) -> torch.Tensor:
        """Count the evaluations, then ask the network."""
        self.evaluations += z.shape[0]
        return self.network(z, t, condition)

    def guidance_scales(self, guidance: float, options: Mapping[str, float]) -> tuple[float, ...]:
        """Scales between successive guidance branches; one for text-only guidance."""
        return (guidance,)

    def static_video(self, latents: torch.Tensor, frames: int) -> torch.Tensor:
        """z0 of Sec. 3.3: the image latents repeated over the frames."""
        return latents.expand(-1, -1, frames, -1, -1).clone()

    def draw_noise(
        self, generator: torch.Generator, like: torch.Tensor, final: bool
    ) -> torch.Tensor:
        """Noise for one path, or for the final run, from a CPU generator in float32.

        ``like`` is a static video; the final noise may have another shape where the model's own
        start needs it.
        """
        import torch

        noise = torch.randn(like.shape, generator=generator, dtype=torch.float32)
        return noise.to(like.device, like.dtype)

    def to_video(self, z: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        """From the diffused state to the space in which videos are fused (they differ in Cinemo)."""
        return z

    def whole_video(self, z: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        """The latents of every frame to show, from the state and the image latents."""
        return z

    def fractions(self, frames: int) -> Sequence[float] | None:
        """Slerp fraction of every frame; None is linspace(0, 1, frames) (Eq. 4)."""
        return None

    def initial_latents(
        self,
        video: torch.Tensor,
        noise: torch.Tensor,
        schedule: Schedule,
        start: int,
        latents: torch.Tensor,
        condition: Condition,
        options: Mapping[str, float],
    ) -> tuple[torch.Tensor, Condition]:
        """The model's own start from a (static or fused) video at schedule index ``start``.

        Returns the noisy state and the condition, which a start may complete.
        """
        return schedule.add_noise(video, noise, start), condition


def lazily(module: str, name: str) -> Callable[[torch.device, torch.dtype], Any]:
    """A model's class as a spec's ``load``; the call imports its module, and torch with it."""

    def load(device: torch.device, dtype: torch.dtype) -> Any:
        return getattr(import_module(module), name)(device, dtype)

    return load


# What both miniatures have in common.
_MINIATURE: dict[str, Any] = {
    "sizes": (384, 512, 640, 768),
    "frame_choices": (16, 24, 32),
    "motion_range": (0.2, 2.0, 0.05),
    "has_mask": True,
    "half_on_cpu": True,
    "needs": "Ships with the demo; any processor, under 3 GB of memory.",
    "code_licence": "Apache-2.0",
    "weight_licence": "Apache-2.0",
    "source": "assets/miniature",
}

BACKENDS: dict[str, BackendSpec] = {
    "miniature": BackendSpec(
        title="Miniature",
        summary="A small image-to-video model trained by us, on paintings and on painted scenes: "
        "sky, water, trees, grass, boats, sun rays; snow, rain, petals. A laptop is enough.",
        load=lazily("awaken.backends.miniature", "MiniatureBackend"),
        guidance=5.0,
        motion=1.9,
        learnt_from="procedural scenes and labelled public-domain paintings; what is where in them, "
        "from photographs (ImageNet) first; no film",
        **_MINIATURE,
    ),
    "premise": BackendSpec(
        title="Miniature, premise",
        summary="The same network, trained on photograph-like scenes alone: it has never seen a "
        "painting, as the paper supposes of a video model.",
        load=lazily("awaken.backends.miniature", "PremiseBackend"),
        guidance=5.0,
        motion=1.4,
        learnt_from="procedural photograph-like scenes alone; never a painting",
        **_MINIATURE,
    ),
    "animate_anything": BackendSpec(
        title="AnimateAnything",
        summary="The paper's main model: 512 px, with motion strength and a motion mask.",
        load=lazily("awaken.backends.animate_anything", "AnimateAnythingBackend"),
        available=lambda: hub.missing(ANIMATE_ANYTHING),
        release=ANIMATE_ANYTHING,
        sizes=(256, 384, 512),
        frame_choices=(8, 16, 24),
        steps=25,
        guidance=9.0,
        motion=8.0,
        motion_range=(1.0, 20.0, 0.5),
        has_mask=True,
        needs="About 4 GB to download, a GPU with 8 GB; a processor takes hours.",
        code_licence="MIT",
        weight_licence="not stated; its base, ModelScope text-to-video, is CC-BY-NC-4.0",
        non_commercial=True,
        source="https://github.com/alibaba/animate-anything",
    ),
    "consisti2v": BackendSpec(
        title="ConsistI2V",
        summary="Keeps the painting as the first frame and looks back at it in every layer.",
        load=lazily("awaken.backends.consisti2v", "ConsistI2VBackend"),
        available=lambda: hub.missing(CONSISTI2V),
        release=CONSISTI2V,
        sizes=(256, 512),
        steps=50,
        guidance=7.5,
        options={
            "frame_stride": Option("Frame stride", 3, 1, 8, 1, "Larger is faster motion."),
            "frame_init": Option(
                "FrameInit noise level", 850, 1, 999, 1,
                "Timestep whose coarse layout the start is given; lower holds the picture closer.",
            ),
            "image_guidance": Option("Image guidance", 1.0, 1.0, 3.0, 0.1, "1 switches it off."),
        },
        needs="6.7 GB to download, a GPU with 10 GB; a processor takes hours.",
        code_licence="MIT",
        weight_licence="MIT (its base, Stable Diffusion 2.1: OpenRAIL++-M)",
        source="https://huggingface.co/TIGER-Lab/ConsistI2V",
    ),
    "cinemo": BackendSpec(
        title="Cinemo",
        summary="Predicts how the frames differ from the painting; works at 512 x 320 pixels.",
        load=lazily("awaken.backends.cinemo", "CinemoBackend"),
        available=lambda: hub.missing(CINEMO),
        release=CINEMO,
        size=405,
        sizes=(405,),
        steps=50,
        guidance=7.5,
        motion=8.0,
        motion_range=(0.0, 99.0, 1.0),
        options={
            "dct_ratio": Option(
                "DCT ratio", 0.23, 0.0, 1.0, 0.01,
                "Share of the low frequencies that the start takes from the video; 0 is noise.",
            ),
            "dct_noise_level": Option(
                "DCT noise level", 975, 1, 999, 1, "Timestep at which the video is noised for it."
            ),
        },
        needs="4.6 GB to download, a GPU with 8 GB; a processor takes hours.",
        code_licence="Apache-2.0",
        weight_licence="Apache-2.0 (its base, Stable Diffusion 1.4: OpenRAIL-M)",
        source="https://huggingface.co/maxin-cn/Cinemo",
    ),
}
