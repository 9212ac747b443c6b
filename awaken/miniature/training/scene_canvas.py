"""What scenes are drawn on: a batch of pictures with their masks, and its simplest shapes."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from awaken.miniature.classes import CLASSES
from awaken.miniature.training.fields import SpaceTime


class Canvas:
    """A batch of pictures in the making, (b, 3, h, w), and the masks of what lies on top."""

    def __init__(self, batch: int, height: int, width: int, generator: torch.Generator) -> None:
        device = generator.device
        still = torch.zeros(batch, 1, device=device)
        self.space = SpaceTime(batch, height, width, still, generator)
        self.picture = torch.zeros(batch, 3, height, width, device=device)
        self.masks = torch.zeros(batch, len(CLASSES), height, width, device=device)
        self.y = (torch.arange(height, device=device) + 0.5)[None, :, None] / height
        # x in the same unit as y: heights of the picture
        self.x = (torch.arange(width, device=device) + 0.5)[None, None] / height
        self.aspect = width / height

    def draw(self, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
        """(b, 1, 1) random numbers."""
        return self.space.uniform(low, high)

    def chance(self, p: float) -> torch.Tensor:
        """(b, 1, 1) of 0 and 1."""
        return (self.draw() < p).float()

    def noise(self, beta: float = 1.5, stretch: float = 1.0) -> torch.Tensor:
        return self.space.noise(beta, stretch)

    def pick(self, palette: torch.Tensor, spread: float = 0.06) -> torch.Tensor:
        """(b, 3, 1, 1): a colour of the palette, varied a little."""
        index = (self.draw()[:, 0, 0] * len(palette)).long()
        colours = palette.to(self.picture.device)[index]
        vary = torch.randn(colours.shape, generator=self.space.generator, device=colours.device)
        return (colours + spread * vary)[..., None, None].clamp(0, 1)

    def lay(self, colour: torch.Tensor, alpha: torch.Tensor, name: str | None = None) -> None:
        """Put a layer on top: colour (b, 3, h, w), alpha (b, h, w); it hides the masks beneath."""
        alpha = alpha.clamp(0, 1)
        self.picture = self.picture * (1 - alpha[:, None]) + colour * alpha[:, None]
        self.masks = self.masks * (1 - alpha[:, None])
        if name:
            index = CLASSES.index(name)
            self.masks[:, index] = torch.maximum(self.masks[:, index], alpha)


def step(x: torch.Tensor, sharp: float = 200.0) -> torch.Tensor:
    return torch.sigmoid(x * sharp)


def ridge(c: Canvas, rough: float = 2.2) -> torch.Tensor:
    """(b, 1, w): a random line of unit spread."""
    line = c.noise(rough)[:, :1]
    return (line - line.mean(2, keepdim=True)) / (line.std(2, keepdim=True) + 1e-6)


def polygon(c: Canvas, points: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> torch.Tensor:
    """(b, h, w) alpha of a convex polygon, corners (x, y) of (b, 1, 1), clockwise on the screen."""
    alpha = torch.ones_like(c.picture[:, 0])
    for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
        side = (x1 - x0) * (c.y - y0) - (y1 - y0) * (c.x - x0)
        alpha = alpha * step(side / (torch.hypot(x1 - x0, y1 - y0) + 1e-6), 500)
    return alpha


def lit(c: Canvas, colour: torch.Tensor, amount: float, beta: float = 0.9, stretch: float = 1.0):
    """A textured surface of one colour, (b, 3, h, w)."""
    grain = c.noise(beta, stretch)[:, None]
    patch = c.noise(1.8)[:, None]
    return colour * (1 + amount * grain + 0.5 * amount * patch)
