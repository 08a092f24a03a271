"""Pages of S0xx (reading and syntax), S1xx (names) and S2xx (values and mechanisms)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """One page; `example` is a program that triggers exactly this code, empty where no program alone can."""

    title: str
    meaning: str
    example: str
    mending: str


PAGES: dict[str, Page] = {
    "S001": Page(
        "the file does not exist",
        "The path given on the command line, or named by 'model M from', leads nowhere.",
        "",
        "check the spelling; a relative path is taken from the folder the command runs in, in a program from "
        "the program's folder.",
    ),
    "S002": Page(
        "the file cannot be read",
        "The path leads to a directory, or to a file that may not be read.",
        "",
        "name a file that ends in .suture, and see that it may be read.",
    ),
    "S003": Page(
        "the file is not UTF-8 text",
        "Programs are UTF-8. The message gives the first byte that is not, its offset and its line.",
        "",
        "save the file as UTF-8 in the editor, or convert it: iconv -f latin1 -t utf-8 OLD > NEW",
    ),
    "S004": Page(
        "the program is too long",
        "A program has at most 2,000,000 characters, a network in another tool's format 50,000,000. Longer programs "
        "hold data, which has its own place.",
        "",
        'keep data in a CSV or Parquet file: data NAME of MODEL from "file.csv"',
    ),
    "S005": Page(
        "nested too deeply",
        "Brackets and expressions nest at most 100 levels deep.",
        "query q = " + "(" * 101 + "1" + ")" * 101,
        "give an inner part a name with a query of its own, or leave out superfluous brackets.",
    ),
    "S007": Page(
        "the text is not a formula",
        "A formula is read back from its text, as `sum{z} P(Y | X, Z=z) P(Z=z)`, and this text is none.",
        "",
        "compare it with a formula that suture prints.",
    ),
    "S009": Page(
        "the output format is not known",
        "A picture's format follows from the name of the file it is written to.",
        "",
        "name the file after one of the formats in the message.",
    ),
    "S010": Page(
        "something else was expected here",
        "The text stops being a program at the marked place. The label says what could have followed.",
        "query q = P(Y | )",
        "write one of the things the label names, or look at the line for a missing comma or operator.",
    ),
    "S011": Page(
        "no statement starts like this",
        "Every line of a program outside braces starts with the keyword of a statement.",
        "qurey q = 1",
        "correct the keyword; arrows stand inside model NAME { .. }.",
    ),
    "S012": Page(
        "a bracket is not closed",
        "A statement ended, or another began, before a bracket was closed. Both places are marked.",
        "model M { X -> Y\nquery q = P(Y)",
        "close the bracket before the marked place.",
    ),
    "S013": Page(
        "a bracket closes nothing",
        "A closing bracket has no opening one before it.",
        "model M { X -> Y }}",
        "leave it out, or open the bracket it belongs to.",
    ),
    "S014": Page(
        "a character that the language does not know",
        "The marked character has no meaning here. Quotes around text are double quotes.",
        "query q = P(Y | X = 'a')",
        "replace it; a value that is not a plain name or number stands in double quotes.",
    ),
    "S015": Page(
        "quoted text is not closed",
        "A double quote opens a text that must be closed on the same line.",
        'data d of M from "survey.csv\nmodel M { X -> Y }',
        "add the closing quote.",
    ),
    "S016": Page(
        "a keyword cannot be a name",
        "Words of the language, such as `weight` or `in`, are reserved.",
        "model M { weight -> Y }",
        "choose another name; a value may be written in double quotes.",
    ),
    "S017": Page(
        "a number that cannot be read",
        "Numbers have at most 400 digits and exponents; counts are whole; a fraction needs a denominator above zero.",
        "query q = 1e999999",
        "write a smaller or simpler number.",
    ),
    "S018": Page(
        "a clause is written twice",
        "A data set has one weight, one experiment and one domain.",
        'model M { X -> Y }\ndata d of M from "x.csv" weight n weight k',
        "leave one of them out.",
    ),
    "S019": Page(
        "the text is not one model",
        "Where a model is read from text, the text is arrows, or one model with its name. A model that lies in a file "
        "of its own belongs in a program, which has a folder.",
        "",
        "write X -> Y ; X <-> Y, or model M { X -> Y }.",
    ),
    "S025": Page(
        "files are not read here",
        "The server of an agent's tools reads no files, or only those inside the one folder that it was started with.",
        "",
        "pass the data as columns, write the model out, or start the server with `suture mcp --folder DIR`.",
    ),
    "S101": Page(
        "a name is defined twice",
        "Models, data sets, queries and named answers share their names; so do the variables of one model.",
        "model M { X -> Y }\nquery q = P(X)\nquery q = P(Y)",
        "rename one of them.",
    ),
    "S102": Page(
        "unknown model",
        "No model of the program has this name.",
        "model Smoking { X -> Y }\nshow Smokng",
        "correct the name, or define the model.",
    ),
    "S103": Page(
        "unknown domain",
        "No domain of this model has this name.",
        "model M { X -> Y }\ndomain city of M {}\nquery q = P(Y | domain = cty)",
        "correct the name, or define it: domain NAME of MODEL { .. }.",
    ),
    "S104": Page(
        "unknown variable",
        "A model that declares its variables knows no others, so that a typing slip never makes a new one.",
        "model M { X, Y : {no, yes} ; X -> Y }\nquery q = P(Yy | do(X))",
        "correct the name, or declare the variable in the model.",
    ),
    "S105": Page(
        "unknown query",
        "A bare name in a question stands for a query of the program, and there is none of this name.",
        "model M { X -> Y }\nquery effect = P(Y | do(X))\nidentify efect",
        "correct the name, or define it: query NAME = P(..).",
    ),
    "S106": Page(
        "unknown data set",
        "No data set of the program has this name.",
        'model M { X -> Y }\ndata survey of M from "x.csv"\nestimate P(Y) from servey',
        "correct the name, or define it: data NAME of MODEL from .. .",
    ),
    "S107": Page(
        "unknown method or loss",
        "The word after `by` names a method, the word after `minimax` a loss.",
        "model M { X -> Y }\nidentify P(Y | do(X)) by combz",
        "use one of the words in the message, or leave the method to suture.",
    ),
    "S108": Page(
        "several models, and none is named",
        "`in MODEL` may be left out only where the program has one model.",
        "model M { X -> Y }\nmodel N { X -> Y }\nidentify P(Y | do(X))",
        "add `in` and the model's name.",
    ),
    "S109": Page(
        "the program has no model",
        "Questions are asked of a model.",
        "query q = P(Y)",
        "write one: model M { X -> Y }.",
    ),
    "S110": Page(
        "a made model where a written one is needed",
        "A model that `canonicalise` makes can be used by `equivalent` and `counterfactual` only.",
        "model M { X -> Y }\ndomain d of M {}\ncanonicalise M over {d} as Last\nshow Last",
        "use the model it was made from, or the program that canonicalise prints.",
    ),
    "S111": Page(
        "unknown distribution or function",
        "The message lists the distributions, or the functions of equations.",
        "model M { X : real ~ Nrmal(0, 1) }",
        "use one of those, a table, or {label: probability, ..}.",
    ),
    "S201": Page(
        "unknown value",
        "A variable with declared values has no others.",
        "model M { X, Y : {no, yes} ; X -> Y }\nquery q = P(Y = ys)",
        "correct the value, or declare it in the model.",
    ),
    "S202": Page(
        "probabilities do not sum to 1",
        "The probabilities of one row are those of all values of the variable; their exact sum must be 1.",
        "model M { X : {a, b} ~ {a: 0.6, b: 0.5} }",
        "correct the row; thirds are written 1/3, not 0.333.",
    ),
    "S203": Page(
        "cases without a row",
        "A table must say what happens in every case of its parents, a distribution give every value.",
        "model M { X, Y : {a, b} ; Z : {c, d} ~ table (X, Y) { a, _ => 1, 0 } }",
        "add rows for the cases in the message; `_` stands for any value.",
    ),
    "S204": Page(
        "the causes form a cycle",
        "A string diagram has no feedback: no variable may cause itself by way of others.",
        "model M { A -> B -> C -> A }",
        "turn or drop one of the arrows; feedback over time needs one variable a moment.",
    ),
    "S205": Page(
        "a variable is its own cause",
        "An arrow or a mechanism leads from a variable to itself.",
        "model M { X -> X }",
        "leave the arrow out, or name the earlier value as a variable of its own.",
    ),
    "S206": Page(
        "a row of the wrong length",
        "Before `=>` a row has a label for each parent, after it a probability for each value.",
        "model M { X : {a, b} ~ table () { => 0.5 } }",
        "add what is missing; the message says how many there are of what.",
    ),
    "S207": Page(
        "not a probability, or not a scale",
        "Probabilities lie between 0 and 1; a standard deviation lies above 0.",
        "model M { X : {0, 1} ~ Bernoulli(1.2) }",
        "correct the number.",
    ),
    "S208": Page(
        "an equation leaves the values of its variable",
        "The equation of a finite variable was computed in every case of its parents, and once gave something else.",
        "model M { X : {0, 1} ; Y : {0, 1} := X + 1 }",
        "mend the equation, or declare the value; the message gives the case.",
    ),
    "S209": Page(
        "values that make no set",
        "Values are listed once each; a range runs upwards and has at most 10,000 values.",
        "model M { X : {a, b, a} }",
        "leave out the repeated value, or turn the range.",
    ),
    "S210": Page(
        "a mechanism that does not fit its variable",
        "Tables are for finitely many values, Bernoulli for two, Normal for real ones.",
        "model M { X : {a, b, c} ~ Bernoulli(0.5) }",
        "change the mechanism or the values.",
    ),
    "S211": Page(
        "arrows and mechanism disagree",
        "The parents of a variable are read off its mechanism; an arrow may repeat one, not add one. In a domain a "
        "mechanism reads no more than in the model.",
        "model M { X, Y : {0, 1} ; Z : {0, 1} := X ; Y -> Z }",
        "leave the arrow out, or use the parent in the mechanism.",
    ),
    "S212": Page(
        "a mechanism is given twice",
        "A domain replaces each mechanism at most once.",
        "model M { X : {0, 1} }\ndomain d of M { X ~ any ; X ~ Bernoulli(0.5) }",
        "leave one of them out.",
    ),
    "S213": Page(
        "a row is never read",
        "Rows are read from the top, and the rows above this one match all of its cases.",
        "model M { X : {0, 1} ; Y : {a, b} ~ table (X) { _ => 0.5, 0.5 ; 0 => 0.1, 0.9 } }",
        "put the special row above the general one, or leave it out.",
    ),
    "S214": Page(
        "computing with what is not a number or truth value",
        "Labels such as `yes` can be compared; only numbers can be added, only 0 and 1 joined by and, or, not.",
        "model M { X : {no, yes} ; Y : {0, 1} := X + 1 }",
        "compare the label: X == yes.",
    ),
    "S215": Page(
        "a mechanism that may not differ between domains",
        "Where a model marks mechanisms as mutable, domains replace only those.",
        "model M { X, Y : {0, 1} ; mutable X }\ndomain d of M { Y ~ any }",
        "mark the variable as mutable too, or replace another one.",
    ),
    "S216": Page(
        "division by zero",
        "An expression divides by a number that is zero, in some case at least.",
        "model M { X -> Y }\nquery q = P(Y) / 0",
        "guard it: if X == 0 then .. else .. / X.",
    ),
    "S217": Page(
        "a probability that depends on a variable",
        "The probabilities of a row are numbers and parameters; what they depend on stands before `=>`.",
        "model M { X : {0, 1} ; Y : {0, 1} ~ table () { => X, 1 - X } }",
        "make the variable a parent of the table, or use Bernoulli(..).",
    ),
    "S218": Page(
        "something that a mechanism cannot hold",
        "Mechanisms are made of parents, values, numbers and functions; `noise` belongs to equations.",
        "model M { X : {0, 1} ~ Bernoulli(noise) }",
        "write an equation with `:=`, or leave it out.",
    ),
}
