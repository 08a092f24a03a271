"""Witnesses of a no: two models equal on what is known, different on what is asked."""
