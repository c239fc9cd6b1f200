"""An assignment that calls loss(), train() and predict() something else is graded as any other, in its own words."""

import ast
import json
import re
from pathlib import Path

import pytest

from deep import write_deep
from grader.audit.matrix import SOLUTION
from grader.audit.mistake_class import run
from grader.checks import CHECKS
from grader.classroom.reference_api import author
from grader.frozen import FILE, load_frozen
from grader.frozen.freeze import freeze
from grader.grading import grade
from grader.model import TAKEN, Methods
from grader.records import replace
from grader.reports.formats import REPORT_FORMATS
from grader.rubric import FILE as RUBRIC
from grader.rubric import AssignmentError, bundled, load
from grader.rubric_values import OF_LESSON
from grader.score import KNOWN
from grader.text.variant_words import with_own_methods
from reference.lesson.write_lesson import write_lesson

OWN = Methods("compute_loss", "fit", "classify")
USUAL = re.compile(r"(?<![\w.])(loss|train|predict)\([)X`]|def (loss|train|predict)\b|\.(loss|train|predict)\(")
LESSON = Path(__file__).resolve().parent.parent / "reference" / "two_layer_net_solution.ipynb"
STEP = "            loss_history.append(loss)\n"
FIRST = '        W1, b1 = self.params["W1"], self.params["b1"]\n'
HELPER = "\n\ndef loss(scores, y):\n    return 0.0\n"


@pytest.fixture(scope="module")
def renamed(assignment):
    """Return the bundled assignment with other names of class and methods; its questions are the same."""
    return replace(assignment, class_name="Net", variant=replace(assignment.variant, methods=OWN))


@pytest.fixture(scope="module")
def right(renamed):
    """Return the source of a right program."""
    return author(renamed).write([])


@pytest.fixture
def grade_text(renamed, questions, host, tmp_path):
    """Return a function that grades a program's source, in the renamed assignment if no other is given."""

    def run(source, asked=renamed):
        path = tmp_path / "program.py"
        path.write_text(source, encoding="utf-8")
        return grade(path, "program", asked, questions, host).report

    return run


def texts_of(report):
    """Return the report in every format."""
    return {name: one.write(report) for name, one in REPORT_FORMATS.items()}


def test_a_right_program_has_all_points_whatever_else_it_calls_loss(right, grade_text):
    """Attributes, variables and functions may have the names that the methods usually have."""
    assert not USUAL.search(right)
    assert right.count(STEP) == 1
    source = right.replace(STEP, f"{STEP}            self.loss = self.train = loss\n") + HELPER
    report = grade_text(source)
    assert report.score == 100
    assert not any(USUAL.search(text) for text in texts_of(report).values())


@pytest.mark.parametrize(
    ("methods", "said"),
    [
        ('{ loss = "" }', "no name of a public method. Write one such as compute_loss."),
        ('{ loss = "two words" }', "no name of a public method"),
        ('{ loss = "lambda" }', "no name of a public method"),
        ('{ loss = "__call__" }', "no name of a public method"),
        ('{ loss = "\N{LATIN SMALL LIGATURE FI}t" }', "no name of a public method"),
        ('{ loss = "fit", train = "fit" }', "two methods are called 'fit'"),
        ('{ loss = "train", train = "loss" }', "loss is called 'train', which is the name of something else"),
        ('{ train = "print" }', "train is called 'print', which is the name of something else"),
        ('{ loss = "params" }', "loss is called 'params', but the lesson calls something else so"),
        ('{ loss = "forward" }', "loss is called 'forward', but the lesson calls something else so"),
        ('{ loss = "W1" }', "loss is called 'W1', but a parameter has this name"),
        ('{ loss = "TwoLayerNet" }', "loss is called 'TwoLayerNet', but the class has this name"),
        ('{ lose = "fit" }', "it must be names of methods"),
        ('"fit"', "it must be names of methods"),
    ],
)
def test_names_that_cannot_be_are_refused(methods, said, tmp_path):
    """With the line and the reason."""
    text = (bundled() / RUBRIC).read_text(encoding="utf-8").replace("[variant]\n", f"[variant]\nmethods = {methods}\n")
    (tmp_path / RUBRIC).write_text(text, encoding="utf-8")
    with pytest.raises(AssignmentError, match=r", line \d+: methods") as refused:
        load(tmp_path, KNOWN)
    assert said in str(refused.value)


def test_all_that_the_lesson_names_itself_is_refused():
    """A cell such as `def order(...)` would take another cell's `order` away."""
    assert names_in(LESSON.read_text(encoding="utf-8")) - OF_LESSON - TAKEN == {"train", "predict"}


@pytest.mark.slow
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize("loss", ["softmax", "svm", "sigmoid"])
def test_all_that_any_lesson_names_itself_is_refused(depth, loss, tmp_path):
    """As in the bundled one."""
    lesson = write_lesson(load(write_deep(tmp_path / "deep", depth, loss=loss), tuple(CHECKS)))
    assert {one for one in names_in(lesson) - OF_LESSON if one.rstrip("0123456789") not in TAKEN} == {
        "train",
        "predict",
    }


def names_in(lesson):
    """Return what the cells of a notebook bind."""
    names = set()
    for cell in json.loads(lesson)["cells"]:
        if cell["cell_type"] == "code":
            tree = ast.parse(re.sub(r"^( *)%.*$", r"\1pass", "".join(cell["source"]), flags=re.MULTILINE))
            places = [inner for node in tree.body for inner in ([node] if hasattr(node, "body") else ast.walk(node))]
            names |= {node.id for node in places if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
            names |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)} - {"__init__"}
    return names


def test_words_of_a_program_stay_as_they_are():
    """What Python says of a helper called loss() is not about the method."""
    error = "loss() missing 1 required positional argument: 'y'"
    told = with_own_methods(f"fit() stops: {error}. Look at loss(X), at `def loss(` and self.loss(X).", OWN, [error])
    assert told == f"fit() stops: {error}. Look at compute_loss(X), at `def compute_loss(` and self.loss(X)."


@pytest.mark.slow
@pytest.mark.parametrize(
    "mistake",
    ["predict_lowest_score", "reg_not_passed_on", "weights_gradient_wrong_factor_2_layer1", "bias_forgotten_layer1",
     "decay_forgotten", "ends_after_one_iteration", "nothing_updated", "histories_not_returned_1"],
)  # fmt: skip
def test_a_mistake_is_found_on_the_same_line_and_told_in_the_assignments_words(
    assignment, renamed, grade_text, mistake
):
    """As in the assignment with the usual names; in no format a method has its usual name."""
    report = grade_text(author(renamed).write([mistake]))
    usual = grade_text(author(assignment).write([mistake]), assignment)
    assert [one.id for one in report.diagnoses] == [author(renamed).forms[mistake].id]
    assert report.diagnoses[0].places
    assert seen(report) == seen(usual)
    for name, text in texts_of(report).items():
        assert not USUAL.search(text), name


def seen(report):
    """Return the points, the lines, and how each recorded value was taken."""
    found = [(one.id, one.status, one.points, [place.line for place in one.places]) for one in report.checks]
    told = [(one.id, one.costs, [place.line for place in one.places]) for one in report.diagnoses]
    return found, told, [(row.place.line, row.name, row.status) for row in report.steps]


@pytest.mark.slow
def test_a_program_with_the_usual_names_is_told_which_was_expected(assignment, grade_text, right):
    """It loses points, and the hint says which of its methods was probably meant."""
    report = grade_text(author(replace(assignment, class_name="Net")).write([]))
    assert report.score == 0
    hints = {one.title.partition("(")[0]: one.hint for one in report.diagnoses}
    assert hints["compute_loss"] == "Did you mean loss? Then rename it to compute_loss."
    assert hints["classify"] == "Did you mean predict? Then rename it to classify."
    near = grade_text(right.replace("compute_loss", "computeLoss"))
    assert "Did you mean computeLoss? Then rename it to compute_loss." in [one.hint for one in near.diagnoses]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edits", "told"),
    [
        pytest.param(
            [("np.sum(W1 ** 2) + np.sum(W2 ** 2)", "self.helper_loss(W1, W2)"),
             ("    def predict(", "    def helper_loss(self, W1, W2):\n        return np.sum(W1 ** 2)\n\n    def predict(")],
            "Only one of the weight matrices", id="a helper is called loss",
        ),
        pytest.param(
            [(" - learning_rate * grads[name]", " - self.helper_train(learning_rate, grads[name])"),
             ("    def predict(", "    def helper_train(self, rate, slope):\n        return rate * slope\n\n    def predict("),
             ('return {"loss_history": loss_history, "train_acc_history": train_acc_history, "val_acc_history": val_acc_history}',
              "return loss_history")],
            "fit() does not return the dict", id="a helper is called train",
        ),
        pytest.param(
            [(FIRST, f"{FIRST}        if getattr(self, 'asked', False):\n            raise ValueError('asked')\n"),
             ("    def predict(self, X):\n", "    def predict(self, X):\n        self.asked = True\n")],
            "compute_loss() stops with ValueError", id="an exception goes through two methods",
        ),
        pytest.param(
            [(FIRST, f"        __import__('sys').settrace(None)\n{FIRST}"), ("du.sum(axis=0)", "du.mean(axis=0)")],
            "The gradient of b1", id="nothing is recorded",
        ),
    ],
)  # fmt: skip
def test_lines_are_found_by_the_names_of_functions(assignment, grade_text, edits, told):
    """A program with other names is read as the same program with the usual ones."""
    source = author(assignment).write([])
    for old, new in edits:
        assert source.count(old) == 1
        source = source.replace(old, new)
    usual = grade_text(source, assignment)
    named = re.sub(r"(?<=self\.|.def )(loss|train|predict)\b", lambda found: vars(OWN)[found[0]], source)
    report = grade_text(named.replace("helper_", "").replace("TwoLayerNet", "Net"))
    assert seen(report) == seen(usual)
    assert told in "\n".join(one.title for one in report.diagnoses)


@pytest.mark.slow
def test_a_line_is_found_where_a_helper_has_the_methods_usual_name(renamed, grade_text):
    """The helper's error is told in its own name, and where it was called from."""
    source = author(renamed).write([])
    source = source.replace("def fit(", "def loss(self, X, y):\n        return X\n\n    def fit(")
    source = source.replace("            loss_history.append(loss)", "            self.loss(X_batch)")
    (found,) = [one for one in grade_text(source).diagnoses if one.id == "exception"]
    assert found.title.startswith("fit() stops with TypeError")
    assert "Net.loss() missing 1 required" in found.title
    assert found.places[-1].text.strip() == "self.loss(X_batch)"


@pytest.mark.slow
def test_lesson_and_frozen_questions_have_the_names(renamed, questions, tmp_path):
    """The notebook never says another; who is given the file of questions is asked by the same names."""
    assert not USUAL.search(write_lesson(renamed))
    known = replace(questions.catalogue, forms=questions.catalogue.forms[:2])
    (tmp_path / FILE).write_bytes(freeze(renamed, replace(questions, catalogue=known)))
    assert load_frozen(tmp_path).assignment.variant.methods == OWN


@pytest.mark.slow
@pytest.mark.untraced
def test_the_audit_is_sound(renamed):
    """Each mistake, written as a program with these names, costs points where it should and is named."""
    mine = replace(renamed, digest="renamed")
    found = run(mine, mine.seed, jobs=2, programs=True, began=lambda _: None, told=lambda _: None)
    assert found.problems == ()
    assert found.rows[0].trial.name == SOLUTION
    assert found.rows[0].score == mine.max_score
