"""Every Painting Awakened, as the paper reads: proxy (3.2), distillation (3.3), fusion (3.4), I2V.

One generator does it all, and the variant chooses the arm of Table 1. It yields a Phase when one
begins and a Tick after every step, so that whoever drives it can show progress, and stop it
anywhere by closing it. Stages are kept in a memo under the content they read (``plan``); a stage
whose inputs nobody changed costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch

from awaken.backends import Backend, Condition
from awaken.memo import Memo, content_key
from awaken.plan import ARMS, Plan
from awaken.proxies import Proxy
from awaken.proxies.given import IdentityProxy
from awaken.sampling import Progress, denoise
from awaken.types import NumericsError, Request
from awaken.vsds import distil


@dataclass(frozen=True)
class Phase:
    """A phase begins; a ``reused`` one comes from the memo."""

    name: str
    reused: bool


@dataclass(frozen=True, eq=False)
class Tick:
    """One step of a phase is done; ``clean`` is the running estimate of the whole videos.

    clean: one item per name, (b, c, f, h, w); None where a phase has no videos.
    """

    phase: str
    names: tuple[str, ...]
    index: int
    count: int
    clean: torch.Tensor | None


@dataclass(frozen=True, eq=False)
class ProxyMade:
    """The proxy image, (h, w, 3) uint8."""

    image: np.ndarray


def awaken(
    backend: Backend,
    proxy_model: Callable[[], Proxy],
    request: Request,
    painting: np.ndarray,
    plan: Plan,
    memo: Memo,
) -> Iterator[Phase | Tick | ProxyMade]:
    """Run one request (defaults filled in) on a painting of working size, (h, w, 3) uint8.

    ``proxy_model`` is asked for only when the memo does not hold the proxy.
    Returns the whole videos, baseline and awakened, as latents (1, c, f, h, w).
    Raises NumericsError when latents stop being finite.
    """
    r = request
    _, fuse = ARMS[r.variant]
    schedule = backend.schedule(r.steps)
    scales = backend.guidance_scales(r.guidance, r.options)

    # Sec. 3.2: the proxy image
    proxy = memo.get(plan.proxy)
    yield Phase("proxy", reused=proxy is not None)
    if proxy is None:
        image = r.proxy_image
        if plan.proxy_from_baseline:
            image = yield from _last_baseline_frame(backend, r, painting, plan, memo)
        making = proxy_model().make(
            painting, r.proxy_prompt, strength=r.proxy_strength, seed=r.seed, image=image,
            options=r.proxy_options,
        )  # fmt: skip
        proxy = memo.put(plan.proxy, (yield from _ticks("proxy", (), making)))
    yield ProxyMade(proxy)

    # Static videos, and the three noises: always the same draws, so that a seed means the same
    # in every arm and on every device.
    pictures = {"painting": painting, "proxy": proxy} if fuse else {"painting": painting}
    latents = {name: _encoded(backend, memo, pic, r.seed) for name, pic in pictures.items()}
    still = {name: backend.static_video(z, r.frames) for name, z in latents.items()}
    generator = torch.Generator().manual_seed(r.seed)
    noise = {
        name: backend.draw_noise(generator, still["painting"], final=name == "final")
        for name in ("painting", "proxy", "final")
    }
    conditions: dict[str, Condition] = {}

    def condition(names: list[str]) -> Condition:
        for name in names:
            if name not in conditions:
                conditions[name] = backend.condition(
                    pictures[name], latents[name], r.prompt, r.negative_prompt, frames=r.frames,
                    guidance=r.guidance, motion=r.motion, mask=r.mask, options=r.options,
                )  # fmt: skip
        return Condition.stack([conditions[name] for name in names])

    finals = {"baseline": memo.get(plan.baseline), "awakened": memo.get(plan.awakened)}

    # Sec. 3.3: dual-path video score distillation, both paths in one batch
    moving = still
    if plan.alphas and finals["awakened"] is None:
        keys = {"painting": plan.painting_path, "proxy": plan.proxy_path}
        moving = {name: memo.get(keys[name]) for name in still}
        missing = [name for name in still if moving[name] is None]
        yield Phase("distil", reused=not missing)
        for group in _groups(missing, together=not r.sequential):
            loop = distil(
                backend,
                torch.cat([still[name] for name in group]),
                torch.cat([noise[name] for name in group]),
                schedule,
                condition(group),
                scales,
                plan.alphas,
            )
            shown = torch.cat([latents[name] for name in group])
            ticks = _ticks("distil", tuple(group), loop, partial(backend.whole_video, latents=shown))
            z0 = _finite((yield from ticks), "distillation")
            for name, z in zip(group, z0.split(1), strict=True):
                moving[name] = memo.put(keys[name], z)

    # Sec. 3.4: hybrid latent fusion, then re-noising; the baseline starts from the still painting
    def initial(name: str) -> tuple[int, torch.Tensor, Condition]:
        parts = still if name == "baseline" else moving
        video, *other = [backend.to_video(z, latents[n]) for n, z in parts.items()]
        start = 0
        if name == "awakened":
            start = schedule.start_index(r.re_noise)
            video = fuse(video, other[0], backend.fractions(r.frames)) if fuse else video
        z, given = backend.initial_latents(
            video, noise["final"], schedule, start, latents["painting"],
            condition(["painting"]), r.options,
        )  # fmt: skip
        return start, z, given

    # The frozen image-to-video model, conditioned on the painting; both videos in one batch
    wanted = ["baseline"] if plan.awakened == plan.baseline else ["baseline", "awakened"]
    missing = [name for name in wanted if finals[name] is None]
    yield Phase("denoise", reused=not missing)
    starts = {name: initial(name) for name in missing}
    together = not r.sequential and len({start for start, _, _ in starts.values()}) == 1
    for group in _groups(missing, together):
        loop = denoise(
            backend,
            torch.cat([starts[name][1] for name in group]),
            backend.schedule(r.steps),
            Condition.stack([starts[name][2] for name in group]),
            scales,
            starts[group[0]][0],
        )

        def show(z: torch.Tensor) -> torch.Tensor:
            return backend.whole_video(z, latents["painting"].expand(len(z), -1, -1, -1, -1))

        ticks = _ticks("denoise", tuple(group), loop, show)
        z0 = show(_finite((yield from ticks), "denoising"))
        for name, z in zip(group, z0.split(1), strict=True):
            finals[name] = memo.put(getattr(plan, name), z)
    return finals["baseline"], finals[wanted[-1]]


def _encoded(backend: Backend, memo: Memo, picture: np.ndarray, seed: int) -> torch.Tensor:
    """A picture's latents, encoded once."""
    key = content_key("latents", backend.weights_id, str(backend.dtype), picture, seed)
    z = memo.get(key)
    return memo.put(key, backend.encode(picture, seed)) if z is None else z


def decoded(
    backend: Backend, memo: Memo, key: str, z: torch.Tensor, painting: np.ndarray,
    mask: np.ndarray | None,
) -> np.ndarray:  # fmt: skip
    """The frames of the whole video ``z`` that the memo keeps under ``key``; decoded once."""
    frames = memo.get(f"decoded {key}")
    if frames is None:
        frames = memo.put(f"decoded {key}", backend.decode(z, painting, mask))
    return frames


def _last_baseline_frame(
    backend: Backend, request: Request, painting: np.ndarray, plan: Plan, memo: Memo
) -> Iterator[Tick]:
    """What the baseline ends in, (h, w, 3) uint8: that arm runs first here, and is kept."""
    z = memo.get(plan.baseline)
    if z is None:
        arm = replace(
            plan, proxy=f"none for {plan.baseline}", awakened=plan.baseline, alphas=(),
            proxy_from_baseline=False,
        )  # fmt: skip
        run = awaken(
            backend, IdentityProxy, replace(request, variant="baseline"), painting, arm, memo
        )
        try:
            while True:
                moment = next(run)
                if isinstance(moment, Tick) and moment.phase == "denoise":
                    yield replace(moment, phase="proxy")
        except StopIteration as end:
            z, _ = end.value
    return decoded(backend, memo, plan.baseline, z, painting, request.mask)[-1]


def _groups(names: list[str], together: bool) -> list[list[str]]:
    return [names] if together and names else [[name] for name in names]


def _ticks(
    phase: str,
    names: tuple[str, ...],
    loop: Iterator,
    show: Callable[[torch.Tensor], torch.Tensor] | None = None,
) -> Iterator[Tick]:
    """Pass a loop's steps on as ticks of ``phase``; returns what the loop returns."""
    try:
        while True:
            step = next(loop)
            index, count = (step.index, step.count) if isinstance(step, Progress) else step
            yield Tick(phase, names, index, count, show(step.clean) if show else None)
    except StopIteration as end:
        return end.value


def _finite(z: torch.Tensor, phase: str) -> torch.Tensor:
    """One look (and one wait for the device) per phase, not per step."""
    if not torch.isfinite(z).all():
        raise NumericsError(
            f"The latents became infinite during {phase}. Lower the peak of alpha, p or the "
            "guidance scale, and press Awaken again."
        )
    return z
