"""`grader adjust` and `grader history`: what people decide about a submission, and all that was ever said of it."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from grader.classroom.compare_reports import moved, why
from grader.classroom.decide import decide, known, withdraw
from grader.classroom.gradebook import Gradebook, Kept, Ruled, now
from grader.classroom.import_decisions import reminder, restore
from grader.classroom.results import Standings
from grader.cli import common
from grader.model import Decision, DecisionKind, Report
from grader.reports.read_report_json import from_json
from grader.text.sanitise import LINE, MESSAGE, line, plain

_MADE = {"grade": "graded", "regrade": "judged again"}


@click.command(
    epilog="""\b
Examples:
  grader adjust graded alice --check gradient_b1 --points 5 --comment "Right up to the sign; seen in office hours."
  grader adjust graded alice --late-days 2 --comment "Handed in on Sunday."
  grader adjust graded alice bob cleo --late-days 0 --comment "The platform was down on Sunday."
  grader adjust graded alice --excuse --comment "Ill."
  grader adjust graded alice --withdraw 3 --comment "Meant for alice-2."
  grader adjust graded --restore graded/decisions.csv

A decision outlives every regrade; a later one of its kind overtakes it. `grader history` lists them with their numbers.
All of them stand in decisions.csv as well: where the gradebook is damaged or lost, grade again, and --restore takes
over what it lacks.

Exit status: 0 decided; 1 the gradebook cannot be used; 2 bad usage."""
)
@common.GRADED
@click.argument("names", nargs=-1, metavar="NAME...")
@click.option("--check", help="The check whose points are decided.")
@click.option("--points", type=float, help="What that check counts from now on.")
@click.option(
    "--late-days", type=click.IntRange(0, 10_000), help="Days of lateness; assignment.toml says what they cost."
)
@click.option("--excuse/--no-excuse", "excuse", default=None, help="It does not count; --no-excuse: it does again.")
@click.option("--withdraw", "number", type=int, help="Take back the decision of this number.")
@click.option(
    "--restore",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Take over what this decisions.csv holds and the gradebook does not.",
)
@click.option("--comment", default="", help="Why: its author reads it in the report.")
@click.option("--by", default="", help="Who decides; without it, your login.")
def adjust(
    out: Path,
    names: Sequence[str],
    check: str | None,
    points: float | None,
    late_days: int | None,
    excuse: bool | None,  # noqa: FBT001 -- click passes options by name
    number: int | None,
    file: Path | None,
    comment: str,
    by: str,
) -> None:
    """Decide about submissions what the grader cannot: points of a check, late days, or that they are excused."""
    if file:
        if names or comment or by or any(one is not None for one in (check, points, late_days, excuse, number)):
            raise click.UsageError("--restore takes all that its file holds: it goes alone, without a NAME.")
        _restored(out, file)
        return
    if not names:
        raise click.UsageError("Name whom it is about: grader adjust DIR NAME... gradebook.csv lists their names.")
    # What is kept is plain, whoever reads the gradebook by other means.
    who, reason = line(_short(by, "--by", LINE) or _login()), plain(_short(comment, "--comment", MESSAGE))
    if (check is None) != (points is None):
        raise click.UsageError("--check ID and --points P go together.")
    wanted: list[tuple[DecisionKind, str, float | None]] = [
        ("points", check or "", points),
        ("late_days", "", late_days),
        ("excused", "", excuse),
    ]
    made = [
        Decision(0, kind, about, float(value), reason, who, now(), "")
        for kind, about, value in wanted
        if value is not None
    ]
    if bool(made) == (number is not None):
        raise click.UsageError(
            "Say what is decided: --check ID with --points P, --late-days N, --excuse or --no-excuse, or --withdraw NUMBER."
        )
    if not reason:
        raise click.UsageError('A decision needs its reason: --comment "...". It stands in the report and the history.')
    chosen = list(dict.fromkeys(names))
    if number is not None and len(chosen) > 1:
        raise click.UsageError("--withdraw takes back one decision, about one submission: name that one alone.")
    with common.failures_in_words(line(str(out))), Gradebook(out) as book:
        if number is None:
            reports = decide(book, chosen, made)
        else:
            reports = [withdraw(book, chosen[0], number, f"{who}, {now()}: {reason}")]
    screen = common.screen()
    for report in reports:
        _tell(screen, report)


def _restored(out: Path, file: Path) -> None:
    """Take decisions over from a file, and say what became of them."""
    with common.failures_in_words(line(str(out))), Gradebook(out) as book:
        found = restore(book, file)
    screen = common.screen()
    for report in found.reports:
        _tell(screen, report)
    counts = [
        (found.taken, "taken over"),
        (found.withdrawn, "taken back, as the file says"),
        (found.present, "there already"),
        (sum(found.unknown.values()), "not taken"),
    ]
    said = ", ".join(f"{count} {what}" for count, what in counts if count) or "there is none in it"
    common.say(screen, f"Decisions of {line(str(file))}: {said}.")
    if found.unknown:
        common.say(
            screen,
            f"Not in this gradebook: {common.some(list(found.unknown))}. Grade them, and run the same command again.",
        )
    if found.renumbered:
        pairs = [f"{old} is {new} now" for old, new in found.renumbered.items()]
        common.say(screen, f"Numbered anew by when they were made: {common.some(pairs)}.")


def _short(text: str, option: str, most: int) -> str:
    """Return a text without its margins, or say that reports would show a part of it only."""
    text = text.strip()
    if len(text) > most:
        raise click.UsageError(f"{option}: {len(text):,} characters, and a report shows at most {most:,}. Shorten it.")
    return text


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError) as error:
        # A container's user may have no name.
        raise click.UsageError("Your login has no name here: say who decides with --by NAME.") from error


def _tell(screen: Console, report: Report) -> None:
    excused = ", excused" if report.excused else ""
    common.say(screen, f"{line(report.submission)}: {report.score:g} of {report.max_score:g} points{excused}.")
    for ruling in report.rulings:
        aside = "" if ruling.applies else " (not in force)"  # the effect says why
        common.say(screen, f"  {ruling.decision.number}. {line(ruling.effect)}{aside}")


@click.command(
    epilog="""\b
Example:
  grader history graded alice

Exit status: 0; 1 the gradebook cannot be used; 2 bad usage."""
)
@common.GRADED
@click.argument("name")
def history(out: Path, name: str) -> None:
    """Tell all that was ever said of one submission: gradings, what moved between them, and people's decisions."""
    with common.failures_in_words(line(str(out))), Gradebook(out, reading=True) as book:
        known(book, name)
        gradings = [(kept, from_json(book.published(kept.id))) for kept in book.gradings(name)]
        ruled = book.ruled(name)
        source = book.sources()[name]
        report = Standings(book).report(name)
        reminded = reminder(book)
    screen = common.screen()
    common.say(screen, f"{line(name)}, from {line(source)}")
    events = [*_graded(gradings), *map(_ruled, ruled)]
    for at, text in sorted(events, key=lambda event: event[0]):
        # Longer than a line of a report: a comment stands in it, and all that a rubric may have moved.
        common.say(screen, f"{at}  {line(text, 2 * MESSAGE)}")
    common.say(screen, "As it stands:")
    _tell(screen, report)
    if reminded:
        common.say(screen, reminded)


def _graded(gradings: list[tuple[Kept, Report]]) -> list[tuple[str, str]]:
    events = []
    before: Report | None = None
    for kept, report in gradings:
        text = f"{_MADE[kept.made]}: {kept.score:g} of {kept.max_score:g}"
        text += "" if kept.status == "graded" else f" ({kept.status.replace('_', ' ')})"
        text += "" if kept.basis.isolated else ", with --unsafe"
        if before is not None:
            text += f"; {why(moved(before, report)) or 'nothing moved'}"
            # A namesake from another folder is taken for the same submission: whoever looks for the mix-up finds it here.
            text += f"; from {report.source}, before from {before.source}" if report.source != before.source else ""
        of = f"submission {kept.basis.submission_digest[:12] or 'unread'}, rubric {kept.basis.assignment_digest[:12]}"
        events.append((kept.at, f"{text} [{of}, seed {kept.basis.seed_id[:6]}]"))
        before = report
    return events


def _ruled(one: Ruled) -> tuple[str, str]:
    decision = one.decision
    of = "" if decision.of is None else f" of {decision.of:g}"
    what = {
        "points": f"{decision.check} set to {decision.value:g}{of} points",
        "late_days": f"late by {decision.value:g} {'day' if decision.value == 1 else 'days'}",
        "excused": "excused" if decision.value else "not excused",
    }[decision.kind]
    taken_back = f" Taken back by {one.withdrawn}" if one.withdrawn else ""
    return decision.at, f"decision {decision.number} by {decision.by}: {what}: {decision.comment}{taken_back}"
