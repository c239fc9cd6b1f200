"""A class for GitHub Actions: the annotations, and the summary of the job as a page of Markdown."""

from collections.abc import Mapping, Sequence

from grader.model import Report, Sheet, Verdict
from grader.reports import wording
from grader.reports.annotations import annotate, find_losses
from grader.reports.export_rows import ExportOptions
from grader.text.phrases import format_points
from grader.text.sanitise import one_line

LIMIT = 1_000_000  # bytes; GitHub drops a step's summary of more than 1 MiB, whole
ANNOTATIONS, SUMMARY = "annotations.txt", "summary.md"
MORE = "More rows than a summary may hold: the report lists the rest."


def to_class_github(sheet: Sheet, options: ExportOptions) -> Mapping[str, str]:
    """Return the text of both files by name."""
    reports = sheet.reports
    rows = [_check_row(verdict) for verdict in reports[0].checks] if len(reports) == 1 else []
    head = ("Check", "Verdict", "Points", "What was found") if rows else ("Submission", "Points", "Mend this first")
    summary = _table(sheet.title, head, rows or [_row(report) for report in reports], _remarks(reports))
    return {ANNOTATIONS: annotate(reports, options), SUMMARY: summary}


def escape(text: str) -> str:
    """Return a text on one line in which nothing is Markdown, HTML, a link or the end of a table's cell."""
    return "".join(one if one.isalnum() or one == " " or not one.isascii() else f"&#{ord(one)};" for one in text)


def _check_row(verdict: Verdict) -> Sequence[str]:
    points = f"{format_points(verdict.points)} of {format_points(verdict.max_points)}"
    return verdict.title, wording.STATUSES[verdict.status], points, one_line(" ".join(verdict.message.split()))


def _row(report: Report) -> Sequence[str]:
    first = next(iter(find_losses(report)), None)
    points = "excused" if report.excused else f"{format_points(report.score)} of {format_points(report.max_score)}"
    named = report.submission if report.status in {"graded", "failed_to_load"} else f"{report.submission} (not graded)"
    return named, points, first.title if first else ""


def _remarks(reports: Sequence[Report]) -> list[str]:
    if len(reports) != 1:
        return [f"{len(reports)} submissions."]
    (report,) = reports
    named = [f"Likely mistake: {one.title}. {one.hint}" for one in report.diagnoses]
    score = f"{report.submission}: {format_points(report.score)} of {format_points(report.max_score)} points."
    return [score, *(wording.banner(report) or ()), *named]


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]], remarks: Sequence[str]) -> str:
    """Return a page with as many rows of the table as it may hold."""
    lines = [f"## {escape(one_line(title))}", *(f"\n{escape(' '.join(one.split()))}" for one in remarks), ""]
    lines += [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    left = LIMIT - len("\n".join(lines).encode()) - len(MORE) - 3
    for row in rows:
        lines.append(f"| {' | '.join(map(escape, row))} |")
        left -= len(lines[-1].encode()) + 1
        if left < 0:
            lines[-1:] = ["", MORE]
            break
    return "\n".join(lines) + "\n"
