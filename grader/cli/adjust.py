"""`grader adjust`: people's decisions about a submission."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from grader.classroom.adjust import add_decisions, find_mistaken, withdraw_decision
from grader.classroom.find_student import find_submission
from grader.classroom.forget import Forgotten, forget
from grader.classroom.gradebook import Gradebook, now
from grader.classroom.lateness import compare_times, read_days, read_due
from grader.classroom.restore import restore
from grader.classroom.results import ClassResults
from grader.cli import common, options
from grader.model import Decision, DecisionKind
from grader.text.phrases import join_some
from grader.text.sanitise import LINE, MESSAGE, one_line, plain_text

_MADE = {"grade": "graded", "regrade": "judged again"}


@click.command(
    epilog="""\b
Examples:
  grader adjust graded alice --check gradient_b1 --points 5 --comment "Right up to the sign; seen in office hours."
  grader adjust graded alice --late-days 2 --comment "Handed in on Sunday."
  grader adjust graded --mistake gradient_cut_off --check gradient_W1 --points 3 --comment "Half for the right idea."
  grader adjust graded alice bob cleo --late-days 0 --comment "The platform was down on Sunday."
  grader adjust graded --due 2026-03-01T23:59
  grader adjust graded --late-from late_days.csv --comment "Late days of the forum."
  grader adjust graded alice --excuse --comment "Ill."
  grader adjust graded alice --withdraw 3 --comment "Meant for alice-2."
  grader adjust graded --restore graded/decisions.db
  grader adjust graded --forget alice

Decisions survive every regrade. A later decision of the same kind replaces an earlier one. `grader history` lists
them with their numbers.
decisions.db holds a copy of the decisions and the roster. If the gradebook is damaged or lost, grade again and
bring them back with --restore.

--forget takes out all that the folder holds of a student: the submission and earlier ones, their answers, reports and
decisions, and the line of the roster. A note of the date and your name stays.

Exit status: 0 the decision is saved; 1 the gradebook cannot be used, or you did not confirm; 2 bad usage."""
)
@options.GRADED
@click.argument("names", nargs=-1, metavar="NAME...")
@click.option("--mistake", default="", help="Instead of NAMEs: everybody who made this mistake, by its id.")
@click.option("--check", help="The check whose points you set.")
@click.option("--points", type=float, help="The points that this check gives from now on.")
@click.option(
    "--late-days",
    type=click.IntRange(0, 10_000),
    help="How many days late it is. assignment.toml says what a day costs.",
)
@click.option("--due", default="", help="Note how late everybody was: the time at which it was due, 2026-03-01T23:59.")
@click.option(
    "--late-from",
    "table",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The same from a CSV: days, or times with --due; Gradescope's scores and Moodle's grading worksheet too.",
)
@click.option(
    "--excuse/--no-excuse",
    "excuse",
    default=None,
    help="Excuse the submission, so that it does not count. --no-excuse takes that back.",
)
@click.option("--withdraw", "number", type=int, help="Take back the decision with this number.")
@click.option(
    "--restore",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Add the decisions and the roster in this decisions.db that the gradebook lacks.",
)
@click.option(
    "--forget", "to_forget", is_flag=True, help="Take these submissions and their students' data out of the class."
)
@click.option("--yes", is_flag=True, help="With --forget: do not ask.")
@click.option("--comment", default="", help="The reason. The student reads it in the report.")
@click.option("--by", default="", help="Your name. [default: your login]")
def adjust(
    out: Path,
    names: Sequence[str],
    mistake: str,
    check: str | None,
    points: float | None,
    late_days: int | None,
    due: str,
    table: Path | None,
    excuse: bool | None,
    number: int | None,
    file: Path | None,
    to_forget: bool,
    yes: bool,
    comment: str,
    by: str,
) -> None:
    """Decide what the grader cannot: the points of a check, days of lateness, or that a submission is excused."""
    decided = any(one is not None for one in (check, points, late_days, excuse, number))
    if yes and not to_forget:
        raise click.UsageError("--yes goes with --forget only.")
    if file:
        if names or mistake or comment or by or to_forget or decided:
            raise click.UsageError(
                "--restore reads everything from its file. Give it without a NAME and without other options."
            )
        _restore(out, file)
        return
    if due or table:
        if names or mistake or decided:
            raise click.UsageError(
                "--due and --late-from are about everybody. Give them without a NAME and other decisions."
            )
        _note_lateness(out, due, table, one_line(_short(by, "--by", LINE) or _login()), comment)
        return
    if mistake and (names or to_forget or number is not None):
        raise click.UsageError(
            "--mistake is about everybody who made it. Give it without a NAME, --forget and --withdraw."
        )
    if not (names or mistake):
        raise click.UsageError(
            "No submission is named. Usage: grader adjust DIR NAME... gradebook.csv lists the names."
        )
    if to_forget:
        if comment or decided:
            raise click.UsageError("--forget goes with NAMEs, --by and --yes only: a comment could name the student.")
        _forget(out, list(dict.fromkeys(names)), one_line(_short(by, "--by", LINE) or _login()), yes=yes)
        return
    values: dict[DecisionKind, float | None] = {"points": points, "late_days": late_days, "excused": excuse}
    _decide(out, list(dict.fromkeys(names)), mistake, values, check, number, comment, by)


def _decide(
    out: Path,
    names: Sequence[str],
    mistake: str,
    values: Mapping[DecisionKind, float | None],
    check: str | None,
    number: int | None,
    comment: str,
    by: str,
) -> None:
    """Save one decision about each of these submissions, or take one back, and print where they stand."""
    # What is kept is plain, whoever reads the gradebook by other means.
    who, reason = one_line(_short(by, "--by", LINE) or _login()), plain_text(_short(comment, "--comment", MESSAGE))
    if (check is None) != (values["points"] is None):
        raise click.UsageError("--check ID and --points P must be given together.")
    made = _decisions(values, check or "", reason, who)
    if bool(made) == (number is not None):
        raise click.UsageError(
            "Give one decision: --check ID with --points P, --late-days N, --excuse or --no-excuse, or --withdraw NUMBER."
        )
    if not reason:
        raise click.UsageError('A decision needs a reason: --comment "...". The report and the history show it.')
    if number is not None and len(names) > 1:
        raise click.UsageError("--withdraw takes back one decision about one submission. Name only that submission.")
    with common.failures_in_words(one_line(str(out))), Gradebook(out) as book:
        names = list(dict.fromkeys(find_submission(book, name) for name in names))
        names = names or find_mistaken(book, mistake)
        if number is None:
            reports = add_decisions(book, names, made)
        else:
            reports = [withdraw_decision(book, names[0], number, f"{who}, {now()}: {reason}")]
    screen = common.screen()
    for report in reports:
        common.say_standing(screen, report)


def _note_lateness(out: Path, due: str, table: Path | None, who: str, comment: str) -> None:
    """Save the days of lateness that times or a table tell, and print what was noted."""
    screen = common.screen()
    with common.failures_in_words(one_line(str(out))), Gradebook(out) as book:
        until = read_due(due) if due else None
        found = read_days(book, table, until) if table else compare_times(book, read_due(due))
        reason = (
            plain_text(_short(comment, "--comment", MESSAGE)) or f"By {'the times' if due else one_line(str(table))}."
        )
        results = ClassResults(book)
        decided = {name for name, made in results.decisions.items() if any(one.kind == "late_days" for one in made)}
        # A time knows less than the person who decided before; a table is a person's.
        late = {name: days for name, days in found.days.items() if (table or name not in decided)}
        late = {name: days for name, days in late.items() if days != results.report(name).late_days}
        for days in sorted(set(late.values())):
            made = _decisions({"late_days": days}, "", reason, who)
            for report in add_decisions(book, [name for name, many in late.items() if many == days], made):
                common.say_standing(screen, report)
    common.say(screen, f"{len(found.days)} known, {len(late)} noted. What a day costs stands in assignment.toml.")
    if found.unknown:
        common.say(screen, f"Not known: {join_some(list(found.unknown))}.")


def _decisions(values: Mapping[DecisionKind, float | None], check: str, reason: str, who: str) -> list[Decision]:
    """Return a decision for each value that was given."""
    return [
        Decision(0, kind, check if kind == "points" else "", float(value), reason, who, now(), "")
        for kind, value in values.items()
        if value is not None
    ]


def _forget(out: Path, names: Sequence[str], who: str, *, yes: bool) -> None:
    """Take submissions out of a class, once the person agrees, and print what stays."""
    with common.failures_in_words(one_line(str(out))), Gradebook(out) as book:
        names = [find_submission(book, name, exact=yes) for name in names]
        listed = join_some([one_line(name) for name in names], most=len(names))
        if not yes:
            click.confirm(
                f"Take {listed}, and other hand-ins of the same students, out of {one_line(str(out))}? It cannot be undone.",
                abort=True,
            )
        found: list[Forgotten] = []
        for name in names:
            if not any(name in one.names for one in found):
                found.append(forget(book, name, who))
    screen = common.screen()
    for one in found:
        whose = (
            "and the student's line of the roster" if one.student else "and no line of a roster: none is surely theirs"
        )
        taken = join_some([one_line(name) for name in one.names], most=len(one.names))
        common.say(screen, f"Took out {taken}: the submission, its answers, reports and decisions, {whose}.")
        for source in filter(Path.exists, one.sources):
            again = "`grader grade` reads it again if it is named."
            common.say(screen, f"What was handed in is not the grader's and stays: {one_line(str(source))}. {again}")
    whole = dict.fromkeys(str(path) for one in found for path in one.removed)
    if whole:
        common.say(
            screen,
            f"Removed, as they held the whole class: {join_some(list(whole))}. The same commands write them anew.",
        )
    if found[-1].left:
        left = join_some([str(path) for path in found[-1].left])
        common.say(screen, f"These still hold the name, as a person's comment or file, or by chance: {left}.")


def _restore(out: Path, file: Path) -> None:
    """Restore the decisions and the roster of a safety copy, and print what was restored."""
    with common.failures_in_words(one_line(str(out))), Gradebook(out) as book:
        found = restore(book, file)
    screen = common.screen()
    for report in found.reports:
        common.say_standing(screen, report)
    counts = [
        (found.added, "restored"),
        (found.withdrawn, "taken back, as in the file"),
        (found.present, "already there"),
        (sum(found.unknown.values()), "not restored"),
    ]
    said = ", ".join(f"{count} {what}" for count, what in counts if count) or "none"
    common.say(screen, f"Decisions of {one_line(str(file))}: {said}.")
    if found.students:
        common.say(screen, f"Roster: {found.students} students restored.")
    if found.unknown:
        common.say(
            screen,
            f"Not in this gradebook: {join_some(list(found.unknown))}. Grade them, and run the same command again.",
        )
    if found.renumbered:
        pairs = [f"{old} is now {new}" for old, new in found.renumbered.items()]
        common.say(screen, f"Some decisions have new numbers, in the order of their dates: {join_some(pairs)}.")


def _short(text: str, option: str, most: int) -> str:
    """Return a text without blanks around it; raise UsageError where it is too long for a report."""
    text = text.strip()
    if len(text) > most:
        raise click.UsageError(f"{option}: {len(text):,} characters, and a report shows at most {most:,}. Shorten it.")
    return text


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError) as error:
        # A container's user may have no name.
        raise click.UsageError("Your login has no name on this system. Give your name with --by NAME.") from error
