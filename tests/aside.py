"""Asynchronous code in a test: on a thread of its own.

Playwright keeps an event loop open in the tests' own thread from the first browser test on, and a
second one cannot be started beside it, whatever the order of the tests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def run(work: Coroutine[object, object, Result]) -> Result:
    """Await ``work`` to its end; what it returns, or raises."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
