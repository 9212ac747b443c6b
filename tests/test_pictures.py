"""From a file to pixels: deep TIFFs, damage beside the pixels, kinds by name, memory in flight."""

import base64
import io
import random
import struct
import textwrap
import zlib
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image

from awaken.painting import open_mask, open_painting
from awaken.pictures import decoding
from awaken.pictures.base64_text import picture_bytes
from awaken.pictures.kinds import is_film
from awaken.types import RequestError
from tests.picture_files import chunk, picture, png, saved, tiff

PLAIN = np.asarray(picture())
GREY = np.asarray(picture().convert("L"))[:, :, None]
INKS = np.asarray(picture().convert("CMYK"))
FULL = np.full_like(GREY, 255)
DEEP = {
    "u1": lambda x: x,
    "u2": lambda x: x.astype(np.uint16) * 257,
    "i2": lambda x: x.astype(np.int16) * 128,
    "u4": lambda x: x.astype(np.uint32) * 0x1010101,
    "i4": lambda x: x.astype(np.int32) * 0x808080,
    "f4": lambda x: x.astype(np.float32) / 255,
    "f8": lambda x: x.astype(np.float64) / 255,
    "i1": lambda x: (x // 2).astype(np.int8),
}
RIGHT = {("grey", "u1"), ("grey", "u2"), ("grey", "u4"), ("grey", "f4"), ("grey", "i4"),
         ("white is zero", "u1"), ("white is zero", "u2"), ("white is zero", "f4"),
         ("RGB", "u1"), ("RGB", "u2"), ("RGB, alpha", "u1"), ("RGB, alpha", "u2"),
         ("CMYK", "u1"), ("CMYK", "u2"), ("grey, alpha", "u1")}  # fmt: skip
KINDS = {
    "grey": (GREY, 1, None), "white is zero": (255 - GREY, 0, None), "RGB": (PLAIN, 2, None),
    "RGB, alpha": (np.dstack([PLAIN, FULL]), 2, 2), "grey, alpha": (np.dstack([GREY, FULL]), 1, 2),
    "CMYK": (INKS, 5, None), "CMYK, alpha": (np.dstack([INKS, FULL]), 5, 2),
    "RGB, extra channels": (np.dstack([PLAIN, FULL]), 2, 0),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("depth", DEEP)
def test_a_tiff_has_its_right_pixels_or_is_called_by_its_kind(kind, depth):
    array, colours, extra = KINDS[kind]
    right = PLAIN if array.shape[2] > 2 else GREY.repeat(3, 2)
    opened = False
    for order in "<>":
        for planes in (False, True)[: array.shape[2]]:
            for packed in (False, True):
                data = tiff(
                    DEEP[depth](array), colours, order=order, planes=planes, packed=packed,
                    more={} if extra is None else {338: (3, [extra])},
                )  # fmt: skip
                try:
                    found = open_painting(data)
                except RequestError as error:
                    name = kind.replace("white is zero", "grey")
                    assert f"({name}, " in str(error) and f"{array.dtype.itemsize} bit" or planes
                    continue
                assert np.abs(found.astype(int) - right).max() <= 3, (order, planes, packed)
                opened = opened or order == "<"
    assert opened or (kind, depth) not in RIGHT


def test_deep_greys_keep_the_range_that_they_speak_of():
    sixteen_in_thirty_two = GREY.astype(np.int32) * 257
    beyond_white = np.clip(GREY.astype(np.float32) / 255, 0, 0.8) * 1.5  # a highlight of 1.2
    assert np.abs(open_painting(tiff(sixteen_in_thirty_two, 1))[:, :, 0] - GREY[:, :, 0]).max() <= 1
    found = open_painting(tiff(beyond_white, 1))[:, :, 0]
    assert np.abs(found - np.clip(GREY[:, :, 0] * 1.5, 0, 255)).max() <= 1


def test_a_camera_s_raw_is_not_taken_for_its_preview():
    """A DNG, and a preview with more behind it, open in Pillow as small ordinary TIFFs."""
    for more in ({50706: (4, [1])}, {254: (4, [1]), 330: (4, [8])}):
        with pytest.raises(RequestError, match="of the kind RAW: develop it"):
            open_painting(tiff(PLAIN, 2, more=more))


# Damage beside the pixels.


def exif(orientation: int = 6) -> Image.Exif:
    noted = Image.Exif()
    noted[0x0112], noted[0x010F], noted[0x011A] = orientation, "Maker", 72.0
    noted.get_ifd(0x8769)[0x9204], noted.get_ifd(0x8769)[0x829A] = -2.0, 0.01
    return noted


def spans(data: bytes, kind: str) -> list[tuple[int, int]]:
    """Where a file says other things than pixels."""
    if kind == "JPEG":
        found, at = [], 2
        while data[at + 1] != 0xDA:
            length = struct.unpack_from(">H", data, at + 2)[0]
            if 0xE0 <= data[at + 1] < 0xEE or data[at + 1] == 0xFE:
                found.append((at + 4, at + 2 + length))
            at += 2 + length
        return found
    if kind == "TIFF":
        at = struct.unpack_from("<I", data, 4)[0]
        count = struct.unpack_from("<H", data, at)[0]
        entries = {
            struct.unpack_from("<H", data, e)[0]: e for e in range(at + 2, at + 12 * count, 12)
        }
        return [(e + 2, e + 12) for tag, e in entries.items() if tag in (271, 274, 282, 34665)]
    if kind == "AVIF":
        at = max(data.find(b"II*\0"), data.find(b"MM\0*"))
        return [(at + 8, at + 40)]
    sizes = "<4sI" if kind == "WEBP" else ">I4s"
    found, at = [], 12 if kind == "WEBP" else 8
    while at < len(data):
        first, second = struct.unpack_from(sizes, data, at)
        name, length = (first, second) if kind == "WEBP" else (second, first)
        if name in (b"EXIF", b"ICCP", b"eXIf", b"iCCP", b"zTXt"):
            found.append((at + 8, at + 8 + length))
        at += 8 + length + (length % 2 if kind == "WEBP" else 4)
    return found


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_no_damage_in_metadata_costs_the_picture(kind):
    data = saved(picture(), kind, exif=exif(), **({"comment": b"hello"} if kind == "JPEG" else {}))
    assert open_painting(data).shape == (96, 64, 3)  # turned upright
    draw, places = random.Random(0), spans(data, kind)
    assert places
    for _ in range(150):
        harmed = bytearray(data)
        for _ in range(draw.choice((1, 3, 10))):
            harmed[draw.randrange(*draw.choice(places))] = draw.choice(
                (0, 1, 255, draw.randrange(256))
            )
        assert sorted(open_painting(bytes(harmed)).shape) == [3, 64, 96]


def test_large_chunks_of_a_png_are_no_damage():
    comment = b"c\0\0" + zlib.compress(bytes(3 << 20))
    data = png(picture(), (b"zTXt", comment), (b"tEXt", b"c\0" + b"a" * (2 << 20)))
    assert (open_painting(data) == PLAIN).all()


def test_a_jpeg_that_lacks_its_end_mark_alone_opens_and_one_that_lacks_more_does_not():
    noise = Image.effect_noise((96, 64), 60).convert("RGB")
    for image in (picture(), noise):
        for options in ({}, {"progressive": True}, {"subsampling": 0}):
            data = saved(image, "JPEG", quality=90, **options)
            assert (open_painting(data[:-2]) == open_painting(data)).all()
            assert (open_painting(data[:-1]) == open_painting(data)).all()
            for lost in (3, 40, 100):
                with pytest.raises(RequestError, match="damaged or incomplete"):
                    open_painting(data[:-lost])


def test_a_transparent_key_colour_of_any_depth_is_transparent():
    key, rest = (255, 0, 255), (20, 200, 90)
    image = Image.new("RGB", (64, 48), rest)
    image.paste(key, (0, 0, 32, 48))
    for data in (
        saved(image, "PNG", transparency=key),
        _grey_png(8, 255), _grey_png(4, 15), _grey_png(2, 3), _grey_png(1, 1), _grey_png(16, 65535),
    ):  # fmt: skip
        found = open_painting(data)
        assert (found[:, :31] == 255).all() and (found[:, 33:] < 201).all()
    seen = open_mask(_grey_png(8, 255), np.zeros((48, 64, 3), np.uint8))
    assert not seen.any()  # light, but transparent


def _grey_png(bits: int, key: int) -> bytes:
    """64 x 48: the left half has the key value, which is transparent, the right half is black."""
    row = [key] * 32 + [0] * 32
    packed = "".join(f"{value:0{bits}b}" for value in row)
    line = b"\0" + int(packed, 2).to_bytes(64 * bits // 8, "big")
    head = struct.pack(">IIBBBBB", 64, 48, bits, 0, 0, 0, 0)
    parts = (
        (b"IHDR", head),
        (b"tRNS", struct.pack(">H", key)),
        (b"IDAT", zlib.compress(line * 48)),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*p) for p in (*parts, (b"IEND", b"")))


def test_a_mask_is_light_times_alpha():
    shape = Image.new("L", (96, 64), 0)
    shape.paste(255, (10, 10, 60, 50))
    light = Image.new("L", shape.size, 255)
    masks = [saved(shape, "PNG")]
    for mode, colour in (("LA", [light]), ("RGBA", [light] * 3)):
        masks.append(saved(Image.merge(mode, [*colour, shape]), "PNG"))
    whole = shape.convert("RGBA")
    masks.append(saved(whole, "WEBP", lossless=True))
    found = [open_mask(mask, PLAIN) for mask in masks]
    assert found[0][30, 30] == 255 and found[0].mean() == pytest.approx(255 * 2000 / 6144)
    assert all((mask == found[0]).all() for mask in found)


# Kinds by name.


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"\0\0\0\x18ftypheic" + bytes(8), "HEIC: export"),
        (b"\0\0\0\x18ftypmif1" + bytes(8), "HEIC: export"),
        (b"\0\0\0\x18ftypcrx " + bytes(8), "RAW .CR3.: develop"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000: export"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL: export"),
        (b"\xff\x0a" + bytes(20), "JPEG XL: export"),
        (b"8BPS\0\x01" + bytes(20), "PSD .Photoshop.: export"),
        (b'<?xml version="1.0"?><svg width="9"/>', "SVG: export"),
        (b"%PDF-1.7", "PDF: export one page"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "PostScript: export"),
        (b"<!DOCTYPE html><p>", "HTML: save the picture"),
        (b"\0\0\0\x18ftypisom" + bytes(8), "MP4 / MOV: choose a still"),
        (b"FUJIFILMCCD-RAW 0201", "RAW .RAF.: develop"),
        (b"\x76\x2f\x31\x01" + bytes(20), "OpenEXR .HDR.: export"),
        (b"", "file is empty"),
        (b"RIFF\x10\0\0\0WEBPVP8 broken", "This WebP picture is damaged"),
        (b"\0\0\0\x18ftypavif" + bytes(8), "This AVIF picture is damaged"),
        (b"GIF89a", "This GIF picture is damaged"),
        (b"II*\0\x08\0\0\0", "This TIFF picture is damaged"),
        (b"once upon a time", "not a picture we can open: choose"),
    ],
)
def test_what_is_no_picture_of_ours_is_called_by_its_name(head, words):
    with pytest.raises(RequestError, match=words):
        open_painting(head)


def test_a_picture_in_a_film_s_container_is_no_film():
    for brand in (b"isom", b"mp42", b"qt  "):
        assert is_film(b"\0\0\0\x18ftyp" + brand)
    for brand in (b"heic", b"hevc", b"heim", b"mif1", b"avif", b"avis", b"crx "):
        assert not is_film(b"\0\0\0\x18ftyp" + brand + bytes(8))


def test_hdr_is_called_by_its_name():
    for transfer in (16, 18):
        with pytest.raises(RequestError, match="high dynamic range"):
            open_painting(png(picture(), (b"cICP", bytes((9, transfer, 0, 1)))))


def test_every_damage_is_a_sentence():
    """Bytes changed and files cut anywhere: a picture or a RequestError, whatever a decoder raises."""
    draw = random.Random(0)
    for kind in ("AVIF", "WEBP", "JPEG", "PNG", "GIF", "TIFF", "BMP", "PPM"):
        data = saved(picture(), kind)
        for turn in range(40):
            harmed = bytearray(data)
            for _ in range(draw.choice((1, 4))):
                harmed[draw.randrange(len(harmed))] = draw.randrange(256)
            del harmed[draw.randrange(len(harmed)) if turn % 3 == 0 else len(harmed) :]
            try:
                assert open_painting(bytes(harmed)).ndim == 3
            except RequestError as error:
                assert str(error).endswith(".")


@pytest.mark.parametrize(
    "error", [AttributeError("x"), ZeroDivisionError(), MemoryError(), AssertionError()]
)
def test_whatever_a_decoder_raises_is_a_sentence(monkeypatch, error):
    def stumble(*_):
        raise error

    monkeypatch.setattr(decoding, "shrunk", stumble)
    for kind in ("PNG", "JPEG", "TIFF", "AVIF"):
        with pytest.raises(RequestError, match="save"):
            open_painting(saved(picture(), kind))


# Base64.


@pytest.mark.parametrize(
    "written",
    [
        lambda text: f"data:image/png;base64,{text}",
        lambda text: f"DATA:image/png;charset=utf-8;BASE64,{text}\n",
        lambda text: "data:image/png;base64," + "\r\n".join(textwrap.wrap(text, 76)) + "\r\n",
        lambda text: (
            "data:image/png;base64," + text.replace("+", "-").replace("/", "_").rstrip("=")
        ),
        lambda text: "data:image/png;base64," + quote(text, safe=""),
        lambda text: text,
        lambda text: "\n".join(textwrap.wrap(text, 64)) + "\n",
        lambda text: text.replace("+", "-").replace("/", "_").rstrip("="),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "GIF"])
def test_a_picture_in_base64_of_any_habit_is_that_picture(kind, written):
    data = saved(picture(), kind)
    assert picture_bytes(written(base64.b64encode(data).decode())) == data


def test_what_is_no_picture_in_base64_stays_what_it_is():
    for text in ("/tmp/gradio/0a1b/painting.png", "/home/someone/paintings", "https://example.org/a.png",
                 "", "picture", "C:\\paintings\\a.png"):  # fmt: skip
        assert picture_bytes(text) is None
    for broken in (
        "data:image/png;base64,%%%",
        "data:image/png;base64,",
        "data:image/png;base64,a",
    ):
        with pytest.raises(RequestError, match="base64 is broken"):
            picture_bytes(broken)


def test_a_file_object_and_bytes_open_alike(tmp_path):
    data = tiff(PLAIN, 2)
    path = tmp_path / "picture.tif"
    path.write_bytes(data)
    with path.open("rb") as file:
        for source in (data, bytearray(data), io.BytesIO(data), file, path):
            assert (open_painting(source) == PLAIN).all()
