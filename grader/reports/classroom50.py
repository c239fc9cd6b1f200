"""One submission as Classroom 50's result.json, whose points are whole numbers."""

import json
import math

from grader.model import Sheet
from grader.reports.export_rows import ExportError, ExportOptions, is_grade

# The keys of a result and the variables of the runner that hold their values.
VARIABLES = {
    "classroom": "CLASSROOM",
    "assignment": "ASSIGNMENT",
    "submission": "SUBMISSION_TAG",
    "commit": "COMMIT_URL",
    "release": "RELEASE_URL",
    "review": "REVIEW_URL",
}


def to_result(sheet: Sheet, options: ExportOptions) -> str:
    """Return the file. Raises ExportError unless the class is one submission that has a grade."""
    reports = sheet.reports
    if len(reports) != 1 or not is_grade(reports[0]):
        raise ExportError(
            "Classroom 50's result.json is the grade of one submission, and"
            f" {len(reports)} are here, {sum(map(is_grade, reports))} of them graded. Grade one student's repository"
            " with --one and a new --out folder."
        )
    (report,) = reports
    data: dict[str, object] = {"schema": "classroom50/result/v1"}
    data |= {key: options.values.get(key, "") for key in (*VARIABLES, "datetime")}
    data["score"], data["max-score"] = _whole(report.score, report.max_score)
    tests = []
    for verdict in report.checks:
        score, most = _whole(verdict.points, verdict.max_points)
        test = {"test-name": verdict.title, "passed": verdict.points >= verdict.max_points, "score": score}
        # Whole points of the tests need not add up to the score, so what they were rounded from stands beside them.
        tests.append({**test, "max-score": most, "points": verdict.points, "message": verdict.message})
    return json.dumps({**data, "tests": tests}, indent=2, allow_nan=False) + "\n"


def _whole(points: float, most: float) -> tuple[int, int]:
    """Return points in whole numbers: halves go up, but nobody has all points whom some are missing."""
    whole = math.floor(most + 0.5)
    return (math.floor(points + 0.5) if points >= most else min(math.floor(points + 0.5), max(whole - 1, 0))), whole
