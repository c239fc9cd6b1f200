"""From replies to a judgement, for tests that have no use for a whole report."""

from grader.grading import find
from grader.score import score


def judge(assignment, questions, run, submission):
    """Return the verdicts and named mistakes of one submission's replies."""
    return score(find(submission, run, assignment, questions), assignment, questions.catalogue)
