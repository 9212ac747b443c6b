"""The motion brush in a real Chromium: what is painted where, by mouse, finger and keys."""

from __future__ import annotations

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from awaken.bundle.writer import write_bundle
from awaken.types import Request, Result
from awaken.video import save_result
from tests.page import served_page

pytestmark = pytest.mark.browser
CANVAS, TOLD = "[data-testid=brush-canvas]", "[data-testid=brush-told]"
OPEN, STATE = "[data-testid=brush-open]", "[data-testid=brush-state]"


@pytest.fixture
def visit(open_page):
    def open_(theme: str = "light", **context):
        page = open_page(f"{served_page().url}?__theme={theme}", **context)
        page.wait_for_selector(f"{OPEN}:enabled")
        return page

    return open_


@pytest.fixture
def tall(tmp_path):
    """A picture nearly three times as tall as wide, which no screen shows without empty sides."""
    y, x = np.mgrid[0:560, 0:200]
    path = tmp_path / "tall.png"
    Image.fromarray(np.stack([y % 256, x, 0 * x + 90], -1).astype(np.uint8)).save(path)
    return path


def bring(page, path) -> None:
    before = page.get_attribute("#aw-painting img", "src")
    page.set_input_files("#aw-painting input[type=file]", str(path))
    page.wait_for_function(
        "src => { const image = document.querySelector('#aw-painting img');"
        " return image.src !== src && image.src.endsWith('painting.png') && image.complete; }",
        arg=before,
    )
    page.wait_for_selector(f"{OPEN}:enabled")
    page.wait_for_selector("#aw-prompt textarea:placeholder-shown")  # the example's went with it
    page.fill("#aw-prompt textarea", "the clouds drift across the sky")


def open_easel(page):
    """Open it; returns where a share of the painting lies on the screen."""
    page.click(OPEN)
    page.wait_for_selector(f"{CANVAS}:visible")
    box = page.locator(CANVAS).bounding_box()
    return lambda x, y: (box["x"] + x * box["width"], box["y"] + y * box["height"])


def drag(page, *points) -> None:
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=6)
    page.mouse.up()


def keep(page) -> None:
    page.click("[data-deed=done]")
    page.wait_for_selector(".aw-brush-painted")
    page.wait_for_selector("[data-testid=brush-easel]", state="hidden")


def asked(page, meanwhile=lambda: None) -> Request:
    """Press Awaken, wait until the request has reached the engine, look, and stop it."""
    engine = served_page().engine
    engine.last, engine.pace = None, 0.5  # or a small painting is done before one has looked
    try:
        page.click("#aw-awaken")
        for _ in range(600):
            if engine.last is not None:
                break
            page.wait_for_timeout(100)
        meanwhile()
        page.click("#aw-stop")
        page.wait_for_function("document.querySelector('.aw-line').textContent.includes('Stopped')")
    finally:
        engine.pace = 0.0
    for _ in range(600):
        if not engine.open_runs:
            break
        page.wait_for_timeout(100)
    return engine.last


def at(mask: np.ndarray, x: float, y: float) -> bool:
    return bool(mask[int(y * mask.shape[0]), int(x * mask.shape[1])])


def test_a_mouse_paints_what_the_engine_gets(visit, tall):
    page = visit()
    bring(page, tall)
    spot = open_easel(page)
    left, top = spot(0, 0)
    right, bottom = spot(1, 1)
    assert (right - left) / (bottom - top) == pytest.approx(200 / 560, rel=0.01)
    drag(page, spot(0.2, 0.25), spot(0.8, 0.25))
    assert "%" in page.inner_text(TOLD)
    keep(page)

    def look() -> None:
        """The region is shown while one waits, and can be hidden."""
        page.wait_for_selector("[data-testid=stage-region-a]:visible")
        assert page.get_attribute("[data-testid=stage-region]", "aria-pressed") == "true"
        page.click("[data-testid=stage-more]")
        page.click("[data-testid=stage-region]")
        page.wait_for_selector("[data-testid=stage-region-a]", state="hidden")

    mask = asked(page, look).mask
    assert mask.shape[0] == 512 and mask.shape[1] == pytest.approx(512 * 200 / 560, abs=1)
    assert at(mask, 0.2, 0.25) and at(mask, 0.5, 0.25) and at(mask, 0.8, 0.25)
    assert not any(at(mask, x, y) for x in (0.1, 0.5, 0.9) for y in (0.05, 0.4, 0.7, 0.95))
    ys, _ = np.nonzero(mask)
    assert np.mean(ys) / 512 == pytest.approx(0.25, abs=0.01)


def test_another_painting_is_never_given_the_mask(visit):
    page = visit()
    spot = open_easel(page)
    drag(page, spot(0.2, 0.2), spot(0.8, 0.2))
    keep(page)
    page.locator("#aw-gallery button").nth(2).click()
    page.wait_for_selector(".aw-brush-painted", state="detached")
    assert page.inner_text(STATE) == "Everything may move"
    assert asked(page).mask is None


def test_a_finger_paints_at_390_px_and_a_pinch_does_not(visit, tall):
    page = visit("dark", width=390, height=844, has_touch=True, is_mobile=True)
    bring(page, tall)
    spot = open_easel(page)
    hand = page.context.new_cdp_session(page)

    def touch(kind: str, *points) -> None:
        told = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": told})

    touch("touchStart", spot(0.3, 0.5))
    touch("touchStart", spot(0.3, 0.5), spot(0.7, 0.6))
    for k in range(4):
        touch("touchMove", spot(0.3 - 0.03 * k, 0.5), spot(0.7 + 0.03 * k, 0.6))
    touch("touchEnd")
    page.wait_for_function(f"document.querySelector('{TOLD}').textContent.startsWith('Everything')")

    box = page.locator(CANVAS).bounding_box()
    assert box["width"] <= 390 and box["height"] / box["width"] == pytest.approx(2.8, rel=0.01)
    touch("touchStart", spot(0.5, 0.8))
    for y in (0.85, 0.9):
        touch("touchMove", spot(0.5, y))
    touch("touchEnd")
    page.wait_for_function(f"document.querySelector('{TOLD}').textContent.includes('%')")
    for button in page.locator(".aw-easel button").all():
        small = button.bounding_box()
        assert small["height"] >= 44 and small["x"] + small["width"] <= 390
    keep(page)
    mask = asked(page).mask
    assert at(mask, 0.5, 0.8) and at(mask, 0.5, 0.85) and at(mask, 0.5, 0.9)
    assert not any(at(mask, 0.5, y) for y in (0.3, 0.5, 0.65))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_keys_paint_and_every_tool_does_what_it_says(visit, theme):
    page = visit(theme)
    open_easel(page)
    canvas = page.locator(CANVAS)

    def told() -> str:
        return page.inner_text(TOLD)

    def percent() -> int:
        return int(told().split()[0])

    assert told() == "Everything may move"
    canvas.focus()
    canvas.press("Space")
    dab = percent()
    page.keyboard.down("Space")
    canvas.press("Shift+ArrowRight")
    assert "60 % across" in told()
    page.keyboard.up("Space")
    assert percent() > dab
    canvas.press("Control+z")
    assert percent() == dab
    canvas.press("Shift+ArrowLeft")
    assert "50 % across" in told()
    for _ in range(6):
        canvas.press("]")
    canvas.press("Space")
    assert percent() > dab
    canvas.press("e")
    assert page.get_attribute("[data-tool=eraser]", "aria-pressed") == "true"
    canvas.press("Space")
    assert "nothing could move" in told()
    page.click("[data-deed=fill]")
    assert percent() == 100
    canvas.press("Space")
    holed = percent()
    assert 90 < holed < 100
    page.click("[data-deed=invert]")
    assert percent() == 100 - holed
    page.click("[data-deed=clear]")
    assert "nothing could move" in told()
    page.click("[data-deed=undo]")
    assert percent() == 100 - holed
    serious = [
        (v["id"], [node["target"] for node in v["nodes"]][:3])
        for v in Axe().run(page).response["violations"]
        if v["impact"] in ("serious", "critical")
    ]
    assert not serious
    page.keyboard.press("Escape")
    page.wait_for_selector("[data-testid=brush-easel]", state="hidden")
    assert page.inner_text(STATE) == "Everything may move"


def test_a_model_without_a_mask_says_so(visit):
    page = visit()
    page.click("#aw-row-backend button")
    page.locator("#aw-backend label:has-text('ConsistI2V')").click()
    page.wait_for_selector(f"{OPEN}:disabled")
    assert "ConsistI2V" in page.inner_text(".aw-brush-why")
    page.locator("#aw-backend label:has-text('Miniature')").first.click()
    page.wait_for_selector(f"{OPEN}:enabled")


def test_a_dropped_bundle_brings_its_mask(visit, tmp_path):
    y, x = np.mgrid[0:96, 0:144]
    picture = np.stack([200 - y, 150 + 0 * x, 90 + x], -1).astype(np.uint8)
    mask = np.zeros((96, 144), np.uint8)
    mask[:48] = 255
    video = np.repeat(picture[None], 4, 0)
    settings = Request(picture, "the clouds drift", mask=mask, frames=16, fps=4).settings()
    settings |= {"width": 144, "height": 96}
    result = Result(
        picture, picture, video, video, settings, {"total": 1.0}, 4, 4, 30.0, 0.9, mask=mask
    )
    bundle = write_bundle(save_result(result, tmp_path / "run"), tmp_path / "bundle.zip")
    page = visit()
    page.set_input_files("#aw-painting input[type=file]", str(bundle))
    page.wait_for_selector(".aw-brush-painted")
    assert page.inner_text(STATE).startswith("50 %")
    assert page.locator("text=motion mask").count() == 0
    request = asked(page)
    assert (request.mask == mask).all() and (request.painting == picture).all()

    page.locator("#aw-gallery button").nth(1).click()
    page.wait_for_selector(".aw-brush-painted", state="detached")
    page.set_input_files("#aw-painting input[type=file]", str(tmp_path / "run" / "settings.json"))
    page.wait_for_selector("text=motion mask")
