"""What stands in a scene: houses, boats, birds, flags, a fire and its smoke, with their masks."""

from __future__ import annotations

import math

import torch

from awaken.miniature.training.scene_canvas import Canvas, lit, polygon, step

CLOTHS = torch.tensor(
    [
        [0.75, 0.12, 0.12],
        [0.92, 0.92, 0.90],
        [0.12, 0.22, 0.55],
        [0.90, 0.75, 0.15],
        [0.15, 0.45, 0.25],
    ]
)


def houses(c: Canvas, horizon: torch.Tensor, shown: torch.Tensor):
    """Houses; returns where a chimney ends, (b, 1, 1) x and y."""
    chimney = (c.draw() * c.aspect, horizon)
    walls = torch.tensor(
        [[0.80, 0.76, 0.68], [0.60, 0.42, 0.34], [0.90, 0.89, 0.86], [0.45, 0.42, 0.40]]
    )
    roofs = torch.tensor([[0.45, 0.20, 0.14], [0.30, 0.28, 0.28], [0.40, 0.33, 0.24]])
    for _ in range(2):
        here = c.chance(0.7) * shown
        s = c.draw(0.05, 0.16)
        x, y = c.draw(0.05, 0.95) * c.aspect, horizon + s * c.draw(0.2, 0.9)
        body = polygon(c, [(x - s, y - s), (x + s, y - s), (x + s, y), (x - s, y)])
        roof = polygon(
            c,
            [
                (x - 0.6 * s, y - 1.7 * s),
                (x + 0.6 * s, y - 1.7 * s),
                (x + 1.2 * s, y - s),
                (x - 1.2 * s, y - s),
            ],
        )
        stack = polygon(
            c, [(x - 0.1 * s, y - 2.2 * s), (x + 0.15 * s, y - 2.2 * s),
                (x + 0.15 * s, y - 1.5 * s), (x - 0.1 * s, y - 1.5 * s)],
        )  # fmt: skip
        c.lay(lit(c, c.pick(walls), 0.06), body * here)
        windows = (((c.x - x) / s * 2.2) % 1 - 0.5).abs() < 0.16
        windows = windows & ((((c.y - y) / s * 2.0) % 1 - 0.5).abs() < 0.25)
        c.lay(torch.full_like(c.picture, 0.12), body * windows.float() * here)
        c.lay(lit(c, c.pick(roofs), 0.1), torch.maximum(roof, stack) * here)
        chimney = tuple(
            p * (1 - here) + q * here for p, q in zip(chimney, (x, y - 2.2 * s), strict=True)
        )
    return chimney


def boats(c: Canvas, horizon: torch.Tensor, shown: torch.Tensor) -> None:
    sails = torch.tensor(
        [[0.95, 0.94, 0.90], [0.85, 0.78, 0.62], [0.60, 0.28, 0.18], [0.80, 0.80, 0.82]]
    )
    hulls = torch.tensor(
        [[0.20, 0.14, 0.10], [0.85, 0.84, 0.80], [0.12, 0.18, 0.30], [0.50, 0.14, 0.10]]
    )
    for _ in range(3):
        here = c.chance(0.55) * shown
        depth = c.draw(0.02, 0.6)
        y = horizon + depth * (1 - horizon)
        s = (0.02 + 0.2 * depth) * c.draw(0.6, 1.3)
        x, way, tall = (
            c.draw(0.08, 0.92) * c.aspect,
            c.space.sign()[:, None, None],
            c.draw(1.2, 2.6),
        )
        hull = polygon(
            c, [(x - s, y - 0.28 * s), (x + s, y - 0.28 * s), (x + 0.75 * s, y), (x - 0.75 * s, y)]
        )
        c.lay(lit(c, c.pick(hulls), 0.1), hull * here, "boats")
        sailing = here * c.chance(0.75)
        foot, head = y - 0.4 * s, y - 0.35 * s - tall * s
        for lean, share in ((1.0, 1.0), (-0.8, 0.85)):
            a, b = x + 0.06 * lean * s * way, x + 0.85 * lean * s * way
            top = foot + (head - foot) * share
            left, right = torch.minimum(a, b), torch.maximum(a, b)
            mast_left = (a <= b).float()
            peak = left * mast_left + right * (1 - mast_left)
            sail = polygon(c, [(peak, top), (right, foot), (left, foot)])
            shade = 1 - 0.25 * torch.sigmoid((c.x - x) / s * 4)[:, None]
            c.lay(lit(c, c.pick(sails), 0.05) * shade, sail * sailing, "boats")
        mast = step(0.02 * s - (c.x - x).abs(), 900) * step(c.y - head, 500) * step(foot - c.y, 500)
        c.lay(torch.full_like(c.picture, 0.2), mast * sailing, "boats")
        shadow = step(s - (c.x - x).abs(), 80) * torch.exp(-((c.y - y) / (0.5 * s)).clamp(min=0))
        dark = shadow * step(c.y - y, 300) * here * 0.4
        c.picture = c.picture * (1 - dark[:, None])


def birds(c: Canvas, horizon: torch.Tensor, shown: torch.Tensor) -> None:
    alpha = torch.zeros_like(c.picture[:, 0])
    for _ in range(6):
        here = c.chance(0.6) * shown
        x, y, s = c.draw(0.05, 0.95) * c.aspect, c.draw(0.08, 0.85) * horizon, c.draw(0.012, 0.05)
        across = ((c.x - x) / s).abs()
        arch = (c.y - y) / s + 0.6 * (across.clamp(max=1) * 2.6).sin() * c.draw(0.5, 1)
        wing = step(0.16 * (1.1 - across) - arch.abs(), 12) * step(1 - across, 20)
        body = step(0.22 - torch.hypot((c.x - x) / s * 0.6, (c.y - y) / s), 20)
        alpha = torch.maximum(alpha, torch.maximum(wing, body) * here)
    tone = torch.tensor([[0.10, 0.10, 0.11], [0.95, 0.95, 0.94], [0.25, 0.22, 0.2]])
    c.lay(c.pick(tone).expand_as(c.picture), alpha, "birds")


def flags(c: Canvas, horizon: torch.Tensor, shown: torch.Tensor) -> None:
    for _ in range(2):
        here = c.chance(0.8) * shown
        s, way = c.draw(0.05, 0.16), c.space.sign()[:, None, None]
        x, root = c.draw(0.15, 0.85) * c.aspect, horizon + c.draw(0.0, 0.25)
        top = (root - c.draw(0.3, 0.6)).clamp(min=0.05)
        pole = step(0.004 - (c.x - x).abs(), 600) * step(c.y - top, 400) * step(root - c.y, 400)
        c.lay(torch.full_like(c.picture, 0.35), pole * here)
        along = (c.x - x) * way / s
        fold = 0.12 * s * (along * c.draw(3, 6) + 6 * c.draw()).sin() * along
        down = (c.y - top - fold) / (0.62 * s)
        cloth = step(along, 60) * step(1 - along, 60) * step(down, 40) * step(1 - down, 40)
        shade = 1 + 0.2 * (along * c.draw(3, 6)).cos()
        first, second = c.pick(CLOTHS), c.pick(CLOTHS)
        stripe = ((down * 3).floor() % 2)[:, None]
        colour = (first * stripe + second * (1 - stripe)) * shade[:, None]
        c.lay(colour, cloth * here, "flags")


def fire(
    c: Canvas, horizon: torch.Tensor, shown: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """A flame and its glow; returns where it ends, (b, 1, 1) x and y."""
    s = c.draw(0.03, 0.16)
    x, y = c.draw(0.15, 0.85) * c.aspect, (horizon + c.draw(0.1, 0.4)).clamp(max=0.95)
    up = (y - c.y) / (2.2 * s)
    waist = (
        s * (up.clamp(0, 1) * math.pi).sin().clamp(min=0) ** 0.6 * (1 - 0.75 * up.clamp(0, 1))
        + 0.15 * s
    )
    side = (c.x - x + 0.3 * s * up * c.noise(1.6)) / waist
    flame = step(1 - side.abs(), 8) * step(up + 0.05, 30) * step(1 - up, 15) * shown
    heart = (1 - side**2).clamp(0, 1) * (1 - up.clamp(0, 1))
    colour = torch.stack([0.95 + 0.05 * heart, 0.38 + 0.58 * heart, 0.05 + 0.6 * heart**2], 1)
    glow = torch.exp(-((torch.hypot(c.x - x, c.y - y + s) / (3.5 * s)) ** 2)) * shown
    c.picture = c.picture * (1 - 0.55 * shown[:, None])  # fires are seen in the dark
    warm = torch.tensor([1.0, 0.5, 0.18], device=glow.device)[None, :, None, None]
    c.picture = c.picture + warm * glow[:, None] * 0.5
    c.lay(colour, flame, "fire")
    return x, y - 2.2 * s


def smoke(c: Canvas, x: torch.Tensor, y: torch.Tensor, shown: torch.Tensor) -> None:
    tall, lean = c.draw(0.2, 0.5), c.draw(-0.6, 0.6)
    up = (y - c.y).clamp(min=0)
    middle = x + lean * up + 0.05 * c.noise(1.8)[:, :, :1] * (up / tall).clamp(0, 1)
    wide = 0.012 + up * c.draw(0.12, 0.35)
    plume = torch.exp(-(((c.x - middle) / wide) ** 2)) * step(y - c.y, 150)
    plume = plume * step(tall - up + 0.08 * c.noise(1.4), 30)
    plume = (
        plume * torch.sigmoid(3 * (c.noise(1.3) + c.draw(0.5, 1.3))) * c.draw(0.55, 0.95) * shown
    )
    tone = torch.tensor([[0.90, 0.90, 0.90], [0.55, 0.55, 0.56], [0.25, 0.24, 0.24]])
    c.lay(lit(c, c.pick(tone), 0.08, 1.3), plume, "smoke")
