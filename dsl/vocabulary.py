"""The words of the language, each with its form and its meaning, for completion and for editors.

The tests compare the list with the grammar, so that no word is missing and none is made up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class WordKind(Enum):
    """What a word is in the language."""

    STATEMENT = "statement"
    CLAUSE = "clause"
    OPERATOR = "operator"
    FORM = "form"
    EFFECT = "effect"
    METHOD = "method"
    LOSS = "loss"
    DESIGN = "design"
    FAMILY = "distribution"
    FUNCTION = "function"


@dataclass(frozen=True, slots=True)
class Word:
    """A word: its kind, how it is used, and what it means in one sentence."""

    name: str
    kind: WordKind
    form: str
    meaning: str


def _words(kind: WordKind, *entries: tuple[str, str, str]) -> dict[str, Word]:
    return {name: Word(name, kind, form, meaning) for name, form, meaning in entries}


STATEMENTS = _words(
    WordKind.STATEMENT,
    ("model", "model M { X -> Y }", "what causes what: variables, arrows, mechanisms as far as they are known"),
    ("domain", "domain D of M { X ~ any }", "what is otherwise elsewhere: the mechanisms in which a domain differs"),
    ("data", 'data D of M from "file.csv" [weight n]', "a table of units: a file, written rows, or a table of Python"),
    ("query", "query q = P(Y | do(X))", "a question with a name, to be asked later"),
    (
        "identify",
        "identify Q [in M] [from ..] [by METHOD]",
        "the query as a formula in what is observed, or why there is none",
    ),
    ("estimate", "estimate Q [in M] from D", "the query's number from data, by its formula"),
    ("compute", "compute Q [in M]", "the query's exact value, where every mechanism it needs is given"),
    ("bound", "bound Q [in M] [from D]", "the least and the greatest value of a query that has no formula"),
    (
        "independent",
        "independent X, Y [given {Z}] [in M]",
        "whether two variables are separated, or along which path they depend",
    ),
    ("adjust", "adjust X -> Y [in M] [from ..]", "the sets of covariates that are enough to adjust for"),
    ("show", "show M [after do(X)]", "the string diagram, before and after surgery"),
    (
        "search",
        "search predictor of Y from {A, B} [in M] [from D, E] [over {d, e}] minimax LOSS [within 0.1] [compare]",
        "the features whose prediction stays good when mechanisms change",
    ),
    ("canonicalise", "canonicalise M over {d, e} [as NAME]", "an equivalent model whose interventions come last"),
    ("equivalent", "equivalent M, N over {d, e}", "whether two models answer every domain counterfactual alike"),
    (
        "counterfactual",
        "counterfactual X = 1, Y = 2 [in M] from d to e",
        "what a sample would have been in another domain",
    ),
    (
        "fit",
        "fit M from D, E design canonical [k 2] [as NAME]",
        "a latent model of several domains, from samples of each",
    ),
    ("cause", "cause X = 1 of Y = 1 [in M] where U = 1", "whether something was an actual cause"),
    ("assert", "assert P(Y = 1) <= 0.5", "a claim that is tested"),
)
CLAUSES = _words(
    WordKind.CLAUSE,
    ("latent", "latent U", "a variable that is never observed"),
    ("mutable", "mutable X, Y", "variables whose mechanisms may differ between domains"),
    ("of", "data D of M", "the model it belongs to"),
    ("from", "from D", "what is at hand: data sets, distributions, a file"),
    ("weight", "weight n", "the column that counts the units of a row"),
    ("under", "under do(X)", "the experiment that the data come from"),
    ("in", "in M", "the model, or the domain, that is meant"),
    ("given", "given {Z}", "what is known"),
    ("after", "after do(X = x)", "the surgery to be shown"),
    ("worlds", "worlds Q", "the worlds of a counterfactual query, side by side"),
    ("predictor", "predictor of Y", "what is searched for"),
    ("over", "over {d, e}", "the domains that count"),
    ("minimax", "minimax LOSS", "least worst-case loss"),
    ("within", "within 0.1", "how far rows of mechanisms that may change can be from the given ones"),
    ("compare", "compare", "what other methods choose, beside"),
    ("as", "as NAME", "a name for what comes of it"),
    ("to", "from d to e", "the domain that is asked about"),
    ("where", "where U = 1", "what was the case"),
    ("by", "by METHOD", "the method to be used"),
    ("interval", "interval 0.95", "an interval around the number"),
    ("design", "design NAME", "how the mechanisms of the domains may differ"),
    ("k", "k 2", "how many mechanisms differ"),
)
FORMS = _words(
    WordKind.FORM,
    ("do", "do(X = x)", "X is set from outside: the arrows into it are cut"),
    ("P", "P(Y | do(X), Z)", "the probability of Y where X is set and Z is seen"),
    ("E", "E(Y | do(X))", "the expectation of Y where X is set"),
    ("table", "~ table (A, B) { a, b => p, q ; .. }", "a row of probabilities for every case of the parents"),
    ("any", "~ any", "some mechanism of the same shape, unknown"),
    ("real", "X : real", "a variable whose values are numbers"),
    ("noise", "X := Y + noise", "the variable's own noise, Normal(0, 1) unless declared"),
)
OPERATORS = _words(
    WordKind.OPERATOR,
    ("if", "if A then x else y", "one of two values"),
    ("then", "if A then x else y", "the value where the condition holds"),
    ("else", "if A then x else y", "the value where it does not"),
    ("and", "A and B", "both hold"),
    ("or", "A or B", "one of them holds, or both"),
    ("not", "not A", "it does not hold"),
    ("xor", "A xor B", "one of them holds, not both"),
)
EFFECTS = _words(
    WordKind.EFFECT,
    ("ate", "ate(X -> Y)", "average treatment effect: E(Y | do(X = 1)) - E(Y | do(X = 0))"),
    ("ett", "ett(X -> Y)", "effect of treatment on the treated"),
    ("atu", "atu(X -> Y)", "effect of treatment on the untreated"),
    ("cde", "cde(X -> Y, M = m)", "controlled direct effect: the mediators are set"),
    ("nde", "nde(X -> Y, M)", "natural direct effect: the mediators stay as they were without treatment"),
    ("nie", "nie(X -> Y, M)", "natural indirect effect: only the mediators change"),
    ("pn", "pn(X -> Y)", "probability of necessity: without X there would have been no Y"),
    ("ps", "ps(X -> Y)", "probability of sufficiency: with X there would have been Y"),
    ("pns", "pns(X -> Y)", "probability that X is necessary and sufficient for Y"),
)
METHODS = _words(
    WordKind.METHOD,
    ("observation", "by observation", "read off the observed distribution, where nothing is set"),
    ("comb", "by comb", "one comb disintegrated from the observed state"),
    ("combs", "by combs", "combs taken apart until every component is known: complete"),
    ("conditional", "by conditional", "conditions become interventions where they may, then combs"),
    ("do_calculus", "by do_calculus", "a proof by the three rules, each with its separation and graph"),
    ("backdoor", "by backdoor", "adjustment for covariates that block every back-door path"),
    ("frontdoor", "by frontdoor", "through mediators that carry the whole effect"),
    ("adjustment", "by adjustment", "adjustment for any valid set of covariates: complete for adjustment"),
)
LOSSES = _words(
    WordKind.LOSS,
    ("squared_loss", "minimax squared_loss", "the squared error"),
    ("log_loss", "minimax log_loss", "minus the logarithm of the probability that was given to what happened"),
    ("zero_one", "minimax zero_one", "1 for every wrong prediction"),
)
DESIGNS = _words(
    WordKind.DESIGN,
    ("canonical", "design canonical k 2", "at most k mechanisms differ, wherever they stand; the result has them last"),
    ("relaxed", "design relaxed k 2", "at most k mechanisms differ, and they are the last"),
    ("dense", "design dense", "every mechanism is free in each domain; no counterfactual follows"),
)
FAMILIES = _words(
    WordKind.FAMILY,
    ("Bernoulli", "~ Bernoulli(p)", "1 with probability p, else 0"),
    ("Normal", "~ Normal(mean, deviation)", "the normal distribution by mean and standard deviation"),
    ("Uniform", "~ Uniform(low, high)", "every value between two numbers alike"),
    ("Laplace", "~ Laplace(mean, scale)", "two exponential tails around a mean"),
    ("Logistic", "~ Logistic(mean, scale)", "the logistic distribution"),
    ("Exponential", "~ Exponential(rate)", "waiting times by their rate"),
)
FUNCTIONS = _words(
    WordKind.FUNCTION,
    ("exp", "exp(x)", "e to the power of x"),
    ("log", "log(x)", "the natural logarithm"),
    ("sqrt", "sqrt(x)", "the square root"),
    ("sin", "sin(x)", "the sine"),
    ("cos", "cos(x)", "the cosine"),
    ("tan", "tan(x)", "the tangent"),
    ("tanh", "tanh(x)", "the hyperbolic tangent"),
    ("sigmoid", "sigmoid(x)", "1 / (1 + exp(-x))"),
    ("abs", "abs(x)", "the size of x, without its sign"),
    ("min", "min(x, y, ..)", "the least"),
    ("max", "max(x, y, ..)", "the greatest"),
    ("floor", "floor(x)", "the next whole number below"),
    ("ceil", "ceil(x)", "the next whole number above"),
    ("round", "round(x)", "the nearest whole number"),
    ("mod", "mod(x, n)", "the rest of x divided by n"),
)
WORDS: Mapping[str, Word] = {
    **FUNCTIONS, **FAMILIES, **DESIGNS, **LOSSES, **METHODS, **EFFECTS, **OPERATORS, **FORMS, **CLAUSES, **STATEMENTS
}  # fmt: skip
