"""The learned part of decoding: mattes. Everything else is ``awaken.miniature.compositor``.

From the coarse shares (a cell is 16 pixels of a 512 pixel painting) and the painting, a small U-Net
draws the outlines of what moves, at the size the networks look at. It runs once per video, not per
frame, because outlines belong to frame 0. Guided filtering does the same without training; the
network is used only where it is measurably better (``train.py --part decoder`` prints both).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from awaken.miniature.video_network import Residual, doubled


class MatteNetwork(nn.Module):
    """Shares (b, 2, h, w), picture (b, 3, 8 h, 8 w) in 0..1 -> matte logits (b, 2, 8 h, 8 w)."""

    def __init__(self, widths: tuple[int, int, int] = (24, 40, 64)) -> None:
        super().__init__()
        a, b, c = widths  # at 1/2, 1/4 and 1/8 of the picture
        self.enter, self.fine = nn.Conv2d(12 + 2, a, 3, padding=1), Residual(a)
        self.down4, self.middle = nn.Conv2d(a, b, 3, 2, 1), Residual(b)
        self.down8 = nn.Conv2d(b + 2, c, 3, 2, 1)
        self.coarse = nn.ModuleList([Residual(c), Residual(c)])
        self.up4, self.up2 = Residual(c + b, b), Residual(b + a, a)
        self.leave = nn.Conv2d(a, 8, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, shares: torch.Tensor, picture: torch.Tensor) -> torch.Tensor:
        half, quarter = (
            F.interpolate(shares, scale_factor=k, mode="bilinear", align_corners=False)
            for k in (4, 2)
        )
        x2 = F.pixel_unshuffle(picture * 2 - 1, 2)
        x2 = self.fine(self.enter(torch.cat([x2, half.to(x2)], 1)))
        x4 = self.middle(self.down4(x2))
        x8 = self.down8(torch.cat([x4, quarter.to(x4)], 1))
        for block in self.coarse:
            x8 = block(x8)
        x4 = self.up4(torch.cat([doubled(x8), x4], 1))
        x2 = self.up2(torch.cat([doubled(x4), x2], 1))
        # A residual to the shares themselves: before training the matte is the smooth upsampling.
        start = torch.logit(half.float().clamp(0.02, 0.98)).repeat_interleave(4, 1)
        return F.pixel_shuffle(self.leave(x2).float() + start, 2)


def degraded(share: torch.Tensor) -> torch.Tensor:
    """What a video network might say for true shares (b, 2, h, w): softer, uneven, noisy."""
    b = share.shape[0]
    soft = F.avg_pool2d(share, 3, 1, 1, count_include_pad=False)
    blur = torch.rand(b, 1, 1, 1, device=share.device)
    share = share * (1 - blur) + soft * blur
    coarse = torch.randn(b, 2, share.shape[2] // 4, share.shape[3] // 4, device=share.device)
    uneven = F.interpolate(coarse, share.shape[2:], mode="bilinear") * 0.12
    strength = torch.rand(b, 1, 1, 1, device=share.device)
    noise = torch.randn_like(share) * 0.06 + uneven
    return (share * (1 - 0.2 * strength * torch.rand_like(blur)) + strength * noise).clamp(0, 1)
