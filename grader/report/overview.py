"""Many reports on one sheet: the class page, and the gradebook as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from urllib.parse import quote

from grader.records import Report
from grader.report import words
from grader.report.page import environment
from grader.report.terminal import costs
from grader.report.untrusted import cell, line, readable


def to_index(reports: Sequence[Report], title: str) -> str:
    """Write the class page: a line for each submission, with a link to its report."""
    rows = [
        {
            "name": line(report.submission),
            "href": quote(f"submissions/{report.submission}/report.html", errors="replace"),
            "score": report.score,
            "max_score": report.max_score,
            "share": f"{100 * report.score / report.max_score:.2f}%" if report.max_score else "0%",
            "status": report.status,
            "costs": costs(readable(report)),
        }
        for report in reports
    ]
    graded = sorted(report.score for report in reports if report.status == "graded")
    return (
        environment()
        .get_template("class.html.j2")
        .render(
            title=title,
            rows=rows,
            graded=len(graded),
            median=graded[len(graded) // 2] if graded else None,
            # What could not be loaded was never run, and has no layers to name.
            environment=next((report.environment for report in reports if report.environment.isolation), None),
            banners=words.BANNERS,
        )
    )


def to_gradebook(reports: Sequence[Report]) -> str:
    """Write a CSV with one row a submission: name, source, score, status, and the points of each check."""
    columns: dict[str, None] = {}
    for report in reports:
        columns |= dict.fromkeys(verdict.id for verdict in report.checks)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["submission", "source", "score", "max_score", "status", *columns])
    for report in reports:
        points = {verdict.id: words.points(verdict.points) for verdict in report.checks}
        writer.writerow(
            [
                cell(report.submission),
                cell(report.source),
                words.points(report.score),
                words.points(report.max_score),
                report.status,
                *(points.get(column, "") for column in columns),
            ]
        )
    return buffer.getvalue()
