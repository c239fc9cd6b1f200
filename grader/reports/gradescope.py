"""A report as Gradescope's results.json, for an autograder that runs there or a class that was graded elsewhere.

All text is declared as plain: Gradescope puts it into a <pre> and escapes it, so nothing that a student wrote is
markup there. Hidden checks are shown once grades are published, not never: Gradescope's "hidden" is meant for tests
without points, and ours count. What is shown then is what `student_report` leaves of them: title and verdict.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from grader.model import Report, Sheet, StudentReport, Verdict
from grader.reports import step_rows, wording
from grader.reports.export_rows import ExportError, ExportOptions
from grader.reports.report_json import DIGITS
from grader.text.phrases import format_points
from grader.text.sanitise import one_line, plain_text


def to_gradescope(report: StudentReport) -> str:
    """Return a report as results.json: `score` counts, even if the tests' points add up to another sum; `output` says why.

    Raises ValueError where a number is not finite.
    """
    data: dict[str, Any] = {"score": _rounded(report.score)}
    if "total_seconds" in report.timing:
        data["execution_time"] = round(report.timing["total_seconds"], 3)
    data |= {
        "output": plain_text("\n\n".join(_remarks(report))),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "stdout_visibility": "hidden",  # what an autograder prints is for whoever runs it
        "tests": _tests(report),
        "extra_data": _extra(report),
    }
    return _write(data)


def to_no_grade(why: str) -> str:
    """Return the results.json of a run that gave no grade: with neither `score` nor `tests`, nothing in it counts as 0."""
    text = (
        f"Infrastructure: the autograder could not grade this. {why}\nThere is no grade, and no score of 0: this says nothing"
        " about your program. Your instructor sees the reason in the autograder's output, and can run it again."
    )
    return _write({"output": plain_text(text), "output_format": "text", "stdout_visibility": "hidden"})


def to_class_gradescope(sheet: Sheet, _: ExportOptions) -> Mapping[str, str]:
    """Return the text of each submission's results.json, by its place in the folder: "ann/results.json".

    Raises ExportError for a class without submissions, and where a submission's name is no folder's.
    """
    if not sheet.standings:
        raise ExportError("The class has no submission, so there is no result for Gradescope.")
    files = {}
    for report in sheet.reports:
        name = report.submission
        if name in {"", ".", ".."} or not name.isprintable() or set(name) & set("/\\") or name in files:
            raise ExportError(
                f"The submission {one_line(repr(name))} cannot have a folder of its own: its name is empty, stands twice"
                " in the class or holds characters that no folder may have. Rename what was handed in."
            )
        files[name] = to_gradescope(cast("StudentReport", report))  # the table of formats gives a sheet of them
    return {f"{name}/results.json": text for name, text in files.items()}


def _write(data: Mapping[str, Any]) -> str:
    # ASCII: the bytes do not depend on the encoding that whoever writes the file happens to choose.
    return json.dumps(data, ensure_ascii=True, allow_nan=False, indent=2) + "\n"


def _remarks(report: Report) -> Iterator[str]:
    """Yield the paragraphs above the tests. They are visible at once, so they hold nothing about hidden checks."""
    if banner := wording.banner(report):
        yield "\n".join(banner)
    if report.excused:
        yield "You are excused: this assignment does not count for you, whatever the score."
    yield from _sum(report)
    hidden = {verdict.id for verdict in report.checks if verdict.hidden}
    yield from (wording.ruling(one) for one in report.rulings if one.decision.check not in hidden)
    for diagnosis in report.diagnoses:
        told = (f"Likely mistake: {diagnosis.title}", diagnosis.hint, wording.costs(diagnosis))
        yield "\n".join(line for line in told if line)
    if row := step_rows.find_first(report.steps):
        yield f"The first of your values that differs from the right one:\n{step_rows.sentence(row)}"
    yield from wording.remarks(report)


def _sum(report: Report) -> Iterator[str]:
    """Yield why the score is not the sum of the tests' points, without numbers, since hidden tests are in both."""
    together = sum(verdict.points for verdict in report.checks)
    if report.penalty:
        yield (
            f"The score is the sum of the tests minus {format_points(report.penalty)} points, because this was"
            f" {wording.late(report) or 'late'}."
        )
    elif abs(together - report.score) > 10**-DIGITS:
        yield "The score differs from the sum of the tests. The score counts."


def _tests(report: Report) -> list[dict[str, Any]]:
    order = list(wording.GROUPS)
    seen = dict.fromkeys(order, 0)
    tests = []
    for verdict in report.checks:
        seen[verdict.group] += 1
        tests.append(_test(verdict, f"{order.index(verdict.group) + 1}.{seen[verdict.group]}"))
    return tests


def _test(verdict: Verdict, number: str) -> dict[str, Any]:
    by_hand = verdict.adjusted_from is not None
    full = verdict.points >= verdict.max_points if by_hand else verdict.status in {"passed", "carried"}
    return {
        "score": _rounded(verdict.points),
        "max_score": _rounded(verdict.max_points),
        # Gradescope knows these two; the score beside it shows what is in between.
        "status": "passed" if full else "failed",
        "name": verdict.title,
        "name_format": "text",
        "number": number,
        "output": f"{wording.STATUSES[verdict.status].capitalize()}. {wording.account(verdict)}",
        "output_format": "text",
        "tags": [verdict.id, verdict.group],
        "visibility": "after_published" if verdict.hidden else "visible",
    }


def _extra(report: Report) -> dict[str, Any]:
    return {
        "submission": report.submission,
        "status": report.status,
        "max_score": _rounded(report.max_score),
        "raw_score": _rounded(report.score + report.penalty),
        "penalty": _rounded(report.penalty),
        "late_days": _rounded(report.late_days),
        "excused": report.excused,
        "diagnoses": [
            {
                "id": diagnosis.id,
                "title": diagnosis.title,
                "source": diagnosis.source,
                "checks": diagnosis.checks,
                "costs": {check: _rounded(points) for check, points in diagnosis.costs.items()},
            }
            for diagnosis in report.diagnoses
        ],
    }


def _rounded(number: float) -> float:
    return round(float(number), DIGITS) + 0.0  # adding 0.0 turns -0.0 into 0.0
