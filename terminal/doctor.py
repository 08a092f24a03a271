"""What `suture doctor` looks at: the interpreter, the packages suture needs, and those that extras bring."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

NEEDED = ("numpy", "sympy", "jax", "lark", "pygraphviz", "duckdb")
EXTRAS = {
    "matplotlib": "pictures as PNG: pip install 'suture[png]'",
    "pygls": "the language server: pip install 'suture[lsp]'",
    "mcp": "the tools of agents: pip install 'suture[mcp]'",
    "jupyterlab": "the notebook: pip install 'suture[notebook]'",
    "pandas": "data frames: pip install 'suture[interop]'",
    "polars": "data frames: pip install 'suture[interop]'",
    "pyarrow": "data frames: pip install 'suture[interop]'",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    name: str
    good: bool
    detail: str
    needed: bool = True


def findings() -> Iterator[Finding]:
    """Everything looked at, what is needed first."""
    yield Finding("python", True, platform.python_version())
    for name in NEEDED:
        version = _version(name)
        yield Finding(name, version is not None, version or f"needed: pip install {name}")
    yield _graphviz()
    yield _accelerator()
    for name, use in EXTRAS.items():
        version = _version(name)
        yield Finding(name, version is not None, version or use, needed=False)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _graphviz() -> Finding:
    """Whether Graphviz can place a picture: the package alone says little, its libraries must load."""
    from ..dsl.diagnostics import SutureError
    from ..dsl.diagram import model_diagram
    from ..dsl.drawing import diagram_scene

    try:
        diagram_scene(model_diagram({"X": (), "Y": ("X",)}))
    except SutureError as error:
        help = error.diagnostics[0].help
        return Finding("graphviz", False, f"{error.diagnostics[0].message}{'; ' + help if help else ''}")
    return Finding("graphviz", True, "draws")


def _accelerator() -> Finding:
    """The devices JAX computes on."""
    try:
        import jax

        devices = ", ".join(str(device) for device in jax.devices())
    except Exception as error:  # JAX raises many kinds of errors when a driver is broken
        return Finding("jax devices", False, f"{type(error).__name__}: {error}", needed=False)
    return Finding("jax devices", True, devices, needed=False)
