"""InvSR (Yue et al. 2025) on SD-Turbo: the painting made smaller, then drawn four times finer.

A small network predicts the noise that puts the enlarged picture on SD-Turbo's path; one to five
Euler steps bring it back with new detail. Written from a description of the method; the released
weights, like the authors' code, are for non-commercial use.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from awaken import hub
from awaken.models import NoisePredictor
from awaken.painting import LUMA, to_size
from awaken.proxies import PROXIES, ProxySettings
from awaken.proxies.pipelines import NO_SAFETY_CHECKER, ReleasedProxy
from awaken.proxies.releases import INVSR, SD_TURBO
from awaken.sampling import Outcome
from awaken.types import ModelError

SCALE = 4  # fixed by the predictor's geometry
PATCH = 128  # pixels before enlarging: the predictor attends to all of them
MULTIPLE = 16  # SD-Turbo's 64 pixels, before enlarging
TAUS = {1: (200,), 2: (200, 100), 3: (200, 100, 50), 4: (200, 150, 100, 50),
        5: (250, 200, 150, 100, 50)}  # fmt: skip
QUALITY = "Photo-realistic, 8k, high contrast, meticulous fine detail, sharp, without deformations."
WAVELET, YCBCR = 1, 2  # the colour setting; 0 leaves the colours alone
_MEMORY_FOR_EIGHT = 10 << 30  # bytes free for eight patches at once


class InvSRProxy(ReleasedProxy):
    """``strength`` is how much smaller the painting is made first: 4^-strength, 1/2 at 0.5."""

    spec = PROXIES["invsr"]
    release = SD_TURBO
    pipeline = "StableDiffusionPipeline"
    components = NO_SAFETY_CHECKER
    half = torch.float16

    def __init__(self, device: torch.device, dtype: torch.dtype):
        """Load both releases. Raises ModelError naming the file that is wrong."""
        path = hub.pick(hub.require(INVSR), INVSR.files[0])
        self.predictor = load_predictor(path)
        super().__init__(device, dtype)
        self.predictor.to(device)  # in float32: it is small, and half precision would cost detail
        self.weights_id += f"-{path.stat().st_size}-{path.stat().st_mtime_ns}"

    def modules(self) -> list[torch.nn.Module]:
        return [*super().modules(), self.predictor]

    def make(
        self, painting: np.ndarray, settings: ProxySettings
    ) -> Generator[tuple[int, int], None, np.ndarray]:
        """Shrink, enlarge in overlapping patches, restore the colours, return to size."""
        height, width = painting.shape[:2]
        shrink, options = 4**-settings.strength, settings.options
        sides = [max(MULTIPLE, round(side * shrink)) for side in (width, height)]
        small = to_size(painting, *sides)
        coarse = torch.from_numpy(np.array(small)).permute(2, 0, 1).float() / 255
        words = ("", QUALITY, settings.prompt)[int(options["words"])]
        generator = torch.Generator().manual_seed(settings.seed)
        try:
            text = self.embed(words)

            def enlarge(patches: Tensor) -> Iterator[Tensor]:
                return self.enlarge(patches, text, TAUS[int(options["steps"])], generator)

            fine = yield from in_patches(coarse, enlarge, PATCH, SCALE, self._batch())
        finally:
            self.pipe.maybe_free_model_hooks()
        bicubic = enlarged(coarse[None])[0]
        fix = {WAVELET: wavelet_colours, YCBCR: ycbcr_colours}.get(int(options["colours"]))
        fine = fix(fine.float(), bicubic) if fix else fine
        return self.finish(fine.permute(1, 2, 0).float().numpy(), painting)

    def enlarge(
        self, patches: Tensor, text: Tensor, taus: Sequence[int], generator: torch.Generator
    ) -> Iterator[Tensor]:
        """(b, 3, h, w) in 0..1 -> (b, 3, 4 h, 4 w) on the CPU; yields after every network call."""
        vae, unet, scaling = self.pipe.vae, self.pipe.unet, self.pipe.vae.config.scaling_factor
        pixels = (enlarged(patches) * 2 - 1).to(self.device, vae.dtype)
        posterior = vae.encode(pixels).latent_dist
        predicted = self.predictor((patches * 2 - 1).to(self.device), taus[0] - 1)
        # Drawn patch by patch, so that it does not matter how many share a batch.
        shape = (2, *predicted.mean.shape[1:])
        drawn = torch.stack([torch.randn(shape, generator=generator) for _ in patches], 1)
        first, second = drawn.to(self.device)
        z = (posterior.mean.float() + posterior.std.float() * first) * scaling
        noise = predicted.mean + predicted.std * second
        words = text.to(unet.dtype).expand(len(patches), -1, -1)

        def predict(x: Tensor, t: int) -> Tensor:
            answer = unet(x.to(unet.dtype), t, encoder_hidden_states=words, return_dict=False)
            return answer[0].float()

        levels = [self._sigma(tau) for tau in taus]
        for x in euler(z, noise, taus, levels, predict):
            yield x
        return (vae.decode((x / scaling).to(vae.dtype)).sample.float() / 2 + 0.5).clamp(0, 1).cpu()

    def _sigma(self, tau: int) -> float:
        kept = float(self.pipe.scheduler.alphas_cumprod[tau - 1])
        return ((1 - kept) / kept) ** 0.5

    def _batch(self) -> int:
        roomy = self.device.type == "cuda" and (
            torch.cuda.mem_get_info(self.device)[0] > _MEMORY_FOR_EIGHT
        )
        return 8 if roomy else 1


def load_predictor(path) -> NoisePredictor:
    """The released file, strictly. Raises ModelError naming it."""
    network = NoisePredictor()
    state = {
        name.removeprefix("module.").removeprefix("_orig_mod."): value.float()
        for name, value in hub.read_state(path).items()
    }
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise ModelError(
            "{path} belongs to another network: {reason}", path=path, reason=reason
        ) from error
    return network.eval().requires_grad_(False)


def euler(
    z: Tensor,
    noise: Tensor,
    taus: Sequence[int],
    levels: Sequence[float],
    predict: Callable[[Tensor, int], Tensor],
) -> Iterator[Tensor]:
    """Start at level ``levels[0]`` with the given noise, and step down to 0; yields every state.

    ``predict(x, t)`` is the epsilon network on x scaled to unit variance, t from 0; taus count
    from 1. With the true noise for an answer the last state is z.
    """
    x = z + levels[0] * noise
    for tau, level, next_level in zip(taus, levels, (*levels[1:], 0.0), strict=True):
        epsilon = predict(x / (level**2 + 1) ** 0.5, tau - 1)
        x = x + (next_level - level) * epsilon
        yield x


def in_patches(
    picture: Tensor,
    enlarge: Callable[[Tensor], Iterator],
    patch: int,
    scale: int,
    batch: int = 1,
) -> Iterator[tuple[int, int]]:
    """Enlarge (3, h, w) patch by patch: yields (step, count), returns (3, s h, s w) in float64.

    Patches overlap by half, the last ones are shifted inside; where they meet they are averaged
    with Gaussian weights. Sides are filled up to multiples of 16 by reflection.
    """
    height, width = picture.shape[1:]
    fill = (-width % MULTIPLE, -height % MULTIPLE)
    mode = "reflect" if fill[0] < width and fill[1] < height else "replicate"
    padded = F.pad(picture[None], (0, fill[0], 0, fill[1]), mode=mode)[0]
    size = [min(patch, side) for side in padded.shape[1:]]
    corners = [
        (top, left)
        for top in starts(padded.shape[1], size[0])
        for left in starts(padded.shape[2], size[1])
    ]
    total = torch.zeros(3, *(scale * side for side in padded.shape[1:]), dtype=torch.float64)
    weights, weight = torch.zeros_like(total[0]), gaussian_window(*(scale * side for side in size))
    groups = [corners[i : i + batch] for i in range(0, len(corners), batch)]
    for done, group in enumerate(groups):
        cut = torch.stack([padded[:, y : y + size[0], x : x + size[1]] for y, x in group])
        fine = Outcome(enlarge(cut)).finish()
        for (y, x), piece in zip(group, fine.double(), strict=True):
            bottom, right = scale * (y + size[0]), scale * (x + size[1])
            place = slice(scale * y, bottom), slice(scale * x, right)
            total[:, *place] += piece * weight
            weights[place] += weight
        yield done + 1, len(groups)
    return (total / weights)[:, : scale * height, : scale * width]


def starts(length: int, patch: int) -> list[int]:
    """Where patches begin along a side: every half patch, the last one flush with the end."""
    return [*range(0, length - patch, max(1, patch // 2)), length - patch]


def gaussian_window(height: int, width: int) -> Tensor:
    """(height, width) float64, peak 1 in the middle; OpenCV's rule for the width of the bell."""
    bells = []
    for side in (height, width):
        sigma = 0.3 * ((side - 1) * 0.5 - 1) + 0.8
        offset = torch.arange(side, dtype=torch.float64) - (side - 1) / 2
        bells.append(torch.exp(-(offset**2) / (2 * sigma**2)))
    return bells[0][:, None] * bells[1]


def enlarged(pictures: Tensor) -> Tensor:
    """(b, 3, h, w) -> (b, 3, 4 h, 4 w), bicubic, kept in 0..1."""
    return F.interpolate(pictures, scale_factor=SCALE, mode="bicubic").clamp(0, 1)


def ycbcr_colours(fine: Tensor, source: Tensor) -> Tensor:
    """Lightness of ``fine``, colour differences of ``source``; (3, h, w) in 0..1."""
    luma = torch.tensor(LUMA)[:, None, None]
    change = (luma * (fine - source)).sum(0)
    return (source + change).clamp(0, 1)


def wavelet_colours(fine: Tensor, source: Tensor, levels: int = 5) -> Tensor:
    """Detail of ``fine`` on the low frequencies of ``source``; (3, h, w) in 0..1."""
    return (fine - _low_pass(fine, levels) + _low_pass(source, levels)).clamp(0, 1)


def _low_pass(x: Tensor, levels: int) -> Tensor:
    """An a-trous transform: the binomial 1 2 1, ever wider; borders repeat."""
    for reach in (2**i for i in range(levels)):
        for dim in (1, 2):
            pads = (0, 0, reach, reach) if dim == 1 else (reach, reach, 0, 0)
            wide = F.pad(x[None], pads, mode="replicate")[0]
            n = x.shape[dim]
            x = sum(
                share * wide.narrow(dim, offset, n)
                for share, offset in ((0.25, 0), (0.5, reach), (0.25, 2 * reach))
            )
    return x
