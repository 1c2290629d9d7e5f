"""The page of the transform kit says what the files of macros say."""

from __future__ import annotations

from tests.unit.docs.kit import BEGIN, END, PAGE, entries, reference

from headgate.models import kit
from headgate.models.template import TEST_PREFIX


def test_the_reference_is_that_of_the_files() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page.partition(BEGIN)[2].partition(END)[0] == reference()


def test_every_macro_is_documented_with_an_example() -> None:
    found = list(entries())
    assert {TEST_PREFIX + one.name if one.test else one.name for one in found} == set(kit.macros())
    assert [one.name for one in found if f"hg.{one.name}" not in one.text] == []
