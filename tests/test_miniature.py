"""The shipped miniature's promises: what moves, where, by which words; its proxy, its files.

tests/data/wheat-field.jpg is Van Gogh's Wheat Field with Cypresses (1889, public domain); the
regions below are coarse polygons of it.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from safetensors import safe_open

from awaken.backends import Condition, VideoSettings
from awaken.backends.miniature import MiniatureBackend
from awaken.miniature import text
from awaken.miniature.decoder_network import MatteNetwork
from awaken.miniature.latents import FLOW, OBJECT, REGION, SHIFT, grid_for, values_of
from awaken.miniature.loading import ASSETS, SUM, content_sum, trained, weights_id
from awaken.miniature.proxy_network import ProxyNetwork
from awaken.miniature.video_network import VideoNetwork
from awaken.miniature.vocabulary import Vocabulary
from awaken.proxies import ProxySettings
from awaken.proxies.given import IdentityProxy, UploadProxy
from awaken.proxies.miniature import MiniatureProxy
from awaken.sampling import Outcome, denoise
from awaken.types import ModelError, RequestError
from awaken.vsds import distil

CPU = torch.device("cpu")
SKY = [(0, 0), (100, 0), (100, 63), (92, 58), (90, 33), (86, 2), (80, 23), (78, 56), (60, 60),
       (45, 64), (35, 54), (15, 53), (0, 58)]  # fmt: skip
FIELD = [(0, 85), (45, 82), (100, 82), (100, 98), (0, 98)]


@pytest.fixture(scope="module")
def backend() -> MiniatureBackend:
    return MiniatureBackend(CPU, torch.float32)


@pytest.fixture(scope="module")
def proxy() -> MiniatureProxy:
    return MiniatureProxy(CPU, torch.float32)


@pytest.fixture(scope="module")
def painting() -> np.ndarray:
    return np.asarray(Image.open(Path(__file__).parent / "data" / "wheat-field.jpg"))


@pytest.fixture(autouse=True)
def no_gradients():
    with torch.inference_mode():
        yield


def cells(polygon: list[tuple[float, float]], grid: tuple[int, int]) -> torch.Tensor:
    """A polygon in percent -> the share of each cell of the grid that it covers."""
    mask = Image.new("L", (grid[1] * 10, grid[0] * 10))
    ImageDraw.Draw(mask).polygon(
        [(x * grid[1] / 10, y * grid[0] / 10) for x, y in polygon], fill=255
    )
    covered = torch.tensor(np.asarray(mask) / 255).float()
    return torch.nn.functional.avg_pool2d(covered[None], 10)[0]


def condition(backend, picture, prompt="clouds drift", guidance=3.0, motion=1.0, mask=None):
    settings = VideoSettings(prompt, 16, guidance, motion=motion, mask=mask)
    return backend.condition(picture, backend.encode(picture, 0), settings)


def finish(loop):
    return Outcome(loop).finish()


def render(backend, picture, prompt, steps=8, seed=42, **settings) -> torch.Tensor:
    """The baseline: denoise from the still painting; latents (1, 18, 16, h, w)."""
    still = backend.static_video(backend.encode(picture, seed), 16)
    noise = torch.randn(still.shape, generator=torch.Generator().manual_seed(seed))
    schedule = backend.schedule(steps)
    z = schedule.add_noise(still, noise, 0)
    guidance = settings.get("guidance", 3.0)
    conditioned = condition(backend, picture, prompt, **settings)
    return finish(denoise(backend, z, schedule, conditioned, (guidance,)))


def speed(z: torch.Tensor) -> torch.Tensor:
    """How far each cell's content has gone in the last eight frames, in cells, (h, w)."""
    value = values_of(z)
    region = value[0, FLOW].norm(dim=0) * value[0, REGION][0].clamp(0, 1)
    thing = value[0, SHIFT].norm(dim=0) * value[0, OBJECT][0].clamp(0, 1)
    return torch.maximum(region, thing)[8:].mean(0)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    error = np.mean((a.astype(float) - b.astype(float)) ** 2)
    return 10 * np.log10(255**2 / error) if error else float("inf")


def shaped(painting: np.ndarray, width: int, height: int) -> np.ndarray:
    return np.asarray(Image.fromarray(painting).resize((width, height)))


@pytest.mark.parametrize(("width", "height"), [(320, 256), (160, 480), (480, 160)])
def test_a_still_video_decodes_to_the_painting_in_any_shape(backend, painting, width, height):
    picture = shaped(painting, width, height)
    still = backend.static_video(backend.encode(picture, 0), 16)
    frames = backend.decode(still, picture)
    assert frames.shape == (16, height, width, 3)
    assert frames.dtype == np.uint8
    assert min(psnr(frame, picture) for frame in frames) > 35
    preview = backend.preview(still, picture)
    assert preview.shape[0] == 16
    assert max(preview.shape[1:3]) == 128
    assert preview.shape[2] / preview.shape[1] == pytest.approx(width / height, rel=0.03)


@pytest.mark.parametrize("videos", [1, 2])
@pytest.mark.parametrize(("guidance", "branches"), [(1.0, 1), (3.0, 2)])
def test_network_answers_every_branch_of_every_video(backend, painting, videos, guidance, branches):
    one = condition(backend, painting, guidance=guidance)
    still = backend.static_video(backend.encode(painting, 0), 16)
    z = torch.randn(still.expand(videos, -1, -1, -1, -1).shape)
    answer = backend.network(z, 951, Condition.stack([one] * videos))
    assert one.branches == branches
    assert answer.shape == (branches, *z.shape)
    assert answer.dtype == torch.float32


def test_bfloat16_predicts_the_same_video(backend, painting):
    half = MiniatureBackend(CPU, torch.bfloat16)
    shape = backend.static_video(backend.encode(painting, 0), 16).shape
    z = torch.randn(shape, generator=torch.Generator().manual_seed(2))
    exact, rounded = (b.network(z, 700, condition(b, painting)) for b in (backend, half))
    still = backend.static_video(backend.encode(painting, 0), 16)
    assert (rounded - exact).norm() < 0.05 * (exact - still).norm()


def test_the_named_region_moves(backend, painting):
    grid = grid_for(painting.shape[1], painting.shape[0])
    sky, field = cells(SKY, grid), cells(FIELD, grid)

    def share(prompt: str, region: torch.Tensor) -> float:
        moved = sum(speed(render(backend, painting, prompt, seed=seed)) for seed in range(3))
        return float((moved * region).sum() / moved.sum())

    assert share("clouds drift across the sky", sky) > 0.75
    in_field = share("the wheat field waves in the wind", field)
    assert in_field > 3 * share("clouds drift across the sky", field)


def test_the_mask_confines_motion(backend, painting):
    mask = np.zeros((100, 200), np.uint8)
    mask[:50, :100] = 255  # the upper left quarter
    z = render(backend, painting, "clouds drift across the sky", mask=mask, motion=1.9)
    moved = speed(z)
    half, middle = moved.shape[0] // 2, moved.shape[1] // 2
    assert moved[:half, :middle].mean() > 0.05
    assert moved[half:].max() < 1e-6
    assert moved[:, middle:].max() < 1e-6
    z[:, FLOW] *= 4  # a baseline moves little, and it is the decoder's turn
    last = backend.decode(z, painting)[-1]
    height, width = painting.shape[:2]
    assert psnr(last[:, 3 * width // 5 :], painting[:, 3 * width // 5 :]) > 40
    assert psnr(last[: height // 3, : width // 2], painting[: height // 3, : width // 2]) < 30


def test_distilling_and_denoising_count_one_evaluation_per_video_and_step(backend, painting):
    still = backend.static_video(backend.encode(painting, 0), 16).repeat(2, 1, 1, 1, 1)
    noise = torch.randn(still.shape, generator=torch.Generator().manual_seed(3))
    both = Condition.stack([condition(backend, painting)] * 2)
    before = backend.evaluations
    moving = finish(distil(backend, still, noise, backend.schedule(5), both, (3.0,), [2.0, 1.0]))
    assert backend.evaluations - before == 2 * 2
    schedule = backend.schedule(5)
    finish(denoise(backend, schedule.add_noise(moving, noise, 0), schedule, both, (3.0,)))
    assert backend.evaluations - before == 2 * 2 + 2 * 5


def test_working_sizes_keep_the_shape_and_the_area(backend):
    for width, height in [(1200, 400), (400, 1200), (1000, 800), (37, 41)]:
        w, h = backend.working_size(width, height, 512)
        assert w % 8 == h % 8 == 0
        assert w * h == pytest.approx(512**2, rel=0.05)
        assert w / h == pytest.approx(width / height, rel=0.05)


KNOWN = ["the waves roll onto the beach", "stormy clouds swirl", "poplars sway in the breeze",
         "boats drift", "the ships rock at anchor", "the brook flows"]  # fmt: skip
UNKNOWN = ["the girl smiles", "the horse gallops", "zoom in", "die Wolken ziehen", "asdf qwer"]


def test_notices_name_what_it_does_not_know(backend):
    for prompt in KNOWN:
        assert backend.notices(prompt) == []
    for prompt in UNKNOWN:
        (notice,) = backend.notices(prompt)
        assert f"does not know “{prompt}”" in notice
    (notice,) = backend.notices("smoke billows from the volcano")
    assert "hardly learnt smoke rising" in notice
    (notice,) = backend.notices("clouds drift while the girl smiles")
    assert "the girl smiles" in notice
    assert "clouds drift while" not in notice


def test_notices_about_other_scripts_and_long_prompts(backend):
    assert backend.notices("snow falls") == []
    for prompt in ("少女在风中回眸", "облака плывут", "..."):
        assert "English" in backend.notices(prompt)[0]
    assert backend.notices("云在天空飘动") == []
    (notice,) = backend.notices("蝴蝶飞舞，云飘动")
    assert "read this as “the clouds drift”" in notice and "“蝴蝶飞舞”" in notice


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("the waves roll towards us", "never towards the viewer"),
        ("the clouds drift east", "north, south, east and west"),
        ("the clouds drift to the left and the boat sails to the right", "one direction"),
        ("the water flows slowly and the clouds drift fast", "one speed"),
        ("The clouds do not move", "nothing moves, so nothing does"),
        ("the boat sails very slowly from the right and the clouds stay still", ""),
    ],
)
def test_what_is_not_obeyed_is_said(backend, prompt, said):
    assert said in " ".join(backend.notices(prompt)) and bool(backend.notices(prompt)) == bool(said)


def test_notices_about_long_prompts(backend):
    assert "long prompt" in backend.notices("clouds drift, " * 12)[0]
    assert max(map(len, backend.notices("q" * 600))) < 600


def test_an_empty_negative_prompt_has_no_words(backend):
    words, present = backend.text.words("  ")
    assert words.shape == (1, 20, 384)
    assert not present.any()


def test_the_proxy_keeps_the_size_and_follows_seed_and_strength(proxy, painting):
    picture = shaped(painting, 288, 96)

    def make(strength: float, seed: int) -> np.ndarray:
        return finish(proxy.make(picture, ProxySettings("stormy clouds", seed, strength)))

    first, again, other = make(0.6, 1), make(0.6, 1), make(0.6, 2)
    assert first.shape == picture.shape
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert psnr(make(0.2, 1), picture) > psnr(first, picture) > psnr(make(1.0, 1), picture)
    assert np.array_equal(make(0.0, 1), picture)


def test_the_proxy_at_its_own_strength_is_a_likely_repainting(proxy, painting):
    steps = proxy.make(painting, ProxySettings("clouds drift", 42, proxy.spec.strength))
    repainted = finish(steps)
    luma = [picture @ np.array([0.299, 0.587, 0.114]) for picture in (painting, repainted)]
    assert 17 < psnr(repainted, painting) < 26
    assert np.corrcoef(luma[0].ravel(), luma[1].ravel())[0, 1] > 0.8


def test_a_given_proxy_is_fitted_to_the_painting(painting):
    own = np.full((50, 70, 3), 200, np.uint8)
    made = finish(UploadProxy().make(painting, ProxySettings("x", 0, image=own)))
    assert made.shape == painting.shape
    assert made.min() == made.max() == 200
    same = finish(IdentityProxy().make(painting, ProxySettings("x", 0)))
    assert np.array_equal(same, painting)
    with pytest.raises(RequestError, match="own picture"):
        finish(UploadProxy().make(painting, ProxySettings("x", 0)))


def test_broken_weights_are_reported_in_a_sentence(tmp_path):
    (tmp_path / "proxy.json").write_text("{}")
    with pytest.raises(ModelError, match="cannot be read"):
        trained(ProxyNetwork, "proxy", tmp_path)
    for file in ASSETS.glob("proxy*"):
        shutil.copy(file, tmp_path)
    assert isinstance(trained(ProxyNetwork, "proxy", tmp_path), ProxyNetwork)
    first = min(tmp_path.glob("proxy-*.safetensors"))
    first.write_bytes(first.read_bytes()[:100_000])
    with pytest.raises(ModelError, match="git checkout"):
        trained(ProxyNetwork, "proxy", tmp_path)


@pytest.mark.parametrize("place", [0.2, 0.5, 0.999])
def test_one_flipped_bit_in_the_weights_is_found(tmp_path, place):
    for file in ASSETS.glob("decoder*"):
        shutil.copy(file, tmp_path)
    path = tmp_path / "decoder-00.safetensors"
    data = bytearray(path.read_bytes())
    data[int(place * len(data))] ^= 4
    path.write_bytes(data)
    with pytest.raises(ModelError, match="git checkout"):
        trained(MatteNetwork, "decoder", tmp_path)


def test_every_shard_that_ships_has_its_checksum():
    """``save_shards`` writes it; weights that came another way must be saved by it once."""
    shards = sorted(ASSETS.rglob("*.safetensors"))
    assert len(shards) > 3
    for path in shards:
        with safe_open(path, "pt") as file:
            assert (file.metadata() or {}).get(SUM) == content_sum(path.read_bytes()), path.name


def test_a_text_encoder_that_has_changed_is_refused(monkeypatch):
    monkeypatch.setattr(text.hashlib, "file_digest", lambda file, kind: hashlib.new(kind, b"other"))
    with pytest.raises(ModelError, match="force-reinstall"):
        text.TextEncoder()


def test_weights_of_another_shape_are_refused(tmp_path):
    for file in ASSETS.glob("proxy*"):
        shutil.copy(file, tmp_path / file.name.replace("proxy", "video"))
    with pytest.raises(ModelError, match="cannot be read"):
        trained(VideoNetwork, "video", tmp_path)


def test_weights_id_follows_the_content(tmp_path):
    (tmp_path / "video-00.safetensors").write_bytes(b"one")
    (tmp_path / "video.json").write_text("{}")
    parts = tmp_path, "video", "decoder"
    first = weights_id(*parts)
    (tmp_path / "video-00.safetensors").write_bytes(b"two")
    assert len(first) == 12
    assert weights_id(*parts) != first


def test_a_damaged_caption_list_is_reported_in_a_sentence(tmp_path, backend):
    (tmp_path / "captions.json").write_text("{")
    with pytest.raises(ModelError, match=r"captions\.json"):
        Vocabulary(backend.text, tmp_path)
