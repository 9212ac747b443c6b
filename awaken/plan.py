"""What every stage of a request reads, hence its memo key, and what the request will cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from awaken.fusion import lerp_frames, slerp_frames
from awaken.memo import Memo, content_key
from awaken.vsds import alpha_schedule, distilled_steps

if TYPE_CHECKING:
    import numpy as np

    from awaken.backends import Backend
    from awaken.proxies import ProxySpec
    from awaken.sampling import Schedule
    from awaken.types import Request

# Table 1: does the arm distil, and how does it fuse painting and proxy?
ARMS = {
    "baseline": (False, None),
    "+V": (True, None),
    "+S": (False, slerp_frames),
    "+V&U": (True, lerp_frames),
    "+V&S": (True, slerp_frames),
}


@dataclass(frozen=True)
class Plan:
    """Keys of all stages of one request, each over exactly what its stage reads.

    proxy, painting_path, proxy_path, baseline, awakened: memo keys.
    alphas: step sizes of the distillation, empty when the arm does not distil.
    proxy_from_baseline: the proxy is the baseline's last frame.
    """

    proxy: str
    painting_path: str
    proxy_path: str
    baseline: str
    awakened: str
    alphas: tuple[float, ...]
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
        distilling, fuse = ARMS[r.variant]
        tau = distilled_steps(r.steps, r.p) if distilling else 0
        alphas = alpha_schedule(r.alpha, tau, r.peak)
        scene = content_key(
            r.backend, backend.weights_id, str(backend.dtype), r.options, r.sequential,
            r.prompt, r.negative_prompt, r.guidance, r.motion, r.mask,
            painting, r.frames, r.steps, r.seed,
        )  # fmt: skip
        baseline = content_key("final", scene)
        words = r.proxy_prompt if proxy.reads_prompt(r.proxy_options) else ""
        read = (baseline,) if proxy.needs_baseline else (
            painting, words, r.proxy_strength, r.proxy_options, r.seed, r.proxy_image,
        )  # fmt: skip
        proxy_key = content_key("proxy", r.proxy, proxy_weights, read)
        painting_path = content_key("path", scene, alphas)
        proxy_path = content_key("path", scene, alphas, proxy_key)
        paths = (fuse.__name__, painting_path, proxy_path) if fuse else (painting_path,)
        unchanged = not tau and fuse is None
        awakened = baseline if unchanged else content_key("final", scene, paths, r.re_noise)
        return cls(
            proxy_key, painting_path, proxy_path, baseline, awakened, tuple(alphas),
            proxy.needs_baseline,
        )  # fmt: skip

    def evaluations(self, request: Request, schedule: Schedule, memo: Memo | None) -> int:
        """Network evaluations that are still needed, given a memo (None: from scratch)."""
        known = memo if memo is not None else ()
        needed = 0 if self.baseline in known else len(schedule)
        if self.awakened != self.baseline and self.awakened not in known:
            needed += len(schedule) - schedule.start_index(request.re_noise)
            paths = [self.painting_path, self.proxy_path][: 2 if ARMS[request.variant][1] else 1]
            needed += len(self.alphas) * sum(path not in known for path in paths)
        return needed
