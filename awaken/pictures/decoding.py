"""Any picture file as a small upright picture in sRGB, with its alpha apart.

Nothing here fetches anything, and the decoders are a fixed list: none that runs programs
(PostScript) is ever reached. Damage in what is not pixels never costs the picture.
"""

from __future__ import annotations

import functools
import io
import logging
import math
import re
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageChops, ImageFile, JpegImagePlugin, TiffImagePlugin

from awaken.pictures import kinds, metadata, png
from awaken.pictures.budget import DECODING
from awaken.pictures.colour import Space, of_code_points, of_profile
from awaken.pictures.pixels import Picture, shrunk, turned
from awaken.types import RequestError

log = logging.getLogger(__name__)

Check = Callable[[int, int, bool], None]

FORMATS = ("PNG", "WEBP", "GIF", "TIFF", "BMP", "PPM", "AVIF")  # beside JPEG
# Bytes for each pixel while a picture is decoded and made smaller, at most, as measured.
_BYTES = {"WEBP": 19, "AVIF": 17}
_BYTES_ELSE = 11
_COEFFICIENTS = 7  # the same for a progressive JPEG, which its decoder keeps whole
_MAX_SCANS = 100  # of a progressive JPEG; usual ones have ten
_END = b"\xff\xd9"  # of a JPEG
_FILLER = b"\x5a\xa5\x3c\xc3" * 16
_NOTHING: Mapping[bytes, bytes] = {}
_VAST = 1 << 20  # pixels of a side beyond every bound
# Pillow's own decoder reads separate planes of 16 bits wrongly; libtiff reads them right.
TiffImagePlugin.READ_LIBTIFF = True


def read(source: Path | bytes | BinaryIO, side: int, check: Check) -> Picture:
    """A picture file, its longer side at most ``side`` pixels.

    check: told (width, height, whether the decoder makes it smaller) before any pixel is decoded;
        it may raise.

    Raises:
        RequestError: a sentence that names the kind found, or says that the file is damaged.
        OSError: the file cannot be opened at all.
    """
    opened = source.open("rb") if isinstance(source, Path) else nullcontext(source)
    with opened as file:
        file = io.BytesIO(file) if isinstance(file, bytes | bytearray) else file
        head = _head(file)
        try:
            return _read(file, head, side, check)
        except RequestError:
            raise
        except Image.DecompressionBombError:
            check(_VAST, _VAST, False)
            raise
        except MemoryError as error:
            raise RequestError(kinds.TOO_MUCH) from error
        except Exception as error:  # decoders report damage in every way there is
            log.info("a picture could not be read", exc_info=True)
            tags = metadata.tiff_tags(file) if kinds.is_tiff(head) else None
            raise RequestError(kinds.tiff(tags) if tags else kinds.named(head)) from error


def _read(file: BinaryIO, head: bytes, side: int, check: Check) -> Picture:
    if head.startswith(b"\xff\xd8\xff"):
        return _read_jpeg(file.read(), side, check)
    if head.startswith(png.SIGNATURE):
        data, said = png.take_apart(file.read())
        return _read_other(io.BytesIO(data), head, side, check, said)
    try:
        return _read_other(file, head, side, check)
    except (RequestError, MemoryError, Image.DecompressionBombError):
        raise
    except Exception:
        file.seek(0)
        bare = metadata.without(file.read())
        if bare is None:
            raise
    return _read_other(io.BytesIO(bare), head, side, check)


def _read_other(
    file: BinaryIO, head: bytes, side: int, check: Check, said: Mapping[bytes, bytes] = _NOTHING
) -> Picture:
    """Whatever is no JPEG. ``said``: what a PNG says of itself, by chunk."""
    image = Image.open(file, formats=_formats())
    check(*image.size, False)
    if image.format == "TIFF":
        if kinds.misread(image.tag_v2, image.mode):
            raise RequestError(kinds.tiff(image.tag_v2))
        image.tile = [_native(tile) for tile in image.tile]
    space = png.space(said) or of_profile(image.info.get("icc_profile"))
    if image.format == "AVIF":
        space = space or _nclx(head)
    turn = metadata.orientation(image, said.get(b"eXIf"))
    with DECODING.held(_BYTES.get(image.format, _BYTES_ELSE) * math.prod(image.size)):
        image.load()
        if image.format == "PNG" and "transparency" in image.info:
            image.info["transparency"] = png.key(image.info["transparency"], head[24], image.mode)
        picture = shrunk(image, side, space)
    return picture if image.format == "TIFF" else turned(picture, turn)  # Pillow turns TIFFs


def _read_jpeg(data: bytes, side: int, check: Check) -> Picture:
    """Read at 1/2, 1/4 or 1/8 where that is enough; a missing end mark is forgiven."""
    image = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
    check(*image.size, True)
    if data.count(b"\xff\xda") > _MAX_SCANS:
        raise RequestError(kinds.damaged("JPEG"))
    whole = _COEFFICIENTS * math.prod(image.size) if "progressive" in image.info else 0
    space, turn = of_profile(image.info.get("icc_profile")), metadata.orientation(image)
    image = _drafted(data, side)
    with DECODING.held(whole + _BYTES_ELSE * math.prod(image.size)):
        try:
            image.load()
        except OSError:
            image = _without_end(data, side)
        return turned(shrunk(image, side, space), turn)


def _drafted(data: bytes, side: int) -> Image.Image:
    image = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
    scale = min(1.0, side / max(image.size))
    image.draft(None, tuple(math.ceil(length * scale) for length in image.size))
    return image


def _without_end(data: bytes, side: int) -> Image.Image:
    """A JPEG that lacks nothing but its end mark. Raises OSError for one that lacks more.

    What follows a complete picture changes nothing; an incomplete one goes on with it.
    """
    data = data.removesuffix(_END[:1])
    image, other = _drafted(data + _END, side), _drafted(data + _FILLER + _END, side)
    image.load()
    other.load()
    if ImageChops.difference(image, other).getbbox() is not None:
        raise OSError("the file ends within the picture")
    return image


def _native(tile: ImageFile._Tile) -> ImageFile._Tile:
    """libtiff answers in this machine's byte order, which Pillow minds for a few kinds only."""
    rawmode, *others = tile.args
    return tile._replace(args=(re.sub(r";(\d+)B", r";\1N", rawmode), *others))


def _nclx(head: bytes) -> Space | None:
    """The colours that an AVIF names by numbers (ISO/IEC 14496-12, box colr)."""
    code = head.partition(b"colrnclx")[2]
    if len(code) < 4:
        return None
    return of_code_points(*(int.from_bytes(code[i : i + 2], "big") for i in (0, 2)))


def _head(file: BinaryIO) -> bytes:
    """The first bytes of a file, which is left at its beginning."""
    file.seek(0)
    head = file.read(kinds.HEAD)
    file.seek(0)
    return head


@functools.cache
def _formats() -> tuple[str, ...]:
    """Those of ``FORMATS`` that this build of Pillow knows."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)
