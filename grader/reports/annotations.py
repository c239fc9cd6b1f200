"""Reports as GitHub workflow commands, which become annotations of the commit.

Every line is a command of ours, and a student's text is escaped data in it, so `::stop-commands::` is not needed. Its
random token would also make the text differ from run to run.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath

from grader.model import Place, Report, StudentReport, Verdict
from grader.records import dataclass
from grader.reports import wording
from grader.reports.export_rows import ExportOptions, is_grade, mean_score
from grader.text.phrases import format_points
from grader.text.sanitise import plain_text

MOST = 10  # GitHub shows as many errors of one step, and as many warnings


@dataclass(frozen=True)
class Loss:
    """One thing that cost points."""

    level: str  # "error" or "warning"
    cost: float
    title: str
    message: str
    place: Place | None = None
    id: str = ""  # of the mistake or the check


def to_annotations(report: StudentReport) -> str:
    """Return a report as workflow commands: the errors and warnings that cost most, then the score as a notice."""
    return annotate([report], ExportOptions())


def annotate(reports: Sequence[Report], options: ExportOptions) -> str:
    """Return reports as workflow commands: of all their errors and warnings those that cost most, then a notice."""
    lost = sorted(((report, one) for report in reports for one in find_losses(report)), key=lambda pair: -pair[1].cost)
    lines = []
    for level in ("error", "warning"):
        for report, one in [pair for pair in lost if pair[1].level == level][:MOST]:
            title = one.title if len(reports) == 1 else f"{report.submission}: {one.title}"
            where = find_position(report, one.place, options)
            lines.append(write_command(one.level, {**where, "title": title}, one.message))
    left_out = len(lost) - len(lines)
    more = f"{left_out} more cost points. The full report lists them." if left_out else ""
    lines.append(_score(reports[0], more) if len(reports) == 1 else _class_score(reports, more))
    return "".join(f"{line}\n" for line in lines)


def find_losses(report: Report) -> list[Loss]:
    """Return what cost points, the dearest first."""
    if banner := wording.banner(report):
        found = [Loss("error", 1.0, *banner, id=report.status)]
    else:
        found = [*_mistakes(report), *map(_of_verdict, report.checks)]
    found += _late(report)
    return sorted((one for one in found if one.cost > 0), key=lambda one: -one.cost)


def _class_score(reports: Sequence[Report], left_out: str) -> str:
    graded = sum(map(is_grade, reports))
    mean = f", {format_points(mean_score(reports))} points on average" if graded else ""
    title = f"{graded} of {len(reports)} submissions have a grade{mean}"
    return write_command("notice", {"title": title}, left_out or title)


def _score(report: Report, left_out: str) -> str:
    score = f"{format_points(report.score)} of {format_points(report.max_score)} points"
    adjusted = report.penalty or any(verdict.adjusted_from is not None for verdict in report.checks)
    decided = ", ".join(["adjusted"] * bool(adjusted) + ["excused"] * report.excused)
    told = [wording.counts(report), left_out, *wording.rulings(report)]
    return write_command(
        "notice",
        {"title": f"{report.submission}: {score}{f' ({decided})' if decided else ''}"},
        "\n".join(line for line in told if line) or score,
    )


def _late(report: Report) -> Iterable[Loss]:
    for ruling in report.rulings:
        if ruling.applies and ruling.decision.kind == "late_days":
            title = wording.late(report).capitalize()
            yield Loss("warning", report.penalty, title, wording.ruling(ruling), id="late")


def _of_verdict(verdict: Verdict) -> Loss:
    return Loss(
        level="error" if verdict.status == "failed" else "warning",
        cost=verdict.max_points - verdict.points,
        title=verdict.title,
        message=wording.account(verdict),
        place=verdict.places[-1] if verdict.places else None,  # the innermost
        id=verdict.id,
    )


def _mistakes(report: Report) -> Iterable[Loss]:
    costs = {verdict.id: verdict.max_points - verdict.points for verdict in report.checks}
    for diagnosis in report.diagnoses:
        # It outranks each of the checks that it explains.
        told = (diagnosis.hint, wording.costs(diagnosis), f"See: {diagnosis.source}" if diagnosis.source else "")
        yield Loss(
            "error",
            sum(costs.get(check, 0.0) for check in diagnosis.checks),
            diagnosis.title,
            "\n".join(line for line in told if line),
            place=diagnosis.places[-1] if diagnosis.places else None,
            id=diagnosis.id,
        )


def find_position(report: Report, place: Place | None, options: ExportOptions | None = None) -> Mapping[str, str]:
    """Return where an annotation belongs: in the file that was graded, never in one that a student names.

    options : what tells file, line and column as they were handed in. Without it only a lone .py file has lines to point
    at: a notebook's file lines are not its cells', and a zip is no text.
    """
    if options and place and place.line and (found := options.find_line(report.source, place)):
        return {"file": found[0], "line": str(found[1]), "col": str(found[2])}
    path = PurePath(report.source)
    if path.suffix.lower() not in {".py", ".ipynb"}:
        return {}
    if place and place.line and path.suffix.lower() == ".py" and place.label == path.name:
        return {"file": report.source, "line": str(place.line)}
    return {"file": report.source}


def write_command(name: str, properties: Mapping[str, str], data: str) -> str:
    """Return one command, escaped for GitHub's runner, which keeps 4,096 characters of the data."""
    written = ",".join(
        f"{key}={_escaped(value).replace(':', '%3A').replace(',', '%2C')}" for key, value in properties.items()
    )
    return f"::{name} {written}::{_escaped(plain_text(data))}"


def _escaped(text: str) -> str:
    # The percent sign first: the others' escapes hold one.
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
