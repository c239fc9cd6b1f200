"""The frozen records that flow from a submission to what people read.

Floor 1 of the house: everything may import this file, and it imports nothing of ours.
Arrays are numpy arrays in the assignment's own shapes: X (N, D), y (N,), W1 (D, H), b1 (H,), W2 (H, C), b2 (C,).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from pathlib import Path

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Params = Mapping[str, Array]

Group = Literal["loss", "gradients", "train", "predict", "style"]
VerdictStatus = Literal["passed", "partial", "failed", "skipped"]
ReportStatus = Literal["graded", "no_submission", "failed_to_load", "grader_error"]
Outcome = Literal["returned", "raised", "timed_out", "crashed", "broke_protocol", "not_asked"]


# ---------------------------------------------------------------- the submission


@dataclass(frozen=True)
class Place:
    """One line of the student's own text, as the report quotes it."""

    label: str  # "code cell 5", or a file's name such as "neural_net.py"
    line: int  # counted from 1 inside that cell or file
    text: str  # the line itself, from our copy of the file; never what the student's process claims

    def __str__(self) -> str:
        """Give the place in words, for a message."""
        quoted = f": `{self.text.strip()}`" if self.text.strip() else ""
        return f"{self.label}, line {self.line}{quoted}"


@dataclass(frozen=True)
class Segment:
    """One cell or file, with the statements of it that are run."""

    label: str  # compiled under this name, so that tracebacks speak of the student's cells
    source: str  # the cell's text with magics replaced line by line: line numbers are the student's
    kept: tuple[int, ...]  # indices into ast.parse(source).body, in order


@dataclass(frozen=True)
class Module:
    """A helper module that was handed in beside the notebook; it travels as source."""

    name: str  # dotted, as the submission imports it
    segment: Segment
    is_package: bool = False


@dataclass(frozen=True)
class Problem:
    """Why a submission cannot be run at all."""

    status: Literal["no_submission", "failed_to_load"]
    message: str  # what was found, what was expected, how to mend it
    place: Place | None = None


@dataclass(frozen=True)
class Submission:
    """What one student handed in, reduced to what the class and the hyperparameters need."""

    name: str  # safe for a file system and unique in its class
    source: str  # the path as it was given
    digest: str  # SHA-256 of what was read, in hexadecimal
    graded_file: str  # which file in it holds the class; "" where none does
    segments: tuple[Segment, ...] = ()  # the class and all that it needs, in the notebook's order
    extras: tuple[Segment, ...] = ()  # what `best_hyperparameters` needs besides; run only when it is asked for
    modules: tuple[Module, ...] = ()
    notes: tuple[str, ...] = ()  # dropped, stubbed, repaired: never costs a point
    problem: Problem | None = None


# ---------------------------------------------------------------- calls and replies


@dataclass(frozen=True)
class Step:
    """One thing asked of a network that has been made and given its parameters.

    method : "loss", "train" or "predict" call that method with `arguments`, which stand in the order of the
        assignment's interface. The worker knows five more:
        "sweep" {X, y, reg, h}: the student's own loss with each parameter entry moved by +h and -h;
            gives {name: (2, *shape) float64}, plus first.
        "params" {}: the network's parameters as they are now.
        "arguments" {}: the arrays given to the first step, as they are now.
        "variable" {name}: a variable of the submission's own.
        "train_with" {name, bounds, ...}: train a fresh network with the hyperparameters in that variable.
    """

    method: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One question: make a network of these sizes, give it these parameters, take these steps."""

    id: str
    sizes: tuple[int, int, int]  # D, H, C
    params: Params  # empty: the student's own initialisation stays
    steps: tuple[Step, ...]
    seed: int  # for numpy's and Python's global generators, set before the network is made
    seconds: float  # by the grader's clock


@dataclass(frozen=True)
class Foreign:
    """A value that does not travel: its type's name and a short text, both the student's."""

    type: str
    text: str


@dataclass(frozen=True)
class StudentError:
    """An exception that the student's code raised, or how its process ended."""

    during: str  # "import", "TwoLayerNet(...)", "loss", "train", "predict", ...
    type: str  # "ValueError"; "" when the process ended or was stopped
    message: str
    places: tuple[Place, ...] = ()  # in the student's own text, outermost first


@dataclass(frozen=True)
class Reply:
    """What came back for one call."""

    call: str
    outcome: Outcome
    # One value per step that ended: None, bool, int, float, str, ndarray, Foreign, or a tuple, list or dict of these.
    results: tuple[Any, ...] = ()
    error: StudentError | None = None
    printed: str = ""  # the first characters that it printed
    warnings: tuple[str, ...] = ()
    # The shapes of params as the student's constructor made them, by name.
    own_shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    positional: tuple[str, ...] = ()  # methods whose parameters have other names, called by position


@dataclass(frozen=True)
class Run:
    """All that came back from one submission's process."""

    load: Reply
    replies: Mapping[str, Reply]
    isolation: tuple[str, ...]  # layers in force, such as ("process", "rlimits")
    versions: Mapping[str, str]  # "python", "numpy" as the student's process had them
    seconds: float  # wall time of the whole run
    cpu_seconds: float  # processor time of the student's processes, from their birth to their end


# ---------------------------------------------------------------- the questions and their right answers

Expectation = Mapping[str, Array]


@dataclass(frozen=True)
class Oracle:
    """What the reference can still answer about a reply; absent where only frozen probes are at hand."""

    scores: Callable[[Params, Array], Floats]  # (params, X (N, D)) -> (N, C)
    trained_accuracy: Callable[[Mapping[str, float]], float]  # hyperparameters -> accuracy on the held-out digits


Stage = Literal["purity", "scores", "loss", "gradients", "train", "predict"]


@dataclass(frozen=True)
class Suspect:
    """One way in which one named mistake can show; `reference.misconceptions` is where they come from."""

    id: str  # of the mistake; its ways share it
    stage: Stage
    title: str  # what is wrong, in a sentence
    hint: str  # what to look at; never the answer
    formula: str  # the one that it breaks
    source: str  # where that stands
    charged: tuple[str, ...]  # the checks that it costs points in; what follows from it is not charged again
    about: str  # what to point at in the student's code, as `grader.submission.statement_place` knows it
    steps: frozenset[str]  # what it replaces of the network; two that share a step exclude each other
    harmless: bool = False  # numerically right: never named, never punished


@dataclass(frozen=True, eq=False)
class LineUp:
    """The suspects, and what a program with some of them would answer.

    rehearse : (positions in `suspects`, factor of the regulariser, call id) -> the reply of a program that is right but
        for these mistakes. Each is worked out once in a run and then remembered.
    """

    suspects: tuple[Suspect, ...]
    rehearse: Callable[[frozenset[int], float, str], Reply]
    known: dict[Any, Any] = field(default_factory=dict, repr=False)  # what diagnoses have worked out in this run


@dataclass(frozen=True)
class Probes:
    """The questions, and the reference's answers to them. Only `calls` ever reach a student's process."""

    calls: tuple[Call, ...]
    expected: Mapping[str, Expectation]  # by call id
    oracle: Oracle | None = None
    line_up: LineUp | None = None  # without it mistakes go unnamed


# ---------------------------------------------------------------- the assignment


@dataclass(frozen=True)
class Variant:
    """Which network of the family the assignment asks for."""

    activation: str
    loss: str
    regulariser: Literal["half", "full", "either", "every"]
    names: tuple[str, str, str, str]  # first weights, first bias, second weights, second bias


@dataclass(frozen=True)
class CheckRow:
    """One row of the rubric."""

    id: str
    points: float
    hidden: bool = False  # students see its title and verdict only


@dataclass(frozen=True)
class Tolerances:
    """How near is near enough; relative to the entry, with a floor relative to the array's largest entry."""

    scores: float
    loss: float
    gradient: float
    numeric: float
    update: float
    floor: float
    single: float  # used in place of a smaller one where the student computes in float32
    step: float  # h of the central differences


@dataclass(frozen=True)
class Limits:
    """What a student's process may use."""

    load_seconds: float
    call_seconds: float
    train_seconds: float
    total_seconds: float
    memory_mb: int  # on top of what the warm process has
    printed_characters: int


@dataclass(frozen=True)
class DigitsTask:
    """Training on the real digits: how, and how well is well enough."""

    hidden_size: int
    initial_std: float
    learning_rate: float
    learning_rate_decay: float
    reg: float
    num_iters: int
    batch_size: int
    threshold: float  # accuracy on the held-out digits, as a fraction
    tuned_threshold: float  # the same for `best_hyperparameters`
    calibration: str  # how the two thresholds were found, for whoever doubts them


@dataclass(frozen=True)
class Bounds:
    """The smallest and the largest value that a hyperparameter may have."""

    low: float
    high: float
    whole: bool  # a count, such as hidden_size


@dataclass(frozen=True)
class Assignment:
    """An assignment.toml, checked."""

    folder: Path
    title: str
    class_name: str
    notebook: str  # file name that students hand in
    variant: Variant
    seed: int
    sizes: tuple[tuple[int, int, int, int], ...]  # N, D, H, C of each case
    biases: float  # standard deviation of the biases in a case
    regs: tuple[float, ...]
    tolerances: Tolerances
    limits: Limits
    digits: DigitsTask
    hyperparameters: Mapping[str, Bounds]
    checks: tuple[CheckRow, ...]
    digest: str  # SHA-256 of the file, in hexadecimal

    @property
    def max_score(self) -> float:
        """Points of all checks together."""
        return sum(row.points for row in self.checks)


# ---------------------------------------------------------------- verdicts and the report


@dataclass(frozen=True)
class HeatMap:
    """Where in a parameter the error sits."""

    title: str
    error: Floats  # (rows, columns) of |theirs - right|, in units of what is allowed: above 1 is wrong
    worst: tuple[int, ...]


@dataclass(frozen=True)
class Curves:
    """Loss over the iterations, the student's over the reference's."""

    title: str
    series: tuple[tuple[str, Floats], ...]  # (label, values); the student's first


Figure = HeatMap | Curves


@dataclass(frozen=True)
class Finding:
    """What a check says of one submission, before points."""

    share: float  # of the check's points, 0..1
    message: str
    figures: tuple[Figure, ...] = ()
    places: tuple[Place, ...] = ()
    skipped: bool = False  # it could not be judged: something that it needs is missing
    about: str = ""  # what in the student's code it speaks of: "loss", "train", "predict", "grads W1", ...


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


@dataclass(frozen=True)
class Diagnosis:
    """A named mistake that explains failing checks."""

    id: str
    title: str
    hint: str
    source: str  # the formula that it breaks, and where that stands
    checks: tuple[str, ...]  # that it explains
    costs: Mapping[str, float] = field(default_factory=dict)  # check -> points that mending it returns
    places: tuple[Place, ...] = ()  # where in the student's code it most likely is


@dataclass(frozen=True)
class Judgement:
    """All that is said of one submission's replies."""

    verdicts: tuple[Verdict, ...]
    diagnoses: tuple[Diagnosis, ...] = ()


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
