"""Data: tables of any kind, checked, coded and counted, and their empirical distributions."""
