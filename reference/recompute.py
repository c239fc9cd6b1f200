"""What the right network makes on the way from inputs to gradients, with steps replaced by values of somebody else's.

Whoever wants to know where a program goes wrong puts one of its own values in the place of the right one and lets the rest
follow: the value that then explains the answers is the mistake.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reference.layers import Layer
from reference.losses import d_softmax_loss

if TYPE_CHECKING:
    from collections.abc import Mapping

    from grader.model import Array, Floats, Params
    from reference.network import Network


def follow(
    network: Network,
    params: Params,
    X: Array,
    y: Array,
    reg: float,
    replaced: Mapping[str, Floats],
    *,
    whole: bool = True,
) -> dict[str, Floats]:
    """Return the values that a program is likely to make, by name, in the order of the computation.

    replaced : values to go on with, by name, in place of the right ones: "u", "h" and "scores" of the forward pass;
    "centred", the scores that the softmax is taken of; "e", their exponentials; "log p" and "p", the probabilities; "one-hot";
    "p back", the probabilities that the backward pass has; "d scores", "d h", "mask" and "d u". Of several hidden layers each
    has its own, such as "u1", "h2" and "d u1". whole : else only what leads to scores, data loss and the
    data's gradients, in a third of the time.
    """
    form = _Way(network, params, X, y, reg, replaced)
    # A student's value may be anything: what overflows is no warning of ours.
    with np.errstate(all="ignore"):
        form.forward()
        if whole:
            form.beside()
        form.data_loss()
        if whole:
            form.losses()
        form.backward(whole=whole)
    return form.values


class _Way:
    """One walk through the network; `values` grows with it."""

    def __init__(
        self, network: Network, params: Params, X: Array, y: Array, reg: float, replaced: Mapping[str, Floats]
    ) -> None:
        self.network, self.params, self.X, self.y, self.reg, self.replaced = network, params, X, y, reg, replaced
        self.values: dict[str, Floats] = {}
        self.rows = np.arange(len(y))

    def put(self, name: str, value: Array) -> Floats:
        """Keep a value, or what replaces it, and return it."""
        self.values[name] = kept = np.asarray(self.replaced.get(name, value), dtype=np.float64)
        return kept

    def name(self, value: str, k: int) -> str:
        """Return what a value of hidden layer k, counted from 0, is called: numbered where there are several."""
        return value if self.network.depth == 2 else f"{value}{1 + k}"

    def forward(self) -> None:
        """Add the layers (COMS 4732, Lecture 4)."""
        network, x, of = self.network, np.asarray(self.X), "X"
        for k, (weights, bias) in enumerate(network.names):
            W, b, last = self.params[weights], self.params[bias], k + 1 == network.depth
            self.put(f"{of} W{1 + k}", x @ W)
            u = self.put("scores" if last else self.name("u", k), network.affine(x, W, b, k))
            if not last:
                of = self.name("h", k)
                x = self.put(of, network.activate(u))

    def beside(self) -> None:
        """Add exponentials and logarithms (derivations), of the scores as they are and with a maximum taken off."""
        scores, y, rows = self.values["scores"], self.y, self.rows
        self.put("row max", scores.max(axis=1))
        self.put("max", scores.max())
        for tag, most in (
            ("", np.zeros((len(y), 1))),
            (" - row max", scores.max(axis=1, keepdims=True)),
            (" - max", scores.max(keepdims=True)),
        ):
            centred = scores - most
            e = np.exp(centred)
            if tag:
                self.put(f"scores{tag}", centred)
            self.put(f"exp(scores{tag})", e)
            self.put(f"sum exp(scores{tag})", e.sum(axis=1))
            self.put(f"log sum exp(scores{tag})", np.log(e.sum(axis=1)))
            self.put(f"true scores{tag}", centred[rows, y])
            self.put(f"exp of true scores{tag}", e[rows, y])

    def data_loss(self) -> None:
        """Add what the data loss is put together from, and N times its gradient by the scores."""
        network, y = self.network, self.y
        if network.d_scores is d_softmax_loss:
            self.softmax()
        else:
            centred = network.centre(self.values["scores"])
            self.put("data loss", self.put("sum of losses", network.data_term(centred, y) * len(y)) / len(y))
            self.put("N d scores", network.d_scores(centred, y) * len(y))

    def softmax(self) -> None:
        """Add the probabilities and the data loss (COMS 4732, derivations)."""
        scores, y, rows = self.values["scores"], self.y, self.rows
        centred = self.put("centred", scores - scores.max(axis=1, keepdims=True))
        e = self.put("e", np.exp(centred))
        p = e / e.sum(axis=1, keepdims=True)
        logs = self.put("log p", np.log(self.replaced.get("p", p)))
        p = self.put("p", np.exp(logs) if "log p" in self.replaced else p)
        onehot = np.zeros_like(scores)
        onehot[rows, y] = 1
        onehot = self.put("one-hot", onehot)
        self.put("p true", p[rows, y])
        # Where p is 0, 0 log 0 is no number, and the picked entries are what a program sums.
        losses = -(logs * onehot).sum(axis=1) if "one-hot" in self.replaced else -logs[rows, y]
        self.put("data loss", self.put("sum of losses", self.put("-log p true", losses).sum()) / len(y))
        self.put("p - one-hot", self.put("p back", p) - onehot)

    def losses(self) -> None:
        """Add the regulariser and what else a loss is put together from (COMS 4732, Lecture 4)."""
        network, params = self.network, self.params
        if "one-hot" in self.values:
            self.put("log p, one-hot", self.values["log p"] * self.values["one-hot"])
        for name in params:
            self.put(f"sum {name}^2", self.put(f"{name}^2", params[name] ** 2).sum())
        squares = self.put("sum of squares", network.penalty_term(params, network.names))
        self.put("loss", self.values["data loss"] + self.put("regulariser", network.coefficient * self.reg * squares))

    def backward(self, *, whole: bool) -> None:
        """Add the gradients, from the scores back to the first layer (COMS 4732, derivations)."""
        network, values = self.network, self.values
        undivided = values["p - one-hot"] if "p - one-hot" in values else values["N d scores"]
        reached = {network.depth - 1: self.put("d scores", undivided / len(self.y))}
        for k in reversed(range(network.depth - 1)):
            dh = self.put(self.name("d h", k), network.d_input(reached[k + 1], self._layer(k + 1)))
            mask = self.put(self.name("mask", k), network.d_activate(np.ones_like(dh), self._layer(k)))
            reached[k] = self.put(self.name("d u", k), dh * mask)
        penalties = network.d_penalty(self.params, network.names) if whole else {}
        for k, d in reached.items():
            self._gradients(k, d, self._layer(k), penalties)

    def _layer(self, k: int) -> Layer:
        """Return layer k with the values that it has here."""
        network, values = self.network, self.values
        x = values[self.name("h", k - 1)] if k else np.asarray(self.X)
        last = k + 1 == network.depth
        u, h = (values["scores" if last else self.name(name, k)] for name in ("u", "h"))
        weights, bias = network.names[k]
        return Layer(k, x, self.params[weights], self.params[bias], u, h)

    def _gradients(self, k: int, d: Floats, layer: Layer, penalties: Mapping[str, Array]) -> None:
        """Add the gradients of one layer's parameters; d : that of its output."""
        network = self.network
        for name, of in zip(network.names[k], (network.d_weights, network.d_bias), strict=True):
            data = self.put(f"data d{name}", of(d, layer))
            if penalties:
                own = self.put(f"regulariser d{name}", network.coefficient * self.reg * penalties[name])
                self.put(f"d{name}", data + own)
