"""Words that name a method, a loss or a design in a statement."""

METHODS = ("observation", "comb", "combs", "conditional", "do_calculus", "backdoor", "frontdoor", "adjustment")
LOSSES = ("squared_loss", "log_loss", "zero_one")
DESIGNS = ("canonical", "relaxed", "dense")
