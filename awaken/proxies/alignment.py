"""Is the proxy still the same view of the painting? Phase correlation, and words for the visitor.

The method fuses painting and proxy at every latent pixel (Sec. 3.4), so a proxy that is shifted by
a few pixels smears the video. Editors that redraw the whole picture do shift it now and then.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from awaken.message import Message
from awaken.painting import LUMA, similarity

FAR = 0.8  # luma correlation below which a proxy shows another picture
MAX_SHIFT = 0.02  # of a side: a larger one is not the model's drift but another composition
_SURE = 0.25  # phase-correlation peak, 1 for a pure translation, near 0 for unrelated pictures
_VISIBLE = 0.25  # pixels; less than this is not worth a resampling
_NOTICEABLE = 1.5  # pixels; from here on a fused video is visibly softer
_CUT_OFF = 0.12  # cycles per pixel; finer detail is what the proxy repaints
_BLACK = 8  # brightest byte of a picture that a safety checker blanked


@dataclass(frozen=True)
class Shift:
    """How far the proxy's content lies from the painting's, in pixels down and right.

    peak: 1 for a pure translation, near 0 when the pictures have nothing in common.
    """

    down: float
    right: float
    peak: float

    def share(self, height: int, width: int) -> float:
        """The larger of both components, as a share of its side."""
        return max(abs(self.down) / height, abs(self.right) / width)


def measure_shift(painting: np.ndarray, proxy: np.ndarray) -> Shift:
    """Phase correlation (Kuglin and Hines 1975) on luma, both (h, w, 3) uint8 of one size.

    The cross-power spectrum is weighted by a Gaussian, whose transform is one too: the logarithm
    of the peak is a parabola, which gives fractions of a pixel.
    """
    first, second = (_windowed_luma(picture) for picture in (painting, proxy))
    cross = np.conj(np.fft.fft2(first)) * np.fft.fft2(second)
    size = np.abs(cross)
    rows, columns = (np.fft.fftfreq(n) for n in first.shape)
    weight = np.exp(-(rows[:, None] ** 2 + columns**2) / (2 * (_CUT_OFF / 2) ** 2))
    surface = np.fft.ifft2(weight * cross / np.maximum(size, 1e-9)).real
    surface *= surface.size / weight.sum()
    top = np.unravel_index(np.argmax(surface), surface.shape)
    parts = []
    for axis, length in enumerate(surface.shape):
        line = np.take(surface, top[1 - axis], axis=1 - axis)
        parts.append(_vertex(line, top[axis], length))
    return Shift(parts[0], parts[1], float(surface[top]))


def register(painting: np.ndarray, proxy: np.ndarray) -> np.ndarray:
    """The proxy moved back onto the painting, or as it was when that is not surely better.

    Shifts over 2 % of a side are left alone: they are another composition, and the visitor is told.
    """
    shift = measure_shift(painting, proxy)
    small = shift.share(*painting.shape[:2]) <= MAX_SHIFT
    if shift.peak < _SURE or not small or max(abs(shift.down), abs(shift.right)) < _VISIBLE:
        return proxy
    moved = translate(proxy, -shift.down, -shift.right)
    return moved if similarity(painting, moved)[1] > similarity(painting, proxy)[1] else proxy


def translate(picture: np.ndarray, down: float, right: float) -> np.ndarray:
    """Move (h, w, 3) uint8 by a fraction of pixels, bicubic; the border's colours fill the gap."""
    height, width = picture.shape[:2]
    margin = int(np.ceil(max(abs(down), abs(right)))) + 2
    padded = np.pad(picture, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    matrix = (1, 0, margin - right, 0, 1, margin - down)
    moved = Image.fromarray(padded).transform(
        (width, height), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC
    )
    return np.asarray(moved)


def is_black(picture: np.ndarray) -> bool:
    """Whether nothing can be seen on it, which is how safety checkers and overflows answer."""
    return int(picture.max()) < _BLACK


def remarks(painting: np.ndarray, proxy: np.ndarray) -> list[tuple[str, str]]:
    """(kind, sentence) for everything a visitor should know about this proxy before trusting it."""
    if is_black(proxy) and not is_black(painting):
        text = Message(
            "The proxy is black: its model refused or failed. Try another seed, prompt or proxy."
        )
        return [("proxy-black", text)]
    told = []
    shift = measure_shift(painting, proxy)
    shifted = shift.peak >= _SURE and max(abs(shift.down), abs(shift.right)) >= _NOTICEABLE
    # Misplaced and far are different troubles with different remedies.
    placed = translate(proxy, -shift.down, -shift.right) if shifted else proxy
    correlation = similarity(painting, placed)[1]
    if correlation < FAR:
        text = Message(
            "The proxy left the painting (luma correlation {correlation:.2f}, under {limit}): the "
            "video may drift to another picture. A lower proxy strength keeps it closer.",
            correlation=correlation,
            limit=FAR,
        )
        told.append(("proxy-far", text))
    if shifted:
        text = Message(
            "The proxy lies {across} and {down} of the painting. They are fused pixel by pixel, "
            "so this blurs the video: crop both alike, or choose another seed or proxy.",
            across=_right(shift.right),
            down=_down(shift.down),
        )
        told.append(("proxy-shifted", text))
    return told


def _right(pixels: float) -> Message:
    if pixels < 0:
        return Message("{count:.0f} px left", count=-pixels)
    return Message("{count:.0f} px right", count=pixels)


def _down(pixels: float) -> Message:
    if pixels < 0:
        return Message("{count:.0f} px up", count=-pixels)
    return Message("{count:.0f} px down", count=pixels)


def _windowed_luma(picture: np.ndarray) -> np.ndarray:
    luma = picture.astype(np.float64) @ LUMA
    rows, columns = (np.hanning(n + 2)[1:-1] for n in luma.shape)
    return (luma - luma.mean()) * rows[:, None] * columns


def _vertex(line: np.ndarray, top: int, length: int) -> float:
    """Position of a Gaussian's peak between samples, wrapped to -length / 2 .. length / 2."""
    around = np.log(np.maximum([line[(top + i) % length] for i in (-1, 0, 1)], 1e-12))
    bend = around[0] - 2 * around[1] + around[2]
    fraction = 0.5 * (around[0] - around[2]) / bend if bend < 0 else 0.0
    position = top + fraction
    return float(position - length if position > length / 2 else position)
