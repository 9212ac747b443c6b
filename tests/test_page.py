"""The page without a browser: its endpoint, its sentences, its borders."""

from __future__ import annotations

import io
import json
import math
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path

import cv2
import gradio as gr
import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image

from awaken import types
from awaken.backends import BACKENDS
from awaken.proxies import PROXIES
from awaken.types import ALPHA_KINDS, Failed, ModelError, Notice, Request, Result, Stage, Step
from awaken.ui.controls import alpha, cost, model_picker
from awaken.ui.controls.rail import new_values
from awaken.ui.run import animation, difference, file_guard, results, status
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.run.requests import calmer, make_request
from awaken.ui.run.submission import RunSubmission
from awaken.ui.texts import say
from awaken.ui.viewer import stage
from tests.page import program, served_page

ROOT = Path(__file__).resolve().parents[1]
QUICK = {"steps": 2, "size": 96}


@pytest.fixture(scope="module")
def page():
    return served_page()


@pytest.fixture(scope="module")
def client(page):
    return program(page.url)


@pytest.fixture(scope="module")
def painting(tmp_path_factory) -> Path:
    """A little seascape: sky, sun and stripes of water."""
    y, x = np.mgrid[0:96, 0:128]
    sky = np.stack([180 - y, 190 - y // 2, 220 - x // 8], axis=-1)
    sea = np.stack([60 + 20 * np.sin(y), 100 + 20 * np.sin(y), 130 + x // 4], axis=-1)
    picture = np.where((y < 50)[..., None], sky, sea).clip(0, 255).astype(np.uint8)
    path = tmp_path_factory.mktemp("paintings") / "sea.png"
    Image.fromarray(picture).save(path)
    return path


def animate(client: Client, painting, prompt: str = "the water flows", **settings):
    picture = handle_file(str(painting)) if isinstance(painting, Path) else painting
    return client.predict(painting=picture, prompt=prompt, api_name="/animate", **QUICK | settings)


def refusal(client: Client, painting, **settings) -> str:
    """The sentence that answers a request which cannot be run."""
    with pytest.raises(Exception) as caught:
        animate(client, painting, **settings)
    return str(caught.value)


def test_gradio_draws_no_progress_of_its_own(page):
    """Even a hidden one costs: it copies its outputs' properties at every moment of a run."""
    with urllib.request.urlopen(f"{page.url}config") as answer:
        events = json.load(answer)["dependencies"]
    seen = [
        event["api_name"]
        for event in events
        if event["backend_fn"] and event["targets"] and event["show_progress_on"] != []
    ]
    assert set(seen) == {"animate", "proxy"}  # these are called by programs, not by the page


def test_help_needs_neither_gradio_nor_torch():
    code = (
        "import sys, app\n"
        "try: app.main(['--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "assert not {'gradio', 'torch'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "--port" in done.stdout


def test_page_is_built_without_torch():
    code = "import sys, app; app.demo; assert not {'torch', 'diffusers'} & set(sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_public_endpoints(client):
    named = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert sorted(named) == ["/animate", "/models", "/proxy", "/settings_schema"]
    parameters = {p["parameter_name"]: p for p in named["/animate"]["parameters"]}
    assert not parameters["painting"]["parameter_has_default"]
    assert parameters["p"]["parameter_default"] == 0.6
    assert parameters["seed"]["parameter_default"] == 42


def test_models_are_listed_with_what_is_missing(client):
    listed = client.predict(api_name="/models")
    assert [m["key"] for m in listed["backend"]] == list(BACKENDS)
    assert [m["key"] for m in listed["proxy"]] == list(PROXIES)
    missing = {m["key"]: m["missing"] for m in listed["backend"]}
    assert missing["miniature"] is None
    assert "cinemo" in missing["cinemo"].lower()


def test_the_settings_schema_says_what_a_run_takes(client):
    schema = client.predict(api_name="/settings_schema")
    properties = schema["properties"]
    assert set(properties) == {f.name for f in fields(Request)} - {
        "painting",
        "proxy_image",
        "mask",
    }
    range_of_p = {"type": "number", "minimum": 0.0, "maximum": 1.0, "default": 0.6}
    assert range_of_p.items() <= properties["p"].items()
    assert all(p["description"].endswith(".") for p in properties.values())
    assert properties["steps"]["type"] == "integer"
    assert properties["alpha"]["enum"] == list(ALPHA_KINDS)
    assert schema["x-models"]["cinemo"]["steps"] == BACKENDS["cinemo"].steps


def test_the_proxy_alone(client, painting):
    def ask(**changes):
        given = {
            "painting": handle_file(str(painting)),
            "prompt": "snow falls",
            "seed": 3,
        } | changes
        return client.predict(api_name="/proxy", **given)

    first, again, other = (Image.open(ask(seed=seed)) for seed in (3, 3, 4))
    assert first.tobytes() == again.tobytes() != other.tobytes()
    for changes, words in (({"prompt": ""}, "what should move"), ({"proxy": "x"}, "no model called"),
                           ({"painting": None}, "Choose a painting first")):  # fmt: skip
        with pytest.raises(Exception, match=words):
            ask(**changes)


def test_endpoint_returns_playable_files(client, painting):
    awakened, baseline, both, proxy, settings = animate(client, painting, seed=7, p=0.5)
    told = json.loads(Path(settings).read_text(encoding="utf-8"))
    assert (told["seed"], told["p"], told["steps"]) == (7, 0.5, 2)
    shape = (told["height"], told["width"])
    assert np.asarray(Image.open(proxy)).shape[:2] == shape
    for path, width in ((awakened, shape[1]), (baseline, shape[1]), (both, 2 * shape[1] + 8)):
        video = cv2.VideoCapture(str(path))
        assert video.get(cv2.CAP_PROP_FRAME_COUNT) == told["frames"]
        assert video.get(cv2.CAP_PROP_FRAME_WIDTH) == width


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"p": 3}, "'p' is 3"),
        ({"p": "much"}, "'p' must be a number"),
        ({"p": None}, "'p' is missing"),
        ({"peak": 0}, "from 1 to 20"),
        ({"steps": 1}, "from 2 to 100"),
        ({"steps": 2.5}, "whole number"),
        ({"guidance": 0}, "from 1 to 20"),
        ({"motion": 99}, "'motion' must be a number"),
        ({"frames": 3}, "16, 24, 32 frames"),
        ({"size": 100_000}, "from 96 to 1280"),
        ({"re_noise": 0}, "from 0.1 to 1"),
        ({"seed": -1}, "whole number from 0"),
        ({"seed": 2**40}, "whole number from 0"),
        ({"alpha": "zigzag"}, "no alpha curve called 'zigzag'"),
        ({"variant": "+X"}, "no variant called '+X'"),
        ({"backend": "none"}, "no model called 'none'"),
        ({"proxy": "../../etc"}, "no model called"),
        ({"proxy": "upload"}, "needs a picture"),
        ({"options": [1]}, "must be given by name"),
        ({"options": {"sparkle": 1}}, "sparkle"),
        ({"proxy_options": {"steps": "many"}}, "steps"),
        ({"prompt": ""}, "what should move"),
        ({"prompt": " \n\t "}, "what should move"),
        ({"prompt": "clouds " * 200}, "too long"),
        ({"negative_prompt": "x" * 601}, "too long"),
    ],
)
def test_bad_setting_gets_a_sentence(client, painting, settings, words):
    assert words in refusal(client, painting, **settings)


def _bomb() -> bytes:
    """A PNG of a few bytes that claims 60,000 x 60,000 pixels."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _encoded(picture: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("text.png", b"this is not a picture", "not a picture"),
        ("page.html", b"<script>alert(1)</script>", "not a picture"),
        ("empty.jpg", b"", "picture"),
        ("half.jpg", _encoded(Image.effect_noise((200, 200), 90), "JPEG")[:4000], "damaged"),
        ("bomb.png", _bomb(), "pixels"),
        ("dot.png", _encoded(Image.new("RGB", (1, 1))), "only 1 x 1 pixels"),
        ("strip.png", _encoded(Image.new("RGB", (900, 40))), "crop"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
def test_bad_picture_gets_a_sentence(client, tmp_path, name, data, words):
    path = tmp_path / name
    path.write_bytes(data)
    said = refusal(client, path)
    assert words in said
    assert "Traceback" not in said
    assert str(tmp_path) not in said


def test_no_picture_gets_a_sentence(client):
    assert "Choose a painting first" in refusal(client, None)


def raw_answer(page, client, painting) -> str:
    """What the server streams back to a request written by hand: no client library to be polite."""
    told = client.view_api(return_format="dict", print_info=False)["named_endpoints"]["/animate"]
    data = [p.get("parameter_default") for p in told["parameters"]]
    data[:2] = [painting, "the water flows"]
    address = f"{page.url}gradio_api/call/animate"
    body = json.dumps({"data": data}).encode()
    ask = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    event = json.loads(urllib.request.urlopen(ask).read())["event_id"]
    return urllib.request.urlopen(f"{address}/{event}", timeout=60).read().decode()


@pytest.mark.parametrize("address", ["http://169.254.169.254/x.png", "https://example.org/x.png"])
def test_addresses_are_never_fetched(page, client, address):
    told = {"path": address, "meta": {"_type": "gradio.FileData"}}
    assert "never fetches addresses" in raw_answer(page, client, told)


@pytest.mark.parametrize("meta", [{}, {"meta": {"_type": "gradio.FileData"}}])
@pytest.mark.parametrize("path", ["/etc/passwd", "../main/app.py", str(ROOT / "app.py"), ""])
def test_server_paths_are_never_read(page, client, path, meta):
    answer = raw_answer(page, client, {"path": path} | meta)
    assert answer.startswith("event: error")
    assert "not a picture" not in answer  # it was not even opened


@pytest.mark.parametrize("path", ["/etc/passwd", str(ROOT / "assets"), "examples/../app.py"])
def test_drop_zone_takes_only_uploads_and_bundled_pictures(path):
    bundled = next((ROOT / "examples" / "paintings").glob("*.jpg"))
    assert file_guard.own_file(str(bundled)) == str(bundled)
    with pytest.raises(gr.Error, match="never fetches"):
        file_guard.own_file(path)


def test_pictures_of_the_server_are_never_read(page, client, painting):
    answer = raw_answer(page, client, {"path": str(painting)})
    assert answer.startswith("event: error")
    assert "never fetches" in answer


def test_unusual_pictures_and_prompts_work(client, tmp_path):
    frames = [Image.new("P", (80, 64), n) for n in (10, 20)]
    path = tmp_path / "animated.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    files = animate(client, path, prompt="云在天空中慢慢飘过，流水潺潺。" * 20 + "🌊 الماء يجري")
    assert all(Path(file).stat().st_size > 0 for file in files)


def test_two_visitors_keep_apart(page, painting):
    def visit(seed: int):
        mine = program(page.url)
        return animate(mine, painting, seed=seed)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(visit, (1, 2))
    seeds = [
        json.loads(Path(files[-1]).read_text(encoding="utf-8"))["seed"] for files in (first, second)
    ]
    assert seeds == [1, 2]
    assert Path(first[0]).read_bytes() != Path(second[0]).read_bytes()


def _status_of(url: str, **headers: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_server_serves_only_its_own_files(page):
    def served(path) -> int:
        return _status_of(f"{page.url}gradio_api/file={path}")

    for other in (
        "/etc/passwd",
        ROOT / "app.py",
        ROOT / "awaken" / "types.py",
        "http://127.0.0.1:9/",
    ):
        assert served(other) == 404, "as if there were no such file"
    assert served(next((ROOT / "examples" / "paintings").glob("*.jpg"))) == 200


def test_other_origins_get_no_access(page):
    request = urllib.request.Request(
        page.url + "config", headers={"Origin": "https://evil.example"}
    )
    try:
        headers = urllib.request.urlopen(request).headers
    except urllib.error.HTTPError as error:
        headers = error.headers
    assert "evil.example" not in (headers.get("Access-Control-Allow-Origin") or "")


def test_templates_have_no_blanks_to_fill_in(page):
    """Gradio evaluates templates as code: user text must never be able to stand in one."""
    config = json.loads(urllib.request.urlopen(page.url + "config").read())
    parts = [c["props"] for c in config["components"] if c["type"] == "html"]
    assert len(parts) >= 6
    for props in parts:
        for blank in ("{{", "${"):
            assert blank not in props["html_template"] + props.get("css_template", "")


def test_config_holds_nothing_of_python(page):
    """Whatever is not plain data in the configuration is copied on every visit, or breaks it."""
    config = json.loads(urllib.request.urlopen(page.url + "config").read())
    assert "functools.partial" not in json.dumps(config)


# The pieces, without a server.


def _step(**changes) -> Step:
    return Step(**{"stage": "distil", "index": 3, "count": 16, "done": 0.1, "seconds": 0.2,
                   "seconds_left": 8.2} | changes)  # fmt: skip


def test_status_follows_the_events():
    now = status.waiting(behind=False)
    assert now.value()["state"] == "running"
    assert "another run" in status.after(now, types.Waiting(12.0)).line
    for event in (Stage("load"), Stage("proxy", reused=True), Stage("distil"), _step()):
        now = status.after(now, event)
    value = now.value()
    assert [p["state"] for p in value["phases"]] == [
        "done",
        "reused",
        "now",
        "todo",
        "todo",
        "todo",
    ]
    assert value["detail"] == "step 3 of 16 · about 8 s left"
    now = status.after(now, _step(seconds_left=math.nan))
    assert now.detail == "step 3 of 16"
    now = status.after(now, Notice("The word “dragon” is unknown.", "prompt"))
    assert now.value()["cards"][0]["text"].startswith("The word")


@pytest.mark.parametrize(
    ("kind", "action"),
    [("memory", "smaller:384"), ("model", "miniature"), ("numerics", "calm"), ("request", None)],
)
def test_failures_offer_a_remedy(kind, action):
    card = status.failed(kind, "A sentence.", kept=True, smaller=384).value()["cards"][0]
    assert card["text"] == "A sentence."
    assert [a["name"] for a in card["actions"]] == ([action] if action else [])


def test_torn_outlines_offer_a_calmer_run():
    now = status.after(status.waiting(0.0), Notice("Edges are lost.", "torn"))
    assert [a["name"] for a in now.value()["cards"][0]["actions"]] == ["calmer"]
    assert calmer({"backend": "miniature", "motion": 1.5, "peak": 10.0}) == {"motion": 0.9}
    assert calmer({"backend": "miniature", "motion": 0.0, "peak": 10.0})["motion"] >= 0
    assert calmer({"backend": "consisti2v", "motion": None, "peak": 10.0}) == {"peak": 6.0}


def test_values_of_other_models_are_left_out():
    arrived = {
        "backend": "miniature", "proxy": "sdxl_refiner", "seed": 42, "lock": True, "p": 0.6,
        "proxy_template": "", "options:consisti2v:frame_stride": 3,
        "proxy_options:sdxl_refiner:steps": 12, "proxy_options:invsr:steps": 4, "restored": {},
        "fitted:backend": "miniature", "fitted:proxy": "sdxl_refiner",
    }  # fmt: skip
    told = new_values(arrived)
    assert told["options"] == {}
    assert told["proxy_options"] == {"steps": 12}
    assert (told["seed"], told["proxy_template"]) == (42, None)
    assert not {"lock", "restored"} & told.keys() and not any(":" in name for name in told)
    drawn = {new_values(arrived | {"lock": False})["seed"] for _ in range(5)}
    assert len(drawn) > 1


def test_a_model_chosen_a_moment_ago_has_its_own_settings():
    arrived = {
        "backend": "cinemo", "proxy": "miniature", "size": 512, "steps": 25, "lock": True,
        "restored": {}, "fitted:backend": "miniature", "fitted:proxy": "miniature",
        "proxy_strength": 0.9, "prompt": "rain falls",
    }  # fmt: skip
    told, model = new_values(arrived), BACKENDS["cinemo"]
    assert (told["size"], told["steps"]) == (model.size, model.steps)
    assert (told["prompt"], told["proxy_strength"]) == ("rain falls", 0.9)
    linked = new_values(arrived | {"restored": {"backend": "cinemo", "steps": 30}})
    assert (linked["size"], linked["steps"]) == (model.size, 30)
    assert new_values(arrived | {"fitted:backend": "cinemo"})["size"] == 512


def test_every_model_says_what_it_needs_and_whether_it_runs_here():
    for spec in (*BACKENDS.values(), *PROXIES.values()):
        label = model_picker._choice(spec)
        missing = spec.available()
        here = say("runs_here" if spec.needs else "runs_at_once")
        assert (say("not_here") if missing else here) in label
        assert model_picker.row_value("proxy", spec)["absent"] == bool(missing)


def test_models_are_grouped_by_what_they_need_with_what_runs_here_first():
    for registry in (BACKENDS, PROXIES):
        groups = list(model_picker.grouped(registry).values())
        assert sorted(key for keys in groups for key in keys) == sorted(registry), "each once"
        assert all(registry[key].available() is None for key in groups[0]), "what runs here first"
        wanted = [[registry[key].gpu_gigabytes for key in keys] for keys in groups[1:]]
        assert all(max(less) < min(more) for less, more in zip(wanted, wanted[1:]))
        assert [key for _, key in model_picker._choices(registry)] == sum(groups, [])
        marks = model_picker.marks(registry)
        assert list(marks["groups"]) == [keys[0] for keys in groups]
        assert marks["absent"] == sum(groups[1:], [])


def test_paths_of_the_machine_are_shown_to_its_owner_alone(monkeypatch):
    absent = next(spec for spec in BACKENDS.values() if spec.available())
    values = {"backend": next(k for k, s in BACKENDS.items() if s is absent), "proxy": "identity"}
    for owner in ("1", "0"):
        monkeypatch.setenv("AWAKEN_DOWNLOADS", owner)
        told = animation.failed(
            "model", "its weights are in /secret", stage.empty(), animation.asked(values)
        ).status.cards[0]
        everything = str(told) + model_picker.about(absent)
        assert ("/secret" in everything) == ("commands" in told) == (owner == "1")
    assert absent.needs in told["text"], "what it needs is no secret"


def test_smaller_size_is_the_next_one_down():
    assert status.smaller_size((384, 512, 640), 512) == 384
    assert status.smaller_size((384, 512, 640), 384) is None


class _Rates:
    """An engine that is there, whose lambdas are a share of alpha."""

    def __init__(self, share: float):
        self.share = share

    def ready(self):
        return self

    def update_rates(self, backend, steps, alphas):
        return [self.share * a for a in alphas]


def test_the_alpha_dial_draws_one_alpha_per_distilled_step_and_warns_beforehand():
    def drawn(share: float, p: float = 0.6) -> dict:
        value = alpha.drawn(_Rates(share), "miniature", 25, p, 10.0)
        assert [curve["kind"] for curve in value["curves"]] == list(types.ALPHA_KINDS)
        return {curve["kind"]: curve for curve in value["curves"]}

    calm = drawn(0.05)["stepwise-decreasing"]
    assert len(calm["alphas"]) == 16 and calm["said"] == "16 of 25 steps distil."
    wild = drawn(0.3)
    assert "lower the peak" in wild["linear-increasing"]["said"]
    assert wild["linear-increasing"]["state"] == "diverges"
    assert wild["constant"]["state"] == "calm", "its alphas are 1"
    assert drawn(0.3, p=0.0)["constant"]["alphas"] == []
    before = alpha.drawn(None, "cinemo", 50, 0.6, 20.0)["curves"][0]
    assert before["state"] == "unknown" and "lower" not in before["said"]


def _measured(before: float, after: float, differ: float = 0.4, **others) -> dict:
    """Settings of a result whose videos move so much inside the region, and little outside."""
    videos = {"baseline": before, "awakened": after}
    found = {"differ": differ, "region": 0.3, "brushed": False}
    found |= {
        n: {"inside": m, "outside": 0.1, "curve": [m], "awake": 0.3} for n, m in videos.items()
    }
    return {"p": 0.6, "variant": "+V&S"} | others | {"difference": found}


def test_what_two_videos_differ_in_is_said_from_their_numbers():
    more = difference.in_words(_measured(2.0, 5.0))
    assert more.startswith(
        "The awakened video moves 2.5 times as much as the baseline where either"
    )
    assert "30 % of the picture" in more and "40 % of the pixels differ." in more
    assert "hardly anything" in more
    brushed = _measured(2.0, 1.0)
    brushed["difference"] |= {"brushed": True, "region": 1.0}
    told = difference.in_words(brushed)
    assert "0.5 times" in told and "in the brushed region" in told and "Outside" not in told
    assert "stands still" in difference.in_words(_measured(0.05, 3.0))
    for others, why in (({"p": 0}, "p = 0"), ({"variant": "baseline"}, "baseline itself"),
                        ({}, "already moves")):  # fmt: skip
        alike = difference.in_words(_measured(2.0, 2.0, 0.01, **others))
        assert "look alike" in alike and "1 % of the pixels" in alike and why in alike
    assert "hardly anything in the picture" in difference.in_words(_measured(0.1, 0.1, 0.0))
    assert difference.in_words({"p": 0.6}) == "" and difference.curves({}) == []


def test_proxy_in_words_follows_the_numbers():
    assert results.proxy_in_words(math.inf, 1.0) == say("value_proxy_same")
    assert say("close_very") in results.proxy_in_words(31.0, 0.99)
    assert "PSNR 18.2 dB, luma correlation 0.41" in results.proxy_in_words(18.2, 0.41)


SHOWN = stage.done("a.png", "b.png", "c.mp4", frames=16, fps=8, width=64, height=64)


def _run(make, painting: Path, shown: dict = SHOWN) -> Iterator[animation.RunView]:
    """A press whose engine is ``make``'s, or a holder's that is given instead."""
    values = {"painting": str(painting), "prompt": "the water flows"}
    holder = make if isinstance(make, EngineHolder) else EngineHolder(make)
    return animation.animate(holder, RunSubmission(values, {}, shown), make_request(**values))


class _Engine:
    """Answers with prepared events, or raises one of them."""

    def __init__(self, *events):
        self._events = events

    def animate(self, request):
        for event in self._events:
            if isinstance(event, Exception):
                raise event
            yield event


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ((Stage("load"), Failed("memory", "Choose a smaller size.")), "Choose a smaller size."),
        ((_step(), RuntimeError("secret path /srv")), say("internal")),
    ],
)
def test_failed_run_keeps_the_last_result(painting, events, words):
    *_, last = _run(lambda: _Engine(*events), painting)
    assert last.ended
    assert last.status.cards[0]["text"] == words
    assert last.stage == SHOWN
    assert "secret" not in json.dumps(last.status.value())


def test_closing_a_run_closes_the_engine(painting):
    closed = []

    class Endless:
        def animate(self, request):
            try:
                while True:
                    yield _step()
            finally:
                closed.append(True)

    views = _run(Endless, painting)
    for _ in range(3):
        next(views)
    views.close()
    assert closed == [True]


def test_engine_that_cannot_start_gives_a_sentence_and_another_chance(painting):
    tries = []

    def make():
        tries.append(None)
        if len(tries) == 1:
            raise ImportError("No module named 'torch'")
        if len(tries) == 2:
            raise ModelError("The weights are damaged: fetch them again.")
        return _Engine(Failed("request", "made"))

    holder = EngineHolder(make)
    said = [list(_run(holder, painting, stage.empty()))[-1] for _ in range(3)]
    assert "No module named 'torch'" in said[0].status.cards[0]["text"]
    assert said[1].status.cards[0]["text"].startswith("The weights are damaged")
    assert said[2].status.cards[0]["text"] == "made"
    assert holder.busy == 0


def test_finished_run_has_files_of_unguessable_name(painting):
    video = np.zeros((2, 32, 32, 3), np.uint8)
    settings = {
        "seed": 5, "p": 0.6, "alpha": "constant", "peak": 10.0, "variant": "+V&S", "steps": 2,
        "guidance": 3.0, "motion": 0.8, "frames": 2, "fps": 8, "width": 32, "height": 32,
        "backend": "miniature", "proxy": "identity", "prompt": "the water flows",
    }  # fmt: skip
    result = Result(video[0], video[0], video, video, settings, {"total": 1.0}, 4, 4, math.inf, 1.0)

    class Saving(_Engine):
        def save(self, result, folder):
            from awaken.video import save_result

            return save_result(result, folder)

    first, second = (list(_run(lambda: Saving(result), painting))[-1] for _ in range(2))
    folders = [Path(v.stage["result"]["stacked"]["path"]).parent for v in (first, second)]
    assert folders[0] != folders[1]
    assert all(len(folder.name) >= 32 for folder in folders)
    assert next(file["name"] for file in first.placard["files"]) == "painting-seed5-awakened.mp4"
    assert ["Seed", "5"] in [list(fact) for fact in first.placard["facts"]]


def test_the_cost_before_the_click_takes_only_plausible_values():
    good = {
        "backend": "miniature", "proxy": "miniature", "variant": "+V&S", "p": 0.6, "re_noise": 1,
        "steps": None, "size": 512, "frames": 16,
    }  # fmt: skip
    assert cost.plausible(good)
    for name, bad in (
        ("backend", ["miniature"]), ("variant", None), ("p", None), ("p", float("nan")),
        ("steps", "25"), ("frames", 10**9), ("size", True),
    ):  # fmt: skip
        assert not cost.plausible(good | {name: bad})
