"""A project that answers what a test tells it and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from headgate.api import results


class FakeProject:
    """Stands where `headgate.api.Project` would: `answers` maps a method to its answer, an exception, or a function."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.opened: list[tuple[Path, bool]] = []
        self.told: Callable[[str], None] | None = None
        self.closed = 0

    def open(
        self,
        root: Path,
        wait: bool,
        told: Callable[[str], None],
        profile: str | None = None,
        variables: str | None = None,
    ) -> FakeProject:
        self.opened.append((root, wait))
        self.profile, self.variables = profile, variables
        self.told = told
        return self

    def __enter__(self) -> FakeProject:
        return self

    def __exit__(self, *error: object) -> None:
        self.closed += 1

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in self.__dict__.get("answers", {}):
            raise AttributeError(name)
        return lambda *args, **kwargs: self._answer(name, args, kwargs)

    def _answer(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self.asked.append((name, args, kwargs))
        answer = self.answers[name]
        if isinstance(answer, BaseException):
            raise answer
        return answer(*args, **kwargs) if callable(answer) else answer


def step(name: str = "raw.orders", **values: Any) -> results.Step:
    return results.Step(name, "load", values.pop("status", "ok"), **values)
