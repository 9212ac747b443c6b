"""The bundled examples: complete credits, small files, and ready results that the engine makes."""

import json

import numpy as np
import pytest

from awaken.analysis import compared
from awaken.engine import Engine
from awaken.examples import FOLDER, load_index, run
from awaken.painting import open_painting
from awaken.types import BOUNDS, MAX_PROMPT
from awaken.video import read_settings
from tests.test_video import read_frames

EXAMPLES = load_index()
GALLERY = [example for example in EXAMPLES if not example.failure]
READY = [example for example in EXAMPLES if example.results]


def test_the_gallery_is_twelve_paintings_and_three_photographs():
    kinds = [example.kind for example in GALLERY]
    assert kinds.count("painting") == 12 and kinds.count("photograph") == 3
    assert len({example.id for example in EXAMPLES}) == len(EXAMPLES)
    used = {example.path for example in EXAMPLES}
    assert len(EXAMPLES) == 16 and EXAMPLES[-1].failure.endswith(".")
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


def test_every_example_has_a_small_ready_result():
    assert READY == EXAMPLES
    sizes = {e.id: e.results["stacked"].stat().st_size for e in READY}
    assert max(sizes.values()) < 550_000 and sum(sizes.values()) < 8_500_000, sizes
    everything = sum(p.stat().st_size for p in FOLDER.rglob("*") if p.is_file())
    assert everything < 12_000_000


@pytest.mark.parametrize("example", READY, ids=lambda e: e.id)
def test_ready_results_record_their_making(example):
    settings = json.loads(example.results["settings"].read_text("utf-8"))
    found = settings.pop("difference")  # measured when the film was finished
    film = read_settings(example.results["stacked"])
    assert settings == {name: value for name, value in film.items() if name != "difference"}
    height = settings["height"]
    both = read_frames(example.results["stacked"], 2 * height, settings["width"])
    shown = compared(both[:, :height], both[:, height : 2 * height])
    for video in ("baseline", "awakened"):  # and true of what the page shows, compression aside
        curves = found[video]["curve"], shown[video]["curve"]
        assert np.allclose(*curves, rtol=0.1, atol=0.7)
        assert np.isclose(*map(np.mean, curves), rtol=0.2, atol=0.1)
    asked = {"prompt": example.prompt, "frames": 16} | dict(example.settings)
    assert {name: settings[name] for name in asked} == asked
    proxy = open_painting(example.results["proxy"])
    assert proxy.shape == (settings["height"], settings["width"], 3)


def test_a_ready_result_comes_out_of_the_engine_again():
    """Anew, one example lies far closer to the bundled video than that is to a still picture."""
    example = next(e for e in EXAMPLES if e.id == "starry-night")  # moves more than mp4 changes
    made = run(Engine(device="cpu", dtype="float32"), example)
    height, width = made.painting.shape[:2]
    bundled = read_frames(example.results["stacked"], 2 * height, width)
    for video, half in ((made.baseline, bundled[:, :height]), (made.awakened, bundled[:, height:])):
        still = np.broadcast_to(made.painting, video.shape)
        assert distance(video, half) < 0.08 * distance(still, half), (
            "run: python -m awaken.examples"
        )


def distance(first: np.ndarray, second: np.ndarray) -> float:
    """Mean squared difference after the first frames, where little has moved yet."""
    return float(np.mean((first[4:].astype(np.float32) - second[4:]) ** 2))
