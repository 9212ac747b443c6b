"""The embedded default behind the protocol: latents that say how a painting's layers move.

Latents are (b, 18, f, h, w) on a grid of the painting's own aspect: see
``awaken.miniature.latents``; decoding moves the painting's own pixels: see
``awaken.miniature.compositor``.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import DPMSolverMultistepScheduler
from torch import nn

from awaken.backends import BACKENDS, Backend, Condition, VideoSettings
from awaken.miniature.canvas import to_array, to_tensor
from awaken.miniature.compositor import compose
from awaken.miniature.decoder_network import MatteNetwork
from awaken.miniature.imaging import smooth_step
from awaken.miniature.latents import (
    AIR,
    CELL,
    FLOW,
    FRAMES,
    LIGHT,
    OBJECT,
    REGION,
    SHIFT,
    UNITS,
    TimeBasis,
    grid_for,
    image_latents,
    schedule_table,
)
from awaken.miniature.loading import ASSETS, trained, weights_id
from awaken.miniature.mattes import guided_matte, outlined
from awaken.miniature.meaning import chances, fuse_with_segmentation
from awaken.miniature.segmentation_network import SegmentationNetwork
from awaken.miniature.stencil import resting, stencil, touched
from awaken.miniature.text import text_encoder
from awaken.miniature.video_network import VideoNetwork
from awaken.miniature.vocabulary import Vocabulary
from awaken.sampling import Schedule

_PREVIEW_SIDE = 128
_SHARES = slice(REGION.start, OBJECT.stop, OBJECT.start - REGION.start)  # both, as a view
_WHOLE = 1 / float(UNITS[REGION])  # a share of one in latent units; the object's is the same


class Bounds(NamedTuple):
    """Chances that a cell is meant: up to the first it stays, or need not move; from the second on it
    may move freely, or does."""

    possible: tuple[float, float]
    certain: tuple[float, float]


# Guidance makes a certainty of a third of a chance, so that named trees spread over every thicket,
# and tears holes into skies that are surely meant. The first pair was chosen on
# ``held_out.HELD_OUT``, the second there and on two bundled paintings, whose bridge and rocks
# moved; where the segmentation network has its say less is needed to be sure (on
# ``held_out.HELD_OUT`` again).
_ALONE = Bounds(possible=(0.2, 0.5), certain=(0.6, 0.85))
_TOGETHER = Bounds(possible=(0.15, 0.4), certain=(0.45, 0.7))


def zero_snr_schedule(steps: int, prediction: str) -> Schedule:
    """``latents.schedule_table``'s noise levels from pure noise on, solved by DPM-Solver++ 2M."""
    scheduler = DPMSolverMultistepScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        rescale_betas_zero_snr=True,
        prediction_type=prediction,
        timestep_spacing="trailing",
    )
    return Schedule.from_scheduler(scheduler, steps)


def _limits(
    chance: torch.Tensor, allowed: torch.Tensor, bounds: Bounds, doubt: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """The least and the most that a cell's region and object may move, (k, 2, rows, columns), 0 to 1.

    chance: (1, 2, rows, columns), that they are meant, see ``meaning``; allowed: (k, 1, rows,
    columns) of 0 and 1, where motion is; doubt: what is hardly meant stays still.
    """
    most = allowed.float().expand(-1, 2, -1, -1)
    least = most * smooth_step(chance, *bounds.certain)
    return least, most * smooth_step(chance, *bounds.possible) if doubt else most


class MiniatureBackend(Backend):
    """The miniature that has seen everything.

    folder: where ``video-00.safetensors``..., ``video.json`` and ``captions.json`` of the training
    program lie, and perhaps the same of ``decoder``. Raises ModelError when they cannot be read.
    """

    spec = BACKENDS["miniature"]
    folder = ASSETS
    decoder_folder: Path | None = None  # where the matting network lies, if not in ``folder``
    # Whether what the condition network hardly believes the sentence to mean stays still.
    doubts = True

    def __init__(
        self, device: torch.device, dtype: torch.dtype, folder: Path | None = None
    ) -> None:
        folder = folder or self.folder
        mattes = self.decoder_folder or folder
        self.device, self.dtype = device, dtype
        form = {"device": device, "dtype": dtype, "memory_format": torch.channels_last}

        def perhaps(network: type[nn.Module], part: str, folder: Path) -> nn.Module | None:
            there = (folder / f"{part}.json").exists()
            return trained(network, part, folder).to(**form) if there else None

        self.video = trained(VideoNetwork, "video", folder).to(**form)
        # Without a matting network outlines come from guided filtering.
        self.decoder = perhaps(MatteNetwork, "decoder", mattes)
        # Without a segmentation network the condition network alone says what a sentence means.
        self.segmentation = perhaps(SegmentationNetwork, "segmentation", folder)
        self.text = text_encoder()
        self.vocabulary = Vocabulary(self.text, folder)
        self.weights_id = weights_id(
            (folder, "video"), (mattes, "decoder"), (folder, "segmentation")
        )
        self.table = schedule_table()

    def schedule(self, steps: int) -> Schedule:
        return zero_snr_schedule(steps, "sample")

    def encode(self, picture: np.ndarray, seed: int) -> torch.Tensor:
        """(h, w, 3) uint8 -> (1, 18, 1, rows, columns): the painting's light, and no motion."""
        height, width = picture.shape[:2]
        return image_latents(to_tensor(picture, self.device), grid_for(width, height))

    def condition(
        self, picture: np.ndarray, latents: torch.Tensor, settings: VideoSettings
    ) -> Condition:
        k, mask = len(settings.texts), settings.mask
        words, present = zip(*map(self.text.words, settings.texts), strict=True)
        words, present = torch.cat(words).to(self.device, self.dtype), torch.cat(present)
        present = present.to(self.device)
        rows, columns = latents.shape[-2:]
        painting = to_tensor(picture, self.device)
        look = F.interpolate(
            painting, (rows * CELL, columns * CELL), mode="bilinear", antialias=True
        )
        look = look.to(self.dtype).expand(k, -1, -1, -1)
        cells = self._cells(mask, rows, columns).expand(k, -1, -1, -1)
        features = self.video.condition(look, cells, words, present)
        # Where a person points, the condition network may doubt as it likes.
        chance, bounds = chances(features[3][-1:], features[4][-1:]), _ALONE
        if self.segmentation is not None:
            chance = fuse_with_segmentation(
                self.segmentation, painting, words[-1:], present[-1:], chance
            )
            bounds = _TOGETHER
        least, most = _limits(chance, cells, bounds, doubt=self.doubts and mask is None)
        tensors = {
            "light": latents[:, LIGHT, 0].expand(k, -1, -1, -1),
            "features32": features[0],
            "features16": features[1],
            "features8": features[2],
            "least": _WHOLE * least,
            "most": most,
            "allowed": cells.float(),
            "words": words,
            "present": present,
            "motion": torch.full((k,), float(settings.motion), device=self.device),
            "duration": torch.full((k,), settings.frames / FRAMES, device=self.device),
        }
        return Condition(tensors, k)

    def network(self, z: torch.Tensor, t: float, condition: Condition) -> torch.Tensor:
        """The clean video, (branches, b, 18, f, h, w)."""
        k, b = condition.branches, z.shape[0]
        c = condition.tensors
        alpha = self.table[round(t)]
        a, s = float(alpha.sqrt()), float((1 - alpha).sqrt())
        basis = TimeBasis(z.shape[2], self.device)
        noise = s * basis.noise
        noisy = (basis.input(z) / (a * a + noise * noise) ** 0.5).to(self.dtype)
        noisy = noisy.contiguous(memory_format=torch.channels_last).repeat(k, 1, 1, 1)
        level = torch.full((k * b,), a / noise, device=self.device).log()
        features = (c["features32"], c["features16"], c["features8"])
        prediction = self.video.denoiser(
            noisy, level, features, c["words"], c["present"], c["motion"], c["duration"]
        )
        clean = basis.video(prediction.float(), c["light"])
        clean[:, AIR] *= c["allowed"][:, :, None]
        share = clean[:, _SHARES].clamp(0, _WHOLE) * c["most"][:, :, None]
        clean[:, _SHARES] = torch.maximum(share, c["least"][:, :, None])
        return clean.unflatten(0, (k, b))

    def decode(
        self, z: torch.Tensor, picture: np.ndarray, mask: np.ndarray | None = None
    ) -> np.ndarray:
        """One video, (1, 18, f, rows, columns) -> (f, h, w, 3) uint8, the picture outside a mask."""
        painting = to_tensor(picture, self.device)
        return self._composed(z, painting, mask, self._mattes(z, painting))

    def preview(
        self, z: torch.Tensor, picture: np.ndarray, mask: np.ndarray | None = None
    ) -> np.ndarray:
        """The same, on a small copy of the painting: (f, ~128, ~128, 3) uint8."""
        painting = to_tensor(picture, self.device)
        shrink = _PREVIEW_SIDE / max(painting.shape[-2:])
        size = tuple(max(1, round(side * shrink)) for side in painting.shape[-2:])
        return self._composed(z, F.interpolate(painting, size, mode="area"), mask)

    def notices(self, prompt: str) -> list[str]:
        return self.vocabulary.notices(prompt)

    def _mattes(self, z: torch.Tensor, painting: torch.Tensor) -> torch.Tensor:
        """Outlines of region and object, (1, 2, 8 rows, 8 columns)."""
        rows, columns = z.shape[-2:]
        look = F.interpolate(painting, (rows * CELL, columns * CELL), mode="area")
        shares = (z[:, _SHARES].mean(2) / _WHOLE).clamp(0, 1)
        if self.decoder is None:
            mattes = guided_matte(shares, look).clamp(0, 1)
        else:
            mattes = self.decoder(shares.to(self.dtype), look.to(self.dtype)).float().sigmoid()
        return outlined(mattes, look)

    def _composed(
        self, z: torch.Tensor, painting: torch.Tensor, mask: np.ndarray | None,
        mattes: torch.Tensor | None = None,
    ) -> np.ndarray:  # fmt: skip
        if mask is None:
            return to_array(compose(z, painting, mattes))
        painted = self._painted(mask)
        z = z.clone()
        rest = resting(touched(painted, z.shape[-2:]))[:, :, None]
        z[:, FLOW] *= rest
        z[:, SHIFT] *= rest
        return to_array(torch.lerp(
            painting, compose(z, painting, mattes), stencil(painted, painting.shape[-2:])
        ))  # fmt: skip

    def _cells(self, mask: np.ndarray | None, rows: int, columns: int) -> torch.Tensor:
        """Where motion is allowed, (1, 1, rows, columns) of 0 and 1."""
        if mask is None:
            return torch.ones(1, 1, rows, columns, device=self.device, dtype=self.dtype)
        return touched(self._painted(mask), (rows, columns)).to(self.dtype)

    def _painted(self, mask: np.ndarray) -> torch.Tensor:
        """(h, w) uint8 -> (1, 1, h, w) of 0 and 1."""
        return torch.from_numpy(mask > 127).float()[None, None].to(self.device)


class PremiseBackend(MiniatureBackend):
    """The same network, trained on photograph-like scenes only: the paper's own situation."""

    spec = BACKENDS["premise"]
    folder = ASSETS / "premise"
    decoder_folder = ASSETS  # outlines are the same for both
    doubts = False  # it has seen no painting: what it does not find there may well be there
