"""The stage for talks as a server: what it shows, what it leaves out, what it never reads."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from awaken.bundle.writer import write_bundle
from awaken.examples import load_index
from awaken.types import RequestError
from awaken.ui.run import links
from awaken.ui.server import present
from awaken.video import stacked, write_mp4
from tests.page import served_page

ROOT = Path(__file__).parent.parent
SETTINGS = {"prompt": "the sea", "width": 64, "height": 48, "fps": 6, "frames": 4, "seed": 1}


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """A result folder of the command line."""
    folder = tmp_path_factory.mktemp("runs") / "a_late-wave"
    folder.mkdir()
    video = np.zeros((4, 48, 64, 3), np.uint8)
    write_mp4(stacked(video, video + 200), folder / "stacked.mp4", 6, SETTINGS)
    (folder / "settings.json").write_text(json.dumps(SETTINGS))
    return folder


@pytest.fixture(scope="module")
def talk(result, tmp_path_factory):
    """A folder for a talk: a bundle, a result, and things that are neither."""
    folder = tmp_path_factory.mktemp("talk")
    files = {name: result / f"{name}.mp4" for name in ("stacked",)}
    write_bundle(files, folder / "B first.zip", picture={"title": "<b>The Wave</b>"})
    shutil.copytree(result, folder / "c")
    (folder / "d broken.zip").write_bytes(b"PK\x03\x04 nonsense")
    with zipfile.ZipFile(folder / "e other.zip", "w") as other:
        other.writestr("readme.txt", "hello")
    (folder / "notes.txt").write_text("not for the stage")
    return folder


def test_the_examples_are_shown_without_the_failure():
    slides = present.from_examples()
    ready = [e for e in load_index() if e.results and not e.failure]
    assert [s.facts["title"] for s in slides] == [e.title for e in ready]
    assert slides[0].facts["byline"] == f"{ready[0].artist}, {ready[0].year}"


def test_a_folder_becomes_slides_by_name(talk):
    slides, problems = present.from_folder(talk)
    assert [s.facts["title"] for s in slides] == ["<b>The Wave</b>", "c"]
    assert [s.facts["prompt"] for s in slides] == ["the sea", "the sea"]
    assert [p.split(" is left out")[0] for p in problems] == ["d broken.zip", "e other.zip"]
    assert all(s.film()[4:8] == b"ftyp" for s in slides)


def test_a_result_folder_alone_is_a_talk(result):
    slides, _ = present.from_folder(result)
    assert [s.facts["title"] for s in slides] == ["a late wave"]


_DEEP = "[" * 50_000


@pytest.mark.parametrize(
    "settings",
    ["[]", "1", "null", _DEEP, '{"a":' * 50_000, "{", "", "\udc80", '{"prompt": "a", "fps": NaN}',
     '{"width": 1e999, "height": 1, "fps": 1, "frames": 1}', "x" * 200_000,
     '{"width": "1", "height": [], "fps": {}, "frames": true}', "9" * 5000],
)  # fmt: skip
def test_a_bad_result_is_left_out_and_the_talk_goes_on(talk, result, tmp_path, settings):
    talk = shutil.copytree(talk, tmp_path / "talk")
    bad, bundle = talk / "f bad", talk / "g bad.zip"
    bad.mkdir()
    (bad / "stacked.mp4").write_bytes((result / "stacked.mp4").read_bytes())
    (bad / "settings.json").write_bytes(settings.encode("utf-8", "surrogateescape"))
    with zipfile.ZipFile(bundle, "w") as zipped:
        zipped.writestr("bundle.json", settings.encode("utf-8", "surrogateescape"))
        zipped.write(result / "stacked.mp4", "stacked.mp4")
    slides, problems = present.from_folder(talk)
    assert [s.facts["title"] for s in slides] == ["<b>The Wave</b>", "c"]
    assert {"f bad", "g bad.zip"} <= {p.split(" is left out")[0] for p in problems}


def test_titles_that_no_page_can_write_are_written_otherwise(result, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as zipped:
        film = json.loads((result / "settings.json").read_text())
        label = {"awaken_bundle": 1, "picture": {"title": "a \ud83d wave"}, "prompt": "\udfff",
                 "film": film}  # fmt: skip
        zipped.writestr("bundle.json", json.dumps(label))
        zipped.write(result / "stacked.mp4", "stacked.mp4")
    odd = tmp_path / os.fsdecode(b"b \xff")
    odd.mkdir()
    for name in ("stacked.mp4", "settings.json"):
        (odd / name).write_bytes((result / name).read_bytes())
    slides, _ = present.from_folder(tmp_path)
    show = TestClient(present.alone(slides)).get("/present/show.json").json()
    assert [slide["title"] for slide in show["slides"]] == ["a ? wave", "b ?"]


def test_no_link_leads_out_of_the_folder_and_no_pipe_is_waited_for(talk, result, tmp_path):
    talk, outside = shutil.copytree(talk, tmp_path / "talk"), tmp_path / "outside"
    outside.mkdir()
    (outside / "settings.json").write_bytes((result / "settings.json").read_bytes())
    (outside / "stacked.mp4").write_bytes((result / "stacked.mp4").read_bytes())
    write_bundle({"stacked": outside / "stacked.mp4"}, outside / "a.zip")
    (talk / "h link").symlink_to(outside)
    (talk / "i.zip").symlink_to(outside / "a.zip")
    for name, settings in (("j film", True), ("k settings", False)):
        (talk / name).mkdir()
        for part in ("stacked.mp4", "settings.json"):
            if (part == "settings.json") == settings:
                (talk / name / part).write_bytes((outside / part).read_bytes())
            else:
                (talk / name / part).symlink_to(outside / part)
    os.mkfifo(talk / "l.zip")
    (talk / "m pipe").mkdir()
    (talk / "m pipe" / "stacked.mp4").write_bytes((outside / "stacked.mp4").read_bytes())
    os.mkfifo(talk / "m pipe" / "settings.json")
    (talk / "n loop").symlink_to(talk / "n loop")
    (talk / "o loop.zip").symlink_to(talk / "o loop.zip")
    slides, problems = present.from_folder(talk)
    assert [s.facts["title"] for s in slides] == ["<b>The Wave</b>", "c"]
    left = {p.split(" is left out")[0] for p in problems}
    assert {"h link", "i.zip", "j film", "k settings", "l.zip", "m pipe", "o loop.zip"} <= left


def test_a_film_that_became_a_link_is_not_shown(result, tmp_path):
    result, secret = shutil.copytree(result, tmp_path / "a"), tmp_path / "secret.mp4"
    secret.write_bytes((result / "stacked.mp4").read_bytes())
    slides, _ = present.from_folder(result)
    (result / "stacked.mp4").unlink()
    (result / "stacked.mp4").symlink_to(secret)
    assert TestClient(present.alone(slides)).get("/present/film-0.mp4").status_code == 404


def test_nothing_to_show_is_said(tmp_path):
    with pytest.raises(RequestError, match="nothing to show"):
        present.from_folder(tmp_path)
    with pytest.raises(RequestError, match="no folder"):
        present.from_folder(tmp_path / "nowhere")


def test_only_its_own_files_are_answered(talk):
    client = TestClient(present.alone(present.from_folder(talk)[0]))
    show = client.get("/present/show.json").json()
    assert [s["film"] for s in show["slides"]] == ["present/film-0.mp4", "present/film-1.mp4"]
    page = client.get("/")
    assert page.url.path == "/present" and "present.js" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert client.get("/present/film-0.mp4").headers["content-type"] == "video/mp4"
    assert client.get("/present/").url.path == "/present"
    for name in (
        "film-2.mp4",
        "film--1.mp4",
        "..%2f..%2fapp.py",
        "notes.txt",
        "%2e%2e/app.py",
        "film-²",
    ):
        assert client.get(f"/present/{name}").status_code == 404


def test_a_folder_that_has_changed_is_read_again(result, tmp_path):
    write_bundle({"stacked": result / "stacked.mp4"}, tmp_path / "b.zip", picture={"title": "B"})
    slides, _ = present.from_folder(tmp_path)
    client = TestClient(present.alone(slides, folder=tmp_path))

    def titles() -> list[str]:
        shown = client.get("/present/show.json").json()["slides"]
        assert all(client.get(f"/{slide['film']}").status_code == 200 for slide in shown)
        return [slide["title"] for slide in shown]

    assert titles() == titles() == ["B"]
    write_bundle({"stacked": result / "stacked.mp4"}, tmp_path / "a.zip", picture={"title": "A"})
    assert titles() == ["A", "B"]
    assert client.get("/present/film-0.mp4").status_code == 200, "for a page that is open"
    (tmp_path / "b.zip").unlink()
    assert titles() == ["A"]
    (tmp_path / "a.zip").unlink()
    shown = client.get("/present/show.json").json()["slides"]
    assert [slide["title"] for slide in shown] == ["A"], "an empty folder ends no talk"


def test_a_film_that_has_gone_is_not_found(result, tmp_path):
    write_bundle({"stacked": result / "stacked.mp4"}, tmp_path / "a.zip")
    slides, _ = present.from_folder(tmp_path)
    (tmp_path / "a.zip").unlink()
    assert TestClient(present.alone(slides)).get("/present/film-0.mp4").status_code == 404


def test_the_page_serves_it_too():
    with urllib.request.urlopen(f"{served_page().url}present") as answer:
        assert b'data-testid="present"' in answer.read()
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"{served_page().url}present/notes.txt")


def test_it_needs_no_model_no_torch_and_no_gradio():
    code = (
        "import sys, awaken.ui.server.present as p; assert p.from_examples();"
        "sys.exit(bool({'torch', 'gradio', 'diffusers', 'transformers'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_the_command_says_what_is_wrong(tmp_path):
    command = [sys.executable, "app.py", "--present", str(tmp_path / "nowhere")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stderr.startswith("awaken: There is no folder")


@pytest.mark.parametrize(
    "link", ("javascript:alert(1)", "my page", "https://a b", "https://" + 600 * "x")
)
def test_a_link_that_is_none_is_said(link):
    command = [sys.executable, "app.py", "--present", "--link", link]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stderr.startswith("awaken: The link must be one address")


def test_a_space_offers_its_own_page_to_the_hall(monkeypatch):
    monkeypatch.setenv("SPACE_ID", "anne/awaken")
    assert links.space_page() == "https://huggingface.co/spaces/anne/awaken"
    monkeypatch.delenv("SPACE_ID")
    assert links.space_page() is None
