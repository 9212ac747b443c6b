"""What a visitor can act on, as exceptions: every message is a sentence that says what to do."""

from __future__ import annotations

from typing import Any

from awaken.message import Message


class AwakenError(Exception):
    """Something a visitor can act on; ``kind`` tells the page which card to show.

    ``message`` is the sentence as a Message, made from a template and its values.
    Kinds: ``request`` (bad input), ``model`` (not installed or broken), ``memory``, ``numerics``,
    ``quota`` (of a rented GPU), ``internal``.
    """

    kind = "request"

    def __init__(self, template: str, /, **values: Any) -> None:
        self.message = template if isinstance(template, Message) else Message(template, **values)
        super().__init__(self.message)


class RequestError(AwakenError):
    """The request itself is wrong; the sentence says what to change."""


class ModelError(AwakenError):
    """A model is missing, partial or corrupt; the sentence says what to do about it."""

    kind = "model"


class NumericsError(AwakenError):
    """Latents became NaN or infinite."""

    kind = "numerics"
