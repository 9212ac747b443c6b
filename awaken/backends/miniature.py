"""The embedded default: our own small image-to-video model, read from assets/miniature.

Latents are (b, 10, 16, 16, 16): see ``awaken.miniature.networks``. The network sees every painting
squashed on a square of 128 pixels; decoding carries its flow to the painting's true size and warps
the painting itself, so that the brush strokes stay.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from awaken.backends import BACKENDS, Backend, Condition
from awaken.miniature.canvas import (
    blur,
    follow_edges,
    luma,
    resize,
    squash,
    to_array,
    to_tensor,
    warp,
)
from awaken.miniature.loading import load_network, weights_id
from awaken.miniature.networks import (
    APPEARANCE,
    FLOW_UNIT,
    GRID,
    MotionDecoder,
    VideoDenoiser,
    encode_appearance,
)
from awaken.miniature.text import text_encoder
from awaken.miniature.vocabulary import Vocabulary
from awaken.sampling import Schedule

# The diffused state is the latents times this: flow is small beside appearance.
_STATE_SCALE = (1.0,) * APPEARANCE + (1.4, 2.5)
_FRAMES_AT_ONCE = 4
_PREVIEW_SIDE = 128


def noise_schedule(steps: int, prediction: str) -> Schedule:
    """Stable Diffusion's noise levels, solved by DPM-Solver++ 2M (Lu et al. 2022)."""
    from diffusers import DPMSolverMultistepScheduler

    scheduler = DPMSolverMultistepScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type=prediction,
        timestep_spacing="leading",
        steps_offset=1,
    )
    return Schedule.from_scheduler(scheduler, steps)


class MiniatureBackend(Backend):
    """The miniature behind the protocol of every image-to-video model."""

    spec = BACKENDS["miniature"]

    def __init__(self, device: torch.device, dtype: torch.dtype):
        """Read the weights. Raises ModelError when they are missing or damaged."""
        self.device = device
        self.dtype = dtype
        self.video = load_network(VideoDenoiser, "video", device, dtype)
        self.decoder = load_network(MotionDecoder, "decoder", device, dtype)
        self.text = text_encoder()
        self.vocabulary = Vocabulary(self.text)
        self.weights_id = weights_id("video") + weights_id("decoder")
        self._scale = torch.tensor(_STATE_SCALE, device=device).view(-1, 1, 1, 1)

    def schedule(self, steps: int) -> Schedule:
        return noise_schedule(steps, "sample")

    def encode(self, picture: np.ndarray, seed: int) -> torch.Tensor:
        """(h, w, 3) uint8 -> (1, 10, 1, 16, 16): the picture's appearance, and no flow."""
        appearance = encode_appearance(squash(to_tensor(picture, self.device)))
        flow = torch.zeros(1, 2, GRID, GRID, device=self.device)
        return torch.cat([appearance, flow], 1)[:, :, None]

    def condition(
        self,
        picture: np.ndarray,
        latents: torch.Tensor,
        prompt: str,
        negative_prompt: str,
        *,
        frames: int,
        guidance: float,
        motion: float | None,
        mask: np.ndarray | None,
        options: Mapping[str, float],
    ) -> Condition:
        prompts = [prompt] if guidance == 1 else [negative_prompt, prompt]
        k = len(prompts)
        words, present = zip(*map(self.text.words, prompts), strict=True)
        text = torch.cat(words).to(self.device, self.dtype)
        text_mask = torch.cat(present).to(self.device)
        square = squash(to_tensor(picture, self.device)).to(self.dtype).expand(k, -1, -1, -1)
        cells = self._cells(mask).expand(k, -1, -1, -1)
        features = self.video.conditioner(square, cells, text, text_mask)
        strength = self.spec.motion if motion is None else motion
        tensors = {
            "appearance": latents[:, :APPEARANCE, 0].expand(k, -1, -1, -1),
            "features16": features[0],
            "features8": features[1],
            "features4": features[2],
            "mask": cells,
            "text": text,
            "text_mask": text_mask,
            "motion": torch.full((k,), float(strength), device=self.device),
        }
        return Condition(tensors, k)

    def network(self, z: torch.Tensor, t: float, condition: Condition) -> torch.Tensor:
        """The clean video: the static one plus what the network adds where motion is allowed."""
        k, b = condition.branches, z.shape[0]
        tensors = dict(condition.tensors)
        still = tensors["appearance"][:, :, None]
        tensors["appearance"] = tensors["appearance"].to(self.dtype)
        times = torch.full((k * b,), float(t), device=self.device)
        residual = self.video(z.to(self.dtype).repeat(k, 1, 1, 1, 1), times, **tensors)
        clean = residual.float() * tensors["mask"][:, :, None]
        clean[:, :APPEARANCE] += still
        return clean.unflatten(0, (k, b))

    def decode(self, z: torch.Tensor, picture: np.ndarray) -> np.ndarray:
        """One video, (1, 10, 16, 16, 16) -> (16, h, w, 3) uint8."""
        painting = to_tensor(picture, self.device)
        square = squash(painting)
        flow, change = self._motion(z, square)
        size = painting.shape[-2:]
        frames = []
        for part, changed in zip(
            flow.split(_FRAMES_AT_ONCE), change.split(_FRAMES_AT_ONCE), strict=True
        ):
            warped = warp(painting, resize(part, size, "bicubic"))
            frames.append(to_array(warped + resize(changed, size)))
        return np.concatenate(frames)

    def preview(self, z: torch.Tensor, picture: np.ndarray) -> np.ndarray:
        """The coarse flow alone, without the decoder network: (16, ~128, ~128, 3) uint8."""
        painting = to_tensor(picture, self.device)
        shrink = _PREVIEW_SIDE / max(painting.shape[-2:])
        size = tuple(max(1, round(side * shrink)) for side in painting.shape[-2:])
        flow = (z / self._scale)[0, APPEARANCE:].transpose(0, 1) * FLOW_UNIT
        return to_array(warp(resize(painting, size), resize(flow, size, "bicubic")))

    def notices(self, prompt: str) -> list[str]:
        return self.vocabulary.notices(prompt)

    def _motion(self, z: torch.Tensor, square: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Flow, (16, 2, 128, 128), and change of colour, (16, 3, 128, 128), on the square."""
        frames = (z / self._scale)[0].transpose(0, 1)
        frames = frames.to(self.dtype, memory_format=torch.channels_last)
        flow, opacity, synthesis = self.decoder(frames, square.to(self.dtype))
        guide = blur(luma(square), 1)
        flow = follow_edges(flow, guide, guide, radius=4, smoothness=0.003)
        return flow, opacity * (synthesis - warp(square, flow))

    def _cells(self, mask: np.ndarray | None) -> torch.Tensor:
        """Where motion is allowed, (1, 1, 16, 16) of 0 and 1: cells with any of the painted mask."""
        if mask is None:
            return torch.ones(1, 1, GRID, GRID, device=self.device, dtype=self.dtype)
        painted = torch.from_numpy(mask > 127).float()[None, None]
        cells = torch.nn.functional.adaptive_max_pool2d(painted, GRID)
        return cells.to(self.device, self.dtype)
