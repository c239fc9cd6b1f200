"""The questions that a grading asks, drawn from a seed, and the reference's answers to them.

What hides a mistake is kept out of the draw: biases are never zero, N D H C differ within a case, one case misses a
class, every pre-activation keeps away from its kink, the two best scores are apart, and train() is asked on identical
rows, where sampling cannot matter. Only the calls reach a student's process; the answers stay with the grader.
"""

from collections.abc import Callable, Iterator
from typing import Any

from grader.model import Assignment, Call, Expectation, Questions
from reference.cases import draw_case, network_of
from reference.digits import stream
from reference.loss_questions import (
    ask_forward,
    ask_many_labels,
    ask_narrow,
    ask_numeric,
    ask_purity,
    ask_single_rows,
    ask_stability,
)
from reference.network import Network
from reference.oracle import build_oracle
from reference.simulate import build_catalogue
from reference.toy import ask_toy
from reference.training_questions import (
    ask_alone,
    ask_chosen,
    ask_different_rows,
    ask_digits,
    ask_recorded,
    ask_same_rows,
    ask_tuned,
    ask_watched_predict,
)


def draw(
    assignment: Assignment, seed: int, keep: Callable[[object, Callable[[], Any]], Any] = lambda _what, make: make()
) -> Questions:
    """Draw all calls from `seed` and answer them with the reference; keep : returns what an earlier run made, or makes it."""
    network = network_of(assignment)
    asked: list[tuple[Call, Expectation]] = keep("calls", lambda: list(_all(assignment, network, seed)))
    calls = tuple(call for call, _ in asked)
    oracle = build_oracle(assignment, network, seed, calls[-1], keep)
    catalogue = build_catalogue(assignment, network, calls)
    return Questions(calls, {call.id: answer for call, answer in asked}, oracle, catalogue)


def _all(assignment: Assignment, network: Network, seed: int) -> Iterator[tuple[Call, Expectation]]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    cases = [
        draw_case(
            network,
            letters[index],
            sizes,
            stream(seed, f"case {index}"),
            absent=index == len(assignment.sizes) - 1,
            biases=assignment.biases,
            solved=True,
        )
        for index, sizes in enumerate(assignment.sizes)
    ]
    seconds = assignment.limits.call_seconds
    # First: the right losses are those of the first plain calls, which a loss that overflows could have kept to replay.
    yield from ask_stability(assignment, network, cases[0])
    for case in cases:
        yield from ask_forward(assignment, network, case, seconds)
    yield ask_many_labels(network, cases, seed, seconds)
    yield ask_numeric(assignment, network, cases[0])
    yield ask_purity(assignment, cases[0])
    yield ask_single_rows(assignment, network, cases[0], stream(seed, "single rows"))
    yield from ask_narrow(assignment, network, seed)
    # Before the runs with the program's own loss(): where that never ends, no more of train() would be asked.
    yield ask_different_rows(assignment, network, seed)
    yield ask_watched_predict(assignment, network, cases[1], seed)
    yield from ask_same_rows(assignment, network, seed)
    yield from ask_alone(assignment, network, seed)
    yield ask_toy(assignment, network)
    yield ask_digits(assignment, network, seed)
    yield ask_chosen(assignment, seed)
    yield ask_tuned(
        assignment, seed
    )  # left out where the replies so far let the reference train in the program's place
    yield ask_recorded(assignment, network, seed), {}
