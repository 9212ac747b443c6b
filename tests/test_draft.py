"""Draft mode of the paper's U-Nets: exact where nothing is reused, counted, and equal in any order."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from awaken import recipe, types
from awaken.backends import BACKENDS
from awaken.engine import Engine
from awaken.ui.run import links
from tests import checkpoints
from tests.tiny import quick_request, run

pytestmark = pytest.mark.usefixtures("places")
request = partial(quick_request, steps=4)
by_model = pytest.mark.parametrize("name", checkpoints.WRITERS, scope="module")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return checkpoints.write_all(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def engine():
    return Engine(device="cpu", dtype="float32")


def latents(engine, asked):
    """Latents of baseline and awakened video, apart from what is kept."""
    engine._memo.clear()
    run(engine, asked)
    *_, plan = engine._prepare(asked)
    return [engine._memo.get(key) for key in (plan.baseline, plan.awakened)]


@by_model
def test_a_draft_that_reuses_nothing_is_exact_to_the_bit_and_a_real_one_is_not(engine, name):
    cache = engine._prepare(request(name))[0].deep_cache
    exact = latents(engine, request(name))
    cache.every = 1
    for z, same in zip(exact, latents(engine, request(name, draft=True)), strict=True):
        assert torch.equal(z, same)
    cache.every = 2
    drafts = latents(engine, request(name, draft=True))
    for z, near in zip(exact, drafts, strict=True):
        assert torch.isfinite(near).all() and not torch.equal(near, z)
    cache.every = 3
    assert all(map(torch.equal, exact, latents(engine, request(name))))


@by_model
def test_paths_and_videos_one_after_the_other_make_the_same_draft(engine, name):
    """Each loop keeps its own: nothing of one path reaches the other."""
    asked = request(name, draft=True)
    both, alone = latents(engine, asked), latents(engine, replace(asked, sequential=True))
    for z, same in zip(both, alone, strict=True):
        assert torch.equal(z, same)


@by_model
def test_what_is_reused_is_counted_and_costs_no_deep_layer(engine, name):
    """Two paths of three steps and two videos of four: whole are steps 1 and 4 of every loop."""
    backend = engine._prepare(request(name))[0]
    deep, shallow = [], []
    hooks = [
        backend.unet.mid_block.register_forward_hook(lambda m, given, out: deep.append(len(out))),
        backend.unet.conv_out.register_forward_hook(lambda m, given, out: shallow.append(len(out))),
    ]
    engine._memo.clear()
    result, events = run(engine, request(name, draft=True))
    for hook in hooks:
        hook.remove()
    assert (result.evaluations, result.drafted) == (2 * 3 + 2 * 4, 2 * 2 + 2 * 2)
    assert (len(deep), len(shallow)) == (2 * (1 + 2), 2 * (3 + 4))
    assert not backend.deep_cache._deep, "a loop that is over leaves nothing behind"
    notices = [event.kind for event in events if isinstance(event, types.Notice)]
    assert "draft" in notices and result.settings["draft"] is True


def test_a_draft_takes_half_the_steps_unless_they_are_said(engine):
    spec = BACKENDS["animate_anything"]
    short = request("animate_anything", steps=None, draft=True)
    assert engine._prepare(short)[2].steps == 13 and spec.steps == 25
    assert engine._prepare(replace(short, steps=25))[2].steps == 25
    assert engine._prepare(request("miniature", draft=True))[2].draft is False, "it makes none"


def test_drafts_of_old_files_and_links_are_drafts():
    for number, draft in ((2, True), (0, False)):
        old = {"prompt": "a", "backend": "skyreels_v2", "options": {"draft": number, "other": 1}}
        found = recipe.recover(old)
        assert found.settings["draft"] is draft and found.settings["options"] == {"other": 1}
        found = links.decode(f"v=1&prompt=a&backend=skyreels_v2&options.draft={number}")
        assert found.settings["draft"] is draft and not found.remarks
    assert links.decode(links.encode({"prompt": "a", "draft": True})).settings["draft"] is True
