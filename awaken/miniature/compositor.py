"""From latents and a painting to frames: layers, mattes and what is in the air. No network in here.

The painting's own pixels are moved, never re-synthesised: detail stays, borders of still things
cannot wobble, and frame 0 is the painting. Order from the back: the painting without its moving
objects (what they uncover is filled in by mirroring the surroundings), the moving regions inside
their still outlines, light, the objects as they travel, mist and particles.

Mattes come from the coarse shares by guided filtering (He, Sun and Tang, PAMI 2013; the fast form of
He and Sun 2015) or from a matting network (``decoder_network``); holes are filled from the nearest
kept pixels, which jump flooding finds (Rong and Tan, I3D 2006).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from awaken.miniature.latents import (
    AIR,
    AIRS,
    CELL,
    DRIFT,
    FLOW,
    FRAMES,
    LIGHT,
    OBJECT,
    REGION,
    SHIFT,
    UNITS,
    rgb_of,
)


def sample(image: torch.Tensor, moved: torch.Tensor) -> torch.Tensor:
    """What ``image`` (1, c, h, w) shows at every pixel displaced by ``moved`` (1, 2, h, w) pixels.

    The result at x is the image at x - moved(x); beyond its edge its mirror image continues.
    """
    _, _, h, w = moved.shape
    x = torch.arange(w, device=moved.device) + 0.5 - moved[:, 0]
    y = torch.arange(h, device=moved.device)[:, None] + 0.5 - moved[:, 1]
    grid = torch.stack([x * (2 / w) - 1, y * (2 / h) - 1], -1)
    return F.grid_sample(image, grid, "bilinear", "reflection", align_corners=False)


def box(x: torch.Tensor, radius: int) -> torch.Tensor:
    """Mean over squares of 2 radius + 1 pixels, (n, c, h, w); rows and columns in turn, for speed."""
    for window, pad in (((2 * radius + 1, 1), (radius, 0)), ((1, 2 * radius + 1), (0, radius))):
        x = F.avg_pool2d(x, window, 1, pad, count_include_pad=False)
    return x


def _length(vectors: torch.Tensor) -> torch.Tensor:
    """(1, 2, h, w) -> (1, 1, h, w)."""
    return torch.hypot(vectors[:, :1], vectors[:, 1:])


def guided_matte(
    share: torch.Tensor, picture: torch.Tensor, radius: int = 8, eps: float = 2e-3
) -> torch.Tensor:
    """Coarse shares (1, n, h, w) -> mattes (1, n, H, W) that follow the edges of a picture.

    picture: (1, 3, H, W) in 0..1, about 256 pixels a side. Each small window explains the share as a
    linear function of the picture's colours; eps is the colour variance below which it stays flat.
    """
    share = F.interpolate(share, picture.shape[-2:], mode="bilinear", align_corners=False)
    n = share.shape[1]
    average, colour = box(share, radius), box(picture, radius)
    products = (picture[:, :, None] * picture[:, None]).flatten(1, 2)
    spread = box(products, radius).unflatten(1, (3, 3)) - colour[:, :, None] * colour[:, None]
    joint = (picture[:, :, None] * share[:, None]).flatten(1, 2)
    joint = box(joint, radius).unflatten(1, (3, n))
    joint = joint - colour[:, :, None] * average[:, None]
    spread = spread.permute(0, 3, 4, 1, 2) + eps * torch.eye(3, device=share.device)
    slope = torch.linalg.solve(spread, joint.permute(0, 3, 4, 1, 2))  # (1, H, W, 3, n)
    slope = slope.permute(0, 3, 4, 1, 2)
    offset = average - (slope * colour[:, :, None]).sum(1)
    slope = box(slope.flatten(1, 2), radius).unflatten(1, (3, n))
    return (slope * picture[:, :, None]).sum(1) + box(offset, radius)


def nearest_kept(keep: torch.Tensor) -> torch.Tensor:
    """(h, w) bool -> (2, h, w): x and y of the nearest kept pixel. All false gives each its own place."""
    h, w = keep.shape
    y, x = torch.meshgrid(
        torch.arange(h, device=keep.device), torch.arange(w, device=keep.device), indexing="ij"
    )
    here = torch.stack([x, y]).float()
    if not keep.any():
        return here
    far = 4.0 * (h + w)
    seed = torch.where(keep, here, torch.full_like(here, -far))
    step = 2 ** math.ceil(math.log2(max(h, w)))
    while step >= 1:
        for dy in (-step, 0, step):
            for dx in (-step, 0, step):
                other = torch.full_like(seed, -far)
                a, b = slice(max(0, -dy), h - max(0, dy)), slice(max(0, dy), h - max(0, -dy))
                c, d = slice(max(0, -dx), w - max(0, dx)), slice(max(0, dx), w - max(0, -dx))
                if a.start >= a.stop or c.start >= c.stop:
                    continue
                other[:, a, c] = seed[:, b, d]
                closer = (other - here).square().sum(0) < (seed - here).square().sum(0)
                seed = torch.where(closer, other, seed)
        step //= 2
    return seed


def push_pull(picture: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
    """Smooth colours for what is not kept, from a pyramid of weighted means (Gortler et al. 1996).

    picture (1, 3, h, w), keep (1, 1, h, w) of 0..1; at least one pixel should be kept.
    """
    if min(picture.shape[-2:]) < 2:
        return picture
    weight = F.avg_pool2d(keep, 2, ceil_mode=True)
    mean = F.avg_pool2d(picture * keep, 2, ceil_mode=True) / weight.clamp(min=1e-6)
    coarse = push_pull(mean, (weight * 4).clamp(max=1))
    coarse = F.interpolate(coarse, picture.shape[-2:], mode="bilinear", align_corners=False)
    return picture * keep + coarse * (1 - keep)


def filled(picture: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
    """Fill what is not kept: (1, 3, H, W) and (1, 1, H, W) share kept -> (1, 3, H, W).

    A missing pixel has the smooth colour that its surroundings suggest, and the fine texture of the
    mirror image at the nearest border, so that the brushwork goes on and no seam shows where two
    borders' mirror images meet. Large pictures are searched at half their size.
    """
    height, width = picture.shape[-2:]
    scale = 2 if height * width > 100_000 else 1
    sure = (F.avg_pool2d(keep, scale) > 0.95).float()
    small = sure[0, 0] > 0
    source = nearest_kept(small)
    # From here on at full size; nearest, because between two sources lies no third one.
    source = F.interpolate(source[None], (height, width), mode="nearest")[0] * scale
    source = source + (scale - 1) / 2
    here = torch.stack(
        torch.meshgrid(torch.arange(width), torch.arange(height), indexing="xy")
    ).to(source)
    mirror = 2 * source - here
    mirror[0].clamp_(0, width - 1)
    mirror[1].clamp_(0, height - 1)
    usable = keep[0, 0][mirror[1].round().long(), mirror[0].round().long()] > 0.9
    mirror = torch.where(usable, mirror, source)
    smooth = push_pull(F.avg_pool2d(picture, scale), sure)
    smooth = F.interpolate(box(smooth, 1), (height, width), mode="bilinear", align_corners=False)
    weight = keep + 1e-4
    radius = 3 * scale
    texture = (picture - box(picture * weight, radius) / box(weight, radius)) * keep
    patch = smooth + sample(texture, (here - mirror)[None])
    hole = F.interpolate(1 - sure, (height, width), mode="bilinear", align_corners=False)
    hole = torch.maximum(hole, 1 - keep).clamp(0, 1)
    return picture * (1 - hole) + patch * hole


def _sharpened(matte: torch.Tensor, low: float, high: float) -> torch.Tensor:
    """Matte values below low to 0, above high to 1, a smooth step between."""
    x = ((matte - low) / (high - low)).clamp(0, 1)
    return x * x * (3 - 2 * x)


class Compositor:
    """Everything of one video and one painting that does not change from frame to frame.

    z: latents (1, 18, f, h, w); painting: (1, 3, H, W) in 0..1; mattes: (1, 2, H', W') of region and
    object from a matting network, or None for guided filtering.
    """

    def __init__(
        self, z: torch.Tensor, painting: torch.Tensor, mattes: torch.Tensor | None = None
    ) -> None:
        self.values = z.float() * UNITS.to(z.device)[None, :, None, None, None]
        self.z, self.painting = z.float(), painting
        self.height, self.width = painting.shape[-2:]
        rows, columns = z.shape[-2:]
        # Pixels per cell: the grid has the painting's aspect up to rounding.
        self.cell = torch.tensor(
            [self.width / columns, self.height / rows], device=z.device
        )[None, :, None, None]
        shares = self.values[:, (REGION.start, OBJECT.start)].mean(2).clamp(0, 1)
        if mattes is None:
            look = F.interpolate(painting, (rows * CELL, columns * CELL), mode="area")
            mattes = guided_matte(shares, look)
        mattes = self._up(mattes)
        # What is nearly nowhere moving is noise, not motion.
        self.object = _sharpened(mattes[:, 1:], 0.3, 0.75)
        self.region = _sharpened(mattes[:, :1], 0.3, 0.75)
        self.has_object = bool((shares[:, 1] > 0.4).any())
        self.has_region = bool((shares[:, 0] > 0.4).any())
        self.back = painting
        if self.has_object:
            grown = F.max_pool2d(self.object, 9, 1, 4)
            self.back = filled(painting, 1 - _sharpened(grown, 0.02, 0.3))
            solid = _sharpened(self.values[:, OBJECT].mean(2), 0.2, 0.8)
            self.shift = _coherent(self.values[:, SHIFT], solid)
        self.inside = self.back
        if self.has_region:
            # Leaf tips and rigging at the border belong to what is still: they must not drift along.
            margin = max(1, round(self.width / columns / 5))
            core = -F.max_pool2d(-self.region, 2 * margin + 1, 1, margin)
            self.inside = filled(self.back, _sharpened(core, 0.6, 0.95))
        self.air = Air(self.values, painting)

    def _up(self, x: torch.Tensor) -> torch.Tensor:
        size = (self.height, self.width)
        return x if x.shape[-2:] == size else F.interpolate(x, size, mode="bicubic")

    def frame(self, n: int) -> torch.Tensor:
        """(1, 3, H, W) in 0..1."""
        picture = self.painting
        if self.has_object:
            shift = self._up(self.shift[:, :, n] * self.cell)
            # Less than a pixel is no motion: the painting itself, with its own soft edges.
            going = (_length(shift) * self.object).amax().clamp(max=1)
            picture = self.painting * (1 - going) + self.back * going
        if self.has_region:
            flow = self._up(self.values[:, FLOW, n] * self.cell)
            weight = self.region * _length(flow).clamp(max=1)
            picture = picture * (1 - weight) + sample(self.inside, flow) * weight
        change = self.z[:, LIGHT, n] - self.z[:, LIGHT, 0]
        if float(change.abs().amax()) > 0.03:
            picture = picture + self._up(rgb_of(change) - rgb_of(torch.zeros_like(change)))
        if self.has_object:
            layer = sample(torch.cat([self.painting, self.object], 1), shift)
            matte = layer[:, 3:] * going
            picture = picture * (1 - matte) + layer[:, :3] * matte
        return self.air.over(picture, n).clamp(0, 1)


def _coherent(shift: torch.Tensor, solid: torch.Tensor) -> torch.Tensor:
    """Shifts (1, 2, f, h, w) averaged over what is solid (1, 1, h, w), within about three cells.

    Things smaller than that move as one piece, larger ones (trees) bend smoothly, and the shift goes
    on beyond their outline, where the matte will be fetched from.
    """
    weight = solid + 1e-4
    value, total = shift[0].transpose(0, 1) * weight, weight
    for _ in range(3):
        value, total = box(value, 2), box(total, 2)
    return (value / total).transpose(0, 1)[None]


# kind -> (count at amount 1, radius in 1/512 of the side, lengthening along the way, colours, opacity)
_PARTICLES: dict[str, tuple[int, tuple[float, float], float, tuple[tuple[float, ...], ...], float]] = {
    "snow": (420, (1.1, 3.4), 1.0, ((1.0, 1.0, 1.0), (0.93, 0.96, 1.0)), 0.9),
    "rain": (380, (0.55, 0.9), 16.0, ((0.86, 0.9, 0.95), (0.75, 0.8, 0.86)), 0.5),
    "petals": (150, (2.2, 4.2), 1.5, ((0.98, 0.8, 0.85), (1.0, 0.92, 0.94), (0.93, 0.6, 0.7)), 0.95),
    "leaves": (120, (2.6, 5.0), 1.6, ((0.85, 0.5, 0.12), (0.75, 0.28, 0.1), (0.9, 0.7, 0.2)), 0.95),
    "sparks": (160, (0.8, 1.9), 1.3, ((1.0, 0.75, 0.3), (1.0, 0.55, 0.15), (1.0, 0.9, 0.6)), 0.95),
}
_FADE = 3  # frames over which the air fills, so that frame 0 is the painting


class Air:
    """Snow, rain, petals, leaves, sparks, mist and twinkling, at the painting's own size.

    The latents say how much of what is where and how it drifts; the particles themselves come from
    a fixed random sequence, so that the same latents always give the same video.
    """

    def __init__(self, values: torch.Tensor, painting: torch.Tensor) -> None:
        self.height, self.width = painting.shape[-2:]
        self.device = painting.device
        self.side = math.sqrt(self.height * self.width)
        self.drift, amounts = values[:, DRIFT], values[:, AIR].mean(2).clamp(0, 1)
        self.cell = self.side / math.sqrt(values.shape[-1] * values.shape[-2])
        self.amounts = {
            name: amounts[:, i : i + 1] * _sharpened(amounts[:, i : i + 1], 0.08, 0.25)
            for i, name in enumerate(AIRS)
        }
        self.present = {name for name, a in self.amounts.items() if float(a.amax()) > 0.1}
        self.clouds = [name for name in _PARTICLES if name in self.present]
        self.flakes = {name: self._scatter(name) for name in self.clouds}
        if "mist" in self.present:
            self.veil = self._veil()
            light = painting.flatten(2).quantile(0.85, dim=2)[..., None, None]
            self.mist_colour = 0.5 * light + 0.5 * light.mean(1, keepdim=True) * 1.05
        if "twinkle" in self.present:
            # Bright spots smaller than a window (a top-hat): stars and glints, but not the moon.
            luma = painting.mean(1, keepdim=True)
            window = 2 * max(1, round(self.side / 200)) + 1
            low = -F.max_pool2d(-luma, window, 1, window // 2)
            spots = (luma - F.max_pool2d(low, window, 1, window // 2)).clamp(0, 0.4)
            self.highlights = spots * painting / luma.clamp(min=0.05)
            self.beats = self._noise(3, max(2.0, self.side / 90))

    def _generator(self, seed: int) -> torch.Generator:
        return torch.Generator().manual_seed(seed)

    def _noise(self, count: int, size: float) -> torch.Tensor:
        """(1, count, H, W): smooth random numbers in 0..1 with spots of ``size`` pixels."""
        small = [max(2, round(side / size)) for side in (self.height, self.width)]
        values = torch.rand(1, count, *small, generator=self._generator(7)).to(self.device)
        return F.interpolate(values, (self.height, self.width), mode="bicubic").clamp(0, 1)

    def _veil(self) -> torch.Tensor:
        """(1, 1, 96, 192): a tileable cloud texture in 0..1."""
        fy, fx = torch.fft.fftfreq(96)[:, None], torch.fft.rfftfreq(192)[None]
        white = torch.randn(96, 192, generator=self._generator(11))
        shape = (fy.square() * 6 + fx.square() + 1e-4) ** -0.85
        veil = torch.fft.irfft2(torch.fft.rfft2(white) * shape, s=(96, 192))
        return torch.sigmoid(1.3 * (veil - veil.mean()) / veil.std())[None, None].to(self.device)

    def _scatter(self, name: str) -> dict[str, torch.Tensor]:
        """Places (0 to 1), sizes, speeds, phases and colours of one kind of particles."""
        count, (low, high), _, colours, _ = _PARTICLES[name]
        generator = self._generator(sum(map(ord, name)))

        def draw(*shape: int) -> torch.Tensor:
            return torch.rand(*shape, generator=generator).to(self.device)

        depth = draw(count)
        palette = torch.tensor(colours, device=self.device)
        return {
            "place": draw(count, 2),
            "radius": (low + (high - low) * depth**2) * self.side / 512,
            "speed": 0.55 + 0.6 * depth,
            "phase": draw(count, 2) * 2 * math.pi,
            "colour": palette[(draw(count) * len(colours)).long()],
            "chance": draw(count),
        }

    def over(self, picture: torch.Tensor, n: int) -> torch.Tensor:
        """Lay frame ``n`` of the air over (1, 3, H, W)."""
        fade = min(1.0, n / _FADE)
        if not self.present or fade == 0:
            return picture
        if "twinkle" in self.present:
            amount = self._up(self.amounts["twinkle"])
            angle = 2 * math.pi * (self.beats[:, :1] + (1.2 + 1.6 * self.beats[:, 1:2]) * n / FRAMES)
            glint = angle.sin() - (2 * math.pi * self.beats[:, :1]).sin()
            picture = picture + 1.3 * amount * glint * self.highlights
        if "mist" in self.present:
            picture = self._misted(picture, n, fade)
        for name in self.clouds:
            picture = self._strewn(picture, name, n, fade)
        return picture

    def _up(self, x: torch.Tensor) -> torch.Tensor:
        return F.interpolate(x, (self.height, self.width), mode="bilinear")

    def _misted(self, picture: torch.Tensor, n: int, fade: float) -> torch.Tensor:
        amount = self._up(self.amounts["mist"])
        moved = self.drift[:, :, n].mean((2, 3)) * self.cell / self.side  # shares of the side
        y = torch.arange(self.height, device=self.device) / self.side - moved[0, 1]
        x = torch.arange(self.width, device=self.device) / self.side - moved[0, 0]
        wrapped = torch.meshgrid((y * 1.1) % 1, (x * 0.55) % 1, indexing="ij")
        grid = torch.stack([wrapped[1], wrapped[0]], -1)[None] * 2 - 1
        padded = F.pad(self.veil, (1, 1, 1, 1), mode="circular")
        inner = torch.tensor([192 / 194, 96 / 98], device=self.device)
        veil = F.grid_sample(padded, grid * inner, "bilinear", align_corners=False)
        weight = 0.62 * fade * amount * veil
        return picture * (1 - weight) + self.mist_colour * weight

    def _strewn(self, picture: torch.Tensor, name: str, n: int, fade: float) -> torch.Tensor:
        _, _, length, _, opacity = _PARTICLES[name]
        flakes = self.flakes[name]
        size = torch.tensor([self.width, self.height], device=self.device)
        here = flakes["place"] * 2 - 1
        drift = F.grid_sample(self.drift[:, :, n], here[None, None], align_corners=False)[0, :, 0].T
        way = drift * self.cell * flakes["speed"][:, None]
        turn = 2 * math.pi * 0.7 * n / FRAMES + flakes["phase"]
        sway = 0.0 if name == "rain" else 0.012 * self.side
        way = way + sway * (turn.sin() - flakes["phase"].sin())
        margin = 0.06 * self.side
        place = (flakes["place"] * size + way + margin) % (size + 2 * margin) - margin
        amount = F.grid_sample(
            self.amounts[name], (place / size * 2 - 1)[None, None], padding_mode="border",
            align_corners=False,
        )[0, 0, 0]  # fmt: skip
        shown = fade * opacity * (amount - flakes["chance"]).mul(12).clamp(0, 1)
        # The long axis: along the fall for rain, tumbling for petals and leaves.
        angle = turn.sum(1) if name != "rain" else torch.atan2(drift[:, 1], drift[:, 0])
        axis = torch.stack([angle.cos(), angle.sin()], 1)
        tumble = 1.0 if name in ("snow", "rain") else 0.45 + 0.55 * turn[:, 0].cos().abs()
        return splat(
            picture, place, flakes["radius"], length, tumble, axis, flakes["colour"], shown
        )


def splat(picture, place, radius, length, thin, axis, colour, opacity) -> torch.Tensor:
    """Draw soft ellipses over (1, 3, H, W): place (n, 2) pixels, radius (n,), axis (n, 2) unit vectors.

    ``length`` lengthens along the axis; ``thin`` (number or (n,)) narrows across it.
    """
    _, _, height, width = picture.shape
    reach = int(math.ceil(float(radius.max()) * max(1.0, length) * 1.6)) + 1
    span = torch.arange(-reach, reach + 1, device=picture.device)
    oy, ox = torch.meshgrid(span, span, indexing="ij")
    centre = place.round()
    x, y = (centre[:, i, None, None] + o for i, o in ((0, ox), (1, oy)))
    dx, dy = x + 0.5 - place[:, 0, None, None], y + 0.5 - place[:, 1, None, None]
    along = dx * axis[:, 0, None, None] + dy * axis[:, 1, None, None]
    across = dy * axis[:, 0, None, None] - dx * axis[:, 1, None, None]
    thin = thin if isinstance(thin, float) else thin[:, None, None]
    r = radius[:, None, None]
    far = (along / (r * length)) ** 2 + (across / (r * thin)) ** 2
    alpha = torch.exp(-(far**1.5)) * opacity[:, None, None]
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


def compose(
    z: torch.Tensor, painting: torch.Tensor, mattes: torch.Tensor | None = None
) -> torch.Tensor:
    """Latents (1, 18, f, h, w) and a painting (1, 3, H, W) in 0..1 -> frames (f, 3, H, W) in 0..1."""
    compositor = Compositor(z, painting, mattes)
    return torch.cat([compositor.frame(n) for n in range(z.shape[2])])
