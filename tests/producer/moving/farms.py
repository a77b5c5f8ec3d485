"""Two farms with a ledger and a store each, and runs of every kind to move between them."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from db.environments import enter_environment
from db.images import FolderStore, digest_of
from db.jobs import Failure
from db.ledger import Ledger
from db.queries import all_runs
from db.rescoring import enter_rescore
from db.tables import FailureKind
from db.upkeep.finding import Inspection
from db.upkeep.fsck import findings
from producer.moving.incoming import Imported, import_run
from producer.moving.outgoing import export
from producer.report.document import report_document
from producer.report.gather import gather_report
from tests.db.given_runs import enter_images
from tests.db.steps import claim_edit, finish_edit, finish_score
from tests.factories import configuration, png
from tests.producer.by_hand import SAMPLES, SCORERS, RunByHand
from tests.producer.published_scores.by_recipe import gedit
from tests.producer.published_scores.importing import Importer, line


@dataclass(frozen=True)
class Farm:
    """A ledger and its image store."""

    ledger: Ledger
    images: FolderStore

    def export(self, run_id: str) -> bytes:
        file = io.BytesIO()
        export(self.ledger.engine, self.images, run_id, file)
        return file.getvalue()

    def take_in(self, archive: bytes) -> Imported:
        return import_run(self.ledger.engine, self.images, io.BytesIO(archive))

    def report(self, run_id: str) -> str:
        return report_document(gather_report(self.ledger.engine, run_id)).as_text("json")

    def faults(self) -> list[str]:
        return [str(one) for one in findings(Inspection(self.ledger, self.images, None, repair=False))]

    def run_ids(self) -> set[str]:
        return {run.id for run in all_runs(self.ledger.engine)}

    def image_names(self) -> set[str]:
        return {file.digest for file in self.images.stored()}


EXTRAS: list[dict[str, Any]] = [
    {"description": None, "reference_image": None, "reference_text": None, "more_sources": "", "fields": None, **extra}
    for extra in (
        {"description": "ein Bild", "reference_text": "heller", "fields": {"n": 1, "Ä": [1.5, None, "😀"]}},
        {
            "more_sources": f"{digest_of(b'second')} {digest_of(b'third')}",
            "reference_image": digest_of(b"reference"),
        },
        {},
    )
]


def by_hand(farm: Farm, *, until: str = "the end", **given: Any) -> RunByHand:
    """A run of two judges, three samples and two repeats, with values, failures and a retry, or worked off half."""
    farm.images.put(b"")  # the image that edits made by hand have
    for content in (png(), b"second", b"third", b"reference"):
        farm.images.put(content)
    run = RunByHand(farm.ledger, SAMPLES, extras=EXTRAS, **{"repeats": 2, "scorers": SCORERS, **given})
    run.edit("a", "b")
    run.fail_score("a", "严", "the reply is no number", kind=FailureKind.UNPARSED)
    farm.ledger.retry(run.id)
    run.score("a", "严", 1 / 3, quality=7.25, consistency=0.1)
    if until == "half":
        run.start_edit("c")
        run.start_score("a", "宽")
        return run
    run.score("a", "宽", 10)
    run.fail_score("b", "严", "unreadable: \u0001")
    run.score("b", "宽", 0.1 + 0.2)
    run.fail_edit("c", "no such instruction")
    run.edit("a", "b", repeat=1)
    for key, label, value in (("a", "严", 2), ("a", "宽", 3), ("b", "严", 4.5), ("b", "宽", 5)):
        environment = enter_environment(farm.ledger.engine, {"gpu": "NVIDIA H200", "memory_gb": 139.5})
        claim = run.start_score(key, label, repeat=1)
        assert finish_score(farm.ledger, claim, value, seconds=0.125, environment=environment)
    assert farm.ledger.fail(run.start_edit("c", 1), Failure(FailureKind.INPUT, "no")) is not None
    return run


def finished(farm: Farm) -> str:
    return by_hand(farm).id


def half_done(farm: Farm) -> str:
    return by_hand(farm, until="half").id


def judged_twice(farm: Farm) -> str:
    farm.images.put(b"")
    farm.images.put(png())
    run = RunByHand(farm.ledger, scorers=[{"name": "simulated", "label": "严", "batch_size": 1, "repeats": 2}])
    run.edit("a", "b", "c")
    for key in "abc":
        for repeat in range(2):
            run.score(key, "严", 3 + repeat, judge_repeat=repeat)
    return run.id


def rescored(farm: Farm) -> str:
    """A run of other judges on the edits of a run that does not come along."""
    first = by_hand(farm)
    asked = configuration(repeats=2, scorers=[{"name": "simulated", "label": "other"}])
    return enter_rescore(farm.ledger.engine, first.id, asked)[0]


def twin(farm: Farm) -> str:
    """A run whose edits were made for another one."""
    by_hand(farm)
    return RunByHand(farm.ledger, SAMPLES, extras=EXTRAS, repeats=2, scorers=["simulated"]).id


def given_images(farm: Farm) -> str:
    farm.images.put(png())
    return enter_images(farm.ledger, [farm.images.put(png(colour="red")), None])[0]


def published(farm: Farm, folder: Path) -> str:
    imported = Importer(folder, farm.ledger, farm.images)(line(), line(sample="p-2", value=1 / 3))
    return next(iter(imported.run_ids.values()))


def by_recipe(farm: Farm, folder: Path) -> str:
    lines = [*gedit("a", "color_alter", "en", (8, 9, 7, 6), shared=True), *gedit("b", "motion", "cn", (1, 2, 3, 4))]
    imported = Importer(folder, farm.ledger, farm.images)(*lines, recipe="gedit")
    return next(iter(imported.run_ids.values()))


def go_on(farm: Farm, run_id: str, edit_ids: list[int]) -> int:
    """Make what of these edits is to be had; return how many that was."""
    claims = [claim for edit_id in edit_ids if (claim := claim_edit(farm.ledger, edit_id))]
    for claim in claims:
        assert finish_edit(farm.ledger, claim, digest_of(b""), seconds=1) is not None
    return len(claims)


KINDS: dict[str, Callable[..., str]] = {
    one.__name__: one for one in (finished, half_done, judged_twice, rescored, twin, given_images, published, by_recipe)
}
