"""Cases: inputs, labels and parameters of given sizes, in which nothing hides a mistake.

Biases are never zero, one case misses a class, every pre-activation keeps away from its kink, the two best scores are apart.
"""

import numpy as np

from grader.model import Array, Assignment, Floats, Params
from grader.records import dataclass
from reference.network import Network, network_of_variant

KINK_MARGIN = 0.01  # smallest |u| of a case: a thousand steps of the central differences away from the kink
RANK_MARGIN = 0.3  # smallest singular value of X and h, so that the gradient that reached a layer can be solved for
SCORE_MARGIN = 0.05  # between the two best scores of a row, so that argmax cannot turn on rounding


@dataclass(frozen=True)
class Case:
    """One set of sizes with its inputs, labels and parameters."""

    name: str
    X: Floats  # (N, D)
    y: Array  # (N,) int64
    params: Params
    classes: int

    @property
    def sizes(self) -> tuple[int, ...]:
        """D, the hidden layers' H, C."""
        *hidden, _ = (bias.shape[-1] for bias in list(self.params.values())[1::2])
        return self.X.shape[1], *hidden, self.classes


def network_of(assignment: Assignment) -> Network:
    """Build the network that the assignment asks for."""
    return network_of_variant(assignment.variant)


def with_hidden(sizes: tuple[int, int, int, int], depth: int) -> tuple[int, ...]:
    """Return N, D, H, C for a network of another depth: no hidden layer, or more of them, each one unit wider."""
    rows, inputs, hidden, classes = sizes
    return rows, inputs, *range(hidden, hidden + depth - 1), classes


def draw_case(
    network: Network,
    name: str,
    sizes: tuple[int, ...],
    rng: np.random.Generator,
    *,
    absent: bool,
    biases: float = 0.6,
    solved: bool = False,
) -> Case:
    """Draw inputs, labels and parameters of one case.

    sizes : N, D, the hidden layers' H, C. absent : leave the last class out of the labels, which programs that count classes
    from the labels get wrong. biases : their standard deviation. solved : what reached a layer is to be solved for.
    """
    rows, inputs, *hidden, classes = sizes
    weights = {layer[0] for layer in network.names}
    for _ in range(2_000):
        X = rng.normal(size=(rows, inputs))
        params = {
            key: rng.normal(scale=1.2 / np.sqrt(shape[-2]) if key in weights else biases, size=shape)
            for key, shape in network.shapes((inputs, *hidden, classes)).items()
        }
        if network.depth > 2:
            _let_rows_through(network, params)
        scores = network.scores(params, X)
        best = np.sort(scores, axis=1)
        if (
            _kink_distance(network, params, X) > KINK_MARGIN / max(1, network.depth - 1)  # the more units, the nearer
            and (best[:, -1] - best[:, -2]).min() > SCORE_MARGIN
            and np.ptp(scores.argmax(axis=1))  # else a predict() that returns one number would be right
            and (not solved or _can_be_solved(network, params, X))
        ):
            labels = rng.permutation(np.arange(rows) % (classes - 1 if absent else classes)).astype(np.int64)
            if _tells_margins(network, scores, labels):
                return Case(name, X, labels, params, classes)
    raise ValueError(f"no case of sizes {sizes} keeps {KINK_MARGIN} away from every kink: use fewer rows or units")


def _let_rows_through(network: Network, params: dict[str, Floats]) -> None:
    """Change the layers behind sigmoids, whose units lie around 1/2 and pass a quarter on, to those behind tanh units.

    Else all rows have about the same scores behind two of them.
    """
    middle = float(network.activate(np.zeros((network.maps, 1, 1))).max())
    for weights, bias in network.names[1:] if middle else ():
        params[weights] = 4 * params[weights]
        params[bias] = params[bias] - middle * params[weights].sum(axis=-2)


def _kink_distance(network: Network, params: Params, X: Floats) -> float:
    kinks = (layer.u if network.maps == 1 else layer.u[0] - layer.u[1] for layer in network.forward(params, X)[:-1])
    return min((float(np.abs(kink).min()) for kink in kinks), default=np.inf)


def _tells_margins(network: Network, scores: Floats, y: Array) -> bool:
    """Return whether an SVM's margins keep away from 0, some of them on either side; true of other losses."""
    if network.margin is None:
        return True
    wrong = np.arange(scores.shape[1]) != y[:, None]
    margins = (scores - scores[np.arange(len(y)), y][:, None] + network.margin)[wrong]
    return bool(np.abs(margins).min() > KINK_MARGIN and margins.min() < 0 < margins.max())


def _can_be_solved(network: Network, params: Params, X: Floats) -> bool:
    """Return whether each row has an active unit, and X and h have full rank with a margin where their sizes allow it."""
    hidden = [layer.h for layer in network.forward(params, X)[:-1]]
    if not all((h > 0).any(axis=1).all() for h in hidden):
        return False
    wide = [array for array in (X, *hidden) if array.shape[0] <= array.shape[1]]
    return all(np.linalg.svd(array, compute_uv=False)[-1] > RANK_MARGIN for array in wide)
