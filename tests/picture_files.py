"""Picture files written byte by byte, of kinds that Pillow does not write."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from PIL import Image

P3 = ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))  # XYZ, D50


def picture(width: int = 96, height: int = 64) -> Image.Image:
    """Strong and pale colours beside each other, so that every change of colour shows."""
    down, across = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    channels = (60 + 180 * across, 230 - 150 * down, 90 + 80 * np.sin(9 * across) * down)
    return Image.fromarray(np.rint(np.stack(channels, 2)).astype(np.uint8))


def saved(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png(image: Image.Image, *chunks: tuple[bytes, bytes], **options) -> bytes:
    """A PNG with these chunks after its header."""
    data = saved(image, "PNG", **options)
    return data[:33] + b"".join(chunk(*one) for one in chunks) + data[33:]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def profile(colorants: Sequence[Sequence[float]] = P3, gamma: float = 2.2) -> bytes:
    """An ICC v2 profile: RGB by its colorants in XYZ, or grey where there are none."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))
    tags = {b"wtpt": _xyz((0.9642, 1, 0.8249)), b"kTRC": curve}
    tags[b"desc"] = b"desc" + bytes(4) + struct.pack(">I", 2) + b"x\0" + bytes(78)
    if colorants:
        del tags[b"kTRC"]
        tags |= {c + b"XYZ": _xyz(v) for c, v in zip((b"r", b"g", b"b"), colorants, strict=True)}
        tags |= {c + b"TRC": curve for c in (b"r", b"g", b"b")}
    table, body, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = bytearray(128)
    head[8:24] = b"\x02\x10\0\0mntr" + (b"RGB " if colorants else b"GRAY") + b"XYZ "
    head[36:40], head[68:80] = b"acsp", _xyz((0.9642, 1, 0.8249))[8:]
    head[:4] = struct.pack(">I", len(head) + len(table) + len(body))
    return bytes(head) + table + body


def _xyz(values: Sequence[float]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(v * 65536) for v in values))


def tiff(
    array: np.ndarray, colours: int, *, order: str = "<", planes: bool = False,
    packed: bool = False, more: dict[int, tuple[int, Sequence[int]]] | None = None,
) -> bytes:  # fmt: skip
    """(h, w, c) as one strip, or one for each channel.

    colours: PhotometricInterpretation. order: "<" or ">". packed: deflated. more: entries by tag,
    (type, values); type 3 is 16, 4 is 32 bits.
    """
    height, width, channels = array.shape
    formats = {"u": 1, "i": 2, "f": 3}
    ordered = array.astype(array.dtype.newbyteorder(order))
    strips = [ordered.tobytes()]
    if planes:
        strips = [ordered[:, :, i].tobytes() for i in range(channels)]
    strips = [zlib.compress(strip) for strip in strips] if packed else strips
    entries = {
        256: (4, [width]), 257: (4, [height]), 258: (3, [array.itemsize * 8] * channels),
        259: (3, [8 if packed else 1]), 262: (3, [colours]), 273: (4, [0] * len(strips)),
        277: (3, [channels]), 278: (4, [height]), 279: (4, [len(strip) for strip in strips]),
        284: (3, [1 + planes]), 339: (3, [formats[array.dtype.kind]] * channels), **(more or {}),
    }  # fmt: skip
    size = {3: 2, 4: 4}
    start = 8 + 2 + 12 * len(entries) + 4
    apart = sum(n for kind, v in entries.values() if (n := size[kind] * len(v)) > 4)
    at = start + apart
    entries[273] = (4, [at + sum(map(len, strips[:i])) for i in range(len(strips))])
    table, values = struct.pack(f"{order}H", len(entries)), b""
    for tag, (kind, content) in sorted(entries.items()):
        data = struct.pack(f"{order}{len(content)}{'H' if kind == 3 else 'I'}", *content)
        table += struct.pack(f"{order}HHI", tag, kind, len(content))
        if len(data) <= 4:
            table += data.ljust(4, b"\0")
        else:
            table += struct.pack(f"{order}I", start + len(values))
            values += data
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    return head + table + bytes(4) + values + b"".join(strips)
