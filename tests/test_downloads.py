"""Fetching weights from the page: offered to the machine's owner only, with size, terms, progress."""

from dataclasses import replace

import pytest

from awaken import hub
from awaken.backends import BACKENDS
from awaken.ui.controls import model_downloads
from tests.page import served_page
from tests.test_hub import RELEASE, archive_of, server


@pytest.fixture
def absent(tmp_path, monkeypatch):
    """A model that is not here, whose archive a server of ours holds."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("AWAKEN_DOWNLOADS", "1")
    body = archive_of(tmp_path)
    with server(lambda path: (200, {"Content-Length": str(len(body))}, body)) as url:
        release = replace(RELEASE, repo=None, archive=f"{url}/toy.tar")
        spec = replace(
            BACKENDS["cinemo"], title="Toy", release=release, available=lambda: hub.missing(release)
        )
        monkeypatch.setitem(BACKENDS, "toy", spec)
        yield spec


def test_a_press_fetches_and_tells_how_far(absent):
    told = list(model_downloads.progress(served_page().holder, "backend", "toy", absent))
    assert [over for _, over in told] == [False] * (len(told) - 1) + [True]
    assert "100 %" in told[-2][0] and "is here now" in told[-1][0]
    assert absent.available() is None
    again = list(model_downloads.progress(served_page().holder, "backend", "toy", absent))
    assert len(again) == 1 and "nothing to download" in again[0][0]


def test_a_failure_ends_in_its_sentence(absent):
    gone = replace(absent.release, archive="http://127.0.0.1:9/toy.tar")
    spec = replace(absent, release=gone)
    BACKENDS["toy"] = spec
    words, over = list(model_downloads.progress(served_page().holder, "backend", "toy", spec))[-1]
    assert over and "could not be fetched" in words


def test_a_server_for_others_offers_and_fetches_nothing(absent, monkeypatch):
    monkeypatch.delenv("AWAKEN_DOWNLOADS")
    assert not model_downloads._wanted(absent)
    (told,) = model_downloads.progress(served_page().holder, "backend", "toy", absent)
    assert told[1] and absent.available() is not None


def test_the_button_says_size_and_terms_before_anything_is_fetched(absent):
    words = model_downloads._words(BACKENDS["animate_anything"])
    whole = BACKENDS["sparsectrl"].bases, BACKENDS["sparsectrl"].release
    size = hub.gigabytes(sum(release.size for release in (*whole[0], whole[1])))
    assert size in model_downloads._words(BACKENDS["sparsectrl"]), "with all that it works on"
    assert "3.7 GB" in words and "CC-BY-NC-4.0" in words and "Not for commercial use" in words
