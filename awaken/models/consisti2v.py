"""The ConsistI2V network: the Stable Diffusion 2.1 UNet with time woven between its layers.

Inside, a video is a stack of pictures, ((b f), c, h, w), with the clean first frame in front. Each
layer is a picture ResNet, a convolution over time, a picture transformer and a transformer over
time. Everything that is the same for all frames of a video (text) stays at batch size b.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.activations import get_activation
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.attention_processor import Attention
from diffusers.models.downsampling import Downsample2D
from diffusers.models.embeddings import TimestepEmbedding, Timesteps
from diffusers.models.modeling_utils import ModelMixin
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from diffusers.models.unets.unet_3d_condition import UNet3DConditionOutput
from diffusers.models.upsampling import Upsample2D
from torch import Tensor, nn

from awaken.models.text_attention import TextAttnProcessor, attend

# Entries of the checkpoint that no output depends on (fnmatch patterns). They are kept as
# parameters, so that the official file loads strictly and is saved again whole.
DEAD_WEIGHTS = (
    "*.conv3ds.*.time_emb_proj.*",
    "*.tempo_attns.*.rotary_bias.relative_attention_bias.weight",
)

# Switches of the official configuration that the released network has in one position only.
_RELEASED = {
    "center_input_sample": False,
    "dual_cross_attention": False,
    "use_linear_projection": True,
    "use_temporal": True,
    "first_frame_condition_mode": "concat",
    "augment_temporal_attention": True,
    "temp_pos_embedding": "rotary",
    "use_frame_stride_condition": True,
}
# The same for what its configuration inherits from the Stable Diffusion UNet.
_INHERITED = {
    "mid_block_type": "UNetMidBlock2DCrossAttn",
    "only_cross_attention": False,
    "transformer_layers_per_block": 1,
    "encoder_hid_dim": None,
    "encoder_hid_dim_type": None,
    "num_attention_heads": None,
    "class_embed_type": None,
    "num_class_embeds": None,
    "class_embeddings_concat": False,
    "addition_embed_type": None,
    "resnet_time_scale_shift": "default",
    "time_embedding_type": "positional",
    "time_embedding_dim": None,
    "time_embedding_act_fn": None,
    "timestep_post_act": None,
    "time_cond_proj_dim": None,
    "conv_in_kernel": 3,
    "conv_out_kernel": 3,
    "attention_type": "default",
}
# Inherited keys that change nothing here, whatever their value.
_INERT = frozenset(
    {
        "addition_embed_type_num_heads",
        "addition_time_embed_dim",
        "cross_attention_norm",
        "dropout",
        "mid_block_only_cross_attention",
        "projection_class_embeddings_input_dim",
        "resnet_out_scale_factor",
        "resnet_skip_time_act",
        "upcast_attention",
    }
)


def _check_released(settings: Mapping[str, Any], released: Mapping[str, Any]) -> None:
    """Raise ValueError for a switch that is not where the released network has it."""
    for name, value in released.items():
        if settings.get(name, value) != value:
            raise ValueError(
                f"ConsistI2VUNet covers the released network, which has {name}={value!r}; the "
                f"configuration says {settings[name]!r}. Pass {name}={value!r} when loading if "
                "the weights are the released ones."
            )


class RotaryEmbedding(nn.Module):
    """Rotary positions over frames, on the first half of the channels only.

    The official code rotates before it splits the heads, and gives the embedding half the width:
    the first half of the heads knows the order of the frames, the second half does not.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        width = channels // 2
        exponents = torch.arange(0, width, 2, dtype=torch.float32) / width
        self.freqs = nn.Parameter(10000.0**-exponents, requires_grad=False)  # (channels / 4,)

    def forward(self, x: Tensor) -> Tensor:
        """(rows, frames, channels) -> the same, frame i turned by i."""
        precise = torch.promote_types(self.freqs.dtype, torch.float32)
        positions = torch.arange(x.shape[1], device=x.device, dtype=precise)
        angles = torch.outer(positions, self.freqs.to(precise))  # (frames, channels / 4)
        cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
        turning, still = x.chunk(2, dim=-1)
        a, b = turning.unflatten(-1, (-1, 2)).unbind(-1)
        turned = torch.stack([a * cos - b * sin, b * cos + a * sin], dim=-1).flatten(-2)
        return torch.cat([turned, still], dim=-1)


class FirstFrameAttnProcessor:
    """Spatial self-attention in which every frame also sees the first one.

    The first frame sees itself twice, as in the official code.
    """

    def __init__(self, frames: int) -> None:
        self.frames = frames

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
    ) -> Tensor:
        """hidden_states ((b f), tokens, c); the other two are not used."""
        key, value = (self._with_first(to(hidden_states)) for to in (attn.to_k, attn.to_v))
        return attend(attn, attn.to_q(hidden_states), key, value)

    def _with_first(self, x: Tensor) -> Tensor:
        x = x.unflatten(0, (-1, self.frames))
        return torch.cat([x, x[:, :1].expand_as(x)], dim=2).flatten(0, 1)


class TemporalAttnProcessor:
    """Attention of a pixel to itself over time and to its neighbours in the first frame.

    The keys are the pixel's frames at positions 0 .. f-1 and the eight pixels around it in frame 0,
    all at position 0, where a rotation is the identity (the paper's local window attention).
    """

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        grid: tuple[int, int] | None = None,
    ) -> Tensor:
        """hidden_states ((b h w), frames, c), grid (h, w)."""
        query = attn.rotary_emb(attn.to_q(hidden_states))
        key = self._with_neighbours(attn.rotary_emb(attn.to_k(hidden_states)), *grid)
        value = self._with_neighbours(attn.to_v(hidden_states), *grid)
        return attend(attn, query, key, value)

    @staticmethod
    def _with_neighbours(x: Tensor, height: int, width: int) -> Tensor:
        """((b h w), f, c) -> ((b h w), f + 8, c); at the border the edge pixel is repeated."""
        x = x.unflatten(0, (-1, height, width))  # (b, h, w, f, c)
        first = x[:, :, :, :1]
        first = torch.cat([first[:, :1], first, first[:, -1:]], dim=1)
        first = torch.cat([first[:, :, :1], first, first[:, :, -1:]], dim=2)
        around = [
            first[:, dy : dy + height, dx : dx + width]
            for dy in range(3)
            for dx in range(3)
            if (dy, dx) != (1, 1)
        ]
        return torch.cat([x, *around], dim=3).flatten(0, 2)


class TemporalResnetBlock(nn.Module):
    """Two convolutions over time, blended with their input by the learned ``alpha``."""

    def __init__(self, channels: int, frames: int) -> None:
        super().__init__()
        self.frames = frames
        self.norm1 = nn.GroupNorm(32, channels, eps=1e-6)
        self.conv1 = nn.Conv3d(channels, channels, (3, 1, 1), padding=(1, 0, 0))
        self.time_emb_proj = nn.Linear(512, channels)  # see DEAD_WEIGHTS
        self.norm2 = nn.GroupNorm(32, channels, eps=1e-6)
        self.conv2 = nn.Conv3d(channels, channels, (3, 1, 1), padding=(1, 0, 0))
        self.alpha = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        """((b f), c, h, w) -> the same shape."""
        h = self._over_time(self.conv1, F.silu(self.norm1(x)))
        h = self._over_time(self.conv2, F.silu(self.norm2(h)))
        # The published alpha x + (1 - alpha) (x + h). Released alphas may lie outside [0, 1].
        return torch.addcmul(x, h, 1 - self.alpha.clamp(0, 1))

    def _over_time(self, conv: nn.Conv3d, x: Tensor) -> Tensor:
        x = x.unflatten(0, (-1, self.frames)).transpose(1, 2)  # (b, c, f, h, w)
        return conv(x).transpose(1, 2).flatten(0, 1)


class TemporalTransformer(nn.Module):
    """A transformer over the frames of each pixel, blended with its input by ``alpha``."""

    def __init__(
        self, channels: int, heads: int, text_width: int, groups: int, frames: int
    ) -> None:
        super().__init__()
        self.frames = frames
        self.norm = nn.GroupNorm(groups, channels, eps=1e-6)
        self.proj_in = nn.Linear(channels, channels)
        block = BasicTransformerBlock(
            channels, heads, channels // heads, cross_attention_dim=text_width
        )
        block.attn1.set_processor(TemporalAttnProcessor())
        block.attn2.set_processor(TextAttnProcessor())
        for attn in (block.attn1, block.attn2):
            attn.rotary_emb = RotaryEmbedding(channels)
            attn.rotary_bias = nn.ModuleDict(  # see DEAD_WEIGHTS
                {"relative_attention_bias": nn.Embedding(32, heads)}
            )
        self.transformer_blocks = nn.ModuleList([block])
        self.proj_out = nn.Linear(channels, channels)
        self.alpha = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor, text: Tensor) -> Tensor:
        """x ((b f), c, h, w), text (b, words, width) -> the shape of x."""
        grid = x.shape[-2:]
        h = self.norm(x).unflatten(0, (-1, self.frames)).permute(0, 3, 4, 1, 2)  # (b, h, w, f, c)
        h = self.proj_in(h.flatten(0, 2))
        for block in self.transformer_blocks:
            h = block(h, encoder_hidden_states=text, cross_attention_kwargs={"grid": tuple(grid)})
        h = self.proj_out(h).unflatten(0, (-1, *grid)).permute(0, 3, 1, 2, 4)  # (b, f, h, w, c)
        h = h.flatten(0, 1).permute(0, 3, 1, 2)
        # As in TemporalResnetBlock: the transformer's own residual is x too.
        return torch.addcmul(x, h, 1 - self.alpha.clamp(0, 1))


@dataclass(frozen=True)
class _Recipe:
    """What all layers of one network have in common."""

    time_width: int
    text_width: int
    groups: int
    eps: float
    activation: str
    frames: int
    temporal_heads: int

    def resnet(self, channels_in: int, channels: int, scale: float = 1.0) -> ResnetBlock2D:
        return ResnetBlock2D(
            in_channels=channels_in,
            out_channels=channels,
            temb_channels=self.time_width,
            groups=self.groups,
            eps=self.eps,
            non_linearity=self.activation,
            output_scale_factor=scale,
        )

    def conv3d(self, channels: int) -> TemporalResnetBlock:
        return TemporalResnetBlock(channels, self.frames)

    def spatial(self, channels: int, heads: int) -> Transformer2DModel:
        transformer = Transformer2DModel(
            heads,
            channels // heads,
            in_channels=channels,
            norm_num_groups=self.groups,
            cross_attention_dim=self.text_width,
            use_linear_projection=True,
        )
        for block in transformer.transformer_blocks:
            block.attn1.set_processor(FirstFrameAttnProcessor(self.frames))
            block.attn2.set_processor(TextAttnProcessor())
        return transformer

    def temporal(self, channels: int) -> TemporalTransformer:
        return TemporalTransformer(
            channels, self.temporal_heads, self.text_width, self.groups, self.frames
        )


class _Layers(nn.Module):
    """The layers of one resolution; ``heads`` None leaves the transformers out."""

    def __init__(
        self, recipe: _Recipe, channels_in: list[int], channels: int, heads: int | None
    ) -> None:
        super().__init__()
        attending = channels_in if heads is not None else []
        self.resnets = nn.ModuleList(recipe.resnet(c, channels) for c in channels_in)
        self.conv3ds = nn.ModuleList(recipe.conv3d(channels) for _ in channels_in)
        self.attentions = nn.ModuleList(recipe.spatial(channels, heads) for _ in attending)
        self.tempo_attns = nn.ModuleList(recipe.temporal(channels) for _ in attending)

    def layer(self, i: int, x: Tensor, emb: Tensor, text: Tensor) -> Tensor:
        x = self.conv3ds[i](self.resnets[i](x, emb))
        if len(self.attentions) > 0:
            x = self.attentions[i](x, encoder_hidden_states=text, return_dict=False)[0]
            x = self.tempo_attns[i](x, text)
        return x


class DownBlock(_Layers):
    """Layers, then half the resolution unless it is the last block."""

    def __init__(
        self,
        recipe: _Recipe,
        channels_in: int,
        channels: int,
        layers: int,
        heads: int | None,
        downsample_padding: int | None,
    ) -> None:
        super().__init__(recipe, [channels_in] + [channels] * (layers - 1), channels, heads)
        self.downsamplers = nn.ModuleList()
        if downsample_padding is not None:
            down = Downsample2D(channels, use_conv=True, padding=downsample_padding, name="op")
            self.downsamplers.append(down)

    def forward(self, x: Tensor, emb: Tensor, text: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """-> the output and everything that the way up will need."""
        skips = []
        for i in range(len(self.resnets)):
            x = self.layer(i, x, emb, text)
            skips.append(x)
        for down in self.downsamplers:
            x = down(x)
            skips.append(x)
        return x, tuple(skips)


class MidBlock(nn.Module):
    """The lowest resolution: no transformer over time here."""

    def __init__(self, recipe: _Recipe, channels: int, heads: int, scale: float) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(recipe.resnet(channels, channels, scale) for _ in range(2))
        self.conv3ds = nn.ModuleList(recipe.conv3d(channels) for _ in range(2))
        self.attentions = nn.ModuleList([recipe.spatial(channels, heads)])

    def forward(self, x: Tensor, emb: Tensor, text: Tensor) -> Tensor:
        x = self.conv3ds[0](self.resnets[0](x, emb))
        x = self.attentions[0](x, encoder_hidden_states=text, return_dict=False)[0]
        return self.conv3ds[1](self.resnets[1](x, emb))


class UpBlock(_Layers):
    """Layers on the input and the skips, then twice the resolution unless it is the last block."""

    def __init__(
        self,
        recipe: _Recipe,
        channels_below: int,
        channels: int,
        skip_channels: list[int],
        heads: int | None,
        upsample: bool,
    ) -> None:
        before = [channels_below] + [channels] * (len(skip_channels) - 1)
        joined = [a + b for a, b in zip(before, skip_channels, strict=True)]
        super().__init__(recipe, joined, channels, heads)
        self.upsamplers = nn.ModuleList()
        if upsample:
            self.upsamplers.append(Upsample2D(channels, use_conv=True))

    def forward(
        self,
        x: Tensor,
        skips: tuple[Tensor, ...],
        emb: Tensor,
        text: Tensor,
        size: tuple[int, int] | None,
    ) -> Tensor:
        """``skips`` are used from the last to the first; ``size`` is that of the next block."""
        for i, skip in enumerate(reversed(skips)):
            x = self.layer(i, torch.cat([x, skip], dim=1), emb, text)
        for up in self.upsamplers:
            x = up(x, size)
        return x


def _per_picture(value: Tensor | float, rows: int, device: torch.device, whole: bool) -> Tensor:
    """One number for all pictures, or one for each, as (rows,)."""
    if not torch.is_tensor(value):
        # Filled on the device: a copy from the host would wait for it.
        dtype = torch.int64 if whole else torch.float32
        return torch.full((rows,), int(value) if whole else value, dtype=dtype, device=device)
    value = value.to(device).reshape(-1)
    if value.numel() not in (1, rows):
        raise ValueError(
            f"timestep and frame_stride are one number for the whole batch (or one for each of "
            f"the {rows} pictures in it), not {value.numel()} numbers."
        )
    return value.expand(rows)


class ConsistI2VUNet(ModelMixin, ConfigMixin):
    """The denoising network of ConsistI2V.

    Sources: Ren et al., "ConsistI2V: Enhancing Visual Consistency for Image-to-Video Generation",
    TMLR 2024 (arXiv 2402.04324); behaviour, parameter names and configuration keys of
    TIGER-AI-Lab/ConsistI2V at 152102b (MIT), class VideoLDMUNet3DConditionModel.
    ``DEAD_WEIGHTS`` names what the checkpoint holds and nothing uses.

    The network sees ``n_frames`` frames: the first one given, clean, the others noisy. Defaults
    are those of the released weights (1,249,975,241 parameters).

    Args:
        down_block_types, up_block_types: "CrossAttnDownBlock2D" or "DownBlock2D", and the
            same going up, from the outside in and back.
        attention_head_dim: number of heads (not their width: the key is misnamed upstream) of the
            picture transformers, for all levels or for each.
        n_temp_heads: heads of the transformers over time.
        n_frames: frames inside the network, the given one included; at least 2.

    Raises:
        ValueError: for a switch of the official code that the released network does not use.
    """

    # Angles are too coarse in half precision, and these few numbers cost nothing.
    _keep_in_fp32_modules = ["rotary_emb"]
    _no_split_modules = ["BasicTransformerBlock", "ResnetBlock2D", "TemporalResnetBlock"]
    _repeated_blocks = ["BasicTransformerBlock", "ResnetBlock2D", "TemporalResnetBlock"]

    @register_to_config
    def __init__(
        self,
        sample_size: int | None = 64,
        in_channels: int = 4,
        out_channels: int = 4,
        center_input_sample: bool = False,
        flip_sin_to_cos: bool = True,
        freq_shift: int = 0,
        down_block_types: tuple[str, ...] = (
            "CrossAttnDownBlock2D",
            "CrossAttnDownBlock2D",
            "CrossAttnDownBlock2D",
            "DownBlock2D",
        ),
        up_block_types: tuple[str, ...] = (
            "UpBlock2D",
            "CrossAttnUpBlock2D",
            "CrossAttnUpBlock2D",
            "CrossAttnUpBlock2D",
        ),
        block_out_channels: tuple[int, ...] = (320, 640, 1280, 1280),
        layers_per_block: int = 2,
        downsample_padding: int = 1,
        mid_block_scale_factor: float = 1,
        act_fn: str = "silu",
        norm_num_groups: int = 32,
        norm_eps: float = 1e-5,
        cross_attention_dim: int = 1024,
        attention_head_dim: int | tuple[int, ...] = (5, 10, 20, 20),
        dual_cross_attention: bool = False,
        use_linear_projection: bool = True,
        use_temporal: bool = True,
        n_frames: int = 16,
        n_temp_heads: int = 8,
        first_frame_condition_mode: str = "concat",
        augment_temporal_attention: bool = True,
        temp_pos_embedding: str = "rotary",
        use_frame_stride_condition: bool = True,
    ) -> None:
        super().__init__()
        _check_released(self.config, _RELEASED)
        levels = len(block_out_channels)
        heads = attention_head_dim
        heads = [heads] * levels if isinstance(heads, int) else list(heads)
        if not levels == len(down_block_types) == len(up_block_types) == len(heads):
            raise ValueError(
                "down_block_types, up_block_types, block_out_channels and attention_head_dim "
                "must have one entry per level."
            )
        first, last = block_out_channels[0], block_out_channels[-1]
        recipe = _Recipe(
            time_width=4 * first,
            text_width=cross_attention_dim,
            groups=norm_num_groups,
            eps=norm_eps,
            activation=act_fn,
            frames=n_frames,
            temporal_heads=n_temp_heads,
        )

        self.conv_in = nn.Conv2d(in_channels, first, 3, padding=1)
        self.time_proj = Timesteps(first, flip_sin_to_cos, freq_shift)
        self.time_embedding = TimestepEmbedding(first, recipe.time_width, act_fn=act_fn)
        self.frame_stride_embedding = TimestepEmbedding(first, recipe.time_width, act_fn=act_fn)

        def attends(kind: str, way: str) -> bool:
            if kind not in (f"CrossAttn{way}Block2D", f"{way}Block2D"):
                raise ValueError(f"{kind!r} is no block of the way {way.lower()} in ConsistI2V.")
            return kind.startswith("CrossAttn")

        self.down_blocks = nn.ModuleList()
        skip_channels = [first]
        for i, (kind, channels) in enumerate(zip(down_block_types, block_out_channels)):
            is_last = i == levels - 1
            self.down_blocks.append(
                DownBlock(
                    recipe,
                    skip_channels[-1],
                    channels,
                    layers_per_block,
                    heads[i] if attends(kind, "Down") else None,
                    None if is_last else downsample_padding,
                )
            )
            skip_channels += [channels] * (layers_per_block + (not is_last))

        self.mid_block = MidBlock(recipe, last, heads[-1], mid_block_scale_factor)

        self.up_blocks = nn.ModuleList()
        below = last
        for i, (kind, channels) in enumerate(zip(up_block_types, reversed(block_out_channels))):
            joined = [skip_channels.pop() for _ in range(layers_per_block + 1)]
            self.up_blocks.append(
                UpBlock(
                    recipe,
                    below,
                    channels,
                    joined,
                    heads[-1 - i] if attends(kind, "Up") else None,
                    upsample=i < levels - 1,
                )
            )
            below = channels

        self.conv_norm_out = nn.GroupNorm(norm_num_groups, first, eps=norm_eps)
        self.conv_act = get_activation(act_fn)
        self.conv_out = nn.Conv2d(first, out_channels, 3, padding=1)

    @classmethod
    def from_config(cls, config: Mapping[str, Any], return_unused_kwargs: bool = False, **kwargs):
        """Build from an official configuration (a dict), with random weights.

        Keys inherited from the Stable Diffusion UNet are checked and left out; ``kwargs`` replace
        values of the configuration. Raises ValueError for switches that are not supported.
        """
        _check_released({**config, **kwargs}, _INHERITED)
        inherited = _INHERITED.keys() | _INERT
        config = {k: v for k, v in config.items() if k not in inherited}
        kwargs = {k: v for k, v in kwargs.items() if k not in inherited}
        return super().from_config(config, return_unused_kwargs, **kwargs)

    def forward(
        self,
        sample: Tensor,
        timestep: Tensor | float,
        encoder_hidden_states: Tensor,
        first_frame_latents: Tensor,
        frame_stride: Tensor | float = 3,
        return_dict: bool = True,
    ) -> UNet3DConditionOutput | tuple[Tensor]:
        """Predict the noise of the generated frames.

        Args:
            sample: noisy latents (b, c, n_frames - 1, h, w); any h and w.
            timestep: one number for the whole batch (python or tensor).
            encoder_hidden_states: text (b, words, cross_attention_dim).
            first_frame_latents: the frame to animate (b, c, 1, h, w), clean.
            frame_stride: step between the frames in the training videos, usually 3; one number.
                Python fractions are cut off unless the timestep is a python float (official).
            return_dict: False gives a tuple.

        Returns:
            An object with ``sample``: the noise, of the shape of ``sample``.

        Raises:
            ValueError: when shapes do not fit each other or ``n_frames``.
        """
        frames = self.config.n_frames
        if sample.ndim != 5 or sample.shape[2] != frames - 1:
            raise ValueError(
                f"This network has n_frames={frames}: sample must be (batch, channels, "
                f"{frames - 1}, height, width), not {tuple(sample.shape)}. Load it with another "
                "n_frames for videos of another length."
            )
        if first_frame_latents.shape != sample[:, :, :1].shape:
            raise ValueError(
                f"first_frame_latents must be {tuple(sample[:, :, :1].shape)} to go with this "
                f"sample, not {tuple(first_frame_latents.shape)}."
            )
        if encoder_hidden_states.shape[0] != sample.shape[0]:
            raise ValueError(
                f"encoder_hidden_states has {encoder_hidden_states.shape[0]} texts for "
                f"{sample.shape[0]} videos; give one for each."
            )

        x = torch.cat([first_frame_latents, sample], dim=2).transpose(1, 2).flatten(0, 1)
        text = encoder_hidden_states
        whole = not isinstance(timestep, float)
        t = self.time_proj(_per_picture(timestep, len(x), x.device, whole))
        stride = self.time_proj(_per_picture(frame_stride, len(x), x.device, whole))
        emb = self.time_embedding(t.to(x.dtype)) + self.frame_stride_embedding(stride.to(x.dtype))

        x = self.conv_in(x)
        skips = (x,)
        for down in self.down_blocks:
            x, more = down(x, emb, text)
            skips += more
        x = self.mid_block(x, emb, text)
        for up in self.up_blocks:
            n = len(up.resnets)
            skips, here = skips[:-n], skips[-n:]
            # Odd sizes do not double back: the next skip says how large to become.
            x = up(x, here, emb, text, tuple(skips[-1].shape[-2:]) if skips else None)
        x = self.conv_out(self.conv_act(self.conv_norm_out(x)))
        x = x.unflatten(0, (-1, frames))[:, 1:].transpose(1, 2)  # (b, c, frames - 1, h, w)
        return UNet3DConditionOutput(sample=x) if return_dict else (x,)
