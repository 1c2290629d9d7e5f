"""Mutants of keys, references and versions."""

from __future__ import annotations

from tests.mutant_tables.mutant import ORACLE, SETS, UNMATCHED, VERSIONS, mutant

KEYS = (
    mutant(
        "references-not-in",
        "gate/sets.py",
        'AND NOT EXISTS (SELECT 1 FROM {table} AS r WHERE {" AND ".join(same)})',
        "AND ({quote.columns(rule.columns, 's')}) NOT IN (SELECT ({quote.columns(rule.to_columns)}) FROM {table})",
        "one NULL in the referenced table lets every value pass",
        SETS,
    ),
    mutant(
        "null-refers-to-nothing",
        "gate/sets.py",
        'AS s WHERE {filled(rule, "s")}\n               AND NOT EXISTS',
        "AS s WHERE true\n               AND NOT EXISTS",
        "every row without a reference is refused",
        SETS,
    ),
    mutant(
        "null-own-reference",
        "gate/sets.py",
        'AS s WHERE {filled(rule, "s")} AND NOT EXISTS (',
        "AS s WHERE NOT EXISTS (",
        "every row without a parent is refused",
        SETS,
    ),
    mutant(
        "reference-by-its-first-column",
        "gate/sets.py",
        'FROM {table} AS r WHERE {" AND ".join(same)})',
        "FROM {table} AS r WHERE {same[0]})",
        "a row is loaded whose values stand in no row of the referenced table",
        SETS,
    ),
    mutant(
        "own-reference-by-any-column",
        "gate/sets.py",
        '                   WHERE {" AND ".join(same)})',
        '                   WHERE {" OR ".join(same)})',
        "a row is loaded whose values stand in no row of its own table",
        SETS,
    ),
    mutant(
        "one-null-of-a-reference-does-not-pass",
        "gate/sets.py",
        'return " AND ".join(f"{alias}.{quote.ident(column)} IS NOT NULL" for column in rule.columns)',
        'return " OR ".join(f"{alias}.{quote.ident(column)} IS NOT NULL" for column in rule.columns)',
        "a record that refers to nothing is refused",
        SETS,
    ),
    mutant(
        "refused-rows-not-tested-for-references",
        "gate/sets.py",
        "verdict.add(dangling(verdict, rule, verdict.judged()), QUARANTINED, bit)",
        "verdict.add(dangling(verdict, rule, verdict.passing()), QUARANTINED, bit)",
        "a record with two faults is told one",
        SETS,
    ),
    mutant(
        "refused-rows-not-tested-for-keys",
        "gate/sets.py",
        'make_claims(verdict, uniques, verdict.judged(), target, "claims")',
        'make_claims(verdict, uniques, verdict.passing(), target, "claims")',
        "reasons depend on how the load was sliced",
        SETS,
    ),
    mutant(
        "refused-rows-not-tested-for-own-references",
        "gate/sets.py",
        "        judged = self.verdict.judged()\n",
        "        judged = self.verdict.passing()\n",
        "a record with two faults is told one",
        SETS,
    ),
    mutant(
        "refused-row-takes-its-key",
        "gate/sets.py",
        "WHERE NOT good OR (held AND keep = 'first')",
        "WHERE (held AND keep = 'first')",
        "a bad row keeps the good one with its key out: lost",
        SETS,
    ),
    mutant(
        "null-key-is-a-duplicate",
        "gate/sets.py",
        'f"s.{quote.ident(one)} = k.{quote.ident(one)}" for one in rule.columns)',
        'f"(s.{quote.ident(one)} = k.{quote.ident(one)} OR s.{quote.ident(one)} IS NULL)" for one in rule.columns)',
        "rows without a value clash with those that have one",
        SETS,
    ),
    mutant(
        "key-by-its-first-column",
        "gate/sets.py",
        'f"s.{quote.ident(one)} = k.{quote.ident(one)}" for one in rule.columns)',
        'f"s.{quote.ident(one)} = k.{quote.ident(one)}" for one in rule.columns[:1])',
        "a line of an order keeps the order's other lines out",
        SETS,
    ),
    mutant(
        "keep-first-keeps-the-last",
        "gate/sets.py",
        """(1, "bool_and(c._hg_id = f.first)"), (2, "bool_or(f.taken AND c._hg_id > f.first)")):
            rounds.run(
                f\"\"\"UPDATE {claims} SET state = {state} WHERE state = 0 AND _hg_id IN (
                        SELECT c._hg_id FROM {claims} AS c JOIN (
                            SELECT bit, key, min(_hg_id) AS first""",
        """(1, "bool_and(c._hg_id = f.first)"), (2, "bool_or(f.taken AND c._hg_id < f.first)")):
            rounds.run(
                f\"\"\"UPDATE {claims} SET state = {state} WHERE state = 0 AND _hg_id IN (
                        SELECT c._hg_id FROM {claims} AS c JOIN (
                            SELECT bit, key, max(_hg_id) AS first""",
        "the other row of a duplicate is loaded",
        SETS,
    ),
    mutant(
        "keep-last-keeps-the-first",
        "gate/sets.py",
        "coalesce(g.latest > c._hg_id, false))\n            OR",
        "coalesce(g.latest = c._hg_id AND g.sharers > 1, false))\n            OR",
        "the other row of a duplicate is loaded",
        SETS,
    ),
    mutant(
        "keep-none-keeps-one",
        "gate/sets.py",
        "(c.keep = 'none' AND g.sharers - CAST(c.acc OR y.bit IS NOT NULL AS INTEGER) > 0)",
        "(c.keep = 'none' AND coalesce(g.latest > c._hg_id, false))",
        "one row of a group that contradicts itself is loaded",
        SETS,
    ),
    mutant(
        "struck-rows-free-their-value",
        "gate/sets.py",
        "count(*) FILTER (WHERE c.acc OR x.bit IS NOT NULL) AS sharers",
        "count(*) FILTER (WHERE c.acc) AS sharers",
        "under keep=none the reasons of later rounds go missing",
        SETS,
        ORACLE,
    ),
    mutant(
        "target-holds-nothing-first",
        "gate/sets.py",
        "AND (c.held OR coalesce(c._hg_id > h.first, false))",
        "AND coalesce(c._hg_id > h.first, false)",
        "a key that the table has is loaded again, or refused without a reason",
        SETS,
    ),
    mutant(
        "target-holds-nothing-last",
        "gate/sets.py",
        "WHERE (c.held OR (c.keep = 'last'",
        "WHERE (false OR (c.keep = 'last'",
        "a value that the table has is loaded again",
        SETS,
    ),
)


UPSERTS = (
    mutant(
        "tie-keeps-the-earlier",
        "gate/versions.py",
        'latest = "_hg_id" if identity.first else "_hg_id DESC"',
        'latest = "_hg_id"',
        "of two rows of one moment the earlier one stays",
        VERSIONS,
    ),
    mutant(
        "replay-wins-ties",
        "gate/versions.py",
        "{'<=' if identity.ties_lose else '<'}",
        "<",
        "a replayed row replaces one of the same moment that came after it",
        VERSIONS,
    ),
    mutant(
        "load-loses-ties",
        "gate/versions.py",
        "{'<=' if identity.ties_lose else '<'}",
        "<=",
        "a correction of the same moment is dropped",
        VERSIONS,
    ),
    mutant(
        "older-version-wins",
        "gate/versions.py",
        '{quote.ident(identity.order_by)} DESC, "',
        '{quote.ident(identity.order_by)}, "',
        "the newest version of a key is dropped",
        VERSIONS,
    ),
    mutant(
        "late-row-replaces",
        "gate/versions.py",
        "if (identity.order_by or identity.first) and target:",
        "if False:",
        "a row that comes late replaces the newer one in the table",
        VERSIONS,
    ),
    mutant(
        "upsert-by-the-first-key",
        "gate/versions.py",
        "for key in self.keys)",
        "for key in self.keys[:1])",
        "rows of other keys count as older versions: lost",
        VERSIONS,
    ),
    mutant(
        "replay-over-later-keys",
        "gate/versions.py",
        "WHERE t._hg_load > q.origin",
        "WHERE t._hg_load > q.entry",
        "a record refused again replaces a row that a later load wrote",
        VERSIONS,
    ),
)

UNMATCHED_VALUES = (
    mutant(
        "unmatched-value-stays",
        "gate/nulling.py",
        "self.verdict.scan.emptied.setdefault(column, []).append(found)",
        "pass",
        "a value that the referenced table does not hold is loaded",
        UNMATCHED,
    ),
    mutant(
        "only-the-first-value-is-emptied",
        "gate/nulling.py",
        "            for column in rule.columns:\n",
        "            for column in rule.columns[:1]:\n",
        "half of a reference that leads nowhere is loaded",
        "tests/unit/run/test_run_composite.py::test_all_values_of_a_reference_are_emptied_together",
    ),
    mutant(
        "unmatched-value-refuses-too",
        "gate/bits.py",
        'if rule.unmatched == "quarantine"',
        'if rule.severity == "error"',
        "a record that should load with NULL is refused",
        UNMATCHED,
    ),
    mutant(
        "emptied-on-the-server-after-all",
        "gate/nulling.py",
        "{quote.ident(column)} = NULL",
        "{quote.ident(column)} = {quote.ident(column)}",
        "the key of a value that is not loaded is taken on a server",
        f"{UNMATCHED}::test_on_postgres_as_well",
    ),
    mutant(
        "refused-records-counted-as-emptied",
        "gate/nulling.py",
        "FROM ({self.verdict.passing()}) AS s",
        "FROM ({self.verdict.scan.sql}) AS s",
        "a refused record counts as loaded with NULL",
        UNMATCHED,
    ),
    mutant(
        "a-condition-over-what-is-emptied",
        "contracts/verify.py",
        "yield from _emptied(contract, entry, tree)",
        "pass",
        "a row is loaded that breaks a rule across columns",
        UNMATCHED,
    ),
)

MUTANTS = (*KEYS, *UPSERTS, *UNMATCHED_VALUES)
