"""The Frechet video distance (Unterthiner et al. 2018) between two sets of I3D logits."""

from __future__ import annotations

import numpy as np

LEAST = 256  # videos a side: below, sampling alone makes a distance of hundreds
FEW = 1000  # below, a number is shown with a warning


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    """|m_a - m_b|^2 + Tr(S_a + S_b - 2 (S_a S_b)^(1/2)) of two sets (n, d) and (m, d), n, m > 1.

    With centred sets A and B the last trace is the nuclear norm of A B^T / sqrt((n-1)(m-1)): no
    root of a matrix that need not be symmetric, no complex numbers, and it holds for n < d too.
    """
    means, roots = [], []
    for x in (a, b):
        x = np.asarray(x, np.float64)
        means.append(x.mean(0))
        roots.append(np.linalg.qr((x - means[-1]) / np.sqrt(len(x) - 1), mode="r"))
    cross = np.linalg.svd(roots[0] @ roots[1].T, compute_uv=False).sum()
    traces = sum(np.square(root).sum() for root in roots)
    return float(np.square(means[0] - means[1]).sum() + traces - 2 * cross)


def remark(count: int) -> str | None:
    """Why a distance of so many videos a side is not shown (below ``LEAST``), or to be doubted."""
    if count < LEAST:
        return f"FVD of {count} videos a side says nothing: it needs {LEAST}, better {FEW}."
    if count < FEW:
        return f"FVD of {count} videos a side is too high by sampling alone; compare arms only."
    return None
