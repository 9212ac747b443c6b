"""Calls of programs: jobs in the same queue as the visitors', which end with their connection."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from awaken.engine import until_result
from awaken.sampling import Outcome
from awaken.types import AwakenError, Event, ProxyReady, Request
from awaken.ui.jobs.client import Client
from awaken.ui.jobs.job import Job, JobUpdate
from awaken.ui.run import requests
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.run.files import disk_words, new_folder
from awaken.ui.texts import say
from awaken.ui.texts.messages import translate
from awaken.video import result_settings

log = logging.getLogger(__name__)


def called(
    holder: EngineHolder,
    values: Mapping[str, Any],
    proxy_only: bool = False,
    client: Client | None = None,
) -> Job:
    """A job that does ``run`` with the request of these values (see ``requests.make_request``).

    client: who calls, unless it is an event of Gradio's.
    Raises gr.Error with a sentence for what cannot be run, before it has to wait.
    """
    try:
        request = requests.make_request(**values)
        return holder.jobs.submit(
            secrets.token_urlsafe(32), "api", lambda: run(holder, request, proxy_only),
            seconds=holder.expected(request), grace=0, client=client, size=requests.size(request),
        )  # fmt: skip
    except AwakenError as error:
        raise gr.Error(translate(error.message), print_exception=False) from None
    except Exception as error:
        log.exception("a call could not be taken")
        words = disk_words(error) or say("internal")
        raise gr.Error(words, print_exception=False) from error


@dataclass(frozen=True, eq=False)
class Made:
    """What a call ends with: its files by name, the proxy image, (h, w, 3) uint8, and what
    settings.json says; nothing of it where only the proxy was wanted."""

    files: Mapping[str, Path]
    proxy: np.ndarray
    settings: Mapping[str, Any]


def run(
    holder: EngineHolder, request: Request, proxy_only: bool = False
) -> Iterator[Event | Made | None]:
    """The events of a run, None while the engine starts; at last what it made. Raises AwakenError.

    proxy_only: ends before the videos are begun.
    """
    while not holder.wait(0.5):
        yield None
    engine = holder.engine()
    events = Outcome(until_result(engine.animate(request)))
    for event in events:
        if proxy_only and isinstance(event, ProxyReady):
            path = new_folder() / "proxy.png"
            Image.fromarray(event.image).save(path)
            yield Made({"proxy": path}, event.image, {})
            return
        yield event
    result = events.value
    files = dict(engine.save(result, new_folder()))
    for name in {"stacked", "painting", "mask"} & files.keys():  # only the page shows them
        files.pop(name).unlink()
    yield Made(files, result.proxy, result_settings(result))


def finished(update: JobUpdate) -> Made | None:
    """What a call has made, None while it lasts. Raises gr.Error with a sentence if it failed."""
    if update.live:
        return None
    if update.state == "done":
        return update.moment
    known = translate(update.error.message) if isinstance(update.error, AwakenError) else None
    words = known or disk_words(update.error) or say("internal")
    raise gr.Error(words, print_exception=False)
