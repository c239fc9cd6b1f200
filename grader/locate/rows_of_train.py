"""The rows of train() in the table of steps: the batch, what loss() gave, each step, the learning rate, and the histories."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import pairwise

import numpy as np

from grader.compare import as_array
from grader.locate.kept_rows import ANSWER, STEP, Row, last_line, list_stop, moment, wrong
from grader.locate.recorded_case import Spotted
from grader.locate.recorded_values import VARIABLE, Made, Spot
from grader.locate.training_lines import TrainingLines, is_value, rate_of, same_each_time
from grader.records import dataclass, field
from grader.text.phrases import join_words

# By a history's key: the step that keeps it, and what it holds.
KEYS = {
    "loss_history": ("loss history", "loss"),
    "train_acc_history": ("train accuracy", "accuracy on the training data"),
    "val_acc_history": ("val accuracy", "accuracy on X_val"),
}
# What a wrong step of train() is about, where no count tells more.
TOLD: Mapping[str, str] = {
    "anew": "a parameter gets another value before the first step",
    "epoch": "the accuracies are not kept once an epoch",
    "train accuracy": "this is not the share of right labels on the training data at that time",
    "val accuracy": "this is not the share of right labels on X_val at that time",
    "returned histories": "train() should return a dict with the three histories",
}


@dataclass(eq=False)
class TrainRows:
    """What is told of one recording of train(). mistakes : what is wrong, as `find_in_train.spotted` has it."""

    lines: TrainingLines
    mistakes: tuple[Spotted, ...]
    taken: set[tuple[Spot, str]] = field(default_factory=set)

    @cached_property
    def steps(self) -> frozenset[str]:
        """Return the steps that are wrong."""
        return frozenset(one.step for one in self.mistakes)

    def rows(self) -> list[Row]:
        """Return the rows of the first iteration and of what is kept, in no order."""
        lines = self.lines
        found = [self._mistake(one) for one in self.mistakes if one.step != "stopped" and not _is_update(one)]
        if lines.steps:
            found += [*self._updates(), *self._few_rows()]
            found += [row for one in lines.values if not one.given for row in self._of_value(one)]
        end = last_line(lines.recorded, lines.statements)
        if end and "returned histories" not in self.steps and not isinstance(lines.recorded.answer, dict):
            found.append(self._wrong(end, None, f"differs: {TOLD['returned histories']}"))
        return found + list_stop(lines.recorded)

    # ---------------------------------------------------------------- what is wrong

    def _mistake(self, one: Spotted) -> Row:
        made = one.made if one.made and one.made.spot == one.spot else None
        return self._wrong(one.spot, made, f"differs: {self._how(one.step)}")

    def _wrong(self, spot: Spot, made: Made | None, verdict: str) -> Row:
        if made is None:
            return wrong(moment(spot, self.lines.values, self.lines.recorded), spot, "", (), verdict)
        self.taken.add((made.spot, made.name))
        return wrong(made.born, spot, made.name, made.value.shape, verdict)

    def _updates(self) -> Iterator[Row]:
        """Yield the parameters that do not move as they should; those of one line that move alike have one row."""
        alike: dict[tuple[Spot, str], list[str]] = {}
        for one in self.mistakes:
            if _is_update(one):
                name = one.step.removeprefix("update ")
                alike.setdefault((one.spot, self._of_step(name)), []).append(name)
        for (spot, how), names in alike.items():
            if len(names) > 1:
                yield self._wrong(spot, None, f"differs: {join_words(names)} are {how}")
                continue
            here = (one for one in self.lines.values if one.spot == spot and not one.given)
            made = next((one for one in here if f"{names[0]}'" in one.name), None)
            yield self._wrong(spot, made, f"differs: {names[0]} is {how}")

    def _few_rows(self) -> Iterator[Row]:
        """Yield a row where the later rows are never drawn: in so many draws that is no chance."""
        drawn, total = self.lines.batches, len(self.lines.asked.X)
        known = [rows for rows in drawn if rows is not None]
        spot = self.lines.role("batch")
        if spot and len(known) == len(drawn) == self.lines.asked.iterations and "batch" not in self.steps:
            last = 1 + max(int(rows.max(initial=0)) for rows in known)
            if 2 * last <= total:
                made = next(
                    (one for one in self.lines.values if one.spot == spot and one.kind == "i" and one.value.size > 1),
                    None,
                )
                yield self._wrong(spot, made, f"differs: rows are drawn only from the first {last} of {total}")

    def _how(self, step: str) -> str:
        how = {
            "batch": self._of_batch, "labels": self._of_labels, "loss call": self._of_question,
            "iterations": self._of_iterations, "loss history": self._of_losses, "decay": self._of_decay,
        }.get(step)  # fmt: skip
        return how() if how else TOLD.get(step, f"{step} goes wrong here")

    def _of_batch(self) -> str:
        asked, first = self.lines.asked, self.lines.steps[0]
        if self.lines.batches[0] is None:
            return "loss() is called with rows that are not in X"
        if len(first.X) != asked.batch:
            return f"a batch should have {asked.batch} rows, but this one has {len(first.X)}"
        return (
            "every iteration uses the same rows" if same_each_time(self.lines.batches) else "the batch goes wrong here"
        )

    def _of_labels(self) -> str:
        rows = self.lines.batches[0]
        if rows is None or len(rows) != len(self.lines.steps[0].y):
            return "the labels do not belong to the rows"
        off = np.count_nonzero(self.lines.steps[0].y != self.lines.asked.y[rows])
        return f"{off} of {len(rows)} labels do not belong to the rows that were drawn"

    def _of_question(self) -> str:
        if not self.lines.steps:
            return "loss() is called without one label for each row"
        return "reg is not handed on to loss()"

    def _of_iterations(self) -> str:
        return f"it makes {len(self.lines.steps)} iterations instead of {self.lines.asked.iterations}"

    def _of_losses(self) -> str:
        answer = self.lines.recorded.answer
        own = as_array(answer.get("loss_history")) if isinstance(answer, dict) else None
        losses = np.array([step.loss for step in self.lines.steps])
        if own is None or own.dtype.kind not in "fiub":
            return "no losses are kept"
        if own.size != losses.size:
            return f"{own.size} {'loss is' if own.size == 1 else 'losses are'} kept of {losses.size} iterations"
        off = np.count_nonzero(~np.isclose(own.ravel(), losses))
        return f"{off} of {losses.size} entries are not the loss that loss() returned"

    def _of_decay(self) -> str:
        """Return how the rates of the steps differ from one decay an epoch."""
        name = next(iter(self.lines.shapes))
        rates = [rate_of(step.moves[name], step.gradients[name]) or 0.0 for step in self.lines.steps]
        follow = [after / before if before else 0.0 for before, after in pairwise(rates)]
        if follow and np.allclose(follow, 1.0):
            return "the learning rate of the steps never decays"
        if follow and np.allclose(follow, self.lines.asked.decay):
            return "the learning rate decays in every iteration"
        return "the learning rate of the later steps does not decay once an epoch"

    def _of_step(self, name: str) -> str:
        """Return how a parameter's first step differs from -learning_rate times its gradient."""
        first, rate = self.lines.steps[0], self.lines.asked.rate
        c = rate_of(first.moves[name], first.gradients[name])
        if c is None or not np.isfinite(c):
            return "did not move along the gradient"
        if not c:
            return "not moved"
        times = f"{abs(c) / rate:.4g} * " if abs(abs(c) - rate) > 1e-6 * rate else ""
        return f"moved by {'+' if c > 0 else '-'}{times}learning_rate times the gradient"

    # ---------------------------------------------------------------- what is right

    def _of_value(self, one: Made) -> Iterator[Row]:
        """Yield the rows of one value of the first iteration, or of what is kept of it."""
        if (one.spot, one.name) not in self.taken and (text := self._what(one)):
            self.taken.add((one.spot, one.name))
            yield Row(one.born, one.spot, one.name, one.value.shape, "right", f"right: {text}", STEP)
        for held in one.holders:
            kept = (KEYS[key] for key in KEYS if held.name.endswith((f"{key}[0]", f"{key}'][0]")))
            step, what = next(kept, ("", ""))
            if what and held.how == VARIABLE and step not in self.steps and (held.spot, held.name) not in self.taken:
                self.taken.add((held.spot, held.name))
                verdict = f"right: the first {what} that is kept"
                yield Row(held.when, held.spot, held.name, (), "right", verdict, ANSWER)

    def _what(self, one: Made) -> str:
        """Return what a value is in the first iteration; "" of what is nothing of it, or wrong."""
        first = self.lines.steps[0]
        steps, rows = self.steps, self.lines.batches[0]
        if one.value.size == 1:
            return self._number(one.entry) if one.kind == "f" else ""
        if rows is not None and not steps & {"batch", "labels"}:
            if one.kind in "ib" and is_value(one, rows):
                return f"the numbers of the {len(rows)} rows that were drawn"
            if is_value(one, first.X):
                return "the rows that were drawn"
            if one.kind == "i" and is_value(one, first.y):
                return "their labels"
        for name, gradient in first.gradients.items():
            if is_value(one, gradient, laid=True):
                return f"the gradient of {name} from loss()"
            if (
                first.moves[name].any()
                and is_value(one, first.after[name], laid=True)
                and f"update {name}" not in steps
            ):
                return f"{name} moved by -learning_rate times its gradient"
        return ""

    def _number(self, value: float) -> str:
        asked = self.lines.asked
        if value == self.lines.steps[0].loss:
            return "the loss, as loss() gave it"
        if "decay" not in self.steps and abs(value - asked.rate * asked.decay) <= 1e-9 * asked.rate:
            return "learning_rate after its first decay"
        return ""


def _is_update(one: Spotted) -> bool:
    return one.step.startswith("update ")
