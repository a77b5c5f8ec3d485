from __future__ import annotations

import statistics
import time

import pytest
from PIL import Image

from db.options import SimulatedEditorOptions, SimulatedScorerOptions
from tests.factories import score_request
from workers.models.errors import ModelFault, OutOfMemory
from workers.models.protocols import EditRequest, Rating
from workers.models.simulated import SimulatedEditor, SimulatedScorer, batch_factor

IMAGE = Image.new("RGB", (10, 10))


def edit_request(key: str = "p-1", seed: int = 7) -> EditRequest:
    return EditRequest(key=key, instruction="make it rain", source=IMAGE, seed=seed)


def test_the_same_request_gives_the_same_image_and_another_seed_another_one() -> None:
    editor = SimulatedEditor(SimulatedEditorOptions(seconds=0))

    first, again = editor.edit(edit_request()).image, editor.edit(edit_request()).image
    other = editor.edit(edit_request(seed=8)).image

    assert first.size == (64, 64)
    assert first.tobytes() == again.tobytes() != other.tobytes()


def test_an_edit_takes_its_seconds_and_loading_takes_its_own() -> None:
    begin = time.perf_counter()
    editor = SimulatedEditor(SimulatedEditorOptions(seconds=0.1, steps=1, load_seconds=0.2))
    loaded = time.perf_counter()
    editor.edit(edit_request())
    edited = time.perf_counter()

    assert loaded - begin >= 0.2
    assert 0.1 <= edited - loaded < 0.2


def test_durations_are_lognormal_with_the_mean_and_the_spread_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("workers.models.simulated.time.sleep", slept.append)
    editor = SimulatedEditor(SimulatedEditorOptions(seconds=2, spread=0.5, steps=1))
    slept.clear()

    for number in range(4000):
        editor.edit(edit_request(key=str(number)))

    assert statistics.fmean(slept) == pytest.approx(2, rel=0.05)
    assert statistics.stdev(slept) / statistics.fmean(slept) == pytest.approx(0.5, rel=0.1)


@pytest.mark.parametrize(
    ("count", "batch_size", "speedup", "factor"),
    [(1, 8, 4.0, 1.0), (8, 8, 4.0, 2.0), (4, 4, 1.0, 4.0), (3, 1, 5.0, 3.0), (4, 4, 8 / 3, 1.5)],
)
def test_a_full_batch_is_as_much_faster_per_item_as_asked(
    count: int, batch_size: int, speedup: float, factor: float
) -> None:
    assert batch_factor(count, batch_size, speedup) == pytest.approx(factor)


def test_the_share_drawn_to_fail_is_the_rate_and_the_same_every_time() -> None:
    scorer = SimulatedScorer(SimulatedScorerOptions(seconds=0, fail_rate=0.3))
    batch = [score_request(key=str(number)) for number in range(1000)]

    first, again = scorer.score(batch), scorer.score(batch)

    failed = [isinstance(answer, ModelFault) for answer in first]
    assert 250 < sum(failed) < 350
    assert failed == [isinstance(answer, ModelFault) for answer in again]
    assert all(0 <= answer.value <= 10 for answer in first if isinstance(answer, Rating))


def test_memory_runs_out_above_the_limit_and_not_at_it() -> None:
    SimulatedEditor(SimulatedEditorOptions(seconds=0, oom_above=100)).edit(edit_request())
    with pytest.raises(OutOfMemory, match="100 source pixels are more than 99"):
        SimulatedEditor(SimulatedEditorOptions(seconds=0, oom_above=99)).edit(edit_request())

    scorer = SimulatedScorer(SimulatedScorerOptions(seconds=0, oom_above=2))
    assert len(scorer.score([score_request(key="a"), score_request(key="b")])) == 2
    with pytest.raises(OutOfMemory, match="a batch of 3"):
        scorer.score([score_request(key="a"), score_request(key="b"), score_request(key="c")])
