"""Models in lavaan's syntax (Rosseel 2012): `y ~ x + z`, `x ~~ y`, `f =~ x + y`.

The structure is read: a regression gives arrows, a covariance of two variables a hidden common cause, a latent
variable arrows to its indicators.  Coefficients, starting values, labels, intercepts, thresholds and constraints are
left out, and told; a coefficient or covariance fixed at 0 is no edge.  What lavaan's `sem()` lets covary without a word
is told too, for a causal model takes it to be independent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from lark import Token, Tree

from ..diagnostics import Diagnostic, SutureError
from ..program import Model
from ..source import Source
from .graph import Draft, listed
from .model_edges import arrows, common_causes, named
from .reading import Word, children, parsed, together, word

RESERVED = frozenset({
    "FALSE", "Inf", "NA", "NA_character_", "NA_integer_", "NA_real_", "NULL", "NaN", "TRUE", "break", "else", "for",
    "function", "if", "in", "next", "repeat", "while",
})  # fmt: skip
KINDS = {"variable": "a variable", "number": "a number", "call": "a function", "interaction": "an interaction"}


@dataclass(frozen=True, slots=True)
class _Term:
    """A variable of a formula; `absent` where its coefficient is fixed at 0, `modified` where it has one at all."""

    name: Word
    absent: bool
    modified: bool


def read(source: Source) -> Draft:
    """The graph of a model in lavaan's syntax.

    Raises `SutureError`: S020 where the text is not lavaan's, S021 for interactions, composites and groups.
    """
    draft = Draft(source)
    fixed: set[frozenset[str]] = set()
    for statement in children(parsed("lavaan", source), "formula", "constraint", "block"):
        if statement.data == "formula":
            _take_formula(draft, statement, fixed)
        elif statement.data == "constraint":
            draft.dropped["constraints"] = None
        else:
            token = statement.children[0]
            assert isinstance(token, Token)
            text = "a model with groups or levels is several models"
            raise draft.refuse("S021", text, word(token).span, "a block", "import each block by itself")
    draft.notes += _silent_covariances(draft, fixed)
    return draft


def _take_formula(draft: Draft, formula: Tree[Token], fixed: set[frozenset[str]]) -> None:
    left, right = children(formula, "terms")
    (operator,) = [part for part in formula.children if isinstance(part, Token)]
    effects = list(_terms(draft, left))
    if operator in ("|", "~*~"):
        draft.dropped["thresholds and scales"] = None
    causes = [] if operator in ("|", "~*~") else list(_terms(draft, right))
    for effect in effects:
        draft.node(effect.name.text, effect.name.span)
        if operator == "=~":
            draft.hide(effect.name.text)
    draft.draw(len(effects) * len(causes), word(operator).span)
    for effect in effects:
        for cause in causes:
            _take_pair(draft, effect, word(operator), cause, fixed)


def _take_pair(draft: Draft, effect: _Term, operator: Word, cause: _Term, fixed: set[frozenset[str]]) -> None:
    left, right, place = effect.name.text, cause.name.text, together(effect.name.span, cause.name.span)
    draft.node(right, cause.name.span)
    if cause.modified:
        draft.dropped["coefficients and labels"] = None
    if operator.text == "<~":
        text = f"{left} is a composite, defined by its indicators"
        help = f"where they are its causes, write {left} ~ {right}"
        raise draft.refuse("S021", text, operator.span, "no causal mechanism", help)
    if cause.absent or (operator.text == "~~" and left == right):
        fixed.add(frozenset((left, right)))
    elif operator.text == "~~":
        draft.common_cause(left, right, place)
    elif operator.text == "=~":
        draft.arrow(left, right, place)
    else:
        draft.arrow(right, left, place)


def _terms(draft: Draft, terms: Tree[Token]) -> Iterator[_Term]:
    """The variables of one side; intercepts are left out."""
    for term in children(terms, "term"):
        *modifiers, last = [part for part in term.children if not _is_star(part)]
        if not isinstance(last, Token) and last.data == "number":
            draft.dropped["intercepts"] = None
            continue
        if isinstance(last, Token) or last.data != "variable":
            raise _not_a_variable(draft, last)
        name = word(_token(last))
        yield _Term(name, any(map(_is_zero, modifiers)), bool(modifiers))


def _is_star(part: Token | Tree[Token]) -> bool:
    return isinstance(part, Token) and part.type == "MODIFIED"


def _is_zero(part: Token | Tree[Token]) -> bool:
    return not isinstance(part, Token) and part.data == "number" and float(_token(part, -1)) == 0


def _token(part: Tree[Token], place: int = 0) -> Token:
    found = [token for token in part.children if isinstance(token, Token)][place]
    return found


def _not_a_variable(draft: Draft, part: Token | Tree[Token]) -> SutureError:
    token = part if isinstance(part, Token) else _token(part)
    kind = "text" if isinstance(part, Token) else KINDS[part.data]
    help = {
        "an interaction": "arrows say nothing about how causes combine: write x + z",
        "a function": "make the transformed variable a variable of its own",
    }.get(kind)
    return draft.refuse("S021", f"{kind} cannot stand for a variable here", word(token).span, kind, help)


def _silent_covariances(draft: Draft, fixed: set[frozenset[str]]) -> Iterator[str]:
    """What `sem()` adds by itself: covariances of exogenous variables, and of outcomes that cause nothing."""
    directed = [edge for edge in draft.edges.values() if not edge.both]
    causes, effects = {edge.tail for edge in directed}, {edge.head for edge in directed}
    indicators = {edge.head for edge in directed if draft.nodes[edge.tail].latent}
    endings = effects - causes - indicators
    exogenous = [name for name in draft.nodes if name in causes and name not in effects]
    last = [name for name in draft.nodes if name in endings]
    if _free_pair(draft, exogenous, fixed):
        yield f"lavaan lets {listed(exogenous)} covary; here they are independent unless an arrow or <-> joins them"
    if _free_pair(draft, last, fixed):
        yield f"lavaan lets {listed(last)} covary beyond their causes; here they do not unless <-> joins them"


def _free_pair(draft: Draft, names: Sequence[str], fixed: set[frozenset[str]]) -> bool:
    """Whether some pair of the variables is neither joined nor fixed apart."""
    joined = {frozenset((edge.tail, edge.head)) for edge in draft.edges.values()} | fixed
    return any(frozenset(pair) not in joined for pair in combinations(names, 2))


# ---------------------------------------------------------------------------------------------------------------------
# Writing


def write(model: Model) -> str:
    """The model's graph in lavaan's syntax, a latent variable by its indicators.

    Raises `SutureError` (S023) for a latent variable without effects, which lavaan cannot name, and for a variable
    called by one of R's own words.
    """
    return "".join(f"{line}\n" for line in _lines(model))


def _lines(model: Model) -> Iterator[str]:
    latent = {name for name, hidden in named(model, RESERVED, "lavaan") if hidden}
    causes: dict[str, list[str]] = {name: [] for name, _ in named(model)}
    indicators: dict[str, list[str]] = {name: [] for name in latent}
    mentioned = {name for pair in common_causes(model) for name in pair}
    for tail, head in arrows(model):
        (indicators[tail] if tail in latent else causes[head]).append(head if tail in latent else tail)
        mentioned |= {tail, head}
    for name, hidden in named(model):
        if hidden and not indicators[name]:
            message = f"lavaan cannot say that {name} is latent: it has no effect in the model"
            raise SutureError(Diagnostic("S023", message, help="a latent variable without effects can be left out"))
        if hidden:
            yield f"{name} =~ {' + '.join(indicators[name])}"
        if causes[name]:
            yield f"{name} ~ {' + '.join(causes[name])}"
        if name not in mentioned:
            yield f"{name} ~~ {name}"
    for first, second in common_causes(model):
        yield f"{first} ~~ {second}"
