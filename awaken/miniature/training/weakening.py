"""How strongly a clip moves, of which its caption says nothing; and light that changes unsaid."""

from __future__ import annotations

import torch

from awaken.miniature.latents import AIR, DRIFT, FLOW, LIGHT, OBJECT, REGION, SHIFT, SINES, gain_of
from awaken.miniature.training import fields
from awaken.miniature.video_network import liveliness

# Footage tells what is there and not how much it moves. Of so many clips each kind of motion is weaker
# than the dial says, by anything down to ``_LEAST``: what shows through the noise of how much moves is
# then worth listening to. Not down to nothing: a network that knows named things at rest answers a
# still start with a still video, at every step of the distillation anew.
_WEAKER, _LEAST = 0.3, 0.1
# The shares of what is named and rests.
_AT_REST = 0.05
# Clips whose light changes, as it does between a painting and its proxy, of which nothing is said.
_GRADED = 0.3


def loudness(z: torch.Tensor, regions: torch.Tensor) -> torch.Tensor:
    """(b, 2): see ``Clips``; 0 where there is no region, or no object."""
    cells = regions.sum((2, 3))
    energy = torch.stack([z[:, FLOW].square().sum((1, 2)), z[:, SHIFT].square().sum((1, 2))], 1)
    return (energy * regions).sum((2, 3)) / (2 * SINES * cells.clamp(min=1))


def enlivened(z: torch.Tensor, picture: torch.Tensor, regions: torch.Tensor) -> torch.Tensor:
    """Latents in which what looks lively moves more, and whose shares are as loud whatever their size.

    picture: (b, 3, 8 h, 8 w) in 0..1; regions: (b, 2, h, w), shares of region and object.
    """
    lively = liveliness(picture, regions)
    gain = lively * gain_of(regions.sum((2, 3)))
    z = z.clone()
    for i, (share, motion) in enumerate(((REGION, FLOW), (OBJECT, SHIFT))):
        z[:, share] *= gain[:, i, None, None, None, None]
        z[:, motion] *= lively[:, i, None, None, None, None]
    return z


def weakened(stage: fields.SpaceTime, z: torch.Tensor) -> torch.Tensor:
    """Latents whose flow, shift, air and change of light are each as strong as they are or weaker.

    Half of the clips weaken all of them alike.
    """
    each = torch.cat([stage.uniform(_LEAST, 1) for _ in range(4)], 1)[:, :, 0]  # (b, 4)
    alike = stage.uniform(0, 1)[:, :, 0] < 0.5
    strength = torch.where(alike, each[:, :1], each)
    whole = torch.cat([stage.uniform(0, 1) for _ in range(4)], 1)[:, :, 0]
    whole = torch.where(alike, whole[:, :1], whole) >= _WEAKER
    strength = torch.where(whole, torch.ones_like(strength), strength)
    flow, shift, air, light = (x.view(-1, 1, 1, 1, 1) for x in strength.unbind(1))
    still = z[:, LIGHT, :1]
    return torch.cat([
        still + light * (z[:, LIGHT] - still),
        (_AT_REST + (1 - _AT_REST) * flow) * z[:, REGION], flow * z[:, FLOW],
        (_AT_REST + (1 - _AT_REST) * shift) * z[:, OBJECT], shift * z[:, SHIFT],
        air * z[:, DRIFT], air * z[:, AIR],
    ], 1)  # fmt: skip


def graded(stage: fields.SpaceTime, z: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Latents in whose light, in a share of the clips, another one comes up evenly."""
    light = z[:, LIGHT, 0]
    mean = light.mean((2, 3), keepdim=True)

    def of(low: float, high: float) -> torch.Tensor:
        return stage.uniform(low, high)[:, None]

    sky = fields.spread(masks[:, :1], 2)
    luma = of(-1, 1) * (0.6 + of(-0.8, 0.8) * (stage.height()[None] - 0.5))
    luma = luma + sky * of(-1.2, 1.6) + of(0, 0.5) * stage.noise(2.0)[:, None]
    luma = luma + of(-0.25, 0.5) * (light - mean)[:, :1]
    chroma = torch.cat([of(-1, 1), of(-1, 1)], 1) * (0.5 + of(0, 1) * sky)
    chroma = chroma + of(-0.4, 0.3) * (light - mean)[:, 1:]
    change = torch.cat([luma, chroma.expand(-1, 2, *luma.shape[-2:])], 1)
    change = change * (of(0, 1) < _GRADED)
    come = (stage.times / stage.times[:, -1:])[:, None, :, None, None]
    z = z.clone()
    z[:, LIGHT] += come * change[:, :, None]
    return z
