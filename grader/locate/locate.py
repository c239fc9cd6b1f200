"""The lines of a submission that are wrong, told by what its own lines made in the recorded question.

Recordings are for words and lines, never for points: they come from the student's process.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from grader.checks.evidence import Evidence
from grader.checks.losses import allowed_conventions, convention, rounded
from grader.locate import predict, train
from grader.locate.loss import Finder, Spotted
from grader.locate.outputs import outputs
from grader.locate.recognise import Case, Right
from grader.locate.recorded import Recorded, Spot, read
from grader.locate.statements import Statements, statements
from grader.locate.train import Asked, TrainFinder
from grader.records import Call, Cause, Place, Submission
from grader.student.stand_in import StandIn

QUESTION = "recorded"
SCORES, LOSS, PREDICT, TRAIN = range(4)  # the steps of the question
NUMBER_OF = {"loss": LOSS, "predict": PREDICT, "train": TRAIN}

# Which wrong steps a role of the code goes with: those, in this order, are looked for where a check or a mistake speaks of it.
STEPS_OF: Mapping[str, tuple[str, ...]] = {
    "hidden": ("u", "h"),
    "activation": ("h", "u"),
    "scores": ("scores", "u", "h"),
    "returned scores": ("scores returned", "scores"),
    "probabilities": ("centred", "e", "p", "p back", "d scores", "loss"),
    "data loss": ("loss", "p", "e", "centred"),
    "regulariser": ("loss",),
    "total loss": ("loss",),
    "dscores": ("d scores", "p back", "p", "e", "centred"),
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


@dataclass(frozen=True, eq=False)
class Located:
    """What the recorded question tells of a submission: wrong lines by method, and where each thing is done."""

    statements: Statements
    finder: Finder | None  # of loss()
    training: TrainFinder | None
    case: Case | None
    base: Right
    recorded: Mapping[int, Recorded]
    spotted: Mapping[str, tuple[Spotted, ...]]  # by method

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
            return self._place_if_other((at[0], loops[0]), at) if loops else None
        if cause.id != "exception":
            return None
        loss, training = self.spotted.get("loss", ()), self.recorded.get(TRAIN)
        # train() goes well as long as the stand-ins answer: what stops it comes from the program's own loss().
        if training is not None and not training.error and at in training.ran and loss:
            return self._place_if_other(loss[0].spot, at)
        for wrong in self.spotted.values():
            stopped = next((one for one in wrong if one.step in {"stopped", "parameters"}), None)
            if stopped is not None and any(one.stopped == at for one in self.recorded.values()):
                return self._place_if_other(stopped.spot, at)
        return None

    def _place_if_other(self, spot: Spot, at: Spot) -> Place | None:
        return self.statements.place(*spot) if spot != at else None

    def _spot(self, about: str) -> Spot | None:
        method = method_of(about)
        wrong = self.spotted.get(method, ())
        if NUMBER_OF[method] not in self.recorded:
            return self._read(about)
        if about in {"exp", "inputs", "parameters"}:
            return self._role(about)
        kind, _, name = about.rpartition(" ")
        steps = STEPS_OF.get(about, ())
        if kind in {"grads", "grad regulariser"}:
            steps = (f"d{name}",)
        elif kind == "layer":
            steps = ("u",) if name == "0" else ("scores",)
        elif about.startswith("update"):
            steps = tuple(one.step for one in wrong if one.step.startswith(about))
        for step in steps:
            found = next((one for one in wrong if one.step == step), None)
            if found:
                return found.spot
        if kind == "grads":
            mended = next((one for one in wrong if name in one.mends), None)
            if mended:
                return mended.spot
        return wrong[0].spot if wrong else self._role(about)

    def _read(self, about: str) -> Spot | None:
        """Return what the text alone tells of a method that was not recorded: the line that sets a gradient, or its first."""
        start = self.statements.definition(method_of(about))
        kind, _, name = about.rpartition(" ")
        line = self.statements.setting(*start, name) if start and kind == "grads" else None
        return (start[0], line) if start and line else start

    def _role(self, about: str) -> Spot | None:
        method = method_of(about)
        if method == "train":
            return self.training.role(about) if self.training else None
        if method == "predict":
            recorded = self.recorded.get(PREDICT)
            if recorded is None or self.case is None:
                return None
            # Its labels in these few rows may be right by chance.
            found = predict.leaves(self.case, recorded, self.base)
            return found.spot if found else predict.role(recorded, self.base, about)
        return self.finder.role(about) if self.finder else None


def method_of(about: str) -> str:
    """Return the method that a role belongs to."""
    if about in {"labels", "predict scores", "predict"}:
        return "predict"
    of_train = {
        "batch",
        "loss call",
        "decay",
        "epoch",
        "loss history",
        "train accuracy",
        "val accuracy",
        "returned histories",
        "train",
        "loop",
    }
    return "train" if about in of_train or about.startswith("update") else "loss"


def located(evidence: Evidence, submission: Submission) -> Located:
    """Return what the recorded question tells of a submission; without a recording, nothing."""
    text = statements(submission)
    oracle, reply = evidence.probes.oracle, evidence.reply(QUESTION)
    empty = Located(text, None, None, None, {}, {}, {})
    if oracle is None or oracle.follow is None or not reply.results:
        return empty
    call = evidence.call(QUESTION)
    recorded = {
        number: one
        for number, (result, step) in enumerate(zip(reply.results, call.steps, strict=False))
        if (one := read(result, text, step.arguments["method"]))
    }
    asked = call.steps[LOSS].arguments
    fitted = convention(evidence)
    factors = allowed_conventions(evidence) if fitted is None else (fitted,)
    fine = 1e-4 if rounded(evidence) else 1e-6
    case = Case(call.params, asked["X"], asked["y"], asked["reg"], evidence.names, factors, oracle.follow, fine)
    base = case.follow(factors[0], {})
    finder = _loss(case, base, text, recorded)
    training = _train(call, text, recorded.get(TRAIN))
    found: dict[str, tuple[Spotted, ...]] = {
        "loss": tuple(finder.spotted()) if finder else (),
        "train": tuple(training.spotted()) if training else (),
        "predict": tuple(predict.spotted(case, recorded[PREDICT], base, text)) if PREDICT in recorded else (),
    }
    return Located(text, finder, training, case, base, recorded, found)


def _loss(case: Case, base: Right, text: Statements, recorded: Mapping[int, Recorded]) -> Finder | None:
    if LOSS not in recorded:
        return None
    asked = recorded.get(SCORES)
    own = outputs(asked.answer if asked else None, recorded[LOSS].answer, case.names)
    return Finder(case, text, recorded[LOSS], asked, own, base)


def _train(call: Call, text: Statements, recorded: Recorded | None) -> TrainFinder | None:
    if recorded is None:
        return None
    given, shapes = call.steps[TRAIN].arguments, {name: value.shape for name, value in call.params.items()}
    X, X_val = np.asarray(given["X"], np.float64), np.asarray(given["X_val"], np.float64)
    stand_in = StandIn(call.seed, shapes, call.sizes[2], [(X, given["y"]), (X_val, given["y_val"])])
    asked = Asked(
        X,
        given["y"],
        given["learning_rate"],
        given["learning_rate_decay"],
        given["reg"],
        given["num_iters"],
        given["batch_size"],
        call.params,
        X_val,
        given["y_val"],
        stand_in,
    )
    return TrainFinder(asked, text, recorded, shapes)
