"""A finished run out of a bundle, or out of a film that shows both videos: to be looked at again.

Nothing of the file reaches the disk as it is: films are decoded and written anew, pictures opened as
any painting is, and of the settings only what a ``Request`` accepts is kept.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from awaken.analysis import compared
from awaken.bundle.reader import MAX_MASK, Bundle, is_bundle, label_of
from awaken.bundle.writer import read_frames
from awaken.painting import open_mask, open_painting, similarity, to_size
from awaken.recipe import recover
from awaken.types import SETTINGS, Request, RequestError
from awaken.video import CRF_INTRA, GAP, read_settings, stacked, write_mp4

_NEEDED = ("prompt", "steps", "guidance", "seed", "frames", "fps")  # or nobody could show the run
MAX_BYTES = 256 << 20  # of both videos, decoded
_TEXTS = ("device", "dtype", "weights", "awaken")


def unpack_result(path: str | Path, folder: Path) -> tuple[dict[str, Any], dict[str, Path]] | None:
    """(settings and measurements, files) of the run in a file, written below ``folder``.

    files: ``stacked``, ``painting`` and ``settings``, and ``proxy`` and ``mask`` where a bundle has
    them. From a film, side by side or stacked, the painting is its first picture. None for a file
    that holds less than both videos. Raises RequestError for a bundle that is broken.
    """
    pictures: dict[str, np.ndarray] = {}
    if is_bundle(path):
        with Bundle(path) as bundle, tempfile.TemporaryDirectory() as place:
            if not {"settings.json", "stacked.mp4"} <= bundle.names:
                return None
            facts = _facts(bundle.json("settings.json"))
            if facts is None:
                return None
            film = Path(place) / "stacked.mp4"
            film.write_bytes(bundle.read("stacked.mp4"))
            both = read_frames(film, facts["width"], 2 * facts["height"], facts["frames"])
            for name in ("painting", "proxy"):
                if f"{name}.png" in bundle:
                    pictures[name] = open_painting(bundle.read(f"{name}.png"))
            painting = pictures.setdefault("painting", both[0, : facts["height"]])
            if "mask.png" in bundle:
                pictures["mask"] = open_mask(bundle.read("mask.png", MAX_MASK), painting)
    else:
        facts = _facts(read_settings(path))
        both = _both(Path(path), facts) if facts else None
        if facts is None or both is None:
            return None
        pictures["painting"] = both[0, : facts["height"]]
    return _written(facts, both, pictures, folder)


def first_picture(path: str | Path) -> np.ndarray | None:
    """The first picture of a film of ours that shows one video alone, which is the painting as the model
    sees it: (height, width, 3) uint8. None where its settings say too little. Raises RequestError."""
    facts = _facts(read_settings(path))
    return read_frames(path, facts["width"], facts["height"], 1)[0] if facts else None


def _facts(raw: Mapping[str, Any]) -> dict[str, Any] | None:
    """What may be believed of a run's settings; None where that is too little to show it."""
    kept = recover(raw).settings
    film = {name: raw.get(name) for name in ("width", "height", "fps", "frames")}
    try:
        label_of(None, None, film)
    except RequestError:
        return None
    if not set(_NEEDED) <= kept.keys() or not all(type(side) is int for side in film.values()):
        return None
    if 6 * film["width"] * film["height"] * film["frames"] > MAX_BYTES:
        return None
    plain = {f.name: f.default for f in fields(Request) if f.name in SETTINGS}
    texts = {n: raw[n][:80] for n in _TEXTS if isinstance(raw.get(n), str)}
    empty = {"options": {}, "proxy_options": {}}
    return plain | empty | kept | film | texts | {"masked": False}


def _both(path: Path, facts: Mapping[str, Any]) -> np.ndarray | None:
    """The frames of a film as if it were stacked; None where it shows one video alone."""
    width, height, frames = (facts[name] for name in ("width", "height", "frames"))
    try:
        beside = read_frames(path, 2 * width + GAP, height, frames)
        return stacked(beside[:, :, :width], beside[:, :, width + GAP :])
    except RequestError:  # narrower than that
        pass
    try:
        return read_frames(path, width, 2 * height, frames)
    except RequestError:
        return None


def _written(
    facts: dict[str, Any], both: np.ndarray, pictures: Mapping[str, np.ndarray], folder: Path
) -> tuple[dict[str, Any], dict[str, Path]]:
    width, height = facts["width"], facts["height"]
    mask = pictures.get("mask")
    settings = facts | {"frames": len(both), "psnr": None, "luma_correlation": None}
    settings["difference"] = compared(both[:, :height], both[:, height:], mask)
    if mask is not None:
        settings |= {"masked": True, "mask_share": round(float((mask > 127).mean()), 4)}
    if "proxy" in pictures:
        pair = (to_size(pictures[name], width, height) for name in ("painting", "proxy"))
        psnr, settings["luma_correlation"] = similarity(*pair)
        settings["psnr"] = psnr if np.isfinite(psnr) else None
    files = {"stacked": folder / "stacked.mp4", "settings": folder / "settings.json"}
    write_mp4(both, files["stacked"], int(facts["fps"]), settings, keyframe_every=1, crf=CRF_INTRA)
    for name, picture in pictures.items():
        files[name] = folder / f"{name}.png"
        Image.fromarray(picture).save(files[name], compress_level=3)
    text = json.dumps(settings, indent=2, ensure_ascii=False, allow_nan=False)
    files["settings"].write_text(text + "\n", encoding="utf-8")
    return settings, files
