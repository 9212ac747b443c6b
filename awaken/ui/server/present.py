"""The stage for talks: ``/present`` on the page's server, and ``python app.py --present DIR`` alone.

A static page plays finished films: a wipe between baseline and awakened that sweeps by itself, big
type, the keys of a clicker. It needs no model, no torch, no Gradio and no network. Films come from
bundles (``awaken.bundle``) or folders with a result; without any, from the bundled examples. The
hall can take a link along as a QR code.
Which films they are is in ``awaken.ui.server.slides``.
Every word travels as JSON and is written with textContent; the page's policy forbids all foreign
addresses and all scripts but its own.
"""

from __future__ import annotations

import re
import socket
import sys
import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from awaken.types import RequestError
from awaken.ui import ASSETS
from awaken.ui.server.connections import close_idle
from awaken.ui.server.security import Rules, SecurityMiddleware
from awaken.ui.server.slides import Slide, from_examples, from_folder
from awaken.ui.server.startup import listen

FILES = {  # name under /present/ -> file, type
    "present.js": ("js/present.js", "text/javascript"),
    "decode.js": ("js/stage/decode.js", "text/javascript"),  # the comparator's own
    "wipe.js": ("js/stage/wipe.js", "text/javascript"),
    "fflate.js": ("js/vendor/fflate.js", "text/javascript"),  # for the page's history
    "present.css": ("css/present.css", "text/css"),
    "tokens.css": ("css/tokens.css", "text/css"),
    "fonts.css": ("css/fonts.css", "text/css"),
    "noto-sans-sc.woff2": ("fonts/noto-sans-sc.woff2", "font/woff2"),
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; font-src 'self'; "
    "img-src data:; media-src blob:; base-uri 'none'; form-action 'none'"
)
FIRST_PORT, PORTS = 7860, 100
MAX_LINK = 500  # characters; a longer one has modules too small for the last row

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "baseline": "Baseline",
        "awakened": "Awakened",
        "picture": "{title}: left of the line the baseline, right of it the awakened video",
        "count": "{index} of {count}",
        "previous": "Previous painting",
        "next": "Next painting",
        "play": "Play or pause",
        "blank": "Black screen",
        "timer": "Timer",
        "full_screen": "Full screen",
        "code": "QR code of the link",
        "hint_code": "    Q code",
        "hint": "→ next    ← back    P pause    + − move the line    B black    T timer    F full screen"
        "    ? keys",
        "empty": "There is nothing to show: put bundles into the folder.",
        "trouble": "This film could not be played.",
    },
    "zh": {
        "baseline": "基线",
        "awakened": "唤醒",
        "picture": "{title}：线左为基线，线右为唤醒后的视频",
        "count": "{index} / {count}",
        "previous": "上一幅",
        "next": "下一幅",
        "play": "播放或暂停",
        "blank": "黑屏",
        "timer": "计时",
        "full_screen": "全屏",
        "code": "链接的二维码",
        "hint_code": "    Q 二维码",
        "hint": "→ 下一幅    ← 上一幅    P 暂停    + − 移动分界线    B 黑屏    T 计时    F 全屏    ? 按键",
        "empty": "没有可展示的内容：请把作品包放入文件夹。",
        "trouble": "无法播放这段视频。",
    },
}


def code(link: str) -> str:
    """The QR code of an address as a picture (data URI, SVG, dark on light, with its quiet zone).

    Raises:
        RequestError: when it is no address of the web, or too long.
    """
    import segno

    if not re.fullmatch(r"https?://[^\s]+", link) or len(link) > MAX_LINK:
        raise RequestError(
            f"The link must be one address that begins with https://, of {MAX_LINK} characters at "
            "most."
        )
    return segno.make_qr(link, error="m").svg_data_uri(border=4, light="#fff", dark="#000")


class Programme:
    """The slides of a show. Those of a folder are read again when it has changed; a page that is
    open keeps its own, for a slide's number is never given to another one.
    """

    def __init__(self, slides: list[Slide], folder: str | Path | None = None):
        self.slides = list(slides)
        self._now = list(range(len(slides)))
        self._folder = Path(folder) if folder else None
        self._seen = self._signature()

    def listed(self) -> list[tuple[int, Slide]]:
        """Number and slide of everything that is to be shown now."""
        seen = self._signature()
        if seen != self._seen:
            self._seen = seen
            try:
                slides, _ = from_folder(self._folder)
            except RequestError:  # emptied, or gone: the last show goes on
                slides = None
            if slides:
                self._now = list(range(len(self.slides), len(self.slides) + len(slides)))
                self.slides += slides
        return [(i, self.slides[i]) for i in self._now]

    def _signature(self) -> list[tuple[str, int, int]]:
        if self._folder is None or not self._folder.is_dir():
            return []
        found = []
        for path in self._folder.rglob("*"):
            with suppress(OSError):  # vanished meanwhile
                about = path.lstat()
                found.append((str(path), about.st_mtime_ns, about.st_size))
        return sorted(found)


def routes(programme: Programme, link: str | None = None) -> list[Route]:
    """What the server answers under /present; nothing else of the machine can be reached.

    link: an address for the hall, or None.
    """
    show: dict[str, Any] = {"texts": TEXTS}
    if link:
        show["link"] = {"address": link, "code": code(link)}

    def page(request: Request) -> Response:
        return _answer((ASSETS / "html" / "present.html").read_bytes(), "text/html")

    def part(request: Request) -> Response:
        name = request.path_params["name"]
        if name == "show.json":
            slides = [
                slide.facts | {"film": f"present/film-{i}.mp4"} for i, slide in programme.listed()
            ]
            return JSONResponse(show | {"slides": slides}, headers=_headers())
        if name in FILES:
            path, kind = FILES[name]
            return _answer((ASSETS / path).read_bytes(), kind)
        asked = re.fullmatch(r"film-(\d{1,6})\.mp4", name, re.ASCII)
        if asked and int(asked[1]) < len(programme.slides):
            try:
                return _answer(programme.slides[int(asked[1])].film(), "video/mp4")
            except (RequestError, OSError):  # the file has gone or changed since the start
                pass
        return _answer(b"", "text/plain", 404)

    def home(request: Request) -> Response:
        return RedirectResponse("../present")

    return [
        Route("/present", page),
        Route("/present/", home),
        Route("/present/{name}", part),
    ]


def _headers() -> dict[str, str]:
    return {
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }


def _answer(body: bytes, kind: str, status: int = 200) -> Response:
    return Response(body, status, _headers(), kind)


def mount(app: Starlette, slides: list[Slide] | None = None, link: str | None = None) -> None:
    """Serve /present beside an app's own pages (Gradio's app is one); default: the examples."""
    found = from_examples() if slides is None else slides
    app.router.routes[:0] = routes(
        Programme(found), link
    )  # first: Gradio's own routes would take any name


def alone(
    slides: list[Slide], link: str | None = None, folder: str | Path | None = None
) -> Starlette:
    """An app that serves nothing else; ``folder``: where the slides are from, if anywhere."""
    shown = routes(Programme(slides, folder), link)
    return Starlette(routes=[Route("/", lambda request: RedirectResponse("present")), *shown])


def serve(
    folder: str | None, host: str = "127.0.0.1", port: int | None = None,
    open_browser: bool = False, link: str | None = None,
) -> int:  # fmt: skip
    """Show a folder (None or "": the examples) until interrupted; returns the exit status."""
    import uvicorn

    try:
        rules = Rules.of(host)
        slides, problems = from_folder(folder) if folder else (from_examples(), [])
        stage = alone(slides, link, folder)
    except RequestError as error:
        print(f"awaken: {error}", file=sys.stderr)
        return 2
    for problem in problems:
        print(f"awaken: {problem}", file=sys.stderr)
    try:
        listening = _listen(host, port)
    except OSError as error:
        print(f"awaken: Cannot listen on {host}: {error}.", file=sys.stderr)
        return 2
    address = f"http://{host}:{listening.getsockname()[1]}/present"
    print(f"{len(slides)} paintings on the stage: {address}", flush=True)
    if open_browser:
        webbrowser.open(address)
    app = SecurityMiddleware(stage, rules)
    config = uvicorn.Config(app, log_level="warning", lifespan="off")
    config.load()
    close_idle(config)
    server = uvicorn.Server(config)
    server.run(sockets=[listening])
    return 0


def _listen(host: str, port: int | None) -> socket.socket:
    """A socket on that port, or on the first free one from 7860. Raises OSError."""
    if port is not None:
        return listen(host, port)
    for candidate in range(FIRST_PORT, FIRST_PORT + PORTS):
        try:
            return listen(host, candidate)
        except OSError:  # taken
            continue
    return listen(host, 0)
