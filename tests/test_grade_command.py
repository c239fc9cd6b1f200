"""`grader grade`, as a person uses it: every sample, what is written, what is said, and how it ends."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

import grader.reports
from classroom.once import at_hand
from grader.classroom import worker
from grader.cli import main
from tracing import untraced

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "tests" / "submissions"
SCHEMA = json.loads((Path(grader.reports.__file__).parent / "report.schema.json").read_text(encoding="utf-8"))

# What each sample must come to: its status, its least and its most points, and a part of what its report says.
WRONG = {
    "wrong_biases_never_updated": (95, "b1 did not change in 4 iterations"),
    "wrong_biases_regularised": (94, "1 reg times (sum W1^2 + sum b1^2 + sum W2^2 + sum b2^2)"),
    "wrong_decay_every_step": (96, "It was decayed in every iteration instead of once an epoch"),
    "wrong_gradient_shape": (91.5, "must have the shape of W1, (7, 11); it is an array of shape (1, 11)"),
    "wrong_half_the_gradient": (86, "It is right where reg is 0"),
    "wrong_labels_shuffled": (94, "Rows of a batch have the labels of other rows"),
    "wrong_overflows": (96, "With 1000 added to every score of every row the loss must stay"),
    "wrong_predict_axis": (94, "must return 4 labels, shape (4,); it returned an array of shape (3,)"),
    "wrong_relu_mask": (88, "entries are wrong; the worst is W1"),
    "wrong_sum_for_mean": (92, "and there are 4 examples: is it a sum instead of the mean?"),
}
UNREADABLE = {
    "broken_empty": ("no_submission", "broken_empty.ipynb is empty"),
    "broken_not_json": ("failed_to_load", "is not valid JSON at line 1, column 45"),
    "broken_other_name": ("failed_to_load", "Did you mean TwoLayerNetwork (code cell 2, line 1"),
    "broken_python2": ("failed_to_load", "Written for Python 2: print statement at broken_python2.py, line"),
    "broken_syntax": ("failed_to_load", "Python cannot read code cell 2, line"),
}
STOPPED = {
    "broken_exits_in_loss": (40, "ended the process with os._exit(0) or sys.exit"),
    "broken_needs_memory": (40, "asked for more memory than the 1024 MB allowed"),
    "broken_not_a_number": (78, "yours nan, right"),
    "broken_signature": (26, "loss() takes (self, X, y) but is asked as loss(X, y, reg=0.0)"),
    "broken_endless_loss": (24, "loss() did not end within its time"),
}


@pytest.fixture(autouse=True)
def _at_hand(monkeypatch):
    """Let the commands of this process remember what they drew."""
    at_hand(monkeypatch)


# These take as long as all others together: they are graded where the slow tests are asked for.
HEAVY = {"right_loops", "right_prints_a_lot", "broken_endless_loss"}
# And so are these: of each kind of right program some are graded here, and these are further ones.
MORE = {
    *("right_class_by_class", "right_onehot_product", "right_softmax_jacobian", "right_tensordot"),  # of arithmetic
    *("right_float32", "right_row_biases", "right_setattr_loop"),  # of types and layouts
    *("right_assignment2_layers", "right_closures", "right_graph_steps", "right_greek_names", "right_layer_objects"),
    *("right_optimizer_keywords", "right_subclass_of_classifier", "right_tape_tensors", "right_typed_dataclasses"),
    *("right_decorated_methods", "right_functions_in_cells", "right_python2_looking"),  # of hand-ins
    *("wrong_biases_regularised", "wrong_decay_every_step", "wrong_labels_shuffled", "wrong_overflows"),  # of mistakes
    "broken_needs_memory",
    *(
        "right_end_of_epoch",
        "right_float32_inside",
        "right_old_noisy",
        "right_stale_first_copy",
        "right_transposed_weights",
    ),
    *("wrong_gradient_shape", "wrong_sum_for_mean"),
    *("right_bias_trick", "right_columns_are_examples", "right_half_logsumexp", "right_shuffled_epochs"),
}
LEFT = HEAVY | MORE


def light_first(names):
    """Return the names as parameters, of which the heavy ones and some more are slow."""
    return [pytest.param(name, marks=[pytest.mark.slow] if name in LEFT else []) for name in sorted(names)]


@pytest.fixture(scope="module")
def samples(request, tmp_path_factory):
    """Return a class's folder with the samples."""
    left = set() if any(item.get_closest_marker("slow") for item in request.session.items) else LEFT
    folder = tmp_path_factory.mktemp("samples") / "class"
    shutil.copytree(SAMPLES, folder, ignore=lambda _, names: [name for name in names if Path(name).stem in left])
    return folder


@pytest.fixture(scope="module")
def graded(tmp_path_factory, samples):
    """Grade the samples once, in this process: it knows most of what is to be found out about mistakes."""
    out = tmp_path_factory.mktemp("graded")
    with pytest.MonkeyPatch.context() as patched, untraced():
        at_hand(patched)
        result = CliRunner().invoke(main, ["grade", "--seed", "231", str(samples), "--out", str(out)])
    assert result.exit_code == 0, result.output
    return out, result


def report(graded, name):
    """Return a sample's report.json."""
    return json.loads((graded[0] / "submissions" / name / "report.json").read_text(encoding="utf-8"))


@pytest.mark.untraced  # validating is the library's, and takes longer by a tracer
def test_every_sample_has_a_report_of_the_schema(graded, samples):
    """One broken submission never stops the others, and each report keeps the contract."""
    names = {path.stem for path in samples.iterdir() if not path.name.startswith(".")}
    contract = jsonschema.validators.validator_for(SCHEMA)(SCHEMA)
    assert {path.name for path in (graded[0] / "submissions").iterdir()} == names
    for name in names:
        found = report(graded, name)
        contract.validate(found)
        assert found["submission"] == name
        assert (graded[0] / "submissions" / name / "report.html").stat().st_size > 5_000


@pytest.mark.parametrize("name", light_first(path.stem for path in SAMPLES.glob("right_*")))
def test_right_programs_written_differently_lose_nothing(graded, name):
    """Loops, einsum, float32, other layouts, other sampling, other conventions, other hand-ins: all full marks."""
    found = report(graded, name)
    assert (found["status"], found["score"]) == ("graded", 100), [
        (check["id"], check["message"]) for check in found["checks"] if check["status"] != "passed"
    ]


@pytest.mark.parametrize("name", light_first(WRONG))
def test_a_wrong_program_is_told_what_is_wrong(graded, name):
    """The points of the mistake are lost, no others, and the message names what came."""
    found = report(graded, name)
    score, said = WRONG[name]
    assert found["score"] == score
    assert any(said in check["message"] for check in found["checks"]), [check["message"] for check in found["checks"]]


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_loaded_says_why(graded, name):
    """Bad input gets a message that says what was found and how to mend it, and no traceback."""
    found = report(graded, name)
    status, said = UNREADABLE[name]
    assert (found["status"], found["score"]) == (status, 0)
    assert said in found["notes"][0]
    assert "Traceback" not in json.dumps(found)


@pytest.mark.parametrize("name", light_first(STOPPED))
def test_a_program_that_stops_the_process_costs_itself_only(graded, name):
    """Endless loops, exits, memory and wrong signatures are verdicts."""
    found = report(graded, name)
    score, said = STOPPED[name]
    assert (found["status"], found["score"]) == ("graded", score)
    assert any(said in check["message"] for check in found["checks"]), [check["message"] for check in found["checks"]]


def test_the_untouched_skeleton_scores_nothing_and_sees_no_traceback(graded):
    """A student who has not begun is told so."""
    found = report(graded, "unfinished_skeleton")
    assert (found["status"], found["score"]) == ("graded", 0)
    assert {check["status"] for check in found["checks"]} == {"skipped"}
    assert all(check["message"].startswith(("Not started", "Not judged")) for check in found["checks"])
    assert "Error" not in json.dumps(found["checks"])


def test_what_is_unfinished_keeps_what_is_right(graded):
    """loss() earns all of its points though train() and predict() are missing."""
    found = report(graded, "unfinished_train")
    for check in found["checks"]:
        if check["group"] in {"loss", "gradients"}:
            assert check["status"] == "passed", check


def test_the_class_page_and_the_gradebook_hold_everybody(graded):
    """The page links to each report; the CSV has each score."""
    out, result = graded
    page = (out / "index.html").read_text(encoding="utf-8")
    rows = list(csv.DictReader((out / "gradebook.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) == len(list((out / "submissions").iterdir()))
    for row in rows:
        assert f'href="submissions/{row["submission"]}/report.html"' in page
        assert float(row["score"]) == report(graded, row["submission"])["score"]
    assert f"Open {out / 'index.html'}" in result.output.replace("\n", "")


@pytest.mark.slow
@pytest.mark.untraced  # gradings like any other
@pytest.mark.parametrize("threads", ["1", "2"], ids=["forked", "fresh"])
def test_grading_again_gives_the_same_bytes(graded, samples, tmp_path, threads):
    """The same submission, assignment, seed and versions give the same report.json apart from timing, whatever --jobs.

    Workers are forks of the command where that has one thread, and else fresh Pythons.
    """
    names = ["wrong_half_the_gradient.py", "broken_exits_in_loss.py", "right_zipped.zip"]
    paths = [str(samples / name) for name in names]
    words = [
        sys.executable,
        "-m",
        "grader",
        "grade",
        "--seed",
        "231",
        *paths,
        "--out",
        tmp_path / "again",
        "--jobs",
        "2",
    ]
    subprocess.run(words, env=os.environ | {"OPENBLAS_NUM_THREADS": threads}, check=True, timeout=120)
    for name in names:
        parts = Path(name).stem, "report.json"
        one = (graded[0] / "submissions" / parts[0] / parts[1]).read_text(encoding="utf-8")
        two = (tmp_path / "again" / "submissions" / parts[0] / parts[1]).read_text(encoding="utf-8")
        timing = re.compile(r'"timing": \{[^}]*\}')
        assert len(timing.findall(one)) == 1
        assert timing.sub("", one) == timing.sub("", two)


@pytest.mark.slow
@pytest.mark.untraced
@pytest.mark.parametrize("seed", [7, 2**127 + 4711])
def test_another_seed_asks_other_questions_and_grades_the_same(tmp_path, seed):
    """A secret seed changes the numbers in the messages, not the verdict: right programs get all points at each."""
    right = [path for path in sorted(SAMPLES.glob("right_*")) if path.is_file()]
    paths = [str(SAMPLES / "wrong_half_the_gradient.py"), *map(str, right)]
    result = CliRunner().invoke(main, ["grade", *paths, "--out", str(tmp_path), "--seed", str(seed)])
    assert result.exit_code == 0
    scores = {
        path.parent.name: json.loads(path.read_text(encoding="utf-8"))["score"]
        for path in (tmp_path / "submissions").glob("*/report.json")
    }
    assert scores == {"wrong_half_the_gradient": 86, **{path.stem: 100 for path in right}}


def test_a_folder_as_one_submission(tmp_path):
    """--one takes a folder with a notebook and its helper modules as one hand-in."""
    result = CliRunner().invoke(
        main, ["grade", "--seed", "231", str(SAMPLES / "right_helper_modules"), "--one", "--out", str(tmp_path)]
    )
    assert result.exit_code == 0
    found = json.loads((tmp_path / "submissions/right_helper_modules/report.json").read_text(encoding="utf-8"))
    assert found["score"] == 100


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.ipynb"], "nowhere.ipynb: there is no such file or folder."),
        (["EMPTY"], "nothing to grade here. A submission is an .ipynb, .py or .zip file, or a folder."),
        (["EMPTY", "--assignment", "EMPTY"], "--assignment takes a folder that holds an assignment.toml."),
        ([], "Missing argument 'PATH...'"),
        (["EMPTY", "--jobs", "0"], "0 is not in the range 1<=x<=256"),
        (["EMPTY", "--job", "2"], "No such option"),
    ],
)
def test_bad_usage_ends_with_two_and_says_what_to_do(tmp_path, arguments, said):
    """A wrong path, folder or option is bad usage: exit 2, one message, no traceback."""
    (tmp_path / "empty").mkdir()
    words = [str(tmp_path / "empty") if word == "EMPTY" else word for word in arguments]
    result = CliRunner().invoke(main, ["grade", "--seed", "231", *words, "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())
    assert "Traceback" not in result.output


def test_out_must_be_a_folder(tmp_path):
    """A file where the reports should go is refused before anything is graded."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = CliRunner().invoke(
        main, ["grade", "--seed", "231", str(SAMPLES / "right_einsum.py"), "--out", str(tmp_path / "file")]
    )
    assert result.exit_code == 2
    assert "this folder cannot be made" in result.output


def test_a_fault_of_the_grader_costs_one_report_and_exits_with_one(tmp_path, monkeypatch):
    """Where our own code fails, that submission is marked as ungraded, the others go on, and the exit status says so."""
    real = worker.run_and_judge

    def failing(hand_in, name, *rest):
        if name == "right_float32":
            raise ZeroDivisionError("a fault planted by this test")
        return real(hand_in, name, *rest)

    monkeypatch.setattr(worker, "run_and_judge", failing)
    paths = [str(SAMPLES / "right_float32.py"), str(SAMPLES / "right_row_biases.py")]
    result = CliRunner().invoke(main, ["grade", "--seed", "231", *paths, "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert "The grader itself failed on: right_float32" in " ".join(result.output.split())
    broken = json.loads((tmp_path / "submissions/right_float32/report.json").read_text(encoding="utf-8"))
    jsonschema.validate(broken, SCHEMA)
    assert broken["status"] == "grader_error"
    assert "The grader failed on this submission: ZeroDivisionError" in broken["notes"][0]
    assert "planted" in (tmp_path / "submissions/right_float32/grader-error.txt").read_text(encoding="utf-8")
    fine = json.loads((tmp_path / "submissions/right_row_biases/report.json").read_text(encoding="utf-8"))
    assert fine["score"] == 100


@pytest.mark.untraced
def test_hidden_checks_tell_their_title_and_verdict_only(tmp_path):
    """An instructor hides a check; the student's page does not hold its message, and the instructor's report does."""
    folder = tmp_path / "assignment"
    folder.mkdir()
    bundled = ROOT / "assignment"
    text = (bundled / "assignment.toml").read_text(encoding="utf-8")
    changed = text.replace('id = "gradient_W1"\npoints = 7', 'id = "gradient_W1"\npoints = 7\nhidden = true')
    assert changed != text
    (folder / "assignment.toml").write_text(changed, encoding="utf-8")
    (folder / "data").symlink_to(bundled / "data")
    arguments = ["grade", "--seed", "231", str(SAMPLES / "wrong_half_the_gradient.py"), "--assignment", str(folder)]
    result = CliRunner().invoke(main, [*arguments, "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    told = tmp_path / "out/submissions/wrong_half_the_gradient"
    page = (told / "report.html").read_text(encoding="utf-8")
    assert "entries are wrong; the worst is W1[" not in page
    assert "gradient of the loss with respect to the first layer" in page
    found = json.loads((told / "report.json").read_text(encoding="utf-8"))
    check = next(check for check in found["checks"] if check["id"] == "gradient_W1")
    assert (check["status"], check["points"], check["hidden"]) == ("failed", 0, True)
    assert "entries are wrong; the worst is W1[" in check["message"]


def test_build_writes_the_students_notebook(tmp_path):
    """`grader build` gives the notebook that is shipped."""
    out = tmp_path / "skeleton.ipynb"
    solution = str(ROOT / "reference" / "two_layer_net_solution.ipynb")
    result = CliRunner().invoke(main, ["build", "--solution", solution, "--out", str(out)])
    assert result.exit_code == 0
    assert out.read_bytes() == (ROOT / "assignment" / "two_layer_net.ipynb").read_bytes()
    missing = CliRunner().invoke(main, ["build", "--solution", str(tmp_path / "no.ipynb"), "--out", str(out)])
    assert missing.exit_code == 2
    assert "cannot be read" in missing.output


@pytest.mark.slow
def test_an_old_output_folder_is_no_submission(tmp_path):
    """--out inside the class's folder is not graded the next time, under whatever name."""
    folder = tmp_path / "class"
    folder.mkdir()
    shutil.copy(SAMPLES / "broken_syntax.ipynb", folder / "one.ipynb")
    for out in ("first", "second"):
        result = CliRunner().invoke(main, ["grade", "--seed", "231", str(folder), "--out", str(folder / out)])
        assert result.exit_code == 0
        assert [path.name for path in (folder / out / "submissions").iterdir()] == ["one"]


def test_a_folder_that_cannot_be_written_is_said_plainly(tmp_path):
    """A file where a folder must go, as a full or read-only disk would: one sentence, exit 1, no traceback."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "submissions").write_text("", encoding="utf-8")
    result = CliRunner().invoke(
        main, ["grade", "--seed", "231", str(SAMPLES / "broken_syntax.ipynb"), "--out", str(tmp_path / "out")]
    )
    assert result.exit_code == 1
    assert result.output.lstrip().startswith(f"Error: --out {tmp_path / 'out'}: ")
    assert "Traceback" not in result.output


@pytest.mark.slow
def test_an_old_error_file_goes_with_the_error(tmp_path):
    """A submission that is graded at last has nothing left of the earlier failure."""
    left = tmp_path / "submissions" / "broken_syntax" / "grader-error.txt"
    left.parent.mkdir(parents=True)
    left.write_text("old", encoding="utf-8")
    CliRunner().invoke(main, ["grade", "--seed", "231", str(SAMPLES / "broken_syntax.ipynb"), "--out", str(tmp_path)])
    assert not left.exists()


def _started(out, jobs):
    """Start a grading that lasts, wait until the first report is there, and give the process and its descendants."""
    command = [sys.executable, "-m", "grader", "grade", "--seed", "231", str(SAMPLES / "broken_syntax.ipynb")]
    command += [str(SAMPLES / "broken_endless_loss.py"), str(SAMPLES / "right_loops.py")]
    # A shell's background job, which these tests may be, has Ctrl-C ignored, and so would have what it starts.
    process = subprocess.Popen(
        ["env", "--default-signal=INT", *command, "--out", str(out), "--jobs", str(jobs)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    first = out / "submissions" / "broken_syntax" / "report.json"
    deadline = time.monotonic() + 60
    while not (first.exists() and _a_student_runs_below(process.pid)):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.05)
    return process, _descendants(process.pid, _parents())


def _parents():
    """Return the parent of each process."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    return parents


def _descendants(pid, parents):
    found, fresh = set(), {pid}
    while fresh:
        fresh = {child for child, parent in parents.items() if parent in fresh} - found
        found |= fresh
    return found


def _a_student_runs_below(pid):
    """Return whether a zygote has forked: both then bear its command line."""
    parents, zygotes = _parents(), set()
    for child in _descendants(pid, parents):
        try:
            zygotes |= {child} if b"zygote.main" in Path(f"/proc/{child}/cmdline").read_bytes() else set()
        except OSError:
            continue
    return any(parents[child] in zygotes for child in zygotes)


def _gone(pids, seconds=15.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_ctrl_c_keeps_what_is_graded_and_leaves_nothing_running(tmp_path, jobs):
    """Ctrl-C says how many are graded, writes their page, exits with 130, and ends every process."""
    process, descendants = _started(tmp_path, jobs)
    assert descendants
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 130, output
    assert "Stopped. 1 of 3 are graded and saved. Run the same command again to grade the rest." in output
    assert "broken_syntax" in (tmp_path / "index.html").read_text(encoding="utf-8")
    assert _gone(descendants)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "jobs"), [pytest.param("SIGTERM", 2, marks=pytest.mark.slow), ("SIGKILL", 1)])
def test_a_killed_grader_leaves_nothing_running(tmp_path, jobs, name):
    """However the command ends, its workers, zygotes and students' processes end as well."""
    process, descendants = _started(tmp_path, jobs)
    assert descendants
    os.kill(process.pid, signal.Signals[name])
    process.communicate(timeout=20)
    assert _gone(descendants)


def test_a_hostile_file_name_commands_nobody(tmp_path):
    """What is ignored is named on the screen; a name there is neither a terminal's code nor a CI runner's command."""
    folder = tmp_path / "class"
    folder.mkdir()
    shutil.copy(SAMPLES / "broken_syntax.ipynb", folder / "::error::x.ipynb")
    (folder / "x\n::set-output name=score::100\x1b[2J ##[error]y :skull: [bold].csv").write_text(
        "1,2", encoding="ascii"
    )
    done = CliRunner().invoke(
        main, ["grade", "--seed", "231", str(folder), "--out", str(tmp_path / "out")], catch_exceptions=False
    )
    assert done.exit_code == 0
    assert "Ignored, because they are not submissions: " in done.output
    assert "\x1b" not in done.output
    assert not re.search(r"(?m)^\s*::[a-z]|##\[", done.output), done.output
    assert ":skull: [bold].csv" in done.output
