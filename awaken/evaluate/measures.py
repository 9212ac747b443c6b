"""Measures of decoded frames that need no trained network: what moves, where, and what it costs.

All is measured on pixels, never on a model's own latents: optical flow (OpenCV's DIS: Kroeger et
al., ECCV 2016) between consecutive frames at 256 pixels, short side. Needs opencv-python-headless.
"""

from __future__ import annotations

import math

import numpy as np

SIDE = 256
CAP = 60.0  # dB: identical frames


def measure(
    frames: np.ndarray, painting: np.ndarray, region: np.ndarray | None = None
) -> dict[str, float]:
    """All measures of one video.

    frames: (f, h, w, 3) uint8, at least three; painting: (h, w, 3) uint8; region: (h, w) bool, what
    the prompt means to move.

    flow: mean flow, in percent of the short side per frame; top: the mean of its largest 5 % (as
    VBench's dynamic degree takes it); change: mean squared difference of consecutive frames, in
    grey levels of 255; psnr: frame 0 against the painting, at most 60 dB; detail: mean squared
    gradient of the frames over the painting's; flicker: mean absolute second difference in time of
    the luma (outside the region), in grey levels.

    With a region also: inside, outside: mean flow there; share: energy (squared flow) inside over
    all, 0 where nothing moves; agreement of motion with the text: the chance that a pixel inside
    moves more than one outside, 0.5 where the text makes no difference.
    """
    import cv2

    height, width = painting.shape[:2]
    scale = SIDE / min(height, width)
    size = round(width * scale), round(height * scale)
    grey = [
        cv2.cvtColor(cv2.resize(f, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        for f in frames
    ]
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    energy, motion = np.zeros(size[::-1]), np.zeros(size[::-1])
    for before, after in zip(grey[:-1], grey[1:], strict=True):
        squared = (dis.calc(before, after, None) ** 2).sum(-1)
        energy += squared
        motion += np.sqrt(squared)
    motion *= 100 / SIDE / (len(grey) - 1)
    series = np.stack(grey).astype(np.float32)
    wobble = np.abs(series[2:] - 2 * series[1:-1] + series[:-2]).mean(0)
    error = ((frames[0].astype(np.float64) - painting) ** 2).mean()
    some = frames[:: max(1, len(frames) // 8)]
    gradient = _gradient(painting)
    found = {
        "flow": float(motion.mean()),
        "top": float(np.sort(motion, axis=None)[-max(1, motion.size // 20) :].mean()),
        "change": _change(frames),
        "psnr": min(CAP, 10 * math.log10(255**2 / max(error, 1e-9))),
        "detail": float(np.mean([_gradient(f) for f in some]) / gradient) if gradient else 1.0,
    }
    if region is None:
        return found | {"flicker": float(wobble.mean())}
    inside = cv2.resize(region.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    outside, total = ~inside, energy.sum()
    return found | {
        "flicker": float(wobble[outside].mean()) if outside.any() else 0.0,
        "inside": float(motion[inside].mean()) if inside.any() else 0.0,
        "outside": float(motion[outside].mean()) if outside.any() else 0.0,
        "share": float(energy[inside].sum() / total) if total > 1e-6 else 0.0,
        "agreement": agreement(motion, inside),
    }


def agreement(motion: np.ndarray, inside: np.ndarray) -> float:
    """The chance that a pixel inside moves more than one outside; ties count half.

    The area under the ROC curve of ``motion`` (h, w) as a detector of ``inside`` (h, w) bool; 0.5
    where either is empty.
    """
    here, others = motion[inside], np.sort(motion[~inside])
    if not here.size or not others.size:
        return 0.5
    twice = np.searchsorted(others, here, "left") + np.searchsorted(others, here, "right")
    return float(twice.mean() / 2 / others.size)


def _change(frames: np.ndarray) -> float:
    pairs = zip(frames[:-1], frames[1:], strict=True)
    return float(np.mean([((b.astype(np.float32) - a) ** 2).mean() for a, b in pairs]))


def _gradient(picture: np.ndarray) -> float:
    grey = picture.astype(np.float32).mean(-1)
    return float((np.diff(grey, axis=0) ** 2).mean() + (np.diff(grey, axis=1) ** 2).mean())
