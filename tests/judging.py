"""From replies to a judgement, for tests that have no use for a whole report."""

from grader.checks import CHECKS
from grader.grading import find
from grader.rubric import bundled, load
from grader.score import score

RUBRIC = tuple(row.id for row in load(bundled(), tuple(CHECKS)).checks)  # the checks of the bundled assignment


def judge(assignment, questions, run, submission):
    """Return the verdicts and named mistakes of one submission's replies."""
    return score(find(submission, run, assignment, questions), assignment, questions.catalogue)
