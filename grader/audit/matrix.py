"""A matrix of mistakes by checks: which check catches which mistake, and what is wrong with the rubric."""

from collections.abc import Mapping, Sequence
from typing import Literal

from grader.checks import CHECKS
from grader.model import Assignment, MistakeForm, Report
from grader.records import dataclass

# "charged": it costs points here. "credited": the check fails by it, and the points come back, since it is charged elsewhere.
Cell = Literal["passed", "charged", "credited"]
SOLUTION = "solution"


@dataclass(frozen=True)
class Trial:
    """One generated submission: a mistake made in one way, or none."""

    name: str  # of the submission
    form: MistakeForm | None  # None for a solution


@dataclass(frozen=True)
class Row:
    """The result of one trial."""

    trial: Trial
    score: float
    cells: Mapping[str, Cell]  # by check
    named: tuple[str, ...]
    problems: tuple[str, ...]

    @property
    def is_mistake(self) -> bool:
        """Return whether it is a real mistake: neither a solution nor another right way."""
        return self.trial.form is not None and not self.trial.form.harmless

    @property
    def caught(self) -> tuple[str, ...]:
        """Return the checks that fail because of this mistake, charged or not."""
        return tuple(check for check, cell in self.cells.items() if cell != "passed")


@dataclass(frozen=True)
class Use:
    """Which mistakes one check catches."""

    check: str
    catches: tuple[str, ...]  # ids of mistakes
    alone: tuple[str, ...]  # of these, the ones that no other check catches
    covered_by: tuple[str, ...]  # where it is alone with none: the fewest others that catch all that it catches
    about_network: bool  # False for the student's own choice of numbers, which no step of the network can get wrong


@dataclass(frozen=True)
class Audit:
    """The matrix and the problems that it shows."""

    title: str
    max_score: float
    rows: tuple[Row, ...]
    uses: tuple[Use, ...]
    problems: tuple[str, ...]
    left_out: tuple[str, ...] = ()  # ways that change nothing in this network, so that they are no mistakes

    @property
    def mistakes(self) -> tuple[Row, ...]:
        """Return the rows of real mistakes."""
        return tuple(row for row in self.rows if row.is_mistake)


def audit(
    assignment: Assignment, trials: Sequence[Trial], reports: Mapping[str, Report], left_out: tuple[str, ...] = ()
) -> Audit:
    """Return the matrix of all trials and the list of what is wrong with the rubric; reports : by trial name."""
    rubric = tuple(row.id for row in assignment.checks)
    rows = tuple(_row(assignment, rubric, trial, reports[trial.name]) for trial in trials)
    uses = tuple(_use(check, rubric, rows) for check in rubric)
    useless = tuple(
        f"The check {use.check} catches no mistake, so its points are given for nothing."
        for use in uses
        if use.about_network and not use.catches
    )
    problems = tuple(problem for row in rows for problem in row.problems)
    return Audit(assignment.title, assignment.max_score, rows, uses, problems + useless, left_out)


def _row(assignment: Assignment, rubric: Sequence[str], trial: Trial, report: Report) -> Row:
    cells: dict[str, Cell] = {}
    for verdict in report.checks:
        lost = verdict.points < verdict.max_points
        cells[verdict.id] = "charged" if lost else "credited" if verdict.credited else "passed"
    named = tuple(diagnosis.id for diagnosis in report.diagnoses)
    if report.status != "graded":
        reason = report.notes[0] if report.notes else "no reason was recorded"
        problems: tuple[str, ...] = (f"{trial.name} was not graded: {reason}",)
    elif trial.form is None or trial.form.harmless:
        problems = _of_right(trial, report)
    else:
        problems = _of_wrong(assignment, rubric, trial, trial.form, cells, report)
    # Of a program that was not run not every check is asked.
    return Row(trial, report.score + assignment.max_score - report.max_score, cells, named, problems)


def _of_right(trial: Trial, report: Report) -> tuple[str, ...]:
    lost = [verdict for verdict in report.checks if verdict.points < verdict.max_points or verdict.credited]
    what = "The solution" if trial.form is None else f"{trial.name}, which is right in another way,"
    return tuple(
        f"{what} loses {verdict.max_points - verdict.points + verdict.credited:g} points at {verdict.id}:"
        f" {verdict.message.partition(chr(10))[0]}"
        for verdict in lost
    )


def _of_wrong(
    assignment: Assignment,
    rubric: Sequence[str],
    trial: Trial,
    form: MistakeForm,
    cells: Mapping[str, Cell],
    report: Report,
) -> tuple[str, ...]:
    if all(cell == "passed" for cell in cells.values()):
        return (f"{trial.name}: no check sees it. ({form.title}){_why_hidden(assignment, form)}",)
    problems = []
    silent = [check for check in form.charged if check in rubric and cells[check] != "charged"]
    if silent:
        problems.append(f"{trial.name} should lose points at {', '.join(silent)}, but loses none there.")
    elif report.score >= report.max_score:
        problems.append(f"{trial.name}: a check sees it, but it loses no points.")
    # A program that stops is told by its exception.
    if not any(form.title in one.title or one.id == "exception" for one in report.diagnoses):
        named = ", ".join(diagnosis.id for diagnosis in report.diagnoses) or "nothing"
        problems.append(f"{trial.name} is not named; these were named: {named}.")
    return tuple(problems)


def _why_hidden(assignment: Assignment, form: MistakeForm) -> str:
    """Return a sentence on the setting of the assignment that most likely hides a mistake."""
    if "bias" in form.id and not assignment.biases:
        return " The biases in [probes] are 0, so mistakes with biases change nothing. Set biases = 0.6."
    if "regular" in form.id and max(assignment.regs) < 0.01:
        return f" The largest of regs in [probes] is {max(assignment.regs):g}, which is too small to show this. Add one such as 3.0."
    checks = [check for check in form.charged if check not in {row.id for row in assignment.checks}]
    if checks:
        return f" The rubric has no row for {', '.join(checks)}."
    return " Look at [tolerances]: is one of them larger than this mistake? Look at [probes]: do all sizes differ?"


def _use(check: str, rubric: Sequence[str], rows: Sequence[Row]) -> Use:
    caught = [row for row in rows if row.is_mistake and check in row.caught]
    alone = [row for row in caught if row.caught == (check,)]
    return Use(
        check=check,
        catches=_ids(caught),
        alone=_ids(alone),
        covered_by=() if alone or not caught else _cover(check, rubric, caught),
        about_network=CHECKS[check].of_network,
    )


def _ids(rows: Sequence[Row]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row.trial.form.id for row in rows if row.trial.form))


def _cover(check: str, rubric: Sequence[str], caught: Sequence[Row]) -> tuple[str, ...]:
    """Return other checks that together catch all these rows, chosen greedily."""
    left, chosen = list(caught), list[str]()
    while left:
        best = max((one for one in rubric if one != check), key=lambda one: sum(one in row.caught for row in left))
        chosen.append(best)
        left = [row for row in left if best not in row.caught]
    return tuple(chosen)
