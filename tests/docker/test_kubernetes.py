"""The manifests for Kubernetes: valid by its schemas, bound to each other by right names; and what KEDA counts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from kombu.transport.redis import PRIORITY_STEPS
from sqlalchemy import Engine, create_engine, make_url, text

import celeryconfig
from tests.docker.files import DOCKER, compose, instructions
from tests.factories import original_file
from tests.farm.conftest import ROOT
from tests.producer.shell import Shell
from workers.lease import HANDING_BACK_SECONDS, OVERDUE_SECONDS

FOLDER = DOCKER / "kubernetes"
CUSTOM = {"ScaledObject", "TriggerAuthentication", "PodMonitor"}
"""Kinds that others than Kubernetes define: no schema of ours knows them."""

SCALED_OBJECT = {
    "scaleTargetRef": {"name"},
    "minReplicaCount": int,
    "maxReplicaCount": int,
    "pollingInterval": int,
    "cooldownPeriod": int,
    "advanced": {"horizontalPodAutoscalerConfig"},
    "triggers": list,
}
TRIGGERS = {
    "postgresql": {"query", "targetQueryValue", "activationTargetQueryValue"},
    "redis": {"address", "databaseIndex", "listName", "listLength"},
}
"""What KEDA's documentation calls the fields of a trigger's metadata, every one of them a text."""

Manifest = dict[str, Any]


def of_file(name: str) -> list[Manifest]:
    return [dict(one) for one in yaml.safe_load_all((FOLDER / name).read_text())]


FILES = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.yaml"))
ALL = [(name, one) for name in FILES for one in of_file(name)]


def kind(*kinds: str) -> list[Manifest]:
    return [one for _, one in ALL if one["kind"] in kinds]


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every pod by its name: what its labels and its spec are."""
    for one in kind("Deployment", "StatefulSet", "Job"):
        yield one["metadata"]["name"], one["spec"]["template"]


def container(pod: dict[str, Any]) -> dict[str, Any]:
    (only,) = pod["spec"]["containers"]
    return dict(only)


def worker() -> dict[str, Any]:
    return dict(pods())["worker"]


# -- all of them -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "manifest"),
    [pytest.param(name, one, id=f"{name}-{one['kind']}-{one['metadata']['name']}") for name, one in ALL],
)
def test_a_manifest_is_valid_and_in_the_farms_namespace(name: str, manifest: Manifest) -> None:
    if manifest["kind"] not in CUSTOM:
        kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)
    if manifest["kind"] != "Namespace":
        assert manifest["metadata"]["namespace"] == "editfarm"


def test_the_validator_knows_these_kinds_and_refuses_what_is_misspelt() -> None:
    manifest = json.loads(json.dumps(kind("Deployment")[0]))
    manifest["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def test_no_secret_is_filled_in() -> None:
    for one in kind("Secret"):
        assert all("CHANGE-ME" in value or not value for value in one["stringData"].values())


def test_every_pod_runs_as_a_user_that_is_not_root_and_gains_nothing() -> None:
    for name, pod in pods():
        outer, inner = pod["spec"]["securityContext"], container(pod)["securityContext"]
        assert outer["runAsNonRoot"] is True and outer["runAsUser"] > 0, name
        assert outer["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["spec"]["automountServiceAccountToken"] is False, name
        assert inner == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name
        if "editfarm" in container(pod)["image"]:
            assert f"USER {outer['runAsUser']}:{outer['runAsGroup']}" in (DOCKER / "Dockerfile").read_text()


def test_no_service_sets_variables_of_a_pod() -> None:
    """A service called flower sets FLOWER_PORT=tcp://..., and Flower does not start."""
    for name, pod in pods():
        assert pod["spec"]["enableServiceLinks"] is False, name


def test_every_pod_of_the_farm_that_uses_the_broker_has_the_farms_settings() -> None:
    for name, pod in pods():
        if pod["metadata"]["labels"].get("farm") == "member":
            assert {"configMapRef": {"name": "editfarm"}} in container(pod)["envFrom"], name


def test_every_name_that_a_pod_refers_to_is_there() -> None:
    there = {(one["kind"], one["metadata"]["name"]): one for _, one in ALL}
    for name, pod in pods():
        for source in container(pod).get("envFrom", ()):
            assert ("ConfigMap", source.get("configMapRef", {"name": "editfarm"})["name"]) in there, name
            assert ("Secret", source.get("secretRef", {"name": "editfarm"})["name"]) in there, name
        for variable in container(pod).get("env", ()):
            if reference := variable.get("valueFrom", {}).get("secretKeyRef"):
                assert reference["key"] in there["Secret", reference["name"]]["stringData"], name
        volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes", ())} | {"data": {}}
        assert {mount["name"] for mount in container(pod)["volumeMounts"]} <= set(volumes), name
        for volume in volumes.values():
            if "persistentVolumeClaim" in volume:
                assert ("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]) in there, name


def test_selectors_find_pods_and_addresses_find_services() -> None:
    labels = [pod["metadata"]["labels"] for _, pod in pods()]
    wanted = [one["spec"]["selector"] for one in kind("Service")]
    wanted += [one["spec"]["selector"]["matchLabels"] for one in kind("Deployment", "StatefulSet", "PodMonitor")]
    for selector in wanted:
        assert any(selector.items() <= one.items() for one in labels), selector

    services = {one["metadata"]["name"] for one in kind("Service")}
    everything = "".join((FOLDER / name).read_text() for name in FILES)
    assert set(re.findall(r"[@\"]([a-z]+)\.editfarm:\d+", everything)) <= services


def test_whoever_uses_broker_or_database_is_let_in() -> None:
    for name, pod in pods():
        uses = "FARM_BROKER_URL" in str(container(pod)) or "secretRef" in str(container(pod).get("envFrom"))
        assert (pod["metadata"]["labels"].get("farm") == "member") == uses, name


def test_services_are_those_of_the_compose_file() -> None:
    theirs = {one["image"] for one in compose()["services"].values()}
    ours = {container(pod)["image"] for _, pod in pods()}

    assert {image for image in ours if "editfarm" not in image} <= theirs


# -- workers -----------------------------------------------------------------------------------------------------------


def test_a_worker_has_one_gpu_and_is_waited_for_until_it_has_ended_itself() -> None:
    (settings,) = kind("ConfigMap")
    grace = int(settings["data"]["FARM_GRACE_SECONDS"])

    assert container(worker())["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert worker()["spec"]["terminationGracePeriodSeconds"] > grace + OVERDUE_SECONDS + HANDING_BACK_SECONDS


def test_a_workers_probes_are_the_images_health_check() -> None:
    (check,) = (rest for word, rest in instructions(DOCKER / "Dockerfile") if word == "HEALTHCHECK")
    command = json.loads(check.partition("CMD ")[2])

    for probe in ("startupProbe", "livenessProbe"):
        assert container(worker())[probe]["exec"]["command"] == command
    assert {"name": "FARM_HEARTBEAT_FILE", "value": "/tmp/heartbeat"} in container(worker())["env"]


# -- KEDA --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["optional/keda-ledger.yaml", "optional/keda-queue.yaml"])
def test_what_keda_reads_has_the_fields_that_it_knows_and_names_that_are_there(file: str) -> None:
    named = {(one["kind"], one["metadata"]["name"]): one for one in of_file(file)}
    (scaled,) = (one for one in of_file(file) if one["kind"] == "ScaledObject")
    (login,) = (one for one in of_file(file) if one["kind"] == "TriggerAuthentication")

    assert scaled["apiVersion"] == login["apiVersion"] == "keda.sh/v1alpha1"
    for field, value in scaled["spec"].items():
        known = SCALED_OBJECT[field]
        assert set(value) <= known if isinstance(known, set) else isinstance(value, known), field
    assert scaled["spec"]["scaleTargetRef"]["name"] in dict(pods())
    for trigger in scaled["spec"]["triggers"]:
        assert set(trigger) == {"type", "authenticationRef", "metadata"}
        assert set(trigger["metadata"]) == TRIGGERS[trigger["type"]]
        assert all(isinstance(value, str) for value in trigger["metadata"].values())
        assert ("TriggerAuthentication", trigger["authenticationRef"]["name"]) in named
    secrets = {one["metadata"]["name"]: one["stringData"] for one in kind("Secret")}
    assert all(one["key"] in secrets[one["name"]] for one in login["spec"]["secretTargetRef"])


def lists_of_queues() -> set[str]:
    """Return the lists in Redis that KEDA looks at."""
    (scaled,) = (one for one in of_file("optional/keda-queue.yaml") if one["kind"] == "ScaledObject")
    return {trigger["metadata"]["listName"] for trigger in scaled["spec"]["triggers"]}


def test_keda_looks_at_the_lists_of_every_priority_of_both_queues() -> None:
    queues = [queue.name for queue in celeryconfig.task_queues]
    levels = ["", *(f"\x06\x16{priority}" for priority in PRIORITY_STEPS[1:])]

    assert lists_of_queues() == {f"{queue}{level}" for queue in queues for level in levels}


def query() -> str:
    (scaled,) = (one for one in of_file("optional/keda-ledger.yaml") if one["kind"] == "ScaledObject")
    (trigger,) = scaled["spec"]["triggers"]
    return str(trigger["metadata"]["query"])


def test_the_page_shows_the_query_as_it_is() -> None:
    (shown,) = re.findall(r"```sql\n(.*?)```", (ROOT / "docs" / "kubernetes.md").read_text(), re.DOTALL)

    assert shown.split() == query().split()


@pytest.fixture
def keda(postgres_url: str) -> Iterator[Engine]:
    """The database, as the user whom the manifest describes."""
    engine = create_engine(make_url(postgres_url).set(drivername="postgresql+psycopg"))
    grant = re.findall(r"GRANT .* TO keda;", (FOLDER / "optional/keda-ledger.yaml").read_text())
    with engine.begin() as connection:
        connection.execute(text("CREATE ROLE keda"))
        connection.execute(text(grant[0]))
    yield engine
    with engine.begin() as connection:
        connection.execute(text("RESET ROLE; DROP OWNED BY keda; DROP ROLE keda"))
    engine.dispose()


@pytest.fixture
def submitted(tmp_path: Path, broker_url: str, postgres_url: str) -> Shell:
    """A farm in PostgreSQL with a run of five edits, none of which was begun."""
    shell = Shell(tmp_path, broker_url)
    models = ("--editor", "simulated", "--scorer", "simulated")
    done = shell("submit", original_file(tmp_path, pairs=5), *models, FARM_DATABASE_URL=postgres_url)
    assert done.code == 0, done.err
    return shell


@pytest.mark.integration
def test_keda_sees_a_runs_messages_and_counts_what_waits_and_what_runs_with_a_hundred_scores_for_an_edit(
    submitted: Shell, keda: Engine
) -> None:
    def counted(*changes: str) -> int:
        with keda.begin() as connection:
            connection.execute(text("RESET ROLE"))
            for change in changes:
                connection.execute(text(change))
            connection.execute(text("SET ROLE keda"))
            count = connection.scalar(text(query()))
            connection.execute(text("RESET ROLE"))
        assert isinstance(count, int)
        return count

    running = "UPDATE edits SET state = 'running', attempt = 1, owner = 'o', lease_until = 1 WHERE id = 1"
    ended = (
        "UPDATE edits SET state = 'done', owner = NULL, lease_until = NULL, finished_at = 1,"
        f" image = '{'e' * 64}' WHERE id = 1"
    )
    more_scorers = (
        "INSERT INTO run_scorers (run_id, label, configuration, batch_size)"
        " SELECT run_id, label || n, configuration, batch_size FROM run_scorers, generate_series(1, 20) AS n"
    )
    scores = (
        "INSERT INTO scores (state, not_before, edit_id, scorer_id)"
        " SELECT 'queued', 0, edits.id, run_scorers.id FROM edits, run_scorers"
    )

    assert submitted.messages()
    assert set(submitted.messages()) <= lists_of_queues()
    assert counted() == 5
    assert counted(running) == 5
    assert counted(ended) == 4
    assert counted(more_scorers, scores) == 4 + 2  # 105 scores
    assert counted("DELETE FROM scores", "UPDATE edits SET state = 'cancelled', finished_at = 1 WHERE id > 1") == 0
