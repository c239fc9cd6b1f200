"""A class judged again from its saved replies, after the rubric or the grader changed: no student code runs."""

from __future__ import annotations

import csv
import io
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from grader.assignment import FILE as RUBRIC
from grader.classroom.answers import draw_probes
from grader.classroom.basis import Basis, basis
from grader.classroom.batch import graded
from grader.classroom.desk import Graded, Sitting, Task
from grader.classroom.executors import Workers
from grader.classroom.gradebook import Gradebook, GradebookError, Kept
from grader.classroom.grading import line
from grader.classroom.standing import Standings
from grader.classroom.writing import full_disk_in_words, write_overview, write_submission, write_text
from grader.records import Report, Sheet
from grader.report.untrusted import cell

TABLE = "regraded.csv"
# Submissions in one transaction: each has to reach the disk before the next, which takes longer than judging one.
TOGETHER = 50


@dataclass(frozen=True)
class Move:
    """One submission whose score or checks are not what they were."""

    name: str
    before: float
    after: float
    checks: Mapping[
        str, tuple[float | None, float | None]
    ]  # id -> points before and after, where they differ; None: no such check
    named: tuple[str, ...]  # mistakes that are named now and were not
    unnamed: tuple[str, ...]  # the other way round


@dataclass(frozen=True)
class Regraded:
    """What judging again changed."""

    count: int  # judged again
    current: int  # were judged by this rubric already
    moves: tuple[Move, ...]  # the largest first
    changes: tuple[str, ...]  # of the rubric, in words
    left: Mapping[str, str]  # name -> why its replies could not be judged again
    sheet: Sheet
    page: Path


def regrade(
    sitting: Sitting,
    book: Gradebook,
    workers: Workers,
    *,
    force: bool = False,
    began: Callable[[int], None] = lambda _: None,
    told: Callable[[Graded | None], None] = lambda _: None,
) -> Regraded:
    """Judge all saved replies by the rubric as it is now, keep that, and write the reports and the class page.

    force : also those that this rubric and this grader judged last. began : called with how many are judged; told :
    called with each. Raises GradebookError where none can be judged again, and what `graded` raises.
    """
    probes = draw_probes(sitting.assignment, sitting.seed)
    base = basis(sitting.assignment, sitting.seed, probes.calls, isolated=True)
    before = Standings(book)
    todo, left = _sorted_out(before.last, base, force=force)
    if left and not todo and len(left) == len(before.last):
        raise GradebookError(f"{book.path.parent}: {next(iter(left.values()))}")
    began(len(todo))
    with full_disk_in_words(book.path.parent):
        reports = dict(_judged(todo, before, sitting, base, workers, told))
        moves = _moves(book, todo, reports)
        sheet, _ = Standings(book).sheet(reports)
        write_text(book.path.parent / TABLE, to_csv(moves))
        page = write_overview(book.path.parent, sheet)
    return Regraded(
        count=len(todo),
        current=len(before.last) - len(todo) - len(left),
        moves=moves,
        changes=changes(book, todo, sitting),
        left=left,
        sheet=sheet,
        page=page,
    )


def _sorted_out(last: Mapping[str, Kept], base: Basis, *, force: bool) -> tuple[dict[str, Kept], dict[str, str]]:
    """Tell which are to be judged again, and why others cannot be."""
    todo: dict[str, Kept] = {}
    left: dict[str, str] = {}
    for name, kept in last.items():
        theirs = kept.basis
        if kept.replies is None:
            left[name] = "the grader failed on it, so there are no replies: `grader grade` runs it again."
        elif theirs.seed_id != base.seed_id:
            left[name] = (
                "its questions were drawn from another seed. Name that one with --seed, as when it was graded;"
                " or run `grader grade` to ask the new questions."
            )
        elif theirs.questions != base.questions:
            left[name] = (
                "the rubric asks other questions than it was asked (sizes, regularisation strengths, the digits task, limits"
                " or names changed): `grader grade` asks them."
            )
        elif force or replace(base, submission_digest="") != replace(theirs, submission_digest="", isolated=True):
            todo[name] = kept
    return todo, left


def _judged(
    todo: Mapping[str, Kept],
    before: Standings,
    sitting: Sitting,
    base: Basis,
    workers: Workers,
    told: Callable[[Graded | None], None],
) -> Iterator[tuple[str, Report]]:
    """Judge, write the reports, and keep some at a time."""
    book, sources = before.book, before.book.sources()
    rubric = (sitting.assignment.folder / RUBRIC).read_text(encoding="utf-8")
    tasks = (
        Task(name, sources[name], None, book.replies(int(kept.replies or 0)), before.decisions.get(name, ()))
        for name, kept in todo.items()
    )
    ready: list[Graded] = []
    with closing(graded(tasks, sitting, workers)) as stream:
        for one in stream:
            write_submission(book.path.parent, one.name, one.files)
            ready.append(one)
            told(one)
            yield one.name, one.decided
            if len(ready) == TOGETHER:
                _keep(book, ready, todo, base, rubric)
                ready.clear()
    _keep(book, ready, todo, base, rubric)


def _keep(book: Gradebook, ready: Sequence[Graded], todo: Mapping[str, Kept], base: Basis, rubric: str) -> None:
    lines = [line(one, replace(base, isolated=todo[one.name].basis.isolated), todo[one.name].replies) for one in ready]
    book.keep(lines, rubric)


# ---------------------------------------------------------------- who moved, and why


def _moves(book: Gradebook, todo: Mapping[str, Kept], reports: Mapping[str, Report]) -> tuple[Move, ...]:
    found = []
    for name, kept in todo.items():
        if name in reports:
            move = moved(name, json.loads(book.published(kept.id)), json.loads(book.published(book.last_id(name))))
            if move.checks or move.before != move.after:
                found.append(move)
    return tuple(sorted(found, key=lambda move: (-abs(move.after - move.before), move.name)))


def moved(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Move:
    """Compare two report.json of one submission, both the grader's own."""
    old, new = ({check["id"]: check["points"] for check in report["checks"]} for report in (before, after))
    mistakes, found = ({one["id"]: one["title"] for one in report["diagnoses"]} for report in (before, after))
    return Move(
        name=name,
        before=before["score"],
        after=after["score"],
        checks={
            check: (old.get(check), new.get(check)) for check in {**old, **new} if old.get(check) != new.get(check)
        },
        named=tuple(found[one] for one in found if one not in mistakes),
        unnamed=tuple(mistakes[one] for one in mistakes if one not in found),
    )


def why(move: Move) -> str:
    """Say what moved a score: "data_loss 8 -> 10, decay 0 -> 4"."""
    parts = [f"{check} {_shown(old)} -> {_shown(new)}" for check, (old, new) in move.checks.items()]
    parts += [f"now named: {title}" for title in move.named]
    parts += [f"no longer named: {title}" for title in move.unnamed]
    return ", ".join(parts)


def _shown(points: float | None) -> str:
    return "none" if points is None else f"{points:g}"


def to_csv(moves: Sequence[Move]) -> str:
    """Write who moved as a table."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["submission", "before", "after", "why"])
    for move in moves:
        writer.writerow([cell(move.name), f"{move.before:g}", f"{move.after:g}", cell(why(move))])
    return buffer.getvalue()


def changes(book: Gradebook, todo: Mapping[str, Kept], sitting: Sitting) -> tuple[str, ...]:
    """Say what of the rubric is not what it was when these were judged last."""
    now = flat(tomllib.loads((sitting.assignment.folder / RUBRIC).read_text(encoding="utf-8")))
    found: dict[str, None] = {}
    for digest in dict.fromkeys(kept.basis.assignment_digest for kept in todo.values()):
        then = flat(tomllib.loads(book.assignment_text(digest)))
        for key in dict.fromkeys([*then, *now]):
            if then.get(key) != now.get(key):
                found[f"{key}: {then.get(key, 'not there')} -> {now.get(key, 'not there')}"] = None
    return tuple(found)


def flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Give a TOML table's values by their dotted keys; a check's go by its id: "checks.data_loss.points"."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{key}.")
        elif key == "checks" and isinstance(value, list):
            for row in value:
                found |= flat({name: one for name, one in row.items() if name != "id"}, f"checks.{row.get('id')}.")
        else:
            found[f"{prefix}{key}"] = value
    return found
