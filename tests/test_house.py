"""The rules of the house: imports point down one tower, nothing is unfinished, every example in a docstring runs."""

from __future__ import annotations

import ast
import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import pytest

import suture

ROOT = Path(__file__).resolve().parent.parent

# From the ground up; a part may import those below it, and itself.  `suture` is the public face, __init__.py.
TOWER = (
    ("dsl",),
    ("semantics",),
    ("identify",),
    ("answers",),
    ("engine",),
    ("latent_models", "library"),
    ("inference",),
    ("servers", "terminal"),
    ("cli", "jupyter_ext", "suture"),
)
LEVEL = {part: level for level, parts in enumerate(TOWER) for part in parts}
HEAVY = ("jax", "numpy", "pygraphviz", "sympy", "duckdb", "pandas", "networkx", "matplotlib")
LONG = {"suture.dsl.tree"}  # one small class a grammar rule: as long as the language
OPTIONAL = ("IPython", "anywidget", "ipykernel", "pyspark", "lsprotocol", "pygls", "mcp")


def module_names() -> list[str]:
    """Every module of the package, `suture` first, in order."""
    return ["suture", *sorted(info.name for info in pkgutil.walk_packages(suture.__path__, "suture."))]


MODULES = module_names()


def file_of(module: str) -> Path:
    path = ROOT.joinpath(*module.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def part_of(module: str) -> str:
    return module.split(".")[1] if "." in module else module


def imports(module: str, tree: ast.AST) -> Iterator[tuple[str, int]]:
    """What a module imports of the package, lazily or for types alone as well, with the line: the absolute names."""
    inside = file_of(module).name == "__init__.py"
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names if alias.name.split(".")[0] == "suture")
        elif isinstance(node, ast.ImportFrom):
            up = node.level - 1 if inside else node.level
            parents = module.split(".")[: len(module.split(".")) - up] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            if base.split(".")[0] == "suture":
                for alias in node.names:
                    inner = f"{base}.{alias.name}"
                    yield (inner if inner in MODULES else base), node.lineno


def trees() -> dict[str, ast.Module]:
    return {module: ast.parse(file_of(module).read_text(encoding="utf-8")) for module in MODULES}


TREES = trees()
EDGES = [(module, found, line) for module, tree in TREES.items() for found, line in imports(module, tree)]


def test_walk_sees_the_package_and_nothing_else() -> None:
    parts = {part_of(module) for module in MODULES}
    assert {"dsl", "semantics", "identify"} <= parts
    assert parts <= set(LEVEL), f"give {sorted(parts - set(LEVEL))} a place in TOWER"
    assert len(EDGES) > 10


def test_import_reader_knows_every_form() -> None:
    text = """
import suture.dsl.diagram
from ..dsl import diagram, formula as f
from ..dsl.source import Source
from . import derivation
def late():
    from ..dsl.program import Model
import numpy
"""
    found = [name for name, _ in imports("suture.identify.derivation", ast.parse(text))]
    assert sorted(found) == sorted(
        [
            "suture.dsl.diagram",
            "suture.dsl.diagram",
            "suture.dsl.formula",
            "suture.dsl.source",
            "suture.identify.derivation",
            "suture.dsl.program",
        ]
    )


def test_imports_point_down_the_tower() -> None:
    upward = [
        f"{file_of(module).relative_to(ROOT)}:{line} imports {found}"
        for module, found, line in EDGES
        if LEVEL[part_of(found)] > LEVEL[part_of(module)]
    ]
    assert upward == []


def test_no_import_cycle_lazy_ones_included() -> None:
    graph = nx.DiGraph((module, found) for module, found, _ in EDGES if module != found)
    cycles = [sorted(component) for component in nx.strongly_connected_components(graph) if len(component) > 1]
    assert sorted(cycles) == []


def test_a_file_never_imports_the_package_by_name() -> None:
    absolute: list[str] = []
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            heads = {name.split(".")[0] for name in names}
            absolute += [f"{module}: {head}" for head in heads & ({"suture"} | set(LEVEL))]
    assert absolute == []


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter holds after `code`."""
    program = f"{code}\nimport sys; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def test_dsl_loads_nothing_heavy() -> None:
    dsl = [module for module in MODULES if part_of(module) == "dsl"]
    loaded = loaded_by("import " + ", ".join(dsl))
    assert "suture" in loaded
    assert sorted(loaded & set(HEAVY)) == []


def test_importing_suture_loads_nothing_heavy() -> None:
    assert sorted(loaded_by("import suture") & set(HEAVY)) == []


def imported_by_command(*arguments: str) -> set[str]:
    """The top-level modules imported by one call of the installed `suture` command."""
    command = Path(sys.executable).parent / "suture"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", str(command), *arguments], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    names = re.findall(r"^import time:.*\|\s*([\w.]+)$", done.stderr, re.MULTILINE)
    return {name.split(".")[0] for name in names}


def test_check_starts_light() -> None:
    loaded = imported_by_command("check", "examples/smoking.suture")
    assert "suture" in loaded
    assert sorted(loaded & set(HEAVY)) == []


def test_version_starts_light() -> None:
    loaded = imported_by_command("--version")
    assert "suture" in loaded
    assert sorted(loaded & {*HEAVY, "lark"}) == []


# ---------------------------------------------------------------------------------------------------------------------
# Finished


def our_files(*suffixes: str) -> list[Path]:
    """Every file that we write, by suffix: what git would track, whether or not this is a checkout."""
    folders = [ROOT / name for name in ("dsl", "semantics", "identify", "jupyter_ext", "tests", "benchmarks", "docs")]
    folders += [ROOT / "examples", ROOT / ".ci"]
    # In a linked worktree `.git` is a file, which says where the repository is.
    files = [path for path in ROOT.iterdir() if path.is_file() and path.name != ".git"]
    files += [path for folder in folders if folder.is_dir() for path in folder.rglob("*") if path.is_file()]
    return sorted(path for path in files if path.suffix in suffixes and "__pycache__" not in path.parts)


def test_nothing_is_left_unfinished() -> None:
    marks = re.compile(
        r"\b(?:" + "|".join(["TO" + "DO", "FIX" + "ME", "HA" + "CK", "NotImplemented" + "Error"]) + r")\b"
    )
    files = our_files(".py", ".lark", ".md", ".toml")
    assert len(files) > 20
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if marks.search(line)
    ]
    assert found == []


def test_no_path_of_one_machine_and_no_registry_host() -> None:
    hosts = ["pyp" + "i.org", "python" + "hosted", "registry.n" + "pmjs", "deb.deb" + "ian"]
    places = [r"(?<![\w.])/" + folder + "/" for folder in ("ro" + "ot", "wo" + "rk", "ho" + r"me/\w+")]
    forbidden = re.compile("|".join([re.escape(host) for host in hosts] + places))
    files = [*our_files(".py", ".md", ".toml", ".txt", ".suture", ".csv", ""), ROOT / ".ci" / "setup"]
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in files
        if (match := forbidden.search(path.read_text(encoding="utf-8", errors="replace")))
    ]
    assert found == []


def test_no_module_and_few_functions_are_long() -> None:
    long = [module for module in MODULES if len(file_of(module).read_text(encoding="utf-8").splitlines()) > 600]
    assert set(long) <= LONG
    functions = [
        node
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    lengths = sorted((node.end_lineno or 0) - node.body[0].lineno + 1 for node in functions)
    assert lengths[len(lengths) * 9 // 10] <= 40


# ---------------------------------------------------------------------------------------------------------------------
# Examples in docstrings


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name: str) -> None:
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as missing:
        if missing.name not in OPTIONAL:
            raise
        pytest.skip(f"{missing.name} is not installed")
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0, f"{result.failed} of {result.attempted} examples of {name} fail (shown above)"


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    examples = sum(len(found.examples) for found in finder.find(importlib.import_module("suture.dsl.diagram")))
    assert examples >= 2


def test_tower_is_the_one_written_down() -> None:
    """CONTRIBUTING.md shows the tower to newcomers; it must be this one."""
    written = " <- ".join(", ".join(part for part in parts if part != "suture") for parts in TOWER)
    assert written in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
