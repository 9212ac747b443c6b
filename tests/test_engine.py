"""The engine: events, memo, stopping, isolation of errors. Real loops on a toy network."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from awaken import types
from awaken.backends import BACKENDS
from awaken.engine import Engine
from awaken.types import RequestError
from tests import tiny
from tests.tiny import request


@pytest.fixture
def backend(monkeypatch):
    return tiny.register(monkeypatch)


@pytest.fixture
def engine(backend):
    return Engine(device="cpu", dtype="float32")


def run(engine, **changes):
    return tiny.run(engine, request(**changes))


def test_a_run_tells_its_story_in_order(engine):
    result, events = run(engine)
    stages = [e.name for e in events if isinstance(e, types.Stage)]
    assert stages == ["load", "proxy", "distil", "denoise", "decode"]
    steps = [e for e in events if isinstance(e, types.Step)]
    assert [(e.index, e.count) for e in steps if e.stage == "distil"] == [
        (i, 16) for i in range(1, 17)
    ]
    assert [e.index for e in steps if e.stage == "denoise"] == list(range(1, 26))
    done = [e.done for e in steps]
    assert done == sorted(done) and done[-1] == 1.0
    previews = [e.previews for e in steps if e.previews]
    assert set(previews[0]) == {"painting", "proxy"}
    assert set(previews[-1]) == {"baseline", "awakened"}
    assert not np.array_equal(previews[-1]["baseline"], previews[-1]["awakened"])
    assert result.baseline.shape == (4, *result.painting.shape)
    assert result.settings["steps"] == 25 and result.settings["seed"] == 42
    assert result.timings["total"] == pytest.approx(
        sum(v for k, v in result.timings.items() if k != "total")
    )


@pytest.mark.parametrize("sequential", [False, True])
def test_the_steps_of_a_phase_are_counted_once(engine, sequential):
    _, events = run(engine, re_noise=0.5, steps=8, sequential=sequential)
    for stage in ("distil", "denoise"):
        told = [
            (e.index, e.count) for e in events if isinstance(e, types.Step) and e.stage == stage
        ]
        assert told == [(i, len(told)) for i in range(1, len(told) + 1)] and len(told) > 4


def test_a_video_in_which_nothing_moves_is_told_so(engine, backend, monkeypatch):
    moving = [n.kind for n in run(engine)[0].notices]
    assert "still" not in moving
    monkeypatch.setattr(
        type(backend), "decode",
        lambda self, z, painting, mask=None: np.repeat(painting[None], z.shape[2], 0),
    )  # fmt: skip
    result, events = run(engine, seed=5)
    assert [n.kind for n in result.notices] == [*moving, "still"]
    assert events[-2] == result.notices[-1] and "Name what you see" in events[-2].text


def test_a_mask_that_allows_everything_is_told_so(engine, backend, monkeypatch):
    masked = replace(tiny.TINY, load=lambda d, t: backend, has_mask=True)
    monkeypatch.setitem(BACKENDS, "tiny", masked)
    everywhere = np.full((8, 8), 255, np.uint8)
    assert "mask" in [n.kind for n in run(engine, mask=everywhere)[0].notices]
    everywhere[0] = 0
    assert "mask" not in [n.kind for n in run(engine, mask=everywhere)[0].notices]


def test_what_is_recomputed_after_each_kind_of_change(engine, backend):
    """25 steps and p = 0.6 are 82 evaluations from scratch."""

    def spent(**changes):
        before, expected = backend.evaluations, engine.cost(request(**changes))
        result, _ = run(engine, **changes)
        assert backend.evaluations - before == expected == result.evaluations
        return result.evaluations

    assert spent() == 82
    assert spent() == 0
    assert spent(fps=12) == 0
    assert spent(variant="+V&U") == 25
    assert spent(proxy_strength=0.9) == 41
    assert spent(p=0.4) == 25 + 2 * 11
    assert spent(p=0.4, alpha="linear-decreasing") == 25 + 2 * 11
    assert spent(variant="+S") == 25
    assert spent(variant="+V") == 25
    assert spent(variant="baseline") == 0
    assert spent(re_noise=0.8) == 20
    assert spent(start="noise") == 25
    assert spent(prompt="other words") == 82
    assert spent(seed=7) == 82
    assert spent() == 0


def test_changing_only_p_or_alpha_costs_57(engine):
    run(engine)
    assert engine.cost(request(alpha="linear-increasing")) == 57
    assert engine.cost(request(peak=5)) == 57


def test_the_table_of_ablations_reuses_both_paths(engine, backend):
    for variant in types.VARIANTS:
        run(engine, variant=variant)
    assert backend.evaluations == 32 + 5 * 25


def test_every_arm_shares_the_baseline_and_differs_from_it(engine):
    results = {v: run(engine, variant=v)[0] for v in types.VARIANTS}
    for variant, result in results.items():
        assert np.array_equal(result.baseline, results["+V&S"].baseline)
        same = np.array_equal(result.awakened, result.baseline)
        assert same == (variant == "baseline")
    different = {r.awakened.tobytes() for r in results.values()}
    assert len(different) == 5


def test_a_baseline_from_pure_noise_is_another_and_the_method_stays(engine):
    published, _ = run(engine)
    noise, _ = run(engine, start="noise")
    assert not np.array_equal(noise.baseline, published.baseline)
    assert np.array_equal(noise.awakened, published.awakened)


def test_p_zero_without_fusion_is_the_baseline_and_p_one_distils_everywhere(engine):
    still, _ = run(engine, variant="+V", p=0.0)
    assert np.array_equal(still.awakened, still.baseline)
    assert run(engine, variant="+V", p=1.0)[0].evaluations == 50


def test_batched_and_sequential_compute_the_same_function(backend):
    backend.dtype, backend.weight = torch.float64, backend.weight.double()
    engine = Engine(device="cpu", dtype="float64")
    latents = {}
    for sequential in (False, True):
        r = request(sequential=sequential, frames=4)
        latents[sequential] = engine_latents(engine, r)
    for batched, alone in zip(latents[False], latents[True], strict=True):
        assert batched.dtype == torch.float64
        torch.testing.assert_close(batched, alone, rtol=1e-8, atol=1e-8)


def engine_latents(engine, r):
    """The final latents of both videos, straight from the method."""
    from awaken.memo import Memo
    from awaken.method import awaken
    from awaken.sampling import Outcome

    backend, proxy, r, painting, plan = engine._prepare(r)
    return Outcome(awaken(backend, proxy, r, painting, plan, Memo(1 << 28))).finish()


def test_closing_stops_within_one_step_and_frees_the_lock(engine, backend):
    events = engine.animate(request())
    for event in events:
        if isinstance(event, types.Step) and event.stage == "distil" and event.index == 3:
            break
    events.close()
    spent = backend.evaluations
    assert spent == 2 * 3
    result, _ = run(engine)
    assert result.evaluations == 82


def test_a_second_run_waits_its_turn_and_can_leave_the_queue(engine):
    first = engine.animate(request())
    next(first)
    second = engine.animate(request(seed=1))
    assert isinstance(next(second), types.Waiting)
    second.close()
    first.close()
    run(engine)


def test_inference_mode_does_not_leak_between_events(engine):
    for _ in engine.animate(request()):
        assert not torch.is_inference_mode_enabled()


def test_infinite_latents_are_reported_and_the_engine_goes_on(engine, backend):
    backend.poison_after = 5
    failed = list(engine.animate(request()))[-1]
    assert isinstance(failed, types.Failed) and failed.kind == "numerics"
    assert "Lower the peak" in failed.message
    backend.poison_after = None
    run(engine)


@pytest.mark.parametrize(
    "error, kind",
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "memory"),
        (MemoryError(), "memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "memory"),
        (types.ModelError("unet is missing"), "model"),
        (KeyError("surprise"), "internal"),
    ],
)
def test_failures_are_sentences_and_the_engine_stays_usable(
    engine, backend, monkeypatch, error, kind
):
    def fail(*args):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(backend, "decode", fail)
        failed = list(engine.animate(request()))[-1]
    assert isinstance(failed, types.Failed) and failed.kind == kind and len(failed.message) > 10
    run(engine)


def test_a_missing_model_and_a_missing_proxy_picture_are_sentences(engine, monkeypatch):
    gone = replace(BACKENDS["tiny"], available=lambda: "its weights are not installed.")
    monkeypatch.setitem(BACKENDS, "gone", gone)
    failed = list(engine.animate(request(backend="gone")))[-1]
    assert (failed.kind, failed.message) == (
        "model", "Tiny cannot run here: its weights are not installed.")  # fmt: skip
    failed = list(engine.animate(request(proxy="upload")))[-1]
    assert failed.kind == "request" and "needs a picture" in failed.message
    failed = list(engine.animate(request(backend="../etc/passwd")))[-1]
    assert failed.kind == "request" and "no model called" in failed.message


@pytest.mark.parametrize(
    "changes",
    [dict(frames=5), dict(size=512), dict(options={"stride": 3}), dict(options={"a": "b"})],
)
def test_settings_that_the_model_lacks_are_refused(engine, changes):
    failed = list(engine.animate(request(**changes)))[-1]
    assert isinstance(failed, types.Failed) and failed.kind == "request"


@pytest.mark.parametrize(
    "changes",
    [
        dict(prompt=""), dict(prompt=" \n\t"), dict(prompt="x" * 601), dict(prompt=None),
        dict(p=1.5), dict(p=float("nan")), dict(p="0.6"), dict(p=None), dict(p=True),
        dict(seed=-1), dict(seed=1.5), dict(seed=2**40), dict(steps=0), dict(steps=1e9),
        dict(peak=0), dict(guidance=-3), dict(variant="+X"), dict(alpha="wavy"), dict(alpha=3),
        dict(painting=None), dict(painting=np.zeros((4, 4), np.uint8)),
        dict(painting=np.zeros((4, 4, 3), np.float32)), dict(mask=np.zeros((4, 4), np.uint8)),
        dict(mask=np.full((4, 4), 90, np.uint8)),  # grey enough to allow nothing
        dict(proxy_image=np.zeros((4, 4, 4), np.uint8)), dict(re_noise=0),
    ],
)  # fmt: skip
def test_bad_requests_are_refused_at_the_border_with_a_sentence(changes):
    with pytest.raises(RequestError) as refusal:
        request(**changes)
    assert str(refusal.value).endswith((".", "drift."))


def test_the_memo_is_bounded_and_forgets_the_oldest():
    from awaken.memo import Memo, content_key

    memo = Memo(limit_bytes=100)
    for i in range(5):
        memo.put(content_key(i), np.zeros(40, np.uint8))
    assert content_key(4) in memo and content_key(3) in memo
    assert all(content_key(i) not in memo for i in range(3))
    memo.put("huge", np.zeros(1000, np.uint8))
    assert "huge" not in memo


def test_keys_are_content_not_identity():
    from awaken.memo import content_key

    picture = tiny.painting()
    assert content_key("a", picture, {"x": 1.0}) == content_key("a", picture.copy(), {"x": 1})
    assert content_key(picture) != content_key(tiny.painting(seed=1))
    assert content_key("ab", "c") != content_key("a", "bc")
    assert content_key(("a",), "b") != content_key(("a", "b"))
    with pytest.raises(TypeError):
        content_key(object())
