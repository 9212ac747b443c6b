"""What the second miniature's latents mean, and how pictures, times and noise levels enter them.

A video is (b, 18, f, h, w) on a grid of about 1,024 cells with the picture's own aspect (32 x 32
for a square; a cell is 16 x 16 pixels of a 512 x 512 painting). A frame is a *recipe for moving the
painting*, not a thumbnail of the result: colours stay in the painting's own coordinates, layers say
what moves and where it goes. Reasons: smooth fields are what a small network can generate; borders
of still things cannot wobble, since a layer that does not move is copied; rigid things stay rigid;
and a static video is, as the paper wants it, the image latents repeated (all layers empty).

Channels, of values (``values_of``):

    light      3  Y, Cb, Cr of the cell; a video differs from its painting where light changes
    region     1  share of the cell inside a region whose inside moves while its outline stays, times
                  how strongly it moves (0.05 at rest to 1.5), the louder the smaller (``gain_of``)
    flow       2  that region's displacement since frame 0 (where its content has gone), in cells
    object     1  share of the cell inside an object that moves as a whole, likewise
    shift      2  that object's displacement since frame 0, in cells
    drift      2  displacement of whatever is in the air, in cells
    air        7  amount of snow, rain, petals, leaves, sparks, mist, twinkle

A latent is a value over its unit. Displacements are also pre-emphasised over time, as speech is before
it is sent: fast and small motion, waves and grass, is made as loud as slow and large motion, clouds.
Loudness matters, because Stable Diffusion's schedule, as the published models use it, ends at a / s =
0.068, not in noise: how much a video moves is heard through the noise there. Units are such that a
motion in full strength is heard with 4 to 12 standard deviations (all coefficients together), as it is
in latents of 64 x 64 cells; of waves and grass, whose pattern a small network hardly makes out in so
much noise, the strength is heard in the shares.

Time is continuous: the network sees and predicts coefficients of a few functions of time
(``TimeBasis``), so that 16, 24 or 32 frames are the same network; channels that do not change have
one coefficient, and every displacement is zero at frame 0 by construction.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
import torch.nn.functional as F

CELLS = 1024
CELL = 8  # pixels of the picture that the networks look at (256 x 256 for a square)
FRAMES = 16  # the length at which a duration is 1
SINES = 8

LIGHT, REGION, FLOW = slice(0, 3), slice(3, 4), slice(4, 6)
OBJECT, SHIFT, DRIFT, AIR = slice(6, 7), slice(7, 9), slice(9, 11), slice(11, 18)
CHANNELS = 18
AIRS: tuple[str, ...] = ("snow", "rain", "petals", "leaves", "sparks", "mist", "twinkle")

# value = unit * latent (after ``EMPHASIS``). Y, Cb, Cr; displacements in cells; else shares.
UNITS = torch.tensor([0.1, 0.025, 0.025, 1.05, 5.5, 5.5, 0.72, 3.5, 3.5, 10.0, 10.0] + [1.5] * 7)
# What the coefficients of the sines of a displacement are multiplied by, about their frequency.
EMPHASIS: tuple[float, ...] = (0.7, 3.0, 5.0, 7.0, 7.0, 7.0, 7.0, 7.0)
_DISPLACEMENTS = (FLOW, SHIFT, DRIFT)
# The cells of a region and of an object whose shares, at usual strength, are heard with 4 standard
# deviations in the noisiest latents; and how much louder or softer those of others may be.
_HEARD, _GAIN = (320.0, 150.0), (0.6, 2.5)
_YCC = torch.tensor([[0.299, 0.587, 0.114], [-0.169, -0.331, 0.5], [0.5, -0.419, -0.081]])


def grid_for(width: int, height: int, cells: int = CELLS) -> tuple[int, int]:
    """(rows, columns), multiples of four, of a picture's grid: its aspect, about ``cells``."""
    rows = math.sqrt(cells * height / width)
    return max(4, round(rows / 4) * 4), max(4, round(cells / rows / 4) * 4)


def light_of(picture: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
    """(b, 3, h, w) RGB in 0..1 -> the light channels (b, 3, rows, columns)."""
    small = F.interpolate(picture, grid, mode="area")
    ycc = torch.einsum("ij,bjhw->bihw", _YCC.to(picture), small)
    ycc = ycc - torch.tensor([0.5, 0.0, 0.0]).to(picture)[None, :, None, None]
    return ycc / UNITS[LIGHT].to(picture)[None, :, None, None]


def rgb_of(light: torch.Tensor) -> torch.Tensor:
    """Light channels (b, 3, h, w) -> RGB in 0..1 (clipped to nothing), or differences of them.

    Differences of light map to differences of RGB less the grey offset: rgb_of(x) - rgb_of(y).
    """
    ycc = light * UNITS[LIGHT].to(light)[None, :, None, None]
    ycc = ycc + torch.tensor([0.5, 0.0, 0.0]).to(light)[None, :, None, None]
    return torch.einsum("ij,bjhw->bihw", torch.linalg.inv(_YCC).to(light), ycc)


def image_latents(picture: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
    """(b, 3, h, w) RGB in 0..1 -> image latents (b, 18, 1, rows, columns): light, and no motion."""
    light = light_of(picture, grid)
    return F.pad(light[:, :, None], (0, 0, 0, 0, 0, 0, 0, CHANNELS - 3))


@lru_cache(maxsize=16)
@torch.inference_mode(False)  # training may use what a run has left here
def _bases(frames: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Orthonormal columns over the frames: (f, 8) that vanish at frame 0, (f, 9) that need not."""
    u = torch.arange(frames, dtype=torch.float64) / max(1, frames - 1)
    k = torch.arange(1, min(SINES, frames - 1) + 1, dtype=torch.float64)
    sines = torch.sin((k - 0.5) * math.pi * u[:, None])

    def orthonormal(columns: torch.Tensor, width: int) -> torch.Tensor:
        q, r = torch.linalg.qr(columns)
        q = q * torch.sign(torch.diagonal(r))
        return F.pad(q, (0, width - q.shape[1])).float()

    ones = torch.ones(frames, 1, dtype=torch.float64)
    return orthonormal(sines, SINES), orthonormal(torch.cat([ones, sines], 1), SINES + 1)


def latents_of(values: torch.Tensor) -> torch.Tensor:
    """Values (b, 18, f, h, w) -> latents."""
    return _emphasised(values / UNITS.to(values)[None, :, None, None, None], torch.tensor(EMPHASIS))


def values_of(z: torch.Tensor) -> torch.Tensor:
    """Latents (b, 18, f, h, w) -> values, float32: the inverse of ``latents_of``."""
    z = _emphasised(z.float(), 1 / torch.tensor(EMPHASIS))
    return z * UNITS.to(z)[None, :, None, None, None]


def gain_of(cells: torch.Tensor) -> torch.Tensor:
    """What shares are multiplied by, (b, 2), about the cells of region and object, (b, 2).

    All cells say the strength together: a pond is heard as well as a sky, which would else drown out
    the still video at every step of the distillation.
    """
    return (cells.new_tensor(_HEARD) / cells.clamp(min=1)).sqrt().clamp(*_GAIN)


# Shares below this are noise; what is named and rests has as much.
_FAINTEST = 0.06
# Strength is one number that every cell says a little differently: so much of the strongest is whole.
_PART = 0.35


def whole_shares(values: torch.Tensor) -> torch.Tensor:
    """Values -> shares of region and object, (b, 2, h, w) of 0 to 1, however strongly they move."""
    shares = values[:, (REGION.start, OBJECT.start)].mean(2).clamp(min=0)
    strongest = F.max_pool2d(shares, 9, 1, 4).clamp(min=_FAINTEST)
    return (shares / (_PART * strongest)).clamp(max=1)


def _emphasised(z: torch.Tensor, gains: torch.Tensor) -> torch.Tensor:
    """Multiply the displacements' coefficients; what the sines cannot say stays as it is."""
    moving, _ = _bases(z.shape[2])
    over_time = (torch.eye(z.shape[2]) + (moving * (gains - 1)) @ moving.T).to(z)
    z = z.clone()
    for channels in _DISPLACEMENTS:
        z[:, channels] = torch.einsum("bcfhw,fg->bcghw", z[:, channels], over_time)
    return z


# The coefficients of ``TimeBasis.input`` that are shares.
SHARES = slice(3 * (SINES + 1) + 6 * SINES, 3 * (SINES + 1) + 6 * SINES + 2)


class TimeBasis:
    """Between frames and coefficients of functions of time, for one number of frames (2 or more).

    The columns are orthonormal, scaled by sqrt(16 / f): a coefficient means the same at any length,
    and white noise of variance s^2 over the frames becomes white noise of variance s^2 16 / f.
    """

    INPUTS = 3 * (SINES + 1) + 6 * SINES + 9  # light, displacements, everything constant: 84
    OUTPUTS = 3 * SINES + 6 * SINES + 9  # the light's change begins at zero: 81

    def __init__(self, frames: int, device: torch.device | str = "cpu") -> None:
        self.frames = frames
        self.noise = math.sqrt(FRAMES / frames)
        self.moving, self.any = (m.to(device) for m in _bases(frames))

    def input(self, z: torch.Tensor) -> torch.Tensor:
        """Latents (b, 18, f, h, w) -> coefficients (b, 84, h, w)."""
        light = torch.einsum("bcfhw,fk->bckhw", z[:, LIGHT], self.any.to(z))
        moves = torch.cat([z[:, FLOW], z[:, SHIFT], z[:, DRIFT]], 1)
        moves = torch.einsum("bcfhw,fk->bckhw", moves, self.moving.to(z))
        rest = torch.cat([z[:, REGION], z[:, OBJECT], z[:, AIR]], 1).sum(2) / self.frames**0.5
        return torch.cat([light.flatten(1, 2), moves.flatten(1, 2), rest], 1) * self.noise

    def target(self, z: torch.Tensor, light0: torch.Tensor) -> torch.Tensor:
        """Clean latents and their painting's light (b, 3, h, w) -> coefficients (b, 81, h, w)."""
        change = z[:, LIGHT] - light0[:, :, None]
        moves = torch.cat([change, z[:, FLOW], z[:, SHIFT], z[:, DRIFT]], 1)
        moves = torch.einsum("bcfhw,fk->bckhw", moves, self.moving.to(z))
        rest = torch.cat([z[:, REGION], z[:, OBJECT], z[:, AIR]], 1).sum(2) / self.frames**0.5
        return torch.cat([moves.flatten(1, 2), rest], 1) * self.noise

    def video(self, prediction: torch.Tensor, light0: torch.Tensor) -> torch.Tensor:
        """Coefficients (b, 81, h, w) and the painting's light -> latents (b, 18, f, h, w)."""
        prediction = prediction / self.noise
        moves, rest = (
            prediction[:, : 9 * SINES].unflatten(1, (9, SINES)),
            prediction[:, 9 * SINES :],
        )
        moves = torch.einsum("bckhw,fk->bcfhw", moves, self.moving.to(prediction))
        rest = (rest / self.frames**0.5)[:, :, None].expand(-1, -1, self.frames, -1, -1)
        light = moves[:, :3] + light0[:, :, None]
        flow, shift, drift = moves[:, 3:5], moves[:, 5:7], moves[:, 7:9]
        return torch.cat([light, rest[:, :1], flow, rest[:, 1:2], shift, drift, rest[:, 2:]], 1)


def schedule_table() -> torch.Tensor:
    """alpha-bar of the 1,000 timesteps, float64: Stable Diffusion's, not rescaled to end in noise.

    The published models use it: they learnt with a / s = 0.068 of a moving video in the noisiest
    latents and start from as much of a still one. That gap between training and inference is what
    Sec. 3.3 closes; at zero terminal SNR there is none, and the method has nothing to do.
    """
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    return torch.cumprod(1 - betas, 0)
