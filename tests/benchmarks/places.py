"""How often the report points at the line that is wrong, in real student processes: `python tests/benchmarks/places.py`.

Four sets of wrong programs, each with its truth, and the right ones, of which no line may be pointed at:

edits     right programs of `styles/` with one thing changed in the text, drawn from a fixed seed; those that lose nothing
          are dropped. The truth is the statement that was changed. A statement that was deleted is missed at its own
          line, at its neighbours', and where its value is next read.
ways      every way of every mistake of the audit, written out; the truth is where its text differs from the right one's.
mistaken  programs of `mistaken/`, each with one mistake that students make; `mistaken/lines.toml` says at which lines a
          careful reader would point.
right     the programs of `styles/`, and `tests/submissions/right_*`.

The place that counts is the first that the report tells: of the first diagnosis that has one, else of the first check
that did not pass and has one; of an exception, the innermost. It is exact at a line of the truth, near within two lines
of one, and false further away.
"""

from __future__ import annotations

import argparse
import difflib
import functools
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from edits import METHODS, Edit, drawn, method_at, widened

from grader.grading import Grading, grade
from grader.model import Assignment, Place, Questions
from grader.rubric import bundled, load
from grader.sandbox.host import StudentHost
from grader.score import KNOWN
from reference.cases import network_of
from reference.catalogue import list_forms
from reference.questions import draw
from reference.student_program import write_program

HERE = Path(__file__).resolve().parent
SAMPLES = HERE.parent / "submissions"
PROCESSES = 2
NEAR = 2  # lines
TOLD = 3  # places of a report that a student may be thought to look at
ASKED = {
    "edits": {"exact": "85 %", "within two": "95 %", "false": "at most 3 %"},
    "ways": {"exact": "85 %", "within two": "95 %", "false": "at most 3 %"},
    "mistaken": {"exact": "80 %", "within two": "90 %"},
}


@dataclass(frozen=True)
class Job:
    """One program to be graded, and where it is wrong. path : instead of its text, a file or folder to be handed in."""

    name: str
    style: str = ""
    method: str = ""
    kind: str = ""
    truth: frozenset[int] = frozenset()
    text: str = ""
    path: Path | None = None
    line: int = 0  # the line that was edited
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Outcome:
    """What the report of one program told."""

    job: Job
    score: float
    most: float
    titles: tuple[str, ...]  # of the diagnoses
    told: tuple[Place, ...]  # each place once, in the order in which the report tells them
    label: str  # what places of the program itself are called
    raised: bool  # the student's code raised an exception

    @property
    def noticed(self) -> bool:
        """Return whether the program lost points or was told a mistake."""
        return self.score < self.most or bool(self.titles)

    def distance(self, among: int = 1) -> float | None:
        """Return how many lines the best of the first places told is away from the truth; None where none is told."""
        away = [
            min(abs(place.line - line) for line in self.job.truth) if place.label == self.label else float("inf")
            for place in self.told[:among]
        ]
        return min(away, default=None)


@functools.cache
def prepare() -> tuple[Assignment, Questions]:
    """Return the assignment with its questions; each process draws them once."""
    assignment = load(bundled(), KNOWN)
    return assignment, draw(assignment, assignment.seed)


def graded(jobs: Sequence[Job]) -> list[Outcome]:
    """Return what each job's report told, by one host."""
    assignment, questions = prepare()
    found = []
    with StudentHost(assignment.limits) as host, TemporaryDirectory() as room:
        for job in jobs:
            path = job.path
            if path is None:
                path = Path(room) / "program.py"
                path.write_text(job.text, encoding="utf-8")
            grading = grade(path, path.stem, assignment, questions, host)
            report = grading.report
            titles = tuple(diagnosis.title for diagnosis in report.diagnoses)
            replies = [grading.run.load, *grading.run.replies.values()] if grading.run else []
            raised = any(reply.outcome == "raised" for reply in replies)
            told = tuple(dict.fromkeys(places_told(grading)))
            found.append(Outcome(job, report.score, report.max_score, titles, told, path.name, raised))
    return found


def places_told(grading: Grading) -> Iterator[Place]:
    """Yield the places of a report as a reader meets them: of its diagnoses, then of its checks; of exceptions the innermost first."""
    for diagnosis in grading.report.diagnoses:
        yield from diagnosis.places
    findings = grading.findings.checks if grading.findings else {}
    for verdict in grading.report.checks:
        if verdict.status != "passed":
            finding = findings.get(verdict.id)
            raised = finding is not None and finding.error is not None
            yield from reversed(verdict.places) if raised else verdict.places


def outcomes(pool: ProcessPoolExecutor, jobs: Sequence[Job]) -> list[Outcome]:
    """Return what each job's report told, in their order, by all processes."""
    shares = [jobs[share::PROCESSES] for share in range(PROCESSES)]
    done = list(pool.map(graded, shares))
    return [done[at % PROCESSES][at // PROCESSES] for at in range(len(jobs))]


def edited(pool: ProcessPoolExecutor, count: int, seed: int) -> tuple[list[Outcome], int]:
    """Return the first edits that are noticed, and how many were dropped on the way."""
    styles = {path.stem: path.read_text(encoding="utf-8") for path in programs_of("styles")}
    source = (job_of(edit) for edit in drawn(styles, seed))
    kept: list[Outcome] = []
    dropped = 0
    while len(kept) < count:
        jobs = list(islice(source, max(count - len(kept), 2 * PROCESSES)))
        if not jobs:
            break
        for outcome in outcomes(pool, jobs):
            if len(kept) < count:
                kept += [outcome] if outcome.noticed else []
                dropped += not outcome.noticed
    return kept, dropped


def job_of(edit: Edit) -> Job:
    """Return the job of an edit."""
    return Job(
        f"{edit.style}:{edit.line}",
        edit.style,
        edit.method,
        edit.kind,
        edit.truth,
        edit.text,
        line=edit.line,
        before=edit.before,
        after=edit.after,
    )


def programs_of(folder: str) -> list[Path]:
    """Return the programs in a folder beside this file."""
    return sorted((HERE / folder).glob("*.py"))


def jobs_of_forms() -> Iterator[Job]:
    """Yield a job for each way of each mistake."""
    network = network_of(prepare()[0])
    right = write_program(network)
    for form in list_forms():
        if not form.mistake.harmless:
            text = write_program(network, (form,))
            truth = differing(right, text)
            first = min(truth)
            line = text.splitlines()[first - 1].strip()
            method = method_at(text, first)
            yield Job(form.name, form.mistake.stage, method, "way", truth, text, line=first, after=line)


def differing(right: str, wrong: str) -> frozenset[int]:
    """Return the lines of a text that another one has not; where the class lacks some, the lines around the gap."""
    old, new = right.splitlines(), wrong.splitlines()
    head = next(at for at, line in enumerate(new) if line.startswith("class "))
    found: set[int] = set()
    for kind, _, _, first, end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "delete":
            # A helper above the class that nothing calls any more is missed where it was called.
            found |= {first, min(first + 1, len(new))} if first > head else set()
        elif kind != "equal":
            found |= {1 + at for at in range(first, end) if new[at].strip()}
    return widened(wrong, sorted(found))


def jobs_of_mistaken() -> Iterator[Job]:
    """Yield a job for each program with a mistake that students make."""
    table = tomllib.loads((HERE / "mistaken" / "lines.toml").read_text(encoding="utf-8"))
    for path in programs_of("mistaken"):
        source, lines = path.read_text(encoding="utf-8"), table.pop(path.name)
        first = source.splitlines()[lines[0] - 1].strip()
        method = method_at(source, lines[0])
        truth = widened(source, lines)
        yield Job(path.stem, "mistaken", method, "mistaken", truth, path=path, line=lines[0], after=first)
    assert not table, f"programs that are not there: {', '.join(table)}"


def jobs_of_right() -> Iterator[Job]:
    """Yield a job for each right program."""
    for path in [*programs_of("styles"), *sorted(SAMPLES.glob("right_*"))]:
        yield Job(path.stem, path=path)


def share(found: Sequence[Outcome], holds: Callable[[float | None], bool], among: int = 1) -> str:
    """Return for how many of all the distance is such, as a percentage."""
    return f"{sum(holds(one.distance(among)) for one in found) / len(found):.1%}" if found else "-"


FIGURES: dict[str, Callable[[float | None], bool]] = {
    "exact": lambda away: away == 0,
    "within two": lambda away: away is not None and away <= NEAR,
    "no place": lambda away: away is None,
    "false": lambda away: away is not None and away > NEAR,
}


def show(title: str, found: Sequence[Outcome]) -> None:
    """Print the figures of a set with what was asked, and its tables."""
    name = title.partition(" ")[0]
    print(f"\n{title}: {len(found)} programs")
    for figure, holds in FIGURES.items():
        asked = ASKED[name].get(figure)
        print(f"  {figure + ':':12} {share(found, holds):>7}" + (f"   (asked {asked})" if asked else ""))
    heads = [one for one in found if FIGURES["false"](one.distance()) and one.told[0].text.lstrip().startswith("def ")]
    print(f"  of the false ones, a method's first line, which says no more than its name: {len(heads)}")
    three = ", ".join(f"{figure} {share(found, FIGURES[figure], TOLD)}" for figure in ("exact", "within two"))
    print(f"  among the first three places told: {three}")
    raised = [one for one in found if one.raised]
    for word, some in (("that raise", raised), ("that do not raise", [one for one in found if not one.raised])):
        print(f"  {len(some)} {word}: " + ", ".join(f"{figure} {share(some, FIGURES[figure])}" for figure in FIGURES))
    table("method", found, lambda one: one.job.method, METHODS)
    if name != "mistaken":
        table("style" if name == "edits" else "stage", found, lambda one: one.job.style)
    if name == "edits":
        table("kind of edit", found, lambda one: one.job.kind)


def table(title: str, found: Sequence[Outcome], key: Callable[[Outcome], str], order: Sequence[str] = ()) -> None:
    """Print the figures group by group."""
    groups = defaultdict(list)
    for one in found:
        groups[key(one)].append(one)
    print(f"  {title:24}{'programs':>9}" + "".join(f"{figure:>12}" for figure in FIGURES))
    for group in [*order, *sorted(set(groups) - set(order))]:
        some = groups[group]
        print(f"  {group:24}{len(some):9}" + "".join(f"{share(some, holds):>12}" for holds in FIGURES.values()))


def misses(found: Sequence[Outcome]) -> None:
    """Print every program whose first place is not exact."""
    for one in found:
        if (away := one.distance()) == 0:
            continue
        word = "no place" if away is None else "near" if away <= NEAR else "false"
        job, change = one.job, f"{one.job.before}  ->  {one.job.after}" if one.job.before else one.job.after
        print(f"{word}: {job.name} ({job.method}, {job.kind}) line {job.line}: {change}")
        place = one.told[0] if one.told else None
        print("    told: " + (f"{place.label}:{place.line}: {place.text.strip()}" if place else "nothing"))
        raised = "; raises" if one.raised else ""
        print(f"    named: {' | '.join(one.titles) or 'nothing'}; score {one.score:g} of {one.most:g}{raised}")


def show_right(found: Sequence[Outcome]) -> None:
    """Print the right programs that something is told of, and those that lose points."""
    alarms = [one for one in found if one.told or one.titles]
    print(f"\nright programs of which a place or a mistake is told: {len(alarms)} of {len(found)} (asked none)")
    for one in found:
        if one in alarms or one.score < one.most:
            print(f"  {one.job.name}: {one.score:g} of {one.most:g};", *one.titles, *map(str, one.told))


def main() -> None:
    """Measure, and print each figure with what was asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edits", type=int, default=240, help="how many edits that are noticed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--misses", action="store_true", help="list each program whose first place is not exact")
    parser.add_argument("--only", choices=["edits", "ways", "mistaken", "right"])
    options = parser.parse_args()

    def told(title: str, found: list[Outcome]) -> None:
        seen = [one for one in found if one.noticed]
        show(title, seen)
        for one in found:
            if not one.noticed:
                print(f"  not noticed, and left out: {one.job.name}")
        if options.misses:
            misses(seen)

    with ProcessPoolExecutor(PROCESSES) as pool:
        if options.only in {None, "edits"}:
            kept, dropped = edited(pool, options.edits, options.seed)
            told("edits", kept)
            print(f"  edits that lost nothing, and were dropped: {dropped}")
        if options.only in {None, "ways"}:
            told("ways", outcomes(pool, list(jobs_of_forms())))
        if options.only in {None, "mistaken"}:
            told("mistaken", outcomes(pool, list(jobs_of_mistaken())))
        if options.only in {None, "right"}:
            show_right(outcomes(pool, list(jobs_of_right())))


if __name__ == "__main__":
    main()
