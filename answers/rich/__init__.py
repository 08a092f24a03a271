"""Answers as HTML: cards for notebooks and pages, readable without a script, a style sheet or a kernel."""
