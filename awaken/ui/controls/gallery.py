"""The bundled pictures (``awaken.examples``) and their ready results, as the page shows them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from awaken.examples import Example, load_index
from awaken.types import SETTINGS
from awaken.ui.controls import widgets
from awaken.ui.run import results
from awaken.ui.texts import say, suggestions, translated_prompt
from awaken.ui.texts.messages import translate

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


def load() -> list[Bundled]:
    """Everything that examples/index.json lists, in gallery order, failures last."""
    return [Bundled(example) for example in load_index()]
