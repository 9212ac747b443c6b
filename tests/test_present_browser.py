"""The stage for talks in a real Chromium: started as a command, driven as with a clicker."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from awaken.bundle.writer import write_bundle
from awaken.video import stacked, write_mp4

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parent.parent
NAUGHTY = "<img src=x onerror=alert(1)> ${alert(2)} {{value}} 浪"
LINK = "https://example.org/awaken?v=1&prompt=waves+roll"
BLUE, RED = (20, 40, 160), (170, 30, 20)
READ = """
() => {
  const canvas = document.querySelector("[data-testid=present-canvas]");
  const { width, height } = canvas;
  const row = canvas.getContext("2d").getImageData(0, height >> 1, width, 1).data;
  const at = (share) => [...row.slice(4 * Math.floor(share * width)).slice(0, 3)];
  const wipe = +document.querySelector("main").dataset.wipe;
  return { wipe, left: at(0.02), right: at(0.98) };
}
"""


def write_slide(folder: Path, name: str, picture: dict, width=96, height=64) -> None:
    """A bundle whose baseline is blue and whose awakened video is red."""
    films = [np.full((8, height, width, 3), hue, np.uint8) for hue in (BLUE, RED)]
    settings = {"prompt": NAUGHTY, "width": width, "height": height, "fps": 8, "frames": 8}
    write_mp4(stacked(*films), folder / f"{name}.mp4", 8, settings, keyframe_every=1)
    write_bundle({"stacked": folder / f"{name}.mp4"}, folder / f"{name}.zip", picture=picture)
    (folder / f"{name}.mp4").unlink()


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """``python app.py --present DIR`` with three bundles; gives the address."""
    folder = tmp_path_factory.mktemp("talk")
    for name, title, width in (("1", NAUGHTY, 96), ("2", "Second", 160), ("3", "Third", 64)):
        write_slide(folder, name, {"title": title, "byline": f"Painter {name}"}, width)
    command = [sys.executable, "-u", "app.py", "--present", str(folder), "--port", "0"]
    command += ["--link", LINK]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    yield re.search(r"http://\S+", line)[0]
    process.terminate()
    process.wait(10)


@pytest.fixture
def show(stage, open_page):
    """``show(query, **context)`` -> the page with its first film on the wall."""

    def open_(query: str = "", **context):
        page = open_page(stage + query, **context)
        page.wait_for_selector("main[data-state=ready]")
        return page

    return open_


def wait_for(page, **data) -> None:
    states = "".join(f'[data-{name}="{value}"]' for name, value in data.items())
    page.wait_for_selector(f"main{states}")


def near(pixel, colour) -> bool:
    return max(abs(a - b) for a, b in zip(pixel, colour, strict=True)) < 24


def test_the_wipe_sweeps_by_itself_from_baseline_to_awakened(show):
    page = show()
    seen = []
    for _ in range(60):
        seen.append(page.evaluate(READ))
        if seen[-1]["wipe"] < 1:
            break
        page.wait_for_timeout(150)
    wipes = [moment["wipe"] for moment in seen]
    assert wipes == sorted(wipes, reverse=True) and wipes[-1] < 1
    for moment in seen:
        if moment["wipe"] > 3:
            assert near(moment["left"], BLUE), moment
        if moment["wipe"] < 97:
            assert near(moment["right"], RED), moment
    assert near(seen[-1]["left"], RED)  # all of it is awakened now


def test_a_clicker_leads_through_the_talk(show):
    page = show()
    for key, index in (
        ("PageDown", 1), ("PageDown", 2), ("PageDown", 2), ("PageUp", 1), ("ArrowLeft", 0),
        ("PageUp", 0), ("Space", 1), ("ArrowRight", 2), ("ArrowUp", 1), ("Shift+Space", 0),
        ("End", 2), ("Home", 0),
    ):  # fmt: skip
        page.keyboard.press(key)
        wait_for(page, index=index, state="ready")
    page.keyboard.press("PageDown")
    wait_for(page, index=1, state="ready")
    assert page.text_content("h1") == "Second" and page.title() == "Second"
    assert page.text_content(".byline") == "Painter 2"
    assert page.text_content("[role=status]").startswith("Second. Painter 2.")


def test_a_hasty_clicker_and_a_broken_film_stop_nothing(show):
    page = show()
    page.route("**/film-2.mp4", lambda route: route.fulfill(body="x", content_type="video/mp4"))
    for key in ("PageDown",) * 9 + ("PageUp",) * 7 + ("PageDown", "PageUp", "PageDown"):
        page.keyboard.press(key)
    wait_for(page, index=1, state="ready")
    page.keyboard.press("PageDown")
    wait_for(page, state="trouble")
    assert "could not be played" in page.text_content(".notice")
    page.keyboard.press("PageUp")
    wait_for(page, index=1, state="ready")
    page.unroute("**/film-2.mp4")
    page.keyboard.press("End")  # a visit tries again
    wait_for(page, index=2, state="ready")


def test_texts_are_shown_as_they_were_written(show):
    page = show()
    assert page.text_content("h1") == NAUGHTY
    assert page.text_content(".prompt") == f"“{NAUGHTY}”"
    assert page.locator(".work img").count() == 0


def test_the_blank_key_hides_everything_and_the_next_press_brings_it_back(show):
    page = show()
    for key in ("b", "."):
        page.keyboard.press(key)
        wait_for(page, blank="true")
        page.wait_for_function(
            "() => getComputedStyle(document.querySelector('[data-testid=present-blank]')).opacity == 1"
        )
        box = page.locator("[data-testid=present-blank]").bounding_box()
        assert (box["width"], box["height"]) == (1280, 800)
        page.keyboard.press("PageDown")
        wait_for(page, blank="false", index=0)  # the same painting as before


def test_the_hall_can_take_the_link_along(show):
    page = show()
    picture = page.locator("[data-testid=present-code] img")
    assert picture.is_hidden()
    page.keyboard.press("q")
    picture.wait_for()
    seen = cv2.imdecode(np.frombuffer(picture.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    assert cv2.QRCodeDetector().detectAndDecode(seen)[0] == LINK
    assert page.text_content("[data-testid=present-code] figcaption") == LINK
    page.keyboard.press("PageDown")  # the next press brings the picture back
    assert picture.is_hidden()
    wait_for(page, index=0)
    page.mouse.move(10, 10)
    page.click("[data-act=code]")
    assert picture.is_visible()


def test_full_screen_pause_timer_and_the_line_by_hand(show):
    page = show("?minutes=20")
    assert re.fullmatch(r"(20:00|19:5\d)", page.text_content("[data-testid=present-timer]"))
    page.keyboard.press("t")
    assert page.locator("[data-testid=present-timer]").is_hidden()
    page.keyboard.press("f")
    page.wait_for_function("() => document.fullscreenElement !== null")
    page.keyboard.press("f")
    page.wait_for_function("() => document.fullscreenElement === null")
    page.keyboard.press("p")
    wait_for(page, playing="false")
    before = page.evaluate(READ)["wipe"]
    for _ in range(3):
        page.keyboard.press("-")
    assert page.evaluate(READ)["wipe"] == pytest.approx(before - 15, abs=0.2)
    box = page.locator("[data-testid=present-canvas]").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    assert page.evaluate(READ)["wipe"] == pytest.approx(25, abs=1)


def test_the_question_mark_keeps_the_keys_in_sight(show):
    page = show()
    wait_for(page, pointer="false")
    page.keyboard.press("?")
    wait_for(page, pointer="true")
    page.wait_for_timeout(3000)  # longer than a resting pointer is shown
    wait_for(page, pointer="true")
    assert "P pause" in page.inner_text(".bar")
    page.keyboard.press("?")
    wait_for(page, pointer="false")


def test_reduced_motion_moves_nothing(show):
    page = show(reduced_motion="reduce")
    wait_for(page, playing="false", frame=0)
    first = page.evaluate(READ)
    assert first["wipe"] == 50 and near(first["left"], BLUE) and near(first["right"], RED)
    page.wait_for_timeout(400)
    assert page.evaluate(READ) == first
    wait_for(page, frame=0)


@pytest.mark.parametrize("size", [(390, 844), (1280, 720), (1920, 1080), (1024, 1366)])
def test_everything_fits_every_screen(show, size):
    page = show("?slide=2", width=size[0], height=size[1])
    for part in ("present-canvas", "present-label"):
        box = page.locator(f"[data-testid={part}]").bounding_box()
        assert box["x"] >= 0 and box["y"] >= 0, part
        assert box["x"] + box["width"] <= size[0] + 1 and box["y"] + box["height"] <= size[1] + 1, (
            part
        )


def test_no_serious_finding_of_axe_and_chinese_words(show):
    page = show("?lang=zh")
    page.mouse.move(10, 10)
    page.wait_for_function("() => getComputedStyle(document.querySelector('.bar')).opacity == 1")
    # A label that is fading in has no contrast yet.
    page.wait_for_function("() => document.getAnimations().every(a => a.playState == 'finished')")
    assert page.get_attribute("html", "lang") == "zh"
    assert page.get_attribute("[data-act=next]", "aria-label") == "下一幅"
    found = Axe().run(page).response["violations"]
    assert not [v for v in found if v["impact"] in ("serious", "critical")], found
