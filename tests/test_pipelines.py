"""The pipelines of diffusers as backends: each equal to its own ``__call__``, loaded by path."""

import json
import shutil
from dataclasses import replace
from unittest.mock import patch

import diffusers
import numpy as np
import pytest
import torch

from awaken import types
from awaken.backends import BACKENDS
from awaken.backends.pipeline_loading import posterior_generator
from awaken.backends.pipeline_specs import PIPELINES
from awaken.backends.placement import Placement
from awaken.backends.transformer_cache import KINDS, TransformerCache
from awaken.engine import Engine
from awaken.memo import Memo
from awaken.method import awaken
from awaken.plan import Plan
from awaken.sampling import Outcome
from awaken.scene import Scene
from awaken.types import ModelError, Request
from tests import pipeline_checkpoints, tiny

pytestmark = pytest.mark.usefixtures("places")
CPU, EXACT = torch.device("cpu"), torch.float32
FRAMES = {"sparsectrl": 4, "i2vgen_xl": 4, "svd_xt": 4, "pia": 4}  # the others' have a stride
SQUARE = ("cogvideox15", "ltx2")  # the tiny ones: of one size; slow
ALMOST = {"svd_xt": 1e-5, "ltx2": 1e-5}  # of other order of operations


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return tmp_path_factory.mktemp("pipelines")


@pytest.fixture(scope="module")
def backend(models):
    """``backend(name)``: loaded once, from a folder that is written once."""
    known = {}

    def load(name):
        if name not in known:
            known.clear()  # one at a time: some are large for tests
            if not (models / BACKENDS[name].release.name).exists():
                pipeline_checkpoints.write(name, models)
            with patch.dict("os.environ", AWAKEN_MODELS=str(models)):
                known[name] = BACKENDS[name].load(CPU, EXACT)
        return known[name]

    return load


def request(backend, name, width=120, height=90, **changes):
    spec = BACKENDS[name]
    size = backend.working_size(*((64, 64) if name in SQUARE else (width, height)), 64)
    settings = dict(
        painting=tiny.painting(height=size[1], width=size[0]), prompt="clouds drift",
        negative_prompt="static", backend=name, steps=3, guidance=3.0,
        frames=FRAMES.get(name, 9), motion=spec.motion, proxy_strength=0.5,
        options={key: option.default for key, option in spec.options.items()},
    )  # fmt: skip
    return Request(**settings | changes)


def run(backend, request, memo=None):
    """(baseline, awakened) as latents."""
    plan = Plan.of(request, request.painting, backend, tiny.TINY_PROXY, "tiny")
    loop = awaken(backend, tiny.TinyProxy, request, request.painting, plan, memo or Memo(1 << 26))
    with torch.inference_mode():
        return Outcome(loop).finish()


def own(backend, name, request):
    """Latents of the pipeline's own call, with the noise and the draws of our final run."""
    pipe, scene = backend.pipe, Scene(backend, request, request.painting, Memo(1 << 26))
    whole = backend.whole_video(scene.noise["final"], scene.latents("painting"))
    draw = posterior_generator(request.seed)
    torch.manual_seed(draw.initial_seed())
    arguments = backend.call(request.painting, scene.settings) | {
        "num_inference_steps": request.steps, "generator": draw, "output_type": "latent",
    }  # fmt: skip
    vae = getattr(pipe.vae, "latents_mean", None), getattr(pipe.vae, "latents_std", None)
    if name == "ltx2":  # it takes them as its VAE has them, and mixes with sound
        forward = pipe.transformer.forward
        arguments["latents"] = pipe._denormalize_latents(whole, *vae)
        apart = lambda *a, **k: forward(*a, **k | {"isolate_modalities": True})  # noqa: E731
        with patch.object(pipe.transformer, "forward", apart):
            z = pipe(**arguments).frames
        return pipe._normalize_latents(z, *vae)
    if name == "ltx_video_095":  # it draws its own
        module = "diffusers.pipelines.ltx.pipeline_ltx_condition.randn_tensor"
        with patch(module, lambda *args, **kwargs: whole.clone()):
            return pipe(**arguments).frames
    z = pipe(**arguments | {"latents": backend.to_model(whole).clone()}).frames
    if z.ndim == 3:
        return backend.from_model(z, whole)
    return z.permute(tuple(np.argsort(backend.form.axes)))


@pytest.mark.parametrize("name", ["wan22_ti2v_5b", "ltx_video", "cogvideox15", "pia"])
def test_frames_are_the_pipelines_own_within_one_level(backend, name):
    model = backend(name)
    asked = request(model, name, steps=2)
    with torch.inference_mode():
        z = own(model, name, asked)
        ours = model.decode(z, asked.painting)
        scene = Scene(model, asked, asked.painting, Memo(1 << 26))
        whole = model.whole_video(scene.noise["final"], scene.latents("painting"))
        draw = posterior_generator(asked.seed)
        video = model.pipe(
            **model.call(asked.painting, scene.settings)
            | {"latents": model.to_model(whole).clone()},
            num_inference_steps=2, generator=draw, output_type="np",
        ).frames[0]  # fmt: skip
    theirs = (video * 255).round().astype(int)
    assert ours.shape == theirs.shape and abs(ours.astype(int) - theirs).max() <= 1


def assert_parity(backend, name, request):
    with torch.inference_mode():
        baseline, _ = run(backend, replace(request, variant="baseline"))
        expected = own(backend, name, request)
    if name in ALMOST:
        torch.testing.assert_close(baseline, expected, atol=ALMOST[name], rtol=0)
    else:
        assert torch.equal(baseline, expected)
    return baseline


@pytest.mark.parametrize("name", PIPELINES, scope="module")  # each is loaded once for both
def test_the_baseline_is_the_pipelines_own_video(backend, name):
    model = backend(name)
    asked = request(model, name)
    z = assert_parity(model, name, asked)
    with torch.inference_mode():
        frames = model.decode(z, asked.painting)
        small = model.preview(z, asked.painting)
    assert frames.shape == (asked.frames, *asked.painting.shape) and frames.dtype == np.uint8
    assert small.shape[0] == z.shape[2] and max(small.shape[1:3]) == 128


@pytest.mark.parametrize("name", PIPELINES, scope="module")  # each is loaded once for both
def test_every_arm_runs_differs_and_repeats_to_the_bit(backend, name):
    model, memo = backend(name), Memo(1 << 27)
    asked = request(model, name)
    arms = {v: run(model, replace(asked, variant=v), memo) for v in types.VARIANTS}
    videos = [awakened for _, awakened in arms.values()]
    for i, video in enumerate(videos):
        assert torch.isfinite(video).all()
        assert not any(torch.equal(video, other) for other in videos[:i])
    again = run(model, asked)
    alone = run(model, replace(asked, sequential=True))
    for ours, theirs in zip((*again, *alone), (*arms["+V&S"], *arms["+V&S"]), strict=True):
        assert torch.equal(ours, theirs)
    late = run(model, replace(asked, re_noise=0.5))
    assert torch.isfinite(late[1]).all() and torch.equal(late[0], again[0])
    if model.form.locked:
        assert torch.equal(again[1][:, :, 0], again[0][:, :, 0])


@pytest.mark.parametrize("name", ["wan22_ti2v_5b", "ltx_video", "i2vgen_xl", "sparsectrl"])
@pytest.mark.parametrize(
    "changes",
    [{"guidance": 1.0}, {"steps": 2, "width": 150, "height": 70}, {"seed": 7, "frames": 5}],
    ids=["no guidance", "other aspect", "other length"],
)
def test_parity_holds_at_other_settings(backend, name, changes):
    model = backend(name)
    assert_parity(model, name, request(model, name, **changes))


FLOW = {"prediction_type": "flow_prediction", "use_flow_sigmas": True, "flow_shift": 3.0}
LINEAR = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "linear"}


@pytest.mark.parametrize(
    ("name", "scheduler"),
    [
        ("wan22_ti2v_5b", diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0)),
        ("wan22_ti2v_5b", diffusers.DPMSolverMultistepScheduler(**FLOW)),
        ("pia", diffusers.EulerDiscreteScheduler(**LINEAR)),
        ("pia", diffusers.DPMSolverMultistepScheduler(**LINEAR)),
        ("pia", diffusers.LMSDiscreteScheduler(**LINEAR)),
    ],
)
def test_parity_holds_with_another_scheduler_in_the_folder(backend, name, scheduler, monkeypatch):
    model = backend(name)
    monkeypatch.setattr(model.pipe, "scheduler", scheduler)
    asked = request(model, name, steps=4)
    assert_parity(model, name, asked)
    assert torch.isfinite(run(model, asked)[1]).all()


def test_a_scheduler_that_draws_noise_is_refused(models, tmp_path, monkeypatch):
    folder = pipeline_checkpoints.write("pia", tmp_path)
    index = json.loads((folder / "model_index.json").read_text())
    index["scheduler"] = ["diffusers", "EulerAncestralDiscreteScheduler"]
    (folder / "model_index.json").write_text(json.dumps(index))
    monkeypatch.setenv("AWAKEN_MODELS", str(tmp_path))
    with pytest.raises(ModelError, match="EulerAncestral"):
        BACKENDS["pia"].load(CPU, EXACT)


@pytest.mark.parametrize(
    "layout", [{"variant": "fp16"}, {"max_shard_size": "40KB"},
               {"variant": "fp16", "max_shard_size": "40KB"}],
    ids=["half", "shards", "half in shards"],
)  # fmt: skip
def test_folders_in_half_precision_and_in_shards_load(tmp_path, monkeypatch, layout):
    name = "skyreels_v2"
    folder = pipeline_checkpoints.write(name, tmp_path, **layout)
    kinds = [path.name for path in (folder / "transformer").iterdir()]
    assert any("fp16" in kind for kind in kinds) == ("variant" in layout)
    assert any("-of-" in kind for kind in kinds) == ("max_shard_size" in layout)
    monkeypatch.setenv("AWAKEN_MODELS", str(tmp_path))
    assert BACKENDS[name].available() is None
    model = BACKENDS[name].load(CPU, EXACT)
    assert_parity(model, name, request(model, name))
    shard = next(path for path in (folder / "transformer").glob("*.safetensors"))
    shard.write_bytes(shard.read_bytes()[:-8])
    assert shard.name in BACKENDS[name].available()


@pytest.mark.parametrize("name", ["sparsectrl", "pia"])
def test_adapters_work_on_stable_diffusion_in_a_folder_of_its_own(tmp_path, monkeypatch, name):
    pipeline_checkpoints.write_parts(name, tmp_path)
    monkeypatch.setenv("AWAKEN_MODELS", str(tmp_path))
    assert BACKENDS[name].available() is None
    model = BACKENDS[name].load(CPU, EXACT)
    assert model.pipe.scheduler.config.beta_schedule == "linear"
    assert_parity(model, name, request(model, name))
    shutil.rmtree(tmp_path / "stable_diffusion_v1_5")
    assert "stable-diffusion-v1-5" in BACKENDS[name].available()


def test_a_release_that_names_the_text_pipeline_loads(models, backend, tmp_path, monkeypatch):
    """Wan 2.2 TI2V-5B is released as a WanPipeline."""
    backend("wan22_ti2v_5b")
    folder = tmp_path / "wan22_ti2v_5b"
    shutil.copytree(models / "wan22_ti2v_5b", folder)
    index = json.loads((folder / "model_index.json").read_text())
    index["_class_name"] = "WanPipeline"
    for part in ("image_encoder", "image_processor"):
        index.pop(part, None)
    (folder / "model_index.json").write_text(json.dumps(index))
    monkeypatch.setenv("AWAKEN_MODELS", str(tmp_path))
    assert type(BACKENDS["wan22_ti2v_5b"].load(CPU, EXACT).pipe).__name__.startswith("WanImage")


def test_two_experts_take_turns_by_noise_level(backend):
    model, seen = backend("wan22_i2v_a14b"), []
    choose = model.denoiser_at

    def watched(t):
        seen.append((t, choose(t)))
        return seen[-1][1]

    with patch.object(model, "denoiser_at", watched):
        run(model, request(model, "wan22_i2v_a14b", steps=8, variant="baseline"))
    first = [module is model.pipe.transformer for _, module in seen]
    assert first == [t >= 900 for t, _ in seen] and any(first) and not all(first)


@pytest.mark.parametrize("name", ["wan22_ti2v_5b", "skyreels_v2"])
def test_draft_changes_the_video_and_leaves_nothing_behind(backend, name):
    model = backend(name)
    exact = request(model, name, steps=6)
    baseline, _ = run(model, exact)
    assert model.drafted == 0
    for kind in KINDS if BACKENDS[name].draft == "first block" else KINDS[:2]:
        model.cache = TransformerCache(model.denoisers(), kind)
        asked = replace(exact, draft=True)
        draft, _ = run(model, asked)
        assert torch.isfinite(draft).all()
        assert torch.equal(draft, run(model, replace(asked, sequential=True))[0])
        assert torch.equal(run(model, exact)[0], baseline)
    assert 0 < model.drafted < model.evaluations


def test_the_engine_runs_one_and_says_what_it_is(backend):
    name = "wan22_ti2v_5b"
    backend(name)
    asked = Request(
        tiny.painting(height=200, width=200), "clouds drift", backend=name, proxy="upload",
        proxy_image=tiny.painting(seed=1), steps=2, size=96, frames=17,
    )  # fmt: skip
    *events, result = Engine(device="cpu", dtype="float32").animate(asked)
    assert isinstance(result, types.Result), result
    assert result.baseline.shape == result.awakened.shape == (17, 96, 96, 3)
    assert result.settings["negative_prompt"] == BACKENDS[name].negative_prompt
    assert any(isinstance(event, types.Step) and event.previews for event in events)


def test_weights_in_8_bits_still_make_a_video(models, tmp_path, monkeypatch):
    name = "wan22_ti2v_5b"
    pipeline_checkpoints.write(name, tmp_path)
    monkeypatch.setenv("AWAKEN_MODELS", str(tmp_path))
    model = BACKENDS[name].load(CPU, EXACT)
    asked = request(model, name)
    exact, _ = run(model, asked)
    model.pipe.transformer.enable_layerwise_casting(
        storage_dtype=torch.float8_e4m3fn, compute_dtype=EXACT
    )
    rough, _ = run(model, asked)
    difference = (rough - exact).abs().max()
    assert 0 < difference < exact.abs().max()


def test_layers_in_turns_make_the_same_video(backend, models):
    name = "skyreels_v2"
    exact, _ = run(backend(name), request(backend(name), name))
    model = BACKENDS[name].load(CPU, EXACT)
    Placement("layers").apply(model.pipe, CPU, {})
    model.placement = Placement("layers")
    assert model.modules() == [] and "group" in model.notices("clouds")[0]
    assert torch.equal(run(model, request(model, name))[0], exact)
