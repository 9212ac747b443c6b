"""What is in the air of a decoded video: snow, rain, petals, leaves, sparks, mist and twinkling."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from awaken.miniature.imaging import smooth_step
from awaken.miniature.latents import AIR, AIRS, DRIFT, FRAMES


@dataclass(frozen=True)
class Particles:
    """One kind: how many there are at amount 1, and how they look.

    radius: smallest and largest, in 1/512 of the picture's side. length: long axis over radius.
    """

    count: int
    radius: tuple[float, float]
    length: float
    opacity: float
    colours: tuple[tuple[float, float, float], ...]


_PARTICLES = {
    "snow": Particles(420, (1.1, 3.4), 1.0, 0.9, ((1.0, 1.0, 1.0), (0.93, 0.96, 1.0))),
    "rain": Particles(380, (0.55, 0.9), 16.0, 0.5, ((0.86, 0.9, 0.95), (0.75, 0.8, 0.86))),
    "petals": Particles(
        150, (2.2, 4.2), 1.5, 0.95, ((0.98, 0.8, 0.85), (1.0, 0.92, 0.94), (0.93, 0.6, 0.7))
    ),
    "leaves": Particles(
        120, (2.6, 5.0), 1.6, 0.95, ((0.85, 0.5, 0.12), (0.75, 0.28, 0.1), (0.9, 0.7, 0.2))
    ),
    "sparks": Particles(
        160, (0.8, 1.9), 1.3, 0.95, ((1.0, 0.75, 0.3), (1.0, 0.55, 0.15), (1.0, 0.9, 0.6))
    ),
}
# Least mean amount over the allowed cells at which particles are drawn. Named in the prompt it is
# 0.3 or more; the network's noise stays below 0.15, though it reaches 0.3 in single cells.
_LEAST_MEAN = 0.2
_SURE = (0.12, 0.3)  # amounts of a smooth step: below the first noise, above the second certain
_FADE = 3  # frames over which particles and mist fade in, so that frame 0 is the painting


class Air:
    """Snow, rain, petals, leaves, sparks, mist and twinkling, at the painting's own size.

    The latents hold the amount of each per cell and one drift; the particles themselves come from a
    fixed random sequence, so that the same latents always give the same video.
    """

    def __init__(self, values: torch.Tensor, painting: torch.Tensor) -> None:
        self.height, self.width = painting.shape[-2:]
        self.device = painting.device
        self.side = math.sqrt(self.height * self.width)
        self.drift, amounts = values[:, DRIFT], values[:, AIR].mean(2).clamp(0, 1)
        self.cell = self.side / math.sqrt(values.shape[-1] * values.shape[-2])
        self.amounts = {
            name: amounts[:, i : i + 1] * smooth_step(amounts[:, i : i + 1], *_SURE)
            for i, name in enumerate(AIRS)
        }
        self.present = {name for name, a in self.amounts.items() if float(a.amax()) > 0.1}
        for name in self.present & _PARTICLES.keys():
            # A motion mask sets the amount to exactly 0 where nothing is allowed.
            allowed = values[:, AIR][:, AIRS.index(name)].ne(0).any(1, keepdim=True)
            if float(self.amounts[name][allowed].mean()) < _LEAST_MEAN:
                self.present.discard(name)
        self.particles = {name: self._scatter(name) for name in _PARTICLES if name in self.present}
        if "mist" in self.present:
            self.mist = self._mist_texture()
            light = painting.flatten(2).quantile(0.85, dim=2)[..., None, None]
            self.mist_colour = 0.5 * light + 0.5 * light.mean(1, keepdim=True) * 1.05
        if "twinkle" in self.present:
            # A top-hat filter: bright spots smaller than the window (stars and glints, not the
            # moon), by more than 0.12, so that not every lighter brush stroke counts.
            luma = painting.mean(1, keepdim=True)
            window = 2 * max(1, round(self.side / 200)) + 1
            low = -F.max_pool2d(-luma, window, 1, window // 2)
            spots = (luma - F.max_pool2d(low, window, 1, window // 2) - 0.12).clamp(0, 0.3)
            self.highlights = spots * painting / luma.clamp(min=0.05)
            self.beats = self._noise(3, max(2.0, self.side / 90))

    def _generator(self, seed: int) -> torch.Generator:
        return torch.Generator().manual_seed(seed)

    def _noise(self, count: int, size: float) -> torch.Tensor:
        """(1, count, H, W): smooth random numbers in 0..1 with spots of ``size`` pixels."""
        small = [max(2, round(side / size)) for side in (self.height, self.width)]
        values = torch.rand(1, count, *small, generator=self._generator(7)).to(self.device)
        return F.interpolate(values, (self.height, self.width), mode="bicubic").clamp(0, 1)

    def _mist_texture(self) -> torch.Tensor:
        """(1, 1, 96, 192): a tileable cloud texture in 0..1."""
        fy, fx = torch.fft.fftfreq(96)[:, None], torch.fft.rfftfreq(192)[None]
        white = torch.randn(96, 192, generator=self._generator(11))
        shape = (fy.square() * 6 + fx.square() + 1e-4) ** -0.85
        mist = torch.fft.irfft2(torch.fft.rfft2(white) * shape, s=(96, 192))
        return torch.sigmoid(1.3 * (mist - mist.mean()) / mist.std())[None, None].to(self.device)

    def _scatter(self, name: str) -> dict[str, torch.Tensor]:
        """Positions (0 to 1), radii, speeds, phases and colours of one kind of particles."""
        kind = _PARTICLES[name]
        count, (low, high), colours = kind.count, kind.radius, kind.colours
        generator = self._generator(sum(map(ord, name)))

        def draw(*shape: int) -> torch.Tensor:
            return torch.rand(*shape, generator=generator).to(self.device)

        depth = draw(count)
        palette = torch.tensor(colours, device=self.device)
        return {
            "position": draw(count, 2),
            "radius": (low + (high - low) * depth**2) * self.side / 512,
            "speed": 0.55 + 0.6 * depth,
            "phase": draw(count, 2) * 2 * math.pi,
            "colour": palette[(draw(count) * len(colours)).long()],
            "chance": draw(count),
        }

    def over(self, picture: torch.Tensor, n: int) -> torch.Tensor:
        """Frame ``n`` of twinkling, mist and particles over a picture (1, 3, H, W)."""
        fade = min(1.0, n / _FADE)
        if not self.present or fade == 0:
            return picture
        if "twinkle" in self.present:
            amount = self._up(self.amounts["twinkle"])
            angle = (
                2 * math.pi * (self.beats[:, :1] + (1.2 + 1.6 * self.beats[:, 1:2]) * n / FRAMES)
            )
            glint = angle.sin() - (2 * math.pi * self.beats[:, :1]).sin()
            picture = picture + 0.7 * amount * glint * self.highlights
        if "mist" in self.present:
            picture = self._with_mist(picture, n, fade)
        for name in self.particles:
            picture = self._with_particles(picture, name, n, fade)
        return picture

    def _up(self, x: torch.Tensor) -> torch.Tensor:
        return F.interpolate(x, (self.height, self.width), mode="bilinear")

    def _with_mist(self, picture: torch.Tensor, n: int, fade: float) -> torch.Tensor:
        amount = self._up(self.amounts["mist"])
        moved = self.drift[:, :, n].mean((2, 3)) * self.cell / self.side  # shares of the side
        y = torch.arange(self.height, device=self.device) / self.side - moved[0, 1]
        x = torch.arange(self.width, device=self.device) / self.side - moved[0, 0]
        wrapped = torch.meshgrid((y * 1.1) % 1, (x * 0.55) % 1, indexing="ij")
        grid = torch.stack([wrapped[1], wrapped[0]], -1)[None] * 2 - 1
        padded = F.pad(self.mist, (1, 1, 1, 1), mode="circular")
        inner = torch.tensor([192 / 194, 96 / 98], device=self.device)
        mist = F.grid_sample(padded, grid * inner, "bilinear", align_corners=False)
        weight = 0.62 * fade * amount * mist
        return picture * (1 - weight) + self.mist_colour * weight

    def _with_particles(
        self, picture: torch.Tensor, name: str, n: int, fade: float
    ) -> torch.Tensor:
        kind, particles = _PARTICLES[name], self.particles[name]
        size = torch.tensor([self.width, self.height], device=self.device)
        here = particles["position"] * 2 - 1
        drift = F.grid_sample(self.drift[:, :, n], here[None, None], align_corners=False)[0, :, 0].T
        offset = drift * self.cell * particles["speed"][:, None]
        turn = 2 * math.pi * 0.7 * n / FRAMES + particles["phase"]
        sway = 0.0 if name == "rain" else 0.012 * self.side
        offset = offset + sway * (turn.sin() - particles["phase"].sin())
        margin = 0.06 * self.side
        position = (particles["position"] * size + offset + margin) % (size + 2 * margin) - margin
        amount = F.grid_sample(
            self.amounts[name], (position / size * 2 - 1)[None, None], padding_mode="border",
            align_corners=False,
        )[0, 0, 0]  # fmt: skip
        shown = fade * kind.opacity * (amount - particles["chance"]).mul(12).clamp(0, 1)
        # Direction of the long axis: along the drift for rain, turning for the rest.
        angle = turn.sum(1) if name != "rain" else torch.atan2(drift[:, 1], drift[:, 0])
        axis = torch.stack([angle.cos(), angle.sin()], 1)
        narrowing = 1.0 if name in ("snow", "rain") else 0.45 + 0.55 * turn[:, 0].cos().abs()
        return splat(
            picture,
            position,
            particles["radius"],
            kind.length,
            narrowing,
            axis,
            particles["colour"],
            shown,
        )


def splat(
    picture: torch.Tensor,
    position: torch.Tensor,
    radius: torch.Tensor,
    length: float,
    narrowing: float | torch.Tensor,
    axis: torch.Tensor,
    colour: torch.Tensor,
    opacity: torch.Tensor,
) -> torch.Tensor:
    """Draw n soft ellipses over a picture (1, 3, H, W).

    position (n, 2) in pixels, radius (n,), axis (n, 2) of length 1, colour (n, 3), opacity (n,).
    length: factor along the axis; narrowing: factor across it, one or (n,).
    """
    _, _, height, width = picture.shape
    half = int(math.ceil(float(radius.max()) * max(1.0, length) * 1.6)) + 1
    span = torch.arange(-half, half + 1, device=picture.device)
    oy, ox = torch.meshgrid(span, span, indexing="ij")
    centre = position.round()
    x, y = (centre[:, i, None, None] + o for i, o in ((0, ox), (1, oy)))
    dx, dy = x + 0.5 - position[:, 0, None, None], y + 0.5 - position[:, 1, None, None]
    along = dx * axis[:, 0, None, None] + dy * axis[:, 1, None, None]
    across = dy * axis[:, 0, None, None] - dx * axis[:, 1, None, None]
    if isinstance(narrowing, torch.Tensor):
        narrowing = narrowing[:, None, None]
    r = radius[:, None, None]
    squared = (along / (r * length)) ** 2 + (across / (r * narrowing)) ** 2
    alpha = torch.exp(-(squared**1.5)) * opacity[:, None, None]
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height) & (alpha > 0.01)
    index = (y.clamp(0, height - 1) * width + x.clamp(0, width - 1)).long()[inside]
    alpha = alpha[inside]
    paint = colour[:, None, None].expand(*inside.shape, 3)[inside]
    flat = torch.zeros(height * width, device=picture.device)
    cover = flat.scatter_reduce(0, index, alpha, "amax")
    total = torch.zeros_like(flat).index_add(0, index, alpha)
    mixed = torch.zeros(height * width, 3, device=picture.device)
    mixed = mixed.index_add(0, index, alpha[:, None] * paint) / total.clamp(min=1e-6)[:, None]
    cover = cover.view(1, 1, height, width)
    return picture * (1 - cover) + mixed.T.reshape(1, 3, height, width) * cover
