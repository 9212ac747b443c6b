"""What a visitor should know of a run although it goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from awaken.message import Message
from awaken.types import Notice, Request

if TYPE_CHECKING:
    from awaken.backends import Backend
    from awaken.plan import Plan
    from awaken.sampling import Schedule

_ASLEEP = 0.003  # share of the pixels that ever move, below which nobody sees motion
_TORN = 0.005  # share of the pixels that change; see ``analysis.lost_edges``


def about_request(
    backend: Backend, request: Request, schedule: Schedule, plan: Plan
) -> Iterator[Notice]:
    """Before the run: what the model makes of the prompt, the draft, the mask and the alpha curve."""
    from awaken.vsds import update_rates

    for sentence in backend.notices(request.prompt):
        yield Notice(sentence, "prompt")
    if request.draft:
        text = Message(
            "This is a draft: quicker, and not the model's exact result. Compare and keep videos made "
            "without it."
        )
        yield Notice(text, "draft")
    if request.mask is not None and (request.mask > 127).all():
        text = Message("The motion mask allows motion everywhere, as if there were none.")
        yield Notice(text, "mask")
    worst = max(update_rates(schedule, plan.alphas, plan.window), default=0.0)
    if worst > 2:
        text = Message("These steps are too strong and may spoil the video: lower the peak.")
        yield Notice(text, "alpha")
    elif worst > 1:
        yield Notice(Message("Some steps overshoot: a lower peak is calmer."), "alpha")


def about_video(backend: Backend, request: Request, difference: Mapping[str, Any]) -> list[Notice]:
    """After the run, from ``awaken.analysis.compared``: that outlines may be torn; that hardly anything
    moves, if something should."""
    if difference["awakened"]["torn"] > _TORN:
        text = Message(
            "Edges are lost where things move: outlines may be torn or leave ghosts. Less motion is "
            "calmer."
        )
        return [Notice(text, "torn")]
    wants_rest = (backend.reading(request.prompt) or {}).get("moving") == ""
    if wants_rest or difference["awakened"]["awake"] >= _ASLEEP:
        return []
    text = Message(
        "Hardly anything moves in the awakened video: the picture shows nothing that the prompt "
        "names, or the model did not find it. Name what you see, or raise the motion."
    )
    return [Notice(text, "still")]
