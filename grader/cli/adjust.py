"""`grader adjust`: people's decisions about a submission."""

import getpass
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from grader.classroom.adjust import add_decisions, find_alike, withdraw_decision
from grader.classroom.blind import hide_names
from grader.classroom.find_student import find_submission
from grader.classroom.forget import Forgotten, forget
from grader.classroom.gradebook import Gradebook, now
from grader.classroom.lateness import compare_times, find_news, read_days, read_due
from grader.classroom.restore import restore
from grader.classroom.student_table import read_words
from grader.cli import common, options
from grader.model import Decision, DecisionKind
from grader.text.phrases import join_some, plural
from grader.text.sanitise import LINE, MESSAGE, one_line, plain_text


@click.command(
    epilog="""\b
Examples:
  grader adjust graded alice --check gradient_b1 --points 5 --comment "Right up to the sign; seen in office hours."
  grader adjust graded alice --late-days 2 --comment "Handed in on Sunday."
  grader adjust graded --mistake gradient_cut_off --check gradient_W1 --points 3 --comment "Half for the right idea."
  grader adjust graded alice --comment "Come and see me."                   a comment alone, which changes no points
  grader adjust graded --failed gradient_W1 --check gradient_W1 --comment "See lecture 4, page 12."
  grader adjust graded --from comments.csv          columns: login or name; comment or request; check
  grader adjust graded alice bob cleo --late-days 0 --comment "The platform was down on Sunday."
  grader adjust graded --due 2026-03-01T23:59
  grader adjust graded --from late_days.csv --comment "Late days from the forum."
  grader adjust graded alice --excuse --comment "Ill."
  grader adjust graded alice --withdraw 3 --comment "Meant for alice-2."
  grader adjust graded --restore graded/decisions.db
  grader adjust graded --forget alice

Decisions survive every regrade. A later decision of the same kind replaces an earlier one; comments stand side by side.
`grader history` lists them with their numbers.

A student asks for a regrade with regrade_request.txt in the hand-in, or you bring requests with --from. The class page
lists them. Your next decision or comment about that NAME is the answer; withdraw it, and the request waits again.
decisions.db holds a copy of the decisions and the roster. If the gradebook is damaged or lost, grade again and
bring them back with --restore.

--forget removes all that the folder holds about a student: every submission with its answers, reports and decisions,
and the student's line of the roster. Only a note with the date and your name stays.

Exit status: 0 the decision is saved; 1 the gradebook cannot be used, or you did not confirm; 2 bad usage."""
)
@options.GRADED
@click.argument("names", nargs=-1, metavar="NAME...")
@click.option(
    "--mistake", default="", help="Instead of NAMEs: decide about everybody who made the mistake with this id."
)
@click.option("--failed", default="", help="Instead of NAMEs: everybody who fails this check, wholly or in part.")
@click.option("--check", help="The check whose points you set, or which your comment is about.")
@click.option("--points", type=float, help="The points to give for this check.")
@click.option(
    "--late-days",
    type=click.IntRange(0, 10_000),
    help="How many days late the submission is. assignment.toml says what a day costs.",
)
@click.option("--due", default="", help="When it was due, as 2026-03-01T23:59. Notes how late everybody was.")
@click.option(
    "--from",
    "--late-from",
    "table",
    type=options.PATH,
    metavar="FILE",
    help="A CSV about many: with a column `comment` (and perhaps `check`) or `request`, or with late days, or times for"
    " --due. Gradescope's scores and Moodle's worksheet work, too.",
)
@click.option(
    "--excuse/--no-excuse",
    "excuse",
    default=None,
    help="Excuse the submission, so that it does not count. --no-excuse takes that back.",
)
@click.option("--withdraw", "number", type=int, help="Take back the decision, comment or request with this number.")
@click.option(
    "--restore",
    "file",
    type=options.PATH,
    metavar="FILE",
    help="Add the decisions and the roster in this decisions.db that the gradebook lacks.",
)
@click.option(
    "--forget", "to_forget", is_flag=True, help="Remove these submissions and their students' data from the class."
)
@click.option("--yes", is_flag=True, help="With --forget: do not ask for confirmation.")
@click.option("--comment", default="", help="The reason; by itself, a comment. The student reads it.")
@click.option("--by", default="", help="Your name. [default: your login]")
@options.BLIND
def adjust(
    out: Path,
    names: Sequence[str],
    mistake: str,
    failed: str,
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
    blind: bool,
) -> None:
    """Decide what the grader cannot: points, days of lateness, an excuse; write comments; answer requests."""
    chosen = bool(names or mistake or failed)
    decided = any(one is not None for one in (check, points, late_days, excuse, number))
    if yes and not to_forget:
        raise click.UsageError("--yes goes with --forget only.")
    if file:
        if chosen or comment or by or to_forget or decided or blind:
            raise click.UsageError("--restore reads everything from its file. Leave out NAME and all other options.")
        _restore(out, file)
        return
    if due or table:
        if chosen or decided or to_forget:
            raise click.UsageError("--due and --from apply to everybody. Leave out NAME and other decisions.")
        _note_table(out, due, table, _name_author(by), comment, blind=blind)
        return
    _check_choice(names, mistake, failed, alone=to_forget or number is not None)
    if to_forget:
        if comment or decided or blind:
            raise click.UsageError("--forget goes with NAMEs, --by and --yes only: a comment could name the student.")
        _forget(out, list(dict.fromkeys(names)), _name_author(by), yes=yes)
        return
    values: dict[DecisionKind, float | None] = {"points": points, "late_days": late_days, "excused": excuse}
    if number is None and not any(one is not None for one in values.values()) and comment.strip():
        values["comment"] = 0.0
    _decide(out, list(dict.fromkeys(names)), (mistake, failed), values, check, number, comment, by, blind=blind)


def _check_choice(names: Sequence[str], mistake: str, failed: str, *, alone: bool) -> None:
    """Raise UsageError unless it is said in one way whom it is about; alone : only names will do."""
    if not (names or mistake or failed):
        raise click.UsageError("No submission is named. Usage: grader adjust DIR NAME... gradebook.csv lists them.")
    if bool(names) + bool(mistake) + bool(failed) > 1 or (alone and not names):
        raise click.UsageError(
            "--mistake and --failed mean many: give one, and leave out NAME, --forget and --withdraw."
        )


def _decide(
    out: Path,
    names: Sequence[str],
    those: tuple[str, str],
    values: Mapping[DecisionKind, float | None],
    check: str | None,
    number: int | None,
    comment: str,
    by: str,
    *,
    blind: bool,
) -> None:
    """Save one decision about each of these submissions, or take one back, and print where they stand.

    those : a mistake or a failed check, of which all are meant who made or failed it.
    """
    # What is kept is plain, whoever reads the gradebook by other means.
    who, reason = _name_author(by), plain_text(_strip(comment, "--comment", MESSAGE))
    if (check is None) != (values["points"] is None) and "comment" not in values:
        raise click.UsageError("--check ID goes with --points P, or with a --comment alone.")
    made = [
        Decision(0, kind, (check or "") if kind in {"points", "comment"} else "", float(value), reason, who, now(), "")
        for kind, value in values.items()
        if value is not None
    ]
    if bool(made) == (number is not None):
        known = "--check ID with --points P, --late-days N, --excuse or --no-excuse, --withdraw NUMBER"
        raise click.UsageError(f"Give one decision: {known}, or a --comment alone.")
    if not reason:
        raise click.UsageError('A decision needs a reason: --comment "...". The report and the history show it.')
    if number is not None and len(names) > 1:
        raise click.UsageError("--withdraw takes back one decision about one submission. Name only that submission.")
    with common.failures_in_words(one_line(str(out))), Gradebook(out) as book:
        names = list(dict.fromkeys(find_submission(book, name, blind=blind) for name in names))
        about = names or find_alike(book, *those)
        if number is None:
            reports = add_decisions(book, [(name, one) for name in about for one in made], answer=bool(names))
        else:
            reports = [withdraw_decision(book, names[0], number, f"{who}, {now()}: {reason}")]
        common.say_standings(reports, hide_names(book, blind=blind))


def _note_table(out: Path, due: str, table: Path | None, who: str, comment: str, *, blind: bool) -> None:
    """Save the words in a table, or the days of lateness that times or a table tell, and print where people stand."""
    reason = plain_text(_strip(comment, "--comment", MESSAGE)) or f"By {'the times' if due else one_line(str(table))}."
    with common.failures_in_words(one_line(str(out))), Gradebook(out) as book:
        if table and not due and (words := read_words(book, table, who)):
            made, unknown = words
            told = f"{plural(len(made), 'line')} read; the same words are saved once."
        else:
            until = read_due(due) if due else None
            found = read_days(book, table, until) if table else compare_times(book, read_due(due))
            late, unknown = find_news(book, found, by_hand=table is not None), list(found.unknown)
            made = [(name, Decision(0, "late_days", "", days, reason, who, now(), "")) for name, days in late.items()]
            told = f"{len(found.days)} known, {len(late)} noted. assignment.toml says what a day costs."
        common.say_standings(add_decisions(book, made), hide_names(book, blind=blind))
    common.say(told)
    if unknown:
        common.say(
            f"Not known: {join_some(unknown)}. A column such as `login`, `name` or `email` says whose each line is."
        )


def _forget(out: Path, names: Sequence[str], who: str, *, yes: bool) -> None:
    """Take submissions out of a class, once the person agrees, and print what stays."""
    with common.failures_in_words(one_line(str(out))), Gradebook(out) as book:
        names = [find_submission(book, name, exact=yes) for name in names]
        listed = join_some(names, most=len(names))
        if not yes:
            click.confirm(
                f"Remove {listed}, and other hand-ins of the same students, from {one_line(str(out))}? This cannot be undone.",
                abort=True,
            )
        found: list[Forgotten] = []
        for name in names:
            if not any(name in one.names for one in found):
                found.append(forget(book, name, who))
    told = []
    for one in found:
        line = (
            "the student's line of the roster" if one.student else "no line of a roster: none is certain to be theirs"
        )
        taken = join_some(one.names, most=len(one.names))
        told.append(f"Removed {taken}: the submission, its answers, reports and decisions, and {line}.")
        told += [
            f"The handed-in file is not the grader's, so it stays: {one_line(str(source))}. `grader grade` reads it again if you name it."
            for source in filter(Path.exists, one.sources)
        ]
    if whole := list(dict.fromkeys(str(path) for one in found for path in one.removed)):
        told.append(
            f"Also removed, because they held the whole class: {join_some(whole)}. Run the same commands to write them again."
        )
    if left := [str(path) for path in found[-1].left]:
        told.append(
            f"These files still contain the name, in a person's comment or file, or by chance: {join_some(left)}."
        )
    common.say(*told)


def _restore(out: Path, file: Path) -> None:
    """Restore the decisions and the roster of a safety copy, and print what was restored."""
    with common.failures_in_words(one_line(str(out))), Gradebook(out) as book:
        found = restore(book, file)
    common.say_standings(found.reports)
    counts = [
        (found.added, "restored"),
        (found.withdrawn, "taken back, as in the file"),
        (found.present, "already there"),
        (sum(found.unknown.values()), "not restored"),
    ]
    said = ", ".join(f"{count} {what}" for count, what in counts if count) or "none"
    told = [f"Decisions in {one_line(str(file))}: {said}."]
    if found.students:
        told.append(f"Roster: {found.students} students restored.")
    if found.unknown:
        unknown = join_some(list(found.unknown))
        told.append(f"Not in this gradebook: {unknown}. Grade them, and run the same command again.")
    if found.renumbered:
        pairs = [f"{old} is now {new}" for old, new in found.renumbered.items()]
        told.append(f"Some decisions have new numbers, in the order of their dates: {join_some(pairs)}.")
    common.say(*told)


def _strip(text: str, option: str, most: int) -> str:
    """Return a text without blanks around it; raise UsageError where it is too long for a report."""
    text = text.strip()
    if len(text) > most:
        raise click.UsageError(
            f"{option} has {len(text):,} characters, but a report shows at most {most:,}. Shorten it."
        )
    return text


def _name_author(by: str) -> str:
    try:
        return one_line(_strip(by, "--by", LINE) or getpass.getuser())
    except (OSError, KeyError, ImportError) as error:
        # A container's user may have no name.
        raise click.UsageError("Your login has no name on this system. Give your name with --by NAME.") from error
