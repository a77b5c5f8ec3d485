"""A run's configuration: checked, fully written out, and told apart by all that shapes a result."""

from __future__ import annotations

from typing import Any

import pytest

from db.catalogue import Role
from db.configuration import Priority, RunConfiguration, load_options, resolve_configuration
from db.errors import WrongCall
from db.options import SimulatedEditorOptions
from db.seeds import edit_seed, judge_seed
from tests.factories import configuration

GIVEN = {"editor": "simulated", "scorers": ["simulated"]}

OLD_DIGEST = "ec14b3e6812c83f3b96abaa9f1554aff45e22a42cb36616822ff769af46bb38a"
"""Of simulated models with seed 7, as version 0.1.0 made it: run ids come from it."""


def complaint(given: Any) -> str:
    """Return what is said of a configuration that does not hold; always one line."""
    with pytest.raises(WrongCall, match=r"^run configuration: ") as error:
        resolve_configuration(given)
    assert "\n" not in str(error.value)
    return str(error.value).removeprefix("run configuration: ")


# -- written out -------------------------------------------------------------------------------------------------------


def test_every_default_is_written_out() -> None:
    found = resolve_configuration(GIVEN)
    assert (found.repeats, found.seed, found.limit, found.priority) == (1, 0, None, None)
    assert (found.editor.name, found.editor.label) == ("simulated", "simulated")
    assert found.editor.options == SimulatedEditorOptions().model_dump(mode="json")
    assert found.scorers[0].options["batch_size"] == 8


def test_what_was_written_out_is_read_back_the_same() -> None:
    first = configuration(editor={"name": "simulated", "width": 32, "crash_on": ["p-1"]}, seed=7, limit=3)
    again = resolve_configuration(first.model_dump(mode="json"))
    assert again == first
    assert again.digest() == first.digest()


def test_options_are_the_same_flat_and_nested() -> None:
    flat = configuration(editor={"name": "simulated", "width": 32, "seconds": 1})
    nested = configuration(editor={"name": "simulated", "options": {"width": 32, "seconds": 1}})
    mixed = configuration(editor={"name": "simulated", "width": 32, "options": {"seconds": 1}})
    assert flat == nested == mixed
    assert flat.editor.options["width"] == 32


def test_a_default_that_is_written_by_hand_changes_nothing() -> None:
    by_hand = configuration(editor={"name": "simulated", "width": 64, "seconds": 0.05}, repeats=1, limit=None)
    assert by_hand.digest() == configuration().digest()


def test_a_label_is_kept_and_defaults_to_the_name() -> None:
    found = configuration(scorers=["reference", {"name": "simulated", "label": "strict"}])
    assert [scorer.label for scorer in found.scorers] == ["reference", "strict"]


def test_how_often_a_scorer_judges_is_written_out_beside_its_options() -> None:
    flat, nested = {"name": "simulated", "repeats": 3}, {"name": "simulated", "options": {"repeats": 3}}
    (found,) = configuration(scorers=[flat]).scorers

    assert (found.repeats, "repeats" in found.options) == (3, False)
    assert found.as_json() == configuration().scorers[0].as_json()  # the model is the same
    assert configuration(scorers=[flat]) == configuration(scorers=[nested])
    again = resolve_configuration(configuration(scorers=[flat]).shaping())
    assert again.scorers[0].repeats == 3


def test_a_stored_choice_gives_the_backends_own_options() -> None:
    choice = configuration(editor={"name": "simulated", "width": 32}).editor
    options = load_options(Role.EDITOR, choice)
    assert isinstance(options, SimulatedEditorOptions)
    assert options.width == 32


def test_a_configuration_names_its_catalogue_entries() -> None:
    specs = configuration(scorers=["reference", "simulated"]).specs()
    assert [spec.needs_reference for spec in specs] == [False, True, False]


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        configuration().seed = 5


# -- refused -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"scorers": ["simulated"]}, "editor: Field required"),
        ({"editor": "simulated"}, "scorers: Field required"),
        (GIVEN | {"scorers": []}, "scorers: "),
        (GIVEN | {"scorers": "simulated"}, "scorers: "),
        (GIVEN | {"steps": 20}, "steps: "),
        (GIVEN | {"repeats": 0}, "repeats: "),
        (GIVEN | {"limit": 0}, "limit: "),
        (GIVEN | {"seed": -1}, "seed: "),
        (GIVEN | {"seed": 2**63}, "seed: "),
        (GIVEN | {"priority": "urgent"}, "priority: "),
        (GIVEN | {"editor": None}, "editor: expected a name, or a mapping with a name, not None"),
        (GIVEN | {"editor": {"width": 3}}, "editor: expected a name, or a mapping with a name"),
        (GIVEN | {"editor": {"name": "simulated", "width": 0}}, "editor 'simulated': width: "),
        (GIVEN | {"editor": {"name": "simulated", "options": [1]}}, "editor 'simulated': options: expected a mapping"),
        (GIVEN | {"scorers": [{"name": "simulated", "batch_size": "many"}]}, "scorer 'simulated': batch_size: "),
        (GIVEN | {"scorers": [{"name": "simulated", "repeats": 0}]}, "scorer 'simulated': repeats: "),
        (GIVEN | {"scorers": [{"name": "simulated", "repeats": 101}]}, "scorer 'simulated': repeats: "),
        (None, "expected a mapping"),
        ([], "expected a mapping"),
    ],
    ids=str,
)
def test_the_first_entry_that_does_not_hold_is_named(given: Any, said: str) -> None:
    assert complaint(given).startswith(said)


def test_an_unknown_option_names_the_known_ones() -> None:
    said = complaint({"editor": "simulated", "scorers": [{"name": "reference", "batchsize": 4}]})
    assert said == "scorer 'reference': 'batchsize' is not one of its options (batch_size, repeats)"


def test_an_unknown_option_of_a_model_without_options_says_so() -> None:
    said = complaint({"editor": {"name": "pillow", "steps": 4}, "scorers": ["simulated"]})
    assert said == "editor 'pillow': 'steps' is not one of its options (none)"


def test_an_unknown_model_names_the_known_ones() -> None:
    assert complaint(GIVEN | {"editor": "photoshop"}).startswith("no editor is called 'photoshop'; known: diffusers,")


def test_two_scorers_of_one_label_are_refused() -> None:
    twice = ["simulated", {"name": "simulated", "batch_size": 2}]
    assert complaint(GIVEN | {"scorers": twice}) == (
        "scorers: two scorers are called 'simulated'; give one of them a label"
    )
    assert configuration(scorers=["simulated", {"name": "simulated", "label": "strict"}])


# -- the digest --------------------------------------------------------------------------------------------------------


def test_what_shapes_no_result_is_not_in_the_digest() -> None:
    digests = {configuration(priority=priority).digest() for priority in Priority}
    assert len(digests | {configuration(fresh=fresh).digest() for fresh in (True, False)}) == 1


def test_everything_else_is_in_the_digest() -> None:
    changes: dict[str, Any] = {
        "editor": {"name": "simulated", "seed": 1},
        "scorers": ["reference"],
        "repeats": 2,
        "seed": 1,
        "limit": 1,
        "aggregate": "mean",
        "categories": ["物理"],
        "sample_every": 2,
    }
    of_recipes = {"recipe"}  # which need a judge: tests/producer/recipes
    assert set(changes) == set(RunConfiguration.model_fields) - {"priority", "fresh"} - of_recipes
    digests = {configuration(**{name: value}).digest() for name, value in changes.items()}
    assert len(digests | {configuration().digest()}) == len(changes) + 1


def test_how_often_a_scorer_judges_is_in_the_digest_where_it_is_more_than_once() -> None:
    once, twice = ({"name": "simulated", "repeats": repeats} for repeats in (1, 2))

    assert configuration(scorers=[once]).digest() == configuration().digest()
    assert configuration(scorers=[twice]).digest() != configuration().digest()
    assert configuration().shaping()["scorers"][0].keys() == {"name", "label", "options"}


def test_the_digest_of_what_older_versions_could_ask_never_changes() -> None:
    assert configuration(seed=7).digest() == OLD_DIGEST


def test_the_order_of_the_scorers_is_in_the_digest() -> None:
    one_way, other_way = (
        configuration(scorers=names) for names in (["simulated", "reference"], ["reference", "simulated"])
    )
    assert one_way.digest() != other_way.digest()


def test_the_order_in_which_options_are_written_is_not_in_the_digest() -> None:
    one_way = configuration(editor={"name": "simulated", "width": 3, "height": 4})
    assert one_way.digest() == configuration(editor={"height": 4, "width": 3, "name": "simulated"}).digest()


# -- seeds -------------------------------------------------------------------------------------------------------------


def test_the_seed_of_an_edit_never_changes() -> None:
    assert edit_seed(0, "p-0", 0) == 7146661847132530241
    assert edit_seed(2**63 - 1, "图-1", 3) == 2736428151326220213


def test_a_judges_first_seed_is_its_edits_and_each_further_one_its_own() -> None:
    assert judge_seed(5, "p-0", 2, 0) == edit_seed(5, "p-0", 2)
    keys, counts = ("1", "11", "1/1", "1.1"), range(12)
    seeds = {judge_seed(0, key, repeat, judging) for key in keys for repeat in counts for judging in counts}
    assert len(seeds) == len(keys) * len(counts) ** 2


def test_edits_differ_in_their_seeds_by_run_seed_key_and_repeat() -> None:
    seeds = {edit_seed(seed, key, repeat) for seed in range(5) for key in ("1", "11", "1/1") for repeat in range(20)}
    assert len(seeds) == 5 * 3 * 20
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert max(seeds) > 2**62 > min(seeds)


def test_an_aggregate_beside_a_judge_that_gives_one_digit_is_refused() -> None:
    judge = {"name": "transformers", "label": "judge", "model": "m/n", "mode": "expected"}

    with pytest.raises(WrongCall, match="aggregate: scorer 'judge' gives no criteria in mode `expected`"):
        resolve_configuration({"editor": "simulated", "scorers": [judge], "aggregate": "min"})
    assert resolve_configuration({"editor": "simulated", "scorers": [judge]}).aggregate is None
