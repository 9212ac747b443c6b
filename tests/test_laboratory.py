"""Laboratory and comparison without a browser: what is run, what is reused, what is told."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest
from PIL import Image

from awaken.backends import BACKENDS
from awaken.proxies import PROXIES
from awaken.types import ALPHA_KINDS, VARIANTS, RequestError, Result
from awaken.ui import ASSETS
from awaken.ui.controls.rail import values_of
from awaken.ui.lab import comparison, curves, grid, laboratory, latent_paths, series
from awaken.ui.lab.film import TILE, small
from awaken.ui.lab.series import Trial
from awaken.ui.run import engine_holder, requests
from awaken.ui.texts.lab_en import ENGLISH
from awaken.video import mosaic, read_clip, write_mp4
from tests import tiny
from tests.page import CountedEngine

STEPS = 4


@pytest.fixture(scope="module")
def holder():
    """An engine of its own; these tests want no weights."""
    made = engine_holder.EngineHolder(lambda: CountedEngine(device="cpu"))
    while not made.wait(60):
        pass
    return made


@pytest.fixture(autouse=True)
def toys(monkeypatch):
    """Toy models of the true protocol, in both registries."""
    monkeypatch.setitem(BACKENDS, "tiny", tiny.TINY)
    tinier = replace(tiny.TINY, title="Tinier", frames=2, frame_choices=(2,))
    monkeypatch.setitem(BACKENDS, "tinier", tinier)
    monkeypatch.setitem(PROXIES, "tiny", tiny.TINY_PROXY)


@pytest.fixture
def values(tmp_path):
    """A run that nobody has made before: the memo knows nothing of it."""
    path = tmp_path / "painting.png"
    Image.fromarray(tiny.painting(np.random.default_rng().integers(2**31), 96, 128)).save(path)
    return {
        "painting": str(path), "prompt": "the water flows", "steps": STEPS, "size": 96, "seed": 3,
        "backend": "tiny", "proxy": "tiny", "proxy_strength": 0.2,
    }  # fmt: skip


def last(moments) -> dict:
    *_, end = moments
    return end


def run(holder, values, **changes) -> Result:
    """One run straight through the engine."""
    request = replace(requests.make_request(**values), **changes)
    return last(holder.engine().animate(request))


def frames_of(film: dict) -> np.ndarray:
    video = cv2.VideoCapture(film["path"])
    pictures = []
    while (read := video.read())[0]:
        pictures.append(read[1][..., ::-1])
    return np.stack(pictures)


def test_p_sweep_makes_everything_shared_once(holder, values, monkeypatch):
    asked = []  # videos in every call of the network itself
    network = tiny.TinyBackend.network
    monkeypatch.setattr(
        tiny.TinyBackend, "network", lambda *a: asked.append(len(a[1])) or network(*a)
    )
    seen = list(laboratory.sweep(holder, values, "p"))
    end = seen[-1]
    assert end["state"] == "done"
    assert [t["name"] for t in end["tiles"]] == [
        "Baseline", "p = 0", "p = 0.25", "p = 0.5", "p = 0.75", "p = 1",
    ]  # fmt: skip
    # tau of p = 0, .25, .5, .75, 1 is 0, 2, 3, 4, 4; both paths distil; p = 1 is p = 0.75 again
    scratch = sum(2 * STEPS + 2 * tau for tau in (0, 2, 3, 4, 4))
    needed = STEPS + 4 * STEPS + 2 * (2 + 3 + 4)
    assert f"{needed} network evaluations instead of {scratch}" in end["line"]
    assert sum(asked) == needed, "what is told is what was asked of the network"
    assert "baseline 3×" in end["line"] and "proxy image 4×" in end["line"]
    shares = [moment["share"] for moment in seen if moment.get("share")]
    assert shares == sorted(shares) and shares[-1] == 1


def test_film_of_a_sweep_holds_the_engines_own_videos(holder, values):
    end = last(laboratory.sweep(holder, values, "alpha"))
    film = frames_of(end["film"])
    f, h, w = end["frames"], end["height"], end["width"]
    assert film.shape == (f, 2 * h, 3 * w, 3)
    expected = [run(holder, values).baseline]
    expected += [run(holder, values, alpha=kind).awakened for kind in ALPHA_KINDS]
    for i in range(len(expected)):
        y, x = i // 3 * h, i % 3 * w
        tile = film[:, y : y + h, x : x + w].astype(float)
        errors = [np.abs(tile - small(v, TILE)).mean() for v in expected]
        assert errors[i] == min(errors) and errors[i] < 6
    assert end["tiles"][1]["use"] == f"alpha:{ALPHA_KINDS[0]}" and not end["tiles"][0]["use"]


def test_table_one_side_by_side(holder, values):
    end = last(laboratory.table(holder, values))
    assert [t["name"] for t in end["tiles"]] == list(VARIANTS.values())
    assert len({t["note"] for t in end["tiles"]}) > 2


def test_again_costs_nothing_and_says_so(holder, values):
    last(laboratory.table(holder, values))
    assert ENGLISH["saved_all"] in last(laboratory.table(holder, values))["line"]


def test_proxies_with_their_numbers_and_what_cannot_run_is_told(holder, values):
    chosen = ["tiny", "upload", "identity", "baseline_frame"]
    end = last(comparison.proxies(holder, values, chosen))
    assert len(end["tiles"]) == 4  # the baseline and the three that can run
    assert len(end["problems"]) == 1 and "needs a picture" in end["problems"][0]
    told = run(holder, values)
    assert f"PSNR {told.psnr:.1f} dB" in end["tiles"][1]["note"]
    assert "identical to the painting" in end["tiles"][2]["note"]
    assert [bool(t["still"]) for t in end["tiles"]] == [False, True, True, True]
    assert end["state"] == "done" and "baseline 2×" in end["line"]


def test_nothing_chosen_and_nothing_given_are_sentences(holder, values):
    assert last(comparison.proxies(holder, values, [])) == grid.failed(ENGLISH["choose_some"])
    nothing = last(laboratory.sweep(holder, values | {"painting": None}, "p"))
    assert nothing["state"] == "failed" and "Choose a painting" in nothing["line"]
    odd = last(laboratory.sweep(holder, values | {"steps": 1}, "p"))
    assert odd["state"] == "failed" and odd["line"].count("'steps' is 1") == 1


def test_backends_side_by_side_each_with_its_own_defaults(holder, values):
    end = last(comparison.backends(holder, values, ["tiny", "tinier"]))
    assert [t["name"] for t in end["tiles"]] == [
        "Tiny: Baseline", "Tiny: Awakened", "Tinier: Baseline", "Tinier: Awakened",
    ]  # fmt: skip
    assert end["columns"] == 2
    film = frames_of(end["film"]).astype(float)
    upper, lower = film[:, : end["height"]], film[:, end["height"] :]
    assert len(film) == 4
    assert np.abs(lower[1:] - lower[1]).mean() < 2  # of two frames the last one is held
    assert np.abs(upper[2] - upper[1]).mean() > 2
    # 25 steps of its own, not the rail's 4
    assert run(holder, values, backend="tinier", **comparison.OF_BACKEND).evaluations == 0


def test_only_what_runs_here_can_be_chosen():
    import gradio as gr

    with gr.Blocks():
        group = comparison.choice("backends", BACKENDS)
    missing = [key for key, spec in BACKENDS.items() if spec.available()]
    assert {key for _, key in group.choices} == BACKENDS.keys() - set(missing)


def test_closing_stops_within_a_step(holder, values):
    engine = holder.engine()
    moments = series.series(holder, values, [Trial("x", {"steps": 20, "p": 1.0})])
    for moment in moments:
        if "step 2" in moment["line"]:
            break
    before = engine.steps
    moments.close()
    assert engine.open_runs == 0 and holder.busy == 0
    assert engine.steps == before
    assert run(holder, values).evaluations > 0  # the lock is free


@pytest.fixture
def clip(tmp_path):
    """Somebody's clip: 30 pictures of a square that walks, 160 x 120, 15 per second."""
    video = np.full((30, 120, 160, 3), 60, np.uint8)
    for i, picture in enumerate(video):
        picture[40:80, 3 * i : 3 * i + 40] = (220, 160, 40)
    write_mp4(video, tmp_path / "clip.mp4", 15)
    return str(tmp_path / "clip.mp4")


def test_latent_paths_of_videos_and_clip(holder, values, clip):
    end = last(latent_paths.follow(holder, values, clip, "start"))
    points = end["points"]
    assert [path["kind"] for path in end["paths"]] == ["baseline", "awakened", "clip"]
    assert {len(path["points"]) for path in end["paths"]} == {4}
    starts = np.array([path["points"][0] for path in end["paths"]])
    assert np.ptp(starts, axis=0).max() < 1e-4
    assert float(end["paths"][2]["order"]) == 1  # a walking square is in order
    # the points keep the distances of the latents, one encoded frame each
    engine, told = holder.engine(), run(holder, values)
    encoding = engine.frame_latents("tiny", told.baseline[[0, 3]], told.settings["seed"])
    with pytest.raises(StopIteration) as latents:
        while True:
            next(encoding)
    a, b = latents.value.value
    distance = np.linalg.norm(points["baseline"][3] - points["baseline"][0])
    assert distance == pytest.approx(np.linalg.norm(b - a), rel=1e-4)
    for method in ("pca", "tsne"):
        other = latent_paths.drawn(points, method)
        assert np.isfinite([p["points"] for p in other["paths"]]).all()
        assert [p["order"] for p in other["paths"]] == [p["order"] for p in end["paths"]]


def test_a_clip_fills_the_frame_at_the_wanted_rate(clip):
    video = read_clip(clip, 10, 5, 64, 64)
    assert video.shape == (10, 64, 64, 3)
    left = [np.flatnonzero(v[32, :, 0] > 140)[0] for v in video[:5]]
    assert all(b >= a for a, b in pairwise(left)) and left[-1] > left[0]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("list.mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "not a clip"),
        ("clip.mp4", b"\x00\x00\x00\x20ftypisom" + bytes(400), "damaged"),
        ("empty.gif", b"", "not a clip"),
    ],
)
def test_what_is_no_clip_gets_a_sentence(tmp_path, name, data, words):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(RequestError, match=words):
        read_clip(tmp_path / name, 16, 8, 64, 64)


def test_a_bad_clip_ends_in_a_sentence(holder, values, tmp_path):
    (tmp_path / "x.mp4").write_bytes(b"no")
    end = last(latent_paths.follow(holder, values, str(tmp_path / "x.mp4"), "pca"))
    assert end["state"] == "failed" and "not a clip" in end["line"] and "points" not in end


def test_curves_tell_overshoot_and_divergence(holder):
    assert curves.judge([0.2, 1.0], 2)[0] == "calm"
    assert curves.judge([0.2, 1.5], 2) == (
        "overshoots", "λ up to 1.50: 1 of 2 steps overshoot",
    )  # fmt: skip
    assert curves.judge([2.5, 1.5, 3], 3)[1].endswith("2 of 3 steps would diverge")
    assert curves.judge([], 0)[0] == "unknown"
    holder.engine().load("tiny", "tiny")
    asleep = engine_holder.EngineHolder(lambda: None)
    promised = curves.curves(asleep, "tiny", 25, 0.6, 10, "constant")["curves"]
    assert {c["verdict"] for c in promised} == {ENGLISH["curve_starting"]}
    drawn = curves.curves(holder, "tiny", 25, 0.6, 10, "constant")
    assert [len(c["rates"]) for c in drawn["curves"]] == [16] * 5
    schedule = holder.engine()._residence.loaded("backend", "tiny").schedule(25)
    a, s = schedule.a[15], schedule.s[15]
    assert drawn["curves"][-1]["rates"][15] == pytest.approx(a * s / (a * a + s * s))
    states = {c["name"]: c["state"] for c in drawn["curves"]}
    assert states["stepwise increasing"] == "diverges" and states["stepwise decreasing"] == "calm"
    elsewhere = curves.curves(holder, "cinemo", 25, 0.6, 10, "constant")["curves"]
    assert {c["verdict"] for c in elsewhere} == {ENGLISH["curve_unknown"]}


@pytest.mark.parametrize("use", ["p:0.5", "p:17", "seed:1", "alpha:constant", "painting:/etc", ""])
def test_only_known_settings_reach_the_controls(use):
    import gradio as gr

    event = gr.EventData(None, {"use": use})
    known = {"p:0.5": {"p": 0.5}, "alpha:constant": {"alpha": "constant"}}
    assert laboratory.used(event) == known.get(use, {})


def test_mosaic_places_videos_row_by_row():
    videos = [np.full((2, 4, 6, 3), 10 * i, np.uint8) for i in range(1, 6)]
    film = mosaic(videos, 3)
    assert film.shape == (2, 8, 18, 3)
    assert film[0, ::4, ::6, 0].tolist() == [[10, 20, 30], [40, 50, 0]]


def test_templates_have_no_blanks():
    for path in [ASSETS / "html" / "grid.html", *(ASSETS / "js" / "laboratory").glob("*.js")]:
        text = path.read_text("utf-8")
        assert "{{" not in text and "${" not in text and "innerHTML" not in text, path


def test_a_brushed_mask_reaches_a_series_as_its_file(values):
    keywords = values | {
        "mask": {"painting": values["painting"], "mask": values["painting"]}, "lock": False,
        "restored": {}, "fitted:backend": values["backend"], "fitted:proxy": values["proxy"],
    }  # fmt: skip
    standing = values_of(keywords)
    assert standing["seed"] == values["seed"], "a series keeps the seed that stands there"
    assert requests.make_request(**standing).mask is not None
