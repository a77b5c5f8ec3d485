"""A benchmark's own prompts in the runs that are submitted of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from db.errors import BenchmarkInvalid
from db.images import FolderStore
from db.judge_prompts import built_in_prompts
from db.ledger import Ledger
from db.prompts import prompt_of
from db.queries import all_runs, find_run
from producer.benchmark import open_benchmark
from producer.submit import submit
from tests.factories import configuration, original_file
from tests.producer.benchmark.with_prompts import category, keyed, listed

API = {"name": "api", "model": "judge", "base_url": "http://127.0.0.1:8000/v1"}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is submitted does not depend on the database."""
    return sqlite_url


class Farm:
    """Submits benchmarks and shows what the ledger has of them."""

    def __init__(self, folder: Path, ledger: Ledger, images: FolderStore) -> None:
        self._folder, self.ledger, self._images = folder, ledger, images

    def submit(self, content: dict[str, Any], **given: Any) -> str:
        """Submit a benchmark of this content for a judge; return the run's id."""
        benchmark = open_benchmark(original_file(self._folder, content))
        asked = configuration(**{"scorers": [API], **given})
        return submit(benchmark, asked, ledger=self.ledger, images=self._images, send=lambda _: None).run_id

    def prompts(self, run_id: str) -> dict[str, dict[str, str]]:
        """Return the prompts that the run stores for its judge."""
        stored = find_run(self.ledger.engine, run_id).configuration
        return dict(stored["scorers"][0]["options"]["prompts"])

    def benchmark(self, run_id: str) -> str:
        return find_run(self.ledger.engine, run_id).benchmark_id


@pytest.fixture
def farm(tmp_path: Path, ledger: Ledger, images: FolderStore) -> Farm:
    return Farm(tmp_path, ledger, images)


def test_a_run_stores_the_benchmarks_prompts_as_templates(farm: Farm) -> None:
    content = listed(category("天气", system_prompt="Be strict.", user_prompt="Was {edit_instruction} done?"))

    prompts = farm.prompts(farm.submit(content))

    assert prompts["天气"] == {"system": "Be strict.", "user": "Was {{ edit_instruction }} done?"}
    assert prompts.keys() == {"天气"} | built_in_prompts("generate").keys()


@pytest.mark.parametrize("name", ["物理", "physical", "weather"])
def test_a_category_that_brings_only_a_system_prompt_is_asked_the_built_in_question(farm: Farm, name: str) -> None:
    prompts = farm.prompts(farm.submit(listed(category(name, system_prompt="Be strict."))))

    question = prompt_of(built_in_prompts("generate"), name).user
    assert prompts[name] == {"system": "Be strict.", "user": question}


def test_a_judge_of_one_digit_is_asked_its_own_built_in_question(farm: Farm) -> None:
    judge = {"name": "qwen3-vl-8b", "mode": "expected"}

    prompts = farm.prompts(farm.submit(listed(category("物理", system_prompt="Be strict.")), scorers=[judge]))

    assert prompts["物理"]["user"] == built_in_prompts("expected")["物理"].user


def test_other_prompts_are_another_run_of_the_same_benchmark(farm: Farm) -> None:
    bare, first, second, again = (
        farm.submit(listed(category("物理", **prompts)))
        for prompts in ({}, {"user_prompt": "one?"}, {"user_prompt": "two?"}, {"user_prompt": "one?"})
    )

    assert len({bare, first, second}) == 3
    assert again == first
    assert len({farm.benchmark(run_id) for run_id in (bare, first, second)}) == 1


def test_the_place_of_the_prompts_in_the_file_changes_nothing(farm: Farm) -> None:
    layouts = [
        layout(category("物理", behind=behind, user_prompt="done?"))
        for layout in (listed, keyed)
        for behind in (False, True)
    ]

    assert len({farm.submit(content) for content in layouts}) == 1


def test_prompts_change_no_run_without_a_judge(farm: Farm) -> None:
    runs = {
        farm.submit(listed(category("物理", **prompts)), scorers=["reference"])
        for prompts in ({}, {"user_prompt": "done?"})
    }

    assert len(runs) == 1


def test_a_users_own_prompts_go_before_the_benchmarks(farm: Farm) -> None:
    judge = {**API, "prompts": {"default": {"user": "mine? {{ instruction }}"}}}

    prompts = farm.prompts(farm.submit(listed(category("物理", user_prompt="done?")), scorers=[judge]))

    assert prompts == {"default": {"system": "", "user": "mine? {{ instruction }}"}}


def test_of_a_benchmark_with_a_bad_template_nothing_is_submitted(farm: Farm, images: FolderStore) -> None:
    with pytest.raises(BenchmarkInvalid, match="1 fault, nothing was submitted"):
        farm.submit(listed(category("物理", user_prompt="{{ nobody }}")))

    assert all_runs(farm.ledger.engine) == []
    assert [path for path in images.folder.rglob("*") if path.is_file()] == []
