"""What may reach the server: under which name, from which page, how large; and what answers carry.

One layer around every route, Gradio's own and ours, so that no route can be forgotten:

- a server that listens on this machine alone answers only to this machine's names: a page whose own
  name was pointed at 127.0.0.1 (DNS rebinding) is another name;
- a browser may not ask on behalf of another page, not even blindly (cross-site forms and uploads);
- with ``AWAKEN_AUTH=user:password`` everything asks for that (HTTP Basic);
- nobody sends more than a picture needs, and the routes of Gradio that the page never uses are shut;
- every answer forbids foreign hosts (Content-Security-Policy), guessed types and chatty referrers.

Nothing here knows Gradio: the stage for talks uses it too.
"""

from __future__ import annotations

import base64
import ipaddress
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from awaken.types import RequestError

OPEN = ("/gradio_api/startup-events",)  # Gradio asks itself for it while it starts
SHUT = (
    tuple(  # they run ffmpeg on anything, keep sessions on disk, write code, fetch addresses, ...
        f"{root}/{name}"
        for root in ("", "/gradio_api")
        for name in (
            "process_recording",
            "vibe-",
            "undo-vibe-",
            "deep_link",
            "proxy=",
            "monitoring",
        )
    )
)
MAX_BODY = 32 << 20  # bytes of a request: a picture of 20 MB as base64, and its settings
_SELF = "default-src 'self'; base-uri 'self'; object-src 'none'; form-action 'self'"
# Gradio evaluates templates and writes inline scripts and styles; films and previews are blobs.
_PAGE = (
    f"{_SELF}; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; worker-src 'self' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' data: blob:; "
    "font-src 'self' data:"
)
_HOME = "; connect-src 'self' data: blob:; frame-ancestors 'self'"
# In a Space the page stands in a frame of huggingface.co and asks it about the visitor's GPU quota.
_SPACE = (
    "; connect-src 'self' data: blob: https://huggingface.co https://*.hf.space"
    "; frame-ancestors 'self' https://huggingface.co https://*.huggingface.co https://*.hf.space"
)
_TOO_LARGE = f"That is too large: a request has at most {MAX_BODY >> 20} MB.\n"


@dataclass(frozen=True)
class Rules:
    """What is let through.

    Attributes:
        local: the server listens on this machine alone; only its names are answered.
        names: further names of the server (``AWAKEN_HOSTS``), as a proxy in front of it has them.
        space: a public Hugging Face Space: everybody may embed it and ask it from anywhere.
        login: "user:password", or "" when nobody is asked.
    """

    local: bool = True
    names: frozenset[str] = frozenset()
    space: bool = False
    login: str = ""

    @classmethod
    def of(cls, host: str, environment: Mapping[str, str] = os.environ) -> Self:
        """For a server that listens on ``host``. Raises RequestError for an unusable AWAKEN_AUTH."""
        login = environment.get("AWAKEN_AUTH", "")
        user, colon, password = login.partition(":")
        if login and not (user and colon and password):
            raise RequestError("AWAKEN_AUTH must be user:password, for example guest:sunflowers.")
        names = environment.get("AWAKEN_HOSTS", "").lower().replace(",", " ").split()
        return cls(_is_loopback(host), frozenset(names), bool(environment.get("SPACE_ID")), login)


class SecurityMiddleware:
    """ASGI layer that applies ``Rules``. Refusals are one plain sentence for whoever runs the server."""

    def __init__(self, app: ASGIApp, rules: Rules):
        self._app = app
        self._rules = rules
        self._policy = _PAGE + (_SPACE if rules.space else _HOME)
        self._login = b"Basic " + base64.b64encode(rules.login.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "same-origin")
                headers.setdefault("Content-Security-Policy", self._policy)
            await send(message)

        left = MAX_BODY

        async def limited() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:  # sent in pieces, without saying how much it would be
                raise HTTPException(413, _TOO_LARGE)
            return message

        answer = self._refusal(scope["path"], Headers(scope=scope)) or self._app
        await answer(scope, limited, with_headers)

    def _refusal(self, path: str, headers: Headers) -> PlainTextResponse | None:
        rules, host = self._rules, headers.get("host", "")
        if rules.local and not rules.space and not self._is_own_name(host):
            return PlainTextResponse(
                "This page answers only to the names of this machine. Whoever runs it under another "
                "name sets AWAKEN_HOSTS to that name.\n", 421,
            )  # fmt: skip
        if not rules.space and self._is_cross_origin(headers, host):
            return PlainTextResponse("Other pages may not use this one.\n", 403)
        if path.startswith(SHUT):
            return PlainTextResponse("There is nothing here.\n", 404)
        if int(headers.get("content-length", "0")) > MAX_BODY:  # the server has checked its form
            return PlainTextResponse(_TOO_LARGE, 413)
        given = headers.get("authorization", "").encode("latin-1")
        if rules.login and path not in OPEN and not secrets.compare_digest(given, self._login):
            return PlainTextResponse(
                "Name and password, please.\n", 401,
                {"WWW-Authenticate": 'Basic realm="Every Painting Awakened", charset="UTF-8"'},
            )  # fmt: skip
        return None

    def _is_own_name(self, host: str) -> bool:
        name = _name(f"//{host}")
        return _is_loopback(name) or name in self._rules.names

    def _is_cross_origin(self, headers: Headers, host: str) -> bool:
        """Whether a browser asks for a page of another origin. Programs send no Origin."""
        origin = headers.get("origin")
        if origin is None or headers.get("sec-fetch-site") == "same-origin":
            return False  # no page can forge the latter
        here = (host, headers.get("x-forwarded-host", host))
        return urlsplit(origin).netloc not in here and _name(origin) not in self._rules.names


def _name(address: str) -> str:
    """The host name of an address, or "" where there is none."""
    try:
        return (urlsplit(address).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
