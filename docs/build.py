"""Writes the generated pages of the documentation and checks every page: `make docs`.

Generated are `errors.md` (from the pages of `suture explain`), what stands between the marks of `reference.md` (from
the grammar), `library.md` (from docstrings), `tutorial.ipynb` (from `tutorial.md`) and the pictures.  In every Markdown
page each relative link must lead to a file, each anchor to a heading, and each fenced block must do what the page shows
(`blocks.py`).

`--check` writes nothing, and says what differs.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import blocks
import library_page
import notebooks
import reference

from suture.dsl.explanations import codes, explain

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
NOTICE = "<!-- Written by `make docs` from dsl/explanations.py; change it there. -->"

LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)|!\[[^\]\n]*\]\(([^)\s]+)\)|<img [^>]*src=\"([^\"]+)\"")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


def errors_page() -> str:
    """Every error code with its page, in the order of the codes; a page's first line is its heading."""
    sections = [f"## {(explain(code) or code).strip()}\n" for code in codes()]
    start = "# Errors\n\nWhat `suture explain CODE` prints.\n"
    return "\n".join([NOTICE, start, *sections])


def generated() -> dict[Path, str]:
    """The generated pages with what they should hold."""
    return {
        DOCS / "errors.md": errors_page(),
        DOCS / "reference.md": reference.page(ROOT),
        DOCS / "library.md": library_page.page(),
    }


def pages() -> list[Path]:
    """Every Markdown page of the project."""
    return sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "examples").rglob("*.md")])


def anchors(text: str) -> set[str]:
    """The names of the headings of a page; what stands in its fenced blocks is none."""
    return {reference.anchor(heading) for heading in HEADING.findall(blocks.prose(text))}


def broken_links(page: Path) -> Iterator[str]:
    """Links of a page that lead nowhere; links to other sites are not followed."""
    text = blocks.prose(page.read_text(encoding="utf-8"))
    for found in LINK.finditer(text):
        target = next(group for group in found.groups() if group)
        if re.match(r"\w+:", target):
            continue
        path, _, name = target.partition("#")
        file = (page.parent / path) if path else page
        if not file.exists():
            yield f"{page.relative_to(ROOT)}: {target} does not exist"
        elif name and file.suffix == ".md" and name not in anchors(file.read_text(encoding="utf-8")):
            yield f"{page.relative_to(ROOT)}: {target} has no such heading"


def broken_blocks(page: Path, slow: bool = True, write: bool = False) -> Iterator[str]:
    """What does not happen as the page shows it; blocks marked `slow` may be left out, pictures drawn anew."""
    name, text = str(page.relative_to(ROOT)), page.read_text(encoding="utf-8")
    yield from blocks.faults(name, text, ROOT / "examples", slow, page.parent, write)


def unreachable() -> list[Path]:
    """Pages of `docs` to which no chain of links leads from the README."""
    seen, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        for found in LINK.finditer(blocks.prose(page.read_text(encoding="utf-8"))):
            target = next(group for group in found.groups() if group).partition("#")[0]
            if target and not re.match(r"\w+:", target):
                waiting.append((page.parent / target).resolve())
    return [page for page in pages() if DOCS in page.parents and page not in seen]


def stale() -> list[Path]:
    """Generated pages and notebooks that do not hold what they should."""
    old = [path for path, text in generated().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    return [*old, *(notebooks.file_of(page) for page in notebooks.PAGES if notebooks.stale(page))]


def main(arguments: list[str]) -> int:
    """Writes (or with `--check` compares) generated pages and pictures, checks every page, and says what is wrong.

    Pages named on the command line are run alone.
    """
    write = "--check" not in arguments
    named = [Path(name).resolve() for name in arguments if not name.startswith("-")]
    if write:
        for path, text in generated().items():
            path.write_text(text, encoding="utf-8")
        for page in notebooks.PAGES:
            if not named or notebooks.stale(page):
                notebooks.write(page)
    chosen = named or pages()
    faults = [f"{path.relative_to(ROOT)} is out of date; run `make docs`" for path in stale()]
    faults += [f"docs/reference.md does not have the form {name}" for name in reference.missing(ROOT)]
    faults += [f"{path.relative_to(ROOT)} cannot be reached from README.md" for path in unreachable()]
    faults += [fault for page in chosen for fault in broken_blocks(page, write=write)]
    faults += [fault for page in chosen for fault in broken_links(page)]
    print("\n".join(faults) if faults else f"{len(chosen)} pages, every link, program, picture and answer holds")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
