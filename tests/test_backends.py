"""Every backend of our own making, by path from a checkpoint in its true layout, through the engine."""

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from awaken import hub, types
from awaken.__main__ import main
from awaken.backends import BACKENDS, VideoSettings
from awaken.backends.pipeline_specs import PIPELINES
from awaken.engine import Engine
from tests import checkpoints, tiny
from tests.tiny import quick_request as request
from tests.tiny import run

pytestmark = pytest.mark.usefixtures("places")
# Those of test_pipelines have their own tests.
OURS = [name for name in BACKENDS if name not in PIPELINES]
# All tests of one model, then of the next: each is loaded once, and runs alike come from the memo.
by_model = pytest.mark.parametrize("name", OURS, scope="module")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A folder of models with every release in it."""
    return checkpoints.write_all(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def engine():
    return Engine(device="cpu", dtype="float32")


@by_model
def test_baseline_and_method_run_and_repeat_to_the_bit(engine, name):
    first, _ = run(engine, request(name))
    again, events = run(Engine(device="cpu", dtype="float32"), request(name))
    frames = BACKENDS[name].frames
    assert first.painting.shape == (96, 96, 3)
    assert first.baseline.shape == first.awakened.shape == (frames, 96, 96, 3)
    backend = engine._prepare(request(name))[0]
    start = backend.schedule(3).start_index(1.0)  # later than 0 where a schedule ends in pure noise
    assert again.evaluations == 2 * 2 + 3 + (3 - start)
    assert not np.array_equal(first.baseline, first.awakened)
    assert any(isinstance(e, types.Step) and e.previews for e in events)
    assert np.array_equal(first.awakened, again.awakened)


@by_model
def test_every_arm_of_table_1_is_a_setting(engine, name):
    results = [run(engine, request(name, variant=v))[0] for v in types.VARIANTS]
    assert len({r.awakened.tobytes() for r in results}) == len(results)
    assert len({r.baseline.tobytes() for r in results}) == 1


@by_model
def test_a_batch_computes_what_one_by_one_computes(engine, name):
    """One network call on two videos against two calls, in float32."""
    backend, _, r, painting, _ = engine._prepare(request(name))
    with torch.inference_mode():
        latents = backend.encode(painting, 1)
        given = backend.condition(painting, latents, VideoSettings.of(r))
        z = torch.randn(2, *backend.static_video(latents, r.frames).shape[1:])
        t = backend.schedule(3).timesteps[0]
        both = backend.network(z, t, type(given).stack([given, given]))
        alone = torch.cat([backend.network(z[i : i + 1], t, given) for i in range(2)], 1)
    torch.testing.assert_close(both, alone, atol=2e-4, rtol=2e-4)


@by_model
def test_the_command_line_writes_the_same_frames_as_the_engine(engine, name, tmp_path):
    from PIL import Image

    from awaken.video import read_settings

    painting = tmp_path / "painting.png"
    Image.fromarray(tiny.painting(height=200, width=200)).save(painting)
    arguments = f"--backend {name} --proxy identity --steps 3 --size 96 --p 0.5"
    out = tmp_path / "out"
    assert main([str(painting), "clouds drift", "--out", str(out), *arguments.split()]) == 0
    for file in ("proxy.png", "baseline.mp4", "awakened.mp4", "side_by_side.mp4", "settings.json"):
        assert (out / file).stat().st_size > 0
    settings = json.loads((out / "settings.json").read_text())
    assert settings["backend"] == name and settings["steps"] == 3
    assert read_settings(out / "awakened.mp4") == settings


@by_model
def test_the_page_runs_it_with_its_defaults(name, tmp_path):
    from gradio_client import handle_file
    from PIL import Image

    from awaken.video import read_settings
    from tests.page import program, served_page

    painting = tmp_path / "painting.png"
    Image.fromarray(tiny.painting(height=200, width=200)).save(painting)
    client = program(served_page().url)
    files = client.predict(
        painting=handle_file(str(painting)), prompt="clouds drift", backend=name, proxy="identity",
        steps=2, size=96, p=0.5, api_name="/animate",
    )  # fmt: skip
    settings = read_settings(files[0])
    assert (settings["backend"], settings["guidance"]) == (name, BACKENDS[name].guidance)
    assert settings["options"] == {n: o.default for n, o in BACKENDS[name].options.items()}


@by_model
def test_options_reach_the_model(engine, name):
    spec = BACKENDS[name]
    before, _ = run(engine, request(name))
    for option, described in spec.options.items():
        changed = described.high if described.default != described.high else described.low
        after, _ = run(engine, request(name, options={option: changed}))
        assert not np.array_equal(before.awakened, after.awakened), option


@by_model
def test_a_later_start_and_no_guidance_work(engine, name):
    usual, _ = run(engine, request(name))
    late, _ = run(engine, request(name, re_noise=0.5))
    plain, _ = run(engine, request(name, guidance=1.0))
    assert np.array_equal(late.baseline, usual.baseline), "a later start is the method's alone"
    assert not np.array_equal(late.awakened, usual.awakened)
    for video in ("baseline", "awakened"):
        assert not np.array_equal(getattr(plain, video), getattr(usual, video)), video


@by_model
def test_every_model_can_start_its_baseline_from_pure_noise(engine, name):
    published, _ = run(engine, request(name))
    noise, _ = run(engine, request(name, start="noise"))
    assert not np.array_equal(noise.baseline, published.baseline)
    assert np.array_equal(noise.awakened, published.awakened)


def test_one_seed_is_one_posterior_sample(engine):
    backend = engine._resident("backend", "consisti2v", BACKENDS)
    picture = tiny.painting(height=192, width=192)
    with torch.inference_mode():
        assert torch.equal(backend.encode(picture, 5), backend.encode(picture, 5))
        assert not torch.equal(backend.encode(picture, 5), backend.encode(picture, 6))


def test_consisti2v_keeps_the_painting_as_its_first_frame(engine):
    result, _ = run(engine, request("consisti2v"))
    assert np.array_equal(result.baseline[0], result.awakened[0])


def test_switching_backends_lets_the_last_one_go(engine):
    import gc

    from awaken.models import CinemoUNet, ConsistI2VUNet

    def alive(cls):
        gc.collect()
        return sum(isinstance(o, cls) for o in gc.get_objects())

    run(engine, request("miniature"))
    others = alive(ConsistI2VUNet), alive(CinemoUNet)  # the test session's page has an engine too
    run(engine, request("consisti2v"))
    assert (alive(ConsistI2VUNet), alive(CinemoUNet)) == (others[0] + 1, others[1])
    run(engine, request("cinemo"))
    assert (alive(ConsistI2VUNet), alive(CinemoUNet)) == (others[0], others[1] + 1)


def test_precision_follows_the_device(monkeypatch):
    from awaken import residence

    cuda, cpu = torch.device("cuda"), torch.device("cpu")
    for hardware, expected in ((True, torch.bfloat16), (False, torch.float16)):
        monkeypatch.setattr(residence, "fast_bfloat16", lambda device, has=hardware: has)
        assert residence.working_dtype(cuda, half_on_cpu=False) == expected
        assert residence.working_dtype(cpu, half_on_cpu=False) == torch.float32
    monkeypatch.setattr(residence, "fast_bfloat16", lambda device: True)
    assert residence.working_dtype(cpu, half_on_cpu=True) == torch.bfloat16


def test_models_that_do_not_fit_are_told(engine):
    from awaken.backends.latent_diffusion import resident

    assert resident(needed=6, free=8) and not resident(needed=7, free=8)
    backend = engine._resident("backend", "cinemo", BACKENDS)
    assert backend.notices("clouds drift") == []
    backend.offloaded = True
    try:
        assert "does not fit" in backend.notices("clouds drift")[0]
        assert any("first 75 words" in told for told in backend.notices("cloud " * 99))
    finally:
        backend.offloaded = False


@pytest.fixture
def broken(models, tmp_path, monkeypatch):
    """A copy of the ConsistI2V checkpoint that a test may damage."""
    folder = tmp_path / "models" / "consisti2v"
    shutil.copytree(models / "consisti2v", folder)
    monkeypatch.setenv("AWAKEN_MODELS", str(folder.parent))
    return folder


def refusal(name="consisti2v"):
    failed = list(Engine(device="cpu").animate(request(name)))[-1]
    assert isinstance(failed, types.Failed) and failed.kind == "model"
    return failed.message


def test_a_missing_file_is_named(broken):
    (broken / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    assert "vae/diffusion_pytorch_model.safetensors is missing" in refusal()


def test_a_file_that_was_cut_short_is_named_before_loading(broken):
    file = broken / "unet" / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])
    assert (
        "unet/diffusion_pytorch_model.safetensors is not a safetensors file or is cut" in refusal()
    )


def test_weights_of_another_model_are_named(broken, models):
    shutil.copy(
        models / "cinemo" / "unet" / "diffusion_pytorch_model.bin",
        broken / "unet" / "diffusion_pytorch_model.bin",
    )
    (broken / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    message = refusal()
    assert "diffusion_pytorch_model.bin" in message and "another model" in message


def test_a_shape_that_does_not_fit_is_named(broken):
    config = json.loads((broken / "unet" / "config.json").read_text())
    config["cross_attention_dim"] = 32
    (broken / "unet" / "config.json").write_text(json.dumps(config))
    message = refusal()
    assert "has shape" in message and "another model or version" in message


def test_broken_json_is_named(broken):
    (broken / "scheduler" / "scheduler_config.json").write_text("{")
    assert "scheduler_config.json cannot be read as JSON" in refusal()


def test_a_pickle_that_would_run_code_is_refused(broken):
    import os

    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(broken / "owned"),)

    (broken / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    torch.save({"conv_in.weight": Evil()}, broken / "unet" / "diffusion_pytorch_model.bin")
    assert "refuse" in refusal()
    assert not (broken / "owned").exists()


def test_offline_with_nothing_cached_the_sentence_says_what_to_fetch(monkeypatch, tmp_path):
    monkeypatch.setenv("AWAKEN_MODELS", str(tmp_path))
    for name in checkpoints.WRITERS:
        release = BACKENDS[name].release
        sentence = BACKENDS[name].available()
        assert release.address in sentence and hub.gigabytes(release.size) in sentence
        assert "miniature" in sentence
        assert sentence in refusal(name)


def resave(folder, half: bool, sharded: bool, pickled: bool) -> None:
    """Write the weights of one network anew, under the names of that kind of release."""
    (path,) = [p for p in folder.glob("*") if p.suffix in (".safetensors", ".bin")]
    text = folder.name == "text_encoder"
    state = dict(hub.read_state(path))
    path.unlink()
    ending, middle = ("bin", ".fp16") if pickled else ("safetensors", ".fp16")
    stem = ("pytorch_model" if pickled else "model") if text else "diffusion_pytorch_model"
    middle = middle if half else ""
    names = sorted(state)
    parts = {f"{stem}{middle}.{ending}": names}
    if sharded and not (pickled and folder.name.startswith("vae")):  # diffusers knows no such VAE
        parts = {f"{stem}-0000{i + 1}-of-00002{middle}.{ending}": names[i::2] for i in (0, 1)}
        where = {name: file for file, held in parts.items() for name in held}
        index = folder / f"{stem}.{ending}.index{middle}.json"
        index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": where}))
    for file, held in parts.items():
        kept = {name: state[name].half() if half else state[name] for name in held}
        if pickled:
            torch.save(kept, folder / file)
        else:
            save_file(kept, folder / file, {"format": "pt"})


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize(
    ("sharded", "pickled"), [(True, False), (False, True), (False, False), (True, True)]
)
@pytest.mark.parametrize("name", checkpoints.WRITERS)
def test_half_precision_shards_and_pickles_are_whole_releases(
    models, monkeypatch, tmp_path, name, half, sharded, pickled
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(models / "cache"))
    folder = shutil.copytree(hub.find(BACKENDS[name].release), tmp_path / name)
    whole = BACKENDS[name].load(torch.device("cpu"), torch.float32)
    monkeypatch.setenv("AWAKEN_MODELS", str(tmp_path))
    for network in folder.iterdir():
        if network.is_dir() and network.name not in ("scheduler", "tokenizer"):
            resave(network, half, sharded, pickled)
    assert BACKENDS[name].available() is None
    loaded = BACKENDS[name].load(torch.device("cpu"), torch.float32)
    for part in ("unet", "vae", "text_encoder"):
        first, second = (getattr(model, part).state_dict() for model in (whole, loaded))
        assert first.keys() == second.keys()
        for key, value in first.items():
            assert (
                torch.allclose(value, second[key], rtol=2e-3, atol=1e-6)
                if half
                else (value.equal(second[key]))
            ), key
