"""Where loss() goes wrong: the line of each value that explains its answers, in the order of the computation."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from grader.locate.changed_inputs import changed_in_place, changed_parameter, swapped_names
from grader.locate.loss_recording import read_loss
from grader.locate.missing_steps import behind_replaced
from grader.locate.outputs import Outputs
from grader.locate.recognise import Network
from grader.locate.recorded_case import Case
from grader.locate.recorded_values import Recorded, Spot
from grader.locate.source_statements import Statements
from grader.locate.spotted import Spotted
from grader.locate.stopping import behind_stop, first_not_finite
from grader.locate.unexplained_answers import behind_answer

# The line that makes one of these values is the one that does what a role says, by what they are in the right network.
VALUES_OF: Mapping[str, tuple[str, ...]] = {
    "hidden": ("u", "h"),
    "activation": ("h",),
    "scores": ("scores",),
    "exp": (
        "max",
        "scores - max",
        "exp(scores)", "exp(scores - max)", "sum exp(scores)", "log sum exp(scores)", "exp(scores - row max)", "p",
        "-log p true",
    ),
    "probabilities": ("p", "exp(scores - row max)", "exp(scores)"),
    "data loss": ("data loss", "sum of losses", "loss"),
    "regulariser": ("regulariser", "squares", "loss"),
    "total loss": ("loss",),
    "dscores": ("d scores", "p - one-hot"),
    "dhidden": ("d h", "d u"),
    "mask": ("mask", "d u"),
}  # fmt: skip


class Finder:
    """One recording of loss(), asked what is wrong in it, and which line does what."""

    def __init__(
        self,
        case: Case,
        statements: Statements,
        recorded: Recorded,
        asked_for_scores: Callable[[], Recorded | None],
        own: Outputs,
        base: Network,
    ) -> None:
        self.case, self.statements, self.recorded, self.own = case, statements, recorded, own
        self.reading = reading = read_loss(case, statements, recorded, asked_for_scores, own, base)
        self.made, self.right = reading.made, reading.right
        self.follows, self.explained = reading.follows, reading.explained

    def spotted(self) -> Iterator[Spotted]:
        """Yield all that is wrong, the values that explain several answers first."""
        if (swapped := swapped_names(self.reading)) is not None:
            yield Spotted("parameters", swapped)
        if self.recorded.stopped and self.recorded.error:
            yield Spotted("stopped", behind_stop(self.reading, self.recorded.stopped))
            return
        if (infinite := first_not_finite(self.reading)) is not None:
            yield Spotted("not finite", infinite.spot, infinite)
            return
        if (self.explained.replaced or self.explained.wrong) and (spot := changed_parameter(self.reading)) is not None:
            yield Spotted("parameters", spot)
        if (found := self.reading.returned("returned")) and (not self.own.in_form or self._in_a_loop(found.spot)):
            yield found
        for one in sorted(self.explained.replaced, key=lambda one: one.made.number):
            yield replace(behind_replaced(self.reading, one), mends=one.mended)
        for output, form in self.explained.wrong.items():
            found = behind_answer(self.reading, output, form)
            if found is not None:
                yield replace(found, mends=frozenset({output}))

    def role(self, about: str) -> Spot | None:
        """Return the line that makes one thing of loss(), right or wrong: "scores", "exp", "grads W1", ..."""
        if about in {"inputs", "parameters"}:
            return self.purity(about)
        kind, _, name = about.rpartition(" ")
        wanted = VALUES_OF.get(about, ())
        if kind in {"grads", "grad regulariser"}:
            wanted = (f"d{name}", f"data d{name}")
        elif kind == "layer":
            wanted = ("u",) if name == "0" else ("scores",)
        for value in wanted:
            for one in self.made:
                known = self.follows[one.number]
                if known is not None and known.kind != "part" and known.name.partition(" of ")[0] == value:
                    return one.spot
                if about == "exp" and known is not None and known.detail.startswith("each row"):
                    return one.spot
        return self.reading.scores_returned() if about == "returned scores" else None

    def purity(self, about: str) -> Spot | None:
        """Return the line that changes, in place, the "inputs" or the "parameters" that loss() was given."""
        return changed_in_place(self.reading, about)

    def _in_a_loop(self, spot: Spot) -> bool:
        return bool(self.statements.enclosing(*spot, (ast.For, ast.While)))
