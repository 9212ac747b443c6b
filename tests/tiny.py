"""A true image-to-video backend at toy size, for tests of the method and the engine.

Its network is a real (random, seeded) 3D convolution over latents, text and condition; nothing of
the protocol is mocked.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler

from awaken.backends import BACKENDS, Backend, BackendSpec, Condition
from awaken.engine import Engine
from awaken.proxies import PROXIES, Proxy, ProxySpec
from awaken.sampling import Schedule
from awaken.types import Event, Request, Result


class TinyBackend(Backend):
    """4 latent channels on an 8x smaller grid; epsilon by default."""

    weights_id = "tiny"

    def __init__(self, device=None, dtype=torch.float32, prediction="epsilon", zero_snr=False):
        self.spec = TINY
        self.device, self.dtype = torch.device("cpu"), dtype
        self.prediction, self.zero_snr = prediction, zero_snr
        draw = torch.Generator().manual_seed(0)
        self.weight = torch.randn(4, 9, 3, 3, 3, generator=draw, dtype=torch.float64).to(dtype) / 16
        self.poison_after: int | None = None
        self.calls = 0

    def schedule(self, steps):
        kinds = {"scaled": dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")}
        if self.zero_snr:
            scheduler = DDIMScheduler(
                **kinds["scaled"], prediction_type=self.prediction, clip_sample=False,
                rescale_betas_zero_snr=True, timestep_spacing="trailing",
            )  # fmt: skip
        else:
            scheduler = DPMSolverMultistepScheduler(
                **kinds["scaled"], prediction_type=self.prediction, timestep_spacing="leading",
                steps_offset=1,
            )  # fmt: skip
        return Schedule.from_scheduler(scheduler, steps)

    def encode(self, picture, seed):
        x = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].to(self.dtype) / 127.5 - 1
        x = F.avg_pool2d(x, 8)
        return torch.cat([x, x.mean(1, keepdim=True)], 1)[:, :, None]

    def condition(self, picture, latents, settings):
        texts = settings.texts
        words = torch.tensor([[len(t) / 20.0] for t in texts], dtype=self.dtype)
        k = len(texts)
        return Condition({"image": latents.repeat(k, 1, 1, 1, 1), "text": words}, k)

    def network(self, z, t, condition):
        self.calls += 1
        k, f = condition.branches, z.shape[2]
        image = condition.tensors["image"].expand(-1, -1, f, -1, -1)
        text = condition.tensors["text"][:, :, None, None, None].expand(-1, -1, f, *z.shape[3:])
        x = torch.cat([z.repeat(k, 1, 1, 1, 1), image, text + t / 1000], 1)
        out = F.conv3d(torch.tanh(x), self.weight, padding=1)
        if self.poison_after is not None and self.calls > self.poison_after:
            out = out * float("nan")
        return out.unflatten(0, (k, -1))

    def decode(self, z, picture, mask=None):
        x = ((z[0, :3].permute(1, 2, 3, 0).clamp(-1, 1) + 1) * 127.5).byte()
        return x.repeat_interleave(8, 1).repeat_interleave(8, 2).numpy()

    def preview(self, z, picture, mask=None):
        return self.decode(z, picture)[:, ::8, ::8]


class TinyProxy(Proxy):
    """Brightens the painting by its strength, in two steps."""

    weights_id = "tiny"

    def __init__(self):
        self.spec = TINY_PROXY
        self.made = 0

    def make(self, painting, settings):
        self.made += 1
        for step in (1, 2):
            yield step, 2
        return np.clip(painting * (1 + settings.strength), 0, 255).astype(np.uint8)


TINY = BackendSpec(
    title="Tiny", summary="", load=TinyBackend, size=96, sizes=(96,), frames=4,
    frame_choices=(4,), steps=25, guidance=3.0,
)  # fmt: skip
TINY_PROXY = ProxySpec(title="Tiny", summary="", load=lambda d, t: TinyProxy(), strength=0.5)


def register(monkeypatch) -> TinyBackend:
    """One tiny backend and proxy among the models, both called "tiny"."""
    model = TinyBackend()
    monkeypatch.setitem(BACKENDS, "tiny", replace(TINY, load=lambda d, t: model))
    monkeypatch.setitem(PROXIES, "tiny", TINY_PROXY)
    return model


def request(**changes) -> Request:
    return Request(**(dict(painting=painting(), prompt="clouds drift", backend="tiny",
                           proxy="tiny", size=96) | changes))  # fmt: skip


def run(engine: Engine, request: Request) -> tuple[Result, list[Event]]:
    """A run that goes well: its result, and all of its events."""
    events = list(engine.animate(request))
    assert isinstance(events[-1], Result), events[-1]
    return events[-1], events


def quick_request(backend: str, **changes) -> Request:
    """A run of a tiny checkpoint: few steps, small, with a proxy that costs nothing."""
    quick = dict(painting=painting(height=200, width=200), prompt="clouds drift", backend=backend,
                 proxy="upload", proxy_image=painting(seed=1), steps=3, size=96, p=0.5)  # fmt: skip
    return Request(**(quick | changes))


def painting(seed: int = 0, height: int = 64, width: int = 64) -> np.ndarray:
    """A smooth coloured picture, (height, width, 3) uint8."""
    draw = np.random.default_rng(seed)
    coarse = torch.from_numpy(draw.random((1, 3, 5, 5)))
    smooth = F.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)
    return (smooth[0].permute(1, 2, 0) * 255).byte().numpy()
