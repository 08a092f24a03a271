"""Actions: identify, estimate, compute, assert and the rest, with every name they mention checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from . import tree
from .diagnostics import did_you_mean, one_of
from .formula import Kernel, free_variables, variables
from .methods import DESIGNS, LOSSES, METHODS
from .program import (
    Adjust,
    Assert,
    Boolean,
    Bound,
    Canonicalise,
    Comparison,
    Compute,
    Condition,
    Counterfactual,
    Data,
    Equivalent,
    Estimate,
    Fit,
    Frame,
    Identify,
    Independent,
    Model,
    Pending,
    Query,
    Real,
    Search,
    Show,
    Statement,
)
from .resolve_queries import QueryResolver
from .resolve_search import search_statement
from .scope import Scope, count
from .source import Span
from .statement_text import claim_text, statement_text
from .syntax_text import expression_text


class StatementResolver:
    """Actions of one program, once its definitions are known."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def resolve(self, action: tree.Action) -> Statement | None:
        """The checked action, or None with its problems noted."""
        before = len(self.scope.problems)
        made = self._resolve(action)
        return made if len(self.scope.problems) == before else None

    def _resolve(self, action: tree.Action) -> Statement | None:
        match action:
            case tree.Identify():
                return self._identify(action)
            case tree.Estimate():
                return self._estimate(action)
            case tree.Compute():
                return self._compute(action)
            case tree.Independent():
                return self._independent(action)
            case tree.Show():
                return self._show(action)
            case tree.Assert():
                return self._assert(action)
            case tree.Bound():
                return self._bound(action)
            case tree.Adjust():
                return self._adjust(action)
            case tree.Search():
                return self._search(action)
            case tree.Canonicalise():
                return self._canonicalise(action)
            case tree.Equivalent():
                return self._equivalent(action)
            case tree.Counterfactual():
                return self._counterfactual(action)
            case tree.Fit():
                return self._fit(action)
            case tree.Cause():
                return self._cause(action)
            case _:
                assert_never(action)

    # -- models

    def model(self, name: tree.Name | None, place: Span) -> Model | None:
        """The model a statement is about: the one it names, or the only one there is (S102, S108, S109)."""
        if name is not None:
            return self.scope.model_named(name)
        models = self.scope.names_of("model")
        if len(models) > 1:
            # Of a program in cells, the only model of the cell is meant.
            beside = [each for each in models if self.scope.kinds[each][1].source is place.source]
            models = beside if len(beside) == 1 else models
        if len(models) > 1:
            help = f"add 'in NAME'; there is {one_of(models)}"
            self.scope.report("S108", "there are several models, and this does not say which", place, "", help)
        elif not models:
            help = "write one: model M { X -> Y }"
            self.scope.report("S109", "there is no model in this program", place, "needs one", help)
        return self.scope.models.get(models[0]) if len(models) == 1 else None

    # -- queries

    def _identify(self, action: tree.Identify) -> Identify | None:
        model = self.model(action.model, action.span)
        self._method(action.method)
        if model is None:
            return None
        query = QueryResolver(self.scope, model).query(action.query)
        sources = self._sources(action.sources, model)
        if query is None or sources is None:
            return None
        self._observed(query, model)
        name = action.name.text if action.name else None
        method = action.method.text if action.method else None
        return Identify(query, sources, method, name, action.span)

    def _estimate(self, action: tree.Estimate) -> Estimate | None:
        model = self.model(action.model, action.span)
        self._method(action.method)
        interval = float(action.interval.value) if action.interval else None
        if interval is not None and action.interval and not 0 < interval < 1:
            text = f"{action.interval.text} is not between 0 and 1"
            self.scope.report("S415", text, action.interval.span, "the interval's level", "write: interval 0.95")
        if model is None:
            return None
        query = QueryResolver(self.scope, model).query(action.query)
        if not action.sources:
            self._no_source(action, model)
        sources = [self._data(name, model) for name in action.sources]
        if query is None or None in sources:
            return None
        self._observed(query, model)
        names = tuple(source for source in sources if source)
        name = action.name.text if action.name else None
        method = action.method.text if action.method else None
        return Estimate(query, names, method, name, interval, action.span)

    def _no_source(self, action: tree.Estimate, model: Model) -> None:
        known = [data.name for data in self.scope.data.values() if data.model == model.name]
        if known or not self.scope.broken:
            help = f"add: from {known[0]}" if known else 'define data: data survey of M from "survey.csv"'
            self.scope.report("S416", "an estimate needs data", action.span, "no 'from' here", help)

    def _compute(self, action: tree.Compute) -> Compute | None:
        model = self.model(action.model, action.span)
        if model is None:
            return None
        queries = [QueryResolver(self.scope, model).query(query) for query in action.queries]
        return Compute(tuple(query for query in queries if query), action.span)

    def _bound(self, action: tree.Bound) -> Bound | None:
        model = self.model(action.model, action.span)
        if model is None:
            return None
        query = QueryResolver(self.scope, model).query(action.query)
        sources = self._sources(action.sources, model)
        if query is None or sources is None:
            return None
        self._observed(query, model)
        return Bound(query, sources, action.name.text if action.name else None, action.span)

    def _method(self, method: tree.Name | None) -> None:
        if method is not None and method.text not in METHODS:
            help = did_you_mean(method.text, METHODS) or f"there is {', '.join(METHODS)}"
            self.scope.report("S107", f"unknown method '{method.text}'", method.span, "not known", help)

    def _observed(self, query: Query, model: Model) -> None:
        """Latent variables cannot be asked for from data (S401)."""
        latent = sorted(variables(query.formula) & set(model.latent))
        if latent and query.span:
            text = f"{one_of(latent)} is latent in model {model.name}, and no data tell its distribution"
            help = "'compute' can answer it where every mechanism is given"
            self.scope.report("S401", text, query.span, "asks for a latent variable", help)

    def _sources(
        self, sources: Sequence[tree.DistributionSource | tree.Name], model: Model
    ) -> tuple[Kernel | str, ...] | None:
        found: list[Kernel | str] = []
        for source in sources:
            made = self._data(source, model) if isinstance(source, tree.Name) else self._distribution(source, model)
            if made is not None:
                found.append(made)
        return tuple(found) if len(found) == len(sources) else None

    def _distribution(self, source: tree.DistributionSource, model: Model) -> Kernel | None:
        query = QueryResolver(self.scope, model).query(source.distribution)
        if query is None:
            return None
        self._observed(query, model)
        domain = source.domain and self.scope.domain_named(source.domain, model.name)
        if source.domain and not domain:
            return None
        kernel = query.formula
        assert isinstance(kernel, Kernel)
        return Kernel(kernel.outcomes, kernel.given, kernel.do, domain.name if domain else kernel.source)

    def _data(self, name: tree.Name, model: Model) -> str | None:
        data = self.scope.data.get(name.text)
        if data is None and name.text in self.scope.frames - self.scope.kinds.keys():
            data = self.scope.data[name.text] = Data(name.text, model.name, Frame(name.text, name.span), span=name.span)
        if data is None:
            self.scope.unknown("S106", "data set", name, self.scope.data)
            return None
        if data.model != model.name:
            text = f"'{name.text}' is data of model {data.model}, not of {model.name}"
            help = f"write: data NAME of {model.name} from {name.text}" if isinstance(data.origin, Frame) else None
            self.scope.report("S407", text, name.span, "another model's", help)
            return None
        return name.text

    # -- assertions

    def _assert(self, action: tree.Assert) -> Assert | None:
        if isinstance(action.claim, tree.Identify):
            if action.model is None or action.claim.model is not None:
                claim: Condition | Identify | None = self._identify(action.claim)
            else:
                claim = self._identify(_about(action.claim, action.model))
        else:
            model = self.model(action.model, action.span)
            claim = None if model is None else self._condition(action.claim, model)
        return None if claim is None else Assert(claim, claim_text(action), action.span)

    def _condition(self, claim: tree.Expression, model: Model) -> Condition | None:
        match claim:
            case tree.Comparison(operators, operands):
                queries = [self._compared(operand, model) for operand in operands]
                known = tuple(query for query in queries if query)
                return Comparison(known, operators) if len(known) == len(queries) else None
            case tree.Logic(operator, operands):
                return self._boolean(operator, operands, model)
            case tree.Unary("not", operand):
                return self._boolean("not", (operand,), model)
            case _:
                help = f"compare it: assert {expression_text(claim)} > 0"
                self.scope.report("S414", "an assertion compares", claim.span, "nothing to compare with", help)
                return None

    def _boolean(self, operator: str, operands: Sequence[tree.Expression], model: Model) -> Boolean | None:
        conditions = [self._condition(operand, model) for operand in operands]
        known = tuple(condition for condition in conditions if condition)
        if len(known) < len(conditions):
            return None
        return _exclusive(known) if operator == "xor" else Boolean(operator, known)

    def _compared(self, operand: tree.Expression, model: Model) -> Query | None:
        query = QueryResolver(self.scope, model).query(operand)
        free = sorted(free_variables(query.formula)) if query else []
        if free:
            text = f"a comparison needs numbers, and this is a function of {one_of(free)}"
            self.scope.report("S413", text, operand.span, "not a number", f"give values: {free[0]} = ..")
            return None
        return query

    # -- diagrams

    def _independent(self, action: tree.Independent) -> Independent | None:
        model = self.model(action.model, action.span)
        if model is None:
            return None
        names = (action.first, action.second, *action.given)
        self._known(names, model)
        for place, name in enumerate(names):
            if name.text in [other.text for other in names[:place]]:
                self.scope.report("S402", f"{name.text} is named twice", name.span, "again")
        given = tuple(name.text for name in action.given)
        return Independent(action.first.text, action.second.text, given, model.name, action.span)

    def _show(self, action: tree.Show) -> Show | None:
        model = self.model(action.model, action.span)
        if model is None:
            return None
        resolver = QueryResolver(self.scope, model)
        terms = [resolver.do_term(event) for event in action.do.events] if action.do else []
        known = [term for term in terms if term]
        for place, term in enumerate(known):
            if term.variable in [other.variable for other in known[:place]] and action.do:
                self.scope.report("S402", f"{term.variable} is set twice", action.do.span, "again")
        worlds = resolver.query(action.worlds) if action.worlds else None
        return Show(model.name, tuple(known), worlds, action.span)

    def _adjust(self, action: tree.Adjust) -> Adjust | None:
        model = self.model(action.model, action.span)
        if model is None:
            return None
        names = (*action.treatment.names, *action.outcome.names)
        self._known(names, model)
        self._not_latent(names, model)
        self._apart(names)
        treatments, outcomes = (
            tuple(name.text for name in group.names) for group in (action.treatment, action.outcome)
        )
        sources = self._sources(action.sources, model)
        return None if sources is None else Adjust(treatments, outcomes, sources, model.name, action.span)

    # -- predictors, canonical forms, counterfactuals, causes

    def _search(self, action: tree.Search) -> Search | None:
        before = len(self.scope.problems)
        model = self.model(action.model, action.span)
        if action.loss.text not in LOSSES:
            help = did_you_mean(action.loss.text, LOSSES) or f"there is {', '.join(LOSSES)}"
            self.scope.report("S107", f"unknown loss '{action.loss.text}'", action.loss.span, "not known", help)
        if model is None:
            return None
        names = (action.outcome, *action.features)
        self._known(names, model)
        self._not_latent(names, model)
        self._apart(names)
        self._apart(action.sources)
        data = [self.scope.data[name.text] for name in action.sources if self._data(name, model)]
        if not action.sources:
            self._domains(action.domains, model)
        return search_statement(self.scope, action, model, data) if len(self.scope.problems) == before else None

    def _canonicalise(self, action: tree.Canonicalise) -> Canonicalise | None:
        model = self._source(action.model)
        if model is None:
            return None
        self._domains_of(action.model, action.domains, model)
        self._some(action.domains, action.span)
        names = tuple(name.text for name in action.domains)
        return Canonicalise(action.model.text, names, action.name.text if action.name else None, action.span)

    def _equivalent(self, action: tree.Equivalent) -> Equivalent | None:
        sources = [(name, self._source(name)) for name in (action.first, action.second)]
        for name, model in dict(sources).items():
            if model is not None:
                self._domains_of(name, action.domains, model)
        if any(model is None for _, model in sources):
            return None
        self._some(action.domains, action.span)
        names = tuple(name.text for name in action.domains)
        return Equivalent(action.first.text, action.second.text, names, action.span)

    def _counterfactual(self, action: tree.Counterfactual) -> Counterfactual | None:
        model = self._source(action.model) if action.model else self.model(None, action.span)
        if model is None:
            return None
        self._setups(action.sample, model)
        self._not_latent([setup.variable for setup in action.sample], model)
        named = action.model or tree.Name(model.name)
        self._domains_of(named, (action.start, action.end), model)
        self._whole_sample(action, model)
        sample: list[tuple[str, str]] = []
        for setup in action.sample:
            variable = model.by_name.get(setup.variable.text)
            label = self.scope.known_label(setup.value, variable) if variable else None
            sample.append((setup.variable.text, label or ""))
        return Counterfactual(tuple(sample), named.text, action.start.text, action.end.text, action.span)

    def _source(self, name: tree.Name) -> Model | None:
        """The model a name stands for: its own, or the one that `canonicalise` or `fit` starts from (S102, S110)."""
        here = name
        for _ in range(len(self.scope.derived) + 1):
            if here.text not in self.scope.derived:
                return self.scope.model_named(here)
            here = tree.Name(self.scope.derived[here.text][0], name.span)
        self.scope.report("S110", f"'{name.text}' is made from itself", name.span, "goes in a circle", None)
        return None

    def _domains_of(self, name: tree.Name, domains: Iterable[tree.Name], model: Model) -> None:
        """The domains of a model; one that is made has those that it was asked for (S103)."""
        known = self.scope.derived[name.text][1] if name.text in self.scope.derived else None
        for domain in domains:
            if known is not None and domain.text not in known:
                self.scope.unknown("S103", f"domain of {name.text}:", domain, known)
            elif known is None or not self._is_fitted(name):
                self.scope.domain_named(domain, model.name)

    def _is_fitted(self, name: tree.Name) -> bool:
        """Whether `fit` makes the model, whose domains are those of its data, declared or not."""
        return self.scope.kinds[name.text][0] == "model made by fit"

    def _fit(self, action: tree.Fit) -> Fit | None:
        """One data set a domain; all that is observed is real (S106, S407, S466, S467)."""
        model = self.scope.model_named(action.model)
        if action.design.text not in DESIGNS:
            help = did_you_mean(action.design.text, DESIGNS) or f"there is {', '.join(DESIGNS)}"
            self.scope.report("S467", f"unknown design '{action.design.text}'", action.design.span, "not known", help)
        if model is None:
            return None
        self._apart(action.sources)
        data = [self.scope.data[name.text] for name in action.sources if self._data(name, model)]
        self._one_a_domain(action, data)
        self._only_real(action, model)
        k = self._few(action, model)
        domains = tuple(each.domain or each.name for each in data)
        name = action.name.text if action.name else None
        text, sources = statement_text(action), tuple(each.name for each in data)
        return Fit(model.name, sources, domains, action.design.text, k, name, text, action.span)

    def _one_a_domain(self, action: tree.Fit, data: Sequence[Data]) -> None:
        domains = [each.domain or each.name for each in data]
        twice = [name for place, name in enumerate(domains) if name in domains[:place]]
        if twice:
            text = f"two of these data sets come from domain {twice[0]}"
            self.scope.report("S466", text, action.span, "", "a fit takes one data set a domain")
        elif len(action.sources) < 2:
            text = "a fit compares domains, and there are samples of one only"
            self.scope.report("S466", text, action.span, "", "give samples of two domains or more")
        for each, name in zip(data, action.sources, strict=False):
            if each.do or each.weight:
                what = "an experiment" if each.do else "a table with weights"
                text = f"'{each.name}' is {what}, and a fit takes samples as they are"
                self.scope.report("S466", text, name.span, "not here", "give the rows of a domain")

    def _only_real(self, action: tree.Fit, model: Model) -> None:
        finite = [name for name in model.observed if not isinstance(model.by_name[name].values, Real)]
        if finite:
            text = f"{finite[0]} is not real, and a fit takes numbers"
            self.scope.report("S466", text, action.model.span, "not all real", f"declare {finite[0]} : real")

    def _few(self, action: tree.Fit, model: Model) -> int | None:
        """The number of mechanisms that differ, a whole number in range, where one is given."""
        if action.k is None:
            return None
        size = len(model.observed)
        if action.design.text == "dense":
            text = "in a dense design every mechanism differs"
            self.scope.report("S467", text, action.k.span, "says fewer", "leave k out")
        elif action.k.value.denominator != 1 or action.k.value > size:
            text = f"k is {action.k.text}, and there are {count(size, 'latent')}"
            self.scope.report("S467", text, action.k.span, "out of range", f"k is a whole number from 0 to {size}")
        return int(action.k.value)

    def _some(self, domains: Sequence[tree.Name], place: Span) -> None:
        self._apart(domains)
        if not domains:
            text = "this compares domains, and none is named"
            self.scope.report("S463", text, place, "over no domain", "name them: over {d0, d1}")

    def _whole_sample(self, action: tree.Counterfactual, model: Model) -> None:
        """Noise is recovered from all that is observed, so that a sample must give all of it (S464)."""
        given = {setup.variable.text for setup in action.sample}
        missing = [name for name in model.observed if name not in given]
        if missing and not self.scope.problems:
            text = f"the sample does not give {one_of(missing)}"
            help = f"a sample of {model.name} has {one_of(list(model.observed))}"
            self.scope.report("S464", text, action.span, "too little to recover the noise", help)

    def _cause(self, action: tree.Cause) -> Pending | None:
        model = self.model(action.model, action.span)
        if model is None:
            return None
        self._setups((*action.cause, *action.effect), model)
        self._setups(action.context, model)
        return self._pending("cause", model, action)

    def _setups(self, setups: Sequence[tree.Setup], model: Model) -> None:
        for setup in setups:
            variable = self.scope.known_variable(setup.variable, model)
            if variable is not None:
                self.scope.known_label(setup.value, variable)
        self._apart([setup.variable for setup in setups])

    def _known(self, names: Iterable[tree.Name], model: Model) -> None:
        for name in names:
            self.scope.known_variable(name, model)

    def _domains(self, names: Iterable[tree.Name], model: Model) -> None:
        for name in names:
            self.scope.domain_named(name, model.name)

    def _not_latent(self, names: Iterable[tree.Name], model: Model) -> None:
        for name in names:
            if name.text in model.latent:
                text = f"{name.text} is latent in model {model.name}, so it is never seen"
                self.scope.report("S401", text, name.span, "latent")

    def _apart(self, names: Sequence[tree.Name]) -> None:
        for place, name in enumerate(names):
            if name.text in [other.text for other in names[:place]]:
                self.scope.report("S402", f"{name.text} is named twice", name.span, "again")

    def _pending(self, keyword: str, model: Model, action: tree.Action) -> Pending:
        return Pending(keyword, model.name, statement_text(action), action.span)


def _about(claim: tree.Identify, model: tree.Name) -> tree.Identify:
    """`assert M: identify Q` is `assert identify Q in M`."""
    return tree.Identify(claim.query, model, claim.sources, claim.method, claim.name, claim.span)


def _exclusive(conditions: Sequence[Condition]) -> Boolean:
    """`A xor B` by and, or and not."""
    result = conditions[0]
    for other in conditions[1:]:
        left = Boolean("and", (result, Boolean("not", (other,))))
        right = Boolean("and", (Boolean("not", (result,)), other))
        result = Boolean("or", (left, right))
    assert isinstance(result, Boolean)
    return result
