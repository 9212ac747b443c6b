"""What the miniature moves, measured.

``python -m awaken.miniature.training.report --paintings DIR --out DIR`` makes the README's table.

Every pair of painting and prompt in ``report_pairs.json`` names a region by polygons; every arm of
Table 1 runs on it with the same seeds and the same guidance. All is measured on decoded pixels,
never on the model's own latents: optical flow (OpenCV DIS: Kroeger et al., ECCV 2016) between
consecutive frames at 256 pixels, short side. Nothing here chooses a setting; settings were chosen
on other paintings (``held_out.HELD_OUT``), with ``--pairs`` and ``held_out_pairs.json``.

A row is written as soon as it is measured; started again, the program goes on with what is missing.
Needs opencv-python beside Awaken's own requirements.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from awaken.miniature.training.report_page import ARMS, read_rows, write_up
from awaken.types import Request

log = logging.getLogger(__name__)

PAIRS = Path(__file__).with_name("report_pairs.json")
SIDE = 256


def measure(frames: np.ndarray, painting: np.ndarray, region: np.ndarray) -> dict[str, float]:
    """All measures of one video.

    frames: (f, h, w, 3) uint8; painting: (h, w, 3) uint8; region: (h, w) bool, named by the prompt.

    share: energy (squared flow) inside the region over all energy, 0 where nothing moves at all;
    inside, outside: mean flow in percent of the short side per frame; psnr: frame 0, at most 60 dB;
    detail: mean squared gradient of the frames over the painting's; flicker: mean absolute second
    difference in time of the luma outside the region, in grey levels of 255.
    """
    import cv2

    height, width = painting.shape[:2]
    scale = SIDE / min(height, width)
    size = round(width * scale), round(height * scale)
    small = [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames]
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in small]
    inside = cv2.resize(region.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    energy, motion = np.zeros(inside.shape), np.zeros(inside.shape)
    for before, after in zip(grey[:-1], grey[1:], strict=True):
        flow = dis.calc(before, after, None)
        energy += (flow**2).sum(-1)
        motion += np.sqrt((flow**2).sum(-1))
    motion *= 100 / SIDE / (len(grey) - 1)
    total = energy.sum()
    error = ((frames[0].astype(np.float64) - painting) ** 2).mean()
    series = np.stack(grey).astype(np.float32)
    some = frames[:: max(1, len(frames) // 8)]
    wobble = np.abs(series[2:] - 2 * series[1:-1] + series[:-2]).mean(0)
    return {
        "share": float(energy[inside].sum() / total) if total > 1e-6 else 0.0,
        "inside": float(motion[inside].mean()),
        "outside": float(motion[~inside].mean()) if (~inside).any() else 0.0,
        "psnr": min(60.0, 10 * math.log10(255**2 / max(error, 1e-9))),
        "detail": float(np.mean([_gradient(f) for f in some]) / _gradient(painting)),
        "flicker": float(wobble[~inside].mean()) if (~inside).any() else 0.0,
    }  # fmt: skip


def _gradient(picture: np.ndarray) -> float:
    grey = picture.astype(np.float32).mean(-1)
    return float((np.diff(grey, axis=0) ** 2).mean() + (np.diff(grey, axis=1) ** 2).mean())


class Runner:
    """One backend and one proxy, run through the paper's method arm by arm; stages are shared."""

    def __init__(self, backend: str, proxy: str, weights: Path | None, threads: int) -> None:
        import torch

        from awaken.backends import BACKENDS
        from awaken.backends.miniature import MiniatureBackend
        from awaken.memo import Memo
        from awaken.proxies import PROXIES
        from awaken.proxies.miniature import MiniatureProxy
        from awaken.residence import fast_bfloat16, pick_device

        torch.set_num_threads(threads)
        device = pick_device()
        dtype = torch.bfloat16 if fast_bfloat16(device) else torch.float32
        # A folder of the training program stands in for what is shipped, parts that it has.
        own = weights is not None
        self.backend = (
            MiniatureBackend(device, dtype, weights)
            if own and backend == "miniature"
            else BACKENDS[backend].load(device, dtype)
        )
        self.proxy = (
            MiniatureProxy(device, dtype, weights)
            if own and proxy == "miniature" and (weights / "proxy.json").exists()
            else PROXIES[proxy].load(device, dtype)
        )
        self.memo = Memo(1 << 28)

    def video(self, request: Request) -> tuple[np.ndarray, np.ndarray]:
        """(frames, painting as it was worked on) of the request's arm."""
        import torch

        from awaken.method import awaken
        from awaken.painting import to_size
        from awaken.plan import Plan
        from awaken.sampling import Outcome
        from awaken.settings import resolve

        request = resolve(request, self.backend.spec, self.proxy.spec)
        height, width = request.painting.shape[:2]
        painting = to_size(
            request.painting, *self.backend.working_size(width, height, request.size)
        )
        plan = Plan.of(request, painting, self.backend, self.proxy.spec, self.proxy.weights_id)
        with torch.inference_mode():
            run = awaken(self.backend, lambda: self.proxy, request, painting, plan, self.memo)
            baseline, awakened = Outcome(run).finish()
            z = baseline if request.variant == "baseline" else awakened
            return self.backend.decode(z, painting), painting


def region_of(polygons: Sequence, height: int, width: int) -> np.ndarray:
    """Polygons in percent -> (height, width) bool."""
    from awaken.miniature.training.labels import rasterise

    return rasterise(polygons, width, height) > 0


def run(args: argparse.Namespace) -> None:
    """Measure what is not measured yet, until the minutes are spent."""
    from awaken.painting import open_painting

    args.out.mkdir(parents=True, exist_ok=True)
    rows_file = args.out / "rows.jsonl"
    done = {(r["pair"], r["seed"], r["arm"]) for r in read_rows(rows_file)}
    pairs = json.loads(args.pairs.read_text())
    wanted = list(_order(len(pairs), args.seeds, args.arms))
    missing = [w for w in wanted if w not in done]
    log.info("%d of %d videos are measured already", len(wanted) - len(missing), len(wanted))
    if not missing:
        return
    runner = Runner(args.backend, args.proxy, args.weights, args.threads)
    end = time.monotonic() + 60 * args.minutes
    for index, seed, arm in missing:
        if time.monotonic() > end:
            log.info("the time is spent; run the same command again to go on")
            return
        pair = pairs[index]
        request = Request(
            painting=open_painting(args.paintings / pair["painting"]),
            prompt=pair["prompt"],
            backend=args.backend,
            proxy=args.proxy,
            variant=arm,
            seed=seed,
            size=args.size,
            guidance=args.guidance,
            motion=args.motion,
            p=args.p,
            re_noise=args.re_noise,
            proxy_strength=args.proxy_strength,
        )
        started = time.monotonic()
        frames, painting = runner.video(request)
        region = region_of(pair["polygons"], *painting.shape[:2])
        row = {"pair": index, "seed": seed, "arm": arm}
        row |= measure(frames, painting, region)
        row["seconds"] = round(time.monotonic() - started, 2)
        with rows_file.open("a") as file:
            file.write(json.dumps({k: _short(v) for k, v in row.items()}) + "\n")
        if seed == FIRST_SEED and arm in ("baseline", "+V&S"):
            _keep_strip(
                args.out / "strips" / f"{index:02d}{'b' if arm == 'baseline' else 'm'}.jpg", frames
            )
        log.info("%s", row)


FIRST_SEED = 42


def _order(pairs: int, seeds: int, arms: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Seed by seed, so that a run cut short has all pairs; an arm's stages follow each other."""
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        for pair in range(pairs):
            for arm in arms:
                yield pair, seed, arm


def _short(value):
    return round(value, 5) if isinstance(value, float) else value


def _keep_strip(path: Path, frames: np.ndarray, count: int = 8, width: int = 200) -> None:
    """Eight frames side by side, for the contact sheet."""
    from PIL import Image

    path.parent.mkdir(exist_ok=True)
    chosen = frames[np.linspace(0, len(frames) - 1, count).round().astype(int)]
    height = round(width * frames.shape[1] / frames.shape[2])
    strip = Image.new("RGB", (count * width, height))
    for i, frame in enumerate(chosen):
        strip.paste(Image.fromarray(frame).resize((width, height), Image.LANCZOS), (i * width, 0))
    strip.save(path, quality=88)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Measure the miniature on paintings it never saw.")
    parser.add_argument("--paintings", type=Path, required=True, help="folder of the paintings")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, default=PAIRS)
    parser.add_argument("--backend", default="miniature", help="a registered backend")
    parser.add_argument(
        "--weights", type=Path, help="a training folder, instead of the shipped weights"
    )
    parser.add_argument("--proxy", default="miniature", help="a registered proxy")
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=ARMS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--guidance", type=float, help="the same in all arms; default the model's")
    parser.add_argument("--motion", type=float)
    parser.add_argument("--p", type=float, default=Request.p)
    parser.add_argument("--re-noise", type=float, default=Request.re_noise)
    parser.add_argument("--proxy-strength", type=float, help="default the proxy's")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    run(args)
    notes = {
        "backend": args.backend, "proxy": args.proxy, "size": args.size,
        "guidance": args.guidance or "the model's default",
        "motion": args.motion or "the model's default", "p": args.p, "re-noise": args.re_noise,
        "proxy strength": args.proxy_strength or "the proxy's default",
    }  # fmt: skip
    print(write_up(args.out, json.loads(args.pairs.read_text()), notes))


if __name__ == "__main__":
    main()
