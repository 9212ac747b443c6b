"""One press of *Awaken*, from the page's values to what the page shows.

Everything of a visitor lives in the generator's locals or in the ``gr.State`` that the page hands
in and out, and in the run's own folder.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from awaken import hub, types
from awaken.backends import BACKENDS, BackendSpec
from awaken.engine import until_result
from awaken.preview import atlas
from awaken.proxies import PROXIES, ProxySpec
from awaken.sampling import Outcome
from awaken.types import AwakenError, Request
from awaken.ui.run import results, status
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.run.files import disk_words, new_folder
from awaken.ui.run.requests import owner_here
from awaken.ui.run.status import Status
from awaken.ui.run.submission import RunSubmission
from awaken.ui.texts import say
from awaken.ui.texts.messages import translate
from awaken.ui.viewer import stage
from awaken.video import result_settings

if TYPE_CHECKING:
    import numpy as np


log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunView:
    """What the page shows of one visitor's run at one moment; no placard leaves the last one.

    ``left``: seconds until the end, where the engine can tell.
    """

    status: Status
    stage: dict[str, Any]
    placard: dict[str, Any] | None = None
    ended: bool = False
    left: float | None = None

    @property
    def waits(self) -> bool:
        """Whether the run has no device yet."""
        return self.status.phase == "wait"


def animate(holder: EngineHolder, submission: RunSubmission, request: Request) -> Iterator[RunView]:
    """Run the request that was made of the submission's values, once, when it was submitted.

    The last good result on the stage is carried along and comes back on failure. Closing the
    generator closes the engine's and so stops the work within one step.
    """
    shown, painting = submission.shown, submission.values.get("painting")
    now = status.waiting(behind=False)
    running: Request | None = None
    holder.busy += 1
    try:
        began = time.perf_counter()
        scene = stage.running(shown, painting=painting, fps=_fps(request), region=_region(request))
        yield RunView(now, scene)
        while not holder.wait(0.5):
            yield RunView(status.warming(time.perf_counter() - began), scene)
        engine, running = holder.engine(), request
        run = Outcome(until_result(engine.animate(request)))
        for event in run:
            now = status.after(now, event)
            scene = _staged(scene, event)
            yield RunView(now, scene, left=getattr(event, "seconds_left", None))
        result = run.value
        yield RunView(status.saving(now), scene)
        files, settings = engine.save(result, new_folder()), result_settings(result)
        yield RunView(
            status.done(now, result),
            results.film(settings, files),
            results.placard(settings, files, submission.picture),
            ended=True,
        )
    except AwakenError as error:
        yield failed(error.kind, error.message, shown, running)
    except Exception as error:
        log.exception("a run failed")
        yield failed("internal", disk_words(error) or say("internal"), shown)
    finally:
        holder.busy -= 1


@dataclass(frozen=True)
class Asked:
    """The models and the size of a run that failed: what a way on depends on."""

    backend: str
    proxy: str
    size: int | None = None


def asked(values: Mapping[str, Any]) -> Asked:
    """The same of values as ``requests.make_request`` takes them."""
    return Asked(str(values.get("backend")), str(values.get("proxy")), values.get("size"))


def failed(
    kind: str, message: str, shown: Mapping[str, Any], request: Request | Asked | None = None
) -> RunView:
    """A run that failed, with its sentence and a way on; ``shown`` comes back.

    request: what was asked for; without it no smaller size and no download is offered. Paths and
    commands of this machine are for its owner: others read what the model needs.
    """
    smaller, commands = None, ()
    if request is not None and request.backend in BACKENDS and request.proxy in PROXIES:
        backend, proxy = BACKENDS[request.backend], PROXIES[request.proxy]
        smaller = status.smaller_size(backend.sizes, request.size or backend.size)
        if kind == "model" and owner_here():
            commands = hub.commands(*backend.bases, backend.release, *proxy.bases, proxy.release)
        elif kind == "model":
            absent = next((spec for spec in (backend, proxy) if spec.available()), None)
            message = model_lacking(absent) if absent else message
    now = status.failed(kind, message, shown["result"] is not None, smaller, commands)
    return RunView(now, stage.settled(shown), ended=True)


def model_lacking(spec: BackendSpec | ProxySpec) -> str:
    """That a model is not here, and what it needs."""
    return say("model_lacking", model=translate(spec.title), needs=translate(spec.needs))


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
