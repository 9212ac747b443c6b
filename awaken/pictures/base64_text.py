"""Pictures that come as text: data URIs (RFC 2397) and base64, as programs write them."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import unquote_to_bytes

from awaken.pictures import kinds
from awaken.types import RequestError

_URL_SAFE = str.maketrans("-_", "+/")


def picture_bytes(text: str) -> bytes | None:
    """The file that a text spells out, or None where it is a path or an address.

    A data URI, or base64 alone: wrapped, url-safe, without its padding. Raises RequestError when a
    data URI spells nothing.
    """
    text = text.strip()
    if text[:5].lower() != "data:":
        data = _decoded(text)
        return data if data and kinds.is_known(data[: kinds.HEAD]) else None
    head, _, body = text.partition(",")
    plain = unquote_to_bytes(body)
    if not head.lower().endswith(";base64"):
        return plain
    data = _decoded(plain.decode("latin-1"))
    if not data:
        raise RequestError(
            "This data URI holds no picture, or its base64 is broken: encode the file again."
        )
    return data


def _decoded(text: str) -> bytes:
    """What base64 of any habit says, nothing where it is none."""
    letters = "".join(text.split()).translate(_URL_SAFE).rstrip("=")
    try:
        return base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""
