"""What a program would answer if it were this network: the replies to the grader's questions, without any process.

With the right network they are right; with a wrong one they are those of a student who makes that mistake and no other,
which is what a diagnosis compares with and what shows how much the mistake costs.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import fields, replace
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from grader.model import (
    Array,
    Assignment,
    Call,
    MistakeCatalogue,
    MistakeKey,
    Params,
    QuestionId,
    Reply,
    Step,
    StudentError,
)
from grader.sandbox.stand_in_replies import StandIn
from reference.catalogue import (
    OF_TRAINING,
    Form,
    describe_form,
    families,
    forms_of,
    list_forms,
    mistakes_of,
    wrong_network,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reference.mistakes.entry import Mistake
    from reference.network import Network

# Replies kept, those used last: some 2 KiB each. What single mistakes show is kept by the diagnosis, in its tables.
REMEMBERED = 4_000
OF_THE_SCORES = frozenset({"affine", "activate", "output"})
OF_THE_WHOLE_LOSS = OF_THE_SCORES | {
    *("centre", "data_term", "penalty_term", "total", "d_scores", "d_input", "d_activate", "d_hidden"),
    *("d_weights", "d_bias", "d_penalty", "d_total"),
}
# What a program does with the student's own variables, and line by line; a network has neither.
NOT_SIMULATED = frozenset({"variable", "begin_with", "train_with", "record"})


def build_catalogue(
    assignment: Assignment,
    network: Network,
    calls: Sequence[Call],
    mistakes: Sequence[Mistake] | None = None,
) -> MistakeCatalogue:
    """Put the mistakes side by side for a diagnosis; nothing is worked out before it is asked for.

    network : the right one. calls : the questions of this grading. mistakes : all of the variant where None.
    """
    variant = assignment.variant
    chosen = forms_of(variant) if mistakes is None else tuple(list_forms(mistakes, network.depth))
    free = families(mistakes_of(variant) if mistakes is None else mistakes, variant)
    asked = {call.id: call for call in calls}

    def form_of_key(mistake: MistakeKey) -> Form:
        return chosen[mistake] if isinstance(mistake, int) else free[mistake.family][1](mistake.number)

    @lru_cache(maxsize=REMEMBERED // 10)
    def network_with(mistakes: frozenset[MistakeKey], factor: float) -> Network:
        return wrong_network(replace(network, coefficient=factor), [form_of_key(one) for one in mistakes])

    @lru_cache(maxsize=REMEMBERED)
    def replies(mistakes: frozenset[MistakeKey], factor: float, call: QuestionId, draw: int = 0) -> Reply:
        return perform(network_with(mistakes, factor), replace(asked[call], seed=asked[call].seed + draw))

    def simulate(mistakes: frozenset[MistakeKey], factor: float, call: QuestionId, draw: int = 0) -> Reply:
        taken = steps_taken(asked[call])
        return replies(frozenset(one for one in mistakes if taken & replaced_by(one)), factor, call, draw)

    @cache
    def replaced_by(mistake: MistakeKey) -> frozenset[str]:
        return frozenset(key.partition("@")[0] for key in form_of_key(mistake).steps)

    return MistakeCatalogue(
        tuple(describe_form(form, variant) for form in chosen),
        simulate,
        tuple(family for family, _ in free),
    )


def steps_taken(call: Call) -> frozenset[str]:
    """Return the steps that an answer can depend on: a mistake in others need not be simulated."""
    taken: set[str] = set()
    for step in call.steps:
        method = step.arguments.get("method", step.method)
        own_loss = "loss" not in step.arguments.get("replaced", ())
        if method == "train":
            taken |= OF_TRAINING | (OF_THE_WHOLE_LOSS if own_loss else frozenset())
        if method == "predict" or (method == "train" and step.method == "train"):
            taken |= OF_THE_SCORES | {"predict_scores", "label"}
        if method in {"loss", "sweep"}:
            taken |= OF_THE_WHOLE_LOSS | {"report_loss", "report_scores"}
    return frozenset(taken)


def perform(network: Network, call: Call) -> Reply:
    """Answer one call as a program would whose class is this network."""
    if any(step.method in NOT_SIMULATED for step in call.steps):
        return Reply(call.id, "not_asked")
    player = _Player(network, call)
    results: list[Any] = []
    # A wrong network divides by zero and overflows as a student's does, without telling.
    with np.errstate(all="ignore"), _dice(network, call.seed):
        for step in call.steps:
            try:
                results.append(_as_it_travels(player.take(step)))
            except Exception as error:  # noqa: BLE001 -- a wrong step fails in whatever way it likes, as a student's does
                failure = StudentError(step.method, type(error).__name__, str(error))
                return Reply(call.id, "raised", tuple(results), failure)
    return Reply(call.id, "returned", tuple(results))


@contextmanager
def _dice(network: Network, seed: int) -> Iterator[None]:
    """Let a network whose steps draw from numpy's global generator draw the same each time, and leave that as it was."""
    if not draws(network):
        yield
        return
    before = np.random.get_state()  # noqa: NPY002 -- the generator that students use
    np.random.seed(seed % 2**32)  # noqa: NPY002 -- the same
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002 -- the same


@lru_cache(maxsize=REMEMBERED // 10)
def draws(network: Network) -> bool:
    """Return whether a step draws from numpy's global generator, by the names that it reads: seeding takes 125 us a call."""
    return any("random" in _names_read(getattr(network, step.name)) for step in fields(network))


def _names_read(step: Any) -> frozenset[str]:
    """Return the names that a step reads, also those of the functions that it was put together from."""
    code = getattr(step, "__code__", None)
    if code is None:
        return frozenset()
    around = (cell.cell_contents for cell in step.__closure__ or ())
    return frozenset(code.co_names).union(*(_names_read(one) for one in around))


def _as_it_travels(value: Any) -> Any:
    """Return numpy's scalars as arrays of no axis, as a reply over the wire has them."""
    if isinstance(value, np.generic):
        return np.asarray(value)
    if isinstance(value, tuple | list):
        return type(value)(map(_as_it_travels, value))
    return value


class _Player:
    """A network that has been made and given its parameters, as a student's object has."""

    def __init__(self, network: Network, call: Call) -> None:
        self.network = network
        self.params = {name: np.array(value, dtype=np.float64) for name, value in call.params.items()}
        self.seed = call.seed
        self.sizes = call.sizes
        self.first: Mapping[str, Any] = {}

    @cached_property
    def rng(self) -> np.random.RandomState:
        """The generator, made only where something is drawn: making it takes longer than a loss."""
        return np.random.RandomState(self.seed)

    def take(self, step: Step) -> Any:
        given: dict[str, Any] = {
            name: value.copy() if isinstance(value, np.ndarray) else value for name, value in step.arguments.items()
        }
        self.first = self.first or given
        match step.method:
            case "loss":
                return self._loss(**given)
            case "predict":
                return self.network.predict(self.params, given["X"])
            case "train":
                return self._train(**given)
            case "sweep":
                return self._sweep(**given)
            case "watch":
                return self._watch(**given)
            case "params":
                return {name: value.copy() for name, value in self.params.items()}
            case "arguments":
                return {name: value for name, value in self.first.items() if isinstance(value, np.ndarray)}
        raise ValueError(f"no program is asked for {step.method!r}")

    def _loss(self, X: Array, y: Array | None = None, reg: float = 0.0) -> Any:
        if y is None:
            return self.network.scores(self.params, X)
        loss, gradients = self.network.evaluate(self.params, X, y, reg)
        return self.network.report_loss(loss, gradients)

    def _train(self, *, verbose: bool, **settings: Any) -> Any:
        del verbose
        trained = self.network.train(self.params, **settings, rng=self.rng)
        self.params = {name: np.asarray(value) for name, value in trained.params.items()}
        return trained.histories

    def _watch(self, method: str, replaced: list[str], X: Array, times: float = 1.0, **given: Any) -> dict[str, Any]:
        """Return what a program's stand-ins would note, and answer as they would."""
        known = [(X, given["y"]), (given["X_val"], given["y_val"])] if method == "train" else []
        shapes = {name: value.shape for name, value in self.params.items()}
        stand_in = StandIn(self.seed, shapes, self.sizes[-1], known, times)
        if method == "predict":
            answer: Any = self.network.predict(self.params, X)
            return {**stand_in.notes(self.params, answer), "misfit": ""}

        def evaluate(params: Params, X: Array, y: Array, reg: float) -> tuple[float, dict[str, Array]]:
            return stand_in.loss(params, X, y, reg)

        given.pop("verbose")
        trained = self.network.train(
            self.params,
            X,
            **given,
            rng=self.rng,
            evaluate=evaluate if "loss" in replaced else None,
            predict=stand_in.predict,
        )
        self.params = {name: np.asarray(value) for name, value in trained.params.items()}
        return {**stand_in.notes(self.params, trained.histories), "misfit": ""}

    def _sweep(self, X: Array, y: Array, reg: float, h: float) -> dict[str, Array]:
        start = {name: value.copy() for name, value in self.params.items()}
        losses = {name: np.empty((2, *value.shape)) for name, value in start.items()}
        for name, value in start.items():
            for entry in np.ndindex(*value.shape):
                for side, move in enumerate((h, -h)):
                    moved = value.copy()
                    moved[entry] += move
                    losses[name][(side, *entry)] = self.network.loss({**start, name: moved}, X, y, reg)
        self.params = start
        return losses
