"""The lines of a submission that are wrong, told by what its own lines made in the recorded question.

Recordings are for words and lines, never for points: they come from the student's process.
"""

import ast
from collections.abc import Iterable, Mapping
from functools import cached_property

import numpy as np

from grader.checks.context import GradingContext
from grader.checks.read_losses import accepted_factors, convention, loses_digits
from grader.locate import find_in_loss, find_in_predict, find_in_train
from grader.locate.outputs import outputs
from grader.locate.read_loss import Reading, read_loss
from grader.locate.recognise import Network
from grader.locate.recorded_case import Case, Spotted, without_layer
from grader.locate.recorded_values import Recorded, Spot, read
from grader.locate.source_statements import Statements, statements
from grader.locate.training_lines import Asked, TrainingLines, iterations
from grader.model import Call, Cause, Place, QuestionId, Submission
from grader.records import dataclass, field
from grader.sandbox.stand_in_replies import StandIn

QUESTION = QuestionId("recorded")
SCORES, LOSS, PREDICT, TRAIN = range(4)  # the steps of the question
NUMBER_OF = {"loss": LOSS, "predict": PREDICT, "train": TRAIN}

# Which wrong steps a role of the code goes with: those, in this order, are looked for where a check or a mistake speaks of it.
STEPS_OF: Mapping[str, tuple[str, ...]] = {
    "hidden": ("u", "h"),
    "activation": ("h", "u"),
    "scores": ("scores", "u", "h"),
    "returned scores": ("scores returned", "scores"),
    "probabilities": ("centred", "e", "log p", "p", "p back", "d scores", "loss"),
    "data loss": ("loss", "p", "log p", "one-hot", "e", "centred"),
    "regulariser": ("loss",),
    "total loss": ("loss",),
    "dscores": ("d scores", "one-hot", "p back", "p", "log p", "e", "centred"),
    "dhidden": ("d h", "d u"),
    "mask": ("mask", "d u", "d h"),
    "labels": ("labels", "predict scores"),
    "predict scores": ("predict scores", "labels"),
    "batch": ("batch", "labels"),
    "loss call": ("loss call",),
    "decay": ("decay",),
    "loss history": ("loss history",),
    "returned histories": ("returned histories",),
    "train": ("anew", "iterations"),
    "epoch": ("epoch",),
    "train accuracy": ("train accuracy", "val accuracy", "epoch"),
    "val accuracy": ("val accuracy", "train accuracy", "epoch"),
}
_OF_TRAIN = {
    "batch", "loss call", "decay", "epoch", "loss history", "train accuracy", "val accuracy", "returned histories", "train", "loop",
}  # fmt: skip


def method_of(about: str) -> str:
    """Return the method that a role belongs to."""
    if about in {"labels", "predict scores", "predict"}:
        return "predict"
    return "train" if about in _OF_TRAIN or about.startswith("update") else "loss"


@dataclass(frozen=True, eq=False)
class Located:
    """What the recorded question tells of a submission; each method's recording is read when it is asked about."""

    evidence: GradingContext
    submission: Submission
    _read_already: dict[int, Recorded | None] = field(default_factory=dict)
    _spotted: dict[str, tuple[Spotted, ...]] = field(default_factory=dict)

    # ---------------------------------------------------------------- what is asked

    def place(self, about: str) -> Place | None:
        """Return the line of what a check or a mistake speaks of: "dscores", "grads W1", "update", "labels", "loss"...

        The wrong step that goes with it comes first, then what its method does wrong first, then the line that does it.
        """
        spot = self._spot(about)
        return self.statements.place(*spot) if spot else None

    def origin(self, cause: Cause) -> Place | None:
        """Return the line that made what an exception's line could not use; None where it is that line, or unknown."""
        if cause.place is None:
            return None
        at = cause.place.label, self.statements.start(cause.place.label, cause.place.line)
        if cause.id == "time_limit":  # where it was stopped is chance; which loop goes on is not
            loops = self.statements.enclosing(*at, (ast.While,))
            return self._other((at[0], loops[0]), at) if loops else None
        if cause.id != "exception":
            return None
        training, loss = self.recorded(TRAIN), self.spotted("loss")
        # train() goes well as long as the stand-ins answer: what stops it comes from the program's own loss().
        if training is not None and not training.error and at in training.ran and loss:
            return self._other(loss[0].spot, at)
        for method, number in NUMBER_OF.items():
            recorded = self.recorded(number)
            if recorded is not None and recorded.stopped == at:
                stopped = next((one for one in self.spotted(method) if one.step in {"stopped", "parameters"}), None)
                return self._other(stopped.spot, at) if stopped else None
        return None

    def spotted(self, method: str) -> tuple[Spotted, ...]:
        """Return all that is wrong in one method, in the order of the computation."""
        if method not in self._spotted:
            self._spotted[method] = tuple(self._search(method))
        return self._spotted[method]

    def _search(self, method: str) -> Iterable[Spotted]:
        if method == "loss":
            return find_in_loss.spotted(self.reading) if self.reading else ()
        if method == "train":
            return find_in_train.spotted(self.training) if self.training else ()
        recorded, case = self.recorded(PREDICT), self.case
        return find_in_predict.spotted(case, recorded, self.base, self.statements) if recorded and case else ()

    # ---------------------------------------------------------------- from a role to a line

    def _other(self, spot: Spot, at: Spot) -> Place | None:
        return self.statements.place(*spot) if spot != at else None

    def _spot(self, about: str) -> Spot | None:
        method = method_of(about)
        if self.recorded(NUMBER_OF[method]) is None:
            return self._read(about)
        if about in {"exp", "inputs", "parameters"}:
            return self._role(about)
        wrong = self.spotted(method)
        kind, _, name = about.rpartition(" ")
        steps = STEPS_OF.get(about, ())
        if kind in {"grads", "grad regulariser"}:
            steps = (f"d{name}",)
        elif kind == "layer" and self.case:
            steps = self.case.outputs_of(int(name))
        elif about.startswith("update"):
            steps = tuple(one.step for one in wrong if one.step.startswith(about))
        for step in steps:
            found = next((one for one in wrong if step in {one.step, without_layer(one.step)}), None)
            if found:
                return found.spot
        mended = next((one for one in wrong if kind == "grads" and name in one.mends), None)
        if mended:
            return mended.spot
        return wrong[0].spot if wrong else self._role(about)

    def _role(self, about: str) -> Spot | None:
        method = method_of(about)
        if method == "train":
            return self.training.role(about) if self.training else None
        if method == "loss":
            return find_in_loss.role(self.reading, about) if self.reading else None
        recorded, case = self.recorded(PREDICT), self.case
        if recorded is None or case is None:
            return None
        # Its labels in these few rows may be right by chance.
        found = find_in_predict.leaves(case, recorded, self.base)
        return found.spot if found else find_in_predict.role(recorded, self.base, about)

    def _read(self, about: str) -> Spot | None:
        """Return what the text alone tells of a method that was not recorded: the line that sets a gradient, or its first."""
        start = self.statements.definition(method_of(about))
        kind, _, name = about.rpartition(" ")
        line = self.statements.setting(*start, name) if start and kind == "grads" else None
        return (start[0], line) if start and line else start

    # ---------------------------------------------------------------- what was recorded

    @cached_property
    def statements(self) -> Statements:
        """The student's text."""
        return statements(self.submission, self.evidence.assignment.variant.methods)

    @cached_property
    def _call(self) -> Call | None:
        return next((call for call in self.evidence.questions.calls if call.id == QUESTION), None)

    def recorded(self, number: int) -> Recorded | None:
        """Return the recording of one step of the question; None where there is none, or one that cannot be read."""
        if number not in self._read_already:
            results = self.evidence.reply(QUESTION).results
            known = self._call is not None and number < len(results)
            method = self._call.steps[number].arguments["method"] if self._call else ""
            self._read_already[number] = read(results[number], self.statements, method) if known else None
        return self._read_already[number]

    @cached_property
    def case(self) -> Case | None:
        """The question with what is right there; None where nobody can follow the network."""
        oracle, call, evidence = self.evidence.questions.oracle, self._call, self.evidence
        if oracle is None or oracle.follow is None or call is None:
            return None
        asked, fitted = call.steps[LOSS].arguments, convention(evidence)
        names = evidence.names
        every = evidence.assignment.variant.regulariser == "every"
        return Case(
            call.params,
            asked["X"],
            asked["y"],
            asked["reg"],
            names,
            frozenset(names if every else names[::2]),
            accepted_factors(evidence.assignment) if fitted is None else (fitted,),
            oracle.follow,
            1e-4 if loses_digits(evidence) else 1e-6,
            oracle.replaces,
        )

    @cached_property
    def base(self) -> Network:
        """The right network's values in the question."""
        if self.case is None:
            raise ValueError("nobody can follow the network here")
        return Network.of(self.case, {})

    @cached_property
    def reading(self) -> Reading | None:
        """The recording of loss() with what is known of its values; None where there is none."""
        recorded = self.recorded(LOSS)
        if recorded is None or self.case is None:
            return None
        of_scores = self.evidence.reply(QUESTION).results[SCORES]
        scores = of_scores.get("answer") if isinstance(of_scores, dict) else None
        own = outputs(self.case, scores, recorded.answer)
        return read_loss(self.case, self.statements, recorded, lambda: self.recorded(SCORES), own, self.base)

    @cached_property
    def training(self) -> TrainingLines | None:
        """The recording of train() with what it was asked; None where there is none."""
        recorded, call = self.recorded(TRAIN), self._call
        if recorded is None or call is None:
            return None
        given, shapes = call.steps[TRAIN].arguments, {name: value.shape for name, value in call.params.items()}
        X, X_val = np.asarray(given["X"], np.float64), np.asarray(given["X_val"], np.float64)
        stand_in = StandIn(call.seed, shapes, call.sizes[-1], [(X, given["y"]), (X_val, given["y_val"])])
        asked = Asked(
            X, given["y"], given["learning_rate"], given["learning_rate_decay"], given["reg"], given["num_iters"],
            given["batch_size"], call.params, X_val, given["y_val"], stand_in,
        )  # fmt: skip
        return TrainingLines(asked, self.statements, recorded, shapes, iterations(recorded.notes, call.params))
