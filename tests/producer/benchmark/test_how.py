"""What `--column` may say."""

from __future__ import annotations

import pytest

from db.errors import WrongCall
from producer.benchmark.how import columns_by_part

PARTS = "key, category, instruction, source, description, reference, reference_text"


def test_each_part_is_found_in_its_column() -> None:
    given = ["key=#", "category=:all of it", "instruction=a=b", "source= x ", "description=={a}: {b}"]

    assert columns_by_part(given) == {
        **{"key": "#", "category": ":all of it", "instruction": "a=b", "source": " x ", "description": "={a}: {b}"}
    }


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["key"], f"--column key: expected PART=COLUMN, where PART is one of {PARTS}"),
        (["image=x"], f"--column image=x: expected PART=COLUMN, where PART is one of {PARTS}"),
        (["key="], f"--column key=: expected PART=COLUMN, where PART is one of {PARTS}"),
        (["key=  "], f"--column key=  : expected PART=COLUMN, where PART is one of {PARTS}"),
        (["key=a", "key=b"], "--column key=b: key was given before, as a"),
        (["category=#"], "--column category=#: only a key can be the row's number"),
        (["source=:x"], "--column source=:x: an image cannot be a text for all rows; expected a column's name"),
        (
            ["reference=={x}"],
            "--column reference=={x}: an image cannot be a text for all rows; expected a column's name",
        ),
        (["key=:x"], "--column key=:x: every row would have the same key; `#` numbers them"),
        (["key==x"], "--column key==x: every row would have the same key; `#` numbers them"),
        (["category=:"], "--column category=:: the text after ':' is empty"),
        (["instruction=="], "--column instruction==: the text after '=' is empty"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: list[str], said: str) -> None:
    with pytest.raises(WrongCall) as caught:
        columns_by_part(given)

    assert str(caught.value) == said
