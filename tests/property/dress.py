"""Files of the oracle as bytes on disk, as CSV in any dress or as Parquet, with line and raw text of every record."""

from __future__ import annotations

import gzip
import io
import json
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from hypothesis import strategies as st

from headgate.testing.oracle import File, Malformed

NOT_TEXT, NUL = "\ue000", "\ue001"
"""Stand in a malformed record for a byte that is no text, and for a NUL."""


@dataclass(frozen=True)
class Dress:
    """How the files of one flow look. `nulls`: the texts that stand for NULL, the first of which is written.

    `junk` is what spoils a record that else has the right fields: "" (one field too many), NOT_TEXT or NUL.
    """

    delim: str = ","
    newline: str = "\n"
    encoding: str = "utf-8"
    suffix: str = ""
    nulls: tuple[str, ...] = ("",)
    bom: bool = False
    header: bool = True
    quote_all: bool = False
    last_newline: bool = True
    blank_lines: bool = False
    junk: str = ""

    def dressed(self, file: File, columns: tuple[str, ...]) -> File:
        """The file with its malformed records said in the dress, in the order of `columns` where no header is written.

        An unclosed quote becomes one with junk behind it wherever another quote could close it.
        """
        header = file.header if self.header else columns
        records = tuple(
            _malformed(record, self, len(header))
            if isinstance(record, Malformed)
            else {name: record.get(name) for name in header}
            for record in file.records
        )
        worn = replace(file, records=records, columns=header)
        if sum('"' in line for line in _lines(worn, self)) > 1:
            records = tuple(_closed(record) if isinstance(record, Malformed) else record for record in records)
        return replace(worn, records=records)

    def write(self, file: File) -> Written:
        """The file in this dress. *Errors*: UnicodeEncodeError where its text has no form in the encoding."""
        lines = _lines(file, self)
        text, numbers = "", []
        for number, line in enumerate(lines):
            text += self.newline if self.blank_lines and number % 2 else ""
            numbers.append(1 + _newlines(text, self))
            text += line + self.newline
        if not self.last_newline:
            text = text.removesuffix(self.newline)
        skip = int(self.header)
        return Written(_bytes(text, self), tuple(numbers[skip:]), tuple(map(_shown, lines[skip:])))

    def source(self, columns: tuple[str, ...]) -> str:
        """What stands after `from:`."""
        nulls = ", ".join(f"'{null}'" for null in self.nulls)
        options = [f"path: 'data/**/*.csv{self.suffix}'", f"delim: '{self.delim}'", f"encoding: {self.encoding}"]
        options += [] if self.nulls == ("",) else [f"null: [{nulls}]"]
        listed = ", ".join(f"'{name}'" for name in columns)
        options += [] if self.header else ["header: false", f"columns: [{listed}]"]
        return "{csv: {" + ", ".join(options) + "}}"


@dataclass(frozen=True)
class Written:
    """A file as it stands on disk; of each record its physical line and its text as the quarantine must show it (None
    where there is neither)."""

    data: bytes
    lines: tuple[int | None, ...]
    raws: tuple[str | None, ...]


@dataclass(frozen=True)
class Columnar:
    """The files as Parquet, all columns text. What is malformed in a CSV can't be said in it, and is left out."""

    suffix: str = ""

    def source(self, columns: tuple[str, ...]) -> str:
        """What stands after `from:`."""
        return "{parquet: {path: 'data/**/*.csv'}}"

    def dressed(self, file: File, columns: tuple[str, ...]) -> File:
        """The file without its malformed records."""
        return replace(file, records=tuple(one for one in file.records if not isinstance(one, Malformed)))

    def write(self, file: File) -> Written:
        """The file as Parquet; the same records give the same bytes."""
        records = [record for record in file.records if not isinstance(record, Malformed)]
        table = pa.table({name: pa.array([one.get(name) for one in records], pa.string()) for name in file.header})
        out = io.BytesIO()
        pq.write_table(table, out, row_group_size=2)
        return Written(out.getvalue(), (None,) * len(records), (None,) * len(records))


@dataclass(frozen=True)
class Called:
    """The files as JSON that a function of the user reads: each a partition, and every value a text.

    `kind`: what the function yields: dicts | arrow | mixed. What is malformed it gives as an exception.
    """

    kind: str
    suffix: str = ""

    def source(self, columns: tuple[str, ...]) -> str:
        """What stands after `from:`."""
        return "{python: {function: sources/x.py:rows, partitions: sources/x.py:listing, replay: stable}}"

    def dressed(self, file: File, columns: tuple[str, ...]) -> File:
        """The file as it is."""
        return file

    def write(self, file: File) -> Written:
        """The file as JSON; the same records give the same bytes."""
        records = [
            {"malformed": one.message} if isinstance(one, Malformed) else [one.get(name) for name in file.header]
            for one in file.records
        ]
        count = len(records)
        data = json.dumps({"header": file.header, "records": records}).encode()
        return Written(data, (None,) * count, (None,) * count)

    def code(self) -> str:
        """The user's file."""
        return _CODE + _ROWS[self.kind]


_CODE = """
import hashlib, json, pathlib
import pyarrow as pa

DATA = pathlib.Path(__file__).parents[1] / "data"

def listing():
    files = [path for path in DATA.glob("**/*") if path.is_file()]
    return {
        path.relative_to(DATA).as_posix(): "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }

def one_by_one(partition, table):
    made = json.loads((DATA / partition).read_text())
    for number, record in enumerate(made["records"]):
        if isinstance(record, dict):
            yield ValueError(record["malformed"])
        elif table(number):
            yield pa.table([pa.array([text], pa.string()) for text in record], names=made["header"])
        else:
            yield dict(zip(made["header"], record))
"""
_ROWS = {
    "dicts": "def rows(partition): return one_by_one(partition, lambda number: False)\n",
    "arrow": "def rows(partition): return one_by_one(partition, lambda number: True)\n",
    "mixed": "def rows(partition): return one_by_one(partition, lambda number: number % 3 == 1)\n",
}


dresses = st.builds(
    Dress,
    delim=st.sampled_from(",,;|\t"),
    newline=st.sampled_from(["\n", "\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8", "utf-8", "latin-1", "utf-16"]),
    suffix=st.sampled_from(["", "", ".gz", ".zst"]),
    nulls=st.sampled_from([("",), ("",), ("NA",), ("", "NA"), ("NA", "")]),
    bom=st.booleans(),
    header=st.sampled_from([True, True, False]),
    quote_all=st.booleans(),
    last_newline=st.booleans(),
    blank_lines=st.sampled_from([False, False, True]),
    junk=st.sampled_from(["", "", NOT_TEXT, NUL]),
)


def wearable(dress: Dress, files: list[File]) -> Dress:
    """The dress, with UTF-8 where the files' texts have no other form in its encoding."""
    texts = "".join(_texts(file) for file in files)
    try:
        texts.encode(dress.encoding)
    except UnicodeEncodeError:
        dress = replace(dress, encoding="utf-8")
    if dress.encoding != "utf-8" and dress.junk == NOT_TEXT:
        dress = replace(dress, junk=NUL)
    return dress


def _texts(file: File) -> str:
    records = [record for record in file.records if not isinstance(record, Malformed)]
    return "".join([*file.header, *(text or "" for record in records for text in record.values())])


def _closed(record: Malformed) -> Malformed:
    raw = '"x"y' + record.raw[2:] if record.raw.count('"') == 1 else record.raw
    return replace(record, raw=raw)


def _malformed(record: Malformed, dress: Dress, width: int) -> Malformed:
    fields = record.raw.split(",")
    message = record.message
    if message == "too many fields":
        fields = ["x"] * (width + 1) if not dress.junk else ["x"] * (width - 1) + ["x" + dress.junk]
    elif message == "too few fields":
        fields = ["x"] * max(1, width - 1)
    else:
        fields = [fields[0], *"z" * (width - 1)]
    return Malformed(dress.delim.join(fields), message)


def _newlines(text: str, dress: Dress) -> int:
    """Physical line ends: what stands inside quotes counts, too."""
    lone = text.replace("\r\n", "\n").count("\r") if dress.newline == "\r" else 0
    return text.count("\n") + lone


def _bytes(text: str, dress: Dress) -> bytes:
    mark = "\ufeff" if dress.bom and dress.encoding == "utf-8" else ""
    data = (mark + text.replace(NUL, "\0")).encode(dress.encoding)
    data = data.replace(NOT_TEXT.encode(), b"\xff")
    if dress.suffix == ".gz":
        return gzip.compress(data, mtime=0)
    return zstandard.ZstdCompressor().compress(data) if dress.suffix == ".zst" else data


def _shown(line: str) -> str:
    return line.replace(NUL, "\\x00").replace(NOT_TEXT, "\\xff")


def _lines(file: File, dress: Dress) -> list[str]:
    """Header, if any, and records, without line ends."""
    lines = [dress.delim.join(_field(name, dress) for name in file.header)] if dress.header else []
    for record in file.records:
        fields = () if isinstance(record, Malformed) else (_field(record[name], dress) for name in file.header)
        lines.append(record.raw if isinstance(record, Malformed) else dress.delim.join(fields))
    return lines


def _field(text: str | None, dress: Dress) -> str:
    if text is None:
        return dress.nulls[0]
    special = any(mark in text for mark in (dress.delim, '"', "\r", "\n"))
    if dress.quote_all or special or text in dress.nulls:
        return '"' + text.replace('"', '""') + '"'
    return text
