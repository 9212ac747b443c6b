"""Settings links: whatever goes in comes back, and nothing else does."""

from __future__ import annotations

import random
from urllib.parse import urlsplit

import numpy as np
import pytest

from awaken.backends import BACKENDS
from awaken.proxies import PROXIES
from awaken.types import ALPHA_KINDS, BOUNDS, MAX_PROMPT, SETTINGS, VARIANTS, Request
from awaken.ui.run.links import DEFAULTS, MAX_QUERY, VERSION, address, decode, encode

STILL = np.zeros((4, 4, 3), np.uint8)
INJECTIONS = [
    '${alert(1)} & "swirl"',
    "{{value}} {{{value}}} ${eval(location.hash.slice(1))}",
    "<img src=x onerror=alert(1)>",
    "a=b&c=d#e?f%20g+h;i\\j\n\tk'l\"",
    "浪がうねる 🌊 naïve",
    "__proto__",
]


def any_text(draw: random.Random) -> str:
    alphabet = "abc xyz&=?#%+;/\\'\"<>${}[]\n\t.éß浪🌊\u202e\u200b"
    return "".join(draw.choice(alphabet) for _ in range(draw.randint(1, MAX_PROMPT // 6)))


def any_settings(draw: random.Random) -> dict:
    """A request within all bounds, with every field present at random."""
    whole = ("steps", "frames", "fps", "size", "seed")
    numbers = {
        name: draw.randint(int(low), int(high)) if name in whole else draw.uniform(low, high)
        for name, (low, high) in BOUNDS.items()
    }
    options = {f"o{i}": draw.choice((draw.randint(-9, 99), draw.uniform(-1, 1))) for i in range(3)}
    settings = numbers | {
        "prompt": draw.choice(INJECTIONS) if draw.random() < 0.3 else "x" + any_text(draw)[1:],
        "negative_prompt": any_text(draw),
        "proxy_template": any_text(draw),
        "backend": draw.choice(list(BACKENDS)),
        "proxy": draw.choice(list(PROXIES)),
        "variant": draw.choice(list(VARIANTS)),
        "alpha": draw.choice(ALPHA_KINDS),
        "motion": draw.uniform(0, 20),
        "options": options,
        "proxy_options": dict(list(options.items())[: draw.randint(0, 3)]),
        "sequential": draw.random() < 0.5,
    }
    kept = {name: value for name, value in settings.items() if draw.random() < 0.8}
    return kept | {"prompt": settings["prompt"]}


def test_any_settings_come_back():
    for seed in range(300):
        settings = any_settings(random.Random(seed))
        query = encode(settings)
        assert query.isascii() and len(query) <= MAX_QUERY
        found = decode(query)
        wanted = {n: v for n, v in (DEFAULTS | settings).items() if v != {}}
        assert found.settings == wanted, f"seed {seed}"
        assert found.remarks == []


@pytest.mark.parametrize("prompt", INJECTIONS)
def test_injections_come_back_as_plain_text(prompt):
    assert decode(encode({"prompt": prompt})).settings["prompt"] == prompt
    assert decode(list(decode_pairs(prompt))).settings["prompt"] == prompt


def decode_pairs(prompt):
    """As Gradio hands a request's parameters over: a mapping, already unquoted."""
    return {"v": str(VERSION), "prompt": prompt, "__theme": "dark"}.items()


def test_a_result_becomes_a_link_without_pictures_and_measurements():
    result = Request(STILL, "waves roll", p=0.4).settings() | {"device": "CPU", "timings": {"x": 1}}
    assert encode(result) == f"v={VERSION}&prompt=waves+roll&p=0.4"


def test_the_defaults_of_this_version_are_those_of_a_request():
    """When this fails, a default has changed: old links would mean something else. Raise VERSION."""
    settings = Request(STILL, "x").settings()
    said = {n: v for n, v in settings.items() if n in SETTINGS and v not in (None, {})}
    assert said == DEFAULTS | {"prompt": "x"} and VERSION == 1


def test_what_is_not_understood_is_named():
    found = decode("v=1&prompt=a&colour=red&p=7&seed=1.5&painting=%2Fetc%2Fpasswd&options=1&seed=3")
    assert found.unknown == ("colour", "painting", "options")
    assert found.unusable == ("p", "seed")
    assert found.settings["prompt"] == "a" and "painting" not in found.settings
    assert len(found.remarks) == 2


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?",
        "prompt=a",
        "v=2&prompt=a",
        "v=1&prompt=" + "a" * MAX_QUERY,
        "v=1&" + "a&" * 200,
        "%%%=&&;",
    ],
)
def test_no_link_of_ours_changes_nothing(query):
    assert decode(query).settings == {}


def test_another_version_is_said():
    assert "another version" in decode("v=99&prompt=a").remarks[0]


def test_the_surroundings_may_add_their_own():
    assert decode("?v=1&prompt=a&__theme=dark&logs=container&__sign=eyJ").remarks == []


def test_addresses(monkeypatch):
    monkeypatch.delenv("SPACE_ID", raising=False)
    here = address("http://127.0.0.1:7860/?__theme=dark#x", {"prompt": "a b"})
    assert here == "http://127.0.0.1:7860/?v=1&prompt=a+b"
    monkeypatch.setenv("SPACE_ID", "someone/awakened")
    there = urlsplit(address("http://127.0.0.1:7860/", {"prompt": "a b"}))
    assert (there.netloc, there.path) == ("huggingface.co", "/spaces/someone/awakened")
