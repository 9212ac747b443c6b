"""What a file says beside its pixels: the orientation alone is read, the rest is dropped."""

from __future__ import annotations

import logging
import re
import struct
from collections.abc import Mapping
from typing import Any, BinaryIO

from PIL import ExifTags, Image, TiffImagePlugin

from awaken.pictures import kinds

log = logging.getLogger(__name__)

# Tags of a TIFF without which there are no pixels; and those that are kept where they are healthy:
# orientation, one short number, and profile, bytes of one kind or the other.
_PIXELS = {256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 317, 320, 322, 323, 324, 325, 330,
           338, 339, 347, 529, 530, 531, 532, 50706}  # fmt: skip
_HEALTHY = {(274, 3), (34675, 1), (34675, 7)}  # (tag, type)


def orientation(image: Image.Image, exif: bytes | None = None) -> int:
    """The orientation that an opened picture or its ``exif`` notes, 1 where there is none.

    Whatever else is noted is dropped from the picture, for who reads on may stumble over it.
    """
    try:
        noted = image.getexif()
        if exif is not None:
            noted.load(exif)
        turn = noted.get(ExifTags.Base.Orientation, 1)
        for tag in set(noted) - {ExifTags.Base.Orientation}:
            del noted[tag]
    except Exception:  # damage here never costs the picture
        log.info("the orientation could not be read", exc_info=True)
        return 1
    return turn if isinstance(turn, int) else 1


def without(data: bytes) -> bytes | None:
    """A TIFF or an AVIF with nothing left but its pixels; None for other files."""
    if kinds.is_tiff(data):
        return _bare_tiff(data)
    if data[4:8] == b"ftyp":  # EXIF whose directory lies beyond its end is empty
        header = re.compile(rb"(II\*\0|MM\0\*).{4}", re.DOTALL)
        return header.sub(lambda found: found[1] + b"\xff" * 4, data)
    return None


def tiff_tags(file: BinaryIO) -> Mapping[int, Any] | None:
    """The first directory of a TIFF, None where it cannot be read."""
    try:
        file.seek(0)
        tags = TiffImagePlugin.ImageFileDirectory_v2(file.read(8))
        file.seek(tags.next)
        tags.load(file)
        return {tag: tags[tag] for tag in tags}
    except Exception:
        log.info("a TIFF's directory could not be read", exc_info=True)
        return None


def _bare_tiff(data: bytes) -> bytes:
    """The first page with the entries alone that pixels need."""
    order = "<" if data.startswith(b"II") else ">"
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, at)
    entries = [data[i : i + 12] for i in range(at + 2, at + 2 + 12 * count, 12)]
    heads = [struct.unpack_from(f"{order}HHI", entry) for entry in entries]
    kept = [
        entry
        for entry, (tag, kind, length) in zip(entries, heads, strict=True)
        if tag in _PIXELS or ((tag, kind) in _HEALTHY and (tag != 274 or length == 1))
    ]
    directory = struct.pack(f"{order}H", len(kept)) + b"".join(kept) + bytes(4)
    return data[:at] + directory + data[at + len(directory) :]
