"""Numbers about finished videos: paths of frames in latent space (Fig. 2), and how much moves.

A *path* is an array (frames, d): one point per frame, in order. No models, no pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from awaken.painting import to_size

_TINY = 1e-12
# Edges: pixels within which one may have come from, and the weakest squared gradient that is one.
_NEAR, _STRONG = 31, 400.0


def straightness(path: np.ndarray) -> float:
    """Distance from first to last point over the length of the way, 0 to 1.

    1 is a straight line that never turns back, 0 ends where it began. NaN for a path that does not
    move: it has no direction. Raises ValueError for fewer than two points.
    """
    path = _checked(path)
    length = np.linalg.norm(np.diff(path, axis=0), axis=1).sum()
    return float(np.linalg.norm(path[-1] - path[0]) / length) if length > _TINY else float("nan")


def order(path: np.ndarray) -> float:
    """How well the frames lie in their order along the path's own main direction, 0 to 1.

    Spearman's rank correlation, without its sign, between the frame numbers and the positions along
    the first principal axis. 1 is perfect order, whatever bends and spacing; shuffled frames come
    near 0. NaN for a path that does not move. Raises ValueError for fewer than two points.
    """
    from scipy.stats import spearmanr

    path = _checked(path)
    along = pca(path, 1)[0][:, 0]
    reach = np.ptp(along)
    if reach <= _TINY:
        return float("nan")
    along = np.round(along / reach, 9)  # rounding keeps equal positions equal
    return float(abs(spearmanr(np.arange(len(path)), along).statistic))


def pca(points: np.ndarray, dimensions: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Principal components.

    Takes (n, d); returns the scores, (n, dimensions) (zeros where there are fewer directions), and
    the share of the variance that each explains, (dimensions,). The sign of an axis is chosen so
    that its largest score is positive: the same points always give the same picture.
    """
    from sklearn.decomposition import PCA

    points = _checked(points)
    scores, shares = np.zeros((len(points), dimensions)), np.zeros(dimensions)
    if not np.ptp(points, axis=0).any():
        return scores, shares
    k = min(dimensions, *points.shape)
    fitted = PCA(k, svd_solver="full").fit(points)
    scores[:, :k], shares[:k] = fitted.transform(points), fitted.explained_variance_ratio_
    largest = np.abs(scores).argmax(0)
    scores *= np.where(scores[largest, np.arange(dimensions)] < 0, -1, 1)
    return scores, shares


def compact(points: np.ndarray) -> np.ndarray:
    """The same points in at most n dimensions, (n, min(n, d)) float64: every distance is kept."""
    return pca(points, min(points.shape))[0]


def tsne(points: np.ndarray, perplexity: float | None = None, seed: int = 0) -> np.ndarray:
    """Exact t-SNE (van der Maaten & Hinton 2008) of a few dozen points, (n, d) -> (n, 2).

    perplexity: about how many neighbours count as near; None is a third of n, at most 30. Starts
    from the principal components; deterministic.
    """
    from sklearn.manifold import TSNE

    points = _checked(points)
    near = min(30.0, len(points) / 3) if perplexity is None else perplexity
    model = TSNE(2, perplexity=near, init="pca", method="exact", random_state=seed)
    return model.fit_transform(points)


def motion(video: np.ndarray) -> float:
    """Mean absolute difference of neighbouring frames, (f, h, w, 3) uint8, in levels of 255."""
    curve = _moved(video)[1]
    return float(np.mean(curve)) if curve else 0.0


def _moved(video: np.ndarray) -> tuple[np.ndarray, list[float]]:
    """The same for every pixel, (h, w) float32, and for every pair of neighbours, f - 1 numbers."""
    total, curve = np.zeros(video.shape[1:3], np.float32), []
    for a, b in pairwise(video):
        step = np.abs(b.astype(np.int16) - a).mean(-1, dtype=np.float32)
        total += step
        curve.append(float(step.mean(dtype=np.float64)))
    return total / max(1, len(video) - 1), curve


def compared(
    baseline: np.ndarray, awakened: np.ndarray, mask: np.ndarray | None = None, change: int = 12
) -> dict[str, Any]:
    """How two videos of one painting differ, on their pixels; both (f, h, w, 3) uint8.

    mask: (h, w) uint8 of any size, light where motion was allowed. The region is that, or without
    one whatever either video moves: the pixels that leave frame 0 by more than ``change`` levels.

    differ: share of the pixels that ever differ between the two by more than ``change``; region:
    share of the picture that it is; brushed: whether there was a mask. For each video
    (``baseline``, ``awakened``): inside and outside, its mean motion there in levels of 255 per
    frame; curve, over the whole picture for every pair of neighbouring frames; awake, the share of the pixels that ever leave frame 0 by
    more than ``change`` (a small boat that sails is 0.04, a picture in which nothing was found 0);
    torn, see ``lost_edges``.
    """
    reach = {name: _farthest(video, video[:1]) > change
             for name, video in (("baseline", baseline), ("awakened", awakened))}  # fmt: skip
    inside = reach["baseline"] | reach["awakened"]
    if mask is not None:
        inside = to_size(mask, *inside.shape[::-1]) > 127
    found: dict[str, Any] = {
        "differ": round(float((_farthest(baseline, awakened) > change).mean()), 4),
        "region": round(float(inside.mean()), 4),
        "brushed": mask is not None,
    }
    for name, video in (("baseline", baseline), ("awakened", awakened)):
        moved, curve = _moved(video)
        found[name] = {
            "inside": round(float(moved[inside].mean()), 3) if inside.any() else 0.0,
            "outside": round(float(moved[~inside].mean()), 3) if not inside.all() else 0.0,
            "curve": [round(amount, 3) for amount in curve],
            "awake": round(float(reach[name].mean()), 4),
            "torn": round(lost_edges(video), 5),
        }
    return found


def _farthest(video: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The largest difference of every pixel over time and channels: (h, w) uint8.

    ``other``: as many frames, or one for all.
    """
    most = np.zeros(video.shape[1:3], np.uint8)
    for i, frame in enumerate(video):
        against = other[min(i, len(other) - 1)]
        gap = np.maximum(frame, against) - np.minimum(frame, against)
        np.maximum(most, gap.max(-1), out=most)
    return most


def lost_edges(video: np.ndarray) -> float:
    """Of the pixels that change, the share on edges that are lost, 0 to 1; (f, h, w, 3) uint8.

    An edge of frame 0 without one as strong near it in the last frame: torn outlines, ghosts and blur,
    and objects that travel. Motion in place stays below 0.0025.
    """
    from scipy.ndimage import maximum_filter, uniform_filter

    first, last = (_small(video[n]) for n in (0, -1))
    changed = uniform_filter((np.abs(last - first).max(-1) > 12).astype(np.float32), 15) > 0.15
    if changed.mean() < 0.003:
        return 0.0
    before = _edges(first)
    lost = (before > 1.5 * maximum_filter(_edges(last), _NEAR)) & (before > _STRONG)
    return float((lost & changed).sum() / changed.sum())


def _small(frame: np.ndarray) -> np.ndarray:
    """A frame at about 256 pixels, short side, float32."""
    step = max(1, min(frame.shape[:2]) // 256)
    h, w = (side // step * step for side in frame.shape[:2])
    blocks = frame[:h, :w].reshape(h // step, step, w // step, step, 3)
    return blocks.mean((1, 3), dtype=np.float32)


def _edges(picture: np.ndarray) -> np.ndarray:
    """Squared gradient of the grey picture, (h, w), in squared levels of 255."""
    grey = picture.mean(-1)
    down, right = (
        np.diff(grey, axis=0, prepend=grey[:1]),
        np.diff(grey, axis=1, prepend=grey[:, :1]),
    )
    return down**2 + right**2


def _checked(points: np.ndarray | Sequence[Sequence[float]]) -> np.ndarray:
    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or len(points) < 2:
        raise ValueError(f"a path is (frames, d) with at least two frames, not {points.shape}")
    return points
