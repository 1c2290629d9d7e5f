"""Why a step or a run did not succeed, by who must act: one word each, stable, for statistics and alerts.

project: edit a file of the project. data: mend what was delivered, or the contract. system: a system outside did not
do its part. warehouse: the warehouse could not commit, or its books disagree. input: something that it needs did not
succeed. defect: ours. interrupted: somebody or something ended it.
"""

from __future__ import annotations

from headgate.core.errors import (
    AdapterError,
    CommitError,
    ContractError,
    HeadgateError,
    InternalError,
    ProjectError,
)

PROJECT, DATA, SYSTEM, WAREHOUSE, INPUT, DEFECT, INTERRUPTED = (
    *("project", "data", "system", "warehouse", "input", "defect", "interrupted"),
)
_BY_CLASS: tuple[tuple[type[BaseException], str], ...] = (
    (ProjectError, PROJECT),
    (ContractError, DATA),
    (AdapterError, SYSTEM),
    (CommitError, WAREHOUSE),
    (InternalError, DEFECT),
    (HeadgateError, PROJECT),
    (Exception, DEFECT),
)


def of_error(error: BaseException) -> str:
    """The word for what was raised; a defect for what nobody raised on purpose, unless it ended the process."""
    return next((word for kind, word in _BY_CLASS if isinstance(error, kind)), INTERRUPTED)


def of_status(status: str) -> str:
    """The word for a step that ended without an error of its own: its rows were refused, or it was never begun."""
    return INPUT if status == "blocked" else DATA
