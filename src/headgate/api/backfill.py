"""From when to when models are built once more, as a run is asked for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from headgate.core.errors import HeadgateError, ProjectError
from headgate.models.model import Model


def moments(text: str, models: Sequence[Model]) -> tuple[str, str]:
    """`2024-01-01..2024-02-01` as two moments, the end not included.

    Raises ProjectError `bad-backfill` where the text is no range, or none of the models is built by intervals.
    """
    first, dots, end = text.partition("..")
    try:
        begins, ends = datetime.fromisoformat(first.strip()), datetime.fromisoformat(end.strip())
        right = bool(dots) and begins < ends
    except (ValueError, TypeError):  # the latter: one with a zone, one without
        right = False
    if not right:
        raise _bad(f"{text!r} is no range of time", "write --backfill 2024-01-01..2024-02-01, the end is not included")
    if not any(model.incremental is not None and model.incremental.intervals is not None for model in models):
        raise _bad("none of these models is built by intervals", "name one that has a time_column in its config()")
    return first.strip(), end.strip()


def _bad(what: str, fix: str) -> HeadgateError:
    return ProjectError.of("bad-backfill", what, "--backfill", fix)
