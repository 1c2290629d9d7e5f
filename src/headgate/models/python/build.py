"""A Python model on its way into the warehouse: called, and then built like a SELECT of what it gave."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from headgate.core.protocols import StoreSession
from headgate.models.build import How
from headgate.models.incremental import stands
from headgate.models.model import Model
from headgate.models.python.call import rows_of
from headgate.models.python.kept import forget


@contextmanager
def ready(session: StoreSession, model: Model, how: How, inside: bool = False) -> Iterator[tuple[Model, How]]:
    """The model with its SQL, which may be run as long as the block lasts, and how to build it: a SQL model as it is.

    A Python model is called once. `inside` an open transaction or not.
    *Errors*: as `rows_of`.
    """
    if model.python is None:
        yield model, how
        return
    forget(session, model)
    adds = _adds(session, model, how)
    with rows_of(session, model.python, adds, inside) as select:
        parts = model.incremental
        filled = replace(model, sql=select, incremental=None if parts is None else replace(parts, sql=select))
        yield filled, how if _by_time(model) else replace(how, full=how.full or not adds, adds=adds)


def _by_time(model: Model) -> bool:
    return model.incremental is None or model.incremental.intervals is not None


def _adds(session: StoreSession, model: Model, how: How) -> bool:
    """Whether rows stand that the model adds to. One that is built by intervals gives all of its rows, as it always
    does."""
    return not _by_time(model) and stands(session, model, how)
