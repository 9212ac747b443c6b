"""Keywords that the page's events share.

Gradio would dim an event's outputs and show a bar of its own: our status strip does that. Merely
hidden, the bar still costs: for every moment of a run Gradio copies all properties of all outputs
of all events into it. An empty ``show_progress_on`` gives it nothing to do.
"""

from __future__ import annotations

from typing import Any

UNSEEN: dict[str, Any] = {
    "show_progress": "hidden",
    "show_progress_on": [],
    "api_visibility": "private",
}
QUIET = UNSEEN | {"queue": False}  # for what is answered at once
