"""What a visitor takes home: the answers to the links of ``awaken.ui.run.bundle_links``.

No path of a request ever reaches the disk. A zip is made when somebody first asks for it, one at a
time on a thread of its own; whoever asks for it meanwhile waits for the same one, and holds no
thread. With ``?settings=0`` no setting is in any file, nor in its name.
"""

from __future__ import annotations

import asyncio
import json
import logging
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from gradio.utils import get_upload_folder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from awaken.bundle.reader import Bundle
from awaken.bundle.writer import write_bundle
from awaken.examples import Example, load_index
from awaken.types import RequestError
from awaken.ui.jobs.client import address_of
from awaken.ui.run.bundle_links import MEMBERS, RUN, filename, first_part
from awaken.ui.run.files import disk_words
from awaken.ui.texts import say
from awaken.ui.texts.messages import translate

_NAMES = (
    "painting",
    "proxy",
    "baseline",
    "awakened",
    "side_by_side",
    "stacked",
    "settings",
    "mask",
)
log = logging.getLogger(__name__)

PER_ADDRESS, MAX_MAKING = 8, 32  # zips that wait to be made, of one address and of all
_AGAIN = 30  # s after which somebody may ask again who was turned away


def mount(app: Starlette) -> None:
    """Serve /bundle beside an app's own pages."""
    answer = Maker().answer
    app.router.routes[:0] = [
        Route("/bundle/{name}.zip", answer),
        Route("/bundle/{name}/{member}", answer),
    ]


@dataclass(frozen=True)
class Asked:
    """What a request asks for.

    files: of the finished run, by name; example: whose painting it is, None for a visitor's own.
    target: where its zip is, or will be. member: of the zip, or "bundle.zip" for the whole.
    """

    files: Mapping[str, Path]
    example: Example | None
    target: Path
    member: str
    remember: bool
    filename: str

    @classmethod
    def of(cls, request: Request) -> Self | None:
        """None for whatever is no finished run."""
        name, remember = request.path_params["name"], request.query_params.get("settings") != "0"
        member = request.path_params.get("member", "bundle.zip")
        examples = {example.id: example for example in load_index()}
        suffix = "" if remember else "-bare"
        if name.startswith("example-") and name.removeprefix("example-") in examples:
            example = examples[name.removeprefix("example-")]
            files = example.results
            if files:
                files = files | {"painting": example.path}
            target = _shelf() / f"{example.id}{suffix}.zip"
        elif RUN.fullmatch(name):
            folder = Path(get_upload_folder()) / name
            example = examples.get(request.query_params.get("picture", ""))
            files = {path.stem: path for path in folder.glob("*.*") if path.stem in _NAMES}
            target = folder / f"{example.id if example else 'painting'}{suffix}.zip"
        else:
            return None
        known = member == "bundle.zip" or (
            member in MEMBERS and (remember or member != "settings.json")
        )
        if not known or not {"stacked", "settings"} <= files.keys():
            return None
        seed = _seed(files["settings"]) if remember and not name.startswith("example-") else None
        called = filename(first_part(example.id if example else ""), seed, member)
        return cls(files, example, target, member, remember, called)

    @property
    def as_it_lies(self) -> Path | None:
        """The file of the run that is asked for, where no zip is needed for it."""
        saved = self.files.get(Path(self.member).stem)
        return saved if self.remember and saved and saved.name == self.member else None

    def make(self) -> None:
        """Write the zip. Raises RequestError, OSError."""
        about = _about(self.example) if self.example else None
        write_bundle(self.files, self.target, picture=about, remember_settings=self.remember)

    def read(self) -> bytes:
        """The member, from the zip. Raises RequestError, OSError."""
        with Bundle(self.target) as bundle:
            return bundle.read(self.member)


class Maker:
    """The zips that are being made for one server's visitors."""

    def __init__(self) -> None:
        self._making: dict[Path, tuple[str, asyncio.Task[None]]] = {}
        self._encoding, self._reading = CapacityLimiter(1), CapacityLimiter(2)

    async def answer(self, request: Request) -> Response:
        """The zip or one of its files; 404 for whatever is no finished run, 503 with a time while
        too many are being made."""
        asked = await run_sync(Asked.of, request, limiter=self._reading)
        if asked is None:
            return PlainTextResponse(say("no_bundle"), 404)
        headers = {
            "X-Content-Type-Options": "nosniff",
            # a browser believes this name before the link's own
            "Content-Disposition": f'attachment; filename="{asked.filename}"',
        }
        try:
            if asked.as_it_lies:
                kind = MEMBERS[asked.member]
                return FileResponse(asked.as_it_lies, media_type=kind, headers=headers)
            if not asked.target.is_file():
                making = self._begun(asked, address_of(request.scope)[0])
                if making is None:
                    words = say("bundles_crowded", seconds=_AGAIN)
                    return PlainTextResponse(words, 503, {"Retry-After": str(_AGAIN)})
                await asyncio.shield(making)
            if asked.member == "bundle.zip":
                return FileResponse(asked.target, media_type="application/zip", headers=headers)
            body = await run_sync(asked.read, limiter=self._reading)
            return Response(body, media_type=MEMBERS[asked.member], headers=headers)
        except RequestError as error:
            return PlainTextResponse(translate(error.message), 503)
        except OSError as error:
            log.exception("a bundle could not be made")
            return PlainTextResponse(disk_words(error) or say("internal"), 503)

    def _begun(self, asked: Asked, address: str) -> asyncio.Task[None] | None:
        """The making of a zip, begun or joined; None while there is no room for one more."""
        if asked.target in self._making:
            return self._making[asked.target][1]
        own = sum(address == other for other, _ in self._making.values())
        if own >= PER_ADDRESS or len(self._making) >= MAX_MAKING:
            return None

        async def make() -> None:
            try:
                await run_sync(asked.make, limiter=self._encoding)
            finally:
                del self._making[asked.target]

        making = asyncio.create_task(make())
        making.add_done_callback(lambda task: task.cancelled() or task.exception())  # has been seen
        self._making[asked.target] = address, making
        return making


@cache
def _shelf() -> Path:
    """Where this process keeps the examples' bundles; an earlier one's may be of another make."""
    return Path(tempfile.mkdtemp(prefix="bundles-", dir=get_upload_folder()))


def _seed(settings: Path) -> int | None:
    seed = json.loads(settings.read_text("utf-8")).get("seed")
    return seed if isinstance(seed, int) else None


def _about(example: Example) -> dict[str, str]:
    return {
        "title": example.title,
        "byline": ", ".join(part for part in (example.artist, example.year) if part),
        "credit": example.source,
        "licence": example.licence,
    }
