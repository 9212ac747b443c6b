"""The second miniature's video network: a condition network (once a run), a denoiser (per step).

The condition network reads the painting and the sentence and finds what the sentence moves; it has
a U shape with cross-attention to word vectors at three scales, and two auxiliary outputs that are
trained directly: "which cells does this sentence move", and "what is in this cell", which learns
from every picture whatever its caption names. The denoiser works on coefficients of functions
of time (``latents.TimeBasis``) as channels of a two-dimensional U-Net (frames as channels: MCVD,
Voleti, Jolicoeur-Martineau and Pal 2022), patched two by two, with a last stage on the full grid.
It predicts the clean video (x0); light is a residual to the static video. Networks of this width
that predicted v did not learn to move anything.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

from awaken.miniature.classes import CLASSES
from awaken.miniature.imaging import box
from awaken.miniature.latents import SHARES, UNITS, TimeBasis, light_of

TEXT = 384  # width of a word vector of all-MiniLM-L6-v2
EMBEDDING = 256


def norm_of(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(8, channels)


def zeroed(layer: nn.Module) -> nn.Module:
    """Start a residual branch at zero, so that depth costs nothing at first."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class Residual(nn.Module):
    """Two 3 x 3 convolutions around a skip; an embedding, if any, scales and shifts the middle."""

    def __init__(self, inner: int, outer: int | None = None, embedding: int = 0) -> None:
        super().__init__()
        outer = outer or inner
        self.norm1, self.conv1 = norm_of(inner), nn.Conv2d(inner, outer, 3, padding=1)
        self.norm2, self.conv2 = norm_of(outer), zeroed(nn.Conv2d(outer, outer, 3, padding=1))
        self.skip = nn.Conv2d(inner, outer, 1) if inner != outer else nn.Identity()
        self.film = nn.Linear(embedding, 2 * outer) if embedding else None

    def forward(self, x: torch.Tensor, e: torch.Tensor | None = None) -> torch.Tensor:
        h = self.norm2(self.conv1(F.silu(self.norm1(x))))
        if self.film is not None:
            scale, shift = self.film(e)[:, :, None, None].chunk(2, 1)
            h = h * (1 + scale) + shift
        return self.skip(x) + self.conv2(F.silu(h))


class Attention(nn.Module):
    """Four-headed attention of cells to each other (``text`` 0) or to vectors of that width."""

    def __init__(self, channels: int, text: int = 0, heads: int = 4) -> None:
        super().__init__()
        self.heads, self.norm = heads, norm_of(channels)
        self.query = nn.Conv2d(channels, channels, 1)
        self.pairs = nn.Linear(text or channels, 2 * channels)
        self.out = zeroed(nn.Conv2d(channels, channels, 1))
        # A sentence may be empty: attention then falls on a vector that means "no words".
        self.nothing = nn.Parameter(torch.randn(1, 1, 2 * channels) * 0.02) if text else None

    def forward(
        self,
        x: torch.Tensor,
        words: torch.Tensor | None = None,
        present: torch.Tensor | None = None,
    ) -> torch.Tensor:
        b, c, h, w = x.shape
        normed = self.norm(x)
        source = normed.flatten(2).transpose(1, 2) if words is None else words.to(x.dtype)
        pairs, mask = self.pairs(source), None
        if words is not None:
            pairs = torch.cat([self.nothing.expand(b, -1, -1).to(pairs), pairs], 1)
            mask = F.pad(present, (1, 0), value=True)[:, None, None]
        key, value = pairs.unflatten(-1, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query = self.query(normed).flatten(2).transpose(1, 2).unflatten(-1, (self.heads, -1))
        out = F.scaled_dot_product_attention(query.transpose(1, 2), key, value, attn_mask=mask)
        return x + self.out(out.transpose(1, 2).flatten(2).transpose(1, 2).reshape(b, c, h, w))


def doubled(x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, scale_factor=2, mode="nearest")


def coordinates(x: torch.Tensor) -> torch.Tensor:
    """(b, 2, h, w): y and x of every cell, -1 to 1."""
    b, _, h, w = x.shape
    y = torch.linspace(-1, 1, h, device=x.device, dtype=x.dtype)[:, None].expand(h, w)
    return torch.stack([y, torch.linspace(-1, 1, w, device=x.device, dtype=x.dtype).expand(h, w)])[
        None
    ].expand(b, -1, -1, -1)


class FineEncoder(nn.Module):
    """Features finer than whole cells, for birds and flames: (b, 3, 8 h, 8 w) -> (b, n, h, w).

    widths: channels at half a cell and at whole cells. Its output starts at zero, so that a network
    trained without it can go on with it.
    """

    def __init__(self, widths: tuple[int, int], outer: int) -> None:
        super().__init__()
        fine, coarse = widths
        self.enter, self.fine = nn.Conv2d(3 * 4 * 4, fine, 3, padding=1), Residual(fine)
        self.down, self.coarse = nn.Conv2d(fine, coarse, 3, 2, 1), Residual(coarse)
        self.leave = zeroed(nn.Conv2d(coarse, outer, 1))

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        x = self.fine(self.enter(F.pixel_unshuffle(picture, 4)))
        return self.leave(F.silu(self.coarse(self.down(F.silu(x)))))


class ConditionNetwork(nn.Module):
    """Painting, words, motion mask and chances -> features for the denoiser at three scales, and regions.

    eye: the widths of a ``FineEncoder``, or () for none.
    """

    def __init__(
        self,
        widths: tuple[int, int, int],
        outer: tuple[int, int, int],
        eye: tuple[int, int] | tuple[()] = (),
    ) -> None:
        super().__init__()
        b, c, d = widths  # at the grid's resolution, at half and at a quarter of it
        self.eye = FineEncoder(eye, b) if eye else None
        self.enter = nn.Conv2d(3 * 8 * 8 + 3, b, 1)
        self.told = zeroed(nn.Conv2d(len(CLASSES), b, 1, bias=False))
        self.at32 = nn.ModuleList([Residual(b), Residual(b)])
        self.down16 = nn.Conv2d(b, c, 3, 2, 1)
        self.at16 = nn.ModuleList([Residual(c), Residual(c)])
        self.read16 = Attention(c, TEXT)
        self.down8 = nn.Conv2d(c, d, 3, 2, 1)
        self.at8 = nn.ModuleList([Residual(d), Residual(d)])
        self.see8, self.read8, self.last8 = Attention(d), Attention(d, TEXT), Residual(d)
        self.up16, self.reread16 = Residual(d + c, c), Attention(c, TEXT)
        self.up32, self.reread32, self.last32 = Residual(c + b, b), Attention(b, TEXT), Residual(b)
        self.out32, self.out16 = nn.Conv2d(b, outer[0], 1), nn.Conv2d(c, outer[1], 1)
        self.out8 = nn.Conv2d(d, outer[2], 1)
        self.regions, self.classes = nn.Conv2d(b, 2, 1), nn.Conv2d(b, len(CLASSES), 1)

    def forward(self, picture, mask, there, words, present):
        """picture (b, 3, 8 h, 8 w) in 0..1, mask (b, 1, h, w) of 0..1, words (b, 20, 384);
        there (b, classes, h, w): the segmentation network's chances of what is where.

        Returns features at h, h / 2 and h / 4, (b, 2, h, w) logits of the named region and object,
        (b, 2) how lively these look, and (b, classes, h, w) logits of what is there.
        """
        x = F.pixel_unshuffle(picture * 2 - 1, 8)
        x32 = self.enter(torch.cat([x, mask.to(x), coordinates(x)], 1)) + self.told(there.to(x))
        if self.eye is not None:
            x32 = x32 + self.eye(picture * 2 - 1)
        for block in self.at32:
            x32 = block(x32)
        x16 = self.down16(x32)
        for block in self.at16:
            x16 = block(x16)
        x16 = self.read16(x16, words, present)
        x8 = self.down8(x16)
        for block in self.at8:
            x8 = block(x8)
        x8 = self.last8(self.read8(self.see8(x8), words, present))
        x16 = self.up16(torch.cat([doubled(x8), x16], 1))
        x16 = self.reread16(x16, words, present)
        x32 = self.up32(torch.cat([doubled(x16), x32], 1))
        x32 = self.last32(self.reread32(x32, words, present))
        regions = self.regions(x32)
        lively = liveliness(picture, regions.detach().float().sigmoid())
        features = self.out32(x32), self.out16(x16), self.out8(x8)
        return *features, regions, lively, self.classes(x32)


# Contrast (mean difference of luma from the cells around, 0 to 1) of a region and of an object that
# move as strongly as the dial says; how much more of it moves more strongly, within bounds.
_CONTRAST, _ROUGHER, LIVELY = (0.035, 0.06), 0.8, (0.4, 1.5)


def liveliness(picture: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """How strongly a picture's region and object look to move, (b, 2): 1 is usual.

    picture: (b, 3, 8 h, 8 w) in 0..1; where: (b, 2, h, w), shares of 0 to 1. A rough sea, a torn sky
    and ruffled corn move more than smooth ones, as in footage.
    """
    luma = light_of(picture.float(), where.shape[-2:])[:, :1] * UNITS[0]
    apart, where = (luma - box(luma, 2)).abs(), where.float()
    contrast = (apart * where).sum((2, 3)) / where.sum((2, 3)).clamp(min=1e-3)
    return (contrast / contrast.new_tensor(_CONTRAST)).pow(_ROUGHER).clamp(*LIVELY)


def wave_embedding(x: torch.Tensor, width: int = 64) -> torch.Tensor:
    """Sines and cosines of a (b,) number, (b, 2 width): an embedding of it."""
    angles = x.float()[:, None] * torch.exp(
        torch.linspace(math.log(0.5), math.log(60.0), width, device=x.device)
    )
    return torch.cat([angles.sin(), angles.cos()], 1)


def pooled_shares(noisy: torch.Tensor, level: torch.Tensor, regions: torch.Tensor) -> torch.Tensor:
    """What all cells that the sentence means say together of how strongly they move: (b, 4).

    noisy: (b, 2, h, w), the shares of region and object, of unit scale; regions: logits of where they
    are. For both: the estimate of the clean coefficient, and its standard deviation, squashed to 8.
    A network of this depth does not pool over a whole sea by itself.
    """
    weight = regions.float().sigmoid()
    count = weight.square().sum((2, 3)) + 1e-3
    clean = noisy.float() * (1 + (-2 * level).exp()).sqrt()[:, None, None, None]  # z / a
    mean = (clean * weight).sum((2, 3)) / count
    deviation = (-level).exp()[:, None] / count.sqrt()
    found = torch.cat([mean * count / (1 + count), deviation], 1)
    return found / (1 + found.abs() / 8)


class Denoiser(nn.Module):
    """Noisy coefficients -> clean ones."""

    def __init__(self, widths: tuple[int, int, int]) -> None:
        super().__init__()
        a, b, c = widths  # at the grid's resolution, at half and at a quarter of it
        e = EMBEDDING
        self.level = nn.Sequential(nn.Linear(128, e), nn.SiLU(), nn.Linear(e, e))
        self.motion = nn.Sequential(nn.Linear(256, e), nn.SiLU(), nn.Linear(e, e))
        self.meaning = nn.Linear(TEXT, e)
        self.strength = nn.Sequential(nn.Linear(6, 64), nn.SiLU(), zeroed(nn.Linear(64, e)))
        self.enter = nn.Conv2d(4 * TimeBasis.INPUTS, b, 1)
        self.at16 = nn.ModuleList([Residual(b, embedding=e), Residual(b, embedding=e)])
        self.down8 = nn.Conv2d(b, c, 3, 2, 1)
        self.at8 = nn.ModuleList([Residual(c, embedding=e) for _ in range(3)])
        self.see8, self.read8 = Attention(c), Attention(c, TEXT)
        self.up16 = nn.ModuleList([Residual(b + c, b, embedding=e), Residual(b, embedding=e)])
        self.strengths = zeroed(nn.Conv2d(6, a, 1, bias=False))
        self.up32, self.near = nn.Conv2d(b, 4 * a, 1), nn.Conv2d(TimeBasis.INPUTS, a, 1)
        self.at32 = nn.ModuleList([Residual(2 * a, a, embedding=e), Residual(a, embedding=e)])
        self.leave = nn.Sequential(
            norm_of(a), nn.SiLU(), zeroed(nn.Conv2d(a, TimeBasis.OUTPUTS, 3, padding=1))
        )

    def forward(self, noisy, level, features, words, present, motion, duration):
        """noisy (b, 84, h, w) of unit scale; level, log signal-to-noise, motion, duration: (b,).

        features: those of the condition network, without the classes.
        """
        x32, x16, x8, regions, lively = features[:5]
        count = present.sum(1, keepdim=True).clamp(min=1)
        meaning = (words * present[..., None]).sum(1) / count
        dials = torch.cat([wave_embedding(motion), wave_embedding(duration)], 1).to(noisy.dtype)
        e = self.level(wave_embedding(level / 4).to(noisy.dtype)) + self.motion(dials)
        heard = torch.cat([pooled_shares(noisy[:, SHARES], level, regions), lively.float()], 1)
        heard = heard.to(noisy.dtype)
        where = regions.sigmoid().to(noisy.dtype).repeat(1, 3, 1, 1)
        e = F.silu(e + self.meaning(meaning.to(noisy.dtype)) + self.strength(heard))
        x = self.enter(F.pixel_unshuffle(noisy, 2)) + x16
        for block in self.at16:
            x = block(x, e)
        kept, x = x, self.down8(x) + x8
        x = self.at8[1](self.at8[0](x, e), e)
        x = self.at8[2](self.read8(self.see8(x), words, present), e)
        x = torch.cat([doubled(x), kept], 1)
        for block in self.up16:
            x = block(x, e)
        near = self.near(noisy) + x32 + self.strengths(where * heard[..., None, None])
        x = torch.cat([F.pixel_shuffle(self.up32(x), 2), near], 1)
        for block in self.at32:
            x = block(x, e)
        return self.leave(x)


class VideoNetwork(nn.Module):
    """The whole: ``condition`` once per picture and sentence, then the denoiser at every step."""

    def __init__(
        self,
        widths: tuple[int, int, int] = (40, 112, 160),
        condition_widths: tuple[int, int, int] = (56, 96, 160),
        eye_widths: tuple[int, int] | tuple[()] = (),
    ) -> None:
        super().__init__()
        self.condition = ConditionNetwork(condition_widths, widths, eye_widths)
        self.denoiser = Denoiser(widths)

    def forward(self, z, light0, a, s, basis, features, words, present, motion, duration):
        """Estimate of the clean video from a noisy one, both (b, 18, f, h, w) in latent units.

        light0 (b, 3, h, w): light of the painting it is given; a, s (b,): z_t = a z0 + s eps.
        """
        noise = s * basis.noise
        unit = (a**2 + noise**2).rsqrt()[:, None, None, None]
        level = torch.log(a / noise)
        prediction = self.denoiser(
            basis.input(z) * unit, level, features, words, present, motion, duration
        )
        return basis.video(prediction.float(), light0)
