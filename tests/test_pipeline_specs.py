"""What is known of the pipelines before one is loaded: specs, placements, their tokenizers."""

import json
import re

import pytest

from awaken import types
from awaken.backends.pipeline_specs import PIPELINES
from awaken.backends.placement import Placement

RULES = {"wan22_ti2v_5b": 4, "wan22_i2v_a14b": 4, "wan21_i2v_14b": 4, "skyreels_v2": 4,
         "ltx_video": 8, "ltx_video_095": 8, "ltx2": 8, "hunyuan15": 4, "sana_video": 4,
         "cogvideox15": 16}  # fmt: skip


@pytest.mark.parametrize("name", PIPELINES)
def test_specs_keep_the_models_rules(name):
    spec = PIPELINES[name]
    assert spec.frames in spec.frame_choices and spec.size in spec.sizes
    assert all((frames - 1) % RULES.get(name, 1) == 0 for frames in spec.frame_choices)
    assert max(spec.sizes) <= types.BOUNDS["size"][1]
    assert max(spec.frame_choices) <= types.BOUNDS["frames"][1]
    assert spec.needs and spec.weight_licence and spec.gpu_gigabytes
    assert not re.search(r"paint|pictur|style|art|image|work", spec.negative_prompt, re.I)


def test_a_tokenizer_that_is_released_as_a_sentencepiece_file_alone_loads(tmp_path):
    """LTX-Video's and CogVideoX's: it takes the packages sentencepiece and protobuf."""
    import sentencepiece
    from transformers import T5Tokenizer

    (tmp_path / "words.txt").write_text("the clouds drift across the sky\nthe sea rolls in\n" * 20)
    sentencepiece.SentencePieceTrainer.train(
        input=str(tmp_path / "words.txt"), model_prefix=str(tmp_path / "spiece"), vocab_size=24,
        hard_vocab_limit=False, pad_id=0, eos_id=1, unk_id=2, bos_id=-1, minloglevel=2,
    )  # fmt: skip
    config = {"tokenizer_class": "T5Tokenizer", "extra_ids": 0, "model_max_length": 128}
    folder = tmp_path / "tokenizer"
    folder.mkdir()
    (tmp_path / "spiece.model").rename(folder / "spiece.model")
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    ids = T5Tokenizer.from_pretrained(folder)("the sea").input_ids
    assert len(ids) > 2 and ids[-1] == 1


def test_placements_follow_the_free_memory():
    gb = 10**9
    sizes = {"transformer": 28 * gb, "transformer_2": 28 * gb, "text_encoder": 11 * gb}
    small = {name: size // 2 for name, size in sizes.items() if name.startswith("transformer")}
    kinds = {free: Placement.choose(sizes, small, free * gb).kind for free in (100, 80, 24, 12)}
    assert kinds == {100: "whole", 80: "turns", 24: "turns in 8 bits", 12: "layers"}
    assert not Placement("whole").sentence and "8 bits" in Placement("turns in 8 bits").sentence
