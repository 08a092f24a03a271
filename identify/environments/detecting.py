"""Which mechanisms differ between environments: each variable is tested against the environment given its blanket.

Where none has hidden causes, the blanket is the variable's parents, and the test asks whether P(v | parents) is the
same in every environment.  With hidden common causes P(v | blanket) is the same unless some mechanism of v's district
differs, and the test speaks of the district.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...dsl.diagnostics import Diagnostic, SutureError
from ...semantics.budget import meter
from ...semantics.environments.environment_tables import EnvironmentTables
from ...semantics.environments.invariance_tests import MechanismTest, holm, independence
from .estimated_model import Blankets

LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Detection:
    """The tests of all variables, and which mechanisms they call changing at a level."""

    tests: tuple[MechanismTest, ...]
    level: float

    @property
    def changing(self) -> tuple[str, ...]:
        """The variables whose adjusted p-value is at most the level."""
        return tuple(test.variable for test in self.tests if test.adjusted <= self.level)

    def of(self, variable: str) -> MechanismTest:
        """The test of one variable."""
        return next(test for test in self.tests if test.variable == variable)


def detect(
    tables: EnvironmentTables, blankets: Blankets, level: float = LEVEL, seed: int = 0, but: Sequence[str] = ()
) -> Detection:
    """The tests of every variable but some, Holm's correction over them.

    Raises `SutureError` S494 where there is one environment only, or weights are no numbers of rows.
    """
    if len(tables.names) < 2:
        raise one_environment()
    if not tables.counted:
        message = "the weights are no numbers of rows, so nothing can be tested on them"
        raise SutureError(Diagnostic("S494", message, help="say which mechanisms may change: mutable X, in the model"))
    generator = np.random.default_rng(seed)
    found: list[MechanismTest] = []
    for name, given in blankets.given.items():
        if name not in but:
            meter().tick()
            how, p_value = independence(tables.table((*given, name)), generator)
            found.append(MechanismTest(name, given, how, p_value))
    adjusted = holm([test.p_value for test in found])
    return Detection(tuple(replace(test, adjusted=p) for test, p in zip(found, adjusted, strict=True)), level)


def one_environment() -> SutureError:
    """S494: there is nothing to compare."""
    message = "one environment alone does not tell which mechanisms differ"
    return SutureError(Diagnostic("S494", message, help="say which may: mutable X, in the model; or add environments"))
