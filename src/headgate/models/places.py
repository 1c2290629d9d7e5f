"""Where a character of a model's SQL stands in the model's file, whatever the template made of it.

The file is rendered once more with a mark before every stretch of its text and before every expression. The answer is
that of the last mark before the character, and only given where the marked text without its marks is the SQL: a
template that looks at its own text (`{{ block | length }}`) may come to something else, and then nothing is claimed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from headgate.core.errors import HeadgateError, Location
from headgate.core.records import dataclass
from headgate.models import lexer
from headgate.models.template import environment

if TYPE_CHECKING:
    from jinja2 import Template

    from headgate.models.render import Draft, Renderer

_OPEN, _CLOSE = "\ue000", "\ue001"
_MARK = re.compile(f"{_OPEN}([0-9]+):([0-9]+){_CLOSE}")
_LINES = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Origin:
    """The file that a model's SQL was rendered from, with the ephemeral models within it."""

    renderer: Renderer
    draft: Draft

    def at(self, sql: str, line: int, column: int = 0) -> Location | None:
        """The place of a character of the SQL (line and column from 1), or of a whole line of it (column 0).

        None where it can't be told for sure. A place without column stands for an expression of the template, or for
        text that stands twice on its line.
        """
        lines = sql.split("\n")
        if not 0 < line <= len(lines) or column > len(lines[line - 1]) + 1:
            return None
        start = sum(len(one) + 1 for one in lines[: line - 1])
        end = start + len(lines[line - 1])
        for draft in (self.draft, *self.renderer.drafts.values()):
            ways = [_Marked.of(self.renderer, draft, incremental, sql) for incremental in (False, True)]
            found = [one for one in ways if one is not None and one.holds(start, end)]
            # The file as it is rendered at first, and beside rows that stand: both are looked at, and must agree.
            places = {one.place(start, end, column) for one in found if one.size == max(each.size for each in found)}
            if found:
                return places.pop() if len(places) == 1 else None
        return None


@dataclass(frozen=True)
class _Marked:
    """The file's part of a SQL text: from `start` to `end` of it. `marks`: (offset in the SQL, line, column), in order;
    column 0 is unknown."""

    path: str
    start: int
    end: int
    marks: tuple[tuple[int, int, int], ...]

    @classmethod
    def of(cls, renderer: Renderer, draft: Draft, incremental: bool, sql: str) -> _Marked | None:
        text = draft.source.text
        if _OPEN in text or _CLOSE in text:
            return None
        try:
            parsed = replace(draft.parsed, template=_template(draft))
            marked, _ = renderer.whole(replace(draft, parsed=parsed), incremental)
        except (HeadgateError, _Astray):
            return None
        plain, marks = _taken(marked)
        own = lexer.without_end(plain)
        start = sql.find(own)
        if not own or sql.count(own) != 1:
            own = lexer.behind_with(own)
            start = sql.rfind(own)
        if not own or sql.count(own) != 1:
            return None
        moved = start - plain.index(own)
        listed = tuple((offset + moved, line, column) for offset, line, column in marks)
        return cls(str(draft.source.path), start, start + len(own), listed)

    @property
    def size(self) -> int:
        return self.end - self.start

    def holds(self, start: int, end: int) -> bool:
        return self.start <= start and end <= self.end

    def place(self, start: int, end: int, column: int) -> Location | None:
        """Of one character, or of what stands between the offsets, if all of that is of one line of the file."""
        if column:
            mark = self._before(start + column - 1)
            return None if mark is None else self._shown(*mark, start + column - 1)
        first = self._before(start)
        within = [line for offset, line, _ in self.marks if start < offset < end]
        lines = {*within, *([first[1]] if first is not None else [])}
        return Location(self.path, lines.pop()) if len(lines) == 1 else None

    def _before(self, offset: int) -> tuple[int, int, int] | None:
        return max((mark for mark in self.marks if mark[0] <= offset), key=lambda mark: mark[0], default=None)

    def _shown(self, at: int, line: int, column: int, offset: int) -> Location:
        return Location(self.path, line, column + offset - at if column > 0 else 0)


def _taken(marked: str) -> tuple[str, list[tuple[int, int, int]]]:
    """The text without its marks, and the marks with their offsets in it; of those at one offset, the last holds."""
    parts, marks, at, size = [], dict[int, tuple[int, int, int]](), 0, 0
    for match in _MARK.finditer(marked):
        parts.append(marked[at : match.start()])
        size += len(parts[-1])
        marks[size] = (size, int(match[1]), int(match[2]))
        at = match.end()
    return "".join([*parts, marked[at:]]), list(marks.values())


class _Astray(Exception):
    """The template's text is not where its syntax says that it is."""


def _template(draft: Draft) -> Template:
    """The file's template with marks in its text."""
    from jinja2 import Template, nodes

    env, source = environment(), _LINES.split(draft.source.text)
    tree = env.parse(draft.source.text)
    for output in tree.find_all(nodes.Output):
        made: list[nodes.Expr] = []
        for node in output.nodes:
            if isinstance(node, nodes.TemplateData):
                made.append(nodes.TemplateData("".join(_pieces(node.data, node.lineno, source)), lineno=node.lineno))
            else:
                made += [nodes.TemplateData(f"{_OPEN}{node.lineno}:0{_CLOSE}", lineno=node.lineno), node]
        output.nodes = made
    code = env.compile(tree, filename=str(draft.source.path))
    return Template.from_code(env, code, env.make_globals(None), None)


def _pieces(data: str, first: int, source: list[str]) -> Iterator[str]:
    """The text, with a mark before each of its lines. Raises _Astray where the file has something else there."""
    pieces = data.split("\n")
    for number, piece in enumerate(pieces):
        line = source[first + number - 1] if first + number <= len(source) else None
        if line is None or piece not in line or (number and not line.startswith(piece)):
            raise _Astray
        column = 1 if number else line.index(piece) + 1 if piece and line.count(piece) == 1 else 0
        yield ("\n" if number else "") + f"{_OPEN}{first + number}:{column}{_CLOSE}" + piece
