"""What one named mistake is: the right network with one step replaced, and what is said of it.

A step is replaced by a plain function of the same arguments; `reference.student_program` puts its source into a student's
program, which then holds the same mistake that the network has.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from grader.model import Stage
from grader.records import dataclass

Steps = Mapping[str, Callable[..., Any]]  # field of Network -> what stands in its place

# Which layers a way is about: all at once, or also each by itself, or each hidden one by itself alone.
Layers = Literal["all", "each", "hidden"]

# The activations that take each entry by itself: all but maxout, which has two affine maps.
ENTRYWISE = ("relu", "leaky_relu", "sigmoid", "tanh", "elu")

SOURCES = {
    "COMS 4732": "back-propagation notes, COMS 4732",
    "COL 865": "notes on K-layer networks, COL 865",
    "Lecture 4": "Computer Vision, lecture 4",
    "derivations": "a derivation of SVM, softmax and two-layer gradients",
}


@dataclass(frozen=True)
class Number:
    """The free number of a mistake: a factor, an epsilon, a slope, a size. It is fitted on one case and must hold on others.

    steps : what stands in the place of which step, for a given number.
    low, high : the numbers that it may have. typical : those that the audit writes out and that are looked for first.
    guesses : where fitting starts; two are enough where the answers depend on the number by a straight line.
    """

    steps: Callable[[float], Steps]
    low: float
    high: float
    typical: tuple[float, ...]
    guesses: tuple[float, ...]


@dataclass(frozen=True)
class Mistake:
    """A named mistake.

    id : {kind} in it stands for the activation, "relu". title : what is wrong, as the student reads it; {W} and {b} stand
    for the parameters of the layers it is in. In title, hint and formula stand the words of `grader.text.variant_words`.
    hint : what to look at; it does not give the answer away. formula : the one that it breaks.
    source : keys of SOURCES. charged : the checks that it costs points in; {} stands for the number of the layer that it is
    in, {last} for the last one's, {hidden} for each hidden one's, {highest} for the last of these, {each} for all. Whatever
    else goes wrong in consequence is not charged again.
    about : what in the student's code to point at, in the words of `grader.locate.Located.place`.
    forms : sets of steps that amount to this mistake; most have one. layers : which layers it may be in.
    harmless : the numbers are those of right code; never punished.
    shows_in : the parts of a submission's answers in which it can show, as `grader.model.MistakeForm` lists them.
    number : for a mistake with a free number, in place of `forms`; the title then holds {c}.
    activations, losses : those of the variants in which the words make sense; empty for all. fewest_layers : of a network
    that can have it.
    """

    id: str
    stage: Stage
    title: str
    hint: str
    formula: str
    source: tuple[str, ...]
    charged: tuple[str, ...]
    about: str
    forms: tuple[Steps, ...]
    layers: Layers = "all"
    harmless: bool = False
    shows_in: tuple[str, ...] = ()
    number: Number | None = None
    activations: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    fewest_layers: int = 1


def define_kind(**same: Any) -> Callable[..., Mistake]:
    """Return a function that makes entries which have these fields in common; each entry may have its own all the same.

    It takes id, title, hint and forms in this order, and other fields by name.
    """

    def make_entry(identity: str, title: str, hint: str, *forms: Steps, **own: Any) -> Mistake:
        return Mistake(id=identity, title=title, hint=hint, forms=forms, **{**same, **own})

    return make_entry
