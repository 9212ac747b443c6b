"""What a file says of its colours, against Chromium drawing the same file on a canvas."""

import base64
import struct

import numpy as np
import pytest
from PIL import Image

from awaken.painting import open_painting
from tests.picture_files import P3, picture, png, profile, saved

pytestmark = pytest.mark.browser

DRAW = """async (address) => {
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const pen = canvas.getContext("2d");
  pen.fillStyle = "white";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(image, 0, 0);
  const bytes = pen.getImageData(0, 0, canvas.width, canvas.height).data;
  return [canvas.width, canvas.height, Array.from(bytes)];
}"""
ADOBE = ((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446))
WIDE, GREY = profile(P3), profile((), 1.0)


def veiled() -> Image.Image:
    """The picture, from transparent to opaque."""
    image = picture().convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


def keyed() -> Image.Image:
    image = picture()
    image.paste((255, 0, 255), (0, 0, 48, 32))
    return image


def gamma(value: float) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", round(value * 100_000))


def corners(*values: float) -> tuple[bytes, bytes]:
    return b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in values))


def code(*values: int) -> tuple[bytes, bytes]:
    return b"cICP", bytes(values)


P3_CORNERS = corners(0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
L, LA = picture().convert("L"), veiled().convert("LA")
FILES = {
    "plain": png(picture()),
    "profile": png(picture(), icc_profile=WIDE),
    "profile, alpha": png(veiled(), icc_profile=WIDE),
    "profile, palette": png(picture().quantize(64), icc_profile=WIDE),
    "profile, palette, alpha": png(
        picture().quantize(32), icc_profile=profile(ADOBE), transparency=bytes(range(0, 256, 8))
    ),
    "profile, key colour": png(keyed(), icc_profile=WIDE, transparency=(255, 0, 255)),
    "profile, grey": png(L, icc_profile=GREY),
    "profile, grey, alpha": png(LA, icc_profile=GREY),
    "profile of colours, grey": png(L, icc_profile=profile(ADOBE, 1.8)),
    "profile, damaged": png(picture(), icc_profile=WIDE[:200]),
    "profile, JPEG": saved(picture(), "JPEG", quality=95, icc_profile=profile(ADOBE)),
    "profile, grey JPEG": saved(L, "JPEG", quality=95, icc_profile=GREY),
    "profile, WebP, alpha": saved(veiled(), "WEBP", lossless=True, icc_profile=profile(ADOBE)),
    "profile, AVIF": saved(picture(), "AVIF", quality=95, icc_profile=WIDE),
    "ink": saved(picture().convert("CMYK"), "JPEG", quality=95),
    "gamma": png(picture(), gamma(1.0)),
    "gamma of sRGB": png(picture(), gamma(0.45455)),
    "gamma, grey": png(L, gamma(0.7)),
    "gamma, palette": png(picture().quantize(64), gamma(0.7)),
    "gamma, alpha": png(veiled(), gamma(0.7)),
    "gamma, corners": png(picture(), gamma(0.45455), P3_CORNERS),
    "corners alone": png(picture(), P3_CORNERS),
    "sRGB before gamma": png(picture(), (b"sRGB", b"\0"), gamma(1.0)),
    "profile before gamma": png(picture(), gamma(1.0), icc_profile=WIDE),
    "code points before a profile": png(picture(), code(1, 8, 0, 1), icc_profile=WIDE),
    **{
        f"code points {primaries}, {transfer}": png(picture(), code(primaries, transfer, 0, 1))
        for primaries, transfer in (
            (1, 13), (12, 13), (9, 13), (9, 1), (1, 1), (6, 6), (1, 4), (5, 5), (1, 8), (11, 17),
            (9, 14), (22, 13), (4, 4), (8, 13), (2, 2),
        )
    },
    "code points, alpha": png(veiled(), code(12, 13, 0, 1)),
    "code points, grey": png(L, code(12, 1, 0, 1)),
    "code points, narrow": png(picture(), code(12, 13, 0, 0)),
}  # fmt: skip


def test_colours_are_chromium_s(open_page):
    page = open_page("about:blank")
    wrong = []
    for name, data in FILES.items():
        kind = {0x89: "png", 0xFF: "jpeg", 0x52: "webp", 0x00: "avif"}[data[0]]
        address = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
        width, height, values = page.evaluate(DRAW, address)
        drawn = np.array(values).reshape(height, width, 4)[:, :, :3]
        apart = np.abs(open_painting(data) - drawn)
        if apart.mean() > 0.3 or np.abs(apart.mean((0, 1))).max() > 0.6:
            wrong.append(f"{name}: {apart.mean():.2f}, means {drawn.mean((0, 1)).round(1)}")
    assert not wrong
