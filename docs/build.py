"""Writes the generated pages of the documentation and checks the others: `make docs`.

`errors.md` comes from the pages of `suture explain`.  In every Markdown page each relative link must lead to a file,
each anchor to a heading, and each fenced `suture` program must read and resolve; a fenced `answer` must be what comes
of the program before it, a line `...` standing for lines left out.  Fenced `python` runs, and a fenced `output` is what
it prints.  `--check` writes nothing, and says what differs.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import suture
from suture.dsl.diagnostics import SutureError
from suture.dsl.explanations import codes, explain
from suture.dsl.program_files import read_program
from suture.dsl.source import Source

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
NOTICE = "<!-- Written by `make docs` from dsl/explanations.py; change it there. -->"

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)|!\[[^\]\n]*\]\(([^)\s]+)\)|<img [^>]*src=\"([^\"]+)\"")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


def errors_page() -> str:
    """Every error code with its page, in the order of the codes; a page's first line is its heading."""
    sections = [f"## {(explain(code) or code).strip()}\n" for code in codes()]
    start = "# Errors\n\nWhat `suture explain CODE` prints.\n"
    return "\n".join([NOTICE, start, *sections])


def generated() -> dict[Path, str]:
    """The generated pages with what they should hold."""
    return {DOCS / "errors.md": errors_page()}


def pages() -> list[Path]:
    """Every Markdown page of the project."""
    return sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "examples").rglob("*.md")])


def anchor(heading: str) -> str:
    """The name by which a heading can be linked to."""
    kept = re.sub(r"[^\w\- ]", "", heading.lower())
    return kept.strip().replace(" ", "-")


def broken_links(page: Path) -> Iterator[str]:
    """Links of a page that lead nowhere; links to other sites are not followed."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for found in LINK.finditer(text):
        target = next(group for group in found.groups() if group)
        if re.match(r"\w+:", target):
            continue
        path, _, name = target.partition("#")
        file = (page.parent / path) if path else page
        if not file.exists():
            yield f"{page.relative_to(ROOT)}: {target} does not exist"
        elif name and name not in map(anchor, HEADING.findall(file.read_text(encoding="utf-8"))):
            yield f"{page.relative_to(ROOT)}: {target} has no such heading"


def broken_programs(page: Path) -> Iterator[str]:
    """Programs of a page that do not read or do not resolve, with their errors."""
    for number, (language, body) in enumerate(FENCE.findall(page.read_text(encoding="utf-8")), 1):
        if language == "suture":
            source = Source(body, f"{page.relative_to(ROOT)}, block {number}")
            try:
                read_program(source, ROOT / "examples")
            except SutureError as error:
                yield error.render()


def wrong_answers(page: Path) -> Iterator[str]:
    """Answers shown on a page that are not what comes of the program before them."""
    program = ""
    for language, body in FENCE.findall(page.read_text(encoding="utf-8")):
        if language == "suture":
            program = body
        elif language == "answer":
            shown = str(suture.run(program, ROOT / "examples"))
            if not shows(body, shown):
                yield f"{page.relative_to(ROOT)}: the answer shown is not what comes of the program:\n{shown}"


def failing_python(page: Path) -> Iterator[str]:
    """Python programs of a page that fail, run one after the other in one namespace; a fenced `output` must be what the
    program before it prints.
    """
    names: dict[str, object] = {"__name__": "page"}
    printed = ""
    for number, (language, body) in enumerate(FENCE.findall(page.read_text(encoding="utf-8")), 1):
        if language == "python":
            output = io.StringIO()
            try:
                with contextlib.redirect_stdout(output):
                    exec(compile(body, f"{page.name}, block {number}", "exec"), names)
            except Exception as error:
                yield f"{page.relative_to(ROOT)}, block {number}: {type(error).__name__}: {error}"
            printed = output.getvalue()
        elif language == "output" and not shows(body, printed):
            yield f"{page.relative_to(ROOT)}, block {number}: this is not what the program before it prints:\n{printed}"


def shows(excerpt: str, whole: str) -> bool:
    """Whether `excerpt` is `whole`, each line `...` in it standing for any number of lines."""
    pieces = [re.escape(piece) for piece in re.split(r"^\.\.\.\n", excerpt, flags=re.MULTILINE)]
    return re.fullmatch(r"(?:.*\n)*?".join(pieces), whole.rstrip("\n") + "\n") is not None


def stale() -> list[Path]:
    """Generated pages that do not hold what they should."""
    return [path for path, text in generated().items() if not path.exists() or path.read_text(encoding="utf-8") != text]


CHECKS = (broken_links, broken_programs, wrong_answers, failing_python)


def main(arguments: list[str]) -> int:
    """Writes (or with `--check` compares) the generated pages, checks the others, and says what is wrong."""
    if "--check" not in arguments:
        for path, text in generated().items():
            path.write_text(text, encoding="utf-8")
    faults = [f"{path.relative_to(ROOT)} is out of date; run `make docs`" for path in stale()]
    faults += [fault for page in pages() for check in CHECKS for fault in check(page)]
    print("\n".join(faults) if faults else f"{len(pages())} pages, every link, program and answer holds")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
