"""Made-up copies of the benchmarks' code: prompts in our own words, where and as the benchmarks have theirs."""

from __future__ import annotations

import json
from pathlib import Path

from producer.recipes.official_prompts import PromptCopy
from producer.recipes.recipe import Recipe, read_recipe

PLAIN, INSTRUCT, BOTH, REFERENCE, EXPLAINED = (
    'Say it as {{"score": 1}}.\n',
    'Was "{instruct}" done? Say it as {{"score": 1}}.\n',
    "Was {instruct} done, which gives {reference}?",
    "Is it {reference}?",
    "Was {instruct} done, and is it true that {explanation}?",
)

CONSTANTS = {
    "gedit": (
        "viescore/vie_prompts.py",
        {
            "_context_no_delimit": 'Give JSON: {"score": [..], "reasoning": ".."}',
            "_prompts_0shot_two_image_edit_rule": "Two images follow.\n",
            "_prompts_0shot_tie_rule_SC": "\nFrom scale 0 to 10: \nEditing instruction: <instruction>\n",
            "_prompts_0shot_rule_PQ": "\nHow natural is it? \n",
        },
    ),
    "kris": (
        "utils/prompts.py",
        {
            "prompt_consist": INSTRUCT,
            "prompt_quality": PLAIN,
            "prompt_instruction_following": INSTRUCT,
            "prompt_dual_evaluation": EXPLAINED,
            "prompt_view_instruction_following": INSTRUCT,
            "prompt_consist_temporal": INSTRUCT,
            "prompt_instruction_temporal": INSTRUCT,
            "prompt_consist_multi": INSTRUCT,
            "prompt_instruction_multi": INSTRUCT,
        },
    ),
    "rise": (
        "utils.py",
        {
            "prompt_consist": INSTRUCT,
            "prompt_reasoning": BOTH,
            "prompt_reasoning_w_input": BOTH,
            "prompt_generation": "How natural is it?",
            "prompt_spatial_cons": INSTRUCT,
            "prompt_spatial_ref": BOTH,
            "prompt_spatial_ref_w_input": BOTH,
            "prompt_spatial_ref_img": INSTRUCT,
            "prompt_spatial_qual": "How natural is it in space?",
            "prompt_logical_cons_ans": BOTH,
            "prompt_logical_cons": INSTRUCT,
            "prompt_logical_txt": REFERENCE,
            "prompt_logical_img": INSTRUCT,
            "prompt_logical_img_wo_q": "Are they alike?",
        },
    ),
}

TYPES = ("replace", "add", "adjust", "remove", "style", "action", "extract", "background", "compose")


def write_copy(folder: Path, name: str) -> Path:
    """Write the part of a benchmark's code in which its recipe finds prompts."""
    if name == "imgedit":
        path, content = "Basic/prompts.json", json.dumps({one: f"\nRate this {one}: <edit_prompt>.\n" for one in TYPES})
    else:
        path, constants = CONSTANTS[name]
        content = "import nowhere_to_be_found\n" + "".join(
            f"{name} = {text + of_its_own!r}\n" for name, text in constants.items() if (of_its_own := f"({name})\n")
        )
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(content, encoding="utf-8")
    return folder


def recipe_and_copy(folder: Path, name: str) -> tuple[Recipe, PromptCopy]:
    """Return a recipe that is built in, and a made-up copy of its benchmark's prompts."""
    return read_recipe(name), PromptCopy(write_copy(folder, name))
