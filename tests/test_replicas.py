"""Engines on Ray Serve: a local Ray, two replicas, and a stand-in for the engine that a test leads."""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from zlib import crc32

import numpy as np
import pytest
import yaml

import app
from awaken.animator import Animator
from awaken.engine import until_result
from awaken.memo import Memo, content_key
from awaken.pace import Work
from awaken.replicas import LOCAL, Cluster, deployment
from awaken.sampling import Outcome
from awaken.types import ModelError, Notice, Request, RequestError, Result, Stage, Step

ROOT = Path(__file__).parent.parent
STEPS = 6
PATIENCE = 120  # s, with slow machines: what a test waits for comes, or the test fails


class Puppet(Animator):
    """An engine of six steps. Each waits until ``allow`` lets it begin, and is written down.

    It keeps its videos in a real memo, by painting and seed; its frames are the seed's.
    """

    def __init__(self, folder: str):
        super().__init__("cpu")
        self.folder, self.device = Path(folder), SimpleNamespace(type="cpu")
        self.memo = Memo(1 << 20)

    def animate(self, request):
        run = self.folder / request.prompt
        yield Notice(str(os.getpid()))
        key = content_key(request.painting)
        try:
            yield from self._steps(request, run, key)
        finally:
            (run / "closed").touch()

    def _steps(self, request, run, key):
        yield Stage("denoise", reused=self.memo.get(key) is not None)
        for step in range(1, STEPS + 1):
            while allowed(run) < step:
                time.sleep(0.01)
            with (run / "done").open("a") as file:
                file.write(f"{os.getpid()} {step}\n")
            yield Step("denoise", step, STEPS, step / STEPS)
        video = self.memo.put(key, np.full((2, 8, 8, 3), request.seed, np.uint8))
        yield Result(
            request.painting, request.painting, video, video, request.settings(),
            {"denoise": 1.0, "total": 1.0}, STEPS, STEPS, 1.0, 1.0,
            work=Work.of(request.settings()),
        )  # fmt: skip

    def frame_latents(self, backend, video, seed=0):
        for frame in range(1, len(video) + 1):
            yield frame, len(video)
        return np.full((len(video), 3), seed, np.float32)

    def schedule(self, backend, steps):
        return None

    def probe(self):
        pass


def allowed(run: Path) -> int:
    """How many steps of a run may begin."""
    return len(list(run.glob("go-*")))


class Run:
    """A request whose steps the test lets go, followed in a thread of its own, as the queue does."""

    def __init__(self, engine, folder: Path, name: str, steps: int = 0, seed: int = 7):
        self.folder, self.events, self.error = folder / name, [], None
        self.folder.mkdir()
        self.allow(steps)
        painting = np.full((8, 8, 3), crc32(name.split("-")[0].encode()) % 251, np.uint8)
        self.request = Request(painting, name, seed=seed)
        self.stopped, self.result = threading.Event(), None
        self.thread = threading.Thread(target=self._follow, args=(engine,), daemon=True)
        self.thread.start()

    def _follow(self, engine):
        with closing(until_result(engine.animate(self.request))) as events:
            outcome = Outcome(events)
            for event in outcome:
                self.events.append(event)
                if self.stopped.is_set():
                    return
            self.result = outcome.value

    def allow(self, steps: int) -> None:
        for step in range(allowed(self.folder) + 1, steps + 1):
            (self.folder / f"go-{step}").touch()

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def pids(self) -> list[int]:
        """The processes that have worked on it, in their order."""
        return [int(e.text) for e in self.of(Notice) if e.text.isdecimal()]

    def done(self) -> list[str]:
        file = self.folder / "done"
        return file.read_text().split("\n")[:-1] if file.exists() else []

    def until(self, met) -> None:
        end = time.monotonic() + PATIENCE
        while not met(self):
            assert time.monotonic() < end, self.events
            time.sleep(0.02)

    def finish(self) -> Result:
        self.allow(STEPS)
        self.thread.join(PATIENCE)
        assert self.result is not None, self.events
        return self.result


@pytest.fixture(scope="module", autouse=True)
def no_loop():
    """Playwright leaves its event loop running in this thread (``tests.aside``), where Serve then refuses
    to wait for an answer."""
    left = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(left)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def cluster():
    import ray

    yield Cluster("local", "2", num_cpus=2, object_store_memory=100_000_000)
    ray.shutdown()


@pytest.fixture(scope="module")
def engine(cluster, folder):
    return cluster.engine(partial(Puppet, str(folder)))


def test_two_runs_go_on_at_once_and_their_events_stream_in_order(engine, folder):
    runs = [Run(engine, folder, name, steps=2, seed=i) for i, name in enumerate(("sea", "sky"))]
    for run in runs:  # both have begun, and neither has ended: what is seen came while they ran
        run.until(lambda run: len(run.of(Step)) == 2)
    assert runs[0].pids != runs[1].pids
    third = Run(engine, folder, "wood", steps=STEPS, seed=2)
    third.until(lambda run: run.events)
    assert type(third.events[0]).__name__ == "Waiting" and not third.done()
    for seed, run in enumerate((*runs, third)):
        assert (run.finish().awakened == seed).all()
        assert [event.index for event in run.of(Step)] == [*range(1, STEPS + 1)]
        assert len(run.done()) == STEPS


def test_stop_reaches_the_replica_within_one_step(engine, folder):
    run = Run(engine, folder, "stopped", steps=2)
    run.until(lambda run: len(run.of(Step)) == 2)
    run.stopped.set()
    run.allow(3)  # the step that is under way; the word goes out when its event comes
    run.thread.join(PATIENCE)
    time.sleep(3)  # the word arrives
    run.allow(STEPS)
    run.until(lambda run: (run.folder / "closed").exists())
    assert len(run.done()) <= 4


def test_tweaks_of_a_painting_go_where_its_stages_are(engine, folder):
    reused = []
    for i in range(10):
        Run(engine, folder, f"other{i}-painting", steps=STEPS).finish()
        run = Run(engine, folder, f"dahlia-{i}", steps=STEPS)
        run.finish()
        reused += [event.reused for event in run.of(Stage)]
    assert reused.count(True) >= 8


def test_latents_come_back_as_the_value(engine):
    moments = Outcome(engine.frame_latents("miniature", np.zeros((3, 8, 8, 3), np.uint8), 5))
    assert [m for m in moments if isinstance(m, tuple)] == [(1, 3), (2, 3), (3, 3)]
    assert (moments.value == np.full((3, 3), 5)).all()


def test_a_run_whose_replica_dies_begins_again_on_another(engine, folder):
    run = Run(engine, folder, "killed", steps=2, seed=9)
    run.until(lambda run: len(run.of(Step)) == 2)
    os.kill(run.pids[0], signal.SIGKILL)
    run.until(lambda run: len(run.pids) == 2)
    assert (run.finish().awakened == 9).all()
    assert run.pids[0] != run.pids[1]
    told = [event.text for event in run.of(Notice) if "begins again" in event.text]
    assert len(told) == 1 and [notice.text for notice in run.result.notices] == told
    assert [event.index for event in run.of(Step)] == [1, 2, *range(1, STEPS + 1)]


def test_without_replicas_a_run_waits_and_goes_on(engine, folder):
    runs = [Run(engine, folder, name, steps=1) for name in ("first", "second")]
    for run in runs:
        run.until(lambda run: run.of(Step))
    for run in runs:
        os.kill(run.pids[0], signal.SIGKILL)
    assert all((run.finish().awakened == 7).all() for run in runs)


def test_a_run_that_waits_for_no_engine_is_told_so(engine, folder, monkeypatch):
    """Whether Serve sees none in the moment between two is chance: here it is asked and says none."""
    held = [Run(engine, folder, name, steps=1) for name in ("held", "holds")]
    for run in held:
        run.until(lambda run: run.of(Step))
    monkeypatch.setattr("awaken.replicas.driver.states", lambda: {})
    waits = Run(engine, folder, "waits", steps=STEPS)
    waits.until(lambda run: any("No engine is up" in event.text for event in run.of(Notice)))
    assert all((run.finish().awakened == 7).all() for run in (*held, waits))


PAGE = f"""
import signal, sys
signal.alarm({PATIENCE})
import numpy as np
from awaken.replicas import Cluster
from awaken.types import Request
engine = Cluster(sys.argv[1], "2").engine()
for event in engine.animate(Request(np.zeros((8, 8, 3), np.uint8), "orphan")):
    print(type(event).__name__, flush=True)
"""


def test_a_page_that_comes_back_finds_the_same_engines(engine, cluster, folder):
    import ray

    orphan = folder / "orphan"
    orphan.mkdir()
    (orphan / "go-1").touch()
    address = ray.get_runtime_context().gcs_address
    command = [sys.executable, "-c", PAGE, address]
    page = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert "Step\n" in page.stdout, page.wait()
    finally:
        page.kill()
    for step in range(STEPS):  # its run comes to its end by itself
        (orphan / f"go-{step + 2}").touch()
    runs = [Run(cluster.engine(), folder, f"again{i}", steps=1, seed=3) for i in range(2)]
    for run in runs:
        run.until(lambda run: run.of(Step))
    worked = int((orphan / "done").read_text().split()[0])
    assert worked in [pid for run in runs for pid in run.pids]
    assert all((run.finish().awakened == 3).all() for run in runs)


def test_code_that_is_another_than_the_replicas_is_said(cluster, folder, monkeypatch):
    from ray import serve

    monkeypatch.setattr(deployment, "APP", "manifest")
    monkeypatch.setattr("awaken.replicas.driver.APP", "manifest")
    bound = deployment.deployment(ray_actor_options={"num_cpus": 0})
    serve.run(bound.bind(partial(Puppet, str(folder))), name="manifest", route_prefix=None)
    assert isinstance(cluster.engine(), Animator)
    monkeypatch.setattr(deployment, "code_version", lambda: "9.9")
    with pytest.raises(ModelError, match="this page is version 9.9"):
        cluster.engine()


@pytest.mark.parametrize(
    "address, replicas_, words",
    [
        ("127.0.0.1:1", "", "cannot be reached at 127.0.0.1:1"),
        ("nonsense", "", "cannot be reached at nonsense"),
        (LOCAL, "many", "'many' is no number of replicas"),
        (LOCAL, "4-2", "'4-2' is no number of replicas"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(address, replicas_, words):
    with pytest.raises((ModelError, RequestError), match=words):
        Cluster(address, replicas_)


def test_versions_of_ray_that_are_apart_are_said(monkeypatch):
    import ray

    def init(**options):
        raise RuntimeError("Version mismatch:\n  Ray: 2.1 there, 2.60.0 here")

    monkeypatch.setattr(ray, "init", init)
    with pytest.raises(ModelError, match=r"auto \(Version mismatch: Ray: 2.1 there, 2.60.0 here"):
        Cluster("auto")


def test_without_ray_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ModelError, match="requirements-ray.txt"):
        Cluster("local")
    assert (ROOT / "examples" / "deploy" / "requirements-ray.txt").exists()


def test_the_sample_manifest_names_what_there_is():
    """Its Serve configuration is valid to this Ray, and its page starts with arguments we take."""
    from ray.serve.schema import ServeDeploySchema

    manifest = yaml.safe_load((ROOT / "examples" / "deploy" / "rayservice.yaml").read_text())
    spec, cluster = manifest["spec"], manifest["spec"]["rayClusterConfig"]
    (application,) = ServeDeploySchema(**yaml.safe_load(spec["serveConfigV2"])).applications
    (engine,) = application.deployments
    assert (application.name, engine.name) == (deployment.APP, deployment.NAME)
    module, name = application.import_path.split(":")
    assert getattr(importlib.import_module(module), name) is deployment.application
    (head,) = cluster["headGroupSpec"]["template"]["spec"]["containers"]
    (line,) = [line for line in head["args"][0].splitlines() if "app.py" in line]
    given = app.arguments(line.split("app.py ")[1].split(";")[0].split())
    (workers,) = cluster["workerGroupSpecs"]
    most = engine.autoscaling_config["max_replicas"]
    assert given.ray == "auto" and int(given.replicas) == most == workers["maxReplicas"]
    assert given.port in [port["containerPort"] for port in head["ports"]]
    required = (ROOT / "examples" / "deploy" / "requirements-ray.txt").read_text()
    assert f"ray[default]>={cluster['rayVersion'].rpartition('.')[0]}," in required
