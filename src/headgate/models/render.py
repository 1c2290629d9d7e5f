"""The SQL of a file: templates filled in with physical names, ephemeral models as parts of the query."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from headgate.core.errors import Location, ProjectError
from headgate.core.records import dataclass
from headgate.core.values import TableRef
from headgate.models import lexer
from headgate.models.config import Config, ConfigWord
from headgate.models.context import Relation, Rendering, Settings, words
from headgate.models.model import ModelSource
from headgate.models.names import Input, Names, read_view
from headgate.models.template import Call, Parsed, Refused, calls_in, compiled, current_line, parse, render
from headgate.sql import quote

if TYPE_CHECKING:
    from headgate.models.python.signature import Signature

Resolve = Callable[[Input], str]


@dataclass
class Draft:
    """A file after the first pass: its config is known, its references are not yet resolved.

    `signature`: what a Python model's file says; its template is empty then.
    """

    source: ModelSource
    parsed: Parsed
    config: Config = field(default_factory=Config)
    calls: list[Call] = field(default_factory=list)
    signature: Signature | None = None

    @property
    def target(self) -> TableRef:
        return TableRef(self.config.schema or "main", self.source.name)


@dataclass(frozen=True)
class Rendered:
    """One SELECT, and what it reads, ephemeral models among it: each with the place that names it first."""

    sql: str
    inputs: Mapping[str, tuple[Input, Location]]


def checked(word: str, arguments: tuple[object, ...], options: Mapping[str, object]) -> Call:
    """A call of `ref` or `source` as data. Raises Refused `unknown-ref`."""
    wanted = 1 if word == "ref" else 2
    texts = tuple(item for item in arguments if isinstance(item, str))
    if len(texts) != wanted or len(arguments) != wanted or options:
        takes = "one name" if word == "ref" else "a schema and a table"
        raise Refused("unknown-ref", f"{word}() takes {takes}", "Write ref('orders') or source('raw', 'orders')")
    return Call(word, texts, current_line())


def first_pass(source: ModelSource, settings: Settings) -> Draft:
    """What the file's template says of itself and of others, as far as this rendering reaches it."""
    draft = Draft(source, parse(source.text, str(source.path), settings.macros.defined))

    def record(word: str) -> Callable[..., Relation]:
        def call(*arguments: object, **options: object) -> Relation:
            draft.calls.append(checked(word, arguments, options))
            return Relation('"_"', "_", "_")

        return call

    this = Relation('"_"', "_", source.name)
    rendering = Rendering(ConfigWord(draft.config), record("ref"), record("source"), this, execute=False)
    render(draft.parsed, words(settings, rendering, draft.parsed.uses))
    return draft


@dataclass(frozen=True)
class Renderer:
    """Fills in templates. `drafts`: the ephemeral models, by name."""

    settings: Settings
    names: Names
    drafts: Mapping[str, Draft]

    def resolve(self, call: Call, path: str) -> Input:
        """Raises ProjectError `unknown-ref` or `ambiguous-ref` at the call."""
        try:
            one = checked(call.word, call.arguments, {})
            return self.names.ref(*one.arguments) if call.word == "ref" else self.names.source(*one.arguments)
        except Refused as error:
            raise ProjectError.of(error.code, error.what, Location(path, call.line), error.fix) from error

    def select(
        self,
        draft: Draft,
        incremental: bool = False,
        read: Resolve = lambda one: one.sql,
        this: Relation | None = None,
    ) -> Rendered:
        """The SELECT of a file, ephemeral models within it; their inputs are its own. `read`: what stands for an input;
        `this`: for its own table, if that is another.

        *Errors*: ProjectError of the template, `unknown-ref`, `ambiguous-ref`, `model-not-select`, `model-cycle`.
        """
        own = self._filled(draft, incremental, read, this)
        gathered = _Gathered()
        self._gather(own.inputs, read, (draft.source.name,), gathered)
        return Rendered(lexer.with_parts(own.sql, tuple(gathered.parts.items())), gathered.inputs)

    def _filled(self, draft: Draft, incremental: bool, read: Resolve, this: Relation | None = None) -> Rendered:
        text, inputs = self.whole(draft, incremental, read, this)
        return Rendered(one_statement(text, str(draft.source.path)), inputs)

    def whole(
        self, draft: Draft, incremental: bool, read: Resolve = lambda one: one.sql, this: Relation | None = None
    ) -> tuple[str, dict[str, tuple[Input, Location]]]:
        """What the file's template comes to, from its first character to its last, and what it reads."""
        path = str(draft.source.path)
        inputs: dict[str, tuple[Input, Location]] = {}
        for call in sorted(dict.fromkeys((*draft.parsed.calls, *draft.calls)), key=lambda call: call.line):
            one = self.resolve(call, path)
            inputs.setdefault(one.name, (one, Location(path, call.line)))

        def word(name: str) -> Callable[..., Relation]:
            def call(*arguments: object, **options: object) -> Relation:
                said = checked(name, arguments, options)
                found = self.names.ref(*said.arguments) if name == "ref" else self.names.source(*said.arguments)
                inputs.setdefault(found.name, (found, Location(path, said.line)))
                return Relation(found.sql if found.ephemeral else read(found), found.table.schema, found.table.name)

            return call

        own = this or _own(draft)
        rendering = Rendering(ConfigWord(draft.config, frozen=True), word("ref"), word("source"), own, incremental)
        return render(draft.parsed, words(self.settings, rendering, draft.parsed.uses)), inputs

    def _gather(
        self, inputs: Mapping[str, tuple[Input, Location]], read: Resolve, around: tuple[str, ...], into: _Gathered
    ) -> None:
        """Ephemeral models, inputs first, and what is read in the end. `around`: the files that are being rendered."""
        for name, (one, where) in inputs.items():
            if not one.ephemeral:
                into.inputs.setdefault(name, (one, where))
                continue
            if name in around:
                circle = " -> ".join((*around[around.index(name) :], name))
                what = f"models read each other in a circle: {circle}"
                raise ProjectError.of("model-cycle", what, where, "Remove one of these references")
            if one.sql not in into.parts:
                made = self._filled(self.drafts[name], False, read)
                deeper = {key: (found, where) for key, (found, _) in made.inputs.items()}
                self._gather(deeper, read, (*around, name), into)
                into.parts[one.sql] = made.sql


def _own(draft: Draft) -> Relation:
    """The table that the file builds, as its own SQL reads it: rows that passed a contract name their entry."""
    target = draft.target
    if draft.source.split is None:
        return Relation.of(target)
    return Relation(quote.table(read_view(target)), target.schema, target.name)


@dataclass
class _Gathered:
    parts: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, tuple[Input, Location]] = field(default_factory=dict)


def calls_of(text: str, path: str) -> tuple[Call, ...]:
    """The calls of `ref` and `source` in a template. Raises ProjectError `model-template`."""
    return calls_in(compiled(text, path)[0])


def one_statement(text: str, path: str) -> str:
    """The text without its end, if it is one statement. Raises ProjectError `model-not-select`."""
    count = lexer.statements(text)
    if count == 1:
        return lexer.without_end(text)
    what = f"a model is one SELECT, and this file holds {count} statements" if count else "the model has no SQL"
    fix = "Give every statement its own file under models/" if count else "Write a SELECT"
    raise ProjectError.of("model-not-select", what, path, fix)
