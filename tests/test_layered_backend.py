"""The miniature behind the protocol, with untrained weights of tiny width."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from awaken.backends import Condition, VideoSettings
from awaken.backends.miniature import MiniatureBackend
from awaken.miniature.decoder_network import MatteNetwork
from awaken.miniature.latents import AIR, FLOW, OBJECT, REGION, UNITS, schedule_table
from awaken.miniature.proxy_network import ProxyNetwork
from awaken.miniature.segmentation_network import SegmentationNetwork
from awaken.miniature.training.captions import HARDLY, IDEAS, vocabulary
from awaken.miniature.training.loop import save_shards
from awaken.miniature.training.phrases import PHRASES
from awaken.miniature.video_network import VideoNetwork
from awaken.proxies import ProxySettings
from awaken.proxies.miniature import MiniatureProxy
from awaken.sampling import PUBLISHED_START_SNR, Outcome, denoise
from awaken.types import ModelError


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Untrained parts of tiny width, as the training program leaves them."""
    folder = tmp_path_factory.mktemp("layered")
    config = {"widths": (8, 16, 16), "condition_widths": (16, 16, 16)}
    torch.manual_seed(0)
    network = VideoNetwork(**config)
    torch.nn.init.normal_(network.denoiser.leave[2].weight, std=0.1)
    save_shards(network.state_dict(), folder, "video")
    notes = {"config": config, "iterations": 1, "samples": 1}
    (folder / "video.json").write_text(json.dumps(notes))
    (folder / "captions.json").write_text(json.dumps(vocabulary()))
    decoder = MatteNetwork(widths=(8, 8, 8))
    save_shards(decoder.state_dict(), folder, "decoder")
    (folder / "decoder.json").write_text(json.dumps({"config": {"widths": (8, 8, 8)}}))
    proxy = ProxyNetwork(widths=(8, 16, 16))
    torch.nn.init.normal_(proxy.leave[2].weight, std=0.1)
    save_shards(proxy.state_dict(), folder, "proxy")
    (folder / "proxy.json").write_text(json.dumps({"config": {"widths": (8, 16, 16)}}))
    segmentation = SegmentationNetwork(widths=(8,))
    torch.nn.init.constant_(segmentation.reader[-1].bias, -9.0)  # understands no sentence
    save_shards(segmentation.state_dict(), folder, "segmentation")
    (folder / "segmentation.json").write_text(json.dumps({"config": {"widths": (8,)}}))
    return folder


@pytest.fixture(scope="module")
def backend(folder) -> MiniatureBackend:
    return MiniatureBackend(torch.device("cpu"), torch.float32, folder)


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)


def conditioned(backend, painting, frames=16, mask=None, prompt="the sea rolls") -> Condition:
    latents = backend.encode(painting, 0)
    settings = VideoSettings(prompt, frames, 3.0, motion=backend.spec.motion, mask=mask)
    return backend.condition(painting, latents, settings)


@pytest.mark.parametrize(("frames", "size"), [(16, (256, 256)), (24, (128, 320)), (32, (320, 128))])
def test_every_length_and_aspect_goes_through(backend, frames, size):
    painting = picture(*size)
    latents = backend.encode(painting, 0)
    still = backend.static_video(latents, frames)
    assert still.shape[:3] == (1, 18, frames)
    np.testing.assert_array_equal(backend.decode(still, painting), np.stack([painting] * frames))
    schedule = backend.schedule(3)
    z = schedule.add_noise(still, torch.randn(still.shape), 0)
    loop = denoise(backend, z, schedule, conditioned(backend, painting, frames), (3.0,))
    with pytest.raises(StopIteration) as end, torch.inference_mode():
        while True:
            next(loop)
    video = backend.decode(end.value.value, painting)
    assert video.shape == (frames, *size, 3)
    assert np.abs(video[0].astype(int) - painting).mean() < 3, "frame 0 is the painting"
    assert backend.preview(end.value.value, painting).shape[0] == frames


def test_two_videos_in_one_batch_are_the_same_as_one_by_one(backend):
    paintings = [picture(256, 256), picture(256, 256)[::-1].copy()]
    conditions = [conditioned(backend, p) for p in paintings]
    z = torch.randn(2, 18, 16, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        both = backend.predict(z, 501, Condition.stack(conditions))
        each = [backend.predict(z[i : i + 1], 501, c) for i, c in enumerate(conditions)]
    torch.testing.assert_close(both, torch.cat(each, 1), atol=1e-4, rtol=1e-3)
    assert both.shape == (2, 2, 18, 16, 32, 32)


def test_nothing_moves_where_the_mask_forbids_it(backend):
    mask = np.zeros((64, 64), np.uint8)
    mask[:, 32:] = 255
    painting = picture(256, 256)
    z = torch.randn(1, 18, 16, 32, 32)
    with torch.inference_mode():
        clean = backend.predict(z, 801, conditioned(backend, painting, mask=mask))
    for channels in (REGION, OBJECT, AIR):
        assert clean[:, :, channels, ..., :16].abs().max() == 0
        assert clean[:, :, channels, ..., 16:].abs().max() > 0
    assert clean[:, :, FLOW, 0].abs().max() < 1e-5


@pytest.mark.parametrize(
    ("found", "painted", "most"), [(-9, False, 0), (-9, True, 1), (9, False, 1)]
)
def test_what_is_not_found_stays_unless_a_person_points_at_it(folder, found, painted, most):
    backend = MiniatureBackend(torch.device("cpu"), torch.float32, folder)
    torch.nn.init.constant_(backend.video.condition.regions.bias, found)
    mask = np.full((64, 64), 255, np.uint8) if painted else None
    z = torch.randn(1, 18, 16, 32, 32)
    with torch.inference_mode():
        clean = backend.predict(z, 801, conditioned(backend, picture(256, 256), mask=mask))
    for channels in (REGION, OBJECT):
        share = clean[:, :, channels] * UNITS[channels]
        assert share.amin() >= 0, "nothing is forced to move"
        assert share.amax() <= most + 1e-6 and bool(share.amax() > 0) == bool(most)
    assert clean[:, :, AIR].abs().max() > 0, "snow falls before whatever stands there"


def test_the_proxy_repaints_by_its_strength_and_repeats_with_its_seed(folder):
    proxy = MiniatureProxy(torch.device("cpu"), torch.float32, folder)
    painting = picture(192, 256)

    def made(strength: float, seed: int = 1) -> np.ndarray:
        making = Outcome(proxy.make(painting, ProxySettings("snow falls", seed, strength)))
        *_, (step, count) = making
        assert step == count
        return making.value

    np.testing.assert_array_equal(made(0.0), painting)
    some = made(0.5)
    assert some.shape == painting.shape and some.dtype == np.uint8
    np.testing.assert_array_equal(some, made(0.5))
    assert np.abs(some.astype(int) - painting).mean() > 1
    assert np.abs(some.astype(int) - made(0.5, seed=2)).mean() > 0.5


def test_proxy_and_video_model_segment_a_painting_once(folder):
    backend = MiniatureBackend(torch.device("cpu"), torch.float32, folder)
    proxy = MiniatureProxy(torch.device("cpu"), torch.float32, folder)
    assert proxy.segmentation is backend.segmentation
    looks = []
    hook = backend.segmentation.body.register_forward_hook(lambda *_: looks.append(1))
    first = picture(192, 256)
    with torch.inference_mode():
        for painting, count in ((first, 1), (first[::-1].copy(), 2)):
            list(proxy.make(painting, ProxySettings("snow falls", 1, 0.5)))
            conditioned(backend, painting)
            assert len(looks) == count
    hook.remove()


def test_a_broken_checkpoint_is_said_plainly(tmp_path):
    (tmp_path / "video.json").write_text("{}")
    with pytest.raises(ModelError, match="cannot be read"):
        MiniatureBackend(torch.device("cpu"), torch.float32, tmp_path)


def test_what_it_was_taught_is_known_and_what_it_was_not_is_said(backend):
    for effect in PHRASES.keys() - {"still"}:
        notices = backend.notices(PHRASES[effect][0].format(v="", d="", n=""))
        hardly = f"hardly learnt {IDEAS[effect]}: expect little of it" if effect in HARDLY else ""
        assert hardly in " ".join(notices) and len(notices) == bool(hardly), effect
    assert "does not know" in backend.notices("the accountant files a tax return")[0]


def test_the_schedule_is_stable_diffusions_and_holds_a_rest_of_the_video_at_its_start(backend):
    schedule = backend.schedule(25)
    table = schedule_table()
    for t, a, s in zip(schedule.timesteps, schedule.a, schedule.s, strict=True):
        assert a == pytest.approx(float(table[round(t)].sqrt()), rel=1e-3, abs=1e-5)
        assert a * a + s * s == pytest.approx(1, abs=1e-6)
    assert schedule.a[0] / schedule.s[0] == pytest.approx(PUBLISHED_START_SNR, rel=2e-3)
    assert schedule.start_index(1.0) == 0, "nothing is left out of the published run"
