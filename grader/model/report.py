"""Verdicts, named mistakes, and the report that every format is a function of."""

from collections.abc import Mapping
from typing import Literal, NewType

from grader.model.arrays import Floats
from grader.model.decisions import Ruling
from grader.model.program import Place
from grader.records import dataclass, field

Group = Literal["loss", "gradients", "train", "predict", "style"]
# "carried": it failed by a mistake that is charged elsewhere; it keeps its points, and counts as not passed.
VerdictStatus = Literal["passed", "partial", "failed", "carried", "skipped"]
ReportStatus = Literal["graded", "no_submission", "failed_to_load", "grader_error"]


@dataclass(frozen=True)
class HeatMap:
    """Where in a parameter the error sits."""

    title: str
    error: Floats  # (rows, columns) of |theirs - right|, relative
    worst: tuple[int, ...]
    allowed: float = 1.0  # an error above it is wrong
    tolerance: str = ""  # whose value that is in the rubric; "" in gradebooks where the errors are in units of it


@dataclass(frozen=True)
class Curves:
    """Loss over the iterations, the student's over the reference's."""

    title: str
    series: tuple[tuple[str, Floats], ...]  # (label, values); the student's first


Figure = HeatMap | Curves


@dataclass(frozen=True)
class Verdict:
    """A finding with its points."""

    id: str
    title: str
    group: Group
    status: VerdictStatus
    points: float
    max_points: float
    hidden: bool
    message: str
    figures: tuple[Figure, ...] = ()
    places: tuple[Place, ...] = ()
    credited: float = 0.0  # of `points`, those that it failed to earn by itself: the mistake is charged elsewhere
    adjusted_from: float | None = None  # the points that the grader gave, where a person decided otherwise


# "given": right for its input, which is wrong. "unknown": a value that the grader cannot put a name to.
StepStatus = Literal["right", "differs", "given", "unknown"]


@dataclass(frozen=True)
class StepRow:
    """One value that a line of the student's made, and how it stands."""

    place: Place
    name: str  # the student's own: dscores, grads["W1"]
    shape: tuple[int, ...]
    status: StepStatus
    verdict: str  # "right: the scores", "differs from the hidden activation: 40 of 77 entries should be 0"


@dataclass(frozen=True)
class Diagnosis:
    """What explains failing checks: a named mistake, or a cause that stops a whole method."""

    id: str
    title: str
    hint: str
    source: str  # the formula that it breaks, and where that stands; "" of a cause, which breaks none
    checks: tuple[str, ...]  # that it explains
    costs: Mapping[str, float] = field(default_factory=dict)  # check -> points that mending it returns
    places: tuple[Place, ...] = ()  # where in the student's code it most likely is


@dataclass(frozen=True)
class Judgement:
    """All that is said of one submission's replies."""

    verdicts: tuple[Verdict, ...]
    diagnoses: tuple[Diagnosis, ...] = ()
    review: tuple[str, ...] = ()  # what the instructor should look at, in sentences
    steps: tuple[StepRow, ...] = ()
    example: tuple[int, ...] = ()  # the sizes of what `steps` were made with: inputs, features, hidden units, classes
    notes: tuple[str, ...] = ()  # what the student should know though it costs nothing, in sentences


@dataclass(frozen=True)
class Environment:
    """What a grading depends on besides the submission and the assignment."""

    versions: Mapping[str, str]
    isolation: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """One submission, graded; each format is a function of this."""

    submission: str
    source: str
    score: float
    max_score: float
    status: ReportStatus
    checks: tuple[Verdict, ...]
    diagnoses: tuple[Diagnosis, ...]
    notes: tuple[str, ...]
    environment: Environment
    timing: Mapping[str, float]  # seconds; the one part that differs from run to run
    # What people decided; `score` and the checks' points are those after it.
    rulings: tuple[Ruling, ...] = ()
    penalty: float = 0.0  # points taken off for lateness, once, from the sum of the checks' points
    late_days: float = 0.0
    excused: bool = False  # it does not count; its score stands for its author to read
    review: tuple[str, ...] = ()  # what the instructor should look at, in sentences; students are not told
    student: str | None = None  # the name that the roster gives, where there is one
    steps: tuple[StepRow, ...] = ()  # the student's own values, line by line; where something is wrong or unfinished
    example: tuple[int, ...] = ()  # the sizes of what `steps` were made with: inputs, features, hidden units, classes


# What the author of a submission may see of it: made by `student_report` alone, and all that formats for students take.
StudentReport = NewType("StudentReport", Report)
