"""What the arguments of agents' tools look like, as JSON Schema with descriptions and examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Schema = dict[str, Any]


def text_of(description: str, among: Sequence[str] = (), examples: Sequence[str] = ()) -> Schema:
    """A text; one of `among` where some are given."""
    found: Schema = {"type": "string", "description": description}
    if among:
        return {**found, "enum": list(among)}
    return {**found, "minLength": 1, **({"examples": list(examples)} if examples else {})}


def listed(description: str, example: Sequence[str], least: int = 1) -> Schema:
    """A list of names."""
    items = {"type": "string", "minLength": 1}
    return {"type": "array", "items": items, "minItems": least, "description": description, "examples": [list(example)]}


def schema_of(
    properties: Mapping[str, Schema], required: Sequence[str], more: Mapping[str, Any] | None = None
) -> Schema:
    """The schema of a tool's arguments: no others are taken."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
        **(more or {}),
    }


MODEL = text_of(
    "The model: arrows alone (X -> Y, X <-> Y for a hidden common cause, {A, B} -> C), with declarations of values and "
    "mechanisms where the question needs them; or a program of models and domains.",
    examples=[
        "X -> M -> Y ; X <-> Y",
        "latent U ; X, Y : {0, 1} ; U -> {X, Y} ; X -> Y",
        "X : {0, 1} ~ Bernoulli(1/4) ; Y : {0, 1} ~ table (X) { 0 => 0.9, 0.1 ; 1 => 0.5, 0.5 }",
        "model M { Z := noise ; X := Z }\ndomain old of M {}\ndomain new of M { Z := 2*noise }",
    ],
)
QUERY = text_of(
    "The query. With values it is a number, with bare names a function of them; square brackets are worlds.",
    examples=["P(Y | do(X))", "P(Y = 1 | do(X = 1), Z = 0)", "ate(X -> Y)", "P(Y[X = 1] = 1 | X = 0, Y = 0)"],
)
IN_MODEL = text_of("Which model of the program is asked about, where there are several.", examples=["M"])
SOURCES: Schema = {
    "type": "array",
    "items": {"type": "string", "minLength": 1},
    "description": "The distributions at hand, where it is not the observed one of all variables.",
    "examples": [["P(X, Y, Z)", "P(X, Y | do(Z))"], ["P(X, Y, Z | S = 1)", "P(Z)"], ["P(X, Y | do(Z)) in rural"]],
}
CELL = {"type": ["string", "number", "boolean", "null"]}
DATA: Schema = {
    "type": "object",
    "properties": {
        "columns": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": CELL, "minItems": 1},
            "minProperties": 1,
            "description": "The columns by the names of variables, of one length; values as the model has them.",
        },
        "weight": text_of("The column that says how often each row occurs.", examples=["n"]),
    },
    "required": ["columns"],
    "additionalProperties": False,
    "description": "A table: a row a unit, or a row a kind of unit with its count.",
    "examples": [{"columns": {"X": [0, 0, 1, 1], "Y": [0, 1, 0, 1], "n": [40, 10, 15, 35]}, "weight": "n"}],
}
SAMPLE: Schema = {
    "type": "object",
    "additionalProperties": {"type": ["number", "string"]},
    "minProperties": 1,
    "description": "What was seen: a value for each observed variable; a text such as '1/3' is an exact number.",
    "examples": [{"X1": 1, "X2": "1/3"}],
}
SECONDS: Schema = {
    "type": "number",
    "exclusiveMinimum": 0,
    "description": "Stop after so many seconds; never more than the server allows.",
    "examples": [10],
}

# The keys of an answer, for those who plan with them; the whole schema is the resource `suture://answers.schema.json`.
ANSWER: Schema = {
    "type": "object",
    "properties": {
        "statement": {"type": "string"},
        "query": {"type": ["string", "null"]},
        "status": {
            "enum": ["identified", "not_identified", "undecided", "value", "bounds", "holds", "fails", "error"],
        },
        "estimand": {
            "type": ["object", "null"],
            "properties": {"text": {"type": "string"}, "latex": {"type": "string"}},
        },
        "method": {"type": ["string", "null"]},
        "derivation": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "rule": {"type": "string"},
                    "source": {"type": "string"},
                    "before": {"type": "string"},
                    "after": {"type": "string"},
                    "because": {"type": "array", "items": {"type": "string"}},
                },
            },
        },
        "check": {"type": ["object", "null"], "description": "Random models evaluated, the largest error over them."},
        "requires": {"type": "array", "items": {"type": "string"}},
        "witness": {"type": ["object", "null"]},
        "value": {"description": "A number, or an object of variables and rows, or what the statement's kind says."},
        "exact": {"description": "The value in exact rationals or closed form, as text."},
        "bounds": {"type": ["array", "null"], "items": {"type": "number"}},
        "reason": {"type": ["string", "null"]},
        "notes": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["statement", "status", "derivation", "check", "witness", "value"],
}
ANSWERS: Schema = {
    "type": "object",
    "properties": {"answers": {"type": "array", "items": ANSWER}},
    "required": ["answers"],
}
