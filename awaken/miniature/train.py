"""``python -m awaken.miniature.train --part video|decoder|proxy --minutes N``: train one part."""

from __future__ import annotations

import argparse
import logging
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from awaken.miniature.bank import Bank
from awaken.miniature.clips import GRIDS, Clips, Library, make_clips
from awaken.miniature.labels import load_pack
from awaken.miniature.latents import LIGHT, SINES, TimeBasis, schedule_table
from awaken.miniature.training import Plan, train
from awaken.miniature.video_network import VideoNetwork

log = logging.getLogger(__name__)

# Never trained on: every choice is made on these.
HELD_OUT: tuple[str, ...] = ("283.jpg", "500.jpg", "370.jpg", "622.jpg", "416.jpg", "428.jpg")
SIZES: dict[str, dict[str, tuple[int, ...]]] = {
    "small": {"widths": (40, 112, 160), "condition_widths": (56, 96, 160)},
    "large": {"widths": (64, 176, 256), "condition_widths": (96, 160, 256)},
}
# Loss weights of the 81 predicted coefficients: light, displacements (8 each), shares and amounts.
_WEIGHTS = torch.tensor(
    [0.5] * (3 * SINES) + [1.0] * (4 * SINES) + [0.4] * (2 * SINES) + [1.5] * 2 + [0.5] * 7
)


class Batches(IterableDataset):
    """Endless batches of clips with their word vectors; one seed per worker and batch."""

    def __init__(self, library: Library, bank: Bank, batch: int, small: bool, seed: int) -> None:
        self.library, self.bank = library, bank
        self.batch, self.small, self.seed = batch, small, seed

    def __iter__(self) -> Iterator[tuple[Clips, torch.Tensor, torch.Tensor]]:
        torch.set_num_threads(1)
        worker = get_worker_info()
        step, n = (worker.num_workers, worker.id) if worker else (1, 0)
        rng = random.Random(self.seed + n)
        while True:
            grid = rng.choice(GRIDS)
            if self.small:  # fewer cells: more pictures per second while the coarse is learnt
                grid = tuple(max(16, round(side * 0.75 / 4) * 4) for side in grid)
            clips = make_clips(
                self.library, self.batch, grid, self.seed * 1_000_003 + n, self.bank.caption
            )
            yield clips, *self.bank.vectors(clips.captions, self.library.device)
            n += step


class VideoLoss:
    """Mean squared error of the clean coefficients, and cross-entropy of the regions."""

    def __init__(self, device: torch.device) -> None:
        self.table = schedule_table().float().to(device)
        self.weights = _WEIGHTS.to(device)[None, :, None, None]
        self.basis = TimeBasis(16, device)
        self.device = device

    def __call__(self, network: VideoNetwork, item):
        clips, words, present = item
        clips, words, present = _to(clips, self.device), words.to(self.device), present.to(self.device)
        b = words.shape[0]
        z = clips.latents
        light0 = z[:, LIGHT, 0]
        # Guidance needs a network that also works without words, and one that obeys a motion mask.
        dropped = torch.rand(b, device=self.device) < 0.1
        present = present & ~dropped[:, None]
        near = F.max_pool2d(clips.regions.amax(1, keepdim=True), 3, 1, 1)
        masked = (torch.rand(b, 1, 1, 1, device=self.device) < 0.25).float()
        mask = masked * (near > 0.1).float() + (1 - masked)
        # Coefficients see the noise of a clip of its true length: see TimeBasis.
        t = torch.randint(0, 1000, (b,), device=self.device)
        early = torch.rand(b, device=self.device) < 0.3
        t = torch.where(early, torch.randint(700, 1000, (b,), device=self.device), t)
        a, s = self.table[t].sqrt(), (1 - self.table[t]).sqrt() / clips.duration.sqrt()
        seen = self.basis.seen(z)
        noisy = a[:, None, None, None] * seen + s[:, None, None, None] * torch.randn_like(seen)
        noisy = noisy * (a**2 + s**2).rsqrt()[:, None, None, None]
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            picture = clips.picture.contiguous(memory_format=torch.channels_last)
            features = network.condition(picture, mask, words, present)
            told = network.denoiser(
                noisy.contiguous(memory_format=torch.channels_last), torch.log(a / s), features,
                words, present, clips.strength, clips.duration,
            )  # fmt: skip
        target = self.basis.target(z, light0)
        error = (told.float() - target) ** 2 * self.weights * _valid(clips.valid)
        cross = F.binary_cross_entropy_with_logits
        regions = cross(features[3].float(), clips.regions, reduction="none").mean((1, 2, 3))
        regions = (regions * ~dropped).mean()
        classes = cross(features[4].float(), clips.masks)
        parts = {
            "flow": (error[:, 24:40].mean()).detach(),
            "shift": (error[:, 40:56].mean()).detach(),
            "shares": (error[:, 72:74].mean()).detach(),
            "all": error.mean().detach(),
            "regions": regions.detach(),
            "classes": classes.detach(),
        }
        return error.mean() + 0.1 * regions + 0.2 * classes, parts, b


def _valid(valid: torch.Tensor) -> torch.Tensor:
    """(b, 18, h, w) per channel -> (b, 81, h, w) per coefficient, in ``TimeBasis.target``'s order."""
    moves = torch.cat([valid[:, :3], valid[:, 4:6], valid[:, 7:11]], 1)
    rest = torch.cat([valid[:, 3:4], valid[:, 6:7], valid[:, 11:]], 1)
    return torch.cat([moves.repeat_interleave(SINES, 1), rest], 1)


def _to(clips: Clips, device: torch.device) -> Clips:
    moved = {
        name: value.to(device, non_blocking=True) if isinstance(value, torch.Tensor) else value
        for name, value in vars(clips).items()
    }
    return Clips(**moved)


def train_video(args: argparse.Namespace, device: torch.device) -> None:
    packs = [[i for i in load_pack(path) if i.name not in HELD_OUT] for path in args.pack]
    # On a GPU clips are made there, beside the network; on a CPU by worker processes.
    library = Library(packs, device if device.type == "cuda" else "cpu", args.share)
    batches = Batches(library, Bank.load(args.bank), args.batch, args.small, args.seed)
    workers = 0 if device.type == "cuda" else args.workers
    loader = DataLoader(batches, batch_size=None, num_workers=workers)
    config = {"size": args.size, "pictures": [len(p) for p in packs]} | SIZES[args.size]
    network = VideoNetwork(**SIZES[args.size]).to(device, memory_format=torch.channels_last)
    plan = Plan(args.minutes, args.rate, args.decay)
    train("video", network, iter(loader), VideoLoss(device), plan, args.out, config)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Train one part of the miniature.")
    parser.add_argument("--part", choices=("video",), required=True)
    parser.add_argument("--minutes", type=float, required=True, help="whole budget, restarts included")
    parser.add_argument("--pack", type=Path, nargs="+", required=True, help="from labels.py, scenes.py")
    parser.add_argument("--share", type=float, nargs="*", help="how often each pack is drawn from")
    parser.add_argument("--bank", type=Path, required=True, help="captions, from bank.py")
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoints")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument("--decay", type=float, default=0.4, help="share of the budget to cool down")
    parser.add_argument("--size", choices=tuple(SIZES), default="small")
    parser.add_argument("--small", action="store_true", help="train on crops of fewer cells")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    {"video": train_video}[args.part](args, device)


if __name__ == "__main__":
    main()
