"""A request's settings: the chosen models' defaults filled in, and checked against these models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from awaken.backends import BackendSpec
from awaken.proxies import ProxySpec
from awaken.types import SETTINGS, ModelError, Request, RequestError


def resolve(request: Request, backend: BackendSpec, proxy: ProxySpec) -> Request:
    """Fill in the chosen models' defaults and check what depends on the model.

    Raises RequestError, ModelError with a sentence.
    """
    for spec in (backend, proxy):
        missing = spec.available()
        if missing:
            raise ModelError(f"{spec.title} cannot run here: {missing}")
    if proxy.needs_image and request.proxy_image is None:
        raise RequestError(
            f"The proxy “{proxy.title}” needs a picture: drop one into the proxy field, or choose "
            "another proxy."
        )
    specs = {"backend": backend, "proxy": proxy}
    own = {
        name: row.own(name, specs[row.model], getattr(request, name))
        for name, row in SETTINGS.items()
        if row.model
    }
    filled = replace(
        request,
        prompt=" ".join(request.prompt.split()),
        negative_prompt=request.negative_prompt or backend.negative_prompt,
        proxy_image=request.proxy_image if proxy.needs_image else None,
        proxy_options=_with_defaults(proxy, request.proxy_options),
        mask=request.mask if backend.has_mask else None,
        options=_with_defaults(backend, request.options),
        **own,
    )
    if filled.frames not in backend.frame_choices:
        choices = ", ".join(map(str, backend.frame_choices))
        raise RequestError(f"{backend.title} makes videos of {choices} frames.")
    if filled.size > max(backend.sizes):
        raise RequestError(f"{backend.title} works at sizes up to {max(backend.sizes)}.")
    if backend.motion_range:
        _check_range("motion", filled.motion, *backend.motion_range[:2])
    for spec, options in ((backend, filled.options), (proxy, filled.proxy_options)):
        for name, value in options.items():
            _check_range(name, value, spec.options[name].low, spec.options[name].high)
    return filled


def _check_range(name: str, value: Any, low: float, high: float) -> None:
    if not isinstance(value, int | float) or not low <= value <= high:
        raise RequestError(f"The setting {name!r} must be a number from {low:g} to {high:g}.")


def _with_defaults(spec: BackendSpec | ProxySpec, given: Mapping[str, float]) -> dict[str, float]:
    for name in given.keys() - spec.options.keys():
        raise RequestError(f"{spec.title} has no setting called {name!r}.")
    return {name: option.default for name, option in spec.options.items()} | dict(given)
