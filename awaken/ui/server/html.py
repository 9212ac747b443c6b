"""The HTML of each page: its language, and the scripts that it was served with."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from awaken.ui.texts.languages import TAGS, language_of

NONCE = "awaken.nonce"  # key of an ASGI scope: what the page's own inline scripts are known by


class PageHtml:
    """Middleware: the HTML of each page names its language, and its inline scripts carry the nonce.

    Gradio serves every page as English and takes its words from the browser's language; a page in
    one language with buttons in another reads badly, and screen readers mispronounce it.
    No value of a visitor is ever in this HTML, and a "<" in Gradio's JSON is escaped: each script
    tag is Gradio's or ours.
    """

    def __init__(self, app: ASGIApp, script: str):
        """script: of ours, which runs before everything else."""
        self.app = app
        self._script = script

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "").removeprefix(scope.get("root_path", "")).strip("/")
        language = language_of(path)
        if scope["type"] != "http" or language is None:
            return await self.app(scope, receive, send)
        start: Message = {}

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            if start:  # the page comes in one piece
                body = self._rewritten(message.get("body", b""), TAGS[language], scope[NONCE])
                headers = [(k, v) for k, v in start["headers"] if k != b"content-length"]
                if not message.get("more_body"):
                    headers.append((b"content-length", str(len(body)).encode()))
                await send(start | {"headers": headers})
                start.clear()
                message = message | {"body": body}
            await send(message)

        await self.app(scope, receive, answer)

    def _rewritten(self, html: bytes, tag: str, nonce: str) -> bytes:
        language = f'Object.defineProperty(navigator, "language", {{ value: "{tag}" }});'
        own = f"<head><script>{language}</script><script>{self._script}</script>"
        html = html.replace(b'lang="en"', f'lang="{tag}"'.encode(), 1)
        html = html.replace(b"<head>", own.encode(), 1)
        return html.replace(b"<script", f'<script nonce="{nonce}"'.encode())
