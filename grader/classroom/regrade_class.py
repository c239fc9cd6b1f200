"""`grader regrade`: judge a class again from its saved replies, after the rubric or the grader changed."""

import json
import tomllib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from grader.classroom.cache_keys import CacheKey
from grader.classroom.compare_reports import ScoreChange, compare_reports, compare_tables, to_csv
from grader.classroom.executors import Workers
from grader.classroom.gradebook import Gradebook, GradebookError, GradingRow
from grader.classroom.grading_loop import ClassGrading, begin_grading
from grader.classroom.output import explain_full_disk, write_overview, write_submission
from grader.classroom.plan import replay_task
from grader.classroom.results import ClassResults
from grader.classroom.storage import write_whole
from grader.classroom.worker import FAULT, Graded, GradingSession, Task
from grader.model import Sheet
from grader.records import dataclass
from grader.rubric import FILE as RUBRIC
from grader.text.sanitise import sanitise_report

TABLE = "regraded.csv"
# Submissions; workers start in the time that it takes to score some thirty.
FEW = 60

NO_REPLIES = "the grader failed on it, so there are no replies. `grader grade` runs it again."
OTHER_SEED = (
    "its questions were drawn from another seed. Give that seed with --seed,"
    " or run `grader grade` to ask the new questions."
)
OTHER_QUESTIONS = (
    "the questions changed, because of the rubric (sizes, regularisation strengths, the digits task, limits or names)"
    " or a new version of the grader. `grader grade` asks the new ones."
)
FAILED = (
    f"the grader failed on the saved replies, so the earlier grading stays; {FAULT} beside the report holds the"
    " details. To run the submission again, use `grader grade` with --force."
)


@dataclass(frozen=True)
class Regraded:
    """The results of judging a class again."""

    count: int  # judged again
    todo: int  # were to be judged; more than `count` where it was stopped, or the grader failed
    current: int  # were judged by this rubric already
    # The largest first; without `force` also those of an earlier regrade by this rubric.
    changes: tuple[ScoreChange, ...]
    reworded: int  # whose points are what they were, and whose report says something else
    causes: tuple[str, ...]  # what changed in the rubric and the versions, in words
    left: Mapping[str, str]  # name -> why its replies could not be judged again
    failed: tuple[str, ...]  # of `left`, those where that is the grader's own fault
    sheet: Sheet
    other_versions: str  # see ClassGrading
    stopped: bool  # by Ctrl-C; what had been judged is kept


def regrade_class(
    session: GradingSession,
    book: Gradebook,
    workers: Workers,
    *,
    force: bool = False,
    of: Callable[[str], bool] = lambda _: True,
    on_start: Callable[[int], None] = lambda _: None,
    on_result: Callable[[Graded | None], None] = lambda _: None,
) -> Regraded:
    """Judge all saved replies by the current rubric, save the results, and write the reports and the class page.

    force : judge also those that this rubric and grader judged last, without their saved findings. of : which submissions
    are this assignment's, by their names. on_start : called with the number to judge; on_result : called with each result.
    Raises GradebookError where none can be judged again, and what `grade_tasks` raises. Whatever was judged before that, or
    before Ctrl-C, is saved.
    """
    grading = begin_grading(session, book)
    before = ClassResults(book)
    own = {name: row for name, row in before.last.items() if of(name)}
    todo, left = _sort_out(own, grading.key, force=force)
    if left and len(left) == len(own):
        reasons = Counter(left.values()).most_common()
        raise GradebookError(f"{book.path.parent}: {' '.join(f'{count} left: {reason}' for reason, count in reasons)}")
    on_start(len(todo))
    grading.replayed.update(todo)
    standing = set() if force else {name for name, row in todo.items() if grading.stands(row)}
    sources, decisions, students = book.sources(), before.decisions, before.student_names

    def tasks(names: Iterable[str], standing: Collection[str]) -> Iterator[Task]:
        for name in names:
            task = Task(name, sources[name], None, decisions=decisions.get(name, ()), student=students.get(name))
            yield replay_task(book, todo[name], task, stands=name in standing)

    stopped = False
    with explain_full_disk(book.path.parent):
        try:
            grading.run(tasks(todo, standing), _choose_workers(todo, standing, workers), on_result)
            # Findings that cannot be read are found again.
            if again := [name for name in grading.failed if name in standing]:
                for name in again:
                    del grading.failed[name]
                grading.run(tasks(again, ()), workers, on_result)
        except KeyboardInterrupt:
            stopped = True
        for name, graded in grading.failed.items():
            write_submission(book.path.parent, name, {FAULT: graded.files[FAULT]} if FAULT in graded.files else {})
            left[name] = FAILED
            on_result(graded)
        return _compare(grading, own, left, force=force, stopped=stopped)


def _sort_out(
    last: Mapping[str, GradingRow], key: CacheKey, *, force: bool
) -> tuple[dict[str, GradingRow], dict[str, str]]:
    """Return which submissions are to be judged again, and why others cannot be."""
    todo: dict[str, GradingRow] = {}
    left: dict[str, str] = {}
    for name, row in last.items():
        if row.replies is None:
            left[name] = NO_REPLIES
        elif row.key.seed_id != key.seed_id:
            left[name] = OTHER_SEED
        elif row.key.questions != key.questions:
            left[name] = OTHER_QUESTIONS
        elif force or row.status == "grader_error" or not _same_rubric(row.key, key):
            todo[name] = row
    return todo, left


def _same_rubric(one: CacheKey, other: CacheKey) -> bool:
    return (one.assignment_digest, one.versions) == (other.assignment_digest, other.versions)


def _choose_workers(todo: Mapping[str, GradingRow], standing: Collection[str], workers: Workers) -> Workers:
    """Return where to judge: in this process if workers would take longer to start than the judging takes."""
    # Of what could not be loaded nothing was found, and nothing is judged.
    only_scored = bool(standing) and all(
        name in standing or row.status in {"no_submission", "failed_to_load"} for name, row in todo.items()
    )
    return Workers() if only_scored and len(todo) < FEW and not workers.cluster else workers


# ---------------------------------------------------------------- what came of it


def _compare(
    grading: ClassGrading, own: Collection[str], left: Mapping[str, str], *, force: bool, stopped: bool
) -> Regraded:
    """Return the changed scores, and write the tables and the class page."""
    now, out = ClassResults(grading.book), grading.book.path.parent
    earlier = _earlier_gradings(grading, now, force=force)
    done = grading.done
    compared = [
        # What has just been written is at hand, and need not be read.
        compare_reports(
            now.earlier_report(row), sanitise_report(done[name]) if name in done else now.earlier_report(now.last[name])
        )
        for name, row in earlier.items()
    ]
    changes = sorted((one for one in compared if one.points), key=lambda one: (-abs(one.after - one.before), one.name))
    sheet = now.sheet(done)
    write_whole(out / TABLE, to_csv(changes))
    write_overview(out, sheet)
    return Regraded(
        count=len(done),
        todo=len(grading.replayed),
        current=len(own) - len(grading.replayed.keys() | left.keys()),
        changes=tuple(changes),
        reworded=sum(one.reworded and not one.points for one in compared),
        causes=_causes(tuple(earlier.values()), grading),
        left=left,
        failed=tuple(grading.failed),
        sheet=sheet,
        other_versions=grading.other_versions,
        stopped=stopped,
    )


def _earlier_gradings(grading: ClassGrading, now: ClassResults, *, force: bool) -> dict[str, GradingRow]:
    """Return the earlier grading that each new one is compared with.

    It includes those that this rubric judged at an earlier time: the list of a stopped regrade is complete once it has
    been continued, and the same command gives the same list. With --force, only this regrade's own changes count.
    """
    found: dict[str, GradingRow] = {}
    for name, last in now.last.items():
        if name in grading.done:
            found[name] = grading.replayed[name]
        elif not force and last.made == "regrade" and _same_rubric(last.key, grading.key):
            same_run = [row for row in grading.book.gradings(name)[:-1] if row.replies == last.replies]
            earlier = [row for row in same_run if not _same_rubric(row.key, last.key)]
            if earlier:
                found[name] = earlier[-1]
    return found


def _causes(earlier: Collection[GradingRow], grading: ClassGrading) -> tuple[str, ...]:
    """Return what changed in the rubric and the versions since these gradings."""
    rubrics = dict.fromkeys(row.key.assignment_digest for row in earlier)
    versions = dict.fromkeys(row.key.versions for row in earlier)
    then = [tomllib.loads(grading.book.assignment_text(digest)) for digest in rubrics]
    now = tomllib.loads((grading.session.assignment.folder / RUBRIC).read_text(encoding="utf-8"))
    return (
        *compare_tables(then, now),
        *compare_tables(map(json.loads, versions), json.loads(grading.key.versions)),
    )
