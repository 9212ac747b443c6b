"""What an evaluation decides where the paper is silent; written beside every number."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from awaken.types import ModelError, RequestError

CLIP_FPS = 8  # a real clip is frames at this rate from its beginning
# Sec. 4.1: 512 x 512, but Cinemo 512 x 320 (width x height).
CLIP_SIZES: Mapping[str, tuple[int, int]] = {"cinemo": (512, 320)}

RULES = (
    "Condition: the pair's image, else frame 0 of its real clip.",
    f"Real clip: as many frames as are made, at {CLIP_FPS} a second from its beginning, the short "
    "side resized and the middle cut to the video's size.",
    "MSR-VTT: ids sorted as text, drawn by random.Random(42).sample; the first caption of each.",
    "Every video is made alone (no batch), so that it does not depend on what was made before it, "
    "and is kept without loss; all arms of a pair share painting, seed and guidance.",
)


@dataclass(frozen=True)
class Protocol:
    """The decisions behind the videos of one folder.

    Attributes:
        backend, proxy: keys of ``BACKENDS`` and ``PROXIES``.
        data, pairs, fingerprint: the manifest's name, how many pairs, and their hash.
        seed: of every run whose pair names none (the paper: 42).
        frames: of every video; width, height: where the condition is a clip's frame, an image
            keeps its shape at that area.
        settings: of every arm, where they are not the model's own.
        software: versions that a number may depend on.
    """

    backend: str
    proxy: str
    data: str
    pairs: int
    fingerprint: str
    seed: int
    frames: int
    width: int
    height: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    software: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[str, ...] = RULES

    def sentence(self) -> str:
        """One line for tables and figures."""
        given = ", ".join(f"{k} {v}" for k, v in self.settings.items())
        return (
            f"{self.backend}, proxy {self.proxy}; {self.pairs} pairs of {self.data} "
            f"({self.fingerprint}); {self.frames} frames, seed {self.seed}"
            + (f"; {given}" if given else "")
        )


def software() -> dict[str, str]:
    """Versions of what makes the numbers."""
    from importlib.metadata import version

    from awaken import __version__

    names = ("torch", "diffusers", "transformers")
    return {"awaken": __version__} | {name: version(name) for name in names}


def keep(protocol: Protocol, out: Path) -> None:
    """Write ``out/protocol.json``, or make sure that it says the same.

    Raises:
        RequestError: the folder belongs to another protocol.
    """
    path = out / "protocol.json"
    if not path.exists():
        write_text(path, json.dumps(asdict(protocol), indent=2) + "\n")
    before, now = asdict(load(out)), json.loads(json.dumps(asdict(protocol)))
    before = json.loads(json.dumps(before))
    differing = [name for name in now if now[name] != before[name]]
    if differing:
        name = differing[0]
        raise RequestError(
            f"{str(out)!r} holds an evaluation with another {name} ({before[name]!r}, now "
            f"{now[name]!r}): numbers compare within one protocol only. Choose another --out."
        )


def keep_models(settings: Mapping[str, Any], out: Path) -> None:
    """Make sure that every video comes from the same weights, at the same precision.

    Raises:
        ModelError: the folder's other videos do not.
    """
    path = out / "model.json"
    now = {name: settings.get(name) for name in ("weights", "dtype")}
    if not path.exists():
        write_text(path, json.dumps(now) + "\n")
    before = json.loads(path.read_text("utf-8"))
    if before != now:
        raise ModelError(
            f"The videos in {str(out)!r} come from other weights or another precision ({before}, "
            f"now {now}): choose another --out."
        )


def load(out: Path) -> Protocol:
    """The folder's protocol. Raises RequestError where there is none."""
    try:
        kept = json.loads((out / "protocol.json").read_text("utf-8"))
        kept["rules"] = tuple(kept["rules"])
        return Protocol(**{f.name: kept[f.name] for f in fields(Protocol)})
    except (OSError, ValueError, KeyError, TypeError):
        raise RequestError(
            f"{str(out)!r} holds no evaluation: begin with `python -m awaken.evaluate run`."
        ) from None


def write_text(path: Path, text: str) -> None:
    """All of a file or nothing: two processes may write the same one."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
