"""`grader grade` as CI runs it: what a runner is told, the exit statuses, and runs that give no grade."""

import json
import os
import re
import secrets
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from classroom.once import graded_once, points
from grader.classroom import worker
from grader.classroom.file_lines import find_line
from grader.cli import main
from grader.model import Place
from grader.reports import github
from grader.reports.annotations import annotate
from grader.reports.export_rows import ExportOptions, mean_score
from grader.reports.formats import CLASS_FORMATS
from grader.text.phrases import format_points
from reports import factory

ROOT = Path(__file__).resolve().parent.parent
BASE = ("grade", "class", "--assignment", "rubric", "--out", "graded")


@pytest.fixture
def here(tmp_path_factory, tmp_path, monkeypatch):
    """Return a graded class, with a runner's files."""
    folder = graded_once(tmp_path_factory, tmp_path, monkeypatch)
    for variable in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        monkeypatch.setenv(variable, str(folder.path / variable))
    monkeypatch.delenv("GRADER_SEED", raising=False)
    return folder


def run(*words):
    """Run a command; return its exit status and what it printed."""
    done = CliRunner().invoke(main, list(map(str, words)))
    assert isinstance(done.exception, SystemExit | None), done.exception
    return done.exit_code, done.output


def outputs(folder):
    """Read a step's outputs, as the runner does: the last line of a name counts."""
    lines = (folder.path / "GITHUB_OUTPUT").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def obeyed(text):
    """Return the commands that a runner obeys in a text: none between a stop and its token."""
    found, token = [], ""
    for line in text.splitlines():
        if token:
            token = "" if line == f"::{token}::" else token
        elif line.startswith("::stop-commands::"):
            token = line.removeprefix("::stop-commands::")
        elif line.startswith("::") or "##[" in line:
            found.append(line)
    assert not token
    return found


def test_the_runner_is_told_what_to_mend_first_and_the_grade(here):
    """Annotations with file, line and column, the dearest first; a summary; outputs."""
    code, said = run(*BASE, "--format", "github")
    assert code == 0
    commands = obeyed(said)
    assert any(
        re.match(r"::error file=class/wrong_half_the_gradient.py,line=\d+,col=9,title=", one) for one in commands
    )
    returned = [int(found) for one in commands for found in re.findall(r"up to (\d+) points", one)]
    assert (commands[0].count("points"), returned) == (1, sorted(returned, reverse=True))
    assert commands[-1].startswith("::notice title=4 of 4 submissions have a grade%2C 46.5 points on average")
    assert sum(one.startswith("::error") for one in commands) <= 10
    assert outputs(here) == {"score": "46.5", "max": "100", "passed": "false", "result": "graded"}
    summary = (here.path / "GITHUB_STEP_SUMMARY").read_text(encoding="utf-8")
    assert "| wrong&#95;half&#95;the&#95;gradient | 86 of 100 | The regulariser&#39;s part" in summary


def test_one_submission_has_a_table_of_its_checks(here):
    """Its outputs are its own score, and each check has a row."""
    code, _ = run("grade", "class/right_einsum.py", "--out", "alone", "--seed", 231, "--format", "github")
    assert (code, outputs(here)) == (0, {"score": "100", "max": "100", "passed": "true", "result": "graded"})
    assert "| Check | Verdict | Points | What was found |" in (here.path / "GITHUB_STEP_SUMMARY").read_text("utf-8")


@pytest.mark.parametrize("variable", ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"])
def test_a_runner_s_file_that_cannot_be_written_is_one_line(here, variable):
    """The run failed on it, the other file is written, and the line says what to mend."""
    (here.path / variable).mkdir()
    code, said = run(*BASE, "--format", "github")
    assert (code, "Traceback" in said) == (1, False)
    assert f"{variable}: {here.path / variable} cannot be written (Is a directory). Let it name" in obeyed(said)[-1]
    assert sorted(path.name for path in here.path.glob("GITHUB_*") if path.is_file() and path.stat().st_size) == sorted(
        {"GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"} - {variable}
    )


def test_nothing_that_is_printed_can_speak_commands(here, monkeypatch):
    """All but the commands of the end stands between a stop and a token that is drawn anew; a forged token ends nothing."""
    monkeypatch.setattr(
        "grader.cli.grade_paths._print_outcome", lambda *_: click.echo("::set-output name=score::100\n::0::")
    )
    drawn, real = [], secrets.token_hex
    monkeypatch.setattr(secrets, "token_hex", lambda size: drawn.append(real(size)) or drawn[-1])
    for _ in range(2):
        _, said = run(*BASE, "--format", "github")
        assert "::set-output" in said
        assert not [one for one in obeyed(said) if not one.startswith(("::error ", "::warning ", "::notice "))]
    assert len(set(drawn)) == 2
    assert min(map(len, drawn)) >= 32


def test_a_fault_of_ours_is_told_before_the_runner_obeys_again(here, monkeypatch):
    """Its traceback may quote what a student wrote."""

    def fail(*_args):
        raise RuntimeError("a name\n::set-output name=score::100")

    monkeypatch.setattr("grader.cli.grade_paths._print_outcome", fail)
    code, said = run(*BASE, "--format", "github")
    assert (code, "::set-output" in said) == (1, True)
    assert [one.partition("::The grader failed")[0] for one in obeyed(said)] == [
        "::error title=No grade%3A the infrastructure failed"
    ]


def test_the_annotation_and_the_output_give_the_same_mean():
    """Who is excused counts in neither, and a program that cannot be read in both."""
    reports = [
        factory.report("ann"),
        replace(factory.report("ben"), status="failed_to_load", score=0.0),
        replace(factory.report("cleo"), excused=True),
        replace(factory.report("dan"), status="no_submission", score=0.0),
    ]
    mean = format_points(reports[0].score / 2)
    assert f"title=3 of 4 submissions have a grade%2C {mean} points on average" in annotate(reports, ExportOptions())
    assert mean_score(reports) == reports[0].score / 2
    assert mean_score(reports[2:]) == reports[2].score
    assert mean_score(reports[3:]) == 0


def test_names_are_no_markdown_and_a_summary_is_never_too_long():
    """A name is text, whatever it holds; of too many rows those at the end are left out, in words."""
    evil = factory.report("<img src=x>|[a](http://b)`\n# c")
    many = [factory.report(f"{number} {'-' * 390}", {"loss": 0}) for number in range(600)]
    form = CLASS_FORMATS["github"]
    text = form.write(factory.sheet(evil, factory.report("b")), ExportOptions())["github/summary.md"]
    assert not re.search(r"<img|\[a\]|http:|`|\n# c", text)
    assert all(line.count("|") in {0, 4} for line in text.splitlines())
    long = form.write(factory.sheet(*many), ExportOptions())["github/summary.md"]
    assert github.LIMIT * 0.99 < len(long.encode()) <= github.LIMIT
    assert long.endswith(f"{github.MORE}\n")


@pytest.mark.parametrize(
    ("words", "seed", "code", "said"),
    [
        (["class"], "", 2, "GRADER_SEED is empty: expected the class's secret seed"),
        (["class"], "secret words", 2, "GRADER_SEED is not a whole number."),
        (["empty"], "231", 2, "nothing to grade here."),
        (["empty", "--one"], "231", 1, "holds no notebook"),
        (["class", "--attempt", "first-ever"], "231", 2, "first-ever"),
        (["class", "--fail-under", "nan"], "231", 2, "nan is not a percentage"),
    ],
)
def test_a_run_without_a_grade_is_no_grade_of_zero(here, monkeypatch, words, seed, code, said):
    """One annotation says why and how to mend it, and the result is "infrastructure"."""
    monkeypatch.setenv("GRADER_SEED", seed)
    (here.path / "empty").mkdir()
    got, text = run("grade", *words, "--out", "fresh", "--format", "github")
    (command,) = obeyed(text)
    assert got == code
    assert command.startswith("::error title=No grade%3A the infrastructure failed::")
    assert said in command
    assert "secret words" not in text
    assert outputs(here) == {"score": "", "max": "", "passed": "", "result": "infrastructure"}
    assert github.escape(said.split()[0]) in (here.path / "GITHUB_STEP_SUMMARY").read_text(encoding="utf-8")


def test_without_the_kernels_features_nothing_is_graded(here, monkeypatch):
    """A refused sandbox is the infrastructure's fault."""
    from grader.sandbox import self_test

    def refuse(*_args, **_rest):
        raise self_test.NotIsolatedError("Student code is not isolated here: run `grader doctor`.")

    monkeypatch.setattr("grader.classroom.variants.grade_class", refuse)
    code, said = run(*BASE, "--format", "github")
    assert (code, outputs(here)["result"]) == (1, "infrastructure")
    assert "run `grader doctor`" in obeyed(said)[0]


def test_the_seed_leaves_the_environment_before_any_student_code_runs(here, monkeypatch):
    """The variable counts as --seed does, and is gone when the first submission is run."""
    monkeypatch.setenv("GRADER_SEED", " 4711\n")
    seen, real = [], worker.run_and_judge

    def looking(*rest, **more):
        seen.append([value for name, value in os.environ.items() if "SEED" in name or "4711" in value])
        return real(*rest, **more)

    monkeypatch.setattr(worker, "run_and_judge", looking)
    code, _ = run("grade", "class/right_einsum.py", "--out", "seeded")
    assert (code, seen) == (0, [[]])
    assert (here.path / "seeded/secret-seed.txt").read_text(encoding="utf-8").startswith("4711 ")


@pytest.mark.parametrize(
    ("words", "code", "passed"),
    [
        ([], 0, "false"),
        (["--fail-under", "0"], 0, "true"),
        (["--fail-under", "86.5"], 3, "false"),
        (["--fail-on", "mistakes"], 3, "false"),
        (["--fail-under", "86"], 0, "true"),
    ],
)
def test_low_scores_fail_a_run_where_that_is_asked_for(here, words, code, passed):
    """Exit 3 is a grade that is too low, or a mistake that was recognised."""
    one = ("grade", "class/wrong_half_the_gradient.py", "--assignment", "rubric", "--out", "graded")
    assert run(*one, *words, "--format", "github")[0] == code
    assert outputs(here) == {"score": "86", "max": "100", "passed": passed, "result": "graded"}


def test_classroom50_gets_whole_numbers_and_its_own_values(here, monkeypatch):
    """result.json is written to the current folder; a low score exits with 0."""
    here.change(points("gradient_W1", 7, 6.5))
    values = {"CLASSROOM": "cs", "ASSIGNMENT": "net", "SUBMISSION_TAG": "submit/1", "COMMIT_URL": "https://x/c"}
    for name, value in {**values, "SOURCE_DATE_EPOCH": "1700000000"}.items():
        monkeypatch.setenv(name, value)
    one = ("grade", "class/wrong_half_the_gradient.py", "--assignment", "rubric", "--out", "alone", "--seed", 231)
    assert run(*one, "--format", "classroom50")[0] == 0
    data = json.loads((here.path / "result.json").read_text(encoding="utf-8"))
    tests = data.pop("tests")
    assert data == {
        "schema": "classroom50/result/v1", "classroom": "cs", "assignment": "net", "submission": "submit/1",
        "commit": "https://x/c", "release": "", "review": "", "datetime": "2023-11-14T22:13:20Z",
        "score": 86, "max-score": 100,
    }  # fmt: skip
    assert all(type(test[key]) is int for test in tests for key in ("score", "max-score"))
    assert {test["test-name"][:14]: test["passed"] for test in tests}["grads['W1'] is"] is False


def test_a_result_that_was_handed_in_is_not_the_result(here):
    """A student's own result.json is gone before anything can fail."""
    (here.path / "result.json").write_text('{"score": 100}', encoding="utf-8")
    (here.path / "empty").mkdir()
    assert run("grade", "empty", "--one", "--out", "fresh", "--seed", 1, "--format", "classroom50")[0] == 1
    assert not (here.path / "result.json").exists()
    code, said = run("export", "graded", "--format", "classroom50")
    assert (code, "is the grade of one submission, and 4 are here" in said) == (2, True)


def test_a_folder_in_the_place_of_the_result_is_refused_in_words(here):
    """Whoever hands in names the files of the current folder, a folder called result.json among them."""
    (here.path / "result.json").mkdir()
    code, said = run(*BASE, "--format", "classroom50")
    assert (code, "result.json" in said, "remove it" in said) == (1, True, True)


def test_points_in_whole_numbers_never_make_up_for_missing_ones():
    """99.6 of 100 is no full score."""
    sheet = factory.sheet(factory.report("a", {"loss": 19.6}))
    data = json.loads(CLASS_FORMATS["classroom50"].write(sheet, ExportOptions())["result.json"])
    assert (data["score"], data["max-score"]) == (99, 100)
    assert [(one["score"], one["passed"]) for one in data["tests"]][1] == (19, False)


def test_gitlab_knows_an_entry_again():
    """Fingerprints are unique, and stay where a message or a line changes; the other keys are what GitLab reads."""

    def read(find):
        sheet = factory.sheet(factory.report("a", {"loss": 3}), factory.report("b", {"loss": 3, "predict": None}))
        changed = [
            replace(one, report=replace(one.report, checks=tuple(find(c) for c in one.report.checks)))
            for one in sheet.standings
        ]
        (text,) = CLASS_FORMATS["codequality"].write(replace(sheet, standings=tuple(changed)), ExportOptions()).values()
        return json.loads(text)

    before, after = read(lambda one: one), read(lambda one: replace(one, message="other 4711"))
    assert [one["fingerprint"] for one in before] == [one["fingerprint"] for one in after]
    assert before != after
    assert len({one["fingerprint"] for one in before}) == len(before) == 3
    for one in before:
        assert set(one) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert one["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert one["location"]["path"]
        assert one["location"]["lines"]["begin"] >= 1


def notebook(folder, name, *cells):
    """Write a notebook as Jupyter does; a cell is its text, or Markdown's if it begins with #."""
    made = [
        {
            "cell_type": "markdown" if cell.startswith("# ") else "code",
            "metadata": {},
            "source": cell.splitlines(keepends=True),
        }
        for cell in cells
    ]
    (folder / name).write_text(json.dumps({"cells": made, "nbformat": 4}, indent=1), encoding="utf-8")


def test_a_line_of_a_cell_is_found_in_the_notebooks_file(tmp_path):
    """File, line and column of what the report quotes; nothing where the file says otherwise or two would do."""
    notebook(tmp_path, "net.ipynb", "# title", "import x\n", "def f():\n    return 'é\"'\n")
    place = Place("code cell 2", 2, "    return 'é\"'")
    path, line, column = find_line(str(tmp_path), place)
    text = Path(path).read_text(encoding="utf-8").splitlines()[line - 1]
    assert text[column - 1 :].startswith("return '")
    assert find_line(str(tmp_path), replace(place, text="return 0")) is None
    assert find_line(str(tmp_path), replace(place, label="code cell 3")) is None
    (tmp_path / ".ipynb_checkpoints").mkdir()
    notebook(tmp_path / ".ipynb_checkpoints", "net.ipynb", "import x\n", "def f():\n    return 'é\"'\n")
    assert find_line(str(tmp_path), place) == (path, line, column)
    notebook(tmp_path, "copy.ipynb", "import x\n", "def f():\n    return 'é\"'\n")
    assert find_line(str(tmp_path), place) is None


def test_a_line_is_never_looked_for_elsewhere(tmp_path):
    """Not behind a link, nor in a file that only a label names."""
    (tmp_path / "one").mkdir()
    (tmp_path / "secret.py").write_text("key\n", encoding="utf-8")
    (tmp_path / "one" / "net.py").symlink_to(tmp_path / "secret.py")
    for label in ("net.py", "../secret.py"):
        assert find_line(str(tmp_path / "one"), Place(label, 1, "key")) is None
    assert find_line(str(tmp_path / "secret.py"), Place("secret.py", 1, "key")) == (f"{tmp_path}/secret.py", 1, 1)


def test_the_readme_lists_each_exit_status():
    """The one table of exit statuses says what the command's help says, and no other number ends a grading."""
    text = (ROOT / "grader" / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (\d+) \| (.+?) \|", text.partition("## Exit statuses")[2], re.MULTILINE))
    from grader.cli import check, options

    assert set(map(int, rows)) == {
        0,
        options.GRADER_FAILED,
        check.BAD_USAGE,
        options.TOO_LOW,
        check.GRADER_FAILED,
        options.STOPPED,
    }
    said = CliRunner().invoke(main, ["grade", "--help"]).output
    assert {number for number in rows if re.search(rf"\b{number}\b", said.partition("Exit status:")[2])} == set(
        rows
    ) - {"4"}
