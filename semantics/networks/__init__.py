"""Exact inference in finite models: plans of contractions, the one evaluator, and what is asked of it."""
