"""Tiny checkpoints of editors that the farm drives besides the Qwen family; real classes, random weights."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

from workers.tiny.editor import make_editor, text_encoder, write_index
from workers.tiny.judge import vision_language_network
from workers.tiny.processor import write_processor
from workers.tiny.tokenizer import make_tokenizer


def make_first(folder: Path) -> None:
    """Qwen-Image-Edit."""
    make_editor(folder, plus=False)


def make_2511(folder: Path) -> None:
    """Qwen-Image-Edit-2511."""
    make_editor(folder, zero_cond_t=True)


def make_qwen_image_21(folder: Path) -> None:
    """Qwen-Image 2.1, whose text encoder is a Qwen3-VL and whose VAE scales by 16."""
    tokenizer = make_tokenizer()
    torch.manual_seed(0)
    parts = {
        "transformer": diffusers.QwenImage21Transformer2DModel(
            in_channels=4,
            out_channels=4,
            num_layers=2,
            attention_head_dim=16,
            num_attention_heads=2,
            context_in_dim=64,
            axes_dims_rope=(4, 6, 6),
        ),
        "vae": diffusers.AutoencoderKLQwenImage21(
            base_dim=4,
            decoder_base_dim=4,
            z_dim=4,
            dim_mult=[1, 1, 1, 1, 1],
            num_res_blocks=1,
            latents_mean=[0.0] * 4,
            latents_std=[1.0] * 4,
        ),
        "text_encoder": vision_language_network(tokenizer),
        "scheduler": _flow_scheduler(),
    }
    for name, part in parts.items():
        part.save_pretrained(folder / name)
    # its tokens are matched with the latents, so that the processor must not shrink an image of a megapixel
    write_processor(folder / "processor", tokenizer, "Qwen3VLProcessor", patch_size=16, most_tokens=4096)
    write_index(folder, "QwenImage21Pipeline", parts, processor=("transformers", "Qwen3VLProcessor"))


def make_pix2pix(folder: Path) -> None:
    """InstructPix2Pix on Stable Diffusion 1."""
    tokenizer = _clip_tokenizer()
    torch.manual_seed(0)
    diffusers.StableDiffusionInstructPix2PixPipeline(
        vae=_vae(),
        text_encoder=_clip_text(tokenizer, transformers.CLIPTextModel),
        tokenizer=tokenizer,
        unet=_unet(cross_attention_dim=32),
        scheduler=diffusers.EulerAncestralDiscreteScheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)


def make_pix2pix_xl(folder: Path) -> None:
    """InstructPix2Pix on Stable Diffusion XL."""
    tokenizer = _clip_tokenizer()
    torch.manual_seed(0)
    added = {"addition_embed_type": "text_time", "addition_time_embed_dim": 8}
    # six sizes of 8 numbers each, beside the pooled text of 32
    unet = _unet(cross_attention_dim=64, projection_class_embeddings_input_dim=6 * 8 + 32, **added)
    diffusers.StableDiffusionXLInstructPix2PixPipeline(
        vae=_vae(),
        text_encoder=_clip_text(tokenizer, transformers.CLIPTextModel),
        text_encoder_2=_clip_text(tokenizer, transformers.CLIPTextModelWithProjection),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=unet,
        scheduler=diffusers.EulerDiscreteScheduler(),
        add_watermarker=False,
    ).save_pretrained(folder)


def make_kontext(folder: Path) -> None:
    """FLUX.1 Kontext."""
    tokenizer, t5_tokenizer = _clip_tokenizer(), _t5_tokenizer()
    torch.manual_seed(0)
    configuration = transformers.T5Config(
        vocab_size=len(t5_tokenizer),
        d_model=32,
        d_kv=8,
        d_ff=37,
        num_layers=2,
        num_heads=4,
        feed_forward_proj="gated-gelu",
    )
    transformer = diffusers.FluxTransformer2DModel(
        patch_size=1,
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=32,
        axes_dims_rope=[4, 4, 8],
        guidance_embeds=True,
    )
    diffusers.FluxKontextPipeline(
        scheduler=_flow_scheduler(),
        vae=_flux_vae(4),
        text_encoder=_clip_text(tokenizer, transformers.CLIPTextModel),
        tokenizer=tokenizer,
        text_encoder_2=transformers.T5EncoderModel(configuration),
        tokenizer_2=t5_tokenizer,
        transformer=transformer,
    ).save_pretrained(folder)


def make_klein(folder: Path) -> None:
    """FLUX.2 klein; its text encoder has 28 layers because the pipeline reads the 9th, 18th and 27th."""
    tokenizer = make_tokenizer()
    torch.manual_seed(0)
    configuration = transformers.Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=28,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
    )
    transformer = diffusers.Flux2Transformer2DModel(
        patch_size=1,
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=48,
        axes_dims_rope=(4, 4, 4, 4),
        timestep_guidance_channels=256,
        guidance_embeds=False,
    )
    vae = diffusers.AutoencoderKLFlux2(latent_channels=4, **_levels(4))
    diffusers.Flux2KleinPipeline(
        scheduler=_flow_scheduler(),
        vae=vae,
        text_encoder=transformers.Qwen3ForCausalLM(configuration),
        tokenizer=tokenizer,
        transformer=transformer,
        is_distilled=False,
    ).save_pretrained(folder)


def make_longcat(folder: Path) -> None:
    """LongCat-Image-Edit; its pipeline has 16 latent channels written into it."""
    tokenizer = make_tokenizer()
    torch.manual_seed(0)
    transformer = diffusers.LongCatImageTransformer2DModel(
        patch_size=1,
        in_channels=64,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=32,
        axes_dims_rope=[4, 4, 8],
    )
    parts = {
        "transformer": transformer,
        "vae": _flux_vae(16),
        "text_encoder": text_encoder(tokenizer),
        "scheduler": _flow_scheduler(),
    }
    for name, part in parts.items():
        part.save_pretrained(folder / name)
    tokenizer.save_pretrained(folder / "tokenizer")
    write_processor(folder / "text_processor", tokenizer, "Qwen2VLProcessor", patch_size=14, most_tokens=16)
    write_index(
        folder,
        "LongCatImageEditPipeline",
        parts,
        text_processor=("transformers", "Qwen2VLProcessor"),
        tokenizer=("transformers", "Qwen2Tokenizer"),
    )


EDITORS: Mapping[str, Callable[[Path], None]] = {
    "qwen-image-edit": make_first,
    "qwen-image-edit-plus": make_editor,
    "qwen-image-edit-2511": make_2511,
    "qwen-image-2.1": make_qwen_image_21,
    "instruct-pix2pix": make_pix2pix,
    "instruct-pix2pix-xl": make_pix2pix_xl,
    "flux-kontext": make_kontext,
    "flux2-klein": make_klein,
    "longcat": make_longcat,
}


def _levels(count: int) -> dict[str, Any]:
    """Return the levels of a VAE: it scales by 2**(count - 1), the real ones by 8; more make large images cheap."""
    return {
        "block_out_channels": [8] * count,
        "norm_num_groups": 8,
        "in_channels": 3,
        "out_channels": 3,
        "down_block_types": ["DownEncoderBlock2D"] * count,
        "up_block_types": ["UpDecoderBlock2D"] * count,
        "layers_per_block": 1,
    }


def _vae() -> Any:
    return diffusers.AutoencoderKL(latent_channels=4, **_levels(4))


def _flux_vae(latent_channels: int) -> Any:
    return diffusers.AutoencoderKL(
        latent_channels=latent_channels,
        use_quant_conv=False,
        use_post_quant_conv=False,
        shift_factor=0.0609,
        scaling_factor=1.5035,
        **_levels(6),
    )


def _unet(**more: Any) -> Any:
    return diffusers.UNet2DConditionModel(
        block_out_channels=(32, 64),
        layers_per_block=1,
        sample_size=32,
        in_channels=8,
        out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        **more,
    )


def _flow_scheduler() -> Any:
    return diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True)


def _clip_tokenizer() -> Any:
    alphabet = sorted(make_tokenizer().get_vocab(), key=len)
    letters = [token for token in alphabet if len(token) == 1]
    pieces = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    return transformers.CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)


def _t5_tokenizer() -> Any:
    letters = [(letter, -3.0) for letter in string.printable if not letter.isspace()]
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0), *letters]
    return transformers.T5Tokenizer(vocab=pieces, extra_ids=0, additional_special_tokens=None)


def _clip_text(tokenizer: Any, network: Any) -> Any:
    configuration = transformers.CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=37,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=77,
        projection_dim=32,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return network(configuration)
