"""CPU time of one call of the `suture` command against its budget, best of several, child process alone.

Prints a line a command, exits 1 where a budget is broken.  The budgets: 100 ms for `--version`, 300 ms for `check` and
for a symbolic `identify` with its certificate.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = Path(sys.executable).parent / "suture"
REPEATS = 7
SYMBOLIC = """
model Smoking { Smoke -> Tar -> Cancer ; Smoke <-> Cancer }
identify P(Cancer | do(Smoke))
"""


def children() -> float:
    """CPU time of all finished child processes so far, user and system, in milliseconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (used.ru_utime + used.ru_stime)


def cpu_milliseconds(arguments: list[str]) -> float:
    """CPU time of one call; raises `RuntimeError` where it fails."""
    before = children()
    # Compiled modules are kept, as they are for users: this is no time of theirs.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run([COMMAND, *arguments], capture_output=True, text=True, env=environment)
    if done.returncode:
        raise RuntimeError(f"suture {' '.join(arguments)} failed: {done.stderr}")
    return children() - before


def best(arguments: list[str]) -> float:
    """The smallest CPU time of several calls: what the command costs when nothing else gets in its way."""
    return min(cpu_milliseconds(arguments) for _ in range(REPEATS))


def main() -> int:
    """Measures each command and compares it with its budget."""
    with tempfile.TemporaryDirectory() as folder:
        symbolic = Path(folder) / "symbolic.suture"
        symbolic.write_text(SYMBOLIC, encoding="utf-8")
        budgets = (
            (["--version"], 100.0),
            (["check", str(ROOT / "examples" / "smoking.suture")], 300.0),
            (["run", str(symbolic)], 300.0),
        )
        measured = [(arguments, best(arguments), budget) for arguments, budget in budgets]
    for arguments, milliseconds, budget in measured:
        verdict = "ok" if milliseconds <= budget else "over"
        print(f"suture {arguments[0]:<10} {milliseconds:6.0f} ms CPU   budget {budget:.0f}   {verdict}")
    return int(any(milliseconds > budget for _, milliseconds, budget in measured))


if __name__ == "__main__":
    sys.exit(main())
