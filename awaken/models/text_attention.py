"""Attention to a text that is the same for all frames of a video."""

from __future__ import annotations

import torch.nn.functional as F
from diffusers.models.attention_processor import Attention
from torch import Tensor


def attend(attn: Attention, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Multi-head attention on projected (rows, tokens, channels), with the output projection."""
    query, key, value = (
        x.unflatten(-1, (attn.heads, -1)).transpose(1, 2) for x in (query, key, value)
    )
    out = F.scaled_dot_product_attention(query, key, value)
    return attn.to_out[0](out.transpose(1, 2).flatten(2))


class TextAttnProcessor:
    """Attention to the text, for pictures (rows b f) and for pixels over time (rows b h w) alike.

    All rows of a video share its text: they are laid end to end as one row of queries, so that
    keys and values are computed once per video and never repeated.
    """

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        grid: tuple[int, int] | None = None,
    ) -> Tensor:
        """hidden_states ((b n), tokens, c), encoder_hidden_states (b, words, width)."""
        query = attn.to_q(hidden_states)
        key, value = attn.to_k(encoder_hidden_states), attn.to_v(encoder_hidden_states)
        rotary = getattr(attn, "rotary_emb", None)
        if rotary is not None:
            query = rotary(query)
            # Official behaviour: as many words as frames pass for a self-attention.
            if key.shape[1] == query.shape[1]:
                key = rotary(key)
        out = attend(attn, query.reshape(key.shape[0], -1, query.shape[-1]), key, value)
        return out.reshape(hidden_states.shape)
