"""Colours as their file means them, brought to sRGB.

Profiles go through LittleCMS; colours that are named by numbers (code points of ITU-T H.273,
chromaticities and a gamma) by the textbook's matrices.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms

from awaken.message import Message
from awaken.types import RequestError

_D65 = (0.3127, 0.3290)
_SRGB = (*_D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)  # x, y of white, red, green, blue
_PRIMARIES = {  # ITU-T H.273, table 2
    1: _SRGB,
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*_D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (*_D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    7: (*_D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    8: (0.310, 0.316, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (*_D65, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
    12: (*_D65, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
    22: (*_D65, 0.63, 0.34, 0.295, 0.605, 0.155, 0.077),
}
_BAND = 128  # rows that are converted at once
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_HDR = Message(
    "This picture has a high dynamic range (HDR), which we cannot show: export it as an ordinary "
    "(SDR, sRGB) PNG or JPEG."
)


@dataclass(frozen=True, eq=False)
class Space:
    """What the numbers of a picture mean: a profile, or white and primaries with a curve.

    profile: an ICC profile as it is stored. chromaticities: x, y of white, red, green and blue.
    linear: from values to light, both 0 to 1.
    """

    profile: bytes = b""
    chromaticities: tuple[float, ...] = _SRGB
    linear: Callable[[np.ndarray], np.ndarray] | None = None


def of_profile(profile: bytes | None) -> Space | None:
    """The space of an embedded ICC profile, None where there is none."""
    return Space(profile) if profile else None


def of_chromaticities(corners: Sequence[float] | None, gamma: float) -> Space | None:
    """PNG's cHRM (white, red, green, blue; None is sRGB's) and gAMA.

    None where gamma is 0, and where it stands alone for sRGB, as most writers mean it.
    """
    if gamma <= 0 or (corners is None and abs(gamma * 2.2 - 1) <= 0.05):
        return None
    return Space(b"", tuple(corners or _SRGB), lambda x: x ** (1 / gamma))


def of_code_points(primaries: int, transfer: int) -> Space | None:
    """Colours named as in video (cICP, nclx). Raises RequestError for PQ and HLG."""
    if transfer in (16, 18):
        raise RequestError(_HDR)
    curves = {4: lambda x: x**2.2, 5: lambda x: x**2.8, 8: lambda x: x}
    curves |= {17: lambda x: x**2.6 * 52.37 / 48}
    curves |= dict.fromkeys((1, 6, 14, 15), lambda x: x**2.4)  # as shown: ITU-R BT.1886
    if primaries not in _PRIMARIES:
        return None
    return Space(b"", _PRIMARIES[primaries], curves.get(transfer, _srgb_curve))


def to_srgb(image: Image.Image, space: Space | None) -> Image.Image:
    """A picture of mode L, RGB, CMYK or LAB without alpha as RGB in sRGB."""
    if image.mode == "LAB":
        return _by_profile(image, ImageCms.createProfile("LAB")) or image.convert("L")
    if space is None:
        return image.convert("RGB")
    if not space.profile:
        return _by_numbers(image.convert("RGB"), space)
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(space.profile))
        for_rgb = profile.profile.xcolor_space.strip() == "RGB"
    except (ImageCms.PyCMSError, OSError, ValueError):  # browsers, too, overlook a broken one
        return image.convert("RGB")
    if for_rgb:  # greys and palettes may have one
        image = image.convert("RGB")
    return _by_profile(image, profile) or image.convert("RGB")


def _by_profile(image: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image | None:
    """None where the profile is of another kind than the picture, or leads nowhere."""
    try:
        return ImageCms.profileToProfile(
            image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


def _by_numbers(image: Image.Image, space: Space) -> Image.Image:
    try:
        ours, theirs = _to_xyz(_SRGB), _to_xyz(space.chromaticities)
        matrix = np.linalg.inv(ours) @ _adapted(space.chromaticities[:2]) @ theirs
    except (np.linalg.LinAlgError, ZeroDivisionError):  # chromaticities that span no colours
        return image
    table = space.linear(np.arange(256) / 255).astype(np.float32)
    made = Image.new("RGB", image.size)
    for y in range(0, image.height, _BAND):
        band = np.asarray(image.crop((0, y, image.width, min(y + _BAND, image.height))))
        light = np.clip(table[band] @ matrix.T.astype(np.float32), 0, 1)
        values = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
        made.paste(Image.fromarray(np.rint(values * 255).astype(np.uint8)), (0, y))
    return made


def _to_xyz(corners: Sequence[float]) -> np.ndarray:
    """(3, 3): from linear RGB to XYZ, white at Y = 1 (SMPTE RP 177)."""
    (white, *rgb) = (np.array([x / y, 1, (1 - x - y) / y]) for x, y in _pairs(corners))
    columns = np.stack(rgb, 1)
    return columns * np.linalg.solve(columns, white)


def _adapted(white: Sequence[float]) -> np.ndarray:
    """(3, 3): XYZ under ``white`` to XYZ under D65, after Bradford."""
    cones = [_BRADFORD @ [x / y, 1, (1 - x - y) / y] for x, y in (tuple(white), _D65)]
    return np.linalg.inv(_BRADFORD) @ np.diag(cones[1] / cones[0]) @ _BRADFORD


def _pairs(values: Sequence[float]) -> list[tuple[float, float]]:
    return list(zip(values[::2], values[1::2], strict=True))


def _srgb_curve(x: np.ndarray) -> np.ndarray:
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
