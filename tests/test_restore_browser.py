"""Settings back onto the dials: from the page's address and from a dropped file, in a real browser."""

from __future__ import annotations

import base64
import json
import zipfile
from pathlib import Path

import pytest

from awaken.examples import load_index
from awaken.types import RequestError
from awaken.ui.run.links import encode
from awaken.video import read_settings
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


DROP = """async ({ name, data }) => {
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name));
  const options = { dataTransfer, bubbles: true, cancelable: true };
  for (const kind of ["dragover", "drop"]) {
    const event = new DragEvent(kind, options);
    document.querySelector("#aw-foot").dispatchEvent(event);
    if (!event.defaultPrevented) throw new Error("the browser would leave the page: " + kind);
  }
}"""


def test_what_was_downloaded_and_dropped_anywhere_brings_its_settings_back(visit):
    """A bundle, a video and the settings: as the browser saves them, onto the foot of the page."""
    page = visit()
    prompt = page.input_value("#aw-prompt textarea")
    page.click(".aw-others summary")
    for label, ending in (("Everything", ".zip"), ("Awakened, mp4", ".mp4"), ("Settings", ".json")):
        with page.expect_download() as download:
            page.click(f".aw-file:has-text('{label}')")
        name = download.value.suggested_filename
        assert name.endswith(ending) and len(name) > len("settings.json"), name
        page.fill("#aw-prompt textarea", f"lost before {ending}")
        page.locator("#aw-p input[type=number]").fill("0.15")
        data = base64.b64encode(Path(download.value.path()).read_bytes()).decode("ascii")
        page.evaluate(DROP, {"name": name, "data": data})
        wait_for_prompt(page, prompt)
        page.wait_for_function("document.querySelector('#aw-p input').value === '0.6'")


def test_a_switch_beside_the_downloads_keeps_settings_out(visit, tmp_path):
    page = visit()
    page.click(".aw-others summary")
    files = page.locator(".aw-file")
    assert files.filter(has_text="Settings, json").count() == 1
    page.get_by_label("Keep the settings in the files").uncheck()
    assert files.filter(has_text="ettings").count() == 0, "neither the file nor the link"
    assert files.filter(has_text="Share").count() == 0
    with page.expect_download() as download:
        files.filter(has_text="Awakened, mp4").click()
    download.value.save_as(tmp_path / "film.mp4")
    with pytest.raises(RequestError):
        read_settings(tmp_path / "film.mp4")
    page.reload()  # this browser remembers the choice
    page.wait_for_selector(".aw-file")
    page.click(".aw-others summary")
    assert not page.get_by_label("Keep the settings in the files").is_checked()
    assert files.filter(has_text="ettings").count() == 0


def test_a_file_without_settings_is_a_sentence(visit, tmp_path):
    page = visit()
    file = tmp_path / "other.json"
    file.write_text("{}")
    page.set_input_files("#aw-painting input[type=file]", str(file))
    page.wait_for_selector("text=holds no settings of Awaken")


def test_the_link_is_copied_and_shown_and_leaves_the_result_alone(visit):
    page = visit()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.wait_for_selector("[data-testid=stage][data-source=film]")
    address = page.url
    page.click(".aw-file:has-text('Share')")
    page.wait_for_selector(".aw-shared [role=status]:text('Copied')")
    shown = page.input_value(".aw-shared input")
    assert page.evaluate("navigator.clipboard.readText()") == shown and "?v=1&prompt=" in shown
    assert page.url == address and page.get_attribute("[data-testid=stage]", "data-mode") == "done"


def test_a_bundle_brings_painting_proxy_and_both_videos_back(visit, tmp_path):
    """Even one that is larger than any upload may be."""
    page = visit()
    page.wait_for_selector("[data-testid=stage][data-source=film]")
    told = page.inner_text("[data-testid=stage-told]")
    prompt = page.input_value("#aw-prompt textarea")
    page.click(".aw-others summary")
    with page.expect_download() as download:
        page.click(".aw-file:has-text('Everything')")
    download.value.save_as(tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip", "a") as bundle:
        bundle.writestr("frames.bin", b"\0" * (25 << 20))
        bundle.comment = b"packed again"
    page.click("#aw-gallery button >> nth=1")
    page.wait_for_selector("#aw-gallery button:nth-child(2)[aria-pressed=true]")
    page.wait_for_function(
        "told => document.querySelector('[data-testid=stage-told]').textContent !== told", arg=told
    )
    page.set_input_files("#aw-painting input[type=file]", str(tmp_path / "all.zip"))
    wait_for_prompt(page, prompt)
    page.wait_for_function(
        "document.querySelector('#aw-painting img').src.endsWith('painting.png')"
    )
    page.wait_for_selector(".aw-tag:text-is('Your run')")
    page.wait_for_selector("[data-testid=stage][data-pending=false]")
    again = page.inner_text("[data-testid=stage-told]")
    assert again.split("times")[0] == told.split("times")[0], "the same videos, measured anew"
    assert page.is_enabled("[data-testid=stage-show-proxy]")
    assert "Settings and painting are back" in page.inner_text(".aw-line")


def test_an_upload_hangs_at_once_and_the_foreign_prompt_is_gone(visit):
    page = visit()
    page.wait_for_selector("[data-testid=stage][data-source=film]")
    own = load_index()[3].path
    page.set_input_files("#aw-painting input[type=file]", str(own))
    page.wait_for_selector("[data-testid=stage][data-mode=chosen][data-show=original]")
    assert page.input_value("#aw-prompt textarea") == ""
    assert "Say what should move" in page.inner_text(".aw-line")
    assert page.is_hidden("#aw-placard") and page.is_hidden("[data-testid=stage-told]")
    hung = page.locator("[data-testid=stage-still]")
    assert hung.get_attribute("src").split("file=")[1] in page.get_attribute(
        "#aw-painting img", "src"
    )
