"""A model as the writers see it: its named variables, its arrows, and the pairs that a hidden common cause joins."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..diagnostics import Diagnostic, SutureError
from ..program import Model


def is_common_cause(model: Model, name: str) -> bool:
    """Whether a variable is the nameless latent one that `X <-> Y` stands for."""
    return "<->" in name and model.by_name[name].latent


def named(model: Model, reserved: Collection[str] = (), format: str = "") -> Iterator[tuple[str, bool]]:
    """The variables that have a name of their own, in order, and whether each is latent.

    Raises `SutureError` (S023) for one of the names that the format reserves.
    """
    for variable in model.variables:
        if variable.name in reserved:
            message = f"{format} has no variable called '{variable.name}': the word is its own"
            raise SutureError(Diagnostic("S023", message, help="give the variable another name in the model"))
        if not is_common_cause(model, variable.name):
            yield variable.name, variable.latent


def arrows(model: Model) -> Iterator[tuple[str, str]]:
    """The arrows between named variables, those into one variable together, in the order of its inputs."""
    for variable in model.variables:
        if not is_common_cause(model, variable.name):
            for parent in model.parents(variable.name):
                if not is_common_cause(model, parent):
                    yield parent, variable.name


def common_causes(model: Model) -> Iterator[tuple[str, str]]:
    """The pairs `X <-> Y`, in the order of the model."""
    for variable in model.variables:
        if is_common_cause(model, variable.name):
            first, _, second = variable.name.partition("<->")
            yield first, second
