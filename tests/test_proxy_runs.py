"""How a run uses its proxy: aligned with the painting, made once, sharing the device."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from awaken import types
from awaken.backends import BACKENDS
from awaken.engine import Engine
from awaken.painting import similarity
from awaken.proxies import PROXIES
from awaken.proxies.alignment import measure_shift, register, remarks, translate
from awaken.residence import Residence
from awaken.types import Request
from tests import tiny


def picture(seed=0, height=192, width=256):
    """Detail at every scale, as in a painting: a 1/f spectrum."""
    draw = np.random.default_rng(seed)
    reach = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    spectrum = np.fft.fft2(draw.normal(size=(3, height, width))) / np.maximum(reach, 1 / width)
    grain = np.fft.ifft2(spectrum).real
    return np.clip(128 + 50 * grain / grain.std(), 0, 255).astype(np.uint8).transpose(1, 2, 0)


@pytest.mark.parametrize("down, right", [(0, 0), (2, -3), (1.5, 0.75), (-3.4, 4.2)])
def test_a_shift_is_measured_to_a_fraction_of_a_pixel_and_undone(down, right):
    painting = picture()
    moved = translate(painting, down, right)
    noise = np.random.default_rng(0).normal(0, 12, moved.shape)
    moved = np.clip(moved + noise, 0, 255).astype(np.uint8)
    shift = measure_shift(painting, moved)
    assert (shift.down, shift.right) == (
        pytest.approx(down, abs=0.3),
        pytest.approx(right, abs=0.3),
    )
    back = register(painting, moved)
    if down or right:
        assert similarity(painting, back)[0] > similarity(painting, moved)[0] + 0.5
    else:
        assert back is moved


def test_a_large_shift_or_another_picture_is_left_as_it_is():
    painting = picture()
    far = translate(painting, 0, 12)  # 4.7 % of the width
    assert register(painting, far) is far
    other = picture(5)
    assert register(painting, other) is other


def test_remarks_name_what_is_wrong_with_a_proxy_and_nothing_else():
    painting = picture()
    assert remarks(painting, painting) == []
    noisy = np.clip(painting + np.random.default_rng(0).normal(0, 10, painting.shape), 0, 255)
    assert remarks(painting, noisy.astype(np.uint8)) == []
    kinds = lambda proxy: [kind for kind, _ in remarks(painting, proxy)]  # noqa: E731
    assert kinds(np.zeros_like(painting)) == ["proxy-black"]
    assert kinds(picture(5)) == ["proxy-far"]
    assert kinds(translate(painting, -4, 6)) == ["proxy-shifted"]
    assert "6 px right and 4 px up" in remarks(painting, translate(painting, -4, 6))[0][1]
    assert remarks(np.zeros_like(painting), np.zeros_like(painting)) == []


# The engine


@pytest.fixture
def backend(monkeypatch):
    model = tiny.TinyBackend()
    monkeypatch.setitem(BACKENDS, "tiny", replace(tiny.TINY, load=lambda d, t: model))
    return model


def request(**changes):
    given = dict(painting=tiny.painting(), prompt="clouds drift", backend="tiny")
    return Request(**(given | changes))


def run(engine, **changes):
    return tiny.run(engine, request(**changes))


def test_the_baselines_last_frame_is_made_first_and_the_baseline_only_once(backend):
    engine = Engine(device="cpu", dtype="float32")
    assert engine.cost(request(proxy="baseline_frame")) == 82
    result, events = run(engine, proxy="baseline_frame")
    assert backend.evaluations == result.evaluations == 82
    assert np.array_equal(result.proxy, result.baseline[-1])
    stages = [e.name for e in events if isinstance(e, types.Stage)]
    assert stages == ["load", "proxy", "distil", "denoise", "decode"]
    making = [e for e in events if isinstance(e, types.Step) and e.stage == "proxy"]
    assert [e.index for e in making[:25]] == list(range(1, 26))
    assert run(engine, proxy="identity")[0].evaluations == 25 + 16
    assert run(engine, proxy="baseline_frame", p=0.4)[0].evaluations == 25 + 2 * 11
    again, _ = run(Engine(device="cpu", dtype="float32"), proxy="identity")
    np.testing.assert_allclose(again.baseline.astype(int), result.baseline.astype(int), atol=1)


class Editor(tiny.TinyProxy):
    """Notes what it is asked for."""

    def __init__(self, spec):
        super().__init__()
        self.spec, self.asked = spec, []

    def make(self, painting, settings):
        self.asked.append((settings.prompt, settings.options))
        return (yield from super().make(painting, settings))


def test_editors_read_the_template_the_others_the_prompt_verbatim(backend, monkeypatch):
    spec = replace(
        tiny.TINY_PROXY, family="editor", template="Later: {prompt}!",
        options={"steps": PROXIES["sd_turbo"].options["steps"]},
    )  # fmt: skip
    editor = Editor(spec)
    monkeypatch.setitem(PROXIES, "editor", replace(spec, load=lambda d, t: editor))
    engine = Engine(device="cpu", dtype="float32")
    run(engine, proxy="editor", prompt="clouds  drift")
    run(engine, proxy="editor", proxy_template="{prompt}, at dusk", proxy_options={"steps": 2})
    run(engine, proxy="editor", proxy_template="")
    assert editor.asked == [
        ("Later: clouds drift!", {"steps": 4}),
        ("clouds drift, at dusk", {"steps": 2}),
        ("clouds drift", {"steps": 4}),
    ]
    for wrong in ({"steps": 99}, {"magic": 1}, {"steps": "many"}):
        failed = list(engine.animate(request(proxy="editor", proxy_options=wrong)))[-1]
        assert isinstance(failed, types.Failed) and failed.kind == "request"
    plain = Editor(tiny.TINY_PROXY)
    monkeypatch.setitem(PROXIES, "plain", replace(tiny.TINY_PROXY, load=lambda d, t: plain))
    run(engine, proxy="plain", proxy_template="ignored {prompt}")
    assert plain.asked == [("clouds drift", {})]


def test_a_proxy_is_made_again_only_when_its_own_inputs_change_and_its_model_not_loaded(
    backend, monkeypatch
):
    loads = []

    def load(device, dtype):
        loads.append(1)
        return Editor(tiny.TINY_PROXY)

    monkeypatch.setitem(PROXIES, "tiny", replace(tiny.TINY_PROXY, load=load))
    engine = Engine(device="cpu", dtype="float32")
    first, _ = run(engine, proxy="tiny")
    model = engine._resident("proxy", "tiny", PROXIES)
    for changes in (dict(p=0.3), dict(alpha="constant"), dict(guidance=2.0), dict(frames=4)):
        run(engine, proxy="tiny", **changes)
    assert model.made == 1
    run(engine, proxy="identity")
    _, events = run(engine, proxy="tiny")
    assert len(loads) == 1 and any(
        isinstance(e, types.Stage) and e.name == "proxy" and e.reused for e in events
    )
    run(engine, proxy="tiny", proxy_strength=0.1)
    assert len(loads) == 2


def test_the_engine_warns_of_a_proxy_that_left_the_painting(backend):
    engine = Engine(device="cpu", dtype="float32")
    result, events = run(engine, proxy="upload", proxy_image=tiny.painting(9))
    (notice,) = [e for e in events if isinstance(e, types.Notice) and e.kind == "proxy-far"]
    assert notice in result.notices and "left the painting" in notice.text
    again, events = run(engine, proxy="upload", proxy_image=tiny.painting(9))
    assert notice in again.notices and any(e == notice for e in events)  # also from the memo
    assert not run(engine, proxy="identity")[0].notices


class Counted(torch.nn.Linear):
    """A network that notes where it is sent."""

    def __init__(self, name, moves):
        super().__init__(100, 100)
        self.name, self.moves = name, moves

    def to(self, place):
        self.moves.append((self.name, str(place)))
        return self


@pytest.mark.parametrize(
    "capacity, first, again",
    [
        (None, "", ""),  # main memory and device are one
        (10**9, "backend backend", ""),  # away while the proxy loads, then both fit
        (10**5, "backend proxy backend", "backend proxy proxy backend"),  # they take turns
    ],
)
def test_models_share_the_device_or_take_turns(backend, monkeypatch, capacity, first, again):
    moves = []
    backend.net = Counted("backend", moves)
    proxy = tiny.TinyProxy()
    proxy.net = Counted("proxy", moves)
    monkeypatch.setitem(PROXIES, "tiny", replace(tiny.TINY_PROXY, load=lambda d, t: proxy))
    engine = Engine(device="cpu", dtype="float32")
    engine._residence.capacity = capacity

    def spent(**changes):
        moves.clear()
        run(engine, proxy="tiny", **changes)
        return " ".join(name for name, _ in moves)

    assert spent() == first
    assert spent(p=0.3) == ""  # the proxy is reused: nobody has to move
    assert spent(proxy_strength=0.2) == again


def test_a_network_that_both_use_stays_with_the_one_that_works():
    moves = []
    residence, common = Residence(torch.device("meta"), capacity=10**5), Counted("common", moves)
    for role in ("backend", "proxy"):
        model = SimpleNamespace(own=Counted(role, moves), common=common, weights_id=role)
        residence.get(role, role, lambda model=model: model)
    for role, other in (("backend", "proxy"), ("proxy", "backend")):
        moves.clear()
        residence.activate(role)
        assert moves == [(other, "cpu"), (role, "meta"), ("common", "meta")]
