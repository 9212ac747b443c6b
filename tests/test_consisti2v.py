"""ConsistI2V against numbers recorded from the official code.

The network is random and tiny; some of its alphas lie outside [0, 1]. ``more_cases`` were recorded
for Awaken with the official UNet (see ``origin`` there), for inputs the other recordings lack.
"""

import json
import re
from fnmatch import fnmatch
from pathlib import Path

import diffusers
import pytest
import torch
from safetensors.torch import load_file

from awaken.backends import Condition
from awaken.backends import consisti2v as adapter
from awaken.models import ConsistI2VUNet
from awaken.models.consisti2v import DEAD_WEIGHTS
from awaken.sampling import Outcome, Schedule, denoise
from tests.rounding import block_outputs, close, trajectory_close

pytestmark = pytest.mark.usefixtures("inference")
GOLDEN = Path(__file__).parent / "golden" / "consisti2v"
FORWARD = 5e-5  # float32 noise of one forward: the official code differs from its float64 by 4e-6
GUIDED = 2e-3  # after a few guided steps
FRAME_INIT_LEVEL = 850


def read(name: str) -> dict:
    return json.loads((GOLDEN / name).read_text())


def tensors(name: str) -> dict[str, torch.Tensor]:
    return load_file(GOLDEN / f"{name}.safetensors")


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    return {name: w.float() for name, w in tensors("tiny_unet").items()}


def build(weights: dict[str, torch.Tensor], **config) -> ConsistI2VUNet:
    unet = ConsistI2VUNet.from_config({**read("tiny_unet_config.json"), **config})
    unet.load_state_dict(weights, strict=True)
    return unet.eval()


@pytest.fixture(scope="module")
def unet(weights) -> ConsistI2VUNet:
    return build(weights)


def recorded_inputs(case: str) -> dict:
    """Keyword arguments of a recorded forward: tensors and plain numbers."""
    recorded = tensors("unet_cases")
    return {
        name: recorded[entry["tensor"]] if "tensor" in entry else entry["python"]
        for name, entry in read("unet_cases.json")[case].items()
        if not name.startswith("out_")
    }


def random_inputs(batch: int, height: int = 5, width: int = 6, words: int = 7) -> dict:
    generator = torch.Generator().manual_seed(0)
    draw = lambda *shape: torch.randn(*shape, generator=generator)  # noqa: E731
    return {
        "sample": draw(batch, 4, 3, height, width),
        "timestep": 500,
        "encoder_hidden_states": draw(batch, words, 24),
        "first_frame_latents": draw(batch, 4, 1, height, width),
        "frame_stride": 3,
    }


# The network


def test_full_size_network_has_the_official_parameters():
    official = read("unet_params_full.json")
    with torch.device("meta"):
        unet = ConsistI2VUNet.from_config(official["config"])
        by_default = ConsistI2VUNet()
    shapes = {name: list(tensor.shape) for name, tensor in unet.state_dict().items()}
    assert shapes == official["entries"]
    assert sum(p.numel() for p in unet.parameters()) == 1_249_975_241
    assert {n: list(w.shape) for n, w in by_default.state_dict().items()} == shapes


def test_keys_that_the_config_inherits_from_stable_diffusion_are_known(weights, caplog):
    inherited = {"num_class_embeds": None, "only_cross_attention": False, "upcast_attention": True}
    diffusers.utils.logging.enable_propagation()
    build(weights, **inherited, _diffusers_version="0.21.2", _name_or_path="x")
    assert not caplog.records
    build(weights, a_later_key=1)
    diffusers.utils.logging.disable_propagation()
    assert "a_later_key" in caplog.text


@pytest.mark.parametrize(
    "switch",
    [
        {"temp_pos_embedding": "sinusoidal"},
        {"first_frame_condition_mode": "conv2d"},
        {"resnet_time_scale_shift": "scale_shift"},
        {"up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "SkipUpBlock2D"]},
    ],
)
def test_a_switch_that_the_released_network_lacks_is_refused_not_ignored(switch):
    official = read("tiny_unet_config.json")
    with torch.device("meta"), pytest.raises(ValueError, match=next(iter(switch.values()))[-1]):
        ConsistI2VUNet.from_config({**official, **switch})


def test_loading_may_replace_what_the_config_says():
    stale = {**read("tiny_unet_config.json"), "first_frame_condition_mode": "none", "n_frames": 9}
    with torch.device("meta"):
        unet = ConsistI2VUNet.from_config(stale, first_frame_condition_mode="concat", n_frames=2)
    assert unet.config.n_frames == 2


@pytest.mark.parametrize("case", read("unet_cases.json"))
def test_forward_equals_the_official_network(unet, case):
    expected = tensors("unet_cases")[f"{case}.out"]
    close(unet(**recorded_inputs(case)).sample, expected, FORWARD)


@pytest.mark.parametrize("case", read("more_cases.json")["forward"])
def test_forward_equals_the_official_network_on_rarer_inputs(weights, case):
    prefix, recorded = f"{case}.in.", tensors("more_cases")
    given = {n.removeprefix(prefix): v for n, v in recorded.items() if n.startswith(prefix)}
    numbers = read("more_cases.json")["forward"][case]
    unet = build(weights, n_frames=numbers.pop("n_frames"))
    close(unet(**given, **numbers).sample, recorded[f"{case}.out"], FORWARD)


def test_every_block_equals_the_official_one(unet):
    expected = tensors("unet_intermediates")
    seen = block_outputs(unet, expected, **recorded_inputs("square"))
    for name, value in expected.items():
        close(seen[name], value, FORWARD)


def test_declared_dead_weights_are_all_that_has_no_effect(weights):
    inputs = recorded_inputs("square")
    dead = {n for n in weights if any(fnmatch(n, pattern) for pattern in DEAD_WEIGHTS)}
    poisoned = {n: w * torch.nan if n in dead else w for n, w in weights.items()}
    torch.testing.assert_close(build(poisoned)(**inputs).sample, build(weights)(**inputs).sample)

    # An alpha of 1 silences its layer in this checkpoint; at one half every weight is heard.
    with torch.inference_mode(False), torch.enable_grad():
        live = build({n: w * 0 + 0.5 if n.endswith("alpha") else w for n, w in weights.items()})
        live.requires_grad_(True)
        live(**recorded_inputs("square")).sample.square().mean().backward()
    silent = {n for n, p in live.named_parameters() if p.grad is None or not p.grad.any()}
    assert silent == dead


def test_alphas_outside_their_range_count_as_its_ends_and_are_left_as_they_are(weights):
    outside = [n for n, w in weights.items() if n.endswith("alpha") and not 0 <= w <= 1]
    assert outside
    clamped = {n: w.clamp(0, 1) if n in outside else w for n, w in weights.items()}
    unet, inputs = build(weights), random_inputs(1)
    assert torch.equal(unet(**inputs).sample, build(clamped)(**inputs).sample)
    state = unet.state_dict()
    assert all(torch.equal(state[n], weights[n]) for n in outside)


def test_guidance_branches_of_a_batch_do_not_touch_each_other(unet):
    inputs = random_inputs(3)
    together = unet(**inputs).sample
    for i in range(3):
        alone = {n: v[i : i + 1] if torch.is_tensor(v) else v for n, v in inputs.items()}
        close(together[i : i + 1], unet(**alone).sample, FORWARD)


def test_one_number_serves_the_whole_batch_however_it_is_given(unet):
    inputs = random_inputs(2, 4, 4)
    expected = unet(**inputs).sample
    for timestep in (500.0, torch.tensor(500), torch.tensor([500.0]), torch.full((8,), 500)):
        for stride in (torch.tensor(3), torch.tensor([3.0])):
            again = unet(**inputs | {"timestep": timestep, "frame_stride": stride})
            assert torch.equal(again.sample, expected)
    del inputs["frame_stride"]
    assert torch.equal(unet(**inputs, return_dict=False)[0], expected)
    for changed in ({"timestep": 501}, {"frame_stride": 4}):
        assert (unet(**inputs | changed).sample - expected).abs().max() > 1e-4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_frames=4", {"sample": torch.ones(2, 4, 4, 5, 6)}),
        ("sample", {"sample": torch.ones(2, 4, 5, 6)}),
        ("first_frame_latents", {"first_frame_latents": torch.ones(1, 4, 1, 5, 6)}),
        ("encoder_hidden_states", {"encoder_hidden_states": torch.ones(3, 7, 24)}),
        ("timestep", {"timestep": torch.ones(2)}),
    ],
)
def test_inputs_that_do_not_fit_are_refused_by_name(unet, name, value):
    with pytest.raises(ValueError, match=name):
        unet(**random_inputs(2) | value)


def test_half_precision_keeps_the_rotary_frequencies(unet, tmp_path):
    unet.save_pretrained(tmp_path)
    half = ConsistI2VUNet.from_pretrained(tmp_path, torch_dtype=torch.bfloat16)
    assert {w.dtype for n, w in half.state_dict().items() if "rotary_emb" in n} == {torch.float32}
    inputs = random_inputs(1)
    expected = unet(**inputs).sample
    inputs = {n: v.bfloat16() if torch.is_tensor(v) else v for n, v in inputs.items()}
    ours = half(**inputs).sample
    assert ours.dtype == torch.bfloat16
    assert (ours.float() - expected).std() < 0.05 * expected.std()


# Noise, the schedule and FrameInit


MIXED = [name for name in tensors("noise_samplers") if name.startswith("pyoco_mixed")]
GAUSSIAN = [name for name in tensors("frameinit") if name.startswith("gaussian")]


@pytest.mark.parametrize("name", MIXED)
def test_noise_equals_the_official_sampler(name):
    alpha = re.fullmatch(r"pyoco_mixed\.alpha(.+)\.seed9", name).group(1)
    expected = tensors("noise_samplers")[name]
    generator = torch.Generator().manual_seed(9)
    close(adapter.draw_noise(expected.shape, generator, float(alpha)), expected, 1e-6)


@pytest.mark.parametrize("name", GAUSSIAN)
def test_low_pass_filter_equals_the_official_one(name):
    d_s, d_t, size = re.fullmatch(r"gaussian\.ds(\.\d+)\.dt(\.\d+)\.(.+)", name).groups()
    ours = adapter.low_pass_filter(*map(int, size.split("x")), float(d_s), float(d_t))
    close(ours, tensors("frameinit")[name], 1e-6)


def test_frequency_mixing_equals_the_official_one():
    mix = {n.removeprefix("mix."): v for n, v in tensors("frameinit").items()}
    close(adapter.mix_frequencies(mix["x"], mix["noise"], mix["filter"]), mix["out"], 5e-6)


def released_scheduler():
    return adapter.scheduler(read("scheduler.json")["full_config"])


def test_scheduler_is_the_released_one():
    recorded, scheduler = read("scheduler.json"), released_scheduler()
    ours = {name: scheduler.config[name] for name in recorded["full_config"]}
    assert ours == recorded["full_config"]
    close(scheduler.alphas_cumprod, tensors("scheduler")["alphas_cumprod"], 1e-7)
    assert scheduler.final_alpha_cumprod == 1
    for steps, timesteps in recorded["tables"].items():
        assert (
            list(Schedule.from_scheduler(released_scheduler(), int(steps)).timesteps) == timesteps
        )


@pytest.mark.parametrize("steps", [4, 50])
def test_scheduler_trajectory_equals_the_official_one_from_first_to_last_step(steps):
    recorded = tensors("scheduler")
    scheduler = released_scheduler()
    scheduler.set_timesteps(steps)
    z = recorded[f"ddim_{steps}.x0"]
    for i, t in enumerate(scheduler.timesteps):
        z = scheduler.step(recorded[f"ddim_{steps}.model_out"][i], t, z).prev_sample
        trajectory_close(z, recorded[f"ddim_{steps}.traj"][i])


# Guided runs


class Guided:
    """The tiny network as the method's loops see it: the branches of the guidance in one batch."""

    def __init__(self, unet: ConsistI2VUNet, frame_stride: int) -> None:
        self.unet, self.frame_stride = unet, frame_stride

    def predict(self, z: torch.Tensor, t: float, condition: Condition) -> torch.Tensor:
        z = z.repeat(condition.branches, 1, 1, 1, 1)
        noise = self.unet(z, t, frame_stride=self.frame_stride, **condition.tensors).sample
        return noise.unflatten(0, (condition.branches, -1))


def start_of(case: str) -> tuple[dict, dict, torch.Tensor, torch.Tensor]:
    """Settings and recorded tensors of a run, its noised first frame and its noisy latents."""
    settings, prefix = read("pipeline_cases.json")[case], f"{case}."
    recorded = tensors("pipeline_cases")
    given = {n.removeprefix(prefix): v for n, v in recorded.items() if n.startswith(prefix)}
    generator = torch.Generator().manual_seed(settings["generator_seed"])
    noise = adapter.draw_noise(given["pyoco_mixed_noise"].shape, generator)
    close(noise, given["pyoco_mixed_noise"], 1e-6)
    if not settings["use_frameinit"]:
        return settings, given, noise[:, :, :1], noise[:, :, 1:]
    still = given["first_frame_latent"][:, :, None].expand_as(noise)
    share = adapter.low_pass_filter(*noise.shape[2:], d_s=settings["d_s"], d_t=settings["d_t"])
    level = released_scheduler().alphas_cumprod[FRAME_INIT_LEVEL].item()
    return settings, given, *adapter.frame_init(still, noise, share, level)


def run(network: Guided, z: torch.Tensor, steps: int, condition: Condition, scales: list[float]):
    loop = denoise(
        network, z, Schedule.from_scheduler(released_scheduler(), steps), condition, scales
    )
    return Outcome(loop).finish()


@pytest.mark.parametrize("case", read("pipeline_cases.json"))
def test_guided_run_equals_the_official_pipeline(unet, case):
    settings, given, _, z = start_of(case)
    close(z, given["unet_first_sample_in"][:1], 5e-6)
    texts, scales = [given["text_embeds"]], []
    if settings["guidance_scale_txt"] > 1:
        texts, scales = [given["uncond_embeds"], *texts], [settings["guidance_scale_txt"]]
    first = given["first_frame_latent"][:, :, None].repeat(len(texts), 1, 1, 1, 1)
    condition = Condition(
        {"encoder_hidden_states": torch.cat(texts), "first_frame_latents": first}, len(texts)
    )
    network = Guided(unet, settings["frame_stride"])
    ours = run(network, z, settings["steps"], condition, scales)
    close(ours, given["latents_per_step"][-1], GUIDED)
    whole = torch.cat([first[:1], ours], dim=2)
    close(whole, given["final_with_first_frame"], GUIDED)


def test_image_guidance_equals_the_official_three_branches(unet):
    settings = read("more_cases.json")["image_guidance"]
    _, given, noisy, z = start_of("text_cfg_frameinit_square")
    clean = given["first_frame_latent"][:, :, None]
    texts = [given["uncond_embeds"], given["uncond_embeds"], given["text_embeds"]]
    condition = Condition(
        {
            "encoder_hidden_states": torch.cat(texts),
            "first_frame_latents": torch.cat([noisy, clean, clean]),
        },
        branches=3,
    )
    scales = [settings["guidance_scale_img"], settings["guidance_scale_txt"]]
    ours = run(Guided(unet, 3), z, settings["steps"], condition, scales)
    close(ours, tensors("more_cases")["image_guidance.latents_per_step"][-1], GUIDED)
