"""Opened pictures of any mode as small ones of 8 bits; colours are converted when they are small."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from awaken.pictures.colour import Space, to_srgb

_BAND = 256  # rows that are converted at once
_OVER = 2.0  # floats up to here are 0 to 1, with highlights beyond white
_DEPTH, _COLOURS, _KIND = 258, 262, 339  # TIFF tags: bits, photometric, sample format
_SIGNED = 2
_TURNS = {  # EXIF 2.32, tag Orientation
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_90,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Picture:
    """colour: RGB in sRGB. alpha: L of the same size, None where all is opaque."""

    colour: Image.Image
    alpha: Image.Image | None = None


def shrunk(image: Image.Image, side: int, space: Space | None = None) -> Picture:
    """An opened picture of any mode, its longer side at most ``side`` pixels.

    space: what its colours mean, None is sRGB.
    """
    image = _plain(image)
    scale = side / max(image.size)
    if scale < 1:
        size = [max(1, round(length * scale)) for length in image.size]
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    if image.mode in ("La", "RGBa"):
        image = image.convert(image.mode.upper())
    alpha = None
    if image.mode in ("LA", "RGBA"):
        alpha = image.getchannel("A")
        image = image.convert(image.mode.removesuffix("A"))
    return Picture(to_srgb(image, space), alpha)


def turned(picture: Picture, orientation: int) -> Picture:
    """Upright, by the orientation that a camera noted; one that there is not leaves it as it is."""
    if orientation not in _TURNS:
        return picture
    turn = _TURNS[orientation]
    alpha = picture.alpha and picture.alpha.transpose(turn)
    return Picture(picture.colour.transpose(turn), alpha)


def _plain(image: Image.Image) -> Image.Image:
    """Any mode as L, RGB, their kinds with alpha, CMYK or LAB."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _deep(image)
    wanted = {"P": "RGB", "PA": "RGB", "1": "L", "RGBX": "RGB", "YCbCr": "RGB", "HSV": "RGB"}.get(
        image.mode, image.mode
    )
    if image.mode == "PA" or "transparency" in image.info and wanted in ("L", "RGB"):
        wanted += "A"
    return image if image.mode == wanted else image.convert(wanted)


def _deep(image: Image.Image) -> Image.Image:
    """Grey of more than 8 bits as L, or LA where one value is transparent.

    A band of rows at a time, so that no second copy of that depth is made.
    """
    tags = getattr(image, "tag_v2", {})
    bits, kind = tags.get(_DEPTH, (0,))[0], tags.get(_KIND, (1,))[0]
    unsigned = image.mode == "I" and bits == 32 and kind != _SIGNED

    def bands() -> Iterator[tuple[int, np.ndarray]]:
        for y in range(0, image.height, _BAND):
            values = np.asarray(image.crop((0, y, image.width, min(y + _BAND, image.height))))
            yield y, values.view(np.uint32) if unsigned else np.nan_to_num(values, posinf=0)

    if image.mode == "I" and kind == _SIGNED and bits == 16:
        white = 2**15 - 1
    elif image.mode.startswith("I;16") or image.format == "PPM" and image.mode == "I":
        white = 2 ** (bits or 16) - 1
    else:
        white = _white(max(float(values.max()) for _, values in bands()), image.mode, unsigned)
    clear = image.info.get("transparency")
    made = Image.new("L" if clear is None else "LA", image.size)
    for y, values in bands():
        grey = np.rint(np.clip(values / np.float32(white), 0, 1) * 255).astype(np.uint8)
        band = Image.fromarray(255 - grey if tags.get(_COLOURS) == 0 else grey)  # white is zero
        if clear is not None:
            band.putalpha(Image.fromarray(np.where(values == clear, 0, 255).astype(np.uint8)))
        made.paste(band, (0, y))
    return made


def _white(largest: float, mode: str, unsigned: bool) -> float:
    """The value of white, by the range that the values speak of."""
    if mode == "F" and largest <= _OVER:
        return 1
    tops = (1, 255, 65535) if mode == "F" else (1, 255, 65535, 2**24 - 1, 2 ** (31 + unsigned) - 1)
    return next((top for top in tops if largest <= top), largest)
