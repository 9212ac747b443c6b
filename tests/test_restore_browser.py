"""Settings back onto the dials: from the page's address and from a dropped file, in a real browser."""

from __future__ import annotations

import json

import pytest

from awaken.ui.links import encode
from tests.page import served_page

pytestmark = pytest.mark.browser
NAUGHTY = "${document.title='broken'} {{value}} <img src=x onerror=alert(1)> & \"swirl\""


@pytest.fixture
def visit(open_page):
    def open_(query: str = ""):
        page = open_page(served_page().url + query)
        page.wait_for_selector("#aw-awaken")
        page.wait_for_selector("[data-testid=stage]")
        return page

    return open_


def number(page, field: str) -> float:
    return float(page.locator(f"#aw-{field} input[type=number]").first.input_value())


def wait_for_prompt(page, text: str) -> None:
    page.wait_for_function(
        "text => document.querySelector('#aw-prompt textarea').value === text", arg=text
    )


def test_a_link_sets_the_dials_and_executes_nothing(visit):
    settings = {"prompt": NAUGHTY, "p": 0.35, "peak": 7.5, "seed": 77, "steps": 9, "motion": 1.1}
    page = visit("?" + encode(settings) + "&colour=red")
    wait_for_prompt(page, NAUGHTY)
    assert [number(page, name) for name in ("p", "peak", "motion")] == [0.35, 7.5, 1.1]
    page.click("#aw-advanced button")
    assert [number(page, name) for name in ("seed", "steps")] == [77, 9]
    page.wait_for_selector("text=left out: colour")
    assert page.title() != "broken" and page.locator("#aw-prompt img").count() == 0


def test_a_link_to_another_model_brings_its_settings_along(visit):
    settings = {"prompt": "the sea rolls", "backend": "consisti2v", "steps": 33, "guidance": 5.0}
    page = visit("?" + encode(settings | {"options": {"frame_stride": 5}}))
    wait_for_prompt(page, "the sea rolls")
    page.click("#aw-advanced button")
    page.wait_for_selector("#aw-size label:has-text('256')")  # the model has brought its own sizes
    assert number(page, "steps") == 33


def test_a_dropped_settings_file_sets_the_dials_and_keeps_the_painting(visit, tmp_path):
    page = visit()
    before = page.get_attribute("#aw-painting img", "src")
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"prompt": "clouds drift", "p": 0.2, "mystery": 1}))
    page.set_input_files("#aw-painting input[type=file]", str(file))
    wait_for_prompt(page, "clouds drift")
    assert number(page, "p") == 0.2
    page.wait_for_selector("text=left out: mystery")
    page.wait_for_function(
        "src => document.querySelector('#aw-painting img').getAttribute('src') === src", arg=before
    )


def test_a_file_without_settings_is_a_sentence(visit, tmp_path):
    page = visit()
    file = tmp_path / "other.json"
    file.write_text("{}")
    page.set_input_files("#aw-painting input[type=file]", str(file))
    page.wait_for_selector("text=holds no settings of Awaken")
