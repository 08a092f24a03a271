"""The text of actions and of the one-line parts of definitions, in canonical spacing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from . import tree
from .syntax_text import (
    event_text,
    expression_text,
    group_text,
    interval_text,
    label_text,
    names_text,
    setups_text,
    values_text,
)


def statement_text(action: tree.Action | tree.Query) -> str:
    """An action or a query definition on one line."""
    match action:
        case tree.Query(name, expression):
            return f"query {name.text} = {expression_text(expression)}"
        case tree.Identify() | tree.Estimate() | tree.Compute() | tree.Bound():
            return _question(action)
        case tree.Independent(first, second, given, model):
            condition = f" given {{{names_text(given)}}}" if given else ""
            return f"independent {first.text}, {second.text}{condition}{_in(model)}"
        case tree.Adjust(treatment, outcome, model, sources):
            return f"adjust {group_text(treatment)} -> {group_text(outcome)}{_in(model)}{_from(sources)}"
        case tree.Show(model, do, worlds):
            after = f" after {event_text(do)}" if do else ""
            twins = f" worlds {expression_text(worlds)}" if worlds else ""
            return f"show {model.text}{after}{twins}"
        case tree.Search(outcome, features, model, domains, loss, within, sources, compared):
            over = _over(domains) if domains else ""
            chosen = f"search predictor of {outcome.text} from {{{names_text(features)}}}"
            near = f" within {expression_text(within)}" if within else ""
            beside = " compare" if compared else ""
            return f"{chosen}{_in(model)}{_from(sources)}{over} minimax {loss.text}{near}{beside}"
        case tree.Canonicalise(model, domains, name):
            return f"canonicalise {model.text}{_over(domains)}{_as(name)}"
        case tree.Equivalent(first, second, domains):
            return f"equivalent {first.text}, {second.text}{_over(domains)}"
        case tree.Counterfactual(sample, model, start, end):
            return f"counterfactual {setups_text(sample)}{_in(model)} from {start.text} to {end.text}"
        case tree.Fit(model, sources, design, k, name):
            few = f" k {k.text}" if k else ""
            return f"fit {model.text}{_from(sources)} design {design.text}{few}{_as(name)}"
        case tree.Cause(cause, effect, model, context):
            what = f"cause {setups_text(cause)} of {setups_text(effect)}"
            return f"{what}{_in(model)} where {setups_text(context)}"
        case tree.Assert(model, _):
            about = f" {model.text}:" if model else ""
            return f"assert{about} {claim_text(action)}"
        case _:
            assert_never(action)


def claim_text(action: tree.Assert) -> str:
    """What an assertion claims."""
    claim = action.claim
    return statement_text(claim) if isinstance(claim, tree.Identify) else expression_text(claim)


def _question(action: tree.Identify | tree.Estimate | tree.Compute | tree.Bound) -> str:
    match action:
        case tree.Identify(query, model, sources, method, name):
            end = f"{_from(sources)}{_by(method)}{_as(name)}"
            return f"identify {expression_text(query)}{_in(model)}{end}"
        case tree.Estimate(query, model, sources, method, name, interval):
            level = f" interval {interval.text}" if interval else ""
            end = f"{_from(sources)}{_by(method)}{_as(name)}{level}"
            return f"estimate {expression_text(query)}{_in(model)}{end}"
        case tree.Compute(queries, model):
            return f"compute {', '.join(map(expression_text, queries))}{_in(model)}"
        case tree.Bound(query, model, sources, name):
            return f"bound {expression_text(query)}{_in(model)}{_from(sources)}{_as(name)}"
        case _:
            assert_never(action)


def _in(model: tree.Name | None) -> str:
    return f" in {model.text}" if model else ""


def _as(name: tree.Name | None) -> str:
    return f" as {name.text}" if name else ""


def _by(method: tree.Name | None) -> str:
    return f" by {method.text}" if method else ""


def _over(domains: Iterable[tree.Name]) -> str:
    return f" over {{{names_text(domains)}}}"


def _from(sources: tuple[tree.DistributionSource | tree.Name, ...]) -> str:
    return f" from {', '.join(map(_source, sources))}" if sources else ""


def _source(source: tree.DistributionSource | tree.Name) -> str:
    if isinstance(source, tree.Name):
        return source.text
    return f"{expression_text(source.distribution)}{_in(source.domain)}"


def declaration_head(declaration: tree.Declaration) -> str:
    """`latent A, B`: what stands before the values and the mechanism."""
    return f"{'latent ' if declaration.latent else ''}{names_text(declaration.names)}"


def item_text(item: tree.Edges | tree.Mutable) -> str:
    """`A -> {B, C}` or `mutable A`."""
    match item:
        case tree.Mutable(names):
            return f"mutable {names_text(names)}"
        case tree.Edges(groups, arrows):
            rest = zip(arrows, groups[1:], strict=True)
            return group_text(groups[0]) + "".join(f" {arrow} {group_text(group)}" for arrow, group in rest)
        case _:
            assert_never(item)


def values_clause(values: tree.Values | None) -> str:
    """`: {no, yes}`, or nothing."""
    return f": {values_text(values)}" if values else ""


def mechanism_head(mechanism: tree.Mechanism) -> str:
    """A mechanism on one line; of a table, what stands before its rows."""
    match mechanism:
        case tree.EquationMechanism(expression):
            return f":= {expression_text(expression)}"
        case tree.AnyMechanism(interval):
            return f"~ any in {interval_text(interval)}" if interval else "~ any"
        case tree.FamilyMechanism(family, arguments):
            return f"~ {family.text}({', '.join(map(expression_text, arguments))})"
        case tree.WeightsMechanism(weights):
            return f"~ {{{', '.join(f'{label_text(label)}: {expression_text(weight)}' for label, weight in weights)}}}"
        case tree.TableMechanism(parents, _) | tree.NumbersMechanism(parents, _):
            return f"~ table ({names_text(parents)})"
        case _:
            assert_never(mechanism)


def row_text(row: tree.Row) -> str:
    """`low, _ => 0.8, 0.2`."""
    cells = ", ".join(label_text(cell) if cell else "_" for cell in row.cells)
    weights = ", ".join(map(expression_text, row.weights))
    return f"{cells} => {weights}" if cells else f"=> {weights}"


def _origin(origin: tree.InlineTable | tree.FilePath | tree.Name) -> str:
    match origin:
        case tree.InlineTable():
            return ""
        case tree.FilePath(path):
            return f' from "{path}"'
        case tree.Name(text):
            return f" from {text}"


def data_head(data: tree.Data) -> str:
    """A data definition up to its rows."""
    origin = _origin(data.origin)
    weight = f" weight {data.weight.text}" if data.weight else ""
    under = f" under {event_text(data.do)}" if data.do else ""
    return f"data {data.name.text} of {data.model.text}{origin}{weight}{under}{_in(data.domain)}"
