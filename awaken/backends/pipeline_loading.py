"""Released diffusers pipelines from their folders: loading, telling them apart, what they draw."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from awaken import hub
from awaken.types import ModelError


def posterior_generator(seed: int) -> torch.Generator:
    """Posterior samples of a VAE come from a generator of their own, not from the method's."""
    return torch.Generator().manual_seed(seed ^ 0x5EED_0F_7AE)


def fingerprint(path: Path) -> str:
    """Tells one weights file from another without reading gigabytes: header, size and date."""
    stat = path.stat()
    with path.open("rb") as file:
        head = file.read(1 << 16)
    return hashlib.sha256(head + f"{stat.st_size} {stat.st_mtime_ns}".encode()).hexdigest()[:16]


def load_pipeline(
    name: str, folder: Path, dtype: torch.dtype | Mapping[str, torch.dtype], **components: Any
) -> Any:
    """The diffusers pipeline ``name`` from this folder only. Raises ModelError naming the folder.

    dtype: of the networks, or by component with "default". components: replacements, for instance
    ``safety_checker=None``.
    """
    import diffusers

    kinds = dtype if isinstance(dtype, torch.dtype) else dict(dtype)
    return loaded(getattr(diffusers, name), folder, kinds, **components)


def loaded(cls: Any, folder: Path, dtype: Any, **more: Any) -> Any:
    """A pipeline or network of diffusers from this folder only. Raises ModelError naming it."""
    parts = (folder, *sorted(part for part in folder.iterdir() if part.is_dir()))
    half = next(filter(None, map(hub.variant, parts)), None)
    try:
        made = cls.from_pretrained(
            folder, local_files_only=True, torch_dtype=dtype, variant=half, **more
        )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, ImportError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:300]
        raise ModelError(
            "{folder} could not be loaded as {name}: {reason}. Fetch that folder again.",
            folder=folder,
            name=cls.__name__,
            reason=reason,
        ) from error
    if hasattr(made, "set_progress_bar_config"):
        made.set_progress_bar_config(disable=True)
    return made
