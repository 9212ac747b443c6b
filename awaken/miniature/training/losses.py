"""What each part of the miniature is trained to minimise; one callable per part.

``half``: multiply in bfloat16. Where hardware does not, emulating it costs several times float32.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from awaken.miniature.decoder_network import MatteNetwork, degraded
from awaken.miniature.latents import (
    EMPHASIS,
    LIGHT,
    SINES,
    TimeBasis,
    schedule_table,
)
from awaken.miniature.mattes import guided_matte
from awaken.miniature.proxy_network import ProxyNetwork
from awaken.miniature.segmentation_network import SegmentationNetwork
from awaken.miniature.training.chances import doubted
from awaken.miniature.training.clips import Clips
from awaken.miniature.video_network import VideoNetwork

# What takes up less of the picture counts more per cell, so many times at most.
_SMALL, _LIFT = 0.08, 5.0
_WORDLESS = 0.1  # share of samples without their caption: guidance needs both


def _weights() -> torch.Tensor:
    """(81,): what a squared error of each coefficient counts, in latent units.

    Light (it changes by little), flow, shift (objects are small), drift, shares, amounts; of
    displacements the slow more than the fast, though less than they are larger.
    """
    slow = 1 / torch.tensor(EMPHASIS)
    rows = [torch.full((3 * SINES,), 1.0), *[2.0 * slow] * 2, *[4.0 * slow] * 2, *[0.3 * slow] * 2]
    return torch.cat([*rows, torch.tensor([0.6, 0.37]), torch.full((7,), 0.5)])


# What is hardly heard, trees beside clouds, counts as if it were as loud as this, within bounds: else
# only large motion is learnt, and small motion is the mean of what may happen, which is none.
_LOUD, _BOUNDS = 0.12, (0.5, 12.0)


def even(loudness: torch.Tensor) -> torch.Tensor:
    """(b, 2) of ``Clips`` -> (b, 2), what the errors of flow and shift are multiplied by."""
    times = (_LOUD / loudness.clamp(min=1e-6)).clamp(*_BOUNDS)
    return torch.where(loudness > 0, times, torch.ones_like(times))


@dataclass(frozen=True, eq=False)
class CaptionedClips:
    """Clips and their captions' word vectors (b, 20, 384) and presence (b, 20)."""

    clips: Clips
    words: torch.Tensor
    present: torch.Tensor

    def to(self, device: torch.device) -> CaptionedClips:
        clips = {
            name: value.to(device, non_blocking=True) if isinstance(value, torch.Tensor) else value
            for name, value in vars(self.clips).items()
        }
        return CaptionedClips(Clips(**clips), self.words.to(device), self.present.to(device))


class Noise:
    """The 1,000 noise levels, and how they are drawn."""

    def __init__(self, device: torch.device) -> None:
        self.table, self.device = schedule_table().float().to(device), device

    def draw(self, batch: int, early: float) -> tuple[torch.Tensor, torch.Tensor]:
        """a and s, (b,); a share ``early`` is of the noisiest third, where motion is decided, and mostly of
        its end, where what is heard of a start decides how much."""
        t = torch.randint(0, 1000, (batch,), device=self.device)
        first = torch.rand(batch, device=self.device) < early
        noisiest = 999 - (300 * torch.rand(batch, device=self.device) ** 2).long()
        t = torch.where(first, noisiest, t)
        return self.table[t].sqrt(), (1 - self.table[t]).sqrt()


class VideoLoss:
    """Squared error of the clean coefficients, and cross-entropies of regions and classes.

    draws: noise levels per clip; a clip and its features cost more than a pass of the denoiser.
    """

    def __init__(self, device: torch.device, half: bool, draws: int = 1) -> None:
        self.device, self.half, self.draws, self.noise = device, half, draws, Noise(device)
        self.weights = _weights().to(device)[None, :, None, None]
        self.basis = TimeBasis(16, device)

    def __call__(self, network: VideoNetwork, item: CaptionedClips):
        item = item.to(self.device)
        clips, words, z = item.clips, item.words, item.clips.latents
        b = len(words)
        dropped = torch.rand(b, device=self.device) < _WORDLESS
        present = item.present & ~dropped[:, None]
        near = F.max_pool2d(clips.regions.amax(1, keepdim=True), 3, 1, 1)
        masked = (torch.rand(b, 1, 1, 1, device=self.device) < 0.25).float()
        mask = masked * (near > 0.1).float() + (1 - masked)
        trains = next(network.condition.parameters()).requires_grad

        def often(x: torch.Tensor) -> torch.Tensor:
            return x.repeat(self.draws, *[1] * (x.dim() - 1))

        # Coefficients see the noise of a clip of its true length: see TimeBasis.
        a, s = self.noise.draw(b * self.draws, early=0.6)
        s = s / often(clips.duration).sqrt()
        clean = often(self.basis.input(z))
        noisy = a[:, None, None, None] * clean + s[:, None, None, None] * torch.randn_like(clean)
        noisy = noisy * (a**2 + s**2).rsqrt()[:, None, None, None]
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            picture = clips.picture.contiguous(memory_format=torch.channels_last)
            with torch.set_grad_enabled(trains):
                features = network.condition(picture, mask, doubted(clips.masks), words, present)
            prediction = network.denoiser(
                noisy.contiguous(memory_format=torch.channels_last), torch.log(a / s),
                [often(x) for x in features[:5]], often(words), often(present),
                often(clips.strength), often(clips.duration),
            )  # fmt: skip
        rare = lifted(clips.regions)
        flow, shift = even(clips.loudness)[:, :, None, None].unbind(1)
        weights = self.weights * _valid(clips.valid)
        weights[:, 3 * SINES : 5 * SINES] *= flow[:, :, None]
        weights[:, 5 * SINES : 7 * SINES] *= shift[:, :, None] * rare[:, 1:]
        weights[:, 9 * SINES : 9 * SINES + 2] *= rare
        error = (prediction.float() - often(self.basis.target(z, z[:, LIGHT, 0]))) ** 2
        error = error * often(weights)
        parts = {
            "flow": error[:, 3 * SINES : 5 * SINES].mean(),
            "shift": error[:, 5 * SINES : 7 * SINES].mean(),
            "shares": error[:, 9 * SINES : 9 * SINES + 2].mean(),
            "all": error.mean(),
        }
        loss = error.mean()
        if trains:
            cross = F.binary_cross_entropy_with_logits
            regions = cross(features[3].float(), clips.regions, rare, reduction="none")
            parts["regions"] = (regions.mean((1, 2, 3)) * ~dropped).mean()
            parts["classes"] = cross(features[5].float(), clips.masks, lifted(clips.masks))
            loss = loss + 0.2 * parts["regions"] + 0.3 * parts["classes"]
        return loss, {name: value.detach() for name, value in parts.items()}, b


def lifted(shares: torch.Tensor) -> torch.Tensor:
    """How much a cell counts, (b, n, h, w) from 1: more where something small is, shares of 0 to 1.

    A gull is a few cells of a thousand: to say that there is none would cost nothing. So the less of
    the picture a thing takes up, the more each of its cells counts, by the square root.
    """
    taken = shares.mean((2, 3), keepdim=True).clamp(min=1e-4)
    return 1 + ((_SMALL / taken).sqrt().clamp(1, _LIFT) - 1) * shares


def _valid(valid: torch.Tensor) -> torch.Tensor:
    """(b, 18, h, w) per channel -> (b, 81, h, w) per coefficient, as in ``TimeBasis.target``."""
    moves = torch.cat([valid[:, :3], valid[:, 4:6], valid[:, 7:11]], 1)
    rest = torch.cat([valid[:, 3:4], valid[:, 6:7], valid[:, 11:]], 1)
    return torch.cat([moves.repeat_interleave(SINES, 1), rest], 1)


class MatteLoss:
    """Cross-entropy and edges of mattes; reports guided filtering's error beside the network's."""

    def __init__(self, device: torch.device, half: bool) -> None:
        self.device, self.half, self.count = device, half, 0

    def __call__(self, network: MatteNetwork, item: tuple[torch.Tensor, torch.Tensor]):
        picture, target = (x.to(self.device) for x in item)
        shares = degraded(F.avg_pool2d(target, 8))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            logits = network(shares, picture.contiguous(memory_format=torch.channels_last))
        cross = F.binary_cross_entropy_with_logits(logits, target)
        matte = logits.sigmoid()
        edges = sum(
            (torch.diff(matte, dim=d) - torch.diff(target, dim=d)).abs().mean() for d in (2, 3)
        )
        parts = {"cross": cross, "error": (matte - target).abs().mean()}
        if self.count % 50 == 0:  # the yardstick is slow
            with torch.no_grad():
                self.guided = (guided_matte(shares, picture).clamp(0, 1) - target).abs().mean()
        self.count += 1
        parts = {name: value.detach() for name, value in (parts | {"guided": self.guided}).items()}
        return cross + edges, parts, len(picture)


class SegmentationLoss:
    """Cross-entropies of what is where and of what a sentence moves, and what outlines miss (Dice)."""

    def __init__(self, device: torch.device, half: bool) -> None:
        self.device, self.half = device, half

    def __call__(self, network: SegmentationNetwork, item: tuple[torch.Tensor, ...]):
        picture, masks, words, present, moved = (x.to(self.device) for x in item)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            logits = network(picture.contiguous(memory_format=torch.channels_last)).float()
        cross = F.binary_cross_entropy_with_logits(logits, masks, lifted(masks))
        # Milletari, Navab and Ahmadi 2016: without it a few cells of flame cost next to nothing.
        shares = logits.sigmoid()
        both, either = (shares * masks).sum((2, 3)), (shares**2 + masks**2).sum((2, 3))
        shown = (masks.sum((2, 3)) > 1).float()
        missed = ((1 - 2 * both / (either + 1)) * shown).sum() / shown.sum().clamp(min=1)
        read = F.binary_cross_entropy_with_logits(network.read(words, present), moved)
        parts = {"cross": cross, "missed": missed, "read": read}
        parts = {name: value.detach() for name, value in parts.items()}
        return cross + 0.1 * missed + 0.1 * read, parts, len(picture)


class ProxyLoss:
    """Squared error of v on a picture's light as its caption would have it."""

    def __init__(self, device: torch.device, half: bool) -> None:
        self.device, self.half, self.noise = device, half, Noise(device)

    def __call__(self, network: ProxyNetwork, item: tuple[torch.Tensor, ...]):
        light, wanted, there, words, present = (x.to(self.device) for x in item)
        b = len(words)
        present = present & (torch.rand(b, 1, device=self.device) >= _WORDLESS)
        a, s = self.noise.draw(b, early=0.3)
        noise = torch.randn_like(wanted)
        ax, sx = a[:, None, None, None], s[:, None, None, None]
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            noisy = (ax * wanted + sx * noise).contiguous(memory_format=torch.channels_last)
            v = network(noisy, torch.log(a / s), light, there, words, present)
        error = ((v.float() - (ax * noise - sx * wanted)) ** 2).mean()
        return error, {"v": error.detach()}, b
