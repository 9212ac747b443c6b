"""What makes the networks quicker: the same numbers, proven on a processor."""

from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest
import torch
from diffusers import AutoencoderTiny
from torch.nn.attention import SDPBackend

from awaken import official
from awaken.backends import BACKENDS, processor
from awaken.backends.latent_diffusion import channels_last, tiny_vae
from awaken.backends.speed import Graphs, Quick, Tuning, quickest_first, sharing_weights
from awaken.engine import Engine
from awaken.types import Request
from tests import checkpoints, tiny

pytestmark = pytest.mark.usefixtures("places", "inference")
CPU = torch.device("cpu")
# Traces the blocks, as on a GPU, and runs what was traced; building kernels would take minutes.
TRACED = {name: Tuning("behind", backend="eager") for name in checkpoints.WRITERS}
TRACED["animate_anything"] = Tuning("behind", backend="aot_eager")  # down to torch's own operators
by_model = pytest.mark.parametrize("name", checkpoints.WRITERS, scope="module")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return checkpoints.write_all(tmp_path_factory.mktemp("models"))


def inputs(name, frames=16, t=500.0, seed=0):
    """Of the tiny network of this name, as its backend calls it."""
    draw = torch.Generator().manual_seed(seed)

    def randn(*shape):
        return torch.randn(*shape, generator=draw)

    z, text, first = randn(2, 4, frames, 6, 6), randn(2, 5, 24), randn(2, 4, 1, 6, 6)
    if name == "animate_anything":
        more = {"mask": torch.ones(2, 1, 1, 6, 6), "motion": torch.full((2,), 8.0)}
        return (z, t), {"encoder_hidden_states": text, "condition_latent": first, **more}
    if name == "consisti2v":
        return (z[:, :, 1:], int(t), text, first, torch.full((1,), 3)), {}
    return (z, int(t), text), {"base_content": first, "added_motion_ids": torch.full((2,), 8.0)}


@pytest.fixture(scope="module")
def networks():
    """name -> the tiny network, loaded once."""
    held = {}

    def network(name):
        if name not in held:
            held[name] = BACKENDS[name].load(CPU, torch.float32).unet
        return held[name]

    return network


@by_model
def test_blocks_compiled_behind_the_runs_compute_what_they_computed(networks, name):
    network = networks(name)
    plain = sharing_weights(network)
    processor.suit(plain, False)  # the compiler has kernels of its own
    args, kwargs = inputs(name)
    quick = Quick(plain, TRACED[name], CPU)
    (exact,) = quick(*args, **kwargs, return_dict=False)
    assert quick.network(*args, **kwargs, return_dict=False) is plain, (
        "the first run waits for nothing"
    )
    quick.settle().join()
    (other,) = quick(*args, **kwargs, return_dict=False)
    twin = quick.network(*args, **kwargs, return_dict=False)
    blocks = [m for m in twin.modules() if type(m).__name__ in network._repeated_blocks]
    assert twin is not plain and blocks and all(m._compiled_call_impl for m in blocks)
    torch.testing.assert_close(other, exact, atol=1e-4, rtol=1e-4)
    assert all(mine is its for mine, its in zip(plain.parameters(), twin.parameters(), strict=True))


def test_a_network_that_cannot_be_compiled_runs_as_it_is(networks, caplog):
    args, kwargs = inputs("cinemo")
    quick = Quick(networks("cinemo"), Tuning("behind", backend="no such compiler"), CPU)
    exact = quick(*args, **kwargs).sample
    quick.settle().join()
    assert torch.equal(quick(*args, **kwargs).sample, exact)
    assert "could not be compiled" in caplog.text


@by_model
def test_a_recorded_call_reads_every_input_anew(networks, name):
    """Where a graph would bake a value in, the second call would repeat the first."""

    def rerun(call):
        (out,) = call()
        return lambda: out.copy_(call()[0]), (out,)

    network, graphs = networks(name), Graphs(rerun)
    for t, seed in ((900.0, 0), (300.0, 1), (20.0, 0)):
        args, kwargs = inputs(name, t=t, seed=seed)
        (exact,) = network(*args, **kwargs, return_dict=False)
        (out,) = graphs(network, *args, **kwargs, return_dict=False)
        assert torch.equal(out, exact)
        assert out is not graphs(network, *args, **kwargs, return_dict=False)[0], "a result is kept"
    assert len(graphs._held) == 1


@by_model
def test_the_quicker_kernels_of_a_processor_compute_the_same(networks, name):
    network = sharing_weights(networks(name)).double().float()
    args, kwargs = inputs(name)
    processor.suit(network, False)
    (exact,) = network(*args, **kwargs, return_dict=False)
    if not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        pytest.fail("torch has lost the operator; processor.suits() must say so")
    processor.suit(network)
    kinds = {type(m).__name__ for m in network.modules()}
    assert {"_Linear"} <= kinds and ("_OverTime" in kinds) == (name != "cinemo")
    (quick,) = network(*args, **kwargs, return_dict=False)
    torch.testing.assert_close(quick, exact, atol=1e-4, rtol=1e-4)
    processor.suit(network, False)
    assert torch.equal(network(*args, **kwargs, return_dict=False)[0], exact)


def test_memory_formats_change_and_come_back(networks):
    args, kwargs = inputs("animate_anything")
    network = sharing_weights(networks("animate_anything"))
    exact = network(*args, **kwargs).sample
    channels_last(network)
    assert network.conv_in2.weight.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(network(*args, **kwargs).sample, exact, atol=1e-4, rtol=1e-4)
    channels_last(network, False)
    assert network.conv_in2.weight.is_contiguous()


def test_attention_prefers_the_quickest_kernel_that_is_there():
    seconds = {SDPBackend.FLASH_ATTENTION: 2.0, SDPBackend.EFFICIENT_ATTENTION: 1.0}
    assert quickest_first(seconds.get) == [
        SDPBackend.EFFICIENT_ATTENTION, SDPBackend.FLASH_ATTENTION, SDPBackend.MATH
    ]  # fmt: skip
    assert quickest_first(lambda kernel: None) == [SDPBackend.MATH]


def test_a_tiny_decoder_shows_previews_where_it_is(models, tmp_path, monkeypatch):
    assert tiny_vae(CPU, torch.float32) is None
    monkeypatch.setenv("AWAKEN_MODELS", str(tmp_path))
    tiny = AutoencoderTiny(
        encoder_block_out_channels=(8, 8), decoder_block_out_channels=(8, 8),
        num_encoder_blocks=(1, 1), num_decoder_blocks=(1, 1),
    )  # fmt: skip
    tiny.save_pretrained(tmp_path / "taesd")
    found = tiny_vae(CPU, torch.float32)
    monkeypatch.setenv("AWAKEN_MODELS", str(models))
    backend = BACKENDS["animate_anything"].load(CPU, torch.float32)
    z, painting = torch.randn(1, 4, 3, 64, 96), None
    linear = backend.preview(z, painting)
    backend.tiny_vae = found
    shown = backend.preview(z, painting)
    assert shown.shape == linear.shape[:1] + (85, 128, 3) and shown.dtype == linear.dtype
    frames = ((found.decode(z[0].transpose(0, 1)).sample / 2 + 0.5).clamp(0, 1) * 255).mean((2, 3))
    assert abs(torch.from_numpy(shown).float().mean((1, 2)) - frames).max() < 3


def test_the_released_loop_that_is_measured_makes_the_engines_videos():
    """Or the benchmark would compare two different things."""
    model = official.random_backend("animate_anything", 0.1, CPU, torch.float32)
    spec = replace(BACKENDS["animate_anything"], load=lambda *_: model, available=lambda: None)
    model.spec = spec
    request = Request(
        tiny.painting(height=96, width=96), "clouds drift", backend="here", proxy="upload",
        proxy_image=tiny.painting(seed=1, height=96, width=96), steps=2, size=96,
    )  # fmt: skip
    with patch.dict(BACKENDS, {"here": spec}):
        result, _ = tiny.run(Engine("cpu", "float32"), request)
        with official.as_released(model):
            kinds = {type(m).__name__ for m in model.unet.modules()}
            videos = official.released(model, request).videos
    assert not kinds & {"_Linear", "_OverTime"}, "the network is plain meanwhile"
    for ours, video in zip((result.awakened, result.baseline), videos, strict=True):
        frames = np.moveaxis(video, 1, -1).astype(int)
        assert np.abs(ours - frames).max() <= 2
