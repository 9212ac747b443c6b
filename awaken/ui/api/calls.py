"""Calls of programs: jobs in the same queue as the visitors', which end with their connection."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import gradio as gr

from awaken.types import AwakenError, Request
from awaken.ui.jobs.job import Job, JobUpdate
from awaken.ui.run import requests
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.texts import say

log = logging.getLogger(__name__)


def called(
    holder: EngineHolder, work: Callable[[Request], Iterator[Any]], values: Mapping[str, Any]
) -> Job:
    """A job that does ``work`` with the request of these values (see ``requests.make_request``).

    Raises gr.Error with a sentence for what cannot be run, before it has to wait.
    """
    try:
        request = requests.make_request(**values)
        return holder.jobs.submit(
            secrets.token_urlsafe(32), "api", lambda: work(request),
            seconds=holder.seconds(request.settings()), grace=0,
        )  # fmt: skip
    except AwakenError as error:
        raise gr.Error(str(error), print_exception=False) from None
    except Exception as error:
        log.exception("a call could not be taken")
        raise gr.Error(say("internal"), print_exception=False) from error


def finished(update: JobUpdate) -> Any:
    """What a call came to, None while it lasts. Raises gr.Error with a sentence if it failed."""
    if update.live:
        return None
    if update.state == "done":
        return update.moment
    known = isinstance(update.error, AwakenError)
    raise gr.Error(str(update.error) if known else say("internal"), print_exception=False)
