"""Whether a model is still what its last build was made of, and what an edit since then does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from headgate.models.model import Model

if TYPE_CHECKING:
    from headgate.models.change import Change


def same_code(facts: Mapping[str, Any], model: Model) -> bool:
    """Whether the model is as it was built: the same text but for layout and comments, or the same query written
    otherwise. `facts`: those of the entry of its last build.

    The parser is loaded only where the text differs.
    """
    if facts.get("fingerprint") == model.fingerprint:
        return True
    before = _sql(facts)
    if model.python is not None or before is None or not model.frame or facts.get("frame") != model.frame:
        return False
    from headgate.models.change import same

    return same(before, model.sql, model.dialect)


def edit_of(facts: Mapping[str, Any], model: Model) -> Change | None:
    """What the edit of the model's SQL since its last build does; None where its SQL was not edited, or where the books
    don't know it."""
    before = _sql(facts)
    if facts.get("fingerprint") == model.fingerprint:
        return None
    if "python" in facts or model.python is not None:
        return _edit_of_code(facts, model)
    if before is None:
        return None
    from headgate.models.change import change

    found = change(before, model.sql, model.dialect)
    return None if found.verdict == "none" else found


def _edit_of_code(facts: Mapping[str, Any], model: Model) -> Change | None:
    """What another code does can't be told."""
    from headgate.models.change import UNKNOWN

    return UNKNOWN if model.python is None or facts.get("python") != model.python.digest else None


def _sql(facts: Mapping[str, Any]) -> str | None:
    found = facts.get("sql")
    return found if isinstance(found, str) else None
