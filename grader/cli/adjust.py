"""`grader adjust`: people's decisions about a submission."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from grader.classroom.adjust import add_decisions, withdraw_decision
from grader.classroom.gradebook import Gradebook, now
from grader.classroom.restore import restore
from grader.cli import common
from grader.model import Decision, DecisionKind
from grader.text.phrases import join_some
from grader.text.sanitise import LINE, MESSAGE, one_line, plain_text

_MADE = {"grade": "graded", "regrade": "judged again"}


@click.command(
    epilog="""\b
Examples:
  grader adjust graded alice --check gradient_b1 --points 5 --comment "Right up to the sign; seen in office hours."
  grader adjust graded alice --late-days 2 --comment "Handed in on Sunday."
  grader adjust graded alice bob cleo --late-days 0 --comment "The platform was down on Sunday."
  grader adjust graded alice --excuse --comment "Ill."
  grader adjust graded alice --withdraw 3 --comment "Meant for alice-2."
  grader adjust graded --restore graded/decisions.db

Decisions survive every regrade. A later decision of the same kind replaces an earlier one. `grader history` lists
them with their numbers.
decisions.db holds a copy of the decisions and the roster. If the gradebook is damaged or lost, grade again and
bring them back with --restore.

Exit status: 0 the decision is saved; 1 the gradebook cannot be used; 2 bad usage."""
)
@common.GRADED
@click.argument("names", nargs=-1, metavar="NAME...")
@click.option("--check", help="The check whose points you set.")
@click.option("--points", type=float, help="The points that this check gives from now on.")
@click.option(
    "--late-days",
    type=click.IntRange(0, 10_000),
    help="How many days late it is. assignment.toml says what a day costs.",
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
@click.option("--comment", default="", help="The reason. The student reads it in the report.")
@click.option("--by", default="", help="Your name. [default: your login]")
def adjust(
    out: Path,
    names: Sequence[str],
    check: str | None,
    points: float | None,
    late_days: int | None,
    excuse: bool | None,
    number: int | None,
    file: Path | None,
    comment: str,
    by: str,
) -> None:
    """Decide what the grader cannot: the points of a check, days of lateness, or that a submission is excused."""
    if file:
        if names or comment or by or any(one is not None for one in (check, points, late_days, excuse, number)):
            raise click.UsageError(
                "--restore reads everything from its file. Give it without a NAME and without other options."
            )
        _restore(out, file)
        return
    if not names:
        raise click.UsageError(
            "No submission is named. Usage: grader adjust DIR NAME... gradebook.csv lists the names."
        )
    # What is kept is plain, whoever reads the gradebook by other means.
    who, reason = one_line(_short(by, "--by", LINE) or _login()), plain_text(_short(comment, "--comment", MESSAGE))
    if (check is None) != (points is None):
        raise click.UsageError("--check ID and --points P must be given together.")
    made = _decisions({"points": points, "late_days": late_days, "excused": excuse}, check or "", reason, who)
    if bool(made) == (number is not None):
        raise click.UsageError(
            "Give one decision: --check ID with --points P, --late-days N, --excuse or --no-excuse, or --withdraw NUMBER."
        )
    if not reason:
        raise click.UsageError('A decision needs a reason: --comment "...". The report and the history show it.')
    chosen = list(dict.fromkeys(names))
    if number is not None and len(chosen) > 1:
        raise click.UsageError("--withdraw takes back one decision about one submission. Name only that submission.")
    with common.failures_in_words(one_line(str(out))), Gradebook(out) as book:
        if number is None:
            reports = add_decisions(book, chosen, made)
        else:
            reports = [withdraw_decision(book, chosen[0], number, f"{who}, {now()}: {reason}")]
    screen = common.screen()
    for report in reports:
        common.say_standing(screen, report)


def _decisions(values: Mapping[DecisionKind, float | None], check: str, reason: str, who: str) -> list[Decision]:
    """Return a decision for each value that was given."""
    return [
        Decision(0, kind, check if kind == "points" else "", float(value), reason, who, now(), "")
        for kind, value in values.items()
        if value is not None
    ]


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
