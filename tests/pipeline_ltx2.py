"""A tiny random LTX-2, video and sound."""

from __future__ import annotations

import diffusers as df
import transformers as tf

from tests.pipeline_parts import gemma_tokenizer, seeded


def ltx2():
    from diffusers.pipelines.ltx2 import LTX2TextConnectors
    from diffusers.pipelines.ltx2.vocoder import LTX2Vocoder

    tok = gemma_tokenizer()
    text = tf.Gemma3TextConfig(
        vocab_size=len(tok) + 8,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=8,
        max_position_embeddings=2048,
    )
    vision = tf.SiglipVisionConfig(
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=28,
        patch_size=14,
    )
    config = tf.Gemma3Config(
        text_config=text.to_dict(),
        vision_config=vision.to_dict(),
        mm_tokens_per_image=4,
        image_token_index=len(tok) + 1,
        boi_token_index=len(tok) + 2,
        eoi_token_index=len(tok) + 3,
    )
    audio = seeded(
        lambda: df.AutoencoderKLLTX2Audio(
            base_channels=4,
            output_channels=2,
            ch_mult=(1,),
            num_res_blocks=1,
            attn_resolutions=None,
            in_channels=2,
            resolution=32,
            latent_channels=2,
            norm_type="pixel",
            causality_axis="height",
            dropout=0.0,
            mid_block_add_attention=False,
            sample_rate=16000,
            mel_hop_length=160,
            is_causal=True,
            mel_bins=8,
        )
    )
    vae = seeded(
        lambda: df.AutoencoderKLLTX2Video(
            latent_channels=4,
            block_out_channels=(8,),
            decoder_block_out_channels=(8,),
            layers_per_block=(1,),
            decoder_layers_per_block=(1, 1),
            spatio_temporal_scaling=(True,),
            decoder_spatio_temporal_scaling=(True,),
            decoder_inject_noise=(False, False),
            downsample_type=("spatial",),
            upsample_residual=(False,),
            upsample_factor=(1,),
            timestep_conditioning=False,
            patch_size=1,
            patch_size_t=1,
            encoder_causal=True,
            decoder_causal=False,
        )
    )
    vae.use_framewise_encoding = vae.use_framewise_decoding = False
    return df.LTX2ImageToVideoPipeline(
        scheduler=df.FlowMatchEulerDiscreteScheduler(),
        vae=vae,
        audio_vae=audio,
        tokenizer=tok,
        text_encoder=seeded(lambda: tf.Gemma3ForConditionalGeneration(config)),
        connectors=seeded(
            lambda: LTX2TextConnectors(
                caption_channels=32,
                text_proj_in_factor=3,
                video_connector_num_attention_heads=4,
                video_connector_attention_head_dim=8,
                video_connector_num_layers=1,
                video_connector_num_learnable_registers=None,
                audio_connector_num_attention_heads=4,
                audio_connector_attention_head_dim=8,
                audio_connector_num_layers=1,
                audio_connector_num_learnable_registers=None,
                connector_rope_base_seq_len=32,
                rope_theta=10000.0,
                rope_double_precision=False,
                causal_temporal_positioning=False,
                rope_type="split",
            )
        ),
        transformer=seeded(
            lambda: df.LTX2VideoTransformer3DModel(
                in_channels=4,
                out_channels=4,
                num_attention_heads=2,
                attention_head_dim=8,
                cross_attention_dim=16,
                audio_in_channels=4,
                audio_out_channels=4,
                audio_num_attention_heads=2,
                audio_attention_head_dim=4,
                audio_cross_attention_dim=8,
                num_layers=2,
                qk_norm="rms_norm_across_heads",
                caption_channels=32,
                rope_double_precision=False,
                rope_type="split",
            )
        ),
        vocoder=seeded(
            lambda: LTX2Vocoder(
                in_channels=16,
                hidden_channels=32,
                out_channels=2,
                upsample_kernel_sizes=[4, 4],
                upsample_factors=[2, 2],
                resnet_kernel_sizes=[3],
                resnet_dilations=[[1, 3, 5]],
                leaky_relu_negative_slope=0.1,
                output_sampling_rate=16000,
            )
        ),
    )
