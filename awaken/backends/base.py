"""The protocol of a frozen image-to-video model: its spec, its settings, its conditions, its calls.

A backend holds no maths of the method: it encodes pictures, answers network calls, and decodes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib import import_module
from typing import TYPE_CHECKING, Any

from awaken import hub

if TYPE_CHECKING:
    import numpy as np
    import torch

    from awaken.sampling import Scale, Schedule
    from awaken.types import Request


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
class ModelSpec:
    """What the page and the checks need to know of any model before it is loaded.

    Attributes:
        title, summary: words for the page.
        load: (device, dtype) -> Backend or Proxy; imports torch and reads the weights.
        available: () -> None when the model can run here, else a sentence with what is missing.
        half_on_cpu: runs in bfloat16 on processors that multiply it in hardware.
        options: further settings, shown under advanced.
        needs: what it costs to have it: download size, memory.
        release, bases: its weights, and what they work on; None ships with the demo.
        code_licence, weight_licence, non_commercial, source: who made it and on what terms.
    """

    title: str
    summary: str
    load: Callable[[torch.device, torch.dtype], Any]
    available: Callable[[], str | None] = lambda: None
    half_on_cpu: bool = False
    options: Mapping[str, Option] = field(default_factory=dict)
    needs: str = ""
    release: hub.Release | None = None
    bases: tuple[hub.Release, ...] = ()
    code_licence: str = ""
    weight_licence: str = ""
    non_commercial: bool = False
    source: str = ""

    @property
    def gpu_gigabytes(self) -> int:
        """Memory of the GPU that it wants, in GB, as ``needs`` says; 0 where it says none."""
        return getattr(self.needs, "values", {}).get("memory", 0)

    @property
    def to_fetch(self) -> tuple[hub.Release, ...]:
        """What a download brings, the bases first: all that is missing, else the release anew."""
        whole = (*self.bases, self.release) if self.release else ()
        return tuple(filter(hub.missing, whole)) or whole[-1:]


@dataclass(frozen=True)
class BackendSpec(ModelSpec):
    """What there is to know of a video model.

    Attributes:
        size, multiple: default square root of the pixel area; sides are multiples of this.
        sizes: choices offered for ``size``.
        frames, frame_choices, fps, steps, guidance: the model's own defaults.
        motion, motion_range: default and (low, high, step) of the motion dial; None hides it.
        upload_motion: where the page puts that dial for a visitor's own picture; None is ``motion``.
        has_mask: the model takes a motion mask.
        draft: how it makes a draft: "deep layers" or one of ``transformer_cache.KINDS``; "" makes none.
        negative_prompt: what its makers do not want to see, where the visitor names nothing.
        learnt_from: what it has seen in training, and what not, for the label of every result.
    """

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
    upload_motion: float | None = None
    has_mask: bool = False
    draft: str = ""
    negative_prompt: str = ""
    learnt_from: str = ""

    def steps_of(self, draft: bool) -> int:
        """The model's own number of steps; a draft makes half of them."""
        return max(2, (self.steps + 1) // 2) if draft else self.steps


@dataclass(frozen=True, eq=False)
class VideoSettings:
    """What a video is made by, besides its picture, its noise and its schedule.

    prompt, negative_prompt: words. frames: length of the video, the given picture included.
    guidance: classifier-free guidance scale; 1 switches it off. motion: strength of motion in the
    backend's own unit, None where it has no such dial. mask: (h, w) uint8, 255 where motion is
    allowed, any size; None is everywhere. options: every one of ``BackendSpec.options``. seed: of
    what a model draws while it prepares, in a sequence of its own. draft: quicker and less exact.
    """

    prompt: str
    frames: int
    guidance: float
    negative_prompt: str = ""
    motion: float | None = None
    mask: np.ndarray | None = None
    options: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    draft: bool = False

    @classmethod
    def of(cls, request: Request) -> VideoSettings:
        """The request's own, its defaults filled in."""
        return cls(**{f.name: getattr(request, f.name) for f in fields(cls)})

    @property
    def texts(self) -> list[str]:
        """What the guidance branches read, weakest first; without guidance the prompt alone."""
        return [self.negative_prompt, self.prompt] if self.guidance > 1 else [self.prompt]


@dataclass(frozen=True, eq=False)
class Condition:
    """Everything a network call needs besides the noisy latents and the timestep.

    tensors: name -> (branches * videos, ...), branch-major: all videos of the weakest guidance
        branch (no text) first, then the next. One branch when guidance is off.
    branches: number of guidance branches.
    calls: one opaque entry per video, for a backend whose conditions are no batch of tensors.
    draft: layers may be taken from the step before.
    """

    tensors: Mapping[str, torch.Tensor]
    branches: int
    calls: tuple[Any, ...] = ()
    draft: bool = False

    @staticmethod
    def stack(conditions: Sequence[Condition]) -> Condition:
        """Join the conditions of several videos into one batch, keeping the branch-major order."""
        import torch

        k = conditions[0].branches
        calls = tuple(call for c in conditions for call in c.calls)
        names = conditions[0].tensors
        joined = {
            name: torch.cat(
                [c.tensors[name].unflatten(0, (k, -1)) for c in conditions], dim=1
            ).flatten(0, 1)
            for name in names
        }
        return Condition(joined, k, calls, conditions[0].draft)

    def split(self) -> list[Condition]:
        """The conditions of the single videos, that ``stack`` joined."""
        k = self.branches
        videos = zip(*(t.unflatten(0, (k, -1)).split(1, 1) for t in self.tensors.values()))
        return [
            Condition({n: t.flatten(0, 1) for n, t in zip(self.tensors, video)}, k, (), self.draft)
            for video in videos
        ]


class Backend(ABC):
    """A frozen image-to-video model. Latents are (b, c, f, h, w) float32 on ``device``.

    ``evaluations`` counts network evaluations: one is one video through one guided step; ``drafted``,
    those of them that took layers from the step before, or may have.
    """

    spec: BackendSpec
    device: torch.device
    dtype: torch.dtype
    weights_id: str  # content hash or revision: part of every memo key
    starts_from_noise = False  # its own run begins with pure noise, not with the noised still video
    encodes_stills = False  # a static video costs an encoding of its own, and is worth keeping
    evaluations: int = 0
    drafted: int = 0

    @abstractmethod
    def schedule(self, steps: int) -> Schedule:
        """A fresh schedule of ``steps`` denoising steps (its scheduler is stateful)."""

    def schedule_for(self, steps: int, shape: tuple[int, int, int]) -> Schedule:
        """The schedule of a video of ``shape`` (frames, height, width) in pixels.

        Most models' noise levels do not depend on it.
        """
        return self.schedule(steps)

    @abstractmethod
    def encode(self, picture: np.ndarray, seed: int) -> torch.Tensor:
        """(h, w, 3) uint8 of the working size -> image latents (1, c, 1, h', w')."""

    @abstractmethod
    def condition(
        self, picture: np.ndarray, latents: torch.Tensor, settings: VideoSettings
    ) -> Condition:
        """Condition on a picture (uint8, working size) and its latents; once a picture and run."""

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

    def reading(self, prompt: str) -> dict[str, Any] | None:
        """What the model takes a prompt to ask for, for JSON; None: it reads the words as they are."""
        return None

    def as_asked(self, z: torch.Tensor, prompt: str) -> torch.Tensor:
        """Whole videos' latents (b, c, f, h', w') as the prompt asks what the network cannot hear."""
        return z

    def working_size(self, width: int, height: int, size: int) -> tuple[int, int]:
        """(width, height) to work at: the painting's shape, about size^2 pixels, whole multiples.

        Halves are rounded to even, as the published code does.
        """
        scale = (width * height / size**2) ** 0.5
        m = self.spec.multiple
        return tuple(max(m, round(side / scale / m) * m) for side in (width, height))

    def predict(self, z: torch.Tensor, t: float, condition: Condition) -> torch.Tensor:
        """Count the evaluations, then ask the network."""
        self.evaluations += z.shape[0]
        return self.network(z, t, condition)

    def settle(self) -> None:  # noqa: B027 - a choice
        """A run is over: what would have kept it waiting may be done now, in the background."""

    def guidance_scales(self, settings: VideoSettings) -> tuple[Scale, ...]:
        """Scales between successive guidance branches; one for text-only guidance."""
        return (settings.guidance,)

    def static_video(
        self, latents: torch.Tensor, frames: int, picture: np.ndarray | None = None
    ) -> torch.Tensor:
        """z0 of Sec. 3.3: the image latents repeated over the frames.

        picture: (h, w, 3) uint8, for a VAE whose latents of a still video are not all alike.
        """
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
        """From the diffused state to the space in which videos are fused (Cinemo's differ)."""
        return z

    def whole_video(self, z: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        """The latents of every frame to show, from the state and the image latents."""
        return z

    def fractions(self, frames: int) -> Sequence[float] | None:
        """Slerp fraction of every frame; None is linspace(0, 1, frames) (Eq. 4)."""
        return None

    def initial_latents(
        self,
        video: torch.Tensor | None,
        noise: torch.Tensor,
        schedule: Schedule,
        start: int,
        latents: torch.Tensor,
        condition: Condition,
        settings: VideoSettings,
    ) -> tuple[torch.Tensor, Condition]:
        """The model's own start from a (static or fused) video at schedule index ``start``.

        video: None starts from pure noise, at the schedule's first step.
        Returns the noisy state and the condition, which a start may complete.
        """
        if video is None:
            return schedule.pure_noise(noise), condition
        return schedule.add_noise(video, noise, start), condition


def lazy_loader(module: str, name: str) -> Callable[[torch.device, torch.dtype], Any]:
    """A model's class as a spec's ``load``; the call imports its module, and torch with it."""

    def load(device: torch.device, dtype: torch.dtype) -> Any:
        return getattr(import_module(module), name)(device, dtype)

    return load
