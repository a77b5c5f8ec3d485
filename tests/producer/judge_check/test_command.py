"""`judge-check` as a command: what it writes, where, and what it refuses in one line each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.producer.shell import Shell

pytestmark = pytest.mark.integration

SCORES = [
    {"sample": f"s{number}", "category": "物理", "editor": editor, "scorer": "judge", "value": (number + more) % 10}
    for number in range(12)
    for more, editor in enumerate(("old", "new"))
]


@pytest.fixture
def runs(shell: Shell) -> list[str]:
    written(shell, "scores.jsonl", SCORES)
    return shell("import-scores", "scores.jsonl").out.split()


def written(shell: Shell, name: str, lines: list[dict[str, object]]) -> Path:
    path = shell.folder / name
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return path


def human(shell: Shell) -> Path:
    rows = [{name: line[name] for name in ("sample", "editor", "value")} for line in SCORES]
    return written(shell, "human.jsonl", rows)


def test_it_is_a_table_or_json_or_a_file(shell: Shell, runs: list[str]) -> None:
    human(shell)

    table = shell("judge-check", *runs, "--human", "human.jsonl")
    data = shell("judge-check", *runs, "--human", "human.jsonl", "--json")
    to_file = shell("judge-check", *runs, "--human", "human.jsonl", "--format", "md", "-o", "there.md")

    assert (table.code, table.err) == (0, "")
    assert "pairwise accuracy" in table.out
    assert json.loads(data.out)["scorers"][0]["overall"]["kendall"]["value"] == 1.0
    assert (to_file.code, to_file.out) == (0, "")
    assert (shell.folder / "there.md").read_text(encoding="utf-8").startswith("# May this judge be trusted?")


def test_pairs_alone_are_enough(shell: Shell, runs: list[str]) -> None:
    (shell.folder / "pairs.csv").write_text("sample,first,second,preferred\ns1,old,new,first\ns1,new,old,first\n")

    done = shell("judge-check", *runs, "--pairs", "pairs.csv", "--format", "json")

    (found,) = json.loads(done.out)["order_effects"]
    assert (found["preferred_first"]["share"], found["both_orders"], found["followed_first"]["count"]) == (1.0, 1, 1)


def test_the_faults_of_a_file_are_a_line_each(shell: Shell, runs: list[str]) -> None:
    (shell.folder / "human.csv").write_text("sample,editor,value\ns1,old,x\ns99,old,1\n")

    done = shell("judge-check", *runs, "--human", "human.csv")

    assert (done.code, done.out) == (4, "")
    assert done.err.splitlines() == [
        "error: human.csv: 2 faults, nothing was compared",
        "  line 2: value: expected a number, found a text",
        "  line 3: sample 's99' is none of the benchmark's: "
        "'s0', 's1', 's2', 's3', 's4', 's5', 's6', 's7', 's8', 's9', and 2 more",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "error: nothing to check with: give --human FILE "),
        (["--human", "nowhere.csv"], 4, "error: nowhere.csv: cannot be read: No such file or directory"),
        (
            ["--human", "human.txt"],
            2,
            "error: --human human.txt: expected a file that ends in one of .csv, .tsv, .jsonl, .ndjson",
        ),
        (["--human", "human.jsonl", "--scorer", "odd"], 2, "error: --scorer odd: the runs have 'judge'"),
        (["--human", "human.jsonl", "-o", "nowhere/there"], 2, "error: -o nowhere/there: there is no folder nowhere"),
    ],
)
def test_what_is_wrong_is_one_line(shell: Shell, runs: list[str], arguments: list[str], code: int, said: str) -> None:
    human(shell)

    done = shell("judge-check", *runs, *arguments)

    assert done.code == code
    assert done.complaint.startswith(said)
