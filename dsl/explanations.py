"""Pages of the diagnostics: what a code means, a program that triggers it, how to mend it (`suture explain S104`)."""

from __future__ import annotations

from .explanation_pages import PAGES as WRITING
from .explanation_pages import Page
from .explanation_pages_asking import PAGES as ASKING
from .explanation_pages_batches import PAGES as BATCHES
from .explanation_pages_bounds import PAGES as BOUNDS
from .explanation_pages_environments import PAGES as ENVIRONMENTS
from .explanation_pages_exchange import PAGES as EXCHANGE
from .explanation_pages_gaussian import PAGES as GAUSSIAN
from .explanation_pages_latent import PAGES as LATENT
from .explanation_pages_predictors import PAGES as PREDICTORS

PAGES: dict[str, Page] = {
    **WRITING,
    **EXCHANGE,
    **ASKING,
    **BATCHES,
    **BOUNDS,
    **GAUSSIAN,
    **LATENT,
    **PREDICTORS,
    **ENVIRONMENTS,
}


def codes() -> tuple[str, ...]:
    """Every code that has a page, in order."""
    return tuple(sorted(PAGES))


def explain(code: str) -> str | None:
    """The page of a code as text, or None where there is no such code; `s104` is read as `S104`.

    >>> print((explain("S205") or "").splitlines()[0])
    S205: a variable is its own cause
    """
    page = PAGES.get(code.upper())
    if page is None:
        return None
    example = "".join(f"    {line}\n" for line in page.example.strip("\n").split("\n")) if page.example else ""
    shown = f"\nFor example:\n\n{example}" if example else ""
    return f"{code.upper()}: {page.title}\n\n{page.meaning}\n{shown}\nTo mend it: {page.mending}\n"
