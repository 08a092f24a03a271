"""Pages of the diagnostics of batches: many cases, interventions, parameter sets; and of the devices for them."""

from __future__ import annotations

from .explanation_pages import Page

PAGES: dict[str, Page] = {
    "S480": Page(
        "batches of different lengths on one axis",
        "Batches that name the same axis go together place by place, so they have the same number of places. Lists in "
        "evidence and interventions lie on the axis `case`.",
        "",
        'name another axis to combine every place of one with every place of the other: Batch("dose", [..]).',
    ),
    "S481": Page(
        "weights that are not a likelihood",
        "Soft evidence is one weight for each value of the variable, proportional to the probability of what was seen "
        "given that value: numbers of at least 0, not all of them 0.",
        "",
        "give as many weights as the variable has values, in their order.",
    ),
    "S482": Page(
        "values with the wrong number of dimensions",
        "A batch has one dimension for each axis that it names.",
        "",
        'give a list for one axis, and name several for an array of more dimensions: Batch(("case", "draw"), ..).',
    ),
    "S483": Page(
        "no such device",
        "Compiled programs run on the devices that JAX finds: cpu, gpu or tpu, one of them as cpu:0, or all.",
        "",
        "name a device of the list in the message, or leave the choice to JAX.",
    ),
    "S484": Page(
        "a directory that is not safe for compiled programs",
        "Compiled programs are kept between processes, and what lies in their directory is executed. So it must belong "
        "to the user, and nobody else may write in it.",
        "",
        "chmod 700 the directory, set SUTURE_COMPILE_CACHE to another one, or to `off`.",
    ),
    "S485": Page(
        "a parameter that is not a mechanism",
        "A mechanism given as a parameter is an array with one dimension for each parent and the last for the variable "
        "itself, of numbers of at least 0 that sum to 1 in each case of the parents.",
        "",
        "compare its shape with the message; divide counts by their sums.",
    ),
    "S486": Page(
        "an intervention or an axis that makes no sense",
        "An intervention sets a variable to a value, so none may be missing; the name of a batch axis is not that of a "
        "variable, since both name the axes of the answer.",
        "",
        "leave cases without a value out; give the axis another name.",
    ),
    "S487": Page(
        "an engine that cannot be made",
        "An engine answers for a model, on the path auto, numpy or jax.",
        "",
        "give it a suture.Model and one of these paths.",
    ),
    "S488": Page(
        "an event is needed",
        "A sensitivity is that of one number: the probability of an event, each of its variables at a value.",
        "",
        'name the values: {"Cancer": "yes"}.',
    ),
    "S489": Page(
        "weights of rows that are none",
        "The weights of a data set lie in one of its columns: a number of at least 0 for each row.",
        "",
        "name the column that holds the counts, or leave the weight out.",
    ),
    "S490": Page(
        "evidence given twice",
        "A variable is evidence at one value, or in a column of the cases, not both.",
        "",
        "leave out the option `--given`, or the column.",
    ),
}
