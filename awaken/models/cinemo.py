"""Cinemo's network: a Stable Diffusion UNet that denoises a video's residual to its first frame."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.activations import get_activation
from diffusers.models.attention import AttentionMixin, BasicTransformerBlock
from diffusers.models.downsampling import Downsample2D
from diffusers.models.embeddings import TimestepEmbedding, Timesteps, get_1d_rotary_pos_embed
from diffusers.models.modeling_utils import ModelMixin
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.unets.unet_3d_condition import UNet3DConditionOutput
from diffusers.models.upsampling import Upsample2D
from torch import nn

# Numbers of the temporal attention that upstream fixes in its code; no configuration holds them.
_ROTARY_CHANNELS = 32
_DISTANCE_BUCKETS = 32


def per_frame(layer: Callable[..., torch.Tensor], video: torch.Tensor, *args) -> torch.Tensor:
    """Run an image layer on every frame: (b, c, f, h, w) -> (b, c', f, h', w').

    A video made here lies frame by frame in memory, so that the next call folds it without a copy.
    """
    images = layer(video.transpose(1, 2).flatten(0, 1), *args)
    return images.unflatten(0, (video.shape[0], -1)).transpose(1, 2)


class FrameConv2d(nn.Conv2d):
    """A 2D convolution of every frame of (b, c, f, h, w)."""

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        return per_frame(super().forward, video)


class FrameDownsample(Downsample2D):
    """Halve height and width of every frame of (b, c, f, h, w)."""

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        return per_frame(super().forward, video)


class FrameUpsample(Upsample2D):
    """Enlarge every frame of (b, c, f, h, w) to ``size`` (height, width), nearest neighbour."""

    def forward(self, video: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
        return per_frame(super().forward, video, size)


class VideoResnetBlock(ResnetBlock2D):
    """diffusers' residual block, per frame but for its norms, which see all frames of a video.

    Normalising (b, c, f, h, w) rather than (b f, c, h, w) ties the frames' statistics together,
    the clean first frame's among them.
    """

    def forward(self, video: torch.Tensor, temb: torch.Tensor) -> torch.Tensor:
        hidden = per_frame(self.conv1, self.nonlinearity(self.norm1(video)))
        hidden = hidden + self.time_emb_proj(self.nonlinearity(temb))[:, :, None, None, None]
        hidden = per_frame(self.conv2, self.nonlinearity(self.norm2(hidden)))
        if self.conv_shortcut is not None:
            video = per_frame(self.conv_shortcut, video)
        total = video + hidden
        return total if self.output_scale_factor == 1 else total / self.output_scale_factor


class FramePositions(NamedTuple):
    """What temporal attention knows of time; the same in all layers, so made once per forward."""

    cos: torch.Tensor  # (f, 32), a frame's rotation angles, every one twice
    sin: torch.Tensor  # (f, 32)
    buckets: torch.Tensor  # (f, f) int64: [query, key] -> row of the table of learned biases

    @classmethod
    def of(cls, frames: int, like: torch.Tensor) -> FramePositions:
        """Positions 0..frames-1, rotations in ``like``'s dtype, on its device."""
        time = torch.arange(frames, device=like.device)
        cos, sin = get_1d_rotary_pos_embed(_ROTARY_CHANNELS, time, use_real=True)
        return cls(cos.to(like.dtype), sin.to(like.dtype), distance_buckets(time))


def distance_buckets(time: torch.Tensor) -> torch.Tensor:
    """T5's buckets of relative position, symmetric, of 32 buckets and reach 32: (f,) -> (f, f).

    Keys in the past take 0 to 15, keys in the future 16 to 31. Distances below 8 have a bucket of
    their own; beyond, buckets widen so that 8 of them reach from 8 to 32. Since log(n / 8) / log(4)
    * 8 is 4 log2(n) - 12, whole powers of two fall exactly on an edge: the small addend keeps
    them above it whatever the device's logarithm (Raffel et al. 2020, arXiv:1910.10683).
    """
    half = _DISTANCE_BUCKETS // 2
    offset = time[None, :] - time[:, None]  # key - query
    distance = offset.abs()
    far = (4 * distance.clamp(min=1).float().log2() + 1e-3).long() - 4
    bucket = torch.where(distance < half // 2, distance, far.clamp(max=half - 1))
    return bucket + half * (offset > 0)


def rotate(x: torch.Tensor, positions: FramePositions) -> torch.Tensor:
    """Rotate neighbouring channel pairs of the first 32 channels of every head: (n, heads, f, d).

    Su et al. 2021 (arXiv:2104.09864) with theta 10000; the other channels stay as they are.
    """
    turned, kept = x.split((_ROTARY_CHANNELS, x.shape[-1] - _ROTARY_CHANNELS), dim=-1)
    quarter = torch.stack((-turned[..., 1::2], turned[..., ::2]), dim=-1).flatten(-2)
    return torch.cat((turned * positions.cos + quarter * positions.sin, kept), dim=-1)


class TemporalAttention(nn.Module):
    """Self-attention over frames, with rotary positions and a learned bias per distance.

    Raises:
        ValueError: heads narrower than the 32 channels that are rotated.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        if channels // heads < _ROTARY_CHANNELS:
            raise ValueError(
                f"Temporal attention rotates {_ROTARY_CHANNELS} channels of every head, but "
                f"{channels} channels give {heads} heads {channels // heads} each: use fewer heads."
            )
        self.heads = heads
        self.to_q = nn.Linear(channels, channels, bias=False)
        self.to_k = nn.Linear(channels, channels, bias=False)
        self.to_v = nn.Linear(channels, channels, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(channels, channels)])
        table = nn.Embedding(_DISTANCE_BUCKETS, heads)
        self.time_rel_pos_bias = nn.ModuleDict({"relative_attention_bias": table})

    def forward(self, tokens: torch.Tensor, positions: FramePositions) -> torch.Tensor:
        """(n, f, c) -> (n, f, c); n counts pixels of all videos."""
        q, k, v = (
            project(tokens).unflatten(-1, (self.heads, -1)).transpose(1, 2)  # n heads f d
            for project in (self.to_q, self.to_k, self.to_v)
        )
        bias = self.time_rel_pos_bias["relative_attention_bias"](positions.buckets)  # f f heads
        bias = bias.permute(2, 0, 1)[None].contiguous()  # the fast kernels want keys innermost
        out = F.scaled_dot_product_attention(
            rotate(q, positions), rotate(k, positions), v, attn_mask=bias
        )
        return self.to_out[0](out.transpose(1, 2).flatten(2))


class VideoTransformerBlock(BasicTransformerBlock):
    """diffusers' block (self-attention, cross-attention, feed-forward) and attention along time."""

    def __init__(self, channels: int, heads: int, cross_attention_dim: int) -> None:
        width = channels // heads
        super().__init__(channels, heads, width, cross_attention_dim=cross_attention_dim)
        self.norm_temp = nn.LayerNorm(channels)
        self.attn_temp = TemporalAttention(channels, heads)

    def forward(
        self, tokens: torch.Tensor, text: torch.Tensor, positions: FramePositions
    ) -> torch.Tensor:
        """tokens (b, f, h w, c), text (b, n, c') -> (b, f, h w, c)."""
        b, f = tokens.shape[:2]
        within = self.attn1(self.norm1(tokens).flatten(0, 1))
        tokens = tokens + within.unflatten(0, (b, f))
        # All frames of a video ask the same text: its keys and values are made once, not f times.
        asked = self.attn2(self.norm2(tokens).flatten(1, 2), encoder_hidden_states=text)
        tokens = tokens + asked.unflatten(1, (f, -1))
        across = self.norm_temp(tokens).transpose(1, 2).flatten(0, 1)  # (b h w) f c
        across = self.attn_temp(across, positions)
        tokens = tokens + across.unflatten(0, (b, -1)).transpose(1, 2)
        return tokens + self.ff(self.norm3(tokens))


class VideoTransformer(nn.Module):
    """Stable Diffusion's spatial transformer with a block that also looks along time."""

    def __init__(self, channels: int, heads: int, cross_attention_dim: int, groups: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, channels, eps=1e-6)
        self.proj_in = nn.Conv2d(channels, channels, kernel_size=1)
        self.transformer_blocks = nn.ModuleList(
            [VideoTransformerBlock(channels, heads, cross_attention_dim)]
        )
        self.proj_out = nn.Conv2d(channels, channels, kernel_size=1)

    def forward(
        self, video: torch.Tensor, text: torch.Tensor, positions: FramePositions
    ) -> torch.Tensor:
        """video (b, c, f, h, w), text (b, n, c') -> (b, c, f, h, w)."""
        b, _, f, h, w = video.shape
        images = video.transpose(1, 2).flatten(0, 1)  # (b f) c h w
        tokens = self.proj_in(self.norm(images)).permute(0, 2, 3, 1)  # norm per frame
        tokens = tokens.reshape(b, f, h * w, -1).contiguous()
        for block in self.transformer_blocks:
            tokens = block(tokens, text, positions)
        images = images + self.proj_out(tokens.reshape(b * f, h, w, -1).permute(0, 3, 1, 2))
        return images.unflatten(0, (b, f)).transpose(1, 2)


class Level(nn.Module):
    """Residual blocks of one resolution, each followed by a transformer where there are any."""

    def __init__(self, resnets: list[VideoResnetBlock], attentions: list[VideoTransformer]) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(resnets)
        self.attentions = nn.ModuleList(attentions)


class DownLevel(Level):
    """A level of the encoder; its downsampler, where it has one, comes last."""

    def __init__(
        self,
        resnets: list[VideoResnetBlock],
        attentions: list[VideoTransformer],
        downsamplers: list[FrameDownsample],
    ) -> None:
        super().__init__(resnets, attentions)
        self.downsamplers = nn.ModuleList(downsamplers)

    def forward(
        self,
        video: torch.Tensor,
        temb: torch.Tensor,
        text: torch.Tensor,
        positions: FramePositions,
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """(b, c, f, h, w) -> the level's output, and every layer's output for the decoder."""
        skips = []
        for i, resnet in enumerate(self.resnets):
            video = resnet(video, temb)
            if self.attentions:
                video = self.attentions[i](video, text, positions)
            skips.append(video)
        for downsampler in self.downsamplers:
            video = downsampler(video)
            skips.append(video)
        return video, skips


class MidLevel(Level):
    """The coarsest level: residual block, transformer, residual block."""

    def forward(
        self,
        video: torch.Tensor,
        temb: torch.Tensor,
        text: torch.Tensor,
        positions: FramePositions,
    ) -> torch.Tensor:
        video = self.resnets[0](video, temb)
        video = self.attentions[0](video, text, positions)
        return self.resnets[1](video, temb)


class UpLevel(Level):
    """A level of the decoder; its upsampler, where it has one, comes last."""

    def __init__(
        self,
        resnets: list[VideoResnetBlock],
        attentions: list[VideoTransformer],
        upsamplers: list[FrameUpsample],
    ) -> None:
        super().__init__(resnets, attentions)
        self.upsamplers = nn.ModuleList(upsamplers)

    def forward(
        self,
        video: torch.Tensor,
        temb: torch.Tensor,
        text: torch.Tensor,
        positions: FramePositions,
        skips: list[torch.Tensor],
    ) -> torch.Tensor:
        """(b, c, f, h, w) -> the same at this level's width; takes what it needs off ``skips``."""
        for i, resnet in enumerate(self.resnets):
            video = resnet(torch.cat((video, skips.pop()), dim=1), temb)
            if self.attentions:
                video = self.attentions[i](video, text, positions)
        for upsampler in self.upsamplers:
            # The encoder's own size, so that sides which do not halve evenly meet again.
            video = upsampler(video, skips[-1].shape[-2:])
        return video


class CinemoUNet(ModelMixin, AttentionMixin, ConfigMixin):
    """Predict the noise of a latent video's residual to a given picture.

    Method: Cinemo (Ma et al., 2024, arXiv:2407.15642); behaviour and checkpoint keys follow
    github.com/maxin-cn/Cinemo at 7cd7f27, `models/unet.py`.

    The picture's latent (``base_content``) enters twice: it is added to the noisy residual, which
    makes a noisy video of it, and it is put in front as a clean frame that goes through all layers
    and is dropped at the end. A motion id joins the timestep. Everything else is Stable Diffusion
    1.4's UNet run per frame, but for attention along time in every transformer block and for
    group norms over whole videos in the residual blocks.

    Args:
        sample_size: side of the latents in training; kept for the checkpoint's sake only.
        in_channels, out_channels: channels of the latents.
        center_input_sample: map the sample from [0, 1] to [-1, 1] first.
        flip_sin_to_cos, freq_shift: form of the sinusoidal embeddings of timestep and motion id.
        down_block_types, up_block_types: "CrossAttnDownBlock3D" / "CrossAttnUpBlock3D" for levels
            with transformers, "DownBlock3D" / "UpBlock3D" for levels without; finest level first,
            and coarsest first.
        block_out_channels, layers_per_block: width of every level, finest first; residual blocks.
        downsample_padding, mid_block_scale_factor, act_fn, norm_num_groups, norm_eps: as in
            diffusers' `UNet2DConditionModel`.
        cross_attention_dim: width of the text embeddings, one number or one per level.
        attention_head_dim: despite its name the NUMBER of heads, one number or one per level.
        addition_embed_type: "motion_ids", or None for a network without motion ids.
        addition_time_embed_dim: width of the motion id's sinusoidal embedding.

    Raises:
        ValueError: the level lists differ in length, a block type is unknown, or heads are
            narrower than 32 channels.
    """

    # Checkpoint entries that may be there or not: every temporal attention's copy of the 16 rotary
    # frequencies, which are 10000^(-i/16) and are computed here.
    _keys_to_ignore_on_load_unexpected = [r"\.rotary_emb\.freqs$"]
    _repeated_blocks = ["VideoResnetBlock", "VideoTransformerBlock"]

    @register_to_config
    def __init__(
        self,
        sample_size: int | None = 64,
        in_channels: int = 4,
        out_channels: int = 4,
        center_input_sample: bool = False,
        flip_sin_to_cos: bool = True,
        freq_shift: int = 0,
        down_block_types: Sequence[str] = (
            "CrossAttnDownBlock3D",
            "CrossAttnDownBlock3D",
            "CrossAttnDownBlock3D",
            "DownBlock3D",
        ),
        up_block_types: Sequence[str] = (
            "UpBlock3D",
            "CrossAttnUpBlock3D",
            "CrossAttnUpBlock3D",
            "CrossAttnUpBlock3D",
        ),
        block_out_channels: Sequence[int] = (320, 640, 1280, 1280),
        layers_per_block: int | Sequence[int] = 2,
        downsample_padding: int = 1,
        mid_block_scale_factor: float = 1,
        act_fn: str = "silu",
        norm_num_groups: int = 32,
        norm_eps: float = 1e-5,
        cross_attention_dim: int | Sequence[int] = 768,
        attention_head_dim: int | Sequence[int] = 8,
        addition_embed_type: str | None = "motion_ids",
        addition_time_embed_dim: int = 256,
    ) -> None:
        super().__init__()
        levels = len(block_out_channels)
        layers, widths, heads = (
            [value] * levels if isinstance(value, int) else list(value)
            for value in (layers_per_block, cross_attention_dim, attention_head_dim)
        )
        lists = (down_block_types, up_block_types, layers, widths, heads)
        if any(len(entries) != levels for entries in lists):
            raise ValueError(
                f"The network has {levels} levels (block_out_channels), so down_block_types, "
                "up_block_types and every setting given per level need that many entries."
            )
        first = block_out_channels[0]
        temb_channels = first * 4

        resnet = partial(
            VideoResnetBlock,
            temb_channels=temb_channels,
            groups=norm_num_groups,
            eps=norm_eps,
            non_linearity=act_fn,
        )

        def transformers(block_type: str, level: int, count: int) -> list[VideoTransformer]:
            if block_type in ("DownBlock3D", "UpBlock3D"):
                return []
            if block_type not in ("CrossAttnDownBlock3D", "CrossAttnUpBlock3D"):
                raise ValueError(f"There is no block type called {block_type!r} in Cinemo.")
            shape = (block_out_channels[level], heads[level], widths[level], norm_num_groups)
            return [VideoTransformer(*shape) for _ in range(count)]

        self.conv_in = FrameConv2d(in_channels, first, kernel_size=3, padding=1)
        self.time_proj = Timesteps(first, flip_sin_to_cos, freq_shift)
        self.time_embedding = TimestepEmbedding(first, temb_channels, act_fn=act_fn)
        self.add_embedding = None
        if addition_embed_type == "motion_ids":
            self.add_time_proj = Timesteps(addition_time_embed_dim, flip_sin_to_cos, freq_shift)
            self.add_embedding = TimestepEmbedding(addition_time_embed_dim, temb_channels)

        self.down_blocks = nn.ModuleList()
        channels, skips = first, [first]  # widths of what the decoder will be handed, in order
        for level, (block_type, out) in enumerate(zip(down_block_types, block_out_channels)):
            resnets = []
            for _ in range(layers[level]):
                resnets.append(resnet(in_channels=channels, out_channels=out))
                channels = out
                skips.append(out)
            downsamplers = []
            if level < levels - 1:
                shrink = partial(FrameDownsample, use_conv=True, name="op")
                downsamplers = [shrink(out, padding=downsample_padding)]
                skips.append(out)
            attentions = transformers(block_type, level, layers[level])
            self.down_blocks.append(DownLevel(resnets, attentions, downsamplers))

        self.mid_block = MidLevel(
            [
                resnet(
                    in_channels=channels,
                    out_channels=channels,
                    output_scale_factor=mid_block_scale_factor,
                )
                for _ in range(2)
            ],
            transformers("CrossAttnDownBlock3D", levels - 1, 1),
        )

        self.up_blocks = nn.ModuleList()
        for block_type, level in zip(up_block_types, reversed(range(levels))):
            out = block_out_channels[level]
            resnets = []
            for _ in range(layers[level] + 1):
                resnets.append(resnet(in_channels=channels + skips.pop(), out_channels=out))
                channels = out
            upsamplers = [FrameUpsample(out, use_conv=True)] if level > 0 else []
            attentions = transformers(block_type, level, layers[level] + 1)
            self.up_blocks.append(UpLevel(resnets, attentions, upsamplers))

        self.conv_norm_out = nn.GroupNorm(norm_num_groups, first, eps=norm_eps)
        self.conv_act = get_activation(act_fn)
        self.conv_out = FrameConv2d(first, out_channels, kernel_size=3, padding=1)
        self.register_load_state_dict_pre_hook(_drop_computable_entries)

    def forward(
        self,
        sample: torch.Tensor,
        timestep: torch.Tensor | float | int,
        encoder_hidden_states: torch.Tensor,
        base_content: torch.Tensor,
        added_motion_ids: torch.Tensor | None = None,
        return_dict: bool = True,
    ) -> UNet3DConditionOutput | tuple[torch.Tensor]:
        """Predict the noise in the residual.

        Args:
            sample: (b, 4, f, h, w) noisy residual, frames minus base; any f >= 1, any sides.
            timestep: 0 to 999; a number, or a tensor of one or of b entries.
            encoder_hidden_states: (b, n, 768) text embeddings.
            base_content: (b, 4, 1, h, w) latent of the picture, scaled like the sample.
            added_motion_ids: b motion ids (or one for all), 0 to 99, of any float or int dtype.
            return_dict: return an object with `.sample`, else a tuple of one tensor.

        Returns:
            (b, 4, f, h, w), the sample's dtype.

        Raises:
            ValueError: the base is not one frame of the sample's size, or motion ids are missing.
        """
        b, c, f, h, w = sample.shape
        if base_content.shape != (b, c, 1, h, w):
            raise ValueError(
                f"The base must be one frame of the sample's size, {(b, c, 1, h, w)}, "
                f"not {tuple(base_content.shape)}."
            )
        if self.config.center_input_sample:
            sample = 2 * sample - 1

        if not torch.is_tensor(timestep):
            timestep = torch.full((b,), timestep, device=sample.device)
        timestep = timestep.to(sample.device).reshape(-1).expand(b)
        temb = self.time_embedding(self.time_proj(timestep).to(sample.dtype))
        if self.add_embedding is not None:
            if added_motion_ids is None:
                raise ValueError("This network needs added_motion_ids, one motion id per video.")
            motion = self.add_time_proj(added_motion_ids.flatten()).to(temb.dtype)
            temb = temb + self.add_embedding(motion)

        text = encoder_hidden_states
        positions = FramePositions.of(f + 1, sample)
        video = self.conv_in(torch.cat((base_content, base_content + sample), dim=2))

        skips = [video]
        for level in self.down_blocks:
            video, outputs = level(video, temb, text, positions)
            skips += outputs
        video = self.mid_block(video, temb, text, positions)
        for level in self.up_blocks:
            video = level(video, temb, text, positions, skips)

        # The clean frame counts in the last norm's statistics, but nobody asks for its noise.
        video = self.conv_act(self.conv_norm_out(video))[:, :, 1:]
        noise = self.conv_out(video)
        return UNet3DConditionOutput(sample=noise) if return_dict else (noise,)


def _drop_computable_entries(module: CinemoUNet, state_dict: dict, prefix: str, *_) -> None:
    """Let strict loading pass over the entries the class declares; torch hands us its own copy."""
    declared = [re.compile(pattern) for pattern in module._keys_to_ignore_on_load_unexpected]
    for key in list(state_dict):
        if key.startswith(prefix) and any(pattern.search(key) for pattern in declared):
            del state_dict[key]
