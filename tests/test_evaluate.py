"""awaken.evaluate: manifests, arms, files that are whole or made again, stages that are shared."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest
from PIL import Image

from awaken.backends import BACKENDS
from awaken.engine import Engine
from awaken.evaluate import arms, films, generate, pairs, protocol, summary
from awaken.evaluate.__main__ import main
from awaken.proxies import PROXIES
from awaken.types import ModelError, RequestError
from awaken.video import write_mp4
from tests import tiny

TABLE_1 = ["baseline", "+V", "+S", "+V&U", "+V&S"]
STEPS = 5
DISTILLED = 4  # int(5 * 0.6) + 1


@pytest.fixture
def models(monkeypatch):
    """The tiny models can be named; returns the backends that were loaded."""
    loaded = []

    def load(device, dtype):
        loaded.append(tiny.TinyBackend())
        return loaded[-1]

    spec = tiny.BackendSpec(**vars(tiny.TINY) | {"load": load})
    monkeypatch.setitem(BACKENDS, "tiny", spec)
    monkeypatch.setitem(PROXIES, "tiny", tiny.TINY_PROXY)
    return loaded


@pytest.fixture
def manifest(tmp_path):
    """Three pairs: two of images, one of a clip, in both forms; the first has a region."""
    for seed in (0, 1):
        Image.fromarray(tiny.painting(seed, 96, 96)).save(tmp_path / f"{seed}.png")
    write_mp4(clip(), tmp_path / "clip.mp4", 16)
    rows = [
        {"id": "sea", "image": "0.png", "prompt": "the sea rolls",
         "region": [[[0, 50], [100, 50], [100, 100], [0, 100]]]},
        {"id": "sky", "image": "1.png", "prompt": "clouds drift", "seed": 7},
        {"id": "film", "clip": "clip.mp4", "prompt": "leaves fall"},
    ]  # fmt: skip
    path = tmp_path / "list.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")
    return path


def clip(frames: int = 40, height: int = 96, width: int = 160) -> np.ndarray:
    """Grey levels that say which frame it is, on a picture wider than high."""
    ramp = np.linspace(0, 60, width, dtype=np.uint8)[None, None, :, None]
    levels = np.arange(frames, dtype=np.uint8)[:, None, None, None] * 4
    return np.broadcast_to(ramp + levels, (frames, height, width, 3)).copy()


def command(manifest, out, *more: str) -> list[str]:
    words = ["run", "--data", str(manifest), "--out", str(out), "--backend", "tiny"]
    return [*words, "--proxy", "tiny", "--device", "cpu", "--set", f"steps={STEPS}", *more]


def bytes_of(out) -> dict[str, bytes]:
    files = [p for p in sorted(out.rglob("*")) if p.is_file()]
    return {str(p.relative_to(out)): p.read_bytes() for p in files}


def test_csv_and_json_lines_say_the_same(manifest, tmp_path):
    rows = list(map(json.loads, manifest.read_text().splitlines()))
    lines = ["id,image,clip,prompt,region,seed"]
    for row in rows:
        region = json.dumps(row["region"]) if "region" in row else ""
        cells = [row["id"], row.get("image", ""), row.get("clip", ""), row["prompt"]]
        lines.append(",".join([*cells, f'"{region}"' if region else "", str(row.get("seed", ""))]))
    table = tmp_path / "list.csv"
    table.write_text("\n".join(lines) + "\n")
    assert pairs.read(table) == pairs.read(manifest)
    assert pairs.fingerprint(pairs.read(table)) == pairs.fingerprint(pairs.read(manifest))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"id": "a", "image": "0.png"}, "prompt is missing"),
        ({"id": "a", "prompt": "x"}, "neither an image nor a clip"),
        ({"id": "../a", "image": "0.png", "prompt": "x"}, "cannot name a file"),
        ({"id": "a", "image": "none.png", "prompt": "x"}, "no file"),
        ({"id": "a", "image": "0.png", "prompt": "x", "region": [[[0, 0], [1, 1]]]}, "corners"),
        ({"id": "SEA", "image": "0.png", "prompt": "x"}, "stands there twice"),
        (["a"], "not a JSON object"),
    ],
)
def test_a_bad_line_is_named(manifest, row, words):
    manifest.write_text(manifest.read_text() + json.dumps(row) + "\n")
    with pytest.raises(RequestError, match=words):
        pairs.read(manifest)


def test_seeds_make_pairs_of_one_scene(manifest):
    read = pairs.read(manifest, limit=1, seeds=3)
    assert [(p.id, p.seed, p.scene) for p in read] == [
        ("sea.s42", 42, "sea"), ("sea.s43", 43, "sea"), ("sea.s44", 44, "sea"),
    ]  # fmt: skip


@pytest.fixture(params=["MSR_VTT.json", "MSRVTT_data.json"])
def msrvtt(tmp_path, request):
    """MSR-VTT's folder in either of its layouts: 30 captioned videos, of which 28 are there."""
    names = [f"video{n}" for n in range(30)]
    said = [(n, f"{n} does {verb}") for n in names for verb in ("this", "that")]
    if request.param == "MSR_VTT.json":
        notes = {"images": [{"id": n} for n in names], "type": "captions"}
        notes["annotations"] = [
            {"image_id": n, "caption": c, "id": i} for i, (n, c) in enumerate(said)
        ]
        where = tmp_path / "MSRVTT" / "annotation"
    else:
        notes = {"videos": [{"video_id": n} for n in names]}
        notes["sentences"] = [
            {"video_id": n, "caption": c, "sen_id": i} for i, (n, c) in enumerate(said)
        ]
        where = tmp_path / "MSRVTT"
    where.mkdir(parents=True)
    (where / request.param).write_text(json.dumps(notes))
    videos = tmp_path / "MSRVTT" / "videos" / "all"
    videos.mkdir(parents=True)
    for name in names[2:]:
        (videos / f"{name}.mp4").touch()
    return tmp_path / "MSRVTT"


def test_msrvtt_is_drawn_as_the_protocol_says(msrvtt, tmp_path):
    there = sorted(f"video{n}" for n in range(2, 30))
    drawn = pairs.read(msrvtt, limit=10)
    assert [p.id for p in drawn] == random.Random(42).sample(there, 10)
    assert all(p.prompt == f"{p.id} does this" and p.clip.stem == p.id for p in drawn)
    with pytest.raises(RequestError, match="28 captioned videos"):
        pairs.read(msrvtt)
    wanted = tmp_path / "captions.txt"
    wanted.write_text("video5 does that\nVideo6 does this\nvideo0 does this\n")
    chosen = {p.id: p.prompt for p in pairs.read(msrvtt, limit=2, captions=wanted)}
    assert chosen == {"video5": "video5 does that", "video6": "video6 does this"}


def test_arms_are_variants_groups_and_changed_settings():
    parsed = arms.parse(["table1", "fig7", "alpha=constant,p=0.2"], {"proxy": "miniature"})
    assert [a.name for a in parsed] == [
        *TABLE_1, "p=0.2", "p=0.4", "p=0.8", "p=1", "alpha=constant p=0.2",
    ]  # fmt: skip
    assert [a.slug for a in parsed][:6] == ["baseline", "V", "S", "VU", "VS", "VS_p=0.2"]
    own = arms.parse(["p=0.8", "proxy=identity"], {"p": 0.8, "proxy": "miniature"})
    assert [a.name for a in own] == ["baseline", "+V&S", "proxy=identity"]
    *_, noise = arms.parse(["start=noise"], {})
    assert (noise.variant, noise.name) == ("baseline", "baseline start=noise")
    assert noise.slug == "baseline_start=noise"
    assert [a.name for a in arms.parse(["start=still"], {})] == ["baseline"]
    for word in ("fig9", "prompt=x", "p=much", "seed=3", "negative_prompt=x"):
        with pytest.raises(RequestError):
            arms.parse([word], {})


def test_films_keep_every_pixel_and_torn_ones_are_seen(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (5, 33, 47, 3)).astype(np.uint8)
    settings = {"fps": 8, "frames": 5, "height": 33, "width": 47, "prompt": "a “sea”; x=1 \\ #"}
    films.write(tmp_path, "VS", "a.b", frames, settings)
    path = films.path_of(tmp_path, "VS", "a.b")
    read, found = films.read(path)
    assert (read == frames).all() and found == settings
    data = path.read_bytes()
    for length in (0, 7, 40, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        assert not films.whole(path)
        with pytest.raises(films.TornError):
            films.read(path)
    hurt = bytearray(data)
    start = data.index(b"mdat") + 2000
    hurt[start : start + 3000] = bytes(3000)
    path.write_bytes(hurt)
    with pytest.raises(films.TornError, match="damaged"):
        films.read(path)


def test_arms_share_their_stages_and_nothing_is_made_twice(models, manifest, tmp_path):
    """Table 1 costs per pair: five final runs and the two distilled paths, each once."""
    out = tmp_path / "out"
    assert main(command(manifest, out, "--clip-size", "96x96")) == 0
    assert len(models) == 1 and models[0].evaluations == 3 * (5 * STEPS + 2 * DISTILLED)
    slugs = ["V", "S", "VU", "VS", "baseline"]
    made = {p.parent.name for p in (out / "videos").glob("*/*.mp4")}
    assert made == {*slugs, "real"} and len(list((out / "videos").glob("*/*.mp4"))) == 16
    before = bytes_of(out)
    assert main(command(manifest, out, "--clip-size", "96x96")) == 0
    assert len(models) == 1 and bytes_of(out) == before
    assert main(command(manifest, out, "--clip-size", "96x96", "--arms", "p=0.2")) == 0
    assert summary.read_arms(out)["VS_p=0.2"] == "p=0.2" and "VU" in summary.read_arms(out)
    # p = 0.2 distils two steps on two paths; its baseline is made anew in this process.
    assert models[1].evaluations == 3 * (2 * STEPS + 2 * 2)


def test_videos_are_what_the_engine_makes_and_say_how(models, manifest, tmp_path):
    out = tmp_path / "out"
    assert main(command(manifest, out, "--clip-size", "96x96", "--arms", "+V&S")) == 0
    kept = protocol.load(out)
    listed = pairs.read(manifest)
    arm = arms.Arm("+V&S")
    for pair, seed in zip(listed[:2], (42, 7), strict=True):
        painting = np.asarray(Image.open(pair.image))
        request = generate.request_of(pair, arm, kept, painting)
        assert request.seed == seed and request.steps == STEPS and request.sequential
        *_, result = Engine("cpu").animate(request)
        frames, settings = films.read(films.path_of(out, "VS", pair.id))
        assert (frames == result.awakened).all()
        assert settings["id"] == pair.id and settings["arm"] == "+V&S"
        assert settings["p"] == 0.6 and settings["seed"] == seed
        baseline, _ = films.read(films.path_of(out, "baseline", pair.id))
        assert (baseline == result.baseline).all()


def test_the_condition_is_frame_0_of_the_real_clip(models, manifest, tmp_path):
    """Every second of its frames (16 a second, 8 wanted), the middle cut out, the first given."""
    out = tmp_path / "out"
    assert main(command(manifest, out, "--clip-size", "96x96", "--arms", "baseline")) == 0
    real, _ = films.read(films.path_of(out, films.REAL, "film"))
    condition = generate.picture(out, "conditions", "film")
    assert real.shape == (4, 96, 96, 3) and (real[0] == condition).all()
    step = real.astype(float).mean((1, 2, 3))
    assert np.diff(step) == pytest.approx([8, 8, 8], abs=1.5)
    assert abs(float(real[0].mean()) - 30) < 3  # the middle of the ramp
    region = generate.picture(out, "regions", "sea")
    assert region.shape == (96, 96) and not region[:47].any() and (region[49:] == 255).all()


def test_torn_files_are_made_again_with_the_same_bytes(models, manifest, tmp_path):
    out = tmp_path / "out"
    words = command(manifest, out, "--clip-size", "96x96", "--arms", "+V", "+V&S")
    assert main(words) == 0
    before = bytes_of(out)
    torn = films.path_of(out, "V", "sky")
    torn.write_bytes(torn.read_bytes()[:-9])
    films.path_of(out, films.REAL, "film").unlink()
    (out / "conditions" / "sea.png").write_bytes(b"\x89PNG")
    (torn.parent / f".{torn.stem}.99999.partial.mp4").write_bytes(b"left by a kill")
    assert main(words) == 0
    assert bytes_of(out) == before


def test_what_fails_is_told_and_the_others_are_made(models, manifest, tmp_path, capsys):
    short = tmp_path / "short.mp4"
    write_mp4(clip(6), short, 16)
    row = {"id": "short", "clip": "short.mp4", "prompt": "x"}
    manifest.write_text(json.dumps(row) + "\n" + manifest.read_text())
    out = tmp_path / "out"
    assert main(command(manifest, out, "--clip-size", "96x96", "--arms", "baseline")) == 1
    assert "short.mp4 has 3 frames" in capsys.readouterr().err
    assert {p.stem for p in (out / "videos" / "baseline").iterdir()} == {"sea", "sky", "film"}


@pytest.mark.parametrize("more", [("--set", "p=0.3"), ("--limit", "2"), ("--seeds", "2")])
def test_a_folder_keeps_to_one_protocol(models, manifest, tmp_path, capsys, more):
    out = tmp_path / "out"
    assert main(command(manifest, out, "--arms", "baseline", "--clip-size", "96x96")) == 0
    assert main(command(manifest, out, "--arms", "baseline", "--clip-size", "96x96", *more)) == 2
    assert "Choose another --out" in capsys.readouterr().err


def test_other_weights_do_not_mix(models, manifest, tmp_path, capsys, monkeypatch):
    out = tmp_path / "out"
    assert main(command(manifest, out, "--arms", "baseline", "--clip-size", "96x96")) == 0
    monkeypatch.setattr(tiny.TinyBackend, "weights_id", "retrained")
    assert main(command(manifest, out, "--arms", "+V", "--clip-size", "96x96")) == 2
    assert "other weights" in capsys.readouterr().err
    with pytest.raises(ModelError):
        protocol.keep_models({"weights": "retrained", "dtype": "float32"}, out)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--arms", "proxy=none"), "no model"),
        (("--arms", "proxy=upload"), "needs a picture"),
        (("--set", "guidance=50"), "guidance"),
        (("--set", "frames=5"), "videos of 4 frames"),
        (("--arms", "+X"), "no arm"),
        (("--data", "nowhere"), "no manifest"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_loaded(
    models, manifest, tmp_path, capsys, more, words
):
    assert main(command(manifest, tmp_path / "out", *more)) == 2
    assert words in capsys.readouterr().err and not models
