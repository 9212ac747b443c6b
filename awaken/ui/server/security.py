"""What may reach the server: under which name, from which page, how large; and what answers carry.

One layer around every route, Gradio's own and ours, so that no route can be forgotten:

- a server that listens on this machine alone answers only to this machine's names: a page whose own
  name was pointed at 127.0.0.1 (DNS rebinding) is another name;
- a browser may not ask on behalf of another page, not even blindly (cross-site forms and uploads);
- with ``AWAKEN_AUTH=user:password`` everything asks for that (HTTP Basic), and guessing is slow;
- nobody sends more than a picture needs, and only what is known to be needed can be asked for;
- every answer forbids foreign hosts (Content-Security-Policy), guessed types and chatty referrers, and
  whatever is not the page itself may run no script.

Nothing here knows Gradio: the stage for talks uses it too.
"""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import logging
import os
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from starlette._utils import get_route_path
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from awaken.types import RequestError
from awaken.ui.jobs.client import address_of
from awaken.ui.server.guesses import Guesses
from awaken.ui.server.html import NONCE

log = logging.getLogger(__name__)

OPEN = ("/gradio_api/startup-events",)  # Gradio asks itself for it while it starts
BODY_SECONDS = 30.0  # of silence before the end of a request
MAX_BODY = 32 << 20  # bytes of a request: a picture of 20 MB as base64, and its settings
_SELF = "default-src 'self'; base-uri 'self'; object-src 'none'; form-action 'self'"
# Gradio evaluates templates and writes inline styles; films and previews are blobs. Of inline scripts
# those run that the page was served with (awaken.ui.server.html).
_PAGE = (
    f"{_SELF}; script-src 'self' 'nonce-{{nonce}}' 'unsafe-eval'; worker-src 'self' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' data: blob:; "
    "font-src 'self' data:"
)
_HOME = "'self'", "'self' data: blob:"  # who may show the page in a frame, and whom it may ask
# In a Space the page stands in a frame of huggingface.co and asks it about the visitor's GPU quota.
_SPACE = (
    "'self' https://huggingface.co https://*.huggingface.co https://*.hf.space",
    "'self' data: blob: https://huggingface.co https://*.hf.space",
)
# What is no page of ours is shown, if at all, without scripts and as of no origin.
SANDBOX = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"
# Of every answer, whatever it is.
ALWAYS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
_BROKEN = "Something went wrong here; whoever runs this page finds more in its log.\n"
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
    """ASGI layer that applies ``Rules``. Refusals are one plain sentence for whoever runs the server.

    is_open: says of a method and a path whether anything may be asked for there.
    pages: paths of the HTML in which scripts may run; every other answer is shut into a sandbox,
    unless it brings a policy of its own.
    """

    def __init__(
        self,
        app: ASGIApp,
        rules: Rules,
        is_open: Callable[[str, str], bool] = lambda method, path: True,
        pages: Collection[str] = (),
    ):
        self._app = app
        self._rules = rules
        self._is_open = is_open
        self._pages = pages
        self._frames, asked = _SPACE if rules.space else _HOME
        self._policy = f"{_PAGE}; connect-src {asked}"
        self._login = b"Basic " + base64.b64encode(rules.login.encode())
        self._guesses = Guesses()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return  # no page of ours speaks through a web socket
        path = get_route_path(scope)
        nonce = scope[NONCE] = secrets.token_urlsafe(18)
        begun = ended = entered = False
        cookies = Headers(scope=scope).get("cookie", "")

        async def with_headers(message: Message) -> None:
            nonlocal begun, ended
            ended = message["type"] == "http.response.body" and not message.get("more_body")
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                is_page = headers.get("content-type", "").startswith("text/html")
                policy = self._policy if is_page and path in self._pages else SANDBOX
                for name, value in ALWAYS.items():
                    headers.setdefault(name, value)
                policy = headers.get("Content-Security-Policy", policy.format(nonce=nonce))
                headers["Content-Security-Policy"] = f"{policy}; frame-ancestors {self._frames}"
                if entered and (proof := self._guesses.proof(cookies)):
                    headers.append("Set-Cookie", proof)
                if not self._rules.space:
                    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
            await send(message)

        left, whole = MAX_BODY, False

        async def limited() -> Message:
            nonlocal left, whole
            try:
                message = await asyncio.wait_for(receive(), None if whole else BODY_SECONDS)
            except TimeoutError:
                raise HTTPException(408, "The request did not arrive.\n") from None
            whole = not message.get("more_body")
            left -= len(message.get("body", b""))
            if left < 0:  # sent in pieces, without saying how much it would be
                raise HTTPException(413, _TOO_LARGE)
            return message

        answer = await self._refusal(scope, path) or self._app
        entered = bool(self._rules.login) and answer is self._app and path not in OPEN
        try:
            await answer(scope, limited, with_headers)
        except Exception:
            if begun and not ended:  # nothing can be said any more but that it ends here
                raise
            log.exception("a request could not be answered")
            if not begun:
                await PlainTextResponse(_BROKEN, 500)(scope, receive, with_headers)

    async def _refusal(self, scope: Scope, path: str) -> PlainTextResponse | None:
        rules, headers = self._rules, Headers(scope=scope)
        host = headers.get("host", "")
        if rules.local and not rules.space and not self._is_own_name(host):
            return PlainTextResponse(
                "This page answers only to the names of this machine. Whoever runs it under another "
                "name sets AWAKEN_HOSTS to that name.\n", 421,
            )  # fmt: skip
        if not rules.space and self._is_cross_origin(headers, host):
            return PlainTextResponse("Other pages may not use this one.\n", 403)
        if rules.login and path not in OPEN and (refusal := await self._stranger(scope, headers)):
            return refusal
        if int(headers.get("content-length", "0")) > MAX_BODY:  # the server has checked its form
            return PlainTextResponse(_TOO_LARGE, 413)
        if not self._is_open(scope["method"], path):
            return PlainTextResponse("There is nothing here.\n", 404)
        return None

    async def _stranger(self, scope: Scope, headers: Headers) -> PlainTextResponse | None:
        """The refusal of a request without the right password."""
        client, given = address_of(scope), headers.get("authorization", "").encode("latin-1")
        if given and self._guesses.too_many(client, headers.get("cookie", "")):
            words = "Many wrong passwords come from your address. Try again in a second.\n"
            return PlainTextResponse(words, 429, {"Retry-After": "1"})
        if secrets.compare_digest(given, self._login):
            return None
        if given:
            await self._guesses.wrong(client)
        return PlainTextResponse(
            "Name and password, please.\n", 401,
            {"WWW-Authenticate": 'Basic realm="Every Painting Awakened", charset="UTF-8"'},
        )  # fmt: skip

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
