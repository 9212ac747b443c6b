"""The English that the miniatures read for a prompt in Chinese.

The miniatures read English only: for them a Chinese prompt goes through the dictionary
(``awaken.miniature.prompts_zh``), and the page says what came out. The models of the Hub get every prompt as
it was written.
"""

from __future__ import annotations

from awaken.backends import BACKENDS
from awaken.proxies import PROXIES
from awaken.ui.texts import say
from awaken.miniature.prompts_zh import in_english, is_chinese

_OURS = "assets/miniature"  # where the miniatures come from


def for_models(prompt: str, backend: str, proxy: str) -> str:
    """The prompt that the run is given."""
    if not _concerned(prompt, backend, proxy):
        return prompt
    return in_english(prompt)[0] or prompt  # the miniature itself says that it understands nothing


def remark(prompt: str, backend: str, proxy: str) -> str:
    """A sentence about what becomes of the prompt; "" where it stays as it is."""
    if not _concerned(prompt, backend, proxy):
        return ""
    english, unknown = in_english(prompt)
    if not english:
        return say("read_not")
    key = "read_in_part" if unknown else "read_as"
    return say(key, english=english, unknown=say("and").join(unknown))


def lost(prompt: str, backend: str, proxy: str) -> str:
    """The same where something of the prompt gets lost; "" where all of it was understood."""
    whole = _concerned(prompt, backend, proxy) and not in_english(prompt)[1]
    return "" if whole else remark(prompt, backend, proxy)


def _concerned(prompt: str, backend: str, proxy: str) -> bool:
    ours = (BACKENDS.get(backend), PROXIES.get(proxy))
    return is_chinese(prompt) and any(spec and spec.source == _OURS for spec in ours)
