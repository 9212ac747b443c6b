"""What a visitor can act on, as exceptions: every message is a sentence that says what to do."""

from __future__ import annotations


class AwakenError(Exception):
    """Something a visitor can act on; ``kind`` tells the page which card to show.

    Kinds: ``request`` (bad input), ``model`` (not installed or broken), ``memory``, ``numerics``,
    ``quota`` (of a rented GPU), ``internal``.
    """

    kind = "request"

    def __init__(self, message: str, kind: str | None = None) -> None:
        super().__init__(message)
        self.kind = kind or self.kind


class RequestError(AwakenError):
    """The request itself is wrong; the sentence says what to change."""


class ModelError(AwakenError):
    """A model is missing, partial or corrupt; the sentence says what to do about it."""

    kind = "model"


class NumericsError(AwakenError):
    """Latents became NaN or infinite."""

    kind = "numerics"
