"""What every test may use: the known cases, and the Hypothesis profiles.

The ordinary run is deterministic: Hypothesis derives its examples from the test itself, so that a test that is red is
red for everyone.  `SUTURE_HYPOTHESIS=explore` draws fresh examples, and many more of them, to go looking for trouble.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
CASES = Path(os.environ.get("SUTURE_CASES", ROOT.parent / "shared" / "cases"))

# Tests leave nothing in the user's cache of compiled programs; those of the cache itself name a directory.
os.environ["SUTURE_COMPILE_CACHE"] = "off"

SLOW_MACHINES = (HealthCheck.too_slow,)
settings.register_profile(
    "ordinary", deadline=None, derandomize=True, database=None, suppress_health_check=SLOW_MACHINES
)
settings.register_profile("explore", deadline=None, max_examples=2_000, suppress_health_check=SLOW_MACHINES)
settings.load_profile(os.environ.get("SUTURE_HYPOTHESIS", "ordinary"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository root."""
    return ROOT


@pytest.fixture(scope="session")
def cases() -> Callable[[str], Any]:
    """Reads a file of known cases by name; skips the test, saying so, where the cases are not on this machine."""

    def read(name: str) -> Any:
        path = CASES / name
        if not path.is_file():
            pytest.skip(f"no known cases at {path}; set SUTURE_CASES to the folder that holds {name}")
        return json.loads(path.read_text(encoding="utf-8"))

    return read
