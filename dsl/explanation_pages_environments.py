"""Pages of the diagnostics of searches for predictors from data of several environments."""

from __future__ import annotations

from .explanation_pages import Page

PAGES: dict[str, Page] = {
    "S491": Page(
        "environments with different values",
        "A variable whose values are not declared takes them from the data, and two environments have different ones.",
        "",
        "declare the values in the model: Ward : {A, B}.",
    ),
    "S492": Page(
        "a mechanism that may change behind a hidden common cause",
        "Where a mutable variable shares a hidden cause with another, data do not tell its mechanism from what it is "
        "confounded with, so that nothing is estimated there.",
        "",
        "observe the common cause, or give the model's mechanisms and search without data.",
    ),
    "S493": Page(
        "no rows for a case that may come",
        "A stable mechanism is estimated from the rows of all environments together. One case of its causes has no "
        "rows in any of them, and a change of the mutable mechanisms could bring it about.",
        "",
        "merge values, leave the variable out, or from Python smooth the counts: smoothing=0.5.",
    ),
    "S494": Page(
        "nothing to test or to compare with",
        "Which mechanisms differ is told by comparing environments: it takes two of them, and weights that are numbers "
        "of rows. Comparing methods takes at least one domain that is spelled out, or data.",
        "",
        "name what may change, mutable X in the model, or give more environments.",
    ),
    "S495": Page(
        "the outcome's mechanism differs between the environments",
        "No mechanism was said to change, so each was tested; that of the outcome differs, and then nothing that is "
        "learned about it carries over.",
        "",
        "look for a cause of the outcome that the model lacks, or say what changes: mutable X, in the model.",
    ),
    "S496": Page(
        "no mechanism differs as far as tests tell",
        "No mechanism was said to change, so each was tested, and no test calls any changing. Where nothing changes "
        "the best predictor reads everything; where the data are few, a change may have been missed.",
        "",
        "say which may change elsewhere: mutable X, in the model.",
    ),
    "S497": Page(
        "data that a search cannot use",
        "A search takes one data set an environment, as it was observed, finite or real throughout.",
        """
model M { X, Y : {0, 1} ; Y -> X ; mutable X }
domain city of M {}
data a of M in city from "a.csv"
data b of M in city from "b.csv"
search predictor of Y from {X} in M from a, b minimax squared_loss
""",
        "put the rows of one environment into one data set, and leave experiments out.",
    ),
}
