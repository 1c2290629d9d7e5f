"""Tables that a model names itself, past `ref()`: the plan cannot see them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from headgate.core.errors import Finding
from headgate.core.values import TableRef
from headgate.models import lexer
from headgate.models.model import Model


def direct_reads(models: Sequence[Model], loaded: Iterable[TableRef]) -> list[Finding]:
    """A warning `direct-read` for every loaded table or model that a model reads as `schema.name` without `ref()`.

    Names without a schema are not looked at: they may be common table expressions.
    """
    known = {str(table).casefold(): str(table) for table in loaded}
    known |= {str(model.target).casefold(): model.name for model in models}
    findings = []
    for model in models:
        texts = (model.sql, model.incremental.sql) if model.incremental else (model.sql,)
        read = {known[name] for text in texts for name in _qualified(text) if name in known}
        findings += [_finding(model, name) for name in sorted(read - {*model.inputs, model.name})]
    return findings


def _qualified(sql: str) -> Iterator[str]:
    """Every `one.two` behind FROM, JOIN or a comma, in lower case and without quotes."""
    found = [(kind, text) for kind, text in lexer.tokens(sql) if kind != "blank"]
    for before, one, dot, two in zip(found, found[1:], found[2:], found[3:], strict=False):
        named = one[0] in ("word", "quoted") and two[0] in ("word", "quoted")
        if named and dot == ("other", ".") and before[1].casefold() in ("from", "join", ",", "("):
            yield f"{_bare(one[1])}.{_bare(two[1])}"


def _bare(name: str) -> str:
    return (name[1:-1].replace('""', '"') if name.startswith('"') else name).casefold()


def _finding(model: Model, name: str) -> Finding:
    what = f"model {model.name!r} reads {name} without ref(): it is not rebuilt when {name} changes"
    return Finding("direct-read", "warning", what, str(model.path), f"Write {{{{ ref('{name}') }}}}")
