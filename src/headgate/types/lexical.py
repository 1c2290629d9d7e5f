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

# Texts that look like a moment to the second, if the cast also succeeds; see `_like_a_moment`.
_SHAPES = ("????-??-?[0-9][ T][01]?:??:?[0-9]", "????-??-?[0-9][ T]2[0-3]:??:?[0-9]")

_TRUE = ("true", "t", "yes", "y", "on", "1")
_FALSE = ("false", "f", "no", "n", "off", "0")

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
    # The cast accepts underscores and blanks around in addition to the table; the six blanks are all it knows.
    blanks = " AND ".join(f"NOT suffix({text}, chr({code}))" for code in (32, 9, 10, 11, 12, 13))
    plain = f"isfinite({value}) AND {value} <> 0 AND {text} >= '+' AND NOT contains({text}, '_') AND {blanks}"
    return (
        f"CASE WHEN {plain} THEN {value} "
        f"WHEN {value} = 0 AND {_matches(text, _ZERO)} THEN {value} "
        f"WHEN NOT isfinite({value}) AND {_matches(text, _NOT_FINITE)} THEN {value} END"
    )


def _bool(text: str) -> str:
    words = [", ".join(literal(word) for word in group) for group in (_TRUE, _FALSE)]
    return f"CASE WHEN lower({text}) IN ({words[0]}) THEN true WHEN lower({text}) IN ({words[1]}) THEN false END"


def _date(text: str) -> str:
    value = f"TRY_CAST({text} AS DATE)"
    # Ten characters leave no room for other years than 0001-9999, for infinity or `(BC)`.
    return f"CASE WHEN {value}::VARCHAR = {text} AND strlen({text}) = 10 THEN {value} END"


def _like_a_moment(text: str, value: str, more: str = "") -> str:
    """SQL that is true only for `YYYY-MM-DD[ T]HH:MM:SS` (and `more` as a pattern), given that the cast succeeded.

    The cast reads a year, month, day, hour, minute and second of one or two digits each (the year of any number), and
    blanks before them; with the separators and the last digits of day and second in place and a year of four digits,
    no shorter part can fill its place. Hour 24, which the cast accepts, has no shape.
    """
    shapes = " OR ".join(f"{text} GLOB {literal(shape + more)}" for shape in _SHAPES)
    return f"({shapes}) AND {value} >= '1000-01-02'"


def _timestamp(text: str) -> str:
    value = f"TRY_CAST({text} AS TIMESTAMP)"
    slow = f"{_matches(text, _MOMENT)} AND {value} >= '0001-01-01'"
    return f"CASE WHEN {_like_a_moment(text, value)} THEN {value} WHEN {slow} THEN {value} END"


def _timestamptz(text: str, timezone: str) -> str:
    value, local = f"TRY_CAST({text} AS TIMESTAMP WITH TIME ZONE)", in_zone(f"TRY_CAST({text} AS TIMESTAMP)", timezone)
    utc = f"strlen({text}) = 20 AND suffix({text}, 'Z')"
    known = f"({utc} OR strlen({text}) = 19)" if timezone == "UTC" else utc
    # Seconds, the date alone and a lower-case z are beyond the cast: write the moment in full, then the offset.
    moment, offset = (f"regexp_extract({text}, {literal(f'^{_ANY_ZONED}$')}, {group})" for group in (1, 2))
    full = f"TRY_CAST({moment} AS TIMESTAMP)::VARCHAR || replace(upper({offset}), 'Z', '+00')"
    in_range = f"NOT starts_with({text}, '0000')"
    return (
        f"CASE WHEN {known} AND {_like_a_moment(text, value, '*')} THEN {value} "
        f"WHEN {_matches(text, _MOMENT)} AND {in_range} THEN {local} "
        f"WHEN {_matches(text, _FULL_ZONED)} AND {in_range} THEN {value} "
        f"WHEN {_matches(text, _ANY_ZONED)} AND {in_range} THEN TRY_CAST({full} AS TIMESTAMP WITH TIME ZONE) END"
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
