"""What is asked of a student's program, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from grader.model.arrays import Params
from grader.model.program import Place
from grader.records import dataclass, field

Outcome = Literal["returned", "raised", "timed_out", "crashed", "broke_protocol", "not_asked"]


@dataclass(frozen=True)
class QuestionId:
    """What a question is known by.

    kind : what is asked, such as "loss" or "watched". case : which of several of a kind, such as "a" or "same".
    reg : the regulariser's strength, where the same is asked with several; to six digits, as its text has it.
    """

    kind: str
    case: str = ""
    reg: float | None = None

    def __str__(self) -> str:
        """Return the text that gradebooks keep and people read, such as "loss/a/0.1"."""
        return "/".join(part for part in (self.kind, self.case, "" if self.reg is None else f"{self.reg:g}") if part)

    @classmethod
    def parse(cls, text: str) -> QuestionId:
        """Return the id that this text stands for; raise ValueError or TypeError where it is none."""
        kind, case, reg, *more = (*str.split(text, "/"), "", "")
        if any(more):
            raise ValueError(f"{text!r} is no question's id")
        return cls(kind, case, float(reg) if reg else None)


@dataclass(frozen=True)
class Step:
    """One thing asked of a network that has been made and given its parameters.

    method : "loss", "train" or "predict" call that method with `arguments`, which stand in the order of the
        assignment's interface. The worker knows six more:
        "sweep" {X, y, reg, h}: the student's own loss with each parameter entry moved by +h and -h;
            gives {name: (2, *shape) float64}, plus first.
        "params" {}: the network's parameters as they are now.
        "arguments" {}: the arrays given to the first step, as they are now.
        "variable" {name}: a variable of the submission's own.
        "begin_with" {name, bounds}: the parameters of a fresh network with the hidden size in that variable.
        "train_with" {name, bounds, ...}: train such a network with the hyperparameters in that variable.
    """

    method: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One question: make a network of these sizes, give it these parameters, take these steps."""

    id: QuestionId
    sizes: tuple[int, ...]  # D, the hidden layers' H, C
    params: Params  # empty: the student's own initialisation stays
    steps: tuple[Step, ...]
    seed: int  # for numpy's and Python's global generators, set before the network is made
    seconds: float  # of processor time, or asleep


@dataclass(frozen=True)
class OpaqueValue:
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

    call: QuestionId
    outcome: Outcome
    # One value per step that ended: None, bool, int, float, str, ndarray, OpaqueValue, or a tuple, list or dict of these.
    results: tuple[Any, ...] = ()
    error: StudentError | None = None
    printed: str = ""  # the first characters that it printed
    warnings: tuple[str, ...] = ()
    # The shapes of params as the student's constructor made them, by name.
    own_shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    positional: tuple[str, ...] = ()  # methods whose parameters have other names, called by position
    casts: tuple[str, ...] = ()  # types of numbers that were cast to float64 to get here, such as "float128"


@dataclass(frozen=True)
class Run:
    """All that came back from one submission's process."""

    load: Reply
    replies: Mapping[QuestionId, Reply]
    isolation: tuple[str, ...]  # layers in force, such as ("process", "rlimits")
    versions: Mapping[str, str]  # "python", "numpy" as the student's process had them
    seconds: float  # wall time of the whole run
    cpu_seconds: float  # processor time of the student's processes, from their birth to their end
