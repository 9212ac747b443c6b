"""A sentence that keeps the template and the values it was made from, so that a page can translate it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from numbers import Number
from typing import Any


class Message(str):
    """The finished English sentence; ``template`` and ``values`` are what it was made from.

    Message("There is no picture at {path}.", path=path). A value may be a Message itself, or several
    values, which are listed. A template without values may hold braces.
    """

    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, /, **values: Any) -> Message:
        kept = {name: _plain(value) for name, value in values.items()}
        made = super().__new__(cls, _filled(template, kept, str, ", "))
        made.template, made.values = template, kept
        return made

    def translated(self, translate: Callable[[str], str], separator: str) -> str:
        """The sentence with its template, and whatever stands in it, in other words.

        translate: of a template, or of a value that is a name or a sentence; what it does not know
        it returns as it is. separator: between values that are listed.
        """
        return _filled(translate(self.template), self.values, translate, separator)

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self.template, self.values)


def _again(template: str, values: dict[str, Any]) -> Message:
    return Message(template, **values)


def _plain(value: Any) -> Any:
    """As it can be kept and pickled: numbers and texts."""
    if isinstance(value, Number | str):
        return value
    return tuple(map(_plain, value)) if isinstance(value, Iterable) else str(value)


def _filled(
    template: str, values: dict[str, Any], translate: Callable[[str], str], separator: str
) -> str:
    def words(value: Any) -> Any:
        if isinstance(value, tuple):
            return separator.join(str(words(part)) for part in value)
        if isinstance(value, Message):
            return value.translated(translate, separator)
        return translate(value) if isinstance(value, str) else value

    return template.format(**{k: words(v) for k, v in values.items()}) if values else template
