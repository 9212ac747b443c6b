"""``python -m awaken.miniature.report --paintings DIR --out DIR``: what the miniature moves, measured.

Every pair of painting and prompt in ``report_pairs.json`` names a region by polygons; every arm of
Table 1 runs on it with the same seeds and the same guidance. All is measured on decoded pixels,
never on the model's own latents: optical flow (OpenCV DIS: Kroeger et al., ECCV 2016) between
consecutive frames at 256 pixels, short side. Nothing here chooses a setting; settings were chosen
on other paintings (``train.HELD_OUT``).

A row is written as soon as it is measured; started again, the program goes on with what is missing.
Needs opencv-python beside Awaken's own requirements.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np

from awaken.types import VARIANTS, Request

log = logging.getLogger(__name__)

PAIRS = Path(__file__).with_name("report_pairs.json")
SIDE = 256
ARMS: tuple[str, ...] = tuple(VARIANTS)
# measure -> (label, the target, whether more is better)
MEASURES: dict[str, tuple[str, float | None, bool]] = {
    "share": ("share of flow energy inside the region", 0.75, True),
    "inside": ("motion inside, % of the short side per frame", 0.4, True),
    "outside": ("motion outside, % of the short side per frame", 0.1, False),
    "psnr": ("frame 0 against the painting, dB", 35.0, True),
    "detail": ("gradient energy against the painting's", 0.9, True),
    "flicker": ("flicker outside, grey levels", None, False),
}


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
    wobble = np.abs(series[2:] - 2 * series[1:-1] + series[:-2]).mean(0)
    return {
        "share": float(energy[inside].sum() / total) if total > 1e-6 else 0.0,
        "inside": float(motion[inside].mean()),
        "outside": float(motion[~inside].mean()) if (~inside).any() else 0.0,
        "psnr": min(60.0, 10 * math.log10(255**2 / max(error, 1e-9))),
        "detail": float(np.mean([_gradient(f) for f in frames[:: max(1, len(frames) // 8)]]) / _gradient(painting)),
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
        from awaken.backends.layered import LayeredBackend
        from awaken.residence import fast_bfloat16, pick_device
        from awaken.memo import Memo
        from awaken.proxies import PROXIES
        from awaken.proxies.layered import LayeredProxy

        torch.set_num_threads(threads)
        device = pick_device()
        dtype = torch.bfloat16 if fast_bfloat16(device) else torch.float32
        if backend == "layered":
            self.backend = LayeredBackend(device, dtype, weights)
        else:
            self.backend = BACKENDS[backend].load(device, dtype)
        if proxy == "layered":
            self.proxy = LayeredProxy(device, dtype, weights)
        else:
            self.proxy = PROXIES[proxy].load(device, dtype)
        self.memo = Memo(1 << 28)

    def video(self, request: Request) -> tuple[np.ndarray, np.ndarray]:
        """(frames, painting as it was worked on) of the request's arm."""
        import torch

        from awaken.settings import resolve
        from awaken.method import awaken
        from awaken.painting import to_size
        from awaken.plan import Plan

        request = resolve(request, self.backend.spec, self.proxy.spec)
        height, width = request.painting.shape[:2]
        painting = to_size(
            request.painting, *self.backend.working_size(width, height, request.size)
        )
        plan = Plan.of(request, painting, self.backend, self.proxy.spec, self.proxy.weights_id)
        with torch.inference_mode():
            run = awaken(self.backend, lambda: self.proxy, request, painting, plan, self.memo)
            try:
                while True:
                    next(run)
            except StopIteration as end:
                baseline, awakened = end.value
            z = baseline if request.variant == "baseline" else awakened
            return self.backend.decode(z, painting), painting


def region_of(polygons: Sequence, height: int, width: int) -> np.ndarray:
    """Polygons in percent -> (height, width) bool."""
    from awaken.miniature.labels import rasterise

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
            _keep_strip(args.out / "strips" / f"{index:02d}{'b' if arm == 'baseline' else 'm'}.jpg", frames)
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


def read_rows(path: Path) -> list[dict]:
    """The rows measured so far; a last line that was cut off by a stop is ignored."""
    rows = []
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            log.warning("%s ends in a broken line; that video is measured again", path)
    return rows


def summarise(rows: Sequence[Mapping]) -> dict[str, dict[str, dict[str, float]]]:
    """arm -> measure -> median over pairs of the mean over seeds, its quartiles, and the median over
    pairs of the standard deviation over seeds."""
    out: dict[str, dict[str, dict[str, float]]] = {}
    for arm in ARMS:
        mine = [r for r in rows if r["arm"] == arm]
        if not mine:
            continue
        out[arm] = {}
        for name in MEASURES:
            by_pair: dict[int, list[float]] = {}
            for r in mine:
                by_pair.setdefault(r["pair"], []).append(r[name])
            means = [statistics.fmean(v) for v in by_pair.values()]
            low, middle, high = (float(q) for q in np.quantile(means, (0.25, 0.5, 0.75)))
            spread = statistics.median(statistics.pstdev(v) for v in by_pair.values())
            out[arm][name] = {"median": middle, "low": low, "high": high, "seeds": spread}
    return out


def better_pairs(rows: Sequence[Mapping], arm: str, other: str = "baseline") -> dict[str, float]:
    """Share of pairs in which ``arm`` has more motion inside, a higher share inside, or either.

    Compared are means over the seeds that both arms have.
    """
    values: dict[tuple[int, str], dict[int, Mapping]] = {}
    for r in rows:
        values.setdefault((r["pair"], r["arm"]), {})[r["seed"]] = r
    wins = {"inside": 0, "share": 0, "either": 0}
    count = 0
    for pair in {p for p, a in values if a == arm}:
        mine, theirs = values[pair, arm], values.get((pair, other), {})
        seeds = mine.keys() & theirs.keys()
        if not seeds:
            continue
        count += 1
        more = {
            name: sum(mine[s][name] for s in seeds) > sum(theirs[s][name] for s in seeds)
            for name in ("inside", "share")
        }
        wins["inside"] += more["inside"]
        wins["share"] += more["share"]
        wins["either"] += more["inside"] or more["share"]
    return {name: n / count for name, n in wins.items()} if count else {}


def write_up(out: Path, pairs: Sequence[Mapping], notes: Mapping[str, object]) -> str:
    """report.md, report.svg and sheet.jpg from the rows; returns the text."""
    rows = read_rows(out / "rows.jsonl")
    summary = summarise(rows)
    seeds = len({r["seed"] for r in rows})
    lines = ["# What the miniature moves", ""]
    lines += [f"{len({r['pair'] for r in rows})} pairs of painting and prompt, {seeds} seeds. "
              + ", ".join(f"{k} {v}" for k, v in notes.items()) + ".", ""]  # fmt: skip
    lines += ["Medians over pairs (quartiles; ± median standard deviation over seeds).", ""]
    lines += ["| measure | target | " + " | ".join(summary) + " |", "|---" * (len(summary) + 2) + "|"]
    for name, (label, target, more) in MEASURES.items():
        goal = "" if target is None else f"{'≥' if more else '≤'} {target:g}"
        cells = [
            "{median:.3g} ({low:.2g} to {high:.2g}; ± {seeds:.2g})".format(**summary[arm][name])
            for arm in summary
        ]
        lines.append(f"| {label} | {goal} | " + " | ".join(cells) + " |")
    lines += ["", "Share of pairs in which an arm beats the baseline:", ""]
    lines += ["| arm | motion inside | share inside | either |", "|---|---|---|---|"]
    for arm in summary:
        wins = better_pairs(rows, arm) if arm != "baseline" else {}
        if wins:
            lines.append(f"| {arm} | {wins['inside']:.0%} | {wins['share']:.0%} | {wins['either']:.0%} |")
    lines += ["", "| pair | " + " | ".join(f"{arm} inside / share" for arm in summary) + " |"]
    lines += ["|---" * (len(summary) + 1) + "|"]
    for index in sorted({r["pair"] for r in rows}):
        pair = pairs[index]
        cells = []
        for arm in summary:
            mine = [r for r in rows if r["pair"] == index and r["arm"] == arm]
            cells.append(
                f"{statistics.fmean(r['inside'] for r in mine):.2f} / "
                f"{statistics.fmean(r['share'] for r in mine):.2f}" if mine else ""
            )  # fmt: skip
        lines.append(f"| {pair['painting']}: {pair['prompt']} | " + " | ".join(cells) + " |")
    text = "\n".join(lines) + "\n"
    (out / "report.md").write_text(text)
    (out / "report.svg").write_text(plot(rows))
    _sheet(out)
    return text


def plot(rows: Sequence[Mapping]) -> str:
    """An SVG: one panel per measure, one column of dots (pairs, mean over seeds) per arm, medians."""
    summary = summarise(rows)
    panel, height, margin = 250, 190, 34
    parts = []
    for i, (name, (label, target, _)) in enumerate(MEASURES.items()):
        left, top = (i % 3) * panel, (i // 3) * (height + 40)
        points = {
            arm: [
                statistics.fmean(r[name] for r in rows if r["arm"] == arm and r["pair"] == pair)
                for pair in sorted({r["pair"] for r in rows if r["arm"] == arm})
            ]
            for arm in summary
        }
        flat = [v for values in points.values() for v in values] + ([target] if target else [])
        low, high = min([0.0, *flat]) if name != "psnr" else min(flat), max(flat) or 1.0
        span = (high - low) or 1.0

        def y(value: float, low=low, span=span, top=top) -> float:
            return top + margin + (height - margin - 20) * (1 - (value - low) / span)

        parts.append(f'<text x="{left + 4}" y="{top + 16}" font-size="11">{escape(label)}</text>')
        for value in (low, high):
            parts.append(f'<text x="{left + 2}" y="{y(value) + 3:.1f}" font-size="9">{value:.2g}</text>')
        if target is not None:
            parts.append(
                f'<line x1="{left + 30}" x2="{left + panel - 8}" y1="{y(target):.1f}" '
                f'y2="{y(target):.1f}" stroke="#a33" stroke-dasharray="4 3"/>'
            )
        step = (panel - 46) / max(1, len(points))
        for k, (arm, values) in enumerate(points.items()):
            x = left + 38 + step * (k + 0.5)
            for n, value in enumerate(values):
                shift = (n % 5 - 2) * step / 14
                parts.append(
                    f'<circle cx="{x + shift:.1f}" cy="{y(value):.1f}" r="2.4" fill="#357" fill-opacity=".45"/>'
                )
            middle = y(statistics.median(values))
            parts.append(
                f'<line x1="{x - step / 3:.1f}" x2="{x + step / 3:.1f}" y1="{middle:.1f}" '
                f'y2="{middle:.1f}" stroke="#000" stroke-width="2"/>'
            )
            parts.append(
                f'<text x="{x:.1f}" y="{top + height + 4}" font-size="9" text-anchor="middle">'
                f"{escape(arm)}</text>"
            )
    total = (len(MEASURES) + 2) // 3 * (height + 40)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {3 * panel} {total}" '
        'font-family="sans-serif"><rect width="100%" height="100%" fill="#fff"/>'
        + "".join(parts)
        + "</svg>\n"
    )


def _sheet(out: Path) -> None:
    """sheet.jpg: per pair the baseline's frames over the method's."""
    from PIL import Image

    strips = [Image.open(p) for p in sorted((out / "strips").glob("*.jpg"))]
    if not strips:
        return
    width = max(s.width for s in strips)
    sheet = Image.new("RGB", (width, sum(s.height + 3 for s in strips)))
    top = 0
    for strip in strips:
        sheet.paste(strip, (0, top))
        top += strip.height + 3
    sheet.save(out / "sheet.jpg", quality=80)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Measure the miniature on paintings it never saw.")
    parser.add_argument("--paintings", type=Path, required=True, help="folder of the paintings")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, default=PAIRS)
    parser.add_argument("--backend", default="miniature", help="a registered backend, or layered")
    parser.add_argument("--weights", type=Path, help="folder of the layered miniature's weights")
    parser.add_argument("--proxy", default="miniature", help="a registered proxy, or layered")
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=ARMS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--guidance", type=float, help="the same in all arms; default the model's")
    parser.add_argument("--motion", type=float)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    run(args)
    notes = {
        "backend": args.backend, "proxy": args.proxy, "size": args.size,
        "guidance": args.guidance or "the model's default",
    }  # fmt: skip
    print(write_up(args.out, json.loads(args.pairs.read_text()), notes))


if __name__ == "__main__":
    main()
