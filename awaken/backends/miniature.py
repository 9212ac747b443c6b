"""The embedded default behind the protocol: latents that say how a painting's layers move.

Latents are (b, 18, f, h, w) on a grid of the painting's own aspect: see
``awaken.miniature.latents``; decoding moves the painting's own pixels: see
``awaken.miniature.compositor``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import DPMSolverMultistepScheduler

from awaken.backends import BACKENDS, Backend, Condition, VideoSettings
from awaken.miniature.asked import as_asked
from awaken.miniature.canvas import to_array, to_tensor
from awaken.miniature.classes import classes_of
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
    gain_of,
    grid_for,
    image_latents,
    schedule_table,
    values_of,
    whole_shares,
)
from awaken.miniature.loading import ASSETS, shared, trained, weights_id
from awaken.miniature.mattes import outlined
from awaken.miniature.meaning import (
    chances,
    expected,
    fuse_with_segmentation,
    what_is_where,
    where_they_are,
)
from awaken.miniature.reading import read
from awaken.miniature.segmentation_network import SegmentationNetwork
from awaken.miniature.stencil import resting, stencil, touched
from awaken.miniature.text import text_encoder
from awaken.miniature.video_network import LIVELY, VideoNetwork
from awaken.miniature.vocabulary import Vocabulary
from awaken.sampling import Schedule

_PREVIEW_SIDE = 128
_SHARES = slice(REGION.start, OBJECT.stop, OBJECT.start - REGION.start)  # both, as a view
_WHOLE = (1 / UNITS[_SHARES])[:, None, None, None]  # a share of one in latent units


# Chances that a cell is meant: up to the first it stays, from the second on it moves freely. Guidance
# makes a certainty of a third of a chance, so that named trees spread over every thicket. Chosen on
# ``held_out.HELD_OUT``.
_MEANT = (0.15, 0.4)


def noise_schedule(steps: int, prediction: str) -> Schedule:
    """Stable Diffusion's noise levels (``latents.schedule_table``), solved by DPM-Solver++ 2M."""
    scheduler = DPMSolverMultistepScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type=prediction,
        timestep_spacing="trailing",
    )
    return Schedule.from_scheduler(scheduler, steps)


class MiniatureBackend(Backend):
    """The miniature: painting and sentence -> how the painting's layers move.

    folder: where the training program left parts (``video.json``, its shards, ``captions.json``); those
    that it lacks are the shipped ones. Raises ModelError when they cannot be read.
    """

    spec = BACKENDS["miniature"]

    def __init__(
        self, device: torch.device, dtype: torch.dtype, folder: Path | None = None
    ) -> None:
        folder = folder or ASSETS
        self.device, self.dtype = device, dtype
        form = {"device": device, "dtype": dtype, "memory_format": torch.channels_last}
        self.video = trained(VideoNetwork, "video", folder).to(**form)
        self.decoder = trained(MatteNetwork, "decoder", folder).to(**form)
        self.segmentation = shared(SegmentationNetwork, "segmentation", folder, **form)
        self.text = text_encoder()
        self.vocabulary = Vocabulary(self.text, folder)
        self.weights_id = weights_id(folder, "video", "decoder", "segmentation")
        self.table = schedule_table()

    def schedule(self, steps: int) -> Schedule:
        return noise_schedule(steps, "sample")

    def encode(self, picture: np.ndarray, seed: int) -> torch.Tensor:
        """(h, w, 3) uint8 -> (1, 18, 1, rows, columns): the painting's light, and no motion."""
        height, width = picture.shape[:2]
        return image_latents(to_tensor(picture, self.device), grid_for(width, height))

    def condition(
        self, picture: np.ndarray, latents: torch.Tensor, settings: VideoSettings
    ) -> Condition:
        k, mask, asked = len(settings.texts), settings.mask, read(settings.prompt)
        words, present = self._words([*settings.texts[:-1], asked.words])
        rows, columns = latents.shape[-2:]
        painting = to_tensor(picture, self.device)
        look = F.interpolate(
            painting, (rows * CELL, columns * CELL), mode="bilinear", antialias=True
        )
        look = look.to(self.dtype).expand(k, -1, -1, -1)
        cells = self._cells(mask, rows, columns).expand(k, -1, -1, -1)
        classes = what_is_where(self.segmentation, painting, (rows, columns))
        reads = self.segmentation.read(words[-1:], present[-1:]).float().sigmoid()
        there = expected(classes, reads)
        seen = there.expand(k, -1, -1, -1)
        features = self.video.condition(look, cells, seen, words, present)
        own = chances(features[3][-1:], features[5][-1:])
        chance = fuse_with_segmentation(own, there, reads)
        # Where a person points, the networks may doubt as they like.
        most = cells.float().expand(-1, 2, -1, -1)
        if mask is None:
            most = most * smooth_step(chance, *_MEANT)
        if still := classes_of(" ".join(asked.still)):
            rests = where_they_are(classes, still)
            most = most * (1 - smooth_step(rests, *_MEANT))
        tensors = {
            "light": latents[:, LIGHT, 0].expand(k, -1, -1, -1),
            "features32": features[0],
            "features16": features[1],
            "features8": features[2],
            "regions": features[3],
            "lively": features[4],
            "most": most,
            "loudest": (LIVELY[1] * gain_of(most.sum((2, 3))))[:, :, None, None, None]
            * _WHOLE.to(most),
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
        features = (c["features32"], c["features16"], c["features8"], c["regions"], c["lively"])
        prediction = self.video.denoiser(
            noisy, level, features, c["words"], c["present"], c["motion"], c["duration"]
        )
        clean = basis.video(prediction.float(), c["light"])
        clean[:, AIR] *= c["allowed"][:, :, None]
        shares = clean[:, _SHARES].clamp(min=0).minimum(c["loudest"])
        clean[:, _SHARES] = shares * c["most"][:, :, None]
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

    def reading(self, prompt: str) -> dict[str, Any]:
        return read(prompt).plain()

    def as_asked(self, z: torch.Tensor, prompt: str) -> torch.Tensor:
        return as_asked(z, read(prompt))

    def _words(self, texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """Word vectors (k, 20, 384) of sentences, and which there are, (k, 20) bool."""
        words, present = zip(*map(self.text.words, texts), strict=True)
        return torch.cat(words).to(self.device, self.dtype), torch.cat(present).to(self.device)

    def _mattes(self, z: torch.Tensor, painting: torch.Tensor) -> torch.Tensor:
        """Outlines of region and object, (1, 2, 8 rows, 8 columns)."""
        rows, columns = z.shape[-2:]
        look = F.interpolate(painting, (rows * CELL, columns * CELL), mode="area")
        shares = whole_shares(values_of(z))
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
