"""The paper's own code (golden/epa): one VSDS step, slerp and re-noising against its numbers."""

import json
from pathlib import Path

import pytest
import torch
from diffusers import DPMSolverMultistepScheduler
from safetensors.torch import load_file

from awaken.backends import Condition
from awaken.fusion import slerp_frames
from awaken.sampling import Schedule
from awaken.vsds import alpha_schedule, distil, distilled_steps
from tests.test_vsds import drain

GOLDEN = Path(__file__).parent / "golden" / "epa"


@pytest.fixture(scope="module")
def case():
    return json.loads((GOLDEN / "cases.json").read_text())["square_leading"]


@pytest.fixture(scope="module")
def recorded():
    return load_file(GOLDEN / "square_leading.safetensors")


def schedule(steps=25):
    return Schedule.from_scheduler(
        DPMSolverMultistepScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
            timestep_spacing="leading", steps_offset=1,
        ),
        steps,
    )  # fmt: skip


class Recorded:
    """Answers the first call with the recorded network output, as branches (no text, text)."""

    def __init__(self, noisy, output):
        self.noisy, self.output = noisy, output

    def predict(self, z, t, condition):
        torch.testing.assert_close(z, self.noisy, atol=1e-6, rtol=1e-5)
        return self.output[:, None]


def test_step_sizes_weights_and_timesteps_are_the_published_ones(case):
    tau = distilled_steps(case["num_inference_steps"], case["p_ni_vsds"])
    assert tau == case["tau"]
    assert alpha_schedule("stepwise-decreasing", tau) == pytest.approx(case["step_sizes"])
    levels = schedule()
    assert list(levels.timesteps) == case["denoise_timesteps"]
    assert [s * s for s in levels.s[:tau]] == pytest.approx(case["w_of_t"], rel=1e-5)


@pytest.mark.parametrize("path, image", [("image", "image_latent"), ("proxy", "proxy_latent")])
def test_the_first_distillation_step_of_each_path(case, recorded, path, image):
    before = recorded[f"vsds.{path}.latents_before_each_step_then_final"]
    static = recorded[image].expand(-1, -1, 16, -1, -1)
    torch.testing.assert_close(static, before[0], atol=0, rtol=0)
    network = Recorded(
        recorded[f"vsds.{path}.noisy_first_step"], recorded[f"vsds.{path}.unet_out_first_step"]
    )
    _, after = drain(
        distil(
            network, static, recorded[f"vsds.{path}.noise"], schedule(), Condition({}, 2),
            (case["guidance_scale"],), case["step_sizes"][:1],
        )
    )  # fmt: skip
    torch.testing.assert_close(after, before[1], atol=1e-3, rtol=1e-4)


def test_slerp_and_re_noising_of_the_recorded_paths(recorded):
    fused = slerp_frames(*(
        recorded[f"vsds.{path}.latents_before_each_step_then_final"][-1] for path in ("image", "proxy")
    ))  # fmt: skip
    expected = recorded["slerp.frames_before_noise"]
    assert torch.equal(fused[:, :, 0], expected[:, :, 0])
    assert torch.equal(fused[:, :, -1], expected[:, :, -1])
    torch.testing.assert_close(fused, expected, atol=0.15, rtol=0)  # upstream rounds to half
    noisy = schedule().add_noise(expected, recorded["slerp.noise"], 0)
    torch.testing.assert_close(noisy, recorded["slerp.initial_latents"], atol=1e-4, rtol=1e-5)


def test_the_recorded_slerp_takes_one_angle_over_its_batch():
    """Ours takes one per item; with the batch folded into the channels both are the same."""
    data = load_file(GOLDEN / "slerp_only.safetensors")
    fold = lambda z: z.flatten(0, 1)[None]  # noqa: E731
    fused = slerp_frames(fold(data["A"]), fold(data["B"]))
    torch.testing.assert_close(fused, fold(data["frames"]), atol=2e-3, rtol=0)
    noisy = schedule().add_noise(data["frames"], data["noise"], 0)
    torch.testing.assert_close(noisy, data["noised"], atol=1e-4, rtol=1e-5)
