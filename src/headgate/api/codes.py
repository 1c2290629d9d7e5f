"""What the code of a finding is about: the texts of docs/errors.md, and of codes.toml beside this file."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from headgate.api.results import CodeExplained, CodeList
from headgate.core.errors import ProjectError, nearest


@cache
def known_codes() -> Mapping[str, CodeExplained]:
    """Every code by its name, in the order of docs/errors.md."""
    here = files("headgate.api")
    said = json.loads((here / "codes.json").read_text(encoding="utf-8"))
    more = tomllib.loads((here / "codes.toml").read_text(encoding="utf-8"))
    principles: Mapping[str, str] = more["principles"]
    return {code: _code(code, facts, more["codes"].get(code, {}), principles) for code, facts in said.items()}


def _code(code: str, said: Mapping[str, str], more: Mapping[str, Any], principles: Mapping[str, str]) -> CodeExplained:
    why = more.get("why", "")
    return CodeExplained(
        code,
        said["area"],
        more.get("means", said["means"]),
        principles.get(why, why),
        tuple(more.get("causes", ())),
        said["do"] or more.get("fix", ""),
        more.get("example", ""),
    )


def explain_code(code: str) -> CodeExplained:
    """What a finding of this code is about. Raises ProjectError `unknown-code`."""
    found = known_codes().get(code.strip().lower())
    if found is None:
        what = f"no finding has the code {code!r}{nearest(code, known_codes())}"
        raise ProjectError.of("unknown-code", what, "", "headgate explain lists the codes")
    return found


def all_codes() -> CodeList:
    return CodeList(tuple(known_codes().values()))
