"""Is this folder fit to be a Hugging Face Space? ``python -m awaken.space check``.

What ZeroGPU and the Hub accept, as their documentation and error messages say (2026-08).
"""

from __future__ import annotations

import argparse
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

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
            f"python_version is {stated}; ZeroGPU offers {' and '.join(ZERO_PYTHONS)}: "
            "write 3.12.12.",
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
            f"torch{allowed} also allows {newer[-1]}, which ZeroGPU does not run: in a ZeroGPU "
            "Space write torch>=2.8,<2.12.",
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
            f"{MAX_PLAIN_FILE / 1e6:.0f} MB travel through Xet: "
            "hf upload SPACE . --repo-type=space.",
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
        "folder", nargs="?", type=Path, default=Path(__file__).resolve().parents[2],
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
