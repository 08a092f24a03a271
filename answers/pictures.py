"""Which picture a `show` statement or the `show` command asks for: diagrams, surgery with its combs, twin worlds,
graphs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..dsl.diagnostics import Diagnostic, SutureError, did_you_mean, one_of
from ..dsl.diagram import Diagram, prune
from ..dsl.drawing import Scene, causal_graph_scene, diagram_scene, row_scene, surgery_scene
from ..dsl.formula import Formula, kernels
from ..dsl.program import Model, Program, Show
from ..dsl.worlds import in_world, parallel_worlds
from ..identify.comb_diagram import comb_diagram

# Beyond this many boxes the third panel of a surgery, its combs, would make the row too wide to read.
COMB_LIMIT = 12


def picture(model: Model, statement: Show) -> Scene:
    """The picture of one `show` statement."""
    if statement.worlds is not None:
        return worlds_scene(model.diagram, statement.worlds.formula)
    if statement.do:
        values = {term.variable: term.value if isinstance(term.value, str) else None for term in statement.do}
        return surgery_with_combs(model.diagram, values)
    return diagram_scene(model.diagram)


def surgery_with_combs(diagram: Diagram, do: Mapping[str, str | None]) -> Scene:
    """Before and after surgery and, where one comb answers the effect of a single variable, the combs."""
    combs = None
    if len(do) == 1 and len(diagram.boxes) <= COMB_LIMIT:
        ((variable, value),) = do.items()
        combs = comb_diagram(diagram, variable, value)
    return surgery_scene(diagram, do, combs)


def worlds_scene(diagram: Diagram, formula: Formula) -> Scene:
    """The parallel worlds that a counterfactual query compares, what they share drawn once."""
    terms = [in_world(term, kernel.do) for kernel in kernels(formula) for term in kernel.outcomes + kernel.given]
    unique = list(dict.fromkeys(replace(term, value=None) for term in terms))
    return diagram_scene(prune(parallel_worlds(diagram, unique).diagram))


def chosen_model(program: Program, name: str | None) -> Model:
    """The model of that name, or the only one there is.  Raises `SutureError` where that is none or not clear."""
    known = one_of(list(program.models))
    if name is None:
        if len(program.models) != 1:
            fact = f"the program has several models: {known}" if program.models else "the program has no model"
            raise SutureError(Diagnostic("S108" if program.models else "S109", fact, help="name one"))
        return next(iter(program.models.values()))
    if name not in program.models:
        hint = did_you_mean(name, program.models) or f"the models are {known}"
        raise SutureError(Diagnostic("S101", f"unknown model '{name}'", help=hint))
    return program.models[name]


def program_scene(program: Program, name: str | None = None, graph: bool = False) -> Scene:
    """One picture of what a program shows: its `show` statements in a row, or its models where it has none.

    With `name` that model alone.  Raises `SutureError` where there is nothing to draw.
    """
    if name is not None:
        chosen_model(program, name)
    statements = [statement for statement in program.statements if isinstance(statement, Show)]
    if name is None and not graph and statements:
        scenes = [picture(program.models[statement.model], statement) for statement in statements]
    else:
        models = [program.models[name]] if name is not None else list(program.models.values())
        scenes = [causal_graph_scene(m.diagram) if graph else diagram_scene(m.diagram) for m in models]
    if not scenes:
        raise SutureError(Diagnostic("S410", "the program has nothing to show", help="write a model"))
    return scenes[0] if len(scenes) == 1 else row_scene(scenes, [""] * (len(scenes) - 1), [""] * len(scenes))
