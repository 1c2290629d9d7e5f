"""The oracle shares no code with what it judges, and no SQL."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import headgate.testing.oracle as oracle

FILES = sorted(Path(oracle.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_oracle_imports_the_standard_library_and_itself_only(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            assert name.startswith("headgate.testing.oracle") or name.split(".")[0] in sys.stdlib_module_names
