"""The examples do what the pages say of them, in real workers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from db.configuration import resolve_configuration
from producer.choices import choose
from tests.docs.checkout import run_script
from tests.docs.pages import ROOT

pytestmark = pytest.mark.integration

EXAMPLES = ROOT / "examples"


@pytest.fixture
def plug_ins(checkout: Path) -> Path:
    """A folder in which both packages are installed as pip does it, entry points and all."""
    packages = [str(checkout / "examples" / name) for name in ("own_editor", "own_scorer")]
    offline = ("--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check")
    folder = checkout / "plug-ins"
    subprocess.run([sys.executable, "-m", "pip", "install", *offline, "--target", folder, *packages], check=True)
    return folder


def test_an_editor_and_a_scorer_of_ones_own_run_on_a_farm(checkout: Path, plug_ins: Path) -> None:
    command = "python -m producer run examples/benchmark.json --limit 3 --workers 1 --json"
    chosen = "--editor posterise --set editor.bits=2 --scorer shape-kept"

    ended = run_script(f"export PYTHONPATH={plug_ins}:$PYTHONPATH\n{command} {chosen} > report.json\n", checkout)

    assert ended.code == 0, ended.output
    report = json.loads((checkout / "report.json").read_text(encoding="utf-8"))
    figures = report["scorers"][0]["dimensions"][0]["overall"]
    assert (report["editor"], report["scorers"][0]["scorer"]) == ("posterise", "shape-kept")
    assert (figures["scored"], figures["mean"]) == (3, 10.0)
    assert '"bits": 2' in json.dumps(report["provenance"])


@pytest.mark.parametrize("name", ["run.yaml", "judge.yaml"])
def test_a_run_configuration_is_taken_and_says_something(name: str) -> None:
    chosen = choose(file=EXAMPLES / name, editor=None, scorers=(), settings=(), others={})

    assert chosen.digest() != resolve_configuration({"editor": "pillow", "scorers": ["reference"]}).digest()


def test_the_means_are_those_of_the_report(checkout: Path) -> None:
    ended = run_script("python -m producer report latest --json | python examples/means.py\n", checkout)

    assert ended.output.splitlines()[-1] == "reference\tall\t19/20\t9.549"


def test_the_table_of_the_quickstart_is_what_comes_out(checkout: Path) -> None:
    page = (ROOT / "docs" / "quickstart.md").read_text(encoding="utf-8")
    shown = page.partition("```text\n")[2].partition("```")[0].splitlines()

    ended = run_script("python -m producer report latest\n", checkout)

    assert [line.rstrip() for line in ended.output.splitlines()][: len(shown)] == shown


def test_no_example_is_without_a_test() -> None:
    here = {"benchmark.json", "own_editor", "own_scorer", "run.yaml", "judge.yaml", "means.py"}
    in_test_examples, in_test_systemd = {"draw_sample_benchmark.py", "sample_scenes.txt"}, {"systemd"}
    takes_the_pictures_of_the_readme = {"make_pictures.py"}

    assert {one.name for one in EXAMPLES.glob("[!_.]*")} == (
        here | in_test_examples | in_test_systemd | takes_the_pictures_of_the_readme
    )
