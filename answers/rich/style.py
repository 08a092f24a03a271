"""The style of answers: colours of the page they stand in, JupyterLab's, VS Code's or Colab's, else the reader's own.

Every ink has a contrast of at least 4.5 to the paper that comes with it, light and dark (`tests/answers/test_rich.py`
computes them).  Without the style the same page reads from top to bottom.
"""

from __future__ import annotations

LIGHT = {
    "ink": "#1f2430",
    "paper": "#ffffff",
    "faint": "#5a6070",
    "good": "#1a6b3c",
    "bad": "#b3261e",
    "mark": "#2456a6",
}
DARK = {
    "ink": "#e8e6e1",
    "paper": "#14161a",
    "faint": "#a8adb8",
    "good": "#7fd1a0",
    "bad": "#ff9d94",
    "mark": "#9ec1ff",
}
PAGE = {
    "ink": ("--jp-content-font-color1", "--vscode-editor-foreground", "--colab-primary-text-color"),
    "paper": ("--jp-layout-color0", "--vscode-editor-background", "--colab-primary-surface-color"),
}
"""Where the page says its own ink and paper: JupyterLab, VS Code, Colab."""


def _variables(colours: dict[str, str]) -> str:
    return ";".join(f"--suture-{name}:{colour}" for name, colour in colours.items())


def _of_page(name: str) -> str:
    chain = f"var(--suture-{name})"
    for variable in reversed(PAGE[name]):
        chain = f"var({variable},{chain})"
    return chain


# A page that is dark or light by its own choice says so on its root or body.
DARK_PAGES = '[data-jp-theme-light="false"] .suture-answer,.vscode-dark .suture-answer,html[theme=dark] .suture-answer'
LIGHT_PAGES = (
    '[data-jp-theme-light="true"] .suture-answer,.vscode-light .suture-answer,html[theme=light] .suture-answer'
)
RULES = """
.suture-answer{color:INK;background:PAPER;font-size:14px;line-height:1.45;padding:.6em .8em;margin:.3em 0;
border:1px solid var(--suture-line);border-radius:6px;max-width:100%;box-sizing:border-box;overflow-wrap:break-word}
.suture-answer *{box-sizing:border-box}
.suture-answer h4,.suture-answer h5{margin:.2em 0;font-weight:600;color:inherit;line-height:1.3}
.suture-answer h4{font-size:1.05em}
.suture-answer h5{font-size:.95em;margin-top:.9em;color:var(--suture-faint)}
.suture-answer p{margin:.35em 0}
.suture-answer code,.suture-answer pre{font-family:var(--jp-code-font-family,ui-monospace,monospace);font-size:.92em;
color:inherit;background:none;padding:0}
.suture-answer pre.suture-code{border-left:3px solid var(--suture-line);padding:.2em .7em;margin:.3em 0;overflow-x:auto;
white-space:pre}
.suture-verdict{font-weight:600}
.suture-verdict::before{content:"";display:inline-block;width:.62em;height:.62em;margin-right:.4em;background:currentColor;
border-radius:50%}
.suture-good{color:var(--suture-good)}
.suture-bad{color:var(--suture-bad)}
.suture-bad::before{border-radius:0;transform:rotate(45deg) scale(.9)}
.suture-open{color:var(--suture-mark)}
.suture-open::before{border-radius:0}
.suture-faint{color:var(--suture-faint)}
.suture-number{font-size:1.35em;font-variant-numeric:tabular-nums;margin:.2em 0}
.suture-scroll{overflow-x:auto;overflow-y:hidden;max-width:100%;padding:1px 1px .3em}
.suture-answer math{font-size:1.12em;color:inherit}
.suture-answer table{border-collapse:collapse;margin:.3em 0;font-variant-numeric:tabular-nums;color:inherit;border:none;
background:none}
.suture-answer caption{text-align:left;color:var(--suture-faint);font-size:.93em;padding:.1em 0;caption-side:top;
white-space:nowrap}
.suture-answer th,.suture-answer td{padding:.16em .8em .16em .3em;text-align:left;border:none;
border-bottom:1px solid var(--suture-line);background:none;color:inherit;font-weight:400;vertical-align:top;
max-width:none}
.suture-answer thead th{font-weight:600;border-bottom-width:2px}
.suture-answer figure{margin:.5em 0;padding:0}
.suture-answer img.suture-still{display:none}
.suture-answer figcaption{color:var(--suture-faint);font-size:.93em}
.suture-answer svg.suture{display:block;max-width:100%;max-height:25em;width:auto;height:auto;color:inherit}
.suture-answer details svg.suture{max-height:17em}
.suture-answer details{margin:.15em 0}
.suture-answer summary{cursor:pointer;border-radius:3px}
.suture-answer details>:not(summary){margin-left:1.1em}
.suture-answer :focus-visible{outline:2px solid var(--suture-mark);outline-offset:2px}
.suture-answer ol.suture-steps{padding-left:1.6em;margin:.3em 0}
.suture-answer ol.suture-steps li{margin:.25em 0}
.suture-answer ol.suture-steps summary .suture-scroll{display:inline-block;vertical-align:middle;
max-width:calc(100% - 2em)}
.suture-answer dl{display:grid;grid-template-columns:max-content 1fr;gap:.15em .9em;margin:.6em 0 0}
.suture-answer dl dt{color:var(--suture-faint);display:block;float:none;width:auto;margin:0;padding:0;font-weight:400}
.suture-answer dl dd{display:block;float:none;width:auto;margin:0;padding:0;min-width:0}
.suture-pair{display:flex;flex-wrap:wrap;gap:1.2em}
.suture-pair>div{flex:1 1 20em;min-width:0}
.suture text{stroke:none;fill:currentColor;pointer-events:none}
.suture-name,.suture-wire,.suture-end{font-style:italic}
@media print{.suture-answer{break-inside:avoid}}
"""


def style() -> str:
    """The style sheet of one answer; it reaches nothing outside of answers and pictures."""
    rules = RULES.replace("INK", _of_page("ink")).replace("PAPER", _of_page("paper")).replace("\n", "")
    # Twice the class outweighs what a notebook says of every table, list and piece of code in an output.
    rules = rules.replace(".suture-answer ", ".suture-answer.suture-answer ")
    light, dark = _variables({**LIGHT, "line": "#d5d8de"}), _variables({**DARK, "line": "#3a3f4a"})
    return (
        f".suture-answer{{{light}}}"
        f"@media(prefers-color-scheme:dark){{.suture-answer{{{dark}}}}}"
        f"{LIGHT_PAGES}{{{light}}}{DARK_PAGES}{{{dark}}}{rules}"
    )
