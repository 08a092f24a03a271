"""Pages of the diagnostics of latent models of several domains."""

from __future__ import annotations

from .explanation_pages import Page

PAGES: dict[str, Page] = {
    "S460": Page(
        "no latent model of several domains",
        "Domain counterfactuals are asked of models in which each variable is a function of others and of noise of its "
        "own, which domains share, and in which all domains see latents through the same equations. The message names "
        "the mechanism that is missing, is random without a noise, or differs where it must not.",
        "",
        "write the mechanism as an equation; let domains differ in the equations of latent variables.",
    ),
    "S461": Page(
        "a mechanism that cannot be inverted",
        "What a sample would have been elsewhere is told by recovering its noise: each mechanism must be one to one in "
        "its noise, whatever else it reads, and what is observed must tell all latents apart. The message names the "
        "mechanism, with two noises or states that it confuses.",
        "",
        "let the mechanism rise, or fall, all along with its noise; for finite values, take each value once.",
    ),
    "S463": Page(
        "no domain is named",
        "Canonical forms and equivalence compare a model between domains, and the braces after 'over' are empty.",
        "model M { X -> Y }\ndomain d of M {}\ncanonicalise M over {}",
        "name the domains: over {d0, d1}.",
    ),
    "S464": Page(
        "a sample from which no noise can be recovered",
        "The noise behind a sample is recovered from all that is observed; a sample that leaves some of it out, "
        "or that no noise gives, does not tell it.",
        "model M { X, Y : real ; X -> Y }\ndomain d of M {}\ncounterfactual X = 1 in M from d to d",
        "give a value to every observed variable; use values that can occur in that domain.",
    ),
    "S465": Page(
        "no canonical form from this domain",
        "The canonical form undoes the mechanisms of the first domain named. One of them has no inverse that the "
        "language can write, or does not reach every value that the variable takes in another domain.",
        "",
        "name another domain first.",
    ),
    "S466": Page(
        "samples that no latent model can be fitted to",
        "A fit compares two domains or more. Each must have numbers only, the same variables, enough samples, and no "
        "variable that is a linear function of the others. The message names the domain and the row or the count.",
        'model M { X, Y : real }\ndata a of M from "a.csv"\nfit M from a design canonical',
        "leave out what is missing or tells nothing new; give more samples.",
    ),
    "S467": Page(
        "a fit that is asked for in a way that there is none",
        "The designs are canonical, relaxed and dense; k, the number of mechanisms that differ, lies between 0 and the "
        "number of latents, which is that of observed variables, and belongs to the first two designs.",
        'model M { X, Y : real }\ndata a of M from "a.csv"\ndata b of M from "b.csv"\nfit M from a, b design dense k 1',
        "take one of the designs and a k in range, or leave k out: then it is chosen by BIC.",
    ),
}
