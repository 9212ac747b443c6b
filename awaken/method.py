"""Every Painting Awakened, as the paper reads: proxy (3.2), distillation (3.3), fusion (3.4), I2V.

One generator does it all, and the variant chooses the arm of Table 1. It yields a Stage when one
begins, a Step after every step, and the proxy image once it is there; whoever drives it can stop it
anywhere by closing it. Results are kept in a memo under the content they read (``plan``): a stage
whose inputs nobody changed costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeAlias

import numpy as np
import torch

from awaken.backends import Backend, Condition
from awaken.fusion import FUSIONS
from awaken.memo import Memo
from awaken.message import Message
from awaken.painting import similarity
from awaken.plan import ARMS, Plan
from awaken.proxies import Proxy, ProxySettings
from awaken.sampling import denoise
from awaken.scene import Scene
from awaken.stages import Moments, decoded, finite, kept, steps
from awaken.types import ProxyReady, Request
from awaken.vsds import distil

# (names of the videos, their whole running estimates (n, c, f, h, w), last step) -> previews
Show: TypeAlias = Callable[[list[str], torch.Tensor, bool], Mapping[str, np.ndarray]]


def awaken(
    backend: Backend,
    proxy_model: Callable[[], Proxy],
    request: Request,
    painting: np.ndarray,
    plan: Plan,
    memo: Memo,
    show: Show = lambda names, videos, last: {},
) -> Moments:
    """Run one request (defaults filled in) on a painting of working size, (h, w, 3) uint8.

    ``proxy_model`` is called where the memo lacks the proxy; ``show`` makes the previews of a Step.
    Returns the whole videos, baseline and awakened, as latents (1, c, f, h, w).
    Raises NumericsError when latents stop being finite.
    """
    r, fuse = request, FUSIONS.get(ARMS[request.variant][1])
    scene = Scene(backend, r, painting, memo)
    schedule = scene.schedule()
    scales = backend.guidance_scales(scene.settings)
    begins = {"baseline": 0, "awakened": schedule.start_index(r.re_noise)}
    keep = partial(kept, memo, lambda name: name if r.sequential else begins.get(name))

    def left(name: str) -> int:
        return len(schedule) - begins[name]

    # The frozen image-to-video model, conditioned on the painting; both videos in one batch
    def render(stage: str, names: list[str]) -> Moments:
        noise = backend.starts_from_noise or r.start == "noise"
        still = None if noise else scene.video("painting")
        starts = [
            backend.initial_latents(
                fused() if name == "awakened" else still, scene.noise["final"], schedule,
                begins[name], scene.latents("painting"), scene.condition("painting"),
                scene.settings,
            )
            for name in names
        ]  # fmt: skip
        z, conditions = zip(*starts, strict=True)
        loop = denoise(backend, torch.cat(z), scene.schedule(), Condition.stack(conditions),
                       scales, begins[names[0]])  # fmt: skip
        whole = partial(scene.whole, pictures=["painting"] * len(names))
        z0 = yield from steps(stage, loop, lambda z, last: show(names, whole(z), last))
        return whole(finite(z0, Message("denoising"))).split(1)

    # Sec. 3.2: the proxy image
    def paint(names: list[str]) -> Moments:
        settings = ProxySettings.of(r)
        if plan.proxy_from_baseline:
            videos = yield from keep({"baseline": plan.baseline}, partial(render, "proxy"))
            frames = decoded(backend, memo, plan.baseline, videos["baseline"], painting, r.mask)
            settings = replace(settings, image=frames[-1])
        return [(yield from steps("proxy", proxy_model().make(painting, settings)))]

    proxy = (yield from keep({"proxy": plan.proxy}, paint, "proxy"))["proxy"]
    yield ProxyReady(proxy, painting, *similarity(painting, proxy))
    scene.pictures["proxy"] = proxy

    # Sec. 3.3: video score distillation of the static videos, both paths in one batch
    def distilled(names: list[str]) -> Moments:
        loop = distil(
            backend, torch.cat([scene.still(name) for name in names]),
            torch.cat([scene.noise[name] for name in names]), schedule,
            Condition.stack([scene.condition(name) for name in names]), scales, plan.alphas,
            plan.window,
        )  # fmt: skip
        whole = partial(scene.whole, pictures=names)
        z0 = yield from steps("distil", loop, lambda z, last: show(names, whole(z), last))
        return finite(z0, Message("distillation")).split(1)

    moving = {name: scene.still(name) for name in plan.paths}
    if plan.alphas and plan.awakened not in memo:
        moving = yield from keep(plan.paths, distilled, "distil", lambda _: len(plan.alphas))

    # Sec. 3.4: hybrid latent fusion, frame by frame
    def fused() -> torch.Tensor:
        videos = [backend.to_video(z, scene.latents(name)) for name, z in moving.items()]
        return fuse(*videos, backend.fractions(r.frames)) if fuse else videos[0]

    videos = yield from keep(plan.videos, partial(render, "denoise"), "denoise", left)
    return videos["baseline"], videos.get("awakened", videos["baseline"])
