"""Runs that outlive the page, in a real Chromium: reload, two visitors, resume, a killed server."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.test_page_browser import (
    make_quick,
    mode,
    set_number,
    slow_steps,
    visit,
    wait_for_distilling,
    wait_for_line,
    wait_for_running,
)

pytestmark = pytest.mark.browser
BRUSH = "[data-testid=brush-open]"
ROOT = Path(__file__).resolve().parents[1]
__all__ = ("slow_steps", "visit")  # fixtures of the page's own tests


def ask(page, prompt: str) -> None:
    make_quick(page)
    page.fill("#aw-prompt textarea", prompt)
    page.click("#aw-awaken")


def wait_for_detail(page, text: str) -> None:
    page.wait_for_function(
        "text => document.querySelector('.aw-detail').textContent.includes(text)", arg=text
    )


def owner(page) -> str:
    return page.evaluate("awakenTab.owner()")


def test_a_reload_comes_back_to_the_run_and_then_to_its_result(visit, server, slow_steps):
    page = visit()
    ask(page, "the waves roll, and the page is loaded anew")
    wait_for_distilling(page)
    name = owner(page)
    server.engine.hold()  # the run must outlast the page's way back
    page.reload()
    page.wait_for_selector(".aw-line", state="attached")
    wait_for_detail(page, "step")
    assert owner(page) == name
    assert server.engine.open_runs == 1
    assert page.is_enabled("#aw-stop")
    assert page.is_disabled("#aw-awaken")
    assert page.input_value("#aw-prompt textarea") == "the waves roll, and the page is loaded anew"
    page.click("#aw-advanced button")
    assert page.locator("#aw-steps input[type=number]").input_value() == "4"
    page.wait_for_selector("[data-testid=stage][data-mode=running]")
    server.engine.release()
    wait_for_line(page, "Done in")
    page.reload()
    page.wait_for_selector(".aw-line", state="attached")
    wait_for_line(page, "Done in")
    assert "the page is loaded anew" in page.inner_text("#aw-placard")
    assert page.is_enabled("#aw-awaken")
    assert page.evaluate("sessionStorage.getItem('awaken-runs')") in (None, "{}")


def test_results_go_to_who_asked_for_them(visit, server, slow_steps):
    first, second = visit(), visit()
    ask(first, "the clouds of the first visitor drift")
    server.engine.hold()
    wait_for_running(first)
    ask(second, "the water of the second visitor flows")
    wait_for_line(second, "1 run before yours")
    assert owner(first) != owner(second)
    server.engine.release()
    for page, mine in ((first, "first visitor"), (second, "second visitor")):
        wait_for_line(page, "Done in")
        assert mine in page.inner_text("#aw-placard")


def test_a_phone_sees_its_place_in_the_queue(visit, server, slow_steps):
    server.engine.hold()
    first, second = visit(), visit(width=390, height=844)
    ask(first, "the grass ripples, and a phone waits for it")
    wait_for_running(first)
    second.click("#aw-awaken")
    wait_for_line(second, "1 run before yours")
    line = second.locator(".aw-line").bounding_box()
    assert line["y"] + line["height"] <= second.locator("#aw-actions").bounding_box()["y"]
    for page in (second, first):
        page.click("#aw-stop")
        wait_for_line(page, "Stopped")


def test_a_duplicated_tab_is_somebody_else(visit):
    page = visit()
    with page.context.expect_page() as opened:
        page.evaluate("window.open(location.href)")  # copies sessionStorage, as duplicating does
    twin = opened.value
    twin.set_default_timeout(20_000)
    twin.wait_for_selector("#aw-awaken")
    twin.wait_for_function("'awakenTab' in window")
    name = owner(page)
    twin.wait_for_function(
        "async (name) => (await awakenTab.owner()) !== name", arg=name
    )  # a slow machine's answer may come late
    assert len(owner(twin)) == len(name) == 43
    assert owner(page) == name  # the first keeps its own


def test_resume_goes_on_from_what_is_done(visit, server, slow_steps):
    page = visit()
    ask(page, "the trees sway until somebody says stop")
    wait_for_distilling(page)
    page.click("#aw-stop")
    wait_for_line(page, "Stopped")
    assert "Already done and kept: Proxy" in page.inner_text(".aw-card")
    button = page.locator(".aw-action").bounding_box()
    assert 0 <= button["y"] and button["y"] + button["height"] <= 800, "in sight without scrolling"
    server.engine.release()
    page.fill("#aw-prompt textarea", "the dials may say something else meanwhile")
    page.click(".aw-action")
    wait_for_line(page, "Done in")
    assert "until somebody says stop" in page.inner_text("#aw-placard")
    assert page.locator(".aw-phase-reused").first.inner_text().startswith("Proxy")


def test_out_of_memory_is_retried_smaller_in_one_press(visit, server, monkeypatch):
    asked = []

    def run(request):
        asked.append(request.size)
        raise MemoryError
        yield

    monkeypatch.setattr(server.engine, "_run", run)
    page = visit()
    page.wait_for_selector("[data-testid=stage][data-mode=done]")
    page.click("#aw-advanced button")
    page.click("#aw-awaken")
    page.wait_for_selector(".aw-card-bad")
    button = page.locator(".aw-action")
    label = button.inner_text()
    button.click()
    page.wait_for_function(
        "before => document.querySelector('.aw-action')?.textContent !== before"
        " && document.querySelector('#aw-awaken').disabled === false",
        arg=label,
    )
    assert len(asked) == 2
    assert label == f"Retry at {asked[1]}"
    assert asked[1] < asked[0]
    assert page.locator("#aw-size input:checked").get_attribute("value") == str(asked[1])
    assert mode(page) == "done"  # the last result is still on the wall


def test_a_missing_model_gets_its_command_and_the_miniature_instead(
    visit, server, slow_steps, tmp_path, monkeypatch
):
    monkeypatch.setenv("AWAKEN_DOWNLOADS", "1")  # before the machine's owner
    monkeypatch.setenv("AWAKEN_MODELS", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    page = visit()
    page.wait_for_selector("[data-testid=stage][data-mode=done]")
    page.click("#aw-row-backend button")
    page.locator("#aw-backend label:has-text('Cinemo')").click()
    page.click("#aw-awaken")  # at once: the dials may still be the miniature's
    page.wait_for_selector(".aw-card-bad h3:text('A model is missing')")
    assert page.inner_text(".aw-command").startswith("hf download")
    assert mode(page) == "done"  # the last result is still on the wall
    page.click(".aw-action:text('Use the miniature')")
    page.wait_for_selector(f"{BRUSH}:enabled")
    assert page.locator("#aw-backend input").first.is_checked()
    page.wait_for_selector(".aw-card-bad", state="detached")
    page.fill("#aw-prompt textarea", "the clouds wait for no model")
    server.engine.hold()
    page.click("#aw-awaken")
    wait_for_running(page)
    page.click("#aw-stop")
    wait_for_line(page, "Stopped")


def test_a_full_queue_says_when_to_try_again(visit, server, slow_steps, monkeypatch):
    monkeypatch.setattr(server.holder.jobs, "_max_waiting", 1)
    server.engine.hold()
    first, second, third = visit(), visit(), visit()
    ask(first, "the first visitor has the models")
    wait_for_running(first)
    second.click("#aw-awaken")
    wait_for_line(second, "1 run before yours")
    third.fill("#aw-prompt textarea", "the third one's words")
    third.click("#aw-awaken")
    third.wait_for_selector(".aw-card-bad h3:text('Too many are waiting')")
    assert "Try again in about" in third.inner_text(".aw-card-bad")
    assert third.input_value("#aw-prompt textarea") == "the third one's words"
    assert third.is_enabled("#aw-awaken")
    wait_for_line(second, "1 run before yours")  # nobody was pushed aside
    for page in (second, first):
        page.click("#aw-stop")
        wait_for_line(page, "Stopped")


def test_the_cost_is_told_before_the_click_and_follows_the_dials(visit):
    def seconds() -> float:
        words = page.inner_text("#aw-cost")
        number, unit = words.split("about ")[1].split(" ")[:2]
        return float(number) * (60 if unit == "min" else 1)

    page = visit()
    page.wait_for_function("document.querySelector('#aw-cost').textContent.includes('takes about')")
    before, told = seconds(), page.inner_text("#aw-cost")
    # One dial: four times the steps at a smaller size can cost the same.
    page.click("#aw-advanced button")
    set_number(page, "steps", 100)
    page.wait_for_function(
        "told => document.querySelector('#aw-cost').innerText !== told", arg=told
    )
    make_more = seconds()
    assert before > 0
    assert make_more > before


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def serve(port: int) -> subprocess.Popen:
    """The real server in a process of its own, once it answers."""
    process = subprocess.Popen(
        [sys.executable, "app.py", "--port", str(port)], cwd=ROOT, env=dict(os.environ),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
            return process
        except OSError:
            time.sleep(0.2)
    process.kill()
    pytest.fail("the server did not answer")


def test_a_killed_server_is_told_and_the_settings_stay(open_page):
    port = free_port()
    process = serve(port)
    try:
        page, laboratory = (open_page(f"http://127.0.0.1:{port}/{path}") for path in ("", "lab"))
        for one in (page, laboratory):
            one.expected_errors += ["ERR_", "Failed to fetch", "Unexpected error", "network error"]
        page.wait_for_selector("[data-testid=stage][data-mode=done]")
        page.fill("#aw-prompt textarea", "smoke rises while the server dies")
        page.click("#aw-awaken")
        laboratory.click("#aw-go-sweep")
        for one, place in ((page, "run"), (laboratory, "sweep")):
            one.wait_for_function(
                "place => place in JSON.parse(sessionStorage.getItem('awaken-runs') || '{}')",
                arg=place,
            )
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_for_line(page, "The connection is lost")
        process = serve(port)  # the page returns by itself
        card = page.wait_for_selector(".aw-card h3:text('The server was restarted')")
        assert card.is_visible()
        assert page.input_value("#aw-prompt textarea") == "smoke rises while the server dies"
        page.wait_for_timeout(500)  # what watches for a run of this tab has found none
        assert card.is_visible()
        assert page.inner_text("#aw-awaken") == "Awaken"
        assert page.is_enabled("#aw-awaken")
        assert page.is_disabled("#aw-stop")
        laboratory.wait_for_selector("#aw-grid-sweep .aw-grid-line:text('server was restarted')")
        assert laboratory.is_enabled("#aw-go-sweep") and laboratory.is_disabled("#aw-stop")
        page.reload()
        page.wait_for_selector("[data-testid=stage][data-mode=done]")
        assert page.locator(".aw-card h3:text('The server was restarted')").count() == 0, (
            "told once"
        )
    finally:
        process.kill()
        process.wait()
