"""A whole project from its files: what it says, and every mistake with its place."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from headgate.contracts.model import Limit
from headgate.core.errors import Finding, Location, ProjectError
from headgate.core.values import TableRef
from headgate.project.load import WORDS
from headgate.project.model import Ingest, LoadSpec, Project, Warehouse
from headgate.project.read import read_project

Files = dict[str, str]
Write = Callable[[Files], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes files of a project (headgate.yml if it is not among them) and gives its folder."""

    def files(entries: Files) -> Path:
        for name, text in {"headgate.yml": "project: shop\n", **entries}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return files


def ingest(write: Write, text: str) -> Ingest:
    (found,) = read_project(write({"ingest/a.yml": text})).ingests
    return found


def told(write: Write, files: Files, profile: str | None = None) -> list[tuple[str, str, str]]:
    with pytest.raises(ProjectError) as caught:
        read_project(write(files), profile)
    assert all(finding.fix and finding.level == "error" for finding in caught.value.findings)
    return [(finding.code, finding.where, finding.what) for finding in caught.value.findings]


def file(path: Path) -> Warehouse:
    return Warehouse("duckdb", str(path), str(path))


def test_an_empty_project(write: Write) -> None:
    root = write({"headgate.yml": ""})
    assert read_project(root) == Project(root, root.name, file(root / "warehouse.duckdb"))


def test_no_project(tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as caught:
        read_project(tmp_path)
    assert caught.value.finding.render() == (
        f"error[no-project]: there is no headgate.yml in {tmp_path}\n"
        f"  where: {tmp_path}/headgate.yml\n"
        "  fix:   write headgate.yml there (project: name), or name the project's folder with --project DIR"
    )


def test_profiles(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HG_T_W", "duckdb:/srv/prod.duckdb")
    text = (
        'project: shop\nwarehouse: duckdb:dev.duckdb\nconnections: {db: "${secret:HG_T_UNSET}", s3: {key: a}}\n'
        "profiles: {prod: {warehouse: '${secret:HG_T_W}'}, same: {}}\n"
    )
    root = write({"headgate.yml": text})
    assert read_project(root).warehouse == file(root / "dev.duckdb")
    assert read_project(root, "prod").warehouse == Warehouse(
        "duckdb", "/srv/prod.duckdb", "the warehouse from secret HG_T_W"
    )
    assert read_project(root, "same").warehouse == file(root / "dev.duckdb")
    assert told(write, {"headgate.yml": text}, "prd") == [
        ("unknown-profile", "headgate.yml:4:1", "unknown profile 'prd' (did you mean 'prod'?)")
    ]


def test_a_server_is_called_by_host_and_name(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HG_T_PW", "s3cr3t")
    plain = read_project(write({"headgate.yml": "warehouse: postgres://me@db.example:5433/shop"})).warehouse
    assert plain == Warehouse("postgres", "postgres://me@db.example:5433/shop", "postgres://db.example:5433/shop")
    hidden = read_project(write({"headgate.yml": "warehouse: 'postgresql://me:${secret:HG_T_PW}@h/shop'"})).warehouse
    assert hidden.address == "postgresql://me:s3cr3t@h/shop"
    assert "s3cr3t" not in repr(hidden)
    assert hidden.shown == "the warehouse from secret HG_T_PW"


def test_what_the_engine_may_take(write: Write) -> None:
    text = "engine: {memory: 512MB, threads: 2}\nprofiles: {prod: {engine: {memory: 1.5 GiB}}}"
    root = write({"headgate.yml": text})
    assert read_project(root).limits == {"memory_limit": "512MB", "threads": "2"}
    assert read_project(root, "prod").limits == {"memory_limit": "1.5 GiB", "threads": "2"}


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("engine: {memory: lots}", ("bad-value", "headgate.yml:1:18", "memory can't be 'lots'")),
        ("engine: {threads: 0}", ("bad-value", "headgate.yml:1:19", "threads can't be '0'")),
        ("engine: {cores: 2}", ("unknown-key", "headgate.yml:1:10", "unknown key 'cores' in engine")),
        (
            "projekt: x",
            ("unknown-key", "headgate.yml:1:1", "unknown key 'projekt' in headgate.yml (did you mean 'project'?)"),
        ),
        (
            "warehouse: postgres://u:pw@h/d",
            ("bad-value", "headgate.yml:1:12", "the warehouse's address holds a password in plain text"),
        ),
        (
            "warehouse: mysql://u:pw@h/d",
            (
                "not-supported",
                "headgate.yml:1:12",
                "the warehouse ('mysql://...') is no DuckDB file and no PostgreSQL",
            ),
        ),
        (
            "warehouse: postgres://h:port/d",
            ("bad-value", "headgate.yml:1:12", "the warehouse (postgres://...) is no address"),
        ),
        ("warehouse: 'duckdb:'", ("bad-value", "headgate.yml:1:12", "the warehouse ('duckdb:') names no file")),
        (
            "warehouse: 'duckdb::memory:'",
            ("bad-value", "headgate.yml:1:12", "the warehouse ('duckdb::memory:') names no file"),
        ),
        ("warehouse: [a]", ("bad-value", "headgate.yml:1:12", "warehouse must be one value, not a list")),
        ("project:", ("bad-value", "headgate.yml:1:9", "project must be one value, not nothing")),
        ("- a", ("bad-value", "headgate.yml:1:1", "headgate.yml must be a mapping, not a list")),
        (
            "profiles: {p: {warehose: x}}",
            ("unknown-key", "headgate.yml:1:16", "unknown key 'warehose' in profile p (did you mean 'warehouse'?)"),
        ),
        ("connections: {db: '${secret:a b}'}", ("bad-value", "headgate.yml:1:19", "${secret:a b} names no secret")),
        ("a:\n\tb: c", ("yaml-syntax", "headgate.yml:2:1", "found character that cannot start any token")),
    ],
)
def test_mistakes_of_the_main_file(write: Write, text: str, finding: tuple[str, str, str]) -> None:
    assert told(write, {"headgate.yml": text}) == [finding]


def test_a_two_line_ingest(write: Write) -> None:
    found = ingest(write, "table: customers\nfrom: data/c/*.CSV.gz\n")
    assert found.table == TableRef("main", "customers")
    assert (found.source.kind, found.source.options) == ("csv", {"path": "data/c/*.CSV.gz"})
    assert str(found.source.places["path"]) == "ingest/a.yml:2:7"
    assert (found.load, found.contract) == (LoadSpec(), None)
    assert (found.extra, found.on_change, found.twin_files) == ("error", "error", "load")


@pytest.mark.parametrize(
    ("path", "kind", "delim"),
    [
        ("x/*.csv", "csv", None),
        ("x.csv.zst", "csv", None),
        ("x.tsv", "csv", "\t"),
        ("x.tsv.gz", "csv", "\t"),
        ("x.txt", "csv", None),
        ("x/**/*.parquet", "parquet", None),
        ("{csv: x.tsv}", "csv", "\t"),
        ("{csv: {path: x.tsv, delim: ;}}", "csv", ";"),
        ("{parquet: {path: x.data}}", "parquet", None),
    ],
)
def test_adapters_by_suffix_or_name(write: Write, path: str, kind: str, delim: str | None) -> None:
    found = ingest(write, f"table: t\nfrom: {path}\n").source
    assert (found.kind, found.options.get("delim")) == (kind, delim)


def test_every_option_of_csv(write: Write) -> None:
    text = (
        "table: t\nfrom:\n  csv:\n    path: a.dat\n    header: NO\n    null: ['', NULL, ~]\n    delim: \\t\n"
        "    quote: ''\n    escape: \\\n    encoding: Latin-1\n    columns: [id, NO]\n    timezone: Europe/Paris\n"
        "    file_column: file\n    comment: '#'\n    twin_files: skip\ncolumns:\n  id: int\n  f: text, from('file')\n"
    )
    found = ingest(write, text)
    assert found.source.options == {
        "path": "a.dat",
        "header": False,
        "null": ("", "NULL", "~"),
        "delim": "\t",
        "quote": "",
        "escape": "\\",
        "encoding": "latin-1",
        "columns": ("id", "NO"),
        "timezone": "Europe/Paris",
        "file_column": "file",
        "comment": "#",
    }
    assert found.twin_files == "skip"


def test_a_null_that_yaml_turned_into_a_control_character_is_told(write: Write) -> None:
    """In double quotes, YAML's escape \\N is the character U+0085; everybody who writes it means backslash and N."""
    text = "table: t\nfrom:\n  csv:\n    path: a.csv\n    null: {}\n"
    assert ingest(write, text.format(r"'\N'")).source.options["null"] == (r"\N",)
    assert ingest(write, text.format(r'["", "\\N"]')).source.options["null"] == ("", r"\N")
    for wrong in (r'"\N"', r'[NA, "\N"]'):
        with pytest.raises(ProjectError) as caught:
            ingest(write, text.format(wrong))
        found = caught.value.finding
        assert (found.code, found.what) == ("bad-value", "null holds the control character U+0085")
        assert found.where.startswith("ingest/a.yml:5:")
        assert found.fix.endswith(r"in single quotes it is text: null: '\N'")


def test_without_a_header_the_columns_are_those_of_the_contract(write: Write) -> None:
    text = (
        "table: t\nfrom: {csv: {path: a.csv, header: false, file_column: f}}\n"
        "columns:\n  id: int\n  f: text\n  v: text, from('The v')\n"
    )
    assert ingest(write, text).source.options["columns"] == ("id", "The v")


COLUMNS = "columns:\n  id: int\n  b: text\n  at: timestamp\n"


@pytest.mark.parametrize(
    ("load", "expected"),
    [
        ("append", LoadSpec("append")),
        ("replace", LoadSpec("replace")),
        ("{append: true}", LoadSpec("append")),
        ("{replace: true, allow_empty: true}", LoadSpec("replace", allow_empty=True)),
        ("{replace: true}\nallow_empty: yes", LoadSpec("replace", allow_empty=True)),
        ("{upsert: id}", LoadSpec("upsert", ("id",))),
        ("{upsert: [b, id], order_by: at}", LoadSpec("upsert", ("b", "id"), "at")),
    ],
)
def test_loads(write: Write, load: str, expected: LoadSpec) -> None:
    found = ingest(write, f"table: t\nfrom: a.csv\nload: {load}\n{COLUMNS}").load
    assert (found.kind, found.keys, found.order_by, found.allow_empty) == (
        expected.kind,
        expected.keys,
        expected.order_by,
        expected.allow_empty,
    )


def test_a_bare_upsert_takes_the_key(write: Write) -> None:
    found = ingest(write, "table: t\nfrom: a.csv\nload: upsert\ncolumns: {b: text, id: 'int, key', c: 'int, key'}\n")
    assert found.load.keys == ("id", "c")
    assert found.contract is not None
    assert found.contract.uniques == ()
    assert [rule.code for rule in found.contract.rows] == ["required", "required"]


def test_upsert_columns_become_required_keys(write: Write) -> None:
    found = ingest(write, f"table: t\nfrom: a.csv\nload: {{upsert: id}}\n{COLUMNS}").contract
    assert found is not None
    assert (found.columns[0].required, found.columns[0].key, found.columns[1].required) == (True, True, False)


def test_append_and_replace_test_the_key(write: Write) -> None:
    for load in ("append", "replace"):
        found = ingest(write, f"table: t\nfrom: a.csv\nload: {load}\ncolumns: {{id: 'int, key'}}\n").contract
        assert found is not None
        assert [rule.code for rule in found.uniques] == ["key"]


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("5", Limit(rows=5)),
        ("0", Limit(rows=0)),
        ("5%", Limit(share=0.05)),
        ("0.5 %", Limit(share=0.005)),
        ("100%", Limit(share=1.0)),
    ],
)
def test_limits(write: Write, text: str, limit: Limit) -> None:
    found = ingest(write, f"table: t\nfrom: a.csv\n{COLUMNS}refuse_at_most: {text}\n").contract
    assert found is not None
    assert found.refuse_at_most == limit


def test_words_where_they_are_natural(write: Write) -> None:
    text = (
        f"table: t\nfrom: {{csv: {{path: a.csv, extra: ignore}}}}\nload: {{append: true, on_change: reload}}\n{COLUMNS}"
    )
    found = ingest(write, text)
    assert (found.extra, found.on_change) == ("ignore", "reload")


def test_conditions_know_every_place(write: Write) -> None:
    found = ingest(
        write, f"table: t\nfrom: a.csv\n{COLUMNS}rules:\n  r: >\n    id > 0\n    and b <> ''\nskip: {{s: id = 0}}\n"
    )
    assert found.contract is not None
    rule = found.contract.rows[0]
    assert (rule.code, rule.sql, str(rule.where)) == ("r", "id > 0 and b <> ''", "ingest/a.yml:9:5")
    assert found.contract.skips == (("s", "id = 0"),)
    from headgate.contracts.verify import verify

    assert verify(found.contract, found.places) == []
    wrong = ingest(
        write, f"table: t\nfrom: a.csv\n{COLUMNS}rules:\n  r: >\n    id > 0\n    and bb <> ''\nskip: {{s: idd = 0}}\n"
    )
    assert wrong.contract is not None
    assert [finding.where for finding in verify(wrong.contract, wrong.places)] == [
        "ingest/a.yml:10:9",
        "ingest/a.yml:11:11",
    ]


BASE = "table: t\nfrom: a.csv\n"

INGEST_MISTAKES = [
    ("from: a.csv", "missing-key", "", "table is missing"),
    ("table: t", "missing-key", "", "from is missing"),
    (
        "tabel: t\nfrom: a.csv\ntable: t",
        "unknown-key",
        ":1:1",
        "unknown key 'tabel' in an ingest file (did you mean 'table'?)",
    ),
    (BASE + "contract: c.yaml", "unknown-format", ":3:11", None),
    ("table: a.b.c\nfrom: a.csv", "bad-value", ":1:8", "'a.b.c' does not name a table"),
    ("table: a b\nfrom: a.csv", "bad-value", ":1:8", "'a b' does not name a table"),
    (
        "table: _headgate.t\nfrom: a.csv",
        "reserved-name",
        ":1:8",
        "'_headgate.t' is a name that Headgate keeps for itself",
    ),
    ("table: _HG.t\nfrom: a.csv", "reserved-name", ":1:8", "'_HG.t' is a name that Headgate keeps for itself"),
    ("table: information_schema.t\nfrom: a.csv", "reserved-name", ":1:8", None),
    ("table: raw.t__hg_1\nfrom: a.csv", "reserved-name", ":1:8", None),
    ("table: [t]\nfrom: a.csv", "bad-value", ":1:8", "table must be one value, not a list"),
    ("table: t\nfrom: data/x", "unknown-format", ":2:7", "the name of 'data/x' does not say what it holds"),
    ("table: t\nfrom: x.xml", "unknown-format", ":2:7", None),
    ("table: t\nfrom: ''", "bad-value", ":2:7", "from is empty"),
    ("table: t\nfrom: '${secret:A}.csv'", "not-supported", ":2:7", "a path can't hold a secret"),
    ("table: t\nfrom: {csvv: a.csv}", "unknown-key", ":2:8", "unknown key 'csvv' in from (did you mean 'csv'?)"),
    ("table: t\nfrom: {postgres: {table: a}}", "not-supported", ":2:8", "'postgres' is not supported in from"),
    ("table: t\nfrom: {csv: a.csv, parquet: b}", "bad-value", ":2:7", "from: must name exactly one adapter"),
    ("table: t\nfrom: {csv: {header: true}}", "missing-key", ":2:8", "from: csv has no path"),
    (
        "table: t\nfrom: {csv: {path: a, delimiter: ;}}",
        "unknown-key",
        ":2:23",
        "unknown key 'delimiter' in from: csv (did you mean 'delim'?)",
    ),
    ("table: t\nfrom: {csv: {path: a, delim: '||'}}", "bad-value", ":2:30", "delim must be one character, not '||'"),
    ("table: t\nfrom: {csv: {path: a, header: 1}}", "bad-value", ":2:31", "header is true or false, not '1'"),
    (
        "table: t\nfrom: {csv: {path: a, encoding: utf8x}}",
        "bad-value",
        ":2:33",
        "unknown encoding 'utf8x' (did you mean 'utf-8'?)",
    ),
    ("table: t\nfrom: {csv: {path: a, encoding: rot13}}", "bad-value", ":2:33", "unknown encoding 'rot13'"),
    (
        "table: t\nfrom: {csv: {path: a, timezone: Europe/Pari}}",
        "bad-value",
        ":2:33",
        "unknown time zone 'Europe/Pari' (did you mean 'Europe/Paris'?)",
    ),
    (
        "table: t\nfrom: {csv: {path: a, columns: [x]}}",
        "bad-value",
        ":2:32",
        "columns are matched by the header's names",
    ),
    ("table: t\nfrom: {csv: {path: a, header: no, columns: [x, x]}}", "bad-value", ":2:44", "columns names 'x' twice"),
    ("table: t\nfrom: {parquet: {path: a, delim: ;}}", "unknown-key", ":2:27", "unknown key 'delim' in from: parquet"),
    (
        "table: t\nfrom: {csv: {path: a, file_column: f}}\ncolumns: {id: int}",
        "unknown-column",
        ":2:36",
        "file_column 'f' is no column",
    ),
    (
        "table: t\nfrom: {csv: {path: a, file_column: id}}\ncolumns: {id: int}",
        "bad-value",
        ":2:36",
        "file_column 'id' is not a text",
    ),
    (
        "table: t\nfrom: {csv: {path: a, header: no, columns: [idd]}}\ncolumns: {id: int}",
        "unknown-column",
        ":3:11",
        None,
    ),
    (BASE + "load: upsrt", "bad-value", ":3:7", "unknown load 'upsrt' (did you mean 'upsert'?)"),
    (BASE + "load: {scd3: id}", "missing-key", ":3:8", "scd3 does not say of which columns the former value is kept"),
    (BASE + "load: scd2", "missing-key", ":3:7", "scd2 has no key"),
    (BASE + "load: {partition: true}", "missing-key", ":3:8", "partition has no column"),
    (BASE + "load: {append: id}", "bad-value", ":3:16", "append takes no columns"),
    (BASE + "load: {replace: true, order_by: id}", "bad-value", ":3:33", "order_by does not go with replace"),
    (
        BASE + "load: {order_by: id}",
        "bad-value",
        ":3:7",
        f"load: must name one of {', '.join(WORDS)}",
    ),
    (BASE + "load: {upsert: [id, id]}", "bad-value", ":3:16", "upsert names a column twice"),
    (BASE + "load: upsert", "missing-key", ":3:7", "upsert has no key"),
    (BASE + "load: upsert\ncolumns: {id: int}", "missing-key", ":3:7", "upsert has no key"),
    (
        BASE + "load: {upsert: idd}\ncolumns: {id: int}",
        "unknown-column",
        ":3:8",
        "load names column 'idd', which the contract does not have (did you mean 'id'?)",
    ),
    (
        BASE + "load: {upsert: id, order_by: att}\ncolumns: {id: int, at: date}",
        "unknown-column",
        ":3:8",
        "load names column 'att', which the contract does not have (did you mean 'at'?)",
    ),
    (
        BASE + "load: {upsert: id}\ncolumns: {id: int, b: 'int, key'}",
        "bad-value",
        ":3:8",
        "upsert names id, but the key is b",
    ),
    (BASE + "extra: eror", "bad-value", ":3:8", "extra can't be 'eror' (did you mean 'error'?)"),
    (BASE + "on_change: stop", "bad-value", ":3:12", "on_change can't be 'stop'"),
    (BASE + "allow_empty: maybe", "bad-value", ":3:14", "allow_empty is true or false, not 'maybe'"),
    (
        "table: t\nfrom: {csv: {path: a, extra: error}}\nextra: error",
        "duplicate-key",
        ":2:23",
        "extra is written twice",
    ),
    (BASE + "refuse_at_most: 5%", "missing-key", ":3:1", "refuse_at_most needs columns:"),
    (BASE + "rules: {a: b > 1}", "missing-key", ":3:1", "rules needs columns:"),
    (
        BASE + "refuse_at_most: 0.05\ncolumns: {id: int}",
        "bad-value",
        ":3:17",
        "refuse_at_most is a number of records or a share, not '0.05'",
    ),
    (BASE + "refuse_at_most: 101%\ncolumns: {id: int}", "bad-value", ":3:17", None),
    (BASE + "columns:", "bad-value", ":3:9", "columns must be a mapping, not nothing"),
    (BASE + "columns: {}", "missing-key", ":3:10", "columns: lists no column"),
    (BASE + "columns:\n  id:", "missing-type", ":4:3", "column 'id' has no type"),
    (
        BASE + "columns:\n  id: {type: int}",
        "bad-value",
        ":4:7",
        "'id' under columns must be `type, rule, rule`, not a mapping",
    ),
    (BASE + "columns:\n  id: int\n  id: text", "duplicate-key", ":5:3", None),
    (BASE + "columns:\n  id: int\n  ID: text", "duplicate-column", ":5:3", None),
    (BASE + "columns:\n  id: intt, key", "unknown-type", ":4:7", "unknown type 'intt' (did you mean 'int'?)"),
    (BASE + "columns:\n  id: 'int, kye'", "unknown-rule", ":4:13", "unknown rule 'kye' (did you mean 'key'?)"),
    (BASE + "columns:\n  a: >-\n    int,\n    kye", "unknown-rule", ":6:5", "unknown rule 'kye' (did you mean 'key'?)"),
    (BASE + "columns: {id: int}\nrules: {r: {a: b}}", "missing-key", ":4:12", None),
    (BASE + "columns: {id: int}\nrules: {type: id > 0}", "reserved-name", ":4:9", None),
    (BASE + "columns: {id: 'int, references(raw.x.id)'}", "unknown-table", ":3:32", "no ingest file loads raw.x"),
    (
        BASE + "columns: {id: 'int, references(t.idd)'}",
        "unknown-column",
        ":3:32",
        "main.t has no column 'idd' (did you mean 'id'?)",
    ),
    (
        BASE + "columns: {id: 'int', b: 'text, references(t.id)'}",
        "rule-mismatch",
        ":3:43",
        "'b' is text, but main.t.id is int",
    ),
]


@pytest.mark.parametrize(("text", "code", "place", "what"), INGEST_MISTAKES)
def test_mistakes_of_an_ingest_file(write: Write, text: str, code: str, place: str, what: str | None) -> None:
    found = told(write, {"ingest/a.yml": text})
    assert [finding[:2] for finding in found] == [(code, "ingest/a.yml" + place)]
    assert what is None or found[0][2] == what


def test_all_mistakes_of_all_files_are_told_together(write: Write) -> None:
    found = told(
        write,
        {
            "headgate.yml": "projct: x\n",
            "ingest/a.yml": "table: t\nfrom: x\nload: x\ncolumns: {a: tex, b: 'int, min(z)'}\n",
            "ingest/b.yml": "- x\n",
            "ingest/c.yaml": "",
            "models/m.sql": "select 1",
            "models/m.yml": "models: [{name: n}]\n",
        },
    )
    assert [(code, where) for code, where, _ in found] == [
        ("unknown-key", "headgate.yml:1:1"),
        ("unknown-format", "ingest/a.yml:2:7"),
        ("bad-value", "ingest/a.yml:3:7"),
        ("unknown-type", "ingest/a.yml:4:14"),
        ("bad-literal", "ingest/a.yml:4:32"),
        ("bad-value", "ingest/b.yml:1:1"),
        ("missing-key", "ingest/c.yaml"),
        ("unknown-model", "models/m.yml:1:10"),
    ]


def test_two_files_for_one_table(write: Write) -> None:
    files = {"ingest/a.yml": "table: main.T\nfrom: a.csv\n", "ingest/sub/b.yaml": "from: b.csv\ntable: t\n"}
    assert told(write, files) == [
        ("duplicate-table", "ingest/sub/b.yaml:2:1", "two files load main.t: ingest/a.yml and ingest/sub/b.yaml")
    ]


def test_references_between_files(write: Write) -> None:
    customers = "table: raw.customers\nfrom: c.csv\ncolumns: {ID: bigint}\n"
    columns = "columns: {c: 'int, references(raw.Customers.id)', p: 'text, references(raw.any.x)'}\n"
    orders = "table: raw.orders\nfrom: o.csv\n" + columns
    root = write({"ingest/c.yml": customers, "ingest/o.yml": orders, "ingest/p.yml": "table: raw.any\nfrom: p.csv\n"})
    assert [str(entry.table) for entry in read_project(root).ingests] == ["raw.any", "raw.customers", "raw.orders"]
    found = told(write, {"ingest/o.yml": orders.replace("Customers", "custmers")})
    assert found == [
        ("unknown-table", "ingest/o.yml:3:31", "no ingest file loads raw.custmers (did you mean 'raw.customers'?)")
    ]


def test_hidden_files_and_others_are_left_alone(write: Write) -> None:
    root = write({"ingest/.a.yml": "x", "ingest/.b/c.yml": "x", "ingest/readme.md": "x", "models/notes.txt": "x"})
    assert read_project(root).ingests == ()


def test_files_that_are_not_utf8(write: Write) -> None:
    root = write({"ingest/a.yml": "x"})
    (root / "ingest/a.yml").write_bytes(b"table: t\nfrom: \xff.csv\n")
    with pytest.raises(ProjectError) as caught:
        read_project(root)
    assert caught.value.finding == Finding(
        "bad-encoding", "error", "the file is not UTF-8", str(Location("ingest/a.yml", 2)), "save it as UTF-8"
    )


def test_a_byte_order_mark_is_no_character(write: Write) -> None:
    assert ingest(write, "\ufefftable: t\nfrom: a.csv\n").table.name == "t"


def test_reading_loads_no_engine(write: Write) -> None:
    root = write({"ingest/a.yml": "table: t\nfrom: a.csv\ncolumns: {id: 'int, key'}\n"})
    code = (
        "import sys, pathlib\nfrom headgate.project.read import read_project\n"
        "assert 'yaml' not in sys.modules\n"
        f"read_project(pathlib.Path({str(root)!r}))\nassert 'duckdb' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
