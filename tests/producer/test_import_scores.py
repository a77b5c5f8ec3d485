"""`import-scores`: what others have published enters the ledger unchanged, whole and once, or not at all."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from sqlalchemy import delete, select

from db.decode import decode_image
from db.engine import open_engine, reading, transaction
from db.errors import BenchmarkInvalid, WrongCall
from db.images import FolderStore
from db.ledger import Ledger
from db.outlook import Lookout
from db.queries import all_runs, find_run, progress_of
from db.tables import State, edits, run_scorers, samples, scores
from db.upkeep.finding import Inspection, Standing
from db.upkeep.fsck import findings
from producer.benchmark.faults import MAX_FAULTS
from producer.published_scores.enter import ImportedFile, import_scores
from producer.published_scores.placeholders import placeholder
from producer.published_scores.publication import publication_of
from tests.db.steps import edit_outcomes, score_outcomes, scorer_labels
from tests.factories import original_file
from tests.producer.shell import Shell
from tests.producer.test_submit_crashes import Death, Killed

LINE = {"sample": "p-1", "category": "物理", "editor": "model-x", "scorer": "gpt-4o", "value": 7.5}


def line(**given: Any) -> dict[str, Any]:
    """Return one line; a field given as None is left out."""
    return {name: value for name, value in {**LINE, **given}.items() if value is not None}


def scores_file(folder: Path, lines: Sequence[Any], name: str = "published.jsonl") -> Path:
    """Write a file of these lines, texts as they are."""
    path = folder / name
    path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines), encoding="utf-8")
    return path


class Importer:
    """Imports files of lines into one ledger and store."""

    def __init__(self, folder: Path, ledger: Ledger, images: FolderStore) -> None:
        self.folder, self.ledger, self.images = folder, ledger, images

    def __call__(self, *lines: Any, **given: Any) -> ImportedFile:
        asked = {"name": None, "scale": None, "aggregate": None, "allow_missing": False, **given}
        publication = publication_of(scores_file(self.folder, lines), **asked)
        return import_scores(publication, ledger=self.ledger, images=self.images)

    def faults(self, *lines: Any, **given: Any) -> tuple[str, ...]:
        with pytest.raises(BenchmarkInvalid, match="nothing was entered") as refused:
            self(*lines, **given)
        assert refused.value.exit_code == 4
        assert all_runs(self.ledger.engine) == []
        assert not self.images.folder.exists()
        return refused.value.faults

    def given(self, run_id: str) -> dict[tuple[Any, ...], Any]:
        """Return the run's scores by category, key, repeat, scorer and judge repeat: the value, else the kind."""
        edits = {row.id: row for row in edit_outcomes(self.ledger.engine, run_id)}
        found = {}
        for row in score_outcomes(self.ledger.engine, run_id):
            edit = edits[row.edit_id]
            place = (edit.category, edit.key, edit.repeat, row.label, row.judge_repeat)
            found[place] = row.failure_kind if row.value is None else row.value
        return found

    def details(self) -> list[Mapping[str, Any]]:
        with reading(self.ledger.engine) as connection:
            return list(connection.scalars(select(scores.c.detail).order_by(scores.c.id)))


@pytest.fixture
def importer(tmp_path: Path, ledger: Ledger, images: FolderStore) -> Importer:
    return Importer(tmp_path, ledger, images)


def only(imported: ImportedFile) -> str:
    (run_id,) = imported.run_ids.values()
    return run_id


# -- entered -----------------------------------------------------------------------------------------------------------


def test_every_editor_is_a_run_with_its_scores_as_they_were_given(importer: Importer) -> None:
    values = {("model-x", "p-1"): 1 / 3, ("model-x", "p-2"): 0.1 + 0.2, ("model-y", "p-1"): 10, ("model-y", "p-2"): 0}
    imported = importer(*(line(editor=editor, sample=key, value=value) for (editor, key), value in values.items()))

    assert list(imported.run_ids) == ["model-x", "model-y"]
    assert imported.new == list(imported.run_ids.values())
    for editor, run_id in imported.run_ids.items():
        run = find_run(importer.ledger.engine, run_id)
        assert run.configuration["editor"]["label"] == editor
        assert (run.benchmark_name, run.is_imported) == ("published", True)
        expected = {("物理", key, 0, "gpt-4o", 0): value for (one, key), value in values.items() if one == editor}
        assert importer.given(run_id) == expected  # to the last bit
        assert progress_of(importer.ledger.engine, run_id).complete


def test_all_editors_of_a_file_are_of_one_benchmark(importer: Importer) -> None:
    importer(line(instruction="make it rain"), line(editor="model-y"))

    assert len({run.benchmark_id for run in all_runs(importer.ledger.engine)}) == 1
    with reading(importer.ledger.engine) as connection:
        assert connection.execute(select(samples.c.key, samples.c.instruction)).all() == [("p-1", "make it rain")]


def test_repeats_of_edits_and_of_judges_are_kept_apart(importer: Importer) -> None:
    numbers = [(repeat, judging) for repeat in range(2) for judging in range(3)]

    run_id = only(importer(*(line(repeat=one, judge_repeat=two, value=one + two / 10) for one, two in numbers)))

    assert importer.given(run_id) == {("物理", "p-1", one, "gpt-4o", two): one + two / 10 for one, two in numbers}
    assert scorer_labels(importer.ledger.engine, run_id) == ["gpt-4o"]
    configuration = find_run(importer.ledger.engine, run_id).configuration
    assert (configuration["repeats"], configuration["scorers"][0]["repeats"]) == (2, 3)


def test_dimensions_stand_beside_the_score_that_was_published(importer: Importer) -> None:
    run_id = only(
        importer(
            line(dimension="SC", value=9, reasoning="done"),
            line(dimension="overall", value=6.1),
            line(dimension="PQ", value=4),
        )
    )

    assert importer.given(run_id) == {("物理", "p-1", 0, "gpt-4o", 0): 6.1}
    assert importer.details() == [{"reasoning": "done", "criteria": {"SC": 9.0, "PQ": 4.0}}]


@pytest.mark.parametrize(("aggregate", "score"), [(None, 6.5), ("min", 4.0), ("sqrt(SC*PQ)", 6.0)])
def test_of_dimensions_alone_a_score_is_made(importer: Importer, aggregate: str | None, score: float) -> None:
    lines = [line(dimension="SC", value=9), line(dimension="PQ", value=4), line(scorer="human", value=3)]

    imported = importer(*lines, aggregate=aggregate)

    assert importer.given(only(imported))["物理", "p-1", 0, "gpt-4o", 0] == score
    assert imported.aggregated == ["gpt-4o"]
    assert find_run(importer.ledger.engine, only(imported)).configuration["aggregate"] == (aggregate or "mean")


def test_a_scale_is_kept_with_its_scorers(importer: Importer) -> None:
    run_id = only(importer(line(value=85), line(sample="p-2", value=1), scale=(1.0, 100.0)))

    with reading(importer.ledger.engine) as connection:
        query = select(run_scorers.c.scale_min, run_scorers.c.scale_max).where(run_scorers.c.run_id == run_id)
        assert connection.execute(query).all() == [(1.0, 100.0)]
    assert sorted(importer.given(run_id).values()) == [1, 85]


@pytest.mark.parametrize(
    ("failure", "kind"),
    [("judge_failed", "model"), ("unparsed", "unparsed"), ("refused", "refused"), ("lost", "poison")],
)
def test_a_failure_is_a_failure_and_never_a_number(importer: Importer, failure: str, kind: str) -> None:
    run_id = only(importer(line(value=None, failure=failure, reason="it says so"), line(sample="p-2")))

    assert importer.given(run_id) == {("物理", "p-1", 0, "gpt-4o", 0): kind, ("物理", "p-2", 0, "gpt-4o", 0): 7.5}
    (failed,) = [row for row in score_outcomes(importer.ledger.engine, run_id) if row.state == State.FAILED]
    assert failed.failure_reason == "it says so"


@pytest.mark.parametrize(("failure", "kind"), [("edit_failed", "model"), ("missing", "missing")])
def test_an_edit_that_failed_has_no_scores_by_anyone(importer: Importer, failure: str, kind: str) -> None:
    lines = [line(value=None, failure=failure), line(sample="p-2"), line(sample="p-2", scorer="human", value=1)]

    run_id = only(importer(*lines))

    outcomes = [(row.key, row.state, row.failure_kind) for row in edit_outcomes(importer.ledger.engine, run_id)]
    assert outcomes == [("p-1", "failed", kind), ("p-2", "done", None)]
    assert len(importer.given(run_id)) == 2


def test_a_dimension_that_failed_fails_the_score_that_is_made_of_it(importer: Importer) -> None:
    lines = [line(dimension="SC", value=9), line(dimension="PQ", value=None, failure="unparsed")]

    run_id = only(importer(*lines, line(sample="p-2", dimension="SC"), line(sample="p-2", dimension="PQ", value=7)))

    found = importer.given(run_id)
    assert [found["物理", key, 0, "gpt-4o", 0] for key in ("p-1", "p-2")] == ["unparsed", 7.25]
    assert importer.details()[0]["criteria"] == {"SC": 9.0}


def test_samples_of_one_source_share_an_image_and_others_have_their_own(importer: Importer) -> None:
    importer(
        line(sample="p-1", source="cat.png"),
        line(sample="p-2", source="cat.png"),
        line(sample="p-3"),
        line(sample="p-3", category="社会"),
    )

    with reading(importer.ledger.engine) as connection:
        digests = list(connection.scalars(select(samples.c.source_image).order_by(samples.c.position)))
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3
    assert all(decode_image(importer.images.get(digest)).size == (1, 1) for digest in digests)


def test_a_placeholder_is_a_png_that_says_what_it_stands_for() -> None:
    assert "评测\nsource\n猫.png".encode() in placeholder("评测", "source", "猫.png")
    assert decode_image(placeholder("a")).getpixel((0, 0)) == (128, 128, 128)


def test_the_mean_of_what_was_entered_is_the_published_one(importer: Importer) -> None:
    values = [math.sin(number) * 5 + 5 for number in range(500)]

    run_id = only(importer(*(line(sample=f"p-{number}", value=value) for number, value in enumerate(values))))

    assert fmean(importer.given(run_id).values()) == fmean(values)


# -- again, and afterwards ---------------------------------------------------------------------------------------------


def test_importing_again_finds_the_same_runs_and_other_values_are_others(importer: Importer) -> None:
    first = importer(line(), line(editor="model-y"))

    second = importer(line(), line(editor="model-y", value=7.4))

    assert second.run_ids["model-x"] == first.run_ids["model-x"]
    assert second.new == [second.run_ids["model-y"]]
    assert second.new[0] not in first.new
    assert len(all_runs(importer.ledger.engine)) == 3


def test_an_import_that_is_killed_leaves_whole_runs_only(tmp_path: Path) -> None:
    lines = [line(sample=f"p-{number}", editor=editor) for number in range(3) for editor in ("x", "y")]
    counts, step = set(), 0
    while 2 not in counts:
        engine = open_engine(f"sqlite:///{tmp_path / str(step)}.db")
        ledger, images = Ledger(engine), FolderStore(tmp_path / f"images-{step}")
        death = Death(step)
        with suppress(Killed), death.over(engine):
            Importer(tmp_path, ledger, images)(*lines)
        runs = all_runs(engine)
        counts.add(len(runs))
        assert all(progress_of(engine, run.id).scores.by_state == {State.DONE: 3} for run in runs), step
        assert len(Importer(tmp_path, ledger, images)(*lines).run_ids) == 2
        assert len(all_runs(engine)) == 2, step
        assert list(findings(Inspection(ledger, images, None, repair=False))) == [], step
        engine.dispose()
        step += 1
    assert counts == {0, 1, 2}


def test_files_of_benchmarks_of_other_names_share_no_benchmark(importer: Importer) -> None:
    importer(line(), name="GEdit")
    importer(line(value=3), name="RISE")

    assert len({run.benchmark_id for run in all_runs(importer.ledger.engine)}) == 2


def test_fsck_finds_nothing_wrong_with_what_was_imported(importer: Importer) -> None:
    importer(line(), line(sample="p-2", value=None, failure="edit_failed"), line(editor="y"), allow_missing=True)

    assert list(findings(Inspection(importer.ledger, importer.images))) == []


def test_a_lost_placeholder_is_not_edited_anew_but_imported_again(importer: Importer) -> None:
    run_id = only(importer(line()))
    with reading(importer.ledger.engine) as connection:
        importer.images.path(connection.scalars(select(edits.c.image)).one()).unlink()

    (found,) = findings(Inspection(importer.ledger, importer.images))

    assert (found.standing, found.remedy) == (Standing.LEFT, "import the published scores again, which stores it anew")
    assert progress_of(importer.ledger.engine, run_id).complete
    importer(line())
    assert list(findings(Inspection(importer.ledger, importer.images))) == []


def test_a_worker_is_not_brought_down_by_an_imported_score_that_waits(importer: Importer) -> None:
    importer(line())
    with transaction(importer.ledger.engine) as connection:
        connection.execute(delete(scores))
    list(findings(Inspection(importer.ledger, importer.images)))  # which queues what is missing

    with importer.ledger.read() as (connection, now):
        assert [opening.model.name for opening in Lookout().look(connection, now).openings] == ["imported"] * 2


# -- faults ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ('{"sample": ', "line 2: is not valid JSON: "),
        ("[1]", "line 2: expected an object, found a list"),
        (line(sample=None), "line 2: sample is missing"),
        (line(editor=""), "line 2: editor is empty"),
        (line(category=5), "line 2: category: expected a text, found a number"),
        (line(scorer=None), "line 2: scorer is missing"),
        (line(scorer="a\x00"), "line 2: scorer contains a NUL character"),
        (line(value=None), "line 2: expected either a value or a failure, found neither"),
        (line(failure="refused"), "line 2: expected either a value or a failure, found both"),
        (line(value="7.5"), "line 2: value: expected a number, found a text"),
        (line(value=True), "line 2: value: expected a number, found a truth value"),
        (json.dumps(line(value=math.nan)), "line 2: is not valid JSON: NaN is no value of JSON; expected a number"),
        (json.dumps(line(value=math.inf)), "line 2: is not valid JSON: Infinity is no value of JSON; "),
        (line(value=10.5), "line 2: value is 10.5, which is not from 0 to 10 (--scale)"),
        (line(value=-1), "line 2: value is -1, which is not from 0 to 10"),
        (json.dumps(line(value=7)).replace(": 7}", ": 1e999}"), "line 2: value is beyond all bounds"),
        (line(value=10**400), "line 2: value is beyond all bounds"),
        (line(value=None, failure="boredom"), "line 2: failure: expected one of edit_failed, missing, judge_failed, "),
        (line(value=None, failure=5), "line 2: failure: expected one of "),
        (line(repeat=-1), "line 2: repeat: expected a whole number from 0 to 999, found -1"),
        (line(repeat=1.5), "line 2: repeat: expected a whole number from 0 to 999, found 1.5"),
        (line(judge_repeat=100), "line 2: judge_repeat: expected a whole number from 0 to 99, found 100"),
        (line(judge_repeat="1"), "line 2: judge_repeat: expected a whole number from 0 to 99, found a text"),
        (line(sample="p-0"), "line 2: says again what line 1 says of the same score"),
        (line(sample="p-0", dimension="overall", value=3), "line 2: says again what line 1 says of the same score"),
        (
            line(sample="p-0", scorer="human", instruction="b"),
            "line 2: instruction of sample 'p-0' of category '物理' is another one than on an earlier line",
        ),
        (
            line(sample="p-0", scorer="human", value=None, failure="edit_failed"),
            "line 1: scores an edit that has failed, as line 2 says",
        ),
    ],
    ids=str,
)
def test_a_line_that_does_not_hold_is_named_and_nothing_is_entered(importer: Importer, wrong: Any, fault: str) -> None:
    first = line(sample="p-0", instruction="a")

    found = importer.faults(first, wrong)

    assert len(found) == 1
    assert found[0].startswith(fault)


def test_every_fault_is_named_at_once(importer: Importer) -> None:
    found = importer.faults(line(), "5", line(value=11), "", line(scorer=None))

    assert [fault.partition(":")[0] for fault in found] == ["line 2", "line 3", "line 5"]


def test_of_very_many_faults_the_others_are_counted(importer: Importer) -> None:
    found = importer.faults(*["5"] * (MAX_FAULTS + 234))

    assert (len(found), found[-1]) == (MAX_FAULTS + 1, "and 234 more")


def test_a_file_without_lines_has_no_scores(importer: Importer) -> None:
    assert importer.faults("") == ("it has no scores",)


def test_a_score_that_the_file_does_not_have_is_a_fault(importer: Importer) -> None:
    lines = [line(), line(scorer="human"), line(sample="p-2"), line(sample="p-2", repeat=1)]

    found = importer.faults(*lines)

    assert found[0] == (
        "editor 'model-x', sample 'p-1' (物理), repeat 1: no score by 'gpt-4o': the published scores do not have it "
        "(--allow-missing enters it as failed)"
    )
    assert len(found) == 4


def test_a_score_that_is_not_there_fails_where_that_is_allowed(importer: Importer) -> None:
    imported = importer(line(), line(sample="p-2", scorer="human"), allow_missing=True)

    assert importer.given(only(imported)) == {
        ("物理", "p-1", 0, "gpt-4o", 0): 7.5,
        ("物理", "p-1", 0, "human", 0): "input",
        ("物理", "p-2", 0, "gpt-4o", 0): "input",
        ("物理", "p-2", 0, "human", 0): 7.5,
    }
    assert imported.missing == 2


def test_scores_of_one_scorer_are_made_alike_or_missing(importer: Importer) -> None:
    whole = [line(dimension="SC"), line(dimension="PQ")]

    lacking = importer.faults(*whole, line(sample="p-2", dimension="SC"))
    without_score = importer.faults(line(), line(sample="p-2", dimension="SC"))
    of_an_unknown = importer.faults(*whole, aggregate="min(SC, IF)")

    assert "line 3: editor 'model-x', sample 'p-2' (物理): no score by 'gpt-4o': it has no dimension 'PQ'" in lacking[0]
    assert "it has dimensions, but not the score itself, which this scorer gives elsewhere" in without_score[0]
    assert "it has no criterion 'IF', of which the score is made (PQ, SC given)" in of_an_unknown[0]


def test_a_misnumbered_repeat_is_one_fault_and_not_a_million(importer: Importer) -> None:
    lines = [line(sample=f"p-{number}") for number in range(300)]

    found = importer.faults(*lines, line(repeat=999))

    assert len(found) == 1
    assert "is a repeat misnumbered?" in found[0]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"scale": (5.0, 1.0)}, "--scale 5 1: expected two numbers from 0 to 100"),
        ({"scale": (-1.0, 1.0)}, "--scale -1 1: expected"),
        ({"scale": (0.0, math.inf)}, "--scale 0 inf: expected"),
        ({"aggregate": "SC + PQ"}, "--aggregate: 'SC + PQ' can give 0 to 20"),
        ({"name": " "}, "--name: the benchmark's name is empty"),
        ({"name": "a\nb"}, "--name: the benchmark's name contains a control character"),
    ],
    ids=str,
)
def test_a_wrong_call_is_named(importer: Importer, given: dict[str, Any], said: str) -> None:
    with pytest.raises(WrongCall, match=re.escape(said)):
        importer(line(), **given)


# -- the commands ------------------------------------------------------------------------------------------------------


@pytest.mark.integration
def test_import_scores_prints_the_ids_and_needs_no_broker(shell: Shell) -> None:
    path = scores_file(shell.folder, [line(dimension="SC"), line(editor="model-y", dimension="SC", value=3)])

    first = shell("import-scores", path, FARM_BROKER_URL="redis://127.0.0.1:1/0")
    second = shell("import-scores", path)

    assert first.code == second.code == 0
    assert re.fullmatch(r"([0-9a-f]{12}\n){2}", first.out)
    assert second.out == first.out
    assert "scores by gpt-4o are made of their dimensions: mean (--aggregate)" in first.err
    assert second.err.count("imported before") == 2
    report = shell("report", first.out.split()[1])
    assert (report.code, "3.00" in report.out) == (0, True)
    assert shell("fsck").code == 0


@pytest.mark.integration
def test_faults_are_listed_with_exit_code_4(shell: Shell) -> None:
    refused = shell("import-scores", scores_file(shell.folder, [line(value=11), "5"]))

    assert (refused.code, refused.out) == (4, "")
    assert [part.strip() for part in refused.err.splitlines()[1:]] == [
        "line 1: value is 11, which is not from 0 to 10 (--scale)",
        "line 2: expected an object, found a number",
    ]
    assert shell("import-scores", "nowhere.jsonl").code == 4


@pytest.mark.integration
def test_nothing_can_be_run_with_what_was_imported(shell: Shell) -> None:
    run_id = shell("import-scores", scores_file(shell.folder, [line()])).out.strip()

    for refused in (shell("retry", run_id), shell("rescore", run_id, "--scorer", "psnr")):
        assert refused.code == 2
        assert refused.complaint == (
            f"error: run {run_id} was imported: its edits and scores were made elsewhere, nothing of it can be run"
        )
    for flag in ("--editor", "--scorer"):
        refused = shell("submit", original_file(shell.folder), flag, "imported")
        assert refused.code == 2
        assert "'imported' stands for what others have published; nothing can be run with it" in refused.complaint


# -- replies -----------------------------------------------------------------------------------------------------------


def reply_line(sample: str, reply: str, **given: Any) -> dict[str, Any]:
    return line(sample=sample, value=None, reply=reply, **given)


def test_a_judges_reply_is_read_as_our_own_judges_are(importer: Importer) -> None:
    said = json.dumps({"reasoning": "wet", "preservation": 9, "score": 6.5})

    imported = importer(reply_line("p-1", said), reply_line("p-2", "no number"), reply_line("p-3", "Score: 8/10"))

    run_id = imported.run_ids["model-x"]
    with reading(importer.ledger.engine) as connection:
        columns = (scores.c.value, scores.c.failure_kind, scores.c.failure_reason, scores.c.detail)
        of_run = select(*columns).join(edits, scores.c.edit_id == edits.c.id).where(edits.c.run_id == run_id)
        first, second, third = connection.execute(of_run.order_by(scores.c.id)).all()
    assert (first.value, first.detail) == (6.5, {"reasoning": "wet", "criteria": {"preservation": 9}})
    assert (second.value, second.failure_kind) == (None, "unparsed")
    assert (second.failure_reason, second.detail["reply"]) == ("the reply names no score", "no number")
    assert third.value == 8


@pytest.mark.parametrize(
    ("given", "scale", "said"),
    [
        ({"value": 7}, (0, 10), "expected either a reply or a value, found both"),
        ({"failure": "lost"}, (0, 10), "expected either a reply or a failure, found both"),
        ({"dimension": "SC"}, (0, 10), "expected either a reply or a dimension, found both"),
        ({}, (1, 5), "a reply is read on a scale of 0 to 10, and the file has another one (--scale)"),
    ],
)
def test_a_reply_stands_for_all_that_a_line_says(
    importer: Importer, given: Mapping[str, Any], scale: tuple[float, float], said: str
) -> None:
    with pytest.raises(BenchmarkInvalid) as caught:
        importer({**reply_line("p-1", "Score: 8"), **given}, scale=scale)

    assert caught.value.faults == (f"line 1: {said}",)
