"""What a file is when it is not a picture that we open, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awaken.message import Message

HEAD = 1024  # bytes that tell a kind
UNKNOWN = Message("This is not a picture we can open: choose a JPEG, PNG, WebP, TIFF or GIF file.")
EMPTY = Message("This file is empty, not a picture: choose a JPEG, PNG, WebP, TIFF or GIF file.")
TOO_MUCH = Message("This picture needs more memory than there is: save a smaller copy.")

_EXPORT = Message("export it as JPEG or PNG and choose that copy")
_DEVELOP = Message("develop it with your camera's program and export it as JPEG or PNG")
_PAGE = Message("export one page as JPEG or PNG")
_STILL = Message("choose a still of it, as JPEG or PNG")
_SAVE = Message("save the picture itself and choose that")
_OURS = (  # what is opened when it is whole: (offset, bytes found there, kind)
    (0, b"\xff\xd8\xff", "JPEG"), (0, b"\x89PNG", "PNG"), (8, b"WEBP", "WebP"), (0, b"GIF8", "GIF"),
    (0, b"II*\0", "TIFF"), (0, b"MM\0*", "TIFF"), (0, b"II+\0", "TIFF"), (0, b"MM\0+", "TIFF"),
    (4, b"ftypavif", "AVIF"), (4, b"ftypavis", "AVIF"), (0, b"BM", "BMP"),
)  # fmt: skip
_THEIRS = (  # what is not: (offset, bytes found there, kind, what to do)
    *((4, b"ftyp" + brand, "HEIC", _EXPORT)
      for brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")),
    (4, b"ftypcrx ", "RAW (CR3)", _DEVELOP),
    (0, b"FUJIFILMCCD-RAW", "RAW (RAF)", _DEVELOP),
    *((0, sign, "RAW (ORF)", _DEVELOP) for sign in (b"IIRO", b"IIRS", b"MMOR")),
    (0, b"IIU\0", "RAW (RW2)", _DEVELOP),
    (0, b"FOVb", "RAW (X3F)", _DEVELOP),
    (4, b"jP  ", "JPEG 2000", _EXPORT),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000", _EXPORT),
    (4, b"JXL ", "JPEG XL", _EXPORT),
    (0, b"\xff\x0a", "JPEG XL", _EXPORT),
    (0, b"II\xbc\x01", "JPEG XR", _EXPORT),
    (0, b"8BPS", "PSD (Photoshop)", _EXPORT),
    (0, b"gimp xcf", "XCF (GIMP)", _EXPORT),
    (0, b"%!PS", "PostScript", _EXPORT),
    (0, b"\xc5\xd0\xd3\xc6", "PostScript", _EXPORT),
    (0, b"%PDF", "PDF", _PAGE),
    (0, b"AT&TFORM", "DjVu", _PAGE),
    (0, b"\x76\x2f\x31\x01", "OpenEXR (HDR)", _EXPORT),
    (0, b"#?R", "Radiance (HDR)", _EXPORT),
    (0, b"DDS ", "DDS", _EXPORT),
    (0, b"\0\0\x01\0", "ICO", _EXPORT),
    (0, b"icns", "ICNS", _EXPORT),
    (0, b"qoif", "QOI", _EXPORT),
    (0, b"\xd7\xcd\xc6\x9a", "WMF", _EXPORT),
    (40, b" EMF", "EMF", _EXPORT),
    (128, b"DICM", "DICOM", _EXPORT),
    (0, b"SIMPLE  =", "FITS", _EXPORT),
    (4, b"ftyp", "MP4 / MOV", _STILL),
    (0, b"\x1aE\xdf\xa3", "WebM / MKV", _STILL),
    (0, b"PK\x03\x04", "ZIP", _SAVE),
)  # fmt: skip
_TEXTS = ((b"<svg", "SVG", _EXPORT), (b"<html", "HTML", _SAVE), (b"<!doctype html", "HTML", _SAVE))
# Tags of a TIFF, and what they say (TIFF 6.0; DNG 1.7).
_DEPTH, _COLOURS, _PLANES, _EXTRA, _FORMAT = 258, 262, 284, 338, 339
_REDUCED, _MORE, _DNG = 254, 330, 50706
_GREY = Message("grey")
_COLOUR_NAMES = {
    0: _GREY, 1: _GREY, 2: "RGB", 3: Message("palette"), 4: Message("mask"), 5: "CMYK", 6: "YCbCr", 8: "Lab",
    9: "Lab", 10: "Lab", 32844: "LogL", 32845: "LogLuv",
}  # fmt: skip


def named(head: bytes) -> str:
    """A sentence about a file that no decoder takes, by its first ``HEAD`` bytes."""
    if not head:
        return EMPTY
    for offset, sign, kind in _OURS:
        if head.startswith(sign, offset):
            return damaged(kind)
    for offset, sign, kind, remedy in _THEIRS:
        if head.startswith(sign, offset):
            return _strange(kind, remedy)
    for sign, kind, remedy in _TEXTS:
        if sign in head.lower():
            return _strange(kind, remedy)
    return UNKNOWN


def is_known(head: bytes) -> bool:
    """Whether a file begins like a picture, opened here or not."""
    return bool(head) and named(head) != UNKNOWN


def is_film(head: bytes) -> bool:
    """Whether a file is a film, and no picture in a film's container (HEIC, AVIF, CR3)."""
    return head[4:8] == b"ftyp" and named(head) == _strange("MP4 / MOV", _STILL)


def damaged(kind: str) -> str:
    """A sentence about a file of a kind that is opened otherwise."""
    return Message(
        "This {kind} picture is damaged or incomplete, or saved in a way that we cannot read: "
        "save it again as PNG or JPEG, or choose another file.",
        kind=kind,
    )


def is_tiff(head: bytes) -> bool:
    """Whether a file is an ordinary TIFF (not a BigTIFF)."""
    return head.startswith((b"II*\0", b"MM\0*"))


def tiff(tags: Mapping[int, Any]) -> str:
    """A sentence about a TIFF that is not opened, by its first directory."""
    if _is_raw(tags):
        return _strange("RAW", _DEVELOP)
    extra = tags.get(_EXTRA, ())
    extra = set(extra) if isinstance(extra, tuple) else {extra}
    what = [_COLOUR_NAMES.get(tags.get(_COLOURS), Message("unknown colours"))]
    what += [Message("alpha")] if extra & {1, 2} else [Message("extra channels")] if extra else []
    what += [Message("separate planes")] if tags.get(_PLANES) == 2 else []
    what += [f"{max(_depths(tags))} bit"]
    return Message(
        "This TIFF picture ({what}) is damaged or saved in a way that we cannot read: flatten "
        "it, convert it to RGB of 8 or 16 bits, and save it as PNG or TIFF.",
        what=what,
    )


def misread(tags: Mapping[int, Any], mode: str) -> bool:
    """Whether a TIFF that Pillow opens as ``mode`` would come out as something else.

    A camera's RAW (DNG, a sensor's pixels or their preview), grey and alpha in separate planes,
    signed bytes.
    """
    two_planes = tags.get(_PLANES) == 2 and mode in ("LA", "PA")
    signed_bytes = tags.get(_FORMAT, (1,))[0] == 2 and max(_depths(tags)) == 8
    return _is_raw(tags) or two_planes or signed_bytes


def _is_raw(tags: Mapping[int, Any]) -> bool:
    preview = tags.get(_REDUCED, 0) & 1 and _MORE in tags
    return bool(preview) or tags.get(_COLOURS) in (32803, 34892) or _DNG in tags


def _depths(tags: Mapping[int, Any]) -> tuple[int, ...]:
    bits = tags.get(_DEPTH, (1,))
    return bits if isinstance(bits, tuple) else (bits,)


def _strange(kind: str, remedy: str) -> str:
    return Message(
        "This is not a picture we can open but a file of the kind {kind}: {remedy}.",
        kind=kind,
        remedy=remedy,
    )
