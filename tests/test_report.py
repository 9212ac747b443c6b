"""The report's measures have closed forms on made videos; its pairs are never bundled ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from awaken.miniature.classes import CLASSES
from awaken.miniature.training import report, report_page
from awaken.miniature.training.held_out import HELD_OUT, RECOGNITION

ROOT = Path(__file__).parent.parent


def texture(height: int, width: int) -> np.ndarray:
    import cv2

    noise = np.random.default_rng(0).random((height // 4, width // 4, 3)).astype(np.float32)
    return (
        cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1) * 255
    ).astype(np.uint8)


def test_a_region_that_moves_two_pixels_a_frame_is_measured_so():
    wide = texture(256, 400)
    painting = wide[:, :320]
    region = np.zeros((256, 320), bool)
    region[:128] = True
    frames = np.stack([painting.copy() for _ in range(9)])
    for i in range(9):
        frames[i, :128] = wide[:128, 2 * i : 2 * i + 320]
    found = report.measure(frames, painting, region)
    assert found["inside"] == pytest.approx(100 * 2 / 256, rel=0.1)
    assert found["outside"] < 0.08 and found["share"] > 0.95
    assert found["psnr"] == 60 and found["detail"] == pytest.approx(1, abs=0.05)
    assert found["flicker"] < 1
    wrong = report.measure(frames, painting, ~region)
    assert wrong["share"] < 0.05 and wrong["outside"] > 0.6


def test_a_still_video_moves_nowhere_and_a_flickering_one_flickers():
    painting = texture(256, 256)
    region = np.zeros((256, 256), bool)
    region[:100] = True
    still = report.measure(np.stack([painting] * 6), painting, region)
    assert still["share"] == still["inside"] == still["flicker"] == 0
    blinking = np.stack([painting, (painting * 0.8).astype(np.uint8)] * 3)
    assert report.measure(blinking, painting, region)["flicker"] > 20


def row(pair: int, arm: str, seed: int, inside: float, share: float) -> dict:
    values = {"psnr": 40.0, "detail": 1.0, "outside": 0.05, "flicker": 0.1}
    return {"pair": pair, "arm": arm, "seed": seed, "inside": inside, "share": share} | values


def test_medians_are_over_pairs_and_wins_are_paired_by_seed(tmp_path):
    rows = [row(p, "baseline", s, 0.2 + 0.1 * p + 0.02 * s, 0.5) for p in range(3) for s in (0, 1)]
    rows += [row(0, "+V&S", 0, 0.9, 0.4), row(1, "+V&S", 1, 0.1, 0.6), row(2, "+V&S", 0, 0.1, 0.1)]
    summary = report_page.summarise(rows)
    assert summary["baseline"]["inside"]["median"] == pytest.approx(0.31)
    assert summary["baseline"]["inside"]["seeds"] == pytest.approx(0.01)
    wins = report_page.better_pairs(rows, "+V&S")
    assert wins == {"inside": 1 / 3, "share": 1 / 3, "either": 2 / 3}
    text = "\n".join(json.dumps(r) for r in rows) + '\n{"pair": 0, "se'
    (tmp_path / "rows.jsonl").write_text(text)
    assert len(report_page.read_rows(tmp_path / "rows.jsonl")) == len(rows)
    pairs = [{"painting": "a.jpg", "prompt": "the sea <moves>"}] * 3
    written = report_page.write_up(tmp_path, pairs, {"guidance": 3})
    assert "| +V&S | 33% | 33% | 67% |" in written
    assert (tmp_path / "report.svg").read_text().count("<circle") == 6 * 6


def test_at_least_24_pairs_and_none_is_bundled():
    pairs = json.loads(report.PAIRS.read_text())
    assert len(pairs) >= 24
    bundled = {
        " ".join(e["title"].lower().split())
        for e in json.loads((ROOT / "examples/index.json").read_text())
    }
    for pair in pairs:
        work = pair["painting"].split("_")[1].removesuffix(".jpg").replace("-", " ")
        assert not any(title.replace("-", " ").startswith(work) for title in bundled), work
        mask = report.region_of(pair["polygons"], 100, 150)
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
    assert set(RECOGNITION) <= set().union(*LABELS.values()) and not set(RECOGNITION) & set(HELD_OUT)
    assert len(set(HELD_OUT)) == len(HELD_OUT) and set(HELD_OUT) <= set().union(*LABELS.values())


def test_nothing_of_the_absent_pairs_is_measured_as_a_region():
    absent = json.loads((ROOT / "awaken/miniature/training/absent_pairs.json").read_text())
    assert len(absent) >= 24
    assert all(report.region_of(p["polygons"], 60, 90).all() for p in absent)


def test_settings_are_chosen_on_paintings_that_are_neither_trained_on_nor_measured():
    chosen = json.loads((ROOT / "awaken/miniature/training/held_out_pairs.json").read_text())
    assert {p["painting"] for p in chosen} == set(HELD_OUT)
    for pair in chosen:
        mask = report.region_of(pair["polygons"], 100, 150)
        assert 0.003 < mask.mean() < 0.8, pair["prompt"]
