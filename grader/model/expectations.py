"""The questions of one grading, their right answers, and the mistakes that wrong ones are held against."""

from collections.abc import Callable, Mapping
from typing import Literal

from grader.model.arrays import Array, Floats, Params
from grader.model.calls import Call, QuestionId, Reply
from grader.records import dataclass, replace

Expectation = Mapping[str, Array]


@dataclass(frozen=True)
class Oracle:
    """What the reference can still answer about a reply. Frozen questions know the recorded question's right values only."""

    scores: Callable[[Params, Array], Floats] | None = None  # (params, X (N, D)) -> (N, C)
    # (hyperparameters, first parameters or None for the reference's own, factor of the regulariser or None) -> accuracy on
    # the held-out digits
    trained_accuracy: Callable[[Mapping[str, float], Params | None, float | None], float] | None = None
    # (factor of the regulariser, values that replace the right ones, whole) -> the values on the way from the recorded
    # question's inputs to its gradients, by name, in the order of the computation; not whole: those that lead to answers
    follow: Callable[[float, Mapping[str, Floats], bool], Mapping[str, Floats]] | None = None
    # replies -> the name of another variant of the class that they are right for; "" of none
    answers_as: Callable[[Mapping[QuestionId, Reply]], str] = lambda _: ""
    replaces: bool = True  # whether `follow` knows what comes of values that replace the right ones


Stage = Literal["purity", "scores", "loss", "gradients", "train", "predict"]


@dataclass(frozen=True)
class MistakeForm:
    """One way in which one named mistake can show; `reference.catalogue` is where they come from."""

    id: str  # of the mistake; its ways share it
    stage: Stage
    title: str  # what is wrong, in a sentence
    hint: str  # what to look at; never the answer
    formula: str  # the one that it breaks
    source: str  # where that stands
    charged: tuple[str, ...]  # the checks that it costs points in; what follows from it is not charged again
    about: str  # what to point at in the student's code, as `grader.locate.Located.place` knows it
    steps: frozenset[str]  # what it replaces of the network; two that share a step exclude each other
    harmless: bool = False  # numerically right: never named, never punished
    # In which parts of a submission's answers it can show: "purity", "scores", "loss", "gradient", "stability", "labels",
    # "moved", "reg", "losses kept", "accuracies kept", "batches".
    shows_in: tuple[str, ...] = ()


@dataclass(frozen=True)
class Family:
    """A mistake with one free number: a factor, an epsilon, a size. The number is fitted, then confirmed.

    mistake : its words, with {c} in the title where the number stands.
    low, high : the numbers that it may have. guesses : where fitting starts.
    """

    form: MistakeForm
    low: float
    high: float
    guesses: tuple[float, ...]


@dataclass(frozen=True)
class Fitted:
    """A mistake of a family, with its number."""

    family: int  # position in MistakeCatalogue.families
    number: float


MistakeKey = int | Fitted  # a position in MistakeCatalogue.forms, or one whose number was fitted


class NotFrozenError(Exception):
    """What several mistakes answer together is not among the frozen answers."""


@dataclass(frozen=True, eq=False)
class MistakeCatalogue:
    """The mistakes, and what a program with some of them would answer.

    simulate : (mistakes, factor of the regulariser, call id, draw) -> the reply of a program that is right but for these
        mistakes. Each is worked out once in a run and then remembered. draw : 0 for the chance that the call asks for,
        another number for other chance. A frozen one raises NotFrozenError where it does not know.
    identity : returns the digest of all that `simulate` and the search for mistakes depend on, but for tolerances; None
        where nothing that they find out may be kept between runs.
    """

    forms: tuple[MistakeForm, ...]
    simulate: Callable[[frozenset[MistakeKey], float, QuestionId, int], Reply]
    families: tuple[Family, ...] = ()
    frozen: bool = False  # whether only answers of single mistakes are known
    identity: Callable[[], str] | None = None

    def form_of(self, mistake: MistakeKey) -> MistakeForm:
        """Return what is said of a mistake; the title of a fitted one names its number."""
        if isinstance(mistake, int):
            return self.forms[mistake]
        form = self.families[mistake.family].form
        return replace(form, title=form.title.replace("{c}", f"{mistake.number:.4g}"))


@dataclass(frozen=True)
class Questions:
    """The questions, and the reference's answers to them. Only `calls` ever reach a student's process."""

    calls: tuple[Call, ...]
    expected: Mapping[QuestionId, Expectation]
    oracle: Oracle | None = None
    catalogue: MistakeCatalogue | None = None  # without it mistakes go unnamed
