"""The options of every built-in editor and scorer: what a run may say of each, checked, with a default and a unit.

What shapes a result is an option, stored with the run; what does not is a setting (`db.settings`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

from db.prompts import JudgePrompt
from db.rubric import Rubric

_STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

Dtype = Literal["auto", "bfloat16", "float16", "float32"]
"""`auto`: as the weights are stored."""


class EditorOptions(BaseModel):
    """Options common to every editor; a backend's own options extend it."""

    model_config = _STRICT


class GivenEditsOptions(EditorOptions):
    """No options of a model: what makes two runs of given images the same, or not."""

    images: Annotated[
        str, Field(pattern="^([0-9a-f]{64})?$", description="sha-256 over which image every edit was given")
    ] = ""


class ScorerOptions(BaseModel):
    """Options common to every scorer."""

    model_config = _STRICT

    batch_size: Annotated[int, Field(ge=1, le=1024, description="scores claimed and judged together, at most")] = 8
    repeats: Annotated[
        int, Field(ge=1, le=100, description="how often each edit is judged, each time with a seed of its own")
    ] = 1


# -- simulated ---------------------------------------------------------------------------------------------------------


class SimulatedOptions(BaseModel):
    """How a simulated model spends time and fails; every draw is a function of `seed` and the sample's key."""

    model_config = _STRICT

    seconds: Annotated[float, Field(ge=0, description="mean duration of one item, in seconds")] = 0.05
    spread: Annotated[float, Field(ge=0, description="coefficient of variation of the lognormal duration")] = 0.0
    per_pixels: Annotated[
        int | None, Field(ge=1, description="source pixels that take `seconds`, others in proportion; unset: all alike")
    ] = None
    load_seconds: Annotated[float, Field(ge=0, description="time it takes to load the model, in seconds")] = 0.0
    fail_rate: Annotated[float, Field(ge=0, le=1, description="share of items that fail, drawn by key")] = 0.0
    crash_on: Annotated[tuple[str, ...], Field(description="sample keys that kill the process")] = ()
    hang_on: Annotated[tuple[str, ...], Field(description="sample keys at which it stands still for ever")] = ()
    cuda_error_on: Annotated[tuple[str, ...], Field(description="sample keys at which the GPU fails")] = ()
    seed: Annotated[int, Field(ge=0, lt=2**63, description="seed of every draw")] = 0


class SimulatedEditorOptions(SimulatedOptions, EditorOptions):
    """A simulated editor writes a small valid image."""

    width: Annotated[int, Field(ge=1, le=8192, description="width of the image it writes, in pixels")] = 64
    height: Annotated[int, Field(ge=1, le=8192, description="height of the image it writes, in pixels")] = 64
    steps: Annotated[int, Field(ge=1, le=1000, description="denoising steps it pretends to take")] = 20
    oom_above: Annotated[int | None, Field(ge=0, description="source pixels above which memory runs out")] = None


class SimulatedScorerOptions(SimulatedOptions, ScorerOptions):
    """A simulated scorer draws a value between 0 and 10."""

    batch_speedup: Annotated[float, Field(ge=1, description="how much faster an item is in a full batch")] = 1.0
    oom_above: Annotated[int | None, Field(ge=0, description="batch size above which memory runs out")] = None


# -- diffusion editors -------------------------------------------------------------------------------------------------


class Lora(BaseModel):
    """Low-rank weights laid over an editor's denoiser."""

    model_config = _STRICT

    model: Annotated[str, Field(min_length=1, description="local folder or hub id")]
    weight_name: Annotated[str | None, Field(description="the file in it, where there are several")] = None
    revision: Annotated[str | None, Field(description="branch, tag or commit on the hub")] = None
    scale: Annotated[float, Field(description="how strongly it counts")] = 1.0


class DiffusersEditorOptions(EditorOptions):
    """A pipeline of the diffusers library. None: the pipeline's own default, which is stored with the result."""

    model: Annotated[str, Field(min_length=1, description="local folder or hub id of the pipeline")]
    revision: Annotated[str | None, Field(description="branch, tag or commit on the hub")] = None
    dtype: Annotated[Dtype, Field(description="of weights and arithmetic; auto: as the weights are stored")] = "auto"
    num_inference_steps: Annotated[int | None, Field(ge=1, le=1000, description="denoising steps")] = None
    true_cfg_scale: Annotated[float | None, Field(ge=0, description="classifier-free guidance; 1: off")] = None
    guidance_scale: Annotated[float | None, Field(ge=0, description="guidance by text, or distilled guidance")] = None
    image_guidance_scale: Annotated[float | None, Field(ge=0, description="guidance by the source image")] = None
    negative_prompt: Annotated[str | None, Field(description="what guidance leads away from; a space will do")] = None
    size: Annotated[
        str,
        Field(
            pattern=r"^(auto|source|[1-9]\d{3,8}px|[1-9]\d{1,4}x[1-9]\d{1,4})$",
            description="of the edited image: auto (the pipeline's rule), source (as large as it), "
            "WIDTHxHEIGHT, or AREApx (the source's shape at so many pixels)",
        ),
    ] = "auto"
    max_source_pixels: Annotated[
        int, Field(ge=4096, description="a larger source is scaled down to this area before the pipeline sees it")
    ] = 2048 * 2048
    arguments: Annotated[
        Mapping[str, JsonValue], Field(description="further arguments of the pipeline's call, by its own names")
    ] = {}
    scheduler: Annotated[Mapping[str, JsonValue], Field(description="changes to the scheduler's configuration")] = {}
    loras: Annotated[tuple[Lora, ...], Field(description="low-rank weights, all active")] = ()
    attention: Annotated[
        str | None, Field(description="attention backend of the denoiser, as in _native_cudnn, flash, sage")
    ] = None
    compile: Annotated[bool, Field(description="torch.compile the denoiser's blocks; warmed up before the first")] = (
        False
    )
    cache: Annotated[
        Literal["first-block", "cache-dit"] | None, Field(description="reuse of the denoiser's work between steps")
    ] = None
    cache_threshold: Annotated[float, Field(gt=0, lt=1, description="change below which the work is reused")] = 0.08
    fp8: Annotated[bool, Field(description="keep the denoiser's weights in 8 bits (E4M3), compute in dtype")] = False
    vae_tiling: Annotated[bool, Field(description="decode in tiles: less memory, slightly other pixels")] = False

    @model_validator(mode="after")
    def _guidance_needs_its_negative(self) -> Self:
        """Refuse guidance that the pipelines would silently leave off."""
        if (self.true_cfg_scale or 0) > 1 and self.negative_prompt is None:
            raise ValueError(
                f"true_cfg_scale {self.true_cfg_scale:g} is off without a negative_prompt; give one, "
                "a single space will do, or set true_cfg_scale to 1"
            )
        return self


# -- judges ------------------------------------------------------------------------------------------------------------


class JudgeOptions(ScorerOptions):
    """A vision-language model that is asked for a score."""

    model: Annotated[str, Field(min_length=1, description="local folder, hub id, or the server's name of the model")]
    prompts: Annotated[
        Mapping[str, JudgePrompt] | None,
        Field(description="prompt by category, `default` for the others; the benchmark's own or built in if not given"),
    ] = None
    rubric: Annotated[
        Rubric | None, Field(description="several questions and their arithmetic, in place of prompts; a recipe's")
    ] = None
    max_image_pixels: Annotated[
        int, Field(ge=4096, description="a larger image is scaled down to this area before the judge sees it")
    ] = 1024 * 1024
    max_new_tokens: Annotated[int, Field(ge=1, le=32768, description="length of a reply, in tokens, at most")] = 1024
    temperature: Annotated[float, Field(ge=0, le=2, description="of sampling; 0: the likeliest token each time")] = 0.0
    second_temperature: Annotated[
        float, Field(gt=0, le=2, description="of the one second asking after a reply that cannot be read")
    ] = 0.7

    @field_validator("prompts")
    @classmethod
    def _has_a_default(cls, prompts: Mapping[str, JudgePrompt] | None) -> Mapping[str, JudgePrompt] | None:
        if prompts is not None and "default" not in prompts:
            raise ValueError("there is no `default` prompt for categories without one of their own")
        return prompts

    @model_validator(mode="after")
    def _asks_in_one_way(self) -> Self:
        if self.rubric is not None and self.prompts is not None:
            raise ValueError("a rubric asks in its own words: leave the prompts out")
        return self


class TransformersJudgeOptions(JudgeOptions):
    """A judge of the transformers library, on this GPU."""

    revision: Annotated[str | None, Field(description="branch, tag or commit on the hub")] = None
    dtype: Annotated[Dtype, Field(description="of weights and arithmetic; auto: as the weights are stored")] = "auto"
    attention: Annotated[str, Field(description="attention implementation, as in sdpa, eager, flash_attention_2")] = (
        "sdpa"
    )
    experts: Annotated[
        Literal["eager", "grouped_mm", "batched_mm"] | None, Field(description="how a mixture of experts is computed")
    ] = None
    mode: Annotated[
        Literal["generate", "expected"],
        Field(description="generate: reasons first, then a score; expected: mean over the digit's probabilities"),
    ] = "generate"
    constrained: Annotated[bool, Field(description="let the reply be nothing but valid JSON (needs xgrammar)")] = False
    reply_prefix: Annotated[str, Field(description="expected: the beginning of the reply, before its digit")] = (
        '{"score": '
    )
    min_digit_mass: Annotated[
        float,
        Field(ge=0, le=1, description="expected: probability of any digit below which there is no answer"),
    ] = 0.5

    @model_validator(mode="after")
    def _replies_as_the_rubric_asks(self) -> Self:
        if self.rubric is not None and (self.mode != "generate" or self.constrained):
            raise ValueError("a rubric's answers have forms of their own: mode `generate`, not constrained")
        return self


class ApiJudgeOptions(JudgeOptions):
    """A judge behind an OpenAI-compatible server; the key is the setting FARM_JUDGE_API_KEY and never stored."""

    batch_size: Annotated[int, Field(ge=1, le=1024, description="requests under way at the same time, at most")] = 16
    base_url: Annotated[str, Field(description="the server's address up to and including /v1")]
    image_format: Annotated[Literal["png", "jpeg"], Field(description="how images are sent")] = "png"
    jpeg_quality: Annotated[int, Field(ge=1, le=100, description="of images that are sent as jpeg")] = 95
    image_detail: Annotated[
        Literal["low", "high", "auto"] | None, Field(description="what the server is told of images; unset: nothing")
    ] = None
    response_format: Annotated[
        Literal["auto", "json_schema", "none"],
        Field(description="ask the server for JSON by schema; auto: unless it says that it cannot"),
    ] = "auto"
    timeout_seconds: Annotated[float, Field(gt=0, le=3600, description="for one reply")] = 120.0
    attempts: Annotated[int, Field(ge=1, le=20, description="per request, against a busy or failing server")] = 6
    longest_wait_seconds: Annotated[float, Field(gt=0, le=3600, description="between two attempts")] = 60.0
    arguments: Annotated[
        Mapping[str, JsonValue], Field(description="further fields of the request's body, by the server's own names")
    ] = {}

    @field_validator("base_url")
    @classmethod
    def _is_an_address_without_a_secret(cls, base_url: str) -> str:
        try:
            parts = urlsplit(base_url)
            _ = parts.port
        except ValueError as error:  # whose words may repeat a password
            raise ValueError("is no address; expected http://HOST/v1 or https://HOST/v1") from error
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("expected http://HOST/v1 or https://HOST/v1")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("must hold no user, password or query: it is stored; a key goes into FARM_JUDGE_API_KEY")
        return base_url.rstrip("/")
