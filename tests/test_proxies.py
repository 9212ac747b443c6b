"""Every entry of PROXIES: tiny random pipelines of the true classes, loaded by path."""

import json
import shutil
import threading
import time

import numpy as np
import pytest
import torch
from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit_plus

from awaken import hub
from awaken.backends import BACKENDS
from awaken.engine import Engine
from awaken.proxies import PROXIES, ProxySettings
from awaken.sampling import Outcome
from awaken.settings import resolve
from awaken.types import ModelError, Request, RequestError
from tests import checkpoints, proxy_checkpoints, tiny

RELEASED = [name for name, spec in PROXIES.items() if spec.release]
IMG2IMG = [name for name in RELEASED if PROXIES[name].family == "img2img"]
SEEDLESS = {"upload", "identity", "baseline_frame", "masactrl"}  # nothing is drawn
QUICK = {"size": 96, "steps": 4}  # below what the page offers: these networks know nothing anyway


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return checkpoints.write_all(tmp_path_factory.mktemp("models"), proxy_checkpoints.WRITERS)


@pytest.fixture(autouse=True)
def small_pictures(places, monkeypatch):
    # Qwen's pipeline shows pictures at a fixed megapixel, too much for one core.
    monkeypatch.setattr(pipeline_qwenimage_edit_plus, "VAE_IMAGE_SIZE", 96 * 96)
    monkeypatch.setattr(pipeline_qwenimage_edit_plus, "CONDITION_IMAGE_SIZE", 64 * 64)


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
    given = dict(
        prompt="clouds drift", strength=proxy.spec.strength, seed=42, image=None, options=options
    )
    if "options" in changes:
        changes["options"] = options | changes["options"]
    with torch.inference_mode():
        made = Outcome(proxy.make(painting, ProxySettings(**(given | changes))))
        told = list(made)
        return made.value, told


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
        made, _ = make(proxy, painting, strength=strength, options={"steps": steps, "size": 64})
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
    plain, controlled = (masactrl_run(proxy, union=union, first_step=step)[1] for step in (99, 0))
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
    options = {n: o.default for n, o in proxy.spec.options.items()} | {"size": 64, "steps": 4}
    loop = proxy.make(tiny.painting(), ProxySettings("a storm", 1, 0.2, options=options))
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


def test_invsrs_patches_may_share_a_batch_or_not(loaded):
    proxy = loaded("invsr")
    patches = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))

    def enlarged(*groups):
        draw, done = torch.Generator().manual_seed(1), []
        for group in groups:
            loop = proxy.enlarge(group, text, (200, 100), draw)
            try:
                while True:
                    next(loop)
            except StopIteration as end:
                done.append(end.value)
        return torch.cat(done)

    with torch.inference_mode():
        text = proxy.embed("sharp")
        together, alone = enlarged(patches), enlarged(patches[:1], patches[1:])
    torch.testing.assert_close(together, alone, atol=1e-3, rtol=0)


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


# Editors


@pytest.mark.parametrize("name", ["flux2_klein", "qwen_image_edit"])
def test_an_editor_below_strength_one_starts_on_the_painting(loaded, name):
    """The nearer to 0, the nearer to the round trip through the VAE; at 1 it is the plain editor."""
    proxy, painting = loaded(name), tiny.painting(height=96, width=96)
    arguments = {}
    with torch.inference_mode():
        for strength in (0.02, 0.5, 1.0):
            options = {n: o.default for n, o in proxy.spec.options.items()} | {"steps": 4}
            draw = torch.Generator().manual_seed(0)
            settings = ProxySettings("x", 0, strength, options=options)
            arguments[strength] = proxy.arguments(painting, settings, draw)
    assert arguments[1.0]["sigmas"] == pytest.approx([1, 0.75, 0.5, 0.25])
    noise = arguments[1.0]["latents"].float()
    assert float(noise.std()) == pytest.approx(1, abs=0.1)
    clean = (arguments[0.02]["latents"].float() - 0.02 * noise) / 0.98
    half = 0.5 * clean + 0.5 * noise
    torch.testing.assert_close(arguments[0.5]["latents"].float(), half, atol=1e-4, rtol=0)
    near, middle, far = (
        make(proxy, painting, strength=s, options={"steps": 4})[0].astype(float)
        for s in (0.001, 0.5, 1.0)
    )
    nearer = make(proxy, painting, strength=0.0005, options={"steps": 4})[0].astype(float)
    step = np.abs(nearer - near).mean()
    assert 10 * step < np.abs(near - far).mean() and step < np.abs(near - middle).mean()
    with pytest.raises(RequestError, match="nothing to do"):
        make(proxy, painting, strength=0.0, options={"steps": 4})


def test_qwen_sees_the_painting_at_the_size_it_answers_in(loaded, monkeypatch):
    from diffusers.pipelines.qwenimage.pipeline_qwenimage_edit_plus import calculate_dimensions

    monkeypatch.setattr(pipeline_qwenimage_edit_plus, "VAE_IMAGE_SIZE", 1024 * 1024)
    for height in range(340, 3000, 37):
        size = loaded("qwen_image_edit").working_size(1000, height, 0)
        assert calculate_dimensions(1024 * 1024, size[0] / size[1]) == size


@pytest.mark.parametrize("config", [{}, {"shift_terminal": 0.02}])
@pytest.mark.parametrize("strength", [0.02, 0.4, 0.9, 1.0])
def test_an_editor_begins_at_the_noise_level_it_is_told(config, strength):
    from diffusers import FlowMatchEulerDiscreteScheduler

    from awaken.proxies.editing import flow_start

    scheduler = FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, **config)
    z = torch.zeros(1, 16, 8, 8)
    noisy, sigmas = flow_start(z, strength, 4, scheduler, 1.1, torch.Generator().manual_seed(0))
    scheduler.set_timesteps(sigmas=sigmas, mu=1.1)
    level = float(scheduler.sigmas[0])
    assert level == pytest.approx(max(strength, 0.02 if config else 0), abs=1e-3)
    assert float(noisy.std()) == pytest.approx(strength, rel=0.1)


# Steps, stops and bad cases


def test_a_pipeline_stops_within_one_step_and_leaves_no_thread(loaded):
    proxy = loaded("sd_turbo")
    calls = []
    hook = proxy.pipe.unet.register_forward_hook(lambda *_: calls.append(1))
    options = {"size": 96, "steps": 10}
    loop = proxy.make(tiny.painting(), ProxySettings("clouds", 1, 1.0, options=options))
    assert next(loop) == (1, 10) and next(loop) == (2, 10)
    time.sleep(0.05)  # it must not run ahead of us
    assert len(calls) == 2
    loop.close()
    hook.remove()
    assert len(calls) == 2
    assert not [t for t in threading.enumerate() if t.name == "proxy"]


def test_what_a_pipeline_raises_reaches_the_caller_as_it_is(loaded, monkeypatch):
    proxy = loaded("sd_turbo")

    def full(*args, **kwargs):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(proxy.pipe.vae, "decode", full)
    with pytest.raises(torch.OutOfMemoryError):
        make(proxy, tiny.painting())
    assert not [t for t in threading.enumerate() if t.name == "proxy"]


@pytest.mark.parametrize("name", IMG2IMG)
def test_too_little_strength_for_one_step_is_a_sentence_with_the_least_that_works(loaded, name):
    with pytest.raises(RequestError, match=r"raise the proxy strength to 0\.26 or more"):
        make(loaded(name), tiny.painting(), strength=0.2, options={"steps": 4})
    make(loaded(name), tiny.painting(), strength=0.26, options={"steps": 4})


@pytest.mark.parametrize("value, word", [(0.0, "black picture"), (float("nan"), "overflowed")])
def test_a_black_answer_is_a_sentence_not_a_proxy(loaded, monkeypatch, value, word):
    proxy = loaded("sd_turbo")
    blank = lambda *a, **k: (torch.full((1, 3, 96, 96), value * 2 - 1),)  # noqa: E731
    monkeypatch.setattr(proxy.pipe.vae, "decode", blank)
    with pytest.raises(ModelError, match=word):
        make(proxy, tiny.painting())


@pytest.mark.parametrize("name", RELEASED)
def test_a_missing_model_is_a_sentence_with_size_and_address(name, monkeypatch, tmp_path):
    monkeypatch.setenv("AWAKEN_MODELS", str(tmp_path))
    spec = PROXIES[name]
    sentence = spec.available()
    assert " GB from https://huggingface.co/" in sentence and "--models" in sentence
    with pytest.raises(ModelError, match="not on this machine"):
        spec.load(torch.device("cpu"), torch.float32)
    with pytest.raises(ModelError, match="cannot run here"):
        resolve(Request(tiny.painting(), "clouds", proxy=name), BACKENDS["miniature"], spec)


def damaged(name, models, tmp_path, monkeypatch):
    """A copy of one release to be damaged, the only one on this machine."""
    folder = tmp_path / "models" / PROXIES[name].release.name
    shutil.copytree(models / folder.name, folder)
    if name == "invsr":
        shutil.copytree(models / "sd_turbo", folder.parent / "sd_turbo")
    monkeypatch.setenv("AWAKEN_MODELS", str(folder.parent))
    return folder


@pytest.mark.parametrize("name", RELEASED)
def test_a_file_that_is_cut_short_or_missing_is_named(name, models, tmp_path, monkeypatch):
    folder = damaged(name, models, tmp_path, monkeypatch)
    largest = max((p for p in folder.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-100])
    for _ in ("cut short", "missing"):
        with pytest.raises(ModelError, match=largest.name.split(".")[0]):
            PROXIES[name].load(torch.device("cpu"), torch.float32)
        assert largest.name.split(".")[0] in PROXIES[name].available()
        largest.unlink(missing_ok=True)


def test_a_configuration_that_does_not_fit_and_a_lost_shard_are_named(
    models, tmp_path, monkeypatch
):
    folder = damaged("sd_turbo", models, tmp_path, monkeypatch)
    (folder / "unet" / "config.json").write_text("[]")
    with pytest.raises(ModelError, match="unet/config.json should hold a JSON object"):
        PROXIES["sd_turbo"].load(torch.device("cpu"), torch.float32)
    (folder / "unet" / "config.json").write_text('{"_class_name": "UNet2DConditionModel"}')
    with pytest.raises(ModelError, match="could not be loaded as StableDiffusionImg2ImgPipeline"):
        PROXIES["sd_turbo"].load(torch.device("cpu"), torch.float32)
    index = folder / "unet" / "diffusion_pytorch_model.safetensors.index.json"
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    shard = "diffusion_pytorch_model-00001-of-00002.safetensors"
    index.write_text(json.dumps({"weight_map": {"a": shard}}))
    with pytest.raises(ModelError, match="00001-of-00002.safetensors is missing"):
        hub.check_files(PROXIES["sd_turbo"].release, folder)


def test_invsr_refuses_another_networks_weights(models, tmp_path, monkeypatch):
    folder = damaged("invsr", models, tmp_path, monkeypatch)
    torch.save(
        {"encoder.conv_in.weight": torch.zeros(3)}, folder / "noise_predictor_sd_turbo_v5.pth"
    )
    with pytest.raises(ModelError, match="v5.pth belongs to another network"):
        PROXIES["invsr"].load(torch.device("cpu"), torch.float32)


def test_fetching_invsr_brings_the_model_it_works_on_first_unless_it_is_there(
    monkeypatch, tmp_path
):
    asked = []
    monkeypatch.setattr(hub, "download", lambda release: asked.append(release.name) or iter(()))
    engine = Engine(device="cpu")
    list(engine.fetch("proxy", "invsr"))
    assert asked == ["invsr"]
    monkeypatch.setenv("AWAKEN_MODELS", str(tmp_path))
    list(engine.fetch("proxy", "invsr"))
    assert asked[1:] == ["sd_turbo", "invsr"]
