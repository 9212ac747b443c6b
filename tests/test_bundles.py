"""Bundles over the running page: made once on request, and nothing else can be had."""

from __future__ import annotations

import io
import json
import urllib.error
import urllib.request
import zipfile

import numpy as np
import pytest

from awaken.bundle.writer import read_frames
from awaken.examples import load_index
from awaken.types import Request, RequestError, Result
from awaken.ui.run import bundle_links, files, results
from awaken.ui.server import bundles
from awaken.video import read_settings, save_result
from tests.page import served_page

EXAMPLE = next(e for e in load_index() if e.results)


@pytest.fixture(scope="module")
def url():
    return served_page().url


@pytest.fixture(scope="module")
def run():
    """A finished run of a visitor, in its folder of unguessable name."""
    still = np.full((48, 64, 3), 90, np.uint8)
    video = np.repeat(still[None], 4, 0)
    request = Request(still, "the secret sea", frames=4, fps=6)
    result = Result(
        still, still, video, video, request.settings() | {"width": 64, "height": 48},
        {"total": 1.0}, 1, 1, 9.0, 1.0,
    )  # fmt: skip
    return save_result(result, files.new_folder())


def fetch(address: str) -> tuple[str, bytes]:
    """(the name that a browser gives the file, its bytes)"""
    with urllib.request.urlopen(address) as answer:
        kind, name = answer.headers["content-disposition"].split("; filename=")
        assert kind == "attachment"
        return name.strip('"'), answer.read()


def opened(address: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(fetch(address)[1]))


def test_the_placards_links_give_a_run_with_and_without_settings(url, run):
    settings = json.loads(run["settings"].read_text("utf-8"))
    listed = results.downloads(run, settings, EXAMPLE.id)[-2]
    full, bare = (opened(url + link["file"]["url"]) for link in (listed, listed["bare"]))
    assert "settings.json" in full.namelist() and "painting.png" in full.namelist()
    assert EXAMPLE.title in full.read("ATTRIBUTION.txt").decode()
    assert not any(b"secret sea" in bare.read(name) for name in bare.namelist())


def test_single_files_say_what_they_are_and_the_switch_empties_files_and_names(url, run, tmp_path):
    settings = json.loads(run["settings"].read_text("utf-8"))
    for link in bundle_links.bundle_links(run, settings, EXAMPLE.id):
        name, data = fetch(url + link["file"]["url"])
        assert name == link["name"] and name.startswith(f"{EXAMPLE.id}-seed{settings['seed']}")
        film = tmp_path / name
        film.write_bytes(data)
        if name.endswith(".mp4"):
            assert read_settings(film)["prompt"] == "the secret sea"
        if not (bare := link["bare"]):
            assert name.endswith("settings.json"), "only the settings themselves have no bare twin"
            continue
        name, data = fetch(url + bare["file"]["url"])
        assert name == bare["name"] and "seed" not in name
        assert b"secret" not in data and b"awaken_bundle" not in data[:400]
        if name.endswith(".mp4"):
            film.write_bytes(data)
            with pytest.raises(RequestError):
                read_settings(film)
            assert read_frames(film, 64, 48).shape[0] == 4
    with pytest.raises(urllib.error.HTTPError):
        fetch(f"{url}bundle/{run['stacked'].parent.name}/settings.json?settings=0")


def test_an_example_is_a_bundle_too_and_made_once(url):
    settings = json.loads(EXAMPLE.results["settings"].read_text("utf-8"))
    *single, everything = bundle_links.bundle_links(EXAMPLE.results, settings)
    name, data = fetch(url + everything["file"]["url"])
    assert name == f"{EXAMPLE.id}.zip"
    made = bundles._shelf() / name
    before = made.stat().st_mtime_ns
    with zipfile.ZipFile(io.BytesIO(data)) as bundle:
        assert "painting.png" in bundle.namelist(), "its reproduce line needs nothing more"
        for link in single:
            name, data = fetch(url + link["file"]["url"])
            assert name == link["name"] and data
            if name.endswith("awakened.mp4"):
                assert data == bundle.read("awakened.mp4")
    assert made.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "name",
    ["x" * 32, "example-nothing", "example-..%2f..%2fapp", "%2e%2e", "..%2f" + "x" * 29, "é" * 32],
)
def test_nothing_else_can_be_named(url, name):
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{url}bundle/{urllib.parse.quote(name, safe='%')}.zip")
    assert refused.value.code == 404


@pytest.mark.parametrize("file", ["stacked.mp4", "..%2fsettings.json", "settings", "painting.png"])
def test_no_other_file_of_a_run_can_be_named(url, run, file):
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{url}bundle/{run['stacked'].parent.name}/{file}")
    assert refused.value.code == 404
