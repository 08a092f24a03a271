"""Amounts and settings as the command line writes them; what is none of them is said by argparse."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping


def seconds(text: str) -> float:
    """A time: `90`, `90s`, `5min`, `2h`."""
    return _scaled(text, {"": 1.0, "s": 1.0, "ms": 1e-3, "min": 60.0, "h": 3600.0})


def size(text: str) -> int:
    """Bytes: `500M`, `8G`."""
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
    spelled = {f"{unit}{ending}".lower(): float(size) for unit, size in units.items() for ending in ("", "B", "iB")}
    return int(_scaled(text, {"": 1.0, "b": 1.0, **spelled}))


def _scaled(text: str, units: Mapping[str, float]) -> float:
    """A positive number with a unit."""
    found = re.fullmatch(r"(\d{1,15}(?:\.\d{1,9})?)\s*([a-zA-Z]*)", text.strip())
    if found is None or found[2].lower() not in units or float(found[1]) == 0:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no amount; write a number and one of {', '.join(filter(None, units))}"
        )
    return float(found[1]) * units[found[2].lower()]


def setting(text: str) -> tuple[str, str | None]:
    """A variable with its value, `X=x`, or alone."""
    name, sign, label = text.partition("=")
    return name.strip(), label.strip() if sign else None


def evidence(text: str) -> tuple[str, str]:
    """A variable with its value."""
    name, label = setting(text)
    if not label:
        raise argparse.ArgumentTypeError(f"{text!r} gives no value; write {name}=value")
    return name, label
