"""What the page says, before a run, of the English that the miniatures read for a Chinese prompt.

The models of the Hub get every prompt as it was written.
"""

from __future__ import annotations

from awaken.backends import BACKENDS
from awaken.miniature.prompts_zh import in_english, is_chinese
from awaken.proxies import PROXIES
from awaken.ui.texts import say

_OURS = "assets/miniature"  # where the miniatures come from


def remark(prompt: str, backend: str, proxy: str) -> str:
    """A sentence about what becomes of the prompt; "" where it stays as it is."""
    if not _concerned(prompt, backend, proxy):
        return ""
    english, unknown = in_english(prompt)
    if not english:
        return say("read_not")
    key = "read_in_part" if unknown else "read_as"
    return say(key, english=english, unknown=say("and").join(unknown))


def _concerned(prompt: str, backend: str, proxy: str) -> bool:
    ours = (BACKENDS.get(backend), PROXIES.get(proxy))
    return is_chinese(prompt) and any(spec and spec.source == _OURS for spec in ours)
