from __future__ import annotations

from headgate.core.values import SourceColumn
from headgate.types.nested import Fed, bases, feed

STRUCT = 'STRUCT("b c" STRUCT(d INTEGER, "D" BIGINT), l INTEGER[])'


def test_a_path_leads_into_structs_only() -> None:
    columns = [
        SourceColumn("A", 'STRUCT("b c" STRUCT(d INTEGER, "D" BIGINT), l INTEGER[])'),
        SourceColumn("x.y", "DATE"),
    ]
    found = feed(columns, "a.b c.D", "src")
    assert found == Fed("""struct_extract(struct_extract(src."A", 'b c'), 'D')""", "BIGINT", "A")
    assert feed(columns, "a.b c.d", "src").physical == "INTEGER"  # type: ignore[union-attr]
    assert feed(columns, "X.Y", "s") == Fed('s."x.y"', "DATE", "x.y")
    assert [feed(columns, one, "src") for one in ("a.z", "a.l.x", "q", "q.r", "a.b c.e")] == [None] * 5
    assert bases(columns, ["a.L", "x.y", "new", "A"]) == ["A", "x.y", "new", "A"]
