"""What one press of Awaken costs, and where the time goes: python -m awaken.bench

The physics. A network evaluation is one video through one guided step, that is two passes of the
network, with and without the prompt. With n steps and a share p distilled, tau = int(n p) + 1:

    distil     2 paths  x tau steps     (Sec. 3.3: the painting's and the proxy image's)
    denoise    2 videos x n steps       (Sec. 3.4, and the baseline beside it)
    together   2 (tau + n) evaluations: 82 for 25 steps and p = 0.6

Time is at least (FLOPs per evaluation) x evaluations / (the machine's FLOP/s); what lies above that
floor is launch overhead and memory traffic. Two things shorten it without changing the picture:
both paths, then both videos, go through the network in one batch; and every stage's result is kept
under a hash of what it read, so that turning one knob repeats only what lies behind that knob.

Parts: (1) the first press in a fresh process, models loaded, with mp4s and peak memory; (2) FLOPs,
counted; (3) batched with memo against the published order (one path and one video at a time, from
scratch) on the same weights, alternating in one process, medians; (4) bfloat16 against float32; then
one line of JSON. Other work on the machine shows in wall-clock times, hardly in processor time.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from awaken.backends import BACKENDS, VideoSettings
from awaken.engine import Engine, until_result
from awaken.examples import FOLDER
from awaken.painting import open_painting, similarity, to_size
from awaken.proxies import PROXIES, ProxySettings
from awaken.sampling import Outcome
from awaken.types import AwakenError, Request, Result, Step

PAINTING = FOLDER / "paintings" / "starry-night.jpg"
PROMPT = "the stars swirl in the night sky"
GOALS = {"total": 20.0, "first_preview": 3.0, "memory_gb": 3.0}
# What a visitor may change after the first press: the memo repeats only what lies behind it.
CHANGES: dict[str, Mapping[str, Any]] = {
    "fusion": {"variant": "+V&U"},
    "proxy": {"proxy_strength": 0.7},
    "alpha": {"alpha": "linear-decreasing"},
    "p": {"p": 0.4},
    "nothing": {},
}


def main(argv: list[str] | None = None) -> int:
    """Print the report; returns 0, or 2 where a run failed."""
    parser = argparse.ArgumentParser(
        prog="python -m awaken.bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=3, help="repetitions behind a median")
    parser.add_argument("--first-press", action="store_true", help="part 1 alone, in this process")
    parser.add_argument(
        "--ray", type=int, metavar="N", help="only what N replicas on a local Ray bring and cost"
    )
    official = parser.add_argument_group("against the released code's loop, random weights")
    official.add_argument("--official", nargs="*", metavar="MODEL",
        help="animate_anything (default), consisti2v, cinemo; one line of JSON each")  # fmt: skip
    official.add_argument("--scale", type=float, default=1.0, help="of the released width")
    official.add_argument("--steps", type=int, default=25, help="denoising steps")
    official.add_argument("--size", type=int, default=512, help="side of the videos in pixels")
    arguments = parser.parse_args(argv)
    logging.disable(logging.INFO)
    try:
        if arguments.official is not None:
            from awaken import official as against

            for told in against.reports(arguments):
                print(json.dumps(_rounded(told)), flush=True)
        elif arguments.first_press:
            print(json.dumps(first_press()))
        elif arguments.ray:
            _report_replicas(arguments.ray, max(1, arguments.rounds))
        else:
            _report(max(1, arguments.rounds))
    except AwakenError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    return 0


def _report(rounds: int) -> None:
    from awaken.engine import Engine
    from awaken.residence import fast_bfloat16

    print(__doc__)
    loads = os.getloadavg() if hasattr(os, "getloadavg") else (float("nan"),) * 3
    print(f"Load average before: {loads[0]:.1f} on {os.cpu_count()} cores")

    command = [sys.executable, "-m", "awaken.bench", "--first-press"]
    child = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if child.returncode:
        raise AwakenError("the first press failed in its own process; see above.")
    first = json.loads(child.stdout.splitlines()[-1])
    print(f"\n1. First press, {first['width']} x {first['height']}, 16 frames, {first['device']}")
    print(f"   models loaded        {first['load']:6.2f} s  (once, when the page starts)")
    for stage in ("proxy", "distil", "denoise", "decode", "write"):
        print(f"   {stage:<20} {first['stages'][stage]:6.2f} s")
    print(f"   processor time       {first['cpu_seconds']:6.2f} s  (without ffmpeg's)")
    for name, unit in (("total", "s"), ("first_preview", "s"), ("memory_gb", "GB")):
        words = name.replace("_", " ").replace(" gb", "")
        print(f"   {words:<20} {first[name]:6.2f} {unit}   goal: at most {GOALS[name]:g}")

    flops = count_flops()
    print("\n2. FLOPs (counted by torch: multiply and add are two)")
    for name, value in flops.items():
        print(f"   {name.replace('_', ' '):<30} {value / 1e9:8.1f} GFLOP")
    spent = first["stages"]["distil"] + first["stages"]["denoise"]
    rate = flops["evaluation"] * first["evaluations"] / spent / 1e9
    print(f"   {first['evaluations']} evaluations in {spent:.2f} s: {rate:.0f} GFLOP/s achieved")

    engine, published = Engine(), Engine(memo_bytes=0)
    ratios = compare_orders(engine, published, rounds)
    print(f"\n3. Against the published order, seconds without mp4s, medians of {rounds}")
    print(f"   published order, from scratch   {ratios['published_seconds']:6.2f} s")
    for name, row in ratios["changes"].items():
        needed = f"{row['evaluations']:3d} of {first['evaluations']} evaluations"
        print(
            f"   {name:<12} {needed} {row['seconds']:6.2f} s  "
            f"ratio {row['ratio']:.2f} (processor time {row['processor_ratio']:.2f})"
        )

    precision = compare_precision(engine) if fast_bfloat16(engine.device) else None
    print("\n4. bfloat16 against float32")
    if precision:
        print(f"   awakened {precision['awakened_psnr']:.1f} dB, baseline "
              f"{precision['baseline_psnr']:.1f} dB apart; the motion itself (awakened against the "
              f"still painting) {precision['motion_psnr']:.1f} dB")  # fmt: skip
    else:
        print("   this machine runs in float32; nothing to compare")

    met = {name: first[name] <= goal for name, goal in GOALS.items()}
    summary = {"first_press": first, "flops": flops, "rate_gflops": rate, "orders": ratios}
    summary |= {"precision": precision, "goals": GOALS, "goals_met": met, "load_average": loads[0]}
    print("\n" + json.dumps(_rounded(summary)))


def _report_replicas(replicas: int, rounds: int) -> None:
    from awaken.replicas import measure

    print(measure.__doc__)
    found = measure.figures(  # with few steps: the ratio of two times is that of long runs
        replicas, rounds, default_request(), lambda seed: default_request(seed=seed, steps=10)
    )
    print(f"{replicas} replicas, {found['cores']} cores, load average before: "
          f"{found['load_average']:.1f}; {2 * replicas} runs, medians of {rounds}")  # fmt: skip
    for name, of in (("engines", "engines on these cores"), ("devices", "a device for each")):
        row = found[name]
        print(f"   {of:<24} one visitor {row['one']:7.2f} s, {replicas} visitors "
              f"{row['all']:7.2f} s, ratio {row['ratio']:.2f}")  # fmt: skip
    for name, of in (("added_seconds", "all cached"), ("added_from_scratch", "from scratch")):
        print(f"   added to a run, {of:<12} {1000 * found[name]:8.1f} ms")
    for kind, size in found["bytes"].items():
        print(f"   {kind:<12} {size:12,d}" + " bytes" * (kind != "events"))
    print("\n" + json.dumps(_rounded(found)))


def default_request(**changes: Any) -> Request:
    """The press that is measured: all defaults."""
    return Request(open_painting(PAINTING), PROMPT, **changes)


class Run(NamedTuple):
    """One press: wall-clock and processor seconds, and those to the first moving preview."""

    result: Result
    seconds: float
    processor: float
    first_preview: float


def run(engine: Engine, request: Request) -> Run:
    """Measure one press. Raises AwakenError on Failed."""
    began, processor = time.perf_counter(), time.process_time()
    preview = float("inf")
    events = Outcome(until_result(engine.animate(request)))
    for event in events:
        if isinstance(event, Step) and event.previews:
            preview = min(preview, time.perf_counter() - began)
    seconds, processor = time.perf_counter() - began, time.process_time() - processor
    return Run(events.value, seconds, processor, preview)


def first_press() -> dict[str, Any]:
    """Load the models as the page does when it starts, then press once and write everything.

    ``cpu_seconds`` is what all threads of this process spent on the press: the total cannot be
    under cpu_seconds / cores, and far over it means that other work held the machine.
    ``memory_gb`` is the largest resident size this process ever had, plus twice that of its
    largest child (two mp4s are written at a time).
    """
    began = time.perf_counter()
    engine = Engine()
    engine.load()
    load = time.perf_counter() - began
    press = run(engine, default_request())
    result = press.result
    began, processor = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        engine.save(result, Path(folder))
    write = time.perf_counter() - began
    processor = press.processor + time.process_time() - processor
    height, width = result.painting.shape[:2]
    return {
        "device": engine.device_name,
        "width": width,
        "height": height,
        "evaluations": result.evaluations,
        "load": load,
        "stages": dict(result.timings) | {"write": write},
        "total": press.seconds + write,
        "cpu_seconds": processor,
        "first_preview": press.first_preview,
        "memory_gb": _peak_memory_gb(),
    }


def _peak_memory_gb() -> float:
    try:
        import resource
    except ImportError:  # Windows has no such book-keeping
        return float("nan")
    unit = 1 if sys.platform == "darwin" else 1024
    own, children = (
        resource.getrusage(who).ru_maxrss * unit
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return (own + 2 * children) / 1e9


def count_flops() -> dict[str, int]:
    """FLOPs of one evaluation, of decoding one video, and of one proxy image."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    device = torch.device("cpu")
    backend = BACKENDS["miniature"].load(device, torch.float32)
    proxy = PROXIES["miniature"].load(device, torch.float32)
    spec, painting = BACKENDS["miniature"], open_painting(PAINTING)
    height, width = painting.shape[:2]
    painting = to_size(painting, *backend.working_size(width, height, spec.size))
    counts = {}

    def counted(name: str, work) -> Any:
        with FlopCounterMode(display=False) as counter:
            outcome = work()
        counts[name] = counter.get_total_flops()
        return outcome

    with torch.inference_mode():
        latents = backend.encode(painting, 42)
        condition = counted(
            "condition",
            lambda: backend.condition(
                painting, latents,
                VideoSettings(PROMPT, spec.frames, spec.guidance, motion=spec.motion),
            ),
        )  # fmt: skip
        video = backend.static_video(latents, spec.frames, painting)
        t = backend.schedule(spec.steps).timesteps[0]
        counted("evaluation", lambda: backend.predict(video, t, condition))
        counted("decoding_one_video", lambda: backend.decode(video, painting))
        counted(
            "proxy_image",
            lambda: list(proxy.make(painting, ProxySettings(PROMPT, 42, proxy.spec.strength))),
        )
    return counts


def compare_orders(engine: Engine, published: Engine, rounds: int) -> dict[str, Any]:
    """Batched with memo against sequential from scratch, alternating, each round on its own seed.

    The published order costs the same whatever was changed: it keeps nothing.
    """
    run(engine, default_request(seed=1000))
    run(published, default_request(seed=1000, sequential=True))
    slow: list[Run] = []
    quick: dict[str, list[Run]] = {name: [] for name in ("first press", *CHANGES)}
    for seed in range(rounds):
        request = default_request(seed=seed)
        slow.append(run(published, replace(request, sequential=True)))
        for name, change in ({"first press": {}} | CHANGES).items():
            quick[name].append(run(engine, replace(request, **change)))
    seconds, processor = (median(r[k] for r in slow) for k in (1, 2))
    changes = {
        name: {
            "evaluations": runs[-1].result.evaluations,
            "seconds": median(r.seconds for r in runs),
            "ratio": seconds / median(r.seconds for r in runs),
            "processor_ratio": processor / median(r.processor for r in runs),
        }
        for name, runs in quick.items()
    }
    return {"published_seconds": seconds, "published_processor": processor, "changes": changes}


def compare_precision(engine: Engine) -> dict[str, float]:
    """PSNR in dB between the videos of the engine's bfloat16 and of float32, same seed.

    ``motion_psnr`` says how far the awakened video is from a still: the difference of precisions
    should be small beside it.
    """
    half = run(engine, default_request()).result
    full, seconds, _, _ = run(Engine(dtype="float32"), default_request())
    still = np.broadcast_to(full.painting, full.awakened.shape)
    return {
        "awakened_psnr": similarity(full.awakened, half.awakened)[0],
        "baseline_psnr": similarity(full.baseline, half.baseline)[0],
        "motion_psnr": similarity(full.awakened, still)[0],
        "float32_seconds": seconds,
    }


def _rounded(value: Any) -> Any:
    """Three digits after the point; what JSON cannot say becomes None."""
    if isinstance(value, Mapping):
        return {name: _rounded(item) for name, item in value.items()}
    if isinstance(value, float):
        return round(value, 3) if np.isfinite(value) else None
    return value


if __name__ == "__main__":
    sys.exit(main())
