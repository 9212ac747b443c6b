"""A PNG without the chunks that no pixel needs, and what it says of its colours.

Comments, thumbnails and previews of any size, damaged or not, never cost the picture. Chunks and
their order of precedence: PNG specification, third edition, sections 4.3 and 11.
"""

from __future__ import annotations

import struct
import zlib

from awaken.pictures.colour import Space, of_chromaticities, of_code_points, of_profile

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_SAID = (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"eXIf")
_PROFILE_LIMIT = 16 << 20  # bytes of an unpacked profile


def take_apart(data: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """(the picture alone, chunks about colours and orientation by name) of a PNG, whole or not."""
    kept, said, at = [SIGNATURE], {}, len(SIGNATURE)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind in _KEPT:
            kept.append(data[at : at + length + 12])
        elif kind in _SAID:
            said.setdefault(kind, data[at + 8 : at + 8 + length])
        at += length + 12
    return b"".join(kept), said


def space(said: dict[bytes, bytes]) -> Space | None:
    """The colour space that these chunks name, or None for sRGB. Raises RequestError for HDR."""
    code = said.get(b"cICP", b"")
    if len(code) == 4 and code[2:] == b"\0\1":  # RGB, full range: what a PNG may be
        return of_code_points(code[0], code[1])
    if b"iCCP" in said:
        packed = said[b"iCCP"].partition(b"\0")[2][1:]
        try:
            return of_profile(zlib.decompressobj().decompress(packed, _PROFILE_LIMIT))
        except zlib.error:
            return None
    if b"sRGB" in said or len(said.get(b"gAMA", b"")) != 4:
        return None
    gamma = struct.unpack(">I", said[b"gAMA"])[0] / 100_000
    corners = said.get(b"cHRM", b"")
    corners = struct.unpack(">8I", corners) if len(corners) == 32 else None
    return of_chromaticities([x / 100_000 for x in corners] if corners else None, gamma)


def key(
    value: tuple[int, ...] | int | bytes, depth: int, mode: str
) -> tuple[int, ...] | int | bytes:
    """A transparent key colour of ``depth`` bits in the 8 bits of an opened picture.

    A palette's transparencies (bytes) stay as they are.
    """
    if isinstance(value, tuple):
        return tuple(part >> 8 for part in value) if depth == 16 else value
    if isinstance(value, int) and mode in ("1", "L") and depth < 8:
        return value * 255 // ((1 << depth) - 1)
    return value
