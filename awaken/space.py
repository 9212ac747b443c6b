"""Hugging Face Spaces: the engine behind ZeroGPU, and ``python -m awaken.space check``.

One generator of events, two ways to drive it. On one's own GPU or CPU ``Driver.animate`` is the
engine's. On ZeroGPU the same generator runs inside ``spaces.GPU``, which forks a process that has the
GPU for a declared time; requests go in and events come out pickled, so both hold only numpy arrays.
The declared time is charged against the visitor's daily quota: ``Driver.seconds`` says it from the
settings, with speeds that every finished run corrects, and the page can show it before the click.

What ZeroGPU needs, and where it is done: ``spaces`` is imported before torch, and the models go to
"cuda" in the importing thread, before the server starts (``prepare``; spaces emulates CUDA only
there). A visitor's Stop is seen between two events, so every step is one. The memo of a fork ends with
it: stages are reused only while the same worker lives.
"""

from __future__ import annotations

import argparse
import logging
import math
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from awaken.backends import BACKENDS
from awaken.engine import Engine
from awaken.proxies import PROXIES
from awaken.types import Event, Failed, Request, Result
from awaken.vsds import distilled_steps

log = logging.getLogger(__name__)

MARGIN = 1.25  # the declared time over the expected one; a run that is cut short is worth nothing
SHORTEST = 10  # s; forking and moving the weights alone take some
START = 5.0  # s until the fork has the weights on the GPU
_UNIT = 512 * 512 * 16  # pixels times frames that speeds refer to

# Seconds per evaluation, per decoded video and per load, for 16 frames of 512 x 512 pixels, until a
# run on this machine has told better. The miniature's on a CPU were measured (two slow cores); those
# on a GPU are guesses on the high side.
_CPU = {"miniature": (0.2, 5.0, 2.0), "premise": (0.2, 5.0, 2.0)}
_GPU = {
    "miniature": (0.05, 1.0, 2.0),
    "premise": (0.05, 1.0, 2.0),
    "animate_anything": (0.6, 3.0, 20.0),
    "consisti2v": (0.9, 3.0, 25.0),
    "cinemo": (0.6, 3.0, 20.0),
}
_OTHER = (1.0, 4.0, 30.0)
_CPU_TIMES = 60.0  # how much slower a CPU is, where nothing is known
_PROXY, _PROXY_SMALL = 15.0, 3.0  # s for a proxy image: a large model's, the miniature's


def on_zero_gpu() -> bool:
    """Whether this process runs in a ZeroGPU Space (the variable that ``spaces`` itself reads)."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def prepare() -> Driver | None:
    """On ZeroGPU the driver with its models in place, else None.

    Call it in the main thread before torch is imported and before the server starts.
    """
    if not on_zero_gpu():
        return None
    if "torch" in sys.modules:
        raise RuntimeError("On ZeroGPU the package spaces has to be imported before torch.")
    import spaces

    driver = Driver(gpu=spaces.GPU)
    driver.load()
    return driver


def evaluations(settings: Mapping[str, Any]) -> int:
    """Network evaluations of a run from scratch, as ``Engine.cost`` counts them, without the model.

    settings: of ``Request``; None is the model's default. A schedule that starts later than its
    first step (zero terminal SNR) needs fewer.
    """
    spec = BACKENDS.get(settings["backend"])
    steps = int(settings.get("steps") or (spec.steps if spec else 25))
    variant = settings["variant"]
    if variant == "baseline":
        return steps
    tau = distilled_steps(steps, settings["p"]) if "V" in variant else 0
    fuses = "S" in variant or "U" in variant
    if not tau and not fuses:
        return steps
    final = max(1, round(steps * settings["re_noise"]))
    return steps + final + tau * (2 if fuses else 1)


class Pace:
    """How long things take on this machine: guesses at first, then what finished runs said."""

    def __init__(self, device: str):
        self._device = device
        self._margin = MARGIN
        self._known: dict[str, tuple[float, float, float]] = {}
        self._proxies: dict[str, float] = {}

    def seconds(self, settings: Mapping[str, Any]) -> float:
        """Expected duration of a run with these settings (of ``Request``), with its margin."""
        step, decode, load = self._of(settings["backend"])
        spec = BACKENDS.get(settings["backend"])
        size = settings.get("size") or (spec.size if spec else 512)
        frames = settings.get("frames") or (spec.frames if spec else 16)
        units = size * size * frames / _UNIT
        work = evaluations(settings) * step * units + 2 * decode * units
        return self._margin * (load + self._proxy(settings["proxy"]) + work)

    def learn(self, result: Result) -> None:
        """Take over what a finished run measured; phases that came from the memo say nothing."""
        settings, spent = result.settings, result.timings
        if not result.evaluations or result.evaluations < result.evaluations_from_scratch:
            return
        units = settings["width"] * settings["height"] * settings["frames"] / _UNIT
        steps = (spent.get("distil", 0.0) + spent.get("denoise", 0.0)) / result.evaluations / units
        measured = (steps, spent.get("decode", 0.0) / 2 / units, spent.get("load", 0.0))
        before = self._known.get(settings["backend"])
        # half of the news: one run on a busy machine should not price all others
        self._known[settings["backend"]] = (
            tuple((a + b) / 2 for a, b in zip(before, measured, strict=True))
            if before
            else measured
        )
        self._proxies[settings["proxy"]] = spent.get("proxy", 0.0)

    def too_short(self) -> None:
        """A run was cut off at its declared time: ask for more from now on."""
        self._margin = min(4.0, 1.5 * self._margin)

    def _of(self, backend: str) -> tuple[float, float, float]:
        if backend in self._known:
            return self._known[backend]
        if self._device != "cpu":
            return _GPU.get(backend, _OTHER)
        step, decode, load = _GPU.get(backend, _OTHER)
        return _CPU.get(backend, (_CPU_TIMES * step, _CPU_TIMES * decode, load))

    def _proxy(self, proxy: str) -> float:
        if proxy in self._proxies:
            return self._proxies[proxy]
        spec = PROXIES.get(proxy)
        if spec is not None and spec.family == "given":
            return 0.0
        if proxy == "miniature":
            return _PROXY_SMALL
        return _PROXY * (_CPU_TIMES if self._device == "cpu" else 1)


class Driver(Engine):
    """The engine on whatever machine a Space has: the same methods, the same events.

    gpu: ``spaces.GPU`` on ZeroGPU (or its stand-in in tests); None where the device is one's own.
    Other arguments are the engine's.
    """

    def __init__(self, gpu: Callable[..., Callable] | None = None, **engine: Any):
        super().__init__(**engine)
        self.speed = Pace(self.device.type)
        self._home = os.getpid()

        def work(request: Request) -> Iterator[Event]:
            if (
                os.getpid() != self._home
            ):  # in the fork: nobody there would ever release a held lock
                self._lock = threading.Lock()
            yield from Engine.animate(self, request)

        self.rented = gpu is not None
        self._work = gpu(duration=self.declared)(work) if gpu else work

    def load(self, backend: str = "miniature", proxy: str = "miniature") -> None:
        """``Engine.load``, and both on the device where they fit: a fork then finds them there."""
        super().load(backend, proxy)
        self._residence.activate("backend")

    def seconds(self, settings: Mapping[str, Any]) -> int:
        """Whole seconds that a run with these settings of ``Request`` should need here."""
        started = START if self.rented else 0.0
        return max(1, math.ceil(started + self.speed.seconds(settings)))

    def declared(self, request: Request) -> int:
        """Seconds of GPU that a run asks ZeroGPU for."""
        return self.asks(request.settings())

    def asks(self, settings: Mapping[str, Any]) -> int:
        """The same from its settings alone, before there is a request."""
        return max(SHORTEST, self.seconds(settings))

    def animate(self, request: Request) -> Iterator[Event]:
        """``Engine.animate`` on this machine; trouble of ZeroGPU's comes as Failed as well."""
        try:
            with closing(self._work(request)) as events:
                for event in events:
                    if isinstance(event, Result):
                        self.speed.learn(event)
                    yield event
        except Exception as error:  # noqa: BLE001 - spaces raises Gradio's errors, and others
            yield self._failed(error, request)

    def _failed(self, error: Exception, request: Request) -> Failed:
        said = _plain(str(getattr(error, "message", "") or error))
        if "quota" in said.lower():
            return Failed(
                "quota",
                f"This run asks for {self.declared(request)} s of GPU, which is more than your quota has "
                f"left. Fewer steps, a smaller size or p = 0 need less. Hugging Face says: {said}",
            )
        if "aborted" in said.lower():
            self.speed.too_short()
            return Failed(
                "quota",
                "The GPU was taken back before the run was done. Press Awaken again: it will ask for "
                f"{self.declared(request)} s now.",
            )
        log.error("the run could not be driven", exc_info=error)
        return Failed("internal", f"The GPU could not be used ({said or type(error).__name__}).")


def _plain(text: str) -> str:
    """Without markup: messages of ``spaces`` may hold links."""
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())[:300]


# The check. What ZeroGPU and the Hub accept, as their documentation and error messages say (2026-08).

ZERO_PYTHONS = ("3.12.12", "3.10.13")
ZERO_TORCHES = ("2.8.0", "2.9.1", "2.10.0", "2.11.0")
PYTHONS = ("3.11", "3.12")  # what the code and its packages run on
COLOURS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
KEYS = (
    "title", "emoji", "colorFrom", "colorTo", "sdk", "sdk_version", "python_version", "app_file",
    "short_description", "license",
)  # fmt: skip
MAX_SHORT = 60  # characters of short_description
MAX_PLAIN_FILE = 10_000_000  # bytes; git may push larger files only through LFS or Xet
MAX_SPACE = 1_000_000_000  # bytes of a Space's repository that is still quick to build


@dataclass(frozen=True)
class Finding:
    """One sentence of the check: ``fine``, ``note`` (worth knowing), or ``wrong``."""

    tone: Literal["fine", "note", "wrong"]
    sentence: str


def check(folder: Path, zero_gpu: bool = False) -> list[Finding]:
    """Everything that can be known of a Space before it is pushed.

    ``zero_gpu``: judge what only ZeroGPU is strict about, instead of noting it.
    """
    findings: list[Finding] = []
    strict: Literal["note", "wrong"] = "wrong" if zero_gpu else "note"
    front = _front_matter(folder, findings)
    needed = _requirements(folder, findings)
    if front:
        findings += _check_front(folder, front)
        findings += _check_gradio(front, needed)
        findings += _check_python(front, strict)
    findings += _check_torch(needed, strict)
    findings += _check_sizes(folder)
    return findings


def _front_matter(folder: Path, findings: list[Finding]) -> dict[str, Any]:
    import yaml

    path = folder / "README.md"
    parts = path.read_text("utf-8").split("---\n") if path.is_file() else []
    if len(parts) < 3 or parts[0]:
        findings.append(
            Finding("wrong", "README.md does not begin with front matter between --- lines.")
        )
        return {}
    try:
        front = yaml.safe_load(parts[1])
    except yaml.YAMLError as error:
        front, said = None, " ".join(str(error).split())
        findings.append(Finding("wrong", f"The front matter of README.md is not YAML: {said}."))
        return {}
    if not isinstance(front, dict):
        findings.append(Finding("wrong", "The front matter of README.md is not a list of keys."))
        return {}
    return front


def _check_front(folder: Path, front: Mapping[str, Any]) -> Iterator[Finding]:
    missing = [key for key in KEYS if not front.get(key)]
    if missing:
        yield Finding("wrong", f"The front matter lacks {', '.join(missing)}.")
    else:
        yield Finding("fine", "The front matter has every key that a Space needs.")
    for key in ("colorFrom", "colorTo"):
        if front.get(key) and front[key] not in COLOURS:
            yield Finding(
                "wrong", f"{key} is {front[key]}; it must be one of {', '.join(COLOURS)}."
            )
    if front.get("sdk") and front["sdk"] != "gradio":
        yield Finding("wrong", f"sdk is {front['sdk']}; this is a gradio Space.")
    if front.get("header", "default") not in ("mini", "default"):
        yield Finding("wrong", "header must be mini or default.")
    if front.get("emoji") and re.search(r"[\w\s]", str(front["emoji"])):
        yield Finding("wrong", "emoji must be an emoji and nothing else.")
    short = str(front.get("short_description") or "")
    if len(short) > MAX_SHORT:
        yield Finding(
            "wrong", f"short_description has {len(short)} characters; {MAX_SHORT} is the most."
        )
    app = str(front.get("app_file") or "")
    if app and not (folder / app).is_file():
        yield Finding("wrong", f"app_file is {app}, and there is no such file.")


def _check_gradio(front: Mapping[str, Any], needed: Mapping[str, Any]) -> Iterator[Finding]:
    from packaging.version import InvalidVersion, Version

    stated = front.get("sdk_version")
    if not stated:
        return
    try:
        version = Version(stated if isinstance(stated, str) else "")
    except InvalidVersion:
        yield Finding(
            "wrong", f"sdk_version is {stated!r}; write a version in full, such as 6.31.0."
        )
        return
    wanted = needed.get("gradio")
    if wanted is None:
        yield Finding("wrong", "requirements.txt does not name gradio.")
    elif version not in wanted.specifier:
        yield Finding(
            "wrong",
            f"sdk_version is {version}, but requirements.txt asks for gradio{wanted.specifier}.",
        )
    else:
        yield Finding("fine", f"sdk_version {version} is within gradio{wanted.specifier}.")
    try:
        installed = metadata.version("gradio")
    except metadata.PackageNotFoundError:
        yield Finding("note", "gradio is not installed here, so no test has run against it.")
        return
    if Version(installed) != version:
        yield Finding(
            "note",
            f"The Space would run gradio {version}; here, and in the tests, it is {installed}.",
        )


def _check_python(front: Mapping[str, Any], strict: Literal["note", "wrong"]) -> Iterator[Finding]:
    stated = front.get("python_version")
    if not stated:
        return
    if not isinstance(stated, str):
        yield Finding("wrong", "Put python_version in quotes: YAML reads it as a number.")
    elif ".".join(stated.split(".")[:2]) not in PYTHONS:
        yield Finding(
            "wrong", f"python_version is {stated}; this demo runs on {' and '.join(PYTHONS)}."
        )
    elif stated not in ZERO_PYTHONS:
        yield Finding(
            strict,
            f"python_version is {stated}; ZeroGPU offers {' and '.join(ZERO_PYTHONS)}: write 3.12.12.",
        )
    else:
        yield Finding("fine", f"Python {stated} runs the demo, on ZeroGPU too.")


def _requirements(folder: Path, findings: list[Finding]) -> dict[str, Any]:
    from packaging.requirements import InvalidRequirement, Requirement

    path = folder / "requirements.txt"
    if not path.is_file():
        findings.append(Finding("wrong", "There is no requirements.txt."))
        return {}
    needed = {}
    loose = []
    for line in path.read_text("utf-8").splitlines():
        text = line.split("#")[0].strip()
        if not text:
            continue
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            findings.append(Finding("wrong", f"requirements.txt: {text} is no plain requirement."))
            continue
        needed[requirement.name.lower()] = requirement
        limits = {s.operator for s in requirement.specifier}
        pinned = limits & {"==", "===", "~="}
        if requirement.url or not (pinned or (limits & {"<", "<="} and limits & {">", ">="})):
            loose.append(requirement.name)
    if loose:
        findings.append(
            Finding(
                "wrong",
                f"requirements.txt leaves {', '.join(loose)} without a lower and upper bound.",
            )
        )
    else:
        findings.append(
            Finding("fine", f"All {len(needed)} requirements have bounds on both sides.")
        )
    return needed


def _check_torch(needed: Mapping[str, Any], strict: Literal["note", "wrong"]) -> Iterator[Finding]:
    if "torch" not in needed:
        if needed:
            yield Finding("wrong", "requirements.txt does not name torch.")
        return
    allowed = needed["torch"].specifier
    common = [version for version in ZERO_TORCHES if version in allowed]
    if not common:
        yield Finding(
            "wrong",
            f"torch{allowed} allows none of the versions of ZeroGPU ({', '.join(ZERO_TORCHES)}).",
        )
        return
    yield Finding("fine", f"torch{allowed} includes ZeroGPU's {', '.join(common)}.")
    newer = [f"2.{minor}.0" for minor in range(12, 30) if f"2.{minor}.0" in allowed]
    if newer:
        yield Finding(
            strict,
            f"torch{allowed} also allows {newer[-1]}, which ZeroGPU does not run: in a ZeroGPU Space "
            "write torch>=2.8,<2.12.",
        )


def _check_sizes(folder: Path) -> Iterator[Finding]:
    files = _tracked(folder)
    sizes = {path: path.stat().st_size for path in files if path.is_file()}
    large = [
        path for path, size in sizes.items() if size > MAX_PLAIN_FILE and not _in_lfs(folder, path)
    ]
    if large:
        named = ", ".join(
            f"{path.relative_to(folder)} ({sizes[path] / 1e6:.1f} MB)" for path in large
        )
        yield Finding(
            "note",
            f"The Hub refuses these in a plain git push: {named}. Files above "
            f"{MAX_PLAIN_FILE / 1e6:.0f} MB travel through Xet: hf upload SPACE . --repo-type=space.",
        )
    total = sum(sizes.values())
    if total > MAX_SPACE:
        yield Finding(
            "wrong", f"All files together have {total / 1e9:.1f} GB; keep weights on the Hub."
        )
    else:
        largest = max(sizes.values(), default=0)
        yield Finding(
            "fine", f"{len(sizes)} files, {total / 1e6:.1f} MB, the largest {largest / 1e6:.1f} MB."
        )


def _git(folder: Path, *words: str) -> str | None:
    command = ["git", "-C", str(folder), *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:  # no git here
        return None
    return None if done.returncode else done.stdout


def _tracked(folder: Path) -> list[Path]:
    """What git would push; every file where the folder is no repository."""
    listed = _git(folder, "ls-files", "-z")
    if listed is None:
        return [path for path in folder.rglob("*") if ".git" not in path.parts]
    return [folder / name for name in listed.split("\0") if name]


def _in_lfs(folder: Path, path: Path) -> bool:
    said = _git(folder, "check-attr", "filter", "--", str(path.relative_to(folder))) or ""
    return said.strip().endswith((": lfs", ": xet"))


def main(argv: list[str] | None = None) -> int:
    """The command; returns 0 when nothing is wrong, else 1."""
    parser = argparse.ArgumentParser(
        prog="python -m awaken.space",
        description="Is this folder ready to be a Hugging Face Space?",
    )
    parser.add_argument("command", choices=["check"])
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path(__file__).resolve().parents[1],
        help="the repository (default: this one)",
    )  # fmt: skip
    parser.add_argument(
        "--zero-gpu", action="store_true", help="count what only ZeroGPU is strict about as wrong"
    )
    arguments = parser.parse_args(argv)
    findings = check(arguments.folder.resolve(), arguments.zero_gpu)
    for finding in findings:
        print(f"{finding.tone:>5}: {finding.sentence}")
    wrong = sum(finding.tone == "wrong" for finding in findings)
    print("Ready to be pushed." if not wrong else f"Not ready: {wrong} to repair.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
