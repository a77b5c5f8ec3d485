"""A stranger's Python with prompts in it, of any content: read without being run, or refused in a clean line."""

from __future__ import annotations

from pathlib import Path

import pytest

from db.errors import WrongCall, one_line
from db.prompts import JudgePrompt, PromptSubject, render_prompt
from producer.recipes.official_prompts import OfficialPrompt, PromptCopy
from tests.fuzz.mutator import FUZZ_INPUTS, FUZZ_SEED, Mutator, within_time

SUBJECT = PromptSubject("k", "风格", "make it rain", None, False, None)
ASKED = OfficialPrompt.model_validate(
    {"parts": [{"files": ["p.py"], "constants": ["A"]}], "fill": {"<i>": "instruction"}}
)
GOOD = (
    b'A = "Rate <i> from 0 to 10."\n',
    b'B = """Look at\nthe picture. """\nC = A = B + "Was <i> done?" + B\n',
    b"import torch\nA = 'x' if torch else 'y'\nA = f'{B}'\nA = '<i>' '{{ }}' \"\\n\"\ndef f(): return A\n",
)
HOSTILE = (
    *(b"A = A + A\n", b"B = B + B\n", b'"<i>" + ', b"__import__('os').abort()", b"A = open('/etc/passwd').read()\n"),
    *(
        b"{{ 10 ** 10 ** 10 }}",
        b"{% for a in range(99999) %}",
        b"{% raw %}",
        b"{#",
        b"<i>",
        b'"' * 3,
        b"A: str = ",
        b"\\N{",
    ),
    *(
        b'"\\ud800<i>"',
        b'"\\0<i>"',
        b"lambda: " * 200,
        b"(" * 300,
        b"-" * 5000,
        b"A = b'<i>'\n",
        b"A = 5\n",
        b"A, B = ",
    ),
)
DOUBLED = 'A = "<i>"\n' + "A = A + A\n" * 60
KEPT = 'A = "<i>"\n' + "A = A + A\n" * 15 + "".join(f"B{number} = A + A\n" for number in range(100))
JOINED = "A = " + " + ".join(['"<i>"'] * 2000) + "\n"


def check(folder: Path, content: bytes) -> bool:
    """Tell whether a prompt was found; fail unless it is one that a judge can be sent, or refused in a clean line."""
    (folder / "p.py").write_bytes(content)
    try:
        template = PromptCopy(folder).template(ASKED)
    except WrongCall as refused:
        assert one_line(str(refused), longest=5000).isprintable()
        assert "\n" not in str(refused)
        return False
    asked = render_prompt(JudgePrompt(user=template), SUBJECT).user
    assert "make it rain" in asked
    return True


@pytest.mark.timeout(1200)
def test_python_of_any_content_gives_a_prompt_or_is_refused(tmp_path: Path) -> None:
    mutator = Mutator(GOOD, HOSTILE)
    found = 0
    for number in range(max(50, FUZZ_INPUTS // 2)):
        with within_time(f"input {number} of FUZZ_SEED={FUZZ_SEED}"):
            found += check(tmp_path, mutator.content(number))
    assert found > 0


@pytest.mark.parametrize(
    "content", [DOUBLED, KEPT, JOINED, f"A = '{'<i>' * 200_000}'"], ids=["doubled", "kept", "joined", "long"]
)
def test_a_text_joined_beyond_all_bounds_is_refused(tmp_path: Path, content: str) -> None:
    with within_time("a text joined with itself"):
        assert not check(tmp_path, content.encode())
