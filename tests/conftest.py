"""Fixtures for the browser tests: a Chromium that plays our videos, a page that watches itself.

A test asks for ``open_page`` (visits a local address in a browser context of its own) and gets a
Playwright page. When the test ends, errors on the console, uncaught exceptions and requests to any
other host fail it; ``page.expected_errors`` takes substrings of console errors that it provokes.
What Gradio says of a stream that a reload or a link cuts is expected once there was one.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from urllib.parse import urlsplit

import pytest

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
# Files of the tests are the tests' own: not the workers' in common, nor a running demo's.
FILES = tempfile.TemporaryDirectory(prefix="awaken-tests-", ignore_cleanup_errors=True)
os.environ["GRADIO_TEMP_DIR"] = FILES.name
if "PYTEST_XDIST_WORKER" in os.environ:  # one core each: threads that wait for each other only spin
    os.environ.setdefault("OMP_NUM_THREADS", "1")

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--autoplay-policy=no-user-gesture-required",
]
INSTALL = (
    "No Chromium that plays h264 was found: install one (apt-get install chromium, or "
    "playwright install chrome), then run the tests again."
)
LOCAL_HOSTS = {"127.0.0.1", "localhost"}
CUT_STREAM = ("AbortError", "errored out")


def _browsers():
    """The system's browsers first: Debian's play h264, Playwright's own build often does not."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome",
             "google-chrome-stable")  # fmt: skip
    for name in names:
        if path := shutil.which(name):
            yield {"executable_path": path}
    yield {}


def _plays_h264(browser) -> bool:
    page = browser.new_page()
    kind = 'video/mp4; codecs="avc1.64001f"'
    answer = page.evaluate("kind => document.createElement('video').canPlayType(kind)", kind)
    page.close()
    return bool(answer)


@pytest.fixture
def places(models, monkeypatch, tmp_path):
    """Weights come from the module's own folder ``models`` alone: no cache, no hub."""
    monkeypatch.setenv("AWAKEN_MODELS", str(models))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture
def inference():
    """Nothing records gradients."""
    import torch

    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def server():
    """The session's page, warm, so that no test pays for the start."""
    from tests.page import served_page

    page = served_page()
    assert page.engine is not None
    return page


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium for the whole session; fails with one sentence where there is none."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        pytest.fail("The browser tests need Playwright: pip install playwright.", pytrace=False)
    with sync_playwright() as playwright:
        for where in _browsers():
            try:
                browser = playwright.chromium.launch(args=CHROMIUM_FLAGS, **where)
            except Error:  # not there, or not startable: try the next one
                continue
            if _plays_h264(browser):
                yield browser
                browser.close()
                return
            browser.close()
    pytest.fail(INSTALL, pytrace=False)


@pytest.fixture
def open_page(chromium):
    """``open_page(url, width=1280, height=800, **context_options)`` -> a watched page."""
    contexts, pages = [], []

    def open_(url: str, width: int = 1280, height: int = 800, **options):
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(150_000)  # patience with slow machines, not a measure of speed
        page.expected_errors = []
        troubles: list[str] = []
        page.on("console", lambda m: m.type == "error" and troubles.append(f"console: {m.text}"))
        page.on("pageerror", lambda error: troubles.append(f"exception: {error}"))
        page.on("request", lambda request: _note_foreign(request.url, troubles))
        pages.append((page, troubles))
        page.goto(url)
        page.on("domcontentloaded", lambda _: page.expected_errors.extend(CUT_STREAM))
        return page

    yield open_
    for context in contexts:
        context.close()
    unexpected = [
        trouble
        for page, troubles in pages
        for trouble in troubles
        if not any(part in trouble for part in page.expected_errors)
    ]
    assert not unexpected, unexpected


def _note_foreign(url: str, troubles: list[str]) -> None:
    parts = urlsplit(url)
    if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in LOCAL_HOSTS:
        troubles.append(f"foreign request: {url}")
