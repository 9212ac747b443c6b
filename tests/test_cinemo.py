"""Cinemo's network, start, schedule and decoding against the official code's numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from awaken.backends import cinemo
from awaken.models import CinemoUNet
from awaken.models.cinemo import distance_buckets
from tests.rounding import block_outputs, close, trajectory_close

GOLDEN = Path(__file__).parent / "golden" / "cinemo"
FREQUENCIES = "rotary_emb.freqs"


def numbers(name: str):
    return json.loads((GOLDEN / f"{name}.json").read_text())


def tensors(name: str) -> dict[str, torch.Tensor]:
    return load_file(GOLDEN / f"{name}.safetensors")


def under(prefix: str, table: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {k.removeprefix(prefix): v for k, v in table.items() if k.startswith(prefix)}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    return {name: w.float() for name, w in tensors("tiny_unet").items()}


@pytest.fixture(scope="module")
def unet(weights) -> CinemoUNet:
    network = CinemoUNet.from_config(numbers("tiny_unet_config")).eval().requires_grad_(False)
    network.load_state_dict(weights)
    return network


def random_inputs(b: int, f: int, h: int, w: int, dtype=torch.float32) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(b + 10 * f)
    return {
        "sample": torch.randn(b, 4, f, h, w, generator=draw, dtype=dtype),
        "encoder_hidden_states": torch.randn(b, 9, 24, generator=draw, dtype=dtype),
        "base_content": torch.randn(b, 4, 1, h, w, generator=draw, dtype=dtype),
        "added_motion_ids": torch.arange(b) * 10 + 5,
    }


# The network


def test_full_size_network_has_the_released_names_and_shapes():
    released = numbers("unet_params_full")
    with torch.device("meta"):
        network = CinemoUNet.from_config(released["config"])
        by_default = CinemoUNet()
    expected = {k: e["shape"] for k, e in released["entries"].items() if e["kind"] == "param"}
    for model in (network, by_default):
        assert {k: list(p.shape) for k, p in model.named_parameters()} == expected
        assert set(model.state_dict()) == set(expected)
    assert sum(p.numel() for p in network.parameters()) == 911_092_740


def test_official_weights_load_strictly_with_or_without_rotary_frequencies(weights):
    network = CinemoUNet.from_config(numbers("tiny_unet_config"))
    bare = {name: w for name, w in weights.items() if FREQUENCIES not in name}
    assert len(bare) < len(weights) == 391
    network.load_state_dict(weights, strict=True)
    network.load_state_dict(bare, strict=True)
    with pytest.raises(RuntimeError, match="Unexpected key.*stray"):
        network.load_state_dict(bare | {"stray": torch.zeros(1)})
    with pytest.raises(RuntimeError, match="Missing key.*conv_in.bias"):
        network.load_state_dict({k: w for k, w in bare.items() if k != "conv_in.bias"})


def test_released_folder_loads_from_pickle_despite_its_class_name(weights, tmp_path):
    extra = {"_diffusers_version": "0.2.2", "use_linear_projection": False}
    config = numbers("tiny_unet_config") | extra
    (tmp_path / "config.json").write_text(json.dumps(config))
    torch.save(weights, tmp_path / "diffusion_pytorch_model.bin")
    network, report = CinemoUNet.from_pretrained(
        tmp_path, use_safetensors=False, output_loading_info=True
    )
    assert not report["missing_keys"] and not report["unexpected_keys"]
    loaded = network.state_dict()
    assert loaded.keys() == {name for name in weights if FREQUENCIES not in name}
    assert all(torch.equal(w, weights[name]) for name, w in loaded.items())


@pytest.mark.parametrize("case", ["square", "odd_cfg_batch"])
def test_forward_equals_the_official_network(unet, case):
    recorded = under(f"{case}.", tensors("unet_cases"))
    with torch.inference_mode():
        noise = unet(**under("in.", recorded)).sample
    close(noise, recorded["out"], 5e-5)


def test_layers_equal_the_official_ones(unet):
    expected = tensors("unet_intermediates")
    with torch.inference_mode():
        seen = block_outputs(unet, expected, **under("square.in.", tensors("unet_cases")))
    for name, output in expected.items():
        close(seen[name], output, 5e-5)


def test_every_form_of_timestep_and_motion_id_means_the_same(unet):
    inputs = random_inputs(2, 2, 5, 3)
    inputs["added_motion_ids"] = torch.full((2,), 8.0)
    forms = [500, 500.0, torch.tensor(500), torch.tensor([500]), torch.tensor([500.0, 500.0])]
    with torch.inference_mode():
        first, *others = [unet(timestep=t, **inputs).sample for t in forms]
        for ids in (torch.tensor([8]), torch.tensor([[8.0], [8.0]])):
            others.append(unet(timestep=500, **inputs | {"added_motion_ids": ids}).sample)
        (as_tuple,) = unet(timestep=500, **inputs, return_dict=False)
        late = unet(timestep=torch.tensor([500, 900]), **inputs).sample
    for other in (*others, as_tuple):
        close(other, first, 1e-5)
    close(late[0], first[0], 1e-5)
    assert (late[1] - first[1]).abs().max() > 1e-2


@pytest.mark.parametrize("frames, height, width", [(1, 8, 8), (2, 3, 1), (5, 7, 5)])
def test_videos_of_a_batch_do_not_see_each_other(unet, weights, frames, height, width):
    network = CinemoUNet.from_config(unet.config).eval().double()
    network.load_state_dict(weights)
    inputs = random_inputs(3, frames, height, width, torch.float64)
    with torch.inference_mode():
        together = network(timestep=321, **inputs).sample
        apart = [
            network(timestep=321, **{k: v[i : i + 1] for k, v in inputs.items()}).sample
            for i in range(3)
        ]
    assert together.shape == inputs["sample"].shape
    close(together, torch.cat(apart), 1e-10)


def test_distance_buckets_follow_t5():
    edges = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 23, 27]  # ceil(8 * 4^(k/8)) from 8 on
    buckets = distance_buckets(torch.arange(60)).tolist()
    for query in (0, 30, 59):
        for key in range(60):
            side = 16 if key > query else 0
            assert buckets[query][key] == side + sum(abs(key - query) >= edge for edge in edges)


def test_impossible_requests_are_refused_with_a_sentence(unet):
    inputs = random_inputs(2, 2, 4, 4)
    with pytest.raises(ValueError, match="one frame of the sample's size"):
        unet(timestep=1, **inputs | {"base_content": inputs["sample"]})
    with pytest.raises(ValueError, match="needs added_motion_ids"):
        unet(timestep=1, **inputs | {"added_motion_ids": None})
    config = numbers("tiny_unet_config")
    with pytest.raises(ValueError, match="use fewer heads"):
        CinemoUNet.from_config(config | {"attention_head_dim": 4})
    with pytest.raises(ValueError, match="3 levels"):
        CinemoUNet.from_config(config | {"layers_per_block": [1, 2]})
    with pytest.raises(ValueError, match="no block type called 'DownBlock2D'"):
        CinemoUNet.from_config(config | {"down_block_types": ["DownBlock2D"] * 3})


# Schedule, start and complete runs


def released_schedule():
    return cinemo.scheduler(numbers("scheduler")["source_json"])


def test_schedule_equals_the_official_one():
    recorded, trace = numbers("scheduler"), tensors("scheduler")
    schedule = released_schedule()
    close(schedule.alphas_cumprod, trace["alphas_cumprod"], 1e-7)
    assert float(schedule.final_alpha_cumprod) == recorded["final_alpha_cumprod"]
    for steps, table in recorded["tables"].items():
        schedule.set_timesteps(int(steps))
        assert schedule.timesteps.tolist() == table
    for steps in (4, 50):
        run = under(f"ddim_{steps}.", trace)
        schedule.set_timesteps(steps)
        z = run["x0"]
        for t, output, expected in zip(schedule.timesteps, run["model_out"], run["traj"]):
            z = schedule.step(output, t, z).prev_sample
            trajectory_close(z, expected)


def test_dct_is_the_orthonormal_one():
    recorded = tensors("dct")
    for name in ("1x4x15x5x8", "2x3x6x7x9"):
        video = recorded[f"dct3d.{name}.in"].double()
        f, h, w = (cinemo.dct_matrix(size) for size in video.shape[2:])
        forward = torch.einsum("zf,yh,xw,bcfhw->bczyx", f, h, w, video)
        inverse = torch.einsum("fz,hy,wx,bcfhw->bczyx", f, h, w, video)
        close(forward.float(), recorded[f"dct3d.{name}.out"], 1e-5)
        close(inverse.float(), recorded[f"idct3d.{name}.of_in"], 1e-5)


@pytest.mark.parametrize("case", numbers("dct_mask_cases"), ids=str)
def test_low_band_keeps_the_official_rows_and_columns(case):
    h, w = case["h"], case["w"]
    coefficients = torch.ones(h, w, dtype=torch.float64)
    rows, columns = cinemo.dct_matrix(h), cinemo.dct_matrix(w)
    kept = rows @ cinemo.low_band(rows.T @ coefficients @ columns, case["percentage"]) @ columns.T
    expected = torch.zeros(h, w, dtype=torch.float64)
    expected[: case["rows_kept"], : case["cols_kept"]] = 1
    close(kept, expected, 1e-12)


def test_dct_start_equals_the_official_one():
    run = under("dct_square.", tensors("pipeline_cases"))
    base, noise = run["base_content_f64"], run["noise"]
    start = cinemo.dct_initialise(base, noise.double(), released_schedule())
    close(start, run["mixed_f64"], 1e-6)  # official noise goes through a float32 transform
    close(cinemo.dct_initialise(base, noise, released_schedule()), start.float(), 1e-6)
    whole = cinemo.dct_initialise(base, noise.double(), released_schedule(), ratio=1)
    close(whole, run["base_noised_f64"], 1e-6)
    assert torch.equal(cinemo.dct_initialise(base, noise, released_schedule(), ratio=0), noise)


def test_dct_start_of_a_moving_video_starts_each_frame_from_its_own():
    draw = torch.Generator().manual_seed(0)
    video, noise = torch.randn(2, 2, 4, 3, 8, 10, generator=draw).unbind(0)
    start = cinemo.dct_initialise(video, noise, released_schedule(), 400, 0.5)
    for b in range(2):
        for f in range(3):
            one = slice(b, b + 1), slice(None), slice(f, f + 1)
            alone = cinemo.dct_initialise(video[one], noise[one], released_schedule(), 400, 0.5)
            close(start[one], alone, 1e-6)


@pytest.mark.parametrize("case", ["dct_square", "nodct_odd"])
def test_guided_run_equals_the_official_pipeline(unet, case):
    settings, run = numbers("pipeline_cases")[case], under(f"{case}.", tensors("pipeline_cases"))
    schedule = released_schedule()
    base, z = run["base_content_f64"], run["noise"]
    if settings["use_dct"]:
        level, ratio = settings["noise_level"], settings["percentage"]
        z = cinemo.dct_initialise(base, z, schedule, level, ratio)
    close(z, run["init_latents_fp32"], 1e-5)
    base = base.float()
    schedule.set_timesteps(settings["steps"])
    assert schedule.timesteps.tolist() == settings["timesteps"]
    for t, expected in zip(schedule.timesteps, run["latents_per_step"]):
        with torch.inference_mode():
            without, with_text = unet(
                sample=z.repeat(2, 1, 1, 1, 1),
                timestep=t,
                encoder_hidden_states=torch.cat((run["uncond_embeds"], run["text_embeds"])),
                base_content=base.repeat(2, 1, 1, 1, 1),
                added_motion_ids=torch.tensor([float(settings["motion_bucket_id"])] * 2),
            ).sample.chunk(2)
        guided = without + settings["guidance_scale"] * (with_text - without)
        z = schedule.step(guided, t, z).prev_sample
        close(z, expected, 2e-3)
    video = cinemo.whole_video(base, z)
    close(video, run["decoder_input_latents_prescale"], 2e-3)


def test_decoder_sees_fourteen_frames_of_one_video_at_a_time():
    from diffusers import AutoencoderKLTemporalDecoder

    torch.manual_seed(0)
    vae = AutoencoderKLTemporalDecoder(block_out_channels=(32,), layers_per_block=1).eval()
    latents = torch.randn(2, 4, 16, 2, 3)
    with torch.inference_mode():
        frames = cinemo.decode(vae, latents)
        assert frames.shape == (2, 16, 3, 2, 3)
        assert frames.min() >= 0 and frames.max() <= 1
        for video, expected in zip(latents, frames):
            for part in (slice(0, 14), slice(14, 16)):
                z = video[:, part].transpose(0, 1) / vae.config.scaling_factor
                picture = vae.decode(z, num_frames=len(z)).sample / 2 + 0.5
                close(expected[part], picture.clamp(0, 1), 1e-5)
        # A chunk of its own is not what the same frames are in a longer one: time matters there.
        assert (cinemo.decode(vae, latents, chunk=16) - frames).abs().max() > 1e-3
