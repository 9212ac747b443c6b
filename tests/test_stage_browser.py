"""The stage in a real Chromium, judged by pixels: each frame carries its number as a bar code."""

from __future__ import annotations

import base64
import io
import pickle
import re
import threading

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from awaken.preview import atlas
from awaken.ui import ASSETS
from awaken.ui.viewer import stage
from awaken.ui.viewer.stage import Stage
from awaken.video import stacked, write_mp4

pytestmark = pytest.mark.browser
FRAMES, FPS, WIDTH, HEIGHT = 16, 12, 256, 192
BITS = 6  # four for the frame's number, one always white, one for the video (0 top, 1 bottom)
NAUGHTY = "Example: <img src=x onerror=alert(1)> ${alert(2)} {{value}}"
CURVES = [[2.0] * 11, [5.0] * 11]  # grey levels, for the scale
HUES = {"first": ((30, 60, 140), (150, 50, 30)), "second": ((20, 110, 50), (110, 30, 120))}


def clock(which: int, colour: tuple[int, int, int], width=WIDTH, height=HEIGHT) -> np.ndarray:
    """A video whose frame i shows i, and which video it is, as white and black blocks."""
    video = np.empty((FRAMES, height, width, 3), np.uint8)
    video[:] = colour
    edges = np.linspace(0, width, BITS + 1).round().astype(int)
    for i, frame in enumerate(video):
        bits = [i >> k & 1 for k in range(4)] + [1, which]
        for bit, left, right in zip(bits, edges, edges[1:], strict=False):
            frame[: height // 4, left:right] = 255 * bit
    return video


def reading(pixels: np.ndarray) -> tuple[int, int]:
    """(frame, video) of a picture of a clock, (h, w, 3)."""
    h, w = pixels.shape[:2]
    xs = ((np.arange(BITS) + 0.5) * w / BITS).astype(int)
    bits = pixels[h // 8, xs].mean(axis=-1) > 127
    assert bits[4], "the marker is not white: this is not a frame of the clock"
    return sum(int(bit) << k for k, bit in enumerate(bits[:4])), int(bits[5])


# the same reading in the page, straight from a canvas: [frame, video], or null while it is blank
READ = """
window.readClock = (id) => {
  const canvas = document.querySelector(`[data-testid=${id}]`);
  const { width, height } = canvas;
  const row = canvas.getContext('2d').getImageData(0, Math.floor(height / 8), width, 1).data;
  const bits = [0, 1, 2, 3, 4, 5].map((k) => row[4 * Math.floor((k + 0.5) * width / 6) + 1] > 127);
  if (row[3] === 0) return null;
  const number = bits.slice(0, 4).reduce((n, bit, k) => n + (bit << k), 0);
  return bits[4] ? [number, +bits[5]] : ['?', -1];
};
window.readBoth = () => {
  const { frame, source } = document.querySelector('[data-testid=stage]').dataset;
  const [a, b] = ['canvas-baseline', 'canvas-awakened'].map(readClock);
  return { a, b, frame: +frame, source };
};
window.watchClock = async (milliseconds) => {
  const seen = [];
  for (const start = performance.now(); performance.now() - start < milliseconds; ) {
    await new Promise(requestAnimationFrame);
    seen.push(readBoth());
  }
  return seen;
};
null;
"""


@pytest.fixture(scope="module")
def scenes(tmp_path_factory) -> dict[str, dict]:
    """The values that a run would yield, from the page's first view to a second result."""
    folder = tmp_path_factory.mktemp("stage")
    finished = {}
    for name, (top, bottom) in HUES.items():
        a, b = clock(0, top), clock(1, bottom)
        file = folder / f"{name}.mp4"
        write_mp4(stacked(a, b), file, FPS, keyframe_every=1)
        still = np.full((HEIGHT, WIDTH, 3), top, np.uint8)
        still[: HEIGHT // 4] = 255
        finished[name] = stage.done(
            still, still // 2, file, frames=FRAMES, fps=FPS, width=WIDTH, height=HEIGHT, label=name,
            told=f"What differs in the {name}.", curves=CURVES,
        )  # fmt: skip
    finished["first"]["result"]["label"] = NAUGHTY
    frieze = [clock(which, HUES["first"][which], 288, 96) for which in (0, 1)]
    write_mp4(stacked(*frieze), folder / "frieze.mp4", FPS, keyframe_every=1)
    finished["frieze"] = stage.done(
        None, None, folder / "frieze.mp4", frames=FRAMES, fps=FPS, width=288, height=96,
        curves=CURVES,
    )  # fmt: skip
    faint = [np.full_like(frieze[0], level) for level in (100, 130)]
    write_mp4(stacked(*faint), folder / "faint.mp4", FPS, keyframe_every=1)
    finished["faint"] = stage.done(
        None, None, folder / "faint.mp4", frames=FRAMES, fps=FPS, width=288, height=96
    )
    small = [clock(which, HUES["second"][which], 128, 96) for which in (0, 1)]
    begin = stage.running(finished["first"], painting=still, width=WIDTH, height=HEIGHT, fps=FPS)
    paths = stage.running(begin, preview=atlas({"painting": small[0], "proxy": small[1]}))
    videos = stage.running(paths, preview=atlas({"baseline": small[0], "awakened": small[1]}))
    return finished | {
        "begin": begin,
        "proxy": stage.running(begin, proxy=still // 2, proxy_note="20.1 dB"),
        "paths": paths,
        "videos": videos,
        "alone": stage.running(videos, preview=atlas({"awakened": small[1]})),
        "settled": stage.settled(videos),
        "bare": stage.empty(),
    }


@pytest.fixture(scope="module")
def address(scenes, tmp_path_factory):
    """A small app: the stage, and one button per scene, so that the test is the clock."""
    with gr.Blocks(analytics_enabled=False) as demo:
        wall = Stage(scenes["first"])
        for name, scene in scenes.items():
            press = gr.Button(name, elem_id=f"scene-{name}").click
            press(lambda scene=scene: scene, None, wall, show_progress="hidden", queue=False)
        gr.Button("hide", elem_id="scene-hide").click(
            lambda: gr.update(visible=False), None, wall, queue=False
        )
        gr.Button("unhide", elem_id="scene-unhide").click(
            lambda: gr.update(visible=True), None, wall, queue=False
        )
    launch = dict(
        server_name="127.0.0.1",
        prevent_thread_lock=True,
        quiet=True,
        ssr_mode=False,
        allowed_paths=[str(tmp_path_factory.getbasetemp())],
        css=(ASSETS / "css" / "tokens.css").read_text("utf-8"),
    )
    # Playwright's loop may already run in this thread; Gradio's start wants a thread without one
    starter = threading.Thread(target=lambda: demo.launch(**launch))
    starter.start()
    starter.join()
    yield demo.local_url
    demo.close()


@pytest.fixture
def visit(open_page, address):
    """``visit(**options)`` -> a page whose stage has decoded the first film."""

    def visit_(**options):
        page = open_page(address, **options)
        page.evaluate(READ)
        wait(page, source="film", frames=FRAMES)
        return page

    return visit_


def wait(page, **state) -> None:
    """Until the stage's data attributes have these values."""
    selector = "[data-testid=stage]" + "".join(f'[data-{k}="{v}"]' for k, v in state.items())
    page.wait_for_selector(selector)


def press(page, name: str) -> None:
    page.locator(f"#scene-{name}").click()


def hook(page, name: str):
    return page.get_by_test_id(f"stage-{name}")


def in_step(seen: list[dict]) -> list[int]:
    """All samples show one moment in both halves; the frames as they came, repeats removed."""
    assert seen
    for one in seen:
        assert one["a"] == [one["frame"], 0] and one["b"] == [one["frame"], 1], one
    frames = [one["frame"] for one in seen]
    return [f for f, before in zip(frames, [None, *frames], strict=False) if f != before]


def shot(page, test_id: str) -> np.ndarray:
    return np.asarray(screenshot(page.get_by_test_id(test_id)))


def screenshot(locator) -> Image.Image:
    return Image.open(io.BytesIO(locator.screenshot())).convert("RGB")


def test_both_halves_show_the_same_frame_while_playing(visit):
    page = visit()
    order = in_step(page.evaluate("watchClock(3000)"))
    assert set(order) == set(range(FRAMES))
    steps = {(after - before) % FRAMES for before, after in zip(order, order[1:], strict=False)}
    assert steps <= {1, 2, 3}, "a loop goes forwards; a busy machine may skip a frame or two"
    for _ in range(4):  # and what the compositor puts on the screen agrees
        wall = screenshot(hook(page, "comparator"))
        origin = hook(page, "comparator").bounding_box()
        halves = []
        for name in ("canvas-baseline", "canvas-awakened"):
            box = page.get_by_test_id(name).bounding_box()
            x, y = box["x"] - origin["x"], box["y"] - origin["y"]
            picture = wall.crop((x, y, x + box["width"], y + box["height"]))
            halves.append(reading(np.asarray(picture)))
        assert halves[0][0] == halves[1][0] and [half[1] for half in halves] == [0, 1]


def test_scrub_and_frame_steps_are_exact(visit):
    page = visit()
    hook(page, "play").click()
    wait(page, playing="false")
    for frame in (*range(FRAMES), 3, 12, 0):
        hook(page, "scrub").fill(str(frame))
        assert in_step([page.evaluate("readBoth()")]) == [frame]
        assert hook(page, "count").inner_text() == f"{frame + 1} / {FRAMES}"
    hook(page, "next").click()
    assert in_step([page.evaluate("readBoth()")]) == [1]
    for _ in range(2):
        hook(page, "previous").click()
    assert in_step([page.evaluate("readBoth()")]) == [FRAMES - 1]


def test_keyboard_on_the_focused_stage(visit):
    page = visit()
    hook(page, "comparator").focus()
    page.keyboard.press(" ")
    wait(page, playing="false")
    page.keyboard.press("Home")
    last = FRAMES - 1
    for key, frame in ((".", 1), ("ArrowRight", 2), (",", 1), ("ArrowLeft", 0), ("End", last)):
        page.keyboard.press(key)
        assert in_step([page.evaluate("readBoth()")]) == [frame], key
    page.keyboard.press("2")
    wait(page, view="wipe")
    page.keyboard.press("ArrowRight")
    assert hook(page, "wipe-handle").get_attribute("aria-valuenow") == "52"
    assert in_step([page.evaluate("readBoth()")]) == [last], "arrows move the line in a wipe"
    page.keyboard.press("1")
    wait(page, view="side")
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement?.dataset.testid === 'stage'")
    page.keyboard.press("f")
    page.wait_for_function("!document.fullscreenElement")
    page.keyboard.press(" ")
    wait(page, playing="true")


def test_the_list_of_keys_is_visible_and_every_key_does_what_it_says(visit):
    page = visit()
    hook(page, "comparator").focus()
    page.keyboard.press(" ")
    assert not hook(page, "help").is_visible()
    page.keyboard.press("?")
    rows = hook(page, "help").locator("dd").all_inner_texts()
    assert len(rows) == 12 and all(rows) and not any("key-" in row for row in rows)
    page.keyboard.press("Escape")
    assert not hook(page, "help").is_visible()
    hook(page, "keys").click()
    assert hook(page, "help").is_visible()

    page.keyboard.press("l")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    place = "e => ['x', 'y'].map((k) => parseFloat(e.style.getPropertyValue('--loupe-' + k)))"
    assert page.get_by_test_id("stage").evaluate(place) == pytest.approx([55, 45])
    page.keyboard.press("l")
    wait(page, loupe="false")
    for key, speed in (("[", "0.5"), ("[", "0.25"), ("[", "0.25"), ("]", "0.5")):
        page.keyboard.press(key)
        assert hook(page, "speed").input_value() == speed
    page.keyboard.press("b")
    assert hook(page, "ping-pong").get_attribute("aria-pressed") == "true"
    for view, key, dial, step in (("5", "+", "gain", 0.5), ("6", "-", "opacity", -0.05)):
        page.keyboard.press(view)
        before = float(hook(page, dial).input_value())
        page.keyboard.press(key)
        assert float(hook(page, dial).input_value()) == pytest.approx(before + step)
    for key, shown in (("o", "original"), ("p", "proxy"), ("c", "compare")):
        page.keyboard.press(key)
        wait(page, show=shown)
    hook(page, "view-side").click()  # a button in focus takes the space bar, and nothing else
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert in_step([page.evaluate("readBoth()")]) == [1]
    hook(page, "full-screen").click()
    page.wait_for_function("document.activeElement?.dataset.testid === 'stage-comparator'")
    page.keyboard.press(" ")
    wait(page, playing="true")
    assert page.evaluate("Boolean(document.fullscreenElement)"), "space plays, it does not leave"


def test_the_motion_curves_say_whose_they_are_and_a_frieze_hangs_large(visit):
    page = visit()
    names = [page.locator(f"[data-part=legend-{which}]").inner_text() for which in "ab"]
    assert names == ["Baseline", "Awakened"]
    drawn = """e => { const { width, height } = e, colours = new Set();
      const pixels = e.getContext('2d').getImageData(0, 0, width, height).data;
      for (let i = 0; i < pixels.length; i += 4)
        if (pixels[i + 3] > 250) colours.add(pixels.slice(i, i + 3).join());
      return colours.size; }"""
    assert hook(page, "motion").evaluate(drawn) >= 2, "both curves, each in its own colour"
    assert "0 to 10 grey levels" in page.inner_text(".legend")
    tops = """e => { const { width, height } = e, x = width >> 1, found = {};
      for (let y = 0; y < height; y++) {
        const pixel = e.getContext('2d').getImageData(x, y, 1, 1).data;
        if (pixel[3] > 200) found[y / height] = [...pixel]; }
      return Object.keys(found).map(Number); }"""
    heights = hook(page, "motion").evaluate(tops)
    assert any(abs(y - 0.8) < 0.08 for y in heights), "2 of 10 levels"
    assert any(abs(y - 0.5) < 0.08 for y in heights), "5 of 10 levels"
    assert hook(page, "told").inner_text() == "What differs in the first."
    press(page, "frieze")
    wait(page, wide="true", source="film", frames=FRAMES)
    wall, above, below = (
        page.get_by_test_id(name).bounding_box()
        for name in ("stage-comparator", "canvas-baseline", "canvas-awakened")
    )
    assert below["y"] >= above["y"] + above["height"] and above["x"] == below["x"]
    assert above["width"] > 0.6 * wall["width"]
    in_step(page.evaluate("watchClock(500)"))


def test_speed_and_ping_pong(visit):
    page = visit()
    hook(page, "speed").select_option("0.25")
    slow = in_step(page.evaluate("watchClock(1500)"))
    assert 3 <= len(slow) <= 7  # 12 frames a second, quartered, for 1.5 s
    hook(page, "speed").select_option("2")
    hook(page, "ping-pong").click()
    order = in_step(page.evaluate("watchClock(2500)"))
    steps = [after - before for before, after in zip(order, order[1:], strict=False)]
    assert min(steps) < 0 < max(steps) and max(map(abs, steps)) <= 4, "it turns, it never jumps"


def test_wipe_shows_baseline_left_and_awakened_right_of_the_line(visit):
    page = visit()
    hook(page, "view-wipe").click()
    wait(page, view="wipe")
    box = page.get_by_test_id("canvas-baseline").bounding_box()
    line = box["y"] + box["height"] * 0.7
    page.mouse.move(box["x"] + box["width"] * 0.5, line)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.25, line, steps=4)
    page.mouse.up()
    assert hook(page, "wipe-handle").get_attribute("aria-valuenow") == "25"
    picture = shot(page, "canvas-baseline")
    height, width = picture.shape[:2]
    left, right = (picture[int(height * 0.8), int(width * x)].astype(int) for x in (0.2, 0.3))
    assert np.abs(np.subtract([left, right], HUES["first"])).max() < 12
    hook(page, "wipe-handle").press("Home")
    assert hook(page, "wipe-handle").get_attribute("aria-valuenow") == "0"
    hook(page, "more").click()
    hook(page, "view-wipe-across").click()
    hook(page, "wipe-handle").press("PageDown")
    picture = shot(page, "canvas-baseline")
    above, below = (picture[int(height * y), 2].astype(int) for y in (0.08, 0.3))
    assert hook(page, "wipe-handle").get_attribute("aria-valuenow") == "10"
    assert np.abs(below - HUES["first"][1]).max() < 12 and not np.abs(above - below).max() < 12


def test_the_difference_is_a_heat_map_with_a_legend_and_a_gain_of_its_own(visit):
    page = visit()
    hook(page, "play").click()
    hook(page, "view-difference").click()
    gain, value = hook(page, "gain"), hook(page, "gain-value")
    assert hook(page, "gain-auto").get_attribute("aria-pressed") == "true"
    assert float(gain.input_value()) == 1, "white against black needs none"
    at = """e => { const pixels = e.getContext('2d');
      return [[0.75, 0.125], [0.5, 0.8]].map(([x, y]) =>
        [...pixels.getImageData(x * e.width, y * e.height, 1, 1).data].slice(0, 3)); }"""
    alike, differs = page.get_by_test_id("canvas-difference").evaluate(at)
    assert max(alike) < 8 and differs[0] > 120, "black, and half way: between purple and red"
    gain.fill("3")
    assert hook(page, "gain-auto").get_attribute("aria-pressed") == "false"
    assert value.inner_text() == "× 3.0" and "85" in hook(page, "ramp").inner_text()
    alike, differs = page.get_by_test_id("canvas-difference").evaluate(at)
    assert max(alike) < 8 and min(differs) > 140, "black, and the end of the scale"
    press(page, "faint")
    wait(page, wide="true", source="film", frames=FRAMES, pending="false")
    hook(page, "gain-auto").click()
    page.wait_for_function(  # the strongest just glow, once the film is whole
        "most => Math.abs(document.querySelector('[data-testid=stage-gain]').value - most) < 1",
        arg=255 / 30,
    )


def test_blink_alternates_and_onion_lays_the_painting_over_both(visit):
    page = visit()
    hook(page, "more").click()
    hook(page, "view-blink").click()
    for half in "aba":
        wait(page, blink=half)
    hook(page, "play").click()
    hook(page, "more").click()
    hook(page, "view-onion").click()
    hook(page, "opacity").fill("1")
    page.wait_for_function("document.querySelector('[data-testid=stage] .still').naturalWidth > 0")
    for name in ("canvas-baseline", "canvas-awakened"):
        hue = shot(page, name)[-20, -20].astype(int)
        assert np.abs(hue - HUES["first"][0]).max() < 12, "the painting has the first hue"


def test_loupe_shows_the_same_spot_of_both(visit):
    page = visit()
    hook(page, "play").click()
    hook(page, "scrub").fill("5")
    hook(page, "more").click()
    hook(page, "loupe").click()
    box = page.get_by_test_id("canvas-awakened").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.8)
    colours = page.evaluate(
        """() => [...document.querySelectorAll('[data-testid=stage] .loupe')].map((lens) =>
             [...lens.getContext('2d').getImageData(176, 176, 1, 1).data.slice(0, 3)])"""
    )
    assert np.abs(np.array(colours) - HUES["first"]).max() < 12


def test_a_run_from_still_to_preview_to_result_without_flicker_or_new_nodes(visit):
    page = visit()
    page.evaluate(
        """() => {
          const stage = document.querySelector('[data-testid=stage]');
          window.nodes = [...stage.querySelectorAll('*')];
          window.changes = 0;
          new MutationObserver((records) => {
            for (const { addedNodes, removedNodes } of records)
              changes += [...addedNodes, ...removedNodes].filter((n) => n.nodeType === 1).length;
          }).observe(stage, { childList: true, subtree: true });
          window.blanks = 0;
          window.sizes = new Set();
          const look = () => {
            for (const id of ['canvas-baseline', 'canvas-awakened']) {
              const canvas = document.querySelector(`[data-testid=${id}]`);
              const middle = canvas.width && canvas.getContext('2d')
                .getImageData(canvas.width / 2, canvas.height * 0.7, 1, 1).data;
              if (!middle || middle[3] === 0) blanks++;
              sizes.add(`${canvas.offsetWidth} x ${canvas.offsetHeight}`);
            }
            requestAnimationFrame(look);
          };
          look();
        }"""
    )
    press(page, "begin")
    wait(page, mode="running", source="still")
    assert page.get_by_test_id("canvas-last").is_visible(), "the last good result stays on the wall"
    press(page, "proxy")
    page.wait_for_function(
        "document.querySelector('[data-testid=stage-show-proxy] img').src.startsWith('data:image')"
    )
    assert "20.1 dB" in hook(page, "show-proxy").inner_text()
    press(page, "paths")
    wait(page, source="preview")
    captions = page.locator("[data-testid=stage-comparator] figcaption .name")
    assert captions.all_inner_texts()[:2] == ["Path of the painting", "Path of the proxy"]
    assert len(in_step(page.evaluate("watchClock(1200)"))) > 4, "previews move, and in step"
    press(page, "videos")
    page.wait_for_function(
        "document.querySelector('[data-testid=stage-comparator] .name').textContent === 'Baseline'"
    )
    assert page.locator(".tag").first.is_visible()
    press(page, "alone")  # one video after the other: each keeps its own side
    in_step(page.evaluate("watchClock(900)"))
    assert captions.all_inner_texts()[:2] == ["Baseline", "Awakened"]

    hook(page, "show-last").click()
    wait(page, show="last", source="film")
    in_step(page.evaluate("watchClock(300)"))
    hook(page, "show-compare").click()
    wait(page, source="preview")

    press(page, "second")
    wait(page, mode="done", source="film", frames=FRAMES)
    in_step(page.evaluate("watchClock(700)"))
    hue = shot(page, "canvas-awakened")[-20, -20].astype(int)
    assert np.abs(hue - HUES["second"][1]).max() < 12
    assert page.evaluate("blanks") == 0 and page.evaluate("changes") == 0
    assert len(page.evaluate("[...sizes]")) == 1, "the frames on the wall keep their size"
    assert page.evaluate(
        """() => { const now = [...document.querySelectorAll('[data-testid=stage] *')];
                   return now.length === nodes.length && now.every((n, i) => n === nodes[i]); }"""
    )


def test_another_result_while_playing_never_mixes_the_two(visit):
    page = visit()
    hook(page, "play").focus()
    page.evaluate("window.watching = watchClock(2500)")
    for name in ("second", "first", "second"):  # the later ones overtake a decoding under way
        press(page, name)
    in_step(page.evaluate("watching"))
    hook(page, "label").get_by_text("second").wait_for()
    wait(page, source="film", frames=FRAMES, playing="true")
    for name, hue in zip(("baseline", "awakened"), HUES["second"], strict=True):
        assert np.abs(shot(page, f"canvas-{name}")[-20, -20].astype(int) - hue).max() < 12


def test_stop_brings_the_last_result_back_and_an_empty_stage_invites(visit):
    page = visit()
    press(page, "videos")
    wait(page, mode="running", source="preview")
    press(page, "settled")
    wait(page, mode="done", source="film", frames=FRAMES)
    in_step(page.evaluate("watchClock(300)"))
    press(page, "bare")
    wait(page, mode="empty", source="none")
    assert page.get_by_text("Choose a painting").is_visible()
    press(page, "first")
    wait(page, mode="done", source="film", frames=FRAMES)


def test_original_and_proxy_hang_alone_when_chosen(visit):
    page = visit()
    for name in ("original", "proxy"):
        hook(page, f"show-{name}").click()
        wait(page, show=name)
        assert hook(page, "still").is_visible()
        assert hook(page, "still").evaluate("image => image.naturalWidth") == WIDTH
        assert not page.get_by_test_id("canvas-baseline").is_visible()
    hook(page, "show-compare").click()
    assert page.get_by_test_id("canvas-baseline").is_visible()


def test_it_works_again_after_the_component_was_mounted_anew(visit):
    page = visit()
    page.evaluate("document.querySelector('[data-testid=stage]').dataset.old = 'yes'")
    press(page, "hide")
    page.wait_for_selector("[data-testid=stage]", state="detached")
    press(page, "unhide")
    wait(page, source="film", frames=FRAMES, playing="true")
    assert page.locator("[data-testid=stage][data-old]").count() == 0
    assert len(in_step(page.evaluate("watchClock(800)"))) > 3


def test_reduced_motion_means_no_autoplay(visit):
    page = visit(reduced_motion="reduce")
    wait(page, playing="false")
    assert in_step(page.evaluate("watchClock(600)")) == [0]
    hook(page, "play").click()
    assert len(in_step(page.evaluate("watchClock(800)"))) > 3


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_phone_has_no_sideways_scroll_and_large_targets(visit, theme):
    page = visit(width=390, height=844, color_scheme=theme)
    baseline, awakened = (
        page.get_by_test_id(f"canvas-{name}").bounding_box() for name in ("baseline", "awakened")
    )
    assert awakened["y"] >= baseline["y"] + baseline["height"], "stacked, not squeezed"
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    boxes = page.evaluate(
        """() => [...document.querySelectorAll('[data-testid=stage] :is(button, select, input)')]
             .map((node) => [node.dataset.testid, node.getBoundingClientRect()])
             .filter(([, box]) => box.width).map(([id, box]) => [id, box.width, box.height])"""
    )
    assert len(boxes) > 12
    assert not [box for box in boxes if min(box[1:]) < 44], "a finger needs 44 px"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(visit, theme):
    from axe_playwright_python.sync_playwright import Axe

    page = visit(color_scheme=theme)
    for name in ("first", "videos"):
        press(page, name)
        wait(page, mode={"first": "done", "videos": "running"}[name])
        found = Axe().run(page, context="[data-testid=stage]").response["violations"]
        assert not [one["id"] for one in found if one["impact"] in ("serious", "critical")], found


def test_a_broken_video_is_said_and_the_old_one_stays(visit, scenes, address):
    page = visit()
    page.route("**/second*.mp4", lambda route: route.fulfill(body="x", content_type="video/mp4"))
    press(page, "second")
    page.wait_for_selector("[data-testid=stage][data-trouble=true]")
    assert page.get_by_role("alert").filter(has_text="could not play").is_visible()
    in_step(page.evaluate("watchClock(300)"))
    press(page, "first")
    page.wait_for_selector("[data-testid=stage][data-trouble=false]")


def test_user_text_stays_text(visit):
    page = visit()
    assert hook(page, "label").inner_text() == NAUGHTY
    assert page.locator("[data-testid=stage] img[src=x]").count() == 0
    for name in ("html/stage.html", "css/stage.css"):  # Gradio evaluates both as JavaScript
        assert not re.search(r"\{\{|\$\{|`|\\", (ASSETS / name).read_text("utf-8")), name


def test_values_are_plain_and_keep_the_last_result(scenes):
    for scene in scenes.values():
        assert pickle.loads(pickle.dumps(scene)) == scene
        Stage().postprocess(scene)
    result = scenes["first"]["result"]
    assert all(scenes[name]["result"] == result for name in ("begin", "paths", "videos", "settled"))
    assert scenes["videos"]["run"]["painting"] == scenes["begin"]["run"]["painting"]
    again = stage.running(scenes["settled"], fps=8)
    assert again["run"]["preview"] is None, "a new run starts without the old one's preview"
    assert stage.settled(stage.running(stage.empty()))["mode"] == "empty"
    assert scenes["begin"]["mode"] == "running" and scenes["first"]["run"] is None


AGAINST = """
([first, second]) => {
  const [stacked, other] = [first, second].map(({ data, ...facts }) => ({
    ...facts, stacked: "data:video/mp4;base64," + data, painting: "", proxy: "" }));
  const film = { ...stacked, against: other, label: "pair", names: ["A", "B"], notes: ["", ""] };
  document.dispatchEvent(new CustomEvent("aw-kept", { detail: { film, placard: null } }));
}
"""


def test_two_films_hang_against_each_other_until_the_server_has_news(visit, tmp_path):
    """Of other length and shape: picture i against picture i, the second whole in the first's frame."""
    page = visit()
    films = []
    for name, frames, width in (("a", FRAMES, WIDTH), ("b", 10, HEIGHT)):
        file = tmp_path / f"{name}.mp4"
        pair = [clock(which, HUES["second"][which], width)[:frames] for which in (0, 1)]
        write_mp4(stacked(*pair), file, FPS, keyframe_every=1)
        data = base64.b64encode(file.read_bytes()).decode()
        films.append({"data": data, "frames": frames, "fps": FPS, "width": width, "height": HEIGHT})
    page.evaluate(AGAINST, films)
    page.wait_for_selector("[data-testid=stage-label]:text-is('pair')")
    wait(page, source="film", frames=10)
    assert page.locator(".stage .pictures .name").all_inner_texts() == ["A", "B"]
    for frame in (0, 4, 9):
        hook(page, "scrub").fill(str(frame))
        assert page.evaluate("readClock('canvas-baseline')") == [frame, 1], "A's awakened video"
        shown = page.evaluate(
            """() => {
              const b = document.querySelector('[data-testid=canvas-awakened]');
              const crop = document.createElement('canvas');
              crop.dataset.testid = 'crop';
              [crop.width, crop.height] = [b.height, b.height];
              crop.getContext('2d').drawImage(b, (b.height - b.width) / 2, 0);
              document.body.append(crop);
              const read = readClock('crop');
              crop.remove();
              return [read, b.getContext('2d').getImageData(4, 9, 1, 1).data[3]];
            }"""
        )
        assert shown == [[frame, 1], 0], "B's awakened video, bare wall beside it"
    press(page, "second")
    page.wait_for_selector("[data-testid=stage-label]:text-is('second')")
    wait(page, source="film", frames=FRAMES)
