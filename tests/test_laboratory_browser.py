"""The laboratory in a real Chromium, over toy models: one scrubber, stop, isolation, axe."""

from __future__ import annotations

import time

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from awaken.backends import BACKENDS
from awaken.proxies import PROXIES
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.server import serving
from awaken.video import write_mp4
from tests import tiny
from tests.page import CountedEngine, Page

pytestmark = pytest.mark.browser

# Every canvas of a grid as a short string, with the frame that the grid says it is at.
LOOK = """
(grid) => {
  const small = new OffscreenCanvas(16, 16).getContext("2d");
  const look = (canvas) => {
    small.drawImage(canvas, 0, 0, 16, 16);
    return small.getImageData(0, 0, 16, 16).data.join();
  };
  return [+grid.dataset.frame, [...grid.querySelectorAll("canvas")].map(look)];
}
"""
WATCH = """
async (grid) => {
  const seen = [];
  for (const start = performance.now(); performance.now() - start < 2500; ) {
    await new Promise(requestAnimationFrame);
    seen.push(LOOK(grid));
  }
  return seen;
}
""".replace("LOOK", f"({LOOK.strip()})")


@pytest.fixture(scope="module")
def server():
    """A page whose registries know two toy models too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BACKENDS, "tiny", tiny.TINY)
        patch.setitem(PROXIES, "tiny", tiny.TINY_PROXY)
        demo, holder = serving.make_page(EngineHolder(lambda: CountedEngine(device="cpu")))
        page = Page(serving.launch(demo, holder), holder)
        assert page.engine is not None
        yield page
        demo.close()


@pytest.fixture
def visit(server, open_page):
    """``visit(theme, **context)`` -> the page with the toy models chosen."""

    def open_(theme: str = "light", **context):
        page = open_page(f"{server.url}lab?__theme={theme}", **context)
        page.wait_for_selector("#aw-laboratory")
        for name in ("backend", "proxy"):
            page.click(f"#aw-row-{name} button")
            page.locator(f"#aw-{name} label", has_text="Tiny").click()
            page.keyboard.press("Escape")
        page.click("#aw-advanced button")
        page.locator("#aw-size", has_text="96").wait_for()
        return page

    return open_


def tab(page, name: str) -> None:
    found = page.get_by_role("tab", name=name, exact=True)
    if not found.is_visible():
        page.locator("#aw-laboratory .overflow-menu > button").click()
        found = page.locator("#aw-laboratory .overflow-dropdown button", has_text=name)
    found.click()


def wait_for_state(page, name: str, state: str):
    return page.wait_for_selector(f"#aw-grid-{name} [data-state={state}]", timeout=150_000)


def sweep(page):
    page.click("#aw-go-sweep")
    return page.wait_for_selector("#aw-grid-sweep [data-source=film]", timeout=150_000)


def test_one_scrubber_drives_all_videos_exactly(visit):
    page = visit()
    grid = sweep(page)
    page.wait_for_function(  # in this browser's history, as any other run
        "document.querySelector('[data-testid=history-about]').textContent.startsWith('5 runs')"
    )
    scrub = page.locator("#aw-grid-sweep .aw-scrub")
    known = {}
    for frame in (2, 0, 3, 1):
        scrub.fill(str(frame))
        at, pictures = grid.evaluate(LOOK)
        assert at == frame and len(pictures) == 6
        known[frame] = pictures
    for canvas in range(6):
        assert len({pictures[canvas] for pictures in known.values()}) == 4, "frames look alike"
    page.click("#aw-grid-sweep .aw-play")
    seen = grid.evaluate(WATCH)
    assert len({frame for frame, _ in seen}) == 4
    assert all(pictures == known[frame] for frame, pictures in seen)
    page.click("#aw-grid-sweep .aw-play")
    before, _ = grid.evaluate(LOOK)
    page.click("#aw-grid-sweep .aw-next")
    at, pictures = grid.evaluate(LOOK)
    assert at == (before + 1) % 4 and pictures == known[at]


def test_a_sweep_says_what_it_saved_and_a_tile_sets_the_dial(visit):
    page = visit()
    page.locator("#aw-seed input").fill("271828")  # nobody has made these runs before
    sweep(page)
    line = page.inner_text("#aw-grid-sweep .aw-grid-line")
    assert "5 runs" in line and "saved" in line and "baseline 4×" in line
    page.locator("#aw-grid-sweep .aw-tile", has_text="p = 0.25").get_by_role("button").click()
    page.wait_for_function("document.querySelector('#aw-p input[type=number]').value === '0.25'")
    assert page.is_enabled("#aw-go-sweep") and page.is_disabled("#aw-stop")


def test_stop_ends_a_series_within_a_step(visit, server):
    page = visit()
    page.fill("#aw-prompt textarea", "something that nobody has asked for")
    server.engine.pace = 0.5  # longer than a request takes on a busy machine
    try:
        page.click("#aw-go-sweep")
        page.wait_for_function(
            "document.querySelector('#aw-grid-sweep .aw-grid-line').textContent.includes('step 3')",
            timeout=150_000,
        )
        asked = []
        page.on("request", lambda r: r.method == "POST" and asked.append(server.engine.steps))
        page.click("#aw-stop")
        wait_for_state(page, "sweep", "stopped")
        deadline = time.monotonic() + 15
        while server.engine.open_runs and time.monotonic() < deadline:
            page.wait_for_timeout(20)
        assert server.engine.open_runs == 0
        assert server.engine.steps - asked[0] <= 1
    finally:
        server.engine.release()
    page.wait_for_timeout(500)
    assert page.inner_text("#aw-grid-sweep .aw-grid-line") == "Stopped."
    assert page.is_enabled("#aw-go-sweep") and page.is_disabled("#aw-stop")


def test_closing_the_tab_frees_the_engine(visit, server):
    page = visit()
    page.fill("#aw-prompt textarea", "nobody has asked for this either")
    server.engine.pace = 0.2
    try:
        page.click("#aw-go-sweep")
        page.wait_for_function(
            "document.querySelector('#aw-grid-sweep .aw-grid-line').textContent.includes('step 3')",
            timeout=150_000,
        )
        assert server.engine.open_runs == 1
        page.close()
        deadline = time.monotonic() + 30
        while server.engine.open_runs and time.monotonic() < deadline:
            time.sleep(0.05)
        assert server.engine.open_runs == 0
    finally:
        server.engine.release()


PAINTED = """
() => [...document.querySelectorAll("#aw-grid-variants canvas")].filter((canvas) => {
  const look = canvas.getContext("2d").getImageData(canvas.width / 2, canvas.height / 2, 1, 1);
  return look.data[3] === 255;
}).length
"""


def test_a_reload_comes_back_to_the_series_and_then_to_its_film(visit, server):
    page = visit()
    page.expected_errors.append("ERR_FAILED")  # of the film that is kept from it
    prompt = "the rows of a table, and the page is loaded anew"
    page.fill("#aw-prompt textarea", prompt)
    tab(page, "Table 1")
    server.engine.pace = 0.2
    try:
        page.click("#aw-go-variants")
        page.wait_for_selector("#aw-grid-variants canvas")
        server.engine.hold()  # the series must outlast the page's way back
        page.reload()
        page.wait_for_function(f"({PAINTED.strip()})() > 0")
        assert page.get_by_role("tab", name="Table 1").get_attribute("aria-selected") == "true"
        assert page.input_value("#aw-prompt textarea") == prompt
        assert page.is_disabled("#aw-go-variants") and page.is_enabled("#aw-stop")
        assert server.engine.open_runs == 1
        line = page.locator("#aw-grid-variants .aw-grid-line")
        at = line.inner_text()
        assert " of 5, " in at
        server.engine.release()
        page.wait_for_function(
            "at => document.querySelector('#aw-grid-variants .aw-grid-line').textContent !== at",
            arg=at,
        )
    finally:
        server.engine.release()
    page.wait_for_selector("#aw-grid-variants [data-source=film]")
    assert page.is_enabled("#aw-go-variants") and page.is_disabled("#aw-stop")
    page.route("**/grid.mp4", lambda route: route.abort())
    page.reload()
    wait_for_state(page, "variants", "done")
    page.wait_for_function(
        "document.querySelector('#aw-grid-variants .aw-grid-trouble').textContent"
    )
    page.wait_for_function(f"({PAINTED.strip()})() === 5")  # as it says: from the small preview
    assert page.get_attribute("#aw-grid-variants .aw-grid", "data-source") == "preview"
    assert "5 runs in" in line.inner_text()


def test_a_series_that_is_gone_is_told_and_its_settings_come_back(visit, server):
    page = visit()
    told = {"variants": {"server": server.holder.jobs.id, "link": "v=1&prompt=rain+falls"}}
    page.evaluate("runs => sessionStorage.setItem('awaken-runs', JSON.stringify(runs))", told)
    page.reload()
    line = page.locator(
        "#aw-grid-variants .aw-grid-line:text('The server has deleted this series')"
    )
    line.wait_for()
    assert line.is_visible()
    assert page.input_value("#aw-prompt textarea") == "rain falls"
    assert page.is_enabled("#aw-go-variants") and page.is_disabled("#aw-stop")
    assert page.evaluate("sessionStorage.getItem('awaken-runs')") == "{}"


def test_another_visitor_sees_nothing_of_it(visit):
    mine, other = visit(), visit()
    sweep(mine)
    other.wait_for_timeout(300)
    assert other.locator("#aw-grid-sweep canvas").count() == 0
    assert "Nothing rendered" in other.inner_text("#aw-grid-sweep .aw-grid-line")
    assert other.is_enabled("#aw-go-sweep")


def test_paths_with_a_clip_and_every_map(visit, tmp_path):
    video = np.full((20, 96, 128, 3), 60, np.uint8)
    for i, picture in enumerate(video):
        picture[30:60, 4 * i : 4 * i + 30] = (220, 160, 40)
    write_mp4(video, tmp_path / "clip.mp4", 8)
    page = visit()
    tab(page, "Latent paths")
    page.set_input_files("#aw-clip input[type=file]", str(tmp_path / "clip.mp4"))
    page.wait_for_selector("#aw-clip .file-preview, #aw-clip .file-preview-holder")
    page.click("#aw-go-paths")
    page.wait_for_selector("[data-testid=paths][data-state=done]", timeout=150_000)
    assert page.locator("#aw-paths tbody tr").count() == 3
    assert page.locator("#aw-paths .aw-path-clip .aw-mark").count() >= 4
    assert "by construction" in page.inner_text("#aw-laboratory")
    for name, words in (
        ("where they lie", "Principal components of all"),
        ("t-SNE", "t-SNE (exact"),
    ):
        page.locator("#aw-map label", has_text=name).click()
        page.wait_for_function(
            "w => document.querySelector('.aw-about-map').textContent.startsWith(w)", arg=words
        )


def test_curves_follow_the_dials(visit):
    page = visit()
    tab(page, "α and λ")
    page.wait_for_selector("[data-testid=curves] figure")
    assert page.locator("[data-testid=curves] figure").count() == 5
    number = page.locator("#aw-p input[type=number]")
    number.fill("0")
    number.press("Enter")
    page.wait_for_function(
        "document.querySelector('[data-testid=curves]').textContent.includes('p = 0')"
    )


def test_curves_opened_while_the_models_start_fill_themselves_in(visit, server, monkeypatch):
    server.engine.load("tiny", "tiny")
    monkeypatch.setattr(server.holder, "_engine", None)  # as before it has been made
    page = visit()
    tab(page, "α and λ")
    page.locator("[data-testid=curves]", has_text="the models are starting").wait_for()
    assert page.locator("[data-testid=curves] .aw-lambda").count() == 0
    monkeypatch.undo()
    page.locator("[data-testid=curves] .aw-lambda").nth(4).wait_for()
    assert "starting" not in page.inner_text("[data-testid=curves]")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_serious_for_axe_and_nothing_sticks_out(visit, theme):
    page = visit(theme, width=390, height=800)
    sweep(page)
    for name in ("Sweep", "Latent paths", "α and λ", "Proxy images"):
        tab(page, name)
        page.wait_for_timeout(300)
        found = Axe().run(page, context="#aw-laboratory").response["violations"]
        serious = [
            (v["id"], [n["html"][:160] for n in v["nodes"]])
            for v in found
            if v["impact"] in ("serious", "critical")
        ]
        assert not serious, serious
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
