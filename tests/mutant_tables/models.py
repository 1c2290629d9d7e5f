"""Mutants of incremental models: what joins the rows that stand."""

from __future__ import annotations

from tests.mutant_tables.mutant import mutant

JOINS = "tests/unit/run/test_run_incremental.py::test_"
KEPT = "tests/unit/run/test_run_model_snapshots.py::test_"
LEFT = "tests/unit/run/test_run_left.py::test_"

MUTANTS = (
    mutant(
        "null-keys-not-taken",
        "models/delta.py",
        "        if null_keys(session, model, staged):\n            old, more",
        "        if False:\n            old, more",
        "a row whose key has a NULL is added again with every build",
        f"{JOINS}a_null_in_a_key_is_equal_to_itself",
    ),
    mutant(
        "doubled-keys-taken",
        "models/incremental.py",
        "        if rows:\n            raise BuildFailed([doubled_keys(model, staged.select, rows)])",
        "        if rows < 0:\n            raise BuildFailed([doubled_keys(model, staged.select, rows)])",
        "two rows of one key stand",
        f"{JOINS}rows_of_one_key_are_refused",
    ),
    mutant(
        "seen-version-not-compared",
        "models/incremental.py",
        "(state.version if state else 0) != how.seen:\n",
        "False:\n",
        "two runners add the same rows",
        f"{JOINS}of_two_runners_the_second_finds_it_built",
    ),
    mutant(
        "changed-rows-taken-for-new-ones",
        "models/due.py",
        "    return bool(entry.rows_removed or entry.rows_updated)\n",
        "    return False\n",
        "the interval that a changed row left keeps it",
        f"{JOINS}all_is_built_where_rows_of_an_input_changed_unless_a_lookback_is_said",
    ),
    mutant(
        "late-rows-of-the-first-input-alone",
        "models/due.py",
        "        if any(entry.rows_inserted for entry in entries):\n            changed.append(one)\n",
        "        if any(entry.rows_inserted for entry in entries):\n            changed = changed or [one]\n",
        "late rows of a second input are lost",
        f"{JOINS}late_rows_are_found_through_views_and_joins",
    ),
    mutant(
        "set-tests-see-the-stage-alone",
        "models/build.py",
        '    whole = f"(\\n{staged.whole(quote.table(staged.ref))}\\n) AS {name}" if staged.whole else relation\n',
        "    whole = relation\n",
        "a key that stands is added a second time",
        f"{JOINS}a_failed_test_keeps_the_table_and_looks_at_all_rows_where_it_must",
    ),
    mutant(
        "policy-not-asked",
        "models/delta.py",
        '    if retyped or (policy == "error" and told):\n',
        "    if retyped:\n",
        "columns change without a declared policy",
        f"{JOINS}a_new_column_is_followed_as_declared",
    ),
    mutant(
        "types-squeezed",
        "models/delta.py",
        '    if retyped or (policy == "error" and told):\n',
        '    if policy == "error" and told:\n',
        "fractions are rounded into whole numbers",
        f"{JOINS}another_type_is_never_squeezed_in",
    ),
    mutant(
        "null-keys-have-no-history",
        "models/versions.py",
        'form = "ARRAY[{}] = ARRAY[{}]" if self.nulls else "{} = {}"',
        'form = "{} = {}"',
        "a row whose key has a NULL gets a version with every run",
        f"{KEPT}versions_by_time",
    ),
    mutant(
        "versions-overlap",
        "models/versions.py",
        " WHEN {updated} > {floor} THEN {updated}",
        " WHEN {updated} IS NOT NULL THEN {updated}",
        "a row that comes back is valid while it was gone",
        f"{KEPT}rows_that_go_and_come_back",
    ),
    mutant(
        "restored-rows-stay-deleted",
        "models/versions.py",
        """return f"({changed}) OR {self._deleted('o')}" if self._was_marked else f"({changed})\"""",
        """return f"({changed})\"""",
        "a row that comes back as it was is told to be deleted for ever",
        f"{KEPT}rows_that_go_and_come_back",
    ),
    mutant(
        "history-begun-anew",
        "models/snapshot.py",
        "    if was and not how.full:\n",
        "    if False:\n",
        "a history that is gone begins anew, and nobody is told",
        f"{KEPT}a_full_refresh_keeps_the_history",
    ),
    mutant(
        "history-of-others-replaced",
        "models/snapshot.py",
        '    if standing == "table" and last is None:\n',
        "    if False:\n",
        "the history that somebody else wrote is dropped",
        f"{KEPT}a_table_of_somebody_else_is_left_alone",
    ),
    mutant(
        "history-gives-way",
        "run/stale.py",
        '    if last is None or last.facts.get("materialized") != "snapshot"',
        '    if last is None or last.facts.get("materialized")',
        "a model of another kind drops a history",
        f"{KEPT}another_kind_does_not_take_the_place_of_a_history",
    ),
    mutant(
        "tables-of-others-collected",
        "models/left.py",
        "    except (ValueError, TypeError):\n        return False",
        "    except (ValueError, TypeError):\n        return True",
        "a table that only has such a name is dropped",
        f"{LEFT}it_is_collected_by_age_and_nothing_else_is",
    ),
)
