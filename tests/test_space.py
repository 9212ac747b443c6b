"""Hugging Face Spaces: the ZeroGPU driver with a stand-in for ``spaces.GPU``, and the check."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
import types as modules
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from awaken import space
from awaken.engine import Engine
from awaken.pace import Pace, evaluations
from awaken.space import Driver, lint
from awaken.space.lint import check
from awaken.types import VARIANTS, Failed, Result, Step
from tests import tiny
from tests.tiny import request

ROOT = Path(__file__).parent.parent


class StandIn:
    """What ``spaces.GPU`` does to a generator, in one process.

    The request and every event are pickled; the duration is asked with the call's arguments; a stop
    is seen by the worker only between two events. ``cut_after`` takes the GPU back after so many.
    """

    def __init__(self):
        self.declared: list[int] = []
        self.stopped_after = None
        self.cut_after: int | None = None
        self.refusal: Exception | None = None

    def __call__(self, *, duration):
        def decorate(task):
            def handler(*args):
                self.declared.append(duration(*args))
                if self.refusal:
                    raise self.refusal
                events = task(*pickle.loads(pickle.dumps(args)))
                for count, event in enumerate(events, 1):
                    if self.cut_after == count:
                        events.close()
                        raise RuntimeError("GPU task aborted")
                    try:
                        yield pickle.loads(pickle.dumps(event))
                    except GeneratorExit:
                        self.stopped_after = count
                        events.close()
                        raise

            return handler

        return decorate


@pytest.fixture
def backend(monkeypatch):
    return tiny.register(monkeypatch)


@pytest.fixture
def stand_in():
    return StandIn()


@pytest.fixture
def rented(backend, stand_in):
    """A driver as on ZeroGPU."""
    return Driver(gpu=stand_in, device="cpu", dtype="float32")


def test_both_drivers_make_the_same_events(backend, rented):
    own = Driver(device="cpu", dtype="float32")
    told = [[type(e).__name__ for e in d.animate(request())] for d in (own, rented)]
    assert told[0] == told[1] and told[0][-1] == "Result"
    results = [list(d.animate(request(seed=7)))[-1] for d in (own, rented)]
    assert np.array_equal(results[0].awakened, results[1].awakened)


def test_stop_reaches_the_worker_within_one_step(backend, rented, stand_in):
    with closing(rented.animate(request())) as events:
        steps = (e for e in events if isinstance(e, Step))
        next(steps)
        spent = backend.evaluations
    assert stand_in.stopped_after is not None
    assert backend.evaluations == spent
    assert isinstance(list(rented.animate(request()))[-1], Result)  # the lock is free again


def test_the_declared_time_follows_the_settings_and_then_the_clock(rented, stand_in):
    rented.load("tiny", "tiny")
    rented.estimate = Pace("cuda")
    short, long = (request(p=0.0, variant="baseline"), request(steps=100, p=1.0))
    guessed = rented.declared(short), rented.declared(long)
    assert guessed[0] < guessed[1]
    list(rented.animate(short))
    assert stand_in.declared == [guessed[0]]
    assert guessed[1] / 2 <= rented.declared(long) < guessed[1]
    for seed in range(6):  # the toy network takes milliseconds: soon only the floor is asked for
        list(rented.animate(request(seed=seed)))
    assert rented.declared(short) == space.SHORTEST
    assert rented.declared(long) < guessed[1] / 4


def test_what_is_cached_is_not_counted(backend):
    own = Driver(device="cpu", dtype="float32")
    fresh = own.work(request())
    assert fresh.loads
    list(own.animate(request()))
    again, other = own.work(request()), own.work(request(seed=7))
    assert (again.evaluations, again.decodes, again.loads) == (0, 0, False)
    assert other.evaluations == own.cost(request(seed=7)) > 0 and other.decodes == 2
    assert own.expected(request()) <= own.expected(request(seed=7))
    assert own.seconds(request().settings()) >= own.expected(request())


def test_a_run_tells_what_is_left_of_it(backend):
    steps = [e for e in Driver(device="cpu").animate(request()) if isinstance(e, Step)]
    assert all(0 < e.seconds_left < 1e4 and e.left == e.seconds_left for e in steps)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    ("p", "steps", "re_noise"), [(0.6, 25, 1.0), (0.0, 10, 0.5), (1.0, 7, 0.3)]
)
def test_evaluations_are_those_of_the_engine(backend, variant, p, steps, re_noise):
    asked = request(variant=variant, p=p, steps=steps, re_noise=re_noise)
    engine = Engine(device="cpu", dtype="float32")
    assert evaluations(asked.settings()) == engine.cost(asked)


def test_a_refused_quota_is_a_sentence_with_the_declared_time(rented, stand_in):
    stand_in.refusal = RuntimeError('GPU quota exceeded <a href="https://x">(90s requested)</a>')
    (failed,) = rented.animate(request())
    assert isinstance(failed, Failed) and failed.kind == "quota"
    assert f"{stand_in.declared[0]} s of GPU" in failed.message and "<" not in failed.message


def test_a_run_that_is_cut_off_asks_for_more_next_time(rented, stand_in):
    rented.load("tiny", "tiny")
    rented.estimate = Pace("cuda")
    stand_in.cut_after = 5
    before = rented.declared(request(seed=1))
    failed = list(rented.animate(request()))[-1]
    assert failed.kind == "quota" and rented.declared(request(seed=1)) > before
    stand_in.cut_after = None
    assert isinstance(list(rented.animate(request()))[-1], Result)


def test_on_zero_gpu_spaces_comes_first_and_models_before_the_server():
    """In a fresh process, with a stand-in for the package that looks who is there when it comes."""
    code = """
import importlib.util, sys
seen = []
class StandIn:  # finds and makes the package spaces
    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self) if name == "spaces" else None
    def create_module(self, spec): return None
    def exec_module(self, module):
        seen.append("torch" if "torch" in sys.modules else "no torch")
        module.GPU = lambda *, duration: lambda task: seen.append("decorated") or task
sys.meta_path.insert(0, StandIn())
from awaken import space
space.Driver.load = lambda self: seen.append("loaded")
driver = space.prepare()
assert seen == ["no torch", "decorated", "loaded"], seen
assert isinstance(driver, space.Driver)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=False, capture_output=True, text=True,
        env={"PATH": "/usr/bin", "SPACES_ZERO_GPU": "true", "HOME": "/tmp"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_torch_before_spaces_is_an_error(monkeypatch):
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    monkeypatch.setitem(sys.modules, "spaces", modules.ModuleType("spaces"))
    with pytest.raises(RuntimeError, match="before torch"):
        space.prepare()


def test_elsewhere_nothing_is_prepared(monkeypatch):
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    assert space.prepare() is None


@pytest.fixture
def folder(tmp_path):
    """A copy of what makes this repository a Space."""
    for name in ("README.md", "requirements.txt", "app.py"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def wrong(folder: Path, zero_gpu: bool = False) -> list[str]:
    return [f.sentence for f in check(folder, zero_gpu) if f.tone == "wrong"]


def test_this_repository_is_ready():
    done = subprocess.run(
        [sys.executable, "-m", "awaken.space", "check"], cwd=ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith("Ready to be pushed.\n") and "wrong" not in done.stdout


def test_a_copy_is_ready_and_the_command_says_when_it_is_not(folder, capsys):
    assert wrong(folder) == []
    (folder / "app.py").unlink()
    assert lint.main(["check", str(folder)]) == 1
    assert "there is no such file" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("README.md", "---\n", "", "does not begin with front matter"),
        ("README.md", "title: ", "title: [", "not YAML"),
        ("README.md", "license: apache-2.0\n", "", "lacks license"),
        ("README.md", "colorFrom: yellow", "colorFrom: ochre", "colorFrom is ochre"),
        ("README.md", "sdk: gradio", "sdk: docker", "sdk is docker"),
        ("README.md", "header: mini", "header: tiny", "header must be"),
        (
            "README.md",
            "short_description: ",
            "short_description: " + "very " * 12,
            "60 is the most",
        ),
        ("README.md", "sdk_version: 6", "sdk_version: 5", "asks for gradio"),
        ("README.md", "sdk_version: 6.31.0", "sdk_version: 6.31", "write a version in full"),
        ("README.md", 'python_version: "3.12', 'python_version: "3.10', "runs on 3.11 and 3.12"),
        ("README.md", 'python_version: "3.12.12"', "python_version: 3.12", "in quotes"),
        (
            "requirements.txt",
            "torch>=2.8,<2.14",
            "torch>=2.12,<2.14",
            "allows none of the versions",
        ),
        ("requirements.txt", "torch>=2.8,<2.14\n", "", "does not name torch"),
        ("requirements.txt", "pillow>=11,<13", "pillow", "leaves pillow without"),
        ("requirements.txt", "pillow>=11,<13", "-e git+https://x", "no plain requirement"),
    ],
)
def test_what_would_fail_on_the_hub_is_said(folder, file, old, new, said):
    rewrite(folder / file, old, new)
    assert any(said in sentence for sentence in wrong(folder)), wrong(folder)


def test_zero_gpu_is_stricter_about_torch(folder):
    assert ["write torch>=2.8,<2.12" in sentence for sentence in wrong(folder, True)] == [True]
    rewrite(folder / "requirements.txt", "torch>=2.8,<2.14", "torch>=2.8,<2.12")
    assert wrong(folder, True) == []


def test_large_files_are_named_unless_lfs_takes_them(folder):
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    with (folder / "weights.bin").open("wb") as file:
        file.truncate(lint.MAX_PLAIN_FILE + 1)
    subprocess.run(["git", "-C", str(folder), "add", "."], check=True)
    assert any("weights.bin (10.0 MB)" in f.sentence for f in check(folder))
    (folder / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    assert not any("weights.bin" in f.sentence for f in check(folder))
