"""python -m awaken: the engine without a browser, with sentences instead of tracebacks."""

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from awaken.__main__ import main
from awaken.backends import BACKENDS
from awaken.engine import Engine
from awaken.painting import open_painting
from awaken.proxies import PROXIES
from awaken.types import Request, Result
from tests import tiny
from tests.test_video import read_frames


@pytest.fixture
def picture(tmp_path, monkeypatch):
    """A painting's path; the tiny models can be chosen."""
    monkeypatch.setitem(BACKENDS, "tiny", tiny.TINY)
    monkeypatch.setitem(PROXIES, "tiny", tiny.TINY_PROXY)
    path = tmp_path / "painting.png"
    Image.fromarray(tiny.painting()).save(path)
    return str(path)


MODELS = ("--backend", "tiny", "--proxy", "tiny", "--device", "cpu")


def test_help_is_instant():
    """Neither torch nor a page is imported to say what the command takes."""
    code = (
        "import runpy, sys\n"
        "sys.argv = ['awaken', '--help']\n"
        "try: runpy.run_module('awaken', run_name='__main__')\n"
        "except SystemExit as end: assert end.code == 0\n"
        "heavy = {'torch', 'diffusers', 'transformers', 'gradio', 'moviepy'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--proxy-strength" in done.stdout and "PAINTING PROMPT" in done.stdout


def test_settings_can_be_kept_out_of_the_files(picture, tmp_path, capsys):
    words = [picture, "a secret sea", "--steps", "2", "--out", str(tmp_path / "out"), *MODELS]
    assert main([*words, "--no-settings"]) == 0
    written = capsys.readouterr().out.split()
    assert len(written) == 6 and not any(name.endswith(".json") for name in written)
    assert not any(b"secret" in Path(name).read_bytes() for name in written)


def test_it_writes_the_frames_that_the_engine_makes(picture, tmp_path, capsys):
    """Same settings, same seed: what the page would show."""
    out = tmp_path / "out"
    words = ["--seed", "7", "--steps", "4", "--p", "0.5", "--alpha", "constant", "--fps", "12"]
    assert main([picture, "clouds drift", "--out", str(out), *MODELS, *words]) == 0
    assert capsys.readouterr().out.split() == [
        str(out / name)
        for name in ("painting.png", "proxy.png", "baseline.mp4", "awakened.mp4",
                     "side_by_side.mp4", "stacked.mp4", "settings.json")
    ]  # fmt: skip
    request = Request(
        open_painting(picture), "clouds drift", backend="tiny", proxy="tiny", seed=7, steps=4,
        p=0.5, alpha="constant", fps=12,
    )  # fmt: skip
    engine = Engine(device="cpu")
    result = list(engine.animate(request))[-1]
    assert isinstance(result, Result)
    assert (np.asarray(Image.open(out / "proxy.png")) == result.proxy).all()
    page = engine.save(result, tmp_path / "page")
    height, width = result.painting.shape[:2]
    for name in ("baseline", "awakened"):
        ours = read_frames(out / f"{name}.mp4", height, width)
        assert len(ours) == 4 and (ours == read_frames(page[name], height, width)).all()
    settings = json.loads((out / "settings.json").read_text("utf-8"))
    assert {name: settings[name] for name in ("seed", "steps", "p", "fps", "prompt")} == {
        "seed": 7, "steps": 4, "p": 0.5, "fps": 12, "prompt": "clouds drift",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (["--p", "3"], "from 0 to 1"),
        (["--steps", "2.5"], "whole number"),
        (["--seed", "-1"], "'seed'"),
        (
            ["--seed", str(2**32)],
            "'seed' is 4294967296; it must be a whole number from 0 to 4294967295",
        ),
        (["--seed", "1" + "0" * 400], "'seed' must be a number from 0 to 4294967295"),
        (["--size", "nan"], "'size'"),
        (["--frames", "5"], "4 frames"),
        (["--proxy", "upload"], "needs a picture"),
        (["--proxy-image", "/nowhere.png"], "no picture at '/nowhere.png'"),
        (["--mask", "/nowhere.png"], "no picture at"),
        (["--option", "swirl"], "NAME=NUMBER"),
        (["--option", "swirl=1"], "no setting called 'swirl'"),
        (["--proxy-option", "swirl=1"], "no setting called 'swirl'"),
    ],
)
def test_errors_are_sentences(picture, tmp_path, capsys, changes, words):
    assert main([picture, "clouds drift", "--out", str(tmp_path / "out"), *MODELS, *changes]) == 2
    shown = capsys.readouterr()
    last = shown.err.strip().splitlines()[-1]
    assert last.startswith("awaken: ") and words in last and "Traceback" not in shown.err
    assert not shown.out


@pytest.mark.parametrize("prompt", ["", "   ", "wind " * 200, "the sea \ud83c rises"])
def test_unusable_prompts_are_sentences(picture, capsys, prompt):
    assert main([picture, prompt, *MODELS]) == 2
    assert "awaken: " in capsys.readouterr().err


@pytest.mark.parametrize("name", ["Bilder für das Öl", "画", "not utf-8: \udcff"])
def test_a_folder_that_the_console_cannot_spell_ends_no_run(picture, tmp_path, monkeypatch, name):
    console = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", console)
    words = ["--steps", "2", "--out", str(tmp_path / name), *MODELS]
    assert main([picture, "clouds drift", *words]) == 0
    console.flush()
    assert console.buffer.getvalue().count(b"awakened.mp4") == 1
    assert (tmp_path / name / "awakened.mp4").is_file()


def test_an_unusable_folder_is_found_before_the_run(picture, tmp_path, capsys):
    (tmp_path / "taken").write_text("a file")
    assert main([picture, "clouds drift", "--out", str(tmp_path / "taken"), *MODELS]) == 2
    error = capsys.readouterr().err
    assert "cannot be written" in error and "%" not in error


def test_prompts_are_never_opened(picture, tmp_path):
    """A path or an address as prompt stays text."""
    secret = tmp_path / "secret.txt"
    secret.write_text("the sea swells")
    opened, watching = [], [True]  # audit hooks cannot be removed, only told to look away

    def note(event, data):
        if watching and event in ("open", "urllib.Request", "socket.connect"):
            opened.append(str(data))

    sys.addaudithook(note)
    for prompt in (str(secret), secret.as_uri()):
        words = ["--steps", "2", "--out", str(tmp_path / "out")]
        assert main([picture, prompt, *words, *MODELS]) == 0
        assert json.loads((tmp_path / "out" / "settings.json").read_text())["prompt"] == prompt
    watching.clear()
    assert opened and not [data for data in opened if "secret" in data]


def test_ctrl_c_stops_cleanly(picture, tmp_path, monkeypatch, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(tiny.TinyBackend, "network", interrupt)
    assert main([picture, "clouds drift", "--out", str(tmp_path / "out"), *MODELS]) == 130
    assert "Stopped" in capsys.readouterr().err and not list((tmp_path / "out").iterdir())
