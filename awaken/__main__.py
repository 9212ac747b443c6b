"""The same run without a browser: python -m awaken PAINTING "PROMPT" --out DIR.

Writes proxy.png, baseline.mp4, awakened.mp4, side_by_side.mp4 and settings.json (and painting.png
and stacked.mp4, which the page plays) through the same engine as the page: the same seed gives the
same frames. Torch is imported only when a run begins, so that --help is instant.
"""

from __future__ import annotations

import argparse
import io
import math
import os
import sys
from pathlib import Path
from typing import Any

from awaken.backends import BACKENDS
from awaken.engine import Engine, until_result
from awaken.painting import open_mask, open_painting
from awaken.proxies import PROXIES
from awaken.sampling import Outcome
from awaken.setting import Setting
from awaken.types import (
    SETTINGS,
    AwakenError,
    Notice,
    Request,
    RequestError,
    Result,
    Stage,
    Step,
    Waiting,
)

STAGES = {
    "load": "Loading the models",
    "proxy": "Painting the proxy image",
    "distil": "Distilling motion",
    "denoise": "Baseline and awakened",
    "decode": "Decoding",
}
STOPPED = 130  # the shell's convention for Ctrl-C


def main(argv: list[str] | None = None) -> int:
    """Run once; returns 0, 2 (a sentence on stderr says why) or 130 (stopped by Ctrl-C)."""
    for stream in (sys.stdout, sys.stderr):  # a letter that the console lacks ends nothing
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    arguments = _parser().parse_args(argv)
    if arguments.models:
        os.environ["AWAKEN_MODELS"] = arguments.models
    try:
        request = _request(arguments)
        out = arguments.out or Path("outputs") / arguments.painting.stem
        out.mkdir(parents=True, exist_ok=True)
        engine = Engine(device=arguments.device)
        result = _run(engine, request)
        paths = engine.save(result, out, remember_settings=not arguments.no_settings)
    except AwakenError as error:
        print(f"awaken: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"awaken: The videos cannot be written: {error}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("awaken: Stopped; nothing was written.", file=sys.stderr)
        return STOPPED
    for path in paths.values():
        print(path)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m awaken",
        description="Awaken a painting: a picture and a sentence become a video, as the model "
        "alone would make it (baseline) and with the method of Every Painting Awakened.",
        epilog="Settings left out take the chosen model's own defaults.",
    )
    add = parser.add_argument
    add("painting", type=Path, metavar="PAINTING", help="a picture file (JPEG, PNG, WebP, TIFF)")
    add("prompt", metavar="PROMPT", help='what should move, for example "the clouds drift"')
    add("--out", type=Path, metavar="DIR", help="where to write (default: outputs/PAINTING's name)")
    add("--proxy-image", type=Path, metavar="FILE", help="your own proxy image; implies upload")
    add("--mask", type=Path, metavar="FILE", help="a grey picture, light where motion is allowed")
    for name, row in SETTINGS.items():
        if name != "prompt":
            add(row.option(name), dest=name, **_argument(name, row))
    add("--no-settings", action="store_true",
        help="write no settings: neither settings.json nor the videos' own notes")  # fmt: skip
    add("--models", metavar="DIR",
        help="folder with model weights, one folder or tar per model (AWAKEN_MODELS)")  # fmt: skip
    add("--device", choices=["cuda", "mps", "cpu"], help="(default: the best there is)")
    return parser


def _argument(name: str, row: Setting) -> dict[str, Any]:
    """What argparse is told of a setting; what is left out takes the chosen model's own default."""
    text = row.sentence.replace("%", "%%")
    if row.low is not None:
        text += f" {row.low:g} to {row.high:g}."
    if row.kind == "switch":
        return {"action": "store_true", "help": text}
    if row.kind == "options":
        return {"action": "append", "default": [], "metavar": "NAME=X",
                "help": text + " May be repeated."}  # fmt: skip
    if row.default not in (None, ""):
        text += f" (default: {row.default})"
    if row.kind in ("choice", "model"):
        choices = row.choices or {"backend": BACKENDS, "proxy": PROXIES}[name]
        return {"choices": list(choices), "default": row.default, "help": text}
    kinds = {"number": number, "whole": number, "text": str}
    shown = "TEXT" if row.kind == "text" else "X"
    return {"type": kinds[row.kind], "default": row.default, "metavar": shown, "help": text}


def number(text: str) -> float | int:
    """A whole number where it is one; argparse names this function when it is not."""
    value = float(text)
    return int(value) if value.is_integer() else value


def _request(arguments: argparse.Namespace) -> Request:
    """Raises RequestError with a sentence."""
    painting = open_painting(arguments.painting)
    values = {name: getattr(arguments, name) for name in SETTINGS}
    values |= {n: dict(map(_option, values[n])) for n in ("options", "proxy_options")}
    if arguments.proxy_image:
        values |= {"proxy": "upload", "proxy_image": open_painting(arguments.proxy_image)}
    mask = arguments.mask and open_mask(arguments.mask, painting)
    return Request(painting=painting, mask=mask, **values)


def _option(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise RequestError("Write options as NAME=NUMBER; {text!r} is not.", text=text) from None


def _run(engine: Engine, request: Request) -> Result:
    """Show progress on stderr until the result is there. Raises AwakenError when the run fails."""
    from tqdm import tqdm

    form = "{percentage:3.0f}% |{bar:30}| {desc}"
    events = Outcome(until_result(engine.animate(request)))
    with tqdm(total=1.0, bar_format=form, file=sys.stderr) as bar:
        stage = ""
        for event in events:
            if isinstance(event, Notice):
                bar.write(f"Note: {event.text}", file=sys.stderr)
            elif isinstance(event, Waiting):
                bar.set_description_str("Waiting for another run")
            elif isinstance(event, Stage):
                stage = STAGES.get(event.name, event.name)
                bar.set_description_str(stage)
            elif isinstance(event, Step):
                left = event.seconds_left
                left = "" if math.isnan(left) else f", {left:.0f} s left"
                bar.set_description_str(f"{stage}, {event.index} of {event.count}{left}", False)
                bar.update(event.done - bar.n)
        bar.set_description_str(f"Done in {events.value.timings['total']:.1f} s")
    return events.value


if __name__ == "__main__":
    sys.exit(main())
