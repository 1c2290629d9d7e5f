"""Fixes of refused records: what they would say, what a replay would make of it, and the change itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from typing import Protocol

from headgate.books import revise
from headgate.books.ledger import Counts, insert_rows
from headgate.contracts.pii import HIDDEN, mask_text
from headgate.contracts.verify import verify_values
from headgate.core.clock import new_id
from headgate.core.errors import CommitError, ContractError, Finding, ProjectError, nearest, tidied
from headgate.core.protocols import Store, StoreSession
from headgate.core.records import dataclass
from headgate.core.values import SourceColumn
from headgate.gate.blame import said
from headgate.run import replay
from headgate.run.commits import TRIES
from headgate.run.flow import Flow
from headgate.sql import quote
from headgate.types.codec import decode, encode

O_ROW, N_ROW = 'o."row"', 'n."row"'
OLD, NEW, TYPED, FIX = "hg_old", "hg_new", "hg_typed", "hg_fix"
"""Tables of the engine's session: the records chosen, what they are to say, and those of them that change."""


@dataclass(frozen=True)
class Given:
    """One record of an edited export: the revision that was exported, columns as text, and the whole text or None."""

    revision: int
    columns: Mapping[str, str | None]
    raw: str | None = None


@dataclass(frozen=True)
class Edit:
    """What to do: SQL `values` by column, or one whole record's `text`, or records as `given` by id.

    `hidden`: source columns, in lower case, that an export masks; a masked cell that comes back means no change.
    `seen`: the revision that every record must have, where the caller knows it. `named`: the records were named one by
    one, so that one that can't be fixed is an error and not left out. `loose`: the records as given don't tell NULL
    from an empty text.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None
    given: Mapping[int, Given] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    seen: int | None = None
    named: bool = False
    loose: bool = False


@dataclass(frozen=True)
class Change:
    """What a record said and what it says now; `row` as JSON text, None for a record that can't be taken apart."""

    id: int
    revision: int
    raw_before: str | None
    row_before: str | None
    raw: str | None
    row: str | None


@dataclass(frozen=True)
class Fixed:
    """`changes` are at most as many as were asked for; `rows` counts all, `chosen` also those that stay as they are,
    `malformed` those left out because only their whole text can be fixed. `verdict`: what a replay would end in."""

    chosen: int
    rows: int
    malformed: int
    changes: tuple[Change, ...]
    verdict: Counts | None = None


class TextSource(Protocol):
    """A source whose records are texts that can be given anew."""

    def record_of(self, text: str, columns: Sequence[str], partition: str) -> dict[str, str | None] | str: ...


def fix(store: Store, flow: Flow, chosen: str, edit: Edit, author: str, reason: str, shown: int | None) -> Fixed:
    """Changes the open records of the table that the SELECT of ids `chosen` names, all or none.

    *Errors*: ContractError and ProjectError where an expression or a value can't be; CommitError `fix-conflict`.
    """
    for _ in range(TRIES):
        with store.lock(flow.table), store.session() as session, _staged(session, flow, chosen, edit) as found:
            try:
                if found.rows:
                    select = f'SELECT id, revision, raw, "row", shape, key FROM {FIX}'
                    revise.fix(session, flow.table, revise.Fixes(select, found.rows, author, reason), new_id())
                return _told(session, found, shown)
            except Exception as error:
                if not store.is_conflict(error):
                    raise
    raise CommitError.of(
        "commit-contested", f"{TRIES} times another runner changed {flow.name} first", flow.name,
        "let one run end before the next begins",
    )  # fmt: skip


def rehearse(store: Store, flow: Flow, chosen: str, edit: Edit, shown: int | None) -> Fixed:
    """What `fix` would change, and what a replay of that would end in; nothing is changed."""
    with store.lock(flow.table), store.session() as session, _staged(session, flow, chosen, edit) as found:
        told = _told(session, found, shown)
        records = f"""(SELECT f.id, o.partition, o.record, o.line, o.reasons, f.raw, f."row", f.shape, o.origin,
                       false AS malformed FROM {FIX} AS f JOIN {OLD} AS o ON o.id = f.id)"""
        verdict = replay.would(session, flow, records) if found.rows else Counts()
        return Fixed(told.chosen, told.rows, told.malformed, told.changes, verdict)


def _told(session: StoreSession, found: Fixed, shown: int | None) -> Fixed:
    cut = "" if shown is None else f" LIMIT {int(shown)}"
    rows = session.engine.execute(
        f"""SELECT f.id, f.revision, o.raw, o."row", f.raw, f."row" FROM {FIX} AS f JOIN {OLD} AS o ON o.id = f.id
            ORDER BY f.id{cut}"""
    )
    return Fixed(found.chosen, found.rows, found.malformed, tuple(Change(*row) for row in rows))


@contextmanager
def _staged(session: StoreSession, flow: Flow, chosen: str, edit: Edit) -> Iterator[Fixed]:
    """The tables of the module made for this edit; the answer has no changes yet."""
    engine = session.engine
    with tidied(
        lambda: [engine.execute(f"DROP TABLE IF EXISTS {name}") for name in (OLD, NEW, TYPED, FIX, "hg_taken")]
    ):
        taken = session.take(
            f"""SELECT id, partition, record, line, reasons, raw, "row", shape, origin, revision, key
                FROM _headgate.quarantine
                WHERE table_name = {quote.literal(flow.name)} AND status = 'open' AND id IN ({chosen})""",
            "hg_taken",
        )
        engine.execute(f"CREATE TEMP TABLE {OLD} AS SELECT * FROM {taken} AS taken")
        engine.execute(f'CREATE TEMP TABLE {NEW} (id BIGINT, raw VARCHAR, "row" VARCHAR)')
        _refuse_unseen(session, flow, edit)
        malformed = 0
        if edit.values:
            malformed = _by_values(session, flow, edit)
        elif edit.text is not None:
            _by_text(session, flow, edit.text)
        else:
            _by_rows(session, flow, edit)
        _fit(session, flow)
        engine.execute(
            f"""CREATE TEMP TABLE {FIX} AS SELECT o.id, o.revision, n.raw, n."row", o.shape, {_key(flow)} AS key
                FROM {NEW} AS n JOIN {OLD} AS o ON o.id = n.id"""
        )
        counts = [engine.execute(f"SELECT count(*) FROM {name}")[0][0] for name in (OLD, FIX)]
        yield Fixed(counts[0], counts[1], malformed, ())


def _key(flow: Flow) -> str:
    """The partition that the record belongs to, unless one of the columns that name it says something else now."""
    load, contract = flow.ingest.load, flow.contract
    if load.kind != "partition":
        return "o.key"
    fed = {column.name: column.source for column in contract.columns} if contract else {}
    names = [fed.get(key, key) for key in load.keys]
    moved = " OR ".join(f"{_extract(N_ROW, name)} IS DISTINCT FROM {_extract(O_ROW, name)}" for name in names)
    return f"CASE WHEN NOT ({moved}) THEN o.key END"


def _refuse_unseen(session: StoreSession, flow: Flow, edit: Edit) -> None:
    """Raises CommitError `fix-conflict` for records that were fixed since the caller saw them."""
    if edit.seen is not None:
        seen = {one: edit.seen for (one,) in session.engine.execute(f"SELECT id FROM {OLD}")}
    else:
        seen = {number: one.revision for number, one in edit.given.items()}
    found = dict(session.engine.execute(f"SELECT id, revision FROM {OLD}"))
    wrong = sorted(number for number, revision in seen.items() if found.get(number) != revision)
    if not wrong:
        return
    first = wrong[0]
    rows = session.execute("SELECT status, revision FROM _headgate.quarantine WHERE id = ?", [first])
    status, revision = rows[0] if rows else (None, None)
    last = revise.lines(session, [first])[-1:]
    who = (last[0].author, last[0].at) if last else ("", "")
    raise revise.conflict(flow.name, len(wrong), first, seen[first], status, revision, *who)


def _shapes(session: StoreSession) -> dict[str, list[SourceColumn]]:
    """The columns with which each of the chosen records was read."""
    found = {}
    for (shape,) in session.engine.execute(f"SELECT DISTINCT shape FROM {OLD} ORDER BY 1"):
        body = session.execute("SELECT columns FROM _headgate.shape WHERE id = ?", [shape])[0][0]
        found[shape] = [SourceColumn(name, physical) for name, physical in json.loads(body)]
    return found


def _column(name: str, columns: Sequence[SourceColumn], flow: Flow) -> str:
    """The column as its source spells it. Raises ProjectError `unknown-column`."""
    names = [column.name for column in columns]
    if name in names:
        return name
    for known in names:
        if known.lower() == name.lower():
            return known
    what = f"the records of {flow.name} have no column {name!r}{nearest(name, names)}"
    raise ProjectError.of("unknown-column", what, flow.name, "use the columns of the source: " + ", ".join(names))


def _extract(row: str, name: str) -> str:
    pointer = "/" + name.replace("~", "~0").replace("/", "~1")
    return f"json_extract_string({row}, {quote.literal(pointer)})"


def _by_values(session: StoreSession, flow: Flow, edit: Edit) -> int:
    """Every record with the values of the expressions over its own texts; how many have no columns."""
    engine = session.engine
    bad = engine.execute(f'SELECT id FROM {OLD} WHERE "row" IS NULL ORDER BY id')
    if bad and edit.named:
        raise _needs_text(flow, bad[0][0])
    for shape, columns in _shapes(session).items():
        values = {_column(name, columns, flow): sql for name, sql in edit.values.items()}
        broken = verify_values([column.name for column in columns], values)
        if broken:
            raise ProjectError(*broken)
        texts = [f"{_extract(O_ROW, column.name)} AS {quote.ident(column.name)}" for column in columns]
        news = [
            f"CAST(({sql}\n) AS VARCHAR) AS {quote.ident(f'_hg_new{at}')}" for at, sql in enumerate(values.values())
        ]
        made = {name: quote.ident(f"_hg_new{at}") for at, name in enumerate(values)}
        pairs = ", ".join(f"{quote.literal(one.name)}, {made.get(one.name, quote.ident(one.name))}" for one in columns)
        moved = " OR ".join(f"{new} IS DISTINCT FROM {quote.ident(name)}" for name, new in made.items())
        _evaluate(
            session,
            flow,
            f"""INSERT INTO {NEW} SELECT _hg_id, _hg_raw, CAST(json_object({pairs}) AS VARCHAR) FROM (
                    SELECT *, {", ".join(news)} FROM (
                        SELECT o.id AS _hg_id, o.raw AS _hg_raw, {", ".join(texts)} FROM {OLD} AS o
                        WHERE o.shape = {quote.literal(shape)} AND o."row" IS NOT NULL))
                WHERE {moved}""",
        )
    return len(bad)


def _evaluate(session: StoreSession, flow: Flow, sql: str) -> None:
    try:
        session.engine.execute(sql)
    except Exception as error:
        what = f"the new value can't be computed for some record; nothing was changed. The engine says: {said(error)}"
        fix = "write it so that it gives a value or NULL for every record, or choose fewer records"
        raise ContractError.of("fix-failed", what, flow.name, fix) from error


def _needs_text(flow: Flow, number: int) -> ProjectError:
    what = f"record {number} could not be taken apart: it has no columns, only its text"
    fix = f'give the whole record: headgate quarantine fix {number} --raw "..." --reason "..."'
    return ProjectError(Finding("fix-malformed", "error", what, flow.name, fix))


def _by_text(session: StoreSession, flow: Flow, text: str) -> None:
    for number, partition, shape in session.engine.execute(f"SELECT id, partition, shape FROM {OLD}"):
        row = _taken_apart(flow, number, text, _shapes(session)[shape], partition)
        insert_rows(session.engine, NEW, [(number, text, _json(row))])


def _taken_apart(
    flow: Flow, number: int, text: str, columns: Sequence[SourceColumn], partition: str
) -> dict[str, str | None]:
    """The text as the table's own source reads it. Raises ProjectError `fix-raw`."""
    read = getattr(flow.as_file or flow.source, "record_of", None)
    if read is None:
        what = f"records of {flow.ingest.source.kind} are no texts that could be given anew"
        raise ProjectError.of("fix-raw", what, flow.name, 'give columns: --set "column = value"')
    row: dict[str, str | None] | str = read(text, [column.name for column in columns], partition)
    if isinstance(row, str):
        what = f"the text for record {number} is not one record of {flow.name}: {row}"
        fix = "its columns are " + ", ".join(column.name for column in columns)
        raise ProjectError.of("fix-raw", what, flow.name, fix)
    return row


def _by_rows(session: StoreSession, flow: Flow, edit: Edit) -> None:
    """Records as they stand in an edited export; what did not change there is left alone."""
    shapes = _shapes(session)
    news = []
    for number, partition, raw, row, shape in session.engine.execute(
        f'SELECT id, partition, raw, "row", shape FROM {OLD} ORDER BY id'
    ):
        given, old = edit.given[number], json.loads(row) if row is not None else None
        columns = {_column(name, shapes[shape], flow): text for name, text in given.columns.items()}
        moved = {
            name: text for name, text in columns.items() if _moved(text, (old or {}).get(name), name.lower(), edit)
        }
        new_raw = given.raw if _raw_moved(given.raw, raw, edit.hidden) else None
        if moved and old is None:
            raise _needs_text(flow, number)
        if moved and new_raw is not None:
            what = f"record {number}: both its text and its column {next(iter(moved))!r} were edited"
            raise ProjectError.of("fix-raw", what, flow.name, "edit one of the two; the columns follow from the text")
        if new_raw is not None:
            news.append((number, new_raw, _json(_taken_apart(flow, number, new_raw, shapes[shape], partition))))
        elif moved:
            news.append((number, raw, _json({**(old or {}), **moved})))
    insert_rows(session.engine, NEW, news)


def _moved(text: str | None, old: str | None, name: str, edit: Edit) -> bool:
    if edit.loose and not text and not old:
        return False
    return text != old and not (name in edit.hidden and text == mask_text(old))


def _raw_moved(text: str | None, old: str | None, hidden: frozenset[str]) -> bool:
    return text is not None and text != old and not (hidden and text == HIDDEN)


def _json(row: Mapping[str, str | None]) -> str:
    return json.dumps(row, ensure_ascii=False)


def _fit(session: StoreSession, flow: Flow) -> None:
    """New values of typed columns in their canonical text. Raises ProjectError `fix-unfit` where one has none.

    A replay reads the text back as a value of the source's type: it must be one.
    """
    engine = session.engine
    for shape, columns in _shapes(session).items():
        typed = [column for column in columns if column.physical != "VARCHAR"]
        if not typed:
            continue
        found = {column.name: _extract(N_ROW, column.name) for column in columns}
        changed = {one.name: f"{found[one.name]} IS DISTINCT FROM {_extract(O_ROW, one.name)}" for one in typed}
        values = {one.name: f"TRY({decode(found[one.name], one.physical)})" for one in typed}
        unfit = {
            one.name: f"{changed[one.name]} AND {found[one.name]} IS NOT NULL AND {values[one.name]} IS NULL"
            for one in typed
        }
        texts = {
            one.name: f"CASE WHEN {changed[one.name]} THEN {encode(values[one.name], one.physical)}"
            f" ELSE {found[one.name]} END"
            for one in typed
        }
        which = " ".join(f"WHEN {condition} THEN {quote.literal(name)}" for name, condition in unfit.items())
        pairs = ", ".join(f"{quote.literal(one.name)}, {texts.get(one.name, found[one.name])}" for one in columns)
        engine.execute(
            f"""CREATE TEMP TABLE {TYPED} AS SELECT n.id, CASE {which} END AS unfit,
                    CAST(json_object({pairs}) AS VARCHAR) AS "row"
                FROM {NEW} AS n JOIN {OLD} AS o ON o.id = n.id WHERE o.shape = {quote.literal(shape)}"""
        )
        bad = engine.execute(f"SELECT id, unfit FROM {TYPED} WHERE unfit IS NOT NULL ORDER BY id LIMIT 1")
        if bad:
            kind = next(one.physical for one in typed if one.name == bad[0][1])
            what = f"record {bad[0][0]}: the new value of {bad[0][1]!r} is no {kind}, which the source has there"
            raise ProjectError.of("fix-unfit", what, flow.name, "give a value of that type, or NULL")
        engine.execute(f'UPDATE {NEW} SET "row" = t."row" FROM {TYPED} AS t WHERE {NEW}.id = t.id')
        engine.execute(f"DROP TABLE {TYPED}")
