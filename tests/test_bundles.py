"""Bundles over the running page: made once on request, and nothing else can be had."""

from __future__ import annotations

import io
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import numpy as np
import pytest

from awaken.examples import load_index
from awaken.types import Request, Result
from awaken.ui import bundles, results, runs
from awaken.video import save_result
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
    return save_result(result, runs.new_folder())


def fetch(address: str) -> zipfile.ZipFile:
    with urllib.request.urlopen(address) as answer:
        assert answer.headers["content-type"] == "application/zip"
        assert answer.headers["content-disposition"].startswith("attachment")
        return zipfile.ZipFile(io.BytesIO(answer.read()))


def test_the_placards_links_give_a_run_with_and_without_settings(url, run):
    listed = results.downloads(run, "wave-seed42", EXAMPLE.id)
    full, bare = (fetch(url + link["file"]["url"]) for link in listed[-2:])
    assert "settings.json" in full.namelist() and "painting.png" in full.namelist()
    assert EXAMPLE.title in full.read("ATTRIBUTION.txt").decode()
    assert not any(b"secret sea" in bare.read(name) for name in bare.namelist())


def test_an_example_is_a_bundle_too_and_made_once(url):
    link = bundles.links(EXAMPLE.results, EXAMPLE.id)[0]
    fetch(url + link["file"]["url"])
    made = Path(runs.get_upload_folder()) / "bundles" / f"{EXAMPLE.id}.zip"
    before = made.stat().st_mtime_ns
    fetch(url + link["file"]["url"])
    assert made.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "name",
    ["x" * 32, "example-nothing", "example-..%2f..%2fapp", "%2e%2e", "..%2f" + "x" * 29, "é" * 32],
)
def test_nothing_else_can_be_named(url, name):
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{url}bundle/{urllib.parse.quote(name, safe='%')}.zip")
    assert refused.value.code == 404
