"""The named mistakes of this assignment, and the wrong networks that have them.

A wrong network is the right one with one step replaced. Add a mistake by adding its entry to one of the files in
`reference/mistakes/`; `grader audit` then tells whether the rubric catches it and whether it can be told from the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from grader.records import Suspect
from reference.mistakes.activation import ACTIVATION
from reference.mistakes.batches import BATCHES
from reference.mistakes.entry import SOURCES, Misconception
from reference.mistakes.harmless import HARMLESS
from reference.mistakes.hidden_gradient import HIDDEN_GRADIENT
from reference.mistakes.loss import LOSS
from reference.mistakes.other_losses import OTHER_LOSSES
from reference.mistakes.parameter_gradients import PARAMETER_GRADIENTS
from reference.mistakes.predict import PREDICT
from reference.mistakes.purity import PURITY
from reference.mistakes.regulariser import REGULARISER
from reference.mistakes.regulariser_gradient import REGULARISER_GRADIENT
from reference.mistakes.schedule import SCHEDULE
from reference.mistakes.scores import SCORES
from reference.mistakes.softmax_gradient import SOFTMAX_GRADIENT
from reference.mistakes.steps import STEPS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reference.network import Network

# In the order in which data flow through a network, and so in the order in which reports name them.
MISCONCEPTIONS: tuple[Misconception, ...] = (
    *PURITY,
    *SCORES,
    *ACTIVATION,
    *LOSS,
    *OTHER_LOSSES,
    *REGULARISER,
    *SOFTMAX_GRADIENT,
    *HIDDEN_GRADIENT,
    *PARAMETER_GRADIENTS,
    *REGULARISER_GRADIENT,
    *STEPS,
    *BATCHES,
    *SCHEDULE,
    *PREDICT,
    *HARMLESS,
)


@dataclass(frozen=True)
class Way:
    """One way of making one mistake: `steps` in one layer, or in both where `layer` is None.

    steps : what stands in the place of which step; a key such as "affine@0" is about one layer by itself.
    """

    misconception: Misconception
    steps: Mapping[str, Callable[..., Any]]
    layer: int | None

    @property
    def keys(self) -> frozenset[str]:
        """Give the steps that are replaced, layer by layer: two ways that share one exclude each other."""
        found = set()
        for step in self.steps:
            name, _, layer = step.partition("@")
            chosen = (int(layer),) if layer else (0, 1) if self.layer is None else (self.layer,)
            found |= {f"{name}@{k}" for k in chosen} if name in LAYERED else {name}
        return frozenset(found)

    @property
    def name(self) -> str:
        """Name it for people and files: the mistake's id, the number of the way, and the layer."""
        ways = self.misconception.ways
        number = f"_{1 + ways.index(self.steps)}" if len(ways) > 1 else ""
        return self.misconception.id + number + ("" if self.layer is None else f"_layer{1 + self.layer}")


# Steps that are taken once in each layer, and how one tells which: by its last argument, a number or a Layer.
LAYERED = frozenset({"affine", "d_weights", "d_bias", "d_total"})


def ways(misconceptions: Iterable[Misconception] = MISCONCEPTIONS) -> Iterator[Way]:
    """Give every way of every mistake."""
    for misconception in misconceptions:
        for steps in misconception.ways:
            for layer in misconception.layers:
                yield Way(misconception, steps, layer)


def wrong_network(network: Network, mistakes: Iterable[Way]) -> Network:
    """Give the network with all these mistakes in it.

    Raises ValueError where two of them replace the same step.
    """
    changed: dict[str, Any] = {}
    taken: set[str] = set()
    for way in mistakes:
        if taken & way.keys:
            raise ValueError(f"two mistakes replace {', '.join(sorted(taken & way.keys))}: choose one of them")
        taken |= way.keys
        for step, wrong in way.steps.items():
            name, _, layer = step.partition("@")
            chosen = int(layer) if layer else way.layer
            before = changed.get(name, getattr(network, name))
            changed[name] = wrong if chosen is None or name not in LAYERED else _in_layer(chosen, wrong, before)
    return replace(network, **changed)


def _in_layer(k: int, wrong: Callable[..., Any], right: Callable[..., Any]) -> Callable[..., Any]:
    def chosen(*arguments: Any) -> Any:
        last = arguments[-1]
        here = last if isinstance(last, int) else last.k
        return (wrong if here == k else right)(*arguments)

    return chosen


def suspect(way: Way, names: tuple[str, str, str, str]) -> Suspect:
    """Say of a way what the diagnosis needs to know.

    names : first weights, first bias, second weights, second bias, as the assignment calls them.
    """
    wrong, layers = way.misconception, (0, 1) if way.layer is None else (way.layer,)
    weights, biases = " and ".join(names[2 * k] for k in layers), " and ".join(names[2 * k + 1] for k in layers)
    words = {"W": weights, "b": biases, "k": str(layers[0])}
    about = wrong.about.format(W=names[2 * layers[0]], b=names[2 * layers[0] + 1], k=layers[0])
    return Suspect(
        id=wrong.id,
        stage=wrong.stage,
        title=wrong.title.format(**words),
        hint=wrong.hint.format(**words),
        formula=wrong.formula,
        source="; ".join(SOURCES[key] for key in wrong.source),
        charged=tuple(dict.fromkeys(check.format(1 + k) for check in wrong.charged for k in layers)),
        about={"layer 0": "hidden", "layer 1": "scores"}.get(about, about),
        steps=way.keys,
        harmless=wrong.harmless,
    )
