"""Every Painting Awakened, as an interactive demo: a painting and a sentence become a video."""

import os

__version__ = "0.1.0"

# Before torch is imported: idle OpenMP threads sleep instead of spinning. On a processor that other
# programs use as well, spinning threads took several times the work itself (awaken.bench).
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
