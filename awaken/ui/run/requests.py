"""From the values of the page, or of a program, to a ``Request``."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from awaken.backends import BACKENDS
from awaken.painting import open_mask, open_painting
from awaken.proxies import PROXIES
from awaken.types import BOUNDS, SETTINGS, ModelError, Request, RequestError
from awaken.ui.texts import say

BACKEND, PROXY = next(iter(BACKENDS)), next(iter(PROXIES))  # chosen unless the visitor chooses
DEFAULTS = {
    name: SETTINGS[name].default
    for name in ("p", "alpha", "peak", "variant", "seed", "re_noise", "start", "draft")
}
PICTURES = ("painting", "proxy_image", "mask")  # of a request; all else is a setting
CALMER = 0.6  # times the motion, or the peak of a model without it: for torn outlines
READERS = ("backend", "proxy")  # the settings that name the models which read the prompt


def make_request(
    *,
    painting: str | None,
    proxy_image: str | None = None,
    mask: str | None = None,
    options: Mapping[str, float] | None = None,
    proxy_options: Mapping[str, float] | None = None,
    **settings: Any,
) -> Request:
    """A Request from uploaded files and plain settings (the fields of ``Request``).

    Raises RequestError with a sentence, for files as for settings.
    """
    if not painting:
        raise RequestError(say("no_painting"))
    if not all(isinstance(given, Mapping | None) for given in (options, proxy_options)):
        raise RequestError(say("bad_options"))
    picture = open_painting(Path(painting))
    return Request(
        painting=picture,
        mask=open_mask(Path(mask), picture) if mask else None,
        proxy_image=open_painting(Path(proxy_image)) if proxy_image else None,
        options=dict(options or {}),
        proxy_options=dict(proxy_options or {}),
        **settings,
    )


def calmer(values: Mapping[str, Any]) -> dict[str, float]:
    """The setting of ``values`` that makes the same run calmer: less motion, or a lower peak."""
    span, motion = BACKENDS[values["backend"]].motion_range, values.get("motion")
    if span is None or motion is None:
        return {"peak": max(BOUNDS["peak"][0], round(CALMER * values["peak"], 2))}
    return {"motion": max(span[0], round(CALMER * motion, 2))}


def check_models(request: Request) -> None:
    """Raise ModelError, before anybody waits, when a model of the request is not on this machine."""
    for name, registry in (("backend", BACKENDS), ("proxy", PROXIES)):
        spec = registry.get(getattr(request, name))  # the engine has a sentence for an unknown name
        why = spec.available() if spec else None
        if why:
            raise ModelError("{title}: {why}", title=spec.title, why=why)


def owner_here() -> bool:
    """Whether the page speaks to this machine's owner, who may read its paths and run its commands."""
    return os.environ.get("AWAKEN_DOWNLOADS") == "1"


def size(request: Request) -> int:
    """Bytes of the pictures that a request holds."""
    held = (getattr(request, name) for name in PICTURES)
    return sum(picture.nbytes for picture in held if picture is not None)


def new_seed() -> int:
    """A seed for the dice: small enough to be read aloud."""
    return secrets.randbelow(1_000_000)
