"""The rail in a real Chromium: what the demo exists to turn is in sight, and its sheets work."""

from __future__ import annotations

import pytest

from tests.page import served_page

pytestmark = pytest.mark.browser
# What must be seen without scrolling on a laptop and on a projector.
IN_SIGHT = {
    "painting": "#aw-painting img",
    "brush": "[data-testid=brush-open]",
    "prompt": "#aw-prompt textarea",
    "p": "#aw-p input[type=range]",
    "peak": "#aw-peak input[type=range]",
    "video model": "#aw-row-backend button",
    "proxy": "#aw-row-proxy button",
    "awaken": "#aw-awaken",
    "result": "[data-testid=canvas-awakened]",
}
CURVES = "#aw-alpha .aw-alpha-curves label"
# Whether what lies at the middle of an element is the element, or a part of it: nothing covers it.
REACHED = """
node => {
  const box = node.getBoundingClientRect();
  const found = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return Boolean(found) && (node.contains(found) || found.contains(node));
}
"""


@pytest.fixture
def visit(server, open_page):
    def open_(path: str = "", **context):
        page = open_page(f"{server.url}{path}", **context)
        page.wait_for_selector("[data-testid=stage][data-source=film]")
        page.wait_for_selector(f"{CURVES} >> nth=4")
        return page

    return open_


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1024, 768)])
@pytest.mark.parametrize("path", ["", "zh"])
def test_everything_to_turn_is_in_sight_without_scrolling(visit, path, width, height):
    page = visit(path, width=width, height=height)
    parts = {name: page.locator(selector) for name, selector in IN_SIGHT.items()}
    parts |= {f"curve {i}": page.locator(CURVES).nth(i) for i in range(5)}
    floor = page.locator("#aw-dock").bounding_box()["y"]
    for name, part in parts.items():
        box = part.bounding_box()
        assert box and box["x"] >= 0 and box["y"] >= 0, name
        assert box["x"] + box["width"] <= width, name
        low = height if name in ("awaken", "result") else floor
        assert box["y"] + (0 if name == "result" else box["height"]) <= low, name
        assert part.evaluate(REACHED), f"{name} is covered"
    assert page.evaluate("scrollY") == 0
    assert page.evaluate("document.querySelector('#aw-rail').scrollTop") == 0


def test_on_a_phone_the_dials_follow_the_prompt(visit):
    page = visit(width=390, height=844)
    order = ["#aw-prompt", "#aw-p", "#aw-alpha", "#aw-row-backend", "#aw-row-proxy", "#aw-advanced"]
    tops = [page.locator(name).bounding_box()["y"] for name in order]
    assert tops == sorted(tops)
    assert tops[2] - tops[0] < 400, "nothing but suggestions in between"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("width", [390, 1366])
def test_a_row_opens_its_sheet_and_says_what_the_chosen_model_lacks(visit, width):
    page = visit(width=width, height=768)
    sheet = page.locator("#aw-sheet-backend")
    row = page.locator("#aw-row-backend button")
    assert not sheet.is_visible() and row.get_attribute("data-absent") == "false"
    row.click()
    sheet.wait_for(state="visible")
    box = sheet.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= width
    assert sheet.locator("label[data-absent]").count() > 5
    sheet.locator("label:has-text('Cinemo')").click()
    page.wait_for_selector("#aw-row-backend button[data-absent=true]")
    assert "Not on this machine" in row.inner_text() and "4.6 GB" in row.inner_text()
    page.keyboard.press("Escape")
    sheet.wait_for(state="hidden")
    row.click()
    sheet.locator("label:has-text('Miniature')").first.click()
    page.wait_for_selector("#aw-row-backend button[data-absent=false]")
    sheet.locator(".aw-sheet-head button").click()
    sheet.wait_for(state="hidden")


def test_the_alpha_dial_is_a_group_of_radio_buttons(visit):
    page = visit(width=1366, height=768)
    chosen = page.locator(f"{CURVES} input:checked")
    assert chosen.get_attribute("aria-label") == "stepwise decreasing"
    assert page.inner_text(".aw-alpha-said") == "16 of 25 steps distil."
    chosen.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "document.querySelector('.aw-alpha-name').textContent === 'linear decreasing'"
    )
    peak = page.locator("#aw-peak input[type=number]")
    peak.fill("20")
    peak.press("Enter")
    page.locator(CURVES).nth(3).click()
    page.wait_for_function(
        "document.querySelector('.aw-alpha-said').textContent.includes('lower the peak')"
    )
    assert page.get_attribute(".aw-alpha-said", "data-state") == "diverges"
    assert served_page().engine.open_runs == 0, "said before the press"
