"""suture: causal questions in a small language, answered by surgery on string diagrams, with a proof for every answer.

The names below are the public face; each is imported at its first use, so that `import suture` costs nothing.

    import suture

    suture.Model("X -> M -> Y ; X <-> Y").identify("P(Y | do(X))")
    suture.run(open("smoking.suture").read())
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .answers.answer import Answer, Answers, Status
    from .dsl.diagnostics import SutureError
    from .engine import run
    from .inference import Engine
    from .latent_models import LatentModel
    from .library import Model, run_file
    from .semantics.budget import Budget, limited
    from .semantics.fitting.domain_fit import fit_designs, fit_domains
    from .semantics.fitting.image_fit import fit_images
    from .semantics.networks.batches import Batch, Likelihood

__version__ = "0.1.0"

_HOME = {
    "Answer": ".answers.answer",
    "Answers": ".answers.answer",
    "Batch": ".semantics.networks.batches",
    "Budget": ".semantics.budget",
    "Engine": ".inference",
    "LatentModel": ".latent_models",
    "Likelihood": ".semantics.networks.batches",
    "Model": ".library",
    "Status": ".answers.answer",
    "SutureError": ".dsl.diagnostics",
    "fit_designs": ".semantics.fitting.domain_fit",
    "fit_domains": ".semantics.fitting.domain_fit",
    "fit_images": ".semantics.fitting.image_fit",
    "limited": ".semantics.budget",
    "run": ".engine",
    "run_file": ".library",
}

__all__ = [
    "Answer",
    "Answers",
    "Batch",
    "Budget",
    "Engine",
    "LatentModel",
    "Likelihood",
    "Model",
    "Status",
    "SutureError",
    "fit_designs",
    "fit_domains",
    "fit_images",
    "limited",
    "run",
    "run_file",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
