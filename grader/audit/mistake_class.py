"""The solution and every mistake graded: as files in real processes, or from what the wrong networks would answer."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from grader.audit.matrix import SOLUTION, Audit, Trial, audit
from grader.checks import CHECKS, run_checks
from grader.checks.read_losses import accepted_factors
from grader.classroom.batch import grade_tasks
from grader.classroom.executors import Workers, open_pool
from grader.classroom.reference_api import Author, author, build_questions
from grader.classroom.worker import Graded, GradingSession, Task
from grader.compose import compose_report
from grader.diagnosis.candidates import simulate_fresh_context
from grader.diagnosis.diagnose import diagnose
from grader.model import Assignment, Report, Submission
from grader.records import replace
from grader.score import score
from grader.submission import read

AT_ONCE = 12  # forms that a worker judges before it reports
# Checks of whole trainings, half of an audit's time. Of the ways of a mistake outside train() the first alone is asked them.
WHOLE_TRAININGS = frozenset({"learns_toy", "learns_digits"})


def run(
    assignment: Assignment,
    seed: int,
    *,
    jobs: int,
    programs: bool,
    began: Callable[[int], None],
    told: Callable[[Graded | None], None],
) -> Audit:
    """Return what the solution and every form of every mistake show about the rubric.

    programs : run each as a program in a process of its own. Else the solution alone is run, and the mistakes are judged by
    what their networks answer, which is what such programs answer. began : called with the number of submissions.
    told : called with each as it is graded. Raises ReferenceMissingError, and what `grade_tasks` raises.
    """
    known = author(assignment)
    trials = [Trial(SOLUTION, None), *(Trial(name, form) for name, form in known.forms.items())]
    began(len(trials))
    reports = _run_programs(assignment, seed, known, trials if programs else trials[:1], jobs, told)
    if not programs:
        reports |= _judge_all(assignment, seed, known, jobs, told)
    return audit(assignment, trials, reports, known.left_out)


def _run_programs(
    assignment: Assignment,
    seed: int,
    known: Author,
    trials: Sequence[Trial],
    jobs: int,
    told: Callable[[Graded | None], None],
) -> dict[str, Report]:
    """Return the reports of trials that are written as files and graded like any other class."""

    def tasks(folder: Path) -> Iterator[Task]:
        for trial in trials:
            path = folder / f"{trial.name}.py"
            path.write_text(known.write([trial.name] if trial.form else []), encoding="utf-8")
            yield Task(trial.name, str(path), read(path))

    reports = {}
    with TemporaryDirectory(prefix="grader-audit-") as room:
        workers = Workers(min(jobs, len(trials)))
        with closing(grade_tasks(tasks(Path(room)), GradingSession(assignment, seed), workers)) as stream:
            for one in stream:
                reports[one.name] = one.report
                told(one)
    return reports


def _judge_all(
    assignment: Assignment, seed: int, known: Author, jobs: int, told: Callable[[Graded | None], None]
) -> dict[str, Report]:
    """Return the reports of mistakes that are not run; their numbers are those of the catalogue."""
    reports, names, forms = {}, list(known.forms), list(known.forms.values())
    ids = [form.id for form in forms]
    asked = [(at, form.stage == "train" or ids.index(form.id) == at) for at, form in enumerate(forms)]
    with open_pool(Workers(jobs)) as pool:
        parts = [asked[begin : begin + AT_ONCE] for begin in range(0, len(asked), AT_ONCE)]
        for done in [pool.executor.submit(judge_simulated, assignment, seed, part) for part in parts]:
            for number, report in done.result().items():
                reports[names[number]] = report
                told(None)
    return reports


def judge_simulated(assignment: Assignment, seed: int, mistakes: Sequence[tuple[int, bool]]) -> dict[int, Report]:
    """Return the reports of programs that each have one mistake of the catalogue, without the checks of no network.

    mistakes : number in the catalogue, and whether checks of whole trainings are asked.
    """
    questions = build_questions(assignment, seed)
    rows = tuple(row for row in assignment.checks if CHECKS[row.id].of_network)
    some = tuple(row for row in rows if row.id not in WHOLE_TRAININGS)
    factor, reports = accepted_factors(assignment)[-1], {}
    for mistake, whole in mistakes:
        asked = replace(assignment, checks=rows if whole else some)
        context = simulate_fresh_context(asked, questions, frozenset({mistake}), factor)
        nobody = Submission(str(mistake), "", "", "")
        with np.errstate(all="ignore"):  # as where a real one is judged
            findings = diagnose(context, nobody, run_checks(context))
        judgement = score(findings, asked, questions.catalogue)
        reports[mistake] = compose_report(nobody, asked, judgement, context.run, 0.0)
    return reports
