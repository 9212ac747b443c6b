"""AnimateAnything against numbers recorded from the official code, up to the paper's full chain.

The networks are random and tiny (tests/golden/animate_anything); the recorded dual-path run is the
authors' own `EPA_pipeline.py` on the same network (tests/golden/epa).
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from awaken.backends import Condition
from awaken.backends import animate_anything as adapter
from awaken.fusion import slerp_frames
from awaken.models import AnimateAnythingUNet
from awaken.sampling import Outcome, Schedule, denoise
from awaken.vsds import alpha_schedule, distil, distilled_steps
from tests.rounding import block_outputs, close, trajectory_close

pytestmark = pytest.mark.usefixtures("inference")
GOLDEN = Path(__file__).parent / "golden" / "animate_anything"
EPA = GOLDEN.parent / "epa"
FORWARD = 5e-5  # float32 noise of one forward: the official code differs from its float64 by 4e-6
GUIDED = 2e-3  # after a few guided steps
CHAIN = 5e-3  # after 16 distillation or 25 guided steps, on latents of standard deviation 70


def read(name: str) -> dict:
    return json.loads((GOLDEN / name).read_text())


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    return {name: w.float() for name, w in load_file(GOLDEN / "tiny_unet.safetensors").items()}


def build(weights: dict[str, torch.Tensor], **config) -> AnimateAnythingUNet:
    unet = AnimateAnythingUNet.from_config({**read("tiny_unet_config.json"), **config})
    unet.load_state_dict(weights, strict=True)
    return unet


@pytest.fixture(scope="module")
def unet(weights) -> AnimateAnythingUNet:
    return build(weights)


def recorded_inputs(case: str) -> dict:
    """Keyword arguments of the recorded forward: tensors, plain numbers and Nones."""
    tensors = load_file(GOLDEN / "unet_cases.safetensors")
    inputs = {}
    for name, entry in read("unet_cases.json")[case].items():
        if entry is None:
            inputs[name] = None
        elif not name.startswith("out_"):
            inputs[name] = tensors[entry["tensor"]] if "tensor" in entry else entry["python"]
    return inputs


# The network


def test_full_size_network_has_the_official_parameters():
    official = read("unet_params_full.json")
    with torch.device("meta"):
        unet = AnimateAnythingUNet.from_config(official["config"])
    shapes = {name: list(tensor.shape) for name, tensor in unet.state_dict().items()}
    assert shapes == {name: entry["shape"] for name, entry in official["entries"].items()}
    assert sum(p.numel() for p in unet.parameters()) == 1_413_401_540


def test_keys_of_other_versions_of_the_config_do_not_disturb(weights):
    extra = {"_diffusers_version": "0.15.0", "_name_or_path": "x", "num_attention_heads": None}
    assert build(weights, **extra, a_later_key=1).config.motion_mask is True


@pytest.mark.parametrize("case", read("unet_cases.json"))
def test_forward_equals_the_official_network(unet, case):
    expected = load_file(GOLDEN / "unet_cases.safetensors")[f"{case}.out"]
    close(unet(**recorded_inputs(case)).sample, expected, FORWARD)


def test_every_block_equals_the_official_one(unet):
    expected = load_file(GOLDEN / "unet_intermediates.safetensors")
    seen = block_outputs(unet, expected, **recorded_inputs("square_full_mask"))
    for name, value in expected.items():
        close(seen[name], value, FORWARD)


def test_declared_dead_weights_have_no_effect(weights):
    inputs = recorded_inputs("square_full_mask")
    dead = AnimateAnythingUNet.DEAD_WEIGHTS + AnimateAnythingUNet.DEAD_WEIGHTS_WITH_MASK
    poisoned = {n: w * torch.nan if n.startswith(dead) else w for n, w in weights.items()}
    assert sum(w.isnan().any().item() for w in poisoned.values()) == 6
    torch.testing.assert_close(build(poisoned)(**inputs).sample, build(weights)(**inputs).sample)


def random_inputs(batch: int, frames: int, height: int, width: int, masks: int = 1) -> dict:
    rng = torch.Generator().manual_seed(0)
    return {
        "sample": torch.randn(batch, 4, frames, height, width, generator=rng),
        "timestep": torch.tensor([951, 39, 500, 7])[:batch],
        "encoder_hidden_states": torch.randn(batch, 77, 24, generator=rng),
        "condition_latent": torch.randn(batch, 4, 1, height, width, generator=rng),
        "mask": torch.rand(masks, 1, 1, height, width, generator=rng),
        "motion": torch.tensor([1.5, 8.0, 20.0, 3.25])[:batch],
    }


def test_videos_of_a_batch_do_not_touch_each_other_and_masks_repeat_as_blocks(unet):
    inputs = random_inputs(4, 2, 5, 3, masks=2)
    together = unet(**inputs).sample
    for i in range(4):
        alone = {name: value[i : i + 1] for name, value in inputs.items() if name != "mask"}
        mask = inputs["mask"][i % 2][None]  # masks 0, 1, 0, 1
        close(together[i : i + 1], unet(**alone, mask=mask).sample, FORWARD)


def test_one_number_serves_all_videos_however_it_is_given(unet):
    inputs = random_inputs(2, 1, 4, 4) | {"motion": torch.tensor([8.5]), "timestep": 400}
    inputs["encoder_hidden_states"] = inputs["encoder_hidden_states"][:1]
    expected = unet(
        **inputs
        | {"encoder_hidden_states": inputs["encoder_hidden_states"].repeat(2, 1, 1)}
        | {"mask": inputs["mask"].repeat(2, 1, 1, 1, 1)}
        | {"motion": torch.tensor([8.5, 8.5]), "timestep": torch.tensor([400, 400])}
    ).sample
    for timestep in (400, 400.0, torch.tensor(400), torch.tensor([400]), torch.tensor([400.0])):
        for motion in (8.5, torch.tensor(8.5), torch.tensor([8.5])):
            ours = unet(**inputs | {"timestep": timestep, "motion": motion}, return_dict=False)[0]
            close(ours, expected, FORWARD)
    assert (unet(**inputs | {"timestep": 400.5}).sample - expected).abs().max() > 1e-3


def test_config_switches_off_mask_and_motion(weights, unet):
    inputs = random_inputs(1, 2, 4, 4)
    without = unet(**inputs | {"mask": None, "motion": None}).sample
    plain = build(weights, motion_mask=False, motion_strength=False)
    torch.testing.assert_close(plain(**inputs).sample, without)
    assert (unet(**inputs).sample - without).abs().max() > 1e-2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mask", torch.ones(3, 1, 1, 4, 4)),
        ("mask", torch.ones(1, 1, 4, 4)),
        ("motion", torch.ones(3)),
        ("timestep", torch.ones(3)),
        ("encoder_hidden_states", torch.ones(3, 77, 24)),
        ("condition_latent", torch.ones(3, 4, 1, 4, 4)),
    ],
)
def test_inputs_of_another_batch_are_refused_by_name(unet, name, value):
    with pytest.raises(ValueError, match=name):
        unet(**random_inputs(2, 1, 4, 4) | {name: value})


# Pictures, masks and the schedule


@pytest.mark.parametrize("case", read("output_size_cases.json"))
def test_output_size_follows_the_official_rule(case):
    backend = object.__new__(adapter.AnimateAnythingBackend)  # no weights are needed to ask
    size = backend.working_size(case["image_w"], case["image_h"], 512)
    assert size == (case["width"], case["height"])


def test_mask_reaches_the_latent_grid_as_torchvision_would_bring_it():
    tensors = load_file(GOLDEN / "preprocess.safetensors")
    ours = adapter.latent_mask(tensors["mask.in_u8"].numpy(), (4, 6))
    close(ours, tensors["mask.latent_4x6"][None, None], 1e-6)
    assert torch.equal(adapter.latent_mask(None, (3, 5)), torch.ones(1, 1, 1, 3, 5))
    corner = np.zeros((8, 8), np.uint8)
    corner[0, 0] = 255  # without antialiasing only the four middle pixels count
    assert adapter.latent_mask(corner, (1, 1)).item() == 0
    assert adapter.latent_mask(255 - corner, (1, 1)).item() == 1


@pytest.mark.parametrize("table", read("scheduler.json")["tables"])
def test_scheduler_steps_where_the_json_on_disk_says(table):
    recorded = read("scheduler.json")
    spacing, steps = table.split("_")
    config = recorded["source_json"][spacing]
    assert ("timestep_spacing" in config) == (spacing == "leading")
    scheduler = adapter.scheduler(config)
    scheduler.set_timesteps(int(steps))
    assert scheduler.timesteps.tolist() == recorded["tables"][table]["timesteps"]
    close(scheduler.sigmas, torch.tensor(recorded["tables"][table]["sigmas"]), 1e-6)


@pytest.mark.parametrize("table", ["linspace_4", "linspace_25", "leading_4", "leading_25"])
def test_scheduler_trajectory_equals_the_official_one(table):
    recorded = load_file(GOLDEN / "scheduler.safetensors")
    spacing, steps = table.split("_")
    scheduler = adapter.scheduler(read("scheduler.json")["source_json"][spacing])
    scheduler.set_timesteps(int(steps))
    z = recorded[f"{table}.x0"]
    for i, t in enumerate(scheduler.timesteps):
        z = scheduler.step(recorded[f"{table}.model_out"][i], t, z).prev_sample
        trajectory_close(z, recorded[f"{table}.traj"][i])


@pytest.mark.parametrize("spacing", ["linspace", "leading"])
def test_noise_levels_equal_the_official_ones(spacing):
    recorded = load_file(GOLDEN / "scheduler.safetensors")
    schedule = schedule_of(25, spacing)
    for row, i in enumerate((0, 9, 24)):
        assert schedule.timesteps[i] == recorded[f"{spacing}_addnoise.t"][row]
        z, noise = (recorded[f"{spacing}_addnoise.{name}"] for name in ("orig", "noise"))
        close(schedule.add_noise(z, noise, i), recorded[f"{spacing}_addnoise.out"][row], 1e-5)


# Guided runs


class Guided:
    """The tiny network as the method's loops see it: the branches of the guidance in one batch."""

    def __init__(self, unet: AnimateAnythingUNet):
        self.unet = unet

    def predict(self, z: torch.Tensor, t: float, condition: Condition) -> torch.Tensor:
        z = z.repeat(condition.branches, 1, 1, 1, 1)
        return self.unet(z, t, **condition.tensors).sample.unflatten(0, (condition.branches, -1))


def schedule_of(steps: int, spacing: str = "leading") -> Schedule:
    """The schedule that the adapter builds from one of the two recorded json files."""
    scheduler = adapter.scheduler(read("scheduler.json")["source_json"][spacing])
    return Schedule.from_scheduler(scheduler, steps)


def condition_on(latent: torch.Tensor, text: torch.Tensor, mask: torch.Tensor) -> Condition:
    tensors = {"condition_latent": latent, "encoder_hidden_states": text, "mask": mask}
    return Condition(tensors | {"motion": torch.tensor([8])}, branches=text.shape[0])


def run(loop) -> tuple[list[torch.Tensor], torch.Tensor]:
    """Drain one of the method's generators: the clean estimate of every step, and the result."""
    outcome = Outcome(loop)
    return [clean for _, _, clean in outcome], outcome.value


@pytest.mark.parametrize("case", read("pipeline_cases.json"))
def test_guided_run_equals_the_official_pipeline(unet, case):
    settings = read("pipeline_cases.json")[case]
    prefix, tensors = f"{case}.", load_file(GOLDEN / "pipeline_cases.safetensors")
    given = {n.removeprefix(prefix): v for n, v in tensors.items() if n.startswith(prefix)}
    schedule = schedule_of(settings["steps"])
    assert list(schedule.timesteps) == settings["timesteps"]

    still = given["image_latent"].expand(-1, -1, settings["frames"], -1, -1)
    z = schedule.add_noise(still, given["noise"], 0)
    close(z, given["initial_latents"], 1e-5)
    condition = condition_on(
        given["image_latent"], given["prompt_embeds_uncond_then_text"], given["mask"]
    )
    loop = denoise(Guided(unet), z, schedule, condition, [settings["guidance_scale"]])
    close(run(loop)[1], given["final"], GUIDED)


# The published method: painting and proxy distilled apart, fused frame by frame, denoised


@pytest.fixture(scope="module")
def epa() -> dict[str, torch.Tensor]:
    return load_file(EPA / "square_leading.safetensors")


@pytest.fixture(scope="module")
def published() -> dict:
    return json.loads((EPA / "cases.json").read_text())["square_leading"]


def epa_condition(epa: dict[str, torch.Tensor], path: str) -> Condition:
    return condition_on(epa[f"{path}_latent"], epa["prompt_embeds_uncond_then_text"], epa["mask"])


@pytest.fixture(scope="module")
def distilled(unet, epa, published) -> dict[str, tuple[list[torch.Tensor], torch.Tensor]]:
    """Both paths of Sec. 3.3, each on its own image."""
    schedule = schedule_of(published["num_inference_steps"])
    tau = distilled_steps(len(schedule), published["p_ni_vsds"])
    alphas = alpha_schedule("stepwise-decreasing", tau)
    assert tau == published["tau"] and alphas == pytest.approx(published["step_sizes"])
    with torch.inference_mode():
        return {
            path: run(
                distil(
                    Guided(unet),
                    epa[f"{path}_latent"].repeat(1, 1, published["frames"], 1, 1),
                    epa[f"vsds.{path}.noise"],
                    schedule,
                    epa_condition(epa, path),
                    [published["guidance_scale"]],
                    alphas,
                )
            )
            for path in ("image", "proxy")
        }


@pytest.mark.parametrize("path", ["image", "proxy"])
def test_all_steps_of_the_distillation_equal_the_published_code(distilled, epa, path):
    expected = epa[f"vsds.{path}.latents_before_each_step_then_final"]
    steps, result = distilled[path]
    assert len(steps) == 16
    for ours, theirs in zip(steps, expected[1:], strict=True):
        close(ours, theirs, CHAIN)
    assert torch.equal(result, steps[-1])


def fuse_in_half(painting: torch.Tensor, proxy: torch.Tensor) -> torch.Tensor:
    """Slerp with the published code's half-precision rounding, which spares the end frames."""
    fused = slerp_frames(painting.half().float(), proxy.half().float()).half().float()
    fused[:, :, 0], fused[:, :, -1] = painting[:, :, 0], proxy[:, :, -1]
    return fused


def test_fusion_differs_from_the_published_code_by_its_rounding_alone(epa):
    painting, proxy = (
        epa[f"vsds.{path}.latents_before_each_step_then_final"][-1] for path in ("image", "proxy")
    )
    fused = fuse_in_half(painting, proxy)
    torch.testing.assert_close(fused, epa["slerp.frames_before_noise"], rtol=1e-3, atol=1e-3)


def test_final_run_equals_the_published_code(unet, epa, published):
    schedule = schedule_of(published["num_inference_steps"])
    loop = denoise(
        Guided(unet),
        epa["slerp.initial_latents"],
        schedule,
        epa_condition(epa, "image"),
        [published["guidance_scale"]],
    )
    close(run(loop)[1], epa["final.latents"], CHAIN)


def test_whole_chain_equals_the_published_code(unet, distilled, epa, published):
    fused = slerp_frames(distilled["image"][1], distilled["proxy"][1])
    schedule = schedule_of(published["num_inference_steps"])
    loop = denoise(
        Guided(unet),
        schedule.add_noise(fused, epa["slerp.noise"], 0),
        schedule,
        epa_condition(epa, "image"),
        [published["guidance_scale"]],
    )
    # The recorded run rounded its fused frames to half precision, up to 0.03 off. That alone makes
    # 0.132 at the worst of 4096 values (standard deviation 77), and 0.013 on average.
    close(run(loop)[1], epa["final.latents"], 0.15)
