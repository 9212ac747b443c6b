"""What replicas bring and cost on this machine: python -m awaken.bench --ray N

Throughput: the same number of runs from scratch, one after the other, so that one replica works at
a time, and from as many visitors as there are replicas. Latency: a run from its request to its
Result, less what the engine itself took. Bytes: of the events, pickled, as they cross machines.
"""

from __future__ import annotations

import os
import pickle
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from statistics import median
from typing import Any

from awaken.engine import until_result
from awaken.replicas import LOCAL, Cluster
from awaken.replicas.driver import Replicas
from awaken.sampling import Outcome
from awaken.types import Event, Request

KNOWN_RUNS = 10  # behind the latency's median


def figures(replicas: int, rounds: int, request: Callable[[int], Request]) -> dict[str, Any]:
    """Measure a local Ray with so many replicas; ``request``: the run that is measured, by seed.

    seconds are those of ``runs`` runs, medians over the rounds. Raises AwakenError.
    """
    load = os.getloadavg() if hasattr(os, "getloadavg") else (float("nan"),)
    engine = Cluster(LOCAL, str(replicas)).engine()
    seeds, runs = count(), 2 * replicas

    def timed(visitors: int, number: int) -> float:
        began = time.perf_counter()
        with ThreadPoolExecutor(visitors) as pool:
            for _ in pool.map(
                lambda seed: run(engine, request(seed)), [next(seeds) for _ in range(number)]
            ):
                pass
        return time.perf_counter() - began

    timed(replicas, replicas)  # every replica has worked once
    pairs = [(timed(1, runs), timed(replicas, runs)) for _ in range(rounds)]
    known = [run(engine, request(0)) for _ in range(KNOWN_RUNS + 1)][1:]
    added, _ = zip(*known, strict=True)
    fresh, events = run(engine, request(next(seeds)))
    one, all_ = (median(column) for column in zip(*pairs, strict=True))
    return {
        "replicas": replicas, "cores": os.cpu_count(), "load_average": load[0], "runs": runs,
        "one_replica_seconds": one, "all_replicas_seconds": all_, "speed_up": one / all_,
        "added_seconds": median(added), "added_seconds_from_scratch": fresh,
        "bytes": sizes(events),
    }  # fmt: skip


def run(engine: Replicas, request: Request) -> tuple[float, list[Event]]:
    """Seconds that a run took beyond the engine's own, and its events. Raises AwakenError."""
    began = time.perf_counter()
    outcome = Outcome(until_result(engine.animate(request)))
    events = list(outcome)
    seconds = time.perf_counter() - began
    return seconds - outcome.value.timings["total"], [*events, outcome.value]


def sizes(events: list[Event]) -> dict[str, int]:
    """Bytes of the largest event of each kind, and of ``all`` of them, pickled."""
    largest: dict[str, int] = defaultdict(int)
    for event in events:
        size = len(pickle.dumps(event, pickle.HIGHEST_PROTOCOL))
        kind = type(event).__name__
        largest[kind], largest["all"] = max(size, largest[kind]), largest["all"] + size
    return dict(largest) | {"events": len(events)}
