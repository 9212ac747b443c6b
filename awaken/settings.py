"""A request's settings: the chosen models' defaults filled in, and checked against these models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from awaken.backends import BackendSpec
from awaken.proxies import ProxySpec
from awaken.types import ModelError, Request, RequestError


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
    filled = replace(
        request,
        prompt=" ".join(request.prompt.split()),
        negative_prompt=request.negative_prompt or backend.negative_prompt,
        proxy_strength=_or(request.proxy_strength, proxy.strength) if proxy.strength else None,
        proxy_image=request.proxy_image if proxy.needs_image else None,
        proxy_template=_or(request.proxy_template, proxy.template) if proxy.template else None,
        proxy_options=_with_defaults(proxy, request.proxy_options),
        steps=int(_or(request.steps, backend.steps)),
        guidance=float(_or(request.guidance, backend.guidance)),
        motion=_or(request.motion, backend.motion) if backend.motion_range else None,
        mask=request.mask if backend.has_mask else None,
        frames=int(_or(request.frames, backend.frames)),
        fps=int(_or(request.fps, backend.fps)),
        size=int(_or(request.size, backend.size)),
        options=_with_defaults(backend, request.options),
    )
    if filled.frames not in backend.frame_choices:
        choices = ", ".join(map(str, backend.frame_choices))
        raise RequestError(f"{backend.title} makes videos of {choices} frames.")
    if filled.size > max(backend.sizes):
        raise RequestError(f"{backend.title} works at sizes up to {max(backend.sizes)}.")
    motion = (("motion", filled.motion, *backend.motion_range[:2]),) if backend.motion_range else ()
    for spec, options, more in ((backend, filled.options, motion), (proxy, filled.proxy_options, ())):
        limits = [(n, v, spec.options[n].low, spec.options[n].high) for n, v in options.items()]
        for name, value, low, high in (*limits, *more):
            if not isinstance(value, int | float) or not low <= value <= high:
                raise RequestError(f"The setting {name!r} must be a number from {low:g} to {high:g}.")
    return filled


def _with_defaults(spec: BackendSpec | ProxySpec, given: Mapping[str, float]) -> dict[str, float]:
    for name in given.keys() - spec.options.keys():
        raise RequestError(f"{spec.title} has no setting called {name!r}.")
    return {name: option.default for name, option in spec.options.items()} | dict(given)


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value
