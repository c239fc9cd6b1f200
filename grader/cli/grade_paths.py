"""What `grader grade` does, once its options are read."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath

import click

from grader.classroom.attempts import Attempt
from grader.classroom.executors import Workers
from grader.classroom.find_submissions import find_submissions
from grader.classroom.grade_class import Outcome
from grader.classroom.gradebook import FILE as GRADEBOOK
from grader.classroom.gradebook import Gradebook
from grader.classroom.lateness import is_marked_late
from grader.classroom.match_roster import Matching, describe_matching
from grader.classroom.output import ANNOTATED, PAGE
from grader.classroom.plan import Entry, assign_names
from grader.classroom.restore import reminder
from grader.classroom.results import match_sources
from grader.classroom.seed_file import choose_to_grade
from grader.classroom.variants import grade_variants, read_class
from grader.classroom.worker import GradingSession
from grader.cli import common, options
from grader.cli.export import export
from grader.cli.runner import keep_outputs
from grader.model import Assignment, Report
from grader.reports.export_rows import JUnitSchema, is_grade
from grader.reports.formats import CLASS_FORMATS
from grader.reports.student_report import student_report
from grader.reports.terminal import summary
from grader.rubric import FILE as RUBRIC
from grader.rubric import bundled
from grader.text.phrases import join_some, plural
from grader.text.sanitise import one_line

LISTED = 40  # a terminal shows some forty lines; a larger class is looked at on its page
AGAIN = "Run the same command again to grade the rest."


def grade_paths(
    paths: Sequence[Path],
    *,
    out: Path,
    jobs: int,
    cluster: str,
    seed: int | None,
    one: bool,
    force: bool,
    roster: Path | None,
    groups: Path | None,
    attempt: Attempt | None,
    form: str | None,
    fail_under: float | None,
    fail_on: str | None,
    schema: JUnitSchema | None,
    annotate: bool,
    unsafe: bool,
    folder: Path | None,
) -> None:
    """Grade submissions and end the command; the arguments are its options."""
    given, workers = folder and common.assignments_of(folder), common.workers_of(jobs, cluster)
    _remove_older(form, schema)
    known = given or common.assignments_of(None)
    given = given if (out / GRADEBOOK).exists() else known
    with common.failures_in_words(f"--out {one_line(str(out))}"):
        found, ignored = find_submissions(paths, out, *list(known.values())[:1], one=one)
    common.make_folder(out)
    with common.failures_in_words(f"--out {out}", f"Graded submissions are saved. {AGAIN}"):
        listed = read_class(roster, groups)
        with Gradebook(out, create=True) as book, common.progress("grading") as (on_start, on_result):
            first, *_ = (assignments := given or common.assignments_of(common.same_folder(book))).values()
            chosen = assign_names(found, book.sources())
            on_start(len(chosen))
            secret = choose_to_grade(book, first.seed, seed, {entry.name for entry in chosen})
            common.say(*secret.remarks)
            sessions = {name: GradingSession(one, secret.seed, unsafe) for name, one in assignments.items()}
            few = workers if workers.cluster else Workers(min(jobs, len(chosen)))
            outcome, left = grade_variants(
                chosen, sessions, book, few, roster=listed, attempt=attempt, force=force, on_result=on_result
            )
            reminded, told = reminder(book), match_sources(book.roster(), {name: name for name in ignored}, whole=False)
    _say_rubric(None if given else first, left)
    failed = _print_outcome(outcome, _with_owners(ignored, told, outcome), len(chosen), out, reminded)
    if annotate and chosen and not outcome.stopped:
        _annotate(out, chosen, outcome.reports, first)
    if form and not outcome.stopped:
        low = _is_low(outcome.reports, 100 if fail_under is None else fail_under, fail_on)
        _write(form, schema, out, outcome.reports, passed=not (failed or low))
    raise SystemExit(_status(outcome, failed=failed, low=_is_low(outcome.reports, fail_under, fail_on)))


def _status(outcome: Outcome, *, failed: bool, low: bool) -> int:
    """Return the command's exit status."""
    graded = options.GRADER_FAILED if failed else options.TOO_LOW if low else 0
    return options.STOPPED if outcome.stopped else graded


def _say_rubric(kept: Assignment | None, left: Mapping[str, str]) -> None:
    """Print which rubric was kept from the last grading, unless it is the grader's own; left : name -> why it has none."""
    common.say_reasons(left, "not graded")
    if kept and kept.folder.resolve() != bundled():
        rubric = one_line(str(kept.folder / RUBRIC))
        common.say(f"Graded with {rubric}, as before. --assignment names another rubric.")


def _remove_older(form: str | None, schema: JUnitSchema | None) -> None:
    """Remove what an earlier run or a student wrote where the runner reads: it would count if this run gave no grade."""
    common.schema_of(schema, form or "")
    if form and CLASS_FORMATS[form].here:
        with common.failures_in_words(f"--format {form}", "It is not a result of this run: remove it."):
            Path(CLASS_FORMATS[form].file_name).unlink(missing_ok=True)


def _is_low(reports: Sequence[Report], fail_under: float | None, fail_on: str | None) -> bool:
    """Return whether somebody who is not excused has too few points or made a mistake, by what is asked for."""
    counting = [one for one in reports if not one.excused]
    if fail_under is not None and any(100 * one.score < fail_under * one.max_score - 1e-9 for one in counting):
        return True
    return fail_on is not None and any(student_report(one).diagnoses for one in counting)


def _write(form: str, schema: JUnitSchema | None, out: Path, reports: Sequence[Report], *, passed: bool) -> None:
    """Write the class in a format. A runner of CI is given no grade where there is none: an empty hand-in is not 0."""
    if CLASS_FORMATS[form].for_runner and not any(map(is_grade, reports)):
        why = one_line(reports[0].notes[0]) if reports and reports[0].notes else "nothing was handed in"
        common.fail(f"There is no grade, because nothing could be graded: {why}")
    click.get_current_context().invoke(export, out=out, name=form, schema=schema)
    if form == "github":
        keep_outputs(out / "exports" / CLASS_FORMATS[form].file_name, reports, passed=passed)


def _with_owners(ignored: Sequence[str], matching: Matching | None, outcome: Outcome) -> list[str]:
    """Return the names of ignored files, each with its student where they are listed as missing."""
    missing = outcome.matching.missing if outcome.matching else ()
    whose = {name: student for name, student in matching.students.items() if student in missing} if matching else {}
    return [f"{name}, which {whose[name].name} handed in" if name in whose else name for name in ignored]


def _print_outcome(outcome: Outcome, ignored: Sequence[str], asked: int, out: Path, reminded: str) -> bool:
    """Print what was graded; return whether the grader failed on something."""
    _print_scores(outcome.reports)
    common.say(*_remarks(outcome, ignored))
    if outcome.stopped:
        common.say(f"Stopped. {len(outcome.actions)} of {asked} are graded and saved. {AGAIN}")
    common.say_review(outcome.reports)
    failed = [report.submission for report in outcome.reports if report.status == "grader_error"]
    if failed:
        where = "The file grader-error.txt beside each report holds the details."
        common.say(f"The grader itself failed on: {join_some(failed)}. {where}")
    common.point_to(out / PAGE)
    common.say(reminded)
    return bool(failed)


def _remarks(outcome: Outcome, ignored: Sequence[str]) -> Iterator[str]:
    """Return remarks on what was graded, one or two sentences each."""
    yield outcome.other_versions
    if ignored:
        # Whoever hands in names the files; a name may hold a terminal's codes, or a command to a CI's runner.
        dots = (
            " A file whose name begins with a dot is hidden. Rename it if it should be graded."
            if any(one.startswith(".") for one in ignored)
            else ""
        )
        yield f"Ignored, because they are not submissions: {join_some(ignored, most=len(ignored))}.{dots}"
    counts = Counter(outcome.actions.values())
    yield f"{', '.join(f'{count} {fate}' for fate, count in sorted(counts.items())) or 'Nothing'}."
    elsewhere = [name for name in outcome.moved if outcome.actions.get(name, "unchanged") != "unchanged"]
    if elsewhere:
        was = join_some([f"{name} (was {outcome.moved[name]})" for name in elsewhere])
        yield f"These replace submissions of the same name from another folder: {was}."
    overtaken = [
        report.submission
        for report in outcome.reports
        if outcome.actions.get(report.submission) in {"changed", "new"}
        and any(one.decision.kind == "points" and not one.applies for one in report.rulings)
    ]
    if overtaken:
        yield (
            f"Points that a person gave for an earlier hand-in do not count for the new one: {join_some(overtaken)}."
            " See `grader history`."
        )
    late = [
        one.submission for one in outcome.reports if is_marked_late(PurePath(one.source).name) and not one.late_days
    ]
    if late:
        yield f"Late, as Canvas marks them: {join_some(late)}. `grader adjust` with --late-days notes by how much."
    if outcome.others:
        yield f"In the gradebook, but not graded this time: {join_some(outcome.others)}."
    if outcome.matching:
        yield from describe_matching(outcome.matching)


def _print_scores(reports: Sequence[Report]) -> None:
    if len(reports) <= LISTED:
        screen = common.screen()
        screen.print(summary(map(student_report, reports), whole=not screen.is_terminal))
        return
    scores = sorted(report.score for report in reports if report.status == "graded")
    median = f", median {scores[len(scores) // 2]:g}" if scores else ""
    bars = common.distribution(common.count_tenths(reports))
    common.say(f"{len(scores)} graded{median}, {len(reports) - len(scores)} not graded: {bars}".rstrip(": "))


def _annotate(out: Path, chosen: Sequence[Entry], reports: Sequence[Report], assignment: Assignment) -> None:
    """Write the notebooks with findings of all that were asked for, graded now or before."""
    from grader.integrations.annotated_notebook import annotate_class  # noqa: PLC0415 -- an extra, and 0.5 s to import

    with common.failures_in_words(f"--out {one_line(str(out))}"):
        count = annotate_class(out, {entry.name: entry.path for entry in chosen}, reports, assignment)
    common.say(f"Wrote {ANNOTATED} beside {plural(count, 'report')}.")
