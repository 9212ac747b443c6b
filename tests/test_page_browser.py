"""The page in a real Chromium: a person's main job, and what must not go wrong around it."""

from __future__ import annotations

import base64
import io
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from awaken.backends import BACKENDS
from awaken.examples import load_index
from awaken.ui.controls import restore
from awaken.ui.run import files

pytestmark = pytest.mark.browser
PAINTINGS = [example for example in load_index() if not example.failure]

# What the stage shows, as short strings: one per canvas, with the frame that it says it is at. It
# watches on until ``frames`` different ones have come by, on a busy machine too.
WATCH = """
async ([milliseconds, frames]) => {
  const stage = document.querySelector("[data-testid=stage]");
  const look = (name) => {
    const canvas = document.querySelector(`[data-testid=canvas-${name}]`);
    const small = new OffscreenCanvas(24, 24).getContext("2d");
    small.drawImage(canvas, 0, 0, 24, 24);
    return small.getImageData(0, 0, 24, 24).data.join();
  };
  const seen = [], numbers = new Set(), start = performance.now();
  const enough = (time) => time > 60_000 || (time > milliseconds && numbers.size >= frames);
  while (!enough(performance.now() - start)) {
    await new Promise(requestAnimationFrame);
    numbers.add(+stage.dataset.frame);
    seen.push([stage.dataset.source, +stage.dataset.frame, look("baseline"), look("awakened")]);
  }
  return seen;
}
"""


@pytest.fixture
def slow_steps(server):
    """Steps of a third of a second, as bigger models have them."""
    server.engine.pace = 0.3
    yield
    server.engine.release()


@pytest.fixture
def visit(server, open_page):
    """``visit(theme, **context)`` -> the page, ready to be used."""

    def open_(theme: str = "light", **context):
        page = open_page(f"{server.url}?__theme={theme}", **context)
        page.wait_for_selector("#aw-awaken")
        page.wait_for_selector("[data-testid=stage]")
        return page

    return open_


def set_number(page, field: str, value: float) -> None:
    number = page.locator(f"#aw-{field} input[type=number]")
    number.fill(str(value))
    number.press("Enter")


def make_quick(page, steps: int = 4) -> None:
    """Few steps at the smallest size on offer, through the advanced settings."""
    page.click("#aw-advanced button")
    set_number(page, "steps", steps)
    page.locator("#aw-size label").first.click()


def wait_for_line(page, text: str) -> None:
    page.wait_for_function(
        "text => document.querySelector('.aw-line').textContent.includes(text)",
        arg=text,
    )


def wait_for_distilling(page) -> None:
    """Until the distillation has done its second step."""
    wait_for_line(page, "Distilling")
    page.wait_for_function(
        "parseInt(document.querySelector('.aw-detail').textContent.slice(5)) >= 2"
    )


def wait_for_running(page) -> None:
    """Until the run has left the queue and done a step."""
    page.wait_for_function("document.querySelector('.aw-detail').textContent.startsWith('step')")


def mode(page) -> str:
    return page.get_attribute("[data-testid=stage]", "data-mode")


def pick(page, index: int) -> None:
    button = page.locator("#aw-gallery button").nth(index)
    button.click()
    page.wait_for_function(
        "i => document.querySelectorAll('#aw-gallery button')[i].ariaPressed === 'true'", arg=index
    )


def in_step(seen) -> bool:
    """Whether each canvas shows one picture per frame number, the same at every visit of it."""
    pictures: dict[int, set] = {}
    for _, frame, baseline, awakened in seen:
        pictures.setdefault(frame, set()).add((baseline, awakened))
    return len(pictures) > 4 and all(len(shown) == 1 for shown in pictures.values())


def test_an_example_plays_when_the_page_opens(visit):
    page = visit()
    page.wait_for_selector("[data-testid=stage][data-source=film][data-playing=true]")
    assert page.inner_text("[data-testid=stage-label]").startswith("Example")
    assert page.inner_text(".aw-tag").lower() == "example"
    assert in_step(page.evaluate(WATCH, [2500, 5]))
    assert page.inner_text("#aw-awaken") == "Awaken" and page.inner_text("#aw-stop") == "Stop"
    assert page.get_attribute("#aw-painting img", "src")
    assert page.input_value("#aw-prompt textarea")


def test_a_bundled_painting_awakens(visit, server, slow_steps):
    page = visit()
    make_quick(page, 12)  # long enough for previews to be seen, with slow steps
    pick(page, 2)
    page.fill("#aw-prompt textarea", "the water ripples and the boats drift")
    page.click("#aw-awaken")
    page.wait_for_selector("[data-testid=stage][data-source=preview]")
    page.fill("#aw-prompt textarea", "typed while it runs")  # a run never writes into the controls
    seen: set[str] = set()  # the first previews hardly move yet, and on a slow machine they last
    while mode(page) == "running" and len(seen) < 4:
        seen |= {shown[2] for shown in page.evaluate(WATCH, [500, 1]) if shown[0] == "preview"}
    assert len(seen) > 2, "the preview stands still"
    wait_for_line(page, "Done in")
    page.wait_for_selector("[data-testid=stage][data-mode=done][data-source=film]")
    assert in_step(page.evaluate(WATCH, [2500, 5]))
    assert page.input_value("#aw-prompt textarea") == "typed while it runs"

    page.click(".aw-details summary")
    placard = page.inner_text("#aw-placard")
    for words in (
        PAINTINGS[2].title,
        "the water ripples and the boats drift",
        "PSNR",
        "42",
        "Your run".upper(),
    ):
        assert words in placard, words
    for link in page.locator("#aw-placard a.aw-file").all():
        with urllib.request.urlopen(link.get_attribute("href")) as answer:
            assert len(answer.read()) > 100
    assert page.locator("#aw-placard a.aw-file").count() == 7
    assert page.get_by_test_id("stage-told").inner_text().endswith("of the pixels differ.")
    assert page.locator(".aw-phase-done, .aw-phase-reused").count() == 6


def test_stop_ends_the_work_and_keeps_the_last_result(visit, server, slow_steps):
    page = visit()
    page.wait_for_selector("[data-testid=stage][data-mode=done]")
    title = page.inner_text("#aw-placard h2")
    page.click("#aw-awaken")
    wait_for_distilling(page)
    assert page.is_disabled("#aw-awaken")
    asked = []
    page.on("request", lambda r: r.method == "POST" and asked.append(server.engine.steps))
    page.click("#aw-stop")
    wait_for_line(page, "Stopped")
    deadline = time.monotonic() + 15
    while server.engine.open_runs and time.monotonic() < deadline:
        page.wait_for_timeout(20)
    assert server.engine.open_runs == 0
    assert server.engine.steps - asked[0] <= 1
    page.wait_for_timeout(800)  # nothing of the dead run may arrive after the end
    assert page.inner_text(".aw-line").startswith("Stopped")
    assert page.is_enabled("#aw-awaken")
    assert page.is_disabled("#aw-stop")
    assert mode(page) == "done"
    assert page.inner_text("#aw-placard h2") == title


def test_closing_the_tab_frees_the_engine_after_the_grace(visit, server, slow_steps, monkeypatch):
    monkeypatch.setattr(server.holder.jobs, "grace", 1.0)
    page = visit()
    page.fill("#aw-prompt textarea", "the sky swirls, and nobody has asked for it before")
    page.click("#aw-awaken")
    wait_for_distilling(page)
    assert server.engine.open_runs == 1
    page.close()
    deadline = time.monotonic() + 30
    while server.engine.open_runs and time.monotonic() < deadline:
        time.sleep(0.05)
    assert server.engine.open_runs == 0


DROP = """
([name, data]) => {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const carried = new DataTransfer();
  carried.items.add(new File([bytes], name));
  const target = document.querySelector("#aw-painting .aw-drop");
  const event = { bubbles: true, cancelable: true, dataTransfer: carried };
  for (const kind of ["dragenter", "dragover", "drop"])
    target.dispatchEvent(new DragEvent(kind, event));
}
"""


def drop(page, name: str, data: bytes) -> None:
    page.evaluate(DROP, [name, base64.b64encode(data).decode()])


def test_a_bad_file_gets_a_sentence_and_costs_nothing(visit):
    page = visit()
    page.wait_for_selector("[data-testid=stage][data-mode=done]")
    painting, prompt = (
        page.get_attribute("#aw-painting img", "src"),
        page.input_value("#aw-prompt textarea"),
    )
    drop(page, "holiday.jpg", b"<script>not a picture</script>")
    card = page.wait_for_selector(".aw-card-bad")
    assert "not a picture" in card.inner_text()
    page.wait_for_function(
        "s => document.querySelector('#aw-painting img').src.endsWith(s)", arg=painting[-40:]
    )
    assert page.input_value("#aw-prompt textarea") == prompt
    assert mode(page) == "done"
    assert page.is_enabled("#aw-awaken")

    drop(page, "another.jpg", Path(PAINTINGS[1].path).read_bytes())
    page.wait_for_function(
        "s => !document.querySelector('#aw-painting img').src.endsWith(s)", arg=painting[-40:]
    )
    page.wait_for_selector(".aw-card-bad", state="detached")
    assert page.locator("#aw-gallery button[aria-pressed=true]").count() == 0


@pytest.mark.parametrize("name", ["holiday.jpg", "settings.json"])
def test_what_nobody_foresaw_ends_in_a_card_and_a_free_drop_zone(visit, monkeypatch, name):
    class Unforeseen(Exception):
        pass

    def stumble(*_):
        raise Unforeseen

    page = visit()
    page.wait_for_selector("[data-testid=stage][data-mode=done]")
    before = page.get_attribute("#aw-painting img", "src")
    with monkeypatch.context() as patch:
        patch.setattr(files, "open_painting", stumble)
        patch.setattr(restore, "read_settings_from", stumble)
        drop(page, name, b"{}" if name.endswith("json") else Path(PAINTINGS[1].path).read_bytes())
        card = page.wait_for_selector(".aw-card-bad")
    assert "unexpected error" in card.inner_text()
    page.wait_for_function(
        "s => document.querySelector('#aw-painting img').src.endsWith(s)", arg=before[-40:]
    )
    assert page.locator(".aw-drop-busy").count() == 0 and page.is_enabled("#aw-awaken")
    drop(page, "another.jpg", Path(PAINTINGS[1].path).read_bytes())
    page.wait_for_function(
        "s => !document.querySelector('#aw-painting img').src.endsWith(s)", arg=before[-40:]
    )


def test_an_own_picture_takes_the_models_motion_unless_the_visitor_chose_another(visit):
    page = visit()
    motion = page.locator("#aw-motion input[type=number]")
    model, own = BACKENDS["miniature"], Path(PAINTINGS[1].path).read_bytes()
    assert model.motion != model.upload_motion

    def wait_for_motion(value: float) -> None:
        page.wait_for_function(
            "value => document.querySelector('#aw-motion input[type=number]').value === value",
            arg=f"{value:g}",
        )

    pick(page, 1)
    wait_for_motion(model.motion)  # as The Great Wave was made
    drop(page, "mine.jpg", own)
    wait_for_motion(model.upload_motion)
    pick(page, 1)
    wait_for_motion(model.motion)
    motion.fill("0.9")
    motion.blur()
    drop(page, "mine again.jpg", own)
    page.wait_for_selector("#aw-gallery button[aria-pressed=true]", state="detached")
    assert motion.input_value() == "0.9"


@pytest.mark.parametrize("width", [390, 1280])
def test_a_bad_request_gets_a_card_in_sight(visit, width):
    page = visit(width=width)
    page.wait_for_selector("[data-testid=stage][data-mode=done]")
    page.fill("#aw-prompt textarea", "   ")
    page.click("#aw-awaken")
    wait_for_line(page, "did not finish")
    assert "what should move" in page.inner_text(".aw-card-bad")
    card = page.locator(".aw-card-bad").bounding_box()
    assert card["y"] >= 0
    assert card["y"] + card["height"] <= page.locator("#aw-actions").bounding_box()["y"]
    assert mode(page) == "done"
    assert page.is_enabled("#aw-awaken")


def test_a_run_that_cannot_begin_leaves_the_page_usable(visit):
    page = visit()
    page.click("#aw-advanced button")
    page.locator("#aw-seed input").fill("-5")  # refused by Gradio before our code sees it
    page.click("#aw-awaken")
    wait_for_line(page, "did not finish")
    assert "outside its range" in page.inner_text(".aw-card-bad")
    assert page.is_enabled("#aw-awaken")
    assert page.is_disabled("#aw-stop")


def test_visitors_wait_for_each_other_and_stop_only_themselves(visit, server, slow_steps):
    first, second = visit(), visit()
    first.fill("#aw-prompt textarea", "the sky swirls as no other test has asked")
    server.engine.hold()  # the first run must outlast all that the second visitor does
    first.click("#aw-awaken")
    wait_for_running(first)
    second.click("#aw-awaken")
    wait_for_line(second, "1 run before yours")
    second.click("#aw-stop")
    wait_for_line(second, "Stopped")
    assert second.is_enabled("#aw-awaken")
    before = server.engine.steps
    server.engine.release()
    server.engine.pace = 0.3
    deadline = time.monotonic() + 30
    while server.engine.steps <= before and time.monotonic() < deadline:
        first.wait_for_timeout(50)
    assert server.engine.open_runs == 1
    assert server.engine.steps > before
    first.click("#aw-stop")
    wait_for_line(first, "Stopped")


def test_dials_tell_what_they_do(visit):
    page = visit()
    assert page.inner_text(".aw-alpha-said") == "16 of 25 steps distil."
    set_number(page, "p", 0.2)
    page.wait_for_selector(".aw-alpha-curves label[data-steps='6'] :checked")
    page.click("#aw-chips button >> nth=1")
    page.wait_for_function(
        "document.querySelector('#aw-prompt textarea').value === "
        "document.querySelectorAll('#aw-chips button')[1].textContent"
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_serious_for_axe(visit, theme):
    page = visit(theme)
    page.wait_for_selector("[data-testid=stage][data-mode=done]")
    for button in ("#aw-advanced button", "#aw-how button"):
        page.locator(button).first.click()
    page.fill("#aw-prompt textarea", " ")
    page.click("#aw-awaken")
    page.wait_for_selector(".aw-card-bad")
    page.wait_for_timeout(400)  # fades of the theme are over
    found = Axe().run(page).response["violations"]
    serious = {
        v["id"]: [node["target"] for node in v["nodes"]][:4]
        for v in found
        if v["impact"] in ("serious", "critical")
    }
    assert not serious


@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_nothing_sticks_out(visit, width):
    page = visit(width=width, height=844)
    page.wait_for_selector("[data-testid=stage][data-mode=done]")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for button in ("#aw-awaken", "#aw-stop"):
        box = page.locator(button).bounding_box()
        assert box["y"] + box["height"] <= 844
        assert box["height"] >= 44
    stage, rail = (page.locator(name).bounding_box() for name in ("#aw-stage", "#aw-rail"))
    if width < 960:
        assert stage["y"] < rail["y"]
    else:
        assert rail["x"] < stage["x"]


def test_painting_and_proxy_are_wiped_against_each_other(visit):
    """By pixels: at one end of the wipe the proxy alone, at the other the painting, between both."""
    page = visit()
    page.wait_for_selector("[data-testid=stage][data-mode=done]")
    page.click("[data-testid=stage-show-proxy]")
    picture = page.locator("[data-testid=stage-still]").locator("..")

    def at(share: int) -> np.ndarray:
        page.locator("[data-testid=stage-split]").fill(str(share))
        page.mouse.move(0, 0)
        page.wait_for_timeout(300)
        shot = Image.open(io.BytesIO(picture.screenshot())).convert("RGB")
        return np.asarray(shot).astype(float)

    proxy, half, painting = at(0), at(50), at(100)
    middle, edge = proxy.shape[1] // 2, 8  # leave out the line of the wipe itself
    assert np.abs(painting - proxy)[:, edge:-edge].mean() > 5
    assert np.abs(half - painting)[:, edge : middle - edge].mean() < 0.5
    assert np.abs(half - proxy)[:, middle + edge : -edge].mean() < 0.5
    page.locator("[data-testid=stage-split]").press("ArrowLeft")
    assert page.locator("[data-testid=stage-split]").input_value() == "99"
