"""How often mistakes are called by their name, in real student processes: `python tests/benchmarks/naming.py`.

Every form of every mistake is written out as a program and run; so are pairs of mistakes in different steps, drawn from a
fixed seed. A fifth of the list at a time is then taken out of it, and the programs with those mistakes are judged by
the rest: whatever is named then is counted as false, also where it describes the program well. Some ten minutes.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from grader.grading import grade
from grader.model import Assignment, Judgement, MistakeCatalogue, Questions, Run, Submission
from grader.rubric import bundled, load
from grader.sandbox.host import StudentHost
from grader.score import KNOWN
from grader.submission import load as load_submission
from judging import judge
from reference.cases import network_of
from reference.catalogue import MISTAKES, Form, list_forms
from reference.questions import draw
from reference.simulate import build_catalogue
from reference.student_program import write_program

SAMPLES = Path(__file__).resolve().parent.parent / "submissions"
FOLDS = 5


@dataclass(frozen=True)
class Program:
    """One generated submission, run once."""

    made_of: tuple[Form, ...]
    submission: Submission
    run: Run


def programs(
    assignment: Assignment, questions: Questions, host: StudentHost, sets: Sequence[tuple[Form, ...]]
) -> Iterator[Program]:
    """Write out each set of mistakes and run it."""
    network = network_of(assignment)
    with TemporaryDirectory() as room:
        for mistakes in sets:
            path = Path(room) / "program.py"
            path.write_text(write_program(network, mistakes), encoding="utf-8")
            one = load_submission(path, class_name=assignment.class_name, notebook=assignment.notebook, name="program")
            yield Program(mistakes, one, host.run(one, assignment.class_name, questions.calls))


def names(judgement: Judgement) -> list[str]:
    """Return the ids of the mistakes that were named; what is no mistake of the list, such as an exception, has no source."""
    return [diagnosis.id for diagnosis in judgement.diagnoses if diagnosis.source]


def wanted(program: Program) -> set[str]:
    """Return the ids that should be."""
    return {form.mistake.id for form in program.made_of}


def some_pairs(count: int, seed: int) -> list[tuple[Form, ...]]:
    """Draw pairs of mistakes that replace different steps."""
    chance, real = random.Random(seed), [form for form in list_forms() if not form.mistake.harmless]
    found: list[tuple[Form, ...]] = []
    while len(found) < count:
        one, other = chance.sample(real, 2)
        if one.mistake.id != other.mistake.id and not one.keys & other.keys:
            found.append((one, other))
    return found


def without(line: MistakeCatalogue, left_out: set[str]) -> MistakeCatalogue:
    """Return the catalogue without some mistakes; what was simulated of the others stays known."""
    kept = [index for index, form in enumerate(line.forms) if form.id not in left_out]
    return MistakeCatalogue(
        tuple(line.forms[index] for index in kept),
        lambda chosen, *asked: line.simulate(frozenset(kept[index] for index in chosen), *asked),
    )


def main() -> None:
    """Measure, and print each figure with what was asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cost", action="store_true", help="measure nothing but what a diagnosis costs")
    parser.add_argument("--misses", action="store_true", help="list what was not named, and what was named falsely")
    options = parser.parse_args()
    assignment = load(bundled(), KNOWN)
    questions = draw(assignment, assignment.seed)
    assert questions.catalogue is not None
    with StudentHost(assignment.limits) as host:
        singles = list(
            programs(assignment, questions, host, [(form,) for form in list_forms() if not form.mistake.harmless])
        )
        if options.cost:
            cost(assignment, questions, singles)
            return
        pairs = list(programs(assignment, questions, host, some_pairs(options.pairs, options.seed)))
        right = [grade(path, path.stem, assignment, questions, host).report for path in sorted(SAMPLES.glob("right_*"))]

    def verdict(program: Program, by: Questions = questions) -> Judgement:
        return judge(assignment, by, program.run, program.submission)

    missed = [program for program in singles if names(verdict(program)) != list(wanted(program))]
    print(f"single mistakes named exactly: {1 - len(missed) / len(singles):.1%} of {len(singles)} (asked 99 %)")
    judged = [(program, names(verdict(program))) for program in pairs]
    exact = sum(set(found) == wanted(program) for program, found in judged)
    fewer = sum(bool(found) and set(found) < wanted(program) for program, found in judged)
    print(f"pairs from different steps named exactly: {exact / len(pairs):.1%} of {len(pairs)} (asked 95 %);", end=" ")
    print(f"one of the two alone: {fewer / len(pairs):.1%}")
    full = sum(report.score == report.max_score for report in right)
    print(f"right programs written differently that lose nothing: {full} of {len(right)} (asked all)")
    false = held_out(assignment, questions, singles, options)
    print(f"names given to mistakes outside the list: {len(false) / len(singles):.1%} of {len(singles)} (asked 3 %)")
    cost(assignment, questions, singles)
    if options.misses:
        for program in missed:
            print("  missed:", *(form.name for form in program.made_of), "->", *names(verdict(program)))
        for program, found in judged:
            if set(found) != wanted(program):
                print("  pair:", *(form.name for form in program.made_of), "->", *found)
        for program, found in false:
            print("  false:", *(form.name for form in program.made_of), "->", *found)


def held_out(
    assignment: Assignment, questions: Questions, singles: Sequence[Program], options: argparse.Namespace
) -> list[tuple[Program, list[str]]]:
    """Judge each program by a list without its own mistake; give those that got a name all the same."""
    ids = sorted({program.made_of[0].mistake.id for program in singles})
    random.Random(options.seed).shuffle(ids)
    false = []
    for fold in range(FOLDS):
        out = set(ids[fold::FOLDS])
        by = replace(
            questions,
            catalogue=without(build_catalogue(assignment, network_of(assignment), questions.calls, MISTAKES), out),
        )
        for program in singles:
            if wanted(program) <= out:
                found = names(judge(assignment, by, program.run, program.submission))
                false += [(program, found)] if found else []
    return false


def cost(assignment: Assignment, questions: Questions, singles: Sequence[Program]) -> None:
    """Print what a diagnosis adds to judging, once the expectations of this run are there."""
    bare, added = replace(questions, catalogue=None), []
    for program in singles:
        judge(assignment, questions, program.run, program.submission)
    for program in singles:
        started = time.perf_counter()
        judge(assignment, bare, program.run, program.submission)
        between = time.perf_counter()
        judge(assignment, questions, program.run, program.submission)
        added.append((time.perf_counter() - between - (between - started)) * 1e3)
    cuts = statistics.quantiles(added, n=20)
    print(
        f"a diagnosis adds {statistics.median(added):.1f} ms to a failing submission (median), {cuts[-1]:.1f} ms (95 %);"
    )
    fresh = draw(assignment, assignment.seed)
    started = time.perf_counter()
    judge(assignment, fresh, singles[100].run, singles[100].submission)
    print(
        f"the first one of a run adds {time.perf_counter() - started:.2f} s, for all expectations (asked 20 ms, once)"
    )


if __name__ == "__main__":
    main()
