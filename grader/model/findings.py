"""What was found in one submission's replies, before the rubric puts points to it and the list of mistakes its words."""

from collections.abc import Mapping

from grader.model.assignment import Ranges
from grader.model.calls import StudentError
from grader.model.expectations import MistakeKey
from grader.model.program import Place
from grader.model.report import Figure, StepRow
from grader.records import dataclass, field


@dataclass(frozen=True)
class Finding:
    """What a check says of one submission, before points."""

    share: float  # of the check's points, 0..1
    message: str
    figures: tuple[Figure, ...] = ()
    places: tuple[Place, ...] = ()
    skipped: bool = False  # it could not be judged: something that it needs is missing
    about: str = ""  # what in the student's code it speaks of: "loss", "train", "predict", "grads W1", ...
    error: StudentError | None = None  # what kept the program from answering, where that is why
    carried: bool = False  # it failed by a mistake that is charged elsewhere, and keeps its points


@dataclass(frozen=True)
class Credit:
    """What a check earns after all, where the mistake behind it is charged elsewhere."""

    share: float  # of the check's points, 0..1
    elsewhere: tuple[MistakeKey, ...]  # the mistakes


@dataclass(frozen=True)
class Charge:
    """One named mistake: what it explains, and what it costs there."""

    mistake: MistakeKey
    alternatives: tuple[MistakeKey, ...]  # others that would explain the same as well
    explains: tuple[str, ...]  # checks
    costs: Mapping[str, float]  # check -> share of its points that mending it returns
    place: Place | None = None  # where in the student's code it most likely is


@dataclass(frozen=True)
class Cause:
    """One thing that is no number and stops a method: an exception, a time limit, a name that numpy removed.

    It is told once, in place of the same message in every check.
    """

    id: str  # "exception", "time_limit", "removed_name", "missing_import", "newer_syntax", "other_names", "no_backward_pass"
    title: str  # what happened, in one sentence
    hint: str  # how to mend it, or what to look at
    explains: tuple[str, ...]  # checks
    costs: Mapping[str, float]  # check -> share of its points that mending it may return
    place: Place | None = None  # where it shows
    origin: Place | None = None  # where what it fails on was made, where that is another line


@dataclass(frozen=True)
class Findings:
    """All that was found of one submission. Points, titles and hints may change without it: it says no word of them."""

    checks: Mapping[str, Finding]  # by the check's id, in the rubric's order
    credits: Mapping[str, Credit] = field(default_factory=dict)
    charges: tuple[Charge, ...] = ()
    causes: tuple[Cause, ...] = ()
    # What a person should look at, in sentences; the machine neither credits nor charges it.
    review: tuple[str, ...] = ()
    # The table of steps of each method in which something is wrong: "loss", "predict", "train".
    steps: Mapping[str, tuple[StepRow, ...]] = field(default_factory=dict)
    example: tuple[int, ...] = ()  # the sizes of what `steps` were made with: inputs, features, hidden units, classes
    notes: tuple[str, ...] = ()  # what the student should know though it costs nothing, in sentences
    ranges: Ranges = field(default_factory=dict)  # where the rubric's tolerances may lie, for all this to be found
