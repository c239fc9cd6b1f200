"""What the right network makes on the way from inputs to gradients, with steps replaced by values of somebody else's.

Whoever wants to know where a program goes wrong puts one of its own values in the place of the right one and lets the rest
follow: the value that then explains the answers is the mistake.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reference.layers import Layer

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
    "p back", the probabilities that the backward pass has; "d scores", "d h", "mask" and "d u". whole : else only what leads to scores, data loss and the
    data's gradients, in a third of the time.
    """
    form = _Way(network, params, X, y, reg, replaced)
    # A student's value may be anything: what overflows is no warning of ours.
    with np.errstate(all="ignore"):
        form.forward()
        if whole:
            form.beside()
        form.softmax()
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

    def forward(self) -> None:
        """Add the layers (001, 003)."""
        (w1, b1), (w2, b2) = self.network.names
        self.put("X W1", self.X @ self.params[w1])
        u = self.put("u", self.network.affine(self.X, self.params[w1], self.params[b1], 0))
        h = self.put("h", self.network.activate(u))
        self.put("h W2", h @ self.params[w2])
        self.put("scores", self.network.affine(h, self.params[w2], self.params[b2], 1))

    def beside(self) -> None:
        """Add exponentials and logarithms (004), of the scores as they are and with a maximum taken off."""
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

    def softmax(self) -> None:
        """Add the probabilities and the data loss (000, 001, 004)."""
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
        """Add the regulariser and what else a loss is put together from (000, 001, 003)."""
        network, params = self.network, self.params
        self.put("log p, one-hot", self.values["log p"] * self.values["one-hot"])
        for name in params:
            self.put(f"sum {name}^2", self.put(f"{name}^2", params[name] ** 2).sum())
        squares = self.put("sum of squares", network.penalty_term(params, network.names))
        self.put("loss", self.values["data loss"] + self.put("regulariser", network.coefficient * self.reg * squares))

    def backward(self, *, whole: bool) -> None:
        """Add the gradients, from the scores back to the first layer (001, 004)."""
        network, values = self.network, self.values
        (w1, b1), (w2, b2) = network.names
        first = Layer(0, self.X, self.params[w1], self.params[b1], values["u"], values["h"])
        last = Layer(1, values["h"], self.params[w2], self.params[b2], values["scores"], values["scores"])
        d = self.put("d scores", values["p - one-hot"] / len(self.y))
        data = {w2: network.d_weights(d, last), b2: network.d_bias(d, last)}
        dh = self.put("d h", network.d_input(d, last))
        mask = self.put("mask", network.d_activate(np.ones_like(dh), first))
        du = self.put("d u", dh * mask)
        data |= {w1: network.d_weights(du, first), b1: network.d_bias(du, first)}
        penalties = network.d_penalty(self.params, network.names) if whole else {}
        for name in (w2, b2, w1, b1):
            self.put(f"data d{name}", data[name])
            if not whole:
                continue
            own = self.put(f"regulariser d{name}", network.coefficient * self.reg * penalties[name])
            self.put(f"d{name}", data[name] + own)
