"""What a check in a notebook gives back: a page where there is a notebook, text where there is none."""

import re
from collections.abc import Iterable
from functools import cached_property
from html import escape
from itertools import count

from grader.check_program import BY_TITLE
from grader.model import Environment, Place, Report, StudentReport
from grader.records import dataclass, replace
from grader.reports import self_check, wording
from grader.reports.student_report import student_report
from grader.reports.terminal import write_plain
from grader.text.sanitise import one_line

_CELL = re.compile(r"\bcode cell (?=\d)(\d+)")
_numbers = count(1)


@dataclass(frozen=True)
class ShownCheck:
    """A verdict as a notebook shows it, or one line: why there is none, or how an exercise by hand is done.

    problem : that line, "" where there is a report.
    """

    report: Report | None = None
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Return True where all public checks pass."""
        return self.report is not None and all(verdict.status == "passed" for verdict in self.report.checks)

    @cached_property
    def _for_student(self) -> StudentReport:
        if self.report is None:
            raise ValueError("there is no report")
        return student_report(name_cells(self.report))

    def __repr__(self) -> str:
        """Return the verdict as text."""
        if self.report is None:
            return one_line(self.problem, 1_000)
        return write_plain(self_check.view(self._for_student, BY_TITLE)).rstrip("\n")

    def _repr_html_(self) -> str:
        """Return the verdict as a piece of a page, for a notebook's output."""
        if self.report is None:
            return f"<p>{escape(repr(self))}</p>"
        from grader.reports.page import to_output  # noqa: PLC0415 -- a terminal needs no templates

        layers = self._for_student.environment.isolation
        shown = Environment({}, () if wording.is_locked_down(layers) else layers)  # as in the text: only what is amiss
        told = StudentReport(replace(self._for_student, timing={}, environment=shown))
        return to_output(told, self_check.count_passed(self.report), f"output-{next(_numbers)}-", BY_TITLE)


def name_cells(report: Report) -> Report:
    """Return a report that names cells as a notebook does: where they were run, "cell [7]"."""

    def name(text: str) -> str:
        return _CELL.sub(r"cell [\1]", text)

    def name_all(places: Iterable[Place]) -> tuple[Place, ...]:
        return tuple(replace(place, label=name(place.label)) for place in places)

    return replace(
        report,
        checks=tuple(replace(one, message=name(one.message), places=name_all(one.places)) for one in report.checks),
        diagnoses=tuple(replace(one, hint=name(one.hint), places=name_all(one.places)) for one in report.diagnoses),
        steps=tuple(replace(step, place=place) for step in report.steps for place in name_all([step.place])),
        notes=tuple(map(name, report.notes)),
    )
