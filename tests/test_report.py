"""The report is an evaluation of its own pairs, which are never bundled ones nor trained on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from awaken.evaluate import generate, pairs
from awaken.evaluate.measures import measure
from awaken.miniature.classes import CLASSES
from awaken.miniature.training import report
from awaken.miniature.training.held_out import HELD_OUT, RECOGNITION
from awaken.painting import open_painting, to_size
from awaken.video import read_clip
from tests import tiny

ROOT = Path(__file__).parent.parent


def region_of(pair: dict, height: int, width: int) -> np.ndarray:
    return generate.region_of(pair["polygons"], np.zeros((height, width, 3), np.uint8))


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two pairs of one painting: its upper half, and something that the training data lack."""
    Image.fromarray(tiny.painting(3, 96, 128)).save(tmp_path / "artist_work.png")
    upper = [[[0, 0], [100, 0], [100, 50], [0, 50]]]
    rows = [
        {"painting": "artist_work.png", "prompt": "clouds drift to the left", "region": "sky"},
        {"painting": "artist_work.png", "prompt": "the people dance", "region": "people"},
    ]
    (tmp_path / "pairs.json").write_text(json.dumps([r | {"polygons": upper} for r in rows]))
    return tmp_path


def test_the_real_clip_moves_what_the_pair_names(folder):
    manifest = folder / "out" / "manifest.jsonl"
    manifest.parent.mkdir()
    report.make_manifest(folder / "pairs.json", folder, manifest, clips=True)
    sky, people = pairs.read(manifest)
    assert (sky.id, sky.scene, people.scene) == ("00-artist_work", "artist_work", "artist_work")
    assert people.clip is None and sky.region == people.region
    height, width = 232, 304  # about 256 x 256 pixels in the painting's shape
    clip = read_clip(sky.clip, 16, 8, width, height)
    painting = to_size(open_painting(sky.image), width, height)
    found = measure(clip, painting, generate.region_of(sky.region, painting))
    assert len(clip) == 16 and found["psnr"] > 35
    assert found["inside"] > 0.2 and found["share"] > 0.9 and found["agreement"] > 0.8
    before = sky.clip.read_bytes()
    report.make_manifest(folder / "pairs.json", folder, manifest, clips=True)
    assert sky.clip.read_bytes() == before


def test_the_report_is_an_evaluation_of_its_pairs(folder, monkeypatch):
    """The same harness as everybody's: its words pass through, its size is the report's own."""
    called = []
    monkeypatch.setattr(report.evaluate, "main", lambda words: called.append(words) or 0)
    out = folder / "out"
    where = ["--paintings", str(folder), "--out", str(out), "--pairs", str(folder / "pairs.json")]
    assert report.main([*where, "--no-clips", "--arms", "baseline", "--seeds", "2"]) == 0
    run, *others = called
    assert run[:3] == ["run", "--data", str(out / "manifest.jsonl")]
    assert run[-6:] == ["--set", "size=256", "--arms", "baseline", "--seeds", "2"]
    assert others == [[name, "--out", str(out)] for name in ("score", "table", "figures")]
    assert all(pair.clip is None for pair in pairs.read(out / "manifest.jsonl"))


def test_at_least_24_pairs_and_none_is_bundled():
    listed = json.loads(report.PAIRS.read_text())
    assert len(listed) >= 24
    bundled = {
        " ".join(e["title"].lower().split())
        for e in json.loads((ROOT / "examples/index.json").read_text())
    }
    for pair in listed:
        work = pair["painting"].split("_")[1].removesuffix(".jpg").replace("-", " ")
        assert not any(title.replace("-", " ").startswith(work) for title in bundled), work
        mask = region_of(pair, 100, 150)
        assert 0.005 < mask.mean() < 0.8, pair["prompt"]


LABELS = {
    name: json.loads((ROOT / f"awaken/miniature/training/{name}.json").read_text())
    for name in ("regions", "study_regions")
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_labelled_training_pictures_are_none_of_the_measured_paintings(labels):
    measured = {p["painting"].split("_")[1] for p in json.loads(report.PAIRS.read_text())}
    assert labels and not measured & set(labels)


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_labels_are_polygons_of_known_classes(labels):
    for picture, entry in labels.items():
        assert set(entry["regions"]) <= set(CLASSES) and entry["source"], picture
        for polygons in entry["regions"].values():
            assert all(np.shape(p)[1:] == (2,) and len(p) > 2 for p in polygons), picture


def test_what_is_held_out_is_labelled_and_held_out_once():
    assert set(RECOGNITION) <= set().union(*LABELS.values()) and not set(RECOGNITION) & set(
        HELD_OUT
    )
    assert len(set(HELD_OUT)) == len(HELD_OUT) and set(HELD_OUT) <= set().union(*LABELS.values())


def test_nothing_of_the_absent_pairs_is_measured_as_a_region():
    absent = json.loads((ROOT / "awaken/miniature/training/absent_pairs.json").read_text())
    assert len(absent) >= 24
    assert all(region_of(p, 60, 90).all() for p in absent)


def test_settings_are_chosen_on_paintings_that_are_neither_trained_on_nor_measured():
    chosen = json.loads((ROOT / "awaken/miniature/training/held_out_pairs.json").read_text())
    assert {p["painting"] for p in chosen} == set(HELD_OUT)
    for pair in chosen:
        mask = region_of(pair, 100, 150)
        assert 0.003 < mask.mean() < 0.8, pair["prompt"]
