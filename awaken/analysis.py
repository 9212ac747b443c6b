"""Numbers about finished videos: paths of frames in latent space (Fig. 2), and how much moves.

A *path* is an array (frames, d): one point per frame, in order. Only numpy; no models, no pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

_TINY = 1e-12
_EXAGGERATION, _EXAGGERATED = 12.0, 250  # van der Maaten & Hinton 2008, sec. 3.4


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
    path = _checked(path)
    along = pca(path, 1)[0][:, 0]
    reach = np.ptp(along)
    if reach <= _TINY:
        return float("nan")
    ranks = _ranks(np.round(along / reach, 9))  # rounding keeps equal positions equal
    frames = np.arange(len(path), dtype=float)
    return float(abs(np.corrcoef(ranks, frames)[0, 1]))


def pca(points: np.ndarray, dimensions: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Principal components by singular values.

    Takes (n, d); returns the scores, (n, dimensions) (zeros where there are fewer directions), and
    the share of the variance that each explains, (dimensions,). The sign of an axis is chosen so
    that its largest score is positive: the same points always give the same picture.
    """
    points = _checked(points)
    u, s, _ = np.linalg.svd(points - points.mean(0), full_matrices=False)
    scores = np.zeros((len(points), dimensions))
    shares = np.zeros(dimensions)
    k = min(dimensions, len(s))
    scores[:, :k] = u[:, :k] * s[:k]
    largest = np.abs(scores).argmax(0)
    scores *= np.where(scores[largest, np.arange(dimensions)] < 0, -1, 1)
    total = np.square(s).sum()
    if total > _TINY:
        shares[:k] = np.square(s[:k]) / total
    return scores, shares


def compact(points: np.ndarray) -> np.ndarray:
    """The same points in at most n dimensions, (n, min(n, d)) float64: every distance is kept."""
    return pca(points, min(points.shape))[0]


def tsne(
    points: np.ndarray, perplexity: float | None = None, iterations: int = 600, seed: int = 0
) -> np.ndarray:
    """Exact t-SNE (van der Maaten & Hinton 2008) of a few dozen points, (n, d) -> (n, 2).

    perplexity: about how many neighbours count as near; None is a third of n, at most 30.
    Starts from the principal components with a touch of noise from ``seed``; deterministic.
    """
    points = _checked(points)
    n = len(points)
    p = _affinities(points, min(30.0, n / 3) if perplexity is None else perplexity)
    y = pca(points)[0]
    y = 1e-4 * y / max(y[:, 0].std(), _TINY)
    y += 1e-6 * np.random.default_rng(seed).standard_normal(y.shape)
    rate = max(n / _EXAGGERATION / 4, 50.0)
    velocity, gains = np.zeros_like(y), np.ones_like(y)
    for i in range(iterations):
        kernel = 1 / (1 + _squared_distances(y))
        np.fill_diagonal(kernel, 0)
        q = np.maximum(kernel / kernel.sum(), _TINY)
        force = (p * (_EXAGGERATION if i < _EXAGGERATED else 1) - q) * kernel
        gradient = 4 * (force.sum(1, keepdims=True) * y - force @ y)
        turned = np.sign(gradient) == np.sign(velocity)
        gains = np.maximum(np.where(turned, gains * 0.8, gains + 0.2), 0.01)
        velocity = (0.5 if i < _EXAGGERATED else 0.8) * velocity - rate * gains * gradient
        y = y + velocity
    return y - y.mean(0)


def motion(video: np.ndarray) -> float:
    """Mean absolute difference of neighbouring frames, (f, h, w, 3) uint8, in levels of 255."""
    steps = [np.abs(b.astype(np.int16) - a).mean() for a, b in pairwise(video)]
    return float(np.mean(steps)) if steps else 0.0


def awake(video: np.ndarray, change: int = 12) -> float:
    """Share of the pixels that ever leave frame 0 by more than ``change`` levels of 255, 0 to 1.

    (f, h, w, 3) uint8. A small boat that sails is 4 %, a picture in which nothing was found 0 %.
    """
    most = np.zeros(video.shape[1:3], np.uint8)
    for frame in video[1:]:
        gap = np.maximum(frame, video[0]) - np.minimum(frame, video[0])
        np.maximum(most, gap.max(-1), out=most)
    return float((most > change).mean())


def _affinities(points: np.ndarray, perplexity: float) -> np.ndarray:
    """Symmetric probabilities of being neighbours, (n, n); rows have the wanted entropy."""
    squared = _squared_distances(points)
    squared /= max(squared.max(), _TINY)
    np.fill_diagonal(squared, np.inf)
    nearest = squared.min(1, keepdims=True)
    wanted = np.log(perplexity)
    low, high = np.zeros((len(points), 1)), np.full((len(points), 1), np.inf)
    beta = np.ones((len(points), 1))
    for _ in range(64):  # bisection of every row's precision
        weights = np.exp(-beta * (squared - nearest))
        rows = weights / weights.sum(1, keepdims=True)
        entropy = -(rows * np.log(np.maximum(rows, _TINY))).sum(1, keepdims=True)
        wide = entropy > wanted
        low, high = np.where(wide, beta, low), np.where(wide, high, beta)
        beta = np.where(np.isinf(high), 2 * beta, (low + high) / 2)
    return np.maximum((rows + rows.T) / (2 * len(points)), _TINY)


def _squared_distances(points: np.ndarray) -> np.ndarray:
    norms = np.square(points).sum(1)
    return np.maximum(norms[:, None] + norms[None] - 2 * points @ points.T, 0)


def _ranks(values: np.ndarray) -> np.ndarray:
    """1, 2, ... by size; equal values share the mean of their ranks."""
    return np.array([(values < v).sum() + ((values == v).sum() + 1) / 2 for v in values])


def _checked(points: np.ndarray | Sequence[Sequence[float]]) -> np.ndarray:
    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or len(points) < 2:
        raise ValueError(f"a path is (frames, d) with at least two frames, not {points.shape}")
    return points
