"""Our own parts of the page, and those that show a run: status strip, placard, figures.

Each is a ``gr.HTML`` with a constant template and a script of its own (assets/js). Data reach the
script as ``props.value`` and the page as textContent: Gradio evaluates what a template contains, so
a template never holds a blank to fill in (a test looks for them).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import gradio as gr

from awaken.ui import ASSETS
from awaken.ui.texts import say


def part(name: str, template: str, value: Any, **props: Any) -> gr.HTML:
    """A component with this constant template and the script assets/js/<name>.js."""
    return gr.HTML(
        value,
        html_template=template,
        js_on_load=(ASSETS / "js" / f"{name}.js").read_text(encoding="utf-8"),
        elem_classes=["aw-part"],
        apply_default_css=False,
        **{"elem_id": f"aw-{name}"} | props,
    )


def status_strip(value: Mapping[str, Any]) -> gr.HTML:
    """Phase ladder, progress, time left and cards; value as ``awaken.ui.run.status`` builds it.

    Its ``select`` event carries the ``action`` of a pressed card button.
    """
    return part(
        "status",
        '<ol class="aw-phases" aria-label="' + say("phases") + '"></ol>'
        '<div class="aw-bar" role="progressbar" aria-label="' + say("progress") + '" '
        'aria-valuemin="0" aria-valuemax="100"><i></i></div>'
        '<div class="aw-says"><p class="aw-line" role="status"></p><p class="aw-detail"></p></div>'
        '<div class="aw-cards" aria-live="polite"></div>',
        dict(value),
        words={
            "lost": say("connection_lost"),
            "opening": say("opening"),
            "idle": say("state_idle"),
        },
    )


def placard(value: Mapping[str, Any] | None) -> gr.HTML:
    """The museum label under the stage: one line with what is taken home; facts behind Details."""
    return part(
        "placard",
        '<div class="aw-placard"><div class="aw-placard-line"><div class="aw-placard-head">'
        '<span class="aw-tag"></span><h2></h2><span class="aw-byline"></span>'
        '<span class="aw-said"></span></div><div class="aw-files"></div></div>'
        '<p class="aw-remark"></p>'
        '<div class="aw-shared" hidden><input type="text" readonly><span role="status"></span></div>'
        '<details class="aw-others"><summary></summary><div class="aw-files"></div>'
        '<label class="aw-keep"><input type="checkbox" checked><span></span></label></details>'
        '<details class="aw-details"><summary></summary><dl class="aw-facts"></dl></details></div>',
        dict(value) if value else None,
        words={
            "more": say("more_files"),
            "details": say("details"),
            "share": say("share"),
            "copied": say("share_copied"),
            "copy": say("share_copy"),
            "source": say("credit_source"),
            "keep": say("keep_settings"),
            "keep_info": say("keep_settings_info"),
        },
    )


def event_data(event: gr.EventData, name: str) -> str:
    """One word of what a part's event carries, or ""; it comes from the browser."""
    data = event._data
    return str(data.get(name, "")) if isinstance(data, dict) else ""


def figure(name: str, template: str, value: Mapping[str, Any], words: Mapping[str, str]) -> gr.HTML:
    """A display of the laboratory: data and words reach its script, never the constant template."""
    script = (ASSETS / "js" / "laboratory" / f"{name}.js").read_text("utf-8")
    return gr.HTML(
        dict(value),
        html_template=template,
        js_on_load=f"const words = {json.dumps(words)};\n{script}",
        apply_default_css=False,
        elem_id=f"aw-{name}",
        elem_classes=["aw-part"],
    )
