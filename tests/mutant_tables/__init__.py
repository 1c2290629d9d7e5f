"""The mutants of gate and books: one wrong line each, what it would cost, and the tests that must notice it.

`old` occurs exactly once in its file. Tests stand in the order in which they are run, the likeliest first.
"""

from tests.mutant_tables import (
    adopt,
    audit,
    bench,
    books,
    commit,
    gate,
    histories,
    lines,
    looking_back,
    models,
    raw,
    run,
    sets,
)
from tests.mutant_tables.mutant import Mutant

MUTANTS: tuple[Mutant, ...] = (
    *commit.MUTANTS,
    *books.MUTANTS,
    *audit.MUTANTS,
    *bench.MUTANTS,
    *gate.MUTANTS,
    *sets.MUTANTS,
    *histories.MUTANTS,
    *lines.MUTANTS,
    *looking_back.MUTANTS,
    *run.MUTANTS,
    *raw.MUTANTS,
    *adopt.MUTANTS,
    *models.MUTANTS,
)
