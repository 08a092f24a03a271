"""Data of several environments: their rows, tests of what stays the same, regressions over all of them."""
