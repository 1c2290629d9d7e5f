"""Frozen classes made in a quarter of the time are to their users what the standard decorator makes."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import FrozenInstanceError, field
from typing import Any

import pytest

from headgate.core.records import dataclass


def kinds(decorator: Any) -> tuple[Any, Any]:
    """The same two classes, one made by each decorator."""

    @decorator(frozen=True)
    class Point:
        x: int
        y: int = 2
        tags: list[str] = field(default_factory=list)
        place: str = field(default="", compare=False)
        secret: str = field(default="s", repr=False)
        length: int = field(init=False)
        seen: list[int] = field(init=False, default_factory=list, compare=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "length", self.x + self.y)

    @decorator(frozen=True)
    class Named(Point):
        name: str = "n"

    return Point, Named


OURS, STANDARD = kinds(dataclass), kinds(dataclasses.dataclass)
GIVEN: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((1,), {}),
    ((1, 5), {"tags": ["a"]}),
    ((), {"x": 3, "place": "here", "secret": "t"}),
]


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize(("plain", "named"), GIVEN)
def test_they_are_shown_and_taken_apart_alike(which: int, plain: tuple[Any, ...], named: dict[str, Any]) -> None:
    ours, standard = OURS[which](*plain, **named), STANDARD[which](*plain, **named)
    assert repr(ours) == repr(standard)
    assert dataclasses.asdict(ours) == dataclasses.asdict(standard)
    assert [one.name for one in dataclasses.fields(ours)] == [one.name for one in dataclasses.fields(standard)]
    assert dataclasses.replace(ours, y=9).length == dataclasses.replace(standard, y=9).length
    assert type(ours).__match_args__ == type(standard).__match_args__
    assert type(ours).__init__.__annotations__.keys() == type(standard).__init__.__annotations__.keys() - {"return"}


def test_they_are_equal_by_what_is_compared_and_of_one_class_only() -> None:
    point, named = OURS
    assert point(1) == point(1, place="elsewhere")
    assert point(1) != point(2)
    assert point(1) != named(1)
    assert point(1).__eq__(1) is NotImplemented
    assert point(1).seen is not point(1).seen


def test_they_have_a_hash_where_their_values_have_one() -> None:
    @dataclass(frozen=True)
    class Pair:
        a: int
        b: str = field(default="", compare=False)

    assert len({Pair(1), Pair(1, "x"), Pair(2)}) == 2
    with pytest.raises(TypeError, match="unhashable"):
        hash(OURS[0](1))


def test_those_without_anything_to_compare_are_equal() -> None:
    @dataclass(frozen=True)
    class Lost:
        pass

    assert Lost() == Lost()
    assert len({Lost(), Lost()}) == 1


def test_nothing_is_set_or_deleted_afterwards() -> None:
    made = OURS[0](1)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'x'"):
        made.x = 2
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'x'"):
        del made.x
    assert made.x == 1


@pytest.mark.parametrize(
    ("plain", "named"), [((), {}), ((1, 2, 3, 4, 5, 6), {}), ((1,), {"z": 1}), ((1,), {"length": 1})]
)
def test_wrong_arguments_are_refused(plain: tuple[Any, ...], named: dict[str, Any]) -> None:
    for kind in (OURS[0], STANDARD[0]):
        with pytest.raises(TypeError, match=r"Point\.__init__"):
            kind(*plain, **named)


@dataclass(frozen=True)
class Carried:
    """At the top of a module, where pickle finds it."""

    x: int
    more: tuple[int, ...] = ()


def test_they_are_copied_and_sent() -> None:
    made = Carried(1, (2,))
    assert copy.deepcopy(made) == made
    assert pickle.loads(pickle.dumps(made)) == made


def test_own_methods_stay() -> None:
    @dataclass(frozen=True)
    class Told:
        x: int

        def __repr__(self) -> str:
            return "told"

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 7

    assert (repr(Told(1)), Told(1) == 2, hash(Told(1))) == ("told", True, 7)


def test_without_frozen_it_is_the_standard_one() -> None:
    @dataclass
    class Open:
        x: int = 1

    made = Open()
    made.x = 2
    assert repr(made).endswith("Open(x=2)")
