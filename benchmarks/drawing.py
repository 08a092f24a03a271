"""How long a string diagram takes to draw: median CPU milliseconds for 10, 37 and 100 boxes, layout and each printer.

Run it from the repository root: `.venv/bin/python benchmarks/drawing.py`.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
from collections.abc import Callable
from functools import partial
from time import process_time
from typing import TypeVar

from suture.dsl.diagram import Diagram, model_diagram
from suture.dsl.drawing import causal_graph_scene, diagram_scene, png, surgery_scene, svg, tikz

SIZES = (10, 37, 100)
MODELS = 5
Result = TypeVar("Result")


def random_model(boxes: int, seed: int) -> Diagram:
    """A random model of that many boxes, one in six a latent common cause of two; about 1.3 parents a variable."""
    generator = random.Random(seed)
    latent = [f"U{number}" for number in range(boxes // 6)]
    names = [f"V{number}" for number in range(boxes - len(latent))]
    parents: dict[str, list[str]] = {name: [] for name in latent}
    for place, name in enumerate(names):
        parents[name] = [names[other] for other in range(place) if generator.random() < 2.6 / len(names)]
    for cause in latent:
        for child in generator.sample(names, 2):
            parents[child].append(cause)
    return model_diagram(parents, latent)


def milliseconds(work: Callable[[], Result]) -> tuple[float, Result]:
    """CPU time of one call, with its result."""
    start = process_time()
    result = work()
    return 1000 * (process_time() - start), result


def measure(boxes: int) -> dict[str, float]:
    """Median milliseconds of each job over several random models."""
    times: dict[str, list[float]] = {}

    def job(name: str, work: Callable[[], Result]) -> Result:
        spent, result = milliseconds(work)
        times.setdefault(name, []).append(spent)
        return result

    for seed in range(MODELS):
        diagram = random_model(boxes, seed)
        scene = job("layout", partial(diagram_scene, diagram))
        job("svg", partial(svg, scene))
        job("tikz", partial(tikz, scene))
        job("png", partial(png, scene))
        job("surgery", partial(surgery_scene, diagram, {diagram.wires[-1].name: None}))
        job("graph", partial(causal_graph_scene, diagram))
    return {name: round(statistics.median(spent), 1) for name, spent in times.items()}


def main() -> None:
    """Print a table, or JSON with `--json`."""
    diagram_scene(random_model(3, 0))  # loads Graphviz
    png(diagram_scene(random_model(3, 0)))  # loads matplotlib
    results = {boxes: measure(boxes) for boxes in SIZES}
    if "--json" in sys.argv[1:]:
        print(json.dumps({"unit": "CPU ms, median", "drawing": results}))
        return
    jobs = list(results[SIZES[0]])
    print("boxes " + "".join(f"{job:>10}" for job in jobs))
    for boxes, row in results.items():
        print(f"{boxes:>5} " + "".join(f"{row[job]:>10.1f}" for job in jobs))


if __name__ == "__main__":
    main()
