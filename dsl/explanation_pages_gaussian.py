"""Pages of the diagnostics of linear-Gaussian models."""

from __future__ import annotations

from .explanation_pages import Page

PAGES: dict[str, Page] = {
    "S450": Page(
        "an equation that is not linear",
        "Real variables are evaluated exactly where each is a sum of numbers times its parents, a number times its own "
        "noise, and a number. The message names the part that is none of these: a product of variables, a function "
        "such as exp of one, a choice that a real variable makes. Finite variables may choose between equations.",
        "",
        "write a linear equation, or give the variables finitely many values.",
    ),
    "S451": Page(
        "a distribution that is not normal",
        "Sums of normal variables are normal, and so are their conditional laws; this holds for no other family.",
        "",
        "use Normal(mean, standard deviation), or give the variable finitely many values.",
    ),
    "S452": Page(
        "a standard deviation that is no number above zero",
        "In Normal(mean, standard deviation) the second is a number or a parameter; finite variables may change it.",
        "",
        "use a number above zero; a variable without noise is written with := instead.",
    ),
    "S453": Page(
        "vectors of different lengths",
        "A vector is computed component by component: its parents have as many components as it has, or one.",
        "",
        "give both the same length, as in real[3].",
    ),
    "S454": Page(
        "no uniform law on the real numbers",
        "Surgery on a diagram may put a uniform state in the place of a mechanism. For a variable with finitely many "
        "values there is one; for a real variable there is none.",
        "",
        "set the real variable to a number.",
    ),
    "S455": Page(
        "a finite variable with a real cause",
        "Given its finite variables, a model must be linear and normal for an exact answer. A finite variable that "
        "depends on a real one cuts normal laws into pieces that are not normal. Only the mechanisms that the query "
        "needs count: one that is set by do(..) does not.",
        "",
        "set the variable in the query, or give its cause finitely many values.",
    ),
    "S456": Page(
        "observed where different planes meet",
        "In two cases of the finite variables the observed real variables are tied to one another in different ways, "
        "as Y = X in one and Y = -X in the other, and what is observed fits both. That has probability zero in either "
        "case, so it says nothing of which case it is. Likewise no one formula in X is right where X may be any number "
        "in one case and has a single value in another.",
        "",
        "observe fewer of the variables, or give them values.",
    ),
    "S457": Page(
        "a law where a number is needed",
        "P(Y) of a real variable is its law. Laws are shown, not added or compared; a vector has a law and no single "
        "expectation; a law and a density, or a probability and a density, are not one answer.",
        "",
        "ask for a number, E(Y) or P(Y = 1), or for the law alone.",
    ),
}
