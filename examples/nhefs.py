"""Does quitting smoking keep people alive?  NHEFS, 1,629 smokers followed from 1971 to 1992, from Python.

Needs the package causaldata: pip install 'suture[examples]'.  Data and question: Hernan and Robins, "Causal
Inference: What If", part II; here with three covariates in groups, wide enough that every group has people who quit and
people who did not.
"""

from __future__ import annotations

import sys
from typing import Any

import suture

MODEL = """
model Nhefs {
  Sex       : {man, woman}
  Age       : {young, middle, old}       # up to 40, up to 55, above
  Intensity : {light, heavy}             # up to 20 cigarettes a day in 1971, above
  Quit      : {no, yes}                  # stopped smoking between 1971 and 1982
  Death     : {no, yes}                  # by 1992
  {Sex, Age} -> Intensity
  {Sex, Age, Intensity} -> Quit
  {Sex, Age, Intensity, Quit} -> Death
}
"""


def columns() -> dict[str, list[str]]:
    """The discretised columns; ends the program with a message where causaldata is missing."""
    try:
        from causaldata import nhefs
    except ImportError:
        sys.exit("this example needs the package causaldata: pip install 'suture[examples]'")
    people: Any = nhefs.load_pandas().data
    return {
        "Sex": ["woman" if sex else "man" for sex in people["sex"].astype(int)],
        "Age": ["young" if age <= 40 else "middle" if age <= 55 else "old" for age in people["age"]],
        "Intensity": ["heavy" if cigarettes > 20 else "light" for cigarettes in people["smokeintensity"]],
        "Quit": ["yes" if quit else "no" for quit in people["qsmk"].astype(int)],
        "Death": ["yes" if death else "no" for death in people["death"].astype(int)],
    }


def main() -> None:
    """Print the risk of death had everybody quit, had nobody, and what the plain comparison says."""
    model = suture.Model(MODEL)
    data = columns()
    print(model.identify("P(Death = yes | do(Quit = yes))"))
    for query in ("P(Death = yes | do(Quit))", "P(Death = yes | Quit)"):
        print(f"\n{model.estimate(query, data)}")


if __name__ == "__main__":
    main()
