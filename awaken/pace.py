"""How long a run takes on this machine: guesses at first, then what finished runs said.

One estimator: the queue, the time left and the time that is asked of a rented GPU are all its
``seconds``. Every phase of a run has a price of its own, a line over the work that it does; loading
has a fixed one. A finished run moves none of its coefficients more than twofold, so that no run, however
odd, misprices all others; robust least squares over the last runs let ten ordinary ones do.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from awaken import plan as plans
from awaken.backends import BACKENDS
from awaken.proxies import PROXIES
from awaken.sampling import final_steps
from awaken.vsds import distilled_steps

if TYPE_CHECKING:
    from awaken.backends import Backend
    from awaken.memo import Memo
    from awaken.plan import Plan
    from awaken.types import Request

MARGIN = 1.25  # of rented time over the expected; a run that is cut short is worth nothing
PHASES = ("load", "proxy", "sample", "decode", "save")
_UNIT = 512 * 512 * 16  # pixels times frames that prices refer to
_KEPT = 12  # runs that a price is fitted to
_MOST = 2.0  # factor by which one run may move a coefficient
_TIE = 0.1  # how much a coefficient that the runs do not tell is held where it is
_ODD = 0.15  # relative error from which a run counts less

# Seconds per evaluation, per decoded video and per load, for 16 frames of 512 x 512 pixels, until runs
# on this machine have told better. The miniature's on a CPU were measured (two slow cores); those
# on a GPU are guesses on the high side.
_CPU = {"miniature": (0.2, 5.0, 2.0)}
_GPU = {
    "miniature": (0.05, 1.0, 2.0),
    "animate_anything": (0.6, 3.0, 20.0),
    "consisti2v": (0.9, 3.0, 25.0),
    "cinemo": (0.6, 3.0, 20.0),
}
_OTHER = (1.0, 4.0, 30.0)
_DRAFT = 0.5  # an evaluation of a draft, on average, over an exact one
_CPU_TIMES = 60.0  # how much slower a CPU is, where nothing is known
_PROXY, _PROXY_SMALL = 15.0, 3.0  # s for a proxy image: a large model's, the miniature's
_READY = 0.3  # s to look at a painting when the models are loaded
_SAVE = (0.3, 1.5)  # s to write a result's files: fixed, and per unit


def evaluations(settings: Mapping[str, Any]) -> int:
    """Network evaluations of a run from scratch, as ``Engine.cost`` counts them, without the model.

    settings: of ``Request``; None is the model's default. A schedule that starts later than its
    first step (zero terminal SNR) needs fewer.
    """
    spec = BACKENDS.get(settings["backend"])
    own = spec.steps_of(bool(settings.get("draft"))) if spec else 25
    steps = int(settings.get("steps") or own)
    tau, final = distilled_steps(steps, settings["p"]), final_steps(steps, settings["re_noise"])
    return plans.evaluations(settings["variant"], steps, tau, final)


@dataclass(frozen=True)
class Work:
    """What a run has still to do; what is cached is no part of it.

    units: pixels times frames of one video, over those of 16 frames of 512 x 512; area: pixels over
    those of 512 x 512. loads: the video model is not in memory. paints: a proxy image is to be made.
    draft: its evaluations have a price of their own.
    """

    backend: str
    proxy: str
    units: float
    area: float
    evaluations: int
    decodes: int = 2
    loads: bool = False
    paints: bool = True
    draft: bool = False

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Work:
        """A run from scratch with these settings of ``Request``, its models loaded."""
        spec, proxy = BACKENDS.get(settings["backend"]), PROXIES.get(settings["proxy"])
        size = settings.get("size") or (spec.size if spec else 512)
        frames = settings.get("frames") or (spec.frames if spec else 16)
        return cls(
            settings["backend"], settings["proxy"], size * size * frames / _UNIT,
            size * size / 512**2, evaluations(settings),
            paints=proxy is None or proxy.family != "given",
            draft=bool(settings.get("draft") and spec and spec.draft),
        )  # fmt: skip

    @classmethod
    def left(
        cls, request: Request, painting: np.ndarray, plan: Plan, backend: Backend, memo: Memo
    ) -> Work:
        """What a request, its defaults filled in, still needs beside what the memo holds."""
        height, width = painting.shape[:2]
        shape = request.frames, height, width
        schedule = backend.schedule_for(request.steps, shape)
        keys = {plan.baseline, plan.awakened}
        given = PROXIES[request.proxy].family == "given"
        return cls(
            request.backend, request.proxy, units(shape),
            width * height / 512**2, plan.evaluations(request, schedule, memo),
            decodes=sum(f"decoded {key}" not in memo for key in keys),
            paints=not given and plan.proxy not in memo,
            draft=request.draft,
        )  # fmt: skip

    def amounts(self) -> dict[str, tuple[float, ...]]:
        """Phase -> what its coefficients are multiplied by; a phase with nothing to do is left out."""
        e = self.evaluations
        found = {
            "load": (1.0,),
            "proxy": (1.0, self.area) if self.paints else (),
            "sample": (1.0, e, e * self.units) if e else (),
            "decode": (self.decodes, self.decodes * self.units) if self.decodes else (),
            "save": (1.0, self.units),
        }
        return {phase: amounts for phase, amounts in found.items() if amounts}

    def key(self, phase: str) -> tuple[str, ...]:
        """What a phase's price belongs to."""
        names = {"proxy": (self.proxy,), "save": ()}.get(phase, (self.backend,))
        special = {"load": "cold" * self.loads, "sample": "draft" * self.draft}.get(phase)
        return (phase, *names, special) if special else (phase, *names)


def units(video: tuple[int, ...]) -> float:
    """``Work.units`` of a video of this shape, (frames, height, width, ...)."""
    return math.prod(video[:3]) / _UNIT


class Pace:
    """Prices of the phases of runs on a device; see the module. Reading and learning may overlap."""

    def __init__(self, device: str):
        self._device = device
        self.margin = MARGIN
        self._prices: dict[tuple[str, ...], np.ndarray] = {}
        self._runs: dict[tuple[str, ...], deque[tuple[tuple[float, ...], float]]] = {}

    def seconds(self, work: Work) -> float:
        """Expected duration of a run from its beginning to its files."""
        return sum(self.phases(work).values())

    def phases(self, work: Work) -> dict[str, float]:
        """The same by phase; a phase with nothing to do is left out."""
        return {
            phase: float(self._price(work.key(phase)) @ amounts)
            for phase, amounts in work.amounts().items()
        }

    def learn(self, work: Work, spent: Mapping[str, float]) -> None:
        """Take over what a finished run took, in seconds by phase, as ``Result.timings`` has them."""
        spent = {"sample": spent.get("distil", 0.0) + spent.get("denoise", 0.0), **spent}
        for phase, amounts in work.amounts().items():
            self._learn(work.key(phase), amounts, spent.get(phase, 0.0))

    def learn_saving(self, units: float, seconds: float) -> None:
        """Take over how long the files of a result took."""
        self._learn(("save",), (1.0, units), seconds)

    def too_short(self) -> None:
        """A run was cut off at its declared time: ask for more from now on."""
        self.margin = min(4.0, 1.5 * self.margin)

    def _learn(self, key: tuple[str, ...], amounts: tuple[float, ...], seconds: float) -> None:
        if seconds > 0:
            runs = self._runs.setdefault(key, deque(maxlen=_KEPT))
            runs.append((amounts, seconds))
            self._prices[key] = _fitted(self._price(key), runs)

    def _price(self, key: tuple[str, ...]) -> np.ndarray:
        known = self._prices.get(key)
        return np.array(self._guess(*key)) if known is None else known

    def _guess(self, phase: str, name: str = "", special: str = "") -> tuple[float, ...]:
        """Coefficients of a phase nobody has measured, as in ``Work.amounts``."""
        if phase == "save":
            return _SAVE
        if phase == "proxy":
            large = _PROXY * (_CPU_TIMES if self._device == "cpu" else 1)
            whole = _PROXY_SMALL if name == "miniature" else large
            return 0.2 * whole, 0.8 * whole
        step, decode, load = _GPU.get(name, _OTHER)
        if self._device == "cpu":
            step, decode, load = _CPU.get(name, (_CPU_TIMES * step, _CPU_TIMES * decode, load))
        step *= _DRAFT if special == "draft" else 1.0
        return {
            "load": (load if special else _READY,),
            "sample": (step, 0.1 * step, 0.9 * step),
            "decode": (0.1 * decode, 0.9 * decode),
        }[phase]


def _fitted(price: np.ndarray, runs: deque[tuple[tuple[float, ...], float]]) -> np.ndarray:
    """Coefficients nearest to what the runs took, none over twofold from ``price``."""
    from scipy.optimize import least_squares

    amounts, seconds = map(np.array, zip(*runs, strict=True))
    relative = amounts * price / seconds[:, None]

    def errors(factors: np.ndarray) -> np.ndarray:
        return np.concatenate([relative @ factors - 1, _TIE * (factors - 1)])

    bounds = (1 / _MOST, _MOST)
    start = np.ones(len(price))
    return price * least_squares(errors, start, bounds=bounds, loss="soft_l1", f_scale=_ODD).x


class Countdown:
    """Seconds left of one run: what is expected, corrected by how fast the run itself goes.

    It never rises by more than a quarter from one time to the next, and is above zero to the end.
    """

    def __init__(
        self, expected: Mapping[str, float], clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._expected, self._clock = expected, clock
        self._pace = 1.0  # what phases take over what they were expected to
        self._left = sum(expected.values())
        self.begin(PHASES[0])

    def begin(self, phase: str) -> None:
        """A phase of ``PHASES`` begins."""
        self._phase, self._began, self._before = phase, self._clock(), self._pace

    def left(self, share: float) -> float:
        """The time left when ``share``, 0 to 1, of the phase is done."""
        spent, expected = self._clock() - self._began, self._expected.get(self._phase, 0.0)
        if share > 0 and expected > 0:
            trust = share**0.5  # the first steps say little
            self._pace = (1 - trust) * self._before + trust * spent / (share * expected)
        later = PHASES[PHASES.index(self._phase) + 1 :]
        rest = (1 - share) * expected + sum(self._expected.get(phase, 0.0) for phase in later)
        self._left = max(0.1, min(self._pace * rest, 1.25 * self._left))
        return self._left
