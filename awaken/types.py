"""What crosses the engine's border: a Request goes in, Events come out, a Result is the last one.

Everything here is a frozen, picklable dataclass of plain values and numpy arrays (no tensors), so that
the same objects travel to a worker process, a ZeroGPU fork or a test. Pictures are uint8 RGB arrays of
shape (height, width, 3); videos are uint8 arrays of shape (frames, height, width, 3).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

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
MAX_PROMPT = 600
SEED_LIMIT = 2**32 - 1


class AwakenError(Exception):
    """Something a visitor can act on; ``kind`` tells the page which card to show.

    Kinds: ``request`` (bad input), ``model`` (not installed or broken), ``memory``, ``numerics``,
    ``quota`` (of a rented GPU), ``internal``.
    """

    kind = "request"

    def __init__(self, message: str, kind: str | None = None) -> None:
        super().__init__(message)
        self.kind = kind or self.kind


class RequestError(AwakenError):
    """The request itself is wrong; the sentence says what to change."""


class ModelError(AwakenError):
    """A model is missing, partial or corrupt; the sentence says what to do about it."""

    kind = "model"


class NumericsError(AwakenError):
    """Latents became NaN or infinite."""

    kind = "numerics"


# Bounds of the numeric settings; the page's sliders and the API both obey them.
BOUNDS: dict[str, tuple[float, float]] = {
    "p": (0.0, 1.0),
    "peak": (1.0, 20.0),
    "re_noise": (0.1, 1.0),
    "proxy_strength": (0.0, 1.0),
    "guidance": (1.0, 20.0),
    "steps": (2, 100),
    "frames": (2, 161),
    "fps": (2, 30),
    "size": (96, 1280),
    "seed": (0, SEED_LIMIT),
}
_SHOWN = 1e15  # numbers from here on are not repeated to people
_WHOLE = ("steps", "frames", "fps", "size", "seed")


@dataclass(frozen=True, eq=False)
class Request:
    """One press of *Awaken*. ``None`` means the chosen model's own default (``BackendSpec``).

    Attributes:
        painting: (height, width, 3) uint8 RGB, upright.
        prompt: what should move, 1 to 600 characters.
        negative_prompt: what should not be seen; "" is the model's own words, if it has any.
        backend, proxy: keys of ``BACKENDS`` and ``PROXIES``.
        proxy_strength: how far the proxy image may leave the painting, 0 to 1.
        proxy_image: the visitor's own proxy, (h, w, 3) uint8, for the proxy ``upload``.
        proxy_template: what an instruction editor reads, with "{prompt}" where the prompt goes; None
            is the editor's own template, "" the prompt as it is. Other proxies read the prompt.
        proxy_options: settings that only one proxy knows (``ProxySpec.options``).
        variant: a key of ``VARIANTS`` (Table 1). The baseline is always rendered beside it.
        p: share of the steps that distil, 0 to 1 (Sec. 4.3, Fig. 7; the paper uses 0.6).
        alpha: one of ``ALPHA_KINDS`` (Fig. 6).
        peak: the largest alpha, 1 to 20 (published code: 10); the level itself for ``constant``
            is 1, I4VGen's rule.
        steps: denoising steps, 2 to 100.
        guidance: classifier-free guidance scale, 1 to 20; 1 switches it off.
        motion: strength of motion in the backend's own unit (``BackendSpec.motion_range``).
        mask: (h, w) uint8, 255 where motion is allowed; any size, it is resized. None is everywhere.
        frames, fps: length and rate of the videos.
        size: square root of the pixel area to work at, 96 to 1280 (512 is 512 x 512 pixels).
        re_noise: how much of the final denoising is run on the fused latents, 0.1 to 1; 1 is the
            paper's (from the first timestep). Touches the method only, never the baseline.
        start: what the baseline starts from: "still", the noised still painting as the published code
            does, or "noise" alone, as in training. Touches the baseline only, never the method.
        seed: 0 to 2^32 - 1; the paper uses 42.
        options: settings that only one backend knows (``BackendSpec.options``).
        sequential: run paths and videos one after another instead of in one batch.
    """

    painting: np.ndarray
    prompt: str
    negative_prompt: str = ""
    backend: str = "miniature"
    proxy: str = "miniature"
    proxy_strength: float | None = None
    proxy_image: np.ndarray | None = None
    proxy_template: str | None = None
    proxy_options: Mapping[str, float] = field(default_factory=dict)
    variant: str = "+V&S"
    p: float = 0.6
    alpha: str = "stepwise-decreasing"
    peak: float = 10.0
    steps: int | None = None
    guidance: float | None = None
    motion: float | None = None
    mask: np.ndarray | None = None
    frames: int | None = None
    fps: int | None = None
    size: int | None = None
    re_noise: float = 1.0
    start: str = "still"
    seed: int = 42
    options: Mapping[str, float] = field(default_factory=dict)
    sequential: bool = False

    def __post_init__(self) -> None:
        """Raise RequestError with a sentence when a value cannot be used."""
        _check_picture("painting", self.painting)
        if self.proxy_image is not None:
            _check_picture("proxy image", self.proxy_image)
        if self.mask is not None and (
            not isinstance(self.mask, np.ndarray)
            or self.mask.ndim != 2
            or self.mask.dtype != np.uint8
            or not self.mask.any()
        ):
            raise RequestError(
                "The motion mask is empty or not a grey picture: paint the region that should move."
            )
        if not isinstance(self.prompt, str) or not self.prompt.strip():
            raise RequestError(
                "Say in a few words what should move, for example: the clouds drift."
            )
        for text in (self.prompt, self.negative_prompt, self.proxy_template or ""):
            if not isinstance(text, str) or len(text) > MAX_PROMPT:
                raise RequestError(
                    f"That text is too long: keep it under {MAX_PROMPT} characters; "
                    "one short sentence works best."
                )
            if any("\ud800" <= letter <= "\udfff" for letter in text):
                raise RequestError(
                    "That text holds half a character, as when an emoji was cut in two: write it anew."
                )
        _check_choice("variant", self.variant, VARIANTS)
        _check_choice("alpha curve", self.alpha, ALPHA_KINDS)
        _check_choice("start", self.start, STARTS)
        for name in BOUNDS:
            check_number(name, getattr(self, name))

    @property
    def proxy_prompt(self) -> str:
        """What the proxy model reads: the prompt, or an editor's template around it."""
        template = self.proxy_template or "{prompt}"
        return template.replace("{prompt}", self.prompt)

    def settings(self) -> dict[str, Any]:
        """Everything but the pictures, ready for JSON: enough to make the same run again."""
        skipped = ("painting", "proxy_image", "mask")
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in skipped}
        values |= {"options": dict(self.options), "proxy_options": dict(self.proxy_options)}
        if self.mask is None:
            return values | {"masked": False}
        return values | {"masked": True, "mask_share": round(float((self.mask > 127).mean()), 4)}


def _check_picture(name: str, picture: Any) -> None:
    if (
        not isinstance(picture, np.ndarray)
        or picture.dtype != np.uint8
        or picture.ndim != 3
        or picture.shape[2] != 3
        or min(picture.shape[:2]) < 1
    ):
        raise RequestError(f"The {name} is not an RGB picture: choose a JPEG, PNG or WebP file.")


def _check_choice(name: str, value: Any, choices) -> None:
    if not isinstance(value, str) or value not in choices:
        raise RequestError(
            f"There is no {name} called {value!r}; choose one of {', '.join(choices)}."
        )


def check_number(name: str, value: Any) -> None:
    """Raise RequestError when ``value`` is not what the numeric setting ``name`` may be."""
    (low, high), whole = BOUNDS[name], name in _WHOLE
    least, most = _shown(low), _shown(high)
    if value is None and name in ("p", "peak", "re_noise", "seed"):
        raise RequestError(f"The setting {name!r} is missing; it goes from {least} to {most}.")
    if value is None:
        return
    number = isinstance(value, int | float | np.integer | np.floating)
    if isinstance(value, bool) or not number or not abs(value) < _SHOWN:
        raise RequestError(f"The setting {name!r} must be a number from {least} to {most}.")
    if not low <= value <= high or (whole and value != int(value)):
        kind = "a whole number" if whole else "a number"
        raise RequestError(
            f"The setting {name!r} is {_shown(value)}; it must be {kind} from {least} to {most}."
        )


def _shown(value: float) -> str:
    """A number below ``_SHOWN`` for people: a whole one with all its digits."""
    return str(int(value)) if value == int(value) else f"{value:g}"


@dataclass(frozen=True)
class Waiting:
    """Another run holds the engine; seconds waited so far."""

    seconds: float


@dataclass(frozen=True)
class Stage:
    """A phase begins: load, proxy, distil, denoise, decode. ``reused`` says it came from the memo."""

    name: str
    reused: bool = False


@dataclass(frozen=True)
class Notice:
    """Something the visitor should know although the run goes on; ``kind`` lets the page translate it."""

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


@dataclass(frozen=True, eq=False)
class Result:
    """The last event of a run that went well.

    painting, proxy: (h, w, 3) uint8; baseline, awakened: (frames, h, w, 3) uint8.
    settings: JSON-ready, defaults filled in; timings: seconds by phase, plus "total";
    evaluations: network evaluations this run needed, and what it would have needed from scratch.
    mask: the motion mask that the run kept to, (h, w) uint8 of any size, or None.
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


@dataclass(frozen=True)
class Failed:
    """The run could not go on; the engine is ready for the next one. ``message`` says what to do."""

    kind: str
    message: str


Event = Waiting | Stage | Notice | ProxyReady | Step | Result | Failed
