"""On a CUDA device: precisions, graphs, compiled blocks, models in turns; skipped elsewhere.

The networks are those of the release at a tenth of their width, with random weights.
"""

import gc

import numpy as np
import pytest
import torch

from awaken.backends import Backend, Condition, VideoSettings
from awaken.backends.speed import Tuning
from awaken.official import random_backend
from awaken.residence import Residence, modules

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
    pytest.mark.usefixtures("inference"),
]
GPU = torch.device("cuda")
by_model = pytest.mark.parametrize("name", ["animate_anything", "consisti2v", "cinemo"])


def backend(name, dtype=torch.float32, device=GPU):
    return random_backend(name, 0.1, device, dtype)


def predicted(model: Backend, seed=0, t=None) -> torch.Tensor:
    """One guided step of two videos, in float32 on the CPU."""
    picture = np.random.default_rng(seed).integers(0, 256, (128, 128, 3), np.uint8)
    options = {name: option.default for name, option in model.spec.options.items()}
    settings = VideoSettings("clouds drift", 16, 7.5, motion=model.spec.motion, options=options)
    latents = model.encode(picture, seed)
    given = model.condition(picture, latents, settings)
    still = model.static_video(latents, 16, picture)
    noise = torch.randn(2, *still.shape[1:], generator=torch.Generator().manual_seed(seed))
    t = model.schedule(25).timesteps[5] if t is None else t
    return model.predict(still + noise.to(GPU), t, Condition.stack([given, given])).float().cpu()


def psnr(exact: torch.Tensor, other: torch.Tensor) -> float:
    error = (exact - other).square().mean() / exact.square().mean()
    return float(-10 * error.log10())


@by_model
@pytest.mark.parametrize("dtype, least", [(torch.float16, 50), (torch.bfloat16, 32)])
def test_half_precision_is_near_single(name, dtype, least):
    single, half = backend(name), backend(name, dtype)
    half.unet.load_state_dict(single.unet.state_dict())
    half.vae.load_state_dict(single.vae.state_dict())
    half.text_encoder.load_state_dict(single.text_encoder.state_dict())
    assert psnr(predicted(single), predicted(half)) > least


@by_model
def test_graphs_replay_what_the_network_computes(name):
    model = backend(name, torch.float16)
    steps = [(0, 900.0), (1, 300.0), (0, 20.0)]
    exact = [predicted(model, seed, t) for seed, t in steps]
    model.tune(Tuning(graphs=True))
    for (seed, t), z in zip(steps, exact, strict=True):
        torch.testing.assert_close(predicted(model, seed, t), z, atol=2e-3, rtol=2e-3)
    modules(model)[0].to("cpu"), modules(model)[0].to(GPU)  # weights that moved are read anew
    torch.testing.assert_close(predicted(model), predicted(model), atol=0, rtol=0)


@by_model
def test_compiled_blocks_compute_the_same(name):
    model = backend(name)
    exact = predicted(model)
    model.tune(Tuning("behind", kernels=True))
    torch.testing.assert_close(predicted(model), exact, atol=1e-3, rtol=1e-3)
    model.quick.settle().join()
    assert model.quick._ready, "nothing was compiled; the log says why"
    torch.testing.assert_close(predicted(model), exact, atol=1e-3, rtol=1e-3)


def test_parts_in_turns_compute_the_same(monkeypatch):
    exact = predicted(backend("animate_anything"))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda *_: (1, 1))
    model = backend("animate_anything")
    assert model.offloaded and model.notices("a")
    torch.testing.assert_close(predicted(model), exact, atol=1e-4, rtol=1e-4)


def test_two_models_take_turns_on_a_small_device():
    residence = Residence(GPU, capacity=1)
    first = residence.get("backend", "a", lambda: backend("animate_anything"))
    exact = predicted(first)
    second = residence.get("proxy", "b", lambda: backend("cinemo"))
    assert all(p.device.type == "cpu" for p in first.unet.parameters())
    residence.activate("backend")
    assert all(p.device.type == "cpu" for p in second.unet.parameters())
    assert torch.equal(predicted(first), exact)
    del first, second
    gc.collect()
