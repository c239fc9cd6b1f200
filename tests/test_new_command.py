"""`grader new`: one command writes an assignment for another network, whole or not at all."""

import json
import re
import sys
import tomllib
from dataclasses import replace

import pytest
from click.testing import CliRunner

from deep import write_deep
from grader import new_assignment
from grader.checks import CHECKS
from grader.classroom.reference_api import author
from grader.cli import main
from grader.frozen import FILE
from grader.rubric import FILE as RUBRIC
from grader.rubric import bundled, load
from grader.score import KNOWN
from grader.text.variant_words import in_words_of
from reference.catalogue import LECTURES
from reference.lesson.write_lesson import write_lesson
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
    "--methods",
    "loss=compute_loss, train = fit,predict=classify",
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
        "methods": {"loss": "compute_loss", "train": "fit", "predict": "classify"},
    }
    assert made["variant"] == chosen
    assert 0.85 < made["digits"]["threshold"] < 0.96
    assert (
        made["digits"]["learning_rate"]
        == tuned_settings(replace(LECTURES, activation="leaky_relu", loss="svm"))["learning_rate"]
    )
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
        (["--names", "W,print,w,b"], "nor one of Python's own"),
        (["--activation", "leaky_relu", "--slope", "nan"], "slope is nan; it must be a number from 0.001"),
        (["--title", "One\nTwo"], "title is 'One\\nTwo'; it must be a text of one line"),
        (["--class-name", "np"], "class_name is 'np'"),
        (["--class-name", "class"], "class_name is 'class', which is no Python name"),
        (["--class-name", "print"], "class_name is 'print'"),
        (
            ["--names", "W,b,w"],
            "--names W,b,w: these are 3, but each layer has 2: weights and bias of each layer in turn",
        ),
        (["--depth", "3", "--names", "W,b"], "--names W,b: these are 2, but 3 layers have 6"),
        (["--names", "W{},b{}"], "--names W{},b{}: say of how many layers, such as --depth 3."),
        (["--depth", "0"], "0 is not in the range 1<=x<=6"),
        (["--depth", "1", "--activation", "tanh"], "a linear classifier has no hidden layer, so leave it out"),
        (
            ["--depth", "5", "--activation", "sigmoid"],
            "does not learn. Choose at most 4 layers, or another activation.",
        ),
        (["--depth", "3", "--activation", "elu", "--alpha", "3"], "alpha is 3: through 3 layers gradients grow"),
        (["--class-name", "two words"], "class_name is 'two words', which is no Python name"),
        (["--runs", "1"], "1 is not in the range"),
        (["--methods", "loss"], "--methods loss: write it as in loss=compute_loss,train=fit,predict=classify."),
        (["--methods", "lose=fit"], "--methods lose=fit: write it as in"),
        (["--methods", ""], "--methods : write it as in"),
        (["--methods", "loss=X"], "methods: loss is called 'X', but the lesson calls something else so"),
    ],
)
def test_what_the_rubric_refuses_is_refused_in_one_line(quick, tmp_path, words, said):
    """With the reason and the mend; no folder stays, and no line of a file is named that nobody has."""
    shown = say("new", tmp_path / "new", *words, status=2)
    assert said in shown
    assert shown.count("\n") <= 4
    assert RUBRIC not in shown
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("depth", [1, 3, 4, 5, 6])
def test_other_layers_share_the_points_of_two(tmp_path, depth):
    """Each layer's gradients have their checks, each case its sizes, and the rubric is worth what it was."""
    made, names = load(write_deep(tmp_path, depth), KNOWN), [f"{name}{k}" for k in range(1, depth + 1) for name in "Wb"]
    assert made.max_score == 100
    assert [row.id for row in made.checks if row.id.startswith("gradient_")] == [f"gradient_{name}" for name in names]
    other = {row.id for row in load(bundled(), KNOWN).checks if not row.id.startswith("gradient_")}
    assert other < {row.id for row in made.checks}


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


@pytest.mark.parametrize(("depth", "name"), [(1, "LinearClassifier"), (3, "MultiLayerNet")])
def test_nothing_speaks_of_a_layer_that_is_not_there(tmp_path, depth, name):
    """Rubric, lesson and mistakes of a linear classifier know no W2, and those of three layers no W4 and no second layer."""
    assignment = load(write_deep(tmp_path, depth), KNOWN)
    text = (tmp_path / RUBRIC).read_text(encoding="utf-8")
    assert assignment.class_name == name
    lesson = [
        "".join(cell["source"]) for cell in json.loads(write_lesson(assignment))["cells"] if cell["id"] != "by-hand"
    ]
    forms = author(assignment).forms.values()
    titles = [in_words_of(CHECKS[row.id].title, assignment.variant) for row in assignment.checks]
    weights = [re.search(r"grads\['W\d'\].*?(\w+ layer's |the )weights", one) for one in titles]
    assert [one[1] for one in weights if one] == (
        ["the "] if depth == 1 else ["first layer's ", "second layer's ", "third layer's "]
    )
    told = [
        *lesson,
        text,
        *(titles if depth == 1 else []),
        *(f"{form.title} {form.hint} {form.formula}" for form in forms),
    ]
    absent = (
        r"\b[Wb]_?2|[Hh]idden unit|[Ss]econd layer|all four"
        if depth == 1
        else r"\b[Wb]_?4|[Ss]econd layer (?!adds|alone)|all four"
    )
    assert [
        re.search(f".*({absent}).*", one)[0] for one in told if re.search(absent, re.sub("base64,[^)]*", "", one))
    ] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "name"),
    [
        (LEAKY, "two_layer_net"),
        (("--depth", 1), "linear_classifier"),
        (("--depth", 3, "--names", "A{},c{}"), "three_layer_net"),
    ],
    ids=["leaky", "linear", "deep"],
)
def test_it_audits_itself_and_its_solution_has_full_marks(tmp_path, words, name):
    """From the choice to the proof, with no hand edit: new, audit, kit, check."""
    out = tmp_path / "new"
    say("new", out, *words, "--runs", 20)
    assert "The rubric is sound." in say("audit", "--assignment", out)
    say("kit", tmp_path / "handout", "--assignment", out)
    questions = tmp_path / "handout" / FILE
    assert "100 / 100" in say("check", out / f"{name}_solution.ipynb", "--questions", questions)
    assert "100 / 100" in say(
        "grade", out / f"{name}_solution.ipynb", "--assignment", out, "--out", tmp_path / "graded"
    )
    assert "0 / 100" in say("check", tmp_path / "handout" / f"{name}.ipynb", "--questions", questions, status=1)
