"""What the doctor says of settings, FARM_HOME and .env, and that what it advises mends them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from producer.doctor.finding import State
from tests.producer.doctor.conftest import Look, commands_of, states


def test_every_setting_that_cannot_be_read_is_a_fault_of_its_own(look: Look) -> None:
    wrong = {"FARM_LEASE_SECONDS": "two", "FARM_METRICS_PORT": "70000", "FARM_LINGER_SECONDS": "0.5"}

    found = look("settings", **wrong)

    assert [(one.state, one.seen.partition(":")[0]) for one in found] == [
        (State.FAULT, "FARM_LEASE_SECONDS"),
        (State.FAULT, "FARM_METRICS_PORT"),
    ]
    assert [look(name) for name in ("home", "broker", "database", "store", "visibility-timeout")] == [[]] * 5


def test_a_misspelt_setting_is_a_warning_that_names_the_right_one(look: Look) -> None:
    (found,) = look("settings", FARM_LEASE_SECOND="60")

    assert (found.state, found.fix) == (State.WARNING, "rename FARM_LEASE_SECOND to FARM_LEASE_SECONDS")
    assert states(look("settings", FARM_LEASE_SECOND=None, FARM_LEASE_SECONDS="60")) == [State.OK]


def test_a_secret_in_a_setting_is_not_shown(look: Look) -> None:
    found = look("settings", FARM_JUDGE_API_KEY="s3cret", FARM_BROKER_URL="redis://:s3cret@h/0")

    assert "s3cret" not in "".join(one.model_dump_json() for one in found)


@pytest.mark.parametrize(("mode", "state"), [(0o755, State.WARNING), (0o750, State.WARNING), (0o700, State.OK)])
def test_a_home_that_others_can_look_into_is_a_warning_and_its_fix_mends_it(
    look: Look, tmp_path: Path, mode: int, state: State
) -> None:
    home = tmp_path / "农场 it's"
    home.mkdir()
    home.chmod(mode)

    (found,) = look("home", FARM_HOME=str(home))

    assert found.state is state
    if state is State.WARNING:
        subprocess.run(commands_of(found)[0], shell=True, check=True)
        assert states(look("home")) == [State.OK]


def test_a_home_that_is_not_there_is_not_made(look: Look, tmp_path: Path) -> None:
    assert states(look("home", FARM_HOME=str(tmp_path / "farm"))) == [State.NOTE]
    assert not (tmp_path / "farm").exists()


def test_no_fix_gives_away_the_folder_in_which_one_would_have_to_be_made(
    look: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = tmp_path / "farm"
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) not in {*tmp_path.parents, tmp_path})

    for check in ("home", "store"):
        (found,) = look(check, FARM_HOME=str(wanted), FARM_IMAGES=str(wanted))
        assert found.state is State.FAULT
        assert commands_of(found) == [f"install -d -m 700 -o {os.geteuid()} {wanted}"]
    subprocess.run(commands_of(found)[0], shell=True, check=True)
    assert states(look("home")) == states(look("store")) == [State.OK]


def test_an_env_file_with_secrets_that_others_can_read_is_a_warning_and_its_fix_mends_it(
    look: Look, tmp_path: Path
) -> None:
    file = tmp_path / ".env"
    file.write_text("FARM_BROKER_URL=redis://:s3cret@127.0.0.1:6379/0\n")
    file.chmod(0o644)

    (found,) = look("env-file")

    assert found.state is State.WARNING
    assert "s3cret" not in found.model_dump_json()
    subprocess.run(commands_of(found)[0], shell=True, check=True)
    assert states(look("env-file")) == [State.OK]


def test_an_env_file_without_secrets_may_be_read(look: Look, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# FARM_BROKER_URL=...\nFARM_LEASE_SECONDS=60\n")

    assert states(look("env-file")) == [State.OK]
