"""Words that name a method or a loss in a statement."""

METHODS = ("observation", "comb", "combs", "conditional", "do_calculus", "backdoor", "frontdoor", "adjustment")
LOSSES = ("squared_loss", "log_loss", "zero_one")
