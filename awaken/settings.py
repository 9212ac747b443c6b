"""A request's settings: the chosen models' defaults filled in, and checked against these models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from awaken.backends import BackendSpec
from awaken.proxies import ProxySpec
from awaken.types import SETTINGS, ModelError, Request, RequestError

if TYPE_CHECKING:
    import numpy as np

    from awaken.backends import Backend


def resolve(request: Request, backend: BackendSpec, proxy: ProxySpec) -> Request:
    """Fill in the chosen models' defaults and check what depends on the model.

    Raises RequestError, ModelError with a sentence.
    """
    for spec in (backend, proxy):
        missing = spec.available()
        if missing:
            raise ModelError(
                "{title} cannot run here: {missing}", title=spec.title, missing=missing
            )
    if proxy.needs_image and request.proxy_image is None:
        raise RequestError(
            "The proxy “{title}” needs a picture: drop one into the proxy field, or choose "
            "another proxy.",
            title=proxy.title,
        )
    specs = {"backend": backend, "proxy": proxy}
    own = {
        name: row.own(name, specs[row.model], getattr(request, name))
        for name, row in SETTINGS.items()
        if row.model
    }
    if request.steps is None:
        own["steps"] = backend.steps_of(own["draft"])
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
        raise RequestError(
            "{title} makes videos of {choices} frames.",
            title=backend.title,
            choices=backend.frame_choices,
        )
    if filled.size > max(backend.sizes):
        raise RequestError(
            "{title} works at sizes up to {size}.", title=backend.title, size=max(backend.sizes)
        )
    if backend.motion_range:
        _check_range("motion", filled.motion, *backend.motion_range[:2])
    for spec, options in ((backend, filled.options), (proxy, filled.proxy_options)):
        for name, value in options.items():
            _check_range(name, value, spec.options[name].low, spec.options[name].high)
    return filled


def told(request: Request, backend: Backend, painting: np.ndarray) -> dict[str, Any]:
    """A run's settings as its result tells them: beside the visitor's own what was read of the
    prompt, where the model reads by rules, the working size and the weights."""
    from awaken import __version__

    reading = backend.reading(request.prompt)
    height, width = painting.shape[:2]
    return request.settings() | ({} if reading is None else {"read": reading}) | {
        "width": width, "height": height, "dtype": str(backend.dtype).removeprefix("torch."),
        "weights": backend.weights_id, "awaken": __version__,
    }  # fmt: skip


def _check_range(name: str, value: Any, low: float, high: float) -> None:
    if not isinstance(value, int | float) or not low <= value <= high:
        raise RequestError(
            "The setting {name} must be a number from {low} to {high}.",
            name=repr(name),
            low=f"{low:g}",
            high=f"{high:g}",
        )


def _with_defaults(spec: BackendSpec | ProxySpec, given: Mapping[str, float]) -> dict[str, float]:
    for name in given.keys() - spec.options.keys():
        raise RequestError("{title} has no setting called {name!r}.", title=spec.title, name=name)
    return {name: option.default for name, option in spec.options.items()} | dict(given)
