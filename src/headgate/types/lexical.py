"""SQL that reads text as a logical type by the lexical table (docs/types.md), and by nothing else.

DuckDB's casts accept more than the table and lose what they don't understand ('3.7' -> 4, '1_000' -> 1000, '2024-01-02
junk' -> a date, offsets of timestamps dropped). A full regular expression per value costs three to five times the cast,
so each type first tries a cheap proof for its common form; a CASE evaluates its later branches only for the rows that
are left.
"""

from __future__ import annotations

from headgate.sql.quote import literal
from headgate.types.logical import LogicalType

_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_FRACTION = r"(?:\.[0-9]{1,6}0*)?"
_HOURS_MINUTES = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_CLOCK = f"{_HOURS_MINUTES}(?::[0-5][0-9]{_FRACTION})?"
_MOMENT = f"{_DATE}(?:[ T]{_CLOCK})?"
_OFFSET = "[+-](?:0[0-9]|1[0-5])(?::?[0-5][0-9])?"
_FULL_ZONED = f"{_DATE}[ T]{_HOURS_MINUTES}:[0-5][0-9]{_FRACTION}(?:Z|{_OFFSET})"
_ANY_ZONED = f"({_MOMENT})([Zz]|{_OFFSET})"
_INTEGER = "[+-]?[0-9]+"
_ZERO = r"[+-]?(?:0+\.?0*|\.0+)(?:[eE][+-]?[0-9]+)?"
_NOT_FINITE = "(?i)[+-]?(?:nan|inf|infinity)"
_HEX = r"\\x(?:[0-9a-fA-F]{2})*"

# `YYYY-MM-DD HH:MM:SS` and the same with an offset, for texts that the cast accepts; see `_at_once`.
_SHAPE = "????-??-?[0-9][ T][0-2]?:??:?[0-9]"
_SHAPE_WITH_OFFSET = _SHAPE + "[-+]0[0-9]:[0-5][0-9]"  # GLOB reads [+-] as an open range
_SHORT_YEAR = "'1000-01-02'"
_LAST_DAYS = "'9999-12-30'"

_WORDS = {"true": "true", "false": "false", "1": "true", "0": "false", "t": "true", "f": "false"}
_WORDS |= {"yes": "true", "no": "false", "y": "true", "n": "false", "on": "true", "off": "false"}

# What DuckDB's JSON accepts beyond RFC 8259. Outside of strings these letters occur in no JSON word.
_LENIENT_JSON = r"(?i)nan|inf|,\s*[\]}]"
_JSON_STRING = r'"(?:\\.|[^"\\])*"'


def read(text: str, logical: LogicalType, timezone: str) -> str:
    """SQL of type `logical.duckdb` for the VARCHAR expression `text`; NULL where the table does not accept it.

    `timezone` holds for timestamptz texts without a zone. The session's TimeZone must be UTC.
    """
    match logical.name:
        case "int" | "bigint":
            return _integer(text)
        case "decimal":
            return _decimal(text, logical)
        case "double":
            return _double(text)
        case "text":
            return text if logical.length is None else f"CASE WHEN length({text}) <= {logical.length} THEN {text} END"
        case "bool":
            return _bool(text)
        case "date":
            return _date(text)
        case "timestamp":
            return _timestamp(text)
        case "timestamptz":
            return _timestamptz(text, timezone)
        case "time":
            return _time(text)
        case "uuid":
            return _uuid(text)
        case "json":
            return strict_json(text)
    return f"unhex(CASE WHEN {_matches(text, _HEX)} THEN substr({text}, 3) END)"


def in_zone(moment: str, timezone: str) -> str:
    """SQL of the instant at which clocks in `timezone` show `moment` (TIMESTAMP); NULL where they never do."""
    if timezone == "UTC":
        return f"CAST({moment} AS TIMESTAMP WITH TIME ZONE)"
    zone = literal(timezone)
    instant = f"TRY(timezone({zone}, {moment}))"
    # An hour that the clocks skip is moved by DuckDB; that it comes back changed shows it.
    return f"CASE WHEN TRY(timezone({zone}, {instant})) = {moment} THEN {instant} END"


def strict_json(text: str) -> str:
    """SQL of JSON for the VARCHAR expression, kept as received; NULL where it is not a JSON text by RFC 8259."""
    stripped = f"regexp_replace({text}, {literal(_JSON_STRING)}, '0', 'g')"
    return (
        f"TRY_CAST(CASE WHEN NOT regexp_matches({text}, {literal(_LENIENT_JSON)}) THEN {text} "
        f"WHEN NOT regexp_matches({stripped}, {literal(_LENIENT_JSON)}) THEN {text} END AS JSON)"
    )


def _matches(text: str, pattern: str) -> str:
    return f"regexp_full_match({text}, {literal(pattern)})"


def _integer(text: str) -> str:
    value = f"TRY_CAST({text} AS BIGINT)"
    # What the value is written as again is plain digits; leading zeros and `+` take the second branch.
    return f"CASE WHEN {value}::VARCHAR = {text} THEN {value} WHEN {_matches(text, _INTEGER)} THEN {value} END"


def _decimal(text: str, logical: LogicalType) -> str:
    value, scale = f"TRY_CAST({text} AS {logical.duckdb})", logical.scale
    fraction = rf"\.[0-9]{{1,{scale}}}0*" if scale else r"\.0+"
    pattern = rf"[+-]?(?:[0-9]+(?:\.|{fraction})?|{fraction})"
    written = f"{value}::VARCHAR"
    # 12.5 begins 12.50, the value written with all its digits: so it has no digit too many and nothing but digits.
    return (
        f"CASE WHEN {written} = {text} THEN {value} WHEN starts_with({written}, {text}) THEN {value} "
        f"WHEN {_matches(text, pattern)} THEN {value} END"
    )


def _double(text: str) -> str:
    value = f"TRY_CAST({text} AS DOUBLE)"
    # Beyond the table the cast accepts underscores, `+-5` and blanks around; the six blanks are all it knows.
    blanks = " AND ".join(f"NOT suffix({text}, chr({code}))" for code in (32, 9, 10, 11, 12, 13))
    odd = f"{text} < '+' OR prefix({text}, '+-') OR contains({text}, '_')"
    plain = f"isfinite({value}) AND {value} <> 0 AND NOT ({odd}) AND {blanks}"
    return (
        f"CASE WHEN {plain} THEN {value} "
        f"WHEN {value} = 0 AND {_matches(text, _ZERO)} THEN {value} "
        f"WHEN NOT isfinite({value}) AND {_matches(text, _NOT_FINITE)} THEN {value} END"
    )


def _bool(text: str) -> str:
    # A chain of comparisons: IN with several words is compiled to something slower.
    words = " ".join(f"WHEN {literal(word)} THEN {value}" for word, value in _WORDS.items())
    return f"CASE {text} {words} ELSE CASE lower({text}) {words} END END"


def _date(text: str) -> str:
    value = f"TRY_CAST({text} AS DATE)"
    # Ten characters leave no room for other years than 0001-9999, for infinity or `(BC)`.
    return f"CASE WHEN {value}::VARCHAR = {text} AND strlen({text}) = 10 THEN {value} END"


def _at_once(text: str, cast: str, shape: str, value: str) -> str:
    """A branch of a CASE: `value` for texts of the shape. `cast` is the TIMESTAMP that the text is cast to.

    Needs `cast` to be no earlier than `_SHORT_YEAR`. The cast reads a month, day, hour, minute and second of one or two
    digits and blanks before them; with every separator and the last digits of day and second in place, and a year
    of four digits, no shorter part can fill its place. Hour 24 is left: the cast takes it for midnight.
    """
    off_midnight = f"epoch_us({cast}) % 86400000000 <> 0"
    not_hour_24 = f"{text} NOT LIKE '___________24%'"
    then = f"CASE WHEN {off_midnight} THEN {value} WHEN {not_hour_24} THEN {value} END"
    return f"WHEN {text} GLOB {literal(shape)} THEN {then}"


def _timestamp(text: str) -> str:
    cast, moment = f"TRY_CAST({text} AS TIMESTAMP)", _matches(text, _MOMENT)
    return (
        f"CASE WHEN {cast} < {_SHORT_YEAR} THEN CASE WHEN {moment} AND {cast} >= '0001-01-01' THEN {cast} END "
        f"{_at_once(text, cast, _SHAPE, cast)} WHEN {moment} THEN {cast} END"
    )


def _timestamptz(text: str, timezone: str) -> str:
    cast, value = f"TRY_CAST({text} AS TIMESTAMP)", f"TRY_CAST({text} AS TIMESTAMP WITH TIME ZONE)"
    utc = f"make_timestamptz(epoch_us({cast}))"  # a cast to timestamptz asks the calendar: three times the time
    local = utc if timezone == "UTC" else in_zone(cast, timezone)
    slow = _careful_timestamptz(text, local, value)
    # At both ends of the calendar an offset may lead out of it.
    inside = (
        f"CASE WHEN {slow} BETWEEN TIMESTAMPTZ '0001-01-01 00:00:00+00' "
        f"AND TIMESTAMPTZ '9999-12-31 23:59:59.999999+00' THEN {slow} END"
    )
    return (
        f"CASE WHEN {cast} < {_SHORT_YEAR} OR {cast} > {_LAST_DAYS} THEN {inside} "
        f"{_at_once(text, cast, _SHAPE, local)} {_at_once(text, cast, _SHAPE + 'Z', utc)} "
        f"{_at_once(text, cast, _SHAPE_WITH_OFFSET, value)} ELSE {inside} END"
    )


def _careful_timestamptz(text: str, local: str, value: str) -> str:
    # Moments without seconds, a date alone and a lower-case z are beyond the cast: write them in full.
    moment, offset = (f"regexp_extract({text}, {literal(f'^{_ANY_ZONED}$')}, {group})" for group in (1, 2))
    full = f"TRY_CAST({moment} AS TIMESTAMP)::VARCHAR || replace(upper({offset}), 'Z', '+00')"
    return (
        f"CASE WHEN starts_with({text}, '0000') THEN NULL WHEN {_matches(text, _MOMENT)} THEN {local} "
        f"WHEN {_matches(text, _FULL_ZONED)} THEN {value} "
        f"WHEN {_matches(text, _ANY_ZONED)} THEN TRY_CAST({full} AS TIMESTAMP WITH TIME ZONE) END"
    )


def _time(text: str) -> str:
    value = f"TRY_CAST({text} AS TIME)"
    return (
        f"CASE WHEN {value}::VARCHAR = {text} AND {text} < '24' THEN {value} "
        f"WHEN {_matches(text, _CLOCK)} THEN {value} END"
    )


def _uuid(text: str) -> str:
    # The cast wants 32 hexadecimal digits and skips dashes and braces: four dashes in place leave room for digits only.
    shape = literal("________-____-____-____-____________")
    return f"CASE WHEN {text} LIKE {shape} AND strlen({text}) = 36 THEN TRY_CAST({text} AS UUID) END"
