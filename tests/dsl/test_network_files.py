"""Models in files of other tools, from a program, the library and the command line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from suture import Model, run
from suture.cli import main
from suture.dsl.diagnostics import SutureError
from suture.dsl.exchange import import_file
from suture.dsl.parser import parse
from suture.dsl.printer import format_source
from suture.dsl.program_files import read_program
from suture.dsl.resolve import read_model
from suture.dsl.source import Source

EXAMPLES = Path(__file__).parents[2] / "examples"
ASIA = EXAMPLES / "networks" / "asia.bif"
COIN = """network Coin { }
variable my-coin { type discrete [ 2 ] { "no way", yes }; }
probability ( my-coin ) { table 0.25, 0.75; }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "coin.bif").write_text(COIN)
    return tmp_path


def told(program: str, folder: Path) -> str:
    with pytest.raises(SutureError) as caught:
        read_program(Source(program, "program.suture"), folder)
    return caught.value.render().replace(f"{folder}/", "")


def test_a_program_asks_a_network_in_a_file(folder: Path) -> None:
    answers = run('model C from "coin.bif"\ncompute P(my_coin = "no way") in C', folder)
    assert [answer.to_dict()["value"] for answer in answers] == [0.25]


def test_the_model_is_called_as_the_program_says(folder: Path) -> None:
    program = read_program(Source('model C from "coin.bif"'), folder)
    assert program.models["C"].name == "C"
    assert program.models["C"].notes == (
        "'my-coin' is written my_coin: a name is a letter, then letters, digits and '_'",
    )


def test_the_library_reads_files(folder: Path) -> None:
    assert Model.from_file(folder / "coin.bif").name == "Coin"
    (folder / "coin.bif.gz").write_bytes(gzip.compress(COIN.encode(), mtime=0))
    assert Model.from_file(str(folder / "coin.bif.gz")).notes == Model.from_file(folder / "coin.bif").notes
    (folder / "coin.txt").write_text(COIN)
    assert Model.from_file(folder / "coin.txt").observed == ("my_coin",)
    assert Model.from_file(folder / "coin.txt", "bif").observed == ("my_coin",)
    (folder / "own.suture").write_text('model C from "coin.bif"')
    assert Model.from_file(folder / "own.suture").name == "C"


def test_posteriors_of_the_asia_paper() -> None:
    """Lauritzen and Spiegelhalter (1988): priors that follow from their table 1 by hand."""
    model = Model.from_file(ASIA)
    assert model.compute("P(Tuberculosis = yes)").to_dict()["value"] == pytest.approx(0.99 * 0.01 + 0.01 * 0.05)
    assert model.compute("P(Cancer = yes)").to_dict()["value"] == pytest.approx(0.5 * 0.01 + 0.5 * 0.1)
    assert model.compute("P(Bronchitis = yes)").to_dict()["value"] == pytest.approx(0.45)
    assert model.compute("P(Bronchitis = yes | do(Smoking = no), Cancer = yes)").to_dict()["value"] == pytest.approx(
        0.3
    )


def test_formatting_keeps_the_path() -> None:
    text = 'model C   from  "a b/coin.bif"  # mine\n'
    assert format_source(Source(text)) == 'model C from "a b/coin.bif"  # mine\n'
    assert parse(Source(format_source(Source(text)))) == parse(Source(text))


def test_a_file_that_is_not_there(folder: Path) -> None:
    assert told('model C from "coin.bi"\ncompute P(X) in C\nmodel D { X -> Y ; X -> X }', folder) == (
        "error[S001]: coin.bi does not exist\n"
        " --> program.suture:1:14\n"
        "  |\n"
        '1 | model C from "coin.bi"\n'
        "  |              ^^^^^^^^^\n"
        "  = help: did you mean 'coin.bif'?\n\n"
        "error[S205]: X cannot be its own cause\n"
        " --> program.suture:3:20\n"
        "  |\n"
        "3 | model D { X -> Y ; X -> X }\n"
        "  |                    ^^^^^^ an arrow to itself"
    )


def test_a_folder_is_no_file(folder: Path) -> None:
    assert told('model C from "."', folder.parent).splitlines()[0].startswith("error[S002]")


def test_errors_inside_the_file_are_told_there(folder: Path) -> None:
    (folder / "coin.bif").write_text(COIN.replace("0.75", "0.85"))
    assert told('model C from "coin.bif"', folder) == (
        "error[S202]: the probabilities of a row of my-coin sum to 1.1, not to 1\n"
        " --> coin.bif:3:33\n"
        "  |\n"
        "3 | probability ( my-coin ) { table 0.25, 0.85; }\n"
        "  |                                 ^^^^^^^^^^ not a distribution"
    )


def test_a_text_in_no_known_format(folder: Path) -> None:
    (folder / "coin.txt").write_text("heads or tails?")
    assert told('model C from "coin.txt"', folder).startswith(
        "error[S022]: it is not clear which format this text is in\n --> coin.txt\n"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress(COIN.encode(), mtime=0)[:40], "coin.bif.gz is cut off in the middle, or longer than 50,000,000"),
        (b"\x1f\x8b\x08nonsense", "coin.bif.gz cannot be unpacked"),
        (gzip.compress(b"\xff\xfe\xfa", mtime=0), "coin.bif.gz is not UTF-8 text"),
        (gzip.compress(bytes(250_000_000), mtime=0), "coin.bif.gz is cut off in the middle, or longer than 50,000,000"),
    ],
)
def test_broken_archives(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "coin.bif.gz").write_bytes(content)
    with pytest.raises(SutureError) as caught:
        import_file(tmp_path / "coin.bif.gz")
    assert said in caught.value.render()


def test_a_model_alone_has_no_folder() -> None:
    with pytest.raises(SutureError) as caught:
        read_model('model C from "coin.bif"')
    assert caught.value.render() == (
        "error[S019]: a model from a file needs a program, which has a folder\n"
        " --> <text>:1:14\n"
        "  |\n"
        '1 | model C from "coin.bif"\n'
        "  |              ^^^^^^^^^^ not here\n"
        "  = help: in Python, write Model.from_file"
    )


def test_the_command_tells_what_was_changed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "ask.suture").write_text('model C from "coin.bif"\ncompute P(my_coin = yes)\n')
    assert main(["run", str(folder / "ask.suture")]) == 0
    shown = capsys.readouterr()
    assert "0.75" in shown.out
    assert shown.err == "note: in C, 'my-coin' is written my_coin: a name is a letter, then letters, digits and '_'\n"
    assert main(["check", str(folder / "ask.suture")]) == 0
    assert capsys.readouterr().err.startswith("note: in C, ")
    assert main(["export", str(folder / "ask.suture"), "--to", "bif"]) == 0
    assert 'type discrete [ 2 ] { "no way", yes };' in capsys.readouterr().out


def test_other_errors_beside_a_comment(folder: Path) -> None:
    """A line that is only a comment is no statement, wherever else the program is wrong."""
    assert told('# one (a) "b"\nmodel M { X -> Y }\nassert P(Y=1) in M\n', folder).count("error[") == 1


def test_import_of_a_network_too_long_for_a_program(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its model is read all the same; the program that would spell out every number is refused, with the way out."""
    states = ", ".join(f"s{number}" for number in range(400))
    row = " ".join(["0.0025"] * 400)
    rows = "".join(f"( s{number} ) {row};\n" for number in range(400))
    text = (
        f"variable A {{ type discrete [ 400 ] {{ {states} }}; }} variable B {{ type discrete [ 400 ] {{ {states} }}; }}"
        f"probability ( A ) {{ table {row}; }} probability ( B | A ) {{ {rows} }}"
    )
    (folder / "long.bif").write_text(text.replace("0.0025", "0.002500000000000"))
    assert Model.from_file(folder / "long.bif").observed == ("A", "B")
    (folder / "long.bif").write_text(text.replace("0.0025 0.0025", "0.00250000001 0.00249999999"))
    assert main(["import", str(folder / "long.bif")]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "error[S004]: the program would have " in shown.err
    assert shown.err.rstrip().endswith('= help: leave the numbers where they are: model Imported from "FILE"')
    (folder / "coin.bif.gz").write_bytes(gzip.compress(COIN.encode(), mtime=0))
    assert main(["import", str(folder / "coin.bif.gz")]) == 0
    assert "model Coin {" in capsys.readouterr().out
