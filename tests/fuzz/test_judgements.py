"""Files of judgements of any content are read, or refused in clean lines; what is read gives numbers or none."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.engine import open_engine
from db.errors import BenchmarkInvalid
from db.images import FolderStore
from db.ledger import Ledger
from producer.benchmark.faults import MAX_FAULTS
from producer.judge_check.document import check_document
from producer.judge_check.gather import Asked, check_judge
from producer.published_scores.enter import import_scores
from producer.published_scores.publication import publication_of
from producer.report.document import report_document
from producer.report.gather import gather_report
from tests.fuzz.mutator import FUZZ_INPUTS, HOSTILE

EDITORS, KEYS = ("old", "new"), ("a", "b", "c")


class Checker:
    """Checks the judge of two runs by files of any content."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = Ledger(open_engine(f"sqlite:///{folder / 'ledger.db'}"))
        scores = [
            {
                "sample": key,
                "category": "c",
                "editor": editor,
                "scorer": "judge",
                "judge_repeat": repeat,
                "value": place,
            }
            for place, key in enumerate(KEYS)
            for editor in EDITORS
            for repeat in range(2)
        ]
        path = folder / "scores.jsonl"
        path.write_text("\n".join(map(json.dumps, scores)), encoding="utf-8")
        publication = publication_of(path, name="b", scale=(0, 10), aggregate=None, allow_missing=False)
        self.runs = list(
            import_scores(publication, ledger=self.ledger, images=FolderStore(folder / "i")).run_ids.values()
        )

    def __call__(self, option: str, suffix: str, content: bytes) -> bool:
        """Tell whether the file was read; fail unless what comes of it is clean."""
        path = self.folder / f"fuzzed{suffix}"
        path.write_bytes(content)
        asked = Asked(**{"human": None, "pairs": None, option: path})
        try:
            check = check_judge(self.ledger.engine, self.runs, asked)
        except BenchmarkInvalid as refused:
            assert 1 <= len(refused.faults) <= MAX_FAULTS + 1 or "cannot be read" in str(refused)
            assert all(line.isprintable() and len(line) <= 1000 for line in refused.faults)
            return False
        document = check_document(check)
        assert "NaN" not in document.as_text("json")
        for format_name in ("table", "csv", "md"):
            assert document.as_text(format_name)
        return True


@pytest.fixture(scope="module")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checker]:
    checker = Checker(tmp_path_factory.mktemp("judgements"))
    yield checker
    checker.ledger.engine.dispose()


names = st.sampled_from([*KEYS, *EDITORS, "c", "overall", "first", "second", "tie", "", "\0", "\u202e"]) | st.text(
    max_size=5
)
numbers = st.integers(-2, 12) | st.floats() | st.sampled_from([10**400, 1e-300, -0.0])
anything = st.none() | st.booleans() | numbers | names | st.lists(names, max_size=2)
good = {
    "sample": st.sampled_from(KEYS),
    "editor": st.sampled_from(EDITORS),
    "value": st.integers(-3, 3) | st.floats(-1e30, 1e30).filter(lambda value: abs(value) >= 1e-30),
    "rater": st.text("xyz", max_size=1),
    "better": st.just("old"),
    "worse": st.just("new"),
    "first": st.sampled_from(EDITORS),
    "second": st.sampled_from(EDITORS),
    "preferred": st.sampled_from(["first", "second", "tie"]),
    "judge": st.text("xyz", max_size=1),
    "tie": st.booleans(),
}
RATING, PREFERENCE = ("sample", "editor", "value", "rater"), ("sample", "better", "worse", "rater", "tie")
PAIR = ("sample", "first", "second", "preferred", "judge")


def records(*kinds: tuple[str, ...]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Return some records, good ones for the most part, now and then with a field that may hold anything."""
    whole = st.one_of([st.fixed_dictionaries({name: good[name] for name in kind}) for kind in kinds])
    names = st.sampled_from([*good, "category", "repeat", "judge_repeat", "dimension"])
    broken = st.tuples(whole, st.dictionaries(names, anything, max_size=2)).map(lambda two: two[0] | two[1])
    return st.lists(st.one_of(whole, whole, whole, broken), max_size=8)


def as_json_lines(rows: list[dict[str, Any]]) -> bytes:
    return "\n".join(map(json.dumps, rows)).encode()


def as_csv(rows: list[dict[str, Any]]) -> bytes:
    file = io.StringIO()
    writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode("utf-8", "surrogatepass")


fuzzed = settings(
    max_examples=max(20, FUZZ_INPUTS // 20),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
@fuzzed
@given(rows=records(RATING, PREFERENCE))
def test_what_people_said_is_read_or_refused(checker: Checker, suffix: str, rows: list[dict[str, Any]]) -> None:
    checker("human", suffix, as_csv(rows) if suffix == ".csv" else as_json_lines(rows))


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
@fuzzed
@given(rows=records(PAIR))
def test_what_judges_said_is_read_or_refused(checker: Checker, suffix: str, rows: list[dict[str, Any]]) -> None:
    checker("pairs", suffix, as_csv(rows) if suffix == ".csv" else as_json_lines(rows))


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
@fuzzed
@given(
    parts=st.lists(
        st.sampled_from(
            [*HOSTILE, b"sample,editor,value\n", b'{"sample": "a", "editor": "old", "value": 1}\n', b"a,old,1\n"]
        )
        | st.binary(max_size=20),
        max_size=6,
    )
)
def test_bytes_of_any_kind_are_read_or_refused(checker: Checker, suffix: str, parts: list[bytes]) -> None:
    checker("human", suffix, b"".join(parts))


def test_what_is_good_is_read(checker: Checker) -> None:
    rows = [{"sample": key, "editor": "old", "value": place} for place, key in enumerate(KEYS)]

    assert checker("human", ".jsonl", as_json_lines(rows))
    assert checker("human", ".csv", as_csv(rows))


# -- by a recipe -------------------------------------------------------------------------------------------------------

RECIPES = ("gedit", "rise")
JUDGED = {
    "sample": st.sampled_from(KEYS),
    "category": st.sampled_from(["spatial_reasoning", "logical_reasoning"]),
    "editor": st.just("old"),
    "scorer": st.just("judge"),
}
SAID = st.fixed_dictionaries({"value": st.integers(0, 11)}) | st.fixed_dictionaries(
    {"reply": st.sampled_from(['{"score": [1, 9]}', "Final Score: 5", "Final Score: 1", "nothing"])}
)
BESIDE = {
    "dimension": st.sampled_from(["SC", "O", "C", "R", "P", "kept", "solved", "score", "overall"]),
    "question": st.sampled_from(["semantic consistency", "perceptual quality", "consistency", "reasoning"]),
    "fields": st.dictionaries(st.sampled_from(["consistency_free", "n"]) | names, anything, max_size=2),
    "reference_text": st.just("a wet street") | anything,
    "reference": st.just("1.png") | anything,
    "description": anything,
    "failure": st.sampled_from(["unparsed", "edit_failed"]),
}
lines_by_recipe = st.lists(
    st.tuples(
        st.fixed_dictionaries(JUDGED),
        SAID,
        st.lists(st.sampled_from(sorted(BESIDE)), max_size=2).flatmap(
            lambda chosen: st.fixed_dictionaries({name: BESIDE[name] for name in chosen})
        ),
    ).map(lambda parts: {**parts[0], **parts[1], **parts[2]}),
    max_size=5,
)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("recipe", RECIPES)
@fuzzed
@given(rows=lines_by_recipe)
def test_what_follows_a_recipe_is_entered_whole_or_refused(checker: Checker, recipe: str, rows: list[Any]) -> None:
    path = checker.folder / "by-recipe.jsonl"
    path.write_bytes(as_json_lines(rows))
    publication = publication_of(path, name="r", scale=None, aggregate=None, allow_missing=True, recipe=recipe)
    try:
        found = import_scores(publication, ledger=checker.ledger, images=FolderStore(checker.folder / "i"))
    except BenchmarkInvalid as refused:
        assert refused.faults
        assert all(line.isprintable() and len(line) <= 1000 for line in refused.faults)
        return
    assert import_scores(publication, ledger=checker.ledger, images=FolderStore(checker.folder / "i")).new == []
    for run_id in found.run_ids.values():
        report = gather_report(checker.ledger.engine, run_id)
        assert report.official is not None and not report.partial
        assert "NaN" not in report_document(report).as_text("json")
