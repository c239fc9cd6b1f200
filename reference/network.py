"""The right network, as named steps that can be replaced one by one.

A wrong network is the right one with one step replaced: `dataclasses.replace(network, d_bias=...)`. So a step gets
what its mistakes would reach for (the layer, its index k counted from 0, N), even where the right one needs less;
what the right step leaves unused is named with an underscore.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from grader.records import dataclass
from reference.activations import ACTIVATIONS
from reference.layers import Layer, affine, d_bias, d_input, d_weights
from reference.losses import LOSSES
from reference.regularisers import REGULARISERS, Names
from reference.sgd import (
    Training,
    begin,
    decay_each_epoch,
    descend,
    draw_batch,
    histories,
    is_epoch,
    iterations,
    iterations_per_epoch,
    loss_arguments,
    rows_drawn,
    step_rate,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from grader.model import Array, Floats, Params, Variant

Choice = TypeVar("Choice")


def unchanged(value: Any) -> Any:
    """Return the value itself: nothing stands between the last layer and what is reported (Lecture 4)."""
    return value


def total_loss(data: Any, penalty: Any, strength: float, _N: int) -> Any:
    """Add the penalty to the data loss; strength is coefficient * reg (COMS 4732, derivations)."""
    return data + strength * penalty


def d_hidden(du: Array, _layer: Layer, _strength: float) -> Array:
    """Return du as it is: the way back through a hidden layer knows nothing of the regulariser (COMS 4732)."""
    return du


def d_total_loss(d_data: Array, d_penalty: Array, strength: float, _N: int, _k: int) -> Array:
    """Add the two gradients of one parameter of layer k; strength as in the loss (COMS 4732, derivations)."""
    return d_data + strength * d_penalty


def loss_and_gradients(loss: Any, gradients: dict[str, Array]) -> Any:
    """Return what loss() with labels returns: the pair."""
    return loss, gradients


def predict_scores(forward: Callable[[Array], Array], _params: Params, _names: Names, X: Array) -> Array:
    """Return the scores (N, C) which predict() chooses from: the forward pass again (Lecture 4)."""
    return forward(X)


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network of `depth` affine layers; its fields are the steps in the order in which data flow, its methods call them.

    Parameters are a mapping from the names to arrays: weights (D, H), bias (H,), and so on to the C scores; for
    maxout, weights (2, D, H) and bias (2, H) in the hidden layers. Inputs X are (N, D), labels y (N,) integers.
    All is computed in float64; scores and losses in complex128 where a parameter is complex.
    Methods raise ValueError on parameters that are missing and on labels that no score stands for.
    """

    names: Names
    coefficient: float  # loss = data loss + coefficient * reg * penalty
    maps: int  # affine maps to one hidden layer
    margin: float | None = None  # of the SVM

    # The scores.
    affine: Callable[[Array, Array, Array, int], Array] = affine  # (x, W, b, k) -> u
    activate: Callable[[Array], Array]  # (u) -> h
    activate_in: tuple[tuple[int, Callable[[Array], Array]], ...] = ()  # (k, another) of single layers
    output: Callable[[Array], Array] = unchanged  # the last layer's u, before loss and report
    report_scores: Callable[[Array], Any] = unchanged  # what loss() without labels returns
    # The loss.
    centre: Callable[[Array], Array]  # (scores) -> the scores that data_term and d_scores are given
    data_term: Callable[[Array, Array], Any]  # (scores, y)
    penalty_term: Callable[[Params, Names], Any]  # (params, names)
    total: Callable[[Any, Any, float, int], Any] = total_loss  # (data, penalty, strength, N)
    report_loss: Callable[[Any, dict[str, Array]], Any] = loss_and_gradients  # what loss() with labels returns
    # The gradients.
    d_scores: Callable[[Array, Array], Array]  # (scores, y) -> (N, C)
    d_input: Callable[[Array, Layer], Array] = d_input  # (du, layer) -> dh of the layer before
    d_activate: Callable[[Array, Layer], Array]  # (dh, layer) -> du
    d_hidden: Callable[[Array, Layer, float], Array] = d_hidden  # (du, layer, strength) -> the du that goes on
    d_weights: Callable[[Array, Layer], Array] = d_weights  # (du, layer)
    d_bias: Callable[[Array, Layer], Array] = d_bias  # (du, layer)
    d_penalty: Callable[[Params, Names], dict[str, Array]]  # (params, names)
    d_total: Callable[[Array, Array, float, int, int], Array] = d_total_loss  # (d_data, d_penalty, strength, N, k)
    # The training.
    begin: Callable[[Params, np.random.RandomState], dict[str, Array]] = begin
    iterations_per_epoch: Callable[[int, int], int] = iterations_per_epoch  # (N, batch_size)
    iterations: Callable[[int, int], int] = iterations  # (num_iters, per_epoch)
    rows_drawn: Callable[[int, int, Array], int] = rows_drawn  # (batch_size, num_iters, X)
    draw_batch: Callable[[np.random.RandomState, Array, Array, int], tuple[Array, Array]] = draw_batch
    loss_arguments: Callable[[Array, Array, float], tuple[Array, Array, float]] = loss_arguments  # (X, y, reg)
    step_rate: Callable[[float, float], float] = step_rate  # (rate, factor) -> the rate of this iteration's step
    update: Callable[[Params, Params, float, Names, dict[str, Any]], dict[str, Array]] = descend
    is_epoch: Callable[[int, int], bool] = is_epoch  # (iteration, per_epoch): record accuracies?
    decay: Callable[[float, float, int, int], float] = decay_each_epoch  # (rate, factor, iteration, per_epoch)
    report_training: Callable[[Any, Any, Any], Any] = histories  # (losses, train accuracies, validation accuracies)
    # The prediction.
    predict_scores: Callable[[Callable[[Array], Array], Params, Names, Array], Array] = predict_scores
    label: Callable[[Array], Array]  # (scores) -> (N,) int64

    @property
    def depth(self) -> int:
        """Number of affine layers: one more than there are hidden ones."""
        return len(self.names)

    # ---------------------------------------------------------------- the passes, step by step

    def forward(self, params: Params, X: Array) -> list[Layer]:
        """Run the forward pass; the scores (N, C) are the last layer's h (COMS 4732, Lecture 4)."""
        layers: list[Layer] = []
        x = X
        for k, (weights, bias) in enumerate(self.names):
            W, b = params[weights], params[bias]
            u = self.affine(x, W, b, k)
            h = dict(self.activate_in).get(k, self.activate)(u) if k + 1 < self.depth else self.output(u)
            layers.append(Layer(k, x, W, b, u, h))
            x = h
        return layers

    def loss_of(self, layers: list[Layer], params: Params, y: Array, reg: float) -> Any:
        """Return the loss of a forward pass: data term plus penalty (COMS 4732, Lecture 4)."""
        data = self.data_term(self.centre(layers[-1].h), y)
        return self.total(data, self.penalty_term(params, self.names), self.coefficient * reg, len(y))

    def backward(self, layers: list[Layer], params: Params, y: Array, reg: float) -> dict[str, Array]:
        """Return the loss's gradient for each parameter, from the scores back to the first layer (COMS 4732, derivations)."""
        penalty = self.d_penalty(params, self.names)
        strength = self.coefficient * reg
        gradients: dict[str, Array] = {}
        du = self.d_scores(self.centre(layers[-1].h), y)
        for layer in reversed(layers):
            k = layer.k
            if k + 1 < self.depth:
                du = self.d_hidden(self.d_activate(self.d_input(du, layers[k + 1]), layer), layer, strength)
            weights, bias = self.names[k]
            gradients[weights] = self.d_total(self.d_weights(du, layer), penalty[weights], strength, len(y), k)
            gradients[bias] = self.d_bias(du, layer)
            # Where biases are not regularised nobody adds zeros to them, whatever else is added to the weights.
            if penalty[bias].any() and gradients[bias] is not None:
                gradients[bias] = self.d_total(gradients[bias], penalty[bias], strength, len(y), k)
        return gradients

    def evaluate(self, params: Params, X: Array, y: Array, reg: float) -> tuple[Any, dict[str, Array]]:
        """Return the loss and its gradients from one forward pass: what each iteration of train() asks for."""
        layers = self.forward(params, X)
        return self.loss_of(layers, params, y, reg), self.backward(layers, params, y, reg)

    # ---------------------------------------------------------------- what is asked of a network

    def scores(self, params: Params, X: Array) -> Floats:
        """Return what loss() without labels returns: the scores, (N, C) float64."""
        scores: Floats = self.report_scores(self.forward(self._doubled(params), X)[-1].h)
        return scores

    def loss(self, params: Params, X: Array, y: Array, reg: float) -> float:
        """Return data_loss + coefficient * reg * penalty."""
        params = self._doubled(params)
        self._check_labels(params, X, y)
        loss: float = self.loss_of(self.forward(params, X), params, y, reg)
        return loss

    def data_loss(self, params: Params, X: Array, y: Array) -> float:
        """Return the loss's mean over the N examples, without the regulariser."""
        params = self._doubled(params)
        self._check_labels(params, X, y)
        loss: float = self.data_term(self.centre(self.forward(params, X)[-1].h), y)
        return loss

    def penalty(self, params: Params) -> float:
        """Return the sum of squares, with coefficient one, over the parameters which the regulariser covers."""
        penalty: float = self.penalty_term(self._doubled(params), self.names)
        return penalty

    def gradients(self, params: Params, X: Array, y: Array, reg: float) -> dict[str, Array]:
        """Return the gradient of loss() for each parameter, by name and in its shape."""
        params = self._doubled(params)
        self._check_labels(params, X, y)
        gradients = self.backward(self.forward(params, X), params, y, reg)
        return {name: gradients[name] for layer in self.names for name in layer}

    def penalty_gradients(self, params: Params) -> dict[str, Array]:
        """Return the gradient of penalty() for each parameter: 2 theta, or zeros where it is not covered."""
        return self.d_penalty(self._doubled(params), self.names)

    def predict(self, params: Params, X: Array) -> Array:
        """Return a label for each row of X, (N,) int64."""
        params = self._doubled(params)
        return self.label(self.predict_scores(lambda X: self.forward(params, X)[-1].h, params, self.names, X))

    def train(
        self,
        params: Params,
        X: Array,
        y: Array,
        X_val: Array,
        y_val: Array,
        learning_rate: float,
        learning_rate_decay: float,
        reg: float,
        num_iters: int,
        batch_size: int,
        rng: np.random.RandomState,
        evaluate: Callable[[Params, Array, Array, float], tuple[Any, dict[str, Array]]] | None = None,
        predict: Callable[[Params, Array], Array] | None = None,
    ) -> Training:
        """Train by stochastic gradient descent and give the new parameters; the old ones stay as they are.

        evaluate, predict : what is asked for the loss and its gradients, and for labels; the network's own where None.

        Each iteration draws batch_size rows with rng.choice(N, batch_size) and takes one step. Every N // batch_size
        iterations, from the first on, it records the accuracies and then multiplies the rate by the decay.
        """
        params = self._doubled(params)
        self._check_labels(params, X, y)
        self._check_labels(params, X_val, y_val)
        evaluate, predict = evaluate or self.evaluate, predict or self.predict
        begun = self.begin(params, rng)
        trained: Params = begun
        losses, train_accuracies, val_accuracies = [], [], []
        settings = learning_rate, learning_rate_decay, reg, num_iters, batch_size
        for trained, loss, X_batch, y_batch, records in self.take_steps(begun, X, y, *settings, rng, evaluate):
            losses.append(loss)
            if records:
                train_accuracies.append(np.mean(predict(trained, X_batch) == y_batch))
                val_accuracies.append(np.mean(predict(trained, X_val) == y_val))
        kept = (np.array(history, dtype=np.float64) for history in (losses, train_accuracies, val_accuracies))
        return Training(trained, self.report_training(*kept))

    def take_steps(
        self,
        params: Params,
        X: Array,
        y: Array,
        learning_rate: float,
        learning_rate_decay: float,
        reg: float,
        num_iters: int,
        batch_size: int,
        rng: np.random.RandomState,
        evaluate: Callable[[Params, Array, Array, float], tuple[Any, dict[str, Array]]],
    ) -> Iterator[tuple[Params, Any, Array, Array, bool]]:
        """Yield after each step the parameters, the loss before it, its batch, and whether accuracies are recorded now."""
        per_epoch = self.iterations_per_epoch(len(X), batch_size)
        rate, memory = learning_rate, dict[str, Any]()
        for iteration in range(self.iterations(num_iters, per_epoch)):
            X_batch, y_batch = self.draw_batch(rng, X, y, self.rows_drawn(batch_size, num_iters, X))
            loss, gradients = evaluate(params, *self.loss_arguments(X_batch, y_batch, reg))
            params = self.update(params, gradients, self.step_rate(rate, learning_rate_decay), self.names, memory)
            yield params, loss, X_batch, y_batch, self.is_epoch(iteration, per_epoch)
            rate = self.decay(rate, learning_rate_decay, iteration, per_epoch)

    def shapes(self, sizes: Sequence[int]) -> dict[str, tuple[int, ...]]:
        """Return each parameter's shape for layers of these sizes: D, the hidden sizes, C."""
        if len(sizes) != self.depth + 1 or min(sizes) < 1:
            raise ValueError(
                f"sizes are {tuple(sizes)}: a network of depth {self.depth} takes {self.depth + 1} sizes of 1 or more, "
                "from the inputs D over the hidden layers to the scores C"
            )
        shapes: dict[str, tuple[int, ...]] = {}
        for k, (weights, bias) in enumerate(self.names):
            maps = (self.maps,) if self.maps > 1 and k + 1 < self.depth else ()
            shapes[weights] = (*maps, sizes[k], sizes[k + 1])
            shapes[bias] = (*maps, sizes[k + 1])
        return shapes

    def initialise(self, sizes: Sequence[int], std: float, rng: np.random.RandomState) -> dict[str, Array]:
        """Draw weights from a normal distribution of deviation std, layer by layer; biases are zero (Lecture 4)."""
        shapes = self.shapes(sizes)
        params: dict[str, Array] = {}
        for weights, bias in self.names:
            params[weights] = std * rng.standard_normal(shapes[weights])
            params[bias] = np.zeros(shapes[bias])
        return params

    def _doubled(self, params: Params) -> dict[str, Array]:
        expected = [name for layer in self.names for name in layer]
        missing = [name for name in expected if name not in params]
        if missing:
            raise ValueError(
                f"no parameter {', '.join(missing)} among {', '.join(params) or 'none at all'}: "
                f"this network has {', '.join(expected)}"
            )
        # float32 would lose half of the digits that gradients are compared to.
        return {name: np.asarray(params[name], np.result_type(params[name], np.float64)) for name in expected}

    def _check_labels(self, params: Params, X: Array, y: Array) -> None:
        # numpy would take a label of -1 as the last class, and broadcast labels of a wrong shape.
        width = params[self.names[-1][1]].shape[-1]
        classes = 2 if width == 1 else width
        if y.shape != (len(X),) or not len(y) or y.dtype.kind not in "iu" or y.min() < 0 or y.max() >= classes:
            found = f"{y.dtype} of shape {y.shape}" + (f" from {y.min()} to {y.max()}" if y.size else "")
            raise ValueError(
                f"labels are {found}: expected integers of shape ({len(X)},) from 0 to {classes - 1}, "
                "one for each row of X, and at least one row"
            )


def build(
    activation: str = "relu",
    loss: str = "softmax",
    regulariser: str = "full",
    names: Names = (("W1", "b1"), ("W2", "b2")),
    *,
    slope: float = 0.1,
    alpha: float = 1.0,
    margin: float = 1.0,
) -> Network:
    """Return the right network of one variant; `names` holds weights and bias of each layer and so sets the depth.

    slope, alpha, margin : of the leaky ReLU (Lecture 4: max(0.1 u, u)), of the ELU, and of the SVM (Lecture 4: 1).
    Raises ValueError on a variant that does not exist, and on names that do not tell the parameters apart.
    """
    hidden = _choose("activation", ACTIVATIONS, activation)(slope, alpha)
    data = _choose("loss", LOSSES, loss)(margin)
    squares = _choose("regulariser", REGULARISERS, regulariser)
    flat = [name for layer in names for name in layer]
    if not names or any(len(layer) != 2 for layer in names) or len(set(flat)) < len(flat):
        raise ValueError(f"names are {names!r}: expected a (weights, bias) pair for each layer, all names different")
    return Network(
        names=names,
        coefficient=squares.coefficient,
        maps=hidden.maps,
        margin=margin if loss == "svm" else None,
        activate=hidden.forward,
        d_activate=hidden.backward,
        centre=data.centre,
        data_term=data.forward,
        d_scores=data.backward,
        label=data.label,
        penalty_term=squares.penalty,
        d_penalty=squares.backward,
    )


def network_of_variant(variant: Variant) -> Network:
    """Return the right network of an assignment's variant; "either" is judged from its parts, so full stands in."""
    return build(
        variant.activation,
        variant.loss,
        "full" if variant.regulariser == "either" else variant.regulariser,
        variant.layers,
        slope=variant.slope,
        alpha=variant.alpha,
        margin=variant.margin,
    )


def _choose(axis: str, table: Mapping[str, Choice], name: str) -> Choice:
    if name not in table:
        near = difflib.get_close_matches(name, table, n=1)
        guess = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"unknown {axis} {name!r}: {guess}Known: {', '.join(table)}.")
    return table[name]
