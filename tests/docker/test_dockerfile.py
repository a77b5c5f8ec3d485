"""The Dockerfile, as far as it can be checked without Docker: hadolint, facts of the file, its install steps run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.files import DOCKER, compose, instructions
from tests.farm.conftest import ROOT

DOCKERFILE = DOCKER / "Dockerfile"
TARGETS = ("slim", "gpu")


def stages() -> dict[str, list[tuple[str, str]]]:
    """Return the instructions of each stage by its name; what stands before the first one by an empty name."""
    found: dict[str, list[tuple[str, str]]] = {"": []}
    for word, rest in instructions(DOCKERFILE):
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            found[name] = []
            rest = base
        found[list(found)[-1]].append((word, rest))
    return found


def value_of(stage: str, word: str) -> str:
    """Return the last value that the stage gives, itself or by the stage that it starts from."""
    given = [rest for one, rest in stages()[stage] if one == word]
    return given[-1] if given else value_of(stages()[stage][0][1], word)


@pytest.mark.integration
def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    checked = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True)

    assert (checked.returncode, checked.stdout) == (0, "")


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_runs_as_a_user_of_a_fixed_number_that_is_not_root_and_ends_by_sigterm(target: str) -> None:
    assert value_of(target, "USER") == "10001:10001"
    assert "--uid 10001" in str(stages()["base"]) and "--gid 10001" in str(stages()["base"])
    assert value_of(target, "STOPSIGNAL") == "SIGTERM"


def test_no_variable_of_the_build_or_of_the_image_has_a_secrets_name() -> None:
    given = [rest for word, rest in instructions(DOCKERFILE) if word in ("ENV", "ARG")]
    names = {name for rest in given for name in re.findall(r"(\w+)=", rest)}

    assert {"PYTHON", "FARM_HOME"} <= names
    assert not [name for name in names if re.search("PASSWORD|TOKEN|SECRET|KEY|_URL|CREDENTIAL", name)]


def test_the_base_image_is_pinned_by_a_whole_version() -> None:
    (python,) = (rest for word, rest in stages()[""] if word == "ARG")
    assert re.fullmatch(r"PYTHON=3\.11\.\d+-slim-\w+", python)

    bases = {one[0][1] for name, one in stages().items() if name}
    assert bases == {"python:${PYTHON}", "base", "install"}


def test_what_pip_installs_is_locked_and_its_cache_left_out() -> None:
    installs = [rest for word, rest in instructions(DOCKERFILE) if word == "RUN" and "pip install" in rest]

    assert len(installs) == len(TARGETS)
    assert all("--no-cache-dir --constraint constraints.txt" in one for one in installs)


def test_the_health_check_is_the_one_of_the_compose_file() -> None:
    options, _, command = value_of("gpu", "HEALTHCHECK").partition("CMD ")
    inside = compose()["x-worker"]["healthcheck"]

    assert ["CMD", *json.loads(command)] == inside["test"]
    for name in ("interval", "timeout", "start-period", "retries"):
        assert f"--{name}={inside[name.replace('-', '_')]}" in options


def test_nothing_comes_into_the_build_but_what_is_installed() -> None:
    """Checked by the words that `.dockerignore` lets in again after it has left out everything."""
    ignored, *others = [
        line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")
    ]
    let_in = {line.removeprefix("!") for line in others if line.startswith("!")}
    copied = {name for rest in copies() for name in rest[:-1]}

    assert ignored == "*"
    assert let_in == copied
    assert {"**/.env", "**/__pycache__"} == {line for line in others if not line.startswith("!")}


def test_all_that_the_package_is_made_of_comes_into_the_build() -> None:
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    modules = {f"{module.replace('.', '/')}.py" for module in setup["py-modules"]}
    folders = {pattern.removesuffix("*") for pattern in setup["packages"]["find"]["include"]}

    assert modules | folders <= {name for rest in copies() for name in rest[:-1]}


def copies() -> Iterator[list[str]]:
    """Yield the words of each COPY from the build's context."""
    return (rest.split() for word, rest in instructions(DOCKERFILE) if word == "COPY" and "--from" not in rest)


# -- its install steps -------------------------------------------------------------------------------------------------


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_the_slim_images_install_steps_give_a_producer_and_flower_without_torch(tmp_path: Path) -> None:
    source, prefix = tmp_path / "src", tmp_path / "opt"
    take_tracked_files(source)

    for word, rest in [*stages()["install"], *stages()["install-slim"]]:
        if word == "RUN":
            run(rest.replace("/opt/editfarm", str(prefix)), source, prefix)

    assert "No module named 'torch'" in run("python -c 'import torch'", tmp_path, prefix, code=1)
    assert "submit" in run("python -m producer --help", tmp_path, prefix)
    assert "monitoring and administrating" in run("celery -A workers flower --help", tmp_path, prefix)
    assert str(prefix) in run("python -c 'import producer; print(producer.__file__)'", tmp_path, prefix)
    versions = run("pip freeze", tmp_path, prefix)
    locked = {line for line in (ROOT / "constraints.txt").read_text().lower().splitlines() if "==" in line}
    installed = {line.lower() for line in versions.splitlines() if "==" in line}
    assert installed and installed <= locked


def take_tracked_files(folder: Path) -> None:
    """Copy what git knows of the words that the Dockerfile copies."""
    wanted = [name for rest in copies() for name in rest[:-1]]
    listed = subprocess.run(["git", "ls-files", "-z", *wanted], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)


def run(command: str, folder: Path, prefix: Path, *, code: int = 0) -> str:
    """Run a shell command as a build would, with the environment of the prefix first on the path."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("FARM_", "PYTHON", "VIRTUAL"))
    }
    environment["PATH"] = os.pathsep.join([str(prefix / "bin"), str(Path(sys.executable).parent), environment["PATH"]])
    done = subprocess.run(["/bin/sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == code, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout + done.stderr
