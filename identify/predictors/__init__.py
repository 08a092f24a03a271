"""Which invariance to transfer: worst cases, classes, certified minimax."""
