"""The plan for each submission: do nothing, judge its saved replies again, or run it."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from grader.classroom.cache_keys import CacheKey
from grader.classroom.gradebook import Gradebook, GradingRow
from grader.classroom.worker import Known, Task
from grader.model import Decision
from grader.records import dataclass, field, replace
from grader.submission import read, safe_names

Action = Literal["new", "changed", "judged again", "graded again", "unchanged"]


@dataclass(frozen=True)
class Entry:
    """One submission from the command line."""

    path: Path
    name: str


def assign_names(paths: Sequence[Path], sources: Mapping[str, str]) -> list[Entry]:
    """Return a submission name for each path: the one that it had before, or a new one.

    sources : the path of each submission in the gradebook, by name. A known path keeps its name. So does a file of the
    same name in another folder, as in a class that was downloaded again, if there is only one such file on each side.
    """
    by_source = {source: name for name, source in sources.items()}
    known = {path: by_source[str(path)] for path in paths if str(path) in by_source}
    rest = [path for path in paths if path not in known]
    left = {name: Path(source).name for name, source in sources.items() if name not in set(known.values())}
    once_here = Counter(path.name for path in rest)
    once_there = Counter(left.values())
    by_file = {file: name for name, file in left.items() if once_there[file] == 1}
    known |= {path: by_file[path.name] for path in rest if once_here[path.name] == 1 and path.name in by_file}
    fresh = safe_names([path for path in paths if path not in known], taken=sources)
    return [Entry(path, known.get(path) or fresh[path]) for path in paths]


def replay_task(book: Gradebook, before: GradingRow, task: Task, *, stands: bool) -> Task:
    """Return the task to judge an earlier run again, or only to score its findings if they still stand; then no reply is read."""
    found = book.findings(before.id) if stands else None
    if found:
        return replace(task, hand_in=None, known=Known(before.key.submission_digest, *found))
    return replace(task, hand_in=None, saved=book.replies(int(before.replies or 0)))


@dataclass
class Plan:
    """The plan of one grading. It reads one entry after another as workers become free, and notes the action for each."""

    book: Gradebook
    base: CacheKey  # of this grading, but for the submission
    stands: Callable[[GradingRow], bool] = lambda _: False  # whether its findings are still right
    students: Mapping[str, str] = field(default_factory=dict)  # the roster's name of each submission's student
    decisions: Mapping[str, tuple[Decision, ...]] = field(default_factory=dict)  # in force, by submission
    force: bool = False
    on_unchanged: Callable[[], None] = lambda: None  # called for each that has nothing to be done
    actions: dict[str, Action] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)  # name -> where it came from before, if that was elsewhere
    replayed: dict[str, GradingRow] = field(default_factory=dict)  # name -> the grading whose replies are judged again
    requests: dict[str, str] = field(default_factory=dict)  # name -> what the student asks of a person

    def tasks(self, entries: Sequence[Entry]) -> Iterator[Task]:
        """Yield the tasks; `force` makes it run submissions that have not changed."""
        last, sources = self.book.last(), self.book.sources()
        for entry in entries:
            hand_in = read(entry.path)
            if hand_in.request:
                self.requests[entry.name] = hand_in.request
            before = last.get(entry.name)
            if entry.name in sources and sources[entry.name] != str(entry.path):
                self.moved[entry.name] = sources[entry.name]
            action = self.actions[entry.name] = self._action(
                before, replace(self.base, submission_digest=hand_in.digest)
            )
            made = self.decisions.get(entry.name, ())
            task = Task(entry.name, str(entry.path), hand_in, decisions=made, student=self.students.get(entry.name))
            if action == "judged again" and before is not None and before.replies is not None:
                self.replayed[entry.name] = before
                yield replay_task(self.book, before, task, stands=self.stands(before))
            elif action == "unchanged":
                self.on_unchanged()
            else:
                yield task

    def _action(self, before: GradingRow | None, key: CacheKey) -> Action:
        if before is None:
            return "new"
        if before.key.submission_digest != key.submission_digest:
            return "changed"
        # Without a digest nothing could be read, and whether it can be now shows only by trying.
        if self.force or before.status == "grader_error" or not key.submission_digest:
            return "graded again"
        if before.key == key:
            return "unchanged"
        return "judged again" if before.replies is not None and before.key.same_run(key) else "graded again"
