"""InvSR's noise predictor (Yue et al. 2025): a picture's encoder that also reads the noise level.

Written from its description on diffusers' blocks; the names of the parameters are the released
ones (github.com/zsyOAOA/InvSR, whose own code is for non-commercial use and is not used here).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from diffusers.models.embeddings import TimestepEmbedding, Timesteps
from diffusers.models.unets.unet_2d_blocks import AttnDownBlock2D, UNetMidBlock2D
from torch import Tensor, nn


class NoisePredictor(nn.Module):
    """Low-resolution picture and timestep -> the noise with which SD-Turbo would draw it finer.

    The defaults are the released network: 33,837,576 parameters.
    """

    def __init__(
        self,
        widths: Sequence[int] = (256, 512),
        layers: int = 3,
        time_width: int = 512,
        head_width: int = 64,
        groups: int = 32,
        latent_channels: int = 4,
    ):
        super().__init__()
        self.encoder = TimedEncoder(widths, layers, time_width, head_width, groups, latent_channels)

    def forward(self, picture: Tensor, timestep: int) -> DiagonalGaussianDistribution:
        """(b, 3, h, w) in [-1, 1] -> a Gaussian over (b, 4, h / 2, w / 2), the noise at x4."""
        return DiagonalGaussianDistribution(self.encoder(picture, timestep))


class TimedEncoder(nn.Module):
    """Convolution, attentive down blocks, a middle block; half the size after all but the last."""

    def __init__(self, widths, layers, time_width, head_width, groups, latent_channels):
        super().__init__()
        shared = {"temb_channels": time_width, "resnet_eps": 1e-6, "resnet_groups": groups,
                  "attention_head_dim": head_width}  # fmt: skip
        self.time_proj = Timesteps(max(128, widths[0]), True, 0)
        self.time_embedding = TimestepEmbedding(max(128, widths[0]), time_width)
        self.conv_in = nn.Conv2d(3, widths[0], 3, padding=1)
        self.down_blocks = nn.ModuleList(
            AttnDownBlock2D(
                in_channels=narrow, out_channels=wide, num_layers=layers, downsample_padding=0,
                downsample_type="conv" if i < len(widths) - 1 else None, **shared,
            )
            for i, (narrow, wide) in enumerate(zip((widths[0], *widths), widths, strict=False))
        )  # fmt: skip
        self.mid_block = UNetMidBlock2D(widths[-1], output_scale_factor=1, **shared)
        self.conv_norm_out = nn.GroupNorm(groups, widths[-1], eps=1e-6)
        self.conv_out = nn.Conv2d(widths[-1], 2 * latent_channels, 3, padding=1)

    def forward(self, x: Tensor, timestep: int) -> Tensor:
        times = torch.full((len(x),), timestep, device=x.device)
        embedding = self.time_embedding(self.time_proj(times).to(x.dtype))
        x = self.conv_in(x)
        for block in self.down_blocks:
            x, _ = block(x, embedding)
        x = self.mid_block(x, embedding)
        return self.conv_out(nn.functional.silu(self.conv_norm_out(x)))
