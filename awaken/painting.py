"""Opening pictures: whatever a visitor drops becomes upright 8-bit RGB, or a sentence says why not.

Nothing here fetches anything: a source is a local file, bytes or a picture in memory, never a URL.
The formats are a fixed list, so that no decoder that runs programs (PostScript) is ever reached.
"""

from __future__ import annotations

import functools
import io
import math
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageCms, ImageOps

from awaken.types import RequestError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "PPM", "AVIF")  # a phone's MPO is a JPEG
MAX_PIXELS = 80_000_000  # below Pillow's own warning; a 64 MP photograph still passes
MAX_SIDE = 2048
MIN_SIDE = 32
MAX_ASPECT = 3.0
MASK_SIDE = 512  # pixels of a mask's longer side: finer than any cell of any model

_NOT_A_PICTURE = "This is not a picture we can open: choose a JPEG, PNG, WebP, TIFF or GIF file."
_BROKEN = "This picture is damaged or incomplete: save it again, or choose another file."


def open_painting(source: str | Path | bytes | BinaryIO | Image.Image | np.ndarray) -> np.ndarray:
    """Any usual picture as (h, w, 3) uint8 sRGB, upright, its long side at most 2048.

    Turns by the EXIF orientation, takes the first frame of an animation, lays transparency over
    white, brings 16-bit, palette, grey and CMYK pictures and embedded colour profiles to 8-bit
    sRGB. Arrays are (h, w), (h, w, 1), (h, w, 3) or (h, w, 4), uint8.

    Raises:
        RequestError: not a picture, damaged, too many pixels, a side below 32, or an aspect ratio
            beyond 3:1; the sentence says what to do.
    """
    try:
        with _open(source) as image:
            _check_shape(*image.size)
            if image.format in ("JPEG", "MPO"):  # decodes at 1/2, 1/4 or 1/8 where that is enough
                image.draft(None, (MAX_SIDE, MAX_SIDE))
            image.seek(0)
            image.load()
            rgb = _to_rgb(ImageOps.exif_transpose(image))
    except RequestError:
        raise
    except Image.DecompressionBombError:
        raise RequestError(_too_large()) from None
    except Image.UnidentifiedImageError:
        raise RequestError(_NOT_A_PICTURE) from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError) as error:
        # Pillow's decoders report damage in all of these ways.
        raise RequestError(_BROKEN) from error
    scale = MAX_SIDE / max(rgb.size)
    picture = np.asarray(rgb)
    if scale < 1:
        picture = to_size(picture, *(max(1, round(side * scale)) for side in rgb.size))
    return np.ascontiguousarray(picture)


def open_mask(
    source: str | Path | bytes | BinaryIO | Image.Image | np.ndarray, painting: np.ndarray
) -> np.ndarray:
    """A grey picture as a motion mask: (h, w) uint8, 255 where it is light, long side at most 512.

    painting: (h, w, 3), whose shape the mask must have, at any size.

    Raises:
        RequestError: as ``open_painting``, or the mask has another shape than the painting.
    """
    try:
        picture = open_painting(source)
    except RequestError as error:
        raise RequestError(f"The motion mask: {error}") from None
    height, width = picture.shape[:2]
    ratio = (width / height) / (painting.shape[1] / painting.shape[0])
    if not 0.95 < ratio < 1.05:
        raise RequestError(
            f"The motion mask ({width} x {height} pixels) has another shape than the painting "
            f"({painting.shape[1]} x {painting.shape[0]}): paint it on this painting."
        )
    scale = min(1.0, MASK_SIDE / max(height, width))
    grey = to_size(picture, *(max(1, round(side * scale)) for side in (width, height))).mean(2)
    return np.where(grey > 127, np.uint8(255), np.uint8(0))


def to_size(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resize (h, w, 3) uint8 to exactly (height, width, 3) with Lanczos; the same size is a no-op."""
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
    weights = np.array([0.299, 0.587, 0.114])
    x, y = ((picture @ weights).ravel() for picture in (first, second))
    x, y = x - x.mean(), y - y.mean()
    spread = math.sqrt(float(x @ x) * float(y @ y))
    if spread < 1e-9:
        return psnr, 1.0 if error == 0 else 0.0
    return psnr, float(np.clip(x @ y / spread, -1.0, 1.0))


def _open(source) -> Image.Image:
    """A Pillow image of any accepted source; files are opened lazily, by their content."""
    if isinstance(source, Image.Image):
        _check_shape(*source.size)
        return source.copy()  # the caller's stays open and where it is
    if isinstance(source, np.ndarray):
        grey = source.ndim == 3 and source.shape[2] == 1
        array = source[:, :, 0] if grey else source
        shape_fits = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
        if array.dtype != np.uint8 or not shape_fits or array.size == 0:
            raise RequestError(_NOT_A_PICTURE)
        return Image.fromarray(array)
    if isinstance(source, str | Path):
        if not Path(source).is_file():
            raise RequestError(f"There is no picture at {str(source)!r}.")
        source = Path(source)
    elif isinstance(source, bytes | bytearray):
        source = io.BytesIO(source)
    return Image.open(source, formats=_formats())


@functools.cache
def _formats() -> tuple[str, ...]:
    """Those of ``FORMATS`` that this build of Pillow knows."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _check_shape(width: int, height: int) -> None:
    """Judge a picture by its header, before a pixel is decoded."""
    if width * height > MAX_PIXELS:
        raise RequestError(_too_large())
    short, long = sorted((width, height))
    if short < MIN_SIDE:
        raise RequestError(
            f"This picture is only {width} x {height} pixels: choose one whose shorter side has at "
            f"least {MIN_SIDE}; 512 or more looks best."
        )
    if long > MAX_ASPECT * short:
        crop = math.floor(short * MAX_ASPECT)
        raise RequestError(
            f"This picture is too narrow ({width} x {height} pixels): crop its longer side to "
            f"{crop} pixels or fewer, three times the shorter side."
        )


def _too_large() -> str:
    return (
        f"This picture has more than {MAX_PIXELS // 10**6} million pixels: save a smaller copy; "
        f"{MAX_SIDE} pixels on the longer side are plenty."
    )


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = _to_eight_bits(image)
    elif image.mode in ("RGB", "CMYK", "L") and image.info.get("icc_profile"):
        image = _to_srgb(image)
    if "A" in image.mode or "a" in image.mode or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """Grey pictures of 16 or 32 bits or of floats, by the range that their values speak of."""
    values = np.asarray(image).astype(np.float64)
    top = next((t for t in (1.0, 255.0, 65535.0) if values.max() <= t), float(values.max()))
    if image.mode.startswith("I;16"):
        top = 65535.0
    return Image.fromarray(np.rint(np.clip(values / top, 0, 1) * 255).astype(np.uint8))


def _to_srgb(image: Image.Image) -> Image.Image:
    """Follow the embedded colour profile (museum scans are often Adobe RGB); a bad one is ignored."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        return ImageCms.profileToProfile(
            image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
