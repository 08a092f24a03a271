"""Pages of S3xx (data), S4xx (queries and evaluation), S5xx (not built yet) and S6xx (budgets, dependencies)."""

from __future__ import annotations

from .explanation_pages import Page

SMALL = "model M { X, Y : {no, yes} ; X -> Y }\n"
DATA = "data d of M { X, Y ; no, yes }\n"

PAGES: dict[str, Page] = {
    "S301": Page(
        "a column that the model does not have",
        "Columns are observed variables of the model, and the column of weights.",
        SMALL + "data d of M { X, Z ; no, yes }",
        "correct the name, declare the variable, or name the weights: data d of M weight n { .. }.",
    ),
    "S302": Page(
        "a value that was never declared",
        "A cell holds something that is not among the values of its variable.",
        SMALL + "data d of M { X, Y ; no, maybe }",
        "correct the cell, or declare the value in the model.",
    ),
    "S303": Page(
        "no column of weights",
        "The name after `weight` is none of the columns.",
        SMALL + "data d of M weight n { X, Y ; no, yes }",
        "add the column, or leave `weight` out where every row is one unit.",
    ),
    "S304": Page(
        "a weight that is no weight",
        "Weights are numbers, zero or above.",
        SMALL + "data d of M weight n { X, Y, n ; no, yes, -3 }",
        "correct the cell.",
    ),
    "S305": Page(
        "a row with too many or too few cells",
        "Every row has one cell for each column of the first row.",
        SMALL + "data d of M { X, Y ; no }",
        "add or remove cells; rows end at the line's end or at `;`.",
    ),
    "S306": Page(
        "an empty table",
        "A table has a first row that names the columns, and at least one more.",
        SMALL + "data d of M { X, Y }",
        "add rows.",
    ),
    "S307": Page(
        "a column twice",
        "Every column has its own name.",
        SMALL + "data d of M { X, X ; no, yes }",
        "rename or remove one.",
    ),
    "S401": Page(
        "a latent variable where data are needed",
        "Latent variables are never seen, so what depends on them by name cannot be learnt from data.",
        "model M { latent U : {0, 1} ; X : {0, 1} ; U -> X }\nidentify P(U)",
        "ask about observed variables; `compute` answers where every mechanism is given.",
    ),
    "S402": Page(
        "a variable in two roles",
        "Within one world a variable is asked for, given, or set, and only once.",
        SMALL + "query q = P(Y | do(Y = yes))",
        "leave one of them out; for another world use brackets: Y[X = 1].",
    ),
    "S404": Page(
        "an expectation of what is not a number",
        "E(..) needs numeric values.",
        SMALL + "query q = E(Y | do(X))",
        "ask for a probability, P(Y = yes | do(X)), or declare numbers as values.",
    ),
    "S405": Page(
        "an effect that does not say what is compared",
        "A named effect compares two values of its treatment; pn, ps, pns need an event, cde values of mediators.",
        "model M { Dose : 0..2 ; Y : {0, 1} ; Dose -> Y }\nquery q = ate(Dose -> Y)",
        "write the levels, ate(Dose: 0 -> 2, Y), or what the message asks for.",
    ),
    "S406": Page(
        "not part of a query",
        "A query is arithmetic over P(..), E(..), named effects and other queries.",
        SMALL + "identify Y",
        "write P(Y) or E(Y).",
    ),
    "S407": Page(
        "data of another model",
        "A data set belongs to the model it was defined for.",
        SMALL + DATA + "model N { X, Y : {no, yes} }\nestimate P(Y) in N from d",
        "use data of this model, or ask the other model.",
    ),
    "S408": Page(
        "a query refers to itself",
        "Names of queries stand for what they are defined as, which cannot go round in a circle.",
        SMALL + "query q = 1 - q",
        "break the circle.",
    ),
    "S410": Page(
        "a world that cannot be",
        "In brackets a variable takes a value, or its own value in another world; do(..) sets variables of this one.",
        SMALL + "query q = P(Y[X = Y[X = no]])",
        "write X = X[..], or name a value.",
    ),
    "S411": Page(
        "do(..) in the wrong place",
        "Interventions stand after the bar.",
        SMALL + "query q = P(Y, do(X))",
        "write P(Y | do(X)).",
    ),
    "S412": Page(
        "a probability of two sources",
        "P[source](..) and `domain = ..` both say where a probability is taken; one of them can.",
        SMALL + "domain a of M {}\ndomain b of M {}\nquery q = P(Y | domain = a, domain = b)",
        "leave one of them out.",
    ),
    "S413": Page(
        "a comparison of what is not a number",
        "A query with bare names is a function of them; a comparison needs a number.",
        SMALL + "assert P(Y) <= 1",
        "give every variable a value.",
    ),
    "S414": Page(
        "an assertion that claims nothing",
        "An assertion compares queries, or says that one is identified.",
        SMALL + "assert P(Y = yes)",
        "write assert Q > 0, or assert identify Q.",
    ),
    "S415": Page(
        "a level outside 0 and 1",
        "The level of an interval is a probability.",
        SMALL + DATA + "estimate P(Y) from d interval 95",
        "write interval 0.95.",
    ),
    "S416": Page(
        "an estimate without data",
        "An estimate is made from a data set.",
        SMALL + DATA + "estimate P(Y)",
        "add `from` and the name of a data set.",
    ),
    "S308": Page(
        "a variable has no column",
        "The data lack a column for a variable that the answer needs.",
        "",
        "correct the column's name in the file or in the model; names are compared letter by letter.",
    ),
    "S309": Page(
        "missing values",
        "Some cells are empty. Leaving their rows out in silence would change the answer, so that is not done.",
        "",
        "fill them in or remove the rows; a weight of 0 leaves a row out.",
    ),
    "S310": Page(
        "the data file does not exist",
        "The path after `from` leads nowhere; a relative path is taken from the program's folder.",
        "",
        "correct the path.",
    ),
    "S311": Page(
        "the data file cannot be read",
        "The path leads to a directory, or to a file that may not be read.",
        "",
        "name a CSV or Parquet file that may be read.",
    ),
    "S312": Page(
        "the data file is broken",
        "The file is cut off in the middle, not UTF-8, or no table at all; the message says which and where.",
        "",
        "fetch or write the file again.",
    ),
    "S313": Page(
        "numbers where a few values are meant",
        "A column of a variable without declared values holds too many different ones to be its values.",
        "",
        "group the values first, or declare them in the model.",
    ),
    "S314": Page(
        "not a table",
        "Data given to the library are a dict of columns, a data frame or an Arrow table.",
        "",
        "convert them; the message says what was given.",
    ),
    "S315": Page(
        "no table of Python of that name",
        "`data NAME of MODEL from NAME` takes a table of Python, and none was handed over under that name.",
        "",
        "in a notebook make the table before the cell runs; from Python hand it over, "
        '`suture.run(program, frames={"frame": frame})`; the path of a file stands in double quotes.',
    ),
    "S316": Page(
        "the data lack a variable that the query asks about",
        "The query names a variable for which the data set has no column.",
        "",
        "estimate from data that measure it.",
    ),
    "S432": Page(
        "an assertion does not hold",
        "In a notebook a cell whose assertion does not hold fails, so that running all cells stops there.",
        "",
        "look at the numbers that it compared; where the claim was wrong, change it.",
    ),
    "S610": Page(
        "unknown parameter",
        "A parameter is a lower-case name in a probability of the model, such as p in Bernoulli(p).",
        "",
        "name one of the model's parameters.",
    ),
    "S611": Page(
        "a question that cannot be explored",
        "The widget asks for one distribution, P(Y | do(X), Z): its variables are what a click on the picture sets, "
        "observes or frees. Arithmetic, counterfactual worlds and expectations have no such picture.",
        "",
        "explore one probability of observed variables, and compute the rest with a statement.",
    ),
    "S417": Page(
        "no sample to adjust in",
        "Covariates are adjusted for in one sample, which measures treatments, outcomes and covariates together. Other "
        "sources may say how covariates are distributed among everyone.",
        "",
        "name one distribution of treatment and outcome: adjust X -> Y from P(X, Y, Z | S = 1), P(Z).",
    ),
    "S420": Page(
        "a value that occurs nowhere",
        "When the query is evaluated, the named value is among neither the declared values nor those of the data.",
        "",
        "use one of the values in the message.",
    ),
    "S421": Page(
        "several worlds, and a mechanism that is not a function",
        "What a unit would do in another world is only defined by functions: a table says how often, not for whom.",
        "",
        "write the mechanism with `:=` and put its randomness into a latent variable.",
    ),
    "S422": Page(
        "a world that the data do not hold",
        "Observed data answer no do(..) and no brackets; data of an experiment answer only the do(..) that was set.",
        "",
        "identify the query first: estimate does so; or use data of an experiment that set these variables.",
    ),
    "S423": Page(
        "no such distribution",
        "The query names a source, P[source](..) or domain = source, that is not there to evaluate it.",
        "",
        "use a source in the message, or leave it out.",
    ),
    "S424": Page(
        "a condition that never happens",
        "The query conditions on an event of probability zero, so there is nothing to answer. A real variable may be "
        "observed at any number, unless what else is observed determines it: then at that value alone.",
        "",
        "ask for values that occur together, or give the model more support.",
    ),
    "S425": Page(
        "an expectation of labels",
        "Values found in the data are not numbers, and E(..) needs numbers.",
        "",
        "ask for a probability: P(Y = yes).",
    ),
    "S426": Page(
        "a real variable where finitely many values are needed",
        "This evaluation sums over values, which real variables have too many of. `compute` answers queries about real "
        "variables where the model is linear with normal noise; estimating from data needs finite ones.",
        "",
        "ask for an expectation or a law with `compute`, or give the variable finitely many values, such as 0..4.",
    ),
    "S427": Page(
        "values are missing",
        "A variable without declared values can be reasoned about and drawn, not computed with.",
        "",
        "declare its values in the model.",
    ),
    "S428": Page(
        "a mechanism is missing",
        "`compute` needs every mechanism that the answer depends on.",
        "",
        "write the mechanism, or estimate from data.",
    ),
    "S429": Page(
        "an equation that is not a function of its parents",
        "The equation uses noise or a parameter where a value for every case is needed.",
        "",
        "put the randomness into a latent variable of its own.",
    ),
    "S430": Page(
        "an assertion about a table",
        "The answer has a value for every case, and an assertion compares single numbers.",
        "",
        "give every variable in it a value.",
    ),
    "S431": Page(
        "a value that the experiment never set",
        "The data come from an experiment at one value, and the query asks about another.",
        "",
        "ask for the value that was set, or use other data.",
    ),
    "S501": Page(
        "read and checked, but not built yet",
        "The statement is part of the language and all its names are right; the algorithm that answers it is to come.",
        "",
        "leave it: the rest of the program is answered. `suture doctor` shows the version.",
    ),
    "S601": Page(
        "pictures need pygraphviz",
        "Diagrams are laid out by Graphviz, through pygraphviz, which cannot be loaded here.",
        "",
        "pip install pygraphviz; where a system library is missing, apt install graphviz.",
    ),
    "S602": Page(
        "Graphviz could not lay out the picture",
        "Graphviz ran and failed; the message gives its words.",
        "",
        "see that Graphviz works: dot -V. A smaller diagram may succeed.",
    ),
    "S603": Page(
        "beyond the budget",
        "The evaluation would need more memory, work or time than allowed and was not started, or it took longer than "
        "allowed and was stopped; the message gives the estimate and the budget.",
        "",
        "ask for fewer variables at once, fix some of them at a value, or allow more with `--memory 8G` and "
        "`--time 1h`; `suture plan FILE QUERY` tells what a query costs without computing it.",
    ),
    "S604": Page(
        "reading data files needs DuckDB",
        "CSV and Parquet files are read by DuckDB, which is not installed.",
        "",
        "pip install duckdb.",
    ),
    "S605": Page(
        "a package for this is not installed",
        "PNG pictures, data frames and the like need a package that is loaded only then; the message names it.",
        "",
        "install the package in the message.",
    ),
}
