"""Tiny random image-to-video pipelines over UNets."""

from __future__ import annotations

import diffusers as df

from tests.pipeline_parts import HIDDEN, clip_images, clip_text, clip_tokenizer, clip_vision, seeded


def sd_vae():
    return seeded(
        lambda: df.AutoencoderKL(
            block_out_channels=[8, 8, 8, 8],
            down_block_types=["DownEncoderBlock2D"] * 4,
            up_block_types=["UpDecoderBlock2D"] * 4,
            latent_channels=4,
            layers_per_block=1,
            norm_num_groups=4,
        )
    )


def i2vgen_xl():
    return df.I2VGenXLPipeline(
        vae=sd_vae(),
        text_encoder=clip_text(),
        tokenizer=clip_tokenizer(),
        image_encoder=clip_vision(True),
        feature_extractor=clip_images(),
        unet=seeded(
            lambda: df.models.unets.unet_i2vgen_xl.I2VGenXLUNet(
                block_out_channels=(4, 8),
                layers_per_block=1,
                sample_size=32,
                in_channels=4,
                out_channels=4,
                down_block_types=("CrossAttnDownBlock3D", "DownBlock3D"),
                up_block_types=("UpBlock3D", "CrossAttnUpBlock3D"),
                cross_attention_dim=HIDDEN,
                attention_head_dim=4,
                norm_num_groups=2,
            )
        ),
        scheduler=df.DDIMScheduler(
            beta_schedule="squaredcos_cap_v2",
            rescale_betas_zero_snr=True,
            prediction_type="v_prediction",
            clip_sample=False,
            set_alpha_to_one=True,
            steps_offset=1,
            timestep_spacing="leading",
        ),
    )


def svd():
    return df.StableVideoDiffusionPipeline(
        vae=seeded(
            lambda: df.AutoencoderKLTemporalDecoder(
                block_out_channels=[32, 32, 32, 32],
                down_block_types=["DownEncoderBlock2D"] * 4,
                latent_channels=4,
                layers_per_block=1,
            )
        ),
        image_encoder=clip_vision(True, size=224),
        feature_extractor=clip_images(224),
        unet=seeded(
            lambda: df.UNetSpatioTemporalConditionModel(
                block_out_channels=(32, 64),
                layers_per_block=2,
                sample_size=32,
                in_channels=8,
                out_channels=4,
                down_block_types=("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
                up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
                cross_attention_dim=HIDDEN,
                num_attention_heads=8,
                projection_class_embeddings_input_dim=96,
                addition_time_embed_dim=32,
            )
        ),
        scheduler=df.EulerDiscreteScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            interpolation_type="linear",
            num_train_timesteps=1000,
            prediction_type="v_prediction",
            sigma_max=700.0,
            sigma_min=0.002,
            steps_offset=1,
            timestep_spacing="leading",
            timestep_type="continuous",
            use_karras_sigmas=True,
        ),
    )


def unet2d():
    return seeded(
        lambda: df.UNet2DConditionModel(
            block_out_channels=(8, 8),
            layers_per_block=1,
            sample_size=8,
            in_channels=4,
            out_channels=4,
            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=HIDDEN,
            norm_num_groups=2,
        )
    )


def adapter(conv_in=None):
    return seeded(
        lambda: df.MotionAdapter(
            block_out_channels=(8, 8),
            motion_layers_per_block=1,
            motion_norm_num_groups=2,
            motion_num_attention_heads=4,
            conv_in_channels=conv_in,
        )
    )


def sparsectrl():
    return df.AnimateDiffSparseControlNetPipeline(
        vae=sd_vae(),
        text_encoder=clip_text(),
        tokenizer=clip_tokenizer(),
        unet=unet2d(),
        motion_adapter=adapter(),
        controlnet=seeded(
            lambda: df.SparseControlNetModel(
                block_out_channels=(8, 8),
                layers_per_block=1,
                in_channels=4,
                conditioning_channels=4,
                down_block_types=("CrossAttnDownBlockMotion", "DownBlockMotion"),
                cross_attention_dim=HIDDEN,
                conditioning_embedding_out_channels=(8, 8),
                norm_num_groups=1,
                use_simplified_condition_embedding=True,
            )
        ),
        scheduler=df.DDIMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="linear",
            clip_sample=False,
            steps_offset=1,
            timestep_spacing="linspace",
        ),
    )


def pia():
    return df.PIAPipeline(
        vae=sd_vae(),
        text_encoder=clip_text(),
        tokenizer=clip_tokenizer(),
        unet=unet2d(),
        motion_adapter=adapter(9),
        scheduler=df.DDIMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="linear",
            clip_sample=False,
            steps_offset=1,
        ),
    )
