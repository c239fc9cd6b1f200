"""The exception for anything wrong with what a student handed in."""

from grader.model import Place, Problem


class SubmissionError(Exception):
    """A submission, or one file or cell of it, cannot be used; `problem` says why in words for the student."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def nothing_to_grade(message: str) -> SubmissionError:
    """Return the error that there is no code at all."""
    return SubmissionError(Problem("no_submission", message))


def failed(message: str, place: Place | None = None) -> SubmissionError:
    """Return the error that there is code, but it cannot be run."""
    return SubmissionError(Problem("failed_to_load", message, place))
