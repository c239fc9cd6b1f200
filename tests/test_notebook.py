"""The lesson: its numbers are what the solution prints, and it runs from top to bottom whatever is written of it."""

import base64
import contextlib
import io
import re
from functools import cache
from pathlib import Path

import nbformat
import numpy as np
import pytest
from click.testing import CliRunner
from nbconvert.preprocessors import ExecutePreprocessor

from grader.check_program import PARTS
from grader.checks import CHECKS
from grader.cli import main
from grader.integrations.exercises import EXERCISES
from grader.release import BEGIN, END, PLACEHOLDER
from grader.rubric import bundled, load
from reference.digits import digits

SOLUTION = Path(__file__).resolve().parent.parent / "reference" / "two_layer_net_solution.ipynb"
# The marked regions in the order of the notebook: three methods, three places in train(), predict(), two of tuning.
REGIONS = ("forward", "softmax_loss", "backward", "minibatch", "step", "decay", "predict", "tried", "chosen")
OF_CLASS, PASSES = REGIONS[:7], REGIONS[:3]
BY_HAND = tuple(EXERCISES)  # regions after all others, and not graded
REGION = re.compile(rf"^( *){BEGIN}\n(.*?)^ *{END}$", re.MULTILINE | re.DOTALL)
# What a program without the decay, and one that draws each example once, is made of.
FORGETS_THE_DECAY = ("learning_rate *= learning_rate_decay", "pass")
DRAWS_EACH_ONCE = ("np.random.choice(num_train, batch_size)", "np.random.permutation(num_train)[:batch_size]")


@cache
def solution():
    """Return the solution notebook."""
    return nbformat.read(SOLUTION, as_version=4)


def lesson(written=REGIONS, *edits):
    """Return the notebook of a student who wrote these regions, as (id, kind, source); edits : what else differs."""
    regions = iter((*REGIONS, *BY_HAND))

    def region(found):
        return found[2].rstrip("\n") if next(regions) in written else found[1] + PLACEHOLDER

    cells = [(cell.id, cell.cell_type, REGION.sub(region, cell.source)) for cell in solution().cells]
    assert next(regions, None) is None
    for old, new in edits:
        assert any(old in source for _, _, source in cells)
        cells = [(name, kind, source.replace(old, new)) for name, kind, source in cells]
    return cells


def say(cells):
    """Run the cells up to the digits, without pictures and checks, and return what they print."""
    names = {"np": np, "plt": None}
    with contextlib.redirect_stdout(io.StringIO()) as said:
        for name, kind, source in cells:
            if name == "load-digits":
                return said.getvalue()
            if kind == "code" and name != "setup" and not source.startswith("%check"):
                exec(compile(source, name, "exec"), names)  # noqa: S102 -- it is ours
    raise AssertionError("no digits")


def prose():
    """Return all that stands between the cells."""
    return "\n".join(cell.source for cell in solution().cells if cell.cell_type == "markdown")


def text_of(name):
    """Return one cell's source."""
    return next(cell.source for cell in solution().cells if cell.id == name)


@cache
def trained(*edits):
    """Return the toy case's last loss, as the notebook prints it."""
    return re.search(r"at last (\S+)", say(lesson(REGIONS, *edits)))[1]


def test_the_numbers_in_the_text_are_what_the_solution_prints():
    """Losses, labels, and where other ways of training end."""
    said = say(lesson())
    assert re.search(r"largest difference: \d\.\de-(09|1\d)", said)
    without, full, half = re.search(r"\*\*(\S+)\*\* .* \*\*(\S+)\*\* at `reg=(0.05)`", text_of("toy-2")).groups()
    assert f"reg=0.0: loss {without}\n" in said
    assert f"reg={half}: loss {full}\n" in said
    assert len(re.findall(r"^\w\w: agrees", said, re.MULTILINE)) == 4
    first, last, once, never = re.findall(r"\d\.\d{4}", text_of("toy-4"))
    assert f"loss at first {first}, at last {last}\n" in said
    assert trained(DRAWS_EACH_ONCE) == once
    assert trained(FORGETS_THE_DECAY) == never
    assert float(never) < float(last)
    assert f"your labels: {re.search(r'are `(.*?)`', text_of('toy-5'))[1]}\n" in said


def test_the_sizes_in_the_text_are_those_of_the_data_and_the_rubric():
    """How many digits there are, of what size, how often a guess is right, and between what a choice must lie."""
    with np.load(bundled() / "data" / "digits.npz") as stored:
        images, labels = stored["images"], stored["labels"]
    said = re.sub(r"(?<=\d),(?=\d)", "", text_of("digits"))
    count, pixels, classes = map(int, re.search(r"(\d+) digits, .*D = (\d+)\$.*C = (\d+)\$", said).groups())
    assert (count, pixels, classes) == (len(labels), images[0].size, len(set(labels)))
    assert f"guesses reads about {100 // classes} %" in text_of("train-digits")
    bounds = load(bundled(), tuple(CHECKS)).hyperparameters
    most = [f"{bounds[name].high:,}" for name in ("hidden_size", "num_iters", "batch_size")]
    assert re.findall(r"\d[\d,]*", text_of("choose")) == most


def test_half_of_the_regulariser_gives_the_same_number_at_twice_the_reg():
    """The text says so, and either is accepted."""
    said = say(lesson(REGIONS, ("loss = data_loss + reg *", "loss = data_loss + 0.5 * reg *"), ("2 * reg *", "reg *")))
    assert "reg=0.1: loss 1.30378789\n" in said
    assert len(re.findall(r"^\w\w: agrees", said, re.MULTILINE)) == 4


def test_each_part_says_why_and_is_written_tried_and_checked():
    """In the order of the grader's parts, and under the grader's names."""
    cells = solution().cells
    checks = [cell.source.removeprefix("%check ") for cell in cells if cell.source.startswith("%check")]
    assert checks == [*PARTS, *BY_HAND]
    names = [cell.id for cell in cells]
    for number in range(1, 6):
        places = [names.index(f"{what}-{number}") for what in ("part", "write", "toy", "try", "check")]
        assert places == sorted(places)
        assert "**Why.**" in text_of(f"part-{number}")
        assert r"\underset" in text_of(f"part-{number}") or number == 4
        assert BEGIN in text_of(f"write-{number}")


def test_the_points_in_the_table_are_the_rubric_s():
    """For each part, and each number in the last column."""
    points = {row.id: row.points for row in load(bundled(), tuple(CHECKS)).checks}
    rows = re.findall(r"^\| (?:\d\. )?([A-Z][\w ]+) \| `\w+` \| (\d+) \| (.*) \|$", text_of("title"), re.MULTILINE)
    assert [row[0] for row in rows] == [part.title for part in PARTS.values()]
    for (_, total, words), part in zip(rows, PARTS.values(), strict=True):
        each = [points[check] for check in part.checks if check in points]
        assert int(total) == sum(each)
        if len(each) > 1:
            assert sorted(map(int, re.findall(r" (\d+)(?=,|$| and)", words))) == sorted(each)


def test_the_pictures_are_small_and_come_with_the_notebook():
    """Two drawings with words for who does not see them. They are addresses: JupyterLab shows no attached SVG."""
    found = re.findall(r"!\[\w.{30,}\]\(data:image/svg\+xml;base64,(\S+)\)", prose())
    pictures = [base64.b64decode(picture) for picture in found]
    assert len(pictures) == 2
    assert all(picture.startswith(b"<svg") and len(picture) < 5000 for picture in pictures)


def test_nothing_right_stands_before_what_is_to_be_written():
    """A batch of all rows would run, and be wrong; None says that something is missing."""
    source = next(source for name, _, source in lesson(()) if name == "write-4")
    assert "X_batch, y_batch = None, None" in source
    assert "X_batch = X\n" not in source


@pytest.mark.parametrize("count", range(len(OF_CLASS) + 1))
def test_each_cell_says_all_that_it_waits_for_and_nothing_fails(count):
    """Whatever is written so far: each cell that tries a part names those that it needs, and no cell prints None."""
    said = say(lesson(OF_CLASS[:count]))
    left = {"minibatch": "train"}.get
    left = [left(name, name) for name in OF_CLASS[count:] if name not in {"step", "decay"}]
    cells = ("forward",), ("forward", "softmax_loss"), PASSES, (*PASSES, "train"), ("forward", "predict")
    waits = [name for needed in cells for name in needed if name in left]
    assert re.findall(r"^(\w+)\(\) is not written yet$", said, re.MULTILINE) == waits
    assert "None" not in said
    assert ("W1 did not change" in said) == (count == 4)


@pytest.mark.parametrize("name", OF_CLASS)
def test_parts_may_be_written_in_any_order(name):
    """One part alone, and all but one: nothing fails."""
    for written in ((name,), tuple(one for one in OF_CLASS if one != name)):
        assert "None" not in say(lesson(written))


def test_half_of_a_part_is_said_too():
    """What is still to be written has a name: an array, or a gradient."""
    said = say(lesson(REGIONS, ("probabilities = exp_scores / sums", "")))
    assert "softmax_loss(): still to be written: probabilities\n" in said
    said = say(lesson(REGIONS, ('grads["b1"] = dhidden.sum(axis=0)', "")))
    assert said.count('backward(): still to be written: grads["b1"]\n') == 2
    assert re.findall(r"^(\w\w): agrees", said, re.MULTILINE) == ["W1", "W2", "b2"]
    said = say(lesson(REGIONS, ("+ 2 * reg * W2", "+ reg * W2")))
    assert re.search(r"^W2: differs most at \[\d, \d\]: yours \S+, measured \S+$", said, re.MULTILINE)
    said = say(lesson(OF_CLASS[:3], ('grads["b1"] = dhidden.sum(axis=0)', 'grads["b1"] = dhidden')))
    assert "b1: has the shape (5, 10) and should have (10,)\n" in said


def test_the_settings_to_begin_with_miss_the_goal():
    """Copied as best_hyperparameters they read too few digits, on each of several splits."""
    names = {"np": np}
    for name, kind, source in lesson():
        if kind == "code" and (name == "class" or name.startswith("write")):
            exec(compile(source, name, "exec"), names)  # noqa: S102 -- it is ours
    settings = eval(re.search(r"^settings = (dict\(.*\))$", text_of("try-digits"), re.MULTILINE)[1])  # noqa: S307 -- it is ours
    (hidden,) = {int(found) for found in re.findall(r"hidden_size=(\d+), \*\*settings", text_of("tune"))}
    goal = load(bundled(), tuple(CHECKS)).digits.tuned_threshold
    assert f"{goal:.0%}".replace("%", " %") in text_of("tuning")
    for seed in range(2):
        split = digits(bundled(), seed)
        np.random.seed(seed)  # noqa: NPY002 -- the constructor draws from it
        net = names["TwoLayerNet"](64, hidden, 10)
        net.train(**split.data, **settings)
        assert np.mean(net.predict(split.X_test) == split.y_test) < goal - 0.05


# ---------------------------------------------------------------- in a real kernel, and graded


def executed(cells, monkeypatch, hidden=None):
    """Run a notebook in a real kernel beside the data; return what it printed and how many pictures it drew.

    hidden : a folder whose modules hide others.
    """
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    if hidden:
        monkeypatch.setenv("PYTHONPATH", str(hidden))
    notebook = as_notebook(cells)
    runner = ExecutePreprocessor(timeout=300, kernel_name="python3")
    runner.preprocess(notebook, {"metadata": {"path": str(bundled())}})
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    drawn = sum("image/png" in output.data for output in outputs if output.output_type == "display_data")
    return "".join(output.text for output in outputs if output.output_type == "stream"), drawn


def as_notebook(cells):
    """Return cells as a notebook."""
    made = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
    return nbformat.v4.new_notebook(cells=[made[kind](source, id=name) for name, kind, source in cells])


quiet = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::RuntimeWarning", "ignore::FutureWarning"
)


@pytest.mark.slow
@quiet
def test_the_solution_runs_in_a_kernel(monkeypatch):
    """It draws its pictures, and reads as many digits as the text says."""
    said, drawn = executed(lesson(), monkeypatch)
    assert drawn == 5
    for name, before in (("train-digits", "validation accuracy: "), ("tuning", "the settings from above: ")):
        about = int(re.search(r"about (\d+) %", text_of(name))[1])
        assert abs(float(re.search(rf"{before}(\S+)%", said)[1]) - about) < 1
    assert float(re.search(r"test accuracy: (\S+)%", said)[1]) > 95


@pytest.mark.slow
@quiet
@pytest.mark.parametrize("count", range(len(REGIONS)))
def test_the_notebook_runs_in_a_kernel_in_every_unfinished_state(count, monkeypatch):
    """Nothing written, then each region in turn."""
    said, drawn = executed(lesson(REGIONS[:count]), monkeypatch)
    assert "not written yet" in said or "not chosen yet" in said
    assert "None" not in said
    assert drawn == (1 if count < 4 else 2 if count < 7 else 5)


@pytest.mark.slow
@quiet
def test_without_matplotlib_and_the_grader_one_line_says_so(tmp_path, monkeypatch):
    """Each picture is a line, each check is a line, and the rest is as it was."""
    (tmp_path / "matplotlib.py").write_text("raise ImportError", encoding="utf-8")
    (tmp_path / "grader.py").write_text("raise ImportError", encoding="utf-8")
    said, drawn = executed(lesson(), monkeypatch, tmp_path)
    assert drawn == 0
    assert said.count("No picture here: matplotlib is missing (pip install matplotlib).\n") == 4
    assert said.count("not checked, the grader is not installed.\n") == len(PARTS) + len(BY_HAND)
    assert "at last 0.0367" in said


@pytest.mark.slow
def test_each_part_earns_its_points_in_turn(tmp_path):
    """A part that is written counts at once; whatever is not written is told as not started, not as wrong."""
    earned = []
    for count in range(len(REGIONS) + 1):
        nbformat.write(as_notebook(lesson(REGIONS[:count])), tmp_path / "two_layer_net.ipynb")
        result = CliRunner().invoke(main, ["check", str(tmp_path / "two_layer_net.ipynb")])
        assert result.exit_code == (0 if count == len(REGIONS) else 1), result.output
        earned.append(int(re.search(r"(\d+) / 100", result.output)[1]))
    assert earned == sorted(earned)
    assert (earned[0], earned[1], earned[-1]) == (0, 8, 100)
