"""`${secret:NAME}`: values that stand in no project file, no error and no representation."""

from __future__ import annotations

import re
from pathlib import Path

from headgate.core import environ
from headgate.core.errors import Location, ProjectError, nearest
from headgate.project import yaml

REFERENCE = re.compile(r"\$\{\s*secret:\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}")
_LIKE = re.compile(r"\$\{[^}]*\}?")
FILES = ("secrets.yml", ".headgate/secrets.yml")


class Secret:
    """Text that shows itself only when asked by `reveal()`."""

    __slots__ = ("_text", "names")

    def __init__(self, text: str, names: tuple[str, ...]) -> None:
        self._text = text
        self.names = names

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"Secret({', '.join(self.names)})"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not written out")


def names(text: str) -> tuple[str, ...]:
    """The names of the secrets that the text refers to."""
    return tuple(REFERENCE.findall(text))


def check(text: str, where: Location) -> None:
    """Raises ProjectError bad-value where the text holds a `${...}` that names no secret."""
    for match in _LIKE.finditer(text):
        if not REFERENCE.fullmatch(match[0]):
            fix = "write ${secret:NAME} with a name of letters, digits and underscores"
            raise ProjectError.of("bad-value", f"{match[0]} names no secret", where, fix)


def resolve(text: str, root: Path, where: Location) -> str | Secret:
    """The text with its secrets put in; plain text where it refers to none.

    Looked for in the environment, then in `secrets.yml`, then in `.headgate/secrets.yml` of the project.
    *Errors*: ProjectError secret-missing (names the places, never a value), bad-value.
    """
    check(text, where)
    wanted = names(text)
    if not wanted:
        return text
    values = {name: _value(name, root, where) for name in wanted}
    return Secret(REFERENCE.sub(lambda match: values[match[1]], text), wanted)


def _value(name: str, root: Path, where: Location) -> str:
    value = environ.variable(name)
    if value is not None:
        return value
    known: list[str] = []
    for file in FILES:
        entries = _file(root, file)
        if name in entries:
            return entries[name]
        known.extend(entries)
    what = f"secret {name!r} is not set{nearest(name, known)}; looked for in the environment, {' and '.join(FILES)}"
    raise ProjectError.of(
        "secret-missing", what, where, f"set the environment variable {name}, or add it to {FILES[0]}"
    )


def _file(root: Path, file: str) -> dict[str, str]:
    path = root / file
    if not path.is_file():
        return {}
    try:
        node = yaml.read(path.read_text(encoding="utf-8-sig"), file)
    except (UnicodeDecodeError, ProjectError) as error:
        # The parser's own words may quote a value.
        where = error.finding.where if isinstance(error, ProjectError) else file
        raise ProjectError.of(
            "yaml-syntax", "this is not a readable secrets file", where, "write NAME: value"
        ) from None
    if node is None:
        return {}
    if not isinstance(node, yaml.Mapping) or not all(isinstance(value, yaml.Scalar) for _, value in node.entries):
        raise ProjectError.of("bad-value", "a secrets file holds names and texts only", node.where, "write NAME: value")
    return {key.text: value.text for key, value in node.entries if isinstance(value, yaml.Scalar)}
