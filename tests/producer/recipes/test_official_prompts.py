"""Prompts from a person's own copy of a benchmark: read without running it, and filled in as its scripts would."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from db.errors import WrongCall
from db.prompts import JudgePrompt, PromptSubject, render_prompt
from producer.recipes import official_prompts
from producer.recipes.official_prompts import OfficialPrompt, PromptCopy

SUBJECT = PromptSubject("k", "风格", "make it {{ rain }} {instruct}\n", "a street", False, "a wet street")

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


def prompt(names: list[str] | None = None, files: list[str] | None = None, **more: Any) -> OfficialPrompt:
    """Return a prompt whose parts are constants of `prompts.py`."""
    parts = [{"files": files or ["prompts.py"], "constants": [name]} for name in names or ["asked"]]
    return OfficialPrompt.model_validate({"parts": parts, **more})


def said(copy: PromptCopy, asked: OfficialPrompt) -> str:
    """Return what a judge is asked about the subject."""
    return render_prompt(JudgePrompt(user=copy.template(asked)), SUBJECT).user


def copy_of(folder: Path, content: str, name: str = "prompts.py") -> PromptCopy:
    (folder / name).write_text(content, encoding="utf-8")
    return PromptCopy(folder)


def test_a_module_is_read_and_not_run(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    copy = copy_of(tmp_path, f"import nowhere\nopen({str(trace)!r}, 'w')\nasked = 'How ' 'good?' + '\\n'\n")

    assert said(copy, prompt()) == "How good?\n"
    assert not trace.exists()


def test_parts_are_joined_by_line_breaks_and_constants_by_their_names(tmp_path: Path) -> None:
    copy = copy_of(tmp_path, "a, b = 1, 2\nc = first = 'one \\n'\nsecond = first + 'two'\nfirst = 'three'\n")

    assert said(copy, prompt(["first", "second"])) == "three\none \ntwo"


def test_the_first_file_and_key_that_are_there_count(tmp_path: Path) -> None:
    (tmp_path / "Basic").mkdir()
    copy = copy_of(tmp_path, json.dumps({"alter": "Altered?", "adjust": 3}), "Basic/prompts.json")
    part = {"files": ["judge_prompt.json", "Basic/prompts.json"], "keys": ["change", "alter", "adjust"]}

    assert said(copy, OfficialPrompt.model_validate({"parts": [part]})) == "Altered?"


@settings(deadline=None)
@given(before=TEXTS, between=TEXTS, behind=TEXTS)
def test_a_place_is_replaced_wherever_it_stands_and_all_else_stays(
    tmp_path_factory: pytest.TempPathFactory, before: str, between: str, behind: str
) -> None:
    text = f"{before}<edit>{between}<edit>{behind}"
    copy = copy_of(tmp_path_factory.mktemp("copy"), f"asked = {text!r}")

    assert said(copy, prompt(fill={"<edit>": "instruction"})) == text.replace("<edit>", SUBJECT.instruction)


@settings(deadline=None)
@given(before=TEXTS, behind=TEXTS)
def test_a_format_string_says_what_str_format_would(
    tmp_path_factory: pytest.TempPathFactory, before: str, behind: str
) -> None:
    doubled = [part.replace("{", "{{").replace("}", "}}") for part in (before, behind)]
    text = f"{doubled[0]}{{instruct}} gives {{explain}}{doubled[1]}"
    copy = copy_of(tmp_path_factory.mktemp("copy"), f"asked = {text!r}")

    found = said(copy, prompt(format={"instruct": "instruction", "explain": "reference_text"}))

    assert found == text.format(instruct=SUBJECT.instruction, explain=SUBJECT.reference_text)


def test_a_text_with_neither_stays_as_it_is_with_its_doubled_braces(tmp_path: Path) -> None:
    text = '  Say {{"score": 1}} and {instruct} {% if %}\n\n'

    assert said(copy_of(tmp_path, f"asked = {text!r}"), prompt()) == text


@pytest.mark.parametrize(
    ("content", "more", "complaint"),
    [
        ("other = 'a'", {}, "prompts.py: has no constant asked at its top; is it another version?"),
        ("def asked(): pass", {}, "prompts.py: has no constant asked at its top"),
        ("asked = f'{1}'", {}, "prompts.py: constant asked is no text, or an empty one"),
        ("asked = 3", {}, "prompts.py: constant asked is no text"),
        ("asked = 'a' + 3", {}, "prompts.py: constant asked is no text"),
        ("asked = 'a' * 3", {}, "prompts.py: constant asked is no text"),
        ("asked = 'a%s' % 'b'", {}, "prompts.py: constant asked is no text"),
        ("asked = 'a' + gone", {}, "prompts.py: constant asked is no text"),
        ("asked = 'a\\0'", {}, "prompts.py: constant asked holds a NUL or half of a surrogate pair"),
        ("asked = '\\ud800'", {}, "prompts.py: constant asked holds a NUL or half of a surrogate pair"),
        ("asked = '{instruct:>5}'", {"format": {"instruct": "instruction"}}, "its fields are instruct, the recipe"),
        ("asked = '{instruct.x}'", {"format": {"instruct": "instruction"}}, "its fields are instruct.x, the recipe"),
        ("if True:\n    asked = 'a'", {}, "prompts.py: has no constant asked at its top"),
        ("asked = ' '", {}, "prompts.py: constant asked is no text, or an empty one"),
        ("asked = (", {}, "prompts.py: is no Python: '(' was never closed"),
        ("asked = 'How?'", {"fill": {"<edit>": "instruction"}}, "prompts.py: asked: has no <edit> for the recipe to"),
        ("asked = 'How?'", {"format": {"instruct": "instruction"}}, "asked: its fields are none, the recipe fills in "),
        ("asked = '{instruct}{n}'", {"format": {"instruct": "instruction"}}, "its fields are instruct, n, the recipe "),
        (
            "asked = '{instruct!r}'",
            {"format": {"instruct": "instruction"}},
            "its fields are instruct, the recipe",
        ),
        ("asked = '{instruct'", {"format": {"instruct": "instruction"}}, "asked: is no text that can be formatted: "),
    ],
)
def test_what_cannot_be_used_is_named_by_its_place(
    tmp_path: Path, content: str, more: dict[str, Any], complaint: str
) -> None:
    copy = copy_of(tmp_path, content)

    with pytest.raises(WrongCall, match=re.escape(complaint)):
        copy.template(prompt(**more))


def test_folders_that_may_not_be_seen_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WrongCall, match="cannot be read: File name too long"):
        PromptCopy(tmp_path / ("a" * 300))
    copy = copy_of(tmp_path, "asked = 'a'")
    with pytest.raises(WrongCall, match="cannot be read: File name too long"):
        copy.template(prompt(files=["a" * 300, "prompts.py"]))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", refuse)
        with pytest.raises(WrongCall, match=r"prompts.py: cannot be read: Permission denied"):
            copy.template(prompt())
        with pytest.raises(WrongCall, match="cannot be read: Permission denied"):
            PromptCopy(tmp_path)


def test_a_part_names_constants_or_keys_and_a_prompt_fills_its_places_in_one_way() -> None:
    for part in ({}, {"constants": ["a"], "keys": ["a"]}):
        with pytest.raises(ValidationError, match="either constants of a Python module or keys of a JSON object"):
            OfficialPrompt.model_validate({"parts": [{"files": ["a.py"], **part}]})
    with pytest.raises(ValidationError, match="either replaced or formatted"):
        prompt(fill={"<a>": "instruction"}, format={"a": "instruction"})


def test_places_of_several_names_are_filled_in_where_they_stand(tmp_path: Path) -> None:
    copy = copy_of(tmp_path, "asked = '<b><a><ab><b>'")

    asked = prompt(fill={"<a>": "category", "<b>": "description"})

    assert said(copy, asked) == "a street风格<ab>a street"


def test_a_files_mark_and_its_line_ends_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "prompts.py").write_bytes(b'\xef\xbb\xbfasked = """one\r\ntwo\r\n"""\r\n')

    assert said(PromptCopy(tmp_path), prompt()) == "one\ntwo\n"


def test_files_that_cannot_be_read_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WrongCall, match="nowhere: is no folder"):
        PromptCopy(tmp_path / "nowhere")
    copy = copy_of(tmp_path, "asked = 'a'")
    with pytest.raises(WrongCall, match=re.escape("the recipe looks for a.py or b.py there")):
        copy.template(prompt(files=["a.py", "b.py"]))
    (tmp_path / "latin.py").write_bytes("asked = 'é'".encode("latin-1"))
    with pytest.raises(WrongCall, match=r"latin.py: is not UTF-8: .* at byte 9"):
        copy.template(prompt(files=["latin.py"]))
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(WrongCall, match=r"folder.py: cannot be read"):
        copy.template(prompt(files=["folder.py"]))
    (tmp_path / "list.json").write_text("[1]")
    keyed = OfficialPrompt.model_validate({"parts": [{"files": ["list.json"], "keys": ["a"]}]})
    with pytest.raises(WrongCall, match=r"list.json: expected an object of prompts by name"):
        copy.template(keyed)
    (tmp_path / "list.json").write_text("{")
    with pytest.raises(WrongCall, match=r"list.json: is not valid JSON"):
        PromptCopy(tmp_path).template(keyed)
    monkeypatch.setattr(official_prompts, "LARGEST", 5)
    with pytest.raises(WrongCall, match=r"prompts.py: is larger than 5 bytes"):
        PromptCopy(tmp_path).template(prompt())
