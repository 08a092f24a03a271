"""Pages of the diagnostics of searches for predictors."""

from __future__ import annotations

from .explanation_pages import Page

PAGES: dict[str, Page] = {
    "S470": Page(
        "nothing changes between the domains",
        "A search for a predictor that carries over needs mechanisms that may differ: those declared `mutable`, left "
        "open by `~ any`, or given differently in a domain.",
        """
model M { X, Y : {0, 1} ; Y -> X }
search predictor of Y from {X} in M minimax squared_loss
""",
        "say what may change: mutable X, in the model.",
    ),
    "S471": Page(
        "the outcome itself may change",
        "Where the mechanism of the outcome may be anything, what is learned in one domain says nothing about another.",
        """
model M { X, Y : {0, 1} ; X -> Y ; mutable Y }
search predictor of Y from {X} in M minimax squared_loss
""",
        "predict a variable whose mechanism stays the same.",
    ),
    "S472": Page(
        "the predictor does not read what may change",
        "What carries over between domains is the prediction given that the mutable variables are set, so the "
        "predictor has to see them.",
        """
model M { W, X, Y : {0, 1} ; Y -> W -> X ; Y -> X ; mutable W }
search predictor of Y from {X} in M minimax squared_loss
""",
        "add the variable to the features.",
    ),
    "S473": Page(
        "the squared loss of words",
        "A squared difference needs numbers. Two words count as 0 and 1, in the order of their declaration; more have "
        "no numbers.",
        """
model M { X : {0, 1} ; Y : {low, middle, high} ; Y -> X ; mutable X }
search predictor of Y from {X} in M minimax squared_loss
""",
        "use log_loss or zero_one, or number the values.",
    ),
    "S474": Page(
        "a parameter where the worst case needs a number",
        "The worst domain is found by comparing numbers, and a mechanism has a parameter without a value.",
        "",
        "give every parameter a value.",
    ),
    "S475": Page(
        "how far probabilities may differ",
        "Mutable mechanisms near the given ones are those whose probabilities differ by at most a number from 0 to 1.",
        "",
        "give such a number: within=0.1.",
    ),
}
