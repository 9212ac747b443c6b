"""Opening pictures: whatever a visitor drops becomes upright RGB, or a sentence says why not.

Nothing here fetches anything: a source is a local file, bytes or a picture in memory, never a URL.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from awaken.pictures import decoding, kinds
from awaken.pictures.colour import of_profile
from awaken.pictures.pixels import Picture, shrunk
from awaken.types import RequestError

LUMA = (0.299, 0.587, 0.114)  # BT.601 weights of red, green and blue
MAX_PIXELS = 80_000_000  # a 64 MP photograph still passes
MAX_SHRINKING = 200_000_000  # where the decoder makes it smaller while it reads (JPEG)
MAX_SIDE = 2048
MIN_SIDE = 32
MAX_ASPECT = 4.5  # a hand scroll of 4:1 passes
MASK_SIDE = 512  # pixels of a mask's longer side: finer than any cell of any model

Source = str | Path | bytes | BinaryIO | Image.Image | np.ndarray


def open_painting(source: Source) -> np.ndarray:
    """Any usual picture as (h, w, 3) uint8 sRGB, upright, its long side at most 2048.

    Turns by the EXIF orientation, takes the first frame of an animation, lays transparency over
    white, brings deep, palette, grey and CMYK pictures and whatever their file says of colours to
    8-bit sRGB. Arrays are (h, w), (h, w, 1), (h, w, 3) or (h, w, 4), uint8.

    Raises:
        RequestError: not a picture, damaged, too many pixels, a side below 32, or an aspect ratio
            beyond 4.5:1; the sentence says what to do.
    """
    return _over(_open(source), "white")


def open_mask(source: Source, painting: np.ndarray) -> np.ndarray:
    """A grey picture as a motion mask: (h, w) uint8, 255 where it is light, long side at most 512.

    Light counts as much as it is opaque: a shape may be in the transparency too.

    painting: (h, w, 3), whose shape the mask must have, at any size.

    Raises:
        RequestError: as ``open_painting``, or the mask has another shape than the painting.
    """
    try:
        opened = _open(source)
    except RequestError as error:
        raise RequestError("The motion mask: {why}", why=error.message) from None
    picture = _over(opened, "black")
    height, width = picture.shape[:2]
    ratio = (width / height) / (painting.shape[1] / painting.shape[0])
    if not 0.95 < ratio < 1.05:
        raise RequestError(
            "The motion mask ({width} x {height} pixels) has another shape than the painting "
            "({across} x {down}): paint it on this painting.",
            width=width,
            height=height,
            across=painting.shape[1],
            down=painting.shape[0],
        )
    scale = min(1.0, MASK_SIDE / max(height, width))
    grey = to_size(picture, *(max(1, round(side * scale)) for side in (width, height))).mean(2)
    return np.where(grey > 127, np.uint8(255), np.uint8(0))


def to_size(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resize (h, w, 3) uint8 to (height, width, 3) with Lanczos; the same size is a no-op."""
    if picture.shape[:2] == (height, width):
        return picture
    resized = Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(resized)


def similarity(painting: np.ndarray, proxy: np.ndarray) -> tuple[float, float]:
    """How close a proxy image stays to its painting: (PSNR in dB, luma correlation).

    Both (h, w, 3) uint8 of one size. PSNR is over RGB, infinite for identical pictures; the
    correlation is Pearson's over BT.601 luma, -1 to 1, and 0 where a picture is flat.
    """
    first, second = painting.astype(np.float64), proxy.astype(np.float64)
    error = float(np.mean((first - second) ** 2))
    psnr = math.inf if error == 0 else 10 * math.log10(255**2 / error)
    x, y = ((picture @ LUMA).ravel() for picture in (first, second))
    x, y = x - x.mean(), y - y.mean()
    spread = math.sqrt(float(x @ x) * float(y @ y))
    if spread < 1e-9:
        return psnr, 1.0 if error == 0 else 0.0
    return psnr, float(np.clip(x @ y / spread, -1.0, 1.0))


def _over(picture: Picture, ground: str) -> np.ndarray:
    """(h, w, 3) uint8: the picture on a ground of one colour, seen where it is transparent."""
    if picture.alpha is None:
        return np.array(picture.colour)
    behind = Image.new("RGB", picture.colour.size, ground)
    return np.array(Image.composite(picture.colour, behind, picture.alpha))


def _open(source: Source) -> Picture:
    if isinstance(source, np.ndarray):
        grey = source.ndim == 3 and source.shape[2] == 1
        array = source[:, :, 0] if grey else source
        shape_fits = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
        if array.dtype != np.uint8 or not shape_fits or array.size == 0:
            raise RequestError(kinds.UNKNOWN)
        source = Image.fromarray(array)
    if isinstance(source, Image.Image):
        _check_shape(*source.size)
        return shrunk(source.copy(), MAX_SIDE, of_profile(source.info.get("icc_profile")))
    if isinstance(source, str | Path):
        if not Path(source).is_file():
            raise RequestError("There is no picture at {path!r}.", path=str(source))
        source = Path(source)
    try:
        return decoding.read(source, MAX_SIDE, _check_shape)
    except OSError as error:
        raise RequestError("The picture cannot be read ({why}).", why=error.strerror) from error


def _check_shape(width: int, height: int, shrinking: bool = False) -> None:
    """Judge a picture by its header, before a pixel is decoded."""
    most = MAX_SHRINKING if shrinking else MAX_PIXELS
    if width * height > most:
        raise RequestError(
            "This picture has more than {count} million pixels: save a smaller copy; {side} "
            "pixels on the longer side are plenty.",
            count=most // 10**6,
            side=MAX_SIDE,
        )
    short, long = sorted((width, height))
    if short < MIN_SIDE:
        raise RequestError(
            "This picture is only {width} x {height} pixels: choose one whose shorter side has at "
            "least {least}; 512 or more looks best.",
            width=width,
            height=height,
            least=MIN_SIDE,
        )
    if long > MAX_ASPECT * short:
        crop, margins = math.floor(short * MAX_ASPECT), math.ceil(long / MAX_ASPECT)
        raise RequestError(
            "This picture is too narrow ({width} x {height} pixels): crop its longer side to "
            "{crop} pixels or fewer, or put margins beside it (a letterbox) until its shorter "
            "side has {margins}.",
            width=width,
            height=height,
            crop=crop,
            margins=margins,
        )
