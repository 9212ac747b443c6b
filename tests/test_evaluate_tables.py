"""From scores to Table 1, figures and the page: written scores, known answers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from awaken.evaluate import films, fvd, page, summary, table
from awaken.evaluate.__main__ import main
from awaken.evaluate.figures import draw
from awaken.evaluate.protocol import Protocol, keep
from awaken.types import RequestError

SLUGS = {
    "baseline": "baseline",
    "VS": "+V&S",
    "VS_p=0.2": "p=0.2",
    "VS_proxy=identity": "proxy=identity",
}
COUNT = 260


def evaluation(out: Path, backend: str = "miniature", count: int = COUNT) -> Path:
    """A folder as ``score`` leaves it, its videos made up: each arm is a tenth above the last."""
    out.mkdir()
    keep(Protocol(backend, "miniature", "list.csv", count, "f00d", 42, 16, 64, 64), out)
    names = [f"v{i:03d}" for i in range(count)]
    lines = [json.dumps({"id": n, "prompt": f"“{n}” <moves>", "scene": n[:3]}) for n in names]
    (out / "pairs.jsonl").write_text("\n".join(lines) + "\n")
    (out / "arms.json").write_text(json.dumps(SLUGS))
    rng = np.random.default_rng(0)
    skill = rng.normal(25, 1, count)
    for step, slug in enumerate([*SLUGS, films.REAL]):
        (out / "videos" / slug).mkdir(parents=True)
        logits = logits_of(slug, count)
        rows = {
            "clip": [{"clipsim": 0.1 * step + value} for value in skill],
            "motion": [{"inside": 0.1 + 0.01 * step, "agreement": 0.7} for _ in names],
            "i3d": [{"logits": list(row)} for row in logits],
        }
        for kind, values in rows.items():
            folder = out / "scores" / kind
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "about.json").write_text(json.dumps({"about": f"a {kind}"}))
            text = [json.dumps({"id": n, "file": "", "by": f"a {kind}"} | v)
                    for n, v in zip(names, values, strict=True)]  # fmt: skip
            (folder / f"{slug}.jsonl").write_text("\n".join(text) + "\n")
    return out


def logits_of(slug: str, count: int = COUNT) -> np.ndarray:
    rng = np.random.default_rng(len(slug))
    return rng.standard_normal((count, 20)) + (0 if slug == films.REAL else 3 - len(slug) / 8)


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(summary, "FVD_RESAMPLES", 5)


def test_table_1_has_ours_and_the_papers_side_by_side(tmp_path, capsys):
    folders = [evaluation(tmp_path / name, name) for name in ("miniature", "cinemo")]
    assert main(["table", "--out", *map(str, folders)]) == 0
    text = capsys.readouterr().out
    head = next(line for line in text.splitlines() if line.startswith("| arm |"))
    assert "Miniature, CLIPSIM ↑ | Miniature, FVD ↓ | Cinemo, CLIPSIM ↑" in head
    wanted = fvd.frechet(logits_of("VS"), logits_of("real"))
    row = next(line for line in text.splitlines() if line.startswith("| +V&S |"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert len(cells) == 1 + 4 + 6 and cells[5:7] == ["26.35", "317"]
    assert cells[2].startswith(f"{wanted:.0f} ± ")
    results = json.loads((folders[0] / "results.json").read_text())
    method, base = (results["arms"][name] for name in ("+V&S", "baseline"))
    assert method["fvd"]["value"] == pytest.approx(wanted) and method["fvd"]["videos"] == COUNT
    gap = method["against_baseline"]["clipsim"]
    assert gap["mean"] == pytest.approx(0.1) and gap["better"] == 1
    assert gap["high"] - gap["low"] < 1e-9  # pairing takes the spread of the pairs away
    assert method["measures"]["clipsim"]["mean"] - base["measures"]["clipsim"]["mean"] > 0.09
    assert "fvd" not in results["arms"]["real"]
    assert "260 videos a side is too high by sampling alone" in text and "f00d" in text
    assert "Condition: the pair's image, else frame 0" in text and "a clip" in text


def test_too_few_videos_have_no_distance(tmp_path):
    found = summary.summarise(evaluation(tmp_path / "few", count=255))
    assert "value" not in found["arms"]["+V&S"]["fvd"]
    text = table.render([found])
    assert "| – (255 videos) |" in text and "it needs 256" in text


def test_scores_of_another_model_do_not_count(tmp_path):
    out = evaluation(tmp_path / "out")
    (out / "scores" / "clip" / "about.json").write_text(json.dumps({"about": "a larger clip"}))
    found = summary.summarise(out)
    assert all("clipsim" not in arm["measures"] for arm in found["arms"].values())


def test_figures_show_the_papers_measures_where_they_are_there(tmp_path, monkeypatch):
    out = evaluation(tmp_path / "out")
    found = summary.summarise(out)
    assert [path.name for path in draw(found, out)] == ["fig7.png", "fig8.png"]
    for name in ("fig7", "fig8"):
        with Image.open(out / f"{name}.png") as picture:
            assert picture.width > 3 * 300  # CLIPSIM, FVD and one more
    for arm in found["arms"].values():
        arm["measures"] = {"flow": arm["measures"]["inside"]}
        arm.pop("fvd", None)
    draw(found, out)
    with Image.open(out / "fig7.png") as picture:
        assert picture.width < 2 * 300 + 200


def test_the_page_shows_the_worst_and_the_best_in_turns(tmp_path):
    out = evaluation(tmp_path / "out", count=5)
    rows = [json.loads(line) for line in (out / "scores/clip/VS.jsonl").read_text().splitlines()]
    for row, gain in zip(rows, (0.0, 3.0, -2.0, 1.0, -1.0), strict=True):
        base = json.loads(
            (out / "scores/clip/baseline.jsonl").read_text().splitlines()[rows.index(row)]
        )
        row["clipsim"] = base["clipsim"] + gain
    (out / "scores/clip/VS.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    settings = {"fps": 8, "frames": 3, "height": 32, "width": 48}
    for slug in ("baseline", "VS", films.REAL):
        for row in rows:
            films.write(out, slug, row["id"], np.zeros((3, 32, 48, 3), np.uint8), settings)
    found = summary.summarise(out)
    written = page.write(found, table.render([found]), [], out, shown=4)
    html = written.read_text()
    order = [part.split('"')[0] for part in html.split('src="page/')[1:]]
    assert order == ["v002.mp4", "v001.mp4", "v004.mp4", "v003.mp4"]
    assert "“v002” &lt;moves&gt;" in html and "<moves>" not in html
    assert "<table>" in html and "26.35" in html


def test_a_folder_that_is_none_says_how_to_begin(tmp_path, capsys):
    for name in ("table", "figures", "score"):
        assert main([name, "--out", str(tmp_path)]) == 2
        assert "begin with `python -m awaken.evaluate run`" in capsys.readouterr().err
    with pytest.raises(RequestError):
        summary.summarise(tmp_path)
