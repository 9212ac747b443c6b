"""How long a run will take on this machine: guesses at first, then what finished runs said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awaken import plan
from awaken.backends import BACKENDS
from awaken.proxies import PROXIES
from awaken.sampling import final_steps
from awaken.types import Result
from awaken.vsds import distilled_steps

MARGIN = 1.25  # the stated time over the expected one; a run that is cut short is worth nothing
_UNIT = 512 * 512 * 16  # pixels times frames that speeds refer to

# Seconds per evaluation, per decoded video and per load, for 16 frames of 512 x 512 pixels, until a
# run on this machine has told better. The miniature's on a CPU were measured (two slow cores); those
# on a GPU are guesses on the high side.
_CPU = {"miniature": (0.2, 5.0, 2.0)}
_GPU = {
    "miniature": (0.05, 1.0, 2.0),
    "animate_anything": (0.6, 3.0, 20.0),
    "consisti2v": (0.9, 3.0, 25.0),
    "cinemo": (0.6, 3.0, 20.0),
}
_OTHER = (1.0, 4.0, 30.0)
_CPU_TIMES = 60.0  # how much slower a CPU is, where nothing is known
_PROXY, _PROXY_SMALL = 15.0, 3.0  # s for a proxy image: a large model's, the miniature's


def evaluations(settings: Mapping[str, Any]) -> int:
    """Network evaluations of a run from scratch, as ``Engine.cost`` counts them, without the model.

    settings: of ``Request``; None is the model's default. A schedule that starts later than its
    first step (zero terminal SNR) needs fewer.
    """
    spec = BACKENDS.get(settings["backend"])
    steps = int(settings.get("steps") or (spec.steps if spec else 25))
    tau, final = distilled_steps(steps, settings["p"]), final_steps(steps, settings["re_noise"])
    return plan.evaluations(settings["variant"], steps, tau, final)


class Pace:
    """Seconds per evaluation, per decoded video and per load of every backend; see the module."""

    def __init__(self, device: str):
        self._device = device
        self._margin = MARGIN
        self._known: dict[str, tuple[float, float, float]] = {}
        self._proxies: dict[str, float] = {}

    def seconds(self, settings: Mapping[str, Any]) -> float:
        """Expected duration of a run with these settings (of ``Request``), with its margin."""
        step, decode, load = self._of(settings["backend"])
        spec = BACKENDS.get(settings["backend"])
        size = settings.get("size") or (spec.size if spec else 512)
        frames = settings.get("frames") or (spec.frames if spec else 16)
        units = size * size * frames / _UNIT
        work = evaluations(settings) * step * units + 2 * decode * units
        return self._margin * (load + self._proxy(settings["proxy"]) + work)

    def learn(self, result: Result) -> None:
        """Take over what a finished run measured; phases that came from the memo say nothing."""
        settings, spent = result.settings, result.timings
        if not result.evaluations or result.evaluations < result.evaluations_from_scratch:
            return
        units = settings["width"] * settings["height"] * settings["frames"] / _UNIT
        steps = (spent.get("distil", 0.0) + spent.get("denoise", 0.0)) / result.evaluations / units
        measured = (steps, spent.get("decode", 0.0) / 2 / units, spent.get("load", 0.0))
        before = self._known.get(settings["backend"])
        # half of the news: one run on a busy machine should not price all others
        self._known[settings["backend"]] = (
            tuple((a + b) / 2 for a, b in zip(before, measured, strict=True))
            if before
            else measured
        )
        self._proxies[settings["proxy"]] = spent.get("proxy", 0.0)

    def too_short(self) -> None:
        """A run was cut off at its declared time: ask for more from now on."""
        self._margin = min(4.0, 1.5 * self._margin)

    def _of(self, backend: str) -> tuple[float, float, float]:
        if backend in self._known:
            return self._known[backend]
        if self._device != "cpu":
            return _GPU.get(backend, _OTHER)
        step, decode, load = _GPU.get(backend, _OTHER)
        return _CPU.get(backend, (_CPU_TIMES * step, _CPU_TIMES * decode, load))

    def _proxy(self, proxy: str) -> float:
        if proxy in self._proxies:
            return self._proxies[proxy]
        spec = PROXIES.get(proxy)
        if spec is not None and spec.family == "given":
            return 0.0
        if proxy == "miniature":
            return _PROXY_SMALL
        return _PROXY * (_CPU_TIMES if self._device == "cpu" else 1)
