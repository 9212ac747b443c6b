"""Which parts of a picture can move, and how: hand polygons, refined to the picture's own edges.

A label file is JSON: picture -> {"regions": {class: [polygon, ...]}, "source": where it comes
from}; polygons are lists of [x, y] in percent of width and height, and may reach a little outside.
The polygons are coarse (a minute of looking each); GrabCut (Rother, Kolmogorov and Blake, SIGGRAPH
2004) moves their borders to the edges of the picture.

``python -m awaken.miniature.training.labels --labels FILE --pictures DIR --out FILE.npz`` packs
pictures and masks into one small file (JPEG and packed bits), which the training program reads.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from awaken.miniature.classes import CLASSES, REGIONS

log = logging.getLogger(__name__)


# How far, in pixels of a 400 px picture, a hand polygon's border may be wrong.
_SLACK = {"sky": 14, "water": 8, "trees": 14, "boats": 8, "smoke": 8, "grass": 6}
_REFINED = ("sky", "trees", "boats", "birds", "flags", "fire")


@dataclass(frozen=True, eq=False)
class Labelled:
    """A picture with its masks.

    picture: (h, w, 3) uint8 RGB; masks: (len(CLASSES), h, w) uint8, 0 or 255; name: file name.
    """

    picture: np.ndarray
    masks: np.ndarray
    name: str


def rasterise(polygons: Sequence[Sequence[Sequence[float]]], width: int, height: int) -> np.ndarray:
    """The union of polygons in percent of width and height, as (height, width) uint8 of 0 and 1."""
    import cv2

    mask = np.zeros((height, width), np.uint8)
    for polygon in polygons:
        points = np.asarray(polygon, np.float64) * (width / 100, height / 100)
        cv2.fillPoly(mask, [np.round(points).astype(np.int32)], 1)
    return mask


def refine(picture: np.ndarray, mask: np.ndarray, name: str) -> np.ndarray:
    """Move a coarse mask's border to the picture's edges, within the slack of its class.

    A result that loses most of the mask is a failure of colour models, not a finding: the coarse
    mask is kept then. Same shapes as ``rasterise`` returns; picture is (h, w, 3) uint8.
    """
    import cv2

    if name not in _REFINED or mask.sum() < 80:
        return mask
    slack = max(2, round(_SLACK.get(name, 6) * max(mask.shape) / 400))
    kernel = np.ones((2 * slack + 1,) * 2, np.uint8)
    outer = cv2.dilate(mask, kernel)
    # Replicated borders: the frame of the picture is not an edge of the region.
    padded = cv2.copyMakeBorder(mask, *(3 * slack,) * 4, cv2.BORDER_REPLICATE)
    inner = cv2.erode(padded, kernel)[3 * slack : -3 * slack, 3 * slack : -3 * slack]
    trimap = np.full(mask.shape, cv2.GC_BGD, np.uint8)
    trimap[outer > 0] = cv2.GC_PR_BGD
    trimap[mask > 0] = cv2.GC_PR_FGD
    if name == "sky":
        trimap[inner > 0] = cv2.GC_FGD
    try:
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(picture, trimap, None, *models, 3, cv2.GC_INIT_WITH_MASK)
    except cv2.error:  # raised when one side of the trimap is empty: nothing to separate
        return mask
    found = np.isin(trimap, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    found = cv2.medianBlur(found & outer, 5)
    return found if found.sum() > 0.35 * mask.sum() else mask


def masks_of(
    picture: np.ndarray, regions: Mapping[str, Sequence], refined: bool = True
) -> np.ndarray:
    """All masks of a picture, (len(CLASSES), h, w) uint8 of 0 and 255.

    Objects lie in front: they are cut out of the regions behind them.
    """
    import cv2

    height, width = picture.shape[:2]
    masks = np.zeros((len(CLASSES), height, width), np.uint8)
    for name, polygons in regions.items():
        if name not in CLASSES:
            raise ValueError(f"unknown class {name!r} in a label file")
        for polygon in polygons:
            mask = rasterise([polygon], width, height)
            masks[CLASSES.index(name)] |= refine(picture, mask, name) if refined else mask
    objects = masks[len(REGIONS) :].max(0)
    masks[: len(REGIONS)] &= 1 - cv2.dilate(objects, np.ones((3, 3), np.uint8))
    return masks * 255


def resized(picture: np.ndarray, long_side: int) -> np.ndarray:
    """The picture with its long side at most ``long_side``, by area averaging."""
    import cv2

    scale = long_side / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = tuple(max(1, round(side * scale)) for side in picture.shape[1::-1])
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def alike(picture: np.ndarray) -> np.ndarray:
    """A picture's fingerprint, (432,) float32 of unit length: near-equal for copies of a work."""
    import cv2

    small = cv2.resize(picture, (12, 12), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
    small -= small.mean()
    return small / (np.linalg.norm(small) + 1e-6)


def read_labelled(
    labels: Path, pictures: Path, long_side: int = 416, exclude: Path | None = None
) -> list[Labelled]:
    """Read and refine every labelled picture of a folder.

    Pictures that show the same work as one in ``exclude`` (the examples, which are for measuring
    only) are left out; the comparison is by content, since file names differ.
    """
    from PIL import Image

    def opened(path: Path) -> np.ndarray:
        return np.array(Image.open(path).convert("RGB"))

    barred = [alike(opened(p)) for p in sorted(exclude.glob("*.jpg"))] if exclude else []
    out = []
    for name, entry in json.loads(labels.read_text()).items():
        if not (pictures / name).exists():
            log.warning("%s is labelled but not in %s", name, pictures)
            continue
        picture = resized(opened(pictures / name), long_side)
        if any(float(alike(picture) @ other) > 0.9 for other in barred):
            log.info("%s shows one of the excluded works; left out", name)
            continue
        out.append(Labelled(picture, masks_of(picture, entry["regions"]), name))
    return out


def save_pack(items: Sequence[Labelled], path: Path) -> None:
    """Write pictures as JPEG (quality 92) and masks as packed bits into one .npz file."""
    from PIL import Image

    arrays: dict[str, np.ndarray] = {"names": np.array([item.name for item in items])}
    for i, item in enumerate(items):
        buffer = io.BytesIO()
        Image.fromarray(item.picture).save(buffer, "JPEG", quality=92)
        arrays[f"picture{i}"] = np.frombuffer(buffer.getvalue(), np.uint8)
        arrays[f"masks{i}"] = np.packbits(item.masks > 127)
    np.savez_compressed(path, **arrays)


def load_pack(path: Path) -> list[Labelled]:
    """Read what ``save_pack`` wrote."""
    from PIL import Image

    out = []
    with np.load(path) as pack:
        for i, name in enumerate(pack["names"].tolist()):
            picture = np.array(Image.open(io.BytesIO(pack[f"picture{i}"].tobytes())).convert("RGB"))
            shape = (len(CLASSES), *picture.shape[:2])
            bits = np.unpackbits(pack[f"masks{i}"], count=int(np.prod(shape)))
            out.append(Labelled(picture, bits.reshape(shape) * np.uint8(255), name))
    return out


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Pack labelled pictures for training.")
    parser.add_argument("--labels", type=Path, action="append", required=True)
    parser.add_argument("--pictures", type=Path, action="append", required=True)
    parser.add_argument("--exclude", type=Path, help="folder of works that must not be learnt")
    parser.add_argument("--leave-out", nargs="*", default=(), help="file names not to pack")
    parser.add_argument("--long-side", type=int, default=416)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    items = []
    for labels, pictures in zip(args.labels, args.pictures, strict=True):
        items += read_labelled(labels, pictures, args.long_side, args.exclude)
    items = [item for item in items if item.name not in args.leave_out]
    save_pack(items, args.out)
    log.info("%d pictures, %.1f MB", len(items), args.out.stat().st_size / 1e6)


if __name__ == "__main__":
    main()
