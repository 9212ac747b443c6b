"""Results of the pipeline's stages, kept by content, so that no work is done twice.

A key is a hash of exactly what the stage reads; whoever can name the key already has the inputs.
There is no way to list keys or values, and the least recently used go first when the bound is met.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np


def content_key(*parts: Any) -> str:
    """SHA-256 over strings, numbers, None, arrays, and (nested) sequences and mappings of these.

    Raises TypeError for anything else: an object without a content would be a wrong key.
    """
    digest = hashlib.sha256()
    _feed(digest, parts)
    return digest.hexdigest()


def _feed(digest, part: Any) -> None:
    if isinstance(part, np.ndarray):
        digest.update(f"array{part.dtype}{part.shape}".encode())
        digest.update(np.ascontiguousarray(part).data)
    elif part is None or isinstance(part, str | bool | int | float | np.number):
        value = float(part) if isinstance(part, int | float | np.number) else part
        digest.update(f"{type(value).__name__}:{value!r};".encode())
    elif isinstance(part, Mapping):
        _feed(digest, sorted(part.items()))
    elif isinstance(part, tuple | list):
        digest.update(f"({len(part)}:".encode())
        for item in part:
            _feed(digest, item)
    else:
        raise TypeError(f"no content key for {type(part).__name__}")


def _size(value: Any) -> int:
    if hasattr(value, "nbytes"):
        return int(value.nbytes)
    if isinstance(value, tuple | list):
        return sum(_size(item) for item in value)
    if isinstance(value, Mapping):
        return sum(_size(item) for item in value.values())
    if hasattr(value, "tensors"):
        return _size(value.tensors)
    return 64


class Memo:
    """A least-recently-used store bounded in bytes. The engine's lock guards it."""

    def __init__(self, limit_bytes: int):
        self._limit = limit_bytes
        self._used = 0
        self._store: OrderedDict[str, Any] = OrderedDict()

    def __contains__(self, key: str) -> bool:
        return key in self._store

    def get(self, key: str) -> Any | None:
        """The stored value, or None; it becomes the most recently used."""
        if key not in self._store:
            return None
        self._store.move_to_end(key)
        return self._store[key]

    def put(self, key: str, value: Any) -> Any:
        """Keep a value (unless it alone is over the bound) and return it."""
        if key in self._store:
            self._used -= _size(self._store.pop(key))
        size = _size(value)
        if size <= self._limit:
            self._store[key] = value
            self._used += size
        while self._used > self._limit:
            self._used -= _size(self._store.popitem(last=False)[1])
        return value

    def clear(self) -> None:
        """Forget everything, for instance after running out of memory."""
        self._store.clear()
        self._used = 0
