"""The assignment: what is asked, within which limits, and what it is worth."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from grader.records import dataclass

# What a program of the lesson calls something else: no parameter is called so.
TAKEN = frozenset([
    "self", "np", "X", "y", "N", "reg", "u", "h", "hidden", "scores", "outputs", "shifted", "loss", "data_loss", "grads",
    "dscores", "dhidden", "du", "first", "second", "penalty_grads", "indices", "it", "std",
    "margins", "probabilities", "targets", "small", "exp_scores", "sums",
])  # fmt: skip
# The toy case's final data loss. Right programs reach half of it; one that does not learn stays above 0.9. The sigmoid loss is
# a sum over the classes, and begins at 2.
LEARNT = {"softmax": 0.1, "svm": 0.1, "sigmoid": 0.2}


@dataclass(frozen=True)
class Methods:
    """What the assignment calls the three methods, which have these names everywhere in the grader."""

    loss: str = "loss"
    train: str = "train"
    predict: str = "predict"

    def name_inside(self, functions: Sequence[str]) -> list[str]:
        """Return names of a program's functions as the grader has them: a loss() that is not the method is no `loss`."""
        if self == CLASSIC:
            return list(functions)
        inside = {method: f"own {method}" for method in vars(self)} | {
            own: method for method, own in vars(self).items()
        }
        return [inside.get(name, name) for name in functions]


CLASSIC = Methods()


@dataclass(frozen=True)
class Variant:
    """Which network of the family the assignment asks for."""

    activation: str
    loss: str
    regulariser: Literal["half", "full", "either", "every"]
    names: tuple[str, ...]  # first weights, first bias, second weights, second bias, and so on
    slope: float = 0.1  # of the leaky ReLU, left of 0
    alpha: float = 1.0  # of the ELU, whose smallest value is -alpha
    margin: float = 1.0  # of the SVM: how much larger the true class's score must be
    methods: Methods = CLASSIC

    @property
    def depth(self) -> int:
        """Number of affine layers: 1 is a linear classifier, 2 has one hidden layer."""
        return len(self.names) // 2

    @property
    def layers(self) -> tuple[tuple[str, str], ...]:
        """Return each layer's weights and bias."""
        return tuple(zip(self.names[::2], self.names[1::2], strict=True))


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


# From where to below where a tolerance of that name could lie, and nothing would be found otherwise.
Ranges = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Limits:
    """What a student's process may use; seconds are of processor time, or asleep."""

    load_seconds: float
    call_seconds: float
    train_seconds: float
    total_seconds: float
    memory_mb: int  # on top of what the warm process has
    printed_characters: int


@dataclass(frozen=True)
class DigitsTask:
    """Training on the real digits: how, and how well is well enough."""

    hidden_size: int  # of each hidden layer; 0 in a linear classifier
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
class LatePolicy:
    """What days of lateness cost."""

    free_days: int  # cost nothing
    percent_a_day: float  # for each day beyond them
    of: Literal["maximum", "earned"]  # what the percentage is taken of
    lowest_percent: float  # of the maximum: lateness alone takes no score below this


@dataclass(frozen=True)
class Rules:
    """How the answers must come about, where right ones are not enough."""

    # "required": gradients from many forward passes (finite differences, the complex step) earn no points
    backpropagation: Literal["any", "required"] = "any"


@dataclass(frozen=True)
class Assignment:
    """An assignment.toml, checked."""

    folder: Path
    title: str
    class_name: str
    notebook: str  # file name that students hand in
    variant: Variant
    seed: int
    sizes: tuple[tuple[int, ...], ...]  # N, D, the hidden layers' H, C of each case
    biases: float  # standard deviation of the biases in a case
    regs: tuple[float, ...]
    tolerances: Tolerances
    limits: Limits
    digits: DigitsTask
    hyperparameters: Mapping[str, Bounds]
    checks: tuple[CheckRow, ...]
    digest: str  # SHA-256 of the file, in hexadecimal
    late: LatePolicy | None = None  # without one, late days are noted and cost nothing
    rules: Rules = Rules()

    @property
    def max_score(self) -> float:
        """Points of all checks together."""
        return sum(row.points for row in self.checks)
