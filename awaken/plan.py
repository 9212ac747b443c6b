"""What every stage of a request reads, hence its memo key, and what the request will cost."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from awaken.backends import VideoSettings
from awaken.memo import Memo, content_key
from awaken.proxies import ProxySettings
from awaken.vsds import alpha_schedule

if TYPE_CHECKING:
    import numpy as np

    from awaken.backends import Backend
    from awaken.proxies import ProxySpec
    from awaken.sampling import Schedule
    from awaken.types import Request

# Table 1: does the arm distil, and how does it fuse painting and proxy ("" does not)?
ARMS: dict[str, tuple[bool, str]] = {
    "baseline": (False, ""),
    "+V": (True, ""),
    "+S": (False, "slerp"),
    "+V&U": (True, "lerp"),
    "+V&S": (True, "slerp"),
}


@dataclass(frozen=True)
class Plan:
    """Keys of all stages of one request, each over exactly what its stage reads.

    proxy: memo key. paths, videos: memo keys of what is distilled ("painting", "proxy") and of what
        is rendered ("baseline", "awakened"); an arm that changes nothing renders the baseline.
    alphas, window: step sizes of the distillation, and the steps of the schedule that take them;
        empty when the arm does not distil.
    proxy_from_baseline: the proxy is the baseline's last frame.
    """

    proxy: str
    paths: Mapping[str, str]
    videos: Mapping[str, str]
    alphas: tuple[float, ...]
    window: tuple[int, ...]
    proxy_from_baseline: bool = False

    @classmethod
    def of(
        cls,
        request: Request,
        painting: np.ndarray,
        backend: Backend,
        proxy: ProxySpec,
        proxy_weights: str,
    ) -> Plan:
        """``request`` has its defaults filled in; ``painting`` is (h, w, 3) at working size.

        ``proxy_weights`` is the proxy's ``weights_id``: a proxy that the memo holds needs no model.
        """
        r = request
        distils, fuse = ARMS[r.variant]
        schedule = backend.schedule_for(r.steps, (r.frames, *painting.shape[:2]))
        window = schedule.window(r.p) if distils else ()
        alphas = alpha_schedule(r.alpha, len(window), r.peak)
        scene = content_key(
            r.backend, backend.weights_id, str(backend.dtype), r.sequential,
            painting, r.steps, r.seed, vars(VideoSettings.of(r)),
        )  # fmt: skip
        baseline = content_key("final", scene, r.start)
        made_by = ProxySettings.of(r)
        if not proxy.reads_prompt(r.proxy_options):
            made_by = replace(made_by, prompt="")
        read = (baseline,) if proxy.needs_baseline else (painting, vars(made_by))
        proxy_key = content_key("proxy", r.proxy, proxy_weights, read)
        paths = {"painting": content_key("path", scene, alphas, window)}
        if fuse:
            paths["proxy"] = content_key("path", scene, alphas, window, proxy_key)
        videos = {"baseline": baseline}
        if alphas or fuse:
            videos["awakened"] = content_key("final", scene, fuse, paths, r.re_noise)
        return cls(proxy_key, paths, videos, tuple(alphas), window, proxy.needs_baseline)

    @property
    def baseline(self) -> str:
        """Memo key of the baseline video."""
        return self.videos["baseline"]

    @property
    def awakened(self) -> str:
        """Memo key of the awakened video; the baseline's where the arm changes nothing."""
        return self.videos.get("awakened", self.baseline)

    def evaluations(self, request: Request, schedule: Schedule, memo: Memo | None) -> int:
        """Network evaluations that are still needed, given a memo (None: from scratch)."""
        keys = {**self.videos, **self.paths}
        known = {name for name, key in keys.items() if memo is not None and key in memo}
        final = len(schedule) - schedule.start_index(request.re_noise)
        return evaluations(request.variant, len(schedule), len(self.alphas), final, known)


def evaluations(variant: str, steps: int, tau: int, final: int, known: Collection[str] = ()) -> int:
    """Network evaluations of a run: one is one video through one guided step.

    steps: of the baseline; tau: distilled steps; final: steps of the awakened video. known: what
    the memo holds of the videos (``baseline``, ``awakened``) and paths (``painting``, ``proxy``).
    """
    distils, fuse = ARMS[variant]
    tau = tau if distils else 0
    needed = 0 if "baseline" in known else steps
    if (tau or fuse) and "awakened" not in known:
        paths = {"painting", "proxy"} if fuse else {"painting"}
        needed += final + tau * len(paths.difference(known))
    return needed
