"""The pipelines of diffusers that run here, and what each does its own way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar
from unittest.mock import patch

import numpy as np
import torch

from awaken import hub
from awaken.backends import BACKENDS, VideoSettings
from awaken.backends.diffusers_pipeline import PipelineBackend
from awaken.backends.pipeline_loading import load_pipeline, loaded, posterior_generator
from awaken.backends.recording import Form, bound
from awaken.sampling import Scale
from awaken.types import RequestError

_WAN = {"pipeline": "WanImageToVideoPipeline", "text_first": True}


class WanTI2V(PipelineBackend):
    """Wan 2.2 TI2V-5B: its tokens of the first latent frame have timestep 0."""

    spec = BACKENDS["wan22_ti2v_5b"]
    form = Form(**_WAN, locked=True, float32=("vae",))


class WanI2V(PipelineBackend):
    """Wan 2.1 I2V-14B, which sees the picture through CLIP too."""

    spec = BACKENDS["wan21_i2v_14b"]
    form = Form(**_WAN, float32=("vae", "image_encoder"))


class WanExperts(PipelineBackend):
    """Wan 2.2 I2V-A14B: two networks, one for high noise and one for low."""

    spec = BACKENDS["wan22_i2v_a14b"]
    form = Form(**_WAN, float32=("vae",))


class SkyReels(PipelineBackend):
    """SkyReels-V2 I2V-1.3B, a child of Wan 2.1."""

    spec = BACKENDS["skyreels_v2"]
    form = Form("SkyReelsV2ImageToVideoPipeline", text_first=True, float32=("vae", "image_encoder"))


class Sana(PipelineBackend):
    """Sana-Video 2B, at the picture's own size instead of its bins'."""

    spec = BACKENDS["sana_video"]
    form = Form(
        "SanaImageToVideoPipeline", locked=True, frames="frames", float32=("vae",),
        arguments={"use_resolution_binning": False},
    )  # fmt: skip


class Hunyuan(PipelineBackend):
    """HunyuanVideo-1.5: it chooses one of its own sizes, and guides by an object."""

    spec = BACKENDS["hunyuan15"]
    form = Form("HunyuanVideo15ImageToVideoPipeline", text_first=True, sized=False)

    def levels(self, steps: int, shape: tuple[int, int, int]) -> dict[str, Any]:
        return {"sigmas": np.linspace(1.0, 0.0, steps + 1)[:-1]}

    def working_size(self, width: int, height: int, size: int) -> tuple[int, int]:
        """The one of its sizes whose aspect is nearest; ``size`` has no say."""
        own = self.pipe.video_processor.calculate_default_height_width
        return own(height, width, self.pipe.target_size)[::-1]

    def call(self, picture: np.ndarray, settings: VideoSettings) -> dict[str, Any]:
        self.pipe.guider = self.pipe.guider.new(guidance_scale=settings.guidance)
        arguments = super().call(picture, settings)
        del arguments[self.form.guidance]
        return arguments


class CogVideoX(PipelineBackend):
    """CogVideoX1.5-5B-I2V: an odd number of latent frames gets one more in front."""

    spec = BACKENDS["cogvideox15"]
    form = Form(
        "CogVideoXImageToVideoPipeline", sampled=True, repeats=True, axes=(0, 2, 1, 3, 4)
    )  # fmt: skip

    @property
    def padding(self) -> int:
        """Latent frames in front that are not shown; its lengths of 16 n + 1 frames are all odd."""
        return 1 if self.pipe.transformer.config.patch_size_t else 0

    def latent_frames(self, frames: int) -> int:
        return super().latent_frames(frames) + self.padding

    def call(self, picture: np.ndarray, settings: VideoSettings) -> dict[str, Any]:
        if self.padding and self.latent_frames(settings.frames) % 2:
            raise RequestError("{title} makes videos of 16 n + 1 frames.", title=self.spec.title)
        return super().call(picture, settings)

    def fractions(self, frames: int) -> Sequence[float]:
        count = self.latent_frames(frames) - self.padding
        return [0.0] * self.padding + [i / (count - 1) for i in range(count)]

    def decoded(self, z: torch.Tensor) -> torch.Tensor:
        z = z[:, :, self.padding :].transpose(1, 2)
        return self.pipe.decode_latents(z.to(self.pipe.vae.dtype)).float()


class LTX(PipelineBackend):
    """LTX-Video 0.9.0: tokens instead of a grid, and noise levels that depend on their number."""

    spec = BACKENDS["ltx_video"]
    form = Form("LTXImageToVideoPipeline", locked=True, sampled=True, repeats=True)
    decode_timestep, decode_noise = 0.05, 0.025  # the makers', for a VAE that knows of time
    shift: ClassVar[dict[str, float]] = {  # of the noise levels, where its config says nothing
        "base_image_seq_len": 256, "max_image_seq_len": 4096, "base_shift": 0.5, "max_shift": 1.15,
    }  # fmt: skip

    def tokens(self, shape: tuple[int, int, int]) -> int:
        frames, height, width = shape
        space = self.pipe.vae_spatial_compression_ratio
        return self.latent_frames(frames) * (height // space) * (width // space)

    def levels(self, steps: int, shape: tuple[int, int, int]) -> dict[str, Any]:
        from diffusers.pipelines.ltx.pipeline_ltx_image2video import calculate_shift

        config = self.pipe.scheduler.config
        line = (config.get(name, value) for name, value in self.shift.items())
        return {
            "sigmas": np.linspace(1.0, 1 / steps, steps),
            "mu": calculate_shift(self.tokens(shape), *line),
        }

    def patches(self) -> tuple[int, int]:
        return self.pipe.transformer_spatial_patch_size, self.pipe.transformer_temporal_patch_size

    def to_model(self, z: torch.Tensor) -> torch.Tensor:
        return self.pipe._pack_latents(z, *self.patches())

    def from_model(self, x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        return self.pipe._unpack_latents(x, *like.shape[2:], *self.patches())

    def encoded(self, pixels: torch.Tensor, seed: int) -> torch.Tensor:
        vae = self.pipe.vae
        posterior = vae.encode(pixels.to(vae.dtype)).latent_dist
        drawn = self.form.sampled
        z = posterior.sample(posterior_generator(seed)) if drawn else posterior.mode()
        return self.pipe._normalize_latents(z.float(), vae.latents_mean, vae.latents_std)

    def decoded(self, z: torch.Tensor) -> torch.Tensor:
        vae, time = self.pipe.vae, None
        z = self.pipe._denormalize_latents(
            z, vae.latents_mean, vae.latents_std, vae.config.scaling_factor
        ).to(vae.dtype)
        if vae.config.timestep_conditioning:
            noise = torch.randn(z.shape, generator=posterior_generator(0)).to(z)
            time = torch.tensor([self.decode_timestep], device=z.device, dtype=z.dtype)
            z = (1 - self.decode_noise) * z + self.decode_noise * noise
        return vae.decode(z, time, return_dict=False)[0].float()


class LTXCondition(LTX):
    """LTX-Video 0.9.5 and later: another schedule, and the picture is never noised again."""

    spec = BACKENDS["ltx_video_095"]
    form = Form(
        "LTXConditionPipeline", locked=True, sampled=True, repeats=True,
        arguments={"image_cond_noise_scale": 0.0},
    )  # fmt: skip

    def levels(self, steps: int, shape: tuple[int, int, int]) -> dict[str, Any]:
        from diffusers.pipelines.ltx.pipeline_ltx_condition import linear_quadratic_schedule

        return {"timesteps": linear_quadratic_schedule(steps) * 1000}


class LTX2(LTX):
    """LTX-2, its video alone: with modalities apart no sound reaches the video."""

    spec = BACKENDS["ltx2"]
    form = Form(
        "LTX2ImageToVideoPipeline", locked=True, repeats=True,
        arguments={
            "stg_scale": 0.0, "audio_stg_scale": 0.0, "modality_scale": 1.0,
            "audio_modality_scale": 1.0, "guidance_rescale": 0.0, "audio_guidance_rescale": 0.0,
            "image_crf": 0,
        },
    )  # fmt: skip
    shift: ClassVar[dict[str, float]] = {
        "base_image_seq_len": 1024, "max_image_seq_len": 4096, "base_shift": 0.95,
        "max_shift": 2.05,
    }  # fmt: skip

    def tokens(self, shape: tuple[int, int, int]) -> int:
        space, time = self.patches()
        return super().tokens(shape) // (space * space * time)

    def call(self, picture: np.ndarray, settings: VideoSettings) -> dict[str, Any]:
        return super().call(picture, settings) | {"audio_guidance_scale": settings.guidance}

    def answer(self, call: dict[str, Any], channels: int) -> tuple[torch.Tensor, ...]:
        return (*super().answer(call, channels), torch.zeros_like(call["audio_hidden_states"]))

    def repeated(self, call: dict[str, Any], x: torch.Tensor, t: float) -> dict[str, Any]:
        now = torch.full_like(call["audio_timestep"], t)
        apart = {"audio_timestep": now, "sigma": now, "isolate_modalities": True}
        return super().repeated(call, x, t) | apart


class FrameVAE(PipelineBackend):
    """A UNet over an image VAE: one latent frame per frame."""

    def encoded(self, pixels: torch.Tensor, seed: int) -> torch.Tensor:
        return super().encoded(pixels[:, :, 0], seed)[:, :, None]

    def decoded(self, z: torch.Tensor) -> torch.Tensor:
        return self.pipe.decode_latents(z.to(self.pipe.vae.dtype))


class I2VGenXL(FrameVAE):
    """I2VGen-XL, of VideoComposer's makers; transformers 5 has lost a name that it asks for."""

    spec = BACKENDS["i2vgen_xl"]
    form = Form("I2VGenXLPipeline", denoiser="unet", sampled=True, repeats=True)

    def load(self) -> Any:
        pipe = super().load()
        text = pipe.text_encoder
        if not hasattr(text, "text_model"):  # past Module's own registration, which would be a loop
            text.__dict__["text_model"] = text
        return pipe

    def decoded(self, z: torch.Tensor) -> torch.Tensor:
        return self.pipe.decode_latents(z.to(self.pipe.vae.dtype), decode_chunk_size=1)


class SVD(FrameVAE):
    """Stable Video Diffusion: no words, and a guidance that grows from frame to frame."""

    spec = BACKENDS["svd_xt"]
    form = Form(
        "StableVideoDiffusionPipeline", denoiser="unet", repeats=True, words=False,
        axes=(0, 2, 1, 3, 4), guidance="max_guidance_scale", motion="motion_bucket_id",
    )  # fmt: skip
    lowest_guidance, decode_frames = 1.0, 14

    def guidance_scales(self, settings: VideoSettings) -> tuple[Scale, ...]:
        ramp = torch.linspace(self.lowest_guidance, settings.guidance, settings.frames)
        return (ramp.view(1, 1, -1, 1, 1).to(self.device),)

    def decoded(self, z: torch.Tensor) -> torch.Tensor:
        frames = z.transpose(1, 2).to(self.pipe.vae.dtype)
        return self.pipe.decode_latents(frames, z.shape[2], self.decode_frames)


class AnimateDiff(FrameVAE):
    """A motion adapter, and what comes with it, on Stable Diffusion 1.5; or all in one folder."""

    def parts(self, motion: Any) -> dict[str, Any]:
        """The components besides Stable Diffusion's own; ``motion`` is the class of adapters."""
        return {"motion_adapter": loaded(motion, self.folder, self.dtype)}

    def load(self) -> Any:
        from diffusers import DDIMScheduler, MotionAdapter

        if (self.folder / "model_index.json").is_file():
            return super().load()
        base = hub.require(self.spec.bases[-1])
        pipe = load_pipeline(self.form.pipeline, base, self.dtype, **self.parts(MotionAdapter))
        # the adapters were trained with these noise levels
        pipe.scheduler = DDIMScheduler.from_config(
            pipe.scheduler.config, beta_schedule="linear", clip_sample=False, steps_offset=1,
            timestep_spacing="linspace",
        )  # fmt: skip
        return pipe


class SparseCtrl(AnimateDiff):
    """AnimateDiff with SparseCtrl: a ControlNet sees the picture, and runs before the UNet."""

    spec = BACKENDS["sparsectrl"]
    form = Form(
        "AnimateDiffSparseControlNetPipeline", denoiser="unet", sampled=True, repeats=True,
        image="conditioning_frames",
    )  # fmt: skip

    def parts(self, motion: Any) -> dict[str, Any]:
        from diffusers import SparseControlNetModel

        adapter = hub.require(self.spec.bases[0])
        return {
            "motion_adapter": loaded(motion, adapter, self.dtype),
            "controlnet": loaded(SparseControlNetModel, self.folder, self.dtype),
        }

    def record(self, arguments: dict[str, Any], channels: int, seed: int) -> list[dict[str, Any]]:
        control, seen = self.pipe.controlnet, []
        true = control.forward

        def watch(*args: Any, **kwargs: Any) -> Any:
            seen.append(bound(control, args, kwargs))
            return true(*args, **kwargs)

        with patch.object(control, "forward", watch):
            (call,) = super().record(arguments, channels, seed)
        return [call | {"control": seen[0]}]

    def repeated(self, call: dict[str, Any], x: torch.Tensor, t: float) -> dict[str, Any]:
        control = super().repeated(call["control"], x, t)
        down, middle = self.pipe.controlnet(**control)
        call = {name: value for name, value in call.items() if name != "control"}
        return super().repeated(call, x, t) | {
            "down_block_additional_residuals": down, "mid_block_additional_residual": middle,
        }  # fmt: skip


class PIA(AnimateDiff):
    """PIA: a motion adapter that takes the picture, and how far each frame may leave it."""

    spec = BACKENDS["pia"]
    form = Form(
        "PIAPipeline", denoiser="unet", sampled=True, repeats=True, motion="motion_scale"
    )  # fmt: skip

    def call(self, picture: np.ndarray, settings: VideoSettings) -> dict[str, Any]:
        """With latents, which are replaced, so that the picture is the first that is drawn."""
        height, width = (side // self.pipe.vae_scale_factor for side in picture.shape[:2])
        channels = self.pipe.vae.config.latent_channels
        latents = torch.zeros(1, channels, settings.frames, height, width, device=self.device)
        return super().call(picture, settings) | {"latents": latents}
