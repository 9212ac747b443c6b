"""The miniature's networks: what the latents mean, and the three models that make and read them.

A video is 16 frames on a 16 x 16 grid, whatever the painting's shape: the painting is squashed on a
128 x 128 square, the *working square*. Each cell has ten channels (``CHANNELS``): eight fixed 8 x 8
block DCT coefficients of the picture (luma mean, two chroma means, five luma waves) and two of
backward flow, saying from where on the painting that cell's content comes. A static video is the
painting's appearance with zero flow, so the paper's z0 (Sec. 3.3) makes sense as it stands.

The video network treats the frames as channels of one image (Voleti et al. 2022, MCVD), so that a
step costs about as much as one small image-network call.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

SQUARE = 128  # side of the working square in pixels
GRID = 16  # cells along one side
APPEARANCE = 8  # DCT channels
CHANNELS = APPEARANCE + 2
FLOW_UNIT = 4.0  # pixels of the working square per unit of flow
TEXT_WIDTH = 384

_BLOCK = SQUARE // GRID
# (plane of Y, Cb, Cr; vertical wave; horizontal wave) of each appearance channel
_BASIS = ((0, 0, 0), (1, 0, 0), (2, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1), (0, 0, 2), (0, 2, 0))
# standard deviation of each coefficient over paintings; appearance channels are divided by it
_SPREAD = (1.9, 0.45, 0.45, 0.62, 0.62, 0.3, 0.35, 0.35)
_TO_YCC = ((0.299, 0.587, 0.114), (-0.169, -0.331, 0.5), (0.5, -0.419, -0.081))


def _waves() -> tuple[torch.Tensor, torch.Tensor]:
    """Analysis and synthesis kernels of the block DCT, (8, 3, 8, 8) each."""
    n = torch.arange(_BLOCK).float()
    dct = torch.cos(math.pi / _BLOCK * (n[None] + 0.5) * n[:, None]) * math.sqrt(2 / _BLOCK)
    dct[0] /= math.sqrt(2)
    ycc = torch.tensor(_TO_YCC)
    rgb = torch.linalg.inv(ycc)
    waves = [(plane, dct[v][:, None] * dct[h][None]) for plane, v, h in _BASIS]
    analysis = torch.stack([ycc[plane][:, None, None] * wave for plane, wave in waves])
    synthesis = torch.stack([rgb[:, plane][:, None, None] * wave for plane, wave in waves])
    spread = torch.tensor(_SPREAD).view(-1, 1, 1, 1)
    return analysis / spread, synthesis * spread


_ANALYSIS, _SYNTHESIS = _waves()


def encode_appearance(squares: torch.Tensor) -> torch.Tensor:
    """Pictures on the working square, (n, 3, 128, 128) in [0, 1] -> (n, 8, 16, 16) of unit spread."""
    return F.conv2d(squares - 0.5, _ANALYSIS.to(squares), stride=_BLOCK)


def decode_appearance(appearance: torch.Tensor) -> torch.Tensor:
    """The smooth picture that (n, 8, 16, 16) appearance channels hold -> (n, 3, 128, 128)."""
    return F.conv_transpose2d(appearance, _SYNTHESIS.to(appearance), stride=_BLOCK) + 0.5


def double(x: torch.Tensor) -> torch.Tensor:
    """Nearest-neighbour enlargement by two."""
    return F.interpolate(x, scale_factor=2, mode="nearest")


def wave_embedding(x: torch.Tensor, width: int = 128) -> torch.Tensor:
    """Numbers (n,) -> sines and cosines of them, (n, width) float32 (Vaswani et al. 2017)."""
    half = width // 2
    rates = torch.exp(-math.log(10_000) * torch.arange(half, device=x.device) / half)
    angles = x.float()[:, None] * rates[None]
    return torch.cat([angles.sin(), angles.cos()], 1)


def pooled_text(text: torch.Tensor, text_mask: torch.Tensor) -> torch.Tensor:
    """Mean of the words that are there: (n, words, width), (n, words) bool -> (n, width)."""
    present = text_mask[..., None].to(text.dtype)
    return (text * present).sum(1) / present.sum(1).clamp(min=1)


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(min(16, channels // 4), channels)


def _down(channels: int, out: int) -> nn.Conv2d:
    return nn.Conv2d(channels, out, 3, stride=2, padding=1)


def _mlp(width: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, out), nn.SiLU(), nn.Linear(out, out))


class ResidualBlock(nn.Module):
    """Two normalised convolutions beside a skip; ``embedding`` scales and shifts between them."""

    def __init__(self, channels: int, out: int | None = None, embedding: int = 0):
        super().__init__()
        out = out or channels
        self.norm_in = _norm(channels)
        self.conv_in = nn.Conv2d(channels, out, 3, padding=1)
        self.norm_out = _norm(out)
        self.conv_out = nn.Conv2d(out, out, 3, padding=1)
        self.skip = nn.Conv2d(channels, out, 1) if channels != out else nn.Identity()
        self.modulation = nn.Linear(embedding, 2 * out) if embedding else None

    def forward(self, x: torch.Tensor, embedding: torch.Tensor | None = None) -> torch.Tensor:
        h = self.norm_out(self.conv_in(F.silu(self.norm_in(x))))
        if self.modulation is not None:
            scale, shift = self.modulation(embedding)[:, :, None, None].chunk(2, 1)
            h = h * (1 + scale) + shift
        return self.skip(x) + self.conv_out(F.silu(h))


class TextAttention(nn.Module):
    """Every cell looks at the prompt's words, and at one learned "nothing" for the empty prompt."""

    def __init__(self, channels: int, heads: int = 4):
        super().__init__()
        self.heads = heads
        self.norm = _norm(channels)
        self.query = nn.Conv2d(channels, channels, 1)
        self.key_value = nn.Linear(TEXT_WIDTH, 2 * channels)
        self.nothing = nn.Parameter(torch.zeros(1, 1, 2 * channels))
        self.out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: torch.Tensor, text: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        n, _, h, w = x.shape
        query = self.query(self.norm(x)).reshape(n, self.heads, -1, h * w).transpose(2, 3)
        words = torch.cat([self.nothing.expand(n, 1, -1), self.key_value(text)], 1)
        words = words.unflatten(2, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        key, value = words[0], words[1]  # (n, heads, 1 + words, channels / heads)
        visible = F.pad(mask, (1, 0), value=True)[:, None, None]
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=visible)
        return x + self.out(seen.transpose(2, 3).reshape(n, -1, h, w))


class CellAttention(nn.Module):
    """Every cell looks at every other cell."""

    def __init__(self, channels: int, heads: int = 4):
        super().__init__()
        self.heads = heads
        self.norm = _norm(channels)
        self.query_key_value = nn.Conv2d(channels, 3 * channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, _, h, w = x.shape
        parts = self.query_key_value(self.norm(x)).reshape(n, 3, self.heads, -1, h * w)
        query, key, value = parts.transpose(3, 4).unbind(1)
        seen = F.scaled_dot_product_attention(query, key, value)
        return x + self.out(seen.transpose(2, 3).reshape(n, -1, h, w))


def _coordinates(n: int, side: int, like: torch.Tensor) -> torch.Tensor:
    """Row and column of every cell in [-1, 1], (n, 2, side, side)."""
    line = torch.linspace(-1, 1, side, device=like.device, dtype=like.dtype)
    rows, columns = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([rows, columns]).expand(n, -1, -1, -1)


class Conditioner(nn.Module):
    """Reads painting, motion mask and prompt once per run; its features are added at every step."""

    def __init__(self, widths: tuple[int, int, int, int], out: tuple[int, int, int]):
        super().__init__()
        w32, w16, w8, w4 = widths
        self.stem = nn.Conv2d(3 * 16 + 2 + 1, w32, 3, padding=1)
        self.block32 = ResidualBlock(w32)
        self.down16 = _down(w32, w16)
        self.blocks16 = nn.ModuleList([ResidualBlock(w16), ResidualBlock(w16)])
        self.text16 = TextAttention(w16)
        self.down8 = _down(w16, w8)
        self.blocks8 = nn.ModuleList([ResidualBlock(w8), ResidualBlock(w8)])
        self.cells8 = CellAttention(w8)
        self.text8 = TextAttention(w8)
        self.down4 = _down(w8, w4)
        self.block4_in = ResidualBlock(w4)
        self.cells4 = CellAttention(w4)
        self.text4 = TextAttention(w4)
        self.block4_out = ResidualBlock(w4)
        self.up8 = ResidualBlock(w8 + w4, w8)
        self.up_text8 = TextAttention(w8)
        self.up16 = ResidualBlock(w8 + w16, w16)
        self.up_text16 = TextAttention(w16)
        self.up16_out = ResidualBlock(w16)
        self.out16 = nn.Conv2d(w16, out[0], 1)
        self.out8 = nn.Conv2d(w8, out[1], 1)
        self.out4 = nn.Conv2d(w4, out[2], 1)

    def forward(
        self, square: torch.Tensor, mask: torch.Tensor, text: torch.Tensor, text_mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Features at 16, 8 and 4 cells a side.

        Args:
            square: (n, 3, 128, 128) in [0, 1].
            mask: (n, 1, 16, 16), 1 where motion is allowed.
            text, text_mask: (n, words, 384) and (n, words) bool; all False is "no prompt".
        """
        x = F.pixel_unshuffle(square * 2 - 1, 4)
        x = torch.cat([x, _coordinates(len(x), x.shape[-1], x), double(mask)], 1)
        x = self.down16(self.block32(self.stem(x)))
        for block in self.blocks16:
            x = block(x)
        x16 = self.text16(x, text, text_mask)
        x = self.down8(x16)
        for block in self.blocks8:
            x = block(x)
        x8 = self.text8(self.cells8(x), text, text_mask)
        x = self.block4_in(self.down4(x8))
        x = self.block4_out(self.text4(self.cells4(x), text, text_mask))
        at4 = self.out4(x)
        x = self.up_text8(self.up8(torch.cat([double(x), x8], 1)), text, text_mask)
        at8 = self.out8(x)
        x = self.up_text16(self.up16(torch.cat([double(x), x16], 1)), text, text_mask)
        return self.out16(self.up16_out(x)), at8, at4


class VideoDenoiser(nn.Module):
    """Predicts the clean video as a residual to the static one; see ``forward`` and ``conditioner``."""

    def __init__(
        self,
        widths: tuple[int, int, int] = (96, 160, 192),
        conditioner_widths: tuple[int, int, int, int] = (32, 96, 128, 160),
        embedding: int = 256,
        frames: int = 16,
    ):
        super().__init__()
        w16, w8, w4 = widths
        self.frames = frames
        self.conditioner = Conditioner(tuple(conditioner_widths), (w16, w8, w4))
        self.time = _mlp(128, embedding)
        self.motion = _mlp(128, embedding)
        self.sentence = nn.Linear(TEXT_WIDTH, embedding)
        self.stem = nn.Conv2d(frames * CHANNELS + APPEARANCE + 1, w16, 3, padding=1)
        self.blocks16 = nn.ModuleList(ResidualBlock(w16, embedding=embedding) for _ in range(2))
        self.down8 = _down(w16, w8)
        self.blocks8 = nn.ModuleList(ResidualBlock(w8, embedding=embedding) for _ in range(2))
        self.cells8 = CellAttention(w8)
        self.text8 = TextAttention(w8)
        self.down4 = _down(w8, w4)
        self.block4_in = ResidualBlock(w4, embedding=embedding)
        self.cells4 = CellAttention(w4)
        self.text4 = TextAttention(w4)
        self.block4_out = ResidualBlock(w4, embedding=embedding)
        self.up8 = ResidualBlock(w8 + w4, w8, embedding)
        self.up8_out = ResidualBlock(w8, embedding=embedding)
        self.up16 = ResidualBlock(w16 + w8, w16, embedding)
        self.up16_out = ResidualBlock(w16, embedding=embedding)
        self.norm = _norm(w16)
        self.head = nn.Conv2d(w16, frames * CHANNELS, 3, padding=1)

    def forward(
        self,
        z: torch.Tensor,
        t: torch.Tensor,
        *,
        appearance: torch.Tensor,
        features16: torch.Tensor,
        features8: torch.Tensor,
        features4: torch.Tensor,
        mask: torch.Tensor,
        text: torch.Tensor,
        text_mask: torch.Tensor,
        motion: torch.Tensor,
    ) -> torch.Tensor:
        """The clean video minus the static video, (n, 10, f, 16, 16).

        Args:
            z: noisy latents, (n, 10, f, 16, 16).
            t: timesteps 0 to 999, (n,).
            appearance: the painting's, (n, 8, 16, 16).
            features16, features8, features4: the conditioner's.
            mask, text, text_mask: as the conditioner's.
            motion: strength of motion, (n,); the training clips had 0.35 to 1.25.
        """
        n, _, f, h, w = z.shape
        time, motion = wave_embedding(t).to(z.dtype), wave_embedding(motion * 200).to(z.dtype)
        words = self.sentence(pooled_text(text, text_mask))
        embedding = F.silu(self.time(time) + self.motion(motion) + words)
        frames = z.transpose(1, 2).reshape(n, f * CHANNELS, h, w)
        x = self.stem(torch.cat([frames, appearance, mask], 1)) + features16
        for block in self.blocks16:
            x = block(x, embedding)
        x16 = x
        x = self.down8(x) + features8
        for block in self.blocks8:
            x = block(x, embedding)
        x8 = self.text8(self.cells8(x), text, text_mask)
        x = self.block4_in(self.down4(x8) + features4, embedding)
        x = self.block4_out(self.text4(self.cells4(x), text, text_mask), embedding)
        x = self.up8_out(self.up8(torch.cat([double(x), x8], 1), embedding), embedding)
        x = self.up16_out(self.up16(torch.cat([double(x), x16], 1), embedding), embedding)
        x = self.head(F.silu(self.norm(x)))
        return x.reshape(n, f, CHANNELS, h, w).transpose(1, 2)


class MotionDecoder(nn.Module):
    """Latents and the painting -> fine flow, and what a warp alone cannot show.

    The painting's own features guide the flow from 16 cells up to the 128 pixels of the working
    square. Appearance that is not in the painting comes out as a picture with its opacity.
    """

    def __init__(
        self,
        picture_widths: tuple[int, int, int, int] = (12, 24, 40, 64),
        widths: tuple[int, int, int, int] = (96, 64, 32, 20),
    ):
        super().__init__()
        p128, p64, p32, p16 = picture_widths
        w16, w32, w64, w128 = widths
        self.picture128 = nn.Conv2d(3, p128, 3, padding=1)
        self.picture64 = _down(p128, p64)
        self.picture32 = _down(p64, p32)
        self.picture16 = _down(p32, p16)
        self.picture16_out = ResidualBlock(p16)
        self.stem = nn.Conv2d(CHANNELS + APPEARANCE + p16, w16, 3, padding=1)
        self.blocks16 = nn.ModuleList([ResidualBlock(w16), ResidualBlock(w16)])
        self.up32 = nn.Conv2d(w16 + p32, w32, 3, padding=1)
        self.block32 = ResidualBlock(w32)
        self.up64 = nn.Conv2d(w32 + p64, w64, 3, padding=1)
        self.block64 = ResidualBlock(w64)
        self.up128 = nn.Conv2d(w64 + p128, w128, 3, padding=1)
        self.head = nn.Conv2d(w128, 6, 3, padding=1)

    def forward(
        self, latents: torch.Tensor, square: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Decode frames of one painting.

        Args:
            latents: frames, (f, 10, 16, 16), flow channels in ``FLOW_UNIT``.
            square: the painting, (1, 3, 128, 128) in [0, 1].

        Returns float32 backward flow in pixels of the working square, (f, 2, 128, 128) as x and y;
        opacity, (f, 1, 128, 128); and the synthesised picture, (f, 3, 128, 128), both in [0, 1].
        """
        at128 = F.silu(self.picture128(square * 2 - 1))
        at64 = F.silu(self.picture64(at128))
        at32 = F.silu(self.picture32(at64))
        at16 = self.picture16_out(self.picture16(at32))
        appearance = encode_appearance(square)

        def beside(x: torch.Tensor, picture: torch.Tensor) -> torch.Tensor:
            return torch.cat([x, picture.expand(len(x), -1, -1, -1)], 1)

        x = self.stem(beside(beside(latents, appearance), at16))
        for block in self.blocks16:
            x = block(x)
        x = self.block32(F.silu(self.up32(beside(double(x), at32))))
        x = self.block64(F.silu(self.up64(beside(double(x), at64))))
        x = self.head(F.silu(self.up128(beside(double(x), at128)))).float()
        coarse = F.interpolate(
            latents[:, APPEARANCE:].float(), scale_factor=8, mode="bilinear", align_corners=False
        )
        flow = (coarse + x[:, :2]) * FLOW_UNIT
        return flow, torch.sigmoid(x[:, 2:3] - 2), torch.sigmoid(x[:, 3:] * 2)


class ProxyDenoiser(nn.Module):
    """Repaints the appearance channels of one picture from the prompt (v-prediction)."""

    def __init__(self, widths: tuple[int, int, int] = (96, 160, 224), embedding: int = 256):
        super().__init__()
        w16, w8, w4 = widths
        self.time = _mlp(128, embedding)
        self.sentence = nn.Linear(TEXT_WIDTH, embedding)
        self.stem = nn.Conv2d(APPEARANCE + 2, w16, 3, padding=1)
        self.blocks16 = nn.ModuleList(ResidualBlock(w16, embedding=embedding) for _ in range(2))
        self.down8 = _down(w16, w8)
        self.blocks8 = nn.ModuleList(ResidualBlock(w8, embedding=embedding) for _ in range(2))
        self.cells8 = CellAttention(w8)
        self.text8 = TextAttention(w8)
        self.down4 = _down(w8, w4)
        self.block4_in = ResidualBlock(w4, embedding=embedding)
        self.cells4 = CellAttention(w4)
        self.text4 = TextAttention(w4)
        self.block4_out = ResidualBlock(w4, embedding=embedding)
        self.up8 = ResidualBlock(w8 + w4, w8, embedding)
        self.up_text8 = TextAttention(w8)
        self.up16 = ResidualBlock(w16 + w8, w16, embedding)
        self.up_text16 = TextAttention(w16)
        self.up16_out = ResidualBlock(w16, embedding=embedding)
        self.norm = _norm(w16)
        self.head = nn.Conv2d(w16, APPEARANCE, 3, padding=1)

    def forward(
        self, z: torch.Tensor, t: torch.Tensor, text: torch.Tensor, text_mask: torch.Tensor
    ) -> torch.Tensor:
        """v for noisy appearance (n, 8, 16, 16) at timesteps 0 to 999, (n,)."""
        words = self.sentence(pooled_text(text, text_mask))
        embedding = F.silu(self.time(wave_embedding(t).to(z.dtype)) + words)
        x = self.stem(torch.cat([z, _coordinates(len(z), z.shape[-1], z)], 1))
        for block in self.blocks16:
            x = block(x, embedding)
        x16 = x
        x = self.down8(x)
        for block in self.blocks8:
            x = block(x, embedding)
        x8 = self.text8(self.cells8(x), text, text_mask)
        x = self.block4_in(self.down4(x8), embedding)
        x = self.block4_out(self.text4(self.cells4(x), text, text_mask), embedding)
        x = self.up_text8(self.up8(torch.cat([double(x), x8], 1), embedding), text, text_mask)
        x = self.up_text16(self.up16(torch.cat([double(x), x16], 1), embedding), text, text_mask)
        return self.head(F.silu(self.norm(self.up16_out(x, embedding))))
