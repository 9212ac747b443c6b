"""The history tray in a real browser, over the real page: kept, shown, compared, exported, deleted."""

from __future__ import annotations

import io
import zipfile

import pytest
from axe_playwright_python.sync_playwright import Axe

from awaken.bundle.reader import read_settings_from
from awaken.types import RequestError
from awaken.ui.viewer.history import MAX_RUNS
from awaken.video import read_clip

pytestmark = pytest.mark.browser
NAUGHTY = "<img src=x onerror=alert(1)> ${alert(1)} {{x}}"

# What hangs at a frame, as one string of pixels per canvas.
PICTURES = """
(frame) => {
  const scrub = document.querySelector("[data-testid=stage-scrub]");
  scrub.value = frame;
  scrub.dispatchEvent(new Event("input"));
  const stage = document.querySelector("[data-testid=stage]");
  const pixels = (name) => {
    const small = new OffscreenCanvas(48, 48).getContext("2d");
    small.drawImage(document.querySelector(`[data-testid=canvas-${name}]`), 0, 0, 48, 48);
    return small.getImageData(0, 0, 48, 48).data.join();
  };
  return [+stage.dataset.frame, pixels("baseline"), pixels("awakened")];
}
"""
# Runs in the tray's own store without a run of the engine; the first example lends its film.
PLANT = """
async ([runs, films]) => {
  const wall = document.querySelector("[data-testid=stage-video]").src;
  const thumb = document.querySelector("#aw-gallery img").src;
  const painting = document.querySelector("[data-testid=stage-show-original] img").src;
  const [stacked, picture] = await Promise.all(
    [wall, painting].map(async (url) =>
      films ? (await fetch(url)).arrayBuffer() : new ArrayBuffer(10)));
  const open = indexedDB.open("awaken-history", 1);
  const database = await new Promise((done) => (open.onsuccess = () => done(open.result)));
  const transaction = database.transaction(["runs", "files"], "readwrite");
  for (const { id, date, star, title, settings } of runs) {
    const film = { frames: 16, fps: 8, width: 576, height: 456, names: ["Baseline", "Awakened"],
      notes: ["", ""], label: "", painting_note: "", proxy_note: "" };
    const placard = { title, byline: "", credit: "", licence: "", prompt: title, facts: [] };
    const texts = { "settings.json": JSON.stringify(settings) };
    const bytes = stacked.byteLength + 2 * picture.byteLength;
    transaction.objectStore("runs").put({ id, date, star, thumb, bytes, film, placard, texts });
    const files = { id, stacked, painting: picture, proxy: picture };
    transaction.objectStore("files").put(files);
  }
  await new Promise((done) => (transaction.oncomplete = done));
  database.close();
  const tabs = new BroadcastChannel("awaken-history");
  tabs.postMessage("changed");
  tabs.close();
}
"""


@pytest.fixture
def visit(server, open_page):
    """``visit(**context)`` -> the page with its example on the wall and its tray drawn."""

    def open_(**context):
        page = open_page(server.url, **context)
        ready(page)
        return page

    return open_


def ready(page) -> None:
    page.wait_for_selector("[data-testid=stage][data-source=film][data-frames='16']")
    page.wait_for_selector("[data-testid=history-about]:not(:empty)")


def cards(page):
    return page.get_by_test_id("history-run")


def act(page, index: int, name: str):
    return cards(page).nth(index).locator(f"[data-act={name}]")


def count(page, number: int) -> None:
    page.wait_for_function("n => document.querySelectorAll('.aw-run').length === n", arg=number)


def set_number(page, field: str, value: float) -> None:
    number = page.locator(f"#aw-{field} input[type=number]").first
    number.fill(str(value))
    number.press("Enter")


def awaken(page, prompt: str, p: float) -> None:
    before = cards(page).count()
    page.fill("#aw-prompt textarea", prompt)
    set_number(page, "p", p)
    page.click("#aw-awaken")
    count(page, before + 1)


def hangs(page, label: str) -> None:
    """Until a film with this label is on the wall; one of the history appears whole."""
    page.wait_for_selector(f"[data-testid=stage-label]:has-text('{label}')")
    page.wait_for_selector("[data-testid=stage][data-source=film][data-frames='16']")


def latest_hangs(page) -> None:
    """Until what the server sent last is on the wall again: the visitor's own last run."""
    page.wait_for_selector("[data-testid=stage-label]:text-is('')", state="attached")
    page.wait_for_selector("[data-testid=stage][data-source=film][data-frames='16']")


def plant(page, titles: list[str], starred: str = "", films: bool = True) -> None:
    """More runs with these titles, the first the newest, all of them old; without films, tiny."""
    before = cards(page).count()
    runs = [
        {
            "id": f"planted-{i}", "date": 1_000_000_000 - i, "star": title == starred,
            "title": title, "settings": {"prompt": title, "p": 0.15, "seed": i},
        }
        for i, title in enumerate(titles)
    ]  # fmt: skip
    page.evaluate(PLANT, [runs, films])
    count(page, before + len(titles))


def test_runs_are_kept_compared_restored_and_bounded(visit):
    page = visit()
    assert "kept here" in page.inner_text("[data-testid=history]")
    page.click("#aw-advanced button")
    set_number(page, "steps", 4)
    page.locator("#aw-size label").first.click()
    awaken(page, "the sky swirls", 0.25)
    awaken(page, NAUGHTY, 1.0)

    other = visit()
    assert cards(other).count() == 0, "a history belongs to one browser"
    other.context.close()  # two windows compete for being seen, and the unseen one decodes slowly

    page.reload()
    ready(page)
    count(page, 2)
    assert page.locator(".aw-run-note").all_inner_texts() == ["p 1", "p 0.25 · seed 42"], (
        "the newest comes first, and says in what it differs from the one before"
    )
    act(page, 1, "star").click()
    page.wait_for_selector(".aw-run:nth-child(2) [data-act=star][aria-pressed=true]")

    # shown again, then compared: the same pictures at the same frames, two awakened videos
    alone = []
    for index in (0, 1):
        act(page, index, "show").click()
        hangs(page, "From your history")
        assert page.locator("#aw-placard a.aw-file").count() == 7, "as a fresh run offers them"
        alone.append({frame: page.evaluate(PICTURES, frame)[2] for frame in (3, 8, 15)})
        act(page, index, "show").click()
        latest_hangs(page)
    act(page, 0, "compare").click()
    assert "second run" in page.get_by_test_id("history-says").inner_text()
    act(page, 1, "compare").click()
    hangs(page, "Two runs of yours")
    names = page.locator(".stage .pictures .name").all_inner_texts()
    assert names == ["A · p 1", "B · p 0.25"]
    for frame in (3, 8, 15):
        at, a, b = page.evaluate(PICTURES, frame)
        assert at == frame
        assert (a, b) == (alone[0][frame], alone[1][frame])
        assert a != b, "two values of p give two videos"
    page.click(".aw-details summary")
    placard = page.locator("#aw-placard")
    assert NAUGHTY in placard.inner_text() and "A 1 · B 0.25" in placard.inner_text()
    assert page.locator("#aw-placard img, #aw-history img[src='x']").count() == 0
    serious = [
        (v["id"], [n["html"][:160] for n in v["nodes"]])
        for v in Axe().run(page).response["violations"]
        if v["impact"] in ("serious", "critical")
    ]
    assert not serious
    page.click("#aw-placard button:text('Back to the latest')")
    latest_hangs(page)

    set_number(page, "p", 0.6)
    page.click("#aw-gallery button >> nth=2")
    page.wait_for_selector("#aw-gallery button:nth-child(3)[aria-pressed=true]")
    act(page, 1, "restore").click()
    page.wait_for_function("document.querySelector('#aw-p input[type=number]').value === '0.25'")
    page.wait_for_function(  # its own painting, brought from the browser
        "document.querySelector('#aw-painting img').src.endsWith('painting.png')"
    )
    assert page.input_value("#aw-prompt textarea") == "the sky swirls"

    # a full history: the oldest without a star makes room for the next run
    old = [f"Old {i}" for i in range(MAX_RUNS - 2)]
    plant(page, old, starred=old[-1], films=False)
    page.fill("#aw-prompt textarea", "one more")
    page.click("#aw-awaken")
    page.wait_for_selector("text=was deleted to make room")
    count(page, MAX_RUNS)
    titles = page.locator(".aw-run-title").all_inner_texts()
    assert old[-1] in titles and old[-3] in titles and old[-2] not in titles


def test_everything_is_exported_and_comes_back_by_dropping_it(visit, tmp_path):
    page = visit()
    plant(page, ["The Ninth Wave", "波"])
    with page.expect_download() as download:
        page.get_by_test_id("history-export").click()
    packed = zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes()))
    assert packed.testzip() is None
    folders = {name.split("/")[0] for name in packed.namelist()}
    assert folders == {"01-the-ninth-wave-seed0", "02-run-seed1"}
    for folder in folders:
        for name in ("stacked.mp4", "painting.png", "proxy.png", "settings.json"):
            assert packed.getinfo(f"{folder}/{name}").file_size > 20
    file = tmp_path / "settings.json"
    file.write_bytes(packed.read("02-run-seed1/settings.json"))
    assert read_settings_from(file).settings["prompt"] == "波"
    page.set_input_files("#aw-painting input[type=file]", str(file))
    page.wait_for_function("document.querySelector('#aw-prompt textarea').value === '波'")
    assert page.locator("#aw-p input[type=number]").input_value() == "0.15"
    whole = tmp_path / "history.zip"  # of several runs the newest
    whole.write_bytes(download.value.path().read_bytes())
    assert read_settings_from(whole).settings["prompt"] == "The Ninth Wave"


def test_an_export_without_settings_holds_none(visit, tmp_path):
    page = visit()
    plant(page, ["The Ninth Wave"])
    page.click(".aw-others summary")
    page.click("label:has-text('Keep the settings in the files')")
    with page.expect_download() as download:
        page.get_by_test_id("history-export").click()
    packed = zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes()))
    names = {"painting.png", "proxy.png", "stacked.mp4"}
    assert {name.split("/")[1] for name in packed.namelist()} == names
    assert packed.namelist()[0].startswith("01-the-ninth-wave/")
    film = tmp_path / "stacked.mp4"
    film.write_bytes(packed.read("01-the-ninth-wave/stacked.mp4"))
    assert read_clip(film, 16, 8, 576, 456).any()
    with pytest.raises(RequestError):
        read_settings_from(film)


def test_deleting_can_be_undone_and_deleting_all_is_asked_first(visit):
    page = visit()
    plant(page, ["one", "two", "three"], starred="three")
    act(page, 1, "delete").click()
    count(page, 2)
    answer = page.get_by_test_id("history-answer")
    assert answer.evaluate("node => node === document.activeElement")
    page.keyboard.press("Enter")  # Undo
    count(page, 3)
    assert page.locator(".aw-run-title").all_inner_texts() == ["one", "two", "three"]

    page.get_by_test_id("history-clear").click()
    page.click("#aw-history button:text('Keep them')")
    assert cards(page).count() == 3 and not answer.is_visible()
    page.get_by_test_id("history-clear").click()
    assert "Delete all 3" in page.get_by_test_id("history-says").inner_text()
    answer.click()
    count(page, 0)
    page.reload()
    ready(page)
    assert cards(page).count() == 0


def test_a_card_moves_while_it_is_seen_and_keeps_its_size(visit):
    page = visit(height=500)
    plant(page, ["one"])
    act(page, 0, "show").scroll_into_view_if_needed()
    page.wait_for_selector(".aw-run video[data-plays]")
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_selector(".aw-run video", state="detached")
    act(page, 0, "star").focus()
    for name in ("star", "compare", "restore", "delete"):
        box = act(page, 0, name).bounding_box()
        assert min(box["width"], box["height"]) >= 44
        assert act(page, 0, name).evaluate("node => node === document.activeElement")
        page.keyboard.press("Tab")


def test_reduced_motion_keeps_the_cards_still(visit):
    page = visit(reduced_motion="reduce")
    plant(page, ["one"])
    act(page, 0, "show").scroll_into_view_if_needed()
    page.wait_for_selector(".aw-run[data-seen=true]")
    page.wait_for_timeout(300)
    assert page.locator(".aw-run video").count() == 0


@pytest.mark.parametrize("width", [390, 1280])
def test_a_full_tray_scrolls_by_itself_and_pushes_nothing_away(visit, width):
    page = visit(width=width)
    before = page.locator("#aw-rail").bounding_box()["y"]
    plant(page, [f"run {i}" for i in range(12)], films=False)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    row = page.locator(".aw-history-row")
    assert row.evaluate("row => row.scrollWidth > row.clientWidth")
    act(page, 11, "show").focus()
    assert row.evaluate("row => row.scrollLeft > 0"), "the focus brings the last card into sight"
    assert page.evaluate("document.querySelector('#aw-rail').offsetTop") >= 0
    page.evaluate("scrollTo(0, 0)")
    assert page.locator("#aw-rail").bounding_box()["y"] == pytest.approx(before, abs=1)


def test_a_window_that_keeps_nothing_says_so(server, open_page):
    page = open_page("about:blank")
    page.context.add_init_script(
        "IDBFactory.prototype.open = () => { throw new DOMException('private', 'SecurityError') }"
    )
    page.goto(server.url)
    page.wait_for_selector("text=This window keeps no history")
    assert not page.get_by_test_id("history-export").is_visible()
