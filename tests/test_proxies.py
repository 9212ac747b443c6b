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
        assert gaps[len(trajectory) - 2 - i] == pytest.approx(min(gaps), abs=1e-6)


# InvSR


def test_invsrs_noise_predictor_is_the_released_network():
    from awaken.models import NoisePredictor

    with torch.device("meta"):
        network = NoisePredictor()
    state = network.state_dict()
    assert len(state) == 164 and sum(t.numel() for t in state.values()) == 33_837_576
    assert all(name.startswith("encoder.") for name in state)
    assert state["encoder.time_embedding.linear_1.weight"].shape == (512, 256)
    assert state["encoder.down_blocks.0.downsamplers.0.conv.weight"].shape == (256, 256, 3, 3)
    assert state["encoder.mid_block.attentions.0.to_q.weight"].shape == (512, 512)
    small = NoisePredictor(widths=(16, 32), layers=1, time_width=32, head_width=8, groups=8)
    noise = small(torch.zeros(2, 3, 32, 48), 199)
    assert noise.mean.shape == noise.std.shape == (2, 4, 16, 24)


@pytest.mark.parametrize("steps", range(1, 6))
def test_invsr_with_the_true_noise_gives_the_latents_back(steps):
    from awaken.proxies.invsr import TAUS, euler

    draw = torch.Generator().manual_seed(0)
    z, noise = torch.randn(2, 1, 4, 8, 8, generator=draw, dtype=torch.float64)
    kept = torch.cumprod(1 - torch.linspace(0.00085**0.5, 0.012**0.5, 1000).double() ** 2, 0)
    levels = [float(((1 - kept[t - 1]) / kept[t - 1]) ** 0.5) for t in TAUS[steps]]
    known = {250: 0.693, 200: 0.569, 150: 0.454, 100: 0.342, 50: 0.223}
    assert levels == pytest.approx([known[t] for t in TAUS[steps]], abs=1e-3)
    asked = []

    def oracle(x, t):
        asked.append((t, float(x.std())))
        return noise

    *_, last = euler(z, noise, TAUS[steps], levels, oracle)
    torch.testing.assert_close(last, z, rtol=0, atol=1e-12)
    assert [t for t, _ in asked] == [tau - 1 for tau in TAUS[steps]]
    assert all(0.8 < spread < 1.2 for _, spread in asked)  # brought to unit variance


@pytest.mark.parametrize("size", [(16, 16), (40, 23), (70, 33), (64, 128)])
def test_invsrs_patches_put_together_are_the_picture(size):
    from awaken.proxies.invsr import in_patches

    picture = torch.rand(3, *size, generator=torch.Generator().manual_seed(0))

    def identity(patches):
        yield
        return patches

    told = []
    loop = in_patches(picture, identity, patch=32, scale=1, batch=3)
    try:
        while True:
            told.append(next(loop))
    except StopIteration as end:
        torch.testing.assert_close(end.value, picture.double(), rtol=0, atol=1e-12)
    assert told[-1][0] == told[-1][1] == len(told)


def test_invsrs_patches_lie_inside_and_overlap_by_half():
    from awaken.proxies.invsr import gaussian_window, starts

    assert starts(128, 128) == [0]
    assert starts(256, 128) == [0, 64, 128]
    assert starts(272, 128) == [0, 64, 128, 144]
    assert float(gaussian_window(5, 5)[2, 2]) == 1
    assert float(gaussian_window(5, 1)[0, 0]) == pytest.approx(np.exp(-4 / (2 * 1.1**2)))


def test_invsrs_colour_fixes_keep_pigment_and_take_detail():
    from awaken.proxies.invsr import wavelet_colours, ycbcr_colours

    draw = torch.Generator().manual_seed(0)
    source = 0.3 + 0.4 * torch.rand(3, 1, 1, generator=draw).expand(3, 64, 64)
    tinted = (source + 0.05 * torch.randn(1, 64, 64, generator=draw)).clamp(0, 1)
    tinted = (tinted * torch.tensor([1.1, 1.0, 0.8])[:, None, None]).clamp(0, 1)
    luma = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    fixed = ycbcr_colours(tinted, source)
    torch.testing.assert_close(fixed[0] - fixed[2], source[0] - source[2], atol=1e-5, rtol=0)
    torch.testing.assert_close((luma * fixed).sum(0), (luma * tinted).sum(0), atol=1e-5, rtol=0)
    fixed = wavelet_colours(tinted, source)
    torch.testing.assert_close(fixed.mean((1, 2)), source.mean((1, 2)), atol=5e-3, rtol=0)
    assert float((fixed - fixed.mean()).std()) > 0.03
    torch.testing.assert_close(wavelet_colours(source, source), source.clone(), atol=1e-6, rtol=0)
