"""What every macro of the transform kit gives for which rows: the same on every engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Case:
    """`given`: parts of the query, each a SELECT; `text` the model behind them; `rows` in any order, compared as texts."""

    macro: str
    text: str
    rows: Rows
    given: dict[str, str] = field(default_factory=dict)

    @property
    def model(self) -> str:
        parts = ", ".join(f"{name} AS ({sql})" for name, sql in self.given.items())
        return (f"WITH {parts}\n" if parts else "") + self.text


def values(columns: str, *rows: str) -> str:
    """A SELECT of these rows."""
    return f"SELECT * FROM (VALUES {', '.join(f'({row})' for row in rows)}) AS _given({columns})"


def column(macro: str, call: str, kind: str, pairs: dict[Any, Any]) -> Case:
    """A macro on one column `x`: what it makes of each value."""
    cells = ("NULL" if one is None else "'" + one.replace("'", "''") + "'" for one in pairs)
    rows = [f"{number}, CAST({cell} AS {kind})" for number, cell in enumerate(cells)]
    given = {"t": values("n, x", *rows)}
    return Case(macro, "SELECT n, {{ " + call + " }} AS y FROM t", list(enumerate(pairs.values())), given)


NBSP, ZERO, IDEOGRAPHIC = "\u00a0", "\u200b", "\u3000"
ORDERS = values(
    "id, customer, seen, n",
    "1, 'a', TIMESTAMP '2024-01-01 10:00:00', 1", "1, 'b', TIMESTAMP '2024-01-02 10:00:00', 2", "1, 'c', NULL, 3",
    "2, 'x', TIMESTAMP '2024-01-01 00:00:00', 2", "2, 'w', TIMESTAMP '2024-01-01 00:00:00', 2",
    "NULL, 'p', TIMESTAMP '2024-01-01 00:00:00', 1", "NULL, 'q', TIMESTAMP '2024-01-03 00:00:00', 1",
)  # fmt: skip
PEOPLE = values('id, "Na""me"', "'1', 'It''s Zoë'", "'2', NULL", "NULL, 'nobody'", "NULL, 'no one'")
VISITS = values("visit, person", "1, '1'", "2, '2'", "3, '9'", "4, NULL", "5, ''", "6, '1'")
VERSIONS = values(
    "id, city, valid_from, valid_to",
    "'1', 'Rome', TIMESTAMP '2024-01-01', TIMESTAMP '2024-03-01'", "'1', 'Oslo', TIMESTAMP '2024-03-01', NULL",
    "'2', 'Bonn', TIMESTAMP '2024-02-01', TIMESTAMP '2024-02-02'",
)  # fmt: skip
FACTS = values(
    "fact, id, seen",
    "1, '1', TIMESTAMP '2024-02-29 23:59:59'", "2, '1', TIMESTAMP '2024-03-01'", "3, '1', TIMESTAMP '2023-12-31'",
    "4, '2', TIMESTAMP '2024-02-02'", "5, '3', TIMESTAMP '2024-02-02'", "6, NULL, TIMESTAMP '2024-02-02'", "7, '1', NULL",
)  # fmt: skip
FEATURES = values(
    "person, known, score",
    "'a', TIMESTAMP '2024-01-01', 1", "'a', TIMESTAMP '2024-01-10', 2", "'a', TIMESTAMP '2024-02-01', NULL",
    "'b', TIMESTAMP '2024-01-05', 7", "'b', NULL, 8", "NULL, TIMESTAMP '2024-01-01', 9",
)  # fmt: skip
LABELS = values(
    "label, person, seen",
    "1, 'a', TIMESTAMP '2024-01-09'", "2, 'a', TIMESTAMP '2024-01-10'", "3, 'a', TIMESTAMP '2024-02-02'",
    "4, 'b', TIMESTAMP '2024-01-04'", "5, 'c', TIMESTAMP '2024-01-04'", "6, NULL, TIMESTAMP '2024-01-04'", "7, 'a', NULL",
)  # fmt: skip
SALES = values(
    "shop, status, amount, seen",
    "'n', 'new', 1, TIMESTAMP '2024-01-01 10:00:00'", "'n', 'paid', 2, TIMESTAMP '2024-01-03 23:59:59'",
    "'n', 'paid', 4, TIMESTAMP '2024-01-03 00:00:00'", "NULL, 'it''s', 8, TIMESTAMP '2024-01-01 00:00:00'",
    "NULL, NULL, 16, NULL",
)  # fmt: skip

VERSION = "on='id', at='seen', take=['city']"


def cases() -> Iterator[Case]:
    yield column("clean_text", "hg.clean_text('x')", "VARCHAR", {
        None: None, "": None, "  ": None, " a  b\t\n c ": "a b c", f"{NBSP}a{ZERO}{IDEOGRAPHIC}b\ufeff": "a b",
        "e\u0301": "é", "It's \"x\"": "It's \"x\"", "Straße": "Straße", "\x1f1": "1",
    })  # fmt: skip
    yield column("clean_text", "hg.clean_text('x', case='upper', empty='keep')", "VARCHAR", {" ": "", " ab c": "AB C"})
    yield column("email", "hg.email('x')", "VARCHAR", {
        None: None, "": None, " Ann@Example.ORG\n": "ann@example.org", "a@b": None, "a b@x.org": None, "a@x@y.org": None,
        "a@@x.org": None, "o'neil+Tag@x.co.uk": "o'neil+tag@x.co.uk", ".a@x.org": None, "a..b@x.org": None, "a@.org": None,
        "a@x..org": None, "a@x.1": None, "zoë@müller.de": "zoë@müller.de", "<a@x.org>": None, "a" * 300 + "@x.org": None,
    })  # fmt: skip
    yield column("email", "hg.email('x', tag='drop')", "VARCHAR", {"a+b+c@x.org": "a@x.org", "a@x.org": "a@x.org"})
    yield column("country", "hg.country('x')", "VARCHAR", {
        None: None, "": None, "fr": "FR", " DEU ": "DE", "Cote d'Ivoire": "CI", "Côte d’Ivoire": "CI", "U.S.A.": "US",
        "United Kingdom": "GB", "Atlantis": None, "|": None, "FRANCE|GERMANY": None, "Österreich": "AT", "Korea, Republic of": "KR",
        "中国": None, "türkiye": "TR", "'": None,
    })  # fmt: skip
    yield column("country", "hg.country('x', form='alpha_3')", "VARCHAR", {"no": "NOR", "GBR": "GBR"})
    yield column("country", "hg.country('x', form='name')", "VARCHAR", {"ci": "Côte d'Ivoire", "uk": "United Kingdom"})
    yield column("phone", "hg.phone('x', country='DE')", "VARCHAR", {
        None: None, "": None, "030 123456": "+4930123456", "+49 (0)30/12 34-56": "+4930123456", "0049 30 123456": "+4930123456",
        "+1 (212) 555-0123": "+12125550123", "+1 112 555 0123": None, "+39 06 6982": "+39066982", "+39 (0)6 69812345": None,
        "30 123456": "+4930123456", "030 123456 ext. 7": None, "call me": None, "+": None, "0": None, "+999 123456": None,
        "030\u00a0123\u2013456": "+4930123456", "+44 (0)20 7946 0958": "+442079460958", "+44 020 7946 0958": "+442079460958", "1234567890123456": None, "'": None,
    })  # fmt: skip
    yield Case(
        "phone",
        "SELECT n, {{ hg.phone('x', country_column=hg.country('c')) }} AS y FROM t",
        [(1, "+12125550123"), (2, "+74951234567"), (3, "+3612345678"), (4, None), (5, "+442079460958"), (6, None),
         (7, "+390669812345"), (8, "+12125550123"), (9, "+78005553535"), (10, "+442079460958"), (11, "+375152450911")],
        {"t": values(
            "n, x, c",
            "1, '(212) 555-0123', 'us'", "2, '8 495 123-45-67', 'Russia'", "3, '06 1 2345678', 'HU'", "4, '030 123456', 'Nowhere'",
            "5, '020 7946 0958', 'GB'", "6, '030 123456', NULL", "7, '06 6981 2345', 'IT'", "8, '011 1 212 555 0123', 'CA'",
            "9, '800 555 35 35', 'RU'", "10, '+44 20 7946 0958', NULL", "11, '8 0152 45-09-11', 'BY'",
        )},
    )  # fmt: skip
    clock = {None: None, "2024-07-01 12:00:00": "2024-07-01 10:00:00", "2024-01-01 00:30:00": "2023-12-31 23:30:00"}
    twice, gap = "2024-10-27 02:30:00", "2024-03-31 02:30:00"
    yield column("to_utc", "hg.to_utc('x', 'Europe/Berlin')", "TIMESTAMP", {
        **clock, twice: "2024-10-27 01:30:00", gap: "2024-03-31 01:30:00",
    })  # fmt: skip
    yield column("to_utc", "hg.to_utc('x', 'Europe/Berlin', ambiguous='earlier', missing='null')", "TIMESTAMP", {
        **clock, twice: "2024-10-27 00:30:00", gap: None, "2024-10-27 03:00:00": "2024-10-27 02:00:00",
        "2024-10-27 01:59:59": "2024-10-26 23:59:59",
    })  # fmt: skip
    yield column("to_utc", "hg.to_utc('x', 'Europe/Berlin', ambiguous='null')", "TIMESTAMP", {
        **clock, twice: None, gap: "2024-03-31 01:30:00",
    })  # fmt: skip
    yield column("to_utc", "hg.to_utc('x', 'Australia/Lord_Howe', ambiguous='earlier')", "TIMESTAMP", {
        "2024-04-07 01:45:00": "2024-04-06 14:45:00", "2024-04-07 02:00:00": "2024-04-06 15:30:00",
    })  # fmt: skip
    yield Case(
        "to_utc",
        "SELECT n, {{ hg.to_utc('x', zone_column='z') }} AS y FROM t",
        [(1, "2024-07-01 10:00:00"), (2, "2024-07-01 16:00:00"), (3, None)],
        {"t": values("n, x, z", *(f"{n}, TIMESTAMP '2024-07-01 12:00:00', {z}" for n, z in (
            (1, "'Europe/Paris'"), (2, "'America/New_York'"), (3, "NULL"))))},
    )  # fmt: skip
    yield Case(
        "convert_unit",
        "SELECT n, {{ hg.convert_unit('x', 'u', {'kg': 1, 'g': 0.001, \"it's\": [2, -1.5]}) }} AS y FROM t",
        [(1, 2), (2, "0.002"), (3, None), (4, "2.5"), (5, None), (6, None)],
        {"t": values("n, x, u", "1, 2.0, 'kg'", "2, 2.0, ' g '", "3, 2.0, 'KG'", "4, 2.0, 'it''s'", "5, NULL, 'kg'", "6, 2.0, NULL")},
    )  # fmt: skip
    yield Case(
        "rollup",
        "{{ hg.rollup('sales', 'seen', 'day', {'orders': 'count(*)', 'revenue': 'sum(amount)'}, by='shop',"
        " fill={'orders': 0}, last='2024-01-04') }}",
        [("2024-01-01 00:00:00", "n", 1, 1), ("2024-01-02 00:00:00", "n", 0, None), ("2024-01-03 00:00:00", "n", 2, 6),
         ("2024-01-04 00:00:00", "n", 0, None), ("2024-01-01 00:00:00", None, 1, 8), ("2024-01-02 00:00:00", None, 0, None),
         ("2024-01-03 00:00:00", None, 0, None), ("2024-01-04 00:00:00", None, 0, None), (None, None, 1, 16)],
        {"sales": SALES},
    )  # fmt: skip
    yield Case(
        "rollup",
        "{{ hg.rollup('sales', 'seen', 'week', {'orders': 'count(*)'}, period='week') }}",
        [("2024-01-01 00:00:00", 4), (None, 1)],
        {"sales": SALES},
    )
    yield Case(
        "rollup",
        "{{ hg.rollup('t', 'seen', 'quarter', {'n': 'count(*)'}, fill={'n': 0}) }}",
        [("2023-10-01 00:00:00", 1), ("2024-01-01 00:00:00", 0), ("2024-04-01 00:00:00", 1)],
        {"t": values("seen", "DATE '2023-12-31'", "DATE '2024-06-30'")},
    )
    yield Case(
        "deduplicate",
        "{{ hg.deduplicate('t', by=['id'], order_by='seen desc') }}",
        [(1, "b", "2024-01-02 10:00:00", 2), (2, "w", "2024-01-01 00:00:00", 2), (None, "q", "2024-01-03 00:00:00", 1)],
        {"t": ORDERS},
    )
    yield Case(
        "deduplicate",
        "{{ hg.deduplicate('t', by='id', order_by=['n desc', 'coalesce(seen, null)'], ties='customer desc') }}",
        [(1, "c", None, 3), (2, "x", "2024-01-01 00:00:00", 2), (None, "p", "2024-01-01 00:00:00", 1)],
        {"t": ORDERS},
    )
    yield Case(
        "lookup",
        "{{ hg.lookup('visits', 'people', on={'person': 'id'}, take={'Na\"me': \"it's\"}) }}",
        [(1, "1", "It's Zoë"), (2, "2", None), (3, "9", None), (4, None, None), (5, "", None), (6, "1", "It's Zoë")],
        {"visits": VISITS, "people": PEOPLE},
    )
    yield Case(
        "lookup",
        "{{ hg.lookup('visits', 'people', on={'person': 'id'}, take=['Na\"me'], unmatched='unknown',"
        " unknown={'Na\"me': \"who's that\"}) }}",
        [(1, "1", "It's Zoë"), (2, "2", None), (3, "9", "who's that"), (4, None, "who's that"), (5, "", "who's that"),
         (6, "1", "It's Zoë")],
        {"visits": VISITS, "people": PEOPLE},
    )  # fmt: skip
    yield Case(
        "lookup",
        "{{ hg.lookup('visits', 'people', on={'person': 'id'}, take=['x'], unmatched='fail') }}",
        [(1, "1", 5)],
        {"visits": values("visit, person", "1, '1'"), "people": values("id, x", "'1', 5", "'2', 6")},
    )
    yield Case(
        "lookup_version",
        "{{ hg.lookup_version('facts', 'versions', " + VERSION + ") }}",
        [(1, "1", "2024-02-29 23:59:59", "Rome"), (2, "1", "2024-03-01 00:00:00", "Oslo"),
         (3, "1", "2023-12-31 00:00:00", None), (4, "2", "2024-02-02 00:00:00", None), (5, "3", "2024-02-02 00:00:00", None),
         (6, None, "2024-02-02 00:00:00", None), (7, "1", None, None)],
        {"facts": FACTS, "versions": VERSIONS},
    )  # fmt: skip
    yield Case(
        "lookup_version",
        "SELECT fact, city FROM ({{ hg.lookup_version('facts', 'versions', " + VERSION + ", early='first',"
        " unmatched='unknown', unknown={'city': '?'}) }}) AS f",
        [(1, "Rome"), (2, "Oslo"), (3, "Rome"), (4, "?"), (5, "?"), (6, "?"), (7, "?"), (8, "?")],
        {
            "facts": FACTS + " UNION ALL SELECT 8, '4', NULL",
            "versions": VERSIONS + " UNION ALL SELECT '4', 'Lodz', TIMESTAMP '2024-01-01', NULL",
        },
    )
    yield Case(
        "pivot",
        "{{ hg.pivot('sales', by='shop', column='status', values=['paid', \"it's\"], value='amount', agg='sum', fill=0,"
        " other='other') }}",
        [("n", 6, 0, 1), (None, 0, 8, 1)],
        {"sales": SALES},
    )
    yield Case(
        "pivot",
        "{{ hg.pivot('sales', by=['shop'], column='status', values={'paid': 'p\"aid', none: 'none'}, other='rest') }}",
        [("n", 2, 0, 1), (None, 0, 1, 1)],
        {"sales": SALES},
    )
    yield Case(
        "unpivot",
        "{{ hg.unpivot('budget', keep=['team'], columns={'q1': \"it's q1\", 'q2': 'q2'}, name='quarter', value='amount') }}",
        [("a", "it's q1", 1), ("a", "q2", None), (None, "it's q1", 3), (None, "q2", 4)],
        {"budget": values("team, q1, q2", "'a', 1, NULL", "NULL, 3, 4")},
    )
    yield Case(
        "unpivot",
        "{{ hg.unpivot('budget', keep='team', columns=['q1', 'q2'], kind='varchar', nulls=false) }}",
        [("a", "q1", "1"), ("b", "q1", "3"), ("b", "q2", "x")],
        {"budget": values("team, q1, q2", "'a', 1, NULL", "'b', 3, 'x'")},
    )
    yield Case(
        "surrogate_key",
        "SELECT n, {{ hg.surrogate_key(['a', 'b']) }} AS k FROM t",
        [(1, "c899d7cd06102a9d8c7a6ecdb67d783e"), (2, "56881f02774bf192b185174ec9fa299c")],
        {"t": values("n, a, b", "1, 'a', 'bc'", "2, 'ab', 'c'")},
    )
    yield Case(
        "surrogate_key",
        "SELECT count(*), count(DISTINCT {{ hg.surrogate_key(['a', 'b']) }}) FROM t",
        [(8, 8)],
        {"t": values(
            "a, b",
            "'a', 'bc'", "'ab', 'c'", "NULL, 'n'", "'n', NULL", "'', NULL", "NULL, ''", "'1:a', ''", "'', '1:a'",
        )},
    )  # fmt: skip
    yield Case(
        "surrogate_key",
        "SELECT {{ hg.surrogate_key(['a', 'b', 'c', 'd']) }} FROM t",
        [("349bfa1cdbd3683538431bdc2ce44c1f",)],
        {
            "t": values(
                "a, b, c, d", "1, DATE '2024-01-31', TIMESTAMP '2024-01-31 10:00:00', CAST(1.50 AS decimal(5,2))"
            )
        },
    )
    yield Case(
        "dimension",
        "SELECT sku, name, price, extract(year FROM since), length(k) FROM ({{ hg.dimension('products', key='k', by='sku',"
        " columns=['sku', 'name', 'price', 'since'], unknown={'name': \"Who's that\", 'since': '1900-01-01'}) }}) AS d",
        [("x'1", "Nut", 1, 2024, 32), (None, None, 2, None, 32), (None, "Who's that", None, 1900, 2)],
        {"products": values("sku, name, price, since", "'x''1', 'Nut', 1, DATE '2024-01-01'", "NULL, NULL, 2, NULL")},
    )
    yield column("date_key", "hg.date_key('x')", "TIMESTAMP", {
        None: -1, "2024-01-31 23:59:59": 20240131, "1999-12-01 00:00:00": 19991201,
    })  # fmt: skip
    dated = "date_key, year, quarter, month_name, day_of_year, day_of_week, day_name, is_weekend, iso_week_label, first_of_month,"
    dated += " last_of_month, fiscal_year, fiscal_quarter, fiscal_month"
    yield Case(
        "date_dimension",
        f"SELECT {dated} FROM ({{{{ hg.date_dimension('2020-12-31', '2021-01-01', fiscal_year_start=4) }}}}) AS d",
        [(-1, None, None, "Unknown", None, None, "Unknown", None, None, None, None, None, None, None),
         (20201231, 2020, 4, "December", 366, 4, "Thursday", "false", "2020-W53", "2020-12-01", "2020-12-31", 2021, 3, 9),
         (20210101, 2021, 1, "January", 1, 5, "Friday", "false", "2020-W53", "2021-01-01", "2021-01-31", 2021, 4, 10)],
    )  # fmt: skip
    yield Case(
        "date_dimension",
        "SELECT min(date), max(date), count(*), sum(CASE WHEN is_weekend THEN 1 ELSE 0 END), max(fiscal_year) FROM"
        " ({{ hg.date_dimension('2024-02-01', '2024-03-01', fiscal_year_start=3, fiscal_year='start', unknown=false) }}) AS d",
        [("2024-02-01", "2024-03-01", 30, 8, 2024)],
    )
    yield Case(
        "scd_dimension",
        "SELECT length(k), id, city, effective_at, expires_at, is_current FROM"
        " ({{ hg.scd_dimension('v', key='k', by='id', columns='city', unknown={'city': 'Unknown'}) }}) AS d",
        [(32, "1", "Rome", "2024-01-01 00:00:00", "2024-03-01 00:00:00", "false"),
         (32, "1", "Oslo", "2024-03-01 00:00:00", None, "true"),
         (32, "2", "Bonn", "2024-02-01 00:00:00", "2024-02-02 00:00:00", "false"),
         (2, None, "Unknown", None, None, "true")],
        {"versions": VERSIONS, "v": "SELECT *, valid_to IS NULL AS is_current FROM versions"},
    )  # fmt: skip
    yield Case(
        "as_of",
        "SELECT label, score, feature_at FROM ({{ hg.as_of('labels', 'features', on='person', at='seen', time='known', take='score') }}) AS f",
        [(1, 1, "2024-01-01 00:00:00"), (2, 2, "2024-01-10 00:00:00"), (3, None, "2024-02-01 00:00:00"), (4, None, None),
         (5, None, None), (6, None, None), (7, None, None)],
        {"labels": LABELS, "features": FEATURES},
    )  # fmt: skip
    yield Case(
        "as_of",
        "SELECT label, s FROM ({{ hg.as_of('labels', 'features', on='person', at='seen', time='known', take={'score': 's'},"
        " within='8 days', strict=true) }}) AS f",
        [(1, 1), (2, None), (3, None), (4, None), (5, None), (6, None), (7, None)],
        {"labels": LABELS, "features": FEATURES},
    )


@dataclass(frozen=True)
class Guarded:
    """A query that ends itself with this code."""

    code: str
    text: str
    given: dict[str, str]
    keys: int = 1


TWICE = values("id, x", "'1', 5", "'2', 6", "'1', 7")
GUARDED = [
    Guarded("lookup-duplicates", "{{ hg.lookup('visits', 'people', on={'person': 'id'}, take='x') }}",
            {"visits": VISITS, "people": TWICE}),
    Guarded("lookup-unmatched", "{{ hg.lookup('visits', 'people', on={'person': 'id'}, take='x', unmatched='fail') }}",
            {"visits": VISITS, "people": values("id, x", "'1', 5")}, 4),
    Guarded("versions-overlap", "{{ hg.lookup_version('facts', 'versions', " + VERSION + ") }}",
            {"facts": FACTS, "versions": VERSIONS + " UNION ALL SELECT '1', 'Bari', TIMESTAMP '2024-02-28', NULL"}),
    Guarded("lookup-unmatched", "{{ hg.lookup_version('facts', 'versions', " + VERSION + ", unmatched='fail') }}",
            {"facts": FACTS, "versions": VERSIONS}, 4),
    Guarded("features-duplicates", "{{ hg.as_of('labels', 'features', on='person', at='seen', time='known', take='score') }}",
            {"labels": LABELS, "features": FEATURES + " UNION ALL SELECT 'a', TIMESTAMP '2024-01-10', 3"}),
]  # fmt: skip

READERS = {
    "cleaned": "select {{ hg.clean_text('name') }} as name, {{ hg.country('name') }} as country, {{ hg.phone('name') }} as "
    "phone, {{ hg.to_utc('since', 'UTC', ambiguous='null') }} as at, {{ hg.surrogate_key(['id', 'v']) }} as k from t",
    "kept": "{{ hg.deduplicate('t', by='id', order_by='since desc') }}",
    "found": "{{ hg.lookup('t', 'o', on='id', take={'v': 'value'}, unmatched='fail') }}",
    "rolled": "{{ hg.rollup('t', 'since', 'day', {'total': 'sum(v)'}, by='name', fill={'total': 0}) }}",
    "wide": "{{ hg.pivot('t', by='name', column='id', values=[1], value='v', agg='sum') }}",
    "long": "{{ hg.unpivot('t', keep='id', columns=['v']) }}",
    "member": "{{ hg.dimension('t', key='k', by='id', columns='name') }}",
    "version": "{{ hg.lookup_version('t', 'o', on='id', at='since', take={'v': 'value'}, valid_from='since', valid_to='until',"
    " early='first') }}",
    "feature": "{{ hg.as_of('t', 'o', on='id', at='since', time='since', take={'v': 'value'}) }}",
    "dates": "{{ hg.date_dimension('2024-01-01', '2024-12-31') }}",
}
"""Models of what `t` and `o` hold, which are both raw.orders."""
MADE_OF = {
    "cleaned": {"name": "name", "country": "name", "phone": "name", "at": "since", "k": "id v"},
    "kept": {"v": "v"},
    "found": {"value": "v"},
    "rolled": {"period": "since", "total": "v"},
    "wide": {"1": "v"},
    "long": {"value": "v"},
    "member": {"k": "id", "name": "name"},
    "version": {"value": "v"},
    "feature": {"value": "v", "feature_at": "since"},
    "dates": {"year": ""},
}
"""By model and column, the columns that its values are made of."""
