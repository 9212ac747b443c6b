"""Every entry of PROXIES: tiny random pipelines of the true classes, loaded by path."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from awaken import hub, types
from awaken.backends import BACKENDS
from awaken.engine import Engine, resolve
from awaken.painting import likeness, to_size
from awaken.proxies import PROXIES
from awaken.proxies.alignment import measure_shift, register, remarks, translate
from awaken.types import ModelError, Request, RequestError
from tests import proxy_checkpoints, tiny

RELEASED = [name for name, spec in PROXIES.items() if spec.release]
IMG2IMG = [name for name in RELEASED if PROXIES[name].family == "img2img"]
SEEDLESS = {"upload", "identity", "baseline_frame", "masactrl"}  # nothing is drawn
QUICK = {"size": 64, "steps": 4}  # below what the page offers: these networks know nothing anyway


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for write in proxy_checkpoints.WRITERS.values():
        write(folder)
    return folder


@pytest.fixture(autouse=True)
def places(models, monkeypatch, tmp_path):
    monkeypatch.setenv("AWAKEN_MODELS", str(models))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="module")
def loaded(models):
    """name -> proxy, loaded once."""
    known = {}

    def get(name):
        if name not in known:
            known[name] = PROXIES[name].load(torch.device("cpu"), torch.float32)
        return known[name]

    return get


def make(proxy, painting, **changes):
    """Run a proxy to its end: (picture, the (step, count) it told)."""
    options = {name: o.default for name, o in proxy.spec.options.items()}
    options |= {name: value for name, value in QUICK.items() if name in options}
    given = dict(strength=proxy.spec.strength, seed=42, image=None, options=options)
    if "options" in changes:
        changes["options"] = options | changes["options"]
    with torch.inference_mode():
        loop = proxy.make(painting, changes.pop("prompt", "clouds drift"), **(given | changes))
        told = []
        while True:
            try:
                told.append(next(loop))
            except StopIteration as end:
                return end.value, told


@pytest.mark.parametrize("name", PROXIES)
@pytest.mark.parametrize("size", [(72, 96), (97, 75)])
def test_the_proxy_has_the_paintings_size_and_repeats_with_its_seed(loaded, name, size):
    painting = tiny.painting(height=size[0], width=size[1])
    proxy, spec = loaded(name), PROXIES[name]
    image = tiny.painting(1, 50, 60) if spec.needs_image or spec.needs_baseline else None
    first, told = make(proxy, painting, image=image)
    assert first.shape == painting.shape and first.dtype == np.uint8
    count = told[0][1]
    assert told == [(i, count) for i in range(1, count + 1)]
    again, _ = make(proxy, painting, image=image)
    assert np.array_equal(first, again)
    other, _ = make(proxy, painting, image=image, seed=7)
    assert np.array_equal(first, other) == (name in SEEDLESS)


@pytest.mark.parametrize("name", IMG2IMG)
def test_as_strength_falls_the_proxy_becomes_the_round_trip_through_the_vae(loaded, name):
    proxy = loaded(name)
    painting = tiny.painting(height=64, width=64)
    vae = proxy.pipe.vae
    pixels = torch.from_numpy(painting.copy()).permute(2, 0, 1)[None] / 127.5 - 1
    with torch.inference_mode():
        posterior = vae.encode(pixels).latent_dist
        z = posterior.sample(torch.Generator().manual_seed(42))
        there_and_back = (vae.decode(z).sample[0].permute(1, 2, 0) / 2 + 0.5).clamp(0, 1) * 255
    far = []
    for strength, steps in ((0.002, 500), (0.2, 10), (0.6, 5)):
        made, _ = make(proxy, painting, strength=strength, options={"steps": steps})
        far.append(float(np.abs(made - there_and_back.numpy()).mean()))
    assert far[0] < far[2] / 10 and far[0] < far[1] < far[2], far


# MasaCtrl


def masactrl_run(proxy, words="a storm", steps=10, **changes):
    """The trajectory of a small painting and every (source, target) of the controlled run."""
    with torch.inference_mode():
        trajectory = [proxy.encode(tiny.painting(height=64, width=64))]
        trajectory += proxy.invert(trajectory[0], proxy.embed(""), steps)
        settings = dict(guidance=7.5, first_step=0, first_layer=10, hold_source=False) | changes
        run = proxy.denoise(trajectory, proxy.embed(""), proxy.embed(words), **settings)
        return trajectory, list(run)


def test_masactrl_numbers_its_layers_in_the_order_they_run(loaded):
    from awaken.proxies.masactrl import self_attention_order

    unet, ran = loaded("masactrl").pipe.unet, []
    names = {m: name for name, m in unet.named_modules() if name.endswith("attn1")}
    hooks = [m.register_forward_hook(lambda m, *_: ran.append(names[m])) for m in names]
    masactrl_run(loaded("masactrl"), steps=1)
    for hook in hooks:
        hook.remove()
    order = [name.removesuffix(".processor") for name in self_attention_order(unet)]
    assert order == ran[:16] and len(order) == 16
    assert order[6].startswith("mid_block") and order[10].startswith("up_blocks.2")
    assert list(unet.attn_processors)[-1].startswith("mid_block")  # what makes counting a trap


def test_masactrl_without_control_is_the_plain_network(loaded):
    proxy = loaded("masactrl")
    _, controlled = masactrl_run(proxy, first_step=99)
    _, bare = masactrl_run(proxy, first_layer=16)
    for (_, a), (_, b) in zip(controlled, bare, strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("union", [False, True])
def test_masactrl_control_changes_the_target_and_never_the_source(loaded, union):
    proxy = loaded("masactrl")
    plain, controlled = (
        masactrl_run(proxy, union=union, first_step=step)[1] for step in (99, 0)
    )
    for (source, target), (held, moved) in zip(plain, controlled, strict=True):
        torch.testing.assert_close(source, held, rtol=0, atol=1e-6 if union else 0)
        assert not torch.equal(target, moved)


def test_masactrl_with_the_empty_prompt_repeats_the_source(loaded):
    _, run = masactrl_run(loaded("masactrl"), words="")
    for source, target in run:
        torch.testing.assert_close(source, target, rtol=1e-4, atol=1e-4)


def test_masactrl_puts_the_networks_own_processors_back_whatever_happens(loaded):
    proxy = loaded("masactrl")
    own = proxy.pipe.unet.attn_processors
    loop = proxy.make(
        tiny.painting(), "a storm", strength=0.2, seed=1, image=None,
        options={n: o.default for n, o in proxy.spec.options.items()} | {"size": 64, "steps": 4},
    )  # fmt: skip
    with torch.inference_mode():
        for step, count in loop:
            if step > count / 2:
                break
    assert proxy.pipe.unet.attn_processors != own
    loop.close()
    assert proxy.pipe.unet.attn_processors == own


def test_masactrl_holds_the_source_to_the_stored_inversion_step_by_step(loaded):
    """After every step the nearest point of the trajectory is the one of that noise level."""
    trajectory, run = masactrl_run(loaded("masactrl"), hold_source=True)
    for i, (source, _) in enumerate(run):
        gaps = [float((source - z).abs().mean()) for z in trajectory]
        assert gaps[len(trajectory) - 2 - i] == min(gaps)
