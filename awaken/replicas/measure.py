"""What replicas bring and cost on this machine: python -m awaken.bench --ray N

Throughput is that of as many visitors as there are replicas against that of one, over the same
number of runs from scratch; twice: with the engine on this machine's cores, and with a recording of
its events, played at a fixed pace as if every replica had a device of its own. Latency: a run from
its request to its Result, less what the engine itself took. Bytes: of the events, pickled, as they
cross machines.
"""

from __future__ import annotations

import os
import pickle
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from statistics import median
from types import SimpleNamespace
from typing import Any

from awaken.engine import until_result
from awaken.replicas import LOCAL, Cluster
from awaken.replicas.driver import Replicas
from awaken.sampling import Outcome
from awaken.types import Event, Request, Step

KNOWN_RUNS = 10  # behind the latency's median
PACE = 0.1  # s that a step of the recording takes


class Recording:
    """Events of a run, played at a fixed pace, in the place of an engine."""

    device = SimpleNamespace(type="cpu")

    def __init__(self, events: Sequence[Event]):
        self._events = events

    def animate(self, request: Request) -> Iterator[Event]:
        """The events, whatever is asked for."""
        for event in self._events:
            if isinstance(event, Step):
                time.sleep(PACE)
            yield event

    def probe(self) -> None:
        """There is nothing that could fail."""


def figures(
    replicas: int, rounds: int, press: Request, short: Callable[[int], Request]
) -> dict[str, Any]:
    """Measure a local Ray with so many replicas.

    press: the run whose events and latency are measured; short: by seed, those of the throughput.
    ``engines`` and ``devices`` are seconds of one visitor and of all, medians, with their ratio.
    Raises AwakenError.
    """
    load = os.getloadavg() if hasattr(os, "getloadavg") else (float("nan"),)
    requests = map(short, count())
    cluster = Cluster(LOCAL, str(replicas))
    engine = cluster.engine()
    engines = throughput(engine, replicas, rounds, requests)
    fresh, events = run(engine, press)
    known = [run(engine, press)[0] for _ in range(KNOWN_RUNS)]
    cluster.remove()
    played = cluster.engine(partial(Recording, events))
    return {
        "replicas": replicas, "cores": os.cpu_count(), "load_average": load[0],
        "engines": engines, "devices": throughput(played, replicas, rounds, requests),
        "added_seconds": median(known), "added_from_scratch": fresh,
        "bytes": sizes(events),
    }  # fmt: skip


def throughput(
    engine: Replicas, replicas: int, rounds: int, requests: Iterator[Request]
) -> dict[str, float]:
    """Seconds that two runs per replica take one visitor, and as many as there are replicas."""

    def timed(visitors: int, runs: int) -> float:
        asked = [next(requests) for _ in range(runs)]
        began = time.perf_counter()
        with ThreadPoolExecutor(visitors) as pool:
            list(pool.map(partial(run, engine), asked))
        return time.perf_counter() - began

    timed(replicas, replicas)  # every replica has worked once
    pairs = [(timed(1, 2 * replicas), timed(replicas, 2 * replicas)) for _ in range(rounds)]
    one, all_of_them = (median(column) for column in zip(*pairs, strict=True))
    return {"one": one, "all": all_of_them, "ratio": one / all_of_them}


def run(engine: Replicas, request: Request) -> tuple[float, list[Event]]:
    """Seconds that a run took beyond the engine's own, and its events. Raises AwakenError."""
    began = time.perf_counter()
    outcome = Outcome(until_result(engine.animate(request)))
    events = list(outcome)
    seconds = time.perf_counter() - began
    return seconds - outcome.value.timings["total"], [*events, outcome.value]


def sizes(events: Sequence[Event]) -> dict[str, int]:
    """Bytes of the largest event of each kind and of all ``together``, and how many there are."""
    found: dict[str, int] = defaultdict(int)
    for event in events:
        size, kind = len(pickle.dumps(event, pickle.HIGHEST_PROTOCOL)), type(event).__name__
        found[kind], found["together"] = max(size, found[kind]), found["together"] + size
    return dict(found) | {"events": len(events)}
