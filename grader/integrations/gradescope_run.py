"""Grade the submission in a folder that is laid out as Gradescope's /autograder: `run_autograder` starts it, as root.

The questions are read, and closed to all but root, before any student code runs. The sandbox keeps a student's process from
every file; where its self-test says otherwise, nothing is run, and there is no grade.
"""

import sys
from pathlib import Path

from grader.frozen import FrozenError, load_frozen
from grader.grading import grade
from grader.model import Assignment, Questions
from grader.reports.formats import REPORT_FORMATS
from grader.reports.gradescope import to_no_grade
from grader.sandbox import self_test
from grader.sandbox.forkserver import SandboxError
from grader.sandbox.host import StudentHost

QUESTIONS = "hidden_questions.npz"
NO_SANDBOX = "The sandbox that student code needs does not work on this machine."


class NoGradeError(Exception):
    """There is no grade; the text says why, for students to read. Its cause is for the instructor."""


def grade_folder(root: Path) -> str:
    """Return the text of results.json for the submission in `root`; raises NoGradeError."""
    assignment, questions = read_questions(root / "source" / QUESTIONS)
    submission = root / "submission"
    if not submission.is_dir() or not any(submission.iterdir()):
        raise NoGradeError("No file was handed in: the folder of the submission is empty.")
    try:
        with StudentHost(assignment.limits) as host:
            refusal, _ = self_test.assess(host, assignment.limits)
            report = None if refusal else grade(submission, "submission", assignment, questions, host).report
    except SandboxError as error:
        raise NoGradeError(NO_SANDBOX) from error
    if report is None:
        raise NoGradeError(NO_SANDBOX) from self_test.NotIsolatedError(refusal)
    return REPORT_FORMATS["gradescope"].write(report)


def read_questions(file: Path) -> tuple[Assignment, Questions]:
    """Return what the questions file holds, mistakes included, and leave it to its owner alone; raises NoGradeError."""
    try:
        frozen = load_frozen(file)
        questions = frozen.with_mistakes()
        file.chmod(0o600)
    except (FrozenError, OSError) as error:
        raise NoGradeError("The autograder's questions cannot be read.") from error
    return frozen.assignment, questions


def main(root: Path) -> None:
    """Write results.json. What is printed here only the instructor sees."""
    results = root / "results" / "results.json"
    try:
        text = grade_folder(root)
    except NoGradeError as error:
        results.write_text(to_no_grade(str(error)), encoding="ascii")
        raise SystemExit(" ".join(str(one) for one in (error, error.__cause__) if one)) from error
    results.write_text(text, encoding="ascii")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
