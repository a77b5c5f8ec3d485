"""A sample with several source images, from its file to a judge: through a real ledger and store."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image
from sqlalchemy import Engine, select, update

from db.engine import reading, transaction
from db.images import FolderStore, digest_of
from db.ledger import Ledger
from db.one_sample import edit_once_more, find_sample, scores_once_more
from db.tables import State, benchmarks, edits, samples
from db.upkeep.finding import Inspection, Standing
from db.upkeep.gc import collect
from db.upkeep.pictures import edit_faults
from producer.benchmark import open_benchmark
from producer.submit import submit
from tests.factories import configuration, png
from workers.models.protocols import EditRequest, ScoreRequest
from workers.stint.reading import Reader


def submitted(engine: Engine, folder: Path, **fields: object) -> tuple[str, Ledger, FolderStore]:
    """Submit one sample with these fields; return the run's id."""
    for name, colour in (("a", "red"), ("b", "blue"), ("c", "green")):
        (folder / f"{name}.png").write_bytes(png(colour=colour))
    record = {
        "key": "p",
        "category": "物理",
        "instruction": "join them",
        "image": ["a.png", "b.png", "c.png"],
        **fields,
    }
    (folder / "b.jsonl").write_text(json.dumps(record))
    ledger, images = Ledger(engine), FolderStore(folder / "images")
    done = submit(
        open_benchmark(folder / "b.jsonl"), configuration(), ledger=ledger, images=images, send=lambda _bells: None
    )
    return done.run_id, ledger, images


def colours(*pictures: Image.Image) -> list[object]:
    return [picture.getpixel((0, 0)) for picture in pictures]


def test_editor_and_judge_get_all_of_them_in_their_order(engine: Engine, tmp_path: Path) -> None:
    run_id, _, images = submitted(engine, tmp_path, reference_text="a row of three")
    reader = Reader(images)

    claim = edit_once_more(engine, run_id, find_sample(engine, run_id, "p"), 0)
    [(score, _)] = scores_once_more(engine, claim, claim.source_image)
    edit, asked = reader.edit_request(claim), reader.score_requests([score])[0]

    assert isinstance(edit, EditRequest)
    assert isinstance(asked, ScoreRequest)
    expected = [(255, 0, 0), (0, 0, 255), (0, 128, 0)]
    assert colours(edit.source, *edit.more_sources) == colours(asked.source, *asked.more_sources) == expected
    assert asked.reference_text == "a row of three"


def test_none_of_them_is_removed_as_unnamed(engine: Engine, tmp_path: Path) -> None:
    _, _, images = submitted(engine, tmp_path)

    removed = collect(engine, images, older_than_seconds=0, now=10**11)

    assert removed.files == 0
    assert len(list(images.stored())) == 3


def test_an_edit_is_not_made_again_without_one_of_them(engine: Engine, tmp_path: Path) -> None:
    run_id, ledger, images = submitted(engine, tmp_path)
    edited, further = "f" * 64, digest_of((tmp_path / "b.png").read_bytes())
    with transaction(engine) as connection:
        done = {"state": State.DONE, "image": edited, "attempt": 1, "finished_at": 1.0}
        connection.execute(update(edits).where(edits.c.run_id == run_id).values(**done))
    images.path(further).unlink()

    found = list(edit_faults(Inspection(ledger, images, repair=True)))

    assert [(one.standing, one.what.endswith("and so is its source")) for one in found] == [(Standing.LEFT, True)]
    with reading(engine) as connection:
        assert connection.scalars(select(edits.c.state)).all() == [State.DONE]


def test_other_further_sources_make_another_benchmark(engine: Engine, tmp_path: Path) -> None:
    submitted(engine, tmp_path)
    submitted(engine, tmp_path, image=["a.png", "c.png", "b.png"])
    submitted(engine, tmp_path, image="a.png")

    with reading(engine) as connection:
        assert len(connection.scalars(select(benchmarks.c.id)).all()) == 3
        assert sorted(len(more.split()) for more in connection.scalars(select(samples.c.more_sources))) == [0, 2, 2]
