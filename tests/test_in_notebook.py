"""`%check` and `grader.check(TwoLayerNet)`: what was defined in a kernel is checked, where it was defined."""

import builtins
import io
import os
import random
import re
import subprocess
import sys
import threading
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

import grader
import grader.grading  # on Linux it reads system headers once, which no test below may hinder
from grader.frozen import FILE
from grader.integrations import notebook
from grader.integrations.exercises import EXERCISES
from grader.integrations.shown_check import ShownCheck
from grader.rubric import bundled
from grader.sandbox import forkserver, spawn

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "tests" / "submissions"
LESSON = ROOT / "assignment" / "two_layer_net.ipynb"
SOLUTION = ROOT / "reference" / "two_layer_net_solution.ipynb"
RIGHT = (SAMPLES / "right_einsum.py").read_text(encoding="utf-8")
WRONG = (SAMPLES / "wrong_half_the_gradient.py").read_text(encoding="utf-8")


@pytest.fixture(scope="module", autouse=True)
def one_host():
    """End what the checks of this module's kernels share."""
    yield
    notebook.close()


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """Return what runs a cell in a fresh kernel and returns what it shows: text and page of each output, and prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    shell.history_manager.enabled = False

    def run(cell):
        with capture_output() as captured:
            captured.result = shell.run_cell(cell, store_history=True).result
        return captured

    run("%load_ext grader")
    yield run
    InteractiveShell.clear_instance()


def text(captured):
    """Return the one output's text, or what the last line of the cell gave."""
    if captured.result is not None:
        return repr(captured.result)
    (output,) = captured.outputs
    return output.data["text/plain"]


class Sanitised(HTMLParser):
    """What is left of a page where a notebook is not trusted: no style, no picture, no script."""

    def __init__(self):
        super().__init__()
        self.skipping, self.words = 0, []

    def handle_starttag(self, tag, attrs):
        """Leave out what JupyterLab does."""
        self.skipping += tag in {"style", "svg", "script"}

    def handle_endtag(self, tag):
        """Go on after it."""
        self.skipping -= tag in {"style", "svg", "script"}

    def handle_data(self, data):
        """Keep the rest."""
        if not self.skipping:
            self.words += data.split()


# ---------------------------------------------------------------- the magic and the function


def test_a_right_class_passes_in_the_kernel_that_defined_it(kernel):
    """All of it, one part of it, and the class by itself."""
    kernel(RIGHT)
    shown = text(kernel("%check"))
    assert shown.startswith("TwoLayerNet ")
    assert "Public checks: 18 of 18 pass" in shown
    assert "Public checks: 4 of 4 pass" in text(kernel("%check loss"))
    assert "Public checks: 1 of 1 pass" in text(kernel("import grader; grader.check(TwoLayerNet, 'predict')"))
    assert text(kernel("grader.check(TwoLayerNet, 'loss').passed")) == "True"


def test_a_mistake_is_shown_in_the_cell_where_it_stands(kernel):
    """By the number that the notebook shows beside the cell."""
    kernel("1 + 1")
    kernel(WRONG)
    captured = kernel("%check backward")
    assert "cell [3]" in text(captured)
    assert '58 │         grads["W1"] = X.T.dot(dhidden) + reg * W1' in text(captured)
    assert "code cell" not in text(captured)
    page = captured.outputs[0].data["text/html"]
    assert '<p class="where">cell [3]</p>' in page.replace("div", "p")
    assert "Backward pass</h2>" in page  # the part as the lesson calls it
    assert "How this was graded" not in page  # where nothing is amiss


@pytest.mark.slow
def test_methods_from_several_cells_and_what_they_need_are_taken_along(kernel):
    """The helpers, the chosen settings, and each method as it was run last."""
    before = RIGHT.partition("    def predict(")[0]
    kernel(before)
    kernel("def widest(scores):\n    return scores.argmin(axis=1)")
    kernel("def predict(self, X):\n    return widest(self.loss(X))\nTwoLayerNet.predict = predict")
    assert "0 of 1 pass" in text(kernel("%check predict"))
    kernel("def widest(scores):\n    return scores.argmax(axis=1)")
    assert "1 of 1 pass" in text(kernel("%check predict"))
    kernel("best_hyperparameters = {}")
    assert "0 of 1 pass" in text(kernel("%check tuning"))


def test_what_is_not_written_yet_is_a_next_step_on_the_page_too(kernel):
    """In the order of the notebook, with its checks closed below; no table says that nothing was computed, and none that a cell was run twice."""
    first = "class TwoLayerNet:\n    def __init__(self, D, H, C, std=1e-4):\n        self.params = {}"
    methods = ("loss(self, X, y=None, reg=0.0)", "train(self, *given, **more)", "predict(self, X)")
    for _ in range(2):
        kernel("\n".join([first, *(f"    def {head}:\n        return None" for head in methods)]))
    captured = kernel("%check")
    page = captured.outputs[0].data["text/html"]
    told = re.findall(r"<li><b>(.*?)</b>: .*<span class=\"aside\">\((.*?)\)</span></li>", page)
    assert [title for title, _ in told] == ["Forward pass", "Loss", "Backward pass", "Training", "Prediction", "Tuning"]
    assert told[1][1] == "4 checks, 22 points"
    assert page.count("<details") == 18
    assert not re.search(r"<details[^>]* open", page)
    for shown in (page, text(captured)):
        assert "Your values" not in shown
        assert "is defined" not in shown


@pytest.mark.slow
def test_a_class_may_be_run_two_hundred_times(kernel):
    """In an afternoon; what is read of it stays within what is read of a notebook."""
    shell = InteractiveShell.instance()
    versions = [f"# version {number}\n{RIGHT}" for number in range(200)]
    shell.history_manager.input_hist_raw += versions
    shell.execution_count += len(versions)
    kernel(RIGHT)
    assert "1 of 1 pass" in text(kernel("%check forward"))


def test_a_cell_that_failed_does_not_hide_what_is_defined(kernel):
    """A class statement that raised, and a cell that Python cannot read, changed nothing in the kernel."""
    kernel(RIGHT)
    kernel("class TwoLayerNet:\n    size = no_such_name")
    kernel("class TwoLayerNet:\n    def loss(self")
    shown = text(kernel("%check forward"))
    assert "1 of 1 pass" in shown
    assert "Cell [3] would define TwoLayerNet anew, but ended in an error" in shown


def test_a_class_that_was_run_again_has_lost_what_was_set_on_it(kernel):
    """As in the kernel itself: the cell below must be run again too."""
    kernel(RIGHT)
    kernel("def predict(self, X):\n    return self.loss(X).argmin(axis=1)\nTwoLayerNet.predict = predict")
    assert "0 of 1 pass" in text(kernel("%check predict"))
    kernel(RIGHT)
    assert "1 of 1 pass" in text(kernel("%check predict"))


@pytest.mark.slow
def test_an_endless_loop_ends_and_the_kernel_lives(kernel):
    """The kernel's own process never ran it."""
    kernel(RIGHT)
    kernel("def loss(self, X, y=None, reg=0.0):\n    while True:\n        pass\nTwoLayerNet.loss = loss")
    assert "still running after" in text(kernel("%check forward"))
    assert text(kernel("1 + 1")) == "2"


def test_a_module_of_ones_own_is_read(kernel, tmp_path):
    """A class that the kernel imported is checked with its file."""
    (tmp_path / "my_network.py").write_text(RIGHT, encoding="utf-8")
    sys.path.insert(0, str(tmp_path))
    try:
        kernel("from my_network import TwoLayerNet")
        assert "1 of 1 pass" in text(kernel("%check forward"))
    finally:
        sys.path.remove(str(tmp_path))
        del sys.modules["my_network"]


# ---------------------------------------------------------------- the page


@pytest.mark.slow
def test_the_page_is_whole_without_style_pictures_and_script(kernel):
    """An untrusted notebook takes these away; the words stay, and no two outputs share an anchor."""
    kernel(WRONG)
    first, second = (kernel("%check backward").outputs[0].data["text/html"] for _ in range(2))
    reader = Sanitised()
    reader.feed(first)
    words = " ".join(reader.words)
    assert "Public checks: " in words
    assert re.search(r"passed 5 / 5", words)
    assert "cell [2]" in words
    assert "<script" not in first
    assert "<html" not in first
    anchors = [set(re.findall(r' id="((?!icon-|slant|not-finite)[^"]+)"', page)) for page in (first, second)]
    assert anchors[0]
    assert not anchors[0] & anchors[1]
    assert set(re.findall(r'<a href="#([^"]+)"', first)) <= anchors[0]


@pytest.fixture(scope="module")
def piece():
    """Return a page for a notebook's output."""
    space = {"__name__": "typed"}
    exec(compile(RIGHT, "<stdin>", "exec"), space)  # noqa: S102 -- as typed
    frozen = notebook._load(bundled())
    source = notebook._read_source(None, int, "TwoLayerNet", "two_layer_net.ipynb")
    return ShownCheck(notebook._check_here(source, space["TwoLayerNet"], space, frozen, "forward"))._repr_html_()


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("begin", "dark"),
    [
        pytest.param('<body data-jp-theme-light="true">', False, marks=pytest.mark.slow),
        ('<body data-jp-theme-light="false">', True),
        pytest.param('<body class="vscode-dark">', True, marks=pytest.mark.slow),
        pytest.param('<html theme="dark"><body>', True, marks=pytest.mark.slow),
        ("<body>", None),
    ],
)
def test_the_page_follows_the_theme_of_the_notebook(begin, dark, scheme, piece, visited):
    """And the system's where the notebook tells none; what stands around it is left as it is."""
    page = visited(f"<!doctype html>{begin}<h1>Around</h1>{piece}", scheme=scheme)
    colour = page.evaluate("getComputedStyle(document.querySelector('.grader-check')).backgroundColor")
    expected = scheme == "dark" if dark is None else dark
    assert colour == ("rgb(20, 23, 26)" if expected else "rgb(246, 246, 244)")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgba(0, 0, 0, 0)"
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).fontSize") == "32px"


# ---------------------------------------------------------------- without processes, threads and files


@pytest.fixture
def bare(monkeypatch):
    """Take processes, threads and files away, as they are in a browser."""

    def refuse(*_args, **_options):
        raise OSError("not to be had here")

    def refuse_thread(*_args, **_options):
        raise RuntimeError("can't start new thread")

    notebook.close()
    notebook._load_once.cache_clear()
    monkeypatch.setattr(sys, "platform", "emscripten")
    monkeypatch.delattr(os, "fork")
    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(threading.Thread, "start", refuse_thread)
    real = io.open

    def refuse_file(path, *args, **options):
        # The entry point of our plugin makes pytest itself read each module of ours that is imported.
        if str(path).startswith(str(ROOT / "grader")) and str(path).endswith(".py"):
            return real(path, *args, **options)
        return refuse()

    for where, name in ((builtins, "open"), (io, "open")):
        monkeypatch.setattr(where, name, refuse_file)
    monkeypatch.setattr(os, "open", refuse)


def test_without_processes_threads_and_files_the_class_itself_is_checked(kernel, bare):
    """The same verdict, the same line, the same page; and the kernel is left as it was."""
    kernel(RIGHT)
    shown = text(kernel("%check"))
    assert "Public checks: 18 of 18 pass" in shown
    assert "asked in this kernel itself" in " ".join(shown.split())
    kernel(WRONG)
    captured = kernel("%check backward")
    assert "cell [4]" in text(captured)
    assert '58 │         grads["W1"] = X.T.dot(dhidden) + reg * W1' in text(captured)
    assert "✗  line 54" in text(captured)
    assert "Asked in the notebook" in captured.outputs[0].data["text/html"]


def test_checking_in_the_kernel_leaves_it_as_it_was(kernel, bare):
    """Random numbers go on as if nothing had been asked, outputs are seen, and the class has its own methods."""
    kernel(RIGHT)
    kernel("before = dict(vars(TwoLayerNet))\nimport numpy as np, random\nnp.random.seed(3); random.seed(3)")
    kernel("%check train")
    random.seed(3)
    assert text(kernel("np.random.rand()")) == repr(np.random.RandomState(3).rand())
    assert float(text(kernel("random.random()"))) == random.Random(3).random()  # noqa: S311 -- what Python itself would give
    assert text(kernel("dict(vars(TwoLayerNet)) == before")) == "True"
    assert kernel("print('seen')").stdout == "seen\n"
    kernel("random.seed(3); first = random.random(); random.seed(3)")
    assert text(kernel("first == random.random()")) == "True"


def test_an_error_in_the_kernel_is_told_with_its_line(kernel, bare):
    """As from a process of its own."""
    kernel(RIGHT.replace("def predict(self, X):", "def predict(self, X):\n        raise KeyError('W3')"))
    shown = text(kernel("%check predict"))
    assert "KeyError" in shown
    assert "cell [2]" in shown


def test_a_class_that_no_cell_spells_out_is_asked_itself(kernel):
    """Nobody knows its text, and it is there."""
    InteractiveShell.instance().user_ns["text"] = RIGHT
    kernel("exec(text)")
    assert "1 of 1 pass" in text(kernel("%check forward"))


def test_a_class_whose_text_nobody_knows_is_asked_itself(monkeypatch):
    """As at Python's own prompt."""
    monkeypatch.setattr(notebook, "_running_shell", lambda: None)
    space = {"__name__": "typed"}
    monkeypatch.setitem(sys.modules, "typed", type(sys)("typed"))
    exec(compile(RIGHT, "<stdin>", "exec"), space)  # noqa: S102 -- as typed
    assert "Public checks: 1 of 1 pass" in repr(grader.check(space["TwoLayerNet"], "forward"))


def test_a_script_checks_the_class_of_its_own_file(monkeypatch, tmp_path):
    """Without IPython the file is read, and run in a process of its own."""
    monkeypatch.setattr(notebook, "_running_shell", lambda: None)
    path = tmp_path / "mine.py"
    path.write_text(RIGHT, encoding="utf-8")
    module = type(sys)("mine")
    monkeypatch.setitem(sys.modules, "mine", module)
    exec(compile(RIGHT, str(path), "exec"), module.__dict__)  # noqa: S102 -- as run
    module.__file__ = str(path)
    done = grader.check(module.TwoLayerNet, "forward")
    assert done.passed
    assert "process" in done.report.environment.isolation


def test_without_fork_a_plain_child_process_runs_it(kernel, monkeypatch):
    """As on macOS and Windows."""
    notebook.close()
    monkeypatch.delattr(os, "fork")
    kernel(RIGHT)
    assert "plain child process" in " ".join(text(kernel("%check forward")).split())
    notebook.close()


# ---------------------------------------------------------------- exercises by hand


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("and_h, or_h, xnor_h = [0, 0, 0, 1], [0, 1, 1, 1], [1, 0, 0, 1]", "gates: and_h: right; or_h: right; xnor_h: right."),
        ("and_h, or_h = [0, 0, 1, 1], 'x'", "gates: and_h: 1 of 4 wrong, the first at [2]; or_h: no numbers; xnor_h: not written yet."),
        ("and_h = [[0], [0], [0], [1]]", "gates: and_h: has the shape (4, 1) and should have (4,); or_h: not written yet"),
        ("and_h = [float('nan')] * 4", "gates: and_h: 4 of 4 wrong, the first at [0]"),
    ],
)  # fmt: skip
def test_an_exercise_is_compared_by_value(kernel, cell, said):
    """Each number in one line, whatever the student wrote; no class is needed."""
    kernel(cell)
    assert text(kernel("%check gates")).startswith(said)
    assert "did you mean 'gates'?" in text(kernel("%check gate"))


# ---------------------------------------------------------------- what cannot be checked


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["%check"], "There is no class TwoLayerNet here yet: run the cell that defines it, and check again."),
        (
            ["class TwoLayerNet:\n    a = 1 / 0", "%check"],
            "Cell [2] begins the class TwoLayerNet, but ended in an error",
        ),
        (["%check los"], "unknown part 'los': did you mean 'loss'?"),
        (["%check loss forward"], "This cannot be read: %check loss forward. Write %check"),
        (["%check 'loss"], "This cannot be read: %check 'loss. Write %check"),
        (["%check --questions nowhere.npz"], "nowhere.npz: there are no frozen questions."),
        (
            ["import grader; grader.check(3)"],
            "the class itself, as in grader.check(TwoLayerNet); this is of the type int",
        ),
        (
            ["class Net: pass", "import grader; grader.check(Net)"],
            "The class is called Net, and the assignment asks for",
        ),
    ],
)
def test_what_cannot_be_checked_is_told_in_one_line(cells, said, kernel):
    """With the mend, without a traceback; and cells after it are run."""
    for cell in cells:
        captured = kernel(cell)
    assert said in text(captured)
    assert "\n" not in text(captured)
    page = captured.outputs[0].data["text/html"] if captured.outputs else captured.result._repr_html_()
    assert page.startswith("<p>")
    assert "Traceback" not in captured.stdout + captured.stderr


def test_questions_of_another_version_are_refused(kernel, tmp_path):
    """With what to do about it."""
    with np.load(bundled() / FILE) as stored:
        members = {name: stored[name] for name in stored.files}
    np.savez(tmp_path / "later.npz", **{**members, "version": np.array(99)})
    kernel(RIGHT)
    assert "have version 99, and this grader reads" in text(kernel("%check loss --questions later.npz"))


def test_a_fault_of_the_grader_and_an_old_numpy_are_told_in_one_line(kernel, monkeypatch):
    """As in a terminal: whose fault it is, or the command that mends it."""

    def fail(*_):
        raise RuntimeError("of ours")

    kernel(RIGHT)
    monkeypatch.setattr(notebook, "_report", fail)
    captured = kernel("%check")
    assert text(captured).startswith("The grader failed, not your program: RuntimeError: of ours (")
    assert "Traceback" not in captured.stdout + captured.stderr
    assert "it cannot be looked at (File name too long)" in text(kernel(f"%check --questions {'a' * 256}"))
    monkeypatch.setattr(np, "__version__", "1.24.3")
    assert text(kernel("%check")) == "numpy 1.24.3 is too old: 1.26 is needed. Run `pip install -U numpy`."


def test_without_ipython_the_class_must_be_named(monkeypatch):
    """There is no kernel to look into."""
    monkeypatch.setattr(notebook, "_running_shell", lambda: None)
    assert repr(grader.check()) == "Say which class is to be checked: grader.check(TwoLayerNet)."


def test_where_the_sandbox_does_not_start_a_plain_child_process_runs_it(kernel, monkeypatch):
    """It is one's own code."""

    def refuse(*_args, **_options):
        raise forkserver.ServerLostError("the zygote ended")

    notebook.close()
    monkeypatch.setattr(spawn, "ForkServer", refuse)
    kernel(RIGHT)
    kernel("%check forward")
    assert isinstance(notebook._hosts[0].server, spawn.SpawnServer)
    notebook.close()


# ---------------------------------------------------------------- the lesson, run as a student runs it


def executed(path, tmp_path, change=lambda source: source):
    """Return the outputs of the `%check` cells of a notebook that was run from top to bottom."""
    import nbformat
    from nbclient import NotebookClient

    read = nbformat.read(path, as_version=4)
    for cell in read.cells:
        cell.source = change(cell.source)
    NotebookClient(
        read, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(LESSON.parent)}}
    ).execute()
    return {
        cell.source.removeprefix("%check "): [output["data"] for output in cell.outputs if "data" in output]
        for cell in read.cells
        if cell.source.startswith("%check ")
    }


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_solution_passes_every_part_of_the_lesson(tmp_path):
    """Each `%check PART` below its cell."""
    shown = executed(SOLUTION, tmp_path)
    by_hand = [shown.pop(name)[0]["text/plain"] for name in EXERCISES]
    assert not [said for said in by_hand if set(re.findall(r"\w+: ([^;.]+)", said.partition(": ")[2])) != {"right"}]
    assert list(shown) == ["forward", "loss", "backward", "train", "predict", "tuning"]
    for (output,) in shown.values():
        assert re.search(r"Public checks: (\d+) of \1 pass", output["text/plain"])
        assert "grader-check" in output["text/html"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_untouched_lesson_is_told_what_to_write(tmp_path):
    """Nothing failed: it is not written yet."""
    for name, (output,) in executed(LESSON, tmp_path).items():
        assert ("not written yet" if name in EXERCISES else "Next steps") in output["text/plain"]
        assert "✗" not in output["text/plain"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_wrong_step_of_the_lesson_is_named_below_its_cell(tmp_path):
    """And the parts before it pass."""
    shown = executed(SOLUTION, tmp_path, lambda source: source.replace("2 * reg * W", "reg * W"))
    assert "pass;" in shown["loss"][0]["text/plain"]
    assert "is half" in shown["backward"][0]["text/plain"]
    assert re.search(r"cell \[\d+\]", shown["backward"][0]["text/plain"])
