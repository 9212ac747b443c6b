"""What crosses the engine's border: a Request goes in, Events come out, a Result is the last one.

Everything here is a frozen, picklable dataclass of plain values and numpy arrays (no tensors), so
that the same objects travel to a worker process, a ZeroGPU fork or a test. Pictures are uint8 RGB
arrays of shape (height, width, 3); videos are uint8 arrays of shape (frames, height, width, 3).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from awaken.errors import AwakenError, ModelError, NumericsError, RequestError
from awaken.setting import MAX_TEXT as MAX_PROMPT
from awaken.setting import Setting, setting

__all__ = ["MAX_PROMPT", "AwakenError", "ModelError", "NumericsError", "RequestError"]

# Table 1 of the paper: every arm is a value of one setting, not a code path.
VARIANTS: dict[str, str] = {
    "baseline": "Baseline: the image-to-video model as it is",
    "+V": "+V: video score distillation of the painting alone",
    "+S": "+S: slerp between the still painting and the still proxy",
    "+V&U": "+V&U: distillation of both, uniform interpolation",
    "+V&S": "+V&S: the method",
}
STARTS: tuple[str, ...] = ("still", "noise")
ALPHA_KINDS: tuple[str, ...] = (
    "stepwise-decreasing",
    "linear-decreasing",
    "stepwise-increasing",
    "linear-increasing",
    "constant",
)
SEED_LIMIT = 2**32 - 1


@dataclass(frozen=True, eq=False)
class Request:
    """One press of *Awaken*. ``None`` means the chosen model's own default (its spec).

    painting: (height, width, 3) uint8 RGB, upright; proxy_image: the visitor's own proxy, (h, w, 3)
    uint8, for the proxy ``upload``; mask: (h, w) uint8, 255 where motion is allowed, any size, None
    is everywhere. Everything else is a row of ``SETTINGS``.
    """

    painting: np.ndarray
    prompt: str = setting(
        "text", "What should move, in one short sentence, for example: the clouds drift."
    )
    negative_prompt: str = setting(
        "text", "What should not be seen; most models take none.", "", flag="--negative"
    )
    backend: str = setting("model", "The video model.", "miniature")
    proxy: str = setting(
        "model", "The image model that makes the proxy image.",
        "miniature",
    )  # fmt: skip
    proxy_strength: float | None = setting(
        "number", "How far the proxy image may leave the painting.", low=0.0, high=1.0,
        model="proxy", spec_name="strength", only_with="strength",
    )  # fmt: skip
    proxy_image: np.ndarray | None = None
    proxy_template: str | None = setting(
        "text", "What an instruction editor reads, with {prompt} where the prompt goes.",
        model="proxy", spec_name="template", only_with="template",
    )  # fmt: skip
    proxy_options: Mapping[str, float] = setting(
        "options", "Settings that only this proxy model has, by name.", flag="--proxy-option"
    )
    variant: str = setting(
        "choice",
        "A row of the paper's Table 1; +V&S is the method. The baseline is always made too.",
        "+V&S", choices=tuple(VARIANTS),
    )  # fmt: skip
    p: float = setting(
        "number",
        "Share of the steps in which painting and proxy are distilled; the paper uses 0.6.",
        0.6, low=0.0, high=1.0,
    )  # fmt: skip
    alpha: str = setting(
        "choice", "How the step size of distillation runs over the steps (Fig. 6).",
        "stepwise-decreasing", choices=ALPHA_KINDS, called="alpha curve",
    )  # fmt: skip
    peak: float = setting(
        "number", "The largest step size alpha; the published code uses 10.", 10.0, low=1.0,
        high=20.0,
    )  # fmt: skip
    steps: int | None = setting(
        "whole", "Denoising steps of the video model.", low=2, high=100, model="backend"
    )
    guidance: float | None = setting(
        "number", "Classifier-free guidance scale; 1 switches it off.", low=1.0, high=20.0,
        model="backend",
    )  # fmt: skip
    motion: float | None = setting(
        "number", "Strength of motion, in the video model's own unit.",
        model="backend", only_with="motion_range",
    )  # fmt: skip
    mask: np.ndarray | None = None
    frames: int | None = setting(
        "whole", "Length of the videos in frames, one of the model's own choices.", low=2,
        high=161, model="backend",
    )  # fmt: skip
    fps: int | None = setting("whole", "Frames per second.", low=2, high=30, model="backend")
    size: int | None = setting(
        "whole",
        "Square root of the videos' area in pixels: 512 is 512 x 512 in the painting's shape.",
        low=96, high=1280, model="backend",
    )  # fmt: skip
    re_noise: float = setting(
        "number",
        "How much of the final denoising the fused video goes through; 1 is the paper's.", 1.0,
        low=0.1, high=1.0,
    )  # fmt: skip
    start: str = setting(
        "choice",
        "What the baseline starts from: still, the noised still painting as the published code "
        "does, or noise alone, as in training.",
        "still", choices=STARTS,
    )  # fmt: skip
    seed: int = setting(
        "whole", "The same seed gives the same videos; the paper uses 42.", 42, low=0,
        high=SEED_LIMIT,
    )  # fmt: skip
    draft: bool = setting(
        "switch",
        "A draft: quicker and less exact, for trying things out; off is the method as it is.", False,
        model="backend", only_with="draft",
    )  # fmt: skip
    options: Mapping[str, float] = setting(
        "options", "Settings that only this video model has, by name.", flag="--option"
    )
    sequential: bool = setting(
        "switch", "Run paths and videos one after another: the slow reference.", False
    )

    def __post_init__(self) -> None:
        """Raise RequestError with a sentence when a value cannot be used."""
        _check_picture("painting", self.painting)
        if self.proxy_image is not None:
            _check_picture("proxy image", self.proxy_image)
        if self.mask is not None and (
            not isinstance(self.mask, np.ndarray)
            or self.mask.ndim != 2
            or self.mask.dtype != np.uint8
            or not (self.mask > 127).any()
        ):
            raise RequestError(
                "The motion mask is empty or not a grey picture: paint the region that should move."
            )
        if not isinstance(self.prompt, str) or not self.prompt.strip():
            raise RequestError(
                "Say in a few words what should move, for example: the clouds drift."
            )
        for name, row in SETTINGS.items():
            row.check(name, getattr(self, name))

    @property
    def proxy_prompt(self) -> str:
        """What the proxy model reads: the prompt, or an editor's template around it."""
        template = self.proxy_template or "{prompt}"
        return template.replace("{prompt}", self.prompt)

    def settings(self) -> dict[str, Any]:
        """Everything but the pictures, ready for JSON: enough to make the same run again."""
        values = {name: getattr(self, name) for name in SETTINGS}
        values |= {"options": dict(self.options), "proxy_options": dict(self.proxy_options)}
        if self.mask is None:
            return values | {"masked": False}
        return values | {"masked": True, "mask_share": round(float((self.mask > 127).mean()), 4)}


SETTINGS: dict[str, Setting] = {
    f.name: f.metadata["setting"] for f in fields(Request) if "setting" in f.metadata
}
# Of the numeric settings; the page's sliders take their ends from here.
BOUNDS: dict[str, tuple[float, float]] = {
    name: (row.low, row.high) for name, row in SETTINGS.items() if row.low is not None
}


def _check_picture(name: str, picture: Any) -> None:
    if (
        not isinstance(picture, np.ndarray)
        or picture.dtype != np.uint8
        or picture.ndim != 3
        or picture.shape[2] != 3
        or min(picture.shape[:2]) < 1
    ):
        raise RequestError(
            "The {name} is not an RGB picture: choose a JPEG, PNG or WebP file.", name=name
        )


@dataclass(frozen=True)
class Waiting:
    """Another run holds the engine; seconds waited so far."""

    seconds: float


@dataclass(frozen=True)
class Stage:
    """One begins: load, proxy, distil, denoise, decode. ``reused``: it came from the memo."""

    name: str
    reused: bool = False


@dataclass(frozen=True)
class Notice:
    """Something the visitor should know although the run goes on; ``kind`` tells what about."""

    text: str
    kind: str = "notice"


@dataclass(frozen=True, eq=False)
class ProxyReady:
    """The proxy image (Sec. 3.2), with its distance from the painting.

    image: (h, w, 3) uint8, same size as the painting as it is worked on.
    psnr: dB over RGB (infinite for an identical picture); luma_correlation: Pearson, -1 to 1.
    """

    image: np.ndarray
    painting: np.ndarray
    psnr: float
    luma_correlation: float
    seconds: float = 0.0


@dataclass(frozen=True, eq=False)
class Step:
    """Step ``index`` of ``count`` of the phase ``stage`` is done.

    done: share of the whole run's network evaluations that are done, 0 to 1.
    seconds: duration of this step; seconds_left: estimate for the run from measured steps.
    previews: video name ("baseline", "awakened", "painting", "proxy") -> small moving preview,
        (frames, h, w, 3) uint8; empty on the steps that make none.
    """

    stage: str
    index: int
    count: int
    done: float = 0.0
    seconds: float = 0.0
    seconds_left: float = math.nan
    previews: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def left(self) -> float:
        """As the queue asks a moment of any job."""
        return self.seconds_left


@dataclass(frozen=True, eq=False)
class Result:
    """The last event of a run that went well.

    painting, proxy: (h, w, 3) uint8; baseline, awakened: (frames, h, w, 3) uint8.
    settings: JSON-ready, defaults filled in; timings: seconds by phase, plus "total";
    evaluations: network evaluations this run needed, and what it would have needed from scratch.
    mask: the motion mask that the run kept to, (h, w) uint8 of any size, or None.
    work: what the run had to do, as ``awaken.pace`` prices it.
    difference: how the two videos differ (``awaken.analysis.compared``), JSON-ready.
    drafted: of ``evaluations``, those of a draft that took layers from the step before.
    """

    painting: np.ndarray
    proxy: np.ndarray
    baseline: np.ndarray
    awakened: np.ndarray
    settings: Mapping[str, Any]
    timings: Mapping[str, float]
    evaluations: int
    evaluations_from_scratch: int
    psnr: float
    luma_correlation: float
    notices: tuple[Notice, ...] = ()
    mask: np.ndarray | None = None
    work: Any = None
    difference: Mapping[str, Any] = field(default_factory=dict)
    drafted: int = 0


@dataclass(frozen=True)
class Failed:
    """The run could not go on; the engine is ready for the next. ``message`` says what to do."""

    kind: str
    message: str


Event = Waiting | Stage | Notice | ProxyReady | Step | Result | Failed
