"""Train one part: ``python -m awaken.miniature.training.train --part PART --minutes N ...``.

On CPU or CUDA; a run goes on from its folder's last checkpoint. The data are two kinds of packs:
labelled paintings (``labels``) and photograph-like scenes (``scenes``); clips are synthesised from
them on the fly (``clips``), so that there is no data set of videos. README.md beside this file has
the recipe that made the shipped weights, and what failed.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from awaken.miniature.classes import CLASSES, REGIONS
from awaken.miniature.decoder_network import MatteNetwork
from awaken.miniature.latents import LIGHT, UNITS, light_of
from awaken.miniature.loading import load_shards
from awaken.miniature.proxy_network import SPREAD, ProxyNetwork
from awaken.miniature.segmentation_network import SegmentationNetwork
from awaken.miniature.training.bank import Bank
from awaken.miniature.training.captions import vocabulary
from awaken.miniature.training.chances import doubted
from awaken.miniature.training.clips import GRIDS, make_clips, moved_by
from awaken.miniature.training.held_out import HELD_OUT, RECOGNITION
from awaken.miniature.training.labels import load_pack
from awaken.miniature.training.library import Library
from awaken.miniature.training.loop import Budget, train
from awaken.miniature.training.losses import (
    CaptionedClips,
    MatteLoss,
    ProxyLoss,
    SegmentationLoss,
    VideoLoss,
)
from awaken.miniature.training.repaint import repainted
from awaken.miniature.video_network import VideoNetwork
from awaken.residence import fast_bfloat16

log = logging.getLogger(__name__)

WIDTHS: dict[str, dict[str, tuple[int, ...]]] = {
    "video": {
        "widths": (40, 112, 160), "condition_widths": (56, 96, 160), "eye_widths": (40, 56),
    },
    "decoder": {"widths": (24, 40, 64)},
    "proxy": {"widths": (48, 112, 176)},
    "segmentation": {"widths": (96,)},
}  # fmt: skip
_NETWORKS: dict[str, type[nn.Module]] = {
    "video": VideoNetwork, "decoder": MatteNetwork, "proxy": ProxyNetwork,
    "segmentation": SegmentationNetwork,
}  # fmt: skip
_LOSSES = {
    "video": VideoLoss, "decoder": MatteLoss, "proxy": ProxyLoss, "segmentation": SegmentationLoss,
}  # fmt: skip


class Batches(IterableDataset):
    """Endless batches: clips with word vectors, or pictures with outlines for the decoder.

    One seed per batch, so that several workers never make the same one; ``small`` draws fewer cells
    of a part of the picture: more pictures per second while the coarse is learnt.
    """

    def __init__(
        self, part: str, library: Library, bank: Bank | None, batch: int, small: bool, seed: int
    ) -> None:
        self.part, self.library, self.bank = part, library, bank
        self.batch, self.small, self.seed = batch, small, seed

    def __iter__(self) -> Iterator[CaptionedClips | tuple[torch.Tensor, torch.Tensor]]:
        worker = get_worker_info()
        step, n = (worker.num_workers, worker.id) if worker else (1, 0)
        if worker:
            torch.set_num_threads(1)
        while True:
            seed = self.seed * 1_000_003 + n
            rng = random.Random(seed)
            grid = rng.choice(GRIDS)
            if self.small:
                grid = tuple(max(16, round(side * 0.75 / 4) * 4) for side in grid)
            if self.part == "decoder":
                yield outlines(self.library, self.batch, grid, rng)
            elif self.part == "segmentation":
                yield pictures_and_captions(self.library, self.bank, self.batch, grid, rng)
            elif self.part == "proxy":
                yield repaintings(self.library, self.bank, self.batch, grid, rng)
            else:
                clips = make_clips(self.library, self.batch, grid, seed, self.bank.caption)
                yield CaptionedClips(clips, *self.bank.vectors(clips.captions, self.library.device))
            n += step


def outlines(
    library: Library, batch: int, grid: tuple[int, int], rng: random.Random
) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures (b, 3, 8 h, 8 w) and true mattes (b, 2, 8 h, 8 w) of some of their classes."""
    picture, masks = library.crops(batch, grid, rng, fine=True)
    chosen = torch.tensor(
        [[float(rng.random() < 0.6) for _ in CLASSES] for _ in range(batch)], device=masks.device
    )
    masks = masks * chosen[:, :, None, None]
    k = len(REGIONS)
    return picture, torch.stack([masks[:, :k].amax(1), masks[:, k:].amax(1)], 1)


def pictures_and_captions(
    library: Library, bank: Bank, batch: int, grid: tuple[int, int], rng: random.Random
) -> tuple[torch.Tensor, ...]:
    """Pictures (b, 3, 8 h, 8 w), what is there (b, classes, h, w), word vectors of captions, their
    presence, and which classes they move (b, classes)."""
    grid = tuple(max(24, round(side * 1.125 / 4) * 4) for side in grid)
    picture, masks = library.crops(batch, grid, rng, pasting=0.4)
    chosen = rng.sample(range(len(bank.keys)), min(len(bank.keys), 64 * batch))
    words, present = bank.vectors([bank.wordings[i].text for i in chosen], picture.device)
    moved = [[float(name in moved_by(bank.keys[i])) for name in CLASSES] for i in chosen]
    return picture, masks, words, present, torch.tensor(moved, device=picture.device)


def repaintings(
    library: Library, bank: Bank, batch: int, grid: tuple[int, int], rng: random.Random
) -> tuple[torch.Tensor, ...]:
    """Light and light as a caption would have it (b, 3, h, w), of about unit variance; chances of what
    is where (b, classes, h, w); word vectors and their presence."""
    picture, masks = library.crops(batch, grid, rng)
    light = light_of(picture, grid)
    unit = UNITS[LIGHT].to(light)[None, :, None, None]
    shown = (masks.mean((2, 3)) > 0.01).cpu()
    # Most captions name something that the picture shows.
    keys, texts = [], []
    for shows in shown:
        classes = {name for name, there in zip(CLASSES, shows, strict=True) if there}
        for _ in range(8):
            i = rng.randrange(len(bank.keys))
            if not moved_by(bank.keys[i]) - classes:
                break
        keys.append(bank.keys[i])
        texts.append(bank.wordings[i].text)
    wanted = repainted(light * unit, masks, keys, rng) / unit
    return light / SPREAD, wanted / SPREAD, doubted(masks), *bank.vectors(texts, picture.device)


def mean_of(weights: Sequence[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """The mean of the weights of runs that started from the same ones (local SGD: Stich 2019)."""
    return {name: torch.stack([w[name] for w in weights]).mean(0) for name in weights[0]}


def start(network: nn.Module, weights: dict[str, torch.Tensor]) -> None:
    """Load the weights to go on from; parts that were added since start without effect.

    Raises RuntimeError if anything else is missing or too much.
    """
    missing, left = network.load_state_dict(weights, strict=False)
    added = (".eye.", ".told.", ".strength.", ".strengths.")
    missing = [name for name in missing if not any(part in name for part in added)]
    if missing or left:
        raise RuntimeError(f"These weights are another network's: {(missing + left)[0]}.")


def spent(notes: Path) -> dict[str, float]:
    """Samples and minutes of the run of these notes."""
    run = json.loads(notes.read_text())
    return {key: run[key] for key in ("samples", "minutes")}


def run(args: argparse.Namespace) -> None:
    """Train ``args.part`` until its budget is spent."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(args.seed)
    barred = {*HELD_OUT, *RECOGNITION}
    packs = [[i for i in load_pack(path) if i.name not in barred] for path in args.pack]
    # On a GPU clips are made there, beside the network; on a CPU by worker processes.
    gpu = device.type == "cuda"
    library = Library(packs, device if gpu else "cpu", args.share)
    bank = Bank.load(args.bank) if args.part != "decoder" else None
    batches = Batches(args.part, library, bank, args.batch, args.small, args.seed)
    loader = DataLoader(batches, batch_size=None, num_workers=0 if gpu else args.workers)
    widths = WIDTHS[args.part]
    network = _NETWORKS[args.part](**widths).to(device, memory_format=torch.channels_last)
    config = {"pictures": [len(p) for p in packs]} | widths
    if args.body:
        network.body.adopt(torch.load(args.body, map_location=device, weights_only=True))
        config["body from"] = args.body.name
    if args.start:
        start(network, mean_of([load_shards(f, args.part) for f in args.start]))
        config["started from"] = [spent(f / f"{args.part}.json") for f in args.start]
    budget = Budget(args.minutes, args.rate, args.decay)
    if args.part == "video":  # the page says which words the network never heard
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "captions.json").write_text(json.dumps(vocabulary(), indent=1))
    draws = {"draws": args.draws} if args.part == "video" else {}
    loss = _LOSSES[args.part](device, fast_bfloat16(device), **draws)
    if args.part == "video":
        network.condition.requires_grad_(not args.denoiser_only)
    train(args.part, network, iter(loader), loss, budget, args.out, config)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Train one part of the miniature.")
    parser.add_argument("--part", choices=tuple(WIDTHS), required=True)
    parser.add_argument(
        "--minutes", type=float, required=True, help="whole budget, restarts included"
    )
    parser.add_argument(
        "--pack", type=Path, nargs="+", required=True, help="from labels.py, scenes.py"
    )
    parser.add_argument("--share", type=float, nargs="*", help="how often each pack is drawn from")
    parser.add_argument("--bank", type=Path, help="captions, from bank.py; the decoder needs none")
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoints")
    parser.add_argument(
        "--start", type=Path, nargs="+", help="folders of runs whose mean weights to start from"
    )
    parser.add_argument(
        "--body", type=Path, help="EfficientNet-Lite0's published weights, for --part segmentation"
    )
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument("--decay", type=float, default=0.4, help="share of the budget to cool down")
    parser.add_argument("--small", action="store_true", help="train on crops of fewer cells")
    parser.add_argument("--draws", type=int, default=1, help="noise levels per clip, for video")
    parser.add_argument(
        "--denoiser-only", action="store_true", help="leave the condition network as it is"
    )
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    if args.part != "decoder" and args.bank is None:
        parser.error("--bank is needed: make one with python -m awaken.miniature.training.bank")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    run(args)


if __name__ == "__main__":
    main()
