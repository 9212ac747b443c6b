"""From the engine's events to what the status strip shows: a pure reducer, no widget, no clock."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from awaken import types
from awaken.ui.texts import say
from awaken.ui.texts.languages import join_sentences
from awaken.ui.texts.messages import translate

PHASES = ("load", "proxy", "distil", "denoise", "decode", "save")
_REUSABLE = ("proxy", "distil", "denoise")  # phases whose results the engine keeps
CALMER_PEAK = 5.0  # what the page offers when the numbers ran away


@dataclass(frozen=True)
class Status:
    """The state of one visitor's run.

    Attributes:
        state: idle, running, done, stopped or failed.
        phase: the phase under way, one of ``PHASES``, "wait" before them, "" outside a run.
        reused: phases that came from the memo.
        line: the sentence that is read out; detail: numbers beside it, not read out.
        share: of the run's network evaluations, 0 to 1.
        cards: notices and errors, ready for the strip.
    """

    state: str = "idle"
    phase: str = ""
    reused: frozenset[str] = frozenset()
    line: str = ""
    detail: str = ""
    share: float = 0.0
    cards: tuple[dict[str, Any], ...] = ()

    def value(self) -> dict[str, Any]:
        """For the strip's script: plain JSON."""
        return {
            "state": self.state,
            "line": self.line,
            "detail": self.detail,
            "share": round(self.share, 4),
            "phases": self._phases(),
            "cards": list(self.cards),
        }

    def _phases(self) -> list[dict[str, str]]:
        if self.state not in ("running", "done"):
            return []
        now = PHASES.index(self.phase) if self.phase in PHASES else -1
        ladder = []
        for i, name in enumerate(PHASES):
            state = "done" if self.state == "done" or i < now else "now" if i == now else "todo"
            if name in self.reused:
                state = "reused"
            spoken = say("phase_reused") if state == "reused" else ""
            ladder.append({"label": say(f"phase_{name}"), "state": state, "spoken": spoken})
        return ladder


def waiting(seconds: float = 0.0, behind: bool = True) -> Status:
    """Pressed Awaken, not begun yet; ``behind``: another visitor's run comes first."""
    detail = say("waited", seconds=seconds) if seconds >= 1 else ""
    line = say("doing_wait" if behind else "doing_begin")
    return Status("running", "wait", line=line, detail=detail)


def queued(ahead: int, wait: float | None) -> Status:
    """In the queue behind ``ahead`` others, which need ``wait`` seconds as far as can be told."""
    if not ahead:
        return waiting(behind=False)
    line = say("queued_one") if ahead == 1 else say("queued", ahead=ahead)
    detail = say("queued_wait", time=duration(wait)) if wait is not None else ""
    return Status("running", "wait", line=line, detail=detail)


def duration(seconds: float) -> str:
    """So many seconds as one would say it: nobody believes in more than two figures."""
    if seconds < 90:
        return say("seconds", count=max(1, round(seconds)))
    return say("minutes", count=round(seconds / 60))


def warming(seconds: float) -> Status:
    """The engine itself is still being made."""
    detail = say("waited", seconds=seconds) if seconds >= 1 else ""
    return Status("running", "load", line=say("doing_warm"), detail=detail)


def saving(status: Status) -> Status:
    """The last phase, which is the page's own."""
    return replace(status, phase="save", line=say("doing_save"), detail="", share=1.0)


def idle(example: bool) -> Status:
    """Nothing runs yet."""
    return Status(line=say("state_example" if example else "state_idle"))


def laboratory() -> Status:
    """The laboratory before its first series."""
    return Status(line=say("state_laboratory"))


def chosen(ask: bool) -> Status:
    """Another painting is shown; ``ask``: nothing has been said yet that should move in it."""
    return Status(line=say("state_say" if ask else "state_press"))


def restored(remarks: list[str], complete: bool = False) -> Status:
    """Settings from a link or a file are on the dials, or not all of them.

    complete: the painting came along.
    """
    card = {
        "tone": "note", "title": say("card_restored"), "text": join_sentences(*remarks), "actions": [],
    }  # fmt: skip
    line = say("restored_all" if complete else "restored")
    return replace(idle(example=False), line=line, cards=(card,) if remarks else ())


def stopped(kept: bool, before: Status | None = None) -> Status:
    """Stop was pressed; ``kept`` says that an earlier result is on the stage.

    before: what the run showed last; the phases it had finished need not be done again.
    """
    line = say("state_stopped_kept" if kept else "state_stopped")
    return Status("stopped", line=line, cards=(_resume("card_stopped", before),))


def left(kept: bool, before: Status | None = None) -> Status:
    """Nobody watched the run for so long that it was stopped for the next visitor."""
    line = say("state_left_kept" if kept else "state_left")
    return Status("stopped", line=line, cards=(_resume("card_left", before),))


def lost(restarted: bool) -> Status:
    """The tab remembers a run that this server does not know: it was restarted, or forgot it."""
    name = "restarted" if restarted else "forgotten"
    card = {
        "tone": "note", "title": say(f"card_{name}"), "text": say(name), "actions": [],
    }  # fmt: skip
    return Status("stopped", line=say("state_lost"), cards=(card,))


def _resume(title: str, before: Status | None) -> dict[str, Any]:
    """The card that begins the same run again, and says what of it is already done."""
    at = PHASES.index(before.phase) if before and before.phase in PHASES else 0
    finished = [say(f"phase_{name}") for name in PHASES[:at] if name in _REUSABLE]
    text = say("resume_from", phases=", ".join(finished)) if finished else say("resume_anew")
    action = {"name": "resume", "label": say("act_resume")}
    return {"tone": "note", "title": say(title), "text": text, "actions": [action]}


def failed(
    kind: str, message: str, kept: bool, smaller: int | None = None, commands: Sequence[str] = ()
) -> Status:
    """A run, or a picture, was refused with a sentence and, where one helps, a button.

    smaller: the next smaller working size, which one press tries. commands: what fetches a model.
    """
    retry = {"name": f"smaller:{smaller}", "label": say("act_smaller", size=smaller)}
    actions = {
        "memory": [retry] if smaller else [],
        "model": [{"name": "miniature", "label": say("act_miniature")}],
        "numerics": [{"name": "calm", "label": say("act_calm", peak=CALMER_PEAK)}],
    }.get(kind, [])
    title = say(f"card_{kind}") if kind in _TITLED else say("card_internal")
    card = {"tone": "bad", "title": title, "text": translate(message), "actions": actions}
    card["cause"] = kind  # when it goes, the card does (assets/js/status.js)
    if commands:
        card["commands"] = list(commands)
    line = say("state_failed_kept" if kept else "state_failed")
    return Status("failed", line=line, cards=(card,))


def refused(message: str, kind: str = "picture") -> Status:
    """A dropped ``picture`` or settings ``file`` cannot be used; everything else stays as it was."""
    return Status(line=say("state_idle"), cards=failed(kind, message, kept=False).cards)


_TITLED = ("crowded", "request", "model", "memory", "numerics", "quota", "picture", "file")


def after(status: Status, event: types.Event) -> Status:
    """The status once ``event`` has arrived (Failed and Result have functions of their own)."""
    if isinstance(event, types.Waiting):
        return replace(waiting(event.seconds), cards=status.cards)
    if isinstance(event, types.Stage):
        reused = status.reused | {event.name} if event.reused else status.reused
        return replace(
            status, state="running", phase=event.name, reused=reused,
            line=say(f"doing_{event.name}"), detail="",
        )  # fmt: skip
    if isinstance(event, types.Step):
        return replace(status, phase=event.stage, detail=_progress(event), share=event.done)
    if isinstance(event, types.Notice):
        card = {
            "tone": "note",
            "title": say("card_notice"),
            "text": translate(event.text),
            "actions": _offers(event.kind),
        }
        return replace(status, cards=(*status.cards, card))
    return status


def _offers(kind: str) -> list[dict[str, str]]:
    """The button of a notice: torn outlines are mended by less motion."""
    return [{"name": "calmer", "label": say("act_calmer")}] if kind == "torn" else []


def done(status: Status, result: types.Result) -> Status:
    """The run went well."""
    spent, scratch = result.evaluations, result.evaluations_from_scratch
    line = say(
        "state_done_saved" if spent < scratch else "state_done",
        seconds=result.timings["total"], evaluations=spent, scratch=scratch,
    )  # fmt: skip
    if result.drafted:
        line = join_sentences(line, say("state_drafted", drafted=result.drafted))
    return replace(status, state="done", phase="", line=line, detail="", share=1.0)


def _progress(step: types.Step) -> str:
    words = [say("step", index=step.index, count=step.count)]
    if math.isfinite(step.seconds_left):
        words.append(say("time_left", seconds=max(1, step.seconds_left)))
    return " · ".join(words)


def smaller_size(sizes: Sequence[int], size: int) -> int | None:
    """The next smaller working size on offer; None below the smallest."""
    return max((s for s in sizes if s < size), default=None)
