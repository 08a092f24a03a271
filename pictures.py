"""Which picture a `show` statement or the `show` command asks for: diagrams, surgery with its combs, twin worlds, graphs."""

from __future__ import annotations

from .dsl.diagnostics import Diagnostic, SutureError, did_you_mean, one_of
from .dsl.drawing import Scene, causal_graph_scene, diagram_scene, row_scene, surgery_scene
from .dsl.program import Model, Program, Show


def picture(model: Model, statement: Show) -> Scene:
    """The picture of one `show` statement."""
    if statement.worlds is not None:
        raise SutureError(
            Diagnostic("S501", "'show .. worlds' is not built yet", statement.span, "asks for a picture of worlds")
        )
    if statement.do:
        do = {term.variable: term.value if isinstance(term.value, str) else None for term in statement.do}
        return surgery_scene(model.diagram, do)
    return diagram_scene(model.diagram)


def program_scene(program: Program, name: str | None = None, graph: bool = False) -> Scene:
    """One picture of what a program shows: its `show` statements in a row, or its models where it has none.

    With `name` that model alone.  Raises `SutureError` where there is nothing to draw.
    """
    if name is not None and name not in program.models:
        hint = did_you_mean(name, program.models) or f"the models are {one_of(list(program.models))}"
        raise SutureError(Diagnostic("S101", f"unknown model '{name}'", help=hint))
    statements = [statement for statement in program.statements if isinstance(statement, Show)]
    if name is None and not graph and statements:
        scenes = [picture(program.models[statement.model], statement) for statement in statements]
    else:
        models = [program.models[name]] if name is not None else list(program.models.values())
        scenes = [causal_graph_scene(m.diagram) if graph else diagram_scene(m.diagram) for m in models]
    if not scenes:
        raise SutureError(Diagnostic("S410", "the program has nothing to show", help="write a model"))
    return scenes[0] if len(scenes) == 1 else row_scene(scenes, [""] * (len(scenes) - 1), [""] * len(scenes))
