"""One press of *Awaken*, from the page's values to what the page shows; and the engine behind it.

Everything of a visitor lives in the generator's locals or in the ``gr.State`` that the page hands
in and out. Each run writes into its own folder of unguessable name below Gradio's cache, which
Gradio empties; the links are secret, not private.
"""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradio.utils import get_upload_folder
from PIL import Image

from awaken import hub, types
from awaken.backends import BACKENDS
from awaken.painting import open_mask, open_painting
from awaken.preview import atlas
from awaken.proxies import PROXIES
from awaken.space import on_zero_gpu
from awaken.types import AwakenError, ModelError, Request, RequestError
from awaken.ui import reading, results, stage, status
from awaken.ui.jobs import JobManager
from awaken.ui.status import Status
from awaken.ui.texts import say

if TYPE_CHECKING:
    import numpy as np

    from awaken.engine import Engine

log = logging.getLogger(__name__)

_GLANCE = 0.25  # s between two looks whether the engine has been made
READERS = ("backend", "proxy")  # who reads the prompt


def make_engine() -> Engine:
    """Import torch, make the engine and its default models resident: seconds, not milliseconds."""
    from awaken.space import Driver

    engine = Driver()
    engine.load()
    return engine


class Workshop:
    """The one engine behind all visitors, made in the background once the page is up.

    ``jobs`` is the queue in which everything that needs the engine takes its turn.
    """

    def __init__(
        self, make: Callable[[], Engine] = make_engine, jobs: JobManager | None = None
    ):
        self.jobs = jobs or JobManager(inline=on_zero_gpu())
        self._make = make
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._engine: Engine | None = None
        self._error: Exception | None = None
        self.busy = 0  # runs that have begun and not ended

    def warm_up(self) -> None:
        """Begin making the engine, unless that is done or under way; after a failure, try again."""
        with self._lock:
            if self._engine is None and (self._thread is None or not self._thread.is_alive()):
                self._error = None
                self._thread = threading.Thread(target=self._build, name="warm-up", daemon=True)
                self._thread.start()

    def _build(self) -> None:
        try:
            self._engine = self._make()
        except Exception as error:  # whatever it is, a visitor gets a sentence and the log the rest
            log.exception("the engine could not be made")
            self._error = error

    def wait(self, seconds: float) -> bool:
        """Wait at most so long; True when the engine is ready or could not be made."""
        self.warm_up()
        thread = self._thread
        if thread is not None:
            thread.join(seconds)
        return not self.starting

    @property
    def starting(self) -> bool:
        """Whether the engine is still to come: neither made nor failed."""
        return self._engine is None and self._error is None

    async def started(self, seconds: float = math.inf) -> None:
        """Look every now and then, at most so long, whether it is no longer ``starting``."""
        deadline = time.monotonic() + seconds
        while self.starting and time.monotonic() < deadline:
            await asyncio.sleep(_GLANCE)

    def ready(self) -> Engine | None:
        """The engine if it is there now; makes none and waits for none."""
        return self._engine

    def seconds(self, settings: Mapping[str, Any]) -> int | None:
        """What a run with these settings of ``Request`` should take; None before anybody knows.

        Loads nothing and waits for nothing.
        """
        return self._engine.seconds(settings) if self._engine is not None else None

    def cost(self, settings: Mapping[str, Any]) -> str:
        """What a run would cost, in words; "" before anybody knows."""
        engine = self._engine
        if engine is None:
            return ""
        if engine.rented:
            return say("cost_quota", seconds=engine.asks(settings))
        return say("cost_own", time=status.duration(engine.seconds(settings)))

    def engine(self) -> Engine:
        """The engine, once ``wait`` said True.

        Raises ModelError with a sentence when it could not be made.
        """
        if self._engine is not None:
            return self._engine
        if isinstance(self._error, AwakenError):
            raise self._error
        raise ModelError(say("starting_failed", error=self._error))


@dataclass(frozen=True)
class View:
    """What the page shows of one visitor's run at one moment; no placard leaves the last one.

    ``left``: seconds until the end, where the engine can tell.
    """

    status: Status
    stage: dict[str, Any]
    placard: dict[str, Any] | None = None
    ended: bool = False
    left: float | None = None


def animate(
    workshop: Workshop,
    shown: Mapping[str, Any],
    picture: Mapping[str, str] | None,
    values: Mapping[str, Any],
) -> Iterator[View]:
    """Run the request that ``values`` (see ``make_request``) describes.

    shown: the stage value of the last good result; it is carried along and comes back on failure.
    picture: title and artist of the painting, for the placard.
    Closing the generator closes the engine's and so stops the work within one step.
    """
    now = status.waiting(behind=False)
    workshop.busy += 1
    try:
        painting = values.get("painting")
        request = make_request(**values)
        if said := reading.lost(request.prompt, *(getattr(request, name) for name in READERS)):
            now = status.after(now, types.Notice(said))
        began = time.perf_counter()
        scene = stage.running(
            shown, painting=painting, fps=_fps(request), region=_region(request)
        )
        yield View(now, scene)
        while not workshop.wait(0.5):
            yield View(status.warming(time.perf_counter() - began), scene)
        engine = workshop.engine()
        with closing(engine.animate(request)) as events:
            for event in events:
                if isinstance(event, types.Failed):
                    yield failed(event.kind, event.message, shown, request)
                elif isinstance(event, types.Result):
                    yield View(status.saving(now), scene)
                    files = engine.save(event, new_folder())
                    yield View(
                        status.done(now, event),
                        results.film(event.settings, files, event.psnr, event.luma_correlation),
                        results.placard(event, files, picture or {}),
                        True,
                    )
                else:
                    now = status.after(now, event)
                    scene = _staged(scene, event)
                    yield View(now, scene, left=getattr(event, "seconds_left", None))
    except AwakenError as error:
        yield failed(error.kind, str(error), shown)
    except Exception:
        log.exception("a run failed")
        yield failed("internal", say("internal"), shown)
    finally:
        workshop.busy -= 1


def failed(
    kind: str, message: str, shown: Mapping[str, Any], request: Request | None = None
) -> View:
    """A run that did not come off, with its sentence and a way on; ``shown`` comes back."""
    smaller, commands = None, ()
    if request is not None and request.backend in BACKENDS and request.proxy in PROXIES:
        backend, proxy = BACKENDS[request.backend], PROXIES[request.proxy]
        smaller = status.smaller_size(backend.sizes, request.size or backend.size)
        if kind == "model":
            commands = hub.commands(backend.release, *proxy.bases, proxy.release)
    now = status.failed(kind, message, shown["result"] is not None, smaller, commands)
    return View(now, stage.settled(shown), ended=True)


def _fps(request: Request) -> int:
    spec = BACKENDS.get(request.backend)
    return request.fps or (spec.fps if spec else 8)


def _region(request: Request) -> np.ndarray | None:
    """The mask that the stage outlines: none where the model would not look at it."""
    spec = BACKENDS.get(request.backend)
    return request.mask if spec and spec.has_mask else None


def _staged(scene: dict[str, Any], event: types.Event) -> dict[str, Any]:
    if isinstance(event, types.ProxyReady):
        height, width = event.painting.shape[:2]
        note = results.closeness(event.psnr, event.luma_correlation)
        return stage.running(scene, proxy=event.image, proxy_note=note, width=width, height=height)
    if isinstance(event, types.Step) and event.previews:
        return stage.running(scene, preview=atlas(event.previews))
    return scene


def make_request(
    *,
    painting: str | None,
    proxy_image: str | None = None,
    mask: str | None = None,
    options: Mapping[str, float] | None = None,
    proxy_options: Mapping[str, float] | None = None,
    **settings: Any,
) -> Request:
    """A Request from uploaded files and plain settings (the fields of ``Request``).

    Raises RequestError with a sentence, for files as for settings.
    """
    if not painting:
        raise RequestError(say("no_painting"))
    if not all(isinstance(given, Mapping | None) for given in (options, proxy_options)):
        raise RequestError(say("bad_options"))
    heard = [settings.get(name, Request.__dataclass_fields__[name].default) for name in READERS]
    if isinstance(settings.get("prompt"), str):
        settings["prompt"] = reading.for_models(settings["prompt"], *heard)
    picture = open_painting(Path(painting))
    return Request(
        painting=picture,
        mask=open_mask(Path(mask), picture) if mask else None,
        proxy_image=open_painting(Path(proxy_image)) if proxy_image else None,
        options=dict(options or {}),
        proxy_options=dict(proxy_options or {}),
        **settings,
    )


def file_run(workshop: Workshop, request: Request) -> Iterator[dict[str, Path]]:
    """The same run without a stage, for the API: nothing at every event, at last the files.

    Raises AwakenError with the sentence of whatever went wrong.
    """
    while not workshop.wait(0.5):
        yield {}
    engine = workshop.engine()
    with closing(engine.animate(request)) as events:
        for event in events:
            if isinstance(event, types.Failed):
                error = AwakenError(event.message)
                error.kind = event.kind
                raise error
            if isinstance(event, types.Result):
                files = dict(engine.save(event, new_folder()))
                # the page's own; nobody would ever delete them
                for name in {"stacked", "painting", "mask"} & files.keys():
                    files.pop(name).unlink()
                yield files
                return
            yield {}


def new_folder() -> Path:
    """A fresh folder of unguessable name below Gradio's cache."""
    folder = Path(get_upload_folder()) / secrets.token_urlsafe(24)
    folder.mkdir(parents=True)
    return folder


def keep_upload(source: str | bytes) -> Path:
    """A dropped file, by path or content, as upright RGB in a file of its own.

    Nothing else of it is kept: no EXIF, no position of the camera.

    Raises RequestError with a sentence when it is not a usable picture.
    """
    kept = new_folder() / "painting.png"
    source = source if isinstance(source, bytes) else Path(source)
    Image.fromarray(open_painting(source)).save(kept, compress_level=1)
    return kept


def new_seed() -> int:
    """A seed for the dice: small enough to be read aloud."""
    return secrets.randbelow(1_000_000)
