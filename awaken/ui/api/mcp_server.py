"""The page as a tool for language models: an MCP server at /gradio_api/mcp (streamable HTTP).

Four tools, the same as the page's public endpoints. Gradio can make such a server of its endpoints,
but hands calls to a client of its own inside the server, which uploads any file of the machine that
a call names, and lets a run go on when its caller has gone. Here a call is a job in the page's own queue:

- a picture arrives as a data URI or as an upload to this server; no address is ever fetched and no
  other path is ever opened;
- every step is told to a caller who wants progress;
- a caller who cancels or hangs up ends its run within one step.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any
from urllib.parse import quote

import anyio
import gradio as gr
import numpy as np
from anyio.to_thread import run_sync
from gradio.route_utils import get_root_url
from mcp import types as mcp
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from PIL import Image
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from awaken import __version__
from awaken.preview import data_uri
from awaken.types import AwakenError, RequestError
from awaken.ui.api import catalogue
from awaken.ui.api.calls import Made, called, finished
from awaken.ui.api.mcp_sessions import MAX_SESSIONS, SESSION, Sessions
from awaken.ui.jobs.client import address_of
from awaken.ui.run import file_guard, status
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.run.requests import BACKEND
from awaken.ui.texts import say
from awaken.ui.texts.messages import translate

log = logging.getLogger(__name__)

PATH = "/gradio_api/mcp"
IDLE = 1800.0  # seconds after which a silent conversation is forgotten
LOOK = 512  # px of the longer side of the pictures that a model looks at
ABOUT = (
    "Every Painting Awakened turns a painting and a sentence into a short video, with and without "
    "the paper's training-free method. Call models first: it says which models run here."
)
_PICTURE = (
    "A picture: a data URI (data:image/png;base64,...; JPEG, PNG, WebP, GIF or TIFF, at most 20 MB, "
    "sides from 32 pixels, no longer than 4.5:1), or the path that POST /gradio_api/upload of this "
    "server answered. Web addresses are not fetched."
)
_FILES = {  # of a finished run, in the order of the answer
    "awakened": ("The video made with the method", "video/mp4"),
    "baseline": ("The video without it", "video/mp4"),
    "side_by_side": ("Both, baseline on the left", "video/mp4"),
    "proxy": ("The proxy image", "image/png"),
    "settings": ("All settings and timings", "application/json"),
}
_GONE = "awaken.gone"  # key of an ASGI scope: the event that its caller has hung up


class McpServer:
    """The MCP server over one holder: an ASGI app, with a lifespan to run it in."""

    def __init__(self, holder: EngineHolder, max_body: int):
        """``max_body``: bytes of the largest request."""
        self._holder = holder
        self._server: Server = Server("every-painting-awakened", __version__, ABOUT)
        self._server.list_tools()(self._list)
        self._server.call_tool()(self._call)
        self._manager = StreamableHTTPSessionManager(
            self._server, session_idle_timeout=IDLE, max_sessions=2 * MAX_SESSIONS,
            max_request_body_size=max_body,
        )  # fmt: skip
        self._sessions = Sessions(self._manager.handle_request)

    @asynccontextmanager
    async def lifespan(self, app: Any) -> AsyncIterator[None]:
        """For the app that serves it."""
        async with self._manager.run():
            yield

    def mount(self, app: Starlette) -> None:
        """Serve ``PATH`` beside an app's own pages."""
        app.router.routes[:0] = [Route(path, self) for path in (PATH, f"{PATH}/")]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gone = scope[_GONE] = anyio.Event()

        async def watched() -> Message:
            message = await receive()
            if message["type"] == "http.disconnect":
                gone.set()
            return message

        await self._sessions(scope, watched, send)

    async def _list(self) -> list[mcp.Tool]:
        return [
            mcp.Tool(
                name=name, description=words, inputSchema=schema,
                annotations=mcp.ToolAnnotations(readOnlyHint=True, openWorldHint=False),
            )
            for name, (words, schema) in described().items()
        ]  # fmt: skip

    async def _call(self, name: str, arguments: dict[str, Any]) -> Any:
        """Answers, or raises what the caller is told."""
        if name == "models":
            return await run_sync(catalogue.models)
        if name == "settings_schema":
            return catalogue.settings_schema()
        if name not in ("animate", "proxy"):
            raise RequestError(f"There is no tool called {name!r}; call list_tools.")
        try:
            return await self._run(name, arguments)
        except (AwakenError, gr.Error) as error:
            raise RequestError(translate(error.message)) from None
        except Exception:
            log.exception("a call of the tool %s failed", name)
            raise RequestError(say("internal")) from None

    async def _run(self, name: str, arguments: dict[str, Any]) -> list[mcp.ContentBlock]:
        """A job among the visitors' own; leaving it ends it."""
        values = await run_sync(_values, name, arguments)
        context = self._server.request_context
        client = (*address_of(context.request.scope), context.request.headers.get(SESSION, ""))
        job = await run_sync(called, self._holder, values, name == "proxy", client)
        token = context.meta.progressToken if context.meta else None
        now = status.waiting(behind=True)
        async with aclosing(self._holder.jobs.watch(job)) as updates:
            async for update in updates:
                if context.request.scope[_GONE].is_set():  # nobody would read the answer
                    raise RequestError("The caller has gone.")
                if not update.live:
                    return self._answer(finished(update))
                if update.state == "waiting":
                    now = status.queued(update.ahead, update.wait)
                elif update.news and update.moment is not None:
                    now = status.after(now, update.moment)
                if token is not None:
                    await context.session.send_progress_notification(
                        token, now.share, 1.0, f"{now.line} {now.detail}".strip(),
                        related_request_id=str(context.request_id),
                    )  # fmt: skip
        raise RuntimeError("the job ended without a word")

    def _answer(self, made: Made) -> list[mcp.ContentBlock]:
        """The settings that were used, what to know of the run, links to the files, and the proxy."""
        root = get_root_url(self._server.request_context.request, PATH, None)
        links = [
            mcp.ResourceLink(
                type="resource_link", name=made.files[name].name, description=words, mimeType=kind,
                uri=f"{root}/gradio_api/file={quote(str(made.files[name]))}",
            )
            for name, (words, kind) in _FILES.items() if name in made.files
        ]  # fmt: skip
        told = [json.dumps(dict(made.settings))] if made.settings else []
        told += [f"Note: {notice}" for notice in made.settings.get("notices", ())]
        texts = [mcp.TextContent(type="text", text=words) for words in told]
        seen = mcp.ImageContent(type="image", data=_small(made.proxy), mimeType="image/jpeg")
        return [*texts, *links, seen]


def described() -> dict[str, tuple[str, dict[str, Any]]]:
    """Name -> (what the tool does, the JSON schema of its arguments)."""
    settings = catalogue.settings_schema()["properties"]
    pictures = {"painting": {"type": "string", "description": f"What comes alive. {_PICTURE}"}}
    more = {
        "proxy_image": {"type": "string", "description": f"For the proxy 'upload'. {_PICTURE}"},
        "mask": {
            "type": "string",
            "description": f"White where motion is allowed, for models that take one. {_PICTURE}",
        },
    }
    few = {name: settings[name] for name in ("prompt", "proxy", "proxy_strength", "seed")}
    return {
        "animate": (
            "Animate a painting. Returns links to five files (awakened, baseline and side-by-side "
            "mp4, proxy png, settings json), the proxy image to look at, and the settings used. "
            "Takes seconds with the miniature, minutes with larger models; asks for progress are "
            "answered at every step, and cancelling stops the work.",
            _schema(pictures | settings | more, ["painting", "prompt"]),
        ),
        "proxy": (
            "Make only the proxy image of a painting: the painting repainted by an image model "
            "with the same prompt. Returns a link to the png and the image to look at.",
            _schema(pictures | few, ["painting", "prompt"]),
        ),
        "models": (" ".join((catalogue.models.__doc__ or "").split()), _schema({}, [])),
        "settings_schema": (
            " ".join((catalogue.settings_schema.__doc__ or "").split()), _schema({}, []),
        ),
    }  # fmt: skip


def _schema(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    """Without defaults of null: a value that is left out is the model's own."""
    plain = {
        name: {k: v for k, v in kind.items() if (k, v) != ("default", None)}
        for name, kind in properties.items()
    }
    return {
        "type": "object", "properties": plain, "required": required, "additionalProperties": False,
    }  # fmt: skip


def _values(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as ``requests.make_request`` takes them. Raises RequestError, gr.Error."""
    values = {"painting": None, "prompt": ""} | dict(arguments)
    for picture in ("painting", "proxy_image", "mask"):
        if values.get(picture) is not None:
            values[picture] = file_guard.picture_file(values[picture])
    return {"backend": BACKEND} | values if name == "proxy" else values


def _small(picture: np.ndarray) -> str:
    image = Image.fromarray(picture)
    image.thumbnail((LOOK, LOOK), Image.Resampling.LANCZOS)
    return data_uri(image, quality=85).partition(",")[2]
