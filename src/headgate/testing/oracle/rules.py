"""Rules about one value: whether it keeps them, and what they expect."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from headgate.testing.oracle.model import Rule
from headgate.testing.oracle.values import Value, rank, spelling


def passes(rule: Rule, value: Value, type_spelling: str) -> bool:
    """Whether a value that is not NULL keeps the rule. NaN is within no bound."""
    double = spelling(type_spelling)[0] == "double"
    args: list[Any] = [float(arg) for arg in rule.args] if double else list(rule.args)
    if rule.code in ("min", "max", "above", "below", "between") and value != value:
        return False
    if rule.code == "min":
        return rank(value) >= rank(args[0])
    if rule.code == "max":
        return rank(value) <= rank(args[0])
    if rule.code == "between":
        return rank(args[0]) <= rank(value) <= rank(args[1])
    if rule.code == "above":
        return rank(value) > rank(args[0])
    if rule.code == "below":
        return rank(value) < rank(args[0])
    if rule.code == "multiple_of":
        return Fraction(value) % Fraction(args[0]) == 0
    if rule.code in ("in", "not_in"):
        return (rank(value) in [rank(arg) for arg in args]) is (rule.code == "in")
    if rule.code == "length":
        return bool(args[0] <= len(value) and (args[1] is None or len(value) <= args[1]))
    if rule.code == "pattern":
        return re.search(_whole_text_end(args[0]), value, re.ASCII) is not None
    raise ValueError(f"unknown rule {rule.code!r}")


def message(rule: Rule) -> str:
    """What the rule expects."""
    texts = [str(arg) for arg in rule.args]
    return {
        "min": f"must be at least {texts[0]}",
        "max": f"must be at most {texts[0]}",
        "above": f"must be above {texts[0]}",
        "below": f"must be below {texts[0]}",
        "between": f"must be between {' and '.join(texts)}",
        "multiple_of": f"must be a multiple of {texts[0]}",
        "length": f"must have between {' and '.join(texts)} characters",
        "pattern": f"must match {texts[0]}",
        "in": f"must be one of {', '.join(texts)}",
        "not_in": f"must be none of {', '.join(texts)}",
    }[rule.code]


def _whole_text_end(pattern: str) -> str:
    """The pattern with `$` meaning the end of the text, as in RE2; Python's also matches before a last line feed."""
    return re.sub(r"(\\.|\[\^?\]?(?:\\.|[^\]\\])*\])|\$", lambda m: m[1] or r"\Z", pattern, flags=re.DOTALL)
