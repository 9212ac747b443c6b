"""The whole page over one engine, once in every language."""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr

from awaken.ui.api import endpoints
from awaken.ui.controls.gallery import Bundled
from awaken.ui.jobs.manager import MAX_WAITING
from awaken.ui.page import handlers, lab_page, layout
from awaken.ui.page.language_switch import keep_language
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.run.file_guard import FileGuardBlocks
from awaken.ui.texts import languages
from awaken.ui.texts.page_en import ENGLISH


def build(holder: EngineHolder, bundled: Sequence[Bundled]) -> gr.Blocks:
    """The page, and the endpoints for programs; ``bundled`` may be empty."""
    with FileGuardBlocks(
        title=ENGLISH["title"], analytics_enabled=False, delete_cache=(600, 86400), fill_width=True
    ) as demo:
        _page(demo, "en", holder, bundled)
        endpoints.add(holder)
    with demo.route(languages.NAMES["zh"], languages.PATHS["zh"], show_in_navbar=False):
        _page(demo, "zh", holder, bundled)
    for language, path in languages.LABORATORIES.items():
        with demo.route(path, path, show_in_navbar=False), languages.use_language(language):
            lab_page.wire(demo, holder, lab_page.draw(holder, bundled), bundled)
    keep_language(demo)
    return demo.queue(max_size=MAX_WAITING, default_concurrency_limit=1, api_open=False)


def _page(demo: gr.Blocks, language: str, holder: EngineHolder, bundled: Sequence[Bundled]) -> None:
    with languages.use_language(language):
        handlers.wire(demo, holder, layout.draw(holder, bundled), bundled)
