"""Run configurations and recipes of any content: resolved to what can be stored, or refused in a clean line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from db.errors import WrongCall, one_line
from producer.choices import choose
from producer.recipes.recipe import FOLDER, read_recipe
from tests.fuzz.mutator import FUZZ_INPUTS, FUZZ_SEED, HOSTILE, Mutator, within_time

GOOD = (
    b"editor: {name: simulated, seconds: 2}\nscorers: [reference, {name: simulated, label: strict}]\nseed: 7\n",
    b"editor:\n  name: diffusers\n  model: owner/name\n  options: {steps: 4}\nrepeats: 3\npriority: high\nlimit: 5\n",
    b"scorers:\n- name: api\n  model: judge\n  base_url: http://localhost:8000/v1\n  arguments: &more {top_p: 0.5}\n"
    b"- <<: {name: psnr}\n  label: second\ncategories: [physical]\naggregate: mean(a, b) * 2\n",
)
YAML = (
    *(
        b"&a [*a]",
        b"*more",
        b"<<: *more",
        b"!!binary aGk=",
        b"!!python/name:os.system ",
        b"!!set {a, b}",
        b"2026-13-45",
    ),
    *(
        b"? [a]\n: b",
        b"- ",
        b"|\n",
        b">-\n",
        b"---\n",
        b"...\n",
        b"%YAML 9.9\n",
        b"!!int ''",
        b".nan",
        b".inf",
        b"0o7",
        b"1:2:3",
    ),
    *(
        b"null: ",
        b"~",
        b"yes",
        b'"\\e[2J"',
        b'"\\ud800"',
        b'"\\0"',
        b"editor: ",
        b"scorers: ",
        b"api",
        b"recipe: ",
        b"given",
    ),
    *(
        b"http://u:geheim@h/v1",
        b"http://h/v1?key=geheim",
        b"file:///etc/passwd",
        b"/etc",
        b"../..",
        b"a/b",
        b"aggregate: ",
    ),
)


@pytest.mark.timeout(1200)
def test_a_mutated_configuration_can_be_stored_or_is_refused_in_a_clean_line(tmp_path: Path) -> None:
    mutator = Mutator(GOOD, [*YAML, *HOSTILE])
    file = tmp_path / "run.yaml"
    resolved = 0
    for number in range(max(50, FUZZ_INPUTS // 4)):
        file.write_bytes(mutator.content(number))
        with within_time(f"input {number} of FUZZ_SEED={FUZZ_SEED}"):
            try:
                chosen = choose(file=file, editor=None, scorers=[], settings=[], others={})
            except WrongCall as refused:
                assert one_line(str(refused), longest=5000).isprintable()
                assert "geheim" not in str(refused) or "base_url" not in str(refused)
                continue
            json.dumps(chosen.model_dump(mode="json"), allow_nan=False).encode()
            assert len(chosen.digest()) == 64
            resolved += 1
    assert resolved > 0


@pytest.mark.timeout(1200)
def test_a_mutated_recipe_is_read_or_refused_in_a_clean_line(tmp_path: Path) -> None:
    mutator = Mutator([file.read_bytes() for file in sorted(FOLDER.glob("*.yaml"))], [*YAML, *HOSTILE])
    file = tmp_path / "own.yaml"
    read = 0
    for number in range(max(50, FUZZ_INPUTS // 10)):
        file.write_bytes(mutator.content(number))
        with within_time(f"input {number} of FUZZ_SEED={FUZZ_SEED}"):
            try:
                read_recipe(str(file))
            except WrongCall as refused:
                assert one_line(str(refused), longest=5000).isprintable()
                continue
            read += 1
    assert read > 0
