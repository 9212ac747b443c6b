"""The bundled examples: complete credits, small files, and ready results that the engine makes."""


import pytest

from awaken.examples import FOLDER, load_index
from awaken.painting import open_painting
from awaken.types import BOUNDS, MAX_PROMPT

EXAMPLES = load_index()
GALLERY = [example for example in EXAMPLES if not example.failure]


def test_the_gallery_is_twelve_paintings_and_three_photographs():
    kinds = [example.kind for example in GALLERY]
    assert kinds.count("painting") == 12 and kinds.count("photograph") == 3
    assert len({example.id for example in EXAMPLES}) == len(EXAMPLES)
    used = {example.path for example in EXAMPLES}
    assert used == {p for p in (FOLDER / "paintings").iterdir() if p.suffix == ".jpg"}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.id)
def test_every_entry_is_complete_and_opens(example):
    for name in ("id", "file", "kind", "title", "artist", "year", "source", "licence", "prompt"):
        assert isinstance(getattr(example, name), str) and getattr(example, name).strip(), name
    if example.kind == "painting":
        assert example.licence.startswith("Public domain")
    assert all(0 < len(p) <= MAX_PROMPT for p in (example.prompt, *example.suggestions))
    assert set(example.settings) <= {"motion", "variant", "alpha", *BOUNDS}
    picture = open_painting(example.path)
    assert max(picture.shape[:2]) <= 1200 and min(picture.shape[:2]) >= 400
    assert example.path.stat().st_size < 310_000
    example.request()
