"""Calls of programs: jobs in the same queue as the visitors', which end with their connection."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import gradio as gr

from awaken.types import AwakenError, Request
from awaken.ui import runs
from awaken.ui.jobs import Job, Sight
from awaken.ui.runs import Workshop
from awaken.ui.texts import say

log = logging.getLogger(__name__)


def called(
    workshop: Workshop, work: Callable[[Request], Iterator[Any]], values: Mapping[str, Any]
) -> Job:
    """A job that does ``work`` with the request of these values (see ``runs.make_request``).

    Raises gr.Error with a sentence for what cannot be run, before it has to wait.
    """
    try:
        request = runs.make_request(**values)
        return workshop.jobs.submit(
            secrets.token_urlsafe(32), "api", lambda: work(request),
            seconds=workshop.seconds(request.settings()), grace=0,
        )  # fmt: skip
    except AwakenError as error:
        raise gr.Error(str(error), print_exception=False) from None
    except Exception as error:
        log.exception("a call could not be taken")
        raise gr.Error(say("internal"), print_exception=False) from error


def finished(sight: Sight) -> Any:
    """What a call came to, None while it lasts. Raises gr.Error with a sentence if it failed."""
    if sight.live:
        return None
    if sight.state == "done":
        return sight.moment
    known = isinstance(sight.error, AwakenError)
    raise gr.Error(str(sight.error) if known else say("internal"), print_exception=False)
