"""The bundled pictures (``awaken.examples``) and their ready results, as the page shows them."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from awaken.examples import Example, load_index
from awaken.types import SETTINGS
from awaken.ui.controls import widgets
from awaken.ui.run import results
from awaken.ui.texts import say, suggestions, translated_prompt
from awaken.ui.texts.messages import translate

log = logging.getLogger(__name__)

# What picking a picture fills in, by name of ``Request``.
INPUTS = ("painting", "prompt", "p", "alpha", "peak", "variant", "seed", "motion")


class Bundled:
    """One entry of examples/index.json."""

    def __init__(self, example: Example):
        self.example = example
        self.id = example.id
        self.failure = example.failure

    @property
    def ready(self) -> bool:
        """Whether a ready result lies beside it."""
        return bool(self.example.results)

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """What the ready result was made with and measured as; the wishes where it has none."""
        if self.ready:
            return json.loads(self.example.results["settings"].read_text(encoding="utf-8"))
        return {"prompt": self.example.prompt} | (self.example.settings or {})

    @property
    def suggestions(self) -> list[str]:
        """Prompts that suit this picture, its own first."""
        own = list(dict.fromkeys((self.example.prompt, *self.example.suggestions)))
        shown = [translated_prompt(prompt) for prompt in own]
        return [*shown, *(suggestions() if len(shown) == 1 else [])][:3]

    @property
    def byline(self) -> str:
        return say("and").join(self._of("artist", "year"))

    @property
    def title(self) -> str:
        return translate(self.example.title)

    def _of(self, *names: str) -> list[str]:
        return [translate(part) for name in names if (part := getattr(self.example, name))]

    def picture(self) -> dict[str, str]:
        """What the page remembers of the chosen painting."""
        return {
            "id": self.id,
            "path": str(self.example.path),
            "title": self.title,
            "byline": self.byline,
            "credit": self.example.source,
            "licence": translate(self.example.licence),
        }

    def thumbnail(self) -> dict[str, str]:
        """For the gallery."""
        return {
            "id": self.id,
            "alt": say("and").join(self._of("artist", "title", "year")),
            "thumb": widgets.thumbnail(self.example.path),
        }

    def inputs(self) -> dict[str, Any]:
        """Values for the controls, and the id that is marked in the gallery."""
        values = {n: self.settings.get(n, SETTINGS[n].default) for n in INPUTS if n in SETTINGS}
        return {name: value for name, value in values.items() if value is not None} | {
            "painting": str(self.example.path),
            "prompt": translated_prompt(self.example.prompt),
            "id": self.id,
        }

    def scene(self) -> dict[str, Any]:
        """The ready result as a stage value."""
        return results.film(
            self.settings,
            {"painting": self.example.path} | self.example.results,
            label=say("example_of", title=self.title),
            painting_note=self.byline,
        )

    def placard(self) -> dict[str, Any]:
        """The label of the ready result."""
        return self.picture() | {
            "tag": say("example_failure") if self.failure else say("example"),
            "prompt": results.prompt_in_words(self.settings),
            "remark": translate(self.failure or ""),
            "facts": results.facts(self.settings),
            "files": results.downloads(self.example.results, self.settings),
        }


def picture_of(
    bundled: Sequence[Bundled], painting: str | None, remembered: Mapping[str, str] | None
) -> dict[str, str]:
    """What is known of a painting. Remembered is what the session has, if it has not been forgotten
    and is about this file; a bundled picture is known by its file."""
    if remembered and remembered.get("path") == painting:
        return dict(remembered)
    known = (b.picture() for b in bundled if painting and str(b.example.path) == painting)
    return next(known, {"path": painting} if painting else {})


def load() -> list[Bundled]:
    """Everything that examples/index.json lists, in gallery order, failures last.

    What is broken or not there is left out, with a line in the log: the page starts without it.
    """
    return [bundled for bundled in map(Bundled, load_index()) if _is_whole(bundled)]


def _is_whole(bundled: Bundled) -> bool:
    try:
        bundled.thumbnail()
        if bundled.ready:
            bundled.scene()
            bundled.placard()
        return True
    except Exception:  # a picture, a film and a settings file, each broken in its own way
        log.exception("the example %s is left out", bundled.id)
        return False
