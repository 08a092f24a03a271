"""What a statement came to: the one answer type, what fills it for each kind of statement, and how it is shown."""
