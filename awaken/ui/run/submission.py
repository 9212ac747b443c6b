"""What a visitor asked for, kept with the job: enough to run it again or to show it after a reload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from awaken.ui.run import links
from awaken.ui.run.engine_holder import EngineHolder

PLACE = "run"


@dataclass(frozen=True)
class RunSubmission:
    """What a visitor asked for: enough to run it again, and to show it after a reload.

    values: as ``requests.make_request`` takes them. picture: title and artist, for the placard.
    shown: the stage value of the last good result before. lock: whether the seed is kept.
    """

    values: Mapping[str, Any]
    picture: Mapping[str, str]
    shown: Mapping[str, Any]
    lock: bool = True


def memory(holder: EngineHolder, submission: RunSubmission) -> dict[str, Any]:
    """What the tab keeps while the run lasts, in case this server is gone when it asks again."""
    return {
        "server": holder.jobs.id,
        "link": links.encode(submission.values),
        "painting": submission.values.get("painting"),
        "picture": submission.picture.get("id", ""),
    }
