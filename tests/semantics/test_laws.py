"""The laws of a functor from diagrams, over every semantics: numpy, jax.numpy and SymPy matrices, Gaussian kernels.

New semantics go into `SEMANTICS`; every law then runs over them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suture.dsl.diagram import (
    Box,
    Diagram,
    Kind,
    Wire,
    beside,
    box,
    copy,
    cut,
    discard,
    identity,
    normal_form,
    open_wires,
    prune,
    split_wires,
    state,
    swap,
    then,
)
from suture.semantics.base import Semantics, interpret
from suture.semantics.real.gaussian import Gaussian, LinearGaussian
from suture.semantics.semiring import PROBABILITY, RATIONAL
from suture.semantics.stochastic import FiniteModel, FiniteStochastic, tensor

LABELS = {"A": ("0", "1"), "B": ("x", "y", "z")}
SIGNATURE = {
    "a": ((), ("A",)),
    "b": ((), ("B",)),
    "f": (("A",), ("B",)),
    "g": (("B",), ("A",)),
    "h": (("A", "B"), ("A",)),
    "k": (("A",), ("A", "B")),
    "m": (("A", "A"), ("B",)),
}


def rationals(seed: int) -> dict[str, np.ndarray]:
    """Random stochastic arrays of Fractions for the signature."""
    generator = np.random.default_rng(seed)
    made = {}
    for name, (domain, codomain) in SIGNATURE.items():
        shape = [len(LABELS[kind]) for kind in (*domain, *codomain)]
        counts = generator.integers(1, 9, size=shape)
        totals = counts.sum(axis=tuple(range(len(domain), len(shape))), keepdims=True)
        made[name] = np.vectorize(lambda n, d: Fraction(int(n), int(d)), otypes=[object])(counts, totals)
    return made


def numpy_semantics(arrays: dict[str, np.ndarray]) -> Semantics[Any]:
    return FiniteStochastic(LABELS, {name: array.astype(np.float64) for name, array in arrays.items()})


def jax_semantics(arrays: dict[str, np.ndarray]) -> Semantics[Any]:
    import jax.numpy as jnp

    return FiniteStochastic(LABELS, {name: array.astype(np.float64) for name, array in arrays.items()}, jnp)


def symbolic_semantics(arrays: dict[str, np.ndarray]) -> Semantics[Any]:
    from suture.semantics.symbolic import SymbolicStochastic

    return SymbolicStochastic(LABELS, arrays)


def parametric_semantics(arrays: dict[str, np.ndarray]) -> Semantics[Any]:
    """As the symbolic one, with a parameter in every box: rows mixed with another of their own."""
    import sympy

    from suture.semantics.symbolic import SymbolicStochastic, expression

    p = sympy.Symbol("p")
    mixed = {
        name: np.vectorize(lambda first, second: (1 - p) * expression(first) + p * expression(second), otypes=[object])(
            array, _other(array, len(SIGNATURE[name][0]))
        )
        for name, array in arrays.items()
    }
    return SymbolicStochastic(LABELS, mixed)


def gaussian_semantics(arrays: dict[str, np.ndarray], exact: bool = False) -> Semantics[Any]:
    """Linear maps with normal noise, drawn from the digits of the arrays; their noise is often singular."""
    dimensions = {"A": 1, "B": 2}
    generator = np.random.default_rng([entry.numerator for entry in arrays["f"].ravel()])
    kernels = {}
    for name, (domain, codomain) in SIGNATURE.items():
        inputs, outputs = (sum(dimensions[kind] for kind in side) for side in (domain, codomain))
        shapes = ((outputs, inputs), outputs, (outputs, generator.integers(0, 3)))
        matrix, mean, root = (generator.integers(-2, 3, size=shape) for shape in shapes)
        parts = (matrix, mean, root @ root.T)
        made = [np.vectorize(Fraction, otypes=[object])(part) if part.size else part.astype(object) for part in parts]
        kernels[name] = Gaussian(*(made if exact else [part.astype(np.float64) for part in made]))
    return LinearGaussian(dimensions, kernels, RATIONAL if exact else PROBABILITY)


def _other(array: np.ndarray, inputs: int) -> np.ndarray:
    return np.flip(array, axis=tuple(range(inputs, array.ndim)))


def scope(name: str) -> AbstractContextManager[Any]:
    if name != "jax":
        return nullcontext()
    import jax

    return jax.enable_x64(True)


SEMANTICS: dict[str, Callable[[dict[str, np.ndarray]], Semantics[Any]]] = {
    "numpy": numpy_semantics,
    "jax": jax_semantics,
    "symbolic": symbolic_semantics,
    "parametric": parametric_semantics,
    "gaussian": gaussian_semantics,
    "exact gaussian": lambda arrays: gaussian_semantics(arrays, exact=True),
}
REAL = ("gaussian", "exact gaussian")
EXAMPLES = {"numpy": 60, "jax": 3, "symbolic": 12, "parametric": 6, "gaussian": 60, "exact gaussian": 25}


@pytest.fixture(params=SEMANTICS)
def name(request: pytest.FixtureRequest) -> Iterator[str]:
    with scope(request.param):
        yield request.param


# ---------------------------------------------------------------------------------------------------------------------
# Random diagrams


def random_diagram(seed: int, domain: tuple[str, ...] | None = None, boxes: int = 3) -> Diagram:
    """A diagram over the signature, its open inputs as given (or up to two), at most two outputs."""
    generator = np.random.default_rng(seed)
    kinds = list(LABELS)
    if domain is None:
        domain = tuple(generator.choice(kinds) for _ in range(generator.integers(0, 3)))
    wires = [Wire(f"w{n}", kind) for n, kind in enumerate(domain)]
    made: list[Box] = []
    for _ in range(generator.integers(1, boxes + 1)):
        available = [name for name, (need, _) in SIGNATURE.items() if set(need) <= {wire.type for wire in wires}]
        chosen = str(generator.choice(available))
        need, give = SIGNATURE[chosen]
        inputs = tuple(int(generator.choice([n for n, w in enumerate(wires) if w.type == kind])) for kind in need)
        outputs = tuple(range(len(wires), len(wires) + len(give)))
        wires += [Wire(f"w{number}", kind) for number, kind in zip(outputs, give, strict=True)]
        made.append(Box(chosen, inputs, outputs))
    shown = tuple(int(n) for n in generator.integers(0, len(wires), size=generator.integers(0, 3)))
    return Diagram(tuple(wires), tuple(made), tuple(range(len(domain))), shown)


def laws(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a law over random seeds, as many as the semantics affords."""

    def wrap(law: Callable[..., None]) -> Callable[..., None]:
        def test(name: str) -> None:
            @settings(max_examples=EXAMPLES[name], deadline=None, database=None)
            @given(st.tuples(*(st.integers(0, 10**6) for _ in names)))
            def holds(seeds: tuple[int, ...]) -> None:
                law(SEMANTICS[name](rationals(seeds[0])), *seeds)

            holds()

        test.__name__ = law.__name__
        return test

    return wrap


@laws("first", "second")
def test_composition(meaning: Semantics[Any], first: int, second: int) -> None:
    left = random_diagram(first)
    right = random_diagram(second, left.codomain)
    both = meaning.then(interpret(meaning, left), interpret(meaning, right))
    assert meaning.equal(interpret(meaning, then(left, right)), both)


@laws("first", "second")
def test_tensor(meaning: Semantics[Any], first: int, second: int) -> None:
    left, right = random_diagram(first, boxes=2), random_diagram(second, boxes=1)
    both = meaning.beside(interpret(meaning, left), interpret(meaning, right))
    assert meaning.equal(interpret(meaning, beside(left, right)), both)


@laws("seed")
def test_identity(meaning: Semantics[Any], seed: int) -> None:
    diagram = random_diagram(seed)
    plain = interpret(meaning, diagram)
    assert meaning.equal(meaning.then(meaning.wire(diagram.domain), plain), plain)
    assert meaning.equal(interpret(meaning, identity(*diagram.domain)), meaning.wire(diagram.domain))


@laws("seed")
def test_discard_is_natural(meaning: Semantics[Any], seed: int) -> None:
    """Every column sums to one."""
    diagram = random_diagram(seed)
    gone, none = meaning.wire(()), meaning.wire(())
    for kind in diagram.codomain:
        gone = meaning.beside(gone, meaning.discard(kind))
    for kind in diagram.domain:
        none = meaning.beside(none, meaning.discard(kind))
    assert meaning.equal(meaning.then(interpret(meaning, diagram), gone), none)


@laws("seed")
def test_normal_form_and_pruning_keep_the_meaning(meaning: Semantics[Any], seed: int) -> None:
    diagram = random_diagram(seed)
    plain = interpret(meaning, diagram)
    assert meaning.equal(interpret(meaning, normal_form(diagram)), plain)
    assert meaning.equal(interpret(meaning, prune(diagram)), plain)


def test_copy_is_a_commutative_comonoid(name: str) -> None:
    meaning = SEMANTICS[name](rationals(0))
    for kind in LABELS:
        one, two, gone = meaning.wire([kind]), meaning.copy(kind), meaning.discard(kind)
        assert meaning.equal(meaning.then(two, meaning.swap(kind, kind)), two)
        assert meaning.equal(meaning.then(two, meaning.beside(two, one)), meaning.then(two, meaning.beside(one, two)))
        assert meaning.equal(meaning.then(two, meaning.beside(gone, one)), one)
        assert meaning.equal(interpret(meaning, copy(kind)), two)
        assert meaning.equal(interpret(meaning, discard(kind)), gone)


def test_swap_is_natural_and_its_own_inverse(name: str) -> None:
    meaning = SEMANTICS[name](rationals(1))
    back = meaning.then(meaning.swap("A", "B"), meaning.swap("B", "A"))
    assert meaning.equal(back, meaning.wire(["A", "B"]))
    assert meaning.equal(interpret(meaning, swap("A", "B")), meaning.swap("A", "B"))
    f, g = (interpret(meaning, box(n, *SIGNATURE[n])) for n in "fg")
    left = meaning.then(meaning.beside(f, g), meaning.swap("B", "A"))
    assert meaning.equal(left, meaning.then(meaning.swap("A", "B"), meaning.beside(g, f)))


def test_states(name: str) -> None:
    if name in REAL:
        pytest.skip("real numbers have point states alone: test_gaussian.py")
    meaning = SEMANTICS[name](rationals(2))
    uniform, point = interpret(meaning, state("B")), interpret(meaning, state("B", "y"))
    third = meaning.discard("B")
    assert meaning.equal(meaning.then(point, third), meaning.wire(()))
    assert [float(entry) for entry in np.asarray(uniform).ravel()] == pytest.approx([1 / 3] * 3)
    assert [float(entry) for entry in np.asarray(point).ravel()] == [0, 1, 0]


@laws("seed")
def test_disintegration_glues_back_to_the_joint(meaning: Semantics[Any], seed: int) -> None:
    """omega = copy of the marginal, then the conditional beside a bare wire (Cho and Jacobs 2019, definition 3.5)."""
    start = box("a", (), ("A",)) if seed % 2 else then(box("b", (), ("B",)), box("g", ("B",), ("A",)))
    omega = interpret(meaning, then(start, box("k", ("A",), ("A", "B"))))
    marginal = meaning.then(omega, meaning.beside(meaning.wire(["A"]), meaning.discard("B")))
    conditional = meaning.disintegrate(omega, ["A"], ["B"])
    glued = meaning.then(meaning.then(marginal, meaning.copy("A")), meaning.beside(meaning.wire(["A"]), conditional))
    assert meaning.equal(glued, omega)


@laws("seed")
def test_cuts_keep_the_meaning_up_to_pruning_and_commute(meaning: Semantics[Any], seed: int) -> None:
    diagram = random_diagram(seed, ())
    names = [w.name for w in diagram.wires]
    value = "1" if isinstance(meaning, LinearGaussian) else None  # there is no uniform state to cut reals with
    first, second = {names[0]: value}, {names[-1]: value}
    one = interpret(meaning, cut(cut(diagram, first), second))
    other = interpret(meaning, cut(cut(diagram, second), first))
    assert meaning.equal(one, other)
    assert meaning.equal(interpret(meaning, prune(cut(diagram, first))), interpret(meaning, cut(diagram, first)))


# ---------------------------------------------------------------------------------------------------------------------
# The planned contraction is the same functor


@settings(max_examples=150, deadline=None, database=None)
@given(st.integers(0, 10**6))
def test_contraction_agrees_with_the_fold_and_with_listing_every_state(seed: int) -> None:
    diagram, arrays = random_diagram(seed, boxes=5), rationals(seed)
    floats = {name: array.astype(np.float64) for name, array in arrays.items()}
    model = FiniteModel(diagram, LABELS, floats)
    columns = int(np.prod(model.shape(diagram.inputs), dtype=int))
    contracted = tensor(model).reshape(columns, -1).T
    folded = interpret(FiniteStochastic(LABELS, floats), diagram)
    assert contracted == pytest.approx(folded, abs=1e-12)
    assert contracted == pytest.approx(enumerated(model).reshape(columns, -1).T, abs=1e-12)
    exact = tensor(FiniteModel(diagram, LABELS, arrays, RATIONAL)).reshape(columns, -1).T
    assert all(isinstance(entry, Fraction) for entry in exact.ravel())
    assert exact.astype(np.float64) == pytest.approx(contracted, abs=1e-12)


def enumerated(model: FiniteModel) -> np.ndarray:
    """The tensor of a diagram by running over all values of all wires."""
    diagram = model.diagram
    sizes = model.shape(range(len(diagram.wires)))
    made = np.zeros(model.shape(diagram.inputs) + model.shape(diagram.outputs))
    for values in np.ndindex(*sizes):
        weight = 1.0
        for part in diagram.boxes:
            weight *= model.arrays[part.name][tuple(values[w] for w in (*part.inputs, *part.outputs))]
        made[tuple(values[w] for w in (*diagram.inputs, *diagram.outputs))] += weight
    return made


@pytest.mark.parametrize("surgery", ["uniform", "point", "open", "split"])
def test_surgery_by_contraction_and_by_the_fold(surgery: str) -> None:
    arrays = {name: array.astype(np.float64) for name, array in rationals(5).items()}
    plain = then(then(box("a", (), ("A",)), box("k", ("A",), ("A", "B"))), box("h", ("A", "B"), ("A",)))
    wires = tuple(Wire(f"w{n}", wire.type) for n, wire in enumerate(plain.wires))
    diagram = Diagram(wires, plain.boxes, plain.inputs, (0, *plain.outputs))
    made = {
        "uniform": cut(diagram, ["w0"]),
        "point": cut(diagram, {"w0": "1"}),
        "open": open_wires(diagram, ["w0"]),
        "split": split_wires(diagram, ["w0"]),
    }[surgery]
    kinds = {part.kind for part in made.boxes}
    assert (Kind.UNIFORM in kinds, Kind.POINT in kinds) == (surgery == "uniform", surgery == "point")
    model = FiniteModel(made, LABELS, arrays)
    columns = int(np.prod(model.shape(made.inputs), dtype=int))
    folded = interpret(FiniteStochastic(LABELS, arrays), made)
    assert pytest.approx(folded, abs=1e-12) == tensor(model).reshape(columns, -1).T
