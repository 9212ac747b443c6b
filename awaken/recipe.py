"""A run's settings outside the run: taken in from anywhere, written as the command that repeats it.

Settings come back from files and links that anybody may have written. ``recover`` lets through only
what a ``Request`` would accept, and names everything else, so that nothing is silently ignored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from awaken.backends import BACKENDS
from awaken.message import Message
from awaken.proxies import PROXIES
from awaken.types import SETTINGS, Request, RequestError

# What a result also says of itself; it is known, and no setting.
FACTS = frozenset(
    ("masked", "mask_share", "width", "height", "device", "dtype", "weights", "awaken", "psnr",
     "luma_correlation", "evaluations", "evaluations_from_scratch", "drafted", "timings", "read",
     "notices", "difference")
)  # fmt: skip
MAX_NAMED = 12  # unknown names that are repeated to the visitor; more would be noise
MAX_OPTIONS = 32
_LONGEST_NAME = 40
_CHOICES = {"backend": BACKENDS, "proxy": PROXIES}
_STILL = np.zeros((1, 1, 3), np.uint8)  # any painting will do for checking a setting


@dataclass(frozen=True)
class Recovered:
    """Settings from outside.

    Attributes:
        settings: fields of ``Request`` with values that it accepts; never a picture.
        unknown: names that mean nothing to this version, shortened.
        unusable: names whose values it does not accept.
        masked: the run had a motion mask, which is a picture and has to be brought again.
    """

    settings: dict[str, Any]
    unknown: tuple[str, ...] = ()
    unusable: tuple[str, ...] = ()
    masked: bool = False

    @property
    def remarks(self) -> list[str]:
        """Sentences for the visitor about what was left out; none when all was understood."""
        said = []
        if self.unknown:
            said.append(
                Message("Not known to this version and left out: {names}.", names=self.unknown)
            )
        if self.unusable:
            said.append(
                Message("Values that cannot be used, left out: {names}.", names=self.unusable)
            )
        if self.masked:
            said.append(
                Message(
                    "This run had a motion mask, which does not travel with settings: paint it again."
                )
            )
        return said


def recover(given: Mapping[str, Any]) -> Recovered:
    """Keep the settings that a Request accepts, one by one, and name the others.

    ``None`` stands for a model's own default and is left out.
    """
    settings: dict[str, Any] = {}
    unknown, unusable = [], []
    for name, value in _of_today(given).items():
        if name not in SETTINGS:
            if name not in FACTS:
                unknown.append(name)
        elif value is not None:
            try:
                settings[name] = _accepted(name, value)
            except RequestError:
                unusable.append(name)
    return Recovered(settings, named(unknown), named(unusable), given.get("masked") is True)


def _of_today(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Before it was a setting, ``draft`` was an option of some models, by number."""
    options = given.get("options")
    if not isinstance(options, Mapping) or "draft" not in options:
        return given
    rest = {name: value for name, value in options.items() if name != "draft"}
    return {**given, "options": rest, "draft": bool(options["draft"])}


def _accepted(name: str, value: Any) -> Any:
    """The value as a Request takes it. Raises RequestError."""
    kind = SETTINGS[name].kind
    if kind == "options":
        return _options(value)
    if kind == "model" and (not isinstance(value, str) or value not in _CHOICES[name]):
        raise RequestError("There is no {name} called that here.", name=name)
    if kind == "text" and (not isinstance(value, str) or not _writable(value)):
        raise RequestError("The setting {name} is a text.", name=repr(name))
    if kind == "number" and not _number(value):
        raise RequestError("The setting {name} must be a number.", name=repr(name))
    Request(_STILL, **{"prompt": "anything", name: value})
    return value


def _options(value: Any) -> dict[str, float]:
    if not isinstance(value, Mapping) or len(value) > MAX_OPTIONS:
        raise RequestError("A model's own settings are names with numbers.")
    for name, number in value.items():
        if not isinstance(name, str) or len(name) > _LONGEST_NAME or not _number(number):
            raise RequestError("A model's own settings are names with numbers.")
    return dict(value)


def _number(value: Any) -> bool:
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return numeric and abs(value) < 1e9 and math.isfinite(value)


def _writable(text: str) -> bool:
    """Without NUL and lone surrogates, which no file, link or command can hold."""
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def named(names: list[Any]) -> tuple[str, ...]:
    """Names from outside, fit to be repeated to the visitor: few, short and printable."""
    shown = [_plain(name) for name in names[:MAX_NAMED]]
    more = len(names) - len(shown)
    return (*shown, f"and {more} more") if more > 0 else tuple(shown)


def _plain(name: Any) -> str:
    text = "".join(c if c.isprintable() else "?" for c in str(name)[: _LONGEST_NAME + 1])
    return text if len(text) <= _LONGEST_NAME else text[:_LONGEST_NAME] + "…"


def command(
    settings: Mapping[str, Any], painting: str, out: str, proxy_image: str = "", mask: str = ""
) -> list[str]:
    """The words of the command that makes a run again: ``python -m awaken ...``.

    settings: fields of ``Request``, as ``recover`` gives them. The other arguments are paths;
    ``proxy_image`` is used where the run had a proxy image of the visitor's own.
    """
    words = ["python", "-m", "awaken", "--out", out]
    given = {name: value for name, value in settings.items() if name in SETTINGS}
    prompt = given.pop("prompt")
    if given.get("proxy") == "upload" and proxy_image:
        del given["proxy"]
        words.append(f"--proxy-image={proxy_image}")
    if mask:
        words.append(f"--mask={mask}")
    for name, row in SETTINGS.items():
        value, flag = given.get(name), row.option(name)
        if row.kind == "options":
            words += [f"{flag}={key}={number!r}" for key, number in (value or {}).items()]
        elif row.kind == "switch":
            words += [flag] if value else []
        elif value is not None and (value or row.kind != "text" or row.default is None):
            words.append(f"{flag}={value}")
    return [*words, "--", painting, prompt]
