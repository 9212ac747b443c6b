"""One setting of a run: what it may be, and what it means. ``types.Request`` declares them all.

Whatever lists, checks or explains settings reads this table: the request's own checks, recipes and
links, the command line, the schema for programs and the page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from awaken.errors import RequestError
from awaken.message import Message

MAX_TEXT = 600  # characters of a prompt
_SHOWN = 1e15  # numbers from here on are not repeated to people

Kind = Literal["text", "number", "whole", "choice", "model", "switch", "options"]


@dataclass(frozen=True)
class Setting:
    """A row of the table.

    kind: a text; a number or a whole one, between ``low`` and ``high`` (none where the model says);
        one of ``choices``; a key of the models' registry; yes or no; a model's own numbers by name.
    sentence: what it means. called: for people. flag: of the command line.
    model: "backend" or "proxy": None, the default, stands for the chosen one's own, which its spec
        has as ``spec_name``; a model whose spec is empty at ``only_with`` lacks the setting.
    """

    kind: Kind
    sentence: str
    default: Any = None
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    called: str = ""
    flag: str = ""
    model: Literal["", "backend", "proxy"] = ""
    spec_name: str = ""
    only_with: str = ""

    def check(self, name: str, value: Any) -> None:
        """Raise RequestError with a sentence when ``value`` cannot be used."""
        if value is None and self.default is None:
            return
        if self.kind == "text":
            _check_text(name, value)
        elif self.kind == "choice":
            if not isinstance(value, str) or value not in self.choices:
                raise RequestError(
                    "There is no {name} called {value!r}; choose one of {choices}.",
                    name=self.called or name,
                    value=value,
                    choices=self.choices,
                )
        elif self.kind == "model":
            if not isinstance(value, str):
                raise RequestError("The setting {name} is a text.", name=repr(name))
        elif self.kind == "switch":
            if not isinstance(value, bool):
                raise RequestError("The setting {name} is yes or no.", name=repr(name))
        elif self.low is not None:
            self._check_number(name, value)

    def _check_number(self, name: str, value: Any) -> None:
        least, most = _shown(self.low), _shown(self.high)
        if value is None:
            raise RequestError(
                "The setting {name} is missing; it goes from {low} to {high}.",
                name=repr(name),
                low=least,
                high=most,
            )
        number = isinstance(value, int | float | np.integer | np.floating)
        if isinstance(value, bool) or not number or not abs(value) < _SHOWN:
            raise RequestError(
                "The setting {name} must be a number from {low} to {high}.",
                name=repr(name),
                low=least,
                high=most,
            )
        whole = self.kind == "whole"
        if not self.low <= value <= self.high or (whole and value != int(value)):
            kind = Message("a whole number") if whole else Message("a number")
            raise RequestError(
                "The setting {name} is {value}; it must be {kind} from {low} to {high}.",
                name=repr(name),
                value=_shown(value),
                kind=kind,
                low=least,
                high=most,
            )

    def own(self, name: str, spec: Any, value: Any) -> Any:
        """The value, or the model's own default; the table's where the model has no such setting."""
        if self.only_with and not getattr(spec, self.only_with):
            return self.default
        if value is None:
            value = getattr(spec, self.spec_name or name) if self.default is None else self.default
        return _TYPES[self.kind](value)

    def option(self, name: str) -> str:
        """The flag of the command line."""
        return self.flag or f"--{name.replace('_', '-')}"

    def schema(self, models: Sequence[str] = ()) -> dict[str, Any]:
        """As JSON schema; ``models``: the registry's keys for a setting of kind "model"."""
        shown: dict[str, Any] = {"type": _JSON.get(self.kind, "string")}
        if self.kind == "options":
            shown |= {"additionalProperties": {"type": "number"}}
        elif self.kind in ("choice", "model"):
            shown = {"enum": list(self.choices or models)}
        elif self.low is not None:
            shown |= {"minimum": self.low, "maximum": self.high}
        default = {} if self.kind == "options" else self.default
        return shown | {"default": default, "description": self.sentence}


_TYPES: dict[str, Callable[[Any], Any]] = {
    "number": float, "whole": int, "text": str, "switch": bool,
}  # fmt: skip
_JSON = {"number": "number", "whole": "integer", "switch": "boolean", "options": "object"}


def setting(kind: Kind, sentence: str, default: Any = None, **more: Any) -> Any:
    """A field of ``Request`` and its row of the table in one declaration."""
    row = {"setting": Setting(kind, sentence, default, **more)}
    if kind == "options":
        return field(default_factory=dict, metadata=row)
    return field(default=default, metadata=row)


def _check_text(name: str, text: Any) -> None:
    if not isinstance(text, str):
        raise RequestError("The setting {name} is a text.", name=repr(name))
    if len(text) > MAX_TEXT:
        raise RequestError(
            "That text is too long: keep it under {limit} characters; one short sentence works "
            "best.",
            limit=MAX_TEXT,
        )
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise RequestError(
            "That text holds half a character, as when an emoji was cut in two: write it anew."
        )


def _shown(value: float) -> str:
    """A number below ``_SHOWN`` for people: a whole one with all its digits."""
    return str(int(value)) if value == int(value) else f"{value:g}"
