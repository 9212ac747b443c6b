"""What the miniature knows, and honest sentences about prompts that go beyond it.

The networks learnt from a few hundred captions; assets/miniature/captions.json lists them by idea.
A clause of a prompt counts as known when its meaning is near one of them. On 91 clauses that we
sorted by hand into known and unknown, the threshold decides 82 as we did.
"""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path

from awaken.message import Message
from awaken.miniature.loading import ASSETS
from awaken.miniature.reading import Reading, read
from awaken.miniature.text import WORDS, TextEncoder
from awaken.types import ModelError

_NEAR = 0.5  # cosine of sentence vectors from which a clause counts as known
_BREAKS = re.compile(r"[,.;:!?()\n]+|\b(?:and|while|as|then|but)\b", re.IGNORECASE)


class Vocabulary:
    """The ideas that the networks were trained on, with their captions' sentence vectors."""

    def __init__(self, encoder: TextEncoder, folder: Path = ASSETS):
        """Raises ModelError when the list of captions is missing or damaged."""
        try:
            ideas = json.loads((folder / "captions.json").read_text(encoding="utf-8"))
            captions = [(idea, text) for idea, entry in ideas.items() for text in entry["captions"]]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(
                "The miniature's captions.json is missing or damaged. "
                "Get it again, for example with `git checkout -- assets/miniature`."
            ) from error
        self.encoder = encoder
        self.known = [idea for idea, entry in ideas.items() if not entry.get("hardly")]
        self._ideas = [idea for idea, _ in captions]
        self._vectors = encoder.sentences([text for _, text in captions])

    def nearest(self, clause: str) -> tuple[str, float]:
        """The trained idea that a clause means most nearly, and how nearly, -1 to 1."""
        similarity = self._vectors @ self.encoder.sentences([clause])[0]
        best = int(similarity.argmax())
        return self._ideas[best], float(similarity[best])

    def notices(self, prompt: str) -> list[str]:
        """Sentences for the visitor about what of a prompt will have no or little effect."""
        asked = read(prompt)
        if not _mostly_latin(asked.english):
            return [
                Message(
                    "The miniature reads English only, so this prompt means little to it. Say it in "
                    "English, for example: the clouds drift."
                )
            ]
        return [*_unobeyed(asked), *self._unlearnt(asked.moving)]

    def _unlearnt(self, prompt: str) -> list[str]:
        notices, unknown, hardly = [], [], []
        if len(self.encoder.pieces(prompt)) > WORDS:
            notices.append(
                Message(
                    "The miniature reads only the first words of a long prompt (up to {count} word "
                    "pieces); put the motion first.",
                    count=WORDS - 2,
                )
            )
        clauses = [clause.strip() for clause in _BREAKS.split(prompt)]
        clauses = [clause for clause in clauses if any(map(str.isalpha, clause))]
        for clause in clauses:
            idea, similarity = self.nearest(clause)
            if similarity < _NEAR:
                unknown.append(f"“{_short(clause)}”")
            elif idea not in self.known:
                hardly.append(idea)
        if unknown:
            notices.append(
                Message(
                    "The miniature does not know {clauses}: that part may do nothing, or move something "
                    "else. It knows {ideas}.",
                    clauses=unknown,
                    ideas=self.known,
                )
            )
        if hardly:
            notices.append(
                Message(
                    "The miniature has hardly learnt {ideas}: expect little of it.",
                    ideas=dict.fromkeys(hardly),
                )
            )
        return notices


# What ``Reading.unread`` names, in words for the visitor.
_UNREAD = {
    "depth": Message(
        "The miniature moves things up, down and sideways, never towards the viewer or away: say left, "
        "right, up or down."
    ),
    "compass": Message(
        "The miniature does not know north, south, east and west: say left, right, up or down."
    ),
    "rotation": Message(
        "The miniature does not know clockwise and anticlockwise: what turns may turn either way."
    ),
    "directions": Message(
        "The miniature obeys one direction for all that moves; with more, things may go any way."
    ),
    "speeds": Message(
        "The miniature obeys one speed in a sentence; with two, both may move alike."
    ),
}


def _unobeyed(asked: Reading) -> list[str]:
    said = []
    if asked.strange:
        said.append(
            Message(
                "The miniature has read this as “{english}”, and did not understand {unknown}.",
                english=asked.english,
                unknown=[f"“{word}”" for word in asked.strange],
            )
        )
    if not asked.moving:
        said.append(
            Message("The prompt asks that nothing moves, so nothing does: say what should move.")
        )
    return said + [_UNREAD[kind] for kind in asked.unread]


def _short(clause: str, length: int = 60) -> str:
    return clause if len(clause) <= length else clause[: length - 1] + "…"


def _mostly_latin(text: str) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    latin = sum(unicodedata.name(letter, "").startswith("LATIN") for letter in letters)
    return latin * 2 > len(letters)
