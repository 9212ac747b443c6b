"""The miniature's image-to-image network: repaints a picture's light from a sentence.

It works on the three light channels of ``awaken.miniature.latents`` (a picture of about 32 x 32), as a
denoiser that is given the sentence, the picture (Brooks, Holynski and Efros 2023) and what is where in
it, and that may start from the noised picture (SDEdit: Meng et al. 2022); the caller carries the change
to the painting's true size. It predicts v (Salimans and Ho 2022), which serves one still picture well.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from awaken.miniature.classes import CLASSES
from awaken.miniature.video_network import (
    EMBEDDING,
    TEXT,
    Attention,
    Residual,
    coordinates,
    doubled,
    norm_of,
    wave_embedding,
    zeroed,
)

# Light channels over this have about unit variance.
SPREAD = 2.4


class ProxyNetwork(nn.Module):
    """Noisy light (b, 3, h, w), log signal-to-noise (b,), picture, words -> v (b, 3, h, w)."""

    def __init__(self, widths: tuple[int, int, int] = (48, 112, 176)) -> None:
        super().__init__()
        a, b, c = widths  # at the grid's resolution, at half and at a quarter of it
        e = EMBEDDING
        self.level = nn.Sequential(nn.Linear(128, e), nn.SiLU(), nn.Linear(e, e))
        self.meaning = nn.Linear(TEXT, e)
        self.enter, self.at32 = (
            nn.Conv2d(3 + 3 + len(CLASSES) + 2, a, 3, padding=1),
            Residual(a, embedding=e),
        )
        self.down16, self.at16 = nn.Conv2d(a, b, 3, 2, 1), Residual(b, embedding=e)
        self.read16 = Attention(b, TEXT)
        self.down8 = nn.Conv2d(b, c, 3, 2, 1)
        self.at8 = nn.ModuleList([Residual(c, embedding=e), Residual(c, embedding=e)])
        self.see8, self.read8 = Attention(c), Attention(c, TEXT)
        self.up16, self.reread16 = Residual(c + b, b, embedding=e), Attention(b, TEXT)
        self.up32 = nn.ModuleList([Residual(b + a, a, embedding=e), Residual(a, embedding=e)])
        self.leave = nn.Sequential(norm_of(a), nn.SiLU(), zeroed(nn.Conv2d(a, 3, 3, padding=1)))

    def forward(self, noisy, level, light, there, words, present):
        """light (b, 3, h, w): the picture's own, of about unit variance, as ``noisy`` is; there
        (b, classes, h, w): chances of what is where; words (b, 20, 384), present (b, 20)."""
        count = present.sum(1, keepdim=True).clamp(min=1)
        meaning = (words * present[..., None]).sum(1) / count
        e = F.silu(
            self.level(wave_embedding(level / 4).to(noisy)) + self.meaning(meaning.to(noisy))
        )
        seen = torch.cat([noisy, light.to(noisy), there.to(noisy), coordinates(noisy)], 1)
        x32 = self.at32(self.enter(seen), e)
        x16 = self.read16(self.at16(self.down16(x32), e), words, present)
        x8 = self.at8[0](self.down8(x16), e)
        x8 = self.at8[1](self.read8(self.see8(x8), words, present), e)
        x16 = self.up16(torch.cat([doubled(x8), x16], 1), e)
        x = torch.cat([doubled(self.reread16(x16, words, present)), x32], 1)
        for block in self.up32:
            x = block(x, e)
        return self.leave(x)
