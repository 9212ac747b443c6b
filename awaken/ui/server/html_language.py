"""The language that the HTML of each page says it is in."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from awaken.ui.texts.languages import TAGS, language_of


class HtmlLanguage:
    """Middleware: the HTML of each page names its language, and Gradio's own words follow it.

    Gradio serves every page as English and takes its words from the browser's language; a page in
    one language with buttons in another reads badly, and screen readers mispronounce it.
    """

    def __init__(self, app: ASGIApp):
        self.app = app

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
                body = _named(message.get("body", b""), TAGS[language])
                headers = [(k, v) for k, v in start["headers"] if k != b"content-length"]
                if not message.get("more_body"):
                    headers.append((b"content-length", str(len(body)).encode()))
                await send(start | {"headers": headers})
                start.clear()
                message = message | {"body": body}
            await send(message)

        await self.app(scope, receive, answer)


def _named(html: bytes, tag: str) -> bytes:
    own = f'<script>Object.defineProperty(navigator, "language", {{ value: "{tag}" }});</script>'
    html = html.replace(b'lang="en"', f'lang="{tag}"'.encode(), 1)
    return html.replace(b"<head>", b"<head>" + own.encode(), 1)
