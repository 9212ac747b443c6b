"""What a tab says of itself when its page opens: who it is, and what it remembers (assets/js/tab.js).

All of it comes from a browser: it is only believed where it can do no harm.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from awaken.ui.jobs.manager import JobManager

MAX_SESSION = 24_000  # characters
SESSION_JS = "async () => [await awakenTab.session()]"
# Every event that concerns a job brings the tab's name as its first input.
OWNER_JS = "async (_, ...rest) => [await awakenTab.owner(), ...rest]"


@dataclass(frozen=True)
class TabSession:
    """owner: the tab's token; again: the page was reloaded; runs: place -> what was under way there
    when the tab last heard of it, the newest last (``submission.memory``); luggage: what the page that
    led here has packed (``awaken.ui.page.passage``)."""

    owner: str = ""
    again: bool = False
    runs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    luggage: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, text: Any) -> TabSession:
        """From what the script sends, whatever it was."""
        try:
            data = json.loads(text) if isinstance(text, str) and len(text) <= MAX_SESSION else {}
        except (ValueError, RecursionError):
            data = {}
        data = data if isinstance(data, dict) else {}
        runs, luggage = data.get("runs"), data.get("luggage")
        return cls(
            str(data.get("owner", "")),
            data.get("again") is True,
            {
                str(place): run
                for place, run in (runs.items() if isinstance(runs, dict) else ())
                if isinstance(run, dict)
            },
            luggage if isinstance(luggage, dict) else {},
        )

    def lost(self, jobs: JobManager) -> dict[str, bool]:
        """The places whose job is gone -> whether the server was restarted since, the newest last."""
        return {
            place: run.get("server") != jobs.id
            for place, run in self.runs.items()
            if jobs.find(self.owner, place) is None
        }
