"""The Chinese page and its ways in a real Chromium: a run, the link between languages, announcements."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from awaken.ui.texts.page_zh import CHINESE

pytestmark = pytest.mark.browser

# What a screen reader is told: every change of the line that is announced.
LISTEN = """
() => {
  const line = document.querySelector("#aw-status [role=status]");
  window.heard = [];
  new MutationObserver(() => heard.push(line.textContent)).observe(
    line, { childList: true, characterData: true, subtree: true });
}
"""


@pytest.fixture
def visit(server, open_page):
    def open_(path: str = "zh", **context):
        page = open_page(server.url + path, **context)
        page.wait_for_selector("[data-testid=stage][data-mode=done]")
        return page

    return open_


def wait_for_line(page, text: str) -> None:
    page.wait_for_function(
        "text => document.querySelector('#aw-status .aw-line').textContent.startsWith(text)",
        arg=text, timeout=300_000,
    )  # fmt: skip


def run_short(page) -> None:
    """Four steps, so that a real run takes seconds."""
    page.locator("#aw-advanced button").first.click()
    field = page.locator("#aw-steps input[type=number]")
    field.fill("4")
    field.press("Enter")
    page.click("#aw-awaken")


def test_a_chinese_prompt_awakens_and_each_phase_is_announced_once(visit):
    page = visit()
    page.fill("#aw-prompt textarea", "河水缓缓流淌")
    page.wait_for_function(
        "document.querySelector('#aw-read')?.textContent.includes('river flows')"
    )
    page.evaluate(LISTEN)
    run_short(page)
    wait_for_line(page, CHINESE["state_done"][:2])
    heard = page.evaluate("heard")
    assert len(heard) == len(set(heard)), "announced twice"
    assert {CHINESE[f"doing_{phase}"] for phase in ("distil", "denoise", "save")} <= set(heard)
    assert not any("步" in line and "第" in line for line in heard), "steps are not announced"
    assert "the river flows slowly" in page.inner_text("#aw-placard")
    assert CHINESE["yours"] in page.inner_text("#aw-placard")


def test_the_way_between_languages_keeps_the_settings(visit):
    page = visit("?v=1&p=0.4")
    assert page.evaluate("document.documentElement.lang") == "en"
    page.click("#aw-gallery button >> nth=2")
    page.wait_for_selector("#aw-gallery button:nth-child(3)[aria-pressed=true]")
    page.fill("#aw-prompt textarea", "the boats drift on the water")
    page.locator("#aw-p input[type=number]").fill("0.4")
    page.locator("#aw-p input[type=number]").press("Enter")
    told = page.get_attribute("[data-testid=stage-show-original] img", "src")
    page.click("#aw-languages a >> nth=0")
    page.wait_for_url("**/zh")
    page.wait_for_selector("[data-testid=stage][data-mode=done]")
    page.wait_for_selector("#aw-gallery button:nth-child(3)[aria-pressed=true]")
    assert page.input_value("#aw-prompt textarea") == "the boats drift on the water"
    page.wait_for_function(
        "src => document.querySelector('[data-testid=stage-show-original] img').src.split('file=')[1]"
        " === src.split('file=')[1]",
        arg=told,
    )
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    assert page.title() == CHINESE["title"]
    page.wait_for_function("document.querySelector('#aw-p input[type=number]')?.value === '0.4'")
    page.click("#aw-languages a >> nth=1")
    page.wait_for_url("**/zh-lab")
    page.wait_for_function("document.querySelector('#aw-p input[type=number]')?.value === '0.4'")
    assert page.input_value("#aw-prompt textarea") == "the boats drift on the water"
    page.click("#aw-languages a >> nth=0")
    page.wait_for_url("**/lab")
    page.wait_for_function("document.querySelector('#aw-p input[type=number]')?.value === '0.4'")
    assert page.evaluate("document.documentElement.lang") == "en"


def test_another_language_of_the_browser_is_offered_and_not_forced(visit):
    page = visit("", locale="zh-CN")
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.inner_text("#aw-languages a >> nth=0") == "本页有中文版"
    assert (
        page.locator("footer", has_text="Settings").count() == 1
    )  # Gradio's own words follow the page


def test_errors_from_below_come_in_chinese(visit):
    page = visit()
    page.fill("#aw-prompt textarea", " ")
    page.click("#aw-awaken")
    page.wait_for_selector(".aw-card-bad")
    assert "请用几个词说说" in page.inner_text(".aw-card-bad")
    assert CHINESE["state_failed_kept"] == page.inner_text("#aw-status .aw-line")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_the_chinese_page(visit, theme):
    page = visit(f"zh?__theme={theme}")
    for button in ("#aw-advanced button", "#aw-how button"):
        page.locator(button).first.click()
    page.wait_for_timeout(400)  # fades of the theme are over
    found = Axe().run(page).response["violations"]
    assert not {
        v["id"]: [node["target"] for node in v["nodes"]][:4]
        for v in found
        if v["impact"] in ("serious", "critical")
    }


def test_tab_leads_through_the_page_and_is_always_seen(visit):
    """From the head to the foot without a trap; whatever has the focus shows it."""
    page = visit("")
    page.emulate_media(reduced_motion="reduce")
    seen, ways = [], []
    for _ in range(120):
        page.keyboard.press("Tab")
        where = page.evaluate(
            """() => { const e = document.activeElement; if (e === document.body) return null;
            const part = e.closest("[id^=aw-]"), style = getComputedStyle(e), box = e.getBoundingClientRect();
            const shown = (s) => s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 1;
            const ring = shown(style) || style.boxShadow !== "none"
              || [...(e.parentElement?.children || [])].some((c) => shown(getComputedStyle(c)));
            return [part?.id || e.tagName, e.outerHTML.slice(0, 90), ring, box.width * box.height > 0]; }"""
        )
        if where is None:
            break
        ways.append(where[0])
        seen.append(where)
    assert not [w[:2] for w in seen if not w[2]], "the focus cannot be seen there"
    for part in ("aw-languages", "aw-painting", "aw-gallery", "aw-prompt", "aw-awaken", "aw-stage"):
        assert part in ways, part
    assert ways.index("aw-prompt") < ways.index("aw-awaken") < ways.index("aw-stage")
    assert len(ways) < 120, "a trap"


def test_a_finger_finds_everything_on_a_phone(visit):
    """44 px for all that is pressed or dragged in the controls and on the stage."""
    page = visit("", width=390, height=844)
    small = page.evaluate(
        """() => [...document.querySelectorAll(
             "#aw-rail :is(button, input[type=range], fieldset label), #aw-actions button,"
             + " #aw-languages a, [data-testid=stage] button, button.label-wrap")]
           .filter((e) => e.getClientRects().length && e.checkVisibility({ visibilityProperty: true }))
           .map((e) => [e.closest("[id^=aw-]").id, e.textContent.trim(), e.getBoundingClientRect().height])
           .filter(([, , height]) => height < 43.5)"""
    )
    assert not small


@pytest.mark.parametrize(("path", "part"), (("zh", ".aw-line"), ("present", "main .name")))
def test_the_font_for_chinese_comes_with_the_page(server, open_page, path, part):
    page = open_page(server.url + path)
    page.wait_for_selector(part, state="attached")
    loaded = page.evaluate(
        "async () => (await document.fonts.load('16px \"Awaken SC\"', '画')).map((f) => f.status)"
    )
    assert loaded == ["loaded"]
    family = page.eval_on_selector(part, "part => getComputedStyle(part).fontFamily")
    assert "Awaken SC" in family
