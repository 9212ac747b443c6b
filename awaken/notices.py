"""What a visitor should know of a run although it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from awaken.analysis import awake
from awaken.message import Message
from awaken.types import Notice, Request

if TYPE_CHECKING:
    from awaken.backends import Backend
    from awaken.plan import Plan
    from awaken.sampling import Schedule

_ASLEEP = 0.003  # mean change between frames, of full scale, below which nobody sees motion


def about_request(
    backend: Backend, request: Request, schedule: Schedule, plan: Plan
) -> Iterator[Notice]:
    """Before the run: what the model makes of the prompt, the mask and the alpha curve."""
    from awaken.vsds import update_rates

    for sentence in backend.notices(request.prompt):
        yield Notice(sentence, "prompt")
    if request.mask is not None and (request.mask > 127).all():
        text = Message("The motion mask allows motion everywhere, as if there were none.")
        yield Notice(text, "mask")
    worst = max(update_rates(schedule, plan.alphas, plan.window), default=0.0)
    if worst > 1:
        text = Message(
            "The largest update moves {worst:.1f} times the way to its target: above 1 it "
            "overshoots, above 2 it diverges. This alpha curve {fate}; a lower peak calms it.",
            worst=worst,
            fate=Message("would diverge") if worst > 2 else Message("overshoots"),
        )
        yield Notice(text, "alpha")


def about_video(backend: Backend, request: Request, awakened: np.ndarray) -> list[Notice]:
    """After the run, of (frames, h, w, 3) uint8: that hardly anything moves, if something should."""
    wants_rest = (backend.reading(request.prompt) or {}).get("moving") == ""
    if wants_rest or awake(awakened) >= _ASLEEP:
        return []
    text = Message(
        "Hardly anything moves in the awakened video: the picture shows nothing that the prompt "
        "names, or the model did not find it. Name what you see, or raise the motion."
    )
    return [Notice(text, "still")]
