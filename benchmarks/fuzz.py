"""Mutated programs through parser, formatter and resolver: 20,000 by default, none may end in a traceback.

Prints how many were good, how many were refused, the slowest, and the CPU time; exits 1 at the first that breaks,
which is printed whole.  Call: `python benchmarks/fuzz.py [COUNT] [SEED]`.
"""

from __future__ import annotations

import sys
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))


def main(count: int = 20_000, seed: int = 1) -> int:
    """Run the fuzzing; the exit code."""
    from mutations import programs, survives

    places = [*sorted((ROOT / "examples").glob("*.suture")) * 8, *sorted((ROOT / "tests/dsl/bad").glob("*.suture"))]
    seeds = [path.read_text(encoding="utf-8") for path in places]
    good, slowest, slow_text = 0, 0.0, ""
    begun = time.process_time()
    for text in programs(seeds, count, seed):
        before = time.process_time()
        try:
            good += survives(text)
        except Exception:
            print(f"--- this program breaks suture ---\n{text}\n---")
            traceback.print_exc()
            return 1
        used = time.process_time() - before
        if used > slowest:
            slowest, slow_text = used, text
    print(f"{count} programs: {good} good, {count - good} refused, no traceback")
    print(f"{time.process_time() - begun:.1f} s CPU; slowest {1000 * slowest:.0f} ms, of {len(slow_text)} characters")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
