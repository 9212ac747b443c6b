"""Making the page and serving it, with launch settings that keep everything else of the machine shut."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import gradio as gr
from huggingface_hub.constants import HF_HOME
from starlette.middleware import Middleware

from awaken import space
from awaken.ui import EXAMPLES
from awaken.ui.api.mcp_server import McpServer
from awaken.ui.controls import gallery
from awaken.ui.jobs.manager import MAX_WAITING
from awaken.ui.page import theme
from awaken.ui.page.build import build
from awaken.ui.page.handlers import MAX_FILE_SIZE
from awaken.ui.run import links
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.server import bundles, doors, file_cleanup, present, visitor_files
from awaken.ui.server.connections import close_idle
from awaken.ui.server.html import PageHtml
from awaken.ui.server.security import MAX_BODY, Rules, SecurityMiddleware
from awaken.ui.server.shares import Shares, disk_refuses

MAX_WATCHING = 2 * MAX_WAITING  # events that Gradio keeps open at once: every waiting visitor's


def make_page(holder: EngineHolder | None = None) -> tuple[gr.Blocks, EngineHolder]:
    """The page with the bundled pictures, over ``holder`` or an engine of its own."""
    file_cleanup.visitors_folder()  # before any part asks where files go
    gr.set_static_paths(EXAMPLES)  # served where they lie; everybody may see them
    holder = holder or EngineHolder()
    return build(holder, gallery.load()), holder


def launch(
    demo: gr.Blocks,
    holder: EngineHolder,
    host: str = "127.0.0.1",
    port: int | None = None,
    open_browser: bool = False,
) -> str:
    """Start the server and return its address; the caller decides how long it lives.

    No tunnel, no other origins, no server-side rendering, no error texts but our own sentences.
    The page's outputs lie in Gradio's cache; nothing else of this machine can be read through it.
    Raises RequestError when the environment cannot be used.
    """
    # On ZeroGPU a GPU is lent to a visitor's own event, which a tool's call is not.
    tools = None if space.on_zero_gpu() else McpServer(holder, MAX_BODY)
    rules, room = Rules.of(host), file_cleanup.Room()
    stage = present.routes(present.Programme(present.from_examples()), links.space_page())

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        """Before the first request: our routes before Gradio's, the border around them all."""
        app.router.routes[:0] = stage
        bundles.mount(app)
        visitor_files.mount(app)
        if tools:
            tools.mount(app)
        inside = Shares(holder.jobs.streams.watched(app.middleware_stack), room)
        app.middleware_stack = SecurityMiddleware(inside, rules, doors.is_open, doors.PAGES)
        async with file_cleanup.running(room), tools.lifespan(app) if tools else nullcontext():
            yield

    _, address, _ = demo.launch(
        server_name=host,
        server_port=port,
        inbrowser=open_browser,
        prevent_thread_lock=True,
        share=False,
        show_error=False,
        strict_cors=True,
        ssr_mode=False,
        enable_monitoring=False,
        max_threads=MAX_WATCHING,
        max_file_size=MAX_FILE_SIZE.replace(" ", "").lower(),
        allowed_paths=[],
        blocked_paths=[HF_HOME],
        state_session_capacity=1000,
        run_history=False,
        footer_links=["api", "settings"],
        theme=theme.theme(),
        head=theme.head(),
        app_kwargs={
            "exception_handlers": {OSError: disk_refuses},
            "middleware": [Middleware(PageHtml, script=theme.script())],
            "lifespan": lifespan,
        },
        mcp_server=False,
    )
    close_idle(demo.server.config)
    return address
