"""Links that carry settings, and nothing else: no picture, no file, no name of anybody.

    https://.../?v=1&prompt=waves+roll&p=0.4&seed=7&proxy_options.steps=9

The query is a flat list of names and values. ``v`` is the version of the list's meaning: settings at
version 1's defaults are left out, so a changed default needs a new version. Everything that comes in
goes through ``awaken.recipe.recover``; what this version does not understand is named, not ignored.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from awaken.message import Message
from awaken.recipe import Recovered, named, recover
from awaken.types import SETTINGS

VERSION = 1
MAX_QUERY = 8000  # characters; longer ones are cut by servers on the way
MAX_FIELDS = 100
_OPTIONS = tuple(name for name, row in SETTINGS.items() if row.kind == "options")
# What version 1 means by a setting that a link does not mention; the rest are the models' own.
DEFAULTS: dict[str, Any] = {
    name: row.default
    for name, row in SETTINGS.items()
    if row.default is not None and name not in _OPTIONS
}
_TEXTS = tuple(n for n, row in SETTINGS.items() if row.kind in ("text", "choice", "model"))
_FOREIGN = ("view", "logs", "deep_link", "lang")  # read by the page's surroundings, not by us


def encode(settings: Mapping[str, Any]) -> str:
    """The query string of a link, without its question mark.

    Takes a request's settings, or everything that a result says of itself: pictures and
    measurements are left out. That a motion mask is missing is said (``masked``).
    """
    pairs: list[tuple[str, str]] = [("v", str(VERSION))]
    known = recover(settings)
    if known.masked:
        pairs.append(("masked", "1"))
    for name, value in known.settings.items():
        if name in _OPTIONS:
            pairs += [(f"{name}.{key}", _written(number)) for key, number in value.items()]
        elif name not in DEFAULTS or value != DEFAULTS[name]:
            pairs.append((name, _written(value)))
    return urlencode(pairs)


def decode(query: str | Mapping[str, str] | Iterable[tuple[str, str]]) -> Recovered:
    """The settings of a link: a query string, or a request's already split parameters.

    A link without ``v`` is no link of ours and holds no settings. Never raises for what is inside.
    """
    given: dict[str, str] = {}
    for name, text in _pairs(query):
        given.setdefault(name, text)  # the first of two equal names counts
    if "v" not in given:
        return Recovered({})
    if given.pop("v") != str(VERSION):
        return Recovered({}, unusable=(Message("a link of another version of this page"),))
    raw: dict[str, Any] = dict(DEFAULTS)
    strange = []
    for name, text in given.items():
        head, dot, key = name.partition(".")
        if dot and head in _OPTIONS and key:
            raw.setdefault(head, {})[key] = _read(text)
        elif name in _OPTIONS or name not in (*SETTINGS, "masked"):
            if not name.startswith("__") and name not in _FOREIGN:
                strange.append(name)
        elif name == "masked" or SETTINGS[name].kind == "switch":
            raw[name] = {"1": True, "0": False}.get(text, text)
        else:
            raw[name] = text if name in _TEXTS else _read(text)
    found = recover(raw)
    return replace(found, unknown=named(strange))


def address(base: str, settings: Mapping[str, Any]) -> str:
    """The whole link. On Hugging Face it names the Space's own page, which passes the query on.

    base: the page's own address; its query and fragment are dropped.
    """
    base = space_page() or base
    return f"{base.split('#')[0].split('?')[0]}?{encode(settings)}"


def space_page() -> str | None:
    """The Space's own page on Hugging Face; None elsewhere."""
    space = os.environ.get("SPACE_ID")
    return f"https://huggingface.co/spaces/{space}" if space else None


def _pairs(query: str | Mapping[str, str] | Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    if isinstance(query, str):
        if len(query) > MAX_QUERY:
            return []
        try:
            return parse_qsl(
                query.removeprefix("?"), keep_blank_values=True, max_num_fields=MAX_FIELDS
            )
        except ValueError:
            return []
    items = list(query.items() if isinstance(query, Mapping) else query)
    if len(items) > MAX_FIELDS or sum(len(str(n)) + len(str(t)) for n, t in items) > MAX_QUERY:
        return []
    return [(str(name), str(text)) for name, text in items]


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else repr(value)


def _read(text: str) -> Any:
    """A number, whole where it is one; whatever is none stays a text, which no setting accepts."""
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if math.isfinite(value) and value.is_integer() else value
