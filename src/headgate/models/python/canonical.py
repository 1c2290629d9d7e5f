"""What a Python model depends on as text: its file and the project's modules that it imports, without what changes
nothing."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from headgate.models.python.kinds import UNREADABLE


def digest(text: str, path: Path, root: Path) -> str:
    """A digest of the code: of its syntax tree, so that comments and layout do not count, and of every module of the
    project that it imports, however far. What is installed does not count.

    `path` is the file's, absolute. A module that is no Python counts by its text.
    """
    parts = [canonical(text)]
    seen = {path.resolve()}
    todo = _modules(text, path, root, path.parent)
    while todo:
        found = todo.pop()
        if found in seen:
            continue
        seen.add(found)
        inside = _text(found)
        parts.append(f"{found.relative_to(root.resolve()).as_posix()}\n{canonical(inside)}")
        todo += _modules(inside, found, root, path.parent)
    whole = "\x00".join([parts[0], *sorted(parts[1:])])
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


def canonical(text: str) -> str:
    """The syntax tree as text: the same in every version of Python that reads it. Docstrings count only where the code
    may read them."""
    try:
        return _node(ast.parse(text), "__doc__" in text)
    except UNREADABLE:
        return text


def _node(node: object, documented: bool) -> str:
    if isinstance(node, ast.AST):
        fields = [(name, value) for name, value in ast.iter_fields(node) if value not in (None, [])]
        told = (f"{name}={_field(node, name, value, documented)}" for name, value in fields if name != "type_comment")
        return f"{type(node).__name__}({','.join(told)})"
    if isinstance(node, list):
        return f"[{','.join(_node(one, documented) for one in node)}]"
    return f"{type(node).__name__}:{node!r}"


def _field(node: ast.AST, name: str, value: object, documented: bool) -> str:
    holds = isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    if holds and name == "body" and isinstance(value, list) and not documented and _is_docstring(value[0]):
        value = value[1:]
    return _node(value, documented)


def _is_docstring(node: object) -> bool:
    said = node.value if isinstance(node, ast.Expr) else None
    return isinstance(said, ast.Constant) and isinstance(said.value, str)


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")


def _modules(text: str, path: Path, root: Path, folder: Path) -> list[Path]:
    """The files of the project that the text imports: from the model's folder, the project's, and beside itself."""
    try:
        tree = ast.parse(text)
    except UNREADABLE:
        return []
    found: list[Path] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                found += _files(one.name.split("."), [folder, root], root)
        elif isinstance(node, ast.ImportFrom):
            bases = [folder, root] if not node.level else [_above(path, node.level)]
            parts = (node.module or "").split(".") if node.module else []
            for one in node.names:
                found += _files([*parts, one.name], bases, root)
    return found


def _above(path: Path, level: int) -> Path:
    for _ in range(level):
        path = path.parent
    return path


def _files(parts: Sequence[str], folders: Sequence[Path], root: Path) -> Iterator[Path]:
    """`a/__init__.py`, `a.py`, `a/b.py` for `a.b`, as far as they are there."""
    for folder in folders:
        for length in range(1, len(parts) + 1):
            stem = folder.joinpath(*parts[:length])
            for file in (stem.with_name(stem.name + ".py"), stem / "__init__.py"):
                if file.is_file() and file.resolve().is_relative_to(root.resolve()):
                    yield file.resolve()
