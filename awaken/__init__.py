"""Every Painting Awakened, as an interactive demo: a painting and a sentence become a video."""

__version__ = "0.1.0"
