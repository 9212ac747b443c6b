"""What the miniature moves, measured: the report's pairs through ``awaken.evaluate``.

``python -m awaken.miniature.training.report --paintings DIR --out DIR`` makes the model card's tables
and figures; started again it goes on. Every pair of painting and prompt in ``report_pairs.json``
names a region by polygons. Nothing here chooses a setting; settings were chosen on other paintings
(``held_out.HELD_OUT``), with ``--pairs`` and ``held_out_pairs.json``.

The "real" clip of a pair is what the training data make of its painting: the region moves as the
clips do that the network learnt from, decoded as the network's own latents are. It is the truth of
the training, not of the world. What else is given goes to ``awaken.evaluate run``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from awaken.backends import BACKENDS
from awaken.evaluate import __main__ as evaluate
from awaken.evaluate import films
from awaken.evaluate.protocol import CLIP_FPS, write_text
from awaken.painting import open_painting, to_size
from awaken.proxies import PROXIES
from awaken.video import write_mp4

if TYPE_CHECKING:
    from awaken.backends import Backend

PAIRS = Path(__file__).with_name("report_pairs.json")
SIZE = 256
# What the training data call the motion of a region.
_EFFECTS = {
    "sky": "clouds", "water": "waves", "falling water": "waterfall", "grass": "grass",
    "smoke": "smoke", "fire": "fire", "trees": "trees", "boats": "boats", "birds": "birds",
    "flags": "flags",
}  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Make manifest and real clips, then run, score, table and figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--paintings", type=Path, required=True, metavar="DIR", help="folder of the paintings")
    add("--out", type=Path, required=True, metavar="DIR")
    add("--pairs", type=Path, default=PAIRS, metavar="FILE")
    add("--weights", type=Path, metavar="DIR", help="a training folder, instead of what is shipped")
    add("--no-clips", action="store_true", help="without real clips")
    args, rest = parser.parse_known_args(argv)
    if args.weights:
        _use(args.weights)
    manifest = args.out / "manifest.jsonl"
    args.out.mkdir(parents=True, exist_ok=True)
    make_manifest(args.pairs, args.paintings, manifest, clips=not args.no_clips)
    where = ["--out", str(args.out)]
    size = [] if any(word.startswith("size=") for word in rest) else ["--set", f"size={SIZE}"]
    status = evaluate.main(["run", "--data", str(manifest), *where, *size, *rest])
    if status:
        return status
    for command in ("score", "table", "figures"):
        status = max(status, evaluate.main([command, *where]))
    return status


def make_manifest(pairs: Path, paintings: Path, manifest: Path, clips: bool) -> None:
    """Write the manifest of ``awaken.evaluate``, and beside it the real clips that are missing."""
    lines, backend = [], None
    for number, pair in enumerate(json.loads(pairs.read_text("utf-8"))):
        scene = Path(pair["painting"]).stem
        row = {"id": f"{number:02d}-{scene}", "scene": scene, "prompt": pair["prompt"]}
        row |= {"image": str((paintings / pair["painting"]).resolve()), "region": pair["polygons"]}
        clip = manifest.parent / "clips" / f"{row['id']}.mp4"
        if clips and pair["region"] in _EFFECTS:
            if not films.whole(clip):
                clip.parent.mkdir(exist_ok=True)
                backend = backend or _miniature()
                film = real_clip(backend, open_painting(row["image"]), pair, number)
                write_mp4(film, clip, CLIP_FPS, lossless=True)
            row["clip"] = str(clip.relative_to(manifest.parent))
        lines.append(json.dumps(row, ensure_ascii=False))
    write_text(manifest, "\n".join(lines) + "\n")


def real_clip(
    backend: Backend, painting: np.ndarray, pair: Mapping[str, Any], seed: int
) -> np.ndarray:
    """(h, w, 3) uint8 -> (16, h', w', 3) uint8: the region moves as in the training data."""
    import torch

    from awaken.miniature.canvas import to_tensor
    from awaken.miniature.latents import CELL, FRAMES, grid_for
    from awaken.miniature.training import fields
    from awaken.miniature.training.clips import synthesise
    from awaken.miniature.training.labels import masks_of

    width, height = backend.working_size(painting.shape[1], painting.shape[0], SIZE)
    picture = to_size(painting, width, height)
    grid = grid_for(width, height)
    masks = masks_of(picture, {pair["region"]: pair["polygons"]})
    masks = torch.from_numpy(masks)[None].float() / 255
    cells = torch.nn.functional.interpolate(masks, grid, mode="area")
    look = torch.nn.functional.interpolate(
        to_tensor(picture, torch.device("cpu")), (grid[0] * CELL, grid[1] * CELL), mode="area"
    )
    generator = torch.Generator().manual_seed(seed)
    space = fields.SpaceTime(1, *grid, torch.linspace(0, 1, FRAMES)[None], generator)
    one = torch.ones(1)
    direction = -one if "left" in pair["prompt"] else one
    z, _, _ = synthesise(space, look, cells, [[_EFFECTS[pair["region"]]]], one, direction, one)
    with torch.inference_mode():
        return backend.decode(z, picture)


def _miniature() -> Backend:
    import torch

    return BACKENDS["miniature"].load(torch.device("cpu"), torch.float32)


def _use(weights: Path) -> None:
    """Let the miniature, and its proxy if there is one, be a training folder's in this process."""
    from awaken.backends.miniature import MiniatureBackend
    from awaken.proxies.miniature import MiniatureProxy

    def of(kind: type) -> Callable[[Any, Any], Any]:
        return lambda device, dtype: kind(device, dtype, weights)

    BACKENDS["miniature"] = replace(BACKENDS["miniature"], load=of(MiniatureBackend))
    if (weights / "proxy.json").exists():
        PROXIES["miniature"] = replace(PROXIES["miniature"], load=of(MiniatureProxy))


if __name__ == "__main__":
    raise SystemExit(main())
