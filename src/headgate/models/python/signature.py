"""What the file of a Python model says, read from its text: nothing of it is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any, NoReturn

from headgate.core.errors import Location, ProjectError
from headgate.core.records import dataclass
from headgate.models.python import kinds
from headgate.models.python.kinds import Kind
from headgate.models.template import Call

FUNCTION = "model"
THIS = "this"
"""The parameter that is given the rows which stand, where an incremental model adds to them."""
WORDS = ("config", "ref", "source")
BY_DBT = ("dbt", "session")
"""The parameters of a Python model of a dbt project, the second by any name."""


@dataclass(frozen=True)
class Parameter:
    """One input: what it is called in the function, what it names, and as what it is given.

    `call` is None for `this`.
    """

    name: str
    call: Call | None
    kind: Kind
    line: int


@dataclass(frozen=True)
class Setting:
    """One call of `config`: its settings by name, and its line."""

    values: Mapping[str, Any]
    line: int


@dataclass(frozen=True)
class Signature:
    """What `def model` takes. `dbt`: it is written for dbt, and asks for its inputs itself."""

    parameters: tuple[Parameter, ...]
    settings: tuple[Setting, ...] = ()
    line: int = 0
    dbt: bool = False
    calls: tuple[Call, ...] = field(default=())

    @property
    def this(self) -> bool:
        """Whether it is given the rows that stand."""
        return any(one.call is None for one in self.parameters)


def has_model(text: str) -> bool:
    """Whether the file is a model: it defines a function `model`. One that is no Python is, too, so that it is told."""
    try:
        tree = ast.parse(text)
    except kinds.UNREADABLE:
        return "def model" in text
    return any(isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one.name == FUNCTION for one in tree.body)


def signature(text: str, path: str) -> Signature:
    """*Errors*: ProjectError `python-file` for what is no Python, `python-model` for what can't be told without running
    the file, or is no model."""
    return _Reading(path).read(text)


class _Reading:
    """One file. `words`: what the file calls `config`, `ref` and `source`; `modules`: names it gives to modules."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.words: dict[str, str] = {}
        self.names: dict[str, str] = {}

    def read(self, text: str) -> Signature:
        try:
            tree = ast.parse(text)
        except kinds.UNREADABLE as error:
            line = getattr(error, "lineno", None) or 0
            said = getattr(error, "msg", None) or "the file can't be compiled"
            where = Location(self.path, line)
            raise ProjectError.of("python-file", f"this is not Python: {said}", where, "mend the file") from error
        self.names = kinds.imported(tree)
        self.words = {name: full.rpartition(".")[2] for name, full in self.names.items() if full in _OURS}
        found = [one for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
        models = [one for one in found if one.name == FUNCTION]
        if len(models) > 1:
            self.refuse(models[1], f"a second function {FUNCTION}()", "give every model its own file under models/")
        function = models[0]
        if isinstance(function, ast.AsyncFunctionDef):
            self.refuse(function, "model() is asynchronous", "write def instead of async def")
        return self._dbt(function) if _for_dbt(function) else self._native(function)

    def refuse(self, node: ast.AST, what: str, fix: str) -> NoReturn:
        raise ProjectError.of("python-model", what, Location(self.path, getattr(node, "lineno", 0)), fix)

    # -- def model(orders, customers) ----------------------------------------------------------------------------------

    def _native(self, function: ast.FunctionDef) -> Signature:
        given = function.args
        if given.vararg or given.kwarg or given.posonlyargs:
            odd = given.vararg or given.kwarg or given.posonlyargs[0]
            what = f"the parameter {odd.arg!r} of model() names no input: inputs are found by the names of parameters"
            self.refuse(odd, what, "write one parameter for each input, e.g. def model(orders, customers):")
        plain = [None] * (len(given.args) - len(given.defaults)) + list(given.defaults)
        every = [*zip(given.args, plain, strict=True), *zip(given.kwonlyargs, given.kw_defaults, strict=True)]
        parameters = tuple(self._parameter(one, default) for one, default in every)
        calls = tuple(one.call for one in parameters if one.call is not None)
        return Signature(parameters, tuple(self._decorations(function)), function.lineno, False, calls)

    def _parameter(self, given: ast.arg, default: ast.expr | None) -> Parameter:
        kind = self._kind(given)
        if given.arg == THIS:
            return Parameter(THIS, None, kind, given.lineno)
        if default is None:
            return Parameter(given.arg, Call("ref", (given.arg,), given.lineno), kind, given.lineno)
        word = self._word(default)
        if not isinstance(default, ast.Call) or word not in ("ref", "source"):
            what = f"the default of parameter {given.arg!r} is no ref(): what it is given could not be told"
            fix = f'write {given.arg}=ref("raw.orders"), with: from headgate import ref'
            self.refuse(default, what, fix)
        return Parameter(given.arg, self._call(word, default), kind, given.lineno)

    def _kind(self, given: ast.arg) -> Kind:
        if given.annotation is None:
            return "relation"
        kind = kinds.kind_of(given.annotation, self.names)
        if kind is None:
            what = f"parameter {given.arg!r} can't be given as {ast.unparse(given.annotation)}"
            self.refuse(given, what, "use one of " + ", ".join(kinds.SPELLED))
        return kind

    def _word(self, node: ast.expr) -> str:
        """`ref` for a call of it, however it was imported."""
        if not isinstance(node, ast.Call):
            return ""
        full = kinds.dotted(node.func, self.names)
        return full.rpartition(".")[2] if full in _OURS else ""

    def _call(self, word: str, node: ast.Call) -> Call:
        """A call with literal texts: a name that is computed would be known only when the file runs."""
        texts = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        if len(texts) != len(node.args) or node.keywords or not texts:
            what = f"{ast.unparse(node)} is computed: inputs are found without running the file"
            self.refuse(node, what, f'write the name itself: {word}("orders")')
        return Call(word, tuple(texts), node.lineno)

    def _decorations(self, function: ast.FunctionDef) -> Iterator[Setting]:
        for one in function.decorator_list:
            if self._word(one) == "config" and isinstance(one, ast.Call):
                yield self._setting(one)
            elif kinds.dotted(one, self.names) in _OURS:
                self.refuse(one, "config needs its settings", 'write @config(materialized="table")')

    def _setting(self, node: ast.Call) -> Setting:
        values: dict[str, Any] = {}
        for one in node.keywords:
            try:
                if one.arg is None:
                    raise ValueError
                values[one.arg] = ast.literal_eval(one.value)
            except ValueError:
                what = f"the setting {one.arg or ast.unparse(one.value)!r} of config() is computed"
                self.refuse(one.value, what, "write its value itself: settings are read without running the file")
        if node.args:
            self.refuse(node, "config() takes its settings by name", 'write @config(materialized="table")')
        return Setting(values, node.lineno)

    # -- def model(dbt, session) ---------------------------------------------------------------------------------------

    def _dbt(self, function: ast.FunctionDef) -> Signature:
        """Whatever stands in the function counts, in branches that are not taken, too."""
        calls: list[Call] = []
        settings: list[Setting] = []
        parameters: dict[Call, Parameter] = {}
        for node in ast.walk(function):
            said = node.func if isinstance(node, ast.Call) else None
            if not (isinstance(said, ast.Attribute) and isinstance(said.value, ast.Name) and said.value.id == "dbt"):
                continue
            assert isinstance(node, ast.Call)
            if said.attr == "config":
                settings.append(self._setting(node))
            elif said.attr in ("ref", "source"):
                call = self._call(said.attr, node)
                calls.append(call)
                key = Call(call.word, call.arguments, 0)
                parameters.setdefault(key, Parameter(dbt_name(key), call, "relation", node.lineno))
        this = Parameter(THIS, None, "relation", function.lineno)
        settings.sort(key=lambda one: one.line)
        calls.sort(key=lambda one: one.line)
        return Signature((*parameters.values(), this), tuple(settings), function.lineno, True, tuple(calls))


_OURS = {f"headgate.{word}" for word in WORDS}


def dbt_name(call: Call) -> str:
    """What an input that `dbt.ref(...)` names is kept under."""
    return f"{call.word}({', '.join(call.arguments)})"


def _for_dbt(function: ast.FunctionDef) -> bool:
    given = function.args
    return len(given.args) == len(BY_DBT) and given.args[0].arg == BY_DBT[0] and not given.defaults
