"""MasaCtrl (Cao et al. 2023): DDIM inversion, then self-attention shared with the painting's run.

The painting is inverted to noise with an empty prompt; from that noise a second run follows the
prompt while its self-attention looks at the painting's run, which holds the appearance. Behaviour
of github.com/TencentARC/MasaCtrl at d0ba16b, on Stable Diffusion 1.5.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from diffusers import DDIMInverseScheduler, DDIMScheduler
from diffusers.models.attention_processor import AttnProcessor2_0

from awaken.painting import to_size
from awaken.proxies import PROXIES, ProxySettings
from awaken.proxies.pipelines import NO_SAFETY_CHECKER, ReleasedProxy
from awaken.proxies.releases import STABLE_DIFFUSION

SCHEDULE = {
    "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "clip_sample": False, "set_alpha_to_one": False, "steps_offset": 0,
    "timestep_spacing": "leading",
}  # fmt: skip
BLOCKS = 16  # transformer blocks of Stable Diffusion 1, which the layer setting counts
FREE_SHARE = 0.4  # of the steps that run uncontrolled at strength 1; the published 4 of 50 are 0.2


@dataclass
class Control:
    """What the processors look at, set by the loop before every network call.

    on: look at the source row. union: look at the source and at oneself.
    """

    on: bool = False
    union: bool = False


class MutualSelfAttention(AttnProcessor2_0):
    """Self-attention whose rows after the first take keys and values from the first, the source."""

    def __init__(self, control: Control):
        super().__init__()
        self.control = control

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, *args, **kwargs):
        if not self.control.on or encoder_hidden_states is not None:
            return super().__call__(attn, hidden_states, encoder_hidden_states, *args, **kwargs)
        source = hidden_states[:1].expand_as(hidden_states)
        if not self.control.union:
            return super().__call__(attn, hidden_states, source, *args, **kwargs)
        both = torch.cat([source[1:], hidden_states[1:]], dim=1)
        return torch.cat(
            [
                super().__call__(attn, hidden_states[:1], None, *args, **kwargs),
                super().__call__(attn, hidden_states[1:], both, *args, **kwargs),
            ]
        )


def self_attention_order(unet) -> list[str]:
    """Names of the self-attention processors in the order in which a forward pass runs them.

    The network's own dictionary lists the middle block last.
    """
    stages = {"down_blocks": 0, "mid_block": 1, "up_blocks": 2}
    names = [name for name in unet.attn_processors if name.endswith("attn1.processor")]
    return sorted(names, key=lambda n: (stages[n.split(".")[0]], *map(int, re.findall(r"\d+", n))))


@contextmanager
def mutual_self_attention(unet, control: Control, first: int):
    """Put the control on self-attention layers from the ``first`` of 16 on (scaled to the depth).

    The network's own processors come back at the end, whatever happens.
    """
    own = dict(unet.attn_processors)
    order = self_attention_order(unet)
    chosen = set(order[round(first * len(order) / BLOCKS) :])
    try:
        unet.set_attn_processor(
            {
                name: MutualSelfAttention(control) if name in chosen else AttnProcessor2_0()
                for name in own
            }
        )
        yield
    finally:
        unet.set_attn_processor(own)


class MasaCtrlProxy(ReleasedProxy):
    """The prompt may change the layout; the appearance is drawn from the painting.

    Deterministic: the noise is the painting's own, so the seed plays no part.
    """

    spec = PROXIES["masactrl"]
    release = STABLE_DIFFUSION
    pipeline = "StableDiffusionPipeline"
    components = NO_SAFETY_CHECKER
    half = torch.float16

    def make(
        self, painting: np.ndarray, settings: ProxySettings
    ) -> Generator[tuple[int, int], None, np.ndarray]:
        """Invert, then denoise under control; ``strength`` is how long the layout stays free."""
        height, width = painting.shape[:2]
        options, steps = settings.options, int(settings.options["steps"])
        picture = to_size(painting, *self.working_size(width, height, options["size"]))
        try:
            trajectory = [self.encode(picture)]
            empty, words = self.embed(""), self.embed(settings.prompt)
            for i, z in enumerate(self.invert(trajectory[0], empty, steps)):
                trajectory.append(z)
                yield i + 1, 2 * steps
            run = self.denoise(
                trajectory, empty, words, guidance=options["guidance"],
                first_step=round(FREE_SHARE * settings.strength * steps),
                first_layer=int(options["layer"]),
                union=bool(options["union"]), hold_source=bool(options["hold_source"]),
            )  # fmt: skip
            for i, (_, target) in enumerate(run):  # noqa: B007 - the last is decoded
                yield steps + i + 1, 2 * steps
            return self.finish(self.decode(target), painting)
        finally:
            self.pipe.maybe_free_model_hooks()

    def encode(self, picture: np.ndarray) -> torch.Tensor:
        """(h, w, 3) uint8 -> the VAE's mean, scaled, (1, 4, h / 8, w / 8) float32."""
        vae = self.pipe.vae
        pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None]
        pixels = (pixels.float() / 127.5 - 1).to(self.device, vae.dtype)
        return vae.encode(pixels).latent_dist.mean.float() * vae.config.scaling_factor

    def decode(self, z: torch.Tensor) -> np.ndarray:
        """Latents -> (h, w, 3) float32 in 0..1."""
        vae = self.pipe.vae
        pixels = vae.decode((z / vae.config.scaling_factor).to(vae.dtype)).sample[0]
        return (pixels.float() / 2 + 0.5).permute(1, 2, 0).cpu().numpy()

    def invert(self, z: torch.Tensor, empty: torch.Tensor, steps: int) -> Iterator[torch.Tensor]:
        """DDIM inversion with the empty prompt (guidance would be a no-op): one latent per step."""
        scheduler = DDIMInverseScheduler(**SCHEDULE)
        scheduler.set_timesteps(steps, device=self.device)
        for t in scheduler.timesteps:
            z = scheduler.step(self.noise(z, t, empty), t, z).prev_sample
            yield z

    def denoise(
        self,
        trajectory: list[torch.Tensor],
        empty: torch.Tensor,
        words: torch.Tensor,
        *,
        guidance: float,
        first_step: int,
        first_layer: int,
        union: bool = False,
        hold_source: bool = True,
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """From the inverted noise: (source, target) after every step, float32.

        With an empty source prompt the source's two guidance branches are one, so a call has three
        rows: source, target without text, target with text.

        Args:
            trajectory: the inversion, clean latents first.
            first_step, first_layer: control from here on; first_layer counts 16 blocks.
            hold_source: the source follows the stored inversion instead of its own drift.
        """
        scheduler = DDIMScheduler(**SCHEDULE)
        scheduler.set_timesteps(len(trajectory) - 1, device=self.device)
        text = torch.cat([empty, empty, words])
        source = target = trajectory[-1]
        control = Control(union=union)
        with mutual_self_attention(self.pipe.unet, control, first_layer):
            for i, t in enumerate(scheduler.timesteps):
                if hold_source:
                    source = trajectory[-1 - i]
                control.on = i >= first_step
                noise = self.noise(torch.cat([source, target, target]), t, text)
                eps_source, free, guided = noise.chunk(3)
                eps_target = free + guidance * (guided - free)
                source = scheduler.step(eps_source, t, source).prev_sample
                target = scheduler.step(eps_target, t, target).prev_sample
                yield source, target

    def noise(self, z: torch.Tensor, t: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        """The network's prediction; latents stay in float32 between steps, or inversion drifts."""
        unet = self.pipe.unet
        text = text.to(unet.dtype)
        return unet(z.to(unet.dtype), t, encoder_hidden_states=text, return_dict=False)[0].float()
