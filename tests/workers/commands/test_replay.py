"""`replay`: one sample's jobs done once more, in a process of its own, which changes nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from db.choice import IMPORTED
from db.engine import open_engine, reading, transaction
from db.images import FolderStore, digest_of
from db.ledger import Ledger
from db.tables import metadata, runs
from tests.db.steps import finish_edit
from tests.factories import png
from tests.producer.by_hand import RunByHand
from tests.producer.shell import Finished, Shell, command

pytestmark = pytest.mark.integration

NO_BROKER = "redis://127.0.0.1:1/0"
EDITOR = {"name": "simulated", "seconds": 0, "steps": 2, "width": 16, "height": 16}
SCORERS = [{"name": "simulated", "label": label, "seconds": 0, "seed": seed} for seed, label in enumerate(("严", "宽"))]


@dataclass
class Scene:
    """A farm without a broker, whose image store holds the source of every sample."""

    shell: Shell
    engine: Engine
    images: FolderStore

    def run(self, **given: Any) -> RunByHand:
        """Enter a run of one sample, `a`."""
        asked = {"editor": EDITOR, "scorers": SCORERS, **given}
        return RunByHand(Ledger(self.engine), [("物理", "a")], **asked)

    def replay(self, run: RunByHand, *arguments: str | Path) -> Finished:
        return self.shell("replay", run.id, "a", *arguments)

    def everything(self) -> dict[str, Any]:
        """Return every row of the ledger, and every file of the store."""
        with reading(self.engine) as connection:
            rows = {name: connection.execute(select(table)).all() for name, table in metadata.tables.items()}
        return {**rows, "files": sorted(self.shell.images())}


def scene_at(folder: Path, url: str) -> Iterator[Scene]:
    shell = Shell(folder, NO_BROKER)
    shell.environment["FARM_DATABASE_URL"] = url
    images, engine = FolderStore(shell.home / "images"), open_engine(url)
    images.put(png())
    yield Scene(shell, engine, images)
    engine.dispose()


@pytest.fixture
def scene(tmp_path: Path, sqlite_url: str) -> Iterator[Scene]:
    yield from scene_at(tmp_path, sqlite_url)


@pytest.fixture
def any_scene(tmp_path: Path, database_url: str) -> Iterator[Scene]:
    """The same, once with each database."""
    yield from scene_at(tmp_path, database_url)


def test_a_replay_makes_the_edit_and_gives_every_score_and_changes_nothing(any_scene: Scene, tmp_path: Path) -> None:
    run = any_scene.run()
    before = any_scene.everything()

    done = any_scene.replay(run, "-o", tmp_path / "new.png")

    assert done.code == 0, done.err
    made = (tmp_path / "new.png").read_bytes()
    assert f"16 x 16, PNG {digest_of(made)}" in done.out
    assert "there is no stored image to compare it with" in done.out
    assert done.out.count("the new image") == 2
    assert done.out.count("there is no stored one") == 2
    assert '"step": 2' in done.err  # the whole log
    assert any_scene.everything() == before


def kept(scene: Scene, run: RunByHand, image: bytes) -> None:
    """Finish the edit with this image."""
    assert finish_edit(run.ledger, run.start_edit("a"), scene.images.put(image), seconds=1) is not None


def test_the_new_image_is_compared_with_the_stored_one(scene: Scene, tmp_path: Path) -> None:
    run, other = scene.run(), scene.run(seed=1)
    scene.replay(run, "--stage=edit", "-o", tmp_path / "new.png")
    kept(scene, run, (tmp_path / "new.png").read_bytes())
    kept(scene, other, png(16, 16, "black"))

    equal, different = scene.replay(run, "--stage=edit"), scene.replay(other, "--stage=edit")

    assert "equal to the stored image" in equal.out
    assert f"differs from the stored image {digest_of(png(16, 16, 'black'))}, by at most " in different.out
    assert (equal.code, different.code) == (0, 0)
    assert "score" not in equal.out


def test_a_score_is_given_beside_the_stored_one_to_the_stored_image(scene: Scene) -> None:
    run = scene.run()
    kept(scene, run, png(16, 16, "black"))
    run.score("a", "严", 3)
    run.fail_score("a", "宽", "said nothing")

    done = scene.replay(run, "--stage=score")

    strict, kind = (line for line in done.out.splitlines() if " s; " in line)
    assert strict.endswith("; the stored score is 3.00")
    assert kind.endswith("; the stored one failed, model: said nothing")
    assert done.out.count("the stored image") == 2
    assert not [line for line in done.out.splitlines() if line.startswith("edit")]


def test_the_new_image_is_scored_where_that_is_wanted_and_only_by_the_scorer_named(scene: Scene) -> None:
    run = scene.run()
    kept(scene, run, png(16, 16, "black"))

    new, stored = scene.replay(run, "--new-image", "--scorer=宽"), scene.replay(run, "--scorer=宽")

    said = [line.partition(",")[2] for done in (new, stored) for line in done.out.splitlines() if "score" in line[:5]]
    assert [line.partition(", seed")[0] for line in said] == [
        " repeat 0, by 宽: the new image",
        " repeat 0, by 宽: the stored image",
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"editor": {**EDITOR, "fail_rate": 1}}, "failed, model: simulated: this sample was drawn to fail"),
        ({"scorers": [{**SCORERS[0], "fail_rate": 1}]}, "; there is no stored one"),
    ],
    ids=["the edit", "a score"],
)
def test_a_job_that_fails_ends_the_replay_with_code_1_and_its_traceback(
    scene: Scene, given: dict[str, Any], said: str
) -> None:
    run = scene.run(**given)
    before = scene.everything()

    done = scene.replay(run)

    assert done.code == 1
    assert said in done.out
    assert "Traceback (most recent call last)" in done.err
    assert scene.everything() == before


def test_a_gpu_that_fails_ends_the_replay_with_code_1(scene: Scene) -> None:
    done = scene.replay(scene.run(editor={**EDITOR, "cuda_error_on": ["a"]}))

    assert done.code == 1
    assert "the GPU failed: RuntimeError: CUDA error" in done.out
    assert "Traceback" in done.err


def test_a_source_that_is_lost_is_a_failure_of_the_replay(scene: Scene) -> None:
    run = scene.run()
    (file,) = scene.shell.images()
    file.unlink()

    done = scene.replay(run)

    assert done.code == 1
    assert "failed, store: image" in done.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--scorer=中"], "has no scorer '中'; it has 严, 宽"),
        (["--repeat=1"], "sample 'a' has no repeat 1"),
        (["--stage=score", "-o", "x.png"], "-o is for the image that is made now"),
        (["--stage=score", "--new-image"], "--new-image is for the image that is made now"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line_before_anything_is(
    scene: Scene, arguments: list[str], said: str
) -> None:
    done = scene.replay(scene.run(), *arguments)

    assert done.code == 2
    assert said in done.complaint


def test_an_imported_run_is_refused(scene: Scene) -> None:
    run = scene.run()
    with transaction(scene.engine) as connection:
        asked = connection.scalar(select(runs.c.configuration)) or {}
        imported = {**asked, "editor": {**asked["editor"], "name": IMPORTED}}
        connection.execute(update(runs).values(configuration=imported))

    done = scene.replay(run)

    assert done.code == 2
    assert f"run {run.id} was imported" in done.complaint


def test_ctrl_c_ends_a_replay_at_once(scene: Scene) -> None:
    run = scene.run(editor={**EDITOR, "seconds": 100})
    replaying = subprocess.Popen(
        command("replay", run.id, "a"),
        cwd=scene.shell.folder,
        env=scene.shell.environment | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert replaying.stdout is not None
    assert replaying.stdout.readline().startswith("edit of a, repeat 0, by simulated: seed ")

    began = time.monotonic()
    os.kill(replaying.pid, signal.SIGINT)

    assert replaying.wait(20) == -signal.SIGINT  # 130, as shells have it
    assert time.monotonic() - began < 5
    replaying.stdout.close()
