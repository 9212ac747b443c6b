"""What the page's server may be asked for. Whatever is not listed here has nothing behind it.

Gradio brings many more routes than a page needs: some fetch addresses, run ffmpeg on anything, write
code, keep sessions on disk. So a request passes because its path is one of these, never because it
is none of some others. Paths are as the routes see them: decoded once.
"""

from __future__ import annotations

import re

from awaken.ui.texts.languages import LABORATORIES, PATHS

_NAME = r"[A-Za-z0-9_-]{1,64}"
_FILE = rf"(?:{_NAME}/)*(?!\.)[A-Za-z0-9_@.~+-]{{1,128}}"  # no part begins with a dot
# the HTML in which our scripts may run
PAGES = frozenset(f"/{path}" for path in (*PATHS.values(), *LABORATORIES.values()))
_LOOK = (
    *(f"{re.escape(page)}/?" for page in PAGES if page != "/"),
    "/",
    "/config/?",
    "/theme.css",
    "/favicon.ico",
    "/robots.txt",
    "/manifest.json",
    "/pwa_icon(?:/[0-9]{1,4})?",
    f"/(?:static|assets|svelte)/{_FILE}",
    f"/present(?:/(?:{_FILE})?)?",
    f"/bundle/{_NAME}(?:\\.zip|/{_FILE})",
    "/gradio_api/(?:theme.css|info/?|openapi.json|startup-events|app_id/?|upload_progress)",
    f"/gradio_api/(?:queue/data|queue/status|heartbeat/{_NAME})",
    f"/gradio_api/call/(?:v2/)?{_NAME}/{_NAME}",
    "/gradio_api/file=.+",  # awaken.ui.server.visitor_files says which
    "/gradio_api/mcp/?",
)
_ACT = (
    "/gradio_api/(?:upload|queue/join|cancel|reset/?|mcp/?)",
    f"/gradio_api/call/(?:v2/)?{_NAME}/?",
    f"/gradio_api/(?:run|api)/{_NAME}/?",
)
_OPEN = {
    "GET": re.compile("|".join(_LOOK), re.ASCII),
    "POST": re.compile("|".join(_ACT), re.ASCII),
    "DELETE": re.compile("/gradio_api/mcp/?"),
}
_OPEN["HEAD"] = _OPEN["GET"]


def is_open(method: str, path: str) -> bool:
    """Whether this may be asked for. CORS preflights (OPTIONS) are answered for whatever may be."""
    if method == "OPTIONS":
        return any(door.fullmatch(path) for door in _OPEN.values())
    return method in _OPEN and _OPEN[method].fullmatch(path) is not None
