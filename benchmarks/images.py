"""Images of several domains, with the true counterfactual known: learned lenses beside both trivial maps.

    .venv/bin/python benchmarks/images.py [--data shapes digits] [--seeds 3] [--images 2000] [--sheet FOLDER]

Two sets of small coloured pictures, made here, nothing is downloaded:

    shapes   10 x 10 x 3, a bar, a triangle or an L with soft edges, somewhere near the middle, of some size
    digits   8 x 8 x 3, the handwritten digits that scikit-learn brings along (the extra `bench`); each domain has other
             digits, and those that maps are judged on were seen in no domain

In domain d a picture is turned by an angle m_d + s_d e and coloured with a hue n_d + w_d c + t_d e', where c is the
size (shapes) or the turn's own noise e (digits): so two mechanisms differ between three domains, in place, in spread
and in what they read.  All else, the kind of shape or the digit, place and size, is the same mechanism everywhere.  The
true counterfactual is the same picture drawn with the same noises by the other domain's mechanisms; no fit sees one.

What is told of each map, over all ordered pairs of domains, on pictures held out:

    error       mean squared error of a pixel against the true counterfactual
    hue         how far the hue is from the true one, in degrees: read off the colour channels, a known decoder
    effective   share that the five nearest training pictures put in the domain it was moved to
    preserved   share that the five nearest training pictures give the kind or digit that it had
    by way of   largest pixel of T_ed T_de' - T_dd' and of T_dd - 1: composition
    way back    largest pixel of T_ed T_de - 1, starting back from the counterfactual itself

`true` is what effectiveness and preservation are for the true counterfactuals: what can be had.  A row says mean /
median over seeds.  Fails where canonical has a larger mean error than one of the trivial maps.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np

from suture.semantics.fitting.image_fit import fit_images

Floats = Any
Map = Callable[[str, str, Floats], Floats]

DOMAINS = ("right", "upright", "left")
PAIRS = tuple(permutations(DOMAINS, 2))
DESIGNS: dict[str, int | None] = {"canonical": 2, "relaxed": 2, "dense": None}
MEASURES = ("error", "hue", "effective", "preserved", "by way of", "way back")
NEIGHBOURS = 5
JUDGED = 300


@dataclass(frozen=True)
class Manner:
    """How a domain turns and colours, in degrees: mean and spread of the angle, mean, weight and spread of the hue."""

    turn: float
    turn_spread: float
    hue: float
    weight: float
    hue_spread: float


MANNERS: Mapping[str, Manner] = {
    "right": Manner(-25, 15, 0, 0, 25),
    "upright": Manner(0, 15, 50, 15, 25),
    "left": Manner(25, 20, 100, -15, 35),
}


@dataclass(frozen=True)
class Unit:
    """What pictures are made of, one a row: the `kind` of each, and its standard noises."""

    kind: Floats
    place: Floats
    size: Floats
    turn: Floats
    hue: Floats

    def __len__(self) -> int:
        return len(self.kind)


def coloured(grey: Floats, hue: Floats) -> Floats:
    """Pictures `cases height width` in the colour of a hue: three cosines a third of a turn apart."""
    thirds = np.arange(3) * 2 * np.pi / 3
    return grey[..., None] * (0.5 + 0.5 * np.cos(hue[:, None, None, None] - thirds))


def hues(pictures: Floats) -> Floats:
    """The hue of each picture in degrees: the inverse of `coloured`, exact."""
    totals = pictures.sum((1, 2)) @ np.exp(2j * np.pi * np.arange(3) / 3)
    return np.degrees(np.angle(totals))


def drawn(generator: np.random.Generator, kind: Floats) -> Unit:
    """Noises for units of these kinds."""
    size, turn, hue = generator.standard_normal((3, len(kind)))
    return Unit(kind, generator.standard_normal((len(kind), 2)), size, turn, hue)


# ---------------------------------------------------------------------------------------------------------------------
# Shapes


BAR = [[(-0.25, -1), (0.25, -1), (0.25, 1), (-0.25, 1)]]
TRIANGLE = [[(-0.75, -0.7), (0.75, -0.7), (0, 1.1)]]
ELL = [
    [(-0.5, -0.9), (-0.05, -0.9), (-0.05, 0.9), (-0.5, 0.9)],
    [(-0.5, -0.9), (0.75, -0.9), (0.75, -0.45), (-0.5, -0.45)],
]
SHAPES = (BAR, TRIANGLE, ELL)
SIDE = 10
SOFT = 0.06


def shapes(unit: Unit, manner: Manner) -> Floats:
    """The pictures of units in a domain, `cases 10 10 3`."""
    ticks = (np.arange(SIDE) + 0.5) / SIDE * 2 - 1
    grid = np.stack(np.meshgrid(ticks, ticks[::-1]), -1)
    angle = np.radians(manner.turn + manner.turn_spread * unit.turn)
    size = 0.6 * np.exp(0.12 * unit.size)
    around = grid[None] - 0.12 * unit.place[:, None, None]
    cosine, sine = np.cos(angle)[:, None, None], np.sin(angle)[:, None, None]
    own = np.stack(
        [cosine * around[..., 0] + sine * around[..., 1], cosine * around[..., 1] - sine * around[..., 0]], -1
    )
    own /= size[:, None, None, None]
    grey = np.empty(own.shape[:3])
    for number, parts in enumerate(SHAPES):
        rows = unit.kind == number
        outside = np.min([_outside(corners, own[rows]) for corners in parts], 0) * size[rows, None, None]
        grey[rows] = 1 / (1 + np.exp(np.clip(outside / SOFT, -50, 50)))
    hue = np.radians(manner.hue + manner.weight * unit.size + manner.hue_spread * unit.hue)
    return coloured(grey, hue)


def _outside(corners: Any, points: Floats) -> Floats:
    """How far points lie outside the sides of a convex polygon given anticlockwise; negative inside."""
    ends = np.array(corners, dtype=float)
    found: list[Floats] = []
    for start, end in zip(ends, np.roll(ends, -1, 0), strict=True):
        along = end - start
        normal = np.array([along[1], -along[0]]) / np.hypot(*along)
        found.append((points - start) @ normal)
    return np.max(found, 0)


# ---------------------------------------------------------------------------------------------------------------------
# Digits


def digits(grey: Floats) -> Callable[[Unit, Manner], Floats]:
    """What draws units in a domain, `cases 8 8 3`: `kind` counts rows of the grey digits."""

    def draw(unit: Unit, manner: Manner) -> Floats:
        angle = np.radians(manner.turn + manner.turn_spread * unit.turn)
        hue = np.radians(manner.hue + manner.weight * unit.turn + manner.hue_spread * unit.hue)
        return coloured(turned(grey[unit.kind], angle), hue)

    return draw


def turned(pictures: Floats, angle: Floats) -> Floats:
    """Pictures `cases height width` turned anticlockwise about their middle, by straight lines between pixels."""
    side = pictures.shape[1]
    ticks = np.arange(side) - (side - 1) / 2
    down, right = np.meshgrid(ticks, ticks, indexing="ij")
    cosine, sine = np.cos(angle)[:, None, None], np.sin(angle)[:, None, None]
    rows = cosine * down + sine * right + (side - 1) / 2
    columns = cosine * right - sine * down + (side - 1) / 2
    above, before = np.floor(rows).astype(int), np.floor(columns).astype(int)
    padded = np.pad(pictures, ((0, 0), (3, 3), (3, 3)))
    cases = np.arange(len(pictures))[:, None, None]
    made = np.zeros(rows.shape)
    for row, share in ((above, above + 1 - rows), (above + 1, rows - above)):
        for column, part in ((before, before + 1 - columns), (before + 1, columns - before)):
            made += share * part * padded[cases, row + 3, column + 3]
    return made


# ---------------------------------------------------------------------------------------------------------------------
# A problem and its judges


@dataclass(frozen=True)
class Problem:
    """Training pictures and their classes in each domain; held-out ones, with what they would be in each domain."""

    train: Mapping[str, Floats]
    train_class: Mapping[str, Floats]
    truth: Mapping[tuple[str, str], Floats]
    classes: Mapping[str, Floats]


def shapes_problem(seed: int, count: int) -> Problem:
    """Shapes, `count` in each domain."""
    generator = np.random.default_rng(seed)
    units = {name: drawn(generator, generator.integers(0, len(SHAPES), count)) for name in DOMAINS}
    others = {name: drawn(generator, generator.integers(0, len(SHAPES), JUDGED)) for name in DOMAINS}
    return _problem(shapes, units, others, lambda unit: unit.kind)


def digits_problem(seed: int, count: int) -> Problem:
    """Digits, each in one domain only; a domain shows each of its own several times, up to `count` pictures."""
    given: Any = import_module("sklearn.datasets").load_digits()
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(given.target))
    kept, held = order[JUDGED:], order[:JUDGED]
    shares = np.array_split(kept, len(DOMAINS))
    units = {name: drawn(generator, generator.choice(own, count)) for name, own in zip(DOMAINS, shares, strict=True)}
    others = {name: drawn(generator, held) for name in DOMAINS}
    return _problem(digits(given.images / 16), units, others, lambda unit: given.target[unit.kind])


def _problem(
    draw: Callable[[Unit, Manner], Floats],
    units: Mapping[str, Unit],
    others: Mapping[str, Unit],
    named: Callable[[Unit], Floats],
) -> Problem:
    return Problem(
        {name: draw(unit, MANNERS[name]) for name, unit in units.items()},
        {name: named(unit) for name, unit in units.items()},
        {(a, b): draw(others[a], MANNERS[b]) for a in DOMAINS for b in DOMAINS},
        {name: named(unit) for name, unit in others.items()},
    )


PROBLEMS = {"shapes": shapes_problem, "digits": digits_problem}


class Judge:
    """Measures of maps on a problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.shown = np.concatenate([problem.train[name].reshape(len(problem.train[name]), -1) for name in DOMAINS])
        self.domain = np.repeat(np.arange(len(DOMAINS)), [len(problem.train[name]) for name in DOMAINS])
        self.kinds = np.concatenate([problem.train_class[name] for name in DOMAINS])

    def voted(self, pictures: Floats) -> tuple[Floats, Floats]:
        """The domain and the class that most of the nearest training pictures have."""
        flat = pictures.reshape(len(pictures), -1)
        far = (self.shown**2).sum(1) - 2 * flat @ self.shown.T
        near = np.argpartition(far, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
        return _most(self.domain[near]), _most(self.kinds[near])

    def measures(self, moved: Map) -> dict[str, float]:
        """All measures, means over ordered pairs; the laws as the largest gap of any."""
        truth = self.problem.truth
        found: dict[str, list[float]] = {name: [] for name in MEASURES}
        for start, end in PAIRS:
            seen, there = truth[start, start], truth[start, end]
            image = moved(start, end, seen)
            domain, kind = self.voted(image)
            found["error"].append(float(((image - there) ** 2).mean()))
            found["hue"].append(float(np.abs((hues(image) - hues(there) + 180) % 360 - 180).mean()))
            found["effective"].append(float((domain == DOMAINS.index(end)).mean()))
            found["preserved"].append(float((kind == self.problem.classes[start]).mean()))
            (other,) = (name for name in DOMAINS if name not in (start, end))
            by_way = moved(other, end, moved(start, other, seen)) - image
            found["by way of"].append(max(_largest(by_way), _largest(moved(start, start, seen) - seen)))
            found["way back"].append(_largest(moved(end, start, image) - seen))
        joined = {name: float(np.mean(values)) for name, values in found.items()}
        return {**joined, **{name: max(found[name]) for name in ("by way of", "way back")}}

    def maps(self, fits: Mapping[str, Any]) -> Iterator[tuple[str, Map]]:
        """The trivial maps, the fitted ones, and the truth, which is no map of pictures."""
        means = {name: own.mean(0) for name, own in self.problem.train.items()}
        yield "identity", lambda start, end, seen: seen
        yield "shift", lambda start, end, seen: seen + means[end] - means[start]
        for name, fit in fits.items():
            yield name, lambda start, end, seen, fit=fit: fit.counterfactual(seen, start, end)

    def ceiling(self) -> dict[str, float]:
        """Effectiveness and preservation of the true counterfactuals."""
        votes = [(a, b, *self.voted(self.problem.truth[a, b])) for a, b in PAIRS]
        effective = [(domain == DOMAINS.index(b)).mean() for _, b, domain, _ in votes]
        preserved = [(kind == self.problem.classes[a]).mean() for a, _, _, kind in votes]
        return {"effective": float(np.mean(effective)), "preserved": float(np.mean(preserved))}


def _most(votes: Floats) -> Floats:
    """The commonest of each row's labels."""
    return np.array([np.bincount(row).argmax() for row in votes])


def _largest(values: Floats) -> float:
    return float(np.abs(values).max())


# ---------------------------------------------------------------------------------------------------------------------
# Pictures and tables


def sheet(problem: Problem, moved: Map, across: int = 12, pairs: int = 3) -> Floats:
    """For some pairs of domains three rows of pictures: as seen, as moved, and the truth; values cut to 0 to 1."""
    rows: list[Floats] = []
    for start, end in PAIRS[:: len(PAIRS) // pairs]:
        seen, there = problem.truth[start, start][:across], problem.truth[start, end][:across]
        for each in (seen, moved(start, end, seen), there):
            framed = np.pad(np.clip(each, 0, 1), ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=0.25)
            rows.append(np.concatenate(list(framed), 1))
        rows.append(np.full((3, rows[-1].shape[1], 3), 1.0))
    return np.concatenate(rows[:-1], 0)


def save(picture: Floats, path: Path, scale: int = 6) -> None:
    """Write a picture as PNG, every pixel enlarged."""
    import matplotlib.image

    path.parent.mkdir(parents=True, exist_ok=True)
    matplotlib.image.imsave(path, np.kron(picture, np.ones((scale, scale, 1))))


def judged(data: str, seed: int, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """The measures of every map on one problem."""
    problem = PROBLEMS[data](seed, options.images)
    judge = Judge(problem)
    fits = {
        design: fit_images(problem.train, design, k, steps=options.steps, seed=seed) for design, k in DESIGNS.items()
    }
    found = {name: judge.measures(moved) for name, moved in judge.maps(fits)}
    found["true"] = judge.ceiling()
    if options.sheet and seed == options.first:
        for name, moved in judge.maps(fits):
            save(sheet(problem, moved), Path(options.sheet) / f"{data}_{name}.png")
    told = ", ".join(f"{name} {own['error']:.5f}" for name, own in found.items() if "error" in own)
    print(f"  {data}, seed {seed}: {told}", file=sys.stderr, flush=True)
    return found


def table(data: str, options: argparse.Namespace) -> bool:
    """Print the table of one set of pictures; whether canonical is better than both trivial maps."""
    runs = [judged(data, seed, options) for seed in range(options.first, options.first + options.seeds)]
    print(f"\n{data}: {options.images} pictures a domain, {options.seeds} seeds, mean / median")
    print(f"{'':10}" + "".join(f"{name:>20}" for name in MEASURES))
    for name in runs[0]:
        cells: list[str] = []
        for measure in MEASURES:
            values = [run[name][measure] for run in runs if measure in run[name]]
            cells.append(_cell(measure, values))
        print(f"{name:10}" + "".join(f"{cell:>20}" for cell in cells), flush=True)
    means = {name: float(np.mean([run[name]["error"] for run in runs])) for name in runs[0] if name != "true"}
    worse = [name for name in ("identity", "shift") if means["canonical"] >= means[name]]
    order = sorted(means, key=lambda name: means[name])
    print(f"by mean error: {', '.join(order)}")
    return not worse


def _cell(measure: str, values: list[float]) -> str:
    if not values:
        return "-"
    form = {"error": ".4f", "hue": ".1f", "effective": ".3f", "preserved": ".3f"}.get(measure, ".0e")
    return f"{np.mean(values):{form}} / {np.median(values):{form}}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", choices=list(PROBLEMS), default=list(PROBLEMS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--images", type=int, default=2000, help="a domain")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--sheet", help="a folder for PNG sheets of the first seed: seen, moved, true")
    options = parser.parse_args()
    started = time.process_time()
    good = True
    for data in options.data:
        try:
            good &= table(data, options)
        except ModuleNotFoundError as error:
            print(f"{data} needs {error.name}: pip install 'suture[bench]'")
    print(f"{time.process_time() - started:.0f} s of CPU time")
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
