"""Tokenizers, text and picture encoders at tiny width, built without hub and network."""

from __future__ import annotations

import torch
import transformers as tf

LETTERS = [chr(c) for c in range(ord("!"), ord("~") + 1)]
HIDDEN = 32


def seeded(build, seed=0):
    torch.manual_seed(seed)
    return build().eval().requires_grad_(False)


def t5_tokenizer(length=512):
    vocab = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)] + [
        (c, -3.0) for c in LETTERS
    ]
    return tf.T5Tokenizer(vocab=vocab, extra_ids=0, model_max_length=length)


def t5_encoder(kind="t5"):
    config, model = {
        "t5": (tf.T5Config, tf.T5EncoderModel),
        "umt5": (tf.UMT5Config, tf.UMT5EncoderModel),
    }[kind]
    sizes = dict(
        vocab_size=4 + len(LETTERS), d_model=HIDDEN, d_kv=8, d_ff=37, num_layers=2, num_heads=4
    )
    return seeded(lambda: model(config(**sizes)))


def byte_vocab(*special):
    from tokenizers.pre_tokenizers import ByteLevel

    return {t: i for i, t in enumerate([*special, *sorted(ByteLevel.alphabet())])}


def qwen_tokenizer():
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tok = tf.Qwen2Tokenizer(vocab=byte_vocab(*special))
    tok.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    return tok


def qwen_text(tokenizer):
    config = tf.Qwen2_5_VLTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        rope_parameters={"mrope_section": [1, 1, 2], "rope_type": "default", "rope_theta": 1e6},
    )
    return seeded(lambda: tf.Qwen2_5_VLTextModel(config))


def clip_tokenizer():
    words = ["<|startoftext|>", "<|endoftext|>", *LETTERS, *(f"{x}</w>" for x in LETTERS)]
    return tf.CLIPTokenizer(
        vocab={t: i for i, t in enumerate(words)}, merges=[], model_max_length=77
    )


def clip_text(width=HIDDEN):
    config = tf.CLIPTextConfig(
        vocab_size=2 + 2 * len(LETTERS),
        hidden_size=width,
        intermediate_size=37,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=77,
        bos_token_id=0,
        eos_token_id=1,
        projection_dim=width,
    )
    return seeded(lambda: tf.CLIPTextModel(config))


def clip_vision(with_projection=False, width=HIDDEN, size=32):
    config = tf.CLIPVisionConfig(
        hidden_size=width,
        projection_dim=width,
        image_size=size,
        patch_size=size // 2,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=37,
    )
    cls = tf.CLIPVisionModelWithProjection if with_projection else tf.CLIPVisionModel
    return seeded(lambda: cls(config))


def clip_images(size=32):
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    return CLIPImageProcessorPil(
        crop_size={"height": size, "width": size}, size={"shortest_edge": size}
    )


def t5_byte_encoder():
    sizes = dict(vocab_size=384, d_model=HIDDEN, d_kv=8, d_ff=37, num_layers=2, num_heads=4)
    return seeded(lambda: tf.T5EncoderModel(tf.T5Config(**sizes)))


def gemma_tokenizer():
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "▁"]
    return tf.GemmaTokenizer(
        vocab={t: i for i, t in enumerate([*special, *LETTERS])}, model_max_length=512
    )
