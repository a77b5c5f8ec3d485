"""Text from outside."""

from __future__ import annotations

import json

import pytest

from producer.gallery.harmless import data_block, harmless, harmless_all


@pytest.mark.parametrize("text", ["物理，“引号”　全角", "a\nb\tc", "👩‍👩‍👧 é ﷽ שלום", "\u00a0", "\\x00"])
def test_text_that_does_nothing_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


@pytest.mark.parametrize("code", [0, 8, 0xB, 0x1B, 0x7F, 0x85, 0x9F, 0x2028, 0x202E, 0x2066, 0x2069, 0xD800, 0xDFFF])
def test_characters_that_act_are_written_as_python_writes_them(code: int) -> None:
    assert harmless(f"a{chr(code)}b") == f"a{ascii(chr(code))[1:-1]}b"


def test_names_within_data_are_made_harmless_too() -> None:
    assert harmless_all({"a\x00": ["\u202e", {"b": ("\x1b", 1, None)}]}) == {
        "a\\x00": ["\\u202e", {"b": ["\\x1b", 1, None]}]
    }


@pytest.mark.parametrize("text", ["</script>", "<!--<script>", "\u2028\u2029", "&lt;", '"\\'])
def test_a_data_block_comes_back_and_holds_nothing_that_html_knows(text: str) -> None:
    block = data_block({"text": text})

    assert json.loads(block) == {"text": text}
    assert not set("<>&\u2028\u2029") & set(block)
