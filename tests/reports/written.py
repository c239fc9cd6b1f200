"""Reports as the table of formats writes them: what a format's own function is never given, a test does not give it."""

from dataclasses import replace

from grader.reports import junit, terminal
from grader.reports.formats import REPORT_FORMATS
from grader.reports.student_report import student_report

to_html = REPORT_FORMATS["html"].write
to_json = REPORT_FORMATS["json"].write
to_junit = REPORT_FORMATS["junit"].write
to_annotations = REPORT_FORMATS["github"].write
to_gradescope = REPORT_FORMATS["gradescope"].write


def render(report, *size, **colour):
    """Return a report as the terminal shows it."""
    return terminal.render(student_report(report), *size, **colour)


def view(report):
    """Return a report for a rich console."""
    return terminal.view(student_report(report))


def summary(reports):
    """Return the table of a class for a rich console."""
    return terminal.summary(map(student_report, reports))


def to_class_junit(sheet, options, **limit):
    """Return a class as JUnit XML."""
    standings = (replace(one, report=student_report(one.report)) for one in sheet.standings)
    return junit.to_class_junit(replace(sheet, standings=tuple(standings)), options, **limit)
