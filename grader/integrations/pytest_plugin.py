"""`pytest --submission two_layer_net.ipynb`: each public check of one's own program is a test with its title.

pytest loads this file wherever the grader is installed, so it imports nothing of the grader until the option is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from grader.checks.registry import Check
    from grader.frozen import Frozen
    from grader.model import StudentReport, Verdict

_FROZEN: pytest.StashKey[Frozen] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this file."""
    group = parser.getgroup("grader", "checks of a two-layer net")
    group.addoption(
        "--submission",
        action="append",
        default=[],
        metavar="PATH",
        help="Your notebook or .py file: each public check of it becomes a test. It may be given several times.",
    )
    group.addoption(
        "--submission-questions",
        metavar="FILE",
        help="Frozen questions that your instructor gave you. (default: those that come with the grader)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Read the questions where there is a submission; its checks are the only tests unless others are named."""
    if not config.getoption("submission"):
        return
    from grader.frozen import FrozenError, load_frozen  # noqa: PLC0415 -- costs nothing where the option is not given
    from grader.rubric import bundled  # noqa: PLC0415 -- the same

    questions = config.getoption("submission_questions")
    try:
        config.stash[_FROZEN] = load_frozen(Path(questions) if questions else bundled())
    except FrozenError as error:
        raise pytest.UsageError(str(error).replace("--questions", "--submission-questions")) from error
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args = []


@pytest.hookimpl(tryfirst=True)  # before -k and --lf choose among them
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the checks of each submission."""
    for path in dict.fromkeys(config.getoption("submission")):
        file: SubmissionFile = SubmissionFile.from_parent(session, path=config.invocation_params.dir / path)
        items += session.genitems(file)


class SubmissionFile(pytest.File):
    """One submission, run at most once: when the first of its checks is asked for."""

    def collect(self) -> Iterator[CheckItem]:
        """Return the rubric's checks, whatever state the program is in: a run's list of tests never changes."""
        from grader.checks import CHECKS  # noqa: PLC0415 -- as above
        from grader.text.variant_words import in_words_of  # noqa: PLC0415 -- as above

        assignment = self.config.stash[_FROZEN].assignment
        for row in assignment.checks:
            # In the form of a parametrised test, whose brackets hold any text; `nodeid`, so that --lf finds it again.
            title = in_words_of(CHECKS[row.id].title, assignment.variant)
            name = f"{row.id}[{title.removesuffix('.')}]"
            yield CheckItem.from_parent(self, name=name, nodeid=f"{self.nodeid}::{name}", check=CHECKS[row.id])

    @cached_property
    def report(self) -> StudentReport | str:
        """The report, or the one line that says why there is nothing to check and how to mend it."""
        from grader.check_program import NothingToCheckError, check_program  # noqa: PLC0415 -- as above
        from grader.reports.student_report import student_report  # noqa: PLC0415 -- the same
        from grader.sandbox.host import StudentHost  # noqa: PLC0415 -- the same
        from grader.sandbox.spawn import open_own_server  # noqa: PLC0415 -- the same
        from grader.submission import read  # noqa: PLC0415 -- the same
        from grader.text.sanitise import one_line  # noqa: PLC0415 -- the same

        frozen = self.config.stash[_FROZEN]
        with StudentHost(frozen.assignment.limits, server=open_own_server()) as host:
            try:
                return student_report(check_program(read(self.path), self.path.name, str(self.path), frozen, host))
            except NothingToCheckError as error:
                return one_line(str(error), 1_000)


class CheckFailedError(Exception):
    """A check does not pass; the text is all that pytest shows.

    line : of the .py file that was handed in; 0 where that is not known.
    """

    def __init__(self, text: str, line: int = 0) -> None:
        super().__init__(text)
        self.line = line


class CheckItem(pytest.Item):
    """One check of a submission."""

    parent: SubmissionFile

    def __init__(self, *, check: Check, **named: Any) -> None:
        super().__init__(**named)
        self._check = check
        self.extra_keyword_matches.add(check.group)

    def setup(self) -> None:
        """Run the program, unless another of its checks has: what goes wrong here is an error, and no check has failed."""
        try:
            _ = self.parent.report
        except Exception as error:
            if self.config.getoption("fulltrace"):
                raise
            pytest.fail(f"The grader failed, not your program: {type(error).__name__}: {error}", pytrace=False)

    def runtest(self) -> None:
        """Raise CheckFailedError with the check's message; note points, mistake and line as properties."""
        report = self.parent.report
        if isinstance(report, str):
            raise CheckFailedError(report)
        from grader.reports import annotations, wording  # noqa: PLC0415 -- imported by now

        (verdict,) = (one for one in report.checks if one.id == self._check.id)
        mistakes = [one.title for one in report.diagnoses if verdict.id in one.checks]
        self.user_properties += _properties(verdict, mistakes)
        if verdict.status == "carried":
            pytest.xfail(verdict.message.partition("\n")[0] or wording.CARRIED)
        if verdict.status != "passed":
            told = wording.finding(verdict) or wording.account(verdict)
            told = "\n".join((told, *(f"Mistake: {title}" for title in mistakes)))
            position = annotations.find_position(report, verdict.places[-1] if verdict.places else None)
            raise CheckFailedError(told, int(position.get("line", 0)))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the check's message alone; of anything else what pytest says of it."""
        if not isinstance(excinfo.value, CheckFailedError):
            return super().repr_failure(excinfo, style)
        shown = excinfo.getrepr(style="value")
        if shown.reprcrash:  # what the summary, --junitxml and --tb=line show
            shown.reprcrash.message = str(excinfo.value)
            shown.reprcrash.path, shown.reprcrash.lineno = str(self.path), excinfo.value.line
        return shown

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return the file and the title, as the heading of a failure."""
        return self.path, None, self.name


def _properties(verdict: Verdict, mistakes: list[str]) -> list[tuple[str, object]]:
    """Return what --junitxml writes beside a test."""
    from grader.text.phrases import format_points  # noqa: PLC0415 -- imported by now

    found = [("points", format_points(verdict.points)), ("max_points", format_points(verdict.max_points))]
    found += [("mistake", title) for title in mistakes]
    placed = [place for place in verdict.places if place.line]
    return [*found, *(("line", f"{place.label}, line {place.line}") for place in placed[-1:])]  # the innermost
