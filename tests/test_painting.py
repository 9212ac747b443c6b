"""Opening pictures: every usual kind comes out right, every unusable one with a sentence."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from awaken.painting import MAX_SIDE, open_painting, similarity, to_size
from awaken.types import RequestError

RED, GREEN, BLUE = (200, 40, 30), (40, 160, 60), (30, 50, 190)


@pytest.fixture
def picture() -> Image.Image:
    """64 wide, 48 high: red above, green left and blue right below."""
    image = Image.new("RGB", (64, 48), RED)
    image.paste(GREEN, (0, 24, 32, 48))
    image.paste(BLUE, (32, 24, 64, 48))
    return image


def saved(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def assert_is_the_picture(array: np.ndarray, tolerance: int = 3) -> None:
    assert array.dtype == np.uint8 and array.shape == (48, 64, 3)
    for (row, column), colour in {(8, 30): RED, (40, 10): GREEN, (40, 54): BLUE}.items():
        assert np.abs(array[row, column].astype(int) - colour).max() <= tolerance


def test_every_source_opens_alike(picture, tmp_path):
    data = saved(picture, "PNG")
    path = tmp_path / "picture.png"
    path.write_bytes(data)
    for source in (data, path, str(path), io.BytesIO(data), picture, np.asarray(picture)):
        assert_is_the_picture(open_painting(source), tolerance=0)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_exif_orientation_is_obeyed(picture, orientation):
    turn = {1: 0, 3: 180, 6: 90, 8: 270}[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(picture.rotate(turn, expand=True), "JPEG", quality=95, exif=exif, subsampling=0)
    assert_is_the_picture(open_painting(data), tolerance=6)


def test_cmyk_palette_and_animation(picture):
    assert_is_the_picture(open_painting(saved(picture.convert("CMYK"), "JPEG", quality=98)), 12)
    assert_is_the_picture(open_painting(saved(picture.quantize(8), "PNG")))
    later = Image.new("RGB", picture.size, "black")
    for kind in ("GIF", "WEBP", "PNG"):
        options = {"lossless": True} if kind == "WEBP" else {}
        data = saved(picture, kind, save_all=True, append_images=[later], **options)
        assert_is_the_picture(open_painting(data))


def test_transparency_lies_over_white(picture):
    rgba = picture.convert("RGBA")
    rgba.putalpha(128)
    half = open_painting(saved(rgba, "PNG"))[8, 30]
    assert np.abs(half.astype(int) - [(255 + c) / 2 for c in RED]).max() <= 2
    grey = Image.new("LA", (64, 48), (0, 0))
    assert (open_painting(saved(grey, "PNG")) == 255).all()
    clear = Image.new("P", (64, 48), 0)
    clear.putpalette(RED)
    assert (open_painting(saved(clear, "PNG", transparency=0)) == 255).all()


def test_sixteen_bits_keep_their_range():
    ramp = np.linspace(0, 65535, 64, dtype=np.uint16)[None].repeat(48, 0)
    for kind in ("PNG", "TIFF"):
        opened = open_painting(saved(Image.fromarray(ramp), kind))
        assert np.abs(opened[0, :, 0] - ramp[0] / 257).max() <= 1
    floats = Image.fromarray((ramp / 65535).astype(np.float32))
    assert np.abs(open_painting(saved(floats, "TIFF"))[0, :, 1] - ramp[0] / 257).max() <= 1


def test_embedded_profile_is_followed(picture):
    """The same numbers under a profile with swapped primaries are another colour."""
    srgb = ImageCms.createProfile("sRGB")
    assert_is_the_picture(
        open_painting(saved(picture, "PNG", icc_profile=ImageCms.ImageCmsProfile(srgb).tobytes()))
    )
    swapped = bytearray(ImageCms.ImageCmsProfile(srgb).tobytes())
    red, blue = (swapped.index(tag, 128) for tag in (b"rXYZ", b"bXYZ"))
    swapped[red : red + 4], swapped[blue : blue + 4] = b"bXYZ", b"rXYZ"
    opened = open_painting(saved(picture, "PNG", icc_profile=bytes(swapped)))
    assert np.abs(opened[8, 30].astype(int) - RED[::-1]).max() <= 4
    assert_is_the_picture(open_painting(saved(picture, "PNG", icc_profile=b"not a profile")))


def test_huge_pictures_are_scaled_down():
    for kind in ("JPEG", "PNG"):
        array = open_painting(saved(Image.new("RGB", (5000, 3000), RED), kind))
        assert array.shape == (round(3000 * MAX_SIDE / 5000), MAX_SIDE, 3)
        assert np.abs(array.astype(int) - RED).max() <= 2


def bomb() -> bytes:
    """A tiny PNG whose header claims 50,000 x 50,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: b"Click here for free paintings", "not a picture"),
        (lambda: b"", "not a picture"),
        (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n", "not a picture"),
        (
            lambda: b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"/>',
            "not a picture",
        ),
        (lambda: saved(Image.effect_noise((90, 90), 80), "PNG")[:3000], "damaged"),
        (lambda: saved(Image.effect_noise((90, 90), 80), "JPEG")[:3000], "damaged"),
        (bomb, "million pixels"),
        (lambda: Image.new("RGB", (1, 1)), "only 1 x 1"),
        (lambda: Image.new("RGB", (31, 64)), "only 31 x 64"),
        (lambda: saved(Image.new("RGB", (40, 400)), "PNG"), "crop"),
        (lambda: saved(Image.new("RGB", (400, 40)), "PNG"), "180 pixels"),
        (lambda: np.zeros((64, 64, 3), np.float32), "not a picture"),
        (lambda: np.zeros((64, 64, 2), np.uint8), "not a picture"),
        (lambda: "/nowhere/painting.jpg", "no picture at"),
        (lambda: "/dev/zero", "no picture at"),
        (lambda: "https://example.org/painting.jpg", "no picture at"),
    ],
)
def test_unusable_pictures_get_a_sentence(make, words):
    with pytest.raises(RequestError, match=words) as caught:
        open_painting(make())
    assert str(caught.value).endswith(".")


def test_to_size_is_exact_and_leaves_flat_colour_alone():
    flat = np.full((30, 50, 3), (9, 99, 199), np.uint8)
    assert to_size(flat, 50, 30) is flat
    resized = to_size(flat, 128, 64)
    assert resized.shape == (64, 128, 3) and (resized == flat[0, 0]).all()


def test_likeness_has_its_closed_forms():
    rng = np.random.default_rng(0)
    a = rng.integers(0, 245, (40, 40, 3), dtype=np.uint8)
    assert similarity(a, a) == (float("inf"), 1.0)
    psnr, correlation = similarity(a, a + 10)
    assert psnr == pytest.approx(20 * np.log10(255 / 10)) and correlation == pytest.approx(1)
    assert similarity(a, 255 - a)[1] == pytest.approx(-1)
    assert similarity(np.zeros_like(a), a)[1] == 0
