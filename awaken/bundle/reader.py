"""Reading bundles, and settings from files: everything here may be given a file from anybody.

Nothing is ever unpacked to the disk, only members with our names are read, and never more of them
than a stated size.
"""

from __future__ import annotations

import io
import json
import lzma
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Self

from awaken.message import Message
from awaken.recipe import Recovered, recover
from awaken.types import RequestError
from awaken.video import read_settings

VERSION = 1  # of bundle.json
MAX_FILE = 256 << 20  # bytes of a bundle
MAX_DIRECTORY = 64 << 10  # bytes of a zip's table of contents: hundreds of members
MAX_MEMBER = 64 << 20  # bytes of a film
MAX_MASK = 4 << 20  # bytes of a motion mask: ours have some thousand
MAX_TEXT = 64 << 10  # bytes of a settings file: ours have one or two thousand
MAX_SIDE, MAX_FRAMES = 4096, 512  # of one film, so that no player is asked for more
PICTURE = ("title", "byline", "credit", "licence")  # what may be said of the painting

_NOT_A_BUNDLE = Message("This zip is not a bundle of Awaken: choose one that it has made.")
_TOO_LARGE = Message("This file is larger than anything that Awaken makes; it was not opened.")
_NO_SETTINGS = Message(
    "This file holds no settings of Awaken: choose a bundle, a video or a settings.json that it "
    "has made, with settings kept in the files."
)

_BROKEN = (  # what the zip reader and its decompressors raise; RuntimeError: encrypted
    zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError,
    zlib.error, lzma.LZMAError, struct.error,
)  # fmt: skip


class Bundle:
    """An opened bundle; read what you need, then close it (it is a context manager).

    Raises RequestError with a sentence for whatever is not a zip of ours.
    """

    def __init__(self, path: str | Path):
        self._file = open(path, "rb")  # noqa: SIM115 - closed by close
        try:
            _check_directory(self._file)
            self._zip = zipfile.ZipFile(self._file)
            self._members = {
                info.filename.removeprefix(self._folder()): info for info in self._zip.infolist()
            }
        except _BROKEN:
            self.close()
            raise RequestError(_NOT_A_BUNDLE) from None
        except RequestError:
            self.close()
            raise

    def _folder(self) -> str:
        """The folder that whoever packed the bundle again put around it, or nothing.

        Of several, as in the export of a history, it is the first one: the newest run.
        """
        names = [n for n in self._zip.namelist() if not n.startswith("__MACOSX/")]
        packed = names and all("/" in name for name in names)
        return names[0].split("/", 1)[0] + "/" if packed else ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def __contains__(self, name: str) -> bool:
        return name in self._members

    @property
    def names(self) -> frozenset[str]:
        """The names of its members."""
        return frozenset(self._members)

    def read(self, name: str, limit: int = MAX_MEMBER) -> bytes:
        """A member's bytes, at most ``limit``: the stated size is not believed.

        Raises RequestError: not there, broken, encrypted, or larger.
        """
        if name not in self._members:
            raise RequestError(_NOT_A_BUNDLE)
        try:
            with self._zip.open(self._members[name]) as member:
                data = member.read(limit + 1)
        except _BROKEN:
            raise RequestError(_NOT_A_BUNDLE) from None
        if len(data) > limit:
            raise RequestError(_TOO_LARGE)
        return data

    def json(self, name: str) -> dict[str, Any]:
        """A member as a JSON object. Raises RequestError."""
        return json_object(self.read(name, MAX_TEXT))

    def label(self) -> dict[str, Any]:
        """What bundle.json says: ``title``, ``byline``, ``credit``, ``licence``, ``prompt`` (texts)
        and ``width``, ``height``, ``fps``, ``frames`` (positive numbers, within bounds).

        Raises RequestError.
        """
        raw = self.json("bundle.json")
        version = raw.get("awaken_bundle")
        if not isinstance(version, int):
            raise RequestError(_NOT_A_BUNDLE)
        if version > VERSION:
            raise RequestError("This bundle was made by a newer Awaken than this one.")
        return label_of(raw.get("picture"), raw.get("prompt"), raw.get("film"))


def label_of(picture: Any, prompt: Any, film: Any) -> dict[str, Any]:
    """Checked facts of a film; see ``Bundle.label``. Raises RequestError."""
    picture, film = (part if isinstance(part, Mapping) else {} for part in (picture, film))
    texts = {name: picture.get(name) for name in PICTURE} | {"prompt": prompt}
    numbers = {name: film.get(name) for name in ("width", "height", "fps", "frames")}
    bounds = {"width": MAX_SIDE, "height": MAX_SIDE, "fps": 120, "frames": MAX_FRAMES}
    for name, value in numbers.items():
        if type(value) not in (int, float) or not 1 <= value <= bounds[name]:
            raise RequestError(_NOT_A_BUNDLE)
    return {name: _text(value) for name, value in texts.items()} | numbers


def _text(value: Any) -> str:
    """At most 600 characters that can be written; half an emoji, as JSON may hold it, cannot."""
    return value[:600].encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _check_directory(file: IO[bytes]) -> None:
    """Refuse a zip whose table of contents alone would fill the memory.

    The end record is looked for as zipfile does; our bundles need no zip64, which could state
    another size.
    """
    size = file.seek(0, io.SEEK_END)
    if size > MAX_FILE:
        raise RequestError(_TOO_LARGE)
    file.seek(max(0, size - 65_600))
    tail = file.read()
    at = tail.find(b"PK\x05\x06")
    if at < 0 or b"PK\x06\x07" in tail[-65_600:]:
        raise RequestError(_NOT_A_BUNDLE)
    while at >= 0:  # every candidate, whichever zipfile would choose
        if len(tail) - at >= 22 and struct.unpack_from("<L", tail, at + 12)[0] > MAX_DIRECTORY:
            raise RequestError(_TOO_LARGE)
        at = tail.find(b"PK\x05\x06", at + 1)
    file.seek(0)


def json_object(data: bytes) -> dict[str, Any]:
    """Bytes of anybody's as a JSON object. Raises RequestError."""
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise RequestError(_NO_SETTINGS) from None
    if not isinstance(found, dict):
        raise RequestError(_NO_SETTINGS)
    return found


def is_bundle(path: str | Path) -> bool:
    """Whether a file is a zip at all, by its first bytes."""
    try:
        with Path(path).open("rb") as file:
            return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
    except OSError:
        return False


def read_mask_from(path: str | Path) -> tuple[bytes, bytes] | None:
    """The motion mask in a bundle, and the painting it was made for: two pictures as files.

    None where the file is no bundle or either is missing: a mask means nothing without its
    painting.

    Raises:
        RequestError: a broken zip, or members larger than ours.
    """
    if not zipfile.is_zipfile(path):
        return None
    with Bundle(path) as bundle:
        if "mask.png" not in bundle or "painting.png" not in bundle:
            return None
        return bundle.read("mask.png", MAX_MASK), bundle.read("painting.png")


def read_settings_from(path: str | Path) -> Recovered:
    """The settings in a bundle, a video of ours or a settings.json, told apart by their content.

    Raises:
        RequestError: with a sentence, whatever else the file is.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(12)
    except OSError:
        raise RequestError(_NO_SETTINGS) from None
    if size > MAX_FILE:
        raise RequestError(_TOO_LARGE)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        with Bundle(path) as bundle:
            if "settings.json" not in bundle:
                raise RequestError(_NO_SETTINGS)
            raw = bundle.json("settings.json")
    elif head[4:8] == b"ftyp":
        raw = read_settings(path)
    else:
        with path.open("rb") as file:
            return read_settings_text(file.read(MAX_TEXT + 1))
    return _usable(raw)


def read_settings_text(data: bytes) -> Recovered:
    """The settings in the bytes of a settings.json. Raises RequestError with a sentence."""
    if len(data) > MAX_TEXT:
        raise RequestError(_NO_SETTINGS)
    return _usable(json_object(data))


def _usable(raw: Mapping[str, Any]) -> Recovered:
    found = recover(raw)
    if not found.settings:
        raise RequestError(_NO_SETTINGS)
    return found
