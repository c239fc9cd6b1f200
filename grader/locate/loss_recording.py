"""What is known of one recording of loss(): what each of its values is, and which of them explain its answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from grader.locate.ancestry import Ancestry
from grader.locate.outputs import Outputs
from grader.locate.recognise import Network
from grader.locate.recorded_case import Case, Known
from grader.locate.recorded_values import Made, Recorded, Spot
from grader.locate.replacing import Explained, Search
from grader.locate.source_statements import Statements
from grader.locate.spotted import Spotted


@dataclass(frozen=True, eq=False)
class Reading:
    """One recording of loss() with what is known of its values.

    own : what the program answered. right : what each value is in the right network. follows : the same in the network
    that has the replaced values, which tells what follows from a mistake. asked_for_scores : the recording of loss(X).
    """

    case: Case
    statements: Statements
    recorded: Recorded
    own: Outputs
    right: Mapping[int, Known | None]
    follows: Mapping[int, Known | None]
    explained: Explained
    ancestry: Ancestry
    asked_for_scores: Callable[[], Recorded | None]

    @property
    def made(self) -> Sequence[Made]:
        """The recorded values, the first made first."""
        return self.recorded.made

    def returned(self, step: str) -> Spotted | None:
        """Return the line with which loss() returned as what is wrong; None where it did not return."""
        end = self.recorded.end()
        return Spotted(step, end) if end else None

    def scores_returned(self) -> Spot | None:
        """Return the line with which loss(X) gives its answer."""
        asked = self.asked_for_scores()
        return asked.end() if asked and asked.end() else self.recorded.end()


def read_loss(
    case: Case,
    statements: Statements,
    recorded: Recorded,
    asked_for_scores: Callable[[], Recorded | None],
    own: Outputs,
    base: Network,
) -> Reading:
    """Return what is known of one recording. base : the right network."""
    made = recorded.made
    right = {one.number: base.recognise(one.value) for one in made}
    follows, explained = right, Search(case, own, made, right).explain(base)
    if explained.replaced:
        follows = {n: known or explained.network.recognise(made[n].value) for n, known in right.items()}
    first, _, second, _ = case.names
    with_ones = frozenset((case.params[name].shape[0] + 1, case.params[name].shape[1]) for name in (first, second))
    ancestry = Ancestry(made, right, follows, with_ones)
    return Reading(case, statements, recorded, own, right, follows, explained, ancestry, asked_for_scores)
