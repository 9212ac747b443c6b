"""Fetching the weights of a model that is not here yet, on a press, with its size and terms in update.

Only the owner of the machine is offered this: ``app.py`` allows it when the page listens on this
machine alone (``AWAKEN_DOWNLOADS``), so that no passing visitor fills a server's disk.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import gradio as gr

from awaken import hub
from awaken.backends import ModelSpec
from awaken.types import AwakenError
from awaken.ui.jobs.events import QUIET, UNSEEN, Updates
from awaken.ui.run.engine_holder import EngineHolder
from awaken.ui.run.requests import owner_here
from awaken.ui.texts import say
from awaken.ui.texts.messages import translate

log = logging.getLogger(__name__)

_SECONDS_TO_START = 120


@dataclass(frozen=True)
class Offer:
    """The button of one choice of models, and what it says meanwhile.

    row, head: of the sheet that the choice is in; they say what is missing.
    """

    role: str
    registry: Mapping[str, ModelSpec]
    button: gr.Button
    line: gr.Markdown
    row: gr.HTML
    head: gr.HTML


def offer(
    role: str, registry: Mapping[str, ModelSpec], first: str, row: gr.HTML, head: gr.HTML
) -> Offer:
    """Draw the button below a radio of models; hidden while the chosen model is here."""
    button = gr.Button(
        _words(registry[first]), visible=_wanted(registry[first]), size="sm",
        elem_id=f"aw-fetch-{role}",
    )  # fmt: skip
    line = gr.Markdown(visible=False, elem_id=f"aw-fetching-{role}")
    return Offer(role, registry, button, line, row, head)


def wire(holder: EngineHolder, offered: Offer, radio: gr.Radio) -> gr.events.Dependency:
    """Let the button follow the radio, and fetch when it is pressed; returns the event of that."""

    def follow(key: str) -> Updates:
        spec = offered.registry[key]
        return {
            offered.button: gr.update(visible=_wanted(spec), value=_words(spec)),
            offered.line: gr.update(visible=False),
        }

    def fetch(key: str) -> Iterator[Updates]:
        spec = offered.registry[key]
        for words, ended in progress(holder, offered.role, key, spec):
            yield {
                offered.button: gr.update(visible=ended and _wanted(spec)),
                offered.line: gr.update(visible=True, value=words),
            }

    radio.change(follow, radio, [offered.button, offered.line], **QUIET)
    return offered.button.click(
        fetch, radio, [offered.button, offered.line], concurrency_id="fetch", concurrency_limit=1,
        **UNSEEN,
    )  # fmt: skip


def progress(
    holder: EngineHolder, role: str, key: str, spec: ModelSpec
) -> Iterator[tuple[str, bool]]:
    """Fetch; yields (what to say, whether it is over). A failure ends in its sentence."""
    if not (owner_here() and spec.release and spec.available()):
        yield say("fetch_nothing"), True
        return
    try:
        holder.wait(_SECONDS_TO_START)
        said = ""
        for done, total in holder.engine().fetch(role, key):
            share = f"{100 * done // max(total, 1)} %"
            if share != said:
                said = share
                yield (
                    say(
                        "fetching",
                        title=translate(spec.title),
                        share=share,
                        size=hub.gigabytes(total),
                    ),
                    False,
                )
    except AwakenError as error:
        yield translate(error.message), True
        return
    except Exception:
        log.exception("fetching %s failed", key)
        yield say("internal"), True
        return
    yield say("fetched", title=translate(spec.title)), True


def _wanted(spec: ModelSpec) -> bool:
    return owner_here() and spec.release is not None and spec.available() is not None


def _words(spec: ModelSpec) -> str:
    """What the button says: the size and the terms, before anything is fetched."""
    size = hub.gigabytes(sum(part.size for part in spec.to_fetch))
    terms = translate(spec.weight_licence) + (
        f"; {say('non_commercial')}" if spec.non_commercial else ""
    )
    return say("fetch", size=size, terms=terms)
