"""What is shipped: the wheel's content, the versions, the pinned dependencies, the commands that the pages promise."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

import suture

ROOT = Path(__file__).resolve().parent.parent
EXTRAS_OF_THE_PACKAGE = ("notebook", "png", "spark", "interop", "lsp", "mcp")
# A face is loaded by who asks for it: IPython, `suture lsp`, `suture mcp`.
FACES = ("jupyter_ext", "servers/language", "servers/mcp")
BESIDE = {"tests", "examples", "benchmarks", "docs", "editors", "build", "dist", "out"}


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of a copy of this repository, built by the back end that pip would call."""
    copy = tmp_path_factory.mktemp("wheel") / "checkout"
    ignored = shutil.ignore_patterns(".*", "build", "dist", "out", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT, copy, ignore=ignored)
    build = "import sys; from setuptools.build_meta import build_wheel; print(build_wheel(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", build, str(copy / "dist")], cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return zipfile.ZipFile(copy / "dist" / done.stdout.split()[-1])


def package_folders() -> list[Path]:
    """The folders at the root that belong to the package."""
    return [path for path in ROOT.iterdir() if path.is_dir() and path.name not in BESIDE and path.name[0] != "."]


def python_packages() -> set[str]:
    """Every folder that is a package, by name, the repository root being `suture`."""
    folders = [found.parent.relative_to(ROOT) for top in package_folders() for found in top.rglob("__init__.py")]
    return {"suture"} | {".".join(("suture", *folder.parts)) for folder in folders}


def test_every_package_is_listed(project: dict[str, Any]) -> None:
    assert set(project["tool"]["setuptools"]["packages"]) == python_packages()


def test_wheel_holds_the_package(wheel: zipfile.ZipFile, project: dict[str, Any]) -> None:
    names = set(wheel.namelist())
    for package in project["tool"]["setuptools"]["packages"]:
        folder = ROOT.joinpath(*package.split(".")[1:])
        inside = package.replace(".", "/")
        assert {f"{inside}/{path.name}" for path in folder.glob("*.py")} <= names
        for kind in ("lark", "json", "js", "css"):
            assert {f"{inside}/{path.name}" for path in folder.glob(f"*.{kind}")} <= names
    assert {"suture/py.typed", "suture/dsl/suture.lark", "suture/jupyter_ext/widget.js"} <= names


def test_wheel_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith((".dist-info", ".data"))} == {"suture"}
    assert [name for name in names if name.split("/")[1] in BESIDE] == []


def test_wheel_brings_the_extension_to_where_jupyterlab_looks(wheel: zipfile.ZipFile) -> None:
    source, data = ROOT / "jupyter_ext" / "labextension", r"suture-[^/]+\.data/data/share/jupyter/labextensions/suture/"
    found = {re.sub(data, "", name): wheel.read(name) for name in wheel.namelist() if ".data/" in name}
    assert found == {str(file.relative_to(source)): file.read_bytes() for file in source.rglob("*.*")}
    package = json.loads(found["package.json"])
    assert (package["name"], package["version"]) == ("suture", suture.__version__)
    assert package["jupyterlab"]["_build"]["load"] in found


def test_this_installation_has_the_extension_in_place() -> None:
    linked = Path(sys.prefix) / "share" / "jupyter" / "labextensions" / "suture" / "package.json"
    assert linked.is_file(), "`make venv` links it there"


def test_wheel_carries_command_and_licence(wheel: zipfile.ZipFile) -> None:
    read = {name.split("/", 1)[1]: wheel.read(name).decode() for name in wheel.namelist() if ".dist-info/" in name}
    assert "suture = suture.cli:main" in read["entry_points.txt"]
    assert "suture = suture.jupyter_ext.pygments_lexer:SutureLexer" in read["entry_points.txt"]
    assert read["licenses/LICENSE"].startswith("MIT License")


def test_one_version(project: dict[str, Any], wheel: zipfile.ZipFile) -> None:
    version = project["project"]["version"]
    assert getattr(suture, "__version__", None) == version
    assert importlib.metadata.version("suture") == version
    assert Path(wheel.filename or "").name.startswith(f"suture-{version}-")


def test_command_prints_the_version(project: dict[str, Any]) -> None:
    command = Path(sys.executable).parent / "suture"
    done = subprocess.run([command, "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout.split()[-1:]) == (0, [project["project"]["version"]])


def pins() -> dict[str, Version]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    matches = [re.fullmatch(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.+!]+)", line) for line in lines]
    assert all(matches), "a line of constraints.txt is a name and an exact version, nothing else"
    return {canonicalize_name(match[1]): Version(match[2]) for match in matches if match}


def requirements(project: dict[str, Any], *extras: str) -> list[Requirement]:
    optional = project["project"]["optional-dependencies"]
    listed = project["project"]["dependencies"] + [line for extra in extras for line in optional[extra]]
    return [Requirement(line) for line in listed]


def test_pins_cover_what_the_tests_install(project: dict[str, Any]) -> None:
    pinned = pins()
    for requirement in requirements(project, "dev"):
        assert pinned[canonicalize_name(requirement.name)] in requirement.specifier


def test_what_is_pinned_runs_on_the_oldest_python() -> None:
    """Debian 12 has Python 3.11.2: a pin that asks for a later 3.11 would leave its users without an installation."""
    pinned = pins()
    asks = {
        canonicalize_name(found.name): found.metadata["Requires-Python"]
        for found in importlib.metadata.distributions()
        if str(pinned.get(canonicalize_name(found.name))) == found.version and found.metadata["Requires-Python"]
    }
    assert len(asks) > 20
    assert {name: said for name, said in asks.items() if "3.11.2" not in SpecifierSet(said)} == {}


def third_party(tree: ast.AST) -> set[str]:
    """The packages outside this one and the standard library that a tree imports by name."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return {name.lower() for name in names - sys.stdlib_module_names}


def sources() -> dict[str, ast.Module]:
    files = [*ROOT.glob("*.py"), *(file for top in package_folders() for file in top.rglob("*.py"))]
    return {str(file.relative_to(ROOT)): ast.parse(file.read_text(encoding="utf-8")) for file in sorted(files)}


def test_what_is_imported_is_declared(project: dict[str, Any]) -> None:
    declared = {requirement.name for requirement in requirements(project, *EXTRAS_OF_THE_PACKAGE)}
    imported = {name: third_party(tree) for name, tree in sources().items()}
    assert {"numpy", "lark", "duckdb"} <= set().union(*imported.values())
    assert {name: found - declared for name, found in imported.items() if found - declared} == {}


def test_an_extra_is_never_needed_to_load(project: dict[str, Any]) -> None:
    """What a module of the package imports at its top is there after a bare installation; faces aside."""
    bare = {requirement.name for requirement in requirements(project)}
    needed = {
        name: set().union(*(third_party(node) for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))))
        for name, tree in sources().items()
        if not name.startswith(FACES)
    }
    assert {name: found - bare for name, found in needed.items() if found - bare} == {}


def test_reason_for_each_dependency(project: dict[str, Any]) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    extras = project["project"]["optional-dependencies"]
    names = {requirement.name for requirement in requirements(project, *extras)}
    assert sorted(name for name in names if f"`{name}`" not in text) == []


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_pages_name_make_targets_that_exist(page: str) -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"\bmake (\w+)\b`?", " ".join(code_in(ROOT / page))))
    assert named
    assert named <= targets


def code_in(page: Path) -> list[str]:
    """What stands in code, inline and fenced, in a Markdown page."""
    return re.findall(r"```.*?```|`[^`\n]+`", page.read_text(encoding="utf-8"), re.DOTALL)
