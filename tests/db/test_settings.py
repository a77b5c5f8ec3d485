"""Settings: one name, one default and one clear complaint each."""

from __future__ import annotations

import stat
from dataclasses import asdict
from pathlib import Path

import pytest

from db.errors import WrongCall
from db.settings import Settings, farm_home, known_settings, settings


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No .env but the test's own."""
    monkeypatch.chdir(tmp_path)


def test_without_anything_set_all_is_below_the_folder_farm(tmp_path: Path) -> None:
    found = settings()
    assert found.home_path == tmp_path / "farm"
    assert found.database == f"sqlite:///{tmp_path}/farm/farm.db"
    assert found.image_store == str(tmp_path / "farm" / "images")
    assert found.broker_url is None
    assert (found.lease_seconds, found.grace_seconds, found.log_format) == (30, 60, "auto")


def test_the_environment_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARM_HOME", "/srv/farm")
    monkeypatch.setenv("FARM_IMAGES", "/mnt/images")
    monkeypatch.setenv("FARM_DATABASE_URL", "postgresql://farm@db/farm")
    monkeypatch.setenv("FARM_LEASE_SECONDS", "90")
    found = settings()
    assert (found.home_path, found.image_store) == (Path("/srv/farm"), "/mnt/images")
    assert (found.database, found.lease_seconds) == ("postgresql://farm@db/farm", 90)


def test_the_images_follow_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARM_HOME", "/srv/farm")
    assert settings().image_store == "/srv/farm/images"
    assert settings().database == "sqlite:////srv/farm/farm.db"


def test_a_tilde_is_the_users_own_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("FARM_HOME", "~/farm")
    assert settings().home_path == Path("/home/ada/farm")


def test_the_environment_goes_before_the_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("FARM_LEASE_SECONDS=40\nFARM_GRACE_SECONDS=5\nOTHER=1\n")
    monkeypatch.setenv("FARM_LEASE_SECONDS", "90")
    assert (settings().lease_seconds, settings().grace_seconds) == (90, 5)


def test_a_setting_that_is_empty_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "DATABASE_URL", "BROKER_URL", "IMAGES", "LEASE_SECONDS"):
        monkeypatch.setenv(f"FARM_{name}", "")
    assert settings() == Settings()


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("FARM_LEASE_SECONDS", "two", "valid integer"),
        ("FARM_LEASE_SECONDS", "4", "greater than or equal to 5"),
        ("FARM_LEASE_SECONDS", "3601", "less than or equal to 3600"),
        ("FARM_LEASE_SECONDS", "7.5", "valid integer"),
        ("FARM_GRACE_SECONDS", "0", "greater than or equal to 1"),
        ("FARM_GRACE_SECONDS", "a while", "valid integer"),
        ("FARM_LOG_FORMAT", "xml", "auto|text|json"),
    ],
)
def test_a_bad_value_is_one_line_that_names_the_variable(
    name: str, value: str, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(WrongCall) as error:
        settings()
    message = str(error.value)
    assert message.startswith(f"{name}: ")
    assert complaint in message
    assert "\n" not in message


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARM_DATABASE_URL", "postgresql://root:geheim@db/farm")
    monkeypatch.setenv("FARM_BROKER_URL", "redis://:geheim@broker/0")
    found = settings()
    assert "geheim" not in f"{found!r} {found!s} {asdict(found)!r} {found.database_url}"
    assert found.database == "postgresql://root:geheim@db/farm"


def test_a_complaint_about_one_setting_shows_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARM_DATABASE_URL", "postgresql://root:geheim@db/farm")
    monkeypatch.setenv("FARM_LEASE_SECONDS", "two")
    with pytest.raises(WrongCall) as error:
        settings()
    assert "geheim" not in f"{error.value} {error.value.__cause__}"


def test_settings_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = settings()
    monkeypatch.setenv("FARM_LEASE_SECONDS", "90")
    assert settings() is first


def test_a_new_home_is_private(tmp_path: Path) -> None:
    assert farm_home() == tmp_path / "farm"
    assert stat.S_IMODE((tmp_path / "farm").stat().st_mode) == 0o700
    assert farm_home() == tmp_path / "farm"


def test_every_setting_says_what_it_is() -> None:
    assert all(setting.description for setting in known_settings().values())
