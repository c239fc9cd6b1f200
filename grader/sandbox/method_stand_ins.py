"""Run train() or predict() by itself: stand-ins replace the methods that it calls, and note the arguments.

They are set on the class, wherever in its bases the method is defined, and are bound to the network that they are called
on: `super()`, `TwoLayerNet.loss(self, ...)`, `__slots__` and copies of the network all come to them. Arguments are bound by
the student's own signature, and the answer has the form of one plain answer of the student's own method.
"""

from __future__ import annotations

import copy
import functools
import inspect
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .signatures import read_signature
from .stand_in_replies import StandIn

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
PLAIN = type(lambda: None)
ORDER = ("X", "y", "reg")


def in_layout(value: Array, own: tuple[int, ...]) -> Array:
    """Return a parameter laid out as the student's own: (1, H) for (H,), or (H, D) for (D, H)."""
    if own == value.shape:
        return value
    if [n for n in own if n != 1] == [n for n in value.shape if n != 1]:
        return value.reshape(own)
    if len(own) == 2 and own == value.shape[::-1]:
        return value.T.copy()
    return value


class Watch:
    """One watched run of a student's network.

    form : what loss() last returned, or None where that is not known. shapes : of the parameters, as the assignment has them.
    methods : what the assignment calls loss, train and predict.
    """

    def __init__(
        self, stand_in: StandIn, shapes: Mapping[str, tuple[int, ...]], form: Any, methods: Mapping[str, str]
    ) -> None:
        self._methods = methods
        self._stand_in = stand_in
        self._shapes = shapes
        self._form = Form.of(form, shapes)
        self._misfit = ""

    @contextmanager
    def replacing(self, net: Any, methods: list[str]) -> Iterator[None]:
        """Put the stand-ins in place of these methods of a network's class, and take them away at the end."""
        makers = {self._methods["loss"]: self._loss, self._methods["predict"]: self._predict}
        methods = [self._methods[method] for method in methods]
        changed: list[tuple[type, str, Any]] = []
        hidden = _hidden_by_instance(net, methods)
        try:
            for name in methods:
                bases = [base for base in type(net).__mro__ if name in vars(base)]
                for base in bases or [type(net)]:
                    own = vars(base).get(name)
                    # A property or a static method is called in a way of its own; whole runs tell what it does.
                    if own is None or type(own) is PLAIN:
                        changed.append((base, name, own))
                        type.__setattr__(base, name, makers[name](own))
            yield
        finally:
            for base, name, own in reversed(changed):
                if own is None:
                    type.__delattr__(base, name)
                else:
                    type.__setattr__(base, name, own)
            if hidden:
                vars(net).update(hidden)

    def notes(self, net: Any, answer: Any) -> dict[str, Any]:
        """Return what was noted; "misfit" says how a call did not fit loss()'s own parameters, "" where all did."""
        return {**self._stand_in.notes(self._params(net), answer), "misfit": self._misfit}

    # ---------------------------------------------------------------- the stand-ins

    def _loss(self, own: Callable[..., Any] | None) -> Callable[..., Any]:
        signature = None if own is None else read_signature(own)

        def loss(net: Any, *positional: Any, **keywords: Any) -> Any:
            X, y, reg = self._bound(signature, (net, *positional), keywords)
            rows = _rows(X)
            if rows is None or (y is not None and np.shape(y) != (len(rows),)):
                # Not written yet, or of another shape: the program's own loss() says what is wrong with that.
                if own is None:
                    raise AttributeError(f"{type(net).__name__!r} object has no attribute {self._methods['loss']!r}")
                return own(net, *positional, **keywords)
            with _untraced():
                params = self._params(net)
                if y is None:
                    return self._stand_in.scores(params, rows)
                value, gradients = self._stand_in.loss(params, rows, np.asarray(y), reg)
                return self._form.answer(value, gradients, net)

        return loss if own is None else functools.wraps(own)(loss)

    def _predict(self, own: Callable[..., Any] | None) -> Callable[..., Any]:
        def predict(net: Any, *positional: Any, **keywords: Any) -> Any:
            X: Any = positional[0] if positional else next(iter(keywords.values()), None)
            rows = _rows(X)
            if rows is None and own is not None:
                return own(net, *positional, **keywords)
            with _untraced():
                labels = self._stand_in.predict(self._params(net), np.zeros((0, 1)) if rows is None else rows)
            return labels[0] if np.ndim(X) == 1 else labels

        return predict if own is None else functools.wraps(own)(predict)

    def _bound(
        self, signature: inspect.Signature | None, positional: tuple[Any, ...], keywords: Mapping[str, Any]
    ) -> tuple[Any, Any, float]:
        """Return X, y and reg as a call gives them; where the call does not fit loss() itself, that is noted."""
        given: Mapping[str, Any]
        names: tuple[str, ...]
        if signature is None:
            given, names = dict(zip(ORDER, positional[1:], strict=False)) | dict(keywords), ORDER
        else:
            own = list(signature.parameters)[1:4]
            names = tuple(
                name if name in signature.parameters else own[place] if place < len(own) else ""
                for place, name in enumerate(ORDER)
            )
            try:
                bound = signature.bind(*positional, **keywords)
            except TypeError as error:
                self._misfit = self._misfit or f"loss() {str(error)[:200]}"
                left = [value for name, value in keywords.items() if name not in {*names, *ORDER}]
                by_name = {own_name: keywords[n] for own_name, n in zip(names, ORDER, strict=True) if n in keywords}
                given = dict(zip(names, positional[1:], strict=False)) | dict(keywords) | by_name
                # Rows are a matrix, labels a vector, and reg is a number, under whatever name.
                given = {names[(2, 1, 0)[min(np.ndim(value), 2)]]: value for value in left} | given
            else:
                bound.apply_defaults()
                given = bound.arguments
        return given.get(names[0]), given.get(names[1]), _number(given.get(names[2]))

    def _params(self, net: Any) -> dict[str, Array]:
        params: Any = getattr(net, "params", None)
        found = {}
        for name, shape in self._shapes.items():
            try:
                value = np.asarray(params[name], dtype=np.float64)
            except (TypeError, ValueError, KeyError, IndexError):
                continue
            found[name] = in_layout(value, shape)
        return found


@contextmanager
def _untraced() -> Iterator[None]:
    """Keep a tracer, which looks at every call of a function, out of the stand-ins: most calls in train() are theirs."""
    tracer = sys.gettrace()
    if tracer is None:
        yield
        return
    sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(tracer)


def _hidden_by_instance(net: Any, methods: list[str]) -> dict[str, Any]:
    """Take away functions that the constructor set on the network itself, which would be called instead; return them."""
    own = getattr(net, "__dict__", None)
    return {name: own.pop(name) for name in methods if isinstance(own, dict) and name in own}


def _rows(X: Any) -> Floats | None:
    """Return what was asked about as (N, D) float64; None where it is no such array."""
    if X is None:
        return None
    try:
        rows = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    rows = rows.reshape(1, -1) if rows.ndim == 1 else rows
    return np.ascontiguousarray(rows) if rows.ndim == 2 and rows.size else None


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


@dataclass(frozen=True)
class Form:
    """How a student's loss() wraps its answer: a tuple or list with the loss and the gradients somewhere in it.

    parts : the last answer, part by part; None where no plain answer is known, and (loss, grads) is given then.
    at : positions of the loss and of the gradients. keys : the student's own key and shape of each gradient.
    """

    parts: Any
    at: tuple[int, int]
    keys: Mapping[str, tuple[Any, tuple[int, ...]]]

    @classmethod
    def of(cls, answer: Any, shapes: Mapping[str, tuple[int, ...]]) -> Form:
        """Return the form of one plain answer."""
        parts = list(answer) if isinstance(answer, tuple | list) else []
        grads = next((place for place, part in enumerate(parts) if isinstance(part, dict) and part), None)
        loss = next(
            (place for place, part in enumerate(parts) if not isinstance(part, dict) and np.size(part) == 1), None
        )
        if grads is None or loss is None:
            return cls(None, (0, 1), {name: (name, ()) for name in shapes})
        return cls(answer, (loss, grads), _keys(parts[grads], shapes))

    def answer(self, value: float, gradients: Mapping[str, Floats], net: Any) -> Any:
        """Return a loss and gradients in this form, each gradient laid out as the student's own or as its parameter."""
        params: Any = getattr(net, "params", {})
        laid = {}
        for name, gradient in gradients.items():
            key, own = self.keys[name]
            layout = own if math.prod(own) == gradient.size else np.shape(params.get(name))
            laid[key] = in_layout(gradient, layout)
        if self.parts is None:
            return value, laid
        parts = list(self.parts)
        grads = copy.copy(parts[self.at[1]])
        grads.update(laid)
        parts[self.at[0]], parts[self.at[1]] = np.float64(value), grads
        if hasattr(self.parts, "_fields"):
            return type(self.parts)(*parts)
        return tuple(parts) if isinstance(self.parts, tuple) else parts


def _keys(grads: Mapping[Any, Any], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[Any, tuple[int, ...]]]:
    """Return for each parameter the key of its gradient, and the gradient's own shape: "W1", else "dW1", else by shape."""
    found = {}
    for name, shape in shapes.items():
        alike = [key for key in grads if isinstance(key, str) and key.endswith(name)]
        same = [key for key in grads if key not in shapes and np.shape(grads[key]) == shape]
        key = name if name in grads else alike[0] if len(alike) == 1 else same[0] if len(same) == 1 else name
        found[name] = key, np.shape(grads[key]) if key in grads else ()
    return found
