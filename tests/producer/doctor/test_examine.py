"""Checks do not break or hold up one another, and a person and a program can read what they find."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from producer.commands.doctor import doctor
from producer.doctor.checks import CHECKS
from producer.doctor.examine import examine
from producer.doctor.finding import Check, Found, Group, State, Trouble, Unseen, fine
from producer.doctor.schema import Diagnosis, Finding
from producer.doctor.sights import Once, Sights
from producer.doctor.text import print_findings, worst
from tests.farm.servers import Broker
from tests.producer.doctor.conftest import Look
from tests.producer.shell import Shell

BAD = Trouble(State.FAULT, "it is bad", "mend {what}")


def check(name: str, look: object, *troubles: Trouble) -> Check:
    return Check(Group.HOST, name, "", look, troubles)  # type: ignore[arg-type]


def breaks(_sights: Sights) -> Iterator[Found]:
    yield fine("so far")
    raise KeyError("a bug")


def hangs(_sights: Sights) -> Iterator[Found]:
    time.sleep(30)
    yield fine("at last")


def sees_nothing(_sights: Sights) -> Iterator[Found]:
    raise Unseen
    yield


def test_a_check_that_breaks_or_hangs_is_a_fault_and_the_others_go_on() -> None:
    checks = [
        check("breaks", breaks),
        check("hangs", hangs),
        check("unseen", sees_nothing),
        check("last", lambda _: iter([fine("it is well")])),
    ]
    began = time.monotonic()

    found = list(examine(checks, Sights(), seconds=0.3))

    assert time.monotonic() - began < 5
    assert [(one.name, one.state) for one in found] == [
        ("breaks", State.FAULT),
        ("hangs", State.FAULT),
        ("last", State.OK),
    ]
    assert found[0].seen == "KeyError: 'a bug'"


def test_what_is_read_is_read_once_and_a_failure_is_kept() -> None:
    reads: list[int] = []

    def read() -> int:
        reads.append(1)
        raise OSError("gone")

    once = Once(read)

    for _ in range(2):
        with pytest.raises(Unseen):
            once()
    assert str(once.tried()) == "gone"
    assert len(reads) == 1


def test_of_a_server_that_says_nothing_only_the_check_that_asked_it_first_complains() -> None:
    sights = Sights()
    sights.gpus = Once(lambda: time.sleep(5), patience_seconds=0.1)
    asks = [check(name, lambda sights: iter([fine(str(sights.gpus()))])) for name in ("first", "second", "third")]

    found = list(examine(asks, sights, seconds=1.0))

    assert [one.state for one in found] == [State.FAULT]


def test_every_check_has_a_name_of_its_own_and_every_trouble_a_fix() -> None:
    names = [one.name for one in CHECKS]

    assert len(set(names)) == len(names)
    assert all(one.troubles for one in CHECKS)
    assert all(trouble.fix and trouble.state is not State.OK for one in CHECKS for trouble in one.troubles)


def finding(seen: str, state: State = State.OK, fix: str | None = None) -> Finding:
    return Finding(group=Group.SETTINGS, name="home", state=state, seen=seen, fix=fix)


def test_at_80_columns_a_long_line_goes_on_in_its_own_column_also_in_chinese_and_a_command_stays_whole() -> None:
    path = "/数据/图像编辑基准/实验一/结果/农场/很长的路径/图像存储/第二层"
    console = Console(width=80, force_terminal=True, no_color=True, record=True)

    print_findings(console, [finding(f"{path} has mode 755", State.WARNING, f"`chmod 700 '{path}'`")])

    heading, *seen, fix = console.export_text().splitlines()
    assert heading == "settings"
    assert seen[0].startswith("! warning home ")
    assert all(cell_len(line) <= 80 for line in seen)
    assert all(line.startswith(" " * 31) for line in seen[1:])
    assert path in "".join(line[31:].strip() for line in seen)
    assert fix == f"          fix: `chmod 700 '{path}'`"  # whole, so that it can be copied


def test_where_no_terminal_is_each_finding_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    long = "x" * 200
    print_findings(Console(width=80), [finding(long, State.FAULT, "mend it"), finding("all is well")])

    assert capsys.readouterr().out.splitlines() == [
        f"✗ fault   home: {long}; fix: mend it",
        "✓ ok      home: all is well",
    ]


def test_the_worst_state_counts() -> None:
    assert worst([finding("", State.OK), finding("", State.WARNING), finding("", State.NOTE)]) is State.WARNING
    assert worst([]) is State.OK


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.mark.integration
def test_the_command_works_without_anything_and_makes_nothing(shell: Shell, tmp_path: Path) -> None:
    done = shell("doctor", FARM_BROKER_URL="")

    assert done.code == 0, done.out
    assert [*tmp_path.iterdir()] == []
    assert {line.split()[1] for line in done.out.splitlines()} <= {"ok", "note", "warning"}
    assert done.err.endswith("ok\n")


@pytest.mark.parametrize(
    ("flags", "setting", "code"),
    [
        ((), {}, 0),  # this broker has no append-only file: a warning
        (("--strict",), {}, 1),
        ((), {"FARM_LEASE_SECONDS": "two"}, 1),
    ],
)
@pytest.mark.integration
def test_a_fault_is_exit_code_1_and_a_warning_when_strict(
    look: Look,
    monkeypatch: pytest.MonkeyPatch,
    broker_url: str,
    flags: tuple[str, ...],
    setting: dict[str, str],
    code: int,
) -> None:
    monkeypatch.setenv("FARM_BROKER_URL", broker_url)
    for name, value in setting.items():
        monkeypatch.setenv(name, value)

    assert doctor.main([*flags], standalone_mode=False) == code


@pytest.mark.integration
def test_a_model_that_nobody_knows_is_exit_code_2_and_one_line(shell: Shell) -> None:
    done = shell("doctor", "--model", "nonsense")

    assert done.code == 2
    assert "--model nonsense" in done.complaint


@pytest.mark.integration
def test_json_follows_its_schema_and_shows_no_secret_while_the_broker_is_silent(shell: Shell, tmp_path: Path) -> None:
    with Broker(tmp_path / "broker", password="s3cret") as broker:
        broker.freeze()
        began = time.monotonic()

        done = shell("doctor", "--json", FARM_BROKER_URL=broker.url, FLOWER_BASIC_AUTH="me:s3cret")

    assert time.monotonic() - began < 15
    assert done.code == 1
    assert "s3cret" not in done.out + done.err
    diagnosis = Diagnosis.model_validate(json.loads(done.out))
    assert {one.name: one.state for one in diagnosis.findings}["broker"] is State.FAULT
    assert diagnosis.counts.fault == 1
    assert len(diagnosis.findings) > 10
