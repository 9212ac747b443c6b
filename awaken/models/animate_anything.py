"""AnimateAnything's network: a text-to-video UNet plus clean frame, mask and motion strength."""

from __future__ import annotations

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.attention import AttentionMixin
from diffusers.models.embeddings import TimestepEmbedding, Timesteps
from diffusers.models.modeling_utils import ModelMixin
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from diffusers.models.transformers.transformer_temporal import TransformerTemporalModel
from diffusers.models.unets.unet_3d_blocks import (
    UNetMidBlock3DCrossAttn,
    get_down_block,
    get_up_block,
)
from diffusers.models.unets.unet_3d_condition import UNet3DConditionOutput
from torch import nn

from awaken.models.text_attention import TextAttnProcessor

_TEMPORAL_GROUPS = 32  # fixed upstream for the temporal convolutions and transformer_in
_TRANSFORMER_IN_HEADS = 8


class AnimateAnythingUNet(ModelMixin, AttentionMixin, ConfigMixin):
    """Predict the noise of a latent video that starts from a given picture.

    Method: AnimateAnything (Dai et al., 2023, arXiv:2311.12886); behaviour and checkpoint keys
    follow github.com/alibaba/animate-anything at dca2412, `models/unet_3d_condition_mask.py`.
    Upstream's blocks are those of diffusers' text-to-video UNet, so diffusers' own serve here.

    Three things are added to ModelScope's text-to-video network: the picture's latent is put in
    front as a clean frame that goes through all layers and is dropped at the end; a mask of the
    region that may move joins the input channels (first, on every frame); a motion strength joins
    the timestep before the time embedding.

    Inside, frames are folded into the batch as (b f); only the temporal layers unfold them.

    Args:
        sample_size: side of the latents in training; kept for the checkpoint's sake only.
        in_channels, out_channels: channels of the latents.
        down_block_types, up_block_types, block_out_channels, layers_per_block: the levels, in
            the order in which the data meets them; widths finest first.
        downsample_padding, mid_block_scale_factor, act_fn, norm_eps: as in diffusers'
            `UNet3DConditionModel`.
        norm_num_groups: must be 32, which the temporal layers have upstream whatever this says.
        cross_attention_dim: width of the text embeddings.
        attention_head_dim: the true width of one head (the head count is channels / width).
        motion_mask: use `mask`; otherwise, or without a mask, `conv_in` takes the input.
        motion_strength: use `motion`.

    Raises:
        ValueError: the level lists differ in length, or `norm_num_groups` is not 32.
    """

    # Prefixes of checkpoint entries that nothing reads; they exist so that it loads strictly.
    DEAD_WEIGHTS = ("motion_embedding.",)
    # The same, as long as a mask is given (always, in the published method).
    DEAD_WEIGHTS_WITH_MASK = ("conv_in.",)

    _repeated_blocks = ["BasicTransformerBlock", "ResnetBlock2D", "TemporalConvLayer"]

    @register_to_config
    def __init__(
        self,
        sample_size: int | None = None,
        in_channels: int = 4,
        out_channels: int = 4,
        down_block_types: tuple[str, ...] = (
            "CrossAttnDownBlock3D",
            "CrossAttnDownBlock3D",
            "CrossAttnDownBlock3D",
            "DownBlock3D",
        ),
        up_block_types: tuple[str, ...] = (
            "UpBlock3D",
            "CrossAttnUpBlock3D",
            "CrossAttnUpBlock3D",
            "CrossAttnUpBlock3D",
        ),
        block_out_channels: tuple[int, ...] = (320, 640, 1280, 1280),
        layers_per_block: int = 2,
        downsample_padding: int = 1,
        mid_block_scale_factor: float = 1,
        act_fn: str = "silu",
        norm_num_groups: int = 32,
        norm_eps: float = 1e-5,
        cross_attention_dim: int = 1024,
        attention_head_dim: int = 64,
        motion_mask: bool = False,
        motion_strength: bool = False,
    ) -> None:
        super().__init__()
        if not len(down_block_types) == len(up_block_types) == len(block_out_channels):
            raise ValueError(
                "down_block_types, up_block_types and block_out_channels must have one length; got "
                f"{len(down_block_types)}, {len(up_block_types)} and {len(block_out_channels)}."
            )
        if norm_num_groups != _TEMPORAL_GROUPS:
            raise ValueError(f"norm_num_groups must be {_TEMPORAL_GROUPS}, got {norm_num_groups}.")

        finest, coarsest = block_out_channels[0], block_out_channels[-1]
        time_dim = 4 * finest
        self.conv_in = nn.Conv2d(in_channels, finest, kernel_size=3, padding=1)
        self.conv_in2 = nn.Conv2d(in_channels + 1, finest, kernel_size=3, padding=1)
        self.time_proj = Timesteps(finest, flip_sin_to_cos=True, downscale_freq_shift=0)
        self.time_embedding = TimestepEmbedding(
            finest, time_dim, act_fn=act_fn, cond_proj_dim=finest
        )
        self.motion_embedding = nn.Sequential(
            nn.Linear(finest, time_dim), nn.SiLU(), nn.Linear(time_dim, time_dim)
        )
        self.transformer_in = TransformerTemporalModel(
            num_attention_heads=_TRANSFORMER_IN_HEADS,
            attention_head_dim=attention_head_dim,
            in_channels=finest,
            num_layers=1,
            norm_num_groups=norm_num_groups,
        )

        # A misnomer of diffusers: under `num_attention_heads` these blocks take a head's width.
        shared = {
            "temb_channels": time_dim,
            "resnet_eps": norm_eps,
            "resnet_act_fn": act_fn,
            "resnet_groups": norm_num_groups,
            "cross_attention_dim": cross_attention_dim,
            "num_attention_heads": attention_head_dim,
        }
        last = len(block_out_channels) - 1
        self.down_blocks = nn.ModuleList(
            get_down_block(
                kind,
                num_layers=layers_per_block,
                in_channels=block_out_channels[max(level - 1, 0)],
                out_channels=block_out_channels[level],
                add_downsample=level != last,
                downsample_padding=downsample_padding,
                **shared,
            )
            for level, kind in enumerate(down_block_types)
        )
        self.mid_block = UNetMidBlock3DCrossAttn(
            in_channels=coarsest, output_scale_factor=mid_block_scale_factor, **shared
        )
        widths = block_out_channels[::-1]
        self.up_blocks = nn.ModuleList(
            get_up_block(
                kind,
                num_layers=layers_per_block + 1,
                in_channels=widths[min(level + 1, last)],
                out_channels=widths[level],
                prev_output_channel=widths[max(level - 1, 0)],
                add_upsample=level != last,
                **shared,
            )
            for level, kind in enumerate(up_block_types)
        )
        for part in self.modules():  # all frames of a video ask the same text
            if isinstance(part, Transformer2DModel):
                for block in part.transformer_blocks:
                    block.attn2.set_processor(TextAttnProcessor())
        self.conv_norm_out = nn.GroupNorm(norm_num_groups, finest, eps=norm_eps)
        self.conv_act = nn.SiLU()
        self.conv_out = nn.Conv2d(finest, out_channels, kernel_size=3, padding=1)
        self.eval()  # frozen: the dropout of the temporal convolutions was for the training

    def forward(
        self,
        sample: torch.Tensor,
        timestep: torch.Tensor | float,
        encoder_hidden_states: torch.Tensor,
        condition_latent: torch.Tensor,
        mask: torch.Tensor | None = None,
        motion: torch.Tensor | float | None = None,
        return_dict: bool = True,
    ) -> UNet3DConditionOutput | tuple[torch.Tensor]:
        """Predict the noise in `sample`.

        Args:
            sample: noisy latents, (b, 4, f, h, w), any h and w, f at least 1.
            timestep: 0 to 999; one for all (number, 0-dim or (1,) tensor) or one each (b,).
            encoder_hidden_states: text embeddings, (b or 1, tokens, cross_attention_dim).
            condition_latent: the picture's latent, (b or 1, 4, 1, h, w).
            mask: 1 where the picture may move, 0 where not, or between; (n, 1, 1, h, w), where n
                divides b and the n masks are laid over the batch again and again. None takes the
                network's maskless input.
            motion: strength of the motion, about 1 to 20, fractions allowed; one for all (number,
                0-dim or (1,) tensor) or one each (b,). None leaves it out of the time embedding.
            return_dict: False returns a tuple.

        Returns:
            An object whose `.sample` is the predicted noise, (b, 4, f, h, w).

        Raises:
            ValueError: an input's batch does not fit that of `sample`.
        """
        batch, _, _, height, width = sample.shape
        dtype, device = sample.dtype, sample.device
        for name, given in (
            ("encoder_hidden_states", encoder_hidden_states),
            ("condition_latent", condition_latent),
        ):
            if given.shape[0] not in (1, batch):
                raise ValueError(f"{name} is for {given.shape[0]} videos, sample for {batch}.")

        picture = condition_latent.to(dtype).expand(batch, -1, -1, -1, -1)
        x = torch.cat([picture, sample], dim=2).transpose(1, 2)  # (b, 1 + f, 4, h, w)
        frames = x.shape[1]

        t = _as_vector(timestep, batch, device, "timestep").expand(batch)
        strength = None
        if self.config.motion_strength and motion is not None:
            strength = _as_vector(motion, batch, device, "motion")  # (1,) spreads over the batch
            strength = self.time_proj(strength).to(dtype)
        emb = self.time_embedding(self.time_proj(t).to(dtype), strength)  # (b, 4 * finest)
        emb = emb[:, None].expand(-1, frames, -1).flatten(0, 1)  # ((b f), 4 * finest)
        text = encoder_hidden_states.expand(batch, -1, -1)

        if self.config.motion_mask and mask is not None:
            if mask.shape[1:] != (1, 1, height, width) or batch % mask.shape[0]:
                raise ValueError(
                    f"mask must be (n, 1, 1, {height}, {width}), n a divisor of the batch "
                    f"of {batch}; got {tuple(mask.shape)}."
                )
            mask = mask.to(dtype).repeat(batch // mask.shape[0], 1, 1, 1, 1)
            x = torch.cat([mask.expand(-1, frames, -1, -1, -1), x], dim=2)  # the mask is channel 0
            x = self.conv_in2(x.flatten(0, 1))
        else:
            x = self.conv_in(x.flatten(0, 1))
        x = self.transformer_in(x, num_frames=frames, return_dict=False)[0]

        skips = [x]
        for block in self.down_blocks:
            x, new = block(x, temb=emb, num_frames=frames, **_text_for(block, text))
            skips.extend(new)
        x = self.mid_block(x, emb, encoder_hidden_states=text, num_frames=frames)
        for block in self.up_blocks:
            layers = len(block.resnets)
            skips, used = skips[:-layers], tuple(skips[-layers:])
            x = block(
                x,
                res_hidden_states_tuple=used,
                temb=emb,
                # Odd sides were rounded up on the way down: take the size of the next skip.
                upsample_size=skips[-1].shape[2:] if skips else None,
                num_frames=frames,
                **_text_for(block, text),
            )

        x = self.conv_out(self.conv_act(self.conv_norm_out(x)))
        x = x.unflatten(0, (batch, frames)).transpose(1, 2)[:, :, 1:]  # the clean frame has served
        return UNet3DConditionOutput(sample=x) if return_dict else (x,)


def _text_for(block: nn.Module, text: torch.Tensor) -> dict[str, torch.Tensor]:
    """The text, as a keyword, for a block that attends to it."""
    return {"encoder_hidden_states": text} if hasattr(block, "attentions") else {}


def _as_vector(
    value: torch.Tensor | float, batch: int, device: torch.device, name: str
) -> torch.Tensor:
    """One number for all videos, (1,), or one for each, (batch,)."""
    if not torch.is_tensor(value):
        return torch.full((1,), float(value), device=device)  # no copy from the host
    value = value.to(device).reshape(-1)
    if value.shape[0] not in (1, batch):
        raise ValueError(f"{name} holds {value.shape[0]} numbers, sample {batch} videos.")
    return value
