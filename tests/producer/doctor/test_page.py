"""docs/howto/doctor.md names every check and every fix as the code has them."""

from __future__ import annotations

from collections.abc import Iterator

from producer.doctor.checks import CHECKS
from producer.doctor.examine import OF_ANY_CHECK
from producer.doctor.finding import Group, Trouble
from tests.farm.conftest import ROOT

PAGE = ROOT / "docs" / "howto" / "doctor.md"
BEGINNING = "<!-- checks: made by `python -m pytest tests/producer/doctor/test_page.py`; it prints the right tables -->"
END = "<!-- end of checks -->"


def test_the_page_has_every_check_and_fix_as_the_code_has_them() -> None:
    page = PAGE.read_text(encoding="utf-8")
    right = "\n".join(tables()).strip()

    written = page.partition(BEGINNING)[2].partition(END)[0].strip()

    assert "WHAT" not in right  # a fix that says nothing in general
    assert written == right, f"between the two comments of {PAGE.name} should be\n\n{right}\n"


def tables() -> Iterator[str]:
    for group in Group:
        yield f"### {group.value[0].upper()}{group.value[1:]}\n"
        yield "| check | what it sees to |\n|---|---|"
        for check in CHECKS:
            if check.group is group:
                yield f"| `{check.name}` | {check.asks} |"
        yield "\n| check | state | what is wrong | fix |\n|---|---|---|---|"
        for check in CHECKS:
            if check.group is group:
                yield from (row(f"`{check.name}`", trouble) for trouble in check.troubles)
        yield ""
    yield "### Any check\n"
    yield "| check | state | what is wrong | fix |\n|---|---|---|---|"
    yield from (row("any", trouble) for trouble in OF_ANY_CHECK)


def row(name: str, trouble: Trouble) -> str:
    fix = trouble.fix_in_general.replace("|", "\\|")
    return f"| {name} | {trouble.state.value} | {trouble.means} | {fix} |"
