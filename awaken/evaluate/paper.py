"""What the paper prints, to stand beside ours."""

from __future__ import annotations

# Table 1: backend -> arm -> (CLIPSIM, FVD), on 1,000 pairs of MSR-VTT.
TABLE_1: dict[str, dict[str, tuple[float, int]]] = {
    "animate_anything": {
        "baseline": (25.79, 530), "+V": (25.87, 420), "+S": (26.07, 439), "+V&U": (26.28, 392),
        "+V&S": (26.35, 317),
    },
    "consisti2v": {
        "baseline": (25.27, 486), "+V": (25.66, 320), "+S": (25.59, 309), "+V&U": (25.68, 308),
        "+V&S": (25.71, 298),
    },
    "cinemo": {
        "baseline": (24.99, 614), "+V": (25.22, 529), "+S": (25.00, 572), "+V&U": (25.24, 540),
        "+V&S": (25.33, 526),
    },
}  # fmt: skip
SILENT = (
    "The paper does not say which captions, frames, frame rate, CLIP or I3D its figures stand for, "
    "so that ours compare with each other, not with them."
)
