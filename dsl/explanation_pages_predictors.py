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
        "give such a number: within 0.1.",
    ),
    "S476": Page(
        "an interval that cannot be read",
        "`[0.5, 1.5]` in a mechanism is any number between two numbers, the smaller first. As a probability it stands "
        "alone; in an equation or a mean it stands in sums and products, so that the worst choice is one of its ends.",
        """
model M { X : real ~ Normal(0, 1) ; W : real := exp([0, 1])*X + noise ; mutable W }
""",
        "write numbers, and take the interval out of functions and quotients.",
    ),
    "S477": Page(
        "an interval where one number is needed",
        "A mechanism with an interval stands for many mechanisms. Searches for predictors take the worst of them; "
        "whatever else computes with a model needs one number.",
        "",
        "give one number, or search over the domain that has the interval.",
    ),
    "S478": Page(
        "intervals that no probabilities fit",
        "The probabilities of a row sum to one, and no choice from these intervals does.",
        """
model M { X : {0, 1} ~ {0: [0.1, 0.2], 1: [0.3, 0.4]} }
""",
        "widen an interval, so that the lower ends sum to at most 1 and the upper ends to at least 1.",
    ),
    "S479": Page(
        "a kind of model that is not searched",
        "A search for a predictor of a real outcome reads models whose variables are single real numbers.",
        "",
        "make every variable that the outcome and the features depend on real.",
    ),
    "S498": Page(
        "a worst domain without bounds",
        "Where mechanisms are not linear, worst domains are looked for within bounds, and a mutable variable has none. "
        "In a linear model no bounds are needed.",
        "",
        "bound the values: W ~ any in [-2, 2], in the model or in a domain that is searched over.",
    ),
    "S499": Page(
        "a simulated variable that is no number",
        "A mechanism gives infinity or no number for some values of its parents, so nothing can be learned from rows.",
        "",
        "look for a division by zero, for the log or the root of what may be negative, for exp of what may be large.",
    ),
}
