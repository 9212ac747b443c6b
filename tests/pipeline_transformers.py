"""Tiny random image-to-video pipelines over transformers."""

from __future__ import annotations

import diffusers as df
import transformers as tf

from tests.pipeline_parts import (
    HIDDEN,
    clip_images,
    clip_vision,
    gemma_tokenizer,
    qwen_text,
    qwen_tokenizer,
    seeded,
    t5_byte_encoder,
    t5_encoder,
    t5_tokenizer,
)


def wan_vae(high=False):
    common = dict(
        base_dim=3, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True]
    )
    if not high:
        return seeded(lambda: df.AutoencoderKLWan(z_dim=16, **common))
    return seeded(
        lambda: df.AutoencoderKLWan(
            z_dim=48,
            in_channels=12,
            out_channels=12,
            is_residual=True,
            patch_size=2,
            latents_mean=[0.1] * 48,
            latents_std=[0.7] * 48,
            scale_factor_spatial=16,
            scale_factor_temporal=4,
            **common,
        )
    )


def wan_transformer(cin, cout, seed=0, cls=None, **more):
    cls = cls or df.WanTransformer3DModel
    return seeded(
        lambda: cls(
            patch_size=(1, 2, 2),
            num_attention_heads=2,
            attention_head_dim=12,
            in_channels=cin,
            out_channels=cout,
            text_dim=HIDDEN,
            freq_dim=256,
            ffn_dim=32,
            num_layers=2,
            cross_attn_norm=True,
            qk_norm="rms_norm_across_heads",
            rope_max_seq_len=64,
            **more,
        ),
        seed,
    )


def unipc(shift):
    return df.UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift
    )


def wan_ti2v():
    return df.WanImageToVideoPipeline(
        tokenizer=t5_tokenizer(),
        text_encoder=t5_encoder("umt5"),
        vae=wan_vae(high=True),
        scheduler=unipc(5.0),
        transformer=wan_transformer(48, 48),
        expand_timesteps=True,
    )


def wan22_a14b():
    return df.WanImageToVideoPipeline(
        tokenizer=t5_tokenizer(),
        text_encoder=t5_encoder("umt5"),
        vae=wan_vae(),
        scheduler=unipc(3.0),
        transformer=wan_transformer(36, 16),
        transformer_2=wan_transformer(36, 16, seed=1),
        boundary_ratio=0.9,
    )


def wan21_i2v():
    return df.WanImageToVideoPipeline(
        tokenizer=t5_tokenizer(),
        text_encoder=t5_encoder("umt5"),
        vae=wan_vae(),
        scheduler=unipc(3.0),
        transformer=wan_transformer(36, 16, image_dim=HIDDEN, added_kv_proj_dim=24),
        image_encoder=clip_vision(),
        image_processor=clip_images(),
    )


def skyreels_v2():
    return df.SkyReelsV2ImageToVideoPipeline(
        tokenizer=t5_tokenizer(),
        text_encoder=t5_encoder("umt5"),
        vae=wan_vae(),
        scheduler=unipc(5.0),
        transformer=wan_transformer(
            36, 16, cls=df.SkyReelsV2Transformer3DModel, image_dim=HIDDEN, added_kv_proj_dim=24
        ),
        image_encoder=clip_vision(),
        image_processor=clip_images(),
    )


def ltx_vae(timestep_conditioning=False):
    vae = seeded(
        lambda: df.AutoencoderKLLTXVideo(
            latent_channels=8,
            block_out_channels=(8, 8, 8, 8),
            decoder_block_out_channels=(8, 8, 8, 8),
            layers_per_block=(1, 1, 1, 1, 1),
            decoder_layers_per_block=(1, 1, 1, 1, 1),
            spatio_temporal_scaling=(True, True, False, False),
            decoder_spatio_temporal_scaling=(True, True, False, False),
            decoder_inject_noise=(False,) * 5,
            upsample_residual=(False,) * 4,
            upsample_factor=(1,) * 4,
            timestep_conditioning=timestep_conditioning,
            patch_size=1,
            patch_size_t=1,
            encoder_causal=True,
            decoder_causal=False,
        )
    )
    vae.use_framewise_encoding = vae.use_framewise_decoding = False
    return vae


LTX_SCHEDULER = dict(  # Lightricks/LTX-Video
    shift=1.0,
    use_dynamic_shifting=True,
    base_shift=0.95,
    max_shift=2.05,
    base_image_seq_len=1024,
    max_image_seq_len=4096,
    shift_terminal=0.1,
)


def ltx(cls=None, timestep_conditioning=False, **scheduler):
    cls = cls or df.LTXImageToVideoPipeline
    return cls(
        scheduler=df.FlowMatchEulerDiscreteScheduler(**(scheduler or LTX_SCHEDULER)),
        vae=ltx_vae(timestep_conditioning),
        text_encoder=t5_encoder(),
        tokenizer=t5_tokenizer(128),
        transformer=seeded(
            lambda: df.LTXVideoTransformer3DModel(
                in_channels=8,
                out_channels=8,
                num_attention_heads=4,
                attention_head_dim=8,
                cross_attention_dim=32,
                num_layers=1,
                caption_channels=HIDDEN,
            )
        ),
    )


def cogvideox(patch_t=None):
    more = dict(patch_size_t=patch_t, ofs_embed_dim=2, patch_bias=False) if patch_t else {}
    return df.CogVideoXImageToVideoPipeline(
        tokenizer=t5_tokenizer(226),
        text_encoder=t5_encoder(),
        vae=seeded(
            lambda: df.AutoencoderKLCogVideoX(
                down_block_types=("CogVideoXDownBlock3D",) * 4,
                up_block_types=("CogVideoXUpBlock3D",) * 4,
                block_out_channels=(8, 8, 8, 8),
                latent_channels=4,
                layers_per_block=1,
                norm_num_groups=2,
                temporal_compression_ratio=4,
            )
        ),
        transformer=seeded(
            lambda: df.CogVideoXTransformer3DModel(
                num_attention_heads=2,
                attention_head_dim=16,
                in_channels=8,
                out_channels=4,
                time_embed_dim=2,
                text_embed_dim=HIDDEN,
                num_layers=1,
                sample_width=8,
                sample_height=8,
                sample_frames=9,
                patch_size=2,
                temporal_compression_ratio=4,
                max_text_seq_length=16,
                use_rotary_positional_embeddings=True,
                use_learned_positional_embeddings=not patch_t,
                **more,
            )
        ),
        scheduler=df.CogVideoXDDIMScheduler(
            beta_schedule="scaled_linear",
            prediction_type="v_prediction",
            rescale_betas_zero_snr=True,
            timestep_spacing="trailing",
            snr_shift_scale=1.0,
            clip_sample=False,
            set_alpha_to_one=True,
        ),
    )


def hunyuan15():
    from diffusers.guiders import ClassifierFreeGuidance
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    tok = qwen_tokenizer()
    vision = tf.SiglipVisionConfig(
        hidden_size=12,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=432,
        patch_size=16,
    )  # 27 x 27 = 729 tokens, as the pipeline expects
    return df.HunyuanVideo15ImageToVideoPipeline(
        text_encoder=qwen_text(tok),
        tokenizer=tok,
        text_encoder_2=t5_byte_encoder(),
        tokenizer_2=tf.ByT5Tokenizer(),
        transformer=seeded(
            lambda: df.HunyuanVideo15Transformer3DModel(
                in_channels=9,
                out_channels=4,
                num_attention_heads=2,
                attention_head_dim=8,
                num_layers=1,
                num_refiner_layers=1,
                mlp_ratio=2.0,
                patch_size=1,
                patch_size_t=1,
                text_embed_dim=16,
                text_embed_2_dim=32,
                image_embed_dim=12,
                rope_axes_dim=(2, 2, 4),
                target_size=32,
                task_type="i2v",
            )
        ),
        vae=seeded(
            lambda: df.AutoencoderKLHunyuanVideo15(
                latent_channels=4,
                block_out_channels=(16, 16),
                layers_per_block=1,
                spatial_compression_ratio=4,
                temporal_compression_ratio=2,
                downsample_match_channel=False,
                upsample_match_channel=False,
            )
        ),
        scheduler=df.FlowMatchEulerDiscreteScheduler(shift=5.0),
        guider=ClassifierFreeGuidance(guidance_scale=6.0),
        image_encoder=seeded(lambda: tf.SiglipVisionModel(vision)),
        feature_extractor=SiglipImageProcessorPil(size={"height": 432, "width": 432}),
    )


def sana():
    tok = gemma_tokenizer()
    config = tf.Gemma2Config(
        head_dim=16,
        hidden_size=8,
        intermediate_size=16,
        num_attention_heads=2,
        num_hidden_layers=1,
        num_key_value_heads=2,
        vocab_size=len(tok),
        max_position_embeddings=8192,
    )
    return df.SanaImageToVideoPipeline(
        tokenizer=tok,
        text_encoder=seeded(lambda: tf.Gemma2Model(config)),
        vae=wan_vae(),
        transformer=seeded(
            lambda: df.SanaVideoTransformer3DModel(
                in_channels=16,
                out_channels=16,
                num_attention_heads=2,
                attention_head_dim=12,
                num_layers=2,
                num_cross_attention_heads=2,
                cross_attention_head_dim=12,
                cross_attention_dim=24,
                caption_channels=8,
                mlp_ratio=2.5,
                sample_size=8,
                patch_size=(1, 2, 2),
                norm_elementwise_affine=False,
                norm_eps=1e-6,
                qk_norm="rms_norm_across_heads",
                rope_max_seq_len=64,
            )
        ),
        scheduler=df.FlowMatchEulerDiscreteScheduler(shift=8.0),
    )


def cogvideox15():
    return cogvideox(patch_t=2)
