"""`grader new`: one command writes an assignment for another network, whole or not at all."""

import json
import shutil
import sys
import tomllib

import pytest
from click.testing import CliRunner

from grader import new_assignment
from grader.cli import main
from grader.frozen import FILE
from grader.rubric import FILE as RUBRIC
from grader.rubric import bundled, load
from grader.score import KNOWN
from reference.settings import tuned_settings

LEAKY = (
    "--activation",
    "leaky_relu",
    "--slope",
    "0.05",
    "--loss",
    "svm",
    "--regulariser",
    "half",
    "--names",
    "W, c,w,b",
)


def say(*words, status=0):
    """Run a command, and return what it says."""
    result = CliRunner().invoke(main, [*map(str, words)])
    assert result.exit_code == status, result.output
    return result.output


@pytest.fixture
def quick(monkeypatch):
    """Leave out what takes minutes: what each known mistake answers."""
    monkeypatch.setattr(new_assignment, "freeze", lambda *_: b"frozen")
    monkeypatch.setenv("GRADER_CACHE", "off")


def test_a_variant_is_written_whole(quick, tmp_path):
    """The rubric with its choices, comments and measured thresholds, both notebooks, the data and the frozen questions."""
    out = tmp_path / "new"
    said = say("new", out, *LEAKY, "--title", "Leaky", "--runs", 10)
    files = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    notebooks = {"two_layer_net.ipynb", "two_layer_net_solution.ipynb"}
    assert files == {RUBRIC, FILE, *notebooks, "data/digits.npz", "data/README.md"}
    assert all(name in said for name in files)
    text = (out / RUBRIC).read_text(encoding="utf-8")
    made, first = tomllib.loads(text), tomllib.loads((bundled() / RUBRIC).read_text(encoding="utf-8"))
    assert made["title"] == "Leaky"
    chosen = {
        "activation": "leaky_relu",
        "slope": 0.05,
        "loss": "svm",
        "regulariser": "half",
        "names": ["W", "c", "w", "b"],
    }
    assert made["variant"] == chosen
    assert 0.85 < made["digits"]["threshold"] < 0.96
    assert made["digits"]["learning_rate"] == tuned_settings("leaky_relu", "svm")["learning_rate"]
    assert made["digits"]["calibration"].startswith("10 right runs")
    assert made["checks"] == first["checks"]
    assert "the worst of 10 right runs" in text
    assert [line for line in text.splitlines() if line.startswith("#")] != []
    cells = json.loads((out / "two_layer_net.ipynb").read_text(encoding="utf-8"))["cells"]
    assert "# Leaky\n" in cells[0]["source"]
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--activation", "leaky"], 'activation is \'leaky\'; it must be one of "relu", "leaky_relu"'),
        (["--activation", "leaky-relu"], "Did you mean 'leaky_relu'?"),
        (["--slope", "0.1"], 'slope is the number of activation = "leaky_relu", but activation is "relu"'),
        (["--activation", "leaky_relu", "--slope", "1"], "1 leaves the network linear"),
        (["--loss", "svm", "--margin", "-1"], "margin is -1.0; it must be a number from 0.05"),
        (["--names", "W,b,W,b"], "names is ['W', 'b', 'W', 'b']; it must be different names"),
        (["--names", "W,scores,w,b"], "none of"),
        (["--names", "W,b"], "--names W,b: the lesson has two to six layers, with weights and bias of each."),
        (["--names", "W,b,V,c,U,d", "--activation", "sigmoid"], "% of the digits: with these layers it does not learn"),
        (["--names", "W,print,w,b"], "nor one of Python's own"),
        (["--activation", "leaky_relu", "--slope", "nan"], "slope is nan; it must be a number from 0.001"),
        (["--title", "One\nTwo"], "title is 'One\\nTwo'; it must be a text of one line"),
        (["--class-name", "np"], "class_name is 'np'"),
        (["--class-name", "class"], "class_name is 'class', which is no Python name"),
        (["--class-name", "print"], "class_name is 'print'"),
        (["--class-name", "two words"], "class_name is 'two words', which is no Python name"),
        (["--runs", "1"], "1 is not in the range"),
    ],
)
def test_what_the_rubric_refuses_is_refused_in_one_line(quick, tmp_path, words, said):
    """With the reason and the mend; no folder stays, and no line of a file is named that nobody has."""
    shown = say("new", tmp_path / "new", *words, status=2)
    assert said in shown
    assert shown.count("\n") <= 4
    assert RUBRIC not in shown
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("depth", [3, 4, 5, 6])
def test_more_layers_share_the_points_of_two(tmp_path, depth):
    """Each layer's gradients have their checks, each case its sizes, and the rubric is worth what it was."""
    shutil.copy(bundled() / RUBRIC, tmp_path)
    new_assignment._deepen(tmp_path, depth)
    text = (tmp_path / RUBRIC).read_text(encoding="utf-8")
    names = [f"{name}{k}" for k in range(1, depth + 1) for name in "Wb"]
    (tmp_path / RUBRIC).write_text(new_assignment.set_value(text, "variant", "names", names), encoding="utf-8")
    made, first = load(tmp_path, KNOWN), load(bundled(), KNOWN)
    assert made.max_score == pytest.approx(first.max_score)
    assert [row.id for row in made.checks if row.id.startswith("gradient_")] == [f"gradient_{name}" for name in names]
    assert {row.id for row in first.checks} <= {row.id for row in made.checks}


def test_a_folder_that_is_not_empty_is_left_alone(quick, tmp_path):
    """Nobody's assignment is overwritten."""
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    assert "it must be a new or an empty folder" in say("new", tmp_path, status=2)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("there", [False, True])
def test_what_was_stopped_leaves_nothing(quick, tmp_path, monkeypatch, there):
    """Neither half of an assignment nor a folder that was not there before."""

    def stop(*_):
        raise KeyboardInterrupt

    if there:
        (tmp_path / "new").mkdir()
    monkeypatch.setattr(new_assignment, "freeze", stop)
    assert say("new", tmp_path / "new", "--runs", 10, status=130).strip() == "Stopped; nothing was written."
    assert [path.name for path in tmp_path.rglob("*")] == ["new"] * there


def test_a_choice_is_measured_once(tmp_path, monkeypatch):
    """What was measured and frozen for the same choices is kept, and gives the same files."""
    monkeypatch.setattr(new_assignment, "freeze", lambda *_: b"frozen")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    say("new", tmp_path / "one", "--runs", 10)
    for name in ("calibrate", "freeze"):
        monkeypatch.setattr(new_assignment, name, None)
    say("new", tmp_path / "two", "--runs", 10)
    assert (tmp_path / "one" / RUBRIC).read_bytes() == (tmp_path / "two" / RUBRIC).read_bytes()
    assert (tmp_path / "two" / FILE).read_bytes() == b"frozen"


def test_without_the_reference_one_line_says_so(monkeypatch, tmp_path):
    """As with the wheel, which holds no solution."""
    monkeypatch.setitem(sys.modules, "reference", None)
    said = say("new", tmp_path / "new", status=2)
    assert said.count("\n") == 1
    assert "The reference solution is missing." in said
    assert "Clone the repository" in said


@pytest.mark.slow
def test_it_audits_itself_and_its_solution_has_full_marks(tmp_path):
    """From the choice to the proof, with no hand edit: new, audit, kit, check."""
    out = tmp_path / "new"
    say("new", out, *LEAKY, "--runs", 20)
    assert "The rubric is sound." in say("audit", "--assignment", out)
    say("kit", tmp_path / "handout", "--assignment", out)
    questions = tmp_path / "handout" / FILE
    assert "100 / 100" in say("check", out / "two_layer_net_solution.ipynb", "--questions", questions)
    assert "0 / 100" in say("check", tmp_path / "handout" / "two_layer_net.ipynb", "--questions", questions, status=1)
