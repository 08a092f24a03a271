"""Pages of the diagnostics of bounds."""

from __future__ import annotations

from .explanation_pages import Page

PAGES: dict[str, Page] = {
    "S440": Page(
        "the data contradict the model",
        "No latent causes, whatever they are, make a model with these arrows give these probabilities: an instrumental "
        "inequality or the like is violated. The message says how far the nearest possible probabilities are.",
        "",
        "look for a missing arrow or latent cause; where the distance is that of sampling error, allow for it.",
    ),
    "S441": Page(
        "a variable with different values in different places",
        "Two distributions, or a distribution and the model, do not give a variable the same values in the same order.",
        "",
        "declare the values in the model, and bring the tables into their order.",
    ),
    "S442": Page(
        "a table that is no distribution",
        "A table of probabilities has a negative entry, or does not sum to one at each value of what was set.",
        "",
        "divide counts by their sum, at each value of the variables under do.",
    ),
}
