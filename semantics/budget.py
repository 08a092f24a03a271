"""What answering may cost: memory, work and time; refused before it starts where an estimate says so, else stopped.

A `Budget` is in force for what runs inside `limited`, in that thread or task alone.  Contractions ask it before they
start, and between two steps they look at the clock and tell how far they are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from ..dsl.diagnostics import Diagnostic, SutureError


@dataclass(frozen=True, slots=True)
class Budget:
    """What one answer may cost: bytes of intermediate results, multiplications of one contraction, seconds in all.

    Without `seconds` there is no limit of time.
    """

    bytes: int = 4 << 30
    flops: int = 10**12
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Meter:
    """A budget in force: when its time is over, and who is told how far a long contraction is (from 0 to 1)."""

    budget: Budget
    deadline: float | None = None
    progress: Callable[[float], None] | None = None

    @property
    def watched(self) -> bool:
        """Whether there is anything to do between two steps."""
        return self.deadline is not None or self.progress is not None

    def tick(self, done: float | None = None) -> None:
        """Between two steps: raises `SutureError` S603 where the time is over."""
        if self.deadline is not None and time.monotonic() > self.deadline:
            limit = "" if self.budget.seconds is None else f" of {duration(self.budget.seconds)}"
            message = f"this took longer than the budget{limit} and was stopped"
            raise SutureError(Diagnostic("S603", message, help="ask for less at once, or allow more time"))
        if done is not None and self.progress is not None:
            self.progress(done)


DEFAULT_BUDGET = Budget()
_UNLIMITED_TIME = Meter(DEFAULT_BUDGET)
_IN_FORCE: ContextVar[Meter] = ContextVar("budget in force")


def meter() -> Meter:
    """What is in force here."""
    return _IN_FORCE.get(_UNLIMITED_TIME)


@contextmanager
def limited(budget: Budget, progress: Callable[[float], None] | None = None) -> Generator[None]:
    """Put a budget in force: what runs inside raises `SutureError` S603 where it would cost more, or takes longer.

    >>> with limited(Budget(bytes=1 << 20, seconds=10)):
    ...     meter().budget.bytes
    1048576
    """
    outer = meter()
    ends = [outer.deadline] if outer.deadline is not None else []
    if budget.seconds is not None:
        ends.append(time.monotonic() + budget.seconds)
    token = _IN_FORCE.set(Meter(budget, min(ends, default=None), progress))
    try:
        yield
    finally:
        _IN_FORCE.reset(token)


def amount(count: int) -> str:
    """A number of bytes in a readable unit.

    >>> amount(3 << 30)
    '3.0 GiB'
    """
    value, units = float(count), ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    while value >= 1024 and len(units) > 1:
        value /= 1024
        units.pop(0)
    return f"{value:.1f} {units[0]}" if value < 1e4 else f"{value:.1e} {units[0]}"


def duration(seconds: float) -> str:
    """A time in a readable unit, two digits long.

    >>> duration(0.00042), duration(90), duration(1e9)
    ('420 us', '90 s', '32 years')
    """
    for unit, name in ((1e-6, "us"), (1e-3, "ms"), (1.0, "s"), (60.0, "min"), (3600.0, "h"), (86400.0, "days")):
        if seconds < 100 * unit or (name in ("us", "ms") and seconds < 1000 * unit):
            return f"{seconds / unit:.2g} {name}" if seconds < 100 * unit else f"{seconds / unit:.0f} {name}"
    years = seconds / 31_557_600
    return f"{years:.0f} years" if years < 1000 else f"{years:.0e} years"
